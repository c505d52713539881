//! Random sessions: people, Okta, Discord and the program itself do as they like; then all is well again, and what
//! the channel shows must be what Okta's Tasks page shows. What was written to Okta meanwhile must have been asked for,
//! approved by people who had the right, noted before, and done once.
//!
//! A session follows from its seed, up to the exact moment at which a pass is cut off. `PROVOST_SEEDS` says how many
//! there are, `PROVOST_SEED` plays a single one.

mod deeds;
mod promises;
mod steps;

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::world::World;
use promises::{holds, in_part};
use steps::Session;

const STEPS: u32 = 200;

/// What is done in some session at the least; else they would prove little.
const DONE: [&str; 9] = [
    "write.begun",
    "push.begun",
    "unassign.begun",
    "assign.begun",
    "request.approved",
    "request.proven",
    "guide.begun",
    "link.confirmed",
    "writes.paused",
];

/// What is rarer, and looked for where there are many sessions.
const RARELY_DONE: [&str; 5] =
    ["request.denied", "request.broke_glass", "incident.closed", "a retry in part", "a reassign in part"];

/// So many are many.
const MANY: usize = 20;

/// What the audit says was done in one session.
async fn plays(seed: u64) -> Result<BTreeSet<String>> {
    let mut world = World::new().await?;
    let mut session = Session::begin(&world, seed);
    session.links_everybody(&world).await?;
    for step in 0..STEPS {
        let stepped = session.step(world).await;
        world = stepped.with_context(|| format!("step {step} of the session of seed {seed}"))?;
    }
    session.heals(&world).await.with_context(|| format!("the end of the session of seed {seed}"))?;
    let held = holds(&world, &session).await;
    // One session in eight is held against the documents, too: that costs more than the session itself.
    if !seed.is_multiple_of(8) {
        world.okta.ledger().clear();
        world.discord.ledger().clear();
    }
    held.with_context(|| {
        format!("the session of seed {seed}: {:#?}\n{}", session.done, world.lines().join("\n"))
    })?;
    session.seen.extend(in_part(&world).await?);
    Ok(session.seen)
}

/// Most of a session is waiting for faults to pass, so several go on at once.
const AT_ONCE: usize = 6;

#[expect(clippy::disallowed_methods, reason = "tests are configured by the environment")]
async fn play(which: impl Fn(&u64) -> bool) -> Result<()> {
    let number = |name: &str| std::env::var_os(name).and_then(|value| value.to_str()?.parse::<u64>().ok());
    let single = number("PROVOST_SEED");
    let seeds = match single {
        Some(seed) => seed..seed + 1,
        None => 0..number("PROVOST_SEEDS").unwrap_or(12),
    };
    let played = stream::iter(seeds.filter(which)).map(plays).buffer_unordered(AT_ONCE);
    let seen: Vec<BTreeSet<String>> = played.try_collect().await?;
    let rare = RARELY_DONE.iter().filter(|_| seen.len() >= MANY);
    for what in DONE.iter().chain(rare).filter(|_| single.is_none()) {
        ensure!(
            seen.iter().any(|seen| seen.contains(*what)),
            "{what} happened in no session of {}",
            seen.len()
        );
    }
    Ok(())
}

// Two of them, because there are two processors nearly everywhere.

#[tokio::test]
async fn whatever_happened_the_channel_shows_what_okta_has() -> Result<()> {
    play(|seed| seed.is_multiple_of(2)).await
}

#[tokio::test]
async fn whatever_else_happened_the_channel_shows_what_okta_has() -> Result<()> {
    play(|seed| !seed.is_multiple_of(2)).await
}
