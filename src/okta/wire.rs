//! Entries of the System Log as JSON, and the events that they are to us.
//!
//! Read from Okta's answers and, by `scan`, from exports of the log. A page is read in one pass over the bytes, into
//! borrowed text, and only entries of a kind that we watch become events of our own. Should that one pass stumble, the
//! page is read again entry by entry, so that an entry that cannot be understood costs nobody but itself.

use std::fmt;

use domain::event::{Actor, Event, EventKind, Outcome};
use domain::facts::Unreadable;
use domain::ids::EventId;
use ring::digest;
use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::lenient::{Text, timestamp, wanted};
use super::targets::Targets;

/// What a page or an export of the log holds.
#[derive(Debug, Default, PartialEq)]
pub struct LogEntries {
    /// The events of a kind that we watch, in the log's order.
    pub events: Vec<Event>,
    /// Entries that cannot be understood.
    pub unreadable: Vec<Unreadable>,
    /// How many entries there were in all.
    pub held: usize,
}

/// Why a body is not a page of the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not a list of System Log entries: {0}")]
pub struct NotALog(String);

/// From here on the body is something else than a log.
const MOST_UNREADABLE: usize = 1_000;

/// Reads a JSON array of log entries: a page of `GET /api/v1/logs`, or an export.
///
/// # Errors
///
/// [`NotALog`] if the body is cut, is no JSON array, or holds more than 1,000 entries that cannot be understood.
/// Fewer are reported in [`LogEntries::unreadable`].
pub fn parse_log_page(body: &[u8]) -> Result<LogEntries, NotALog> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if let Ok(AllReadable(entries)) = serde_json::from_slice(body) {
        return Ok(entries);
    }
    // Bytes that are no text can only stand within a string of one entry; they must not cost the others.
    let text = String::from_utf8_lossy(body);
    let OneByOne(entries) = serde_json::from_str(&text).map_err(|error| NotALog(error.to_string()))?;
    Ok(entries)
}

/// Reads one log entry: a line of an export in JSON lines. `None` if it is of a kind that we do not watch.
///
/// # Errors
///
/// [`Unreadable`], with its `uuid` or else a hash of its text.
pub fn parse_log_entry(text: &str) -> Result<Option<Event>, Unreadable> {
    let text = text.trim_start_matches('\u{feff}');
    let entry = serde_json::from_str::<Entry<'_>>(text);
    let why = match entry.map(|entry| entry.event()) {
        Ok(Ok(event)) => return Ok(event),
        Ok(Err(why)) => why.to_owned(),
        Err(error) => {
            if let Some(mended) = without_half_characters(text) {
                return parse_log_entry(&mended);
            }
            error.to_string()
        }
    };
    Err(Unreadable { id: name(text), why })
}

/// The entry's `uuid`, if it is one; else a short hash of its text, so that it counts once however often it is read.
fn name(text: &str) -> String {
    let uuid = serde_json::from_str::<Named<'_>>(text).unwrap_or_default().uuid;
    match uuid.get().map(str::parse::<EventId>) {
        Some(Ok(id)) => id.to_string(),
        Some(Err(_)) | None => {
            let hash = digest::digest(&digest::SHA256, text.as_bytes());
            let hex: String = hash.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
            format!("unreadable-{hex}")
        }
    }
}

/// The text with `\ufffd` for every half of a surrogate pair; `None` if it has none.
///
/// Okta cuts reasons to 255 UTF-16 units, which can cut an emoji in two, and JSON readers refuse such a half.
fn without_half_characters(text: &str) -> Option<String> {
    let unit = |at: usize| {
        let escape = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(escape, 16).ok()
    };
    let mut mended = String::new();
    let (mut at, mut kept) = (0, 0);
    while let Some(found) = text[at..].find('\\') {
        at += found;
        let pair = (unit(at), unit(at + 6));
        match pair {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => at += 12,
            (Some(0xD800..=0xDFFF), _) => {
                mended.push_str(&text[kept..at]);
                mended.push_str("\\ufffd");
                at += 6;
                kept = at;
            }
            // A backslash and what it escapes, which may be another backslash but never more than one character.
            _ => at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    (kept > 0).then(|| mended + &text[kept..])
}

/// A page all of whose entries can be understood.
struct AllReadable(LogEntries);

impl<'de> Deserialize<'de> for AllReadable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Page;
        impl<'de> Visitor<'de> for Page {
            type Value = AllReadable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<AllReadable, A::Error> {
                let mut entries = LogEntries::default();
                while let Some(entry) = list.next_element::<Entry<'de>>()? {
                    entries.held += 1;
                    entries.events.extend(entry.event().map_err(A::Error::custom)?);
                }
                Ok(AllReadable(entries))
            }
        }
        deserializer.deserialize_seq(Page)
    }
}

/// A page some of whose entries may be beyond understanding.
struct OneByOne(LogEntries);

impl<'de> Deserialize<'de> for OneByOne {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Page;
        impl<'de> Visitor<'de> for Page {
            type Value = OneByOne;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneByOne, A::Error> {
                let mut entries = LogEntries::default();
                while let Some(raw) = list.next_element::<&'de RawValue>()? {
                    entries.held += 1;
                    match parse_log_entry(raw.get()) {
                        Ok(event) => entries.events.extend(event),
                        Err(unreadable) => entries.unreadable.push(unreadable),
                    }
                    if entries.unreadable.len() > MOST_UNREADABLE {
                        return Err(A::Error::custom("over 1,000 entries cannot be understood"));
                    }
                }
                Ok(OneByOne(entries))
            }
        }
        deserializer.deserialize_seq(Page)
    }
}

wanted! {
    /// One entry. Source: Okta management API, schema `LogEvent`, 2026.06.3.
    struct Entry<'a> {
        uuid: Text<'a> = "uuid",
        published: Text<'a> = "published",
        event_type: Text<'a> = "eventType",
        legacy_type: Text<'a> = "legacyEventType",
        message: Text<'a> = "displayMessage",
        outcome: WireOutcome<'a> = "outcome",
        transaction: Transaction<'a> = "transaction",
        actor: WireActor<'a> = "actor",
        targets: Targets<'a> = "target",
        debug: DebugContext<'a> = "debugContext",
    }
    struct Named<'a> {
        uuid: Text<'a> = "uuid",
    }
    struct WireOutcome<'a> {
        result: Text<'a> = "result",
        reason: Text<'a> = "reason",
    }
    struct Transaction<'a> {
        id: Text<'a> = "id",
    }
    struct WireActor<'a> {
        id: Text<'a> = "id",
        kind: Text<'a> = "type",
        name: Text<'a> = "displayName",
        login: Text<'a> = "alternateId",
    }
    struct DebugContext<'a> {
        data: DebugData<'a> = "debugData",
    }
    struct DebugData<'a> {
        custom_message: Text<'a> = "customMessage",
    }
}

impl Entry<'_> {
    /// The event it is to us; `None` if we do not watch its kind.
    fn event(&self) -> Result<Option<Event>, &'static str> {
        let event_type = self.event_type.get().ok_or("it has no eventType")?;
        let kind = EventKind::of(event_type);
        if kind == EventKind::Irrelevant {
            return Ok(None);
        }
        let uuid = self.uuid.get().ok_or("it has no uuid")?;
        let id = uuid.parse().map_err(|_| "its uuid is not one")?;
        let published = self.published.get().ok_or("it has no published date")?;
        let published = timestamp(published).ok_or("its published date is not one")?;
        Ok(Some(Event {
            id,
            published,
            kind,
            event_type: event_type.to_owned(),
            legacy_type: self.legacy_type.owned(),
            outcome: Outcome::from(self.outcome.result.get().unwrap_or_default()),
            reason: self.outcome.reason.owned(),
            message: self.message.owned(),
            transaction: self.transaction.id.owned(),
            app: self.targets.app(),
            person: self.targets.person(),
            actor: Actor {
                id: self.actor.id.owned(),
                name: self.actor.name.owned().or_else(|| self.actor.login.owned()),
                kind: self.actor.kind.owned(),
            },
            custom_message: self.debug.data.custom_message.owned(),
            deactivate_users: self.targets.deactivate_users(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const PAGE: &str = include_str!("../../tests/fixtures/okta/log-page.json");
    const EXPORT: &str = include_str!("../../tests/fixtures/okta/export.jsonl");

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
        #![proptest_config(ProptestConfig::with_cases(2_000))]

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
}
