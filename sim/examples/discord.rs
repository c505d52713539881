//! The simulated Discord alone, with somebody in it who tries a bot out; for clients that nobody here wrote.
//!
//! Prints one line of JSON with what a client needs to connect. The client is to register a command `hello` with an
//! option `name`, answer it with “Hello, NAME.” and a button “Again”, make that “Hello again, NAME.” when it is
//! clicked, and post “first” in the channel and edit it to “second”. Ends with 0 once it all was seen.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use sim::discord::{Discord, MessageView, Settings};

/// How long the client may take for each step.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<()> {
    let settings = Settings::default();
    let token = settings.bot_token.clone();
    let discord = Discord::start(settings).await?;
    let channel = discord.channel("general");
    let vic = discord.member("Vic", &[]);
    let connect = json!({
        "url": discord.url(),
        "token": token,
        "application": discord.application_id().to_string(),
        "guild": discord.guild_id().to_string(),
        "channel": channel.to_string(),
    });
    writeln!(std::io::stdout(), "{connect}")?;
    let tried = tries(&discord, channel, vic).await;
    eprintln!("{}", discord.transcript());
    discord.stop().await;
    tried
}

async fn tries(discord: &Discord, channel: u64, vic: u64) -> Result<()> {
    discord.bot_is_ready(PATIENCE).await?;
    until("the command is registered", || discord.commands().iter().any(|it| it["name"] == "hello")).await?;
    let answer = discord.person(vic).types("/hello name:Vic").await?;
    answer.wait_for_acknowledgement(PATIENCE).await.context("nobody answered the command")?;
    let says = |text: &str| answer.current().is_some_and(|it| it.content == text);
    until("the command is answered", || says("Hello, Vic.")).await?;
    let message = answer.current().map(|it| it.id).unwrap_or_default();
    discord.person(vic).clicks(message, "Again").await?;
    let content = |it: Option<MessageView>| it.map(|it| it.content).unwrap_or_default();
    until("the answer is edited", || content(discord.message(message)) == "Hello again, Vic.").await?;
    let edited = |it: &MessageView| it.content == "second" && it.edits == 1;
    until("a message is edited", || discord.messages(channel).iter().any(edited)).await
}

async fn until(what: &str, is: impl Fn() -> bool) -> Result<()> {
    let begun = std::time::Instant::now();
    while !is() {
        ensure!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    Ok(())
}
