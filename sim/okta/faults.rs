//! What can go wrong between a client and Okta, on demand.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::exchange::Answer;

/// Something that goes wrong with one request or its answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// 429, nothing done; `X-Rate-Limit-Reset` so many seconds from now (it has been seen in the past).
    RateLimited {
        /// Seconds from the org's now.
        reset_in_secs: i64,
    },
    /// 429, nothing done: too many requests at once, told by a limit of 0.
    ConcurrencyLimited,
    /// Okta's error shape with this status, nothing done.
    Status(u16),
    /// An HTML page with this status, as a proxy sends it; nothing done.
    Html(u16),
    /// Done, but the connection breaks in the middle of the body.
    CutBody,
    /// Done, but `Content-Length` is half of the body, so that the body ends early.
    WrongLength,
    /// Done, but the body is empty.
    EmptyBody,
    /// Done, but the body is not JSON although the header says so.
    NotJson,
    /// Done, and answered after this time.
    Slow(Duration),
    /// The connection closes without an answer; nothing done.
    Drop,
    /// Done, then the connection closes without an answer.
    DropAfterDoing,
    /// A redirect with this status to this URL, nothing done.
    Redirect(u16, String),
    /// Done, with this URL as the link to the next page.
    ForeignNextLink(String),
    /// 401, as for a revoked token; nothing done.
    Unauthorized,
    /// 403, nothing done: this scope is missing.
    Forbidden {
        /// The scope that is asked for.
        scope: String,
    },
    /// Done, with a compressed body that unpacks to so many bytes.
    GzipBomb(usize),
    /// The cursor is refused with this status: 400 or 404.
    CursorRefused(u16),
    /// Done, but one element of the list is no object.
    TornEvent,
}

/// Faults that wait for the requests they will befall.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Waiting>>>);

#[derive(Debug, Clone)]
struct Waiting {
    left: usize,
    contains: String,
    fault: Fault,
}

impl Faults {
    /// Has the next `n` requests whose "METHOD /path?query" contains `contains` go wrong. Faults queue up.
    pub fn next(&self, n: usize, contains: &str, fault: Fault) {
        let waiting = Waiting { left: n, contains: contains.to_owned(), fault };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(waiting);
    }

    /// Forgets all faults that are still waiting.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn take(&self, target: &str) -> Option<Fault> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|one| one.left > 0);
        let one = waiting.iter_mut().find(|one| target.contains(&one.contains))?;
        one.left -= 1;
        Some(one.fault.clone())
    }
}

impl Fault {
    /// The answer that is given without doing anything, if this is such a fault.
    pub(super) fn instead(&self, now: Timestamp) -> Option<Answer> {
        Some(match self {
            Self::RateLimited { reset_in_secs } => Answer::too_many_requests()
                .with("x-rate-limit-limit", "60")
                .with("x-rate-limit-remaining", "0")
                .with("x-rate-limit-reset", (now.as_second() + reset_in_secs).to_string()),
            Self::ConcurrencyLimited => Answer::too_many_requests()
                .with("x-rate-limit-limit", "0")
                .with("x-rate-limit-remaining", "0")
                .with("x-rate-limit-reset", now.as_second().to_string()),
            Self::Status(status) => of_status(*status),
            Self::Html(status) => html(*status),
            Self::Redirect(status, to) => Answer::empty(*status).with("location", &**to).spoilt(),
            Self::Unauthorized => Answer::invalid_token().spoilt(),
            Self::Forbidden { scope } => forbidden(scope),
            Self::CursorRefused(404) => Answer::not_found("after", "LogCursor").spoilt(),
            Self::CursorRefused(status) => {
                let summary = "Api validation failed: after";
                Answer::error(*status, "E0000001", summary, &["after: The cursor is not valid."])
            }
            Self::CutBody
            | Self::WrongLength
            | Self::EmptyBody
            | Self::NotJson
            | Self::Slow(_)
            | Self::Drop
            | Self::DropAfterDoing
            | Self::ForeignNextLink(_)
            | Self::GzipBomb(_)
            | Self::TornEvent => return None,
        })
    }

    /// What becomes of an answer after everything was done. What only the wire can do is left to it.
    pub(super) fn spoil(&self, mut answer: Answer) -> Answer {
        match self {
            Self::EmptyBody => answer.body.clear(),
            Self::NotJson => "It's down for maintenance.".clone_into(&mut answer.body),
            Self::TornEvent => answer.body = torn(&answer.body),
            Self::ForeignNextLink(url) => {
                answer.headers.retain(|(_, value)| !value.ends_with("rel=\"next\""));
                answer = answer.with_link(url, "next");
            }
            Self::Slow(_) => return answer,
            _ => {}
        }
        answer.spoilt()
    }
}

/// 403 as for an access token without the scope.
pub(super) fn forbidden(scope: &str) -> Answer {
    let summary = "You do not have permission to perform the requested action";
    let challenge = format!(
        "Bearer authorization_uri=\"/oauth2/v1/authorize\", realm=\"okta\", scope=\"{scope}\", \
         error=\"insufficient_scope\", error_description=\"The access token provided does not contain the \
         required scopes.\""
    );
    Answer::error(403, "E0000006", summary, &[]).with("www-authenticate", challenge)
}

fn of_status(status: u16) -> Answer {
    let (code, summary) = match status {
        400 => ("E0000001", "Api validation failed: request"),
        401 => ("E0000011", "Invalid token provided"),
        403 => ("E0000006", "You do not have permission to perform the requested action"),
        404 => ("E0000007", "Not found: Resource not found: null (null)"),
        405 => ("E0000022", "The endpoint does not support the provided HTTP method"),
        429 => ("E0000047", "API call exceeded rate limit due to too many requests."),
        503 => ("E0000010", "Service is in read only mode"),
        _ => ("E0000009", "Internal Server Error"),
    };
    Answer::error(status, code, summary, &[]).spoilt()
}

fn html(status: u16) -> Answer {
    let body = format!(
        "<html><head><title>{status}</title></head><body><h1>{status} from the proxy</h1></body></html>"
    );
    let headers = vec![("content-type", "text/html; charset=utf-8".to_owned())];
    Answer { status, headers, body, spoilt: true }
}

fn torn(body: &str) -> String {
    match serde_json::from_str(body) {
        Ok(Value::Array(mut list)) => {
            let middle = list.len() / 2;
            list.insert(middle, json!(42));
            Value::Array(list).to_string()
        }
        _ => body.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_befall_the_requests_they_wait_for_and_no_others() {
        let faults = Faults::default();
        faults.next(2, "/logs", Fault::Drop);
        faults.next(1, "/logs", Fault::EmptyBody);
        let taken: Vec<_> = ["/api/v1/apps", "/api/v1/logs?a=b", "/logs", "/logs", "/logs"]
            .map(|target| faults.take(target))
            .into();
        assert_eq!(taken, [None, Some(Fault::Drop), Some(Fault::Drop), Some(Fault::EmptyBody), None]);
    }

    #[test]
    fn a_torn_list_keeps_its_other_elements() {
        assert_eq!(torn(r#"[{"a":1},{"b":2}]"#), r#"[{"a":1},42,{"b":2}]"#);
    }
}
