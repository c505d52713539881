//! Whether a value has the shape that a document gives it, and what to say if not.

use std::cmp::Reverse;

use jsonschema::Validator;
use jsonschema::error::{ValidationError, ValidationErrorKind};
use serde_json::{Value, json};

use super::complaint::{Place, Report};
use super::fields;
use super::schema::{Side, standalone};

/// The shape that one part of an exchange must have.
pub struct Shape {
    schema: Value,
    validator: Result<Validator, String>,
}

impl Shape {
    /// Builds it from a schema in `document`.
    pub fn new(document: &Value, schema: &Value, side: Side) -> Self {
        let schema = standalone(document, schema, side);
        let options = jsonschema::options().should_validate_formats(false);
        let validator = options.build(&schema).map_err(|error| error.to_string());
        Self { schema, validator }
    }

    /// Checks a body in JSON.
    pub fn check_body(&self, body: &str, place: Place, report: &mut Report) {
        match serde_json::from_str(body) {
            Ok(value) => self.check(&value, place, report),
            Err(error) => report.add(place, "", format!("the body is not JSON: {error}")),
        }
    }

    /// Checks a value, down to fields that the document does not know.
    pub fn check(&self, value: &Value, place: Place, report: &mut Report) {
        match &self.validator {
            Ok(validator) => validator.iter_errors(value).for_each(|error| explain(&error, place, report)),
            Err(error) => report.add(place, "", format!("the document's schema cannot be read: {error}")),
        }
        for pointer in fields::unknown(&self.schema, value) {
            report.add(place, &pointer, "the document knows no such field");
        }
    }

    /// A parameter or header is text; it is right if anything that it can be read as is right.
    pub fn check_text(&self, values: &[&str], place: Place, name: &str, report: &mut Report) {
        let Ok(validator) = &self.validator else {
            report.add(place, name, "the document's schema cannot be read");
            return;
        };
        let list = values.iter().flat_map(|value| value.split(',')).map(|value| json!(value)).collect();
        let text = values.iter().map(|value| json!(value));
        let read = values.iter().filter_map(|value| serde_json::from_str(value).ok());
        let right = text.chain(read).chain([Value::Array(list)]).any(|value| validator.is_valid(&value));
        if !right {
            let kind = self.schema.get("type").or_else(|| self.schema.get("$ref")).unwrap_or(&Value::Null);
            report.add(place, name, format!("`{}` is not a {kind} as described", values.join(",")));
        }
    }
}

/// Reports an error; of a choice, the errors of the branch that comes closest, because "none of them" helps nobody.
fn explain(error: &ValidationError<'_>, place: Place, report: &mut Report) {
    if let ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } =
        error.kind()
    {
        let here = error.instance_path().as_str();
        let strangers = |errors: &[ValidationError<'_>]| {
            let about_kind = |error: &&ValidationError<'_>| {
                let path = error.instance_path().as_str();
                match error.kind() {
                    ValidationErrorKind::Type { .. } => path == here || path == format!("{here}/type"),
                    ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => {
                        path == format!("{here}/type")
                    }
                    _ => false,
                }
            };
            errors.iter().filter(about_kind).count()
        };
        let depth = |errors: &[ValidationError<'_>]| {
            errors.iter().map(|error| error.instance_path().as_str().matches('/').count()).max()
        };
        let closest =
            context.iter().min_by_key(|errors| (strangers(errors), errors.len(), Reverse(depth(errors))));
        if let Some(closest) = closest.filter(|errors| !errors.is_empty()) {
            closest.iter().for_each(|error| explain(error, place, report));
            return;
        }
    }
    let message = error.to_string();
    let message = if message.chars().count() > 200 { error.masked().to_string() } else { message };
    report.add(place, error.instance_path().as_str(), message.chars().take(400).collect::<String>());
}
