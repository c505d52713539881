//! Whom a text rings up. `allowed_mentions` decides; where it is missing, the default is generous.
//!
//! Source: Discord developer documentation, "Allowed Mentions Object".

use serde_json::Value;

use super::{
    form::Form,
    message::Pings,
    permissions::{self, Permission},
    state::State,
    world::Channel,
};

/// What may be rung up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Allowed {
    users: Rule,
    roles: Rule,
    everyone: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    All,
    Only(Vec<u64>),
}

impl Rule {
    fn allows(&self, id: u64) -> bool {
        match self {
            Self::All => true,
            Self::Only(ids) => ids.contains(&id),
        }
    }
}

impl Allowed {
    /// Where a message says nothing: everything is parsed.
    pub(super) fn in_messages() -> Self {
        Self { users: Rule::All, roles: Rule::All, everyone: true }
    }

    /// Where an answer to an interaction says nothing: only users are parsed.
    pub(super) fn in_answers() -> Self {
        Self { users: Rule::All, roles: Rule::Only(Vec::new()), everyone: false }
    }

    /// What the body says, or `default`.
    pub(super) fn read(value: Option<&Value>, default: Self, form: &mut Form) -> Self {
        let Some(value) = value.filter(|value| !value.is_null()) else { return default };
        if !value.is_object() {
            form.wrong(
                "allowed_mentions",
                "MODEL_TYPE_CONVERT",
                "Only dictionaries may be used in a ModelType",
            );
            return default;
        }
        let parse: Vec<&str> =
            value["parse"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (i, word) in parse.iter().enumerate() {
            if !["users", "roles", "everyone"].contains(word) {
                let message = "Value must be one of ('roles', 'users', 'everyone').";
                form.wrong(&format!("allowed_mentions.parse.{i}"), "BASE_TYPE_CHOICES", message);
            }
        }
        let mut rule = |what: &str| {
            let listed = form.list(&format!("allowed_mentions.{what}"), value.get(what), 0, 100);
            let ids: Vec<u64> = listed.iter().filter_map(|id| id.as_str()?.parse().ok()).collect();
            if !parse.contains(&what) {
                return Rule::Only(ids);
            }
            if !ids.is_empty() {
                let message = format!("parse:[\"{what}\"] and {what}: [ids...] are mutually exclusive.");
                form.wrong("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message);
            }
            Rule::All
        };
        Self { users: rule("users"), roles: rule("roles"), everyone: parse.contains(&"everyone") }
    }
}

/// Whom the text rings up in that channel, said by that author.
pub(super) fn rung(state: &State, author: u64, channel: &Channel, text: &str, allowed: &Allowed) -> Pings {
    let text = without_code(text);
    let may_ping_all = permissions::in_channel(state, author, channel).has(Permission::MENTION_EVERYONE);
    let mut pings =
        Pings { everyone: allowed.everyone && may_ping_all && names_everyone(&text), ..Pings::default() };
    for (sigil, id) in named(&text) {
        let (list, rings) = match sigil {
            "@" => (&mut pings.users, allowed.users.allows(id) && state.members.contains_key(&id)),
            _ => {
                let role = state.roles.get(&id);
                let rings = role.is_some_and(|role| role.mentionable || may_ping_all);
                (&mut pings.roles, rings && allowed.roles.allows(id))
            }
        };
        if rings && !list.contains(&id) {
            list.push(id);
        }
    }
    pings
}

fn names_everyone(text: &str) -> bool {
    text.contains("@everyone") || text.contains("@here")
}

/// Each `<@1>`, `<@!1>` and `<@&1>`, as its sigil and id.
fn named(text: &str) -> impl Iterator<Item = (&'static str, u64)> {
    text.split("<@").skip(1).filter_map(|rest| {
        let (inside, _) = rest.split_once('>')?;
        let (sigil, digits) = match inside.strip_prefix('&') {
            Some(digits) => ("@&", digits),
            None => ("@", inside.strip_prefix('!').unwrap_or(inside)),
        };
        Some((sigil, digits.parse().ok()?))
    })
}

/// The text without code blocks and code spans: Discord parses no mentions there.
fn without_code(text: &str) -> String {
    let mut kept = String::new();
    for (i, part) in text.split("```").enumerate() {
        if i % 2 == 1 {
            continue;
        }
        let spans: Vec<&str> = part.split('`').collect();
        // An odd number of pieces means that every span is closed.
        let closed = spans.len() % 2 == 1;
        kept.extend(spans.iter().enumerate().filter(|(j, _)| !closed || j % 2 == 0).map(|(_, piece)| *piece));
    }
    kept
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_and_a_parse_of_the_same_kind_exclude_each_other() {
        #[rustfmt::skip]
        let table = [
            (json!({ "parse": ["users"], "users": ["1"] }), false),
            (json!({ "parse": ["users"], "users": [] }),    true),
            (json!({ "parse": ["users"], "roles": ["1"] }), true),
            (json!({ "parse": [] }),                        true),
            (json!({ "parse": ["cats"] }),                  false),
        ];
        for (body, fine) in table {
            let mut form = Form::default();
            Allowed::read(Some(&body), Allowed::in_messages(), &mut form);
            assert_eq!(form.check().is_ok(), fine, "{body}");
        }
    }

    #[test]
    fn mentions_in_code_are_none() {
        let all: Vec<_> = named("<@1> <@!2> <@&3> <@x>").collect();
        assert_eq!(all, [("@", 1), ("@", 2), ("@&", 3)]);
        assert_eq!(without_code("a `<@1>` b ```<@2>``` c"), "a  b  c");
        assert_eq!(without_code("a ` <@1>"), "a  <@1>");
    }
}
