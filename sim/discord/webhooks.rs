//! What follows the first answer: the original edited, follow-ups, for fifteen minutes.

use super::{
    callbacks,
    draft::Draft,
    form::snowflake,
    mentions::Allowed,
    message::{self, EPHEMERAL, LOADING, Message},
    messages,
    reply::{Outcome, Reply},
    rest::Asked,
    state::State,
};

/// POST /webhooks/{application_id}/{token}
pub(super) fn follow_up(state: &mut State, token: &str, asked: &Asked) -> Outcome {
    let id = of_token(state, token)?;
    let draft = Draft::read(&asked.body, &asked.uploads, Allowed::in_answers())?;
    let thinking = state.interactions.get(&id).filter(|it| it.thinking).and_then(|it| it.original);
    match thinking {
        // Where the first answer is still to come, the follow-up becomes it, as Discord still does.
        Some(original) => fill(state, id, original, draft),
        None => callbacks::say(state, id, draft),
    }
}

/// GET /webhooks/{application_id}/{token}/messages/{message}
pub(super) fn read(state: &State, token: &str, which: &str) -> Outcome {
    let id = of_token(state, token)?;
    Ok(Reply::ok(message::write(state, find(state, id, which)?)))
}

/// PATCH /webhooks/{application_id}/{token}/messages/{message}
pub(super) fn update(state: &mut State, token: &str, which: &str, asked: &Asked) -> Outcome {
    let id = of_token(state, token)?;
    let old = find(state, id, which)?.clone();
    let draft = Draft::read_edit(&old, &asked.body, &asked.uploads, Allowed::in_answers())?;
    if old.flags & LOADING != 0 {
        return fill(state, id, old.id, draft);
    }
    let changed = old.id;
    let new = draft.edit(state, old)?;
    let json = messages::replace(state, new);
    callbacks::change(state, id, |it| it.latest = Some(changed));
    Ok(Reply::ok(json))
}

/// DELETE /webhooks/{application_id}/{token}/messages/{message}
pub(super) fn delete(state: &mut State, token: &str, which: &str) -> Outcome {
    let id = of_token(state, token)?;
    let message = find(state, id, which)?.id;
    messages::remove(state, message, &state.name_of(state.bot));
    callbacks::change(state, id, |it| it.thinking &= it.original != Some(message));
    Ok(Reply::nothing())
}

/// What was thought about is said. Whether it is ephemeral was decided when thinking began.
fn fill(state: &mut State, id: u64, original: u64, draft: Draft) -> Outcome {
    let old =
        state.messages.get(&original).filter(|it| !it.deleted).ok_or_else(Reply::unknown_message)?.clone();
    let ephemeral = old.flags & EPHEMERAL;
    let mut new = draft.edit(state, old)?;
    new.flags = new.flags & !LOADING | ephemeral;
    new.pings = new.mentions.clone();
    let json = messages::post(state, new);
    callbacks::change(state, id, |it| {
        it.thinking = false;
        it.latest = Some(original);
    });
    Ok(Reply::ok(json))
}

/// The interaction the token is of, if it was answered and is not too old.
fn of_token(state: &State, token: &str) -> Result<u64, Reply> {
    let it = state.interactions.values().find(|it| it.token == token).ok_or_else(Reply::unknown_webhook)?;
    if it.is_expired(state.now()) {
        return Err(Reply::invalid_webhook_token());
    }
    if it.acknowledged.is_none() {
        return Err(Reply::unknown_webhook());
    }
    Ok(it.id)
}

/// `@original` or a message's id, of that interaction.
fn find<'a>(state: &'a State, id: u64, which: &str) -> Result<&'a Message, Reply> {
    let original = state.interactions.get(&id).and_then(|it| it.original);
    let wanted = if which == "@original" { original } else { Some(snowflake("message_id", which)?) };
    wanted
        .and_then(|wanted| state.messages.get(&wanted))
        .filter(|it| !it.deleted && (it.interaction == Some(id) || original == Some(it.id)))
        .ok_or_else(Reply::unknown_message)
}
