//! A message, and how Discord writes it down.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::{clock, ids, state::State, world};

/// Only one person sees it.
pub(super) const EPHEMERAL: u64 = 1 << 6;
/// "… is thinking": the answer is still to come.
pub(super) const LOADING: u64 = 1 << 7;
const HAS_THREAD: u64 = 1 << 5;
/// Made of components alone, without content and embeds.
pub(super) const COMPONENTS_V2: u64 = 1 << 15;

/// A message as it stands.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) id: u64,
    pub(super) channel: u64,
    pub(super) author: u64,
    pub(super) content: String,
    pub(super) embeds: Vec<Value>,
    pub(super) components: Vec<Value>,
    pub(super) attachments: Vec<Value>,
    pub(super) flags: u64,
    pub(super) posted: Timestamp,
    pub(super) edited: Option<Timestamp>,
    pub(super) edits: usize,
    pub(super) nonce: Option<Value>,
    /// Whose telephone rang when it was posted.
    pub(super) pings: Pings,
    /// Whom the text names now, as far as that was allowed.
    pub(super) mentions: Pings,
    pub(super) reply_to: Option<u64>,
    /// The interaction it answers.
    pub(super) interaction: Option<u64>,
    /// The only person who sees it, if it is ephemeral.
    pub(super) only_for: Option<u64>,
    pub(super) deleted: bool,
}

/// Whom a message rang up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pings {
    /// Members, by id.
    #[serde(serialize_with = "ids::many")]
    pub users: Vec<u64>,
    /// Roles, by id.
    #[serde(serialize_with = "ids::many")]
    pub roles: Vec<u64>,
    /// Everyone, or everyone online.
    pub everyone: bool,
}

impl Pings {
    /// Whether nobody was rung up.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Message {
    /// Whether it stands in the channel for all to see.
    pub(super) fn is_public(&self) -> bool {
        !self.deleted && self.only_for.is_none()
    }

    /// Whether there is nothing in it to show.
    pub(super) fn is_empty(&self) -> bool {
        self.content.trim().is_empty()
            && self.embeds.is_empty()
            && self.components.is_empty()
            && self.attachments.is_empty()
    }
}

/// The message as a `MessageResponse`.
pub(super) fn write(state: &State, message: &Message) -> Value {
    let thread = state.channels.get(&message.id).filter(|it| it.thread.is_some());
    let mut json = json!({
        "id": message.id.to_string(),
        "channel_id": message.channel.to_string(),
        "type": kind(state, message),
        "author": world::user(state, message.author),
        "content": message.content,
        "timestamp": clock::written(message.posted),
        "edited_timestamp": message.edited.map(clock::written),
        "tts": false,
        "mention_everyone": message.mentions.everyone,
        "mentions": message.mentions.users.iter().map(|id| world::user(state, *id)).collect::<Value>(),
        "mention_roles": world::ids(&message.mentions.roles),
        "attachments": message.attachments,
        "embeds": message.embeds,
        "components": message.components,
        "pinned": false,
        "flags": message.flags | if thread.is_some() { HAS_THREAD } else { 0 },
    });
    if let Some(nonce) = &message.nonce {
        json["nonce"] = nonce.clone();
    }
    if let Some(thread) = thread {
        json["thread"] = world::channel(state, thread);
    }
    if let Some(first) = message.reply_to {
        json["message_reference"] = json!({
            "type": 0,
            "channel_id": message.channel.to_string(),
            "message_id": first.to_string(),
            "guild_id": state.guild.to_string(),
        });
    }
    if let Some(interaction) = message.interaction.and_then(|id| state.interactions.get(&id)) {
        json["webhook_id"] = json!(state.application.to_string());
        json["application_id"] = json!(state.application.to_string());
        json["interaction_metadata"] = interaction.metadata(state);
    }
    json
}

/// 20 and 23 answer a command, 19 is a reply, 0 everything else.
fn kind(state: &State, message: &Message) -> u8 {
    let interaction = message.interaction.and_then(|id| state.interactions.get(&id));
    match interaction {
        Some(it) if it.original == Some(message.id) && it.kind == 2 => {
            if it.event["data"]["type"] == 1 {
                20
            } else {
                23
            }
        }
        Some(_) => 19,
        None if message.reply_to.is_some() => 19,
        None => 0,
    }
}
