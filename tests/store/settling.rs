//! Events that give no reason, and what is decided about them.

use anyhow::Result;
use domain::cause::{CauseId, Confidence};
use domain::event::{Event, EventKind};
use domain::store::Store;

use crate::world::*;

async fn settles(world: &World, id: &str, off: Option<bool>) -> Result<()> {
    world.store.settle(&acme(), &id.parse()?, off, &world.causes, at("10:01:00")).await?;
    Ok(())
}

async fn left(world: &World) -> Result<Vec<String>> {
    let left = world.store.unexplained(&acme(), at("23:00:00"), 0).await?;
    Ok(left.iter().map(|event| event.id.to_string()).collect())
}

#[tokio::test]
async fn what_is_left_unexplained_comes_back_as_it_was() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    let mut event = fails_silently("e1", "10:00:00", "dana", "slack");
    event.legacy_type = Some("app.user_management.push_profile_failure".to_owned());
    event.message = Some("Push profile".to_owned());
    event.actor.id = Some("okta".to_owned());

    world.takes(&[event.clone()]).await?;

    assert_eq!(world.store.unexplained(&acme(), at("10:00:01"), 0).await?, [event]);
    assert!(world.store.unexplained(&acme(), at("10:00:00"), 0).await?.is_empty(), "it has just arrived");
    assert!(world.incidents().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn with_the_setting_off_our_cause_is_possible() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world.takes(&[fails_silently("e1", "10:00:00", "dana", "slack")]).await?;

    settles(&world, "e1", Some(true)).await?;
    settles(&world, "e1", Some(true)).await?;

    let incident = world.incident(1).await?;
    assert_eq!((incident.cause, incident.confidence), (CauseId::inactive_account(), Confidence::Possible));
    assert_eq!(incident.failures.values().next().map(|failure| failure.times), Some(1));
    assert!(left(&world).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn two_guesses_do_not_make_a_likelihood() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world
        .takes(&[
            fails_silently("e1", "10:00:00", "dana", "slack"),
            fails_silently("e2", "10:00:01", "dana", "slack"),
        ])
        .await?;

    settles(&world, "e1", Some(true)).await?;
    settles(&world, "e2", Some(true)).await?;

    assert_eq!(world.incident(1).await?.confidence, Confidence::Possible);
    Ok(())
}

#[tokio::test]
async fn a_failure_of_the_person_within_a_minute_explains_it() -> Result<()> {
    for (time, expected) in [("10:00:59", Some(Confidence::Certain)), ("10:01:01", None)] {
        let world = World::that_has_looked_back().await?;
        world
            .takes(&[fails_silently("e1", "10:00:00", "dana", "slack"), fails("e2", time, "dana", "slack")])
            .await?;

        settles(&world, "e1", None).await?;

        let incident = world.incident(1).await?;
        let times = incident.failures.values().next().map(|failure| failure.times);
        assert_eq!(times, Some(if expected.is_some() { 2 } else { 1 }), "{time}");
        assert_eq!(left(&world).await?.is_empty(), expected.is_some(), "{time}");
    }
    Ok(())
}

#[tokio::test]
async fn with_the_setting_on_it_is_another_cause_and_no_alert() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world.takes(&[fails_silently("e1", "10:00:00", "dana", "slack")]).await?;

    settles(&world, "e1", Some(false)).await?;

    assert!(world.incidents().await?.is_empty());
    assert!(left(&world).await?.is_empty());
    assert_eq!(world.store.tally(&acme(), at("00:00:00")).await?.causes, [(CauseId::other(), 1)]);
    Ok(())
}

#[tokio::test]
async fn what_is_no_push_is_not_suspected_of_our_cause() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    let event_type = "application.provision.user.import_profile".to_owned();
    let kind = EventKind::of(&event_type);
    world.takes(&[Event { event_type, kind, ..fails_silently("e1", "10:00:00", "dana", "slack") }]).await?;

    settles(&world, "e1", Some(true)).await?;

    assert!(world.incidents().await?.is_empty());
    assert!(left(&world).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn while_okta_cannot_be_asked_nothing_is_decided() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world.takes(&[fails_silently("e1", "10:00:00", "dana", "slack")]).await?;

    settles(&world, "e1", None).await?;

    assert_eq!(left(&world).await?, ["e1"]);
    world.store.prune(at("23:00:00")).await?;
    assert_eq!(left(&world).await?, ["e1"], "it is not forgotten before it is decided");
    Ok(())
}

#[tokio::test]
async fn what_the_first_look_back_left_open_stays_quiet() -> Result<()> {
    let world = World::new().await?;
    world.looks_back_at(&[fails_silently("e1", "10:00:00", "dana", "slack")]).await?;
    world.takes(&[]).await?;

    settles(&world, "e1", Some(true)).await?;

    assert_eq!(world.told().await?, ["#1 slack open chapter 1 quiet failing dana"]);
    Ok(())
}

#[tokio::test]
async fn a_success_that_came_meanwhile_ends_what_is_settled() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world
        .takes(&[fails_silently("e1", "10:00:00", "dana", "slack"), works("e2", "10:00:10", "dana", "slack")])
        .await?;

    settles(&world, "e1", Some(true)).await?;

    assert_eq!(world.told().await?, ["#1 slack Fixed 10:00:10 chapter 1 failing "]);
    Ok(())
}
