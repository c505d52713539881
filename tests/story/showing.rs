//! The channel shows how it stands, wherever it is, and whatever one message does.

use anyhow::Result;
use jiff::SignedDuration;
use sim::discord::Fault;
use sim::okta::DeactivateUsers;

use crate::world::World;

/// Somebody comes back to a new app.
fn comes_back(world: &World, name: &str, label: &str) -> (String, String) {
    let app = world.okta.installs(label, &label.to_lowercase(), DeactivateUsers::Off);
    let person = world.okta.hires(name, "Reyes");
    world.okta.left_inactive(&person, &app);
    world.okta.assigns(&person, &app);
    (person, app)
}

#[tokio::test]
async fn an_alert_moves_when_its_channel_is_gone_and_alerts_go_elsewhere() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.discord.deletes_channel(world.channel);
    let elsewhere = world.discord.channel("elsewhere");
    let world = world.alerts_go_to(elsewhere).await?;

    // The old alert changes, and a new one comes.
    let ben = world.okta.hires("Ben", "Okoro");
    world.okta.left_inactive(&ben, &app);
    world.okta.assigns(&ben, &app);
    comes_back(&world, "Cleo", "Slack");
    world.settles().await?;
    world.settles().await?;

    let lines = world.lines();
    for words in ["[!] ACTION NEEDED · Airbase · 2 people", "[!] ACTION NEEDED · Slack · 1 person"] {
        assert!(lines.iter().any(|line| line.starts_with(words)), "{words} is not in {lines:?}");
    }
    assert_eq!(world.app.board.trouble(), None);
    Ok(())
}

#[tokio::test]
async fn one_message_that_never_gets_through_holds_up_no_other() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    // Its thread can never be opened, and there is something to tell in it.
    world.discord.faults().next(1_000, "/threads", Fault::Status(500));
    world.okta.activates_in_app(&dana, &app);
    world.okta.retries_in_console(&dana, &app);
    world.settles().await?;

    comes_back(&world, "Cleo", "Slack");
    world.settles().await?;

    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[!] ACTION NEEDED · Slack")), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn a_channel_that_cannot_be_written_to_is_told_to_those_who_look_after_the_program() -> Result<()> {
    let (world, ..) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.discord.denies(sim::discord::Permission::SEND_MESSAGES, world.channel);

    world.settles().await?;

    assert!(world.app.board.trouble().is_some_and(|why| why.contains("a channel is gone")));
    Ok(())
}

#[tokio::test]
async fn what_changed_between_a_lost_post_and_its_repetition_is_shown() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    // Discord makes the message, and the answer is lost, as often as it is tried.
    world.discord.faults().next(4, "POST", Fault::DropAfter);
    world.settles().await?;
    world.okta.activates_in_app(&dana, &app);
    world.okta.retries_in_console(&dana, &app);
    world.looks().await?;
    world.passes(SignedDuration::from_secs(6));
    world.shows().await?;
    world.passes(SignedDuration::from_secs(6));
    world.shows().await?;

    let lines = world.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("[✓] FIXED · Airbase"), "{lines:?}");
    Ok(())
}
