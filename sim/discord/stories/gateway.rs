//! What the bot meets at the gateway.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    super::kit::{Socket, discord},
    registered,
};

#[tokio::test]
async fn a_bot_that_identifies_is_greeted_and_one_that_comes_back_gets_what_it_missed() -> Result<()> {
    let (discord, mut socket, _) = registered().await?;
    let olive = discord.person(discord.member("Olive", &[]));
    let (mut other, ready) = Socket::identified(&discord).await?;
    assert!(ready["resume_gateway_url"].as_str().unwrap().ends_with("/resume"));
    let guild = other.event("GUILD_CREATE").await?;
    let seq = guild["_s"].clone();

    discord.drops_connection();
    assert!(other.hears().await.is_err());
    assert!(socket.event("NEVER").await.is_err());
    let answer = olive.types("/okta diagnose app:slack").await?;

    let mut back = Socket::connected(&discord, "/resume").await?;
    let d = json!({ "token": "simulated-bot-token", "session_id": ready["session_id"], "seq": seq });
    back.says(json!({ "op": 6, "d": d })).await?;
    let missed = back.event("INTERACTION_CREATE").await?;
    back.event("RESUMED").await?;
    assert_eq!(missed["id"], answer.id().to_string());
    assert!(discord.gateway_log().contains(&"connected /resume".to_owned()));
    Ok(())
}

#[tokio::test]
async fn the_gateway_closes_with_the_code_that_says_why() -> Result<()> {
    let identify =
        |token: &str, intents: u64| json!({ "op": 2, "d": { "token": token, "intents": intents } });
    #[rustfmt::skip]
    let table = [
        (identify("wrong", 0),                             json!({ "close": 4004 })),
        (identify("simulated-bot-token", 1 << 15),         json!({ "close": 4014 })),
        (identify("simulated-bot-token", 1 << 40),         json!({ "close": 4013 })),
        (json!({ "op": 3, "d": {} }),                      json!({ "close": 4003 })),
        (json!({ "op": 99 }),                              json!({ "close": 4001 })),
        (json!({ "op": 1, "d": "x".repeat(5000) }),        json!({ "close": 4002 })),
        (json!({ "op": 1, "d": null }),                    json!({ "op": 11, "d": null, "s": null, "t": null })),
        (json!({ "op": 6, "d": { "token": "simulated-bot-token", "session_id": "?", "seq": 1 } }),
                                                           json!({ "op": 9, "d": false, "s": null, "t": null })),
    ];
    let discord = discord().await?;
    for (says, hears) in table {
        let mut socket = Socket::connected(&discord, "/gateway").await?;
        socket.says(says.clone()).await?;
        assert_eq!(socket.hears().await?, hears, "{says}");
    }
    Ok(())
}

#[tokio::test]
async fn a_silent_gateway_acknowledges_nothing_and_refused_or_hung_upgrades_stay_so() -> Result<()> {
    let discord = discord().await?;
    let (mut socket, _) = Socket::identified(&discord).await?;
    socket.event("GUILD_CREATE").await?;
    discord.stops_acknowledging();
    socket.says(json!({ "op": 1, "d": null })).await?;
    assert!(tokio::time::timeout(Duration::from_millis(100), socket.hears()).await.is_err());
    assert!(!discord.has_bot());

    discord.refuses_upgrades(1);
    assert!(Socket::connected(&discord, "/gateway").await.is_err());
    discord.hangs_upgrades(1);
    let hung = Socket::connected(&discord, "/gateway");
    assert!(tokio::time::timeout(Duration::from_millis(100), hung).await.is_err());
    assert!(Socket::connected(&discord, "/gateway").await.is_ok());
    discord.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_interaction_can_come_twice_and_garbage_in_between() -> Result<()> {
    let (discord, mut socket, _) = registered().await?;
    let olive = discord.person(discord.member("Olive", &[]));
    discord.sends_twice(true);
    olive.types("/okta diagnose app:slack").await?;
    let first = socket.event("INTERACTION_CREATE").await?;
    let second = socket.event("INTERACTION_CREATE").await?;
    assert_eq!(first["id"], second["id"]);
    assert_ne!(first["_s"], second["_s"]);

    discord.sends_garbage();
    assert_eq!(socket.hears().await?, Value::Null);
    assert_eq!(socket.event("INTERACTION_CREATE").await?["type"], 99);
    Ok(())
}
