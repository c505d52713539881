//! The first answer to an interaction.
//!
//! Source: Discord developer documentation, "Receiving and Responding to Interactions".

use serde_json::{Value, json};

use super::{
    draft::Draft,
    events::Change,
    form::Form,
    interaction::Interaction,
    mentions::Allowed,
    message::{self, EPHEMERAL, LOADING, Message},
    messages, modals,
    reply::{Outcome, Reply},
    rest::Asked,
    state::State,
    world::Channel,
};

/// POST /interactions/{interaction_id}/{interaction_token}/callback
pub(super) fn answer(state: &mut State, id: u64, token: &str, asked: &Asked) -> Outcome {
    let now = state.now();
    let known = state.interactions.get(&id).filter(|it| it.token == token);
    let interaction = known.ok_or_else(Reply::unknown_interaction)?;
    if interaction.acknowledged.is_some() {
        return Err(Reply::already_acknowledged());
    }
    if interaction.is_late(now) {
        return Err(Reply::unknown_interaction());
    }
    let callback = allowed(interaction, &asked.body["type"])?;
    let after = interaction.since.elapsed();
    let data = &asked.body["data"];

    match callback {
        4 => {
            let draft = Draft::read(data, &asked.uploads, Allowed::in_answers())?;
            say(state, id, draft)?;
        }
        5 => think(state, id, data["flags"].as_u64().unwrap_or(0) & EPHEMERAL)?,
        6 => change(state, id, |it| it.original = it.message),
        7 => update(state, id, asked)?,
        8 => choices(state, id, data)?,
        _ => {
            let modal = modals::read(data)?;
            modals::open(state, id, modal);
        }
    }
    change(state, id, |it| it.acknowledged = Some(after));
    let with_response = asked.query.get("with_response").is_some_and(|value| value == "true" || value == "1");
    Ok(if with_response { Reply::ok(response(state, id, callback)) } else { Reply::nothing() })
}

/// The callback's type, if it fits the interaction.
fn allowed(interaction: &Interaction, kind: &Value) -> Result<u64, Reply> {
    let on_message = interaction.message.is_some();
    let fits: &[u64] = match interaction.kind {
        4 => &[8],
        3 => &[4, 5, 6, 7, 9],
        5 if on_message => &[4, 5, 6, 7],
        5 => &[4, 5],
        _ => &[4, 5, 9],
    };
    if let Some(kind) = kind.as_u64().filter(|kind| fits.contains(kind)) {
        return Ok(kind);
    }
    let mut form = Form::default();
    let list = fits.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    form.wrong("type", "BASE_TYPE_CHOICES", format!("Value must be one of {{{list}}}."));
    Err(form.check().err().unwrap_or_else(Reply::not_found))
}

/// A new message that answers the interaction; everyone sees it, unless it is ephemeral.
pub(super) fn say(state: &mut State, id: u64, draft: Draft) -> Outcome {
    let (place, person) = place(state, id)?;
    let mut message = draft.into_message(state, state.bot, &place)?;
    message.only_for = (message.flags & EPHEMERAL != 0).then_some(person);
    message.interaction = Some(id);
    let new = message.id;
    change(state, id, |it| {
        it.original = it.original.or(Some(new));
        it.latest = Some(new);
    });
    Ok(Reply::ok(messages::post(state, message)))
}

/// "… is thinking": a message that is still to come.
fn think(state: &mut State, id: u64, ephemeral: u64) -> Result<(), Reply> {
    let (place, person) = place(state, id)?;
    let message = Message {
        id: state.id(),
        channel: place.id,
        author: state.bot,
        content: String::new(),
        embeds: Vec::new(),
        components: Vec::new(),
        attachments: Vec::new(),
        flags: LOADING | ephemeral,
        posted: state.now(),
        edited: None,
        edits: 0,
        nonce: None,
        pings: Default::default(),
        mentions: Default::default(),
        reply_to: None,
        interaction: Some(id),
        only_for: (ephemeral != 0).then_some(person),
        deleted: false,
    };
    let new = message.id;
    state.messages.insert(new, message);
    change(state, id, |it| {
        it.original = Some(new);
        it.thinking = true;
    });
    state.tell(Change::Created { channel: place.id, message: new });
    Ok(())
}

/// The message whose component was used becomes another.
fn update(state: &mut State, id: u64, asked: &Asked) -> Result<(), Reply> {
    let message = state.interactions.get(&id).and_then(|it| it.message).ok_or_else(Reply::unknown_message)?;
    let old =
        state.messages.get(&message).filter(|it| !it.deleted).ok_or_else(Reply::unknown_message)?.clone();
    let draft = Draft::read_edit(&old, &asked.body["data"], &asked.uploads, Allowed::in_answers())?;
    let new = draft.edit(state, old)?;
    messages::replace(state, new);
    change(state, id, |it| {
        it.original = Some(message);
        it.latest = Some(message);
    });
    Ok(())
}

fn choices(state: &mut State, id: u64, data: &Value) -> Result<(), Reply> {
    let mut form = Form::default();
    let choices = form.list("data.choices", data.get("choices"), 0, 25).to_vec();
    for (i, choice) in choices.iter().enumerate() {
        form.needs_text(&format!("data.choices.{i}.name"), choice.get("name"), 100);
        let value = &choice["value"];
        if !value.is_number() {
            form.needs_text(&format!("data.choices.{i}.value"), choice.get("value"), 100);
        }
    }
    form.check()?;
    offer(state, id, &choices);
    change(state, id, |it| it.choices = Some(choices));
    Ok(())
}

/// Shows the choices to the one who types.
fn offer(state: &mut State, id: u64, choices: &[Value]) {
    let Some(it) = state.interactions.get(&id) else { return };
    let names: Vec<&str> = choices.iter().filter_map(|choice| choice["name"].as_str()).collect();
    let names = if names.is_empty() { "nothing".to_owned() } else { names.join(" | ") };
    let (channel, person) = (it.channel, it.person);
    let line = format!("{} is offered: {names}", state.name_of(person));
    state.scene.say(channel, Some(person), vec![line]);
}

/// An `InteractionCallbackResponse`.
fn response(state: &State, id: u64, callback: u64) -> Value {
    let Some(it) = state.interactions.get(&id) else { return Value::Null };
    let mut json = json!({ "interaction": {
        "id": id.to_string(),
        "type": it.kind,
        "channel_id": it.channel.to_string(),
        "guild_id": state.guild.to_string(),
    } });
    let message = it.original.and_then(|id| state.messages.get(&id));
    if let Some(message) = message.filter(|_| callback != 9 && callback != 8) {
        json["interaction"]["response_message_id"] = json!(message.id.to_string());
        json["interaction"]["response_message_loading"] = json!(it.thinking);
        json["interaction"]["response_message_ephemeral"] = json!(message.only_for.is_some());
        if matches!(callback, 4 | 7) {
            json["resource"] = json!({ "type": callback, "message": message::write(state, message) });
        }
    }
    json
}

fn place(state: &State, id: u64) -> Result<(Channel, u64), Reply> {
    let it = state.interactions.get(&id).ok_or_else(Reply::unknown_interaction)?;
    let place = state.channels.get(&it.channel).ok_or_else(Reply::unknown_channel)?;
    Ok((place.clone(), it.person))
}

/// Changes the interaction, and tells who waits for it.
pub(super) fn change(state: &mut State, id: u64, change: impl FnOnce(&mut Interaction)) {
    let Some(it) = state.interactions.get_mut(&id) else { return };
    change(it);
    let person = it.person;
    state.tell(Change::Interaction { person, interaction: id });
}
