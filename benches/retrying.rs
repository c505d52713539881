//! A retry of 500 people: what it takes of memory and of the rate limit, and how often people see it move.
//!
//! The shipped program against simulators in another process, at the default share of a limit of 1,500 a minute.

#[path = "support/asking.rs"]
mod asking;
mod support;
#[path = "support/world.rs"]
mod world;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use sim::okta::DeactivateUsers;
use tokio::runtime::Runtime;

use asking::{asks, message};
use support::{Table, cpu, median, memory};
use world::World;

const PEOPLE: usize = 500;
const A_MINUTE: u32 = 1_500;
const SHARE: f64 = 0.4;

fn main() -> Result<ExitCode> {
    Runtime::new()?.block_on(retrying())
}

async fn retrying() -> Result<ExitCode> {
    let world = World::new().await?;
    let app = world.okta.installs("Slack", "slack", DeactivateUsers::Off);
    for number in 0..PEOPLE {
        let person = world.okta.hires(&format!("Person{number:03}"), "Reyes");
        world.okta.left_inactive(&person, &app);
        world.okta.assigns(&person, &app);
    }
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.okta.rate_limit("/api/v1/apps", A_MINUTE);
    let member = |name: &str, role: u64| world.discord.member(name, &[world.viewer, role]);
    let olive = world.discord.person(member("olive", world.operator));
    let ada = world.discord.person(member("ada", world.approver));
    let keys = "poll_interval = \"1s\"\nwrites = true";
    let running = world.runs(&world.okta.url(), keys).await?;
    world.knows("okta").await?;
    message(&world.discord, world.channel, "[!] ACTION NEEDED · Slack · 500 people").await?;

    let buttons = ["Retry all 500", "Retry"];
    asks(&olive, &format!("/okta retry app:acme/{app}"), &buttons).await?;
    let card = message(&world.discord, world.channel, "[?] WAITING FOR APPROVAL · Slack · R1").await?;
    let (before, spent, calls) =
        (memory(running.pid(), "VmRSS")?, cpu(running.pid())?, world.okta.requests("/users/").len());
    let began = Instant::now();
    ada.clicks(card.id, "Approve").await?;

    let mut changes = world.discord.events();
    let (mut shown, mut moved, mut still) = (card.json.clone(), began, Vec::new());
    loop {
        let changed = tokio::time::timeout(Duration::from_secs(120), changes.recv());
        let _ = changed.await.context("nothing has changed for two minutes")?;
        let now = world.discord.message(card.id).context("the card is gone")?;
        if now.json["embeds"] != shown["embeds"] {
            still.push(moved.elapsed().as_secs_f64());
            (shown, moved) = (now.json.clone(), Instant::now());
        }
        if now.content.starts_with("[✓] FIXED · Slack · R1") {
            break;
        }
        ensure!(!now.content.starts_with("[x]"), "it failed: {}", now.json);
    }

    let pushes = world.okta.requests("/users/").len() - calls;
    let used = world.okta.ledger().exchanges().into_iter().filter_map(|exchange| {
        let header = |name: &str| {
            let (_, value) = exchange.answer_headers.iter().find(|(known, _)| known == name)?;
            value.parse::<f64>().ok()
        };
        let limit = header("x-rate-limit-limit").filter(|limit| *limit == f64::from(A_MINUTE))?;
        Some(1.0 - header("x-rate-limit-remaining")? / limit)
    });
    let most = used.fold(0.0, f64::max);
    let longest = still.iter().copied().fold(0.0, f64::max);
    let mut table = Table::default();
    table.at_most("a retry of 500: the longest the card stood still", longest, 10.0, "s");
    table.tell("  the usual", format!("{:.1} s", median(still)));
    table.at_most("  more memory than before it", memory(running.pid(), "VmHWM")? - before, 8.0, "MiB");
    table.at_most("  the largest part of the rate limit", most, SHARE, "");
    table.at_most("  calls", pushes as f64, (2 * PEOPLE + 4) as f64, "calls");
    table.tell("  it took", format!("{:.1} s", began.elapsed().as_secs_f64()));
    table.tell("  CPU", format!("{:.2} s", (cpu(running.pid())? - spent).as_secs_f64()));
    table.tell("  resident memory before", format!("{before:.2} MiB"));
    Ok(table.end())
}
