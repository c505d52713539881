//! People: they type, click, choose, fill in and talk. Each deed is an interaction that the bot is told of.

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Map, Value, json};

use super::{
    Discord,
    answer::Answer,
    draft::Draft,
    interaction::{self, Deed},
    mentions::Allowed,
    messages,
    modals::{self, Modal},
    sight::{label_of, may_use_commands, number, pick, seen, shown_to},
    state::State,
    typing, view,
};

/// Somebody at a keyboard.
#[derive(Debug, Clone)]
pub struct Person {
    discord: Discord,
    member: u64,
    channel: Option<u64>,
    forged: Value,
}

impl Discord {
    /// The member, at a keyboard, in the first channel.
    pub fn person(&self, member: u64) -> Person {
        Person { discord: self.clone(), member, channel: None, forged: Value::Null }
    }
}

impl Person {
    /// The same person, looking at another channel or thread.
    pub fn in_channel(&self, channel: u64) -> Self {
        Self { channel: Some(channel), ..self.clone() }
    }

    /// The same person, whose interactions carry these fields instead of the real ones; null takes one away. For
    /// direct messages, other servers, roles that are out of date.
    pub fn forging(&self, fields: Value) -> Self {
        Self { forged: fields, ..self.clone() }
    }

    /// Who it is.
    pub fn id(&self) -> u64 {
        self.member
    }

    /// Types a command: `/okta diagnose app:slack reason:"two words"`.
    ///
    /// # Errors
    ///
    /// Where Discord itself would not send it: an unknown command or option, a required one missing, a text too
    /// long, a command or channel that the person does not see.
    pub async fn types(&self, line: &str) -> Result<Answer> {
        self.does(|state, channel| {
            may_use_commands(state, self.member, channel)?;
            let typed = typing::read(state, line, None)?;
            shown_to(state, self.member, &typed.data)?;
            let said = format!("{}: {}", state.name_of(self.member), line.trim());
            state.scene.say(channel, Some(self.member), vec![said]);
            Ok(self.deed(2, channel, typed.data))
        })
    }

    /// Types in an option and looks at what is offered: `asks_for("/okta diagnose", "app", "sla")`.
    ///
    /// # Errors
    ///
    /// As [`types`](Self::types), but nothing is required yet.
    pub async fn asks_for(&self, command: &str, option: &str, typed: &str) -> Result<Answer> {
        self.does(|state, channel| {
            may_use_commands(state, self.member, channel)?;
            let line = typing::read(state, command, Some((option, typed)))?;
            shown_to(state, self.member, &line.data)?;
            Ok(self.deed(4, channel, line.data))
        })
    }

    /// Clicks a button, by its label or its custom id, on a message that this person sees.
    ///
    /// # Errors
    ///
    /// If there is no such message or button, or it is greyed out or a link.
    pub async fn clicks(&self, message: u64, label: &str) -> Result<Answer> {
        self.does(|state, _| {
            let message = seen(state, self.member, message)?;
            let view = view::of(state, &message);
            let buttons: Vec<_> = view.rows.iter().flatten().filter(|it| it.kind == 2).collect();
            let button = buttons.iter().find(|it| it.label == label || it.custom_id == label);
            let labels: Vec<&str> = buttons.iter().map(|it| it.label.as_str()).collect();
            let button = button.with_context(|| format!("there is no button {label:?}, only {labels:?}"))?;
            ensure!(!button.disabled, "the button {label:?} is greyed out");
            ensure!(button.style != 5, "the button {label:?} only opens a link");
            let line = format!("{} clicks [{}]", state.name_of(self.member), button.label);
            state.scene.say(message.channel, Some(self.member), vec![line]);
            let data = json!({ "custom_id": button.custom_id, "component_type": 2, "id": number(&message, &button.custom_id) });
            Ok(Deed { message: Some(message.id), ..self.deed(3, message.channel, data) })
        })
    }

    /// Chooses in a menu, by its placeholder or custom id; values by label, by value or, in a menu of people,
    /// roles or channels, by name.
    ///
    /// # Errors
    ///
    /// If there is no such menu or option, or too few or too many are chosen.
    pub async fn chooses(&self, message: u64, menu: &str, values: &[&str]) -> Result<Answer> {
        self.does(|state, _| {
            let message = seen(state, self.member, message)?;
            let view = view::of(state, &message);
            let menus: Vec<_> = view.rows.iter().flatten().filter(|it| it.kind != 2).collect();
            let found = menus.iter().find(|it| it.label == menu || it.custom_id == menu);
            let labels: Vec<&str> = menus.iter().map(|it| it.label.as_str()).collect();
            let found = found.with_context(|| format!("there is no menu {menu:?}, only {labels:?}"))?;
            ensure!(!found.disabled, "the menu {menu:?} is greyed out");
            let count = values.len() as u64;
            ensure!((found.min..=found.max).contains(&count), "it takes {} to {}, not {count}", found.min, found.max);
            let options: Vec<(String, String)> = found
                .options
                .iter()
                .map(|it| (it.label.clone(), it.value.as_str().unwrap_or_default().to_owned()))
                .collect();
            let (values, resolved) = pick(state, found.kind, &options, values)?;
            let shown: Vec<String> = values.iter().map(|value| label_of(&options, value)).collect();
            let line = format!("{} chooses {} in [{}]", state.name_of(self.member), shown.join(", "), found.label);
            state.scene.say(message.channel, Some(self.member), vec![line]);
            let mut data = json!({ "custom_id": found.custom_id, "component_type": found.kind, "values": values,
                "id": number(&message, &found.custom_id) });
            if !resolved.is_empty() {
                data["resolved"] = Value::Object(resolved);
            }
            Ok(Deed { message: Some(message.id), ..self.deed(3, message.channel, data) })
        })
    }

    /// Uses a command of a message's menu.
    ///
    /// # Errors
    ///
    /// If the command is not registered, or the person does not see it or the message.
    pub async fn uses_menu(&self, command: &str, message: u64) -> Result<Answer> {
        self.does(|state, _| {
            let message = seen(state, self.member, message)?;
            may_use_commands(state, self.member, message.channel)?;
            let found =
                state.commands.iter().find(|(_, it)| it.json["name"] == command && it.json["type"] == 3);
            let (id, _) = found.with_context(|| format!("no message command {command:?} is registered"))?;
            let target = message.id.to_string();
            let data = json!({
                "id": id.to_string(), "name": command, "type": 3, "target_id": target,
                "guild_id": state.guild.to_string(),
                "resolved": { "messages": { &target: super::message::write(state, &message) } },
            });
            shown_to(state, self.member, &data)?;
            let line = format!(
                "{} uses \"{command}\" on a message of {}",
                state.name_of(self.member),
                state.name_of(message.author)
            );
            state.scene.say(message.channel, Some(self.member), vec![line]);
            Ok(self.deed(2, message.channel, data))
        })
    }

    /// The dialog that this interaction of the person opened.
    pub fn dialog(&self, interaction: u64) -> Option<Modal> {
        self.discord.read(|state| {
            let it = state.interactions.get(&interaction).filter(|it| it.person == self.member)?;
            it.modal.as_ref().map(|modal| modals::view(interaction, modal))
        })
    }

    /// Fills in a dialog and submits it: fields by label or custom id. What is not named stays as it was.
    ///
    /// # Errors
    ///
    /// If there is no such field, or Discord would not let it be submitted.
    pub async fn fills(&self, modal: &Modal, answers: &[(&str, &str)]) -> Result<Answer> {
        self.does(|state, _| {
            for (label, _) in answers {
                let known = modal.fields.iter().any(|it| it.label == *label || it.custom_id == *label);
                ensure!(known, "the dialog has no field {label:?}");
            }
            let mut resolved = Map::new();
            let mut filled = Vec::new();
            let mut lines = vec![format!("{} submits \"{}\"", state.name_of(self.member), modal.title)];
            for field in &modal.fields {
                let given =
                    answers.iter().find(|(label, _)| field.label == *label || field.custom_id == *label);
                let text = given.map_or(field.value.as_str(), |(_, text)| *text);
                lines.push(format!("  {}: {text}", field.label));
                ensure!(!field.required || !text.is_empty(), "the field {:?} must be filled in", field.label);
                if field.kind == 4 {
                    let length = text.chars().count();
                    let fits = (field.min..=field.max).contains(&length) || length == 0;
                    ensure!(
                        fits,
                        "{:?} takes {} to {} characters, not {length}",
                        field.label,
                        field.min,
                        field.max
                    );
                    filled.push((field.clone(), json!(text)));
                } else {
                    let names: Vec<&str> =
                        text.split(',').map(str::trim).filter(|it| !it.is_empty()).collect();
                    let (values, more) = pick(state, field.kind, &field.options, &names)?;
                    resolved.extend(more);
                    filled.push((field.clone(), json!(values)));
                }
            }
            let opener = state.interactions.get(&modal.interaction).context("nobody opened that dialog")?;
            ensure!(opener.person == self.member, "somebody else has that dialog open");
            let (channel, message) = (opener.channel, opener.message);
            let mut data = modals::submission(modal, &filled);
            if !resolved.is_empty() {
                data["resolved"] = Value::Object(resolved);
            }
            state.scene.say(channel, Some(self.member), lines);
            Ok(Deed { message, opened_by: Some(modal.interaction), ..self.deed(5, channel, data) })
        })
    }

    /// Writes an ordinary message; its id.
    ///
    /// # Errors
    ///
    /// If the channel is not there, or the text is empty or too long.
    pub async fn says(&self, channel: u64, text: &str) -> Result<u64> {
        self.discord.with(|state| {
            let place = state.channels.get(&channel).context("there is no such channel")?.clone();
            let body = json!({ "content": text });
            let draft = Draft::read(&body, &[], Allowed::in_messages())
                .map_err(|reply| anyhow!("{:?}", reply.body))?;
            let message = draft
                .into_message(state, self.member, &place)
                .map_err(|reply| anyhow!("{:?}", reply.body))?;
            let id = message.id;
            messages::post(state, message);
            Ok(id)
        })
    }

    /// Sends an interaction as it is: fields of `json` replace those of a real one, and null takes one away. For
    /// forged custom ids, direct messages, other servers, bots.
    ///
    /// # Errors
    ///
    /// If there is no channel at all, or `json` has no type.
    pub async fn sends_interaction(&self, json: Value) -> Result<Answer> {
        self.does(|state, channel| {
            let kind = json["type"].as_u64().context("an interaction has a type")?;
            let channel = json["channel_id"].as_str().and_then(|id| id.parse().ok()).unwrap_or(channel);
            let message = json.pointer("/message/id").and_then(|id| id.as_str()?.parse().ok());
            state.scene.say(
                channel,
                Some(self.member),
                vec![format!("{} sends something odd", state.name_of(self.member))],
            );
            Ok(Deed { forged: json, message, ..self.deed(kind, channel, Value::Null) })
        })
    }

    fn deed(&self, kind: u64, channel: u64, data: Value) -> Deed {
        Deed { kind, person: self.member, channel, data, message: None, opened_by: None, forged: Value::Null }
    }

    fn does(&self, deed: impl FnOnce(&mut State, u64) -> Result<Deed>) -> Result<Answer> {
        let id = self.discord.with(|state| {
            let first = state.channels.values().find(|it| it.thread.is_none()).map(|it| it.id);
            let channel = self.channel.or(first).context("there is no channel yet")?;
            let who = state.members.get(&self.member).context("there is no such member")?;
            ensure!(!who.left, "{} has left the server", who.name);
            let silent = who.timed_out_until.is_some_and(|until| until > state.now());
            ensure!(!silent, "{} is timed out", who.name);
            let mut deed = deed(state, channel)?;
            if deed.forged.is_null() {
                deed.forged = self.forged.clone();
            }
            anyhow::Ok(interaction::begin(state, deed))
        })?;
        Ok(Answer { discord: self.discord.clone(), interaction: id })
    }
}
