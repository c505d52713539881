//! Requests, their approvals and their outcomes.
//!
//! **Invariant:** what happens to a request is for [`Request::after`] to say; what it says is stored together with
//! its audit entry, or not at all.

use std::collections::HashMap;

use domain::audit::Draft as AuditDraft;
use domain::ids::IncidentNumber;
use domain::request::{Approval, Frozen, Method, Refusal, Request, RequestEvent, RequestNumber, Stage};
use domain::requests::RequestQuery;
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Error};

use super::batch::{Value, insert, select};
use super::json::Stored;
use super::request_rows::{OutcomeColumns, StageColumns, approval, outcome, request};
use super::rows::{Columns, Word, ms, snowflake, whole_ms};
use super::{audit, pause};

/// Makes a draft and gives it the next number.
pub(super) async fn open(
    conn: &mut AnyConnection,
    frozen: Frozen,
    reason: String,
    incident: Option<IncidentNumber>,
    now: Timestamp,
) -> Result<Request, Error> {
    let row = sqlx::query("SELECT MAX(number) AS newest FROM request").fetch_one(&mut *conn).await?;
    let number = RequestNumber(row.get_as::<Option<i64>>("newest")?.unwrap_or(0) + 1);
    let draft = Request::draft(number, frozen, reason, incident, whole_ms(now)?);
    add(conn, &draft).await?;
    save_people(conn, &draft, None).await?;
    Ok(draft)
}

/// One request.
pub(super) async fn one(conn: &mut AnyConnection, number: RequestNumber) -> Result<Option<Request>, Error> {
    Ok(by_number(conn, &[number]).await?.pop())
}

/// Requests by their numbers, in ascending order.
pub(super) async fn by_number(
    conn: &mut AnyConnection,
    numbers: &[RequestNumber],
) -> Result<Vec<Request>, Error> {
    let keys: Vec<_> = numbers.iter().map(|number| Value::Number(number.0)).collect();
    let found = select(conn, "SELECT * FROM request WHERE number IN", "", &[], &keys, request).await?;
    let mut requests = whole(conn, found).await?;
    requests.sort_by_key(|request| request.number);
    Ok(requests)
}

/// What a query asks for, newest first.
pub(super) async fn matching(conn: &mut AnyConnection, query: &RequestQuery) -> Result<Vec<Request>, Error> {
    // The open ones are few among many: they have an index, which needs their condition in the text.
    let text = if query.open {
        "SELECT * FROM request WHERE ($1 IS NULL OR org = $1) AND ($2 IS NULL OR app = $2) AND ended = 0 \
         AND confirmed >= $4 ORDER BY number DESC LIMIT $3"
    } else {
        "SELECT * FROM request WHERE ($1 IS NULL OR org = $1) AND ($2 IS NULL OR app = $2) \
         AND confirmed >= $4 ORDER BY number DESC LIMIT $3"
    };
    let limit = if query.limit == 0 { i64::MAX } else { i64::from(query.limit) };
    let rows = sqlx::query(text)
        .bind(query.org.as_ref().map(|org| org.as_str()))
        .bind(query.app.as_ref().map(|app| app.as_str()))
        .bind(limit)
        .bind(i64::from(query.confirmed))
        .fetch_all(&mut *conn)
        .await?;
    whole(conn, rows.iter().map(request).collect::<Result<_, _>>()?).await
}

/// Those that became unclear at or after a time and still are, newest first.
pub(super) async fn unclear(conn: &mut AnyConnection, since: Timestamp) -> Result<Vec<Request>, Error> {
    let text = "SELECT * FROM request WHERE stage = 'unclear' AND stage_ms >= $1 ORDER BY number DESC";
    let rows = sqlx::query(text).bind(ms(since)).fetch_all(&mut *conn).await?;
    whole(conn, rows.iter().map(request).collect::<Result<_, _>>()?).await
}

/// Lets something happen to a request, and writes the audit entry with it.
pub(super) async fn step(
    conn: &mut AnyConnection,
    number: RequestNumber,
    event: RequestEvent,
    entry: Option<AuditDraft>,
    refused: Option<AuditDraft>,
    now: Timestamp,
) -> Result<Option<Result<Request, Refusal>>, Error> {
    let now = whole_ms(now)?;
    let Some(before) = one(conn, number).await? else {
        return Ok(None);
    };
    // In the same transaction as the note of a write, so that none is begun after a pause.
    if event.comes_before_a_write()
        && before.frozen.method == Method::Api
        && pause::paused(conn).await?.is_some()
    {
        return Ok(Some(Err(Refusal::Paused)));
    }
    match before.after(event, now) {
        Ok(after) if after.revision == before.revision => Ok(Some(Ok(after))),
        Ok(after) => {
            save(conn, &before, &after).await?;
            show_alerts_again(conn, &after).await?;
            if let Some(entry) = entry {
                audit::append(conn, about(&after, entry, after.stage.word()), now).await?;
            }
            Ok(Some(Ok(after)))
        }
        Err(refusal) => {
            if let Some(refused) = refused {
                audit::append(conn, about(&before, refused, "refused"), now).await?;
            }
            Ok(Some(Err(refusal)))
        }
    }
}

/// An open incident's alert tells what has been asked for its app, so it is out of date now.
async fn show_alerts_again(conn: &mut AnyConnection, request: &Request) -> Result<(), Error> {
    sqlx::query(
        "UPDATE incident SET revision = revision + 1 WHERE org = $1 AND app = $2 AND over_ms IS NULL",
    )
    .bind(request.frozen.org.as_str())
    .bind(request.frozen.app.id.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// An audit entry about a request, with what it leaves empty.
pub(super) fn about(request: &Request, mut entry: AuditDraft, outcome: &str) -> AuditDraft {
    let frozen = &request.frozen;
    entry.request.get_or_insert(request.number);
    entry.org.get_or_insert_with(|| frozen.org.clone());
    entry.app.get_or_insert_with(|| frozen.app.id.clone());
    if entry.request_hash.is_empty() {
        entry.request_hash.clone_from(&request.hash.0);
    }
    if entry.outcome.is_empty() {
        outcome.clone_into(&mut entry.outcome);
    }
    entry
}

fn many(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

async fn add(conn: &mut AnyConnection, draft: &Request) -> Result<(), Error> {
    let frozen = &draft.frozen;
    let stage = StageColumns::of(&draft.stage);
    sqlx::query(
        "INSERT INTO request (number, org, app, app_label, action, method, people, state_before, \
         approvals_wanted, expires_ms, requester, requester_person, breakglass, hash, reason, incident, \
         created_ms, deadline_ms, stage, confirmed, ended, revision, assigned_person, assigned_group, assigned_more) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, 0, 0, $20, \
         $21, $22, $23)",
    )
    .bind(draft.number.0)
    .bind(frozen.org.as_str())
    .bind(frozen.app.id.as_str())
    .bind(frozen.app.label.as_str())
    .bind(Word::word(frozen.action))
    .bind(Word::word(frozen.method))
    .bind(frozen.people.json())
    .bind(frozen.before.as_str())
    .bind(i64::from(frozen.gate.approvals))
    .bind(i64::try_from(frozen.gate.expires.as_millis()).unwrap_or(i64::MAX))
    .bind(snowflake(frozen.requester.0))
    .bind(frozen.requester_person.as_ref().map(|person| person.as_str()))
    .bind(i64::from(frozen.breakglass))
    .bind(draft.hash.0.as_str())
    .bind(draft.reason.as_str())
    .bind(draft.incident.map(|incident| incident.0))
    .bind(ms(draft.created))
    .bind(ms(draft.deadline))
    .bind(stage.word)
    .bind(draft.revision)
    .bind(frozen.assigned.map(|assigned| many(assigned.by_person)))
    .bind(frozen.assigned.map(|assigned| many(assigned.by_group)))
    .bind(frozen.assigned.map(|assigned| i64::from(assigned.more)))
    .execute(conn)
    .await?;
    Ok(())
}

/// Saves what has changed. That the revision before is still there is seen to by the write lock; where another
/// database has none, the statement sees to it, and fails.
async fn save(conn: &mut AnyConnection, before: &Request, after: &Request) -> Result<(), Error> {
    let stage = StageColumns::of(&after.stage);
    let confirmed = matches!(after.stage, Stage::Pending | Stage::Approved);
    let saved = sqlx::query(
        "UPDATE request SET stage = $1, stage_ms = $2, stage_by = $3, stage_why = $4, deadline_ms = $5, \
         confirmed = CASE WHEN $6 = 1 THEN 1 ELSE confirmed END, ended = $7, revision = $8, done_by = $9 \
         WHERE number = $10 AND revision = $11",
    )
    .bind(stage.word)
    .bind(stage.at.map(ms))
    .bind(stage.by.map(|member| snowflake(member.0)))
    .bind(stage.why)
    .bind(ms(after.deadline))
    .bind(i64::from(confirmed))
    .bind(i64::from(after.stage.is_over()))
    .bind(after.revision)
    .bind(stage.done_by.map(Stored::json))
    .bind(after.number.0)
    .bind(before.revision)
    .execute(&mut *conn)
    .await?;
    if saved.rows_affected() != 1 {
        return Err(Error::RowNotFound);
    }
    if after.hash == before.hash {
        return save_people(conn, after, Some(before)).await;
    }
    choose(conn, after).await?;
    save_people(conn, after, None).await
}

/// A draft is about other people now, and so it has another hash.
async fn choose(conn: &mut AnyConnection, after: &Request) -> Result<(), Error> {
    sqlx::query(
        "UPDATE request SET people = $1, approvals_wanted = $2, expires_ms = $3, hash = $4 WHERE number = $5",
    )
    .bind(after.frozen.people.json())
    .bind(i64::from(after.frozen.gate.approvals))
    .bind(i64::try_from(after.frozen.gate.expires.as_millis()).unwrap_or(i64::MAX))
    .bind(after.hash.0.as_str())
    .bind(after.number.0)
    .execute(&mut *conn)
    .await?;
    sqlx::query("DELETE FROM request_outcome WHERE request = $1").bind(after.number.0).execute(conn).await?;
    Ok(())
}

/// Saves the approvals and outcomes that are new or changed: a step of one person out of 500 writes one row.
async fn save_people(
    conn: &mut AnyConnection,
    after: &Request,
    before: Option<&Request>,
) -> Result<(), Error> {
    let known = before.map_or(0, |before| before.approvals.len());
    let approvals: Vec<(usize, &Approval)> = (1..).zip(&after.approvals).skip(known).collect();
    let columns = "INSERT INTO approval (request, place, member, person, at_ms)";
    insert(conn, columns, 5, "", &approvals, |query, (place, approval)| {
        query
            .bind(after.number.0)
            .bind(*place as i64)
            .bind(snowflake(approval.by.0))
            .bind(approval.person.as_ref().map(|person| person.as_str()))
            .bind(ms(approval.at))
    })
    .await?;

    let known = |person| before.and_then(|before| before.outcomes.get(person));
    let outcomes: Vec<_> =
        after.outcomes.iter().filter(|(person, outcome)| known(person) != Some(outcome)).collect();
    let columns = "INSERT INTO request_outcome (request, person, state, at_ms, why, proof, strength)";
    let conflict = "ON CONFLICT (request, person) DO UPDATE SET state = excluded.state, at_ms = excluded.at_ms, \
                    why = excluded.why, proof = excluded.proof, strength = excluded.strength";
    insert(conn, columns, 7, conflict, &outcomes, |query, (person, outcome)| {
        let outcome = OutcomeColumns::of(outcome);
        query
            .bind(after.number.0)
            .bind(person.as_str())
            .bind(outcome.state)
            .bind(outcome.at.map(ms))
            .bind(outcome.why)
            .bind(outcome.proof.map(|event| event.as_str()))
            .bind(outcome.strength.map(Word::word))
    })
    .await?;
    Ok(())
}

/// Adds approvals and outcomes to requests of their rows, with one statement for many.
async fn whole(conn: &mut AnyConnection, mut requests: Vec<Request>) -> Result<Vec<Request>, Error> {
    let keys: Vec<_> = requests.iter().map(|request| Value::Number(request.number.0)).collect();
    let places: HashMap<_, _> =
        requests.iter().enumerate().map(|(place, request)| (request.number.0, place)).collect();
    let text = "SELECT * FROM approval WHERE request IN";
    let of = |row: &AnyRow| Ok((row.number("request")?, approval(row)?));
    for (number, approval) in select(conn, text, "ORDER BY place", &[], &keys, of).await? {
        requests[places[&number]].approvals.push(approval);
    }
    let text = "SELECT * FROM request_outcome WHERE request IN";
    let of = |row: &AnyRow| Ok((row.number("request")?, row.id("person")?, outcome(row)?));
    for (number, person, outcome) in select(conn, text, "", &[], &keys, of).await? {
        requests[places[&number]].outcomes.insert(person, outcome);
    }
    Ok(requests)
}
