//! From a direct message, another server, a bot, or nobody: refused in words, and what it would have done is not done.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sim::discord::Person;

use crate::world::{World, answered, last};

/// Where somebody who may do everything seems to be, and what they are told then.
fn places(somebody: &Person) -> Vec<(&'static str, Value, &'static str)> {
    let user = json!({ "id": somebody.id().to_string(), "username": "x" });
    let bot =
        json!({ "user": { "id": somebody.id().to_string(), "username": "x", "bot": true }, "roles": [] });
    vec![
        (
            "a direct message",
            json!({ "guild_id": null, "member": null, "context": 1, "user": user }),
            "not in direct messages",
        ),
        ("another server", json!({ "guild_id": "999" }), "in the server it was set up for"),
        ("no member", json!({ "member": null }), "Commands are for people only"),
        ("a bot", json!({ "member": bot }), "Commands are for people only"),
    ]
}

#[tokio::test]
async fn a_command_from_elsewhere_does_nothing_whoever_types_it() -> Result<()> {
    let world = World::new().await?;
    world.may_write()?;
    let running = world.runs().await?;
    let app = world.comes_back("Dana", "Slack");
    world.alert("[!] ACTION NEEDED · Slack").await?;

    for (what, fields, words) in places(&world.root) {
        let answer = world.root.forging(fields).types("/okta pause reason:\"an incident at Okta\"").await?;
        let told = answered(&answer).await.with_context(|| what.to_owned())?;
        ensure!(told.contains(words) && told.contains("othing was done"), "{what}: {told}");
    }
    for (what, fields, words) in places(&world.olive) {
        let line = format!("/okta retry app:acme/{app} person:dana@example.com");
        let answer = world.olive.forging(fields).types(&line).await?;
        let told = answered(&answer).await.with_context(|| what.to_owned())?;
        ensure!(told.contains(words), "{what}: {told}");
        let shown = answer.current().context("the answer is gone")?;
        ensure!(shown.rows.is_empty() && shown.embeds.is_empty(), "{what} is shown {shown:?}");
    }

    let status = last(&world.ada.types("/okta status").await?).await?;
    ensure!(!status.contains("an incident at Okta"), "{status}");
    let record = last(&world.ada.types("/okta audit").await?).await?;
    ensure!(record.contains("The audit holds nothing"), "{record}");
    running.stops().await
}

#[tokio::test]
async fn a_press_from_elsewhere_decides_nothing() -> Result<()> {
    let world = World::new().await?;
    world.may_write()?;
    let running = world.runs().await?;
    let app = world.comes_back("Dana", "Slack");
    world.alert("[!] ACTION NEEDED · Slack").await?;
    let card = world.asks_to_enable(&app, "Slack").await?;

    for label in ["Approve", "Deny…"] {
        for (what, fields, words) in places(&world.amy) {
            let answer = world.amy.forging(fields).clicks(card.id, label).await?;
            let told = answered(&answer).await.with_context(|| format!("{label} from {what}"))?;
            ensure!(told.contains(words), "{label} from {what}: {told}");
        }
    }

    let now = world.discord.message(card.id).context("the card is gone")?;
    ensure!(now.content.starts_with("[?] WAITING FOR APPROVAL"), "{}", now.content);
    assert!(!world.okta.deactivates_users(&app));
    // The button is worth what it was to whoever presses it here.
    last(&world.amy.clicks(card.id, "Approve").await?).await?;
    world.alert("[✓] DONE · Slack · R1").await?;
    running.stops().await
}
