//! What people do to an incident by hand: stored with its audit entry, or not at all.

use anyhow::Result;
use domain::audit::Draft;
use domain::ids::{IncidentNumber, MemberId};
use domain::incident::{Began, Change, Claim, Closing, Ending, Happened, Incident, Snooze, Stage};
use domain::requests::{AuditQuery, Requests};
use domain::store::Store;
use sqlx::Executor;

use crate::world::*;

/// Discord ids do not fit into a signed number.
const OLIVE: MemberId = MemberId(u64::MAX);
const OSCAR: MemberId = MemberId(7);

/// A world where Dana's and Eli's pushes to Slack fail.
async fn where_two_fail() -> Result<World> {
    let world = World::that_has_looked_back().await?;
    world.takes(&[fails("e1", "10:00:00", "dana", "slack"), fails("e2", "10:00:00", "eli", "slack")]).await?;
    Ok(world)
}

fn entry(what: &str, by: MemberId) -> Draft {
    Draft { what: what.to_owned(), member: Some(by), reason: "because".to_owned(), ..Draft::default() }
}

fn claims(by: MemberId, from: Option<MemberId>) -> Change {
    Change::Claimed { by, from }
}

async fn does(world: &World, change: Change, time: &str) -> Result<Option<Incident>> {
    let entry = entry("incident.by_hand", OLIVE);
    Ok(world.store.change_by_hand(IncidentNumber(1), change, entry, at(time)).await?)
}

async fn written_down(world: &World) -> Result<Vec<Draft>> {
    let entries = world.store.entries(&AuditQuery::default()).await?;
    Ok(entries.into_iter().rev().map(|entry| entry.draft).collect())
}

#[tokio::test]
async fn all_that_was_done_by_hand_comes_back_as_it_was_also_after_a_restart() -> Result<()> {
    let world = where_two_fail().await?;
    does(&world, claims(OLIVE, None), "10:01:00").await?;
    does(&world, claims(OSCAR, Some(OLIVE)), "10:02:00").await?;
    let snoozed = Change::Snoozed { by: OSCAR, until: at("14:00:00") };
    let after = does(&world, snoozed, "10:03:00").await?;

    let world = world.restarted().await?;
    let incident = world.incident(1).await?;
    assert_eq!(after.as_ref(), Some(&incident));
    assert_eq!(incident.claim, Some(Claim { by: OSCAR, at: at("10:02:00") }));
    let until = Snooze { by: OSCAR, at: at("10:03:00"), until: at("14:00:00") };
    assert_eq!(incident.snooze, Some(until));
    assert_eq!(world.store.snoozed().await?, [(IncidentNumber(1), at("14:00:00"))]);

    let reason = "“retired’, \n see the ticket".to_owned();
    let closed = does(&world, Change::Closed { by: OLIVE, reason: reason.clone() }, "10:04:00").await?;
    let world = world.restarted().await?;
    let incident = world.incident(1).await?;
    assert_eq!(closed.as_ref(), Some(&incident));
    assert_eq!(incident.closed, Some(Closing { by: OLIVE, reason: reason.clone() }));
    assert_eq!(incident.stage, Stage::Over { how: Ending::Closed, at: at("10:04:00") });
    assert_eq!((incident.snooze, incident.failing().count()), (None, 0));
    assert!(world.store.snoozed().await?.is_empty());

    let lines = world.store.lines(incident.number, 0).await?;
    let told: Vec<_> = lines.into_iter().map(|line| line.what).collect();
    assert_eq!(
        told,
        [
            Happened::Claimed { by: OLIVE, from: None },
            Happened::Claimed { by: OSCAR, from: Some(OLIVE) },
            Happened::Snoozed { by: OSCAR, until: at("14:00:00") },
            Happened::Closed { by: OLIVE, reason, people: 2 },
        ]
    );
    Ok(())
}

#[tokio::test]
async fn each_is_written_down_with_how_it_stood_before_and_after() -> Result<()> {
    let world = where_two_fail().await?;
    does(&world, claims(OSCAR, None), "10:01:00").await?;

    let entries = written_down(&world).await?;
    let expected = Draft {
        org: Some(acme()),
        app: Some("slack".parse()?),
        before: "incident #1: open, 2 failing".to_owned(),
        after: "incident #1: open, 2 failing, had by 7".to_owned(),
        ..entry("incident.by_hand", OLIVE)
    };
    assert_eq!(entries, [expected]);
    Ok(())
}

#[tokio::test]
async fn what_changes_nothing_is_not_written_down() -> Result<()> {
    let world = where_two_fail().await?;
    let before = world.incident(1).await?;

    assert_eq!(does(&world, claims(OSCAR, Some(OLIVE)), "10:01:00").await?, None);
    let nobody = entry("incident.by_hand", OLIVE);
    let nowhere = IncidentNumber(9);
    let change = world.store.change_by_hand(nowhere, claims(OLIVE, None), nobody, at("10:01:00")).await?;

    assert_eq!(change, None);
    assert_eq!(world.incident(1).await?, before);
    assert!(written_down(&world).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn without_the_audit_entry_nothing_is_done() -> Result<()> {
    let world = where_two_fail().await?;
    let before = world.incident(1).await?;
    world.breaks("INSERT", "audit").await?;

    assert!(does(&world, claims(OLIVE, None), "10:01:00").await.is_err());

    assert_eq!(world.incident(1).await?, before);
    assert!(world.store.lines(before.number, 0).await?.is_empty());
    world.mends("audit").await?;
    assert!(does(&world, claims(OLIVE, None), "10:01:00").await?.is_some());
    Ok(())
}

#[tokio::test]
async fn of_many_who_claim_at_once_one_has_it() -> Result<()> {
    let world = where_two_fail().await?;
    let claim = |member: u64| {
        let by = MemberId(member);
        let entry = entry("incident.claimed", by);
        world.store.change_by_hand(IncidentNumber(1), claims(by, None), entry, at("10:01:00"))
    };

    let claimed = futures_util::future::try_join_all((1..=20).map(claim)).await?;

    assert_eq!(claimed.iter().filter(|claimed| claimed.is_some()).count(), 1);
    assert_eq!(written_down(&world).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_page_that_wakes_an_incident_takes_everybody_into_the_new_chapter() -> Result<()> {
    let world = where_two_fail().await?;
    world.shows(1).await?;
    does(&world, Change::Snoozed { by: OLIVE, until: at("14:00:00") }, "10:01:00").await?;
    world.takes(&[fails("e3", "10:02:00", "dana", "slack")]).await?;
    assert_eq!(world.told().await?, ["#1 slack open chapter 1 failing dana+eli"]);

    world.takes(&[fails("e4", "10:03:00", "fay", "slack")]).await?;

    let world = world.restarted().await?;
    assert_eq!(world.told().await?, ["#1 slack open chapter 2 failing dana+eli+fay"]);
    let incident = world.incident(1).await?;
    assert_eq!((incident.began, incident.current().count()), (Began::NewPerson, 3));
    assert_eq!(incident.snooze, None);
    assert_eq!(world.unshown().await?, [1], "the new chapter has no message");
    Ok(())
}

#[tokio::test]
async fn time_that_is_over_wakes_it_once() -> Result<()> {
    let world = where_two_fail().await?;
    does(&world, Change::Snoozed { by: OLIVE, until: at("14:00:00") }, "10:01:00").await?;
    let wakes = |time: &str| world.store.change(IncidentNumber(1), Change::TimePassed, at(time));

    assert_eq!(wakes("13:59:59").await?, None);
    let woken = wakes("14:00:00").await?;
    assert_eq!(wakes("14:00:01").await?, None);

    let incident = world.incident(1).await?;
    assert_eq!(woken.as_ref(), Some(&incident));
    assert_eq!((incident.began, incident.chapter, incident.current().count()), (Began::SnoozeOver, 2, 2));
    Ok(())
}

#[tokio::test]
async fn a_failure_after_it_was_closed_opens_it_again() -> Result<()> {
    let world = where_two_fail().await?;
    does(&world, claims(OSCAR, None), "10:01:00").await?;
    does(&world, Change::Closed { by: OLIVE, reason: "retired".to_owned() }, "10:02:00").await?;

    world.takes(&[fails("e3", "10:30:00", "dana", "slack")]).await?;

    assert_eq!(world.told().await?, ["#1 slack open chapter 2 failing dana"]);
    let incident = world.incident(1).await?;
    assert_eq!((incident.closed, incident.claim, incident.began), (None, None, Began::CameBack));
    Ok(())
}

#[tokio::test]
async fn a_database_from_before_there_were_hands_is_brought_up_to_date() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    for event in [
        fails("e1", "10:00:00", "dana", "slack"),
        works("e2", "10:01:00", "dana", "slack"),
        fails("e3", "10:02:00", "dana", "slack"),
        fails("e4", "10:02:00", "dana", "zoom"),
    ] {
        world.takes(&[event]).await?;
    }
    let mut intruder = world.intruder().await?;
    intruder.execute("DROP INDEX incident_snoozed").await?;
    for column in [
        "began",
        "claimed_by",
        "claimed_ms",
        "snoozed_by",
        "snoozed_ms",
        "snoozed_until_ms",
        "closed_by",
        "closed_why",
    ] {
        intruder.execute(sqlx::AssertSqlSafe(format!("ALTER TABLE incident DROP COLUMN {column}"))).await?;
    }
    intruder.execute("DELETE FROM _sqlx_migrations WHERE version = 3").await?;
    drop(intruder);

    let world = world.restarted().await?;

    let began = [world.incident(1).await?.began, world.incident(2).await?.began];
    assert_eq!(began, [Began::CameBack, Began::New]);
    assert!(does(&world, claims(OLIVE, None), "10:03:00").await?.is_some());
    Ok(())
}
