//! What was said: the file and the environment as one tree in which every value knows where it stands.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::environment::Environment;
use super::fault::{Notes, Place, Wrong, quoted};

/// A value, and where it stands.
#[derive(Clone)]
pub(super) struct Node {
    pub at: Place,
    pub value: Value,
}

/// Values by their keys.
pub(super) type Table = BTreeMap<String, Node>;

/// What a value is. A value from the environment is always a text.
#[derive(Clone)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Flag(bool),
    List(Vec<Node>),
    Table(Table),
    Other(&'static str),
}

impl Value {
    /// What it is, with its article.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }
}

/// Reads a TOML text. Faults of its grammar are noted, all of them.
pub(super) fn parse(text: &str, file: &Path, notes: &Notes) -> Option<Table> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let offset = error.span().map_or(0, |span| span.start);
        let at = Place::Line(file.to_owned(), line_of(text, offset));
        let mut said = error.message().lines().collect::<Vec<_>>().join(", ");
        if let (true, Some(key)) = (said == "duplicate key", error.span().and_then(|span| text.get(span))) {
            said = format!("{} is given a second time", quoted(key));
        }
        notes.fault(at, "", Wrong::new(said, "see https://toml.io for the grammar"));
    }
    errors.is_empty().then(|| convert_table(table.get_ref(), text, file))
}

fn convert_table(table: &DeTable<'_>, text: &str, file: &Path) -> Table {
    table
        .iter()
        .map(|(key, value)| {
            let line = line_of(text, key.span().start);
            (key.get_ref().to_string(), convert(value.get_ref(), line, text, file))
        })
        .collect()
}

fn convert(value: &DeValue<'_>, line: usize, text: &str, file: &Path) -> Node {
    let value = match value {
        DeValue::String(said) => Value::Text(said.to_string()),
        DeValue::Integer(said) => i64::from_str_radix(said.as_str(), said.radix())
            .map_or(Value::Other("a number out of range"), Value::Integer),
        DeValue::Float(said) => said.as_str().parse().map_or(Value::Other("a number"), Value::Float),
        DeValue::Boolean(said) => Value::Flag(*said),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Array(said) => {
            let item = |item: &toml::Spanned<DeValue<'_>>| {
                convert(item.get_ref(), line_of(text, item.span().start), text, file)
            };
            Value::List(said.iter().map(item).collect())
        }
        DeValue::Table(said) => Value::Table(convert_table(said, text, file)),
    };
    Node { at: Place::Line(file.to_owned(), line), value }
}

/// The line of a byte offset, from 1.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
}

/// Lays the environment's `PROVOST_SECTION__KEY` over the file.
///
/// Keys are compared without case, and `_` stands for `-`, so that any org name can be written as a variable. A
/// secret given by a variable replaces its `…_file` from the file, and the other way round.
pub(super) fn overlay(table: &mut Table, environment: &Environment, notes: &Notes) {
    for (name, value) in environment.overrides() {
        let at = Place::Variable(name.clone());
        let path: Vec<String> = name["PROVOST_".len()..].split("__").map(str::to_lowercase).collect();
        if path.iter().any(String::is_empty) {
            notes.fault(at, "", Wrong::new("names no key", "write PROVOST_SECTION__KEY"));
            continue;
        }
        set(table, &path, Node { at, value: Value::Text(value) }, notes);
    }
}

fn set(table: &mut Table, path: &[String], node: Node, notes: &Notes) {
    let [first, rest @ ..] = path else { return };
    let folded = |text: &str| text.to_lowercase().replace('-', "_");
    let known = table.keys().find(|key| folded(key) == folded(first)).cloned();
    let key = known.unwrap_or_else(|| first.clone());
    if !rest.is_empty() {
        let below = Node { at: node.at.clone(), value: Value::Table(Table::new()) };
        let Node { value, at } = table.entry(key.clone()).or_insert(below);
        match value {
            Value::Table(inner) => set(inner, rest, node, notes),
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Flag(_)
            | Value::List(_)
            | Value::Other(_) => {
                let wrong = format!("goes below {}, which is {} at {at}", quoted(&key), value.kind());
                notes.fault(node.at, "", Wrong::new(wrong, "set it in the file"));
            }
        }
        return;
    }
    if let Some(Node { at: Place::Variable(other), .. }) = table.get(&key) {
        let wrong = format!("sets the same key as {other}");
        notes.fault(node.at, "", Wrong::new(wrong, "unset one of them"));
        return;
    }
    let twin = key.strip_suffix("_file").map_or_else(|| format!("{key}_file"), str::to_owned);
    if table.get(&twin).is_some_and(|node| !matches!(node.at, Place::Variable(_))) {
        table.remove(&twin);
    }
    table.insert(key, node);
}
