//! The gateway at its worst: commands work again within ten seconds, and alerts go on meanwhile.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use sim::discord::{Discord, Settings};

use crate::world::{LIMIT, World, last, until};

type Outage = fn(&Discord);

const OUTAGES: [(&str, Outage); 9] = [
    ("dropped", Discord::drops_connection),
    ("asked to reconnect", Discord::asks_to_reconnect),
    ("invalid, to be resumed", |discord| discord.invalidates_session(true)),
    ("invalid for good", |discord| discord.invalidates_session(false)),
    ("mute", Discord::stops_acknowledging),
    ("closed with 4000", |discord| discord.closes(4000)),
    ("closed with 4009", |discord| discord.closes(4009)),
    ("refusing upgrades", |discord| {
        discord.refuses_upgrades(3);
        discord.drops_connection();
    }),
    ("hanging upgrades", |discord| {
        discord.hangs_upgrades(1);
        discord.drops_connection();
    }),
];

#[tokio::test]
async fn after_any_outage_of_the_gateway_commands_work_again_and_no_alert_waited() -> Result<()> {
    let beats_often = Settings { heartbeat: Duration::from_millis(400), ..Settings::default() };
    let world = World::with(beats_often).await?;
    let running = world.runs().await?;
    for (number, (what, outage)) in OUTAGES.into_iter().enumerate() {
        outage(&world.discord);
        let start = Instant::now();

        let label = format!("App{number}");
        world.comes_back(&format!("Dana{number}"), &label);
        world.alert(&format!("ACTION NEEDED · {label}")).await?;
        ensure!(start.elapsed() < Duration::from_secs(3), "{what}: the alert took {:?}", start.elapsed());

        works_again(&world, start).await.map_err(|failure| failure.context(what))?;
    }
    running.stops().await
}

/// Somebody types until there is an answer. What is typed into a dead connection may be lost.
async fn works_again(world: &World, since: Instant) -> Result<()> {
    loop {
        let answer = world.ada.types("/okta whoami").await?;
        if answer.wait_for_acknowledgement(Duration::from_millis(700)).await.is_some() {
            last(&answer).await?;
            return Ok(());
        }
        ensure!(since.elapsed() < LIMIT, "no answer; the gateway saw {:?}", world.discord.gateway_log());
    }
}

#[tokio::test]
async fn what_is_clicked_during_a_restart_is_answered_after_it() -> Result<()> {
    let world = World::new().await?;
    let running = world.runs().await?;
    world.comes_back("Dana", "Airbase");
    let alert = world.alert("ACTION NEEDED · Airbase").await?;
    running.stops().await?;
    until("the bot is gone", || !world.discord.has_bot()).await?;

    let typed = world.ada.types("/okta whoami").await?;
    let pressed = world.ada.clicks(alert.id, "Diagnose").await?;
    let running = world.runs().await?;

    assert!(last(&typed).await?.contains("viewer"));
    assert!(last(&pressed).await?.contains("the setting is off"));
    assert_eq!(world.discord.identifies().len(), 1, "the session goes on");
    running.stops().await
}
