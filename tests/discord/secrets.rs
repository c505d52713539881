//! Canaries: no token may appear in a log at any level, whatever goes wrong.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::bot::{Bot, INTERACTION_TOKEN, Memory, pressed, typed};
use crate::fake::{Fake, Fault, TOKEN, Upgrade};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_token_is_logged_at_any_level() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    // One thread runs this test and all its tasks, so all they say is heard.
    let _heard = tracing::subscriber::set_default(subscriber);

    let fake = Fake::start().await;
    let mut bot = Bot::start(&fake, &Arc::new(Memory::default()));
    bot.ready().await;
    // Tests beside this one, without a subscriber, may have had a call site remembered as one nobody listens to.
    tracing::callsite::rebuild_interest_cache();
    fake.interact(&typed(11, "quick"));
    fake.interact(&typed(12, "panics"));
    fake.interact(&pressed(13, "v1:steal"));
    fake.interact(&json!({ "id": "14", "type": 9, "token": INTERACTION_TOKEN }));
    fake.interact(&json!({ "id": "x", "type": 2, "token": INTERACTION_TOKEN }));
    fake.next("PATCH /webhooks", Fault::new(400, r#"{"code":50035,"message":"Invalid Form Body"}"#));
    fake.next(
        "POST /interactions/15",
        Fault { after: std::time::Duration::from_secs(2), ..Fault::new(204, "") },
    );
    fake.interact(&typed(15, "quick"));
    fake.next("POST /interactions/16", Fault::slow_down("9", "user"));
    fake.interact(&typed(16, "quick"));
    fake.wait_for("POST /interactions", 6).await;
    // An event that twilight cannot read: its error holds all of it.
    fake.op(0, json!({ "token": INTERACTION_TOKEN }));
    fake.upgrades([Upgrade::Refused]);
    fake.drop_connection();
    fake.wait_signed_in(2).await;
    bot.stop().await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("Discord answered") && log.contains("twilight_gateway"), "nothing was heard: {log}");
    for canary in [TOKEN, INTERACTION_TOKEN, "canary-session-1"] {
        let line = log.lines().find(|line| line.contains(canary));
        assert_eq!(line, None, "{canary}");
    }
}
