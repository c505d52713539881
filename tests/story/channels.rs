//! Channels and threads that are gone, and those that may not be seen: told apart.

use anyhow::Result;
use jiff::SignedDuration;
use sim::discord::Permission;

use crate::world::World;

#[tokio::test]
async fn a_deleted_thread_is_respected_and_its_alert_goes_on() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.passes(SignedDuration::from_secs(30));
    world.settles().await?;
    let alert = world.discord.messages(world.channel)[0].id;
    assert!(!world.discord.thread_of(alert).is_empty(), "{}", world.discord.transcript());

    // Discord gives a message's thread the message's id.
    world.discord.deletes_channel(alert);
    world.okta.retries_in_console(&dana, &app);
    world.passes(SignedDuration::from_secs(30));
    world.settles().await?;
    let tried = world.discord.requests("/messages").len();
    for _ in 0..10 {
        world.passes(SignedDuration::from_mins(11));
        world.shows().await?;
    }

    assert!(world.lines()[0].starts_with("[✓] FIXED · Airbase"), "{:?}", world.lines());
    assert_eq!(world.discord.requests("/messages").len(), tried, "it is not tried again and again");
    Ok(())
}

#[tokio::test]
async fn a_channel_that_may_not_be_seen_is_shown_in_again_once_it_may() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.discord.denies(Permission::VIEW_CHANNEL, world.channel);
    world.settles().await?;
    assert_eq!(world.lines().len(), 0);

    world.discord.allows(Permission::VIEW_CHANNEL, world.channel);
    world.passes(SignedDuration::from_mins(11));
    world.shows().await?;

    assert_eq!(world.lines().len(), 1, "{:?}", world.lines());
    Ok(())
}
