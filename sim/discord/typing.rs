//! What somebody types after a slash, read as Discord's command line reads it.

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::{Map, Value, json};

use super::{state::State, world};

/// A typed line, understood.
#[derive(Debug)]
pub(super) struct Typed {
    /// The event's data.
    pub(super) data: Value,
}

/// Reads `/okta diagnose app:slack reason:"two words"`.
///
/// With `focus`, an option and what stands in it so far, it is a line that is still being typed: nothing is
/// required yet.
pub(super) fn read(state: &State, line: &str, focus: Option<(&str, &str)>) -> Result<Typed> {
    let line = line.trim().strip_prefix('/').context("a command begins with a slash")?;
    let (name, mut rest) = word(line);
    let (id, command) = state
        .commands
        .iter()
        .find(|(_, it)| it.json["name"] == name && it.json["type"] == 1)
        .map(|(id, it)| (*id, &it.json))
        .ok_or_else(|| anyhow!("/{name} is not registered; there are {:?}", names(state)))?;

    let mut path = Vec::new();
    let mut node = command;
    while let Some(subs) = nested(node) {
        let (next, after) = word(rest);
        let sub = subs.iter().find(|it| it["name"] == next);
        node = sub.with_context(|| format!("/{name} has no subcommand {next:?}"))?;
        path.push(node);
        rest = after;
    }

    let known: Vec<Value> = node["options"].as_array().cloned().unwrap_or_default();
    let mut resolved = Map::new();
    let mut options = Vec::new();
    for (option, text) in values(rest, &known)? {
        options.push(value(state, &option, &text, &mut resolved)?);
    }
    if let Some((focused, text)) = focus {
        let option = known.iter().find(|it| it["name"] == focused);
        let option = option.with_context(|| format!("/{name} has no option {focused:?} there"))?;
        ensure!(option["autocomplete"] == true, "the option {focused:?} is not completed by the bot");
        options.retain(|it: &Value| it["name"] != focused);
        options.push(json!({ "name": focused, "type": option["type"], "value": text, "focused": true }));
    } else {
        for option in known.iter().filter(|it| it["required"] == true) {
            let given = options.iter().any(|it| it["name"] == option["name"]);
            ensure!(given, "the option {} is required", option["name"]);
        }
    }

    for node in path.iter().rev() {
        options = vec![json!({ "name": node["name"], "type": node["type"], "options": options })];
    }
    let mut data = json!({ "id": id.to_string(), "name": name, "type": 1, "options": options });
    if command["guild_id"].is_string() {
        data["guild_id"] = command["guild_id"].clone();
    }
    if !resolved.is_empty() {
        data["resolved"] = Value::Object(resolved);
    }
    Ok(Typed { data })
}

fn names(state: &State) -> Vec<String> {
    state.commands.values().filter_map(|it| Some(format!("/{}", it.json["name"].as_str()?))).collect()
}

/// The subcommands or groups of a command, if it has such.
fn nested(node: &Value) -> Option<&Vec<Value>> {
    node["options"].as_array().filter(|list| list.iter().any(|it| it["type"] == 1 || it["type"] == 2))
}

fn word(line: &str) -> (&str, &str) {
    let line = line.trim_start();
    line.split_at(line.find(char::is_whitespace).unwrap_or(line.len()))
}

/// Each option with its text. A value in quotes may hold anything; one without ends before the next `name:`.
fn values(line: &str, known: &[Value]) -> Result<Vec<(Value, String)>> {
    let mut found: Vec<(Value, String)> = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (token, _) = word(rest);
        let Some((name, _)) = token.split_once(':').filter(|(name, after)| names_option(name, after)) else {
            let Some((_, text)) = found.last_mut() else { bail!("{token:?} stands where an option must") };
            text.push(' ');
            text.push_str(token);
            rest = rest[token.len()..].trim_start();
            continue;
        };
        let option = known.iter().find(|it| it["name"] == name);
        let option = option.with_context(|| format!("there is no option {name:?} there"))?.clone();
        ensure!(!found.iter().any(|(it, _)| it["name"] == name), "the option {name:?} is given twice");
        rest = &rest[name.len() + 1..];
        if let Some(quoted) = rest.strip_prefix('"') {
            let (text, after) =
                unquote(quoted).with_context(|| format!("a quote in {name:?} is not closed"))?;
            found.push((option, text));
            rest = after.trim_start();
        } else {
            let (text, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
            found.push((option, text.to_owned()));
            rest = after.trim_start();
        }
    }
    Ok(found)
}

/// A link's scheme is no option.
fn names_option(name: &str, after: &str) -> bool {
    let first = name.chars().next().is_some_and(char::is_lowercase);
    first
        && !after.starts_with("//")
        && name.chars().all(|c| c.is_lowercase() || c.is_numeric() || "-_".contains(c))
}

fn unquote(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((i, c)) = chars.next() {
        match c {
            '"' => return Some((out, &text[i + 1..])),
            '\\' if text[i + 1..].starts_with(['"', '\\']) => out.extend(chars.next().map(|(_, c)| c)),
            c => out.push(c),
        }
    }
    None
}

/// The option as the event carries it, refused where Discord's own input would refuse it.
fn value(state: &State, option: &Value, text: &str, resolved: &mut Map<String, Value>) -> Result<Value> {
    let name = &option["name"];
    let value = match option["type"].as_u64() {
        Some(3) => json!(string(option, text)?),
        Some(4) => json!(
            picked(option, text)
                .map_or_else(|| text.parse().ok(), |it| it.as_i64())
                .with_context(|| format!("{name} wants a whole number"))?
        ),
        Some(10) => json!(text.parse::<f64>().with_context(|| format!("{name} wants a number"))?),
        Some(5) => json!(match text.to_lowercase().as_str() {
            "true" | "yes" => true,
            "false" | "no" => false,
            _ => bail!("{name} wants true or false"),
        }),
        Some(kind @ 6..=9) => {
            let sort = match kind {
                6 => "@",
                7 => "#",
                8 => "@&",
                _ => "",
            };
            json!(
                refer(state, sort, text, resolved)
                    .with_context(|| format!("{name} names nobody here: {text:?}"))?
            )
        }
        _ => bail!("{name} is of a type that nobody can type"),
    };
    Ok(json!({ "name": name, "type": option["type"], "value": value }))
}

fn string(option: &Value, text: &str) -> Result<String> {
    let name = &option["name"];
    if option["choices"].as_array().is_some_and(|list| !list.is_empty()) {
        let picked = picked(option, text).with_context(|| format!("{text:?} is no choice of {name}"))?;
        return Ok(picked.as_str().unwrap_or_default().to_owned());
    }
    let length = text.chars().count() as u64;
    let (min, max) =
        (option["min_length"].as_u64().unwrap_or(0), option["max_length"].as_u64().unwrap_or(6000));
    ensure!((min..=max).contains(&length), "{name} takes {min} to {max} characters, not {length}");
    Ok(text.to_owned())
}

fn picked(option: &Value, text: &str) -> Option<Value> {
    let mut choices = option["choices"].as_array().into_iter().flatten();
    let value = |it: &Value| it["value"].as_str().map_or_else(|| it["value"].to_string(), str::to_owned);
    choices.find(|it| it["name"] == text || value(it) == text).map(|it| it["value"].clone())
}

/// The id of whom or what the text names, which is also resolved.
pub(super) fn refer(
    state: &State,
    sort: &str,
    text: &str,
    resolved: &mut Map<String, Value>,
) -> Option<String> {
    let name = text.trim_start_matches(['@', '#']);
    let is = |id: u64, known: &str| known == name || id.to_string() == name;
    let mut put = |kind: &str, id: u64, json: Value| {
        resolved.entry(kind).or_insert_with(|| json!({}))[id.to_string()] = json;
        Some(id.to_string())
    };
    if matches!(sort, "@" | "")
        && let Some((id, _)) = state.members.iter().find(|(id, it)| is(**id, &it.name))
    {
        if let Some(member) = world::bare_member(state, *id) {
            put("members", *id, member);
        }
        return put("users", *id, world::user(state, *id));
    }
    if matches!(sort, "@&" | "")
        && let Some((id, role)) = state.roles.iter().find(|(id, it)| is(**id, &it.name))
    {
        return put("roles", *id, world::role(*id, role));
    }
    if matches!(sort, "#" | "")
        && let Some(channel) = state.channels.values().find(|it| is(it.id, &it.name))
    {
        return put("channels", channel.id, world::channel(state, channel));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_the_next_option_begins_and_quotes_hold_anything() {
        let known = [json!({ "name": "app" }), json!({ "name": "reason" })];
        #[rustfmt::skip]
        let table = [
            ("app:0oa",                                  vec![("app", "0oa")]),
            ("app:Sales Force reason:back from leave",   vec![("app", "Sales Force"), ("reason", "back from leave")]),
            (r#"reason:"a \"b\" app:x" app:y"#,          vec![("reason", r#"a "b" app:x"#), ("app", "y")]),
            ("reason:see https://example.com at 12:30",  vec![("reason", "see https://example.com at 12:30")]),
            ("",                                         vec![]),
        ];
        for (line, expected) in table {
            let found = values(line, &known).unwrap();
            let found: Vec<_> =
                found.iter().map(|(it, text)| (it["name"].as_str().unwrap(), text.as_str())).collect();
            assert_eq!(found, expected, "{line}");
        }
        for wrong in ["apps:x", "loose", "app:a app:b", "app:\"open"] {
            assert!(values(wrong, &known).is_err(), "{wrong}");
        }
    }
}
