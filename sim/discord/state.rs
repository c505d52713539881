//! Everything that is the case in this Discord. It is changed under one lock, a few lines at a time.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    clock::Clock,
    events::Change,
    interaction::Interaction,
    limits::Limits,
    message::Message,
    sessions::Sessions,
    settings::Settings,
    transcript::Scene,
    world::{Channel, Member, Role},
};

/// The world, whole.
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    /// Where this Discord is served, without a slash at the end.
    pub(super) url: String,
    pub(super) application: u64,
    /// The bot's user; the same as its application, as for every new bot.
    pub(super) bot: u64,
    /// The server; also its @everyone role.
    pub(super) guild: u64,
    pub(super) owner: u64,
    pub(super) roles: BTreeMap<u64, Role>,
    pub(super) channels: BTreeMap<u64, Channel>,
    pub(super) members: BTreeMap<u64, Member>,
    /// All messages, deleted and ephemeral ones included.
    pub(super) messages: BTreeMap<u64, Message>,
    pub(super) files: HashMap<u64, File>,
    /// The message a nonce made, and when; by author and nonce.
    pub(super) nonces: HashMap<(u64, String), (u64, Timestamp)>,
    pub(super) refuses_old_edits: bool,
    pub(super) commands: BTreeMap<u64, Registered>,
    pub(super) interactions: BTreeMap<u64, Interaction>,
    pub(super) sessions: Sessions,
    pub(super) limits: Limits,
    pub(super) scene: Scene,
    /// Changes that are to be told once the lock is released.
    pub(super) untold: Vec<Change>,
}

/// A file somebody sent.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) content_type: String,
    pub(super) bytes: axum::body::Bytes,
}

/// A registered command, of the server or of all servers.
#[derive(Debug, Clone)]
pub(super) struct Registered {
    pub(super) guild: Option<u64>,
    /// As Discord shows it: an `ApplicationCommandResponse`.
    pub(super) json: Value,
}

impl State {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn id(&mut self) -> u64 {
        self.clock.snowflake()
    }

    pub(super) fn tell(&mut self, change: Change) {
        self.untold.push(change);
    }

    /// What people call the member.
    pub(super) fn name_of(&self, member: u64) -> String {
        self.members.get(&member).map_or_else(|| "somebody".to_owned(), |who| who.name.clone())
    }
}
