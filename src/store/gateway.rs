//! The Discord gateway session, so that a restart resumes it, and how often sessions were started anew, which Discord
//! limits to 1,000 a day.

use jiff::{SignedDuration, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Error};

use super::rows::{Columns, ms};

/// A gateway session that can be resumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewaySession {
    /// Its id.
    pub session: String,
    /// Where it is resumed.
    pub resume_url: String,
    /// The last event that was received.
    pub sequence: u64,
    /// When that was noted, by our clock.
    pub saved: Timestamp,
}

/// How long a start is remembered: twice the time that Discord counts.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(48);

pub(super) async fn session(conn: &mut AnyConnection) -> Result<Option<GatewaySession>, Error> {
    let row = sqlx::query("SELECT * FROM gateway_session").fetch_optional(conn).await?;
    let session = |row: AnyRow| {
        Ok(GatewaySession {
            session: row.text("session")?,
            resume_url: row.text("resume_url")?,
            sequence: row.number("sequence")?.cast_unsigned(),
            saved: row.time("saved_ms")?,
        })
    };
    row.map(session).transpose()
}

pub(super) async fn save(conn: &mut AnyConnection, session: &GatewaySession) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO gateway_session (only_row, session, resume_url, sequence, saved_ms) \
         VALUES (1, $1, $2, $3, $4) ON CONFLICT (only_row) DO UPDATE SET session = excluded.session, \
         resume_url = excluded.resume_url, sequence = excluded.sequence, saved_ms = excluded.saved_ms",
    )
    .bind(session.session.as_str())
    .bind(session.resume_url.as_str())
    .bind(session.sequence.cast_signed())
    .bind(ms(session.saved))
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn forget(conn: &mut AnyConnection) -> Result<(), Error> {
    sqlx::query("DELETE FROM gateway_session").execute(conn).await?;
    Ok(())
}

pub(super) async fn note_identify(conn: &mut AnyConnection, at: Timestamp) -> Result<(), Error> {
    sqlx::query("DELETE FROM identify WHERE at_ms < $1")
        .bind(ms(at.saturating_sub(REMEMBERED).expect("hours fit")))
        .execute(&mut *conn)
        .await?;
    sqlx::query("INSERT INTO identify (at_ms) VALUES ($1)").bind(ms(at)).execute(conn).await?;
    Ok(())
}

pub(super) async fn identifies_since(conn: &mut AnyConnection, at: Timestamp) -> Result<u32, Error> {
    let row = sqlx::query("SELECT COUNT(*) AS starts FROM identify WHERE at_ms >= $1")
        .bind(ms(at))
        .fetch_one(conn)
        .await?;
    row.count("starts")
}
