//! What happened, in order, as text for people to read.

use super::{
    Discord,
    message::Message,
    permissions::{self, Permission},
    state::State,
    view::{self, Card, Control},
};

/// Everything that was seen, in order.
#[derive(Debug, Default)]
pub(super) struct Scene(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    place: u64,
    only_for: Option<u64>,
    lines: Vec<String>,
}

impl Scene {
    /// Something that is seen in a place, by everyone there or by one person only.
    pub(super) fn say(&mut self, place: u64, only_for: Option<u64>, lines: Vec<String>) {
        self.0.push(Entry { place, only_for, lines });
    }

    /// A line that everyone sees.
    pub(super) fn remark(&mut self, place: u64, line: String) {
        self.say(place, None, vec![line]);
    }
}

impl Discord {
    /// What happened so far, in order, with what only one person sees marked as such.
    pub fn transcript(&self) -> String {
        self.read(|state| write(state, state.scene.0.iter()))
    }

    /// What that member saw happen.
    pub fn transcript_for(&self, member: u64) -> String {
        self.read(|state| {
            let sees = |it: &&Entry| {
                it.only_for.is_none_or(|only| only == member) && looks_into(state, member, it.place)
            };
            write(state, state.scene.0.iter().filter(sees))
        })
    }

    /// Forgets what happened so far; a long story does so between its parts.
    pub fn clear_transcript(&self) {
        self.with(|state| state.scene.0.clear());
    }
}

/// Whether the member sees the channel; one that was deleted was seen by all.
fn looks_into(state: &State, member: u64, channel: u64) -> bool {
    let Some(channel) = state.channels.get(&channel) else { return true };
    permissions::in_channel(state, member, channel).has(Permission::VIEW_CHANNEL)
}

fn write<'a>(state: &State, entries: impl Iterator<Item = &'a Entry>) -> String {
    let mut out = String::new();
    let mut here = None;
    for entry in entries {
        let place = state.channels.get(&entry.place);
        let in_thread = place.is_some_and(|it| it.thread.is_some());
        let indent = if in_thread { "    " } else { "" };
        if here != Some(entry.place) {
            here = Some(entry.place);
            let name = place.map_or("deleted", |it| it.name.as_str());
            out.push_str(&if in_thread {
                format!("{indent}(thread) {name}\n")
            } else {
                format!("#{name}\n")
            });
        }
        for line in &entry.lines {
            out.push_str(format!("{indent}{line}").trim_end());
            out.push('\n');
        }
    }
    out
}

/// The message as lines; `how` says what was done to it if it is not new.
pub(super) fn lines(state: &State, message: &Message, how: Option<&str>) -> Vec<String> {
    let view = view::of(state, message);
    let only =
        message.only_for.map_or_else(String::new, |who| format!(" (only {} sees this)", state.name_of(who)));
    let how = how.map_or_else(String::new, |how| format!(" {how} a message"));
    let mut lines = vec![format!("{}{how}{only}:", view.author)];
    let mut add = |text: &str| lines.extend(text.lines().map(|line| format!("  {line}")));
    add(&view.text);
    for embed in &view.embeds {
        card(embed).iter().for_each(|line| add(&format!("| {line}")));
    }
    for row in &view.rows {
        add(&row.iter().map(control).collect::<Vec<_>>().join(" "));
    }
    for file in &view.files {
        add(&format!("+ {} ({} bytes)", file.name, file.size));
    }
    if !view.rang.is_empty() && how.is_empty() {
        add(&format!("(rings {})", view.rang.join(", ")));
    }
    lines
}

fn card(card: &Card) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut add = |text: &str| lines.extend(text.lines().map(str::to_owned));
    add(&card.author);
    add(&card.title);
    add(&card.body);
    for (name, value) in &card.fields {
        match value.contains('\n') {
            true => {
                add(&format!("{name}:"));
                value.lines().for_each(|line| add(&format!("  {line}")));
            }
            false => add(&format!("{name}: {value}")),
        }
    }
    add(&card.footer);
    lines
}

fn control(control: &Control) -> String {
    let off = if control.disabled { " (off)" } else { "" };
    match control.kind {
        2 => format!("[{}{off}]", control.label),
        _ => {
            let options: Vec<&str> = control.options.iter().map(|option| option.label.as_str()).collect();
            let label = if control.label.is_empty() { "Make a selection" } else { &control.label };
            format!("[{label}{off} v {}]", options.join(" | ")).replace(" v ]", " v]")
        }
    }
}
