//! How an incident ends, and how it comes back.

use anyhow::Result;
use jiff::SignedDuration;

use crate::world::World;

#[tokio::test]
async fn a_fix_in_the_console_turns_the_card_and_names_its_proof() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;

    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.okta.retries_in_console(&dana, &app);
    world.passes(SignedDuration::from_secs(30));
    world.settles().await?;

    assert!(world.okta.is_active_in_app(&dana, &app));
    let lines = world.lines();
    assert_eq!(lines.len(), 1, "edited in place: {lines:?}");
    assert!(lines[0].starts_with("[✓] FIXED · Airbase · 1 person provisioned"), "{lines:?}");
    let transcript = world.discord.transcript();
    for words in
        ["Proof: success event", "Deactivate Users was turned on by Jo Ortiz", "Fixed for Dana Reyes"]
    {
        assert!(transcript.contains(words), "{words} is not in:\n{transcript}");
    }
    Ok(())
}

#[tokio::test]
async fn somebody_unassigned_is_ended_not_fixed() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;

    world.okta.unassigns(&dana, &app);
    world.passes(SignedDuration::from_secs(30));
    world.settles().await?;

    assert!(world.lines()[0].starts_with("[=] ENDED · Airbase"), "{:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn a_failure_that_returns_within_a_day_is_a_new_message_and_the_old_one_points_to_it() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.okta.activates_in_app(&dana, &app);
    world.passes(SignedDuration::from_secs(60));
    world.okta.retries_in_console(&dana, &app);
    world.settles().await?;
    assert!(world.lines()[0].starts_with("[✓] FIXED"), "{:?}", world.lines());

    world.lives_through(SignedDuration::from_hours(2)).await?;
    world.okta.unassigns(&dana, &app);
    world.okta.left_inactive(&dana, &app);
    world.okta.assigns(&dana, &app);
    world.settles().await?;

    let messages = world.discord.messages(world.channel);
    assert_eq!(messages.len(), 2, "{:?}", world.lines());
    assert!(
        messages[0].content.starts_with("[!] CAME BACK · Airbase · #1 goes on here: https://"),
        "{}",
        messages[0].content
    );
    assert!(
        messages[1].content.starts_with("[!] ACTION NEEDED · Airbase · 1 person cannot be provisioned again"),
        "{}",
        messages[1].content
    );
    assert_eq!(messages[1].pings.roles.len(), 1);
    Ok(())
}

#[tokio::test]
async fn turning_the_setting_off_again_on_a_fixed_app_is_told_with_who_did_it() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.okta.retries_in_console(&dana, &app);
    world.passes(SignedDuration::from_secs(60));
    world.settles().await?;

    world.okta.disables_in_console(&app, "Max Power");
    world.passes(SignedDuration::from_secs(60));
    world.settles().await?;

    let lines = world.lines();
    assert_eq!(
        lines.last().map(String::as_str),
        Some("[!] DRIFT · Airbase · Deactivate Users was turned off again")
    );
    assert!(world.discord.transcript().contains("by Max Power"));
    Ok(())
}

#[tokio::test]
async fn what_has_healed_before_the_first_look_is_not_posted_and_the_rest_pings_nobody() -> Result<()> {
    let world = World::before_the_first_look().await?;
    let healed = world.okta.installs("Airbase", "airbase", sim::okta::DeactivateUsers::Off);
    let failing = world.okta.installs("Smartsheet", "smartsheet", sim::okta::DeactivateUsers::Off);
    let dana = world.okta.hires("Dana", "Reyes");
    for app in [&healed, &failing] {
        world.okta.left_inactive(&dana, app);
        world.okta.assigns(&dana, app);
    }
    world.passes(SignedDuration::from_mins(5));
    world.okta.activates_in_app(&dana, &healed);
    world.okta.retries_in_console(&dana, &healed);

    world.settles().await?;

    let messages = world.discord.messages(world.channel);
    assert_eq!(messages.len(), 1, "{:?}", world.lines());
    assert!(messages[0].content.starts_with("[!] ACTION NEEDED · Smartsheet"));
    assert!(messages[0].pings.is_empty());
    Ok(())
}
