//! Starting: what is not there is said, and found by itself once it is; a second process keeps off.

use anyhow::Result;

use crate::program::Program;
use crate::world::{World, until};

async fn readiness(program: &Program) -> Result<u16> {
    Ok(program.page("/readyz").await?.0)
}

async fn becomes_ready(program: &Program) -> Result<()> {
    for _ in 0..200 {
        if readiness(program).await? == 200 {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let (_, why) = program.page("/readyz").await?;
    anyhow::bail!("it is not ready: {why}\n{}", program.said())
}

#[tokio::test]
async fn it_tells_how_it_is_over_http() -> Result<()> {
    let world = World::new().await?;
    let program = Program::start(&world, "info")?;
    world.is_ready().await?;
    world.comes_back("Dana", "Airbase");
    world.alert("ACTION NEEDED · Airbase").await?;

    becomes_ready(&program).await?;
    assert_eq!(program.page("/healthz").await?.0, 200);
    let (status, metrics) = program.page("/metrics").await?;
    assert_eq!(status, 200);
    assert!(metrics.contains("acme") && metrics.ends_with("# EOF\n"), "{metrics}");
    assert!(!metrics.contains("Dana") && !metrics.contains("dana"), "{metrics}");
    Ok(())
}

#[tokio::test]
async fn an_okta_that_is_not_there_is_said_and_waited_for() -> Result<()> {
    let world = World::new().await?;
    world.okta.pause_serving().await;
    let program = Program::start(&world, "info")?;
    world.is_ready().await?;
    until("it says so", || program.said().contains("Okta cannot be reached")).await?;
    assert_eq!(readiness(&program).await?, 503);
    assert_eq!(program.page("/healthz").await?.0, 200);

    world.okta.resume_serving().await?;
    world.comes_back("Dana", "Airbase");

    world.alert("ACTION NEEDED · Airbase").await?;
    becomes_ready(&program).await
}

#[tokio::test]
async fn an_okta_that_refuses_the_token_is_said_and_tried_again() -> Result<()> {
    let world = World::new().await?;
    world.okta.replaces_api_token("another-token-entirely");
    let program = Program::start(&world, "info")?;
    world.is_ready().await?;
    until("it says so", || program.said().contains("failed; trying again")).await?;
    assert_eq!(readiness(&program).await?, 503);

    world.okta.replaces_api_token(&sim::okta::Settings::default().api_token);
    world.comes_back("Dana", "Airbase");

    world.alert("ACTION NEEDED · Airbase").await?;
    becomes_ready(&program).await
}

#[tokio::test]
async fn a_discord_that_refuses_is_said_and_tried_again() -> Result<()> {
    let world = World::new().await?;
    world.discord.faults().next(6, "/gateway", sim::discord::Fault::Status(503));
    world.discord.faults().next(4, "/applications", sim::discord::Fault::Status(502));
    world.discord.refuses_upgrades(1);
    let program = Program::start(&world, "info")?;
    world.comes_back("Dana", "Airbase");

    until("it says so", || program.said().contains("The gateway's address cannot be asked for")).await?;
    assert_eq!(readiness(&program).await?, 503);
    world.alert("ACTION NEEDED · Airbase").await?;

    world.discord.faults().clear();
    world.is_ready().await?;
    becomes_ready(&program).await
}

#[tokio::test]
async fn a_second_process_on_the_same_store_says_so_and_posts_nothing() -> Result<()> {
    let world = World::new().await?;
    let running = world.runs().await?;

    let mut second = Program::start(&world, "info")?;
    let status = second.ends().await?;

    assert_eq!(status.code(), Some(1));
    assert!(second.said().contains("is in use by another running Provost (process "), "{}", second.said());
    world.comes_back("Dana", "Airbase");
    world.alert("ACTION NEEDED · Airbase").await?;
    assert_eq!(world.lines().len(), 1);
    running.stops().await
}
