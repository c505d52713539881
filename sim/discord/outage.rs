//! Verbs for what goes wrong between the bot and the gateway.

use std::time::Duration;

use anyhow::{Result, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Discord,
    sessions::{Out, frame},
    state::State,
};

impl Discord {
    /// Every gateway connection breaks, without a close frame.
    pub fn drops_connection(&self) {
        self.to_all(|| Out::Drop);
    }

    /// The gateway closes every connection with that code.
    pub fn closes(&self, code: u16) {
        self.with(|state| {
            if matches!(code, 4007 | 4009) {
                state.sessions.known.clear();
            }
        });
        self.to_all(|| Out::Close(code, "Told to"));
    }

    /// The gateway asks the bot to reconnect (op 7).
    pub fn asks_to_reconnect(&self) {
        self.to_all(|| Out::Text(frame(None, None, 7, &Value::Null)));
    }

    /// The gateway asks for a heartbeat now (op 1).
    pub fn asks_for_a_heartbeat(&self) {
        self.to_all(|| Out::Text(frame(None, None, 1, &Value::Null)));
    }

    /// The gateway calls the session invalid (op 9); it forgets one that cannot be resumed.
    pub fn invalidates_session(&self, resumable: bool) {
        self.to_all(|| Out::Text(frame(None, None, 9, &Value::Bool(resumable))));
        if !resumable {
            return self.forgets_sessions();
        }
        self.with(|state| {
            let now = state.now();
            state.sessions.connections.values_mut().for_each(|it| it.session = None);
            for session in state.sessions.known.values_mut() {
                session.connection = None;
                session.lost.get_or_insert(now);
            }
        });
    }

    /// The connections that are open now fall silent: no acknowledgement, no event, no close.
    pub fn stops_acknowledging(&self) {
        self.with(|state| state.sessions.connections.values_mut().for_each(|it| it.mute = true));
    }

    /// The next `n` upgrades are answered with 503.
    pub fn refuses_upgrades(&self, n: usize) {
        self.with(|state| state.sessions.refuses = n);
    }

    /// The next `n` upgrades are accepted and never answered.
    pub fn hangs_upgrades(&self, n: usize) {
        self.with(|state| state.sessions.hangs = n);
    }

    /// No session can be resumed any more. Connections stay open, and get no more events.
    pub fn forgets_sessions(&self) {
        self.with(|state| {
            state.sessions.known.clear();
            state.sessions.connections.values_mut().for_each(|it| it.session = None);
        });
    }

    /// Whether every interaction is delivered twice.
    pub fn sends_twice(&self, twice: bool) {
        self.with(|state| state.sessions.twice = twice);
    }

    /// Sends what is no JSON, an event that nobody knows, and an interaction without its fields.
    pub fn sends_garbage(&self) {
        self.to_all(|| Out::Text("{\"t\":\"INTERACTION_CREATE\",\"s\":".to_owned()));
        self.with(|state| {
            state.dispatch(0, "NOBODY_KNOWS_THIS", json!({ "a": [1, { "b": null }] }));
            state.dispatch(0, "INTERACTION_CREATE", json!({ "id": "1", "type": 99 }));
        });
    }

    /// Sends a text as it is to every connection.
    pub fn sends_frame(&self, text: &str) {
        self.to_all(|| Out::Text(text.to_owned()));
    }

    /// Waits until a bot is there and was greeted with READY or RESUMED.
    ///
    /// # Errors
    ///
    /// If none is there in time; the text says what the gateway saw.
    pub async fn bot_is_ready(&self, timeout: Duration) -> Result<()> {
        let ready = self.until(timeout, |state| state.sessions.is_ready().then_some(())).await;
        ensure!(
            ready.is_some(),
            "no bot is ready after {timeout:?}; the gateway saw {:?}",
            self.gateway_log()
        );
        Ok(())
    }

    /// Whether a bot is there now and was greeted.
    pub fn has_bot(&self) -> bool {
        self.read(|state| state.sessions.is_ready())
    }

    /// What the gateway saw, in order: "connected /gateway", "identify", "resume", "client closed 4000", …
    pub fn gateway_log(&self) -> Vec<String> {
        self.read(|state| state.sessions.log.clone())
    }

    /// When the bot identified.
    pub fn identifies(&self) -> Vec<Timestamp> {
        self.read(|state: &State| state.sessions.identifies.clone())
    }

    fn to_all(&self, out: impl Fn() -> Out) {
        self.with(|state| {
            for connection in state.sessions.connections.values() {
                let _ = connection.out.send(out());
            }
        });
    }
}
