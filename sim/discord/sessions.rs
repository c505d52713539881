//! Gateway sessions: who is connected, what each session was sent, and what it missed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use super::{clock, state::State};

/// The intent for what concerns servers, channels and roles.
pub(super) const GUILDS: u64 = 1;
/// The intent for messages in channels.
pub(super) const GUILD_MESSAGES: u64 = 1 << 9;
/// Events that come without any intent.
pub(super) const ALWAYS: u64 = 0;

/// How many events a session keeps for a resume.
const KEPT: usize = 2000;

/// All sessions and connections, and what the gateway was told to get wrong.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    pub(super) known: BTreeMap<String, Session>,
    pub(super) connections: BTreeMap<u64, Connection>,
    pub(super) identifies: Vec<Timestamp>,
    pub(super) log: Vec<String>,
    pub(super) refuses: usize,
    pub(super) hangs: usize,
    pub(super) twice: bool,
    made: u64,
}

/// What survives a lost connection.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) seq: u64,
    pub(super) intents: u64,
    pub(super) connection: Option<u64>,
    /// When its connection was lost.
    pub(super) lost: Option<Timestamp>,
    sent: Vec<(u64, String)>,
}

/// An open websocket.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) out: UnboundedSender<Out>,
    pub(super) session: Option<String>,
    /// Dead without a sign: nothing comes from it any more, no acknowledgement and no event.
    pub(super) mute: bool,
}

/// What a connection's task does next.
#[derive(Debug)]
pub(super) enum Out {
    /// Sends the frame.
    Text(String),
    /// Closes with that code.
    Close(u16, &'static str),
    /// Lets go of the socket without a word.
    Drop,
}

/// A frame in which t, s and op come before d, as Discord writes it: there are clients that scan for them.
pub(super) fn frame(t: Option<&str>, s: Option<u64>, op: u8, d: &Value) -> String {
    let t = t.map_or_else(|| "null".to_owned(), |t| format!("\"{t}\""));
    let s = s.map_or_else(|| "null".to_owned(), |s| s.to_string());
    format!(r#"{{"t":{t},"s":{s},"op":{op},"d":{d}}}"#)
}

impl Session {
    pub(super) fn new(intents: u64, connection: u64) -> Self {
        Self { seq: 0, intents, connection: Some(connection), lost: None, sent: Vec::new() }
    }

    /// What was sent after the event with that number.
    pub(super) fn missed(&self, seq: u64) -> Vec<String> {
        self.sent.iter().filter(|(s, _)| *s > seq).map(|(_, text)| text.clone()).collect()
    }

    fn number(&mut self, t: &str, d: &Value) -> String {
        self.seq += 1;
        let text = frame(Some(t), Some(self.seq), 0, d);
        self.sent.push((self.seq, text.clone()));
        if self.sent.len() > KEPT {
            self.sent.remove(0);
        }
        text
    }
}

impl Sessions {
    pub(super) fn connect(&mut self, out: UnboundedSender<Out>) -> u64 {
        self.made += 1;
        self.connections.insert(self.made, Connection { out, session: None, mute: false });
        self.made
    }

    /// The connection is gone; its session waits for a resume, or is over if the client said so.
    pub(super) fn disconnect(&mut self, connection: u64, over: bool, now: Timestamp) {
        let Some(gone) = self.connections.remove(&connection) else { return };
        let Some(id) = gone.session else { return };
        let Some(session) = self.known.get_mut(&id).filter(|it| it.connection == Some(connection)) else {
            return;
        };
        session.connection = None;
        session.lost = Some(now);
        if over {
            self.known.remove(&id);
        }
    }

    /// Sends a frame, unless the connection is mute or gone.
    pub(super) fn send(&self, connection: u64, out: Out) {
        if let Some(it) = self.connections.get(&connection).filter(|it| !it.mute) {
            let _ = it.out.send(out);
        }
    }

    /// Sends the session its next event, or keeps it until the session is resumed.
    pub(super) fn event(&mut self, session: &str, t: &str, d: &Value) {
        let Some(it) = self.known.get_mut(session) else { return };
        let text = it.number(t, d);
        if let Some(connection) = it.connection {
            self.send(connection, Out::Text(text));
        }
    }

    /// Whether a bot is there that has been greeted.
    pub(super) fn is_ready(&self) -> bool {
        self.connections.values().any(|it| it.session.is_some() && !it.mute)
    }
}

impl State {
    /// Tells every session that has the intent.
    pub(super) fn dispatch(&mut self, intent: u64, t: &str, d: Value) {
        let (now, window) = (self.now(), self.settings.resume_window);
        self.sessions.known.retain(|_, it| it.lost.is_none_or(|at| clock::since(at, now) < window));
        let to: Vec<String> = self
            .sessions
            .known
            .iter()
            .filter(|(_, it)| intent == ALWAYS || it.intents & intent != 0)
            .map(|(id, _)| id.clone())
            .collect();
        for session in to {
            self.sessions.event(&session, t, &d);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_frame_names_its_event_before_its_data() {
        let text = frame(Some("READY"), Some(1), 0, &json!({ "a": { "op": 9 } }));
        assert_eq!(text, r#"{"t":"READY","s":1,"op":0,"d":{"a":{"op":9}}}"#);
        assert_eq!(frame(None, None, 11, &Value::Null), r#"{"t":null,"s":null,"op":11,"d":null}"#);
    }
}
