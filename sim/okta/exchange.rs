//! A request as it came, an answer before it goes out.

use serde_json::{Value, json};
use url::form_urlencoded;

/// A request to the simulated org.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub method: String,
    pub path: String,
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Call {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// The query's parameters, decoded.
    pub(super) fn params(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    pub(super) fn param(&self, name: &str) -> Option<String> {
        self.params().into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The number of the parameter `limit`, or its default; outside of `1..=most` it is an error.
    pub(super) fn limit(&self, default: usize, least: usize, most: usize) -> Result<usize, Answer> {
        let Some(text) = self.param("limit") else { return Ok(default) };
        let limit = text.parse().ok().filter(|limit| (least..=most).contains(limit));
        let cause = format!("The limit must be a number from {least} to {most}.");
        limit.ok_or_else(|| Answer::invalid("limit", &cause))
    }

    /// Path and query, which is what faults are matched on.
    pub(super) fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Result<Value, Answer> {
        serde_json::from_str(&self.body)
            .map_err(|_| Answer::error(400, "E0000003", "The request body was not well-formed.", &[]))
    }
}

/// An answer of the simulated org.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    /// Whether no document describes it.
    pub spoilt: bool,
}

impl Answer {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: body.to_string(), spoilt: false }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: vec![], body: String::new(), spoilt: false }
    }

    /// An error in the shape that all of Okta's management API has.
    pub(super) fn error(status: u16, code: &str, summary: &str, causes: &[&str]) -> Self {
        let causes: Vec<_> = causes.iter().map(|cause| json!({ "errorSummary": cause })).collect();
        Self::json(
            status,
            &json!({
                "errorCode": code,
                "errorSummary": summary,
                "errorLink": code,
                "errorId": ERROR_ID,
                "errorCauses": causes,
            }),
        )
    }

    pub(super) fn invalid(what: &str, cause: &str) -> Self {
        let cause = format!("{what}: {cause}");
        Self::error(400, "E0000001", &format!("Api validation failed: {what}"), &[&cause])
    }

    pub(super) fn not_found(what: &str, kind: &str) -> Self {
        Self::error(404, "E0000007", &format!("Not found: Resource not found: {what} ({kind})"), &[])
    }

    /// No such path.
    pub(super) fn nowhere() -> Self {
        Self::error(404, "E0000007", "Not found: Resource not found: null (null)", &[])
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::error(405, "E0000022", "The endpoint does not support the provided HTTP method", &[])
    }

    pub(super) fn too_many_requests() -> Self {
        Self::error(429, "E0000047", "API call exceeded rate limit due to too many requests.", &[])
    }

    pub(super) fn invalid_token() -> Self {
        Self::error(401, "E0000011", "Invalid token provided", &[])
    }

    /// The error of Okta's authorization server.
    pub(super) fn oauth(status: u16, error: &str, description: &str) -> Self {
        Self::json(status, &json!({ "error": error, "error_description": description }))
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Each link is a header of its own, as Okta sends them.
    pub(super) fn with_link(self, url: &str, rel: &str) -> Self {
        self.with("link", format!("<{url}>; rel=\"{rel}\""))
    }

    pub(super) fn spoilt(self) -> Self {
        Self { spoilt: true, ..self }
    }
}

/// Stands in an error's body until the answer gets an id of its own.
pub(super) const ERROR_ID: &str = "oae-id-of-the-error";
