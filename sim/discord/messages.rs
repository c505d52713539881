//! Messages in a channel: posted, listed, read, edited, deleted.

use jiff::SignedDuration;
use serde_json::Value;

use super::{
    clock,
    draft::Draft,
    events::Change,
    form::{Form, snowflake},
    mentions::Allowed,
    message::{self, Message},
    permissions::{self, Permission},
    reply::{Outcome, Reply},
    rest::Asked,
    sessions,
    state::State,
    world::{self, Channel},
};

/// POST /channels/{channel_id}/messages
pub(super) fn create(state: &mut State, channel: u64, asked: &Asked) -> Outcome {
    let place = visible(state, channel)?;
    let send = match place.thread {
        Some(_) => Permission::SEND_MESSAGES_IN_THREADS,
        None => Permission::SEND_MESSAGES,
    };
    world::bot_may(state, &place, send)?;
    let draft = Draft::read(&asked.body, &asked.uploads, Allowed::in_messages())?;
    if draft.embeds.as_ref().is_some_and(|embeds| !embeds.is_empty()) {
        world::bot_may(state, &place, Permission::EMBED_LINKS)?;
    }
    if draft.has_files() {
        world::bot_may(state, &place, Permission::ATTACH_FILES)?;
    }

    let bot = state.bot;
    let key = draft.nonce.as_ref().map(|nonce| (bot, nonce.to_string()));
    if draft.enforce_nonce
        && let Some((first, at)) = key.as_ref().and_then(|key| state.nonces.get(key))
        && clock::since(*at, state.now()) < state.settings.nonce_window
    {
        let first = state.messages.get(first).filter(|first| !first.deleted);
        return Ok(Reply::ok(message::write(state, first.ok_or_else(Reply::unknown_message)?)));
    }

    let message = draft.into_message(state, bot, &place)?;
    if let Some(key) = key {
        state.nonces.insert(key, (message.id, state.now()));
    }
    if let Some(thread) = state.channels.get_mut(&channel).and_then(|it| it.thread.as_mut()) {
        thread.archived = false;
    }
    Ok(Reply::ok(post(state, message)))
}

/// GET /channels/{channel_id}/messages
pub(super) fn list(state: &State, channel: u64, asked: &Asked) -> Outcome {
    let place = visible(state, channel)?;
    let mut form = Form::default();
    let limit = asked.query.get("limit").map_or(Ok(50), |text| text.parse::<usize>());
    let limit = limit.unwrap_or(0);
    if !(1..=100).contains(&limit) {
        let message = "int value should be between 1 and 100.";
        form.wrong("limit", "NUMBER_TYPE_RANGE", message);
    }
    form.check()?;
    let bound = |name: &str| asked.query.get(name).map(|text| snowflake(name, text)).transpose();
    let (before, after, around) = (bound("before")?, bound("after")?, bound("around")?);

    // Without the right to read on, nothing is listed; that is no error.
    let may_read = permissions::in_channel(state, state.bot, &place).has(Permission::READ_MESSAGE_HISTORY);
    let all: Vec<&Message> = if may_read {
        state.messages.values().filter(|it| it.channel == channel && it.is_public()).collect()
    } else {
        Vec::new()
    };
    let mut some: Vec<&Message> = if let Some(id) = around {
        let here = all.partition_point(|it| it.id < id);
        let from = here.saturating_sub(limit / 2);
        all.into_iter().skip(from).take(limit).collect()
    } else if let Some(id) = after {
        all.into_iter().filter(|it| it.id > id).take(limit).collect()
    } else {
        let older: Vec<&Message> = all.into_iter().filter(|it| before.is_none_or(|id| it.id < id)).collect();
        older[older.len().saturating_sub(limit)..].to_vec()
    };
    some.reverse();
    Ok(Reply::ok(some.into_iter().map(|it| message::write(state, it)).collect()))
}

/// GET /channels/{channel_id}/messages/{message_id}
pub(super) fn read(state: &State, channel: u64, id: u64) -> Outcome {
    let place = visible(state, channel)?;
    world::bot_may(state, &place, Permission::READ_MESSAGE_HISTORY)?;
    Ok(Reply::ok(message::write(state, find(state, channel, id)?)))
}

/// PATCH /channels/{channel_id}/messages/{message_id}
pub(super) fn update(state: &mut State, channel: u64, id: u64, asked: &Asked) -> Outcome {
    visible(state, channel)?;
    let old = find(state, channel, id)?.clone();
    if old.author != state.bot {
        return Err(Reply::not_yours());
    }
    let age = clock::since(old.posted, state.now());
    if state.refuses_old_edits && age > SignedDuration::from_hours(1) {
        let message = "Maximum number of edits to messages older than 1 hour reached. Try again later";
        return Err(Reply::error(400, 30046, message));
    }
    let draft = Draft::read_edit(&old, &asked.body, &asked.uploads, Allowed::in_messages())?;
    let new = draft.edit(state, old)?;
    Ok(Reply::ok(replace(state, new)))
}

/// DELETE /channels/{channel_id}/messages/{message_id}
pub(super) fn delete(state: &mut State, channel: u64, id: u64) -> Outcome {
    let place = visible(state, channel)?;
    if find(state, channel, id)?.author != state.bot {
        world::bot_may(state, &place, Permission::MANAGE_MESSAGES)?;
    }
    remove(state, id, &state.name_of(state.bot));
    Ok(Reply::nothing())
}

/// The channel, if the bot can see it.
pub(super) fn visible(state: &State, channel: u64) -> Result<Channel, Reply> {
    let place = state.channels.get(&channel).ok_or_else(Reply::unknown_channel)?;
    world::bot_may(state, place, Permission::VIEW_CHANNEL)?;
    Ok(place.clone())
}

/// The message, if it stands in that channel for all to see.
pub(super) fn find(state: &State, channel: u64, id: u64) -> Result<&Message, Reply> {
    state
        .messages
        .get(&id)
        .filter(|it| it.channel == channel && it.is_public())
        .ok_or_else(Reply::unknown_message)
}

/// Puts a new message where people see it, and says how Discord writes it down.
pub(super) fn post(state: &mut State, message: Message) -> Value {
    let json = message::write(state, &message);
    let change = Change::Created { channel: message.channel, message: message.id };
    state.messages.insert(message.id, message.clone());
    show(state, &message, None);
    if message.is_public() {
        state.dispatch(sessions::GUILD_MESSAGES, "MESSAGE_CREATE", json.clone());
    }
    state.tell(change);
    json
}

/// Puts the message in the place of its former self.
pub(super) fn replace(state: &mut State, mut message: Message) -> Value {
    message.edited = Some(state.now());
    message.edits += 1;
    let json = message::write(state, &message);
    let change = Change::Edited { channel: message.channel, message: message.id };
    state.messages.insert(message.id, message.clone());
    show(state, &message, Some("edited"));
    if message.is_public() {
        state.dispatch(sessions::GUILD_MESSAGES, "MESSAGE_UPDATE", json.clone());
    }
    state.tell(change);
    json
}

/// Takes the message away.
pub(super) fn remove(state: &mut State, id: u64, by: &str) {
    let Some(message) = state.messages.get_mut(&id) else { return };
    message.deleted = true;
    let (channel, only_for, author) = (message.channel, message.only_for, message.author);
    let whose = state.name_of(author);
    let line = match by == whose {
        true => format!("{whose} deleted a message of its own."),
        false => format!("{by} deleted a message of {whose}."),
    };
    state.scene.say(channel, only_for, vec![line]);
    let json = serde_json::json!({
        "id": id.to_string(), "channel_id": channel.to_string(), "guild_id": state.guild.to_string(),
    });
    if only_for.is_none() {
        state.dispatch(sessions::GUILD_MESSAGES, "MESSAGE_DELETE", json);
    }
    state.tell(Change::Deleted { channel, message: id });
}

fn show(state: &mut State, message: &Message, how: Option<&str>) {
    let lines = super::transcript::lines(state, message, how);
    state.scene.say(message.channel, message.only_for, lines);
}
