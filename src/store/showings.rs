//! How incidents stand in the channel.

use std::collections::HashMap;

use domain::ids::{ChannelId, IncidentNumber, MessageId};
use domain::store::{Kept, Showing, Unshown};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Error};

use super::batch::{Value, select};
use super::incidents;
use super::rows::{Columns, Word, ms, snowflake};

/// Incidents that the channel does not show as they are.
pub(super) async fn unshown(conn: &mut AnyConnection) -> Result<Vec<Unshown>, Error> {
    let rows = sqlx::query(
        "SELECT number FROM incident LEFT JOIN showing ON incident = number AND showing.chapter = incident.chapter \
         WHERE (state IS NULL AND (quiet = 0 OR over_ms IS NULL)) \
         OR (state = 'live' AND (message IS NULL OR showing.revision < incident.revision OR told < lines)) \
         OR number IN (SELECT incident FROM showing WHERE state = 'replaced') \
         ORDER BY number",
    )
    .fetch_all(&mut *conn)
    .await?;
    let numbers = rows.iter().map(|row| Ok(IncidentNumber(row.number("number")?)));
    let numbers = numbers.collect::<Result<Vec<_>, Error>>()?;
    let mut showings = all_of(conn, &numbers).await?;
    let known = incidents::by_number(conn, &numbers).await?;
    let unshown = known.into_iter().map(|known| Unshown {
        showings: showings.remove(&known.incident.number).unwrap_or_default(),
        incident: known.incident,
        lines: known.lines,
    });
    Ok(unshown.collect())
}

/// The newest message of an incident.
pub(super) async fn newest(
    conn: &mut AnyConnection,
    number: IncidentNumber,
) -> Result<Option<Showing>, Error> {
    let row = sqlx::query(
        "SELECT * FROM showing WHERE incident = $1 AND message IS NOT NULL ORDER BY chapter DESC LIMIT 1",
    )
    .bind(number.0)
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(showing).transpose()
}

/// Notes how a chapter stands in the channel. Older chapters are replaced by it; and one that a newer chapter has
/// replaced does not come back to life, whoever was faster.
pub(super) async fn note(conn: &mut AnyConnection, showing: &Showing) -> Result<(), Error> {
    sqlx::query(
        "UPDATE showing SET state = 'replaced' WHERE incident = $1 AND chapter < $2 AND state = 'live'",
    )
    .bind(showing.incident.0)
    .bind(i64::from(showing.chapter))
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "INSERT INTO showing (incident, chapter, channel, attempted_ms, message, shown_ms, revision, thread, told, \
         telling, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
         CASE WHEN $11 = 'live' AND EXISTS (SELECT 1 FROM showing WHERE incident = $1 AND chapter > $2) \
         THEN 'replaced' ELSE $11 END) \
         ON CONFLICT (incident, chapter) DO UPDATE SET channel = excluded.channel, \
         attempted_ms = excluded.attempted_ms, message = excluded.message, shown_ms = excluded.shown_ms, \
         revision = excluded.revision, thread = excluded.thread, told = excluded.told, \
         telling = excluded.telling, state = excluded.state",
    )
    .bind(showing.incident.0)
    .bind(i64::from(showing.chapter))
    .bind(snowflake(showing.channel.0))
    .bind(ms(showing.attempted))
    .bind(showing.message.map(|message| snowflake(message.0)))
    .bind(showing.shown_at.map(ms))
    .bind(showing.revision)
    .bind(showing.thread.map(|thread| snowflake(thread.0)))
    .bind(showing.told)
    .bind(showing.telling)
    .bind(showing.state.word())
    .execute(conn)
    .await?;
    Ok(())
}

async fn all_of(
    conn: &mut AnyConnection,
    numbers: &[IncidentNumber],
) -> Result<HashMap<IncidentNumber, Vec<Showing>>, Error> {
    let keys: Vec<_> = numbers.iter().map(|number| Value::Number(number.0)).collect();
    let rows =
        select(conn, "SELECT * FROM showing WHERE incident IN", "ORDER BY chapter", &[], &keys, showing)
            .await?;
    let mut showings: HashMap<_, Vec<_>> = HashMap::new();
    for showing in rows {
        showings.entry(showing.incident).or_default().push(showing);
    }
    Ok(showings)
}

fn showing(row: &AnyRow) -> Result<Showing, Error> {
    let maybe_id = |column| Ok::<_, Error>(row.get_as::<Option<i64>>(column)?.map(i64::cast_unsigned));
    Ok(Showing {
        incident: IncidentNumber(row.number("incident")?),
        chapter: row.count("chapter")?,
        channel: ChannelId(row.number("channel")?.cast_unsigned()),
        attempted: row.time("attempted_ms")?,
        message: maybe_id("message")?.map(MessageId),
        shown_at: row.maybe_time("shown_ms")?,
        revision: row.number("revision")?,
        thread: maybe_id("thread")?.map(ChannelId),
        told: row.number("told")?,
        telling: row.number("telling")?,
        state: row.word::<Kept>("state")?,
    })
}
