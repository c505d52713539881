//! What a person sees, and so can use.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

use super::{
    message::Message,
    permissions::{self, Permission},
    state::State,
    typing, view,
};

/// Whether the member can type a command there.
pub(super) fn may_use_commands(state: &State, member: u64, channel: u64) -> Result<()> {
    let place = state.channels.get(&channel).context("there is no such channel")?;
    let may = permissions::in_channel(state, member, place);
    ensure!(may.has(Permission::VIEW_CHANNEL), "{} does not see #{}", state.name_of(member), place.name);
    ensure!(
        may.has(Permission::USE_APPLICATION_COMMANDS),
        "{} may not use commands there",
        state.name_of(member)
    );
    Ok(())
}

/// Whether the command is shown to the member, by what its default permissions say.
pub(super) fn shown_to(state: &State, member: u64, data: &Value) -> Result<()> {
    let id = data["id"].as_str().and_then(|id| id.parse::<u64>().ok());
    let command = id.and_then(|id| state.commands.get(&id)).context("there is no such command")?;
    let Some(needed) = command.json["default_member_permissions"].as_str() else { return Ok(()) };
    let may = permissions::in_guild(state, member);
    let needed = needed.parse().unwrap_or(0);
    let hidden = !may.has(Permission::ADMINISTRATOR) && (needed == 0 || !may.has(Permission(needed)));
    ensure!(!hidden, "the command is not shown to {}", state.name_of(member));
    Ok(())
}

/// The message, if the member sees it.
pub(super) fn seen(state: &State, member: u64, message: u64) -> Result<Message> {
    let message =
        state.messages.get(&message).filter(|it| !it.deleted).context("there is no such message")?;
    let mine = message.only_for.is_none_or(|only| only == member);
    let visible = mine && view::sees(state, member, message.channel);
    ensure!(visible, "{} does not see that message", state.name_of(member));
    Ok(message.clone())
}

/// What was picked, as the bot gets it, and what it refers to.
pub(super) fn pick(
    state: &State,
    kind: u64,
    options: &[(String, String)],
    picked: &[&str],
) -> Result<(Vec<String>, Map<String, Value>)> {
    let mut resolved = Map::new();
    let mut values = Vec::new();
    for text in picked {
        let sort = match kind {
            5 => "@",
            6 => "@&",
            7 => "",
            8 => "#",
            _ => {
                let labels: Vec<&String> = options.iter().map(|(label, _)| label).collect();
                let option = options.iter().find(|(label, value)| label == text || value == text);
                values.push(
                    option.with_context(|| format!("{text:?} is not offered, only {labels:?}"))?.1.clone(),
                );
                continue;
            }
        };
        match typing::refer(state, sort, text, &mut resolved) {
            Some(id) => values.push(id),
            None => bail!("{text:?} is nobody and nothing here"),
        }
    }
    Ok((values, resolved))
}

/// What people call the value.
pub(super) fn label_of(options: &[(String, String)], value: &str) -> String {
    options
        .iter()
        .find(|(_, known)| known == value)
        .map_or_else(|| value.to_owned(), |(label, _)| label.clone())
}

/// The component's own number in its message.
pub(super) fn number(message: &Message, custom_id: &str) -> u64 {
    fn search(parts: &[Value], custom_id: &str) -> Option<u64> {
        parts.iter().find_map(|part| {
            if part["custom_id"] == custom_id {
                return part["id"].as_u64();
            }
            let inner = part["components"].as_array().map_or(&[][..], Vec::as_slice);
            search(inner, custom_id)
                .or_else(|| search(std::slice::from_ref(part.get("accessory")?), custom_id))
        })
    }
    search(&message.components, custom_id).unwrap_or(0)
}
