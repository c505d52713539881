//! One entry of the System Log: what it holds, how Okta writes it as JSON, and what a filter can see of it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::filter::Fields;
use super::time::iso;

/// Who or what an event is about or by.
#[derive(Debug, Clone)]
pub(super) struct Entity {
    pub id: String,
    /// `User`, `AppUser`, `AppInstance`, `SystemPrincipal`, `PublicClientApp` …
    pub kind: &'static str,
    pub alternate_id: String,
    pub name: String,
    /// From and to, for a changed setting.
    pub changes: Option<Box<(Value, Value)>>,
    /// The id of the API token by which an actor acted.
    pub token: Option<String>,
}

/// What an event belongs to.
#[derive(Debug, Clone)]
pub(super) enum Transaction {
    /// A request of a person or of an API client.
    Web(String),
    /// Work that Okta does by itself afterwards.
    Job(String),
}

/// What is known of an event before it is logged.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub event_type: &'static str,
    pub legacy: Option<&'static str>,
    pub result: &'static str,
    pub reason: Option<String>,
    pub severity: &'static str,
    pub actor: Entity,
    pub targets: Vec<Entity>,
    pub transaction: Transaction,
    pub debug: Vec<(&'static str, String)>,
}

/// A logged event.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub uuid: String,
    /// What the event says of its time.
    pub published: Timestamp,
    /// When it came into the log; polling follows this.
    pub persisted: Timestamp,
    pub draft: Draft,
}

impl Event {
    /// The event as the API answers it.
    ///
    /// Fields without a value are `null`, as in recorded answers, although the published schema does not call
    /// them nullable.
    pub(super) fn to_json(&self) -> Value {
        let Draft { event_type, legacy, result, reason, severity, actor, targets, transaction, debug } =
            &self.draft;
        let (kind, transaction) = match transaction {
            Transaction::Web(id) => ("WEB", id),
            Transaction::Job(id) => ("JOB", id),
        };
        let detail = match &actor.token {
            Some(token) if kind == "WEB" => json!({ "requestApiTokenId": token }),
            _ => json!({}),
        };
        let of_a_person = kind == "WEB";
        let session = if of_a_person { "idx" } else { "trs" };
        json!({
            "actor": entity(actor),
            "client": client(of_a_person),
            "device": null,
            "authenticationContext": {
                "authenticationProvider": null,
                "credentialProvider": null,
                "credentialType": null,
                "issuer": null,
                "interface": null,
                "authenticationStep": 0,
                "externalSessionId": format!("{session}{}", transaction.get(3..).unwrap_or_default()),
            },
            "displayMessage": display_message(event_type),
            "eventType": event_type,
            "outcome": { "result": result, "reason": reason },
            "published": iso(self.published),
            "securityContext": { "asNumber": null, "asOrg": null, "isp": null, "domain": null, "isProxy": null },
            "severity": severity,
            "debugContext": { "debugData": debug_data(debug) },
            "legacyEventType": legacy,
            "transaction": { "type": kind, "id": transaction, "detail": detail },
            "uuid": self.uuid,
            "version": "0",
            "request": { "ipChain": ip_chain(of_a_person) },
            "target": targets.iter().map(entity).collect::<Vec<_>>(),
        })
    }

    /// Whether a keyword of the `q` parameter occurs in what people read of the event.
    pub(super) fn mentions(&self, keyword: &str) -> bool {
        let keyword = keyword.to_lowercase();
        let entities = self.draft.targets.iter().chain([&self.draft.actor]);
        let names = entities.flat_map(|entity| [&*entity.name, &*entity.alternate_id, &*entity.id]);
        let rest = [
            display_message(self.draft.event_type),
            self.draft.event_type,
            self.draft.reason.as_deref().unwrap_or_default(),
            self.draft.result,
        ];
        names.chain(rest).any(|text| text.to_lowercase().contains(&keyword))
    }
}

impl Fields for Event {
    fn values(&self, path: &str) -> Option<Vec<&str>> {
        let draft = &self.draft;
        let (transaction_type, transaction_id) = match &draft.transaction {
            Transaction::Web(id) => ("WEB", id),
            Transaction::Job(id) => ("JOB", id),
        };
        Some(match path {
            "eventType" => vec![draft.event_type],
            "legacyEventType" => draft.legacy.into_iter().collect(),
            "outcome.result" => vec![draft.result],
            "outcome.reason" => draft.reason.as_deref().into_iter().collect(),
            "severity" => vec![draft.severity],
            "displayMessage" => vec![display_message(draft.event_type)],
            "uuid" => vec![&self.uuid],
            "transaction.id" => vec![transaction_id],
            "transaction.type" => vec![transaction_type],
            _ => match path.split_once('.')? {
                ("actor", field) => vec![part(&draft.actor, field)?],
                ("target", field) => {
                    draft.targets.iter().map(|target| part(target, field)).collect::<Option<_>>()?
                }
                ("debugContext", key) => {
                    let key = key.strip_prefix("debugData.")?;
                    draft.debug.iter().filter(|(name, _)| *name == key).map(|(_, value)| &**value).collect()
                }
                ("client", _) => vec![],
                _ => return None,
            },
        })
    }
}

fn part<'a>(entity: &'a Entity, field: &str) -> Option<&'a str> {
    match field {
        "id" => Some(&entity.id),
        "type" => Some(entity.kind),
        "alternateId" => Some(&entity.alternate_id),
        "displayName" => Some(&entity.name),
        _ => None,
    }
}

fn entity(entity: &Entity) -> Value {
    let mut json = json!({
        "id": entity.id,
        "type": entity.kind,
        "alternateId": entity.alternate_id,
        "displayName": entity.name,
        "detailEntry": null,
    });
    if let Some(changes) = &entity.changes {
        json["changeDetails"] = json!({ "from": changes.0, "to": changes.1 });
    }
    json
}

fn client(of_a_person: bool) -> Value {
    if !of_a_person {
        return json!({
            "userAgent": null, "zone": null, "device": null, "id": null, "ipAddress": null,
            "geographicalContext": null,
        });
    }
    json!({
        "userAgent": { "rawUserAgent": "Mozilla/5.0 (X11; Linux x86_64)", "os": "Linux", "browser": "FIREFOX" },
        "zone": "null",
        "device": "Computer",
        "id": null,
        "ipAddress": "192.0.2.17",
        "geographicalContext": null,
    })
}

fn ip_chain(of_a_person: bool) -> Value {
    if !of_a_person {
        return json!([]);
    }
    json!([{ "ip": "192.0.2.17", "geographicalContext": null, "version": "V4", "source": null }])
}

fn debug_data(debug: &[(&'static str, String)]) -> Value {
    debug
        .iter()
        .map(|(key, value)| ((*key).to_owned(), Value::from(&**value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Source: Okta's catalogue of event types.
fn display_message(event_type: &str) -> &'static str {
    match event_type {
        "application.provision.user.push" => "Push new user to external application",
        "application.provision.user.push_profile" => "Push user's profile to external application",
        "application.provision.user.sync" => "Sync user in external application",
        "application.provision.user.reactivate" => "Push user reactivation in external application",
        "application.provision.user.deactivate" => "Push user deactivation to external application",
        "application.user_membership.add" => "Add user to application membership",
        "application.user_membership.remove" => "Remove user's application membership",
        "application.lifecycle.update" => "Update application",
        "application.lifecycle.deactivate" => "Deactivate application",
        "user.lifecycle.deactivate" => "Deactivate Okta user",
        "user.lifecycle.activate" => "Activate Okta user",
        "user.session.start" => "User login to Okta",
        "user.authentication.sso" => "User single sign on to app",
        "policy.evaluate_sign_on" => "Evaluation of sign-on policy",
        "system.org.rate_limit.violation" => "Rate limit violation",
        _ => "Event",
    }
}
