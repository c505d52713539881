//! The simulator from outside: over real HTTP and a real websocket.

mod gateway;
mod people;
mod rest;

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    Discord,
    kit::{Socket, ask, discord},
};

fn okta() -> Value {
    let app =
        json!({ "type": 3, "name": "app", "description": "Which", "required": true, "autocomplete": true });
    let diagnose = json!({ "type": 1, "name": "diagnose", "description": "Why", "options": [app] });
    json!([
        { "name": "okta", "description": "Okta", "options": [diagnose] },
        { "name": "Diagnose with Okta", "type": 3 },
    ])
}

async fn registered() -> Result<(Discord, Socket, u64)> {
    let discord = discord().await?;
    let channel = discord.channel("okta-alerts");
    let (socket, _) = Socket::identified(&discord).await?;
    let path = format!("applications/{}/guilds/{}/commands", discord.application_id(), discord.guild_id());
    let got = ask(&discord, "PUT", &path, okta()).await?;
    anyhow::ensure!(got.status == 200, "{got:?}");
    Ok((discord, socket, channel))
}
