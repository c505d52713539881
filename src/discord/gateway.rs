//! The websocket over which Discord delivers interactions: twilight's shard, and around it what a shard alone does
//! not do. It finds connections that hang, backs off from a gateway that closes again and again, gives up sessions
//! that cannot be gone on with, and keeps the session for the next process. The loop itself is in `socket.rs`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::ports::Clock;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::rest::Rest;
use super::session::SessionStore;

/// How patient the loop is; tests shorten it.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How often the connection is looked at.
    pub tick: Duration,
    /// A heartbeat must be answered within this.
    pub beat: Duration,
    /// A connection must be of use within this; longer than twilight's 10 s to connect and 5 s to identify.
    pub stall: Duration,
    /// The first pause after repeated closes; it doubles five times.
    pub back_off: Duration,
    /// Between two saved sessions.
    pub save: Duration,
    /// Between two identifies.
    pub identify_gap: Duration,
    /// Identifies a day; Discord resets the token at 1,000.
    pub identifies_a_day: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            tick: Duration::from_secs(1),
            beat: Duration::from_secs(10),
            stall: Duration::from_secs(20),
            back_off: Duration::from_millis(500),
            save: Duration::from_secs(1),
            identify_gap: Duration::from_secs(5),
            identifies_a_day: 900,
        }
    }
}

/// How the connection is, for `/okta status` and the readiness check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// Since when interactions arrive; `None` while they do not.
    pub ready_since: Option<Timestamp>,
    /// When anything was heard last, a heartbeat's answer included.
    pub heard: Option<Timestamp>,
    /// How often the loop began with a new shard: at the start, and after a connection that hung or was hopeless.
    pub connects: u64,
    /// Interactions that came while too many were waiting, and were let go.
    pub dropped: u64,
}

/// Why the loop ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It was asked to.
    Stopped,
    /// Discord does not want this bot as it is; the close code, 0 without one.
    Fatal(u16),
    /// It could not begin; the reason.
    Unusable(String),
}

impl fmt::Display for End {
    /// What happened and what to do about it. Source: Discord, Opcodes and Status Codes, “Gateway Close Event Codes”.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, advice) = match self {
            Self::Stopped => return f.write_str("the gateway connection was closed as asked"),
            Self::Unusable(why) => return write!(f, "the gateway cannot be used: {why}"),
            Self::Fatal(code) => (
                *code,
                match code {
                    4004 => {
                        "it refuses the bot token; copy the token anew (Developer Portal > Bot > Reset Token) into discord.token"
                    }
                    4010 | 4011 => {
                        "it wants the bot split into shards, which Provost is not made for; use a bot of its own for Provost"
                    }
                    4012 => "it speaks this version of the gateway no more; update Provost",
                    4013 | 4014 => "it refuses the intents, though Provost asks for none; update Provost",
                    _ => {
                        "it gave no reason that is known; look at the Developer Portal whether the bot is still there"
                    }
                },
            ),
        };
        write!(f, "Discord closed the gateway for good (code {code}): {advice}")
    }
}

/// The gateway connection of one bot.
pub struct Gateway {
    pub(super) rest: Arc<Rest>,
    pub(super) token: SecretString,
    pub(super) store: Arc<dyn SessionStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) pace: Pace,
    pub(super) status: watch::Sender<Status>,
}

impl Gateway {
    /// A connection that is not yet made.
    pub fn new(
        rest: Arc<Rest>,
        token: SecretString,
        store: Arc<dyn SessionStore>,
        clock: Arc<dyn Clock>,
        pace: Pace,
    ) -> Self {
        Self { rest, token, store, clock, pace, status: watch::Sender::default() }
    }

    /// How the connection is now, and a way to wait for it to change.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Keeps the connection until `stop`, and hands every interaction to `out` as its raw JSON.
    ///
    /// `out` is never waited for: an interaction must be answered within three seconds, so a full queue is let go.
    pub async fn run(&self, stop: CancellationToken, out: mpsc::Sender<Box<RawValue>>) -> End {
        let end = self.keep_open(&stop, &out).await;
        self.status.send_modify(|status| status.ready_since = None);
        if end != End::Stopped {
            error!("{end}");
        }
        end
    }
}
