//! Requests to Discord: limits, faults, and the post that may or may not have been done.

use std::time::{Duration, Instant};

use commands::chat::{Card, Chat, ChatError, Message, Nonce, Place};
use domain::ids::{ChannelId, GuildId, MemberId, MessageId, RoleId};
use domain::ports::Roster as _;
use jiff::{SignedDuration, Timestamp};
use provost::discord::GuildRoster;
use provost::discord::registration::{Registered, register};
use provost::discord::rest::Limits;
use serde_json::json;

use crate::bot::{SPECS, limits, rest, rest_with};
use crate::fake::{Fake, Fault, ME, TOKEN};

const HERE: ChannelId = ChannelId(7);
const THERE: ChannelId = ChannelId(8);

fn nonce(text: &str) -> Nonce {
    Nonce(text.to_owned())
}

fn alert(footer: &str) -> Message {
    let card = Card { title: "Slack".to_owned(), footer: footer.to_owned(), ..Card::default() };
    Message { card: Some(card), ..Message::text("[!] ACTION NEEDED") }
}

#[tokio::test]
async fn a_post_is_signed_and_carries_its_nonce_and_no_mentions() {
    let fake = Fake::start().await;
    let posted = rest(&fake).post(HERE, &alert("#1"), &nonce("abc")).await.unwrap();

    let asked = &fake.asked("POST /channels/7/messages")[0];
    assert_eq!(posted, MessageId(1_001));
    assert_eq!(asked.authorization.as_deref(), Some(&*format!("Bot {TOKEN}")));
    assert_eq!((&asked.body["nonce"], &asked.body["enforce_nonce"]), (&json!("abc"), &json!(true)));
    assert_eq!(asked.body["allowed_mentions"], json!({ "parse": [], "users": [], "roles": [] }));
}

#[tokio::test]
async fn a_post_whose_answer_is_lost_is_repeated_and_is_there_once() {
    let fake = Fake::start().await;
    let html = "<html>bad gateway</html>";
    let late = Fault { done: true, after: Duration::from_secs(1), ..Fault::new(200, "") };
    fake.next("POST /channels/7", Fault { done: true, ..Fault::new(502, html) });
    fake.next("POST /channels/7", late);

    let posted = rest(&fake).post(HERE, &alert("#1"), &nonce("abc")).await.unwrap();

    assert_eq!(posted, MessageId(1_001));
    assert_eq!(fake.world().messages.len(), 1);
    assert_eq!(fake.asked("POST /channels/7").len(), 3);
}

#[tokio::test]
async fn an_outage_ends_in_unreachable_and_says_how() {
    let fake = Fake::start().await;
    for _ in 0..4 {
        fake.next("POST /channels/7", Fault::new(503, "<html>maintenance</html>"));
    }
    let error = rest(&fake).post(HERE, &alert("#1"), &nonce("abc")).await.unwrap_err();
    assert_eq!(error.to_string(), "Discord cannot be reached: it answered HTTP 503");
    assert_eq!(fake.asked("POST /channels/7").len(), 4);
}

#[tokio::test]
async fn a_limited_channel_waits_and_another_goes_on() {
    let fake = Fake::start().await;
    let rest = rest(&fake);
    fake.next("POST /channels/7", Fault::slow_down("0.5", "user"));
    let start = Instant::now();
    let (message, one, two) = (alert("#1"), nonce("one"), nonce("two"));
    let here = async {
        rest.post(HERE, &message, &one).await.unwrap();
        start.elapsed()
    };
    let there = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        rest.post(THERE, &message, &two).await.unwrap();
        start.elapsed()
    };
    let (here, there) = tokio::join!(here, there);
    assert!(here >= Duration::from_millis(500), "{here:?}");
    assert!(there < Duration::from_millis(400), "{there:?}");
}

#[tokio::test]
async fn a_global_limit_holds_all_channels() {
    let fake = Fake::start().await;
    let rest = rest(&fake);
    fake.next("POST /channels/7", Fault::slow_down("0.3", "global"));
    let start = Instant::now();
    rest.post(HERE, &alert("#1"), &nonce("one")).await.unwrap();
    rest.post(THERE, &alert("#1"), &nonce("two")).await.unwrap();
    let asked = fake.asked("POST /channels");
    assert_eq!(asked.len(), 3);
    assert!(asked[1].at.duration_since(start) >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_limit_beyond_our_patience_is_told_and_kept() {
    let shapes = [("1336.57", 1_330), ("1000000000", 890), ("900", 890)];
    for (told, at_least) in shapes {
        let fake = Fake::start().await;
        let rest = rest(&fake);
        fake.next("POST /channels/7", Fault::slow_down(told, "shared"));
        for _ in 0..3 {
            let error = rest.post(HERE, &alert("#1"), &nonce("one")).await.unwrap_err();
            let ChatError::RateLimited { until } = error else { panic!("{told}: {error}") };
            let wait = until.duration_since(provost_now());
            assert!(wait >= SignedDuration::from_secs(at_least.min(890)), "{told}: {wait}");
        }
        assert_eq!(fake.asked("POST /channels/7").len(), 1, "{told}: nothing is sent before its time");
    }
}

#[tokio::test]
async fn a_limit_without_a_usable_time_is_a_second() {
    for told in ["-5", "soon", "NaN", ""] {
        let fake = Fake::start().await;
        fake.next("POST /channels/7", Fault::slow_down(told, "user"));
        let start = Instant::now();
        rest(&fake).post(HERE, &alert("#1"), &nonce("one")).await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(1), "{told}");
    }
}

#[tokio::test]
async fn a_refused_token_is_tried_again_only_after_a_long_while() {
    let fake = Fake::start().await;
    let rest = rest_with(&fake, Limits { refused: Duration::from_millis(300), ..limits() });
    fake.next("GET /users", Fault::new(401, r#"{"code":0,"message":"401: Unauthorized"}"#));
    assert!(matches!(rest.me().await, Err(ChatError::Unauthorized)));
    assert!(matches!(rest.edit(place(), &alert("#1")).await, Err(ChatError::Unauthorized)));
    assert_eq!(fake.world().asked.len(), 1);

    tokio::time::sleep(Duration::from_millis(350)).await;
    assert!(rest.me().await.is_ok(), "it may have been mended meanwhile");
}

#[tokio::test]
async fn sending_stops_when_too_much_was_forbidden() {
    let fake = Fake::start().await;
    let rest = rest_with(&fake, Limits { invalid: 3, ..limits() });
    for _ in 0..9 {
        fake.next("PATCH", Fault::new(403, r#"{"code":50013,"message":"Missing Permissions"}"#));
    }
    for attempt in 0..9 {
        let error = rest.edit(place(), &alert("#1")).await.unwrap_err();
        assert_eq!(matches!(error, ChatError::Forbidden { .. }), attempt < 3, "{attempt}: {error}");
    }
    assert_eq!(fake.world().asked.len(), 3);
}

#[tokio::test]
async fn a_message_after_the_nonces_time_is_found_by_its_footer() {
    let fake = Fake::start().await;
    let rest = rest(&fake);
    let bystander =
        json!({ "id": "50", "author": { "id": "3" }, "embeds": [{ "footer": { "text": "#214" } }] });
    fake.world().messages.push(bystander);
    for number in 0..120 {
        rest.post(HERE, &Message::text("Noise."), &nonce(&format!("{number}"))).await.unwrap();
    }
    let posted = rest.post(HERE, &alert("#214"), &nonce("abc")).await.unwrap();

    let long_ago: Timestamp = "2015-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(rest.find(HERE, long_ago, "#214").await.unwrap(), Some(posted));
    assert_eq!(rest.find(HERE, long_ago, "#215").await.unwrap(), None);
    let unreadable = rest.find(HERE, provost_now(), "#214").await.unwrap_err().to_string();
    assert!(unreadable.contains("READ_MESSAGE_HISTORY"), "an empty history is not believed: {unreadable}");
    assert_eq!(fake.asked("GET /users/@me").len(), 1, "who we are ({ME}) is asked once");
}

#[tokio::test]
async fn a_thread_that_is_there_already_is_the_thread() {
    let fake = Fake::start().await;
    let rest = rest(&fake);
    assert_eq!(rest.thread(place(), "Slack").await.unwrap(), ChannelId(70));
    fake.next("POST /channels/7/messages/70", Fault::new(400, r#"{"code":160004,"message":"has one"}"#));
    assert_eq!(rest.thread(place(), "Slack").await.unwrap(), ChannelId(70));
    let body = &fake.asked("POST /channels/7/messages/70/threads")[0].body;
    assert_eq!(body, &json!({ "name": "Slack", "auto_archive_duration": 10_080 }));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let fake = Fake::start().await;
    let headers = vec![("location", format!("{}stolen", fake.url))];
    fake.next("GET /users", Fault { headers, ..Fault::new(307, "") });
    assert!(rest(&fake).me().await.is_err());
    assert!(fake.world().asked.iter().all(|asked| asked.what.starts_with("GET /users")));
}

#[tokio::test]
async fn nobody_is_a_member_that_is_gone() {
    let fake = Fake::start().await;
    let rest = rest(&fake);
    fake.next("GET /guilds/1/members", Fault::new(404, r#"{"code":10007,"message":"Unknown Member"}"#));
    assert_eq!(rest.member(GuildId(1), MemberId(5)).await.unwrap(), None);
    assert_eq!(rest.member(GuildId(1), MemberId(5)).await.unwrap().unwrap().user.id, MemberId(5));
}

#[tokio::test]
async fn commands_are_registered_once() {
    let fake = Fake::start().await;
    let rest = rest(&fake);
    assert_eq!(register(&rest, 12, GuildId(1), SPECS).await.unwrap(), Registered::Updated);
    assert_eq!(register(&rest, 12, GuildId(1), SPECS).await.unwrap(), Registered::Unchanged);
    assert_eq!(fake.asked("PUT").len(), 1);
}

#[tokio::test]
async fn an_unencrypted_origin_elsewhere_is_refused() {
    let url = "http://discord.example".parse().unwrap();
    let clock = std::sync::Arc::new(provost::clock::SystemClock);
    assert!(provost::discord::Rest::new(url, TOKEN.into(), clock).is_err());
}

fn place() -> Place {
    Place { channel: HERE, message: MessageId(70) }
}

fn provost_now() -> Timestamp {
    domain::ports::Clock::now(&provost::clock::SystemClock)
}

#[tokio::test]
async fn who_has_which_role_is_asked_afresh_and_unknown_is_no_answer() {
    let fake = Fake::start().await;
    let roster = GuildRoster::new(rest(&fake), GuildId(1));
    let member = |until: &str| {
        let body = json!({ "user": { "id": "5" }, "roles": ["2"], "communication_disabled_until": until });
        Fault::new(200, &body.to_string())
    };
    #[rustfmt::skip]
    let table = [
        (Fault::new(200, r#"{"user":{"id":"5"},"roles":["2","3"]}"#),       Some(Some(vec![RoleId(2), RoleId(3)]))),
        (Fault::new(200, r#"{"user":{"id":"5"},"roles":[],"communication_disabled_until":null}"#), Some(Some(vec![]))),
        (member("2001-01-01T00:00:00+00:00"),                               Some(Some(vec![RoleId(2)]))),
        (member("2999-01-01T00:00:00.000000+00:00"),                        Some(None)),
        (member("soon"),                                                    None),
        (Fault::new(404, r#"{"code":10007,"message":"Unknown Member"}"#),   Some(None)),
        (Fault::new(404, r#"{"code":10004,"message":"Unknown Guild"}"#),    None),
        (Fault::new(403, r#"{"code":50001,"message":"Missing Access"}"#),   None),
        (Fault::new(200, r#"{"user":{"id":"5"}}"#),                         None),
    ];
    for (number, (answer, expected)) in table.into_iter().enumerate() {
        let body = answer.body.clone();
        fake.next("GET /guilds/1/members/5", answer);
        assert_eq!(roster.roles(MemberId(5)).await.ok(), expected, "{body}");
        assert_eq!(fake.asked("GET /guilds/1/members/5").len(), number + 1, "{body}");
    }

    fake.next("GET /guilds/1/roles/member-counts", Fault::new(200, r#"{"2":3,"3":0}"#));
    assert_eq!(roster.counts().await.unwrap(), [(RoleId(2), 3), (RoleId(3), 0)].into());
    fake.next("GET /guilds/1/roles/member-counts", Fault::new(403, r#"{"code":50001,"message":"No"}"#));
    assert!(roster.counts().await.unwrap_err().to_string().contains("cannot be read"));
}
