//! What was asked and what was answered, kept so that a test can hold both against the official documents.

use std::sync::{Arc, Mutex, PoisonError};

/// One request to a simulator and its answer. Secrets are left out when it is written down.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The method, in capitals.
    pub method: String,
    /// The path, as it came.
    pub path: String,
    /// The query, as it came, without the question mark; empty if there was none.
    pub query: String,
    /// The request's headers in lower case, without `authorization`, `dpop` and cookies.
    pub request_headers: Vec<(String, String)>,
    /// The request's body; empty if there was none. A multipart body is kept as its `payload_json` part.
    pub request_body: String,
    /// The answer's status.
    pub status: u16,
    /// The answer's headers in lower case.
    pub answer_headers: Vec<(String, String)>,
    /// The answer's body before compression; empty if there was none.
    pub answer_body: String,
    /// Whether the answer was spoilt on purpose (a cut body, HTML from a proxy, a foreign link): no document
    /// describes it.
    pub spoilt: bool,
}

/// All exchanges of one simulator, in order.
#[derive(Debug, Clone, Default)]
pub struct Ledger(Arc<Mutex<Vec<Exchange>>>);

impl Ledger {
    /// Writes one down.
    pub fn note(&self, exchange: Exchange) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
    }

    /// Everything so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets everything so far; a long test does so between its parts.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
