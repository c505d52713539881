//! Buttons, menus and layout: checked and completed as Discord does it.
//!
//! Source: Discord developer documentation, "Component Reference".

use serde_json::{Value, json};

use super::form::Form;

/// The components of a message as Discord keeps them: each with its number, defaults filled in.
///
/// `layout` says whether the message is made of components alone (flag 32768).
pub(super) fn read(value: Option<&Value>, layout: bool, form: &mut Form) -> Vec<Value> {
    let given = form.list("components", value, 0, if layout { 40 } else { 5 }).to_vec();
    let mut check = Check { form, ids: Vec::new(), count: 0, layout };
    let components: Vec<Value> =
        given.into_iter().enumerate().map(|(i, it)| check.top(&format!("components.{i}"), it)).collect();
    if layout && check.count > 40 {
        form.wrong("components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 40 in length.");
    }
    components
}

struct Check<'a> {
    form: &'a mut Form,
    ids: Vec<String>,
    count: u64,
    layout: bool,
}

impl Check<'_> {
    fn top(&mut self, path: &str, mut it: Value) -> Value {
        self.number(&mut it);
        match it["type"].as_u64() {
            Some(1) => self.row(path, &mut it),
            Some(9 | 17) if self.layout => self.holder(path, &mut it),
            Some(10) if self.layout => {
                self.form.needs_text(&format!("{path}.content"), it.get("content"), 4000)
            }
            Some(14) if self.layout => {
                default(&mut it, "divider", json!(true));
                default(&mut it, "spacing", json!(1));
            }
            Some(12 | 13) if self.layout => {}
            _ => self.wrong_kind(path, if self.layout { "(1, 9, 10, 12, 13, 14, 17)" } else { "(1,)" }),
        }
        it
    }

    fn holder(&mut self, path: &str, it: &mut Value) {
        if it["type"] == 17 {
            default(it, "accent_color", Value::Null);
            default(it, "spoiler", json!(false));
        }
        let inner = self.form.list(&format!("{path}.components"), it.get("components"), 1, 40).to_vec();
        let inner = inner.into_iter().enumerate();
        it["components"] = inner.map(|(i, part)| self.top(&format!("{path}.components.{i}"), part)).collect();
        if it["type"] == 9 {
            let mut accessory = it["accessory"].take();
            self.number(&mut accessory);
            self.button(&format!("{path}.accessory"), &accessory);
            it["accessory"] = accessory;
        }
    }

    fn row(&mut self, path: &str, row: &mut Value) {
        let parts = self.form.list(&format!("{path}.components"), row.get("components"), 1, 5).to_vec();
        let selects = parts.iter().any(|part| matches!(part["type"].as_u64(), Some(3 | 5..=8)));
        if selects && parts.len() > 1 {
            let message = "A select takes a whole row.";
            self.form.wrong(&format!("{path}.components"), "COMPONENT_LAYOUT_WIDTH_EXCEEDED", message);
        }
        let parts = parts.into_iter().enumerate();
        row["components"] = parts
            .map(|(i, mut part)| {
                let path = format!("{path}.components.{i}");
                self.number(&mut part);
                match part["type"].as_u64() {
                    Some(2) => self.button(&path, &part),
                    Some(3 | 5..=8) => self.select(&path, &mut part),
                    _ => self.wrong_kind(&path, "(2, 3, 5, 6, 7, 8)"),
                }
                part
            })
            .collect();
    }

    fn button(&mut self, path: &str, button: &Value) {
        self.form.text(&format!("{path}.label"), button.get("label"), 0, 80);
        let shown =
            button["label"].as_str().is_some_and(|label| !label.is_empty()) || button["emoji"].is_object();
        if !shown {
            let message = "A button needs a label or an emoji.";
            self.form.wrong(path, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", message);
        }
        match button["style"].as_u64() {
            Some(1..=4) => self.custom_id(path, button),
            Some(5) => self.form.needs_text(&format!("{path}.url"), button.get("url"), 512),
            _ => self.form.wrong(
                &format!("{path}.style"),
                "BASE_TYPE_CHOICES",
                "Value must be one of (1, 2, 3, 4, 5, 6).",
            ),
        }
    }

    fn select(&mut self, path: &str, select: &mut Value) {
        self.custom_id(path, select);
        self.form.text(&format!("{path}.placeholder"), select.get("placeholder"), 0, 150);
        self.form.number(&format!("{path}.min_values"), select.get("min_values"), 0, 25);
        self.form.number(&format!("{path}.max_values"), select.get("max_values"), 1, 25);
        default(select, "min_values", json!(1));
        default(select, "max_values", json!(1));
        if select["type"] != 3 {
            return;
        }
        let mut values: Vec<String> = Vec::new();
        let options = self.form.list(&format!("{path}.options"), select.get("options"), 1, 25).to_vec();
        for (i, option) in options.iter().enumerate() {
            let path = format!("{path}.options.{i}");
            self.form.needs_text(&format!("{path}.label"), option.get("label"), 100);
            self.form.needs_text(&format!("{path}.value"), option.get("value"), 100);
            self.form.text(&format!("{path}.description"), option.get("description"), 0, 100);
            let value = option["value"].as_str().unwrap_or_default().to_owned();
            if values.contains(&value) {
                let message = "The specified option value is already used";
                self.form.wrong(
                    &format!("{path}.value"),
                    "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                    message,
                );
            }
            values.push(value);
        }
        if select["max_values"].as_u64() > Some(options.len() as u64) {
            let message = "There are fewer options than that.";
            self.form.wrong(&format!("{path}.max_values"), "NUMBER_TYPE_MAX", message);
        }
    }

    fn custom_id(&mut self, path: &str, it: &Value) {
        let path = format!("{path}.custom_id");
        self.form.needs_text(&path, it.get("custom_id"), 100);
        let id = it["custom_id"].as_str().unwrap_or_default().to_owned();
        if self.ids.contains(&id) {
            let message = "Component custom id cannot be duplicated";
            self.form.wrong(&path, "COMPONENT_CUSTOM_ID_DUPLICATED", message);
        }
        self.ids.push(id);
    }

    fn number(&mut self, it: &mut Value) {
        self.count += 1;
        without_nulls(it);
        if it.is_object() && it["id"].as_u64().is_none_or(|id| id == 0) {
            it["id"] = json!(self.count);
        }
    }

    fn wrong_kind(&mut self, path: &str, allowed: &str) {
        let message = format!("Value of field \"type\" must be one of {allowed}.");
        self.form.wrong(&format!("{path}.type"), "UNION_TYPE_CHOICES", message);
    }
}

fn default(it: &mut Value, key: &str, value: Value) {
    if it.get(key).is_none_or(Value::is_null) {
        it[key] = value;
    }
}

/// An absent field and a null are the same in what is sent, but not in what Discord shows.
pub(super) fn without_nulls(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn button(id: &str) -> Value {
        json!({ "type": 2, "style": 1, "label": "Go", "custom_id": id })
    }

    fn row(parts: &[Value]) -> Value {
        json!({ "type": 1, "components": parts })
    }

    #[test]
    fn rows_buttons_and_menus_keep_to_the_limits() {
        let many: Vec<Value> = (0..6).map(|i| button(&i.to_string())).collect();
        let option = |value: &str| json!({ "label": value, "value": value });
        let menu = |options: &[Value]| json!({ "type": 3, "custom_id": "m", "options": options });
        let link = json!({ "type": 2, "style": 5, "label": "Go", "url": "https://example.com" });
        #[rustfmt::skip]
        let table = [
            (json!([row(&many[..5])]),                                            true),
            (json!([row(&many)]),                                                 false),
            (json!([row(&[])]),                                                   false),
            (json!([row(&[button("a")]), row(&[button("a")])]),                   false),
            (json!([row(&[button(&"x".repeat(101))])]),                           false),
            (json!([row(&[menu(&[option("a")])])]),                               true),
            (json!([row(&[menu(&[option("a"), option("a")])])]),                  false),
            (json!([row(&[menu(&[])])]),                                          false),
            (json!([row(&[menu(&[option("a")]), button("b")])]),                  false),
            (json!([row(&[link])]),                                               true),
            (json!([row(&[json!({ "type": 2, "style": 1, "custom_id": "a" })])]), false),
            (json!([button("a")]),                                                false),
            (json!([{ "type": 10, "content": "text" }]),                          false),
        ];
        for (components, fine) in table {
            let mut form = Form::default();
            read(Some(&components), false, &mut form);
            assert_eq!(form.check().is_ok(), fine, "{components}");
        }
    }

    #[test]
    fn every_component_gets_a_number() {
        let mut form = Form::default();
        let kept = read(Some(&json!([row(&[button("a"), button("b")])])), false, &mut form);
        assert_eq!(kept[0]["id"], 1);
        assert_eq!(kept[0]["components"][1]["id"], 3);
    }
}
