//! What is read from pages and exports of the log, whatever shape they are in.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const PAGE: &str = include_str!("../../../tests/fixtures/okta/log-page.json");
const EXPORT: &str = include_str!("../../../tests/fixtures/okta/export.jsonl");

fn page() -> LogEntries {
    parse_log_page(PAGE.as_bytes()).unwrap()
}

fn samples() -> Vec<Value> {
    serde_json::from_str(PAGE).unwrap()
}

/// The one event that `entry` becomes.
fn only(entry: &Value) -> Event {
    let page = parse_log_page(json!([entry]).to_string().as_bytes()).unwrap();
    assert_eq!(page.unreadable, []);
    page.events.into_iter().next().unwrap()
}

#[test]
fn a_page_becomes_the_events_we_watch_in_its_order() {
    let page = page();

    let kinds: Vec<_> = page.events.iter().map(|event| event.kind).collect();
    use EventKind::{OtherProvisioning, Push, PushProfile, SettingsChanged, Sync, Unassigned};
    assert_eq!(kinds, [PushProfile, Sync, Push, SettingsChanged, Unassigned, OtherProvisioning]);
    assert_eq!((page.held, page.unreadable.len()), (7, 0));
}

#[test]
fn a_failed_push_names_its_app_its_person_and_its_reason() {
    let failure = &page().events[0];

    assert_eq!(failure.id.as_str(), "00000001-ffdd-11ee-93ef-a539342b0d02");
    assert_eq!(failure.published, "2026-11-20T09:01:34.228Z".parse().unwrap());
    assert_eq!(failure.legacy_type.as_deref(), Some("app.user_management.provision_user.user_inactive"));
    assert_eq!(failure.outcome, Outcome::Failure);
    assert!(failure.reason.as_deref().unwrap().ends_with("User account is inactive"));
    assert_eq!(failure.transaction.as_deref(), Some("pujJOB00001"));
    let app = failure.app.as_ref().unwrap();
    assert_eq!((app.id.as_str(), app.label.as_str()), ("0oaAIRBASE00000001", "Airbase (EU)"));
    let person = failure.person.as_ref().unwrap();
    assert_eq!(
        (person.id.as_str(), person.login.as_deref()),
        ("00uDANA00000000001", Some("dana@acme.example"))
    );
    assert_eq!(failure.actor.kind.as_deref(), Some("SystemPrincipal"));
}

#[test]
fn the_person_is_the_account_in_the_app_where_no_user_is_named_and_never_the_actor() {
    let sync = &page().events[1];
    assert_eq!(sync.person.as_ref().unwrap().id.as_str(), "0uaDANA00000000001");
    assert_eq!((&sync.app, &sync.reason), (&None, &None));

    let change = &page().events[3];
    assert_eq!((change.person.as_ref(), change.actor.name.as_deref()), (None, Some("Ada Admin")));
}

#[test]
fn a_change_of_the_setting_says_what_it_is_now() {
    let change = &page().events[3];

    assert_eq!(change.custom_message.as_deref(), Some("Deprovisioning unassigned users"));
    assert_eq!(change.deactivate_users, Some(true));
}

#[test]
fn the_setting_is_found_however_it_is_spelled_and_wherever_it_stands() {
    #[rustfmt::skip]
    let table = [
        (json!({"to": {"deactivate_users": false}}),                          Some(false)),
        (json!({"to": {"deactivateUsers": "ENABLED"}}),                       Some(true)),
        (json!({"to": {"DEACTIVATE_USERS": 1}}),                              Some(true)),
        (json!({"to": {"provisioning": [{"deactivate_users": "false"}]}}),    Some(false)),
        (json!({"TO": {"deactivate_users": true}}),                           Some(true)),
        (json!({"from": {"deactivate_users": true}}),                         None),
        (json!({"to": {"deactivate_users": "perhaps"}}),                      None),
        (json!({"to": null}),                                                 None),
        (json!("on"),                                                         None),
    ];
    for (details, expected) in table {
        let mut entry = samples()[3].clone();
        entry["target"][0]["changeDetails"] = details.clone();
        assert_eq!(only(&entry).deactivate_users, expected, "{details}");
    }
}

#[test]
fn an_export_with_lower_case_keys_and_numbers_for_texts_is_read() {
    let events: Vec<_> = EXPORT.lines().filter_map(|line| parse_log_entry(line).unwrap()).collect();

    assert_eq!(events.len(), 2, "the login is not ours");
    let odd = &events[0];
    assert_eq!(odd.published, "2026-11-20T09:08:34.2Z".parse().unwrap());
    assert_eq!((&odd.outcome, &odd.reason), (&Outcome::Failure, &None), "a blank reason is none");
    assert_eq!(odd.transaction.as_deref(), Some("4711"));
    assert_eq!(odd.app.as_ref().unwrap().label, "Airbase (EU)");
}

#[test]
fn a_nul_that_not_every_database_stores_is_replaced() {
    let mut entry = samples().remove(0);
    entry["outcome"]["reason"] = json!("a\0b");
    assert_eq!(only(&entry).reason.as_deref(), Some("a\u{fffd}b"));
}

#[test]
fn dates_are_read_with_any_number_of_decimals_and_without_an_offset() {
    #[rustfmt::skip]
    let table = [
        ("2026-11-20T09:08:34Z",              "2026-11-20T09:08:34Z"),
        ("2026-11-20T09:08:34.5Z",            "2026-11-20T09:08:34.5Z"),
        ("2026-11-20T09:08:34.123456789Z",    "2026-11-20T09:08:34.123456789Z"),
        ("2026-11-20T09:08:34.1234567891Z",   "2026-11-20T09:08:34.123456789Z"),
        ("2026-11-20 09:08:34.819",           "2026-11-20T09:08:34.819Z"),
        ("2026-11-20T10:08:34+01:00",         "2026-11-20T09:08:34Z"),
        ("2026-11-20T10:08:34.250+0100",      "2026-11-20T09:08:34.25Z"),
    ];
    for (text, expected) in table {
        assert_eq!(crate::okta::lenient::timestamp(text), Some(expected.parse().unwrap()), "{text}");
    }
    for text in ["", "yesterday", "2026-13-40T00:00:00Z", "1700000000"] {
        assert_eq!(crate::okta::lenient::timestamp(text), None, "{text}");
    }
}

#[test]
fn one_entry_beyond_understanding_costs_nobody_but_itself() {
    let mut entries = samples();
    entries[2]["published"] = json!("soon");
    entries.insert(1, json!("not an entry"));
    entries.insert(2, json!({ "uuid": "abc-1", "published": "2026-11-20T09:08:34Z" }));
    let body = serde_json::to_vec(&entries).unwrap();

    let page = parse_log_page(&body).unwrap();

    assert_eq!((page.held, page.events.len()), (9, 5));
    let [text, no_type, no_date] = page.unreadable.as_slice() else { panic!("{:?}", page.unreadable) };
    assert!(text.id.starts_with("unreadable-") && text.id.len() == 27, "{}", text.id);
    assert_eq!((no_type.id.as_str(), no_type.why.as_str()), ("abc-1", "it has no eventType"));
    assert_eq!(no_date.why, "its published date is not one");
    assert_eq!(parse_log_page(&body).unwrap(), page, "the same entry has the same name tomorrow");
}

#[test]
fn a_reason_that_was_cut_within_an_emoji_is_kept() {
    let page = PAGE.replace("User account is inactive", r"User account is inactive \\\ud83d");
    let pair = PAGE.replace("User account is inactive", r"User account is inactive \ud83d\ude00");

    let reason = |page: &str| parse_log_page(page.as_bytes()).unwrap().events[0].reason.clone().unwrap();
    assert!(reason(&page).ends_with("inactive \\\u{fffd}"), "{}", reason(&page));
    assert!(reason(&pair).ends_with("inactive 😀"));
}

#[test]
fn bytes_that_are_no_text_cost_no_event() {
    let mut body = PAGE.as_bytes().to_vec();
    let at = PAGE.find("Dana Doe to app").unwrap();
    body[at] = 0xff;

    assert_eq!(parse_log_page(&body).unwrap().events.len(), 6);
}

#[test]
fn what_is_no_list_of_entries_is_refused() {
    let cut = &PAGE[..PAGE.len() / 2];
    let bomb = format!("[{}1]", "1,".repeat(2_000));
    for body in ["", " ", "{}", "null", "<!DOCTYPE html>", "[", "[{}", "[{},]", cut, &bomb] {
        assert!(parse_log_page(body.as_bytes()).is_err(), "{}", &body[..body.len().min(40)]);
    }
    assert_eq!(parse_log_page("\u{feff}[]".as_bytes()).unwrap(), LogEntries::default());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-zA-Z_]{0,8}", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Replaces, removes or adds something at the place that `at` leads to; never one of the three required fields.
fn mutate(value: &mut Value, at: &[prop::sample::Index], with: Value, depth: usize) {
    let required = |key: &str| depth == 0 && ["uuid", "published", "eventType"].contains(&key);
    let Some((step, rest)) = at.split_first() else {
        *value = with;
        return;
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let key = fields.keys().nth(step.index(fields.len())).unwrap().clone();
            if required(&key) {
                fields.insert("somethingNew".to_owned(), with);
            } else if rest.is_empty() && with.is_null() {
                fields.remove(&key);
            } else {
                mutate(&mut fields[&key], rest, with, depth + 1);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let index = step.index(items.len());
            mutate(&mut items[index], rest, with, depth + 1);
        }
        _ => *value = with,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_change_beside_the_required_fields_drops_an_event(
        mutations in prop::collection::vec(
            (any::<prop::sample::Index>(), prop::collection::vec(any::<prop::sample::Index>(), 1..5), any_json()),
            0..6,
        ),
    ) {
        let mut entries = samples();
        for (which, at, with) in mutations {
            let index = which.index(entries.len());
            mutate(&mut entries[index], &at, with, 0);
        }
        let page = parse_log_page(&serde_json::to_vec(&entries).unwrap()).unwrap();
        prop_assert_eq!(page.events.len(), 6);
        prop_assert_eq!(page.unreadable.len(), 0);
    }

    #[test]
    fn no_bytes_make_it_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8)) {
        let mut body = PAGE.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        // Every entry that is counted became an event, is reported, or is none of ours.
        if let Ok(page) = parse_log_page(&body) {
            prop_assert!(page.events.len() + page.unreadable.len() <= page.held);
        }
        let _ = parse_log_entry(&String::from_utf8_lossy(&body));
    }

    #[test]
    fn mending_half_characters_never_panics(text in r#"(\\|u|d8|dc|[0-9a-f]|"|é){0,60}"#) {
        let mended = without_half_characters(&text).unwrap_or(text);
        prop_assert!(without_half_characters(&mended).is_none());
    }
}
