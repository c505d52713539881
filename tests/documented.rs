//! What the check against the official documents accepts, and what it complains about.

mod documents;
#[path = "documents/samples.rs"]
mod samples;

use std::collections::BTreeSet;

use documents::exceptions::EXCEPTIONS;
use documents::schema::{Side, standalone};
use documents::{Documents, documents_or_skip, hold, shelf};
use samples::{get, send};
use serde_json::{Value, json};
use sim::ledger::Exchange;

fn okta_says(documents: &Documents, exchange: &Exchange) -> String {
    documents.okta().complaints(exchange).join("\n")
}

fn discord_says(documents: &Documents, exchange: &Exchange) -> String {
    documents.discord().complaints(exchange).join("\n")
}

#[test]
fn a_real_exchange_is_accepted() {
    let Some(reference) = shelf::reference() else {
        documents_or_skip("a_real_exchange_is_accepted");
        return;
    };
    let recorded = samples::recorded(&reference).unwrap();
    assert!(recorded.len() > 50, "only {} samples were found", recorded.len());
    hold(&recorded, &[]);
}

#[test]
fn every_exception_is_met_by_a_sample() {
    let Some(documents) = documents_or_skip("every_exception_is_met_by_a_sample") else { return };
    let recorded = samples::recorded(&shelf::reference().unwrap()).unwrap();
    let okta = recorded.into_iter().chain([samples::token()]);
    let mut complaints: Vec<_> =
        okta.flat_map(|exchange| documents.okta().disagreements(&exchange)).collect();
    let discord = [samples::discord_rate_limit(), samples::discord_invalid_form()].into_iter();
    let discord: Vec<_> = discord.chain(samples::discord_uploads()).collect();
    complaints.extend(discord.iter().flat_map(|exchange| documents.discord().disagreements(exchange)));

    let mut met = BTreeSet::new();
    for complaint in &complaints {
        for (index, exception) in EXCEPTIONS.iter().enumerate() {
            if let Some(pointer) = exception.pointer(complaint) {
                met.insert((index, pointer.to_owned()));
                met.insert((index, complaint.operation.clone()));
                met.insert((index, "*".to_owned()));
            }
        }
    }
    for (index, exception) in EXCEPTIONS.iter().enumerate() {
        for needed in exception.pointers.iter().chain(exception.operations) {
            assert!(
                met.contains(&(index, (*needed).to_owned())),
                "no sample meets `{needed}` of {:?} ({})",
                exception.operations,
                exception.why
            );
        }
    }
}

#[test]
fn okta_accepts_what_we_ask_and_what_it_answers() {
    let feature = json!({
        "name": "USER_PROVISIONING", "status": "ENABLED", "description": "Settings",
        "capabilities": { "update": { "lifecycleDeactivate": { "status": "ENABLED" } } },
    });
    let on = json!({ "update": { "lifecycleDeactivate": { "status": "ENABLED" } } });
    let user =
        json!({ "id": "00u1", "scope": "USER", "status": "ACTIVE", "syncState": "ERROR", "profile": {} });
    let busy = json!({
        "errorCode": "E0000047", "errorSummary": "API call exceeded rate limit due to too many requests.",
        "errorLink": "E0000047", "errorId": "oae1", "errorCauses": [],
    });
    let exchanges = [
        get(
            "/api/v1/logs?since=2026-01-01T00:00:00Z&filter=eventType+sw+%22app%22&sortOrder=ASCENDING",
            200,
            &json!([]),
        ),
        get("/api/v1/logs", 429, &busy),
        get("/api/v1/apps/0oa1/features", 200, &json!([feature])),
        send("PUT", "/api/v1/apps/0oa1/features/USER_PROVISIONING", &on, 200, &feature),
        send("POST", "/api/v1/apps/0oa1/users/00u1", &json!({ "profile": {} }), 200, &user),
        get("/api/v1/apps/0oa1/users/00u1", 500, &busy),
        samples::token(),
    ];
    hold(&exchanges, &[]);
}

#[test]
fn discord_accepts_what_we_ask_and_what_it_answers() {
    let commands = json!([{ "name": "okta", "description": "Okta provisioning", "options": [
        { "type": 1, "name": "retry", "description": "Have Okta push the account again.", "options": [
            { "type": 4, "name": "incident", "description": "Its number.", "required": true },
        ] },
    ] }]);
    let registered = json!([{
        "id": "1600000000000000001", "application_id": "1200000000000000001", "version": "1600000000000000002",
        "default_member_permissions": null, "type": 1, "name": "okta", "description": "Okta provisioning",
    }]);
    let unknown = json!({ "message": "Unknown Message", "code": 10008 });
    let callback = "/api/v10/interactions/1500000000000000001/token/callback";
    let exchanges = [
        send("POST", MESSAGES, &samples::message_request("Hello"), 200, &samples::message("Hello")),
        send("PATCH", "/api/v10/channels/13/messages/14", &json!({ "content": "Fixed" }), 404, &unknown),
        get(
            &format!("{MESSAGES}?limit=100&after=1300000000000000001"),
            200,
            &json!([samples::message("Hello")]),
        ),
        send("POST", callback, &json!({ "type": 5, "data": { "flags": 64 } }), 204, &Value::Null),
        send(
            "PATCH",
            "/api/v10/webhooks/12/token/messages/%40original",
            &json!({ "content": "Sent." }),
            200,
            &samples::message("Sent."),
        ),
        send("PUT", "/api/v10/applications/12/guilds/11/commands", &commands, 200, &registered),
        samples::discord_rate_limit(),
        samples::discord_invalid_form(),
    ];
    hold(&[], &exchanges);
    hold(&[], &samples::discord_uploads());
}

const MESSAGES: &str = "/api/v10/channels/1300000000000000001/messages";

#[test]
fn an_unknown_route_is_a_complaint() {
    let Some(documents) = documents_or_skip("an_unknown_route_is_a_complaint") else { return };
    let said = okta_says(documents, &get("/api/v1/applications", 200, &json!([])));
    assert!(said.contains("no document describes this path"), "{said}");
    let said = okta_says(documents, &send("PATCH", "/api/v1/apps/0oa1", &json!({}), 200, &json!({})));
    assert!(said.contains("the document has no PATCH for this path"), "{said}");
    let said = discord_says(documents, &get("/api/v9/gateway/bot", 200, &json!({})));
    assert!(said.contains("no document describes this path"), "{said}");
}

#[test]
fn a_wrong_field_type_is_a_complaint() {
    let Some(documents) = documents_or_skip("a_wrong_field_type_is_a_complaint") else { return };
    let on = json!({ "update": { "lifecycleDeactivate": { "status": "ON" } } });
    let put =
        send("PUT", "/api/v1/apps/0oa1/features/USER_PROVISIONING", &on, 404, &json!({ "errorCode": 7 }));
    let said = okta_says(documents, &put);
    assert!(said.contains("request /update/lifecycleDeactivate/status: \"ON\" is not one of"), "{said}");
    assert!(said.contains("answer /errorCode: 7 is not of type \"string\""), "{said}");

    let mut message = samples::message("Hello");
    message["author"]["id"] = json!(1_200_000_000_000_000_001_u64);
    let mut request = samples::message_request("Hello");
    request["components"][0]["components"][0]["style"] = json!("primary");
    let said = discord_says(documents, &send("POST", MESSAGES, &request, 200, &message));
    assert!(said.contains("answer /author/id: 1200000000000000001 is not of type \"string\""), "{said}");
    assert!(said.contains("request /components/0/components/0/style: \"primary\" is not of type"), "{said}");
}

#[test]
fn a_missing_required_field_is_a_complaint() {
    let Some(documents) = documents_or_skip("a_missing_required_field_is_a_complaint") else { return };
    let mut message = samples::message("Hello");
    message.as_object_mut().unwrap().remove("edited_timestamp");
    let post = send("POST", MESSAGES, &samples::message_request("Hello"), 200, &message);
    let said = discord_says(documents, &post);
    assert!(said.contains("answer : \"edited_timestamp\" is a required property"), "{said}");
}

#[test]
fn a_missing_required_parameter_is_a_complaint() {
    let Some(documents) = documents_or_skip("a_missing_required_parameter_is_a_complaint") else { return };
    let said = okta_says(documents, &get("/.well-known/app-authenticator-configuration", 200, &json!([])));
    assert!(said.contains("parameter oauthClientId: the required query parameter is missing"), "{said}");
    let said = discord_says(documents, &get("/api/v10/guilds/11/members/search", 200, &json!([])));
    assert!(said.contains("parameter query: the required query parameter is missing"), "{said}");
}

#[test]
fn a_parameter_that_is_unknown_or_wrong_is_a_complaint() {
    let Some(documents) = documents_or_skip("a_parameter_that_is_unknown_or_wrong_is_a_complaint") else {
        return;
    };
    let said = okta_says(documents, &get("/api/v1/logs?from=2026&sortOrder=DOWN", 200, &json!([])));
    assert!(said.contains("parameter from: the document knows no such query parameter"), "{said}");
    assert!(said.contains("parameter sortOrder: `DOWN` is not"), "{said}");
    let said = discord_says(documents, &get("/api/v10/channels/general/messages?limit=101", 200, &json!([])));
    assert!(said.contains("parameter channel_id: `general` is not"), "{said}");
    assert!(said.contains("parameter limit: `101` is not"), "{said}");
}

#[test]
fn a_field_that_nobody_knows_is_a_complaint() {
    let Some(documents) = documents_or_skip("a_field_that_nobody_knows_is_a_complaint") else { return };
    let slip = json!({ "update": { "lifecycleDeactivte": { "status": "ENABLED" } } });
    let put = send("PUT", "/api/v1/apps/0oa1/features/USER_PROVISIONING", &slip, 404, &json!({}));
    let said = okta_says(documents, &put);
    assert!(said.contains("request /update/lifecycleDeactivte: the document knows no such field"), "{said}");

    let mut request = samples::message_request("Hello");
    request["components"][0]["components"][0]["options"] = json!([]);
    let said =
        discord_says(documents, &send("POST", MESSAGES, &request, 404, &json!({ "code": 0, "message": "" })));
    assert!(
        said.contains("request /components/0/components/0/options: the document knows no such field"),
        "{said}"
    );
}

#[test]
fn an_answer_of_the_wrong_kind_is_a_complaint() {
    let Some(documents) = documents_or_skip("an_answer_of_the_wrong_kind_is_a_complaint") else { return };
    let callback = "/api/v10/interactions/15/token/callback";
    let said = discord_says(documents, &send("POST", callback, &json!({ "type": 6 }), 204, &json!({})));
    assert!(said.contains("the document has no body for status 204"), "{said}");
    let said = okta_says(documents, &get("/api/v1/logs", 202, &json!([])));
    assert!(said.contains("the document has no status 202 here"), "{said}");

    let mut page = get("/api/v1/logs", 200, &json!([]));
    page.answer_body = "<html>".to_owned();
    assert!(okta_says(documents, &page).contains("the body is not JSON"));
    page.answer_headers.clear();
    assert!(okta_says(documents, &page).contains("the document has no answer of the type ``"));
    page.spoilt = true;
    assert_eq!(okta_says(documents, &page), "", "nobody describes what is spoilt on purpose");
    page.query = "from=2026".to_owned();
    assert_ne!(okta_says(documents, &page), "", "but somebody asked for it");
}

#[test]
fn a_test_with_complaints_fails_and_lists_each_once() {
    let name = "a_test_with_complaints_fails_and_lists_each_once";
    if documents_or_skip(name).is_none() {
        return;
    }
    let wrong = get("/api/v1/logs?from=2026", 200, &json!([]));
    let nowhere = get("/api/v10/nowhere", 200, &json!([]));
    let failure = std::panic::catch_unwind(|| hold(&[wrong.clone(), wrong], &[nowhere])).unwrap_err();
    let said = failure.downcast_ref::<String>().unwrap();
    assert_eq!(
        *said,
        "2 complaints about 3 exchanges:\n  \
         GET /api/v1/logs [listLogEvents] parameter from: the document knows no such query parameter\n  \
         GET /api/v10/nowhere [] route /api/v10/nowhere: no document describes this path"
    );
}

#[test]
fn what_openapi_says_in_its_own_words_is_understood() {
    let document = json!({ "components": { "schemas": {
        "Base": { "properties": { "kind": { "type": "string" } } },
        "Cat": { "allOf": [{ "$ref": "#/components/schemas/Base" }, { "required": ["lives"] }] },
        "Dog": { "allOf": [{ "$ref": "#/components/schemas/Base" }], "properties": {} },
    } } });
    let pet = json!({
        "oneOf": [{ "$ref": "#/components/schemas/Cat" }, { "$ref": "#/components/schemas/Dog" }],
        "discriminator": { "propertyName": "kind", "mapping": {
            "cat": "#/components/schemas/Cat", "dog": "#/components/schemas/Dog",
        } },
    });
    let schema = json!({
        "type": "object",
        "required": ["id", "secret"],
        "properties": {
            "id": { "type": "string", "readOnly": true },
            "secret": { "type": "string", "writeOnly": true },
            "mood": { "type": "string", "enum": ["good"], "nullable": true },
            "friend": { "allOf": [{ "$ref": "#/components/schemas/Base" }], "nullable": true },
            "size": { "type": "integer", "format": "Integer between 0 and 1000" },
            "pet": pet,
        },
    });
    let table = [
        (Side::Request, json!({ "secret": "s" }), true),
        (Side::Answer, json!({ "id": "1" }), true),
        (Side::Request, json!({ "id": "1" }), false),
        (Side::Answer, json!({ "id": "1", "mood": null, "friend": null, "size": 7 }), true),
        (Side::Answer, json!({ "id": "1", "mood": "bad" }), false),
        (Side::Answer, json!({ "id": "1", "size": "7" }), false),
        (Side::Answer, json!({ "id": "1", "pet": { "kind": "dog" } }), true),
        (Side::Answer, json!({ "id": "1", "pet": { "kind": "cat", "lives": 9 } }), true),
        (Side::Answer, json!({ "id": "1", "pet": { "kind": "cat" } }), false),
        (Side::Answer, json!({ "id": "1", "pet": { "kind": "cow" } }), false),
        (Side::Answer, json!({ "id": "1", "pet": {} }), false),
    ];
    for (side, value, right) in table {
        let validator = jsonschema::validator_for(&standalone(&document, &schema, side)).unwrap();
        assert_eq!(validator.is_valid(&value), right, "{value}");
    }
}
