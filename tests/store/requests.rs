//! Requests: every step is on record, and two at once are decided one after the other.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use domain::audit::Draft;
use domain::cause::Strength;
use domain::event::{Actor, App};
use domain::facts::Assigned;
use domain::ids::{AppId, ChannelId, IncidentNumber, MemberId, MessageId, UserId};
use domain::incident::Proof;
use domain::request::{
    Action, Frozen, Gate, Method, Outcome, Refusal, Request, RequestEvent, RequestNumber, Stage,
};
use domain::requests::{AuditQuery, Paused, RequestQuery, RequestShowing, Requests};
use domain::store::StoreError;
use jiff::{SignedDuration, Timestamp};
use provost::store::Sql;
use sqlx::Executor;

use crate::world::*;

pub const OLIVE: MemberId = MemberId(u64::MAX - 1);
pub const ADA: MemberId = MemberId(12);
const START: &str = "10:00:00";

pub fn frozen(app: &str, people: &[&str]) -> Frozen {
    let person = |id: &&str| id.parse().expect("a good id");
    Frozen {
        org: acme(),
        app: App { id: app.parse().expect("a good id"), label: format!("{app} “Inc.” '; --") },
        action: if people.is_empty() { Action::Enable } else { Action::Retry },
        method: Method::Api,
        people: people.iter().map(person).collect(),
        before: "ACTIVE PUSH_NEW_USERS".to_owned(),
        gate: Gate { approvals: 1, expires: SignedDuration::from_hours(1) },
        requester: OLIVE,
        requester_person: Some("olive".parse().expect("a good id")),
        breakglass: false,
        assigned: Some(Assigned { by_person: 3, by_group: 40, more: true }),
    }
}

pub fn entry(what: &str) -> Option<Draft> {
    Some(Draft { what: what.to_owned(), ..Draft::default() })
}

fn approval(request: &Request, by: MemberId) -> RequestEvent {
    RequestEvent::Approved { by, person: None, hash: request.hash.short().to_owned() }
}

fn person(person: &UserId, outcome: Outcome) -> RequestEvent {
    RequestEvent::Person { person: person.clone(), outcome }
}

/// What happens to a request, with its audit entry; it must be there.
async fn step(
    store: &Sql,
    number: RequestNumber,
    event: RequestEvent,
    now: Timestamp,
) -> Result<Result<Request, Refusal>> {
    let stepped = store.step(number, event, entry("step"), entry("refused"), now).await?;
    stepped.context("there is no such request")
}

/// As [`step`], where it cannot be refused.
async fn happens(store: &Sql, request: &Request, event: RequestEvent) -> Result<Request> {
    let stepped = step(store, request.number, event, at("10:10:00")).await?;
    stepped.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))
}

/// Olive confirms it as it is.
pub fn confirmed(request: &Request) -> RequestEvent {
    RequestEvent::Confirmed { by: OLIVE, hash: request.hash.short().to_owned() }
}

async fn opened(world: &World, frozen: Frozen) -> Result<Request> {
    Ok(world.store.open(frozen, "they are back".to_owned(), Some(IncidentNumber(214)), at(START)).await?)
}

async fn pending(world: &World, frozen: Frozen) -> Result<Request> {
    let request = opened(world, frozen).await?;
    happens(&world.store, &request, confirmed(&request)).await
}

async fn executing(world: &World, people: &[&str]) -> Result<Request> {
    let request = pending(world, frozen("slack", people)).await?;
    let request = happens(&world.store, &request, approval(&request, ADA)).await?;
    happens(&world.store, &request, RequestEvent::Begun).await
}

/// The audit in short: what, about which request, and how it ended; oldest first.
async fn record(store: &Sql) -> Result<Vec<String>> {
    let entries = store.chain(1).await?;
    let line = |draft: &Draft| {
        let request = draft.request.map(|number| number.to_string()).unwrap_or_default();
        format!("{} {request} {}", draft.what, draft.outcome)
    };
    Ok(entries.iter().map(|entry| line(&entry.draft)).collect())
}

#[tokio::test]
async fn numbers_go_up_and_what_was_asked_is_what_is_found_after_a_restart() -> Result<()> {
    let world = World::new().await?;
    let late = at(START) + SignedDuration::from_nanos(1_234_567);
    let mut wish = frozen("slack", &["fay", "dana", "eli", "dana"]);
    wish.gate.expires = SignedDuration::from_millis(1500);
    let asked = world.store.open(wish, "why – “so”".to_owned(), None, late).await?;
    let other = opened(&world, frozen("zoom", &[])).await?;
    assert_eq!((asked.number, other.number), (RequestNumber(1), RequestNumber(2)));
    assert_eq!(asked.frozen.people.len(), 3);

    let world = world.restarted().await?;

    assert_eq!(world.store.request(asked.number).await?.as_ref(), Some(&asked));
    assert_eq!(world.store.request(other.number).await?.as_ref(), Some(&other));
    assert_eq!(world.store.request(RequestNumber(3)).await?, None);
    let nobody = world.store.step(RequestNumber(3), RequestEvent::Begun, entry("x"), entry("y"), at(START));
    assert_eq!(nobody.await?, None);
    assert_eq!(record(&world.store).await?, [""; 0]);
    assert!(asked.is_as_frozen());
    Ok(())
}

#[tokio::test]
async fn requests_are_found_newest_first_by_org_app_and_whether_they_are_open() -> Result<()> {
    let world = World::new().await?;
    let mut lab = frozen("slack", &[]);
    lab.org = "lab".parse()?;
    for frozen in [frozen("slack", &[]), frozen("zoom", &["dana"]), lab, frozen("slack", &["eli"])] {
        opened(&world, frozen).await?;
    }
    step(&world.store, RequestNumber(1), RequestEvent::Withdrawn { by: OLIVE }, at(START)).await?.ok();
    let slack: Option<AppId> = Some("slack".parse()?);
    let all = RequestQuery::default();
    #[rustfmt::skip]
    let table = [
        (all.clone(),                                                                     vec![4, 3, 2, 1]),
        (RequestQuery { open: true, ..all.clone() },                                      vec![4, 3, 2]),
        (RequestQuery { org: Some(acme()), ..all.clone() },                               vec![4, 2, 1]),
        (RequestQuery { app: slack.clone(), ..all.clone() },                              vec![4, 3, 1]),
        (RequestQuery { app: slack, org: Some(acme()), open: true, ..all.clone() },       vec![4]),
        (RequestQuery { limit: 2, ..all },                                                vec![4, 3]),
    ];
    for (query, expected) in table {
        let found = world.store.requests(&query).await?;
        let numbers: Vec<_> = found.iter().map(|request| request.number.0).collect();
        assert_eq!(numbers, expected, "{query:?}");
    }
    Ok(())
}

#[tokio::test]
async fn every_stage_and_every_outcome_is_kept_through_a_restart() -> Result<()> {
    use RequestEvent as E;
    let mut world = World::new().await?;
    let why = || "it said “no”".to_owned();
    let jo = || Actor { id: Some("00ujo".to_owned()), name: Some("Jo “O” Ortiz".to_owned()), kind: None };
    let moves = |outcome| person(&"dana".parse().expect("a good id"), outcome);
    let ends: Vec<Vec<E>> = vec![
        vec![],
        vec![E::Begun],
        vec![E::Begun, E::Done],
        vec![E::Begun, E::Done, E::Proven { by: None }],
        vec![E::Begun, E::Done, E::Proven { by: Some(jo()) }],
        vec![E::Begun, moves(Outcome::Unassigning { since: at("10:02:00") })],
        vec![
            E::Begun,
            moves(Outcome::Unassigning { since: at("10:02:00") }),
            moves(Outcome::Unassigned { at: at("10:03:00") }),
        ],
        vec![
            E::Begun,
            moves(Outcome::Unassigning { since: at("10:02:00") }),
            moves(Outcome::Unassigned { at: at("10:03:00") }),
            moves(Outcome::Assigning { since: at("10:04:00") }),
        ],
        vec![E::Begun, E::Refused { why: why() }],
        vec![E::Begun, E::Lost { why: why() }],
        vec![E::Withdrawn { by: OLIVE }],
        vec![E::Changed { why: why() }],
    ];
    let mut kept = Vec::new();
    for events in ends {
        let mut request = pending(&world, frozen("slack", &["dana"])).await?;
        request = happens(&world.store, &request, approval(&request, ADA)).await?;
        for event in events {
            request = happens(&world.store, &request, event).await?;
        }
        kept.push(request);
    }
    let denied = pending(&world, frozen("slack", &[])).await?;
    kept.push(happens(&world.store, &denied, E::Denied { by: ADA, why: why() }).await?);
    kept.push(opened(&world, frozen("slack", &[])).await?);
    let stale = opened(&world, frozen("slack", &[])).await?;
    kept.push(step(&world.store, stale.number, E::TimePassed, at("11:00:00")).await?.expect("it expires"));
    kept.push(pending(&world, frozen("slack", &[])).await?);

    let mut mixed = executing(&world, &["a", "b", "c", "d", "e", "f", "g", "h"]).await?;
    let proof = Proof { event: "e1".parse()?, at: at("10:01:00"), strength: Strength::ProfileOnly };
    let outcomes = [
        Outcome::Waiting,
        Outcome::Pushing { since: at("10:02:00") },
        Outcome::Pushed { at: at("10:03:00") },
        Outcome::Proven(proof),
        Outcome::Failed { why: why() },
        Outcome::Skipped,
        Outcome::Unassigning { since: at("10:04:00") },
        Outcome::Pushed { at: at("10:05:00") },
    ];
    for (who, outcome) in mixed.frozen.people.clone().iter().zip(outcomes) {
        mixed = happens(&world.store, &mixed, person(who, outcome)).await?;
    }
    let (last, at) = (mixed.frozen.people[7].clone(), at("10:05:00"));
    mixed = happens(&world.store, &mixed, person(&last, Outcome::Unclear { at })).await?;
    kept.push(happens(&world.store, &mixed, E::Refused { why: why() }).await?);

    let stages: BTreeSet<_> = kept.iter().map(|request| request.stage.word()).collect();
    assert_eq!(stages.len(), 13, "{stages:?}");
    world = world.restarted().await?;
    for request in kept {
        assert_eq!(world.store.request(request.number).await?.as_ref(), Some(&request));
    }
    Ok(())
}

#[tokio::test]
async fn what_is_unclear_is_found_until_it_comes_to_be_known() -> Result<()> {
    let world = World::new().await?;
    let request = opened(&world, Frozen { action: Action::Enable, ..frozen("slack", &[]) }).await?;
    let request = happens(&world.store, &request, confirmed(&request)).await?;
    let request = happens(&world.store, &request, approval(&request, ADA)).await?;
    let request = happens(&world.store, &request, RequestEvent::Begun).await?;
    let lost = RequestEvent::Lost { why: "Okta is away".to_owned() };
    let request = happens(&world.store, &request, lost).await?;

    assert_eq!(world.store.unclear(at("10:10:00")).await?, std::slice::from_ref(&request));
    assert_eq!(world.store.unclear(at("10:10:01")).await?, [], "that is older");
    happens(&world.store, &request, RequestEvent::Proven { by: None }).await?;
    assert_eq!(world.store.unclear(at("10:10:00")).await?, []);
    Ok(())
}

#[tokio::test]
async fn a_step_writes_its_entry_about_the_request() -> Result<()> {
    let world = World::new().await?;
    let asked = opened(&world, frozen("slack", &[])).await?;

    let request = happens(&world.store, &asked, confirmed(&asked)).await?;
    let own = step(&world.store, request.number, approval(&request, OLIVE), at("10:20:00")).await?;
    assert_eq!(own, Err(Refusal::OwnRequest));
    // Its time is not over: nothing happens, and nothing is on record.
    let same = happens(&world.store, &request, RequestEvent::TimePassed).await?;
    assert_eq!(same, request);
    let mut quiet = approval(&request, ADA);
    let unrecorded = world.store.step(request.number, quiet.clone(), None, None, at("10:30:00")).await?;
    assert!(matches!(unrecorded, Some(Ok(_))), "{unrecorded:?}");
    quiet = confirmed(&request);
    let unrecorded = world.store.step(request.number, quiet, entry("step"), None, at("10:30:00")).await?;
    assert_eq!(unrecorded, Some(Err(Refusal::NotNow(Stage::Approved))));

    assert_eq!(record(&world.store).await?, ["step R1 pending", "refused R1 refused"]);
    let written = &world.store.chain(1).await?[0];
    assert_eq!(written.draft.request_hash, asked.hash.0);
    assert_eq!(
        (written.draft.org.clone(), written.draft.app.clone()),
        (Some(acme()), Some("slack".parse()?))
    );
    let given = Draft {
        what: "step".to_owned(),
        member: Some(ADA),
        app: Some("other".parse()?),
        request_hash: "given".to_owned(),
        outcome: "as said".to_owned(),
        ..Draft::default()
    };
    world.store.step(request.number, RequestEvent::Begun, Some(given.clone()), None, at("10:31:00")).await?;
    let written = world.store.entries(&AuditQuery { limit: 1, ..AuditQuery::default() }).await?;
    let filled = Draft { request: Some(request.number), org: Some(acme()), ..given };
    assert_eq!(written[0].draft, filled, "what is given stays as it is");
    Ok(())
}

#[tokio::test]
async fn a_step_and_its_entry_are_both_there_or_neither() -> Result<()> {
    for (verb, table) in [
        ("INSERT", "audit"),
        ("UPDATE", "request"),
        ("INSERT", "approval"),
        ("INSERT", "request_outcome"),
        ("UPDATE", "request_outcome"),
        ("INSERT", "paused"),
        ("DELETE", "paused"),
    ] {
        let world = World::new().await?;
        let paused = Paused { by: ADA, since: at(START), reason: "look".to_owned() };
        let waiting = pending(&world, frozen("slack", &[])).await?;
        let working = executing(&world, &["dana", "eli"]).await?;
        world.store.pause(Some(paused.clone()), entry("paused").unwrap_or_default(), at(START)).await?;
        world.breaks(verb, table).await?;

        let who = &working.frozen.people[0];
        let steps = [
            (waiting.number, approval(&waiting, ADA)),
            (waiting.number, approval(&waiting, OLIVE)),
            (working.number, person(who, Outcome::Skipped)),
        ];
        let mut failed = 0;
        for (number, event) in steps {
            let before = everything(&world).await?;
            let stepped =
                world.store.step(number, event, entry("step"), entry("refused"), at("10:10:00")).await;
            let after = everything(&world).await?;
            if let Err(error) = stepped {
                assert!(matches!(error, StoreError::Other(_)), "{verb} {table}: {error:?}");
                assert_eq!(after, before, "{verb} {table}: it failed, so nothing of it is there");
                failed += 1;
            } else {
                assert_eq!(after.1, before.1 + 1, "{verb} {table}: it is on record");
            }
        }
        let expected = match (verb, table) {
            (_, "audit") => 3,
            (_, "request") => 2,
            (_, "approval" | "request_outcome") => 1,
            _ => 0,
        };
        assert_eq!(failed, expected, "{verb} {table}");

        let before = everything(&world).await?;
        let other = Paused { by: OLIVE, ..paused.clone() };
        let again = world.store.pause(Some(other), entry("paused").unwrap_or_default(), at(START)).await;
        // The cards of what is open tell of it, so requests are touched, too.
        assert_eq!(again.is_err(), ["audit", "paused", "request"].contains(&table), "{verb} {table}");
        if again.is_err() {
            assert_eq!(everything(&world).await?, before);
            assert_eq!(world.store.paused().await?, Some(paused), "{verb} {table}");
        }
        let entries = world.store.chain(1).await?;
        assert_eq!(domain::audit::verify(entries, None)?, everything(&world).await?.1);
    }
    Ok(())
}

/// All requests, and how many entries the audit has.
async fn everything(world: &World) -> Result<(Vec<Request>, i64)> {
    let requests = world.store.requests(&RequestQuery::default()).await?;
    Ok((requests, world.store.chain(1).await?.len() as i64))
}

#[tokio::test]
async fn a_request_that_cannot_be_stored_whole_is_not_stored() -> Result<()> {
    let world = World::new().await?;
    world.breaks("INSERT", "request_outcome").await?;
    assert!(opened(&world, frozen("slack", &["dana"])).await.is_err());
    world.mends("request_outcome").await?;
    assert_eq!(world.store.requests(&RequestQuery::default()).await?, []);
    assert_eq!(opened(&world, frozen("slack", &["dana"])).await?.number, RequestNumber(1));
    Ok(())
}

#[tokio::test]
async fn of_200_approvals_at_once_one_decides_and_the_others_hear_how_it_stands() -> Result<()> {
    let world = World::new().await?;
    let request = pending(&world, frozen("slack", &[])).await?;

    let all = (0..200)
        .map(|n| step(&world.store, request.number, approval(&request, MemberId(100 + n)), at("10:20:00")));
    let answers = futures_util::future::join_all(all).await.into_iter().collect::<Result<Vec<_>>>()?;

    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for answer in answers {
        match answer {
            Ok(request) => assert_eq!(request.stage, Stage::Approved),
            Err(refusal) => assert_eq!(refusal, Refusal::NotNow(Stage::Approved)),
        }
    }
    let stored = world.store.request(request.number).await?.context("it is there")?;
    assert_eq!((stored.approvals.len(), stored.revision), (1, request.revision + 1));
    let record = record(&world.store).await?;
    assert_eq!(record.iter().filter(|line| *line == "refused R1 refused").count(), 199);
    assert_eq!(record.iter().filter(|line| *line == "step R1 approved").count(), 1);
    Ok(())
}

#[tokio::test]
async fn a_double_click_begins_once_and_one_approver_counts_once() -> Result<()> {
    let world = World::new().await?;
    let mut two = frozen("slack", &[]);
    two.gate.approvals = 2;
    let request = pending(&world, two).await?;

    let clicks = (0..50).map(|_| step(&world.store, request.number, approval(&request, ADA), at("10:20:00")));
    let clicks = futures_util::future::join_all(clicks).await.into_iter().collect::<Result<Vec<_>>>()?;
    assert_eq!(clicks.iter().filter(|click| click.is_ok()).count(), 1);
    assert_eq!(clicks.iter().filter(|click| **click == Err(Refusal::Twice)).count(), 49);

    happens(&world.store, &request, approval(&request, MemberId(13))).await?;
    let begins = (0..50).map(|_| step(&world.store, request.number, RequestEvent::Begun, at("10:21:00")));
    let begins = futures_util::future::join_all(begins).await.into_iter().collect::<Result<Vec<_>>>()?;
    assert_eq!(begins.iter().filter(|begun| begun.is_ok()).count(), 1);
    Ok(())
}

#[tokio::test]
async fn of_an_approval_and_a_denial_at_once_the_first_decides() -> Result<()> {
    let world = World::new().await?;
    let mut words = BTreeSet::new();
    for round in 0..40 {
        let request = pending(&world, frozen("slack", &[])).await?;
        let approve = step(&world.store, request.number, approval(&request, ADA), at("10:20:00"));
        let denied = RequestEvent::Denied { by: MemberId(13), why: "not now".to_owned() };
        let deny = step(&world.store, request.number, denied, at("10:20:00"));

        let (approved, denied) = if round % 2 == 0 {
            tokio::join!(approve, deny)
        } else {
            let (denied, approved) = tokio::join!(deny, approve);
            (approved, denied)
        };

        let stored = world.store.request(request.number).await?.context("it is there")?;
        let (winner, loser) = match (approved?, denied?) {
            (Ok(winner), Err(loser)) | (Err(loser), Ok(winner)) => (winner, loser),
            both => anyhow::bail!("{both:?}"),
        };
        assert_eq!((&stored, loser), (&winner, Refusal::NotNow(winner.stage.clone())));
        words.insert(winner.stage.word());
    }
    assert_eq!(words, BTreeSet::from(["approved", "denied"]), "either can be first");
    Ok(())
}

#[tokio::test]
async fn a_millisecond_decides_between_an_approval_and_the_end_of_its_time() -> Result<()> {
    let world = World::new().await?;
    for (offset, in_time) in [(-1, true), (0, false), (1, false)] {
        let request = pending(&world, frozen("slack", &[])).await?;
        let now = request.deadline + SignedDuration::from_millis(offset);

        let (expired, approved) = tokio::join!(
            step(&world.store, request.number, RequestEvent::TimePassed, now),
            step(&world.store, request.number, approval(&request, ADA), now),
        );

        let (expired, approved) =
            (expired?.map(|request| request.stage), approved?.map(|request| request.stage));
        if in_time {
            assert_eq!(approved, Ok(Stage::Approved), "{offset} ms");
        } else {
            assert_eq!(expired, Ok(Stage::Expired { at: now }), "{offset} ms");
            let refused = [Err(Refusal::Late), Err(Refusal::NotNow(Stage::Expired { at: now }))];
            assert!(refused.contains(&approved), "{offset} ms: {approved:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_was_edited_in_the_database_is_not_done() -> Result<()> {
    let edits = [
        "app = 'other'",
        "app_label = 'Other'",
        "state_before = ''",
        "approvals_wanted = 0",
        "requester = 12",
    ];
    for edit in edits {
        let world = World::new().await?;
        let request = pending(&world, frozen("slack", &[])).await?;
        let other = pending(&world, frozen("slack", &[])).await?;
        happens(&world.store, &other, approval(&other, ADA)).await?;
        let mut intruder = world.intruder().await?;
        intruder.execute(sqlx::AssertSqlSafe(format!("UPDATE request SET {edit}"))).await?;

        let approved = step(&world.store, request.number, approval(&request, ADA), at("10:20:00")).await?;
        let begun = step(&world.store, other.number, RequestEvent::Begun, at("10:20:00")).await?;
        assert_eq!((approved, begun), (Err(Refusal::OtherHash), Err(Refusal::OtherHash)), "{edit}");
    }
    Ok(())
}

#[tokio::test]
async fn one_person_of_500_is_one_row_written() -> Result<()> {
    let world = World::new().await?;
    let people: Vec<_> = (0..500).map(|n| format!("p{n:03}")).collect();
    let people: Vec<_> = people.iter().map(String::as_str).collect();
    let request = executing(&world, &people).await?;
    assert_eq!(request.sums().not_begun, 500);
    let mut intruder = world.intruder().await?;
    intruder.execute("CREATE TABLE written (person TEXT)").await?;
    intruder
        .execute(
            "CREATE TRIGGER counts AFTER UPDATE ON request_outcome \
             BEGIN INSERT INTO written (person) VALUES (new.person); END",
        )
        .await?;

    for who in &request.frozen.people {
        let pushing = person(who, Outcome::Pushing { since: at("10:20:00") });
        let stepped = world.store.step(request.number, pushing, None, None, at("10:20:00")).await?;
        assert!(matches!(stepped, Some(Ok(_))), "{stepped:?}");
    }

    let written: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM written").fetch_one(&mut intruder).await?;
    assert_eq!(written, 500);
    let stored = world.store.request(request.number).await?.context("it is there")?;
    assert_eq!(stored.sums().waited_for, 500);
    Ok(())
}

#[tokio::test]
async fn cards_are_wanted_of_what_was_confirmed_until_they_show_it_or_are_let_go() -> Result<()> {
    let world = World::new().await?;
    let unshown = async || {
        let unshown = world.store.unshown_requests().await?;
        anyhow::Ok(unshown.into_iter().map(|(request, card)| (request.number.0, card)).collect::<Vec<_>>())
    };
    for end in [
        None,
        Some(RequestEvent::Withdrawn { by: OLIVE }),
        Some(RequestEvent::Changed { why: "it is on".to_owned() }),
        Some(RequestEvent::TimePassed),
    ] {
        let draft = opened(&world, frozen("slack", &[])).await?;
        if let Some(end) = end {
            step(&world.store, draft.number, end, at("12:00:00")).await?.expect("a draft can end");
        }
    }
    assert_eq!(unshown().await?, [], "a draft has no card, nor has one that ended as a draft");

    let request = pending(&world, frozen("slack", &[])).await?;
    let withdrawn = pending(&world, frozen("slack", &[])).await?;
    let ended = happens(&world.store, &withdrawn, RequestEvent::Withdrawn { by: OLIVE }).await?;
    let (first, second) = (request.number, withdrawn.number);
    assert_eq!(unshown().await?, [(first.0, None), (second.0, None)]);

    let attempt = |request, revision| RequestShowing {
        request,
        channel: ChannelId(u64::MAX),
        attempted: at("10:20:00"),
        message: None,
        shown_at: None,
        revision,
        let_go: false,
    };
    let tried = attempt(first, request.revision);
    world.store.note_request_showing(&tried).await?;
    assert_eq!(unshown().await?, [(first.0, Some(tried.clone())), (second.0, None)], "nobody answered yet");
    let shown = RequestShowing { message: Some(MessageId(7)), shown_at: Some(at("10:20:01")), ..tried };
    world.store.note_request_showing(&shown).await?;
    let let_go = RequestShowing { let_go: true, ..attempt(second, 1) };
    world.store.note_request_showing(&let_go).await?;
    assert_eq!(unshown().await?, [(second.0, Some(let_go))], "how it ended is told without a card");
    let told = RequestShowing { let_go: true, ..attempt(second, ended.revision) };
    world.store.note_request_showing(&told).await?;
    assert_eq!(unshown().await?, []);

    let world = world.restarted().await?;
    assert_eq!(world.store.request_showing(first).await?.as_ref(), Some(&shown));
    assert_eq!(world.store.request_showing(RequestNumber(1)).await?, None);
    let after = happens(&world.store, &request, approval(&request, ADA)).await?;
    assert_eq!(world.store.unshown_requests().await?, [(after, Some(shown))], "the card is out of date");
    Ok(())
}

#[tokio::test]
async fn after_a_pause_no_write_is_begun() -> Result<()> {
    let world = World::new().await?;
    let request = pending(&world, frozen("slack", &[])).await?;
    let approved = RequestEvent::Approved { by: ADA, person: None, hash: request.hash.short().to_owned() };
    happens(&world.store, &request, approved).await?;
    let paused = domain::requests::Paused { by: OLIVE, since: at("10:00:00"), reason: "stop".to_owned() };
    let draft = |what: &str| domain::audit::Draft { what: what.to_owned(), ..Default::default() };
    world.store.pause(Some(paused), draft("pause"), at("10:00:00")).await?;

    let begun = world.store.step(request.number, RequestEvent::Begun, None, None, at("10:00:01")).await?;
    assert_eq!(begun, Some(Err(Refusal::Paused)));
    world.store.pause(None, draft("resume"), at("10:00:02")).await?;
    let begun = world.store.step(request.number, RequestEvent::Begun, None, None, at("10:00:03")).await?;
    assert!(matches!(begun, Some(Ok(_))), "{begun:?}");
    Ok(())
}
