//! Exchanges to hold against the documents: recorded ones, the publishers' own examples, and some written by hand.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};
use sim::ledger::Exchange;
use url::Url;

use super::documents::shelf;

/// A request without a body, and a JSON answer.
pub fn get(target: &str, status: u16, answer: &Value) -> Exchange {
    exchange("GET", target, String::new(), status, answer)
}

/// A request with a JSON body, and a JSON answer; no body at all for `null`.
pub fn send(method: &str, target: &str, request: &Value, status: u16, answer: &Value) -> Exchange {
    exchange(method, target, request.to_string(), status, answer)
}

fn exchange(method: &str, target: &str, request_body: String, status: u16, answer: &Value) -> Exchange {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let json = || vec![("content-type".to_owned(), "application/json".to_owned())];
    Exchange {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        request_headers: if request_body.is_empty() { Vec::new() } else { json() },
        request_body,
        status,
        answer_headers: json(),
        answer_body: if answer.is_null() { String::new() } else { answer.to_string() },
        spoilt: false,
    }
}

/// A request for a token with a signed assertion, and a token that is bound to a key.
pub fn token() -> Exchange {
    let body = "grant_type=client_credentials&scope=okta.logs.read+okta.apps.read\
                &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
                &client_assertion=eyJhbGciOiJSUzI1NiJ9.e30.c2ln";
    let answer = json!({
        "token_type": "DPoP",
        "expires_in": 3600,
        "access_token": "eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
        "scope": "okta.logs.read okta.apps.read",
    });
    let mut exchange = exchange("POST", "/oauth2/v1/token", body.to_owned(), 200, &answer);
    exchange.request_headers =
        vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    exchange
}

/// A message as Discord answers it, posted by an application.
pub fn message(content: &str) -> Value {
    json!({
        "type": 0, "content": content, "mentions": [], "mention_roles": [], "attachments": [], "embeds": [],
        "timestamp": "2026-03-02T09:15:00.000000+00:00", "edited_timestamp": null, "flags": 0, "components": [],
        "id": "1400000000000000001", "channel_id": "1300000000000000001", "pinned": false,
        "mention_everyone": false, "tts": false, "nonce": "i-17",
        "author": {
            "id": "1200000000000000001", "username": "provost", "avatar": null, "discriminator": "0001",
            "public_flags": 0, "flags": 0, "bot": true, "global_name": null, "primary_guild": null,
        },
    })
}

/// The request for that message, with a nonce that Discord enforces and without pings.
pub fn message_request(content: &str) -> Value {
    json!({
        "content": content, "nonce": "i-17", "enforce_nonce": true,
        "allowed_mentions": { "parse": [], "roles": ["1250000000000000001"] },
        "components": [{ "type": 1, "components": [
            { "type": 2, "style": 1, "label": "Take", "custom_id": "v1:take:17" },
        ] }],
    })
}

/// Messages with a file, which is named by its number as in Discord's published example.
pub fn discord_uploads() -> Vec<Exchange> {
    let mut request = message_request("The list");
    request["attachments"] = json!([{ "id": 0, "description": "All open tasks", "filename": "tasks.csv" }]);
    let callback = json!({ "type": 4, "data": { "attachments": request["attachments"] } });
    let mut uploads = vec![
        send("POST", "/api/v10/channels/13/messages", &request, 200, &message("The list")),
        send("POST", "/api/v10/interactions/15/token/callback", &callback, 204, &Value::Null),
    ];
    for upload in &mut uploads {
        upload.request_headers =
            vec![("content-type".to_owned(), "multipart/form-data; boundary=b".to_owned())];
    }
    uploads
}

/// Discord's published example of a form that it does not take.
pub fn discord_invalid_form() -> Exchange {
    let errors = json!({ "access_token": {
        "_errors": [{ "code": "BASE_TYPE_REQUIRED", "message": "This field is required" }],
    } });
    let answer = json!({ "code": 50035, "errors": errors, "message": "Invalid Form Body" });
    send("POST", "/api/v10/channels/1300000000000000001/messages", &message_request("Hello"), 400, &answer)
}

/// Discord's published example of a rate limit.
pub fn discord_rate_limit() -> Exchange {
    let answer = json!({ "message": "You are being rate limited.", "retry_after": 64.57, "global": false });
    send("POST", "/api/v10/channels/1300000000000000001/messages", &message_request("Hello"), 429, &answer)
}

/// What is known of the real Okta: its own examples of log events, and what others have recorded and published.
pub fn recorded(reference: &Path) -> Result<Vec<Exchange>> {
    let samples = reference.join("samples");
    Ok([log_events(&samples)?, apps_and_users(&samples), features(&samples)?].concat())
}

fn log_events(samples: &Path) -> Result<Vec<Exchange>> {
    let examples = shelf::json(&samples.join("okta-spec-2026.06.3-log-examples.json"));
    let mut events: Vec<Value> = Vec::new();
    for (name, example) in examples.as_object().into_iter().flatten() {
        let value = &example["value"];
        let of_a_target = name == "LogTargetChangeDetails";
        events.push(if of_a_target {
            json!({ "target": [{ "changeDetails": value }] })
        } else {
            value.clone()
        });
    }
    for folder in ["real", "sekoia", "ocsf"] {
        for path in files(&samples.join(folder), "json")? {
            let mut event = shelf::json(&path);
            if let Some(fields) = event.as_object_mut() {
                // What the collection itself says about the event.
                fields.retain(|field, _| !field.starts_with('_'));
            }
            events.push(event);
        }
    }
    events.push(limited_event());
    let pages = events.into_iter().map(|event| if event.is_array() { event } else { json!([event]) });
    Ok(pages.map(|page| get("/api/v1/logs?since=2026-01-01T00:00:00Z&limit=100", 200, &page)).collect())
}

/// What is empty in the examples of Okta's guide to the System Log events about rate limits.
fn limited_event() -> Value {
    json!({
        "eventType": "system.operation.rate_limit.violation",
        "legacyEventType": null,
        "outcome": { "result": "DENY", "reason": "Too many requests" },
        "request": { "ipChain": [{ "ip": "127.0.0.1", "geographicalContext": null, "version": "V4", "source": null }] },
        "target": [{
            "id": "/api/v1/authn/factors", "type": "URL Pattern",
            "alternateId": null, "displayName": null, "detailEntry": null,
        }],
    })
}

/// Apps and app users, once each and once in a list, and an app with its user.
fn apps_and_users(samples: &Path) -> Vec<Exchange> {
    let recorded = shelf::json(&samples.join("terraform-vcr/app-objects-and-app-users.json"));
    let objects = |key: &str| -> Vec<Value> {
        recorded[key].as_array().into_iter().flatten().map(|recording| recording["object"].clone()).collect()
    };
    let (apps, users) = (objects("apps_with_features"), objects("app_users"));
    let assign = json!({ "id": "00u1", "scope": "USER" });
    let profile = json!({ "profile": {} });
    let mut with_user = apps[0].clone();
    with_user["_embedded"] = json!({ "user": users[0] });
    let mut exchanges = vec![
        get("/api/v1/apps?limit=200", 200, &json!(apps)),
        get("/api/v1/apps/0oa1?expand=user/00u1", 200, &with_user),
        get("/api/v1/apps?expand=user/00u1", 200, &json!([with_user])),
        get("/api/v1/apps/0oa1/users?limit=50", 200, &json!(users)),
    ];
    exchanges.extend(apps.iter().map(|app| get("/api/v1/apps/0oa1", 200, app)));
    exchanges.extend(users.iter().map(|user| get("/api/v1/apps/0oa1/users/00u1", 200, user)));
    exchanges.extend(users.iter().map(|user| send("POST", "/api/v1/apps/0oa1/users", &assign, 200, user)));
    exchanges
        .extend(users.iter().map(|user| send("POST", "/api/v1/apps/0oa1/users/00u1", &profile, 200, user)));
    exchanges
}

/// Recorded exchanges about an app's features, and each feature once more in a list.
fn features(samples: &Path) -> Result<Vec<Exchange>> {
    let mut exchanges = Vec::new();
    for path in files(&samples.join("terraform-vcr"), "yaml")? {
        let recording = shelf::parse(&fs::read_to_string(path)?)?;
        for interaction in recording["interactions"].as_array().into_iter().flatten() {
            let (request, response) = (&interaction["request"], &interaction["response"]);
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let url = Url::parse(&text(&request["url"]))?;
            let status = u16::try_from(response["code"].as_u64().unwrap_or_default())?;
            let answer: Value = serde_json::from_str(&text(&response["body"]))?;
            let method = text(&request["method"]);
            exchanges.push(exchange(&method, url.path(), text(&request["body"]), status, &answer));
            exchanges.push(get("/api/v1/apps/0oa1/features", status, &json!([answer])));
        }
    }
    Ok(exchanges)
}

fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == ending) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
