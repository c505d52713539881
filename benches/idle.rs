//! What the program costs while nothing happens, and how soon it is there.
//!
//! The shipped program, started as people start it, against simulators in another process. The polls come every
//! second, so that there are enough of them to measure; what one costs does not hang on how far apart they are.

mod support;
#[path = "support/world.rs"]
mod world;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use sim::okta::DeactivateUsers;
use tokio::runtime::Runtime;

use support::{Table, cpu, median, memory};
use world::World;

const POLLS: u32 = 90;
const STARTS: usize = 7;

fn main() -> Result<ExitCode> {
    Runtime::new()?.block_on(idle())
}

async fn idle() -> Result<ExitCode> {
    let mut table = Table::default();
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let world = World::new().await?;
        starts.push(world.runs(&world.okta.url(), "").await?.ready_after.as_secs_f64());
    }
    table.at_most("from the start to READY", median(starts), 0.5, "s");

    let world = World::new().await?;
    for app in 0..12 {
        world.okta.installs(&format!("App {app}"), "slack", DeactivateUsers::Off);
    }
    world.okta.chatters(5_000);
    let running = world.runs(&world.okta.url(), "poll_interval = \"1s\"").await?;
    world.knows("okta").await?;
    tokio::time::sleep(Duration::from_secs(3)).await;

    let (calls, spent) = (world.okta.requests("").len(), cpu(running.pid())?);
    tokio::time::sleep(Duration::from_secs(POLLS.into())).await;
    let spent = cpu(running.pid())? - spent;
    let calls = &world.okta.requests("")[calls..];
    let polls = calls.iter().filter(|call| call.path == "/api/v1/logs").count();
    let index = calls.iter().filter(|call| call.path == "/api/v1/apps").count();

    table.at_most("CPU for one idle poll", spent.as_secs_f64() * 1_000.0 / polls as f64, 1.0, "ms");
    table.at_most("resident memory", memory(running.pid(), "VmRSS")?, 40.0, "MiB");
    table.tell("  at most so far", format!("{:.2} MiB", memory(running.pid(), "VmHWM")?));
    table.at_most("log calls an interval", polls as f64 / f64::from(POLLS), 1.02, "calls");
    table.at_most("other calls but the app index", (calls.len() - polls - index) as f64, 0.0, "calls");
    Ok(table.end())
}
