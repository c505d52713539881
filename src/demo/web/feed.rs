//! What somebody sees, and every change of it at once: server-sent events.
//!
//! Each part of the page is sent when it differs from what was sent last. Nothing is computed while nothing happens.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use serde_json::Value;
use sim::discord::Change;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::mpsc;

use super::deeds::Refused;
use super::{Site, shown};

/// What happens within this time is sent together.
const TOGETHER: Duration = Duration::from_millis(40);

/// How often a sign of life is sent: a page that is gone shows only when something is written to it.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    /// Who looks, by member id.
    who: String,
}

/// Somebody's feed.
pub(super) async fn feed(
    State(site): State<Arc<Site>>,
    Query(Asked { who }): Query<Asked>,
) -> Result<Response, Refused> {
    // The first of the cast is somebody's first self.
    let first = site.stage.cast.first().map(|part| part.member);
    let who = if who.is_empty() { first } else { site.stage.part(&who) };
    let who = who.context("nobody on this page is that")?;
    let (out, inbox) = mpsc::channel(64);
    tokio::spawn(Feed { site, who, out, last: HashMap::new(), seen: BTreeSet::new() }.runs());
    let events = stream::unfold(inbox, |mut inbox| async {
        inbox.recv().await.map(|event| (Ok::<Event, Infallible>(event), inbox))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)).into_response())
}

struct Feed {
    site: Arc<Site>,
    who: u64,
    out: mpsc::Sender<Event>,
    /// What each part looked like when it was sent last.
    last: HashMap<&'static str, String>,
    /// The messages that the page has.
    seen: BTreeSet<u64>,
}

/// The page is gone.
struct Gone;

impl Feed {
    async fn runs(mut self) {
        let stage = &self.site.stage;
        let (mut changes, mut grows, mut stirs) =
            (stage.discord.events(), stage.okta.log_grows(), stage.stirs());
        let stop = self.site.stop.clone();
        // `None`: everything.
        let mut changed: Option<BTreeSet<u64>> = None;
        loop {
            if self.sends(changed.take()).await.is_err() {
                return;
            }
            let mut touched = BTreeSet::new();
            let mut lost = false;
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.out.closed() => return,
                change = changes.recv() => match change {
                    Ok(change) => touched.extend(message(&change)),
                    Err(RecvError::Lagged(_)) => lost = true,
                    Err(RecvError::Closed) => return,
                },
                grown = grows.changed() => if grown.is_err() { return },
                stirred = stirs.changed() => if stirred.is_err() { return },
            }
            tokio::time::sleep(TOGETHER).await;
            loop {
                match changes.try_recv() {
                    Ok(change) => touched.extend(message(&change)),
                    Err(TryRecvError::Lagged(_)) => lost = true,
                    Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                }
            }
            grows.borrow_and_update();
            stirs.borrow_and_update();
            changed = (!lost).then_some(touched);
        }
    }

    async fn sends(&mut self, changed: Option<BTreeSet<u64>>) -> Result<(), Gone> {
        let site = self.site.clone();
        let stage = &site.stage;
        self.part("world", &shown::world(stage, self.who)).await?;
        let messages = match changed {
            Some(messages) => messages,
            None => shown::all_messages(stage, self.who).into_iter().chain(self.seen.clone()).collect(),
        };
        for id in messages {
            match stage.discord.message_for(self.who, id) {
                Some(message) => {
                    self.seen.insert(id);
                    self.send("message", shown::message(stage, &message).to_string()).await?;
                }
                None if self.seen.remove(&id) => self.send("gone", format!("\"{id}\"")).await?,
                None => {}
            }
        }
        self.part("okta", &shown::org(stage)).await?;
        let tour = serde_json::to_value(site.tour.line(stage)).unwrap_or_default();
        self.part("tour", &tour).await?;
        self.part("state", &shown::state(stage)).await?;
        // The page goes by this clock, and hears of it when it was wound.
        self.part("clock", &shown::clock(stage)).await
    }

    /// Sends a part if it differs from what was sent last.
    async fn part(&mut self, name: &'static str, value: &Value) -> Result<(), Gone> {
        let text = value.to_string();
        if self.last.get(name) == Some(&text) {
            return Ok(());
        }
        self.last.insert(name, text.clone());
        self.send(name, text).await
    }

    async fn send(&self, name: &str, text: String) -> Result<(), Gone> {
        self.out.send(Event::default().event(name).data(text)).await.map_err(|_| Gone)
    }
}

/// The message that changed.
fn message(change: &Change) -> Option<u64> {
    match change {
        Change::Created { message, .. }
        | Change::Edited { message, .. }
        | Change::Deleted { message, .. } => Some(*message),
        Change::Interaction { .. } | Change::Bot { .. } | Change::World => None,
    }
}
