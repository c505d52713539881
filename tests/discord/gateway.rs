//! The gateway: every fault that was found to leave a bare shard dead or spinning.

use std::sync::Arc;
use std::time::Duration;

use provost::discord::gateway::{End, Pace};
use serde_json::{Value, json};

use crate::bot::{Bot, Memory, pace, typed};
use crate::fake::{Fake, Fault, Upgrade};

const ACK: &str = "POST /interactions/";

async fn ready() -> (Fake, Bot, Arc<Memory>) {
    let (fake, store) = (Fake::start().await, Arc::new(Memory::default()));
    let mut bot = Bot::start(&fake, &store);
    bot.ready().await;
    (fake, bot, store)
}

/// Somebody types something while the connection is away; it is answered, once.
async fn delivered(fake: &Fake, bot: Bot, signed_in: &[&str]) {
    fake.interact(&typed(11, "quick"));
    fake.wait_for(ACK, 1).await;
    assert_eq!(fake.wait_signed_in(signed_in.len()).await[..signed_in.len()], *signed_in);
    assert_eq!(bot.stop().await, End::Stopped);
    assert_eq!(fake.asked(ACK).len(), 1);
}

#[tokio::test]
async fn a_dropped_connection_is_resumed_where_discord_said() {
    let (fake, bot, _) = ready().await;
    fake.drop_connection();
    delivered(&fake, bot, &["identify first", "resume resume"]).await;
}

#[tokio::test]
async fn closes_and_requests_to_reconnect_are_resumed() {
    for code in [Some(4000), Some(1000), Some(1001), Some(4003), Some(4008), None] {
        let (fake, bot, _) = ready().await;
        fake.close(code);
        delivered(&fake, bot, &["identify first", "resume resume"]).await;
    }
    let (fake, bot, _) = ready().await;
    fake.op(7, Value::Null);
    delivered(&fake, bot, &["identify first", "closed 4000", "resume resume"]).await;
    let (fake, bot, _) = ready().await;
    fake.op(9, json!(true));
    delivered(&fake, bot, &["identify first", "closed 4000", "resume resume"]).await;
}

#[tokio::test]
async fn a_session_that_is_gone_is_given_up() {
    let (fake, bot, store) = ready().await;
    fake.forget_session();
    fake.drop_connection();
    let signed_in = fake.wait_signed_in(3).await;
    assert_eq!(signed_in[1..], ["closed 1000", "identify first"]);
    assert_eq!(store.identifies.lock().unwrap().len(), 2);
    bot.stop().await;
}

#[tokio::test]
async fn a_session_that_discord_refuses_is_not_tried_for_ever() {
    for code in [4007, 4009] {
        let (fake, bot, _) = ready().await;
        fake.upgrades([Upgrade::ClosesResume(code)]);
        fake.drop_connection();
        assert_eq!(fake.wait_signed_in(2).await[1], "identify first", "{code}");
        bot.stop().await;
    }
    let (fake, bot, _) = ready().await;
    fake.upgrades([Upgrade::ClosesResume(4000); 20]);
    fake.drop_connection();
    assert_eq!(fake.wait_signed_in(2).await[1], "identify first");
    assert!(fake.world().upgrades.len() >= 10, "given up after a few attempts");
    bot.stop().await;
}

#[tokio::test]
async fn a_gateway_that_closes_again_and_again_is_not_hammered() {
    let fake = Fake::start().await;
    fake.upgrades([Upgrade::ClosesIdentify(4000); 200]);
    let bot = Bot::start(&fake, &Arc::default());
    tokio::time::sleep(Duration::from_millis(700)).await;
    let used = 200 - fake.world().upgrades.len();
    assert!((2..=10).contains(&used), "{used} connections in 0.7 s");
    assert_eq!(bot.stop().await, End::Stopped);
}

#[tokio::test]
async fn a_hung_upgrade_is_left_and_the_session_kept() {
    let (fake, bot, _) = ready().await;
    fake.upgrades([Upgrade::Hung]);
    fake.drop_connection();
    fake.interact(&typed(11, "quick"));
    fake.wait_for(ACK, 1).await;
    assert_eq!(fake.world().signed_in, ["identify first", "resume resume"]);
    bot.stop().await;
}

#[tokio::test]
async fn refused_upgrades_are_tried_again_and_the_session_kept() {
    let (fake, bot, _) = ready().await;
    fake.upgrades([Upgrade::Refused]);
    fake.drop_connection();
    delivered(&fake, bot, &["identify first", "resume resume"]).await;
}

#[tokio::test]
async fn a_connection_that_answers_no_heartbeat_is_left() {
    let fake = Fake::start().await;
    fake.world().beat_ms = 300;
    fake.upgrades([Upgrade::Zombie]);
    let mut bot = Bot::start(&fake, &Arc::default());
    bot.ready().await;
    fake.interact(&typed(11, "quick"));
    fake.wait_for(ACK, 1).await;
    assert_eq!(fake.world().signed_in, ["identify first", "resume resume"]);
    bot.stop().await;
}

#[tokio::test]
async fn a_close_that_means_it_ends_the_loop_with_words() {
    for (code, words) in [(4004, "bot token"), (4010, "shards"), (4012, "update"), (4014, "intents")] {
        let fake = Fake::start().await;
        fake.upgrades([Upgrade::ClosesIdentify(code)]);
        let store = Arc::new(Memory::default());
        let end = Bot::start(&fake, &store).ended().await;
        assert_eq!(end, End::Fatal(code));
        assert!(end.to_string().contains(words), "{end}");
        assert_eq!(*store.session.lock().unwrap(), None);
    }
}

#[tokio::test]
async fn a_restart_goes_on_with_the_session_and_answers_what_came_meanwhile() {
    let (fake, bot, store) = ready().await;
    assert_eq!(bot.stop().await, End::Stopped);
    assert_eq!(fake.wait_signed_in(2).await[1], "closed 4000");
    assert!(store.session.lock().unwrap().is_some());

    fake.interact(&typed(11, "quick"));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let bot = Bot::start(&fake, &store);

    fake.wait_for(ACK, 1).await;
    assert_eq!(fake.wait_signed_in(3).await[2], "resume resume");
    bot.stop().await;
    assert_eq!(fake.asked(ACK).len(), 1);
    assert_eq!(store.identifies.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_budget_of_identifies_outlives_the_process() {
    let (fake, store) = (Fake::start().await, Arc::new(Memory::default()));
    let few = Pace { identifies_a_day: 2, ..pace() };
    for _ in 0..3 {
        let bot = Bot::start_with(&fake, &store, few);
        tokio::time::sleep(Duration::from_millis(300)).await;
        fake.forget_session();
        bot.stop().await;
        *store.session.lock().unwrap() = None;
    }
    assert_eq!(store.identifies.lock().unwrap().len(), 2);
    assert_eq!(fake.world().signed_in.iter().filter(|by| by.starts_with("identify")).count(), 2);
}

#[tokio::test]
async fn the_gateways_address_is_asked_for_again_and_never_guessed() {
    let fake = Fake::start().await;
    for _ in 0..5 {
        fake.next("GET /gateway", Fault::new(503, "<html>"));
    }
    let mut bot = Bot::start(&fake, &Arc::default());
    bot.ready().await;
    bot.stop().await;

    fake.next("GET /gateway", Fault::new(200, r#"{"url":"ws://gateway.example"}"#));
    let end = Bot::start(&fake, &Arc::default()).ended().await;
    assert!(matches!(&end, End::Unusable(why) if why.contains("wss://")), "{end}");
}

#[tokio::test]
async fn stopping_takes_no_time_whatever_the_connection_does() {
    for upgrade in [Upgrade::Hung, Upgrade::Refused, Upgrade::Zombie, Upgrade::ClosesIdentify(4000)] {
        let fake = Fake::start().await;
        fake.upgrades([upgrade; 9]);
        let bot = Bot::start(&fake, &Arc::default());
        tokio::time::sleep(Duration::from_millis(60)).await;
        let stopped = tokio::time::timeout(Duration::from_secs(1), bot.stop()).await;
        assert_eq!(stopped.ok(), Some(End::Stopped), "{upgrade:?}");
    }
}
