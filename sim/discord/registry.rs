//! The commands an application registers: checked, kept, listed.
//!
//! Source: Discord developer documentation, "Application Commands".

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    clock,
    components::without_nulls,
    events::Change,
    form::Form,
    reply::{Outcome, Reply},
    state::{Registered, State},
};

const CREATES_A_DAY: usize = 200;

/// GET …/commands
pub(super) fn list(state: &State, guild: Option<u64>) -> Outcome {
    Ok(Reply::ok(state.commands.values().filter(|it| it.guild == guild).map(|it| it.json.clone()).collect()))
}

/// GET …/commands/{command_id}
pub(super) fn read(state: &State, guild: Option<u64>, id: u64) -> Outcome {
    let found = state.commands.get(&id).filter(|it| it.guild == guild);
    Ok(Reply::ok(found.ok_or_else(Reply::unknown_command)?.json.clone()))
}

/// PUT …/commands: these and no others. An equal name keeps its id.
pub(super) fn overwrite(state: &mut State, guild: Option<u64>, body: &Value) -> Outcome {
    let mut form = Form::default();
    let Some(given) = body.as_array() else {
        form.wrong("", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
        form.check()?;
        return Err(Reply::not_found());
    };
    for (i, command) in given.iter().enumerate() {
        check(&format!("{i}"), command, &mut form);
        if given[..i].iter().any(|other| other["name"] == command["name"] && kind(other) == kind(command)) {
            let message = "Application command names must be unique";
            form.wrong(&format!("{i}.name"), "APPLICATION_COMMANDS_DUPLICATE_NAME", message);
        }
    }
    form.check()?;
    for (of, limit) in [(1, 100), (2, 15), (3, 15)] {
        if given.iter().filter(|it| kind(it) == of).count() > limit {
            return Err(too_many(limit));
        }
    }
    let ids: Vec<Option<u64>> = given.iter().map(|it| named(state, guild, it)).collect();
    creates(state, ids.iter().filter(|id| id.is_none()).count())?;
    state.commands.retain(|_, it| it.guild != guild);
    let kept: Vec<Value> = given.iter().zip(ids).map(|(it, id)| keep(state, guild, it, id)).collect();
    Ok(Reply::ok(kept.into()))
}

/// POST …/commands: 201 if it is new, 200 if it replaces one of the same name.
pub(super) fn create(state: &mut State, guild: Option<u64>, body: &Value) -> Outcome {
    let mut form = Form::default();
    check("", body, &mut form);
    form.check()?;
    let former = named(state, guild, body);
    let limit = if kind(body) == 1 { 100 } else { 15 };
    let same = state.commands.values().filter(|it| it.guild == guild && kind(&it.json) == kind(body));
    if former.is_none() && same.count() >= limit {
        return Err(too_many(limit));
    }
    creates(state, usize::from(former.is_none()))?;
    let kept = keep(state, guild, body, former);
    Ok(if former.is_some() { Reply::ok(kept) } else { Reply::created(kept) })
}

/// PATCH …/commands/{command_id}
pub(super) fn update(state: &mut State, guild: Option<u64>, id: u64, body: &Value) -> Outcome {
    let old = state.commands.get(&id).filter(|it| it.guild == guild).ok_or_else(Reply::unknown_command)?;
    let mut new = old.json.clone();
    for (key, value) in body.as_object().into_iter().flatten() {
        new[key.as_str()] = value.clone();
    }
    let mut form = Form::default();
    check("", &new, &mut form);
    form.check()?;
    Ok(Reply::ok(keep(state, guild, &new, Some(id))))
}

/// DELETE …/commands/{command_id}
pub(super) fn delete(state: &mut State, guild: Option<u64>, id: u64) -> Outcome {
    read(state, guild, id)?;
    state.commands.remove(&id);
    state.tell(Change::World);
    Ok(Reply::nothing())
}

fn keep(state: &mut State, guild: Option<u64>, given: &Value, id: Option<u64>) -> Value {
    let id = id.unwrap_or_else(|| state.id());
    let mut json = given.clone();
    without_nulls(&mut json);
    json["id"] = json!(id.to_string());
    json["application_id"] = json!(state.application.to_string());
    json["version"] = json!(state.id().to_string());
    json["type"] = json!(kind(given));
    json["default_member_permissions"] = match &given["default_member_permissions"] {
        Value::Number(bits) => json!(bits.to_string()),
        other => other.clone(),
    };
    if json.get("description").is_none() {
        json["description"] = json!("");
    }
    json["nsfw"] = json!(given["nsfw"] == true);
    match guild {
        Some(guild) => json["guild_id"] = json!(guild.to_string()),
        None => json["dm_permission"] = json!(given["dm_permission"] != false),
    }
    state.commands.insert(id, Registered { guild, json: json.clone() });
    state.tell(Change::World);
    json
}

/// Counts commands that are new towards the day's limit.
fn creates(state: &mut State, new: usize) -> Result<(), Reply> {
    let now = state.now();
    state.creates.retain(|at| clock::since(*at, now) < SignedDuration::from_hours(24));
    if new > 0 && state.creates.len() + new > CREATES_A_DAY {
        let message = "Max number of daily application command creates has been reached (200)";
        return Err(Reply::error(400, 30034, message));
    }
    state.creates.extend(std::iter::repeat_n(now, new));
    Ok(())
}

fn named(state: &State, guild: Option<u64>, command: &Value) -> Option<u64> {
    let same = |it: &Registered| {
        it.guild == guild && it.json["name"] == command["name"] && kind(&it.json) == kind(command)
    };
    state.commands.iter().find(|(_, it)| same(it)).map(|(id, _)| *id)
}

fn kind(command: &Value) -> u64 {
    command["type"].as_u64().unwrap_or(1)
}

fn too_many(limit: usize) -> Reply {
    Reply::error(400, 30032, &format!("Maximum number of application commands reached ({limit})."))
}

fn check(path: &str, command: &Value, form: &mut Form) {
    let at = |field: &str| if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") };
    let chat_input = kind(command) == 1;
    if !matches!(kind(command), 1..=4) {
        form.wrong(&at("type"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4}.");
    }
    form.needs_text(&at("name"), command.get("name"), 32);
    if chat_input {
        name(&at("name"), command, form);
        form.needs_text(&at("description"), command.get("description"), 100);
        options(&at("options"), command.get("options"), 0, form);
    } else if command["description"].as_str().is_some_and(|text| !text.is_empty()) {
        let message = "Context menu commands cannot have description";
        form.wrong(&at("description"), "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION", message);
    } else if command["options"].as_array().is_some_and(|list| !list.is_empty()) {
        let message = "Context menu commands cannot have options";
        form.wrong(&at("options"), "APPLICATION_COMMAND_CONTEXT_MENU_OPTIONS", message);
    }
    if size(command) > 8000 {
        let message = "Command exceeds maximum size (8000)";
        form.wrong(path, "APPLICATION_COMMAND_TOO_LARGE", message);
    }
}

/// `depth` is 0 in a command, 1 in a group or subcommand of it, 2 in a subcommand of a group.
fn options(path: &str, list: Option<&Value>, depth: u8, form: &mut Form) {
    let options = form.list(path, list, 0, 25).to_vec();
    let (mut optional, mut nests) = (false, 0);
    let mut names: Vec<&Value> = Vec::new();
    for (i, option) in options.iter().enumerate() {
        let path = format!("{path}.{i}");
        let kind = option["type"].as_u64().unwrap_or(0);
        form.needs_text(&format!("{path}.name"), option.get("name"), 32);
        name(&format!("{path}.name"), option, form);
        form.needs_text(&format!("{path}.description"), option.get("description"), 100);
        if names.contains(&&option["name"]) {
            let message = "Option names must be unique";
            form.wrong(&format!("{path}.name"), "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", message);
        }
        names.push(&option["name"]);
        match kind {
            1 if depth < 2 => options_of(&path, option, 2, &mut nests, form),
            2 if depth == 0 => options_of(&path, option, 1, &mut nests, form),
            3..=11 if depth != 1 => plain(&path, option, form),
            _ => form.wrong(
                &format!("{path}.type"),
                "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
                "An option of this type cannot stand here",
            ),
        }
        let required = option["required"] == true;
        if required && optional {
            let message = "Required options must be placed before non-required options";
            form.wrong(&path, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message);
        }
        optional |= !required && kind > 2;
    }
    if nests > 0 && nests < options.len() {
        let message = "Sub-commands and groups cannot stand beside other options";
        form.wrong(path, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", message);
    }
}

fn options_of(path: &str, option: &Value, depth: u8, nests: &mut usize, form: &mut Form) {
    *nests += 1;
    options(&format!("{path}.options"), option.get("options"), depth, form);
}

fn plain(path: &str, option: &Value, form: &mut Form) {
    let choices = form.list(&format!("{path}.choices"), option.get("choices"), 0, 25).to_vec();
    for (i, choice) in choices.iter().enumerate() {
        form.needs_text(&format!("{path}.choices.{i}.name"), choice.get("name"), 100);
        if option["type"] == 3 {
            form.needs_text(&format!("{path}.choices.{i}.value"), choice.get("value"), 100);
        }
    }
    if option["autocomplete"] == true && !choices.is_empty() {
        let message = "Autocomplete and choices exclude each other";
        form.wrong(path, "APPLICATION_COMMAND_AUTOCOMPLETE_CHOICES", message);
    }
    form.number(&format!("{path}.min_length"), option.get("min_length"), 0, 6000);
    form.number(&format!("{path}.max_length"), option.get("max_length"), 1, 6000);
}

fn name(path: &str, it: &Value, form: &mut Form) {
    let Some(name) = it["name"].as_str() else { return };
    let fine = |c: char| c.is_alphanumeric() || "-_'".contains(c);
    if !name.chars().all(fine) || name.to_lowercase() != name {
        form.wrong(path, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid");
    }
}

/// The characters that count towards the 8000: names, descriptions and the values of choices.
fn size(it: &Value) -> usize {
    let count = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    let inner = ["options", "choices"].into_iter().flat_map(|key| it[key].as_array().into_iter().flatten());
    count(&it["name"]) + count(&it["description"]) + count(&it["value"]) + inner.map(size).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_discord_refuses_is_refused() {
        let with = |options: Value| json!({ "name": "okta", "description": "d", "options": options });
        let option = |name: &str, required: bool| json!({ "type": 3, "name": name, "description": "d", "required": required });
        let sub =
            |options: Value| json!({ "type": 1, "name": "sub", "description": "d", "options": options });
        #[rustfmt::skip]
        let table = [
            (with(json!([])),                                                    true),
            (with(json!([sub(json!([option("a", true), option("b", false)]))])), true),
            (with(json!([option("a", false), option("b", true)])),               false),
            (with(json!([option("a", false), option("a", false)])),              false),
            (with(json!([option("A", false)])),                                  false),
            (with(json!([sub(json!([])), option("a", false)])),                  false),
            (with(json!([sub(json!([sub(json!([]))]))])),                        false),
            (with(vec![option("a", false); 26].into()),                          false),
            (json!({ "name": "two words", "description": "d" }),                 false),
            (json!({ "name": "Two Words", "type": 3 }),                          true),
            (json!({ "name": "okta" }),                                          false),
            (json!({ "name": "okta", "description": "x".repeat(101) }),          false),
        ];
        for (command, fine) in table {
            let mut form = Form::default();
            check("", &command, &mut form);
            assert_eq!(form.check().is_ok(), fine, "{command}");
        }
    }
}
