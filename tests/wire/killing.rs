//! `kill -9` at any moment: nothing is lost, nothing is said twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::program::Program;
use crate::world::{World, until};

const KILLS: u64 = 25;
const APPS: [&str; 5] = ["Airbase", "Smartsheet", "Slack", "Zoom", "Box"];

/// Numbers that follow from a seed (an MMIX generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

#[tokio::test]
async fn killed_again_and_again_it_shows_every_failure_once() -> Result<()> {
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let (world, mut dice) = (World::new().await?, Dice(seed));
    let mut failing: BTreeMap<&str, usize> = BTreeMap::new();
    for kill in 0..KILLS {
        let program = Program::start(&world, "info")?;
        for n in 0..dice.below(24) {
            let label = APPS[dice.below(APPS.len() as u64) as usize];
            world.comes_back(&format!("Dana{kill}x{n}"), label);
            *failing.entry(label).or_default() += 1;
        }
        // A moment of its work is what is waited for here.
        tokio::time::sleep(Duration::from_millis(dice.below(900))).await;
        program.dies()?;
    }

    let program = Program::start(&world, "info")?;
    for (label, people) in &failing {
        let words = match people {
            1 => format!("ACTION NEEDED · {label} · 1 person cannot"),
            n => format!("ACTION NEEDED · {label} · {n} people cannot"),
        };
        let cards = || world.lines().into_iter().filter(|line| line.contains(&words)).count();
        until(&format!("{words}; there is {:?}", world.lines()), || cards() > 0).await?;
    }
    once(&world)?;
    drop(program);
    Ok(())
}

fn once(world: &World) -> Result<()> {
    let mut cards = BTreeSet::new();
    for message in world.discord.messages(world.channel) {
        let footer = message.json.pointer("/embeds/0/footer/text").map(ToString::to_string);
        let may_repeat = message.content.contains("may repeat");
        ensure!(may_repeat || cards.insert(footer.clone()), "two messages are {footer:?}");
        let mut lines = BTreeSet::new();
        for line in world.discord.thread_of(message.id) {
            ensure!(lines.insert(line.content.clone()), "the thread says twice: {}", line.content);
        }
    }
    Ok(())
}
