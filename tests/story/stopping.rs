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

#[tokio::test]
async fn five_in_a_row_of_the_last_wave_stop_the_rest() -> Result<()> {
    let (world, app, people) = where_a_bulk_is_approved().await?;
    until_pushed(&world, 11).await?;
    // From here on the app refuses everybody. Okta says so in its log, after the pushes.
    world.okta.app_refuses_with(&app, "User account is inactive");
    world.works().await?;

    let sent = posts(&world);
    assert!((16..40).contains(&sent), "{sent} were pushed");
    assert_eq!(active(&world, &app, &people), 11);
    let told = format!(
        "R1 for Slack worked for some only: 11 of 40 proven, {} failed; stopped since too many failed, {} not begun",
        sent - 11,
        40 - sent
    );
    assert!(world.lines().iter().any(|line| line.contains(&told)), "{told}: {:?}", world.lines());
    assert!(
        world.lines().iter().any(|line| line.contains("User account is inactive")),
        "{:?}",
        world.lines()
    );
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
