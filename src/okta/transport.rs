//! One exchange with the org: within its limits, in time, and never more of an answer than we can hold.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use domain::ports::{Clock, DirectoryError};
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Request, Response, StatusCode};
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument, Span, debug, debug_span, field};

use super::limits::{Admission, Bucket, Limits, Told};

/// Is told of every request that was sent: its path without ids, and the status of the answer; `None` without one.
pub type Observer = Arc<dyn Fn(&'static str, Option<u16>) + Send + Sync>;

/// How long we wait for Okta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// For the head of an answer.
    pub headers: Duration,
    /// For the head of an answer about the log: Okta gives its own search 30 s, and then says so.
    pub log_headers: Duration,
    /// For a whole exchange.
    pub whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            headers: Duration::from_secs(15),
            log_headers: Duration::from_secs(35),
            whole: Duration::from_secs(60),
        }
    }
}

/// More than any page of the log has, decompressed.
const MOST_BYTES: usize = 16 * 1024 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-okta-request-id");

/// An answer that is not about the exchange itself: 2xx, or a 4xx other than 429.
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Okta's clock when it answered.
    pub date: Option<Timestamp>,
}

impl Answer {
    /// Okta's name for the request, for its support.
    pub(crate) fn request_id(&self) -> &str {
        request_id(&self.headers)
    }

    /// The same, where Okta gave one.
    pub(crate) fn okta_request(&self) -> Option<&str> {
        text(&self.headers, &REQUEST_ID)
    }
}

/// What became of the exchanges so far.
#[derive(Debug, Default)]
struct Seen {
    skew: Option<SignedDuration>,
    request_id: Option<String>,
}

/// The way to one org.
pub(crate) struct Transport {
    http: reqwest::Client,
    pub(crate) limits: Limits,
    timeouts: Timeouts,
    clock: Arc<dyn Clock>,
    org: String,
    seen: Mutex<Seen>,
    pub(crate) observer: Option<Observer>,
}

impl Transport {
    pub(crate) fn new(
        org: &str,
        loopback: bool,
        share: f64,
        timeouts: Timeouts,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, reqwest::Error> {
        crate::tls::install_provider();
        let mut http = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(timeouts.connect)
            .https_only(!loopback)
            .user_agent(concat!("provost/", env!("CARGO_PKG_VERSION")));
        if loopback {
            http = http.no_proxy();
        }
        let limits = Limits::new(share);
        let (http, org, seen) = (http.build()?, org.to_owned(), Mutex::default());
        Ok(Self { http, limits, timeouts, clock, org, seen, observer: None })
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// How far Okta's clock is ahead of ours, by the last answer.
    pub(crate) fn skew(&self) -> Option<SignedDuration> {
        self.seen().skew
    }

    pub(crate) fn last_request_id(&self) -> Option<String> {
        self.seen().request_id.clone()
    }

    /// Now, by our clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Now, by Okta's clock as far as we know it.
    pub(crate) fn now_at_okta(&self) -> Timestamp {
        let now = self.now();
        now.checked_add(self.skew().unwrap_or_default()).unwrap_or(now)
    }

    /// Sends a request. `template` is its path without ids, for the log.
    ///
    /// # Errors
    ///
    /// `RateLimited`, without sending, where the limits forbid it, and on 429; `Refused` on a redirect, which is
    /// never followed; `Unreachable` on 5xx and where no answer came in time; `BadAnswer` if it is cut or too long.
    pub(crate) async fn exchange(
        &self,
        request: Request,
        template: &'static str,
    ) -> Result<Answer, DirectoryError> {
        let span = debug_span!(
            "okta",
            http.method = %request.method(),
            http.path = template,
            http.status = field::Empty,
            okta.request_id = field::Empty,
        );
        self.send(request, template).instrument(span).await
    }

    async fn send(&self, request: Request, template: &'static str) -> Result<Answer, DirectoryError> {
        let bucket = Bucket::of(request.url().path());
        let admission =
            self.limits.admit(bucket, self.now()).map_err(|until| DirectoryError::RateLimited { until })?;

        let began = Instant::now();
        let headers_within =
            if bucket == Bucket::Logs { self.timeouts.log_headers } else { self.timeouts.headers };
        let answered =
            timeout_at(began + headers_within.min(self.timeouts.whole), self.http.execute(request)).await;
        if let Some(observer) = &self.observer {
            let response = answered.as_ref().ok().and_then(|answered| answered.as_ref().ok());
            observer(template, response.map(|response| response.status().as_u16()));
        }
        let response = answered
            .map_err(|_| unreachable(format!("no answer within {headers_within:?}")))?
            .map_err(|error| unreachable(chain(&error.without_url())))?;

        let (status, date) = self.note(&response);
        let told = told(response.headers(), date.unwrap_or_else(|| self.now_at_okta()));
        self.account(admission, status, told)?;
        if status.is_redirection() {
            return Err(self.redirected(&response));
        }
        if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
            let id = request_id(response.headers());
            return Err(unreachable(format!("it answered {status} (request {id})")));
        }

        let headers = response.headers().clone();
        let body = timeout_at(began + self.timeouts.whole, body(response)).await.map_err(|_| {
            unreachable(format!("the answer was not complete within {:?}", self.timeouts.whole))
        })??;
        debug!(bytes = body.len(), "Okta answered");
        Ok(Answer { status, headers, body, date })
    }

    /// Takes down what every answer tells.
    fn note(&self, response: &Response) -> (StatusCode, Option<Timestamp>) {
        let (status, headers) = (response.status(), response.headers());
        let date = text(headers, &DATE).and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
        let id = request_id(headers);
        Span::current().record("http.status", status.as_u16()).record("okta.request_id", id);
        let mut seen = self.seen();
        seen.request_id = Some(id.to_owned());
        if let Some(date) = date {
            seen.skew = Some(date.duration_since(self.now()));
        }
        (status, date)
    }

    fn account(
        &self,
        admission: Admission<'_>,
        status: StatusCode,
        told: Told,
    ) -> Result<(), DirectoryError> {
        if status == StatusCode::TOO_MANY_REQUESTS {
            let until = admission.refused(told, self.now());
            return Err(DirectoryError::RateLimited { until });
        }
        admission.answered(told, self.now());
        Ok(())
    }

    fn redirected(&self, response: &Response) -> DirectoryError {
        let target = text(response.headers(), &LOCATION).and_then(|to| response.url().join(to).ok());
        let host = target.as_ref().and_then(|url| url.host_str()).unwrap_or("nowhere").to_owned();
        DirectoryError::Refused {
            code: response.status().as_u16().to_string(),
            said: format!(
                "it redirects to {host}, which Provost does not follow; check okta.{}.url",
                self.org
            ),
        }
    }

    /// A panic of another thread cannot leave this half written in a way that matters.
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a body piece by piece, and stops at the cap: what is compressed may be a thousand times longer than it looks.
async fn body(mut response: Response) -> Result<Vec<u8>, DirectoryError> {
    let id = request_id(response.headers()).to_owned();
    let bad = |why: String| DirectoryError::BadAnswer { why: format!("{why} (request {id})") };
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(body),
            Ok(Some(piece)) if body.len() + piece.len() > MOST_BYTES => {
                return Err(bad(format!("it is longer than {} MiB", MOST_BYTES >> 20)));
            }
            Ok(Some(piece)) => body.extend_from_slice(&piece),
            Err(error) if error.is_timeout() => return Err(unreachable(chain(&error.without_url()))),
            Err(error) => {
                return Err(bad(format!("it was cut or is garbled: {}", chain(&error.without_url()))));
            }
        }
    }
}

/// What is wrong with a body that is not the JSON we expect; never the body itself.
pub(crate) fn not_json(answer: &Answer, why: impl std::fmt::Display) -> DirectoryError {
    let kind = text(&answer.headers, &CONTENT_TYPE).unwrap_or("no content type");
    let html = kind.contains("html") || answer.body.trim_ascii_start().starts_with(b"<");
    let what = match (html, answer.body.is_empty()) {
        (true, _) => "it is a web page, not JSON".to_owned(),
        (_, true) => "it is empty".to_owned(),
        _ => why.to_string(),
    };
    DirectoryError::BadAnswer {
        why: format!("{what} (status {}, request {})", answer.status, answer.request_id()),
    }
}

pub(crate) fn unreachable(why: String) -> DirectoryError {
    DirectoryError::Unreachable { why }
}

/// An error with all its causes: alone, reqwest's says no more than “error sending request”.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !words.ends_with(&said) {
            words = format!("{words}: {said}");
        }
        cause = error.source();
    }
    words
}

fn told(headers: &HeaderMap, date: Timestamp) -> Told {
    let number = |name| text(headers, &HeaderName::from_static(name))?.parse::<i64>().ok();
    let count = |name| number(name).and_then(|number| u64::try_from(number).ok());
    let reset = number("x-rate-limit-reset").and_then(|reset| Timestamp::from_second(reset).ok());
    Told {
        limit: count("x-rate-limit-limit"),
        remaining: count("x-rate-limit-remaining"),
        reset_in: reset.map(|reset| reset.duration_since(date)),
        retry_after: text(headers, &RETRY_AFTER)
            .and_then(|seconds| seconds.parse().ok())
            .map(|seconds: u32| SignedDuration::from_secs(seconds.into())),
    }
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

fn request_id(headers: &HeaderMap) -> &str {
    text(headers, &REQUEST_ID).unwrap_or("unknown")
}
