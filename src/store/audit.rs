//! The audit: a chain of entries.
//!
//! **Invariant:** append-only. No statement in this folder changes or deletes a row of `audit`; a test looks for one.

use domain::audit::{BEGINNING, Draft, Entry};
use domain::ids::MemberId;
use domain::request::RequestNumber;
use domain::requests::{AuditQuery, AuditShown};
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Error};

use super::rows::{Columns, ms, snowflake, whole_ms};

/// The most entries that are read of the chain at once.
const PAGE: i64 = 1000;

/// Appends an entry to the chain. Whoever calls it holds the write lock, so that nobody else appends in between.
pub(super) async fn append(conn: &mut AnyConnection, draft: Draft, now: Timestamp) -> Result<Entry, Error> {
    let last = sqlx::query("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1")
        .fetch_optional(&mut *conn)
        .await?;
    let last = last.map(|row| Ok::<_, Error>((row.number("number")?, row.text("hash")?))).transpose()?;
    let (number, hash) = last.as_ref().map_or((0, BEGINNING), |(number, hash)| (*number, hash.as_str()));
    let entry = Entry::following((number, hash), draft, whole_ms(now)?);
    insert(conn, &entry).await?;
    Ok(entry)
}

async fn insert(conn: &mut AnyConnection, entry: &Entry) -> Result<(), Error> {
    let draft = &entry.draft;
    sqlx::query(
        "INSERT INTO audit (number, at_ms, what, member, person, org, app, request, request_hash, state_before, \
         state_after, reason, okta_request, event, outcome, previous, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind(entry.number)
    .bind(ms(entry.at))
    .bind(draft.what.as_str())
    .bind(draft.member.map(|member| snowflake(member.0)))
    .bind(draft.person.as_ref().map(|person| person.as_str()))
    .bind(draft.org.as_ref().map(|org| org.as_str()))
    .bind(draft.app.as_ref().map(|app| app.as_str()))
    .bind(draft.request.map(|request| request.0))
    .bind(draft.request_hash.as_str())
    .bind(draft.before.as_str())
    .bind(draft.after.as_str())
    .bind(draft.reason.as_str())
    .bind(draft.okta_request.as_str())
    .bind(draft.event.as_str())
    .bind(draft.outcome.as_str())
    .bind(entry.previous.as_str())
    .bind(entry.hash.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// What a query asks for, newest first.
pub(super) async fn matching(conn: &mut AnyConnection, query: &AuditQuery) -> Result<Vec<Entry>, Error> {
    let limit = if query.limit == 0 { i64::MAX } else { i64::from(query.limit) };
    let rows = sqlx::query(
        "SELECT * FROM audit WHERE ($1 IS NULL OR app = $1) AND ($2 IS NULL OR member = $2) \
         AND ($3 IS NULL OR request = $3) ORDER BY number DESC LIMIT $4",
    )
    .bind(query.app.as_ref().map(|app| app.as_str()))
    .bind(query.member.map(|member| snowflake(member.0)))
    .bind(query.request.map(|request| request.0))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(entry).collect()
}

/// The chain from a number on, up to and without the first entry that cannot be read; if that is the first one, it is
/// the failure.
pub(super) async fn chain(conn: &mut AnyConnection, from: i64) -> Result<Vec<Entry>, Error> {
    let rows = sqlx::query("SELECT * FROM audit WHERE number >= $1 ORDER BY number LIMIT $2")
        .bind(from)
        .bind(PAGE)
        .fetch_all(conn)
        .await?;
    let mut entries = Vec::with_capacity(rows.len());
    for row in &rows {
        match entry(row) {
            Ok(entry) => entries.push(entry),
            Err(error) if entries.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    Ok(entries)
}

fn entry(row: &AnyRow) -> Result<Entry, Error> {
    let number = row.number("number")?;
    let read = || {
        let maybe_number = |column| row.get_as::<Option<i64>>(column);
        let draft = Draft {
            what: row.text("what")?,
            member: maybe_number("member")?.map(|id| MemberId(id.cast_unsigned())),
            person: row.maybe_id("person")?,
            org: row.maybe_id("org")?,
            app: row.maybe_id("app")?,
            request: maybe_number("request")?.map(RequestNumber),
            request_hash: row.text("request_hash")?,
            before: row.text("state_before")?,
            after: row.text("state_after")?,
            reason: row.text("reason")?,
            okta_request: row.text("okta_request")?,
            event: row.text("event")?,
            outcome: row.text("outcome")?,
        };
        let (previous, hash) = (row.text("previous")?, row.text("hash")?);
        Ok::<_, Error>(Entry { number, at: row.time("at_ms")?, draft, previous, hash })
    };
    read().map_err(|error| {
        let why = match error {
            Error::Decode(why) => why.to_string(),
            other => other.to_string(),
        };
        Error::Decode(Unreadable { number, why }.into())
    })
}

/// What we wrote can be read: so somebody else wrote it.
#[derive(Debug, thiserror::Error)]
#[error("audit entry {number} was edited: {why}")]
struct Unreadable {
    number: i64,
    why: String,
}

/// How far the audit channel has been told.
pub(super) async fn shown(conn: &mut AnyConnection) -> Result<AuditShown, Error> {
    let row =
        sqlx::query("SELECT number, telling, attempted_ms FROM audit_shown").fetch_optional(conn).await?;
    row.map_or(Ok(AuditShown::default()), |row| {
        Ok(AuditShown {
            shown: row.number("number")?,
            telling: row.number("telling")?,
            attempted: row.maybe_time("attempted_ms")?,
        })
    })
}

/// Notes up to which entry the audit channel is about to be told.
pub(super) async fn note_telling(conn: &mut AnyConnection, number: i64, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO audit_shown (only_row, number, telling, attempted_ms) VALUES (1, 0, $1, $2) \
         ON CONFLICT (only_row) DO UPDATE SET telling = excluded.telling, attempted_ms = excluded.attempted_ms",
    )
    .bind(number)
    .bind(ms(now))
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes up to which entry the audit channel has been told; it does not go back.
pub(super) async fn note_shown(conn: &mut AnyConnection, number: i64) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO audit_shown (only_row, number) VALUES (1, $1) ON CONFLICT (only_row) DO UPDATE \
         SET number = excluded.number WHERE audit_shown.number < excluded.number",
    )
    .bind(number)
    .execute(conn)
    .await?;
    Ok(())
}
