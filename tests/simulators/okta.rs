//! Every route of the simulated Okta, over an org with a past.

use anyhow::Result;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use sim::okta::{DeactivateUsers, FailureShape, Fault, Okta, Settings};

use crate::documents;

struct Org {
    okta: Okta,
    http: reqwest::Client,
}

impl Org {
    /// An org with an app for each way of provisioning, and a log of all that can happen to an account.
    async fn with_a_past() -> Result<Self> {
        let okta = Okta::start(Settings::default()).await?;
        okta.installs("Slack", "slack", DeactivateUsers::Off);
        okta.installs("Airbase", "airbase", DeactivateUsers::On);
        okta.installs_without_provisioning("Box", "box");
        okta.installs_unprovisionable("Wiki", "wiki");
        okta.hires("Dana", "Diaz");
        okta.hires("Eve", "Ek");
        okta.left_inactive("dana", "Slack");
        for shape in [
            FailureShape::Usual,
            FailureShape::ReasonOnPush,
            FailureShape::LegacyTypeOnly,
            FailureShape::ReasonOnly,
            FailureShape::SuccessOutcome,
            FailureShape::Unexplained,
        ] {
            okta.failures_log(shape);
            okta.assigns("dana", "Slack");
            okta.advance(SignedDuration::from_mins(1));
            okta.unassigns("dana", "Slack");
        }
        okta.assigns("dana", "Slack");
        okta.assigns("dana", "Airbase");
        okta.assigns_by_group("eve", "Slack", "Engineering");
        okta.enables_in_console("Slack", "ada");
        okta.syncs_passwords_in_console("Slack", "ada");
        okta.disables_in_console("Slack", "ada");
        okta.advance(SignedDuration::from_mins(5));
        okta.is_suspended("eve");
        okta.leaves("eve");
        okta.comes_back("eve");
        okta.app_refuses_with("Slack", "Seat limit reached");
        okta.retries_in_console("dana", "Slack");
        okta.retires("Airbase");
        okta.chatters(30);
        okta.advance(SignedDuration::from_mins(5));
        Ok(Self { okta, http: crate::http()? })
    }

    async fn asks(&self, method: Method, target: &str, body: Option<Value>) -> Result<reqwest::Response> {
        let authorization = format!("SSWS {}", Settings::default().api_token);
        let request = self.http.request(method, format!("{}{target}", self.okta.url()));
        let request = request.header("Authorization", authorization);
        let request = body.iter().fold(request, |request, body| request.json(body));
        Ok(request.send().await?)
    }

    async fn gets(&self, target: &str) -> Result<reqwest::Response> {
        self.asks(Method::GET, target, None).await
    }

    /// Holds all exchanges so far against the documents, of which at least `granted` are not refusals.
    fn holds(&self, granted: usize) {
        let exchanges = self.okta.ledger().exchanges();
        let good = exchanges.iter().filter(|exchange| exchange.status < 300).count();
        assert!(good >= granted, "only {good} of {} requests were granted", exchanges.len());
        documents::hold(&exchanges, &[]);
    }

    /// The log from a day ago.
    fn since(&self) -> String {
        format!("/api/v1/logs?since={}", self.okta.now() - SignedDuration::from_hours(24))
    }
}

#[tokio::test]
async fn reads_as_documented() -> Result<()> {
    let org = Org::with_a_past().await?;
    let (dana, nobody) = (org.okta.user_id("dana").unwrap(), "00unobody");

    let log = org.since();
    let filter = "filter=eventType+eq+%22application.provision.user.push_profile%22";
    for options in
        ["&limit=1000", "&limit=5", &format!("&sortOrder=DESCENDING&{filter}"), "&limit=5000", "&q=dana"]
    {
        org.gets(&format!("{log}{options}")).await?;
    }
    let page = org.gets(&format!("{log}&limit=5")).await?;
    let links = page.headers().get_all("link").iter().filter_map(|link| link.to_str().ok());
    let next = links.filter_map(|link| link.strip_suffix(">; rel=\"next\"")).next().unwrap();
    org.gets(next.strip_prefix(&format!("<{}", org.okta.url())).unwrap()).await?;

    org.gets("/api/v1/logs?filter=nonsense(").await?;
    for user in ["me", "dana%40example.com", &dana, nobody] {
        org.gets(&format!("/api/v1/users/{user}")).await?;
    }
    org.gets("/api/v1/org").await?;
    for options in ["", "?limit=1", "?q=sla", "?filter=status+eq+%22ACTIVE%22"] {
        org.gets(&format!("/api/v1/apps{options}")).await?;
    }
    org.gets(&format!("/api/v1/apps?filter=user.id+eq+%22{dana}%22&expand=user/{dana}")).await?;
    let apps = org.okta.apps().into_iter().map(|(id, _)| id);
    for app in apps.chain(["0oanothing".to_owned()]) {
        let app = format!("/api/v1/apps/{app}");
        let below = [
            "features",
            "features/USER_PROVISIONING",
            "features/INBOUND_PROVISIONING",
            "connections/default",
        ];
        org.gets(&app).await?;
        for path in below.into_iter().chain(["users", "users?limit=1&expand=user"]) {
            org.gets(&format!("{app}/{path}")).await?;
        }
        for user in [&*dana, nobody] {
            org.gets(&format!("{app}/users/{user}?expand=user")).await?;
        }
    }

    org.holds(30);
    Ok(())
}

#[tokio::test]
async fn writes_as_documented() -> Result<()> {
    let org = Org::with_a_past().await?;
    let (dana, eve) = (org.okta.user_id("dana").unwrap(), org.okta.user_id("eve").unwrap());
    let setting = |status: &str| json!({ "update": { "lifecycleDeactivate": { "status": status } } });
    let all = json!({
        "create": { "lifecycleCreate": { "status": "ENABLED" } },
        "update": {
            "lifecycleDeactivate": { "status": "ENABLED" },
            "profile": { "status": "ENABLED" },
            "password": { "status": "DISABLED", "seed": "RANDOM", "change": "KEEP_EXISTING" },
        },
    });
    for (app, _) in org.okta.apps() {
        let app = format!("/api/v1/apps/{app}");
        for body in [setting("ENABLED"), setting("DISABLED"), all.clone()] {
            org.asks(Method::PUT, &format!("{app}/features/USER_PROVISIONING"), Some(body)).await?;
        }
        let (one, many) = (format!("{app}/users/{dana}"), format!("{app}/users"));
        org.asks(Method::POST, &one, Some(json!({ "profile": {} }))).await?;
        org.asks(Method::POST, &one, Some(json!({ "profile": { "email": "other@example.com" } }))).await?;
        org.asks(Method::POST, &many, Some(json!({ "id": eve, "scope": "USER" }))).await?;
        org.asks(Method::DELETE, &one, None).await?;
        org.asks(Method::DELETE, &one, None).await?;
    }
    org.okta.advance(SignedDuration::from_mins(5));
    org.gets(&format!("{}&limit=1000", org.since())).await?;

    org.holds(10);
    Ok(())
}

#[tokio::test]
async fn refuses_as_documented() -> Result<()> {
    let org = Org::with_a_past().await?;
    for fault in [
        Fault::RateLimited { reset_in_secs: 10 },
        Fault::ConcurrencyLimited,
        Fault::Forbidden { scope: "okta.logs.read".to_owned() },
        Fault::Unauthorized,
        Fault::CursorRefused(400),
        Fault::Status(500),
    ] {
        org.okta.faults().next(1, "/api/v1/logs", fault);
        org.gets("/api/v1/logs").await?;
    }
    org.http.get(format!("{}/api/v1/logs", org.okta.url())).send().await?;
    org.okta.rate_limit("/api/v1/apps", 1);
    org.gets("/api/v1/apps").await?;
    org.gets("/api/v1/apps").await?;
    let form =
        [("grant_type", "client_credentials"), ("scope", "okta.logs.read"), ("client_assertion", "rubbish")];
    org.http.post(format!("{}/oauth2/v1/token", org.okta.url())).form(&form).send().await?;

    org.holds(1);
    Ok(())
}
