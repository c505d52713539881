//! An interaction: what the bot is told when somebody types, clicks or chooses, and how far its answer is.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{clock, events::Change, permissions, sessions::ALWAYS, state::State, world};

/// How long the first answer may take.
pub(super) const FIRST_ANSWER: SignedDuration = SignedDuration::from_secs(3);
/// How long the token is good.
pub(super) const TOKEN: SignedDuration = SignedDuration::from_mins(15);

/// What the bot was told, and what it made of it.
#[derive(Debug)]
pub(super) struct Interaction {
    pub(super) id: u64,
    pub(super) token: String,
    /// 2 command, 3 component, 4 autocomplete, 5 modal.
    pub(super) kind: u64,
    pub(super) person: u64,
    pub(super) channel: u64,
    /// The event as it was sent.
    pub(super) event: Value,
    pub(super) made: Timestamp,
    pub(super) since: Instant,
    /// The message whose component was used, also where a modal came of that.
    pub(super) message: Option<u64>,
    /// The interaction that opened the modal.
    pub(super) opened_by: Option<u64>,
    /// How long the first answer took, once there is one.
    pub(super) acknowledged: Option<Duration>,
    /// What `@original` means.
    pub(super) original: Option<u64>,
    /// "… is thinking".
    pub(super) thinking: bool,
    /// The person was told that nobody answered.
    pub(super) given_up: bool,
    pub(super) modal: Option<Value>,
    pub(super) choices: Option<Vec<Value>>,
    /// The message that changed last by this interaction.
    pub(super) latest: Option<u64>,
}

impl Interaction {
    /// Whether a first answer would come too late.
    pub(super) fn is_late(&self, now: Timestamp) -> bool {
        clock::since(self.made, now) > FIRST_ANSWER
    }

    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        clock::since(self.made, now) > TOKEN
    }

    /// What a message that answers it says of it.
    pub(super) fn metadata(&self, state: &State) -> Value {
        let mut json = json!({
            "id": self.id.to_string(),
            "type": self.kind,
            "user": world::user(state, self.person),
            "authorizing_integration_owners": { "0": state.guild.to_string() },
        });
        if self.kind == 3 {
            json["interacted_message_id"] = json!(self.message.unwrap_or(self.id).to_string());
        }
        if self.kind == 5 {
            let opener = self.opened_by.and_then(|id| state.interactions.get(&id));
            json["triggering_interaction_metadata"] = opener.map_or(Value::Null, |it| it.metadata(state));
        }
        if let Some(target) = self.event["data"]["target_id"].as_str() {
            json["target_message_id"] = json!(target);
        }
        json
    }
}

/// What somebody does, before it has an id.
pub(super) struct Deed {
    pub(super) kind: u64,
    pub(super) person: u64,
    pub(super) channel: u64,
    pub(super) data: Value,
    /// The message whose component is used.
    pub(super) message: Option<u64>,
    pub(super) opened_by: Option<u64>,
    /// Fields that replace what the event would have; null takes one away.
    pub(super) forged: Value,
}

/// Tells the bot, and says which interaction that is.
pub(super) fn begin(state: &mut State, deed: Deed) -> u64 {
    let id = state.id();
    // Real tokens are long and opaque; this one is, too, so that nothing is built on its shape.
    let token = format!(
        "aW50ZXJhY3Rpb246{id:x}{:016x}",
        id.wrapping_mul(state.settings.seed | 1) ^ 0x5DEE_CE66_D1CE_4E5B
    );
    let mut event = event(state, &deed, id, &token);
    for (key, value) in deed.forged.as_object().into_iter().flatten() {
        match (event.as_object_mut(), value) {
            (Some(event), Value::Null) => drop(event.remove(key)),
            _ => event[key.as_str()] = value.clone(),
        }
    }
    let interaction = Interaction {
        id,
        token,
        kind: event["type"].as_u64().unwrap_or(deed.kind),
        person: deed.person,
        channel: deed.channel,
        event: event.clone(),
        made: state.now(),
        since: Instant::now(),
        message: deed.message,
        opened_by: deed.opened_by,
        acknowledged: None,
        original: None,
        thinking: false,
        given_up: false,
        modal: None,
        choices: None,
        latest: None,
    };
    state.interactions.insert(id, interaction);
    state.tell(Change::Interaction { person: deed.person, interaction: id });
    let times = if state.sessions.twice { 2 } else { 1 };
    for _ in 0..times {
        state.dispatch(ALWAYS, "INTERACTION_CREATE", event.clone());
    }
    id
}

fn event(state: &State, deed: &Deed, id: u64, token: &str) -> Value {
    let mut event = json!({
        "id": id.to_string(),
        "application_id": state.application.to_string(),
        "type": deed.kind,
        "data": deed.data,
        "guild": { "id": state.guild.to_string(), "locale": "en-US", "features": [] },
        "guild_id": state.guild.to_string(),
        "channel_id": deed.channel.to_string(),
        "token": token,
        "version": 1,
        "locale": "en-US",
        "guild_locale": "en-US",
        "entitlements": [],
        "authorizing_integration_owners": { "0": state.guild.to_string() },
        "context": 0,
        "attachment_size_limit": 10_485_760,
        "app_permissions": "0",
    });
    if let Some(channel) = state.channels.get(&deed.channel) {
        event["channel"] = world::channel_for(state, deed.person, channel);
        let may = permissions::in_channel(state, state.bot, channel);
        event["app_permissions"] = json!(may.0.to_string());
        if let Some(mut member) = world::member(state, deed.person) {
            let may = permissions::in_channel(state, deed.person, channel);
            member["permissions"] = json!(may.0.to_string());
            event["member"] = member;
        }
    }
    if let Some(message) = deed.message.and_then(|id| state.messages.get(&id)) {
        event["message"] = super::message::write(state, message);
    }
    event
}
