//! A simulated Okta org: a world that behaves, served over HTTP as the official documents describe it.
//!
//! State first: people, apps, accounts on the apps' side, and rules for what happens when one meets the other.
//! Verbs change it as people would (`hires`, `left_inactive`, `assigns`, `enables_in_console`), and the routes
//! read and write the same state. Whatever happens is logged in the System Log in the shapes that real orgs log.
//!
//! **Invariant:** nothing in the world waits or does I/O; one lock guards it, and no await happens under it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::ledger::Ledger;
use world::World;

mod app_users;
mod apps;
mod assigning;
mod conditions;
mod event;
mod exchange;
mod faults;
mod features;
mod filter;
mod founding;
mod ids;
mod jose;
mod limits;
mod line;
mod logs;
mod oauth;
mod proof;
mod pushing;
mod routes;
mod serving;
mod setting;
mod syslog;
#[cfg(test)]
mod tests;
mod time;
mod verbs;
mod view;
mod world;

pub use faults::{Fault, Faults};
pub use jose::public_key_of;
pub use view::{AppView, AssignmentView, PersonView};

/// How a simulated org begins.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The API token that is accepted (`Authorization: SSWS …`).
    pub api_token: String,
    /// All ids follow from it.
    pub seed: u64,
    /// The org's time at the start; `None` is the real time.
    pub start: Option<Timestamp>,
}

impl Default for Settings {
    /// A free port on loopback, and a token that is no secret.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            api_token: "00simulated-okta-token".to_owned(),
            seed: 1,
            start: None,
        }
    }
}

/// The setting under Provisioning > To App of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeactivateUsers {
    /// Okta deactivates unassigned people in the app, and reactivates them when they come back.
    On,
    /// Okta does neither.
    Off,
}

/// What becomes of a write to an app's provisioning feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeatureWrites {
    /// As documented: what is not named stays.
    Merge,
    /// What is not named is turned off.
    Replace,
    /// It is answered 200, and nothing changes.
    Ignore,
}

/// What a push to an inactive account leaves in the log. A `sync` failure without a reason is always there too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureShape {
    /// `push_profile`, with the legacy type for this case and the reason.
    Usual,
    /// The reason stands on a `push` event, under a general legacy type.
    ReasonOnPush,
    /// `push_profile` with the legacy type, but no reason.
    LegacyTypeOnly,
    /// `push_profile` with the reason, but no legacy type.
    ReasonOnly,
    /// `push_profile` with the legacy type, no reason, and the outcome SUCCESS.
    SuccessOutcome,
    /// `push_profile` FAILURE that says nothing about the cause.
    Unexplained,
}

/// A failed push as Dashboard > Tasks shows it. Okta has no API for this page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The app's id.
    pub app: String,
    /// The app's label.
    pub label: String,
    /// The person's id.
    pub user: String,
    /// The person's login.
    pub login: String,
    /// The reason as Okta words it.
    pub reason: Option<String>,
    /// The first failure.
    pub since: Timestamp,
    /// The last failure.
    pub last: Timestamp,
    /// How often it was tried in vain.
    pub attempts: u32,
}

/// A person's account on the side of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountState {
    /// There is none.
    None,
    /// It can be used.
    Active,
    /// It exists and cannot be used.
    Inactive,
}

/// A request that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The method, in capitals.
    pub method: String,
    /// The path, as it came.
    pub path: String,
    /// The query, as it came; empty if there was none.
    pub query: String,
    /// The answer's status; 0 if the connection was dropped instead.
    pub status: u16,
    /// When, by the org's clock.
    pub at: Timestamp,
}

/// The simulated org. Clones are handles to the same one; it stops serving when the last is dropped.
#[derive(Clone)]
pub struct Okta {
    org: Arc<Org>,
    server: Arc<Server>,
}

/// What requests and verbs work on.
struct Org {
    world: Mutex<World>,
    ledger: Ledger,
    faults: Faults,
    asked: Mutex<Vec<Asked>>,
}

impl Org {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What serves the org, apart from it: dropping the last handle must not wait for what the server holds.
struct Server {
    address: SocketAddr,
    open: Mutex<Option<CancellationToken>>,
    served: tokio::sync::Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.close();
    }
}

impl Server {
    fn close(&self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        open.inspect(CancellationToken::cancel);
    }
}

impl Okta {
    /// Starts an org that has nobody in it but an administrator.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(settings.listen)
            .await
            .with_context(|| format!("listening on {} for the simulated Okta", settings.listen))?;
        let address = listener.local_addr()?;
        let org = Arc::new(Org {
            world: Mutex::new(World::new(&settings, address)),
            ledger: Ledger::default(),
            faults: Faults::default(),
            asked: Mutex::default(),
        });
        let server =
            Arc::new(Server { address, open: Mutex::default(), served: tokio::sync::Mutex::default() });
        let okta = Self { org, server };
        okta.serve(listener).await;
        Ok(okta)
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Every request and its answer.
    pub fn ledger(&self) -> Ledger {
        self.org.ledger.clone()
    }

    /// What shall go wrong next.
    pub fn faults(&self) -> Faults {
        self.org.faults.clone()
    }

    /// The requests whose path and query contain `path_contains`, in order.
    pub fn requests(&self, path_contains: &str) -> Vec<Asked> {
        let target = |asked: &&Asked| format!("{}?{}", asked.path, asked.query).contains(path_contains);
        self.org.asked().iter().filter(target).cloned().collect()
    }

    /// Stops serving for good: open connections are cut. State and ledger can still be read.
    pub fn stop(&self) {
        self.server.close();
    }

    /// An outage: open connections are cut, new ones refused, until [`resume_serving`](Self::resume_serving).
    pub async fn pause_serving(&self) {
        self.server.close();
        if let Some(served) = self.server.served.lock().await.take() {
            // It ends because it was told to; how does not matter.
            let _ = served.await;
        }
    }

    /// Ends an outage, on the same port.
    ///
    /// # Errors
    ///
    /// If the port was taken meanwhile.
    pub async fn resume_serving(&self) -> anyhow::Result<()> {
        let listener = TcpListener::bind(self.server.address)
            .await
            .with_context(|| format!("listening on {} again", self.server.address))?;
        self.serve(listener).await;
        Ok(())
    }

    async fn serve(&self, listener: TcpListener) {
        let open = CancellationToken::new();
        let doorway = line::Doorway { listener, open: open.clone() };
        let service =
            serving::router(Arc::clone(&self.org)).into_make_service_with_connect_info::<line::Handle>();
        let closed = open.clone();
        let served = tokio::spawn(async move {
            tokio::select! {
                () = closed.cancelled() => {}
                _ = axum::serve(doorway, service) => {}
            }
        });
        *self.server.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(open);
        *self.server.served.lock().await = Some(served);
    }
}
