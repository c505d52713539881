//! How a request ends undone, over the wire: withdrawn, or expired; and what its old buttons are worth then.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use sim::discord::{MessageView, Person};

use crate::world::{World, answered, last, text, until};

/// A request of Olive's that waits for approval, in a world with these further lines of configuration.
async fn waiting(lines: &str) -> Result<(World, crate::world::Running, String, MessageView)> {
    let world = World::new().await?;
    world.may_write()?;
    let configuration = std::fs::read_to_string(world.configuration())?;
    std::fs::write(world.configuration(), format!("{configuration}\n{lines}\n"))?;
    let running = world.runs().await?;
    let app = world.comes_back("Dana", "Slack");
    world.alert("[!] ACTION NEEDED · Slack").await?;
    let card = world.asks_to_enable(&app, "Slack").await?;
    Ok((world, running, app, card))
}

/// Somebody presses a button that a card had once.
async fn presses_what_was(person: &Person, card: &MessageView, label: &str) -> Result<String> {
    let button = card.rows.iter().flatten().find(|it| it.label == label).context("no such button")?;
    let press = json!({ "type": 3, "message": card.json,
        "data": { "component_type": 2, "custom_id": button.custom_id } });
    answered(&person.sends_interaction(press).await?).await
}

async fn becomes(world: &World, card: &MessageView, start: &str) -> Result<MessageView> {
    let now = || world.discord.message(card.id);
    until(&format!("the card says {start:?}"), || now().is_some_and(|it| it.content.starts_with(start)))
        .await?;
    now().context("the card is gone")
}

/// Nothing was written, and the card has no button any more.
fn nothing_was_done(world: &World, app: &str, card: &MessageView) {
    assert!(!world.okta.deactivates_users(app));
    assert!(world.okta.requests("/api/v1/apps/").iter().all(|asked| asked.method == "GET"));
    assert!(card.rows.iter().flatten().next().is_none(), "{:?}", card.rows);
}

#[tokio::test]
async fn withdrawn_by_whoever_asked_and_by_nobody_else() -> Result<()> {
    let (world, running, app, card) = waiting("").await?;
    let other = last(&world.abe.clicks(card.id, "Withdraw").await?).await?;
    ensure!(other.contains("who asked for R1, may do that"), "{other}");

    let own = last(&world.olive.clicks(card.id, "Withdraw").await?).await?;
    ensure!(own.contains("R1 is withdrawn"), "{own}");
    let over = becomes(&world, &card, "[=] WITHDRAWN · Slack · R1").await?;
    let late = presses_what_was(&world.amy, &card, "Approve").await?;

    ensure!(late.contains("R1 is over") && late.contains("withdrew it"), "{late}");
    nothing_was_done(&world, &app, &over);
    world.alert("[!] ACTION NEEDED · Slack · 1 person").await?;
    running.stops().await
}

#[tokio::test]
async fn expired_by_itself_and_the_requester_is_told_once() -> Result<()> {
    let (world, running, app, card) = waiting("[policy.enable]\nexpires = \"2s\"").await?;

    let over = becomes(&world, &card, "[=] EXPIRED · Slack · R1").await?;
    let told = world.alert("R1 for Slack expired: it was not approved in time").await?;
    let late = presses_what_was(&world.amy, &card, "Approve").await?;

    ensure!(told.pings.users.len() == 1 && told.pings.roles.is_empty(), "{told:?}");
    ensure!(late.contains("R1 is over: it expired"), "{late}");
    ensure!(text(&over).contains("Ask again if it is still needed"), "{}", text(&over));
    nothing_was_done(&world, &app, &over);
    running.stops().await
}
