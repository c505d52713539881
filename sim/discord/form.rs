//! "Invalid Form Body": code 50035 and a tree that says which field is wrong, and why.

use serde_json::{Map, Value, json};

use super::reply::Reply;

/// Collects what is wrong with a body.
#[derive(Debug, Default)]
pub(super) struct Form {
    errors: Map<String, Value>,
}

impl Form {
    /// Notes that the field at `path` ("embeds.0.title") is wrong.
    pub(super) fn wrong(&mut self, path: &str, code: &str, message: impl Into<String>) {
        let mut node = &mut self.errors;
        for step in path.split('.').filter(|step| !step.is_empty()) {
            let next = node.entry(step).or_insert_with(|| json!({}));
            let Value::Object(inner) = next else { return };
            node = inner;
        }
        let list = node.entry("_errors").or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(json!({ "code": code, "message": message.into() }));
        }
    }

    /// The field must be there.
    pub(super) fn required(&mut self, path: &str) {
        self.wrong(path, "BASE_TYPE_REQUIRED", "This field is required");
    }

    /// The text must have between `min` and `max` characters. Absent and null are fine.
    ///
    /// Lengths are counted in code points, as Discord counts them.
    pub(super) fn text(&mut self, path: &str, value: Option<&Value>, min: usize, max: usize) {
        let text = match value {
            None | Some(Value::Null) => return,
            Some(Value::String(text)) => text,
            Some(_) => {
                return self.wrong(path, "STRING_TYPE_CONVERT", "Could not interpret value as string.");
            }
        };
        let length = text.chars().count();
        if length > max {
            let message = format!("Must be {max} or fewer in length.");
            self.wrong(path, "BASE_TYPE_MAX_LENGTH", message);
        } else if length < min {
            if min == 1 {
                self.required(path);
            } else {
                self.wrong(
                    path,
                    "BASE_TYPE_BAD_LENGTH",
                    format!("Must be between {min} and {max} in length."),
                );
            }
        }
    }

    /// The text must be there, and have between 1 and `max` characters.
    pub(super) fn needs_text(&mut self, path: &str, value: Option<&Value>, max: usize) {
        match value {
            None | Some(Value::Null) => self.required(path),
            Some(_) => self.text(path, value, 1, max),
        }
    }

    /// The list must have between `min` and `max` items; an absent one counts as empty.
    pub(super) fn list<'a>(
        &mut self,
        path: &str,
        value: Option<&'a Value>,
        min: usize,
        max: usize,
    ) -> &'a [Value] {
        let items: &[Value] = match value {
            None | Some(Value::Null) => &[],
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.wrong(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
                return &[];
            }
        };
        if items.len() > max || items.len() < min {
            let message = if min == 0 {
                format!("Must be {max} or fewer in length.")
            } else {
                format!("Must be between {min} and {max} in length.")
            };
            let code = if min == 0 { "BASE_TYPE_MAX_LENGTH" } else { "BASE_TYPE_BAD_LENGTH" };
            self.wrong(path, code, message);
        }
        items
    }

    /// The number must lie in the range. Absent and null are fine.
    pub(super) fn number(&mut self, path: &str, value: Option<&Value>, min: i64, max: i64) {
        let number = match value {
            None | Some(Value::Null) => return,
            Some(value) => value.as_i64(),
        };
        match number {
            None => self.wrong(path, "NUMBER_TYPE_COERCE", "Value is not int."),
            Some(number) if number < min => {
                let message = format!("int value should be greater than or equal to {min}.");
                self.wrong(path, "NUMBER_TYPE_MIN", message);
            }
            Some(number) if number > max => {
                let message = format!("int value should be less than or equal to {max}.");
                self.wrong(path, "NUMBER_TYPE_MAX", message);
            }
            Some(_) => {}
        }
    }

    /// `Ok` if nothing was wrong; else 400 with the tree.
    pub(super) fn check(self) -> Result<(), Reply> {
        if self.errors.is_empty() {
            return Ok(());
        }
        let body = json!({ "message": "Invalid Form Body", "code": 50035, "errors": self.errors });
        Err(Reply { status: 400, body: Some(body) })
    }
}

/// The id in a path or a field, or 50035.
pub(super) fn snowflake(field: &str, text: &str) -> Result<u64, Reply> {
    if let Some(id) = text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit())) {
        return Ok(id);
    }
    let mut form = Form::default();
    form.wrong(field, "NUMBER_TYPE_COERCE", format!("Value \"{text}\" is not snowflake."));
    Err(form.check().err().unwrap_or_else(Reply::not_found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_names_the_field_that_is_wrong() {
        let mut form = Form::default();
        let body = json!({ "title": "x".repeat(257) });
        form.text("embeds.0.title", body.get("title"), 0, 256);
        let reply = form.check().unwrap_err();

        assert_eq!(reply.status, 400);
        let body = reply.body.unwrap();
        assert_eq!(body["code"], 50035);
        assert_eq!(body["errors"]["embeds"]["0"]["title"]["_errors"][0]["code"], "BASE_TYPE_MAX_LENGTH");
    }

    #[test]
    fn only_digits_are_an_id() {
        assert_eq!(snowflake("id", "123"), Ok(123));
        for bad in ["", "+1", "abc", "99999999999999999999999"] {
            assert_eq!(snowflake("id", bad).unwrap_err().status, 400, "{bad}");
        }
    }
}
