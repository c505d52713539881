//! Failures whose ground is gone, failures that nobody can explain, and a log that is read slowly.

use anyhow::Result;
use jiff::SignedDuration;
use sim::okta::{DeactivateUsers, FailureShape, Fault};

use crate::world::{World, read};

#[tokio::test]
async fn somebody_who_is_suspended_later_no_longer_waits() -> Result<()> {
    let (world, dana, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.okta.is_suspended(&dana);

    world.lives_through(SignedDuration::from_mins(70)).await?;

    let lines = world.lines();
    assert!(lines[0].starts_with("[=] ENDED · Airbase"), "{lines:?}");
    assert!(world.discord.transcript().contains("the Okta user is not active"));
    Ok(())
}

#[tokio::test]
async fn an_app_that_okta_does_not_have_any_more_ends_its_alert() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.okta.faults().next(1_000, &format!("/api/v1/apps/{app}"), Fault::Status(404));

    world.lives_through(SignedDuration::from_mins(70)).await?;

    let lines = world.lines();
    assert!(lines[0].starts_with("[=] ENDED · Airbase"), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn a_failure_without_a_reason_is_judged_by_the_setting_as_it_is_now() -> Result<()> {
    let world = World::new().await?;
    let app = world.okta.installs("Airbase", "airbase", DeactivateUsers::On);
    world.indexes().await?;
    world.okta.disables_in_console(&app, "Max Power");
    world.passes(SignedDuration::from_secs(60));
    world.looks().await?;
    world.okta.failures_log(FailureShape::Unexplained);
    let dana = world.okta.hires("Dana", "Reyes");
    world.okta.left_inactive(&dana, &app);
    world.okta.assigns(&dana, &app);
    world.settles().await?;
    world.settles().await?;

    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[!] ACTION NEEDED · Airbase")), "{lines:?}");
    let (diagnosis, _) = world.types("diagnose", &[("app", "Airbase")]).await;
    assert!(diagnosis.content.contains("the setting is off"), "{}", read(&diagnosis));
    Ok(())
}

#[tokio::test]
async fn an_app_that_may_not_be_read_hides_no_failure_of_another() -> Result<()> {
    let world = World::new().await?;
    world.okta.failures_log(FailureShape::Unexplained);
    let hidden = world.okta.installs("Hidden", "hidden", DeactivateUsers::Off);
    let forbidden = Fault::Forbidden { scope: "okta.apps.read".to_owned() };
    world.okta.faults().next(100_000, &format!("/api/v1/apps/{hidden}"), forbidden);
    for n in 0..600 {
        let person = world.okta.hires(&format!("Person{n}"), "Hidden");
        world.okta.left_inactive(&person, &hidden);
        world.okta.assigns(&person, &hidden);
    }
    world.settles().await?;
    let app = world.okta.installs("Airbase", "airbase", DeactivateUsers::Off);
    let dana = world.okta.hires("Dana", "Reyes");
    world.okta.left_inactive(&dana, &app);
    world.okta.assigns(&dana, &app);
    world.settles().await?;
    world.settles().await?;

    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[!] ACTION NEEDED · Airbase")), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn a_backlog_that_the_rate_limit_stretches_is_no_outage() -> Result<()> {
    let world = World::new().await?.may_use(0.4).await?;
    world.okta.chatters(20_000);
    world.okta.ledger().clear();
    world.okta.rate_limit("/api/v1/logs", 10);
    for _ in 0..14 {
        world.looks().await?;
        world.shows().await?;
        world.passes(SignedDuration::from_secs(30));
    }

    assert_eq!(world.lines(), Vec::<String>::new());
    Ok(())
}
