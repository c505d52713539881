//! The demo's page as a stranger on the network, another page, and its own script find it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::StreamExt;
use provost::demo::World;
use provost::demo::stage::Stage;
use provost::demo::web::{self, Key};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A running page.
struct Page {
    world: World,
    origin: String,
    token: String,
    http: Client,
    stop: CancellationToken,
    server: JoinHandle<Result<()>>,
}

impl Page {
    async fn opens() -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let world = World::starts_audited(1).await?;
        let listener = web::listen(([127, 0, 0, 1], 0).into()).await?;
        let key = Key::new(listener.local_addr()?)?;
        let url = key.url();
        let (origin, token) = url.split_once("/#").context("the address has no token")?;
        let stop = CancellationToken::new();
        let server = tokio::spawn(web::serve(listener, Stage::set(&world), key, stop.clone()));
        let (origin, token) = (origin.to_owned(), token.to_owned());
        Ok(Self { world, origin, token, http: Client::new(), stop, server })
    }

    async fn closes(self) -> Result<()> {
        self.stop.cancel();
        self.server.await??;
        self.world.ends().await
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.origin))
    }

    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        let request = self.http.post(format!("{}{path}", self.origin));
        request.header("content-type", "application/json").body(body.to_string()).bearer_auth(&self.token)
    }

    /// Somebody does something in the channel.
    async fn chat(&self, who: u64, what: Value) -> Result<(StatusCode, Value)> {
        let channel = self.world.channel.to_string();
        let body = json!({ "who": who.to_string(), "channel": channel, "what": what });
        json_of(self.post("/api/chat", &body).send().await?).await
    }

    /// Something happens in Okta.
    async fn happens(&self, deed: Value) -> Result<(StatusCode, Value)> {
        json_of(self.post("/api/world", &deed).send().await?).await
    }

    /// What that member's feed brings, until `enough`.
    async fn feed(&self, who: u64, enough: impl Fn(&str) -> bool) -> Result<String> {
        let feed = self.get(&format!("/api/feed?who={who}")).bearer_auth(&self.token).send().await?;
        ensure!(feed.status() == StatusCode::OK, "the feed answers {}", feed.status());
        let mut seen = String::new();
        let mut chunks = feed.bytes_stream();
        let read = async {
            while !enough(&seen) {
                let chunk = chunks.next().await.context("the feed ended")??;
                seen.push_str(&String::from_utf8_lossy(&chunk));
            }
            anyhow::Ok(())
        };
        let read = tokio::time::timeout(Duration::from_secs(20), read).await;
        read.with_context(|| format!("waited in vain; the feed brought:\n{seen}"))??;
        Ok(seen)
    }
}

async fn json_of(answer: Response) -> Result<(StatusCode, Value)> {
    let status = answer.status();
    let text = answer.text().await?;
    Ok((status, serde_json::from_str(&text).with_context(|| text.clone())?))
}

#[tokio::test]
async fn only_the_page_itself_with_the_token_gets_past_the_door() -> Result<()> {
    let page = Page::opens().await?;
    let port = page.origin.rsplit(':').next().unwrap_or_default().to_owned();
    let local = format!("localhost:{port}");
    let ours = page.origin.clone();
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let bearer = format!("Bearer {}", page.token);
    let right = ("authorization", bearer.as_str());
    #[rustfmt::skip]
    let table: [(&str, Headers<'_>, u16); 12] = [
        ("/",                   &[],                                                           200),
        ("/js/main.js",         &[],                                                           200),
        ("/js/../Cargo.toml",   &[],                                                           404),
        ("/",                   &[("host", "evil.example")],                                   403),
        ("/",                   &[("host", &local)],                                           200),
        ("/api/feed?who=1",     &[],                                                           401),
        ("/api/feed?who=1",     &[("authorization", "Bearer wrong")],                          401),
        ("/api/feed?who=1",     &[right],                                                      422),
        ("/api/feed?who=",      &[right, ("origin", "http://evil.example")],                   403),
        ("/api/feed?who=",      &[right, ("sec-fetch-site", "cross-site")],                    403),
        ("/api/feed?who=",      &[right, ("host", "evil.example")],                            403),
        ("/api/feed?who=",      &[right, ("origin", &ours), ("sec-fetch-site", "same-origin")], 200),
    ];
    for (path, headers, expected) in table {
        let request =
            headers.iter().fold(page.get(path), |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await?;
        assert_eq!(answer.status().as_u16(), expected, "{path} {headers:?}");
        let policy = answer.headers()["content-security-policy"].to_str()?;
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(!answer.headers().contains_key("access-control-allow-origin"));
    }
    let foreign = page.post("/api/world", &json!({ "do": "wind", "minutes": 1 })).header("origin", "null");
    assert_eq!(foreign.send().await?.status(), StatusCode::FORBIDDEN);
    page.closes().await
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_harms_nothing() -> Result<()> {
    let page = Page::opens().await?;
    let slack = page.world.okta.app_id("Slack").context("Slack")?;
    let admin = page.world.okta.person_views()[0].id.clone();
    for deed in [
        json!({ "do": "assign", "app": "0oaNothing", "person": admin }),
        json!({ "do": "assign", "app": slack, "person": "00uNobody" }),
        json!({ "do": "leave", "person": admin }),
        json!({ "do": "wind", "minutes": 0 }),
        json!({ "do": "wind", "minutes": 999_999 }),
        json!({ "do": "erase" }),
        json!({ "do": "storm", "app": slack, "people": 1_000_000 }),
    ] {
        let answer = page.post("/api/world", &deed).send().await?;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{deed}");
    }
    let bot = page.world.discord.application_id();
    for (who, what) in [
        (bot, json!({ "do": "say", "text": "I am the bot" })),
        (page.world.vic, json!({ "do": "type", "line": "/nothing" })),
        (page.world.vic, json!({ "do": "click", "message": "1", "control": "v1:approve:R1" })),
        (page.world.vic, json!({ "do": "submit", "dialog": "1", "answers": {} })),
        (page.world.vic, json!({ "do": "choose", "message": "x", "control": "", "values": [] })),
    ] {
        let (channel, what_) = (page.world.channel.to_string(), what.clone());
        let body = json!({ "who": who.to_string(), "channel": channel, "what": what_ });
        let answer = page.post("/api/chat", &body).send().await?;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{what}");
    }
    let huge = json!({ "do": "assign", "app": "x".repeat(100_000), "person": "y" });
    assert_eq!(page.post("/api/world", &huge).send().await?.status(), StatusCode::PAYLOAD_TOO_LARGE);
    page.closes().await
}

#[tokio::test]
async fn a_failure_shows_at_once_and_a_private_answer_only_to_its_owner() -> Result<()> {
    let page = Page::opens().await?;
    let slack = page.world.okta.app_id("Slack").context("Slack")?;
    let dana = page.world.okta.user_id("dana").context("Dana")?;
    let alert = |seen: &str| seen.contains("[!] ACTION NEEDED · Slack");
    let (watched, happened) = tokio::join!(
        page.feed(page.world.vic, alert),
        page.happens(json!({ "do": "assign", "app": slack, "person": dana }))
    );
    assert!(watched?.contains("event: tour"));
    assert_eq!(happened?.0, StatusCode::OK);

    let message = page.world.discord.messages(page.world.channel)[0].clone();
    let button = &message.rows[0][0];
    assert_eq!(button.label, "Diagnose");
    let press = json!({ "do": "click", "message": message.id.to_string(), "control": button.custom_id });
    assert_eq!(page.chat(page.world.vic, press).await?, (StatusCode::OK, json!({ "shown": "taken" })));
    page.feed(page.world.vic, |seen| seen.contains("the setting is off")).await?;
    let others = page.feed(page.world.olive, |seen| seen.contains("event: clock")).await?;
    assert!(!others.contains("the setting is off"), "Olive sees what only Vic may");

    // What is typed in an option is completed by the bot, for those who may use the command.
    let typed = json!({ "do": "complete", "line": "/okta diagnose", "option": "app", "text": "sla" });
    let (_, offered) = page.chat(page.world.vic, typed.clone()).await?;
    assert_eq!(offered["shown"], "choices");
    assert!(offered["what"][0]["label"].as_str().is_some_and(|label| label.contains("Slack")), "{offered}");
    assert_eq!(page.chat(page.world.stranger, typed).await?.1["what"], json!([]));

    // A dialog comes back at once, and is submitted by the one who opened it only.
    let enable = &message.rows[0][1];
    let press = json!({ "do": "click", "message": message.id.to_string(), "control": enable.custom_id });
    let (_, dialog) = page.chat(page.world.olive, press).await?;
    assert_eq!(dialog["shown"], "dialog", "{dialog}");
    let field = &dialog["what"]["fields"][0]["custom_id"];
    let field = field.as_str().context("a field")?;
    let submit = json!({ "do": "submit", "dialog": dialog["what"]["interaction"], "answers": { field: "Dana is back" } });
    assert_eq!(page.chat(page.world.vic, submit.clone()).await?.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(page.chat(page.world.olive, submit).await?.0, StatusCode::OK);
    page.feed(page.world.olive, |seen| seen.contains("please confirm")).await?;
    page.closes().await
}

#[tokio::test]
async fn the_tour_goes_on_when_the_channel_has_the_card() -> Result<()> {
    let page = Page::opens().await?;
    let slack = page.world.okta.app_id("Slack").context("Slack")?;
    let dana = page.world.okta.user_id("dana").context("Dana")?;
    let second = r#""number":2"#;
    let (seen, happened) = tokio::join!(
        page.feed(page.world.vic, |seen| seen.contains(second)),
        page.happens(json!({ "do": "assign", "app": slack, "person": dana }))
    );
    assert_eq!(happened?.0, StatusCode::OK);
    let (before, _) =
        seen?.split_once(second).map(|(a, b)| (a.to_owned(), b.to_owned())).context("step 2")?;
    assert!(before.contains("[!] ACTION NEEDED · Slack"), "it went on too early:\n{before}");
    // The task list counts tries, and what one does in the console is logged as done by whom the page names.
    assert!(before.contains(r#""attempts":1"#) && before.contains(r#""admin":"Jo Ortiz""#), "{before}");
    let added = page.world.okta.log().into_iter().rev();
    let added = added.into_iter().find(|event| event["eventType"] == "application.user_membership.add");
    assert_eq!(added.context("her assignment")?["actor"]["displayName"], "Jo Ortiz");
    page.closes().await
}

#[tokio::test]
async fn a_file_is_had_by_those_who_see_its_message() -> Result<()> {
    let page = Page::opens().await?;
    let slack = page.world.okta.app_id("Slack").context("Slack")?;
    let dana = page.world.okta.user_id("dana").context("Dana")?;
    page.happens(json!({ "do": "assign", "app": slack, "person": dana })).await?;
    page.feed(page.world.vic, |seen| seen.contains("[!] ACTION NEEDED · Slack")).await?;
    page.chat(page.world.vic, json!({ "do": "type", "line": "/okta tasks" })).await?;
    page.feed(page.world.vic, |seen| seen.contains("1 person failing")).await?;
    let list = page.world.discord.ephemeral_of(page.world.vic).pop().context("the list")?;
    let path = |who: u64| format!("/api/file?who={who}&message={}&number=0", list.id);
    let file = page.get(&path(page.world.vic)).bearer_auth(&page.token).send().await?;
    assert!(file.headers()["content-type"].to_str()?.starts_with("text/plain"));
    assert!(file.text().await?.contains("dana@example.com"));
    let other = page.get(&path(page.world.olive)).bearer_auth(&page.token).send().await?;
    assert_eq!(other.status(), StatusCode::UNPROCESSABLE_ENTITY);
    page.closes().await
}

#[tokio::test]
async fn whoever_leaves_and_comes_back_fails_until_the_box_is_ticked() -> Result<()> {
    let page = Page::opens().await?;
    let airbase = page.world.okta.app_id("Airbase").context("Airbase")?;
    let ben = page.world.okta.user_id("ben").context("Ben")?;
    let okta = page.world.okta.clone();
    let done = (StatusCode::OK, json!({ "shown": "taken" }));
    let assign = json!({ "do": "assign", "app": airbase, "person": ben });
    ensure!(okta.is_active_in_app(&ben, &airbase));
    assert_eq!(page.happens(json!({ "do": "leave", "person": ben })).await?, done);
    assert_eq!(page.happens(assign.clone()).await?.0, StatusCode::UNPROCESSABLE_ENTITY, "he has left");
    assert_eq!(page.happens(json!({ "do": "return", "person": ben })).await?, done);
    assert_eq!(page.happens(assign).await?, done);
    assert_eq!(okta.tasks().len(), 1);
    page.feed(page.world.vic, |seen| seen.contains("[!] ACTION NEEDED · Airbase")).await?;

    assert_eq!(page.happens(json!({ "do": "setting", "app": airbase, "on": true })).await?, done);
    assert_eq!(page.happens(json!({ "do": "retry", "app": airbase, "person": ben })).await?, done);
    ensure!(okta.is_active_in_app(&ben, &airbase));
    page.feed(page.world.vic, |seen| seen.contains("[✓] FIXED · Airbase · 1 person provisioned")).await?;
    page.closes().await
}

#[tokio::test]
async fn the_world_can_be_broken_and_mended() -> Result<()> {
    let page = Page::opens().await?;
    let zoom = page.world.okta.app_id("Zoom").context("Zoom")?;
    let done = (StatusCode::OK, json!({ "shown": "taken" }));
    assert_eq!(page.happens(json!({ "do": "busy", "app": zoom })).await?, done);
    assert_eq!(page.world.okta.tasks().len(), 1);
    assert_eq!(page.happens(json!({ "do": "wind", "minutes": 10 })).await?, done);
    page.feed(page.world.vic, |seen| seen.contains(r#""ahead":600"#)).await?;
    assert_eq!(page.world.okta.tasks().len(), 0, "it did not heal itself");

    for part in ["okta_down", "discord_down"] {
        assert_eq!(page.happens(json!({ "do": part, "down": true })).await?, done);
        let flag = part.replace("_down", "_is_down");
        page.feed(page.world.vic, |seen| seen.contains(&format!(r#""{flag}":true"#))).await?;
        if part == "discord_down" {
            let (status, _) = page.chat(page.world.vic, json!({ "do": "say", "text": "hello?" })).await?;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        assert_eq!(page.happens(json!({ "do": part, "down": false })).await?, done);
    }
    page.world.discord.bot_is_ready(Duration::from_secs(20)).await?;
    assert_eq!(page.chat(page.world.vic, json!({ "do": "say", "text": "hello!" })).await?, done);
    page.closes().await
}
