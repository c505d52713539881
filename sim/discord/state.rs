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
    permissions::Permission,
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
    /// When each command was created; there is a limit a day.
    pub(super) creates: Vec<Timestamp>,
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
    /// A server with its owner and the bot, and no channel yet.
    pub(super) fn founded(settings: Settings, url: String) -> Self {
        let mut clock = Clock::default();
        if let Some(start) = settings.starts_at {
            clock.advance(start.duration_since(clock.now()));
        }
        let (application, guild) = (clock.snowflake(), clock.snowflake());
        let mut state = Self {
            clock,
            url,
            application,
            bot: application,
            guild,
            owner: 0,
            roles: BTreeMap::new(),
            channels: BTreeMap::new(),
            members: BTreeMap::new(),
            messages: BTreeMap::new(),
            files: HashMap::new(),
            nonces: HashMap::new(),
            refuses_old_edits: false,
            commands: BTreeMap::new(),
            creates: Vec::new(),
            interactions: BTreeMap::new(),
            sessions: Default::default(),
            limits: Default::default(),
            scene: Default::default(),
            untold: Vec::new(),
            settings,
        };
        let (everyone, of_bot) = (Permission::OF_EVERYONE.0, state.settings.bot_permissions.0);
        let name = state.settings.bot_name.clone();
        state.roles.insert(
            guild,
            Role {
                name: "@everyone".to_owned(),
                permissions: everyone,
                position: 0,
                mentionable: false,
                of_bot: None,
            },
        );
        let bot_role = state.id();
        state.roles.insert(
            bot_role,
            Role {
                name: name.clone(),
                permissions: of_bot,
                position: 1,
                mentionable: false,
                of_bot: Some(application),
            },
        );
        state.owner = super::build::join(&mut state, "Owner", &[], false);
        let since = state.now();
        let bot =
            Member { name, roles: vec![bot_role], bot: true, since, timed_out_until: None, left: false };
        state.members.insert(application, bot);
        state
    }

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
