//! What people do, and what they see of it.

use anyhow::Result;
use jiff::SignedDuration;
use serde_json::json;

use super::{
    super::{
        Shown,
        kit::{SOON, ask, callback},
    },
    registered,
};

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
async fn what_is_forged_is_sent_as_it_is() -> Result<()> {
    let (discord, mut socket, channel) = registered().await?;
    let olive = discord.person(discord.member("Olive", &[]));
    let dm = olive.forging(json!({ "guild_id": null, "member": null, "context": 1, "user": { "id": "1" } }));
    dm.types("/okta diagnose app:slack").await?;
    let event = socket.event("INTERACTION_CREATE").await?;
    assert!(event.get("member").is_none() && event["user"]["id"] == "1");

    let forged = json!({ "type": 3, "data": { "custom_id": "v9:approve:1", "component_type": 2 } });
    let answer = olive.in_channel(channel).sends_interaction(forged).await?;
    let event = socket.event("INTERACTION_CREATE").await?;
    assert_eq!(event["data"]["custom_id"], "v9:approve:1");
    assert_eq!(answer.now(), Shown::Waiting);
    let got =
        callback(&discord, &event, json!({ "type": 4, "data": { "content": "No.", "flags": 64 } })).await?;
    assert_eq!(got.status, 200);
    assert_eq!(discord.ephemeral_of(olive.id())[0].text, "No.");
    Ok(())
}

#[tokio::test]
async fn a_menu_a_thread_and_a_ping_in_the_transcript() -> Result<()> {
    let (discord, mut socket, channel) = registered().await?;
    let on_call = discord.role("on-call");
    let ada = discord.person(discord.member("Ada", &[on_call]));
    let options = json!([{ "label": "Dana", "value": "00u1" }, { "label": "Raj", "value": "00u2" }]);
    let menu =
        json!({ "type": 3, "custom_id": "who", "placeholder": "Who", "max_values": 2, "options": options });
    let body = json!({
        "content": format!("[!] ACTION NEEDED <@&{on_call}> since <t:1790000000:R>"),
        "allowed_mentions": { "parse": [], "roles": [on_call.to_string()] },
        "components": [{ "type": 1, "components": [menu] }],
    });
    let path = format!("channels/{channel}/messages");
    let alert: u64 = ask(&discord, "POST", &path, body).await?.json["id"].as_str().unwrap().parse()?;
    ask(&discord, "POST", &format!("{path}/{alert}/threads"), json!({ "name": "Slack" })).await?;
    let step = json!({ "content": "Opened.", "allowed_mentions": { "parse": [] } });
    ask(&discord, "POST", &format!("channels/{alert}/messages"), step).await?;

    assert!(ada.chooses(alert, "Who", &["Zoe"]).await.is_err());
    let answer = ada.chooses(alert, "Who", &["Dana", "00u2"]).await?;
    let event = socket.event("INTERACTION_CREATE").await?;
    assert_eq!(event["data"]["values"], json!(["00u1", "00u2"]));
    callback(&discord, &event, json!({ "type": 6 })).await?;
    assert_eq!(answer.now(), Shown::Taken);
    discord.advance(SignedDuration::from_secs(4));
    assert_eq!(answer.now(), Shown::Taken, "what was acknowledged does not run out");

    let expected = "\
#okta-alerts
Provost:
  [!] ACTION NEEDED @on-call since (relative time)
  [Who v Dana | Raj]
  (rings @on-call)
Provost started a thread: Slack
    (thread) Slack
    Provost:
      Opened.
#okta-alerts
Ada chooses Dana, Raj in [Who]
";
    assert_eq!(discord.transcript(), expected);
    Ok(())
}

#[tokio::test]
async fn nobody_answers_and_the_one_who_waits_is_told() -> Result<()> {
    let (discord, _socket, _) = registered().await?;
    let olive = discord.person(discord.member("Olive", &[]));
    let answer = olive.types("/okta diagnose app:slack").await?;
    discord.advance(SignedDuration::from_secs(4));
    answer.wait_for_answer(SOON).await;
    answer.wait_for_answer(SOON).await;
    let expected = "\
#okta-alerts
Olive: /okta diagnose app:slack
Provost did not respond. (only Olive sees this)
";
    assert_eq!(discord.transcript(), expected);
    Ok(())
}
