//! An interaction's JSON, read step by step: enough to answer at all, enough to answer first, then all of it.
//!
//! Only what is needed is read, and only when it is: a field that Discord adds, or leaves out, costs no click.

use std::borrow::Cow;

use commands::chat::{Call, Caller, CustomId, Draft};
use commands::spec::{From, Spec};
use domain::ids::{GuildId, MemberId, RoleId};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;
use serenity::model::application::{
    CommandData, CommandDataOption, CommandDataOptionValue as Theirs, ResolvedTarget,
};

use super::replies::{Address, Token};
use super::wire::Id;

/// Kinds of interactions. Source: Discord, Receiving and Responding, “Interaction Type”.
pub(super) const COMMAND: u8 = 2;
pub(super) const COMPONENT: u8 = 3;
pub(super) const AUTOCOMPLETE: u8 = 4;
pub(super) const MODAL: u8 = 5;
/// A command from the menu of a message, and an option that is a subcommand. Source: Discord, Application Commands.
const MESSAGE_MENU: u8 = 3;
const SUBCOMMAND: u8 = 1;

/// What it takes to answer an interaction, whatever else is in it.
#[derive(Deserialize)]
struct Stub {
    id: Id,
    #[serde(default = "nobody")]
    application_id: Id,
    token: Token,
    #[serde(rename = "type")]
    kind: u8,
}

fn nobody() -> Id {
    Id(0)
}

/// Where an interaction is answered and of which kind it is. `None` if it cannot be answered at all.
pub(super) fn address(raw: &RawValue) -> Option<(Address, u8)> {
    let stub: Stub = serde_json::from_str(raw.get()).ok()?;
    let address = Address { interaction: stub.id.0, application: stub.application_id.0, token: stub.token };
    Some((address, stub.kind))
}

/// What it takes to answer first: who, where, and which command.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(default)]
    guild_id: Option<Id>,
    #[serde(default)]
    member: Option<Member>,
    #[serde(default)]
    message: Option<IgnoredAny>,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct Member {
    user: User,
    roles: Vec<Id>,
}

#[derive(Deserialize)]
struct User {
    id: Id,
    #[serde(default)]
    bot: bool,
}

#[derive(Deserialize)]
struct Name<'a> {
    #[serde(default, borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(default, rename = "type")]
    kind: Option<u8>,
    #[serde(default, borrow)]
    options: Vec<Sub<'a>>,
    #[serde(default, borrow)]
    custom_id: Option<Cow<'a, str>>,
    /// What was chosen in a select.
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Deserialize)]
struct Sub<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(rename = "type")]
    kind: u8,
}

/// Why an interaction is not for us; each is told to the person who made it.
#[derive(Debug, PartialEq)]
pub(super) enum Foreign {
    /// Its JSON is not as we know it.
    Unreadable,
    /// It comes from another server or a direct message.
    Elsewhere,
    /// It says nothing about who made it, or no person did.
    Nobody,
    /// The command is not one of ours.
    Unknown,
    /// The button, select or dialog is not one of ours: it was forged or edited, or is older than this version.
    Forged(Caller),
}

/// An interaction of ours, as far as the first answer needs it.
#[derive(Debug)]
pub(super) struct Knock<'a> {
    pub caller: Caller,
    pub verb: String,
    /// What the button carries after its verb.
    pub args: Vec<String>,
    /// Whether it was made on a message, which the answer can change: a button, a select, or a dialog that one of
    /// them opened. Source: Discord, Interaction Object, `message`.
    pub on_a_message: bool,
    kind: u8,
    data: &'a RawValue,
    pressed: Vec<(String, String)>,
}

/// Reads who calls for what.
pub(super) fn knock<'a>(
    raw: &'a RawValue,
    kind: u8,
    guild: GuildId,
    specs: &[Spec],
) -> Result<Knock<'a>, Foreign> {
    let head: Head<'a> = serde_json::from_str(raw.get()).map_err(|_| Foreign::Unreadable)?;
    if head.guild_id != Some(Id(guild.0)) {
        return Err(Foreign::Elsewhere);
    }
    let member = head.member.filter(|member| !member.user.bot).ok_or(Foreign::Nobody)?;
    let caller = Caller {
        id: MemberId(member.user.id.0),
        roles: member.roles.into_iter().map(|role| RoleId(role.0)).collect(),
    };
    let data = head.data;
    let name: Name<'_> = serde_json::from_str(data.get()).map_err(|_| Foreign::Unreadable)?;
    let (CustomId { verb, args }, pressed) = match (kind, name.custom_id) {
        (COMPONENT | MODAL, Some(id)) => {
            pressed(&id, name.values, specs).ok_or_else(|| Foreign::Forged(caller.clone()))?
        }
        (COMMAND | AUTOCOMPLETE, _) if name.kind == Some(MESSAGE_MENU) => {
            (CustomId::new(&name.name.unwrap_or_default(), []), Vec::new())
        }
        (COMMAND | AUTOCOMPLETE, _) => {
            let sub = name.options.into_iter().next().filter(|option| option.kind == SUBCOMMAND);
            (CustomId::new(&sub.ok_or(Foreign::Unknown)?.name, []), Vec::new())
        }
        _ => return Err(Foreign::Unreadable),
    };
    let spec = specs.iter().find(|spec| spec.name == verb).ok_or(Foreign::Unknown)?;
    let slash_only = matches!(kind, COMMAND | AUTOCOMPLETE) && spec.from == From::ButtonOnly;
    if slash_only {
        return Err(Foreign::Unknown);
    }
    let on_a_message = kind == COMPONENT || kind == MODAL && head.message.is_some();
    Ok(Knock { caller, verb, args, on_a_message, kind, data, pressed })
}

/// A `custom_id` with its arguments named in the spec's order; what was chosen in a select follows them. `None` if it
/// is none of ours.
fn pressed(id: &str, values: Vec<String>, specs: &[Spec]) -> Option<(CustomId, Vec<(String, String)>)> {
    let id = CustomId::parse(id)?;
    let args = &id.args;
    let spec = specs.iter().find(|spec| spec.name == id.verb)?;
    if args.len() > spec.options.len() {
        return None;
    }
    let chosen = spec.options.get(args.len()).map_or("value", |option| option.name);
    let names = spec.options.iter().map(|option| option.name.to_owned());
    let mut options: Vec<_> = names.zip(args.iter().cloned()).collect();
    options.extend(values.into_iter().map(|value| (chosen.to_owned(), value)));
    Some((id, options))
}

impl Knock<'_> {
    /// Whether a dialog was submitted; Discord lets no dialog follow it.
    pub fn is_a_submission(&self) -> bool {
        self.kind == MODAL
    }

    /// The option that is being typed, and what of it there is.
    pub fn typed(&self) -> Option<(String, String)> {
        let data: CommandData = serde_json::from_str(self.data.get()).ok()?;
        let option = data.autocomplete()?;
        Some((option.name.to_owned(), option.value.to_owned()))
    }

    /// The whole call.
    pub fn call(self, draft: Draft) -> Result<Call, Foreign> {
        let mut options = self.pressed;
        let mut quoted = None;
        match self.kind {
            COMMAND => {
                let data: CommandData =
                    serde_json::from_str(self.data.get()).map_err(|_| Foreign::Unreadable)?;
                options.extend(data.options.iter().flat_map(given));
                quoted = quote(&data);
            }
            MODAL => {
                let data: Value = serde_json::from_str(self.data.get()).map_err(|_| Foreign::Unreadable)?;
                inputs(&data["components"], &mut options);
            }
            _ => {}
        }
        Ok(Call { caller: self.caller, verb: self.verb, options, quoted, draft })
    }
}

/// The options of a subcommand, each as text.
fn given(option: &CommandDataOption) -> Vec<(String, String)> {
    let text = match &option.value {
        Theirs::SubCommand(options) | Theirs::SubCommandGroup(options) => {
            return options.iter().flat_map(given).collect();
        }
        Theirs::String(text) | Theirs::Autocomplete { value: text, .. } => text.clone(),
        Theirs::Boolean(yes) => yes.to_string(),
        Theirs::Integer(number) => number.to_string(),
        Theirs::Number(number) => number.to_string(),
        Theirs::User(id) => id.to_string(),
        Theirs::Role(id) => id.to_string(),
        Theirs::Channel(id) => id.to_string(),
        Theirs::Mentionable(id) => id.to_string(),
        Theirs::Attachment(id) => id.to_string(),
        _ => return Vec::new(),
    };
    vec![(option.name.clone(), text)]
}

/// All text of the message that a message command was used on.
fn quote(data: &CommandData) -> Option<String> {
    let Some(ResolvedTarget::Message(message)) = data.target() else { return None };
    let mut lines = vec![message.content.clone()];
    for embed in &message.embeds {
        lines.extend([&embed.title, &embed.description].into_iter().flatten().cloned());
        lines.extend(embed.fields.iter().map(|field| format!("{}: {}", field.name, field.value)));
    }
    lines.retain(|line| !line.is_empty());
    Some(lines.join("\n"))
}

/// What was entered into a dialog, in rows (`components`) or under labels (`component`). It is read from the raw
/// JSON, because serenity's types lose what stands under a label.
fn inputs(node: &Value, found: &mut Vec<(String, String)>) {
    match node {
        Value::Array(list) => list.iter().for_each(|node| inputs(node, found)),
        Value::Object(fields) => {
            if let Some(Value::String(name)) = fields.get("custom_id") {
                let values = fields.get("values").and_then(Value::as_array).into_iter().flatten();
                let values = fields.get("value").into_iter().chain(values).filter_map(Value::as_str);
                found.extend(values.map(|value| (name.clone(), value.to_owned())));
            }
            inputs(fields.get("components").unwrap_or(&Value::Null), found);
            inputs(fields.get("component").unwrap_or(&Value::Null), found);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
