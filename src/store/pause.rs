//! Whether all writes to Okta are stopped.

use domain::audit::Draft;
use domain::ids::MemberId;
use domain::requests::Paused;
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Error};

use super::audit;
use super::rows::{Columns, ms, snowflake};

/// Who stopped them, if they are stopped.
pub(super) async fn paused(conn: &mut AnyConnection) -> Result<Option<Paused>, Error> {
    let row = sqlx::query("SELECT * FROM paused").fetch_optional(conn).await?;
    let paused = |row: AnyRow| {
        Ok(Paused {
            by: MemberId(row.number("member")?.cast_unsigned()),
            since: row.time("since_ms")?,
            reason: row.text("reason")?,
        })
    };
    row.map(paused).transpose()
}

/// Stops them, or lets them go on, with the audit entry.
pub(super) async fn set(
    conn: &mut AnyConnection,
    paused: Option<&Paused>,
    entry: Draft,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("DELETE FROM paused").execute(&mut *conn).await?;
    if let Some(paused) = paused {
        sqlx::query("INSERT INTO paused (only_row, member, since_ms, reason) VALUES (1, $1, $2, $3)")
            .bind(snowflake(paused.by.0))
            .bind(ms(paused.since))
            .bind(paused.reason.as_str())
            .execute(&mut *conn)
            .await?;
    }
    // The cards of open requests tell whether they wait for it.
    sqlx::query("UPDATE request SET revision = revision + 1 WHERE ended = 0 AND confirmed = 1")
        .execute(&mut *conn)
        .await?;
    audit::append(conn, entry, now).await?;
    Ok(())
}
