//! Event rows: that an event was taken in, what it turned out to be, and what later ones may ask of it.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::casebook::{Judged, Seen};
use domain::cause::CauseId;
use domain::event::Event;
use domain::ids::{AppId, EventId, OrgName, UserId};
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Error};

use super::batch::{Value, insert, select};
use super::json::Stored;
use super::rows::{Columns, Word, ms, unexpected};

/// A new event and what it turned out to be.
pub(super) struct New<'a> {
    /// The event.
    pub event: &'a Event,
    /// What it is.
    pub judged: Judged,
}

/// An event that nothing has explained, and whether the first look back brought it.
pub(super) struct Open {
    /// The event.
    pub event: Event,
    /// Whether the first look back brought it.
    pub quiet: bool,
}

/// Which of the events were taken in before.
pub(super) async fn known(
    conn: &mut AnyConnection,
    org: &OrgName,
    events: &[Event],
) -> Result<HashSet<String>, Error> {
    let keys: Vec<_> = events.iter().map(|event| Value::Text(event.id.as_str())).collect();
    let fixed = [Value::Text(org.as_str())];
    let text = "SELECT id FROM event WHERE org = $1 AND id IN";
    let known = select(conn, text, "", &fixed, &keys, |row| row.text("id")).await?;
    Ok(known.into_iter().collect())
}

/// What was seen of people since a time, by app.
pub(super) async fn seen(
    conn: &mut AnyConnection,
    org: &OrgName,
    people: &BTreeSet<&UserId>,
    since: Timestamp,
) -> Result<HashMap<(AppId, UserId), Vec<Seen>>, Error> {
    let keys: Vec<_> = people.iter().map(|person| Value::Text(person.as_str())).collect();
    let rows = select(
        conn,
        "SELECT id, published_ms, class, cause, strength, app, person, transaction_id FROM event \
         WHERE org = $1 AND published_ms >= $2 AND person IN",
        "ORDER BY published_ms",
        &[Value::Text(org.as_str()), Value::Number(ms(since))],
        &keys,
        |row| Ok(((row.id("app")?, row.id("person")?), event_seen(row)?)),
    )
    .await?;
    let mut seen: HashMap<_, Vec<_>> = HashMap::new();
    for (of, event) in rows {
        seen.entry(of).or_default().push(event);
    }
    Ok(seen)
}

fn event_seen(row: &AnyRow) -> Result<Seen, Error> {
    let verdict = match row.get_as("class")? {
        "failure" => Judged::Failure(row.get_as::<&str>("cause")?.into()),
        "unexplained" => Judged::Unexplained,
        "success" => Judged::Success(row.word("strength")?),
        "unassigned" => Judged::Unassigned,
        class => return Err(unexpected(class, "the class of an event about a person")),
    };
    Ok(Seen {
        id: row.id("id")?,
        published: row.time("published_ms")?,
        transaction: row.maybe_text("transaction_id")?,
        verdict,
    })
}

/// Adds new events.
pub(super) async fn add(
    conn: &mut AnyConnection,
    org: &OrgName,
    quiet: bool,
    now: Timestamp,
    new: &[New<'_>],
) -> Result<(), Error> {
    insert(
        conn,
        "INSERT INTO event (org, id, published_ms, arrived_ms, quiet, class, cause, strength, app, person, \
         transaction_id, body)",
        12,
        "",
        new,
        |query, new| {
            let Columned { class, cause, strength, keeps_person } = columned(&new.judged);
            let event = if keeps_person { Some(new.event) } else { None };
            query
                .bind(org.as_str())
                .bind(new.event.id.as_str())
                .bind(ms(new.event.published))
                .bind(ms(now))
                .bind(i64::from(quiet))
                .bind(class)
                .bind(cause.map(CauseId::as_str))
                .bind(strength)
                .bind(event.and_then(|event| event.app.as_ref()).map(|app| app.id.as_str()))
                .bind(event.and_then(|event| event.person.as_ref()).map(|person| person.id.as_str()))
                .bind(event.and_then(|event| event.transaction.as_deref()))
                .bind((new.judged == Judged::Unexplained).then(|| new.event.json()))
        },
    )
    .await?;
    Ok(())
}

/// Notes what an event turned out to be after all.
pub(super) async fn rejudge(
    conn: &mut AnyConnection,
    org: &OrgName,
    event: &EventId,
    judged: &Judged,
) -> Result<(), Error> {
    let Columned { class, cause, strength, .. } = columned(judged);
    sqlx::query(
        "UPDATE event SET class = $1, cause = $2, strength = $3, body = NULL WHERE org = $4 AND id = $5",
    )
    .bind(class)
    .bind(cause.map(CauseId::as_str))
    .bind(strength)
    .bind(org.as_str())
    .bind(event.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// An event, if it is unexplained.
pub(super) async fn open(
    conn: &mut AnyConnection,
    org: &OrgName,
    event: &EventId,
) -> Result<Option<Open>, Error> {
    let row =
        sqlx::query("SELECT body, quiet FROM event WHERE org = $1 AND id = $2 AND class = 'unexplained'")
            .bind(org.as_str())
            .bind(event.as_str())
            .fetch_optional(conn)
            .await?;
    row.map(|row| Ok(Open { event: Event::from_json(row.get_as("body")?)?, quiet: row.flag("quiet")? }))
        .transpose()
}

/// Unexplained events that arrived before a time, oldest first, at most 500 after the first `skip`.
pub(super) async fn unexplained(
    conn: &mut AnyConnection,
    org: &OrgName,
    before: Timestamp,
    skip: u32,
) -> Result<Vec<Event>, Error> {
    let rows = sqlx::query(
        "SELECT body FROM event WHERE org = $1 AND class = 'unexplained' AND arrived_ms < $2 \
         ORDER BY arrived_ms, published_ms, id LIMIT 500 OFFSET $3",
    )
    .bind(org.as_str())
    .bind(ms(before))
    .bind(i64::from(skip))
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Event::from_json(row.get_as("body")?)).collect()
}

/// The cause of a person's newest failure in an app since a time by Okta's clock.
pub(super) async fn newest_cause(
    conn: &mut AnyConnection,
    org: &OrgName,
    app: &AppId,
    person: &UserId,
    since: Timestamp,
) -> Result<Option<CauseId>, Error> {
    let row = sqlx::query(
        "SELECT cause FROM event WHERE org = $1 AND person = $2 AND published_ms >= $3 AND app = $4 \
         AND class = 'failure' ORDER BY published_ms DESC LIMIT 1",
    )
    .bind(org.as_str())
    .bind(person.as_str())
    .bind(ms(since))
    .bind(app.as_str())
    .fetch_optional(conn)
    .await?;
    row.map(|row| Ok(row.get_as::<&str>("cause")?.into())).transpose()
}

/// Whose newest word from an app since a time is that Okta tries again by itself.
pub(super) async fn healing(
    conn: &mut AnyConnection,
    org: &OrgName,
    app: &AppId,
    since: Timestamp,
) -> Result<Vec<UserId>, Error> {
    let rows = sqlx::query(
        "SELECT DISTINCT person FROM event AS healing WHERE org = $1 AND class = 'failure' AND cause = $4 \
         AND published_ms >= $3 AND app = $2 AND person IS NOT NULL AND NOT EXISTS (SELECT 1 FROM event AS later \
         WHERE later.org = healing.org AND later.person = healing.person AND later.app = healing.app \
         AND later.published_ms > healing.published_ms AND (later.class IN ('success', 'unassigned') \
         OR (later.class = 'failure' AND later.cause <> $4))) ORDER BY person",
    )
    .bind(org.as_str())
    .bind(app.as_str())
    .bind(ms(since))
    .bind(CauseId::self_healing().as_str())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| row.id("person")).collect()
}

/// Failures by cause since a time by Okta's clock, most frequent first.
pub(super) async fn causes(
    conn: &mut AnyConnection,
    org: &OrgName,
    since: Timestamp,
) -> Result<Vec<(CauseId, u64)>, Error> {
    let rows = sqlx::query(
        "SELECT cause, COUNT(*) AS times FROM event WHERE org = $1 AND class = 'failure' AND published_ms >= $2 \
         GROUP BY cause ORDER BY times DESC, cause",
    )
    .bind(org.as_str())
    .bind(ms(since))
    .fetch_all(conn)
    .await?;
    let cause = |row: &AnyRow| Ok((row.get_as::<&str>("cause")?.into(), u64::from(row.count("times")?)));
    rows.iter().map(cause).collect()
}

/// Forgets events older than a time by Okta's clock, but none that is still unexplained.
pub(super) async fn forget(conn: &mut AnyConnection, before: Timestamp) -> Result<u64, Error> {
    let gone = sqlx::query("DELETE FROM event WHERE published_ms < $1 AND class <> 'unexplained'")
        .bind(ms(before))
        .execute(conn)
        .await?;
    Ok(gone.rows_affected())
}

/// The word for an event in the metrics.
pub(super) fn class(judged: &Judged) -> String {
    let Columned { class, cause, .. } = columned(judged);
    cause.map_or_else(|| class.to_owned(), |cause| format!("{class}:{cause}"))
}

struct Columned<'a> {
    class: &'static str,
    cause: Option<&'a CauseId>,
    strength: Option<&'static str>,
    /// Whether a later event of the same person and app may ask for it.
    keeps_person: bool,
}

fn columned(judged: &Judged) -> Columned<'_> {
    let plain = |class, keeps_person| Columned { class, cause: None, strength: None, keeps_person };
    match judged {
        Judged::Failure(cause) => Columned { cause: Some(cause), ..plain("failure", true) },
        Judged::Unexplained => plain("unexplained", true),
        Judged::Success(strength) => Columned { strength: Some(strength.word()), ..plain("success", true) },
        Judged::Unassigned => plain("unassigned", true),
        Judged::Setting(_) => plain("setting", false),
        Judged::Nothing => plain("nothing", false),
        Judged::Unhandled(_) => plain("unhandled", false),
    }
}
