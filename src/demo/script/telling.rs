//! What every scene needs: to press and to wait, and to print what people saw.

use std::io::Write;
use std::time::Duration;

use anyhow::{bail, ensure};
use sim::discord::{Answer, MessageView, Shown};

use crate::demo::World;

/// How long the story waits for anything.
const PATIENCE: Duration = Duration::from_secs(15);

/// The newest message of the channel that begins like this.
pub(super) fn newest(world: &World, start: &str) -> Option<MessageView> {
    world.discord.messages(world.channel).into_iter().rev().find(|message| message.content.starts_with(start))
}

/// Olive presses a button of an alert that asks why, and answers; the confirmation that only she sees.
pub(super) async fn ask_from_alert(world: &World, alert: u64, label: &str) -> anyhow::Result<u64> {
    let olive = world.discord.person(world.olive);
    let dialog = olive.clicks(alert, label).await?;
    until(world, "a dialog", || matches!(dialog.now(), Shown::Modal(_))).await?;
    let Shown::Modal(modal) = dialog.now() else { bail!("no dialog") };
    let answer = olive.fills(&modal, &[("Why?", "people come back every term")]).await?;
    private(world, &answer, "please confirm").await
}

/// Waits for a private message, and answers with its id.
pub(super) async fn private(world: &World, answer: &Answer, words: &str) -> anyhow::Result<u64> {
    until(world, words, || answer.current().is_some_and(|message| message.content.contains(words))).await?;
    answer.current().map(|message| message.id).ok_or_else(|| anyhow::anyhow!("the private message is gone"))
}

/// Olive presses a button of what only she sees, once it is there.
pub(super) async fn press(world: &World, answer: &Answer, label: &str) -> anyhow::Result<Answer> {
    let has = |message: &MessageView| message.rows.iter().flatten().any(|it| it.label == label);
    until(world, label, || answer.current().is_some_and(|message| has(&message))).await?;
    let message = answer.current().map(|message| message.id).unwrap_or_default();
    world.discord.person(world.olive).clicks(message, label).await
}

/// Olive confirms.
pub(super) async fn confirm(world: &World, confirmation: u64, label: &str) -> anyhow::Result<()> {
    world.discord.person(world.olive).clicks(confirmation, label).await?;
    Ok(())
}

/// Somebody approves the card that begins like this.
pub(super) async fn approve(world: &World, by: u64, start: &str) -> anyhow::Result<()> {
    let card = newest(world, start).map(|card| card.id).unwrap_or_default();
    world.discord.person(by).clicks(card, "Approve").await?;
    Ok(())
}

pub(super) fn scene(world: &World, number: u32, title: &str, told: &str) {
    world.discord.clear_transcript();
    say(&format!("\n━━ {number}. {title} ━━\n"));
    for line in wrapped(told, 110) {
        say(&line);
    }
    say("");
}

/// Prints what people saw since the scene began.
pub(super) fn show(world: &World) {
    say(&world.discord.transcript());
}

/// Prints only how it looks at the end of the scene, where edits would repeat a long card.
pub(super) fn show_last(world: &World) {
    let transcript = world.discord.transcript();
    let last = transcript.split("\n\n").last().unwrap_or_default();
    say(last);
}

pub(super) fn say(line: &str) {
    // Whoever closed the pipe has seen enough.
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always one");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// Waits until something is so.
pub(super) async fn until(world: &World, what: &str, is: impl Fn() -> bool) -> anyhow::Result<()> {
    let waited = async {
        while !is() {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, waited).await.is_err() {
        bail!("waited in vain for {what}; this was seen:\n{}", world.discord.transcript());
    }
    Ok(())
}

/// Checks the scene's own transcript.
pub(super) fn expect(world: &World, words: &[&str]) -> anyhow::Result<()> {
    let transcript = world.discord.transcript();
    for word in words {
        ensure!(transcript.contains(word), "“{word}” is missing in:\n{transcript}");
    }
    Ok(())
}
