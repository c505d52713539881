//! What the bot does by HTTP, and what goes wrong there.

use anyhow::Result;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::{
    Fault, Permission, Scope,
    kit::{ask, discord, send},
};

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

#[tokio::test]
async fn the_limit_over_all_routes_spares_answers_to_people() -> Result<()> {
    let discord = discord().await?;
    discord.global_limit(1);
    ask(&discord, "GET", "users/@me", Value::Null).await?;
    let got = ask(&discord, "GET", "gateway/bot", Value::Null).await?;
    assert_eq!((got.status, &got.json["global"]), (429, &json!(true)));
    assert!(got.headers.contains("x-ratelimit-global: true"));
    let got = ask(&discord, "POST", "interactions/1/t/callback", json!({ "type": 5 })).await?;
    assert_eq!(got.json["code"], 10062);
    Ok(())
}
