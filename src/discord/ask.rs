//! One request, before it is sent.
//!
//! **Invariant:** it has no `Debug`: its path may hold an interaction's token.

use commands::chat::File;
use reqwest::header::CONTENT_TYPE;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use url::Url;

use super::lanes::{Road, Via};

/// One request.
pub(super) struct Ask {
    pub method: Method,
    pub road: Road,
    segments: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
    files: Vec<File>,
    pub via: Via,
    /// Whether sending it twice does it once.
    pub repeatable: bool,
}

impl Ask {
    /// A request; `route` is its method and path with `{}` for every value, which `values` brings in order. The
    /// first value is the major id.
    pub fn new(via: Via, route: &'static str, major: u64, values: &[&str]) -> Self {
        let (method, path) = route.split_once(' ').unwrap_or(("GET", route));
        let mut values = values.iter();
        let segments = path.trim_start_matches('/').split('/').map(|part| match part {
            "{}" => values.next().copied().unwrap_or_default().to_owned(),
            part => part.to_owned(),
        });
        let method = match method {
            "POST" => Method::POST,
            "PATCH" => Method::PATCH,
            "PUT" => Method::PUT,
            _ => Method::GET,
        };
        Self {
            repeatable: method != Method::POST,
            segments: segments.collect(),
            road: Road { route, major },
            method,
            via,
            query: Vec::new(),
            body: None,
            files: Vec::new(),
        }
    }

    /// Asks for a part of a list.
    pub fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// Sends JSON.
    pub fn json(mut self, body: &impl serde::Serialize) -> Self {
        // Only maps with keys that are no strings cannot be written, and nothing here has any.
        self.body = serde_json::to_vec(body).ok();
        self
    }

    /// Sends files beside the JSON.
    pub fn files(mut self, files: Vec<File>) -> Self {
        self.files = files;
        self
    }

    /// Says that sending it twice does it once.
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Where it goes. Every value becomes one part of the path, whatever it holds.
    pub fn url(&self, base: &Url) -> Url {
        let mut url = base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(&self.segments);
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }

    /// Puts on what it carries.
    pub fn dress(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.body {
            None => request,
            Some(body) if self.files.is_empty() => {
                request.header(CONTENT_TYPE, "application/json").body(body.clone())
            }
            Some(body) => request.multipart(form(body, &self.files)),
        }
    }
}

/// Files go as form parts beside the message. Source: Discord, API Reference, “Uploading Files”.
fn form(body: &[u8], files: &[File]) -> Form {
    let json = Part::bytes(body.to_vec()).mime_str("application/json");
    let mut form = Form::new();
    if let Ok(json) = json {
        form = form.part("payload_json", json);
    }
    for (number, file) in files.iter().enumerate() {
        let part = Part::bytes(file.bytes.clone()).file_name(file.name.clone());
        form = form.part(format!("files[{number}]"), part);
    }
    form
}
