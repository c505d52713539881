//! What is told in the channel beside the alerts.

use domain::ids::{MessageId, OrgName};
use domain::notice::{Notice, Told};
use domain::store::Untold;
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Error};

use super::json::Stored;
use super::rows::{Columns, ms, snowflake};

/// Adds a notice, unless the same one was added before.
pub(super) async fn add(
    conn: &mut AnyConnection,
    org: &OrgName,
    what: &Told,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO notice (number, org, at_ms, what, same) \
         SELECT COALESCE(MAX(number), 0) + 1, $1, $2, $3, $4 FROM notice WHERE true \
         ON CONFLICT (org, same) DO NOTHING",
    )
    .bind(org.as_str())
    .bind(ms(now))
    .bind(what.json())
    .bind(same(what))
    .execute(conn)
    .await?;
    Ok(())
}

/// What makes two notices of an org the same: not the words, which may differ after a restart.
fn same(what: &Told) -> String {
    match what {
        Told::Drift { change, .. } => format!("drift {}", change.event),
        Told::Blind { since, .. } => format!("blind {}", ms(*since)),
        Told::SeesAgain { since, .. } => format!("sees again {}", ms(*since)),
        Told::Restarted { from, .. } => format!("restarted {}", ms(*from)),
        Told::Unrecorded { request, .. } => format!("unrecorded {request}"),
    }
}

/// Notices that are not told yet, oldest first.
pub(super) async fn untold(conn: &mut AnyConnection) -> Result<Vec<Untold>, Error> {
    let rows =
        sqlx::query("SELECT * FROM notice WHERE message IS NULL ORDER BY number").fetch_all(conn).await?;
    let untold = |row: &AnyRow| {
        let notice = Notice {
            number: row.number("number")?,
            org: row.id("org")?,
            at: row.time("at_ms")?,
            what: Told::from_json(row.get_as("what")?)?,
        };
        Ok(Untold { notice, attempted: row.maybe_time("attempted_ms")? })
    };
    rows.iter().map(untold).collect()
}

/// Notes that an attempt is about to be made; the first one's time is kept, for it bounds where the message can be.
pub(super) async fn note_telling(conn: &mut AnyConnection, number: i64, now: Timestamp) -> Result<(), Error> {
    sqlx::query("UPDATE notice SET attempted_ms = COALESCE(attempted_ms, $1) WHERE number = $2")
        .bind(ms(now))
        .bind(number)
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes that a notice was told.
pub(super) async fn note_told(
    conn: &mut AnyConnection,
    number: i64,
    message: MessageId,
) -> Result<(), Error> {
    sqlx::query("UPDATE notice SET message = $1 WHERE number = $2")
        .bind(snowflake(message.0))
        .bind(number)
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets notices that arose before a time and were told. The newest stays: its number must not be used again, for
/// a message is derived from it.
pub(super) async fn forget(conn: &mut AnyConnection, before: Timestamp) -> Result<u64, Error> {
    let gone = sqlx::query(
        "DELETE FROM notice WHERE at_ms < $1 AND message IS NOT NULL \
         AND number < (SELECT MAX(number) FROM notice)",
    )
    .bind(ms(before))
    .execute(conn)
    .await?;
    Ok(gone.rows_affected())
}
