//! A request's card that can be edited no more: how it ends is told all the same, and once.

use anyhow::{Context, Result};
use jiff::SignedDuration;

use crate::world::World;

const WHY: &str = "Dana is back; HR ticket 4711";

async fn where_airbase_is_to_be_turned_on() -> Result<(World, String)> {
    let (world, _, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Airbase", WHY).await?;
    Ok((world, app))
}

fn card(world: &World) -> Result<u64> {
    let messages = world.discord.messages(world.channel);
    let mut cards = messages.iter().filter(|message| message.content.contains("· Airbase · R1"));
    Ok(cards.next_back().context("no card")?.id)
}

fn rung(world: &World, words: &str) -> usize {
    let messages = world.discord.messages(world.channel);
    messages
        .iter()
        .filter(|message| message.content.contains(words) && !message.pings.users.is_empty())
        .count()
}

#[tokio::test]
async fn a_card_that_somebody_deleted_stays_away_and_the_requester_is_told() -> Result<()> {
    let (world, app) = where_airbase_is_to_be_turned_on().await?;
    let deleted = card(&world)?;
    world.presses_card("Ada", "Approve").await?;
    world.discord.deletes_message(deleted);
    world.works().await?;
    assert_eq!(rung(&world, "R1 for Airbase was approved by"), 1, "{:?}", world.lines());

    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.works().await?;
    assert_eq!(rung(&world, "R1 for Airbase worked"), 1, "{:?}", world.lines());
    assert!(card(&world).is_err(), "{:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn a_card_that_is_too_old_to_edit_is_posted_anew_and_nobody_is_rung_twice() -> Result<()> {
    let (world, app) = where_airbase_is_to_be_turned_on().await?;
    let old = card(&world)?;
    world.presses_card("Ada", "Approve").await?;
    world.works().await?;
    world.discord.refuses_old_edits(true);
    world.passes(SignedDuration::from_hours(2));
    world.okta.enables_in_console(&app, "Jo Ortiz");
    for _ in 0..3 {
        world.works().await?;
    }

    let newest = card(&world)?;
    assert!(newest != old && world.card("[✓] DONE · Airbase · R1").contains("Done by Jo Ortiz"));
    assert_eq!(rung(&world, "R1 for Airbase worked"), 1, "{:?}", world.lines());
    assert_eq!(rung(&world, "[✓] DONE · Airbase · R1"), 0, "{:?}", world.lines());
    Ok(())
}
