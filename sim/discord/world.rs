//! The server: its roles, channels and members, and how Discord writes them down.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    clock,
    permissions::{self, Permission},
    state::State,
};

/// A role.
#[derive(Debug, Clone)]
pub(super) struct Role {
    pub(super) name: String,
    pub(super) permissions: u64,
    pub(super) position: usize,
    pub(super) mentionable: bool,
    /// The bot it belongs to, if it came with one.
    pub(super) of_bot: Option<u64>,
}

/// A text channel, or a thread in one.
#[derive(Debug, Clone)]
pub(super) struct Channel {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) position: usize,
    /// By role or member.
    pub(super) overwrites: BTreeMap<u64, Overwrite>,
    pub(super) thread: Option<Thread>,
}

/// What a channel allows or denies beyond a member's roles.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Overwrite {
    pub(super) of_member: bool,
    pub(super) allow: u64,
    pub(super) deny: u64,
}

/// What makes a channel a thread.
#[derive(Debug, Clone)]
pub(super) struct Thread {
    pub(super) parent: u64,
    pub(super) owner: u64,
    pub(super) archive_after_minutes: u64,
    pub(super) archived: bool,
    pub(super) locked: bool,
    pub(super) since: Timestamp,
}

/// Somebody in the server.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) roles: Vec<u64>,
    pub(super) bot: bool,
    pub(super) since: Timestamp,
    pub(super) timed_out_until: Option<Timestamp>,
    pub(super) left: bool,
}

pub(super) fn user(state: &State, id: u64) -> Value {
    let name = state.name_of(id);
    let bot = state.members.get(&id).is_some_and(|who| who.bot);
    let mut user = json!({
        "id": id.to_string(),
        "username": if bot { name.clone() } else { name.to_lowercase().replace(' ', "_") },
        "global_name": if bot { Value::Null } else { json!(name) },
        "avatar": null,
        "discriminator": if bot { "0001" } else { "0" },
        "public_flags": 0,
        "flags": 0,
        "banner": null,
        "accent_color": null,
        "avatar_decoration_data": null,
        "collectibles": null,
        "primary_guild": null,
    });
    if bot {
        user["bot"] = json!(true);
    }
    user
}

/// The member without the user in it, as interactions resolve it.
pub(super) fn bare_member(state: &State, id: u64) -> Option<Value> {
    let who = state.members.get(&id).filter(|who| !who.left)?;
    Some(json!({
        "avatar": null,
        "banner": null,
        "avatar_decoration_data": null,
        "collectibles": null,
        "communication_disabled_until": who.timed_out_until.map(clock::written),
        "flags": 0,
        "joined_at": clock::written(who.since),
        "nick": null,
        "pending": false,
        "premium_since": null,
        "roles": ids(&who.roles),
    }))
}

pub(super) fn member(state: &State, id: u64) -> Option<Value> {
    let mut member = bare_member(state, id)?;
    member["user"] = user(state, id);
    member["mute"] = json!(false);
    member["deaf"] = json!(false);
    Some(member)
}

pub(super) fn role(id: u64, role: &Role) -> Value {
    let mut json = json!({
        "id": id.to_string(),
        "name": role.name,
        "permissions": role.permissions.to_string(),
        "position": role.position,
        "color": 0,
        "colors": { "primary_color": 0, "secondary_color": null, "tertiary_color": null },
        "hoist": false,
        "managed": role.of_bot.is_some(),
        "mentionable": role.mentionable,
        "icon": null,
        "unicode_emoji": null,
        "flags": 0,
    });
    if let Some(bot) = role.of_bot {
        json["tags"] = json!({ "bot_id": bot.to_string() });
    }
    json
}

pub(super) fn channel(state: &State, channel: &Channel) -> Value {
    let last = state.messages.values().rev().find(|m| m.channel == channel.id && m.is_public());
    let mut json = json!({
        "id": channel.id.to_string(),
        "type": if channel.thread.is_some() { 11 } else { 0 },
        "last_message_id": last.map(|message| message.id.to_string()),
        "flags": 0,
        "guild_id": state.guild.to_string(),
        "name": channel.name,
        "rate_limit_per_user": 0,
    });
    let Some(thread) = &channel.thread else {
        json["parent_id"] = Value::Null;
        json["topic"] = Value::Null;
        json["position"] = json!(channel.position);
        json["nsfw"] = json!(false);
        json["permission_overwrites"] = channel.overwrites.iter().map(|(id, o)| overwrite(*id, o)).collect();
        return json;
    };
    let count = state.messages.values().filter(|m| m.channel == channel.id && m.is_public()).count();
    json["parent_id"] = json!(thread.parent.to_string());
    json["owner_id"] = json!(thread.owner.to_string());
    json["message_count"] = json!(count);
    json["member_count"] = json!(1);
    json["total_message_sent"] = json!(count);
    json["thread_metadata"] = json!({
        "archived": thread.archived,
        "archive_timestamp": clock::written(thread.since),
        "auto_archive_duration": thread.archive_after_minutes,
        "locked": thread.locked,
        "create_timestamp": clock::written(thread.since),
    });
    json
}

/// The channel as an interaction carries it: with what its person may do there.
pub(super) fn channel_for(state: &State, member: u64, place: &Channel) -> Value {
    let mut json = channel(state, place);
    json["permissions"] = json!(permissions::in_channel(state, member, place).0.to_string());
    json
}

fn overwrite(id: u64, overwrite: &Overwrite) -> Value {
    json!({
        "id": id.to_string(),
        "type": u8::from(overwrite.of_member),
        "allow": overwrite.allow.to_string(),
        "deny": overwrite.deny.to_string(),
    })
}

pub(super) fn guild(state: &State, with_counts: bool) -> Value {
    let mut json = json!({
        "id": state.guild.to_string(),
        "name": state.settings.guild_name,
        "icon": null, "description": null, "home_header": null, "splash": null,
        "discovery_splash": null, "banner": null,
        "features": [],
        "owner_id": state.owner.to_string(),
        "application_id": null,
        "region": "deprecated",
        "afk_channel_id": null,
        "afk_timeout": 300,
        "system_channel_id": null,
        "system_channel_flags": 0,
        "widget_enabled": false,
        "widget_channel_id": null,
        "verification_level": 1,
        "roles": roles(state),
        "default_message_notifications": 1,
        "mfa_level": 0,
        "explicit_content_filter": 0,
        "max_presences": null,
        "max_members": 500_000,
        "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25,
        "vanity_url_code": null,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "preferred_locale": "en-US",
        "rules_channel_id": null,
        "safety_alerts_channel_id": null,
        "public_updates_channel_id": null,
        "premium_progress_bar_enabled": false,
        "nsfw": false,
        "nsfw_level": 0,
        "emojis": [],
        "stickers": [],
        "incidents_data": null,
    });
    if with_counts {
        let count = present(state).count();
        json["approximate_member_count"] = json!(count);
        json["approximate_presence_count"] = json!(count);
    }
    json
}

pub(super) fn roles(state: &State) -> Value {
    state.roles.iter().map(|(id, it)| role(*id, it)).collect()
}

/// The server as GUILD_CREATE tells it: without a privileged intent, the bot is the only member in it.
pub(super) fn guild_create(state: &State) -> Value {
    let mut json = guild(state, false);
    json["joined_at"] = json!(state.members.get(&state.bot).map(|bot| clock::written(bot.since)));
    json["large"] = json!(false);
    json["unavailable"] = json!(false);
    json["member_count"] = json!(present(state).count());
    json["voice_states"] = json!([]);
    json["presences"] = json!([]);
    json["stage_instances"] = json!([]);
    json["guild_scheduled_events"] = json!([]);
    json["soundboard_sounds"] = json!([]);
    json["members"] = member(state, state.bot).into_iter().collect();
    let (threads, channels): (Vec<_>, Vec<_>) = state.channels.values().partition(|c| c.thread.is_some());
    json["channels"] = channels.into_iter().map(|it| channel(state, it)).collect();
    json["threads"] = threads.into_iter().map(|it| channel(state, it)).collect();
    json
}

fn present(state: &State) -> impl Iterator<Item = &Member> {
    state.members.values().filter(|who| !who.left)
}

/// Whether the bot may do that in the channel; 50001 if it cannot even see it, else 50013.
pub(super) fn bot_may(state: &State, channel: &Channel, what: Permission) -> Result<(), super::reply::Reply> {
    let has = permissions::in_channel(state, state.bot, channel);
    if !has.has(Permission::VIEW_CHANNEL) {
        return Err(super::reply::Reply::missing_access());
    }
    if has.has(what) { Ok(()) } else { Err(super::reply::Reply::missing_permissions()) }
}

pub(super) fn ids(ids: &[u64]) -> Value {
    ids.iter().map(u64::to_string).collect()
}
