//! SIGTERM: the program ends well within the ten seconds that supervisors give it, whatever goes on.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::program::Program;
use crate::world::{World, until};

async fn ends_well(program: Program) -> Result<()> {
    let (status, took) = program.stops().await?;
    ensure!(status.code() == Some(0), "it ended with {status}");
    ensure!(took < Duration::from_secs(10), "it took {took:?}");
    Ok(())
}

#[tokio::test]
async fn it_stops_in_the_middle_of_its_work() -> Result<()> {
    let world = World::new().await?;
    let program = Program::start(&world, "info")?;
    world.is_ready().await?;
    for n in 0..20 {
        world.comes_back(&format!("Dana{n}"), "Airbase");
    }
    ends_well(program).await
}

#[tokio::test]
async fn it_stops_during_an_outage_of_okta() -> Result<()> {
    let world = World::new().await?;
    let program = Program::start(&world, "info")?;
    world.is_ready().await?;
    world.okta.faults().next(1_000, "/logs", sim::okta::Fault::Slow(Duration::from_secs(60)));
    let before = world.okta.requests("/logs").len();
    until("Okta is being waited for", || world.okta.requests("/logs").len() > before).await?;
    ends_well(program).await
}

#[tokio::test]
async fn it_stops_during_an_outage_of_discord() -> Result<()> {
    let world = World::new().await?;
    let program = Program::start(&world, "info")?;
    world.is_ready().await?;
    world.discord.faults().next(1_000, "/messages", sim::discord::Fault::Slow(Duration::from_secs(60)));
    world.comes_back("Dana", "Airbase");
    until("Discord is being waited for", || !world.discord.requests("/messages").is_empty()).await?;
    world.discord.stops_acknowledging();
    ends_well(program).await
}

#[tokio::test]
async fn it_stops_while_the_gateway_hangs() -> Result<()> {
    let world = World::new().await?;
    world.discord.hangs_upgrades(1_000);
    let program = Program::start(&world, "info")?;
    until("the gateway was asked for", || !world.discord.requests("/gateway").is_empty()).await?;
    until("commands are registered", || !world.discord.commands().is_empty()).await?;
    ends_well(program).await
}
