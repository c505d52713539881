//! Fields that a document does not know.
//!
//! Neither document forbids them, so a validator is silent about `lifecycleDeactivte`: it asks for nothing and Okta
//! ignores it. In our requests that is a slip, and in a simulator's answer it is an invention.

use serde_json::{Map, Value, json};

/// The pointers of all fields of `value` that no branch of `schema` names, where an object's fields are named at all.
pub fn unknown(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(schema, &[schema], value, String::new(), &mut found);
    found
}

fn walk(root: &Value, schemas: &[&Value], value: &Value, pointer: String, found: &mut Vec<String>) {
    let mut views = Vec::new();
    for schema in schemas {
        expand(root, schema, value, &mut views);
    }
    match value {
        Value::Array(items) => {
            let schemas: Vec<&Value> = views.iter().filter_map(|view| view.get("items")).collect();
            for (index, item) in items.iter().enumerate() {
                walk(root, &schemas, item, format!("{pointer}/{index}"), found);
            }
        }
        Value::Object(fields) => {
            let rest: Vec<&Value> =
                views.iter().filter_map(|view| view.get("additionalProperties")).collect();
            let open = rest.iter().any(|rest| **rest != Value::Bool(false));
            let names =
                |view: &&Map<String, Value>| view.get("properties").is_some_and(|names| *names != json!({}));
            let named = views.iter().any(names);
            for (field, value) in fields {
                let schemas: Vec<&Value> =
                    views.iter().filter_map(|view| view.get("properties")?.get(field)).collect();
                let pointer = format!("{pointer}/{}", field.replace('~', "~0").replace('/', "~1"));
                match (schemas.is_empty(), open) {
                    (false, _) => walk(root, &schemas, value, pointer, found),
                    (true, true) => walk(root, &rest, value, pointer, found),
                    (true, false) if named => found.push(pointer),
                    (true, false) => {}
                }
            }
        }
        _ => {}
    }
}

/// All object schemas that may have a say about `value`, without the branches that its constants rule out.
fn expand<'a>(root: &'a Value, schema: &'a Value, value: &Value, views: &mut Vec<&'a Map<String, Value>>) {
    let Some(schema) = schema.as_object() else { return };
    if views.iter().any(|seen| std::ptr::eq(*seen, schema)) || ruled_out(root, schema, value) {
        return;
    }
    views.push(schema);
    if let Some(target) = schema.get("$ref").and_then(|target| target.as_str()?.strip_prefix('#')) {
        expand(root, root.pointer(target).unwrap_or(&Value::Null), value, views);
    }
    for branch in
        ["allOf", "anyOf", "oneOf"].iter().filter_map(|union| schema.get(*union)?.as_array()).flatten()
    {
        expand(root, branch, value, views);
    }
    if let Some((condition, then)) = schema.get("if").and_then(Value::as_object).zip(schema.get("then"))
        && !ruled_out(root, condition, value)
    {
        expand(root, then, value, views);
    }
}

/// Whether a field of `value` differs from the only values that `schema` allows it.
fn ruled_out(root: &Value, schema: &Map<String, Value>, value: &Value) -> bool {
    let target = schema.get("$ref").and_then(|target| root.pointer(target.as_str()?.strip_prefix('#')?));
    if let Some(target) = target.and_then(Value::as_object) {
        return ruled_out(root, target, value);
    }
    schema.get("properties").and_then(Value::as_object).into_iter().flatten().any(|(field, schema)| {
        let only = schema.get("const").map(std::slice::from_ref);
        let allowed = only.or_else(|| schema.get("enum")?.as_array().map(Vec::as_slice));
        allowed.zip(value.get(field)).is_some_and(|(allowed, value)| !allowed.contains(value))
    })
}
