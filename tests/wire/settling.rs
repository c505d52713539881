//! Nobody knows whether Okta did it: over a restart that is said, and settled as soon as Okta's log tells.

use anyhow::{Context, Result, ensure};
use sim::okta::Fault;

use crate::world::{World, last, text, until};

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_unclear_after_a_restart_and_settled_by_the_log() -> Result<()> {
    let world = World::new().await?;
    world.may_write()?;
    let running = world.runs().await?;
    let app = world.comes_back("Dana", "Slack");
    world.alert("[!] ACTION NEEDED · Slack").await?;
    let card = world.asks_to_enable(&app, "Slack").await?;
    world.okta.faults().next(1, "PUT /api/v1/apps/", Fault::Drop);
    last(&world.amy.clicks(card.id, "Approve").await?).await?;
    let puts = || world.okta.requests("/api/v1/apps/").iter().filter(|asked| asked.method == "PUT").count();
    until("it was written", || puts() == 1).await?;
    running.stops().await?;

    let running = world.runs().await?;
    let now = || world.discord.message(card.id).map(|message| (message.content.clone(), text(&message)));
    let says = |start: &str| now().is_some_and(|(content, _)| content.starts_with(start));
    until("the card says that it is unclear", || says("[x] UNCLEAR · Slack · R1")).await?;
    let (_, unclear) = now().context("the card is gone")?;
    ensure!(unclear.contains("Provost goes on asking Okta until"), "{unclear}");
    let told = world.alert("R1 for Slack is unclear").await?;
    ensure!(told.pings.users.len() == 1 && told.pings.roles.len() == 1, "{told:?}");
    ensure!(!world.okta.deactivates_users(&app), "nothing is written a second time");

    // The write was on its way after all, or a person did it: the log tells.
    world.okta.enables_in_console(&app, "Jo Ortiz");
    until("the card says that it is fixed", || says("[✓] DONE · Slack · R1")).await?;
    world.alert("R1 for Slack is not unclear any more: Deactivate Users is on").await?;
    assert_eq!(puts(), 1);
    running.stops().await
}
