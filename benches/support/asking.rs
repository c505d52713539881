//! People who ask for something and have it approved.

use std::time::Duration;

use anyhow::{Context, Result};
use sim::discord::{Answer, Discord, MessageView, Person};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody types a command and presses these buttons of its answer, one after the other.
pub async fn asks(person: &Person, line: &str, buttons: &[&str]) -> Result<()> {
    let answer = person.types(line).await?;
    for label in buttons {
        let message = with_button(&answer, label).await?;
        person.clicks(message, label).await?;
    }
    Ok(())
}

/// The answer's message, once it has a button.
async fn with_button(answer: &Answer, label: &str) -> Result<u64> {
    let has = |message: &MessageView| message.rows.iter().flatten().any(|it| it.label == label);
    let waited = async {
        loop {
            if let Some(message) = answer.current().filter(has) {
                return message.id;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let seen = || format!("there is no button {label:?}, but {:?}", answer.current());
    tokio::time::timeout(PATIENCE, waited).await.with_context(seen)
}

/// The channel's newest message that begins like this, once it is there.
pub async fn message(discord: &Discord, channel: u64, start: &str) -> Result<MessageView> {
    let mut changes = discord.events();
    let waited = async {
        loop {
            let messages = discord.messages(channel);
            if let Some(found) = messages.into_iter().rev().find(|it| it.content.starts_with(start)) {
                return found;
            }
            // What it was does not matter, only that something changed.
            let _ = changes.recv().await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.with_context(|| format!("there is no {start:?}"))
}
