//! One table of the configuration, read key by key: what is not asked for is an unknown key.

use super::fault::{Notes, Place, Wrong, did_you_mean, quoted};
use super::tree::{Node, Table, Value};

/// A table that is being read.
pub(super) struct Section<'a> {
    /// Its key, dotted from the root; empty for the root.
    pub path: String,
    /// Where it stands.
    pub at: Place,
    pub notes: &'a Notes,
    table: Table,
    known: Vec<String>,
}

impl<'a> Section<'a> {
    pub(super) fn new(path: impl Into<String>, at: Place, table: Table, notes: &'a Notes) -> Self {
        Self { path: path.into(), at, table, notes, known: Vec::new() }
    }

    /// The key's full name.
    pub(super) fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Whether the key is there and has not been read yet.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where the key stands; where it does not, where its table does.
    pub(super) fn place(&self, key: &str) -> Place {
        self.table.get(key).map_or_else(|| self.at.clone(), |node| node.at.clone())
    }

    /// Whether nothing is left to read.
    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Notes a fault of this table's key.
    pub(super) fn fault(&self, at: Place, key: &str, what: Wrong) {
        self.notes.fault(at, self.key(key), what);
    }

    /// Takes a value as it stands.
    pub(super) fn take(&mut self, key: &str) -> Option<Node> {
        self.known.push(key.to_owned());
        self.table.remove(key)
    }

    /// A value that is written as a text, or as a whole number (ids are often written so).
    pub(super) fn parsed<T>(&mut self, key: &str, parse: impl FnOnce(&str) -> Result<T, Wrong>) -> Option<T> {
        let Node { at, value } = self.take(key)?;
        let text = match value {
            Value::Text(text) => text,
            Value::Integer(number) => number.to_string(),
            Value::Float(_) | Value::Flag(_) | Value::List(_) | Value::Table(_) | Value::Other(_) => {
                let wrong = format!("is {}", value.kind());
                self.fault(at, key, Wrong::new(wrong, "write a text in quotes"));
                return None;
            }
        };
        parse(&text).map_err(|what| self.fault(at, key, what)).ok()
    }

    /// As [`parsed`](Self::parsed), and its absence is a fault.
    pub(super) fn required<T>(
        &mut self,
        key: &str,
        right: &str,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        if !self.has(key) {
            self.known.push(key.to_owned());
            self.fault(self.at.clone(), key, Wrong::new("is missing", right));
            return None;
        }
        self.parsed(key, parse)
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        let Node { at, value } = self.take(key)?;
        let flag = match &value {
            Value::Flag(flag) => Some(*flag),
            Value::Text(text) => text.parse().ok(),
            Value::Integer(_) | Value::Float(_) | Value::List(_) | Value::Table(_) | Value::Other(_) => None,
        };
        if flag.is_none() {
            self.fault(at, key, Wrong::new(said(&value), "write true or false"));
        }
        flag
    }

    /// A whole number from 0 to `most`.
    pub(super) fn count(&mut self, key: &str, most: usize) -> Option<usize> {
        let Node { at, value } = self.take(key)?;
        let count = match &value {
            Value::Integer(number) => usize::try_from(*number).ok(),
            Value::Text(text) => text.parse().ok(),
            Value::Float(_) | Value::Flag(_) | Value::List(_) | Value::Table(_) | Value::Other(_) => None,
        };
        let count = count.filter(|count| *count <= most);
        if count.is_none() {
            self.fault(at, key, Wrong::new(said(&value), format!("write a whole number from 0 to {most}")));
        }
        count
    }

    /// A number.
    pub(super) fn number(&mut self, key: &str) -> Option<(f64, Place)> {
        let Node { at, value } = self.take(key)?;
        let number = match &value {
            Value::Float(number) => Some(*number),
            Value::Integer(0) => Some(0.0),
            Value::Integer(1) => Some(1.0),
            Value::Text(text) => text.parse().ok(),
            Value::Integer(_) | Value::Flag(_) | Value::List(_) | Value::Table(_) | Value::Other(_) => None,
        };
        if number.is_none() {
            self.fault(at.clone(), key, Wrong::new(said(&value), "write a number such as 0.4"));
        }
        number.map(|number| (number, at))
    }

    /// A list of texts; in a variable, separated by commas. `None` where the key is absent.
    pub(super) fn list<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, Wrong>) -> Option<Vec<T>> {
        let Node { at, value } = self.take(key)?;
        let items = match value {
            Value::List(items) => items,
            Value::Text(text) if matches!(at, Place::Variable(_)) => text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(|item| Node { at: at.clone(), value: Value::Text(item.to_owned()) })
                .collect(),
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Flag(_)
            | Value::Table(_)
            | Value::Other(_) => {
                self.fault(at, key, Wrong::new(said(&value), "write a list: [\"…\", \"…\"]"));
                return Some(Vec::new());
            }
        };
        let each = |Node { at, value }| {
            let parsed = match &value {
                Value::Text(text) => parse(text),
                Value::Integer(number) => parse(&number.to_string()),
                Value::Float(_) | Value::Flag(_) | Value::List(_) | Value::Table(_) | Value::Other(_) => {
                    Err(Wrong::new(format!("holds {}", value.kind()), "write texts in quotes"))
                }
            };
            parsed.map_err(|what| self.fault(at, key, what)).ok()
        };
        Some(items.into_iter().filter_map(each).collect())
    }

    /// A table below this one; an empty one where it is absent.
    pub(super) fn section(&mut self, key: &str) -> Self {
        let at = self.place(key);
        let table = match self.take(key) {
            None => Table::new(),
            Some(Node { at, value }) => self.table_of(key, at, value),
        };
        Self::new(self.key(key), at, table, self.notes)
    }

    /// The keys that have not been read, where they are names that somebody chose.
    pub(super) fn names(&self) -> Vec<String> {
        self.table.keys().cloned().collect()
    }

    /// The table in `value`; a fault where it is something else.
    pub(super) fn table_of(&self, key: &str, at: Place, value: Value) -> Table {
        match value {
            Value::Table(table) => table,
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Flag(_)
            | Value::List(_)
            | Value::Other(_) => {
                let right = format!("write a table: [{}]", self.key(key));
                self.fault(at, key, Wrong::new(format!("is {}", value.kind()), right));
                Table::new()
            }
        }
    }

    /// Whatever was not asked for is unknown.
    pub(super) fn finish(self) {
        for (key, node) in &self.table {
            let near = did_you_mean(key, self.known.iter().map(String::as_str));
            let right = near
                .or_else(|| Some(format!("it belongs to {}", home_of(key)?)))
                .unwrap_or_else(|| format!("known here: {}", self.known.join(", ")));
            self.fault(node.at.clone(), key, Wrong::new("is an unknown key", right));
        }
    }
}

/// The table of a key that is easily put below the wrong heading.
fn home_of(key: &str) -> Option<&'static str> {
    Some(match key {
        "token" | "token_file" | "guild_id" | "audit_channel_id" | "oncall_role_id" | "api_url" => {
            "[discord]"
        }
        "url" | "api_token" | "api_token_file" | "client_id" | "private_key" | "private_key_file"
        | "key_id" | "poll_interval" | "lookback" | "rate_limit_share" | "writes" | "console_url" => {
            "[okta.NAME]"
        }
        "viewer" | "operator" | "approver" | "admin" | "breakglass" => "[roles]",
        "causes" | "group_wait" | "edit_interval" | "verify_within" | "rules_file" => "[alerts]",
        "require" => "[links]",
        "enable" | "retry" | "reassign" => "[policy]",
        "listen" => "[http]",
        _ => return None,
    })
}

/// A wrong value in words.
fn said(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("is {}", quoted(text)),
        Value::Integer(number) => format!("is {number}"),
        Value::Float(number) => format!("is {number}"),
        Value::Flag(flag) => format!("is {flag}"),
        Value::List(_) | Value::Table(_) | Value::Other(_) => format!("is {}", value.kind()),
    }
}
