//! What approvers said of break-glass requests, and what is said once about a request in the channel.

use domain::audit::Draft as AuditDraft;
use domain::ids::{MemberId, MessageId};
use domain::request::{Request, RequestNumber};
use domain::requests::{Remark, RemarkShowing};
use domain::review::{Review, ReviewRefusal, Verdict, is_due, may_review};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Error};

use super::audit;
use super::requests::{about, by_number, one as request};
use super::rows::{Columns, Word, ms, snowflake, whole_ms};

/// The review of a request.
pub(super) async fn one(conn: &mut AnyConnection, number: RequestNumber) -> Result<Option<Review>, Error> {
    let row =
        sqlx::query("SELECT * FROM review WHERE request = $1").bind(number.0).fetch_optional(conn).await?;
    row.as_ref().map(review).transpose()
}

/// Stores a review with its audit entry, and puts the request's card out of date.
pub(super) async fn give(
    conn: &mut AnyConnection,
    review: Review,
    entry: AuditDraft,
    refused: AuditDraft,
) -> Result<Option<Result<(), ReviewRefusal>>, Error> {
    let now = whole_ms(review.at)?;
    let Some(of) = request(conn, review.request).await? else {
        return Ok(None);
    };
    let done = one(conn, review.request).await?;
    if let Err(refusal) = may_review(&of, done.as_ref(), review.by, review.person.as_ref()) {
        audit::append(conn, about(&of, refused, "refused"), now).await?;
        return Ok(Some(Err(refusal)));
    }
    sqlx::query("INSERT INTO review (request, member, person, verdict, reason, at_ms) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(review.request.0)
        .bind(snowflake(review.by.0))
        .bind(review.person.as_ref().map(|person| person.as_str()))
        .bind(Word::word(review.verdict))
        .bind(review.reason.as_str())
        .bind(ms(now))
        .execute(&mut *conn)
        .await?;
    sqlx::query("UPDATE request SET revision = revision + 1 WHERE number = $1")
        .bind(review.request.0)
        .execute(&mut *conn)
        .await?;
    audit::append(conn, about(&of, entry, Word::word(review.verdict)), now).await?;
    Ok(Some(Ok(())))
}

/// Requests that need a review and have none, newest first.
pub(super) async fn unreviewed(conn: &mut AnyConnection) -> Result<Vec<Request>, Error> {
    let rows = sqlx::query(
        "SELECT number FROM request LEFT JOIN review ON review.request = request.number \
         WHERE request.breakglass = 1 AND request.confirmed = 1 AND review.request IS NULL",
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut open = by_number(conn, &numbers(&rows)?).await?;
    open.retain(is_due);
    open.reverse();
    Ok(open)
}

/// How a remark stands.
pub(super) async fn remark(
    conn: &mut AnyConnection,
    number: RequestNumber,
    remark: Remark,
) -> Result<Option<RemarkShowing>, Error> {
    let row = sqlx::query("SELECT * FROM remark WHERE request = $1 AND what = $2")
        .bind(number.0)
        .bind(remark.word())
        .fetch_optional(conn)
        .await?;
    let showing = |row: AnyRow| {
        let message = row.get_as::<Option<i64>>("message")?;
        Ok(RemarkShowing {
            request: number,
            remark,
            attempted: row.time("attempted_ms")?,
            message: message.map(|id| MessageId(id.cast_unsigned())),
        })
    };
    row.map(showing).transpose()
}

/// Notes how a remark stands.
pub(super) async fn note_remark(conn: &mut AnyConnection, showing: &RemarkShowing) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO remark (request, what, attempted_ms, message) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (request, what) DO UPDATE SET attempted_ms = excluded.attempted_ms, message = excluded.message",
    )
    .bind(showing.request.0)
    .bind(showing.remark.word())
    .bind(ms(showing.attempted))
    .bind(showing.message.map(|message| snowflake(message.0)))
    .execute(conn)
    .await?;
    Ok(())
}

/// Requests that wait for approvals and of which nobody was reminded, oldest first.
pub(super) async fn unreminded(conn: &mut AnyConnection) -> Result<Vec<Request>, Error> {
    let rows = sqlx::query(
        "SELECT number FROM request LEFT JOIN remark ON remark.request = request.number AND remark.what = 'reminder' \
         WHERE request.ended = 0 AND request.stage = 'pending' AND remark.message IS NULL",
    )
    .fetch_all(&mut *conn)
    .await?;
    by_number(conn, &numbers(&rows)?).await
}

fn numbers(rows: &[AnyRow]) -> Result<Vec<RequestNumber>, Error> {
    rows.iter().map(|row| Ok(RequestNumber(row.number("number")?))).collect()
}

fn review(row: &AnyRow) -> Result<Review, Error> {
    Ok(Review {
        request: RequestNumber(row.number("request")?),
        by: MemberId(row.number("member")?.cast_unsigned()),
        person: row.maybe_id("person")?,
        verdict: row.word::<Verdict>("verdict")?,
        reason: row.text("reason")?,
        at: row.time("at_ms")?,
    })
}
