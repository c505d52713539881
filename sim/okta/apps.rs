//! `/api/v1/apps`, an app, its connection, and the org itself.

use serde_json::{Value, json};
use url::form_urlencoded;

use super::exchange::{Answer, Call};
use super::filter::{Fields, Filter};
use super::time::iso;
use super::world::{App, Provisioning, World};

impl Fields for App {
    fn values(&self, path: &str) -> Option<Vec<&str>> {
        match path {
            "id" => Some(vec![&self.id]),
            "name" => Some(vec![&self.kind]),
            "status" => Some(vec![if self.active { "ACTIVE" } else { "INACTIVE" }]),
            _ => None,
        }
    }
}

impl World {
    /// An app, or the error for it.
    pub(super) fn known_app(&self, id: &str) -> Result<&App, Answer> {
        self.find_app(id).ok_or_else(|| Answer::not_found(id, "AppInstance"))
    }

    pub(super) fn get_app(&self, id: &str) -> Result<Answer, Answer> {
        Ok(Answer::json(200, &self.app_json(self.known_app(id)?)))
    }

    pub(super) fn get_apps(&self, call: &Call) -> Result<Answer, Answer> {
        let limit = call.limit(20, 1, 200)?;
        let filter = call.param("filter").unwrap_or_default();
        let filter = match filter.is_empty() {
            true => None,
            false => Some(app_filter(&filter)?),
        };
        let q = call.param("q").unwrap_or_default().to_lowercase();
        let wants = |app: &App| {
            let (label, kind) = (app.label.to_lowercase(), app.kind.to_lowercase());
            let found = label.starts_with(&q) || kind.starts_with(&q);
            let of = Assigned { world: self, app };
            found && filter.as_ref().is_none_or(|filter| filter.matches(&of))
        };
        let mut rest: &[App] = &self.apps;
        if let Some(after) = call.param("after") {
            let at = rest.iter().position(|app| app.id == after);
            rest = &rest[at.ok_or_else(|| Answer::invalid("after", "The cursor is not valid."))? + 1..];
        }
        let mut found: Vec<_> = rest.iter().filter(|app| wants(app)).collect();
        let more = found.len() > limit;
        found.truncate(limit);

        let expand = call.param("expand").unwrap_or_default();
        let user = expand.strip_prefix("user/");
        let body: Vec<_> = found.iter().map(|app| self.app_with_user(app, user)).collect();
        let last = found.last().filter(|_| more).map(|app| &*app.id);
        Ok(self.page(call, &Value::Array(body), last))
    }

    /// One page of a list, with the links that Okta's lists have.
    pub(super) fn page(&self, call: &Call, body: &Value, last: Option<&str>) -> Answer {
        let answer = Answer::json(200, body).with_link(&format!("{}{}", self.url, call.target()), "self");
        let Some(last) = last else { return answer };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("after", last);
        for (name, value) in call.params().iter().filter(|(name, _)| name != "after") {
            query.append_pair(name, value);
        }
        answer.with_link(&format!("{}{}?{}", self.url, call.path, query.finish()), "next")
    }

    pub(super) fn get_connection(&self, id: &str) -> Result<Answer, Answer> {
        let app = self.known_app(id)?;
        let (status, scheme) = match app.provisioning {
            Provisioning::On => ("ENABLED", "TOKEN"),
            Provisioning::Off => ("DISABLED", "TOKEN"),
            Provisioning::Unsupported => ("UNKNOWN", "UNKNOWN"),
        };
        let this = format!("{}/api/v1/apps/{id}/connections/default", self.url);
        let mut body = json!({
            "status": status,
            "profile": { "authScheme": scheme },
            "_links": { "self": { "href": this, "hints": { "allow": ["GET", "POST"] } } },
        });
        if scheme == "TOKEN" {
            body["authScheme"] = json!("TOKEN");
        }
        Ok(Answer::json(200, &body))
    }

    pub(super) fn get_org(&self) -> Answer {
        Answer::json(
            200,
            &json!({
                "id": self.org_id,
                "companyName": "Example",
                "status": "ACTIVE",
                "subdomain": "example",
                "website": "https://example.com",
                "created": "2020-01-01T00:00:00.000Z",
                "lastUpdated": "2020-01-01T00:00:00.000Z",
                "_links": {},
            }),
        )
    }

    fn app_with_user(&self, app: &App, user: Option<&str>) -> Value {
        let mut json = self.app_json(app);
        let pair = user.map(|user| (app.id.clone(), user.to_owned()));
        if let Some(pair) = pair.filter(|pair| self.assignments.contains_key(pair)) {
            json["_embedded"] = json!({ "user": self.app_user_json(&pair) });
        }
        json
    }

    fn app_json(&self, app: &App) -> Value {
        let this = format!("{}/api/v1/apps/{}", self.url, app.id);
        let (turn, way) = if app.active { ("deactivate", "deactivate") } else { ("activate", "activate") };
        json!({
            "id": app.id,
            "orn": format!("orn:okta:idp:{}:apps:{}:{}", self.org_id, app.kind, app.id),
            "name": app.kind,
            "label": app.label,
            "status": if app.active { "ACTIVE" } else { "INACTIVE" },
            "lastUpdated": iso(app.updated),
            "created": iso(app.created),
            "accessibility": { "selfService": false },
            "visibility": {
                "autoLaunch": false,
                "autoSubmitToolbar": false,
                "hide": { "iOS": false, "web": false },
                "appLinks": { "login": true },
            },
            "features": app.features(),
            "signOnMode": "SAML_2_0",
            "credentials": { "userNameTemplate": { "template": "${source.login}", "type": "BUILT_IN" }, "signing": {} },
            "settings": {
                "app": {},
                "notifications": { "vpn": { "network": { "connection": "DISABLED" } } },
                "manualProvisioning": false,
                "implicitAssignment": false,
                "notes": {},
            },
            "_links": {
                "self": { "href": this },
                "users": { "href": format!("{this}/users") },
                "groups": { "href": format!("{this}/groups") },
                turn: { "href": format!("{this}/lifecycle/{way}") },
            },
        })
    }
}

/// An app and who is assigned to it, for `user.id eq "…"`.
struct Assigned<'a> {
    world: &'a World,
    app: &'a App,
}

impl Fields for Assigned<'_> {
    fn values(&self, path: &str) -> Option<Vec<&str>> {
        if path != "user.id" {
            return self.app.values(path);
        }
        let pairs = self.world.assignments.keys();
        Some(pairs.filter(|(app, _)| *app == self.app.id).map(|(_, user)| &**user).collect())
    }
}

fn app_filter(text: &str) -> Result<Filter, Answer> {
    let invalid =
        |what: String| Answer::error(400, "E0000031", &format!("Invalid search criteria: {what}"), &[]);
    let filter = Filter::parse(text).map_err(invalid)?;
    let known = ["id", "status", "name", "user.id"];
    match filter.paths().into_iter().find(|path| !known.contains(path)) {
        Some(path) => Err(invalid(format!("unsupported attribute {path}"))),
        None => Ok(filter),
    }
}
