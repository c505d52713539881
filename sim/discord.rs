//! A simulated Discord: one server, its people, and the bot's REST API and gateway on loopback.
//!
//! It follows the official documents and OpenAPI description: limits, error codes, permissions, rate limits, the
//! three seconds and fifteen minutes of an interaction. People act through verbs ([`Person`]), things go wrong
//! through verbs ([`Faults`], [`Discord::drops_connection`] …), and [`Discord::transcript`] shows what happened as
//! people saw it.
//!
//! **Invariant:** nothing in here knows the bot. It sees requests, and a websocket.

mod answer;
mod build;
mod callbacks;
mod clock;
mod components;
mod draft;
mod embeds;
mod events;
mod faults;
mod form;
mod gateway;
mod handshake;
mod ids;
mod interaction;
#[cfg(test)]
mod kit;
mod limits;
mod markup;
mod mentions;
mod message;
mod messages;
mod modals;
mod outage;
mod people;
mod permissions;
mod places;
mod registry;
mod reply;
mod rest;
mod routes;
mod sessions;
mod settings;
mod sight;
mod state;
#[cfg(test)]
mod stories;
mod threads;
mod transcript;
mod typing;
mod view;
mod webhooks;
mod wire;
mod world;
mod zipping;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use axum::{
    Router,
    extract::{Path, State as Extract},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use jiff::SignedDuration;
use tokio::{
    net::TcpListener,
    sync::{broadcast, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

pub use self::{
    answer::{Answer, Shown},
    events::Change,
    faults::{Fault, Faults, Scope},
    message::Pings,
    modals::{Field, Modal},
    people::Person,
    permissions::Permission,
    places::{Place, RoleName, Somebody},
    rest::Seen,
    settings::Settings,
    view::{Card, Choice, Control, FileView, MessageView},
};
use self::{
    state::State,
    wire::{Switch, Wires},
};
use crate::ledger::Ledger;

/// A running Discord. Clones are handles of the same one.
#[derive(Clone)]
pub struct Discord(Arc<Inner>);

struct Inner {
    url: String,
    application: u64,
    guild: u64,
    state: Mutex<State>,
    /// Counts up with every change, and wakes up who waits for one.
    version: watch::Sender<u64>,
    changes: broadcast::Sender<Change>,
    ledger: Ledger,
    faults: Faults,
    seen: Mutex<Vec<Seen>>,
    stop: CancellationToken,
    server: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for Discord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discord").field("url", &self.0.url).finish_non_exhaustive()
    }
}

impl Discord {
    /// Starts one: a server with an owner and the bot in it, and no channel yet.
    ///
    /// # Errors
    ///
    /// If it cannot listen there.
    pub async fn start(settings: Settings) -> Result<Self> {
        let listener =
            TcpListener::bind(settings.listen).await.context("the simulated Discord cannot listen")?;
        let url = format!("http://{}", listener.local_addr()?);
        let state = State::founded(settings, url.clone());
        let discord = Self(Arc::new(Inner {
            url,
            application: state.application,
            guild: state.guild,
            state: Mutex::new(state),
            version: watch::Sender::new(0),
            changes: broadcast::Sender::new(1024),
            ledger: Ledger::default(),
            faults: Faults::default(),
            seen: Mutex::default(),
            stop: CancellationToken::new(),
            server: Mutex::default(),
        }));
        let app = Router::new()
            .route(gateway::PATH, get(gateway::upgrade))
            .route(&format!("{}/", gateway::PATH), get(gateway::upgrade))
            .route(gateway::RESUME_PATH, get(gateway::upgrade))
            .route(&format!("{}/", gateway::RESUME_PATH), get(gateway::upgrade))
            .route("/attachments/{channel}/{id}/{name}", get(attachment))
            .fallback(any(rest::serve))
            .with_state(discord.clone());
        let stopped = discord.0.stop.clone().cancelled_owned();
        let app = app.into_make_service_with_connect_info::<Switch>();
        let server = tokio::spawn(async move {
            if let Err(failure) = axum::serve(Wires(listener), app).with_graceful_shutdown(stopped).await {
                tracing::error!(error = %failure, "The simulated Discord stopped listening");
            }
        });
        *discord.0.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
        Ok(discord)
    }

    /// Stops it: closes every connection and listens no more.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        let server = self.0.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut server) = server
            && tokio::time::timeout(Duration::from_secs(1), &mut server).await.is_err()
        {
            server.abort();
        }
    }

    /// Where it is served, without a slash at the end; the REST API is below `/api/v10`.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The server.
    pub fn guild_id(&self) -> u64 {
        self.0.guild
    }

    /// The bot's application, which is also its user.
    pub fn application_id(&self) -> u64 {
        self.0.application
    }

    /// The member who owns the server, and may do everything in it.
    pub fn owner_id(&self) -> u64 {
        self.read(|state| state.owner)
    }

    /// Every request and its answer.
    pub fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    /// What goes wrong with the next requests.
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// The requests whose path contains the text, with the time of each.
    pub fn requests(&self, path_contains: &str) -> Vec<Seen> {
        let seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().filter(|it| it.path.contains(path_contains)).cloned().collect()
    }

    /// A limit for the requests whose "METHOD /path" (without /api/v10) contains the text, by route and channel.
    pub fn rate_limit(&self, request_contains: &str, limit: u32, per: SignedDuration) {
        self.with(|state| state.limits.set(request_contains, limit, per));
    }

    /// The limit over all routes, in requests a second.
    pub fn global_limit(&self, a_second: u32) {
        self.with(|state| state.settings.global_limit = a_second);
    }

    /// How many answers of 401, 403 and 429 there were in the last ten minutes; 10,000 get the bot banned.
    pub fn invalid_requests(&self) -> usize {
        self.read(|state| state.limits.invalid_requests(state.now()))
    }

    /// Whether edits of messages older than an hour are refused with 30046.
    pub fn refuses_old_edits(&self, refuses: bool) {
        self.with(|state| state.refuses_old_edits = refuses);
    }

    /// The registered commands, as Discord shows them.
    pub fn commands(&self) -> Vec<serde_json::Value> {
        self.read(|state| state.commands.values().map(|it| it.json.clone()).collect())
    }

    /// Every change from now on.
    pub fn events(&self) -> broadcast::Receiver<Change> {
        self.0.changes.subscribe()
    }

    /// Waits until `find` finds something, looking again after every change; `None` after `timeout`.
    async fn until<T>(&self, timeout: Duration, find: impl Fn(&State) -> Option<T>) -> Option<T> {
        let mut version = self.0.version.subscribe();
        let search = async {
            loop {
                version.borrow_and_update();
                if let Some(found) = self.read(&find) {
                    return found;
                }
                // Time alone can be what is waited for: an interaction runs out without any change.
                let _ = tokio::time::timeout(Duration::from_millis(50), version.changed()).await;
            }
        };
        tokio::time::timeout(timeout, search).await.ok()
    }

    /// Changes the world, then tells who watches it.
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let (result, untold) = {
            let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
            let result = change(&mut state);
            (result, std::mem::take(&mut state.untold))
        };
        for change in untold {
            let _ = self.0.changes.send(change);
        }
        self.0.version.send_modify(|version| *version += 1);
        result
    }

    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.0.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn saw(&self, seen: Seen) {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    }

    fn stopping(&self) -> &CancellationToken {
        &self.0.stop
    }
}

/// A file of a message.
async fn attachment(
    Extract(discord): Extract<Discord>,
    Path((_, id, _)): Path<(u64, u64, String)>,
) -> Response {
    match discord.read(|state| state.files.get(&id).cloned()) {
        Some(file) => {
            tracing::debug!(file.name = %file.name, "A file is fetched");
            ([(header::CONTENT_TYPE, file.content_type)], file.bytes).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
