//! Incidents, their failures and their timelines.

use std::collections::{BTreeMap, HashMap};

use domain::audit::Draft as AuditDraft;
use domain::event::{App, Person};
use domain::ids::{IncidentNumber, MemberId, UserId};
use domain::incident::{
    Change, Claim, Closing, EndedBecause, Failure, FailureState, Findings, Happened, Incident, Line, Proof,
    Snooze, Stage,
};
use domain::store::{Query, Which};
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Error};

use super::audit;
use super::batch::{Value, insert, select};
use super::json::Stored;
use super::rows::{Columns, Word, ms, snowflake, unexpected, whole_ms};

/// An incident as it is stored.
pub(super) struct Known {
    /// The incident.
    pub incident: Incident,
    /// How many lines its timeline has.
    pub lines: i64,
}

/// What is to be saved of an incident.
pub(super) struct Changed<'a> {
    /// The incident, new or changed.
    pub incident: &'a Incident,
    /// Whose failures in it are new or changed.
    pub people: Vec<&'a UserId>,
    /// How many lines its timeline had.
    pub lines: i64,
    /// New lines.
    pub new_lines: Vec<&'a Line>,
}

/// One incident.
pub(super) async fn one(conn: &mut AnyConnection, number: IncidentNumber) -> Result<Option<Known>, Error> {
    Ok(by_number(conn, &[number]).await?.pop())
}

/// Incidents by their numbers, in ascending order.
pub(super) async fn by_number(
    conn: &mut AnyConnection,
    numbers: &[IncidentNumber],
) -> Result<Vec<Known>, Error> {
    let keys: Vec<_> = numbers.iter().map(|number| Value::Number(number.0)).collect();
    let known = select(conn, "SELECT * FROM incident WHERE number IN", "", &[], &keys, incident).await?;
    let mut known = with_failures(conn, known).await?;
    known.sort_by_key(|known| known.incident.number);
    Ok(known)
}

/// What a query asks for, newest first.
pub(super) async fn matching(conn: &mut AnyConnection, query: &Query) -> Result<Vec<Incident>, Error> {
    let which = match query.which {
        Which::Open => "open",
        Which::Over => "over",
        Which::All => "all",
    };
    let limit = if query.limit == 0 { i64::MAX } else { i64::from(query.limit) };
    let rows = sqlx::query(
        "SELECT * FROM incident WHERE ($1 IS NULL OR org = $1) AND ($2 IS NULL OR app = $2) \
         AND ($3 = 'all' OR (over_ms IS NULL) = ($3 = 'open')) ORDER BY opened_ms DESC, number DESC LIMIT $4",
    )
    .bind(query.org.as_ref().map(|org| org.as_str()))
    .bind(query.app.as_ref().map(|app| app.as_str()))
    .bind(which)
    .bind(limit)
    .fetch_all(&mut *conn)
    .await?;
    let known = rows.iter().map(incident).collect::<Result<_, _>>()?;
    Ok(with_failures(conn, known).await?.into_iter().map(|known| known.incident).collect())
}

/// The number that the next incident gets.
pub(super) async fn next_number(conn: &mut AnyConnection) -> Result<i64, Error> {
    let row = sqlx::query("SELECT MAX(number) AS newest FROM incident").fetch_one(conn).await?;
    Ok(row.get_as::<Option<i64>>("newest")?.unwrap_or(0) + 1)
}

/// Adds their failures to incidents, all with one statement for many.
pub(super) async fn with_failures(
    conn: &mut AnyConnection,
    mut known: Vec<Known>,
) -> Result<Vec<Known>, Error> {
    let keys: Vec<_> = known.iter().map(|known| Value::Number(known.incident.number.0)).collect();
    let places: HashMap<_, _> =
        known.iter().enumerate().map(|(place, known)| (known.incident.number.0, place)).collect();
    let of = |row: &AnyRow| Ok((row.number("incident")?, failure(row)?));
    for (number, failure) in
        select(conn, "SELECT * FROM failure WHERE incident IN", "", &[], &keys, of).await?
    {
        known[places[&number]].incident.failures.insert(failure.person.id.clone(), failure);
    }
    Ok(known)
}

/// Saves incidents with the failures and lines that are new or changed.
pub(super) async fn save(conn: &mut AnyConnection, changed: &[Changed<'_>]) -> Result<(), Error> {
    insert(
        conn,
        "INSERT INTO incident (number, org, app, app_label, cause, confidence, opened_ms, chapter, quiet, \
         over_how, over_ms, findings, revision, lines, began, claimed_by, claimed_ms, snoozed_by, snoozed_ms, \
         snoozed_until_ms, closed_by, closed_why)",
        22,
        "ON CONFLICT (number) DO UPDATE SET app_label = excluded.app_label, confidence = excluded.confidence, \
         opened_ms = excluded.opened_ms, chapter = excluded.chapter, quiet = excluded.quiet, \
         over_how = excluded.over_how, over_ms = excluded.over_ms, findings = excluded.findings, \
         revision = excluded.revision, lines = excluded.lines, began = excluded.began, \
         claimed_by = excluded.claimed_by, claimed_ms = excluded.claimed_ms, snoozed_by = excluded.snoozed_by, \
         snoozed_ms = excluded.snoozed_ms, snoozed_until_ms = excluded.snoozed_until_ms, \
         closed_by = excluded.closed_by, closed_why = excluded.closed_why",
        changed,
        |query, changed| {
            let incident = changed.incident;
            let over = match &incident.stage {
                Stage::Open => None,
                Stage::Over { how, at } => Some((Word::word(*how), ms(*at))),
            };
            let (claim, snooze, closed) = (&incident.claim, &incident.snooze, &incident.closed);
            query
                .bind(incident.number.0)
                .bind(incident.org.as_str())
                .bind(incident.app.id.as_str())
                .bind(incident.app.label.as_str())
                .bind(incident.cause.as_str())
                .bind(incident.confidence.word())
                .bind(ms(incident.opened))
                .bind(i64::from(incident.chapter))
                .bind(i64::from(incident.quiet))
                .bind(over.map(|(how, _)| how))
                .bind(over.map(|(_, at)| at))
                .bind(incident.findings.as_ref().map(Stored::json))
                .bind(incident.revision)
                .bind(changed.lines + changed.new_lines.len() as i64)
                .bind(incident.began.word())
                .bind(claim.map(|claim| snowflake(claim.by.0)))
                .bind(claim.map(|claim| ms(claim.at)))
                .bind(snooze.map(|snooze| snowflake(snooze.by.0)))
                .bind(snooze.map(|snooze| ms(snooze.at)))
                .bind(snooze.map(|snooze| ms(snooze.until)))
                .bind(closed.as_ref().map(|closed| snowflake(closed.by.0)))
                .bind(closed.as_ref().map(|closed| closed.reason.as_str()))
        },
    )
    .await?;
    save_failures(conn, changed).await?;
    let lines: Vec<_> = changed
        .iter()
        .flat_map(|changed| {
            let seq = changed.lines + 1..;
            seq.zip(&changed.new_lines).map(|(seq, line)| (changed.incident.number, seq, *line))
        })
        .collect();
    let columns = "INSERT INTO timeline (incident, seq, at_ms, what)";
    insert(conn, columns, 4, "", &lines, |query, (number, seq, line)| {
        query.bind(number.0).bind(*seq).bind(ms(line.at)).bind(line.what.json())
    })
    .await?;
    Ok(())
}

async fn save_failures(conn: &mut AnyConnection, changed: &[Changed<'_>]) -> Result<(), Error> {
    let failures: Vec<_> = changed
        .iter()
        .flat_map(|changed| {
            let find = |person: &&UserId| changed.incident.failures.get(*person);
            changed.people.iter().filter_map(find).map(|failure| (changed.incident.number, failure))
        })
        .collect();
    insert(
        conn,
        "INSERT INTO failure (incident, person, login, name, first_ms, last_ms, times, event, transaction_id, \
         reason, state, over_ms, proof, strength, assigned, chapter)",
        16,
        "ON CONFLICT (incident, person) DO UPDATE SET login = excluded.login, name = excluded.name, \
         first_ms = excluded.first_ms, last_ms = excluded.last_ms, times = excluded.times, \
         event = excluded.event, transaction_id = excluded.transaction_id, reason = excluded.reason, \
         state = excluded.state, over_ms = excluded.over_ms, proof = excluded.proof, \
         strength = excluded.strength, assigned = excluded.assigned, chapter = excluded.chapter",
        &failures,
        |query, (number, failure)| {
            let (state, proof) = match &failure.state {
                FailureState::Failing => ("failing", None),
                FailureState::Fixed(proof) => ("fixed", Some(proof)),
                FailureState::Ended { why, .. } => (why.word(), None),
            };
            query
                .bind(number.0)
                .bind(failure.person.id.as_str())
                .bind(failure.person.login.as_deref())
                .bind(failure.person.name.as_deref())
                .bind(ms(failure.first))
                .bind(ms(failure.last))
                .bind(i64::from(failure.times))
                .bind(failure.event.as_str())
                .bind(failure.transaction.as_deref())
                .bind(failure.reason.as_deref())
                .bind(state)
                .bind(failure.over().map(ms))
                .bind(proof.map(|proof| proof.event.as_str()))
                .bind(proof.map(|proof| proof.strength.word()))
                .bind(failure.assigned.map(Word::word))
                .bind(i64::from(failure.chapter))
        },
    )
    .await?;
    Ok(())
}

/// Lets something happen to an incident; `None` if there is none, or if that changes nothing.
pub(super) async fn change(
    conn: &mut AnyConnection,
    number: IncidentNumber,
    change: Change,
    now: Timestamp,
) -> Result<Option<Incident>, Error> {
    let Some(Known { incident, lines }) = one(conn, number).await? else {
        return Ok(None);
    };
    let Some((after, new_lines)) = incident.after(change, now) else {
        return Ok(None);
    };
    let differs = |(person, failure): &(&UserId, &Failure)| incident.failures.get(*person) != Some(*failure);
    let people = after.failures.iter().filter(differs).map(|(person, _)| person).collect();
    let changed = Changed { incident: &after, people, lines, new_lines: new_lines.iter().collect() };
    save(conn, &[changed]).await?;
    Ok(Some(after))
}

/// As [`change`], for what a person does: with its audit entry.
pub(super) async fn change_by_hand(
    conn: &mut AnyConnection,
    number: IncidentNumber,
    by_hand: Change,
    mut entry: AuditDraft,
    now: Timestamp,
) -> Result<Option<Incident>, Error> {
    let now = whole_ms(now)?;
    let Some(Known { incident: before, .. }) = one(conn, number).await? else {
        return Ok(None);
    };
    let Some(after) = change(conn, number, by_hand, now).await? else {
        return Ok(None);
    };
    entry.org.get_or_insert_with(|| after.org.clone());
    entry.app.get_or_insert_with(|| after.app.id.clone());
    for (told, incident) in [(&mut entry.before, &before), (&mut entry.after, &after)] {
        if told.is_empty() {
            *told = incident.in_short();
        }
    }
    audit::append(conn, entry, now).await?;
    Ok(Some(after))
}

/// The incidents that are hidden for a time, and until when.
pub(super) async fn snoozed(conn: &mut AnyConnection) -> Result<Vec<(IncidentNumber, Timestamp)>, Error> {
    let rows = sqlx::query(
        "SELECT number, snoozed_until_ms FROM incident WHERE snoozed_until_ms IS NOT NULL ORDER BY number",
    )
    .fetch_all(conn)
    .await?;
    let snoozed = |row: &AnyRow| Ok((IncidentNumber(row.number("number")?), row.time("snoozed_until_ms")?));
    rows.iter().map(snoozed).collect()
}

/// The lines of a timeline after the first `skip`.
pub(super) async fn lines(
    conn: &mut AnyConnection,
    number: IncidentNumber,
    skip: i64,
) -> Result<Vec<Line>, Error> {
    let rows = sqlx::query("SELECT at_ms, what FROM timeline WHERE incident = $1 AND seq > $2 ORDER BY seq")
        .bind(number.0)
        .bind(skip)
        .fetch_all(conn)
        .await?;
    let line =
        |row: &AnyRow| Ok(Line { at: row.time("at_ms")?, what: Happened::from_json(row.get_as("what")?)? });
    rows.iter().map(line).collect()
}

/// An incident of its row, without its failures.
pub(super) fn incident(row: &AnyRow) -> Result<Known, Error> {
    let stage = match (row.maybe_word("over_how")?, row.maybe_time("over_ms")?) {
        (Some(how), Some(at)) => Stage::Over { how, at },
        (None, None) => Stage::Open,
        (Some(_), None) | (None, Some(_)) => return Err(unexpected("half an end", "a whole one or none")),
    };
    let findings = row.get_as::<Option<&str>>("findings")?;
    let incident = Incident {
        number: IncidentNumber(row.number("number")?),
        org: row.id("org")?,
        app: App { id: row.id("app")?, label: row.text("app_label")? },
        cause: row.get_as::<&str>("cause")?.into(),
        confidence: row.word("confidence")?,
        opened: row.time("opened_ms")?,
        chapter: row.count("chapter")?,
        began: row.word("began")?,
        quiet: row.flag("quiet")?,
        stage,
        failures: BTreeMap::new(),
        findings: findings.map(Findings::from_json).transpose()?,
        claim: claim(row)?,
        snooze: snooze(row)?,
        closed: closing(row)?,
        revision: row.number("revision")?,
    };
    Ok(Known { incident, lines: row.number("lines")? })
}

fn claim(row: &AnyRow) -> Result<Option<Claim>, Error> {
    let Some(by) = member(row, "claimed_by")? else { return Ok(None) };
    Ok(Some(Claim { by, at: row.time("claimed_ms")? }))
}

fn snooze(row: &AnyRow) -> Result<Option<Snooze>, Error> {
    let Some(by) = member(row, "snoozed_by")? else { return Ok(None) };
    Ok(Some(Snooze { by, at: row.time("snoozed_ms")?, until: row.time("snoozed_until_ms")? }))
}

fn closing(row: &AnyRow) -> Result<Option<Closing>, Error> {
    let Some(by) = member(row, "closed_by")? else { return Ok(None) };
    Ok(Some(Closing { by, reason: row.text("closed_why")? }))
}

fn member(row: &AnyRow, column: &str) -> Result<Option<MemberId>, Error> {
    Ok(row.get_as::<Option<i64>>(column)?.map(|id| MemberId(id.cast_unsigned())))
}

fn failure(row: &AnyRow) -> Result<Failure, Error> {
    let state = match row.get_as::<&str>("state")? {
        "failing" => FailureState::Failing,
        "fixed" => FailureState::Fixed(Proof {
            event: row.id("proof")?,
            at: row.time("over_ms")?,
            strength: row.word("strength")?,
        }),
        why => FailureState::Ended { why: EndedBecause::of(why)?, at: row.time("over_ms")? },
    };
    Ok(Failure {
        person: Person {
            id: row.id("person")?,
            login: row.maybe_text("login")?,
            name: row.maybe_text("name")?,
        },
        first: row.time("first_ms")?,
        last: row.time("last_ms")?,
        times: row.count("times")?,
        event: row.id("event")?,
        transaction: row.maybe_text("transaction_id")?,
        reason: row.maybe_text("reason")?,
        state,
        assigned: row.maybe_word("assigned")?,
        chapter: row.count("chapter")?,
    })
}
