//! What must never be written down, however much is written down.

use anyhow::{Context, Result};

use crate::program::Program;
use crate::world::{LIMIT, World, answered};

#[tokio::test]
async fn no_token_is_ever_logged() -> Result<()> {
    let world = World::new().await?;
    let program = Program::start(&world, "trace")?;
    world.is_ready().await?;
    world.comes_back("Dana", "Airbase");
    let alert = world.alert("ACTION NEEDED · Airbase").await?;
    let typed = world.ada.types("/okta diagnose app:Airbase").await?;
    let pressed = world.ada.clicks(alert.id, "Diagnose").await?;
    let refused = world.sam.types("/okta status").await?;
    let offered = world.ada.asks_for("/okta diagnose", "app", "a").await?;
    let path = format!("/interactions/{}", world.discord.application_id());
    world.discord.faults().next(1, &path, sim::discord::Fault::Html(502));
    world.discord.faults().next(1, "/webhooks/", sim::discord::Fault::Drop);
    world.okta.faults().next(1, "/logs", sim::okta::Fault::Unauthorized);
    world.okta.faults().next(1, "/logs", sim::okta::Fault::NotJson);
    for answer in [&typed, &pressed, &refused] {
        answered(answer).await?;
    }
    offered.wait_for_answer(LIMIT).await;
    world.discord.drops_connection();
    let later = world.ada.types("/okta help").await?;
    later.wait_for_acknowledgement(LIMIT).await;

    let said = program.said();
    assert!(said.contains("DEBUG"), "no more than usual is written");
    let mut secrets =
        vec![sim::okta::Settings::default().api_token, sim::discord::Settings::default().bot_token];
    for answer in [typed, pressed, refused, offered, later] {
        secrets.push(answer.event()["token"].as_str().context("an interaction has a token")?.to_owned());
    }
    for secret in secrets {
        let hits: Vec<_> = said.lines().filter(|line| line.contains(&secret)).collect();
        assert!(hits.is_empty(), "{secret} is written down: {}", hits[0]);
    }
    Ok(())
}
