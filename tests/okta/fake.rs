//! A server that answers as a test says, a clock that a test turns, and what both have seen.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use axum::response::IntoResponse as _;
use domain::ports::Clock;
use jiff::{SignedDuration, Timestamp};
use provost::okta::{Credentials, Okta, OktaSettings, Timeouts};
use serde_json::Value;
use tokio::net::TcpListener;

pub const PAGE: &str = include_str!("../fixtures/okta/log-page.json");

/// A clock that stands still until it is turned.
#[derive(Debug)]
pub struct TestClock(Mutex<Timestamp>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl TestClock {
    pub fn turn(&self, by: SignedDuration) {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) += by;
    }
}

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: String,
    /// What the test's clock said.
    pub now: Timestamp,
}

impl Asked {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap_or_default()).unwrap_or_default()
    }

    pub fn query(&self, name: &str) -> Option<String> {
        let query = self.uri.query().unwrap_or_default().as_bytes();
        url::form_urlencoded::parse(query).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    pub fn form(&self, name: &str) -> Option<String> {
        let mut form = url::form_urlencoded::parse(self.body.as_bytes());
        form.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// A server on loopback.
pub struct Fake {
    pub url: String,
    pub clock: Arc<TestClock>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    /// Answers every request by `answer`, with the clock's time as its `Date` unless the answer has one of its own.
    pub async fn answering(
        answer: impl Fn(&Asked) -> Response<Body> + Clone + Send + Sync + 'static,
    ) -> Self {
        let clock = Arc::new(TestClock(Mutex::new(Timestamp::from_second(1_800_000_000).expect("in range"))));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, time) = (Arc::clone(&asked), Arc::clone(&clock));
        let router = Router::new().fallback(async move |request: Request| {
            let (head, body) = request.into_parts();
            let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
            let body = String::from_utf8_lossy(&body).into_owned();
            let asked =
                Asked { method: head.method, uri: head.uri, headers: head.headers, body, now: time.now() };
            let mut response = answer(&asked);
            if let Ok(mut seen) = seen.lock() {
                seen.push(asked);
            }
            let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time.now());
            let date = date.ok().and_then(|date| date.parse().ok());
            if let (Some(date), false) = (date, response.headers().contains_key("date")) {
                response.headers_mut().insert("date", date);
            }
            response
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, clock, asked }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().map(|asked| asked.clone()).unwrap_or_default()
    }

    /// The client of this org with an API token.
    pub fn okta(&self) -> Okta {
        self.okta_with(Credentials::Token("00token".into()))
    }

    pub fn okta_with(&self, credentials: Credentials) -> Okta {
        okta(&self.url, credentials, Arc::clone(&self.clock), Timeouts::default())
    }
}

/// For servers that never answer in time, whatever the machine is busy with.
pub const SHORT: Timeouts = Timeouts {
    connect: Duration::from_millis(500),
    headers: Duration::from_millis(200),
    log_headers: Duration::from_millis(400),
    whole: Duration::from_millis(800),
};

pub fn okta(url: &str, credentials: Credentials, clock: Arc<TestClock>, timeouts: Timeouts) -> Okta {
    let settings = OktaSettings {
        org: "acme".parse().expect("a name"),
        url: url.parse().expect("an address"),
        credentials,
        rate_limit_share: 0.5,
        writes: false,
    };
    Okta::with_timeouts(settings, clock, timeouts).expect("good settings")
}

/// An answer with Okta's name for the request, and room in its limits.
pub fn answer(status: u16, body: impl Into<Body>) -> Response<Body> {
    let status = StatusCode::from_u16(status).expect("a status");
    let headers = [("content-type", "application/json"), ("x-okta-request-id", "Yreq7")];
    (status, headers, body.into()).into_response()
}

pub fn json(status: u16, body: &Value) -> Response<Body> {
    answer(status, body.to_string())
}

/// An error as Okta words it.
pub fn error(status: u16, code: &str, summary: &str) -> Response<Body> {
    json(status, &serde_json::json!({ "errorCode": code, "errorSummary": summary, "errorCauses": [] }))
}

pub fn with(mut response: Response<Body>, name: &'static str, value: &str) -> Response<Body> {
    response.headers_mut().append(name, value.parse().expect("a header"));
    response
}
