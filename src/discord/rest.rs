//! The sender: one request to Discord, with its limits, time limits and repetitions.
//!
//! **Invariant:** no URL, body or token of a request is ever logged or put into an error.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use domain::ids::MemberId;
use domain::ports::Clock;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};
use tracing::{debug, instrument, warn};
use url::Url;

use super::ask::Ask;
use super::is_loopback;
use super::lanes::{Lanes, Told, Turn, Via, jitter};
use super::refusal::Failure;

/// Discord asks for a name in this form. Source: Discord, API Reference, “User Agent”.
const USER_AGENT: &str =
    concat!("DiscordBot (https://github.com/provost-bot/provost, ", env!("CARGO_PKG_VERSION"), ")");

/// Is told of every request that was sent: its method and path without ids, and the status of the answer; `None`
/// without one.
pub type Observer = Arc<dyn Fn(&'static str, Option<u16>) + Send + Sync>;

/// The limits of a request; tests shorten them.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// To connect.
    pub connect: Duration,
    /// From sending to the last byte of the answer.
    pub whole: Duration,
    /// The same for the first answer to an interaction, which Discord waits three seconds for.
    pub callback: Duration,
    /// All waiting for rate limits together; beyond it, the answer is “come back at”.
    pub patience: Duration,
    /// The longest wait that Discord's answer is believed.
    pub longest_wait: Duration,
    /// Before the second attempt; it doubles.
    pub back_off: Duration,
    /// How often a request is tried that may be repeated.
    pub attempts: u32,
    /// Bytes of an answer.
    pub body: usize,
    /// Requests a second, all lanes together.
    pub per_second: usize,
    /// Invalid requests in ten minutes; at 10,000 Discord bans the address.
    pub invalid: usize,
    /// How long a refused token is not tried again: 288 times a day are far from a ban.
    pub refused: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            whole: Duration::from_secs(30),
            callback: Duration::from_millis(2_500),
            patience: Duration::from_secs(30),
            longest_wait: Duration::from_secs(15 * 60),
            back_off: Duration::from_millis(400),
            attempts: 4,
            body: 8 << 20,
            per_second: 50,
            invalid: 5_000,
            refused: Duration::from_secs(300),
        }
    }
}

/// Discord over HTTP, as one bot.
pub struct Rest {
    http: Client,
    base: Url,
    authorization: HeaderValue,
    clock: Arc<dyn Clock>,
    limits: Limits,
    lanes: Lanes,
    /// Since when Discord refuses the token: it is tried seldom then, or Discord bans the address.
    refused: Mutex<Option<Instant>>,
    pub(super) me: OnceCell<MemberId>,
    observer: Option<Observer>,
}

/// What one attempt brought.
enum Outcome {
    Done(Vec<u8>),
    Later(Instant),
    Again(Failure),
    Never(Failure),
}

#[derive(Deserialize, Default)]
struct Slow {
    retry_after: Option<f64>,
    #[serde(default)]
    global: bool,
}

impl Rest {
    /// A bot at Discord, or at another origin in a test. Connects to nothing yet.
    ///
    /// # Errors
    ///
    /// An origin that is neither `https` nor on this machine, or a token that no header can hold.
    pub fn new(api_url: Url, token: SecretString, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        Self::with_limits(api_url, token, clock, Limits::default())
    }

    /// The same with other limits.
    ///
    /// # Errors
    ///
    /// As [`Rest::new`].
    pub fn with_limits(
        api_url: Url,
        token: SecretString,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> anyhow::Result<Self> {
        ensure!(
            api_url.scheme() == "https" || is_loopback(&api_url) && api_url.scheme() == "http",
            "discord.api_url must begin with https:// (http:// is for this machine only)"
        );
        let mut authorization = HeaderValue::from_str(&format!("Bot {}", token.expose_secret()))
            .ok()
            .context("the Discord token holds characters that no token has")?;
        authorization.set_sensitive(true);
        crate::tls::install_provider();
        let http = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .connect_timeout(limits.connect)
            .tcp_nodelay(true);
        // What is on this machine is not behind a proxy, and without TLS the token must not leave it.
        let http = if is_loopback(&api_url) { http.no_proxy() } else { http };
        let http =
            http.build().map_err(reqwest::Error::without_url).context("the HTTP client cannot be set up")?;
        let lanes = Lanes::new(limits.per_second, limits.invalid);
        let mut base = api_url;
        if let Ok(mut path) = base.path_segments_mut() {
            path.pop_if_empty().extend(["api", "v10"]);
        }
        let (refused, me) = (Mutex::new(None), OnceCell::new());
        Ok(Self { http, base, authorization, clock, limits, lanes, refused, me, observer: None })
    }

    /// Has `observer` told of every request from now on. It must not block.
    pub fn with_observer(mut self, observer: Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Now, by our clock.
    pub(super) fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// Sends a request and reads its answer.
    pub(super) async fn ask<T: DeserializeOwned>(&self, ask: Ask) -> Result<T, Failure> {
        let body = self.send(ask).await?;
        serde_json::from_slice(&body).map_err(|error| Failure::unreadable(&error))
    }

    /// Sends a request until it is answered, refused, or must be left for later.
    #[instrument(skip_all, fields(http.route = ask.road.route))]
    pub(super) async fn send(&self, mut ask: Ask) -> Result<Vec<u8>, Failure> {
        let deadline = Instant::now() + self.limits.patience;
        let attempts = if ask.via == Via::Callback { 2 } else { self.limits.attempts };
        let mut failed = 0;
        loop {
            if ask.via == Via::Bot && self.is_refused() {
                return Err(Failure::Unauthorized);
            }
            let turn = self.lanes.enter(ask.via, ask.road, deadline).await;
            let turn = turn.map_err(|until| self.limited(until))?;
            match self.attempt(&mut ask, turn, attempts).await {
                Outcome::Done(body) => return Ok(body),
                // Ours was the first answer after all: only the word of it was lost.
                Outcome::Never(Failure::Refused { code: 40_060, .. }) if failed > 0 => return Ok(Vec::new()),
                Outcome::Never(failure) => return Err(failure),
                Outcome::Later(until) if until > deadline || ask.via == Via::Callback => {
                    return Err(self.limited(until));
                }
                Outcome::Later(_) => {}
                Outcome::Again(failure) => {
                    failed += 1;
                    if failed >= attempts || !ask.repeatable || Instant::now() > deadline {
                        return Err(failure);
                    }
                    let pause = self.limits.back_off * 2_u32.pow(failed - 1);
                    debug!(?failure, "Discord did not answer; trying again in {pause:?}");
                    sleep(if ask.via == Via::Callback { Duration::ZERO } else { pause + jitter(pause) })
                        .await;
                }
            }
        }
    }

    /// Whether the token was refused so lately that it is not tried again yet.
    fn is_refused(&self) -> bool {
        let refused = *self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.is_some_and(|since| since.elapsed() < self.limits.refused)
    }

    async fn attempt(&self, ask: &mut Ask, _turn: Turn, attempts: u32) -> Outcome {
        let whole =
            if ask.via == Via::Callback { self.limits.callback / attempts } else { self.limits.whole };
        let answered = self.request(ask, whole).send().await;
        if let Some(observer) = &self.observer {
            observer(ask.road.route, answered.as_ref().ok().map(|response| response.status().as_u16()));
        }
        let mut response = match answered {
            Ok(response) => response,
            Err(error) => return Outcome::Again(unreachable(error)),
        };
        let (status, headers) = (response.status(), response.headers());
        self.lanes.told(ask.road, told(headers));
        let slow = (status == StatusCode::TOO_MANY_REQUESTS).then(|| headers.clone());
        let body = match read(&mut response, self.limits.body).await {
            Ok(body) => body,
            Err(failure) => return Outcome::Again(failure),
        };
        debug!(http.status = status.as_u16(), "Discord answered");
        if let Some(headers) = slow {
            return Outcome::Later(self.slow_down(ask, &headers, &body));
        }
        if status.is_success() {
            return Outcome::Done(body);
        }
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            self.lanes.count_invalid();
        }
        if status == StatusCode::UNAUTHORIZED && ask.via == Via::Bot {
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            return Outcome::Never(Failure::Unauthorized);
        }
        if status.is_server_error() {
            return Outcome::Again(Failure::Unreachable {
                why: format!("it answered HTTP {}", status.as_u16()),
            });
        }
        if status.is_redirection() {
            let why = "it points to another address, which is not followed; look at discord.api_url";
            return Outcome::Never(Failure::Unreachable { why: why.to_owned() });
        }
        Outcome::Never(Failure::read(status.as_u16(), &body))
    }

    fn request(&self, ask: &Ask, whole: Duration) -> reqwest::RequestBuilder {
        let request = self.http.request(ask.method.clone(), ask.url(&self.base)).timeout(whole);
        let request = match ask.via {
            Via::Bot => request.header(AUTHORIZATION, self.authorization.clone()),
            // An interaction's own token is its authorization.
            Via::Webhook | Via::Callback => request,
        };
        ask.dress(request)
    }

    /// Notes a 429 and says when its lane opens again.
    fn slow_down(&self, ask: &Ask, headers: &HeaderMap, body: &[u8]) -> Instant {
        // A body that is not Discord's comes from its shield, which means the whole address.
        let slow: Option<Slow> = serde_json::from_slice(body).ok();
        let page = slow.is_none();
        let slow = slow.unwrap_or_default();
        let header = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<f64>().ok());
        let told =
            [header, slow.retry_after].into_iter().flatten().filter(|wait| wait.is_finite() && *wait > 0.0);
        let longest = self.limits.longest_wait;
        let wait = told
            .reduce(f64::max)
            .map_or(Duration::from_secs(1), |wait| Duration::from_secs_f64(wait.min(longest.as_secs_f64())));
        let wait = wait + jitter(wait.mul_f64(0.1).min(Duration::from_millis(500)));

        let scope = headers.get("x-ratelimit-scope").and_then(|value| value.to_str().ok()).unwrap_or("user");
        if scope != "shared" {
            self.lanes.count_invalid();
        }
        let global = slow.global || page || headers.contains_key("x-ratelimit-global") || scope == "global";
        warn!(http.route = ask.road.route, scope, global, "Discord asks us to wait for {wait:?}");
        self.lanes.closed(ask.road, wait, global)
    }

    fn limited(&self, until: Instant) -> Failure {
        let wait = until.saturating_duration_since(Instant::now());
        let until = self.clock.now().checked_add(wait).unwrap_or(jiff::Timestamp::MAX);
        Failure::Limited { until }
    }
}

fn told(headers: &HeaderMap) -> Told {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let wait = text("x-ratelimit-reset-after").and_then(|wait| wait.parse::<f64>().ok());
    Told {
        bucket: text("x-ratelimit-bucket").map(|bucket| bucket.chars().take(64).collect()),
        remaining: text("x-ratelimit-remaining").and_then(|left| left.parse().ok()),
        reset_after: wait.and_then(|wait| Duration::try_from_secs_f64(wait.min(900.0)).ok()),
    }
}

async fn read(response: &mut Response, most: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(body),
            Ok(Some(chunk)) if body.len() + chunk.len() > most => {
                return Err(Failure::Unreachable { why: format!("its answer is over {most} bytes long") });
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Err(error) => return Err(unreachable(error)),
        }
    }
}

/// Names what happened on the way, without the URL: an interaction's URL holds its token.
fn unreachable(error: reqwest::Error) -> Failure {
    let why = if error.is_timeout() {
        "it did not answer in time".to_owned()
    } else {
        let error = error.without_url();
        let mut why = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            why = format!("{why}: {cause}");
            source = cause.source();
        }
        why
    };
    Failure::Unreachable { why }
}
