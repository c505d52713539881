//! How requests stand in the channel.

use std::collections::HashMap;

use domain::ids::{ChannelId, MessageId};
use domain::request::{Request, RequestNumber};
use domain::requests::RequestShowing;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Error};

use super::batch::{Value, select};
use super::requests;
use super::rows::{Columns, ms, snowflake};

/// Requests whose card does not show them as they are, with their card, oldest first.
pub(super) async fn unshown(
    conn: &mut AnyConnection,
) -> Result<Vec<(Request, Option<RequestShowing>)>, Error> {
    let rows = sqlx::query(
        "SELECT request.number FROM request LEFT JOIN request_showing AS card ON card.request = request.number \
         WHERE confirmed = 1 AND (card.request IS NULL \
         OR card.revision < request.revision OR (card.let_go = 0 AND card.message IS NULL))",
    )
    .fetch_all(&mut *conn)
    .await?;
    let numbers = rows.iter().map(|row| Ok(RequestNumber(row.number("number")?)));
    let numbers = numbers.collect::<Result<Vec<_>, Error>>()?;
    let mut cards = all_of(conn, &numbers).await?;
    let requests = requests::by_number(conn, &numbers).await?;
    Ok(requests
        .into_iter()
        .map(|request| {
            let card = cards.remove(&request.number);
            (request, card)
        })
        .collect())
}

/// How one request's card stands.
pub(super) async fn one(
    conn: &mut AnyConnection,
    number: RequestNumber,
) -> Result<Option<RequestShowing>, Error> {
    Ok(all_of(conn, &[number]).await?.remove(&number))
}

/// Notes how a request's card stands.
pub(super) async fn note(conn: &mut AnyConnection, showing: &RequestShowing) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO request_showing (request, channel, attempted_ms, message, shown_ms, revision, let_go) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (request) DO UPDATE SET channel = excluded.channel, \
         attempted_ms = excluded.attempted_ms, message = excluded.message, shown_ms = excluded.shown_ms, \
         revision = excluded.revision, let_go = excluded.let_go",
    )
    .bind(showing.request.0)
    .bind(snowflake(showing.channel.0))
    .bind(ms(showing.attempted))
    .bind(showing.message.map(|message| snowflake(message.0)))
    .bind(showing.shown_at.map(ms))
    .bind(showing.revision)
    .bind(i64::from(showing.let_go))
    .execute(conn)
    .await?;
    Ok(())
}

async fn all_of(
    conn: &mut AnyConnection,
    numbers: &[RequestNumber],
) -> Result<HashMap<RequestNumber, RequestShowing>, Error> {
    let keys: Vec<_> = numbers.iter().map(|number| Value::Number(number.0)).collect();
    let text = "SELECT * FROM request_showing WHERE request IN";
    let showings = select(conn, text, "", &[], &keys, showing).await?;
    Ok(showings.into_iter().map(|showing| (showing.request, showing)).collect())
}

fn showing(row: &AnyRow) -> Result<RequestShowing, Error> {
    let message = row.get_as::<Option<i64>>("message")?;
    Ok(RequestShowing {
        request: RequestNumber(row.number("request")?),
        channel: ChannelId(row.number("channel")?.cast_unsigned()),
        attempted: row.time("attempted_ms")?,
        message: message.map(|id| MessageId(id.cast_unsigned())),
        shown_at: row.maybe_time("shown_ms")?,
        revision: row.number("revision")?,
        let_go: row.flag("let_go")?,
    })
}
