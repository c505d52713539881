//! How long it takes from a failure in Okta's log to its alert in the channel.
//!
//! The shipped program against simulators in another process. What counts is the time beyond the poll interval, which
//! a failure waits for at most, and `group_wait`, which a new alert waits so that a burst becomes one.

mod support;
#[path = "support/world.rs"]
mod world;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sim::okta::DeactivateUsers;
use tokio::runtime::Runtime;

use support::{Table, cpu, median, memory};
use world::World;

const ROUNDS: u32 = 20;
const POLL_INTERVAL: Duration = Duration::from_secs(1);
const GROUP_WAIT: Duration = Duration::from_secs(2);

fn main() -> Result<ExitCode> {
    Runtime::new()?.block_on(alerting())
}

async fn alerting() -> Result<ExitCode> {
    let world = World::new().await?;
    let running = world.runs(&world.okta.url(), "poll_interval = \"1s\"").await?;
    world.knows("okta").await?;
    // The first look back is told quietly, so it must be over.
    tokio::time::sleep(Duration::from_secs(3)).await;

    let before = cpu(running.pid())?;
    let mut waits = Vec::new();
    for round in 0..ROUNDS {
        let label = format!("App {round}");
        let app = world.okta.installs(&label, "slack", DeactivateUsers::Off);
        let person = world.okta.hires(&format!("Person{round}"), "Reyes");
        world.okta.left_inactive(&person, &app);
        // A failure may come at any time between two polls.
        tokio::time::sleep(POLL_INTERVAL * round / ROUNDS).await;

        let failed = Instant::now();
        world.okta.assigns(&person, &app);
        let mut changes = world.discord.events();
        let is_there = || world.discord.messages(world.channel).iter().any(|it| it.content.contains(&label));
        let told = async {
            while !is_there() {
                // What it was does not matter, only that something changed.
                let _ = changes.recv().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(15), told).await.context("there is no alert after 15 s")?;
        waits.push(failed.elapsed().as_secs_f64());
    }
    let expected = (POLL_INTERVAL + GROUP_WAIT).as_secs_f64();
    let longest = waits.iter().copied().fold(0.0, f64::max);
    let mut table = Table::default();
    table.at_most("from a failure to its alert, the longest", longest, expected + 1.0, "s");
    table.tell("  the usual", format!("{:.2} s", median(waits)));
    let spent = (cpu(running.pid())? - before).as_secs_f64() * 1_000.0 / f64::from(ROUNDS);
    table.tell("  CPU of each, polls included", format!("{spent:.2} ms"));
    table.tell("  resident memory", format!("{:.2} MiB", memory(running.pid(), "VmRSS")?));
    Ok(table.end())
}
