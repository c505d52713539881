//! The card in a message: checked, trimmed and completed as Discord does it.
//!
//! Source: Discord developer documentation, "Embed Limits".

use serde_json::{Value, json};

use super::form::Form;

/// The embeds as Discord keeps them.
pub(super) fn read(value: Option<&Value>, form: &mut Form) -> Vec<Value> {
    let given = form.list("embeds", value, 0, 10).to_vec();
    let mut embeds = Vec::new();
    let mut characters = 0;
    for (i, mut embed) in given.into_iter().enumerate() {
        trim(&mut embed);
        check(&format!("embeds.{i}"), &embed, form);
        characters += size(&embed);
        embeds.push(complete(embed));
    }
    if characters > 6000 {
        form.wrong("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000");
    }
    embeds
}

fn check(path: &str, embed: &Value, form: &mut Form) {
    if !embed.is_object() {
        return form.wrong(path, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType");
    }
    let shown = ["title", "description", "fields", "footer", "author", "image", "thumbnail", "url"];
    if shown.iter().all(|key| embed.get(key).is_none()) {
        form.required(&format!("{path}.description"));
    }
    form.text(&format!("{path}.title"), embed.get("title"), 0, 256);
    form.text(&format!("{path}.description"), embed.get("description"), 0, 4096);
    form.number(&format!("{path}.color"), embed.get("color"), 0, 0xFF_FFFF);
    if let Some(footer) = embed.get("footer") {
        form.needs_text(&format!("{path}.footer.text"), footer.get("text"), 2048);
    }
    if let Some(author) = embed.get("author") {
        form.needs_text(&format!("{path}.author.name"), author.get("name"), 256);
    }
    if let Some(at) = embed.get("timestamp")
        && at.as_str().is_none_or(|at| at.parse::<jiff::Timestamp>().is_err())
    {
        let message = "Could not parse the value. Should be ISO8601.";
        form.wrong(&format!("{path}.timestamp"), "DATE_TIME_TYPE_PARSE", message);
    }
    let links = [("url", embed.get("url")), ("image.url", embed.pointer("/image/url"))];
    for (field, link) in links.into_iter().filter_map(|(field, link)| Some((field, link?))) {
        let scheme = link.as_str().and_then(|link| link.split_once("://")).map(|(scheme, _)| scheme);
        if !matches!(scheme, Some("http" | "https" | "attachment")) {
            let message = "Scheme must be one of ('http', 'https').";
            form.wrong(&format!("{path}.{field}"), "URL_TYPE_INVALID_SCHEME", message);
        }
    }
    for (i, field) in form.list(&format!("{path}.fields"), embed.get("fields"), 0, 25).iter().enumerate() {
        form.needs_text(&format!("{path}.fields.{i}.name"), field.get("name"), 256);
        form.needs_text(&format!("{path}.fields.{i}.value"), field.get("value"), 1024);
    }
}

/// Drops nulls, and the white space around every text.
fn trim(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.trim().to_owned(),
        Value::Array(items) => items.iter_mut().for_each(trim),
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(trim);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn complete(mut embed: Value) -> Value {
    if let Some(map) = embed.as_object_mut() {
        map.insert("type".to_owned(), json!("rich"));
        if let Some(Value::Array(fields)) = map.get_mut("fields") {
            for field in fields.iter_mut().filter_map(Value::as_object_mut) {
                field.entry("inline").or_insert(json!(false));
            }
        }
    }
    embed
}

/// The characters that count towards the 6000.
fn size(embed: &Value) -> usize {
    let count = |value: Option<&Value>| value.and_then(Value::as_str).map_or(0, |text| text.chars().count());
    let fields = embed["fields"].as_array().into_iter().flatten();
    count(embed.get("title"))
        + count(embed.get("description"))
        + count(embed.pointer("/footer/text"))
        + count(embed.pointer("/author/name"))
        + fields.map(|field| count(field.get("name")) + count(field.get("value"))).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_inclusive() {
        let text = |n: usize| "x".repeat(n);
        #[rustfmt::skip]
        let table = [
            (json!([{ "title": text(256) }]),                                            true),
            (json!([{ "title": text(257) }]),                                            false),
            (json!([{ "title": format!("{}   ", text(256)) }]),                          true),
            (json!([{ "description": text(4096) }]),                                     true),
            (json!([{ "description": text(4097) }]),                                     false),
            (json!([{ "description": text(4096) }, { "description": text(1904) }]),      true),
            (json!([{ "description": text(4096) }, { "description": text(1905) }]),      false),
            (json!([{ "fields": [{ "name": "a", "value": " " }] }]),                     false),
            (json!([{ "fields": [{ "name": "a", "value": text(1025) }] }]),              false),
            (json!([{ "footer": { "text": text(2049) } }]),                              false),
            (json!([{}]),                                                                false),
            (json!([{ "title": "a", "url": "javascript:alert(1)" }]),                    false),
            (Value::Array(vec![json!({ "title": "a" }); 11]),                            false),
        ];
        for (embeds, fine) in table {
            let mut form = Form::default();
            read(Some(&embeds), &mut form);
            assert_eq!(form.check().is_ok(), fine, "{embeds}");
        }
    }
}
