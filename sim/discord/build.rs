//! Verbs that build the server and change it, as its people would.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{
    Discord,
    events::Change,
    permissions::Permission,
    state::State,
    world::{self, Channel, Member, Role},
};

impl Discord {
    /// A text channel that everyone may use.
    pub fn channel(&self, name: &str) -> u64 {
        self.with(|state| {
            let id = state.id();
            let position = state.channels.len();
            let channel =
                Channel { id, name: name.to_owned(), position, overwrites: Default::default(), thread: None };
            let json = world::channel(state, &channel);
            state.channels.insert(id, channel);
            state.dispatch(super::sessions::GUILDS, "CHANNEL_CREATE", json);
            id
        })
    }

    /// A role that may be pinged and has no permissions of its own.
    pub fn role(&self, name: &str) -> u64 {
        self.with(|state| {
            let id = state.id();
            let position = state.roles.len();
            let role =
                Role { name: name.to_owned(), permissions: 0, position, mentionable: true, of_bot: None };
            let json = json!({ "guild_id": state.guild.to_string(), "role": world::role(id, &role) });
            state.roles.insert(id, role);
            state.dispatch(super::sessions::GUILDS, "GUILD_ROLE_CREATE", json);
            id
        })
    }

    /// Somebody joins, with those roles.
    pub fn member(&self, name: &str, roles: &[u64]) -> u64 {
        self.with(|state| join(state, name, roles, false))
    }

    /// Another bot joins.
    pub fn other_bot(&self, name: &str) -> u64 {
        self.with(|state| join(state, name, &[], true))
    }

    /// The member leaves the server.
    pub fn leaves(&self, member: u64) {
        self.change_member(member, |who| who.left = true);
    }

    /// The member gets the role.
    pub fn gives(&self, role: u64, member: u64) {
        self.change_member(member, |who| {
            if !who.roles.contains(&role) {
                who.roles.push(role);
            }
        });
    }

    /// The member loses the role.
    pub fn takes(&self, role: u64, member: u64) {
        self.change_member(member, |who| who.roles.retain(|id| *id != role));
    }

    /// The member may not speak or use commands until then.
    pub fn times_out(&self, member: u64, until: Timestamp) {
        self.change_member(member, |who| who.timed_out_until = Some(until));
    }

    /// The role has these permissions, in the whole server.
    pub fn permits(&self, role: u64, permission: Permission) {
        self.with(|state| {
            if let Some(role) = state.roles.get_mut(&role) {
                role.permissions |= permission.0;
            }
        });
    }

    /// Whether everyone may ping the role.
    pub fn makes_mentionable(&self, role: u64, mentionable: bool) {
        self.with(|state| {
            if let Some(role) = state.roles.get_mut(&role) {
                role.mentionable = mentionable;
            }
        });
    }

    /// The bot may not do that in the channel.
    pub fn denies(&self, permission: Permission, channel: u64) {
        self.overwrite(channel, self.application_id(), |allow, deny| {
            *allow &= !permission.0;
            *deny |= permission.0;
        });
    }

    /// The bot may do that in the channel again.
    pub fn allows(&self, permission: Permission, channel: u64) {
        self.overwrite(channel, self.application_id(), |allow, deny| {
            *allow |= permission.0;
            *deny &= !permission.0;
        });
    }

    /// Only members with the role, and the bot, see the channel.
    pub fn hides(&self, channel: u64, from_all_but: u64) {
        let view = Permission::VIEW_CHANNEL.0;
        self.overwrite(channel, self.guild_id(), |_, deny| *deny |= view);
        self.overwrite(channel, from_all_but, |allow, _| *allow |= view);
        self.overwrite(channel, self.application_id(), |allow, _| *allow |= view);
    }

    /// Somebody deletes the channel, and with it its threads and messages.
    pub fn deletes_channel(&self, channel: u64) {
        self.with(|state| {
            let Some(gone) = state.channels.remove(&channel) else { return };
            let json = world::channel(state, &gone);
            let threads: Vec<u64> = state
                .channels
                .values()
                .filter(|it| it.thread.as_ref().is_some_and(|thread| thread.parent == channel))
                .map(|it| it.id)
                .collect();
            for thread in threads {
                state.channels.remove(&thread);
            }
            state.dispatch(super::sessions::GUILDS, "CHANNEL_DELETE", json);
            state.scene.remark(channel, format!("#{} was deleted.", gone.name));
            state.tell(Change::World);
        });
    }

    /// Somebody deletes the message.
    pub fn deletes_message(&self, message: u64) {
        self.with(|state| super::messages::remove(state, message, "somebody"));
    }

    /// Lets simulated time pass.
    pub fn advance(&self, by: SignedDuration) {
        self.with(|state| state.clock.advance(by));
    }

    /// What time it is in the simulation.
    pub fn now(&self) -> Timestamp {
        self.read(State::now)
    }

    fn change_member(&self, member: u64, change: impl FnOnce(&mut Member)) {
        self.with(|state| {
            if let Some(who) = state.members.get_mut(&member) {
                change(who);
                state.tell(Change::World);
            }
        });
    }

    fn overwrite(&self, channel: u64, who: u64, change: impl FnOnce(&mut u64, &mut u64)) {
        self.with(|state| {
            let of_member = state.members.contains_key(&who);
            if let Some(channel) = state.channels.get_mut(&channel) {
                let overwrite = channel.overwrites.entry(who).or_default();
                overwrite.of_member = of_member;
                change(&mut overwrite.allow, &mut overwrite.deny);
                state.tell(Change::World);
            }
        });
    }
}

/// Somebody new in the server.
pub(super) fn join(state: &mut State, name: &str, roles: &[u64], bot: bool) -> u64 {
    let id = state.id();
    let since = state.now();
    let roles = roles.to_vec();
    let who = Member { name: name.to_owned(), roles, bot, since, timed_out_until: None, left: false };
    state.members.insert(id, who);
    state.tell(Change::World);
    id
}
