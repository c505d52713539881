//! The demo's page, served on loopback: its files, what somebody sees, and what somebody does.
//!
//! **Invariant:** nothing that comes from the page is believed. Only who holds the token that was printed gets further
//! than the files, and only from the page itself; who somebody is, what they see and what they may do is looked up in
//! the simulators, as Discord and Okta would.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use sim::discord::Change;
use tokio::net::TcpListener;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::stage::Stage;
use super::tour::Tour;

mod deeds;
mod door;
mod feed;
mod files;
mod shown;

pub use door::Key;

/// No request of the page is larger.
const LARGEST_REQUEST: usize = 64 * 1024;

/// How long an open page may keep the program from ending.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What every request works with.
pub(crate) struct Site {
    pub(super) stage: Stage,
    pub(super) tour: Tour,
    pub(super) key: Key,
    pub(super) stop: CancellationToken,
}

/// A listener on that address.
///
/// # Errors
///
/// If others than this machine could reach it, or it cannot be had.
pub async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    ensure!(
        address.ip().is_loopback(),
        "{address} could be reached from other machines; the demo listens on loopback only, such as 127.0.0.1:0"
    );
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// Serves the page until `stop`.
///
/// # Errors
///
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    stage: Stage,
    key: Key,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let site = Arc::new(Site { stage, tour: Tour::default(), key, stop: stop.clone() });
    let touring = tokio::spawn(listens(site.clone()));
    let server = axum::serve(listener, routes(site)).with_graceful_shutdown(stop.clone().cancelled_owned());
    let mut server = tokio::spawn(async move { server.await });
    let ended = tokio::select! {
        ended = &mut server => Some(ended),
        () = stop.cancelled() => tokio::time::timeout(LAST_WORDS, &mut server).await.ok(),
    };
    server.abort();
    touring.abort();
    match ended {
        Some(ended) => ended.context("the page's server panicked")?.context("the page's server failed"),
        None => Ok(()),
    }
}

fn routes(site: Arc<Site>) -> Router {
    let api = Router::new()
        .route("/api/feed", get(feed::feed))
        .route("/api/file", get(shown::file))
        .route("/api/chat", post(deeds::chat))
        .route("/api/world", post(deeds::world))
        .layer(from_fn_with_state(site.clone(), door::has_key));
    Router::new()
        .merge(api)
        .fallback(files::file)
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .layer(from_fn_with_state(site.clone(), door::comes_from_here))
        .with_state(site)
}

/// Tells the tour what people do, whichever page they do it on.
async fn listens(site: Arc<Site>) {
    let mut changes = site.stage.discord.events();
    loop {
        match changes.recv().await {
            Ok(Change::Interaction { person, interaction }) => {
                if site.tour.hears(&site.stage, person, interaction) {
                    site.stage.stir();
                }
            }
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
