//! A person does it in the console: who did it is told, whatever comes late, is taken back or goes away meanwhile.

use anyhow::Result;
use jiff::SignedDuration;

use crate::world::World;

const WHY: &str = "Dana is back; HR ticket 4711";

/// Airbase's setting is for a person to turn on, and that is approved.
async fn where_airbase_is_to_be_turned_on() -> Result<(World, String)> {
    let (world, _, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Airbase", WHY).await?;
    world.presses_card("Ada", "Approve").await?;
    world.works().await?;
    assert!(world.card("[~] IN PROGRESS · Airbase · R1").contains("To do, in Okta's console"));
    Ok((world, app))
}

/// Time passes, and each pass comes before the log is looked at.
async fn minutes_go_by(world: &World, minutes: usize) -> Result<()> {
    for _ in 0..minutes * 2 {
        world.passes(SignedDuration::from_secs(30));
        world.app.executor.pass().await?;
        world.looks().await?;
        world.shows().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_log_that_is_late_still_tells_who_did_it() -> Result<()> {
    let (world, app) = where_airbase_is_to_be_turned_on().await?;
    world.okta.arrives_late(SignedDuration::from_secs(100));
    world.okta.enables_in_console(&app, "Jo Ortiz");
    minutes_go_by(&world, 4).await?;
    let card = world.card("[✓] DONE · Airbase · R1");
    assert!(card.contains("Done by Jo Ortiz"), "{card}");
    Ok(())
}

#[tokio::test]
async fn where_the_log_never_tells_the_app_itself_is_the_proof() -> Result<()> {
    let (world, app) = where_airbase_is_to_be_turned_on().await?;
    world.okta.arrives_late(SignedDuration::from_hours(30));
    world.okta.enables_in_console(&app, "Jo Ortiz");
    minutes_go_by(&world, 5).await?;
    let card = world.card("[✓] DONE · Airbase · R1");
    assert!(!card.contains("Done by"), "{card}");
    Ok(())
}

#[tokio::test]
async fn what_was_turned_on_and_off_again_names_who_took_it_back() -> Result<()> {
    let (world, app) = where_airbase_is_to_be_turned_on().await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.passes(SignedDuration::from_secs(5));
    world.okta.disables_in_console(&app, "Max Power");
    minutes_go_by(&world, 2).await?;
    let told = "R1 for Airbase failed: it was turned on, and Max Power turned it off again";
    assert_eq!(world.lines().iter().filter(|line| line.contains(told)).count(), 1, "{:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn an_app_that_is_gone_meanwhile_ends_it() -> Result<()> {
    let (world, _) = where_airbase_is_to_be_turned_on().await?;
    world.okta.faults().next(10, "GET /api/v1/apps/", sim::okta::Fault::Status(404));
    minutes_go_by(&world, 2).await?;
    let told = "R1 for Airbase failed: Okta does not know app";
    assert_eq!(world.lines().iter().filter(|line| line.contains(told)).count(), 1, "{:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn an_app_that_may_not_be_read_any_more_is_told_when_the_day_is_over() -> Result<()> {
    let (world, _) = where_airbase_is_to_be_turned_on().await?;
    let forbidden = sim::okta::Fault::Forbidden { scope: "okta.apps.read".to_owned() };
    world.okta.faults().next(10_000, "GET /api/v1/apps/", forbidden);
    minutes_go_by(&world, 2).await?;
    world.passes(SignedDuration::from_hours(24));
    minutes_go_by(&world, 2).await?;
    let told = "R1 for Airbase failed: no proof came in time, and how it stands cannot be read";
    let lines = world.lines();
    assert!(lines.iter().any(|line| line.contains(told) && line.contains("okta.apps.read")), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn an_api_that_can_be_read_but_refuses_the_write_leaves_it_to_a_person() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    world.presses_card("Ada", "Approve").await?;
    world.spoils_the_write(sim::okta::Fault::Status(400));
    world.works().await?;
    let card = world.card("[x] FIX FAILED · Slack · R1");
    assert!(
        card.contains("Okta's API does not take this change") && card.contains("Provisioning > To App"),
        "{card}"
    );

    let confirmation = world.says("Olive", "enable", &[("app", "Slack"), ("reason", WHY)]).await;
    world.presses("Olive", &confirmation, "Enable Deactivate Users").await?;
    world.works().await?;
    assert!(
        crate::world::read(&confirmation).contains("Okta's API refused it the last time"),
        "{confirmation:?}"
    );
    world.presses_card("Ada", "Approve").await?;
    world.works().await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.works().await?;
    assert!(world.card("[✓] DONE · Slack · R2").contains("Done by Jo Ortiz"));
    Ok(())
}
