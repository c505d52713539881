//! Who may do what where.
//!
//! Source: Discord developer documentation, "Permissions".

use super::{state::State, world::Channel};

/// A permission, by its bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission(pub u64);

impl Permission {
    /// Everything, everywhere.
    pub const ADMINISTRATOR: Self = Self(1 << 3);
    /// Change the server.
    pub const MANAGE_GUILD: Self = Self(1 << 5);
    /// See a channel at all.
    pub const VIEW_CHANNEL: Self = Self(1 << 10);
    /// Post in a channel.
    pub const SEND_MESSAGES: Self = Self(1 << 11);
    /// Delete what others wrote.
    pub const MANAGE_MESSAGES: Self = Self(1 << 13);
    /// Show embeds.
    pub const EMBED_LINKS: Self = Self(1 << 14);
    /// Send files.
    pub const ATTACH_FILES: Self = Self(1 << 15);
    /// Read what was written before.
    pub const READ_MESSAGE_HISTORY: Self = Self(1 << 16);
    /// Ping everyone, and roles that are not mentionable.
    pub const MENTION_EVERYONE: Self = Self(1 << 17);
    /// Use commands of applications.
    pub const USE_APPLICATION_COMMANDS: Self = Self(1 << 31);
    /// Archive and delete threads.
    pub const MANAGE_THREADS: Self = Self(1 << 34);
    /// Begin a public thread.
    pub const CREATE_PUBLIC_THREADS: Self = Self(1 << 35);
    /// Post in threads.
    pub const SEND_MESSAGES_IN_THREADS: Self = Self(1 << 38);

    /// What a bot of this kind is invited with.
    pub const OF_A_BOT: Self = Self(
        Self::VIEW_CHANNEL.0
            | Self::SEND_MESSAGES.0
            | Self::EMBED_LINKS.0
            | Self::ATTACH_FILES.0
            | Self::READ_MESSAGE_HISTORY.0
            | Self::USE_APPLICATION_COMMANDS.0
            | Self::CREATE_PUBLIC_THREADS.0
            | Self::SEND_MESSAGES_IN_THREADS.0,
    );

    /// What `@everyone` has on a new server, as far as it matters here.
    pub const OF_EVERYONE: Self = Self::OF_A_BOT;

    /// Whether all of `other` is in it.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

const ALL: u64 = (1 << 53) - 1;

/// What the member may do in the server, whatever the channel.
pub(super) fn in_guild(state: &State, member: u64) -> Permission {
    let Some(who) = state.members.get(&member).filter(|who| !who.left) else { return Permission(0) };
    if member == state.owner {
        return Permission(ALL);
    }
    let everyone = state.roles.get(&state.guild).map_or(0, |role| role.permissions);
    let own = who.roles.iter().filter_map(|id| state.roles.get(id));
    let all = Permission(own.fold(everyone, |all, role| all | role.permissions));
    if all.has(Permission::ADMINISTRATOR) { Permission(ALL) } else { all }
}

/// What the member may do in a channel; a thread asks its parent.
pub(super) fn in_channel(state: &State, member: u64, channel: &Channel) -> Permission {
    let base = in_guild(state, member);
    if base.has(Permission::ADMINISTRATOR) {
        return base;
    }
    let home =
        channel.thread.as_ref().and_then(|thread| state.channels.get(&thread.parent)).unwrap_or(channel);
    let Some(who) = state.members.get(&member) else { return Permission(0) };
    let mut bits = base.0;
    let mut apply = |ids: &[u64]| {
        let (mut allow, mut deny) = (0, 0);
        for (id, overwrite) in home.overwrites.iter().filter(|(id, _)| ids.contains(id)) {
            let _ = id;
            allow |= overwrite.allow;
            deny |= overwrite.deny;
        }
        bits = bits & !deny | allow;
    };
    apply(&[state.guild]);
    apply(&who.roles);
    apply(&[member]);
    Permission(bits)
}
