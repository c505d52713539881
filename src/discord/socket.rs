//! The loop around twilight's shard.
//!
//! **Invariant:** it only polls and hands on; nothing that may wait for long runs on its task, and no event is ever
//! logged: an interaction holds its token.

use std::borrow::Cow;
use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use twilight_gateway::error::{ReceiveMessageError, ReceiveMessageErrorType};
use twilight_gateway::{
    CloseFrame, Config, ConfigBuilder, Intents, Message, Session as Theirs, Shard, ShardId, ShardState,
};
use url::Url;

use super::gateway::{End, Gateway};
use super::identify::Identifies;
use super::is_loopback;
use super::lanes::jitter;
use super::session::{Saver, Session};

/// After so many closes without a session in between, the session itself is taken to be the fault.
const HOPELESS: u32 = 5;
/// How long Discord may take to confirm that we close.
const GOODBYE: Duration = Duration::from_millis(500);

/// One event, as far as the loop looks into it.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow, default)]
    t: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    d: Option<&'a RawValue>,
}

/// A connection and the one before and after it.
struct Line {
    shard: Shard<Identifies>,
    config: Config<Identifies>,
    url: String,
    /// Where the session was to be gone on with when that was heard last: twilight forgets it at the first failure.
    resume_url: Option<String>,
    /// When the connection was begun, or seen well.
    since: Instant,
    heard: Instant,
    /// Closes since the last session that worked.
    fails: u32,
}

impl Gateway {
    /// Keeps a connection open until it is stopped or Discord wants no more of it.
    pub(super) async fn keep_open(&self, stop: &CancellationToken, out: &mpsc::Sender<Box<RawValue>>) -> End {
        let url = tokio::select! {
            () = stop.cancelled() => return End::Stopped,
            url = self.find() => match url {
                Ok(url) => url,
                Err(end) => return end,
            },
        };
        let queue = Identifies::new(
            self.store.clone(),
            self.clock.clone(),
            self.pace.identify_gap,
            self.pace.identifies_a_day,
        );
        let Some(config) = self.config(&url, queue.clone()) else {
            let why = "this machine's list of trusted certificates cannot be read; install ca-certificates";
            return End::Unusable(why.to_owned());
        };
        let saver = Saver::new(self.store.clone(), self.pace.save);
        let mut line = Line::new(config, url, self.store.load().await);
        self.status.send_modify(|status| status.connects += 1);
        let mut tick = interval(self.pace.tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);

        let end = loop {
            let item = tokio::select! {
                biased;
                () = stop.cancelled() => break End::Stopped,
                _ = tick.tick() => {
                    self.watch(&mut line, &queue);
                    continue;
                }
                item = line.shard.next() => item, // can be cut off between two events
            };
            match item {
                Some(Ok(Message::Text(text))) => {
                    self.hand_on(&mut line, &text, out, &saver);
                    continue;
                }
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.map_or(0, |frame| frame.code);
                    self.status.send_modify(|status| status.ready_since = None);
                    if line.shard.state() == ShardState::FatallyClosed {
                        saver.save_soon(None);
                        break End::Fatal(code);
                    }
                    line.fails += 1;
                    info!(gateway.code = code, "The gateway connection was closed; connecting again");
                    // Twilight would go on with the same session for ever, and Discord refuse it for ever.
                    if matches!(code, 4007 | 4009) || line.fails > HOPELESS {
                        saver.save_soon(None);
                        self.renew(&mut line, None);
                    }
                }
                Some(Err(error)) => {
                    self.status.send_modify(|status| status.ready_since = None);
                    debug!("The gateway connection failed: {}", name(&error));
                    continue; // twilight itself waits before its next attempt
                }
                None => break End::Fatal(0),
            }
            if line.fails > 1 && line.shard.state() != ShardState::Active {
                // Not polling is the back-off.
                tokio::select! {
                    () = stop.cancelled() => break End::Stopped,
                    () = sleep(self.back_off(line.fails)) => line.since = Instant::now(),
                }
            }
        };
        if end == End::Stopped && line.shard.state() == ShardState::Active {
            line.say_goodbye().await;
        }
        saver.flush().await;
        end
    }

    /// Where the gateway is, asked of the configured origin and of no other, for as long as it takes.
    async fn find(&self) -> Result<String, End> {
        let mut fails = 0;
        loop {
            match self.rest.gateway_url().await {
                Ok(url) if may_connect(&url) => return Ok(url.trim_end_matches('/').to_owned()),
                Ok(_) => {
                    let why = "its address is neither wss:// nor on this machine; look at discord.api_url";
                    return Err(End::Unusable(why.to_owned()));
                }
                Err(commands::chat::ChatError::Unauthorized) => return Err(End::Fatal(4004)),
                Err(error) => {
                    fails += 1;
                    warn!("The gateway's address cannot be asked for: {error}");
                    sleep(self.back_off(fails)).await;
                }
            }
        }
    }

    /// What all shards share. `None` where the list of trusted certificates cannot be read: twilight panics then.
    fn config(&self, url: &str, queue: Identifies) -> Option<Config<Identifies>> {
        crate::tls::install_provider();
        let token = self.token.expose_secret().to_owned();
        // Interactions come without any intent.
        let builder = catch_unwind(|| ConfigBuilder::new(token, Intents::empty())).ok()?;
        Some(builder.proxy_url(url.to_owned()).queue(queue).build())
    }

    /// Looks whether the connection hangs, which twilight notices late or never; then it makes another, and keeps
    /// the session.
    fn watch(&self, line: &mut Line, queue: &Identifies) {
        let active = line.shard.state() == ShardState::Active;
        let beat = line.shard.latency();
        let unanswered =
            beat.sent().filter(|sent| beat.received().is_none() && sent.elapsed() > self.pace.beat);
        let mute = active && unanswered.is_some_and(|sent| line.heard < sent);
        if active {
            line.since = Instant::now();
        }
        let stalled = !active && line.since.elapsed() > self.pace.stall && !queue.used_up();
        if mute || stalled {
            warn!(mute, stalled, "The gateway connection hangs; making another one");
            let session = line.session();
            self.renew(line, session);
        }
    }

    fn renew(&self, line: &mut Line, session: Option<Session>) {
        self.status.send_modify(|status| {
            status.ready_since = None;
            status.connects += 1;
        });
        line.renew(session);
    }

    fn hand_on(&self, line: &mut Line, text: &str, out: &mpsc::Sender<Box<RawValue>>, saver: &Saver) {
        line.heard = Instant::now();
        let now = self.clock.now();
        self.status.send_modify(|status| status.heard = Some(now));
        let Ok(Frame { t: Some(event), d: Some(data) }) = serde_json::from_str(text) else { return };
        match &*event {
            "READY" | "RESUMED" => {
                (line.since, line.fails) = (line.heard, 0);
                if line.shard.resume_url().is_some_and(|url| !may_connect(url)) {
                    warn!("The gateway named an address to resume at that is not encrypted; it is not used");
                    let session =
                        line.session().map(|session| Session { resume_url: String::new(), ..session });
                    return self.renew(line, session);
                }
                info!(event = &*event, "The gateway connection is ready");
                self.status.send_modify(|status| status.ready_since = Some(now));
            }
            "INTERACTION_CREATE" => {
                if out.try_send(data.to_owned()).is_err() {
                    warn!("Too many interactions are waiting; one was let go");
                    self.status.send_modify(|status| status.dropped += 1);
                }
            }
            _ => return,
        }
        saver.save_soon(line.session());
    }

    fn back_off(&self, fails: u32) -> Duration {
        let pause = self.pace.back_off * 2_u32.pow(fails.saturating_sub(1).min(5));
        pause + jitter(pause / 2)
    }
}

impl Line {
    fn new(config: Config<Identifies>, url: String, session: Option<Session>) -> Self {
        let (shard, now) = (Shard::with_config(ShardId::ONE, config.clone()), Instant::now());
        let mut line = Self { shard, config, url, resume_url: None, since: now, heard: now, fails: 0 };
        line.renew(session);
        line
    }

    /// Drops the socket and begins another, with the session where there is one.
    fn renew(&mut self, session: Option<Session>) {
        let mut builder = ConfigBuilder::from(self.config.clone()).proxy_url(self.url.clone());
        self.resume_url = None;
        if let Some(session) = session {
            builder = builder.session(Theirs::new(session.sequence, session.id));
            if may_connect(&session.resume_url) {
                builder = builder.resume_url(session.resume_url.clone());
                self.resume_url = Some(session.resume_url);
            }
        }
        self.shard = Shard::with_config(ShardId::ONE, builder.build());
        (self.since, self.heard) = (Instant::now(), Instant::now());
    }

    /// The session as it is now.
    fn session(&mut self) -> Option<Session> {
        if let Some(url) = self.shard.resume_url() {
            self.resume_url = Some(url.to_owned());
        }
        let session = self.shard.session()?;
        Some(Session {
            id: session.id().to_owned(),
            sequence: session.sequence(),
            resume_url: self.resume_url.clone().unwrap_or_default(),
        })
    }

    /// Closes with 4000, so that Discord keeps the session for the next process. What comes meanwhile was not
    /// handed out and will be sent again.
    async fn say_goodbye(&mut self) {
        self.shard.close(CloseFrame::RESUME);
        let closed = async { while let Some(Ok(Message::Text(_))) = self.shard.next().await {} };
        let _ = timeout(GOODBYE, closed).await;
    }
}

/// Encrypted, or on this machine.
fn may_connect(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    url.host().is_some() && (url.scheme() == "wss" || url.scheme() == "ws" && is_loopback(&url))
}

/// The kind of an error by name: its text and its `Debug` hold the whole event.
fn name(error: &ReceiveMessageError) -> &'static str {
    match error.kind() {
        ReceiveMessageErrorType::Deserializing { .. } => "an event cannot be read",
        ReceiveMessageErrorType::Reconnect => "no connection",
        _ => "another kind of error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_travels_encrypted_or_not_at_all() {
        #[rustfmt::skip]
        let table = [
            ("wss://gateway.discord.gg",  true),
            ("ws://127.0.0.1:9000",       true),
            ("ws://[::1]:9000",           true),
            ("ws://localhost:9000",       true),
            ("ws://gateway.discord.gg",   false),
            ("ws://127.0.0.1.evil.tld",   false),
            ("https://discord.com",       false),
            ("",                          false),
        ];
        for (url, expected) in table {
            assert_eq!(may_connect(url), expected, "{url}");
        }
    }
}
