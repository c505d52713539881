//! The simulator from outside: over real HTTP and a real websocket.

use std::time::Duration;

use anyhow::Result;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    Discord, Fault, Permission, Scope, Shown,
    kit::{SOON, Socket, ask, callback, discord, send},
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
async fn a_command_is_thought_about_and_answered_for_one_person() -> Result<()> {
    let (discord, mut socket, _) = registered().await?;
    let member = discord.member("Olive", &[]);
    let answer = discord.person(member).types("/okta diagnose app:\"Sales Force\"").await?;
    let event = socket.event("INTERACTION_CREATE").await?;
    assert_eq!(event["data"]["options"][0]["options"][0]["value"], "Sales Force");
    assert_eq!(event["member"]["user"]["id"], member.to_string());

    let got = callback(&discord, &event, json!({ "type": 5, "data": { "flags": 64 } })).await?;
    assert_eq!(got.json["interaction"]["response_message_loading"], true, "{got:?}");
    assert_eq!(answer.now(), Shown::Thinking { ephemeral: true });
    let again = callback(&discord, &event, json!({ "type": 5 })).await?;
    assert_eq!((again.status, &again.json["code"]), (400, &json!(40060)));

    let original = format!(
        "webhooks/{}/{}/messages/@original",
        discord.application_id(),
        event["token"].as_str().unwrap()
    );
    let row =
        json!({ "type": 1, "components": [{ "type": 2, "style": 1, "label": "Enable…", "custom_id": "e" }] });
    let card = json!({ "title": "Slack", "description": r"a \*b\*", "fields": [{ "name": "Who", "value": "Dana" }] });
    let body = json!({ "content": "**Found** it, <@&1>", "embeds": [card], "components": [row] });
    let got = ask(&discord, "PATCH", &original, body).await?;
    assert_eq!((got.status, &got.json["flags"]), (200, &json!(64)));

    let message = answer.wait_for_answer(SOON).await.message().unwrap();
    assert_eq!(message.only_for, Some(member));
    let stranger = discord.person(discord.member("Sam", &[]));
    assert!(stranger.clicks(message.id, "Enable…").await.is_err());
    discord.person(member).clicks(message.id, "Enable…").await?;
    let click = socket.event("INTERACTION_CREATE").await?;
    assert_eq!(click["data"]["custom_id"], "e");
    assert_eq!(click["message"]["id"], message.id.to_string());
    let got = callback(
        &discord,
        &click,
        json!({ "type": 7, "data": { "content": "Done.", "embeds": [], "components": [] } }),
    );
    assert_eq!(got.await?.status, 200);

    let expected = "\
#okta-alerts
Olive: /okta diagnose app:\"Sales Force\"
Provost (only Olive sees this):
  Found it, @unknown
  | Slack
  | a *b*
  | Who: Dana
  [Enable…]
Olive clicks [Enable…]
Provost edited a message (only Olive sees this):
  Done.
";
    assert_eq!(discord.transcript(), expected);
    assert_eq!(discord.transcript_for(stranger.id()), "");

    discord.advance(SignedDuration::from_mins(16));
    let got = ask(&discord, "PATCH", &original, json!({ "content": "late" })).await?;
    assert_eq!((got.status, &got.json["code"]), (401, &json!(50027)));
    Ok(())
}

#[tokio::test]
async fn an_answer_after_three_seconds_is_none() -> Result<()> {
    let (discord, mut socket, _) = registered().await?;
    let olive = discord.person(discord.member("Olive", &[]));
    let answer = olive.types("/okta diagnose app:slack").await?;
    let event = socket.event("INTERACTION_CREATE").await?;
    discord.advance(SignedDuration::from_millis(3001));

    assert_eq!(answer.wait_for_answer(SOON).await, Shown::NoResponse);
    let got = callback(&discord, &event, json!({ "type": 4, "data": { "content": "late" } })).await?;
    assert_eq!((got.status, &got.json["code"]), (404, &json!(10062)));
    assert!(olive.types("/okta diagnose").await.is_err());
    assert!(olive.types("/okta diagnose apps:x").await.is_err());
    assert!(olive.types("/nothing").await.is_err());
    Ok(())
}

#[tokio::test]
async fn choices_dialogs_and_the_menu_of_a_message() -> Result<()> {
    let (discord, mut socket, channel) = registered().await?;
    let olive = discord.person(discord.member("Olive", &[]));

    let choices = olive.asks_for("/okta diagnose", "app", "sla").await?;
    let event = socket.event("INTERACTION_CREATE").await?;
    let focused = &event["data"]["options"][0]["options"][0];
    assert_eq!(
        (&event["type"], &focused["focused"], &focused["value"]),
        (&json!(4), &json!(true), &json!("sla"))
    );
    let body = json!({ "type": 8, "data": { "choices": [{ "name": "Slack", "value": "0oa1" }] } });
    assert_eq!(callback(&discord, &event, body).await?.status, 200);
    assert_eq!(choices.wait_for_answer(SOON).await.choices()[0].label, "Slack");

    let said = olive.says(channel, "Automatic provisioning of dana failed").await?;
    let asked = olive.uses_menu("Diagnose with Okta", said).await?;
    let event = socket.event("INTERACTION_CREATE").await?;
    let target = event["data"]["target_id"].as_str().unwrap();
    assert_eq!(
        event["data"]["resolved"]["messages"][target]["content"],
        "Automatic provisioning of dana failed"
    );
    let text = json!({ "type": 4, "custom_id": "why", "style": 2, "min_length": 5 });
    let label = json!({ "type": 18, "label": "Why?", "component": text });
    let body = json!({ "type": 9, "data": { "custom_id": "m", "title": "Deny", "components": [label] } });
    let got = callback(&discord, &event, body.clone()).await?;
    assert_eq!(got.status, 200, "{got:?}");
    let modal = asked.wait_for_answer(SOON).await.modal().unwrap();
    assert!(olive.fills(&modal, &[("Why?", "no")]).await.is_err());
    olive.fills(&modal, &[("Why?", "not today")]).await?;
    let event = socket.event("INTERACTION_CREATE").await?;
    assert_eq!(event["data"]["components"][0]["component"]["value"], "not today");
    assert_eq!(callback(&discord, &event, body).await?.status, 400, "no dialog answers a dialog");
    let got = callback(&discord, &event, json!({ "type": 4, "data": { "content": "Denied." } })).await?;
    assert_eq!(got.json["resource"]["message"]["interaction_metadata"]["type"], 5);
    Ok(())
}

#[tokio::test]
async fn the_same_nonce_makes_one_message_for_five_minutes() -> Result<()> {
    let discord = discord().await?;
    let channel = discord.channel("alerts");
    let path = format!("channels/{channel}/messages");
    let body = json!({ "content": "a", "nonce": "n1", "enforce_nonce": true });

    discord.faults().next(1, "POST", Fault::DropAfter);
    assert!(ask(&discord, "POST", &path, body.clone()).await.is_err());
    let first = ask(&discord, "POST", &path, body.clone()).await?;
    assert_eq!(discord.messages(channel).len(), 1);
    discord.deletes_message(first.json["id"].as_str().unwrap().parse()?);
    let gone = ask(&discord, "POST", &path, body.clone()).await?;
    assert_eq!((gone.status, &gone.json["code"]), (404, &json!(10008)));
    discord.advance(SignedDuration::from_mins(6));
    assert_eq!(ask(&discord, "POST", &path, body).await?.status, 200);
    assert_eq!(discord.messages(channel).len(), 1);
    Ok(())
}

#[tokio::test]
async fn pings_are_what_was_allowed_and_no_more() -> Result<()> {
    let discord = discord().await?;
    let channel = discord.channel("alerts");
    let (on_call, secret) = (discord.role("on-call"), discord.role("secret"));
    discord.makes_mentionable(secret, false);
    let olive = discord.member("Olive", &[on_call]);
    let content = format!("<@{olive}> <@&{on_call}> <@&{secret}> @everyone");
    #[rustfmt::skip]
    let table = [
        (json!({}),                                            vec!["@Olive", "@on-call"]),
        (json!({ "allowed_mentions": { "parse": [] } }),       vec![]),
        (json!({ "allowed_mentions": { "roles": [on_call.to_string()], "parse": [] } }), vec!["@on-call"]),
    ];
    for (mut body, rang) in table {
        body["content"] = json!(content);
        let got = ask(&discord, "POST", &format!("channels/{channel}/messages"), body).await?;
        let id = got.json["id"].as_str().unwrap().parse()?;
        assert_eq!(discord.message(id).unwrap().rang, rang);
    }
    Ok(())
}

#[tokio::test]
async fn messages_are_listed_threaded_edited_and_guarded() -> Result<()> {
    let discord = discord().await?;
    let channel = discord.channel("alerts");
    let path = format!("channels/{channel}/messages");
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(
            ask(&discord, "POST", &path, json!({ "content": n.to_string() })).await?.json["id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    let contents = async |query: &str| -> Result<String> {
        let got = ask(&discord, "GET", &format!("{path}?{query}"), Value::Null).await?;
        Ok(got.json.as_array().unwrap().iter().map(|it| it["content"].as_str().unwrap()).collect())
    };
    assert_eq!(contents("limit=2").await?, "43");
    assert_eq!(contents(&format!("after={}&limit=2", ids[0])).await?, "21");
    assert_eq!(contents(&format!("before={}", ids[2])).await?, "10");
    assert_eq!(contents(&format!("around={}&limit=3", ids[2])).await?, "321");
    assert_eq!(ask(&discord, "GET", &format!("{path}?limit=101"), Value::Null).await?.json["code"], 50035);

    let thread = format!("{path}/{}/threads", ids[0]);
    let got = ask(&discord, "POST", &thread, json!({ "name": "Steps" })).await?;
    assert_eq!((got.status, &got.json["id"]), (201, &json!(ids[0])));
    assert_eq!(ask(&discord, "POST", &thread, json!({ "name": "Steps" })).await?.json["code"], 160_004);
    ask(&discord, "POST", &format!("channels/{}/messages", ids[0]), json!({ "content": "one" })).await?;
    assert_eq!(discord.thread_of(ids[0].parse()?)[0].content, "one");

    let olive = discord.person(discord.member("Olive", &[]));
    let hers = olive.says(channel, "hello").await?;
    let edit =
        async |id: &str| ask(&discord, "PATCH", &format!("{path}/{id}"), json!({ "content": "new" })).await;
    assert_eq!(edit(&hers.to_string()).await?.json["code"], 50005);
    assert_eq!(edit(&ids[1]).await?.json["content"], "new");
    discord.refuses_old_edits(true);
    discord.advance(SignedDuration::from_mins(61));
    assert_eq!(edit(&ids[1]).await?.json["code"], 30046);

    discord.denies(Permission::SEND_MESSAGES, channel);
    assert_eq!(ask(&discord, "POST", &path, json!({ "content": "a" })).await?.json["code"], 50013);
    discord.denies(Permission::READ_MESSAGE_HISTORY, channel);
    assert_eq!(contents("limit=5").await?, "");
    discord.denies(Permission::VIEW_CHANNEL, channel);
    assert_eq!(ask(&discord, "GET", &path, Value::Null).await?.json["code"], 50001);
    discord.deletes_channel(channel);
    assert_eq!(ask(&discord, "GET", &path, Value::Null).await?.json["code"], 10003);
    Ok(())
}

#[tokio::test]
async fn files_come_with_a_message_and_can_be_fetched() -> Result<()> {
    let discord = discord().await?;
    let channel = discord.channel("alerts");
    let payload = json!({ "content": "the list", "attachments": [{ "id": 0, "description": "All" }] });
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"payload_json\"\r\n\r\n{payload}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"tasks.csv\"\r\nContent-Type: text/csv\r\n\r\n\
         a,b\r\n--b--\r\n"
    );
    let path = format!("channels/{channel}/messages");
    let kind = "multipart/form-data; boundary=b";
    let got =
        send(&discord, "POST", &path, kind, "Authorization: Bot simulated-bot-token\r\n", &body).await?;
    assert_eq!(got.json["attachments"][0]["filename"], "tasks.csv", "{got:?}");
    assert_eq!(discord.messages(channel)[0].files[0].text.as_deref(), Some("a,b"));
    assert_eq!(discord.ledger().exchanges()[0].request_body, payload.to_string());
    Ok(())
}

#[tokio::test]
async fn what_goes_wrong_goes_wrong_as_told() -> Result<()> {
    let discord = discord().await?;
    discord.channel("alerts");
    let limited = Fault::RateLimited { retry_after: 1.5, scope: Scope::Shared };
    discord.faults().next(1, "users", limited);
    let got = ask(&discord, "GET", "users/@me", Value::Null).await?;
    assert_eq!((got.status, &got.json["retry_after"]), (429, &json!(1.5)));
    assert!(got.headers.contains("retry-after: 2") && got.headers.contains("x-ratelimit-scope: shared"));
    discord.faults().next(1, "users", Fault::Html(502));
    assert!(ask(&discord, "GET", "users/@me", Value::Null).await?.headers.contains("text/html"));
    discord.faults().next(1, "users", Fault::CutBody);
    let cut = ask(&discord, "GET", "users/@me", Value::Null).await?;
    assert_eq!((cut.status, cut.json), (200, Value::Null));

    discord.rate_limit("GET /gateway", 1, SignedDuration::from_hours(1));
    assert_eq!(ask(&discord, "GET", "gateway/bot", Value::Null).await?.status, 200);
    let got = ask(&discord, "GET", "gateway/bot", Value::Null).await?;
    assert_eq!((got.status, &got.json["global"]), (429, &json!(false)));
    assert_eq!(ask(&discord, "GET", "nothing", Value::Null).await?.json["message"], "404: Not Found");
    assert_eq!(ask(&discord, "DELETE", "users/@me", Value::Null).await?.status, 405);
    let got = send(&discord, "GET", "users/@me", "application/json", "", "").await?;
    assert_eq!((got.status, got.json), (401, json!({ "message": "401: Unauthorized", "code": 0 })));
    assert_eq!(discord.invalid_requests(), 2);
    Ok(())
}
