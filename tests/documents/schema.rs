//! From an OpenAPI schema to a JSON Schema that stands alone.
//!
//! OpenAPI 3.0 is a dialect of its own: `nullable`, `readOnly` and `discriminator` mean something that JSON Schema
//! does not know. What is said about a value's shape is carried over, everything else is left behind, and only the
//! components that can be reached come along, so that building a validator stays cheap.
//!
//! `format` is left behind on purpose: Okta writes prose there ("Integer between 0 and 1000").

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value, json};

/// Who wrote the value: `readOnly` fields need not be in a request, `writeOnly` fields not in an answer.
#[derive(Clone, Copy)]
pub enum Side {
    /// The product asks.
    Request,
    /// The service answers.
    Answer,
}

const COMPONENTS: &str = "#/components/schemas/";

/// Keywords that mean the same in both languages and hold no schema.
const PLAIN: [&str; 14] = [
    "type",
    "enum",
    "const",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
];

/// `schema`, as a JSON Schema with everything it refers to under `$defs`.
pub fn standalone(document: &Value, schema: &Value, side: Side) -> Value {
    let mut conversion = Conversion { document, side, wanted: BTreeSet::new() };
    let mut root = conversion.convert(schema, None);
    let mut defs = Map::new();
    while let Some(name) = conversion.wanted.pop_first() {
        let component =
            document.pointer(&format!("/components/schemas/{name}")).unwrap_or(&Value::Bool(false));
        let converted = conversion.convert(component, Some(&name));
        defs.insert(name, converted);
        conversion.wanted.retain(|wanted| !defs.contains_key(wanted));
    }
    if let Some(root) = root.as_object_mut() {
        root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        root.insert("$defs".to_owned(), Value::Object(defs));
    }
    root
}

struct Conversion<'a> {
    document: &'a Value,
    side: Side,
    wanted: BTreeSet<String>,
}

impl Conversion<'_> {
    fn convert(&mut self, schema: &Value, name: Option<&str>) -> Value {
        let Some(schema) = schema.as_object() else { return schema.clone() };
        let mut out = Map::new();
        for (keyword, value) in schema {
            let converted = match (keyword.as_str(), value) {
                ("$ref", Value::String(target)) => self.reference(target),
                ("properties" | "patternProperties", Value::Object(fields)) => {
                    fields.iter().map(|(field, schema)| (field.clone(), self.convert(schema, None))).collect()
                }
                ("items" | "additionalProperties" | "not", value) => self.convert(value, None),
                ("allOf" | "anyOf" | "oneOf", Value::Array(branches)) => {
                    branches.iter().map(|branch| self.convert(branch, None)).collect()
                }
                ("required", Value::Array(fields)) => {
                    fields.iter().filter(|field| !self.excused(schema, field)).cloned().collect()
                }
                (plain, value) if PLAIN.contains(&plain) => value.clone(),
                _ => continue,
            };
            out.insert(keyword.clone(), converted);
        }
        if let Some(choice) = self.choice(schema, name) {
            out.remove("oneOf");
            out.remove("anyOf");
            out = json!({ "allOf": [out, choice] }).as_object().cloned().unwrap_or_default();
        }
        if schema.get("nullable") == Some(&Value::Bool(true)) { nullable(out) } else { Value::Object(out) }
    }

    fn reference(&mut self, target: &str) -> Value {
        let Some(name) = target.strip_prefix(COMPONENTS) else { return json!(target) };
        self.wanted.insert(name.to_owned());
        json!(format!("#/$defs/{name}"))
    }

    /// Whether `field` is required of the other side only.
    fn excused(&self, schema: &Map<String, Value>, field: &Value) -> bool {
        let mark = match self.side {
            Side::Request => "readOnly",
            Side::Answer => "writeOnly",
        };
        let marked = |schema: &Value| schema.get(mark) == Some(&Value::Bool(true));
        let field = schema.get("properties").zip(field.as_str()).and_then(|(fields, name)| fields.get(name));
        field.is_some_and(|field| {
            marked(field) || field.get("allOf").and_then(Value::as_array).into_iter().flatten().any(marked)
        })
    }

    /// A discriminator as what it means: the field has one of these values, and each value calls for one schema.
    ///
    /// The documents put it beside `oneOf`, whose branches often fit each other's values, and on the base of an
    /// inheritance; there only if the derived schemas do not contain the base again.
    fn choice(&mut self, schema: &Map<String, Value>, name: Option<&str>) -> Option<Value> {
        let field = schema.get("discriminator")?.get("propertyName")?.as_str()?;
        let mapping = schema.get("discriminator")?.get("mapping")?.as_object()?;
        let one_of_many = schema.contains_key("oneOf") || schema.contains_key("anyOf");
        if !one_of_many && mapping.values().any(|target| name.is_none_or(|name| self.contains(target, name)))
        {
            return None;
        }
        let branches: Vec<Value> = mapping
            .iter()
            .filter_map(|(value, target)| Some((value, target.as_str()?)))
            .map(|(value, target)| {
                json!({
                    "if": { "properties": { field: { "const": value } }, "required": [field] },
                    "then": { "$ref": self.reference(target) },
                })
            })
            .collect();
        let values: Vec<&String> = mapping.keys().collect();
        Some(json!({ "required": [field], "properties": { field: { "enum": values } }, "allOf": branches }))
    }

    /// Whether the schema at `target` is made of the component `name`, over any number of steps.
    fn contains(&self, target: &Value, name: &str) -> bool {
        let mut open: Vec<&str> = target.as_str().into_iter().collect();
        let mut seen = HashSet::new();
        while let Some(component) = open.pop().and_then(|target| target.strip_prefix(COMPONENTS)) {
            if component == name {
                return true;
            }
            if seen.insert(component) {
                let parts = self.document.pointer(&format!("/components/schemas/{component}/allOf"));
                let parts = parts.and_then(Value::as_array).into_iter().flatten();
                open.extend(parts.filter_map(|part| part.get("$ref")?.as_str()));
            }
        }
        false
    }
}

fn nullable(mut schema: Map<String, Value>) -> Value {
    match (schema.get("type").cloned(), schema.contains_key("$ref") || schema.contains_key("allOf")) {
        (Some(Value::String(kind)), false) => {
            schema.insert("type".to_owned(), json!([kind, "null"]));
            if let Some(Value::Array(values)) = schema.get_mut("enum") {
                values.push(Value::Null);
            }
            Value::Object(schema)
        }
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}
