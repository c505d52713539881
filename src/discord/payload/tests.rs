use std::sync::Arc;

use super::*;
use commands::chat::Opening;
use commands::spec::{Opt, OptKind};
use serde_json::json;

const fn opt(name: &'static str) -> Opt {
    Opt { name, about: "An option.", kind: OptKind::App, required: true }
}

const fn spec(name: &'static str, options: &'static [Opt], from: From) -> Spec {
    Spec { name, about: "A command.", role: None, opening: Opening::Private, options, from }
}

const SPECS: &[Spec] = &[
    spec("enable", &[opt("app"), opt("reason")], From::Slash),
    spec("confirm", &[opt("request"), opt("hash")], From::ButtonOnly),
    spec("Diagnose with Okta", &[], From::MessageMenu),
];

fn raw(value: Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(&value).unwrap()
}

fn interaction(kind: u8, data: Value) -> Value {
    json!({
        "id": "11", "application_id": "12", "token": "secret", "type": kind, "guild_id": "1",
        "member": { "user": { "id": "5" }, "roles": ["2", "3"] }, "data": data,
    })
}

fn read(value: Value) -> Result<Call, Foreign> {
    let raw = raw(value);
    let (_, kind) = address(&raw).unwrap();
    knock(&raw, kind, GuildId(1), SPECS)?.call(Arc::new(|_| {}))
}

fn options(call: &Call) -> Vec<(&str, &str)> {
    call.options.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn a_command_is_read_with_its_options_and_its_caller() {
    let call = read(interaction(
        2,
        json!({ "id": "9", "name": "okta", "type": 1, "options": [{ "name": "enable", "type": 1, "options": [
            { "name": "app", "type": 3, "value": "0oa1" },
            { "name": "people", "type": 4, "value": 3 },
            { "name": "breakglass", "type": 5, "value": true },
            { "name": "member", "type": 6, "value": "77" },
        ]}]}),
    ))
    .unwrap();
    assert_eq!(call.verb, "enable");
    assert_eq!(options(&call), [("app", "0oa1"), ("people", "3"), ("breakglass", "true"), ("member", "77")]);
    assert_eq!(call.caller, Caller { id: MemberId(5), roles: vec![RoleId(2), RoleId(3)] });
}

#[test]
fn a_button_types_its_command_in_the_order_of_the_spec() {
    let press = |id: &str| read(interaction(3, json!({ "custom_id": id, "component_type": 2 })));
    assert_eq!(options(&press("v1:confirm:r1:abcd").unwrap()), [("request", "r1"), ("hash", "abcd")]);
    assert_eq!(options(&press("v1:enable:0oa1").unwrap()), [("app", "0oa1")]);
    let too_many = "v1:confirm:a:b:c";
    let overlong = format!("v1:enable:{}", "x".repeat(200));
    for foreign in [too_many, &overlong, "v2:enable:0oa1", "v1:steal:0oa1", "v1:", "enable", ""] {
        let by = Caller { id: MemberId(5), roles: vec![RoleId(2), RoleId(3)] };
        assert_eq!(press(foreign).err(), Some(Foreign::Forged(by)), "{foreign}");
    }
}

#[test]
fn what_was_chosen_follows_the_arguments() {
    let data = json!({ "custom_id": "v1:enable:0oa1", "component_type": 3, "values": ["a", "b"] });
    let call = read(interaction(3, data)).unwrap();
    assert_eq!(options(&call), [("app", "0oa1"), ("reason", "a"), ("reason", "b")]);
}

#[test]
fn a_dialog_is_read_in_rows_and_under_labels() {
    let data = json!({ "custom_id": "v1:enable:0oa1", "components": [
        { "type": 1, "components": [{ "type": 4, "custom_id": "reason", "value": "new hire" }] },
        { "type": 18, "component": { "type": 4, "custom_id": "ticket", "value": "T-1" } },
        { "type": 18, "component": { "type": 3, "custom_id": "people", "values": ["x", "y"] } },
    ]});
    let call = read(interaction(5, data)).unwrap();
    let expected =
        [("app", "0oa1"), ("reason", "new hire"), ("ticket", "T-1"), ("people", "x"), ("people", "y")];
    assert_eq!(options(&call), expected);
}

#[test]
fn a_message_command_quotes_the_whole_message() {
    let message = json!({
        "id": "77", "channel_id": "4", "author": { "id": "6", "username": "ada", "discriminator": "0",
        "avatar": null, "global_name": null }, "content": "look:", "timestamp": "2026-11-24T00:00:00Z",
        "edited_timestamp": null, "tts": false, "mention_everyone": false, "mentions": [],
        "mention_roles": [], "attachments": [], "pinned": false, "type": 0, "components": [],
        "embeds": [{ "title": "User account is inactive", "fields": [
            { "name": "App", "value": "Slack", "inline": false } ] }],
    });
    let call = read(interaction(
        2,
        json!({ "id": "9", "name": "Diagnose with Okta", "type": 3, "target_id": "77",
                "resolved": { "messages": { "77": message } } }),
    ))
    .unwrap();
    assert_eq!(call.verb, "Diagnose with Okta");
    assert_eq!(call.quoted.as_deref(), Some("look:\nUser account is inactive\nApp: Slack"));
}

#[test]
fn what_is_being_typed_is_found() {
    let value = interaction(
        4,
        json!({ "id": "9", "name": "okta", "type": 1, "options": [{ "name": "enable", "type": 1, "options": [
            { "name": "app", "type": 3, "value": "sla", "focused": true } ] }] }),
    );
    let raw = raw(value);
    let knock = knock(&raw, 4, GuildId(1), SPECS).unwrap();
    assert_eq!(knock.typed(), Some(("app".to_owned(), "sla".to_owned())));
}

#[test]
fn who_and_where_must_be_right() {
    let good = interaction(3, json!({ "custom_id": "v1:enable" }));
    #[rustfmt::skip]
    let table = [
        // change                        at          to
        ("another server",               "guild_id", json!("2"),                                             Foreign::Elsewhere),
        ("a direct message",             "guild_id", Value::Null,                                            Foreign::Elsewhere),
        ("no member",                    "member",   Value::Null,                                            Foreign::Nobody),
        ("a bot",                        "member",   json!({ "user": { "id": "5", "bot": true }, "roles": [] }), Foreign::Nobody),
        ("a member without roles",       "member",   json!({ "user": { "id": "5" } }),                       Foreign::Unreadable),
        ("no data",                      "data",     json!(7),                                               Foreign::Unreadable),
        ("a kind of the future",         "type",     json!(6),                                               Foreign::Unreadable),
        ("a button only, typed",         "data",     json!({ "name": "okta", "type": 1, "options": [{ "name": "confirm", "type": 1 }] }), Foreign::Unknown),
    ];
    assert!(read(good.clone()).is_ok());
    for (case, at, to, expected) in table {
        let mut value = good.clone();
        value[at] = to;
        if case == "a button only, typed" {
            value["type"] = json!(2);
        }
        assert_eq!(read(value).err(), Some(expected), "{case}");
    }
}

#[test]
fn a_token_cannot_be_printed() {
    let (address, _) = address(&raw(interaction(3, json!({})))).unwrap();
    assert!(!format!("{address:?}").contains("secret"));
    assert_eq!(address.token.scrub("it was secret"), "it was (token)");
}

#[test]
fn what_decides_the_first_answer_is_known_before_it() {
    #[rustfmt::skip]
    let table = [
        // kind, on a message, can change it, is a submission
        (3, true,  true,  false),
        (5, true,  true,  true),
        (5, false, false, true),
    ];
    for (kind, on, changes, submits) in table {
        let mut value = interaction(kind, json!({ "custom_id": "v1:confirm:r1:abcd", "components": [] }));
        if on {
            value["message"] = json!({ "id": "77" });
        }
        let raw = raw(value);
        let knock = knock(&raw, kind, GuildId(1), SPECS).unwrap();
        assert_eq!((knock.on_a_message, knock.is_a_submission()), (changes, submits), "{kind} {on}");
        assert_eq!(knock.args, ["r1", "abcd"]);
    }
}
