//! Threads that hang below a message.

use serde_json::Value;

use super::{
    form::Form,
    messages,
    permissions::{self, Permission},
    reply::{Outcome, Reply},
    rest::Asked,
    sessions::GUILDS,
    state::State,
    world::{self, Channel, Thread},
};

const ARCHIVE_AFTER: [u64; 4] = [60, 1440, 4320, 10080];

/// POST /channels/{channel_id}/messages/{message_id}/threads
///
/// The thread's id is the message's, so there is never a second one.
pub(super) fn create(state: &mut State, channel: u64, message: u64, asked: &Asked) -> Outcome {
    let place = messages::visible(state, channel)?;
    world::bot_may(state, &place, Permission::CREATE_PUBLIC_THREADS)?;
    if place.thread.is_some() {
        return Err(Reply::error(400, 50024, "Cannot execute action on this channel type"));
    }
    messages::find(state, channel, message)?;
    check(&asked.body, true)?;
    if state.channels.contains_key(&message) {
        return Err(Reply::error(400, 160_004, "A thread has already been created for this message"));
    }
    let thread = Thread {
        parent: channel,
        owner: state.bot,
        archive_after_minutes: asked.body["auto_archive_duration"].as_u64().unwrap_or(4320),
        archived: false,
        locked: false,
        since: state.now(),
    };
    let name = asked.body["name"].as_str().unwrap_or_default().trim().to_owned();
    let position = state.channels.len();
    let new = Channel { id: message, name, position, overwrites: Default::default(), thread: Some(thread) };
    let json = world::channel(state, &new);
    let line = format!("{} started a thread: {}", state.name_of(state.bot), new.name);
    state.channels.insert(message, new);
    state.scene.remark(channel, line);
    state.dispatch(GUILDS, "THREAD_CREATE", json.clone());
    state.tell(super::events::Change::World);
    Ok(Reply::created(json))
}

/// PATCH /channels/{channel_id}: a thread's name and whether it is archived. Channels stay as they are.
pub(super) fn update(state: &mut State, channel: u64, asked: &Asked) -> Outcome {
    let place = messages::visible(state, channel)?;
    let has = permissions::in_channel(state, state.bot, &place);
    let own = place.thread.as_ref().is_some_and(|thread| thread.owner == state.bot);
    if !own && !has.has(Permission::MANAGE_THREADS) {
        return Err(Reply::missing_permissions());
    }
    check(&asked.body, false)?;
    let mut place = place;
    let Some(thread) = place.thread.as_mut() else { return Err(Reply::missing_permissions()) };
    thread.archived = asked.body["archived"].as_bool().unwrap_or(thread.archived);
    thread.locked = asked.body["locked"].as_bool().unwrap_or(thread.locked);
    thread.archive_after_minutes =
        asked.body["auto_archive_duration"].as_u64().unwrap_or(thread.archive_after_minutes);
    if let Some(name) = asked.body["name"].as_str() {
        place.name = name.trim().to_owned();
    }
    let json = world::channel(state, &place);
    state.channels.insert(channel, place);
    state.dispatch(GUILDS, "THREAD_UPDATE", json.clone());
    Ok(Reply::ok(json))
}

fn check(body: &Value, new: bool) -> Result<(), Reply> {
    let mut form = Form::default();
    if new {
        form.needs_text("name", body.get("name"), 100);
    } else {
        form.text("name", body.get("name"), 1, 100);
    }
    let archive = body.get("auto_archive_duration").filter(|value| !value.is_null());
    if archive.is_some_and(|value| value.as_u64().is_none_or(|minutes| !ARCHIVE_AFTER.contains(&minutes))) {
        let message = "Value must be one of (60, 1440, 4320, 10080).";
        form.wrong("auto_archive_duration", "BASE_TYPE_CHOICES", message);
    }
    form.check()
}
