//! When a bulk stops by itself: five failures in a row, a fifth of a wave. And what heals itself is not pushed at all.

use anyhow::Result;
use jiff::SignedDuration;
use sim::okta::DeactivateUsers;

use crate::world::{World, read};

/// Forty people who can be pushed again, in the order in which they are; a bulk of them is approved.
async fn where_a_bulk_is_approved() -> Result<(World, String, Vec<String>)> {
    let world = World::new().await?;
    let app = world.okta.installs("Slack", "slack", DeactivateUsers::Off);
    let mut people: Vec<String> =
        (0..40).map(|n| world.okta.hires(&format!("Person{n:02}"), "Back")).collect();
    for person in &people {
        world.okta.left_inactive(person, &app);
        world.okta.assigns(person, &app);
    }
    people.sort();
    world.settles().await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.passes(SignedDuration::from_secs(60));
    world.looks().await?;
    let list = world.says("Olive", "retry", &[("app", "Slack")]).await;
    let confirmation = world.presses("Olive", &list, "Retry all 40").await?;
    world.presses("Olive", &confirmation, "Retry").await?;
    world.works().await?;
    world.presses_card("Ada", "Approve").await?;
    Ok((world, app, people))
}

fn posts(world: &World) -> usize {
    world.okta.ledger().exchanges().iter().filter(|each| each.method == "POST").count()
}

fn active(world: &World, app: &str, people: &[String]) -> usize {
    people.iter().filter(|person| world.okta.is_active_in_app(person, app)).count()
}

/// Until so many were pushed, and what came of it has been seen.
async fn until_pushed(world: &World, many: usize) -> Result<()> {
    for _ in 0..60 {
        if posts(world) >= many {
            break;
        }
        world.app.executor.pass().await?;
        world.passes(SignedDuration::from_secs(3));
        world.looks().await?;
    }
    assert_eq!(posts(world), many);
    Ok(())
}

#[tokio::test]
async fn two_of_the_ten_of_the_second_wave_stop_the_rest() -> Result<()> {
    let (world, app, people) = where_a_bulk_is_approved().await?;
    until_pushed(&world, 1).await?;
    // Two of the next ten are refused by Okta: a fifth.
    for person in &people[3..5] {
        let path = format!("POST /api/v1/apps/{app}/users/{person}");
        world.okta.faults().next(1, &path, sim::okta::Fault::Status(400));
    }
    world.works().await?;

    assert_eq!(posts(&world), 11, "the third wave never began");
    assert_eq!(active(&world, &app, &people), 9);
    let card = world.card("[x] FIX FAILED · Slack · R1");
    assert!(card.contains("9 proven, 2 failed, 0 waited for, 29 not begun"), "{card}");
    let told = "R1 for Slack worked for some only: 9 of 40 proven, 2 failed; stopped since too many failed, 29 not begun";
    assert!(world.lines().iter().any(|line| line.contains(told)), "{:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn one_of_the_ten_of_the_second_wave_stops_nobody() -> Result<()> {
    let (world, app, people) = where_a_bulk_is_approved().await?;
    until_pushed(&world, 1).await?;
    let path = format!("POST /api/v1/apps/{app}/users/{}", people[3]);
    world.okta.faults().next(1, &path, sim::okta::Fault::Status(400));
    world.works().await?;

    assert_eq!(posts(&world), 40);
    assert_eq!(active(&world, &app, &people), 39);
    let card = world.card("[x] FIX FAILED · Slack · R1");
    assert!(card.contains("39 proven, 1 failed, 0 waited for, 0 not begun"), "{card}");
    Ok(())
}

/// So many of the last wave of twenty-nine, one after another, are refused.
async fn where_so_many_in_a_row_are_refused(many: usize) -> Result<(World, usize)> {
    let (world, app, people) = where_a_bulk_is_approved().await?;
    until_pushed(&world, 11).await?;
    for person in &people[13..13 + many] {
        let path = format!("POST /api/v1/apps/{app}/users/{person}");
        world.okta.faults().next(1, &path, sim::okta::Fault::Status(400));
    }
    world.works().await?;
    let active = active(&world, &app, &people);
    Ok((world, active))
}

#[tokio::test]
async fn five_in_a_row_of_the_last_wave_stop_the_rest() -> Result<()> {
    // Five of twenty-nine are less than a fifth; that they come in a row stops it.
    let (world, active) = where_so_many_in_a_row_are_refused(5).await?;
    assert_eq!((posts(&world), active), (31, 26), "who was on the way is waited for");
    let told = "R1 for Slack worked for some only: 26 of 40 proven, 5 failed; stopped since too many failed, 9 not begun";
    assert!(world.lines().iter().any(|line| line.contains(told)), "{:?}", world.lines());

    let (world, active) = where_so_many_in_a_row_are_refused(4).await?;
    assert_eq!((posts(&world), active), (40, 36));
    let told = "R1 for Slack worked for some only: 36 of 40 proven, 4 failed. Still failing";
    assert!(world.lines().iter().any(|line| line.contains(told)), "{:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn who_is_left_stands_on_the_card_by_name() -> Result<()> {
    let (world, app, people) = where_a_bulk_is_approved().await?;
    until_pushed(&world, 1).await?;
    let path = format!("POST /api/v1/apps/{app}/users/{}", people[3]);
    world.okta.faults().next(1, &path, sim::okta::Fault::Status(400));
    world.works().await?;

    let card = world.card("[x] FIX FAILED · Slack · R1");
    let name =
        world.okta.person_views().into_iter().find(|each| each.id == people[3]).expect("a person").name;
    assert!(card.contains("Who is left") && card.contains(&name), "{name} is not in {card}");
    Ok(())
}

#[tokio::test]
async fn what_okta_tries_again_by_itself_is_not_pushed_and_it_is_said_when_it_looks_again() -> Result<()> {
    let world = World::new().await?;
    let world = world.configured("[roles]", "[alerts]\ncauses = [\"self-healing\"]\n[roles]").await?;
    let app = world.okta.installs("Slack", "slack", DeactivateUsers::On);
    let dana = world.okta.hires("Dana", "Reyes");
    world.okta.app_is_busy_until(&app, world.okta.now() + SignedDuration::from_mins(60));
    world.okta.assigns(&dana, &app);
    world.settles().await?;
    assert!(world.lines()[0].starts_with("[i] HEALING ITSELF · Slack"), "{:?}", world.lines());

    for person in [None, Some(dana.as_str())] {
        let mut options = vec![("app", "Slack")];
        options.extend(person.map(|person| ("person", person)));
        let answer = world.says("Olive", "retry", &options).await;
        let text = read(&answer);
        for words in ["Okta's own retry", "Okta looks again after", "Retrying by hand makes it worse"] {
            assert!(text.contains(words), "{words} is not in {text}");
        }
        assert!(answer.rows.is_empty(), "{:?}", answer.rows);
    }
    assert_eq!(posts(&world), 0);
    assert!(world.button("Retry…").is_none(), "the alert offers none either");
    Ok(())
}

#[tokio::test]
async fn what_fails_for_another_reason_has_no_proof_and_the_kind_of_failure_is_told() -> Result<()> {
    let (world, app, people) = where_a_bulk_is_approved().await?;
    world.okta.app_refuses_with(&app, "No more seats available");
    world.works().await?;
    world.passes(SignedDuration::from_mins(6));
    world.works().await?;

    assert_eq!(posts(&world), 1, "the first wave is one person");
    assert_eq!(active(&world, &app, &people), 0);
    let card = world.card("[x] FIX FAILED · Slack · R1");
    for words in ["0 proven, 1 failed, 0 waited for, 39 not begun", "a failure of the kind “licence”"] {
        assert!(card.contains(words), "{words} is not in {card}");
    }
    Ok(())
}
