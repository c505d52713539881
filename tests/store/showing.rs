//! What the channel does not show as it is, and how that is noted.

use anyhow::Result;
use domain::ids::{ChannelId, MessageId};
use domain::incident::{Change, Findings, Mode};
use domain::notice::Told;
use domain::store::{Kept, Showing, Store};

use crate::world::*;

#[tokio::test]
async fn a_new_incident_is_unshown_until_its_message_is_noted() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world.takes(&[fails("e1", "10:00:00", "dana", "slack")]).await?;
    assert_eq!(world.unshown().await?, [1]);

    let attempt = attempt(&world.incident(1).await?);
    world.store.note_showing(&attempt).await?;
    assert_eq!(world.unshown().await?, [1], "an attempt is not a message");
    assert_eq!(world.store.unshown().await?[0].showings, [attempt]);
    assert_eq!(world.store.showing(world.incident(1).await?.number).await?, None);

    let shown = world.shows(1).await?;
    assert!(world.unshown().await?.is_empty());
    assert_eq!(world.store.showing(shown.incident).await?, Some(shown));
    Ok(())
}

#[tokio::test]
async fn an_older_revision_or_an_untold_line_makes_it_unshown() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world.takes(&[fails("e1", "10:00:00", "dana", "slack")]).await?;
    world.shows(1).await?;

    world.takes(&[fails("e2", "10:00:30", "eli", "slack")]).await?;
    assert_eq!(world.unshown().await?, [1], "an older revision");
    world.shows(1).await?;

    world.takes(&[turned(true, "e3", "10:01:00", "slack")]).await?;
    let incident = world.incident(1).await?;
    let told = Showing { told: 0, revision: incident.revision, ..world.shows(1).await? };
    world.store.note_showing(&told).await?;
    let unshown = world.store.unshown().await?;
    assert_eq!((unshown.len(), unshown[0].lines), (1, 1), "an untold line");

    world.shows(1).await?;
    assert!(world.unshown().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn an_end_is_shown_too() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world.takes(&[fails("e1", "10:00:00", "dana", "slack")]).await?;
    world.shows(1).await?;

    world.takes(&[works("e2", "10:01:00", "dana", "slack")]).await?;

    assert_eq!(world.unshown().await?, [1]);
    Ok(())
}

#[tokio::test]
async fn what_was_over_before_we_first_looked_is_not_posted_but_what_was_attempted_is() -> Result<()> {
    let world = World::new().await?;
    world
        .looks_back_at(&[fails("e1", "10:00:00", "dana", "slack"), fails("e2", "10:00:00", "dana", "zoom")])
        .await?;
    assert_eq!(world.unshown().await?, [1, 2]);

    world.store.note_showing(&attempt(&world.incident(2).await?)).await?;
    world
        .looks_back_at(&[works("e3", "10:01:00", "dana", "slack"), works("e4", "10:01:00", "dana", "zoom")])
        .await?;

    assert_eq!(world.unshown().await?, [2], "its message may be in the channel");
    Ok(())
}

#[tokio::test]
async fn a_new_chapter_gets_a_message_and_the_old_one_points_to_it_once() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world
        .takes(&[fails("e1", "10:00:00", "dana", "slack"), works("e2", "10:01:00", "dana", "slack")])
        .await?;
    let first = world.shows(1).await?;
    assert!(world.unshown().await?.is_empty());

    world.takes(&[fails("e3", "10:02:00", "dana", "slack")]).await?;
    assert_eq!(world.unshown().await?, [1], "the new chapter has no message");
    let second = world.shows(1).await?;

    let unshown = &world.store.unshown().await?[0];
    let replaced = Showing { state: Kept::Replaced, ..first };
    assert_eq!(unshown.showings, [replaced.clone(), second.clone()]);

    world.store.note_showing(&Showing { state: Kept::Live, ..replaced.clone() }).await?;
    assert_eq!(
        world.store.unshown().await?[0].showings[0].state,
        Kept::Replaced,
        "it does not come back to life"
    );

    world.store.note_showing(&Showing { state: Kept::LetGo, ..replaced }).await?;
    assert!(world.unshown().await?.is_empty());
    assert_eq!(world.store.showing(second.incident).await?, Some(second));
    Ok(())
}

#[tokio::test]
async fn a_message_that_was_deleted_is_let_go() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world.takes(&[fails("e1", "10:00:00", "dana", "slack")]).await?;
    let shown = world.shows(1).await?;
    world.store.note_showing(&Showing { state: Kept::LetGo, ..shown }).await?;

    world.takes(&[fails("e2", "10:00:30", "eli", "slack")]).await?;

    assert!(world.unshown().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn all_of_a_showing_comes_back() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world.takes(&[fails("e1", "10:00:00", "dana", "slack")]).await?;
    let all = Showing { thread: Some(ChannelId(u64::MAX - 1)), told: 3, ..world.shows(1).await? };

    world.store.note_showing(&all).await?;

    assert_eq!(world.store.showing(all.incident).await?, Some(all));
    Ok(())
}

#[tokio::test]
async fn findings_change_a_card_and_come_back_as_they_were() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world.takes(&[fails("e1", "10:00:00", "dana", "slack")]).await?;
    world.shows(1).await?;
    let findings = Findings {
        at: at("10:00:10"),
        deactivates_users: Some(false),
        mode: Mode::Guided,
        kind: "slack".to_owned(),
        missing: vec!["its people: Okta forbids this".to_owned()],
    };
    let assigned = vec![("dana".parse()?, domain::facts::Scope::Group)];

    let number = world.incident(1).await?.number;
    let change = Change::Found { findings, assigned };
    let after = world.store.change(number, change, at("10:00:10")).await?;

    assert_eq!(after, Some(world.incident(1).await?));
    assert!(after.is_some_and(|incident| incident.findings.is_some()));
    assert_eq!(world.unshown().await?, [1]);
    Ok(())
}

#[tokio::test]
async fn a_change_that_changes_nothing_leaves_the_incident_alone() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world.takes(&[fails("e1", "10:00:00", "dana", "slack")]).await?;
    let before = world.incident(1).await?;
    let why = domain::incident::EndedBecause::InactiveInOkta;
    let gone = |person: &str| -> Result<Change> {
        Ok(Change::Gone { person: person.parse()?, why, at: at("10:01:00") })
    };

    assert_eq!(world.store.change(before.number, gone("eli")?, at("10:01:00")).await?, None);
    assert_eq!(world.incident(1).await?, before);

    let after = world.store.change(before.number, gone("dana")?, at("10:01:00")).await?;
    assert_eq!(after, Some(world.incident(1).await?));
    assert_eq!(world.store.lines(before.number, 0).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_notice_is_told_once_and_its_number_is_never_used_again() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    let told = [
        Told::Blind { since: at("09:00:00"), why: "Okta cannot be reached".to_owned() },
        Told::SeesAgain { since: at("09:00:00"), until: at("10:00:00"), caught_up: 12 },
        Told::Restarted { from: at("08:00:00"), why: "“a’ \n".to_owned(), gap: true },
        Told::Unrecorded {
            request: domain::request::RequestNumber(3),
            app: domain::event::App { id: "app1".parse()?, label: "Airbase".to_owned() },
            why: "the disk is full".to_owned(),
        },
    ];
    for told in &told {
        world.store.add_notice(&acme(), told, at("10:00:00")).await?;
    }
    let untold = world.store.untold().await?;
    assert_eq!(
        untold.iter().map(|untold| &untold.notice.what).collect::<Vec<_>>(),
        told.iter().collect::<Vec<_>>()
    );

    world.store.note_telling(1, at("10:00:01")).await?;
    world.store.note_telling(1, at("10:00:09")).await?;
    assert_eq!(world.store.untold().await?[0].attempted, Some(at("10:00:01")));
    for number in 1..=4 {
        world.store.note_told(number, MessageId(8)).await?;
    }
    assert!(world.store.untold().await?.is_empty());

    world.store.prune(at("20:00:00")).await?;
    world.store.add_notice(&acme(), &told[0], at("21:00:00")).await?;
    assert_eq!(world.store.untold().await?[0].notice.number, 5);
    Ok(())
}
