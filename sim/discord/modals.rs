//! Dialogs: checked as Discord checks them, opened, and read by people.

use serde::Serialize;
use serde_json::{Value, json};

use super::{callbacks, components::without_nulls, form::Form, ids, reply::Reply, state::State};

/// A dialog as a person has it before their eyes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Modal {
    /// The interaction that opened it.
    #[serde(serialize_with = "ids::one")]
    pub interaction: u64,
    /// The bot's own name for it.
    pub custom_id: String,
    /// Its heading.
    pub title: String,
    /// Text between the fields.
    pub texts: Vec<String>,
    /// What can be filled in.
    pub fields: Vec<Field>,
}

/// A field of a dialog.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// What is written above it.
    pub label: String,
    /// What is written below the label.
    pub description: Option<String>,
    /// The bot's own name for it.
    pub custom_id: String,
    /// What stands in it before anybody types.
    pub value: String,
    /// The grey text of an empty field.
    pub placeholder: String,
    /// Whether it must be filled in.
    pub required: bool,
    /// Whether it is a text of several lines.
    pub paragraph: bool,
    /// The fewest characters it takes.
    pub min: usize,
    /// The most characters it takes.
    pub max: usize,
    /// Labels and values to choose from, if it is a menu.
    pub options: Vec<(String, String)>,
    /// 4 is a text, 3 a menu, 5 to 8 menus of members, roles and channels.
    pub kind: u64,
    /// Where it stands: the number of its row or label, and its own, and whether that is a label.
    #[serde(skip)]
    pub(super) spot: (u64, u64, bool),
}

/// The dialog the bot sent, checked and with its defaults.
pub(super) fn read(data: &Value) -> Result<Value, Reply> {
    let mut modal = data.clone();
    without_nulls(&mut modal);
    let mut form = Form::default();
    form.needs_text("data.custom_id", modal.get("custom_id"), 100);
    form.needs_text("data.title", modal.get("title"), 45);
    let mut ids = Vec::new();
    let mut number = 0;
    let parts = form.list("data.components", modal.get("components"), 1, 5).to_vec();
    let parts: Vec<Value> = parts
        .into_iter()
        .enumerate()
        .map(|(i, mut part)| {
            let path = format!("data.components.{i}");
            count(&mut part, &mut number);
            match part["type"].as_u64() {
                Some(1) => {
                    let inner =
                        form.list(&format!("{path}.components"), part.get("components"), 1, 1).to_vec();
                    let inner = inner.into_iter().map(|mut input| {
                        count(&mut input, &mut number);
                        let path = format!("{path}.components.0");
                        form.needs_text(&format!("{path}.label"), input.get("label"), 45);
                        field(&path, &input, &[4], &mut ids, &mut form);
                        input
                    });
                    part["components"] = inner.collect();
                }
                Some(18) => {
                    form.needs_text(&format!("{path}.label"), part.get("label"), 45);
                    form.text(&format!("{path}.description"), part.get("description"), 0, 100);
                    count(&mut part["component"], &mut number);
                    field(
                        &format!("{path}.component"),
                        &part["component"],
                        &[3, 4, 5, 6, 7, 8],
                        &mut ids,
                        &mut form,
                    );
                }
                Some(10) => form.needs_text(&format!("{path}.content"), part.get("content"), 4000),
                _ => form.wrong(
                    &format!("{path}.type"),
                    "UNION_TYPE_CHOICES",
                    "Value of field \"type\" must be one of (1, 10, 18).",
                ),
            }
            part
        })
        .collect();
    form.check()?;
    modal["components"] = Value::Array(parts);
    Ok(modal)
}

fn count(part: &mut Value, number: &mut u64) {
    *number += 1;
    if part.is_object() && part["id"].as_u64().is_none_or(|id| id == 0) {
        part["id"] = json!(*number);
    }
}

fn field(path: &str, field: &Value, kinds: &[u64], ids: &mut Vec<String>, form: &mut Form) {
    let kind = field["type"].as_u64().unwrap_or(0);
    if !kinds.contains(&kind) {
        let message = format!("Value of field \"type\" must be one of {kinds:?}.");
        form.wrong(&format!("{path}.type"), "UNION_TYPE_CHOICES", message);
    }
    form.needs_text(&format!("{path}.custom_id"), field.get("custom_id"), 100);
    let id = field["custom_id"].as_str().unwrap_or_default().to_owned();
    if ids.contains(&id) {
        let message = "Component custom id cannot be duplicated";
        form.wrong(&format!("{path}.custom_id"), "COMPONENT_CUSTOM_ID_DUPLICATED", message);
    }
    ids.push(id);
    let placeholder = if kind == 4 { 100 } else { 150 };
    form.text(&format!("{path}.placeholder"), field.get("placeholder"), 0, placeholder);
    if kind == 4 {
        form.text(&format!("{path}.value"), field.get("value"), 0, 4000);
        form.number(&format!("{path}.min_length"), field.get("min_length"), 0, 4000);
        form.number(&format!("{path}.max_length"), field.get("max_length"), 1, 4000);
        if !matches!(field["style"].as_u64(), Some(1 | 2)) {
            form.wrong(&format!("{path}.style"), "BASE_TYPE_CHOICES", "Value must be one of (1, 2).");
        }
    }
    if kind == 3 {
        form.list(&format!("{path}.options"), field.get("options"), 1, 25);
    }
}

/// Shows the dialog to the person.
pub(super) fn open(state: &mut State, id: u64, modal: Value) {
    let Some(it) = state.interactions.get(&id) else { return };
    let (channel, person) = (it.channel, it.person);
    let view = view(id, &modal);
    let mut lines = vec![format!("{} sees a dialog: {}", state.name_of(person), view.title)];
    lines.extend(view.texts.iter().map(|text| format!("  {text}")));
    for field in &view.fields {
        let must = if field.required { "" } else { " (optional)" };
        let value = if field.value.is_empty() { String::new() } else { format!(": {}", field.value) };
        lines.push(format!("  {}{must}{value}", field.label));
    }
    state.scene.say(channel, Some(person), lines);
    callbacks::change(state, id, |it| it.modal = Some(modal));
}

/// The dialog as a person sees it.
pub(super) fn view(interaction: u64, modal: &Value) -> Modal {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (mut fields, mut texts) = (Vec::new(), Vec::new());
    for part in modal["components"].as_array().into_iter().flatten() {
        let number = part["id"].as_u64().unwrap_or(0);
        match part["type"].as_u64() {
            Some(10) => texts.push(super::markup::shown(&text(&part["content"]), &|_, _| None)),
            Some(18) => fields.push(read_field(
                &part["component"],
                &part["label"],
                &part["description"],
                number,
                true,
            )),
            _ => {
                let inner = &part["components"][0];
                fields.push(read_field(inner, &inner["label"], &Value::Null, number, false));
            }
        }
    }
    Modal { interaction, custom_id: text(&modal["custom_id"]), title: text(&modal["title"]), texts, fields }
}

fn read_field(field: &Value, label: &Value, description: &Value, outer: u64, in_label: bool) -> Field {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let size = |key: &str, default: u64| usize::try_from(field[key].as_u64().unwrap_or(default)).unwrap_or(0);
    let options = field["options"].as_array().into_iter().flatten();
    Field {
        label: text(label),
        description: description.as_str().map(str::to_owned),
        custom_id: text(&field["custom_id"]),
        value: text(&field["value"]),
        placeholder: text(&field["placeholder"]),
        required: field["required"].as_bool().unwrap_or(true),
        paragraph: field["style"] == 2,
        min: size("min_length", 0),
        max: size("max_length", 4000),
        options: options.map(|option| (text(&option["label"]), text(&option["value"]))).collect(),
        kind: field["type"].as_u64().unwrap_or(4),
        spot: (outer, field["id"].as_u64().unwrap_or(0), in_label),
    }
}

/// What is sent when the person presses Submit.
pub(super) fn submission(modal: &Modal, answers: &[(Field, Value)]) -> Value {
    let components: Vec<Value> = answers
        .iter()
        .map(|(field, answer)| {
            let (outer, inner, in_label) = field.spot;
            let key = if field.kind == 4 { "value" } else { "values" };
            let part = json!({ "type": field.kind, "id": inner, "custom_id": field.custom_id, key: answer });
            if in_label {
                json!({ "type": 18, "id": outer, "component": part })
            } else {
                json!({ "type": 1, "id": outer, "components": [part] })
            }
        })
        .collect();
    json!({ "custom_id": modal.custom_id, "components": components })
}
