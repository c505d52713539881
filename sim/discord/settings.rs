//! What a simulated Discord starts with.

use std::{net::SocketAddr, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::permissions::Permission;

/// How the simulated Discord is set up. [`Settings::default`] is a server as people have it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; loopback, and a free port.
    pub listen: SocketAddr,
    /// The token the bot must present.
    pub bot_token: String,
    /// What the bot is called.
    pub bot_name: String,
    /// What the bot may do in the server.
    pub bot_permissions: Permission,
    /// What the server is called.
    pub guild_name: String,
    /// Makes tokens and session ids differ from world to world.
    pub seed: u64,
    /// What the clock shows at the start; else the real time.
    pub starts_at: Option<Timestamp>,
    /// How often the gateway wants a heartbeat.
    pub heartbeat: Duration,
    /// For how long a nonce is remembered.
    pub nonce_window: SignedDuration,
    /// For how long a lost session can be resumed.
    pub resume_window: SignedDuration,
    /// How far two identifies must be apart; a sooner one gets an invalid session. Discord's is 5 s; none by
    /// default, as it is real time that a test would wait for.
    pub identify_gap: Duration,
    /// Requests a bot may send in a second, over all routes.
    pub global_limit: u32,
    /// Identifies a day; one more resets the token.
    pub identifies_a_day: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            bot_token: "simulated-bot-token".to_owned(),
            bot_name: "Provost".to_owned(),
            bot_permissions: Permission::OF_A_BOT,
            guild_name: "Acme IT".to_owned(),
            seed: 1,
            starts_at: None,
            heartbeat: Duration::from_millis(41_250),
            nonce_window: SignedDuration::from_mins(5),
            resume_window: SignedDuration::from_mins(5),
            identify_gap: Duration::ZERO,
            global_limit: 50,
            identifies_a_day: 1000,
        }
    }
}
