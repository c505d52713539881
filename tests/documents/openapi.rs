//! One service's documents, and what an exchange has to do to agree with them.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};
use sim::ledger::Exchange;

use super::complaint::{Complaint, Place, Report};
use super::exceptions;
use super::schema::Side;
use super::shape::Shape;

/// The documents of one service.
pub struct Service {
    prefix: &'static str,
    documents: Vec<Document>,
    compiled: Mutex<HashMap<String, Arc<Shape>>>,
}

/// One OpenAPI document.
pub struct Document {
    /// The document itself.
    pub root: Value,
    /// The component that describes an error whose status an operation does not list: any may be answered with 500.
    pub error: &'static str,
}

struct Operation<'a> {
    document: &'a Document,
    id: &'a str,
    path: String,
    parameters: Vec<&'a Value>,
    in_path: Pairs,
    body: Option<&'a Value>,
    responses: &'a Map<String, Value>,
}

impl Service {
    /// A service whose paths all begin with `prefix`, which the documents leave out.
    pub fn new(prefix: &'static str, documents: Vec<Document>) -> Self {
        Self { prefix, documents, compiled: Mutex::default() }
    }

    /// Everything in which `exchange` disagrees with the documents where they are right.
    pub fn complaints(&self, exchange: &Exchange) -> Vec<String> {
        let complaints = self.disagreements(exchange).into_iter();
        complaints
            .filter(|complaint| exceptions::excuse(complaint).is_none())
            .map(|c| c.to_string())
            .collect()
    }

    /// Everything in which `exchange` disagrees with the documents, right or wrong.
    ///
    /// No document describes an answer that was spoilt on purpose; its request is checked all the same.
    pub fn disagreements(&self, exchange: &Exchange) -> Vec<Complaint> {
        let mut report = Report {
            operation: String::new(),
            request: format!("{} {}", exchange.method, exchange.path),
            complaints: Vec::new(),
        };
        match self.operation(&exchange.method, &exchange.path) {
            Err(message) => report.add(Place::Route, &exchange.path, message),
            Ok(operation) => {
                operation.id.clone_into(&mut report.operation);
                self.check_parameters(&operation, exchange, &mut report);
                self.check_request(&operation, exchange, &mut report);
                if !exchange.spoilt {
                    self.check_answer(&operation, exchange, &mut report);
                }
            }
        }
        report.complaints
    }

    /// The operation with the most literal path that fits.
    fn operation(&self, method: &str, path: &str) -> Result<Operation<'_>, String> {
        let path = path.strip_prefix(self.prefix).ok_or("no document describes this path")?;
        let mut fitting: Vec<_> = self
            .documents
            .iter()
            .flat_map(|document| document.paths().map(move |(template, item)| (document, template, item)))
            .filter_map(|(document, template, item)| Some((fit(template, path)?, document, template, item)))
            .collect();
        fitting.sort_by_key(|((literal, _), ..)| Reverse(literal.clone()));
        if fitting.is_empty() {
            return Err("no document describes this path".to_owned());
        }
        let verb = method.to_lowercase();
        let found = fitting.into_iter().find_map(|((_, in_path), document, template, item)| {
            let operation = item.get(&verb)?;
            let shared = item.get("parameters").and_then(Value::as_array).into_iter().flatten();
            let own = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
            Some(Operation {
                document,
                id: operation.get("operationId")?.as_str()?,
                path: format!("{verb} {template}"),
                parameters: shared.chain(own).map(|parameter| document.resolve(parameter)).collect(),
                in_path,
                body: operation.get("requestBody").map(|body| document.resolve(body)),
                responses: operation.get("responses")?.as_object()?,
            })
        });
        found.ok_or_else(|| format!("the document has no {method} for this path"))
    }

    fn check_parameters(&self, operation: &Operation<'_>, exchange: &Exchange, report: &mut Report) {
        let query: Pairs = url::form_urlencoded::parse(exchange.query.as_bytes()).into_owned().collect();
        for parameter in &operation.parameters {
            let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
            let (name, place) = (text("name"), text("in"));
            let values: Vec<&str> = match place {
                "path" => named(&operation.in_path, name),
                "query" => named(&query, name),
                // Credentials are left out of the ledger, so only their absence could be seen here.
                _ => named(&exchange.request_headers, &name.to_lowercase()),
            };
            let required = parameter.get("required") == Some(&Value::Bool(true));
            if values.is_empty() && required {
                report.add(Place::Parameter, name, format!("the required {place} parameter is missing"));
            }
            if let (Some(schema), false) = (parameter.get("schema"), values.is_empty()) {
                let shape = self.shape(operation, &format!("{place} {name}"), schema, Side::Request);
                shape.check_text(&values, Place::Parameter, name, report);
            }
        }
        for (name, _) in &query {
            let known = |parameter: &&Value| parameter.get("name").and_then(Value::as_str) == Some(name);
            if !operation.parameters.iter().any(known) {
                report.add(Place::Parameter, name, "the document knows no such query parameter");
            }
        }
    }

    fn check_request(&self, operation: &Operation<'_>, exchange: &Exchange, report: &mut Report) {
        let body = exchange.request_body.as_str();
        let Some(documented) = operation.body else {
            if !body.is_empty() {
                report.add(Place::Request, "", "the document knows no body for this request");
            }
            return;
        };
        if body.is_empty() {
            if documented.get("required") == Some(&Value::Bool(true)) {
                report.add(Place::Request, "", "the required body is missing");
            }
            return;
        }
        let kind = media_type(&exchange.request_headers);
        let Some(schema) = documented.get("content").and_then(|content| content.get(kind)?.get("schema"))
        else {
            report.add(Place::Request, "", format!("the document knows no body of the type `{kind}`"));
            return;
        };
        let shape = self.shape(operation, &format!("request {kind}"), schema, Side::Request);
        if kind == "application/x-www-form-urlencoded" {
            let fields = url::form_urlencoded::parse(body.as_bytes()).into_owned();
            let form = fields.map(|(name, value)| (name, Value::String(value))).collect();
            shape.check(&Value::Object(form), Place::Request, report);
        } else {
            shape.check_body(body, Place::Request, report);
        }
    }

    fn check_answer(&self, operation: &Operation<'_>, exchange: &Exchange, report: &mut Report) {
        let (status, body) = (exchange.status, exchange.answer_body.as_str());
        let place = Place::Answer(status);
        let Some((key, response)) = operation.response(status) else {
            if status < 400 {
                report.add(Place::Status, "", format!("the document has no status {status} here"));
                return;
            }
            let error = operation.document.error;
            let schema = json!({ "$ref": format!("#/components/schemas/{error}") });
            self.shape(operation, error, &schema, Side::Answer).check_body(body, place, report);
            return;
        };
        self.check_headers(operation, &key, response, exchange, report);
        let content =
            response.get("content").and_then(Value::as_object).filter(|content| !content.is_empty());
        let Some(content) = content.filter(|_| status != 204) else {
            if !body.is_empty() {
                report.add(place, "", format!("the document has no body for status {status}"));
            }
            return;
        };
        if body.is_empty() {
            report.add(place, "", "the body is missing");
            return;
        }
        let kind = media_type(&exchange.answer_headers);
        if !content.contains_key(kind) {
            report.add(place, "", format!("the document has no answer of the type `{kind}`"));
        }
        // A missing header must not hide what is wrong with the body.
        let kind = if kind.is_empty() { "application/json" } else { kind };
        if let Some(schema) = content.get(kind).and_then(|content| content.get("schema")) {
            let shape = self.shape(operation, &format!("answer {key} {kind}"), schema, Side::Answer);
            shape.check_body(body, place, report);
        }
    }

    fn check_headers(
        &self,
        operation: &Operation<'_>,
        status: &str,
        response: &Value,
        exchange: &Exchange,
        report: &mut Report,
    ) {
        for (name, header) in response.get("headers").and_then(Value::as_object).into_iter().flatten() {
            let header = operation.document.resolve(header);
            let values = named(&exchange.answer_headers, &name.to_lowercase());
            if values.is_empty() {
                if header.get("required") == Some(&Value::Bool(true)) {
                    report.add(Place::Header, name, "the required header is missing");
                }
            } else if let Some(schema) = header.get("schema") {
                let shape = self.shape(operation, &format!("header {status} {name}"), schema, Side::Answer);
                shape.check_text(&values, Place::Header, name, report);
            }
        }
    }

    /// The schema of one part of one operation, built when it is first asked for.
    fn shape(&self, operation: &Operation<'_>, part: &str, schema: &Value, side: Side) -> Arc<Shape> {
        let key = format!("{} {part}", operation.path);
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let shape = compiled
            .entry(key)
            .or_insert_with(|| Arc::new(Shape::new(&operation.document.root, schema, side)));
        Arc::clone(shape)
    }
}

impl Document {
    fn paths(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.root.get("paths").and_then(Value::as_object).into_iter().flatten()
    }

    /// What `value` refers to, or itself.
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let target = value.get("$ref").and_then(|target| target.as_str()?.strip_prefix('#'));
        target.and_then(|target| self.root.pointer(target)).unwrap_or(value)
    }
}

impl<'a> Operation<'a> {
    fn response(&self, status: u16) -> Option<(String, &'a Value)> {
        let keys = [status.to_string(), format!("{}XX", status / 100), "default".to_owned()];
        keys.into_iter().find_map(|key| {
            let response = self.document.resolve(self.responses.get(&key)?);
            Some((key, response))
        })
    }
}

type Pairs = Vec<(String, String)>;

/// How literally `template` fits `path`, segment by segment, and what its parameters are; `None` if it does not.
fn fit(template: &str, path: &str) -> Option<(Vec<bool>, Pairs)> {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    if template.len() != path.len() {
        return None;
    }
    let (mut literal, mut parameters) = (Vec::new(), Vec::new());
    for (template, segment) in template.into_iter().zip(path) {
        let segment = decoded(segment);
        let name = template.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        literal.push(name.is_none());
        match name {
            Some(name) if !segment.is_empty() => parameters.push((name.to_owned(), segment)),
            None if template == segment => {}
            _ => return None,
        }
    }
    Some((literal, parameters))
}

fn decoded(segment: &str) -> String {
    // In a path a plus sign is a plus sign.
    let form = format!("x={}", segment.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(form.as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

fn named<'a>(pairs: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
}

fn media_type(headers: &[(String, String)]) -> &str {
    let header = named(headers, "content-type").first().copied().unwrap_or_default();
    header.split(';').next().unwrap_or_default().trim()
}
