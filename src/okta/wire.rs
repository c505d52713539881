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
mod tests;
