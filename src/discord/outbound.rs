//! Our [`Message`] in Discord's JSON, cut so that Discord never refuses it for its length.
//!
//! **Invariant:** whatever the texts hold, nobody is pinged but [`Message::pings`].

use std::collections::HashSet;

use commands::chat::{
    Button, ButtonStyle, Card, Dialog, File, Input, Message, Nonce, Ping, Press, Row, Select, Tone,
};
use serde_json::{Value, json};
use serenity::builder::{
    CreateActionRow, CreateAllowedMentions, CreateButton, CreateEmbed, CreateEmbedFooter, CreateInputText,
    CreateInteractionResponse, CreateInteractionResponseMessage, CreateMessage, CreateModal,
    CreateSelectMenu, CreateSelectMenuKind, CreateSelectMenuOption, EditMessage,
};
use serenity::model::application::{ButtonStyle as Style, InputTextStyle};
use serenity::model::channel::Nonce as Theirs;
use tracing::error;
use unicode_segmentation::UnicodeSegmentation;

/// Stands where Discord wants a text and there is none.
const NOTHING: &str = "–";
/// Source: Discord, Create Message and Message Components; the table is in units of UTF-16.
const CONTENT: usize = 2_000;
const TITLE: usize = 256;
const BODY: usize = 4_096;
const FIELDS: usize = 25;
const FIELD_NAME: usize = 256;
const FIELD_VALUE: usize = 1_024;
const FOOTER: usize = 2_048;
const EMBED: usize = 6_000;
const ROWS: usize = 5;
const BUTTONS: usize = 5;
const CHOICES: usize = 25;
const LABEL: usize = 80;
const CHOICE: usize = 100;
const PLACEHOLDER: usize = 150;
const CUSTOM_ID: usize = 100;
/// Source: Discord, Receiving and Responding, “Modal”, and Component Reference, “Text Input”.
const DIALOG_TITLE: usize = 45;
const INPUTS: usize = 5;
const INPUT_LABEL: usize = 45;
const INPUT_PLACEHOLDER: usize = 100;
const INPUT_VALUE: u16 = 4_000;
const LINK: usize = 512;
const PINGS: usize = 100;
const FILES: usize = 10;
const FILE_BYTES: usize = 10 << 20;
const ALL_FILE_BYTES: usize = 24 << 20;

/// A message ready to be sent.
pub struct Outgoing {
    /// The JSON.
    pub payload: Value,
    /// The files that the JSON speaks of.
    pub files: Vec<File>,
}

/// A new message that Discord posts once, however often it is sent within a few minutes.
pub fn post(message: &Message, nonce: &Nonce) -> Outgoing {
    let new = CreateMessage::new()
        .content(content(message))
        .embeds(embeds(message))
        .components(rows(&message.rows))
        .allowed_mentions(mentions(&message.pings))
        .nonce(Theirs::String(nonce.0.clone()))
        .enforce_nonce(true);
    with_files(json!(new), &[], message)
}

/// The whole of a message that replaces another: what it has no more is sent as empty, or it would stay.
pub fn edit(message: &Message) -> Outgoing {
    let new = EditMessage::new()
        .content(content(message))
        .embeds(embeds(message))
        .components(rows(&message.rows))
        .allowed_mentions(mentions(&message.pings));
    with_files(json!(new), &[], message)
}

/// A private message that is the first answer to an interaction.
pub fn private_answer(message: &Message) -> Outgoing {
    let new = CreateInteractionResponseMessage::new()
        .content(content(message))
        .embeds(embeds(message))
        .components(rows(&message.rows))
        .allowed_mentions(mentions(&message.pings))
        .ephemeral(true);
    with_files(json!(CreateInteractionResponse::Message(new)), &["data"], message)
}

/// A private message that follows the first answer.
pub fn private_follow_up(message: &Message) -> Outgoing {
    let mut new = edit(message);
    new.payload["flags"] = json!(64);
    new
}

/// A dialog that is the first answer to an interaction. `None` if Discord would take no part of it: its id cannot be
/// cut, and a dialog without inputs cannot be submitted.
pub fn dialog(dialog: &Dialog) -> Option<Outgoing> {
    let mut ids = HashSet::new();
    let id = usable(&dialog.submit.to_string(), &mut ids)?;
    let inputs: Vec<_> = dialog.inputs.iter().filter_map(|one| input(one, &mut ids)).take(INPUTS).collect();
    if inputs.is_empty() {
        return None;
    }
    let modal = CreateModal::new(id, filled(&dialog.title, DIALOG_TITLE)).components(inputs);
    Some(Outgoing { payload: json!(CreateInteractionResponse::Modal(modal)), files: Vec::new() })
}

/// A text input in its row. What stands in it is cut to what it takes, or Discord would open nothing at all.
fn input(input: &Input, ids: &mut HashSet<String>) -> Option<CreateActionRow> {
    let style = if input.long { InputTextStyle::Paragraph } else { InputTextStyle::Short };
    let most = input.length.1.clamp(1, INPUT_VALUE);
    let least = input.length.0.min(most);
    let id = usable(&input.name, ids)?;
    let mut new = CreateInputText::new(style, filled(&input.label, INPUT_LABEL), id)
        .required(least > 0)
        .max_length(most);
    if least > 0 {
        new = new.min_length(least);
    }
    let placeholder = cut(&input.placeholder, INPUT_PLACEHOLDER);
    if !placeholder.is_empty() {
        new = new.placeholder(placeholder);
    }
    let value = cut(&input.value, most.into());
    if !value.is_empty() {
        new = new.value(value);
    }
    Some(CreateActionRow::InputText(new))
}

/// A footer as Discord will show it, by which a message is found again.
pub(super) fn footer(text: &str) -> String {
    cut(text, FOOTER)
}

/// A text without blanks around it, at most `most` UTF-16 units long, cut between characters as people see them.
pub(super) fn cut(text: &str, most: usize) -> String {
    let text = text.trim();
    if text.encode_utf16().nth(most).is_none() {
        return text.to_owned();
    }
    let mut room = most.saturating_sub(1);
    let mut kept = String::new();
    for grapheme in text.graphemes(true) {
        let units = grapheme.encode_utf16().take(room + 1).count();
        if units > room {
            break;
        }
        room -= units;
        kept.push_str(grapheme);
    }
    // What is left before the sign may end in a blank, which is harmless; the sign itself is one unit.
    if most > 0 {
        kept.push('…');
    }
    kept
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A text that must not be empty.
fn filled(text: &str, most: usize) -> String {
    let text = cut(text, most);
    if text.is_empty() { NOTHING.to_owned() } else { text }
}

fn content(message: &Message) -> String {
    let has_more =
        message.card.as_ref().is_some_and(|card| embed(card).is_some()) || !message.files.is_empty();
    if has_more { cut(&message.content, CONTENT) } else { filled(&message.content, CONTENT) }
}

fn embeds(message: &Message) -> Vec<CreateEmbed> {
    message.card.as_ref().and_then(embed).into_iter().collect()
}

/// A card within its 6,000 units. Title and footer come first, because a card is recognised by them, then the body,
/// then the fields in their order.
fn embed(card: &Card) -> Option<CreateEmbed> {
    let (title, footer) = (cut(&card.title, TITLE), footer(&card.footer));
    let mut room = EMBED - units(&title) - units(&footer);
    let body = cut(&card.body, BODY.min(room));
    room -= units(&body);

    let mut new = CreateEmbed::new().colour(colour(card.tone));
    let mut fields = 0;
    for field in card.fields.iter().take(FIELDS) {
        let name = filled(&field.name, FIELD_NAME);
        let left = room.saturating_sub(units(&name));
        if left == 0 {
            break;
        }
        let value = filled(&field.value, FIELD_VALUE.min(left));
        room = left - units(&value);
        new = new.field(name, value, false);
        fields += 1;
    }
    if title.is_empty() && body.is_empty() && footer.is_empty() && fields == 0 {
        return None;
    }
    if !title.is_empty() {
        new = new.title(title);
    }
    if !body.is_empty() {
        new = new.description(body);
    }
    if !footer.is_empty() {
        new = new.footer(CreateEmbedFooter::new(footer));
    }
    Some(new)
}

fn colour(tone: Tone) -> u32 {
    match tone {
        Tone::Quiet => 0x006B_7280,
        Tone::Alarm => 0x00C6_2828,
        Tone::Waiting => 0x00B2_6A00,
        Tone::Good => 0x002E_7D32,
    }
}

fn mentions(pings: &[Ping]) -> CreateAllowedMentions {
    let (mut members, mut roles) = (Vec::new(), Vec::new());
    for ping in pings {
        let (list, id) = match ping {
            Ping::Member(id) => (&mut members, id.0),
            Ping::Role(id) => (&mut roles, id.0),
        };
        if id != 0 && !list.contains(&id) && list.len() < PINGS {
            list.push(id);
        }
    }
    // `parse` stays empty: only these ids, never what the text seems to name.
    CreateAllowedMentions::new().users(members).roles(roles)
}

fn rows(rows: &[Row]) -> Vec<CreateActionRow> {
    let mut ids = HashSet::new();
    rows.iter().filter_map(|row| action_row(row, &mut ids)).take(ROWS).collect()
}

fn action_row(row: &Row, ids: &mut HashSet<String>) -> Option<CreateActionRow> {
    match row {
        Row::Buttons(buttons) => {
            let buttons: Vec<_> = buttons.iter().filter_map(|one| button(one, ids)).take(BUTTONS).collect();
            (!buttons.is_empty()).then_some(CreateActionRow::Buttons(buttons))
        }
        Row::Select(one) => select(one, ids).map(CreateActionRow::SelectMenu),
    }
}

fn button(button: &Button, ids: &mut HashSet<String>) -> Option<CreateButton> {
    let new = match &button.press {
        Press::Verb(id) => CreateButton::new(usable(&id.to_string(), ids)?),
        Press::Link(url) if url.starts_with("http") && url.len() <= LINK && url::Url::parse(url).is_ok() => {
            CreateButton::new_link(url)
        }
        Press::Link(_) => {
            error!(label = cut(&button.label, LABEL), "A button's link is none that Discord takes; left out");
            return None;
        }
    };
    let style = match button.style {
        ButtonStyle::Primary => Style::Primary,
        ButtonStyle::Secondary => Style::Secondary,
        ButtonStyle::Danger => Style::Danger,
    };
    Some(new.style(style).label(filled(&button.label, LABEL)))
}

fn select(select: &Select, ids: &mut HashSet<String>) -> Option<CreateSelectMenu> {
    let mut values = HashSet::new();
    let good = |value: &str| !value.trim().is_empty() && units(value) <= CHOICE;
    let choices: Vec<_> = select
        .choices
        .iter()
        .filter(|choice| good(&choice.value) && values.insert(choice.value.as_str()))
        .take(CHOICES)
        .collect();
    if choices.is_empty() {
        return None;
    }
    // Discord refuses a select of which more may, or must, be chosen than there are; and one with more chosen
    // already than may be.
    let most = select.choose_from.1.min(choices.len().try_into().unwrap_or(1)).max(1);
    let least = select.choose_from.0.min(most);
    let mut chosen_left = most;
    let options = choices.into_iter().map(|choice| {
        let chosen = choice.chosen && chosen_left > 0;
        chosen_left -= u8::from(chosen);
        let option = CreateSelectMenuOption::new(filled(&choice.label, CHOICE), &choice.value);
        if chosen { option.default_selection(true) } else { option }
    });
    let options = options.collect();
    let id = usable(&select.choose.to_string(), ids)?;
    let menu = CreateSelectMenu::new(id, CreateSelectMenuKind::String { options });
    Some(menu.min_values(least).max_values(most).placeholder(filled(&select.placeholder, PLACEHOLDER)))
}

/// An id that Discord takes: short enough and not yet in the message. It cannot be cut, for it would mean another
/// thing; a button without one is left out, which is a fault of ours and is logged as one.
fn usable(id: &str, ids: &mut HashSet<String>) -> Option<String> {
    if units(id) > CUSTOM_ID || !ids.insert(id.to_owned()) {
        error!(custom_id = cut(id, CUSTOM_ID), "A custom_id is too long or is there twice; left out");
        return None;
    }
    Some(id.to_owned())
}

/// Adds the list of attachments to the JSON, at `path`. An empty list takes the old ones away.
fn with_files(mut payload: Value, path: &[&str], message: &Message) -> Outgoing {
    let mut room = ALL_FILE_BYTES;
    let mut files = Vec::new();
    for file in message.files.iter().take(FILES) {
        let size = file.bytes.len();
        if size > FILE_BYTES || size > room {
            error!(file = cut(&file.name, 100), size, "A file is larger than Discord takes; left out");
            continue;
        }
        room -= size;
        files.push(File { name: filled(&file.name, 100), bytes: file.bytes.clone() });
    }
    let list: Vec<_> =
        files.iter().enumerate().map(|(id, file)| json!({ "id": id, "filename": file.name })).collect();
    let at = path.iter().fold(&mut payload, |at, part| &mut at[*part]);
    at["attachments"] = json!(list);
    Outgoing { payload, files }
}

#[cfg(test)]
mod tests;
