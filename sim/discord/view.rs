//! A message as people see it, in parts that a page or a test can look at.

use serde::Serialize;
use serde_json::Value;

use super::{
    Discord, ids, markup,
    message::{self, LOADING, Message, Pings},
    permissions::{self, Permission},
    sight,
    state::State,
    world::Member,
};

/// A message, as shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MessageView {
    /// Its id.
    #[serde(serialize_with = "ids::one")]
    pub id: u64,
    /// The channel or thread it stands in.
    #[serde(serialize_with = "ids::one")]
    pub channel: u64,
    /// Who wrote it, by name.
    pub author: String,
    /// Its text as it was sent, markup and all.
    pub content: String,
    /// Its text as it is shown.
    pub text: String,
    /// Its cards, as shown.
    pub embeds: Vec<Card>,
    /// Its rows of buttons and menus.
    pub rows: Vec<Vec<Control>>,
    /// Its files.
    pub files: Vec<FileView>,
    /// Whose telephone rang.
    pub pings: Pings,
    /// The same, by name: "@on-call".
    pub rang: Vec<String>,
    /// How often it was changed.
    pub edits: usize,
    /// Its thread, if it has one.
    #[serde(serialize_with = "ids::maybe")]
    pub thread: Option<u64>,
    /// The only person who sees it.
    #[serde(serialize_with = "ids::maybe")]
    pub only_for: Option<u64>,
    /// The answer is still to come: "… is thinking".
    pub thinking: bool,
    /// Whether it is gone.
    pub deleted: bool,
    /// When it was posted.
    pub posted: jiff::Timestamp,
    /// As Discord writes it down.
    pub json: Value,
}

/// An embed, as shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Card {
    /// The heading.
    pub title: String,
    /// Where the heading leads.
    pub url: String,
    /// The line above it.
    pub author: String,
    /// The text.
    pub body: String,
    /// Names and values.
    pub fields: Vec<(String, String)>,
    /// The small print.
    pub footer: String,
    /// The stripe at its side.
    pub color: Option<u64>,
}

/// A button or a menu.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Control {
    /// 2 is a button, 3 a menu of options, 5 to 8 menus of members, roles and channels.
    pub kind: u64,
    /// What is written on it.
    pub label: String,
    /// The bot's own name for it.
    pub custom_id: String,
    /// 1 blue, 2 grey, 3 green, 4 red, 5 a link.
    pub style: u64,
    /// Where it leads, if it is a link.
    pub url: String,
    /// Whether it is greyed out.
    pub disabled: bool,
    /// What a menu offers.
    pub options: Vec<Choice>,
    /// How few may be chosen.
    pub min: u64,
    /// How many may be chosen.
    pub max: u64,
}

/// Something to choose.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// What people see.
    pub label: String,
    /// What the bot gets.
    pub value: Value,
    /// The line below the label.
    pub description: String,
    /// Whether it is chosen from the start.
    pub default: bool,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileView {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Where it can be had.
    pub url: String,
    /// Its content, if it is text.
    pub text: Option<String>,
}

impl Discord {
    /// What stands in the channel or thread for all to see, oldest first.
    pub fn messages(&self, channel: u64) -> Vec<MessageView> {
        self.views(|it| it.channel == channel && it.is_public())
    }

    /// The message, deleted or not.
    pub fn message(&self, id: u64) -> Option<MessageView> {
        self.read(|state| state.messages.get(&id).map(|it| of(state, it)))
    }

    /// The messages in the thread of that message; none if it has no thread.
    pub fn thread_of(&self, message: u64) -> Vec<MessageView> {
        self.messages(message)
    }

    /// What only that member sees, oldest first.
    pub fn ephemeral_of(&self, member: u64) -> Vec<MessageView> {
        self.views(|it| it.only_for == Some(member) && !it.deleted)
    }

    /// What that member sees in the channel, oldest first: nothing, if the channel is hidden from it.
    pub fn messages_for(&self, member: u64, channel: u64) -> Vec<MessageView> {
        if !self.read(|state| sees(state, member, channel)) {
            return Vec::new();
        }
        self.views(|it| it.channel == channel && !it.deleted && it.only_for.is_none_or(|only| only == member))
    }

    /// The message, if that member sees it.
    pub fn message_for(&self, member: u64, id: u64) -> Option<MessageView> {
        self.read(|state| sight::seen(state, member, id).ok().map(|it| of(state, &it)))
    }

    /// The members whose telephone rang when the message was posted.
    pub fn rung_by(&self, message: u64) -> Vec<u64> {
        self.read(|state| {
            let Some(pings) = state.messages.get(&message).map(|it| &it.pings) else { return Vec::new() };
            let rung = |(id, who): (&u64, &Member)| {
                let by_role = who.roles.iter().any(|role| pings.roles.contains(role));
                let rings = pings.everyone || by_role || pings.users.contains(id);
                (rings && !who.bot && !who.left).then_some(*id)
            };
            state.members.iter().filter_map(rung).collect()
        })
    }

    fn views(&self, which: impl Fn(&Message) -> bool) -> Vec<MessageView> {
        self.read(|state| state.messages.values().filter(|it| which(it)).map(|it| of(state, it)).collect())
    }
}

/// Whether the member may look into the channel.
pub(super) fn sees(state: &State, member: u64, channel: u64) -> bool {
    let Some(channel) = state.channels.get(&channel) else { return false };
    permissions::in_channel(state, member, channel).has(Permission::VIEW_CHANNEL)
}

/// The name behind a mention.
pub(super) fn name(state: &State, sigil: &str, id: u64) -> Option<String> {
    match sigil {
        "@&" => state.roles.get(&id).map(|it| it.name.clone()),
        "#" => state.channels.get(&id).map(|it| it.name.clone()),
        _ => state.members.get(&id).map(|it| it.name.clone()),
    }
}

/// The message as people see it.
pub(super) fn of(state: &State, message: &Message) -> MessageView {
    let shown = |text: &str| markup::shown(text, &|sigil, id| name(state, sigil, id));
    let mut text = shown(&message.content);
    let mut rows = Vec::new();
    layout(&message.components, &shown, &mut text, &mut rows);
    let rang = message
        .pings
        .users
        .iter()
        .map(|id| ("@", *id))
        .chain(message.pings.roles.iter().map(|id| ("@&", *id)));
    let mut rang: Vec<String> =
        rang.filter_map(|(sigil, id)| Some(format!("@{}", name(state, sigil, id)?))).collect();
    if message.pings.everyone {
        rang.push("@everyone".to_owned());
    }
    MessageView {
        id: message.id,
        channel: message.channel,
        author: state.name_of(message.author),
        content: message.content.clone(),
        text,
        embeds: message.embeds.iter().map(|embed| card(embed, &shown)).collect(),
        rows,
        files: message.attachments.iter().map(|it| file(state, it)).collect(),
        pings: message.pings.clone(),
        rang,
        edits: message.edits,
        thread: state.channels.get(&message.id).filter(|it| it.thread.is_some()).map(|it| it.id),
        only_for: message.only_for,
        thinking: message.flags & LOADING != 0,
        deleted: message.deleted,
        posted: message.posted,
        json: message::write(state, message),
    }
}

/// Texts and rows, also those inside a layout.
fn layout(parts: &[Value], shown: &dyn Fn(&str) -> String, text: &mut String, rows: &mut Vec<Vec<Control>>) {
    for part in parts {
        let inner = part["components"].as_array().map_or(&[][..], Vec::as_slice);
        match part["type"].as_u64() {
            Some(1) => rows.push(inner.iter().map(control).collect()),
            Some(10) => {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&shown(part["content"].as_str().unwrap_or_default()));
            }
            _ => layout(inner, shown, text, rows),
        }
        if part["accessory"]["type"] == 2 {
            rows.push(vec![control(&part["accessory"])]);
        }
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn card(embed: &Value, shown: &dyn Fn(&str) -> String) -> Card {
    let text = |value: &Value| shown(value.as_str().unwrap_or_default());
    let fields = embed["fields"].as_array().into_iter().flatten();
    Card {
        title: text(&embed["title"]),
        url: text_of(&embed["url"]),
        // Discord shows no markup in these two.
        author: text_of(&embed["author"]["name"]),
        body: text(&embed["description"]),
        fields: fields.map(|field| (text(&field["name"]), text(&field["value"]))).collect(),
        footer: text_of(&embed["footer"]["text"]),
        color: embed["color"].as_u64(),
    }
}

fn control(it: &Value) -> Control {
    let emoji = text_of(&it["emoji"]["name"]);
    let label = text_of(if it["type"] == 2 { &it["label"] } else { &it["placeholder"] });
    let options = it["options"].as_array().into_iter().flatten();
    Control {
        kind: it["type"].as_u64().unwrap_or(0),
        label: if label.is_empty() { emoji } else { label },
        custom_id: text_of(&it["custom_id"]),
        style: it["style"].as_u64().unwrap_or(0),
        url: text_of(&it["url"]),
        disabled: it["disabled"] == true,
        options: options.map(choice).collect(),
        min: it["min_values"].as_u64().unwrap_or(1),
        max: it["max_values"].as_u64().unwrap_or(1),
    }
}

fn choice(option: &Value) -> Choice {
    Choice {
        label: text_of(&option["label"]),
        value: option["value"].clone(),
        description: text_of(&option["description"]),
        default: option["default"] == true,
    }
}

fn file(state: &State, it: &Value) -> FileView {
    let stored = it["id"].as_str().and_then(|id| state.files.get(&id.parse().ok()?));
    FileView {
        name: text_of(&it["filename"]),
        size: it["size"].as_u64().unwrap_or(0),
        url: text_of(&it["url"]),
        text: stored.and_then(|file| String::from_utf8(file.bytes.to_vec()).ok()),
    }
}
