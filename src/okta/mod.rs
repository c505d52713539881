//! One Okta org over HTTP: the [`Directory`] that the rest of Provost asks.
//!
//! From the bottom: [`limits`] (how much we may ask), `transport` (one exchange), `auth`, `key` and `dpop` (who asks),
//! `link` (where the next page is), `refusal` (what a no means), `client` (a signed request), `log`, `apps`, `users`,
//! `assignments` and `writes` (the calls),
//! `lenient`, [`wire`] and `targets` (their JSON).
//!
//! **Invariant:** only this folder knows Okta's paths and JSON, and a token leaves it for the org's own origin only.

mod apps;
mod assignments;
mod auth;
mod client;
mod dpop;
mod key;
mod lenient;
pub mod limits;
mod link;
mod log;
mod refusal;
mod targets;
mod transport;
mod users;
pub mod wire;
mod writes;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use domain::assignment::{Assignment, SavedProfile};
use domain::facts::{AppFacts, AppUser, Connection, LogFrom, LogPage, OktaUser, Page, ProvisioningFeature};
use domain::ids::{AppId, GroupId, OrgName, UserId};
use domain::ports::{Clock, Directory, DirectoryError, Written};
use jiff::{SignedDuration, Timestamp};
use url::{Host, Url};

pub use auth::{Credentials, CredentialsError, READ_SCOPES, WRITE_SCOPE};
pub use key::KeyError;
pub use log::{LOG_FILTER, LOG_PAGE, filter_hash};
pub use transport::{Observer, Timeouts};

use auth::Auth;
use client::{Call, Client};
use limits::RateLimit;
use link::Org;
use transport::Transport;

/// What is configured about one org.
#[derive(Debug, Clone)]
pub struct OktaSettings {
    /// Its short name.
    pub org: OrgName,
    /// Its address: `https`, or `http` on loopback.
    pub url: Url,
    /// How to sign in.
    pub credentials: Credentials,
    /// How much of each rate limit is ours: more than 0, at most 1.
    pub rate_limit_share: f64,
    /// Whether anything may be written to the org. If not, a service app does not even ask for the right to, and
    /// whatever [`Directory`] writes is refused before it reaches Okta.
    pub writes: bool,
}

/// Why settings cannot be used; each names its key.
#[derive(Debug, thiserror::Error)]
pub enum OktaSetupError {
    /// The address is not an org's.
    #[error("okta.{org}.url: {why}")]
    Url {
        /// The org.
        org: OrgName,
        /// What would be right.
        why: &'static str,
    },
    /// The credentials cannot be used.
    #[error("okta.{org}: {source}")]
    Credentials {
        /// The org.
        org: OrgName,
        /// What is wrong with them.
        source: CredentialsError,
    },
    /// The share is not one.
    #[error("okta.{org}.rate_limit_share: {share} is not more than 0 and at most 1")]
    Share {
        /// The org.
        org: OrgName,
        /// What was given.
        share: f64,
    },
    /// TLS cannot be set up on this machine.
    #[error("no HTTPS client for okta.{org}: {source}")]
    Https {
        /// The org.
        org: OrgName,
        /// What is wrong.
        source: reqwest::Error,
    },
}

/// As whom an org knows us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedIn {
    /// With an API token, as the administrator who made it.
    As {
        /// Their login. From outside.
        login: String,
    },
    /// As a service app, with these scopes.
    ServiceApp {
        /// What Okta granted.
        scopes: Vec<String>,
    },
}

/// One org.
pub struct Okta {
    name: OrgName,
    client: Client,
}

/// Nothing secret is in it.
impl fmt::Debug for Okta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (url, auth) = (self.client.org.url().as_str(), &self.client.auth);
        f.debug_struct("Okta").field("org", &self.name).field("url", &url).field("auth", auth).finish()
    }
}

impl Okta {
    /// Checks the settings, the key included; asks Okta nothing yet.
    ///
    /// # Errors
    ///
    /// [`OktaSetupError`]: a configuration error, with the key's name and what would be right.
    pub fn new(settings: OktaSettings, clock: Arc<dyn Clock>) -> Result<Self, OktaSetupError> {
        Self::with_timeouts(settings, clock, Timeouts::default())
    }

    /// As [`new`](Self::new), with other patience.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_timeouts(
        settings: OktaSettings,
        clock: Arc<dyn Clock>,
        timeouts: Timeouts,
    ) -> Result<Self, OktaSetupError> {
        let OktaSettings { org, url, credentials, rate_limit_share: share, writes } = settings;
        let loopback = is_loopback(&url);
        if let Some(why) = fault(&url, loopback) {
            return Err(OktaSetupError::Url { org, why });
        }
        if !(share > 0.0 && share <= 1.0) {
            return Err(OktaSetupError::Share { org, share });
        }
        let auth = match Auth::new(credentials, writes) {
            Ok(auth) => auth,
            Err(source) => return Err(OktaSetupError::Credentials { org, source }),
        };
        let transport = match Transport::new(org.as_str(), loopback, share, timeouts, clock) {
            Ok(transport) => transport,
            Err(source) => return Err(OktaSetupError::Https { org, source }),
        };
        Ok(Self { name: org, client: Client { org: Org::new(url), auth, transport, writes } })
    }

    /// Has `observer` told of every request from now on. It must not block.
    pub fn with_observer(mut self, observer: Observer) -> Self {
        self.client.transport.observer = Some(observer);
        self
    }

    /// The org's short name.
    pub fn name(&self) -> &OrgName {
        &self.name
    }

    /// Signs in, and says as whom.
    ///
    /// Source: `GET /api/v1/users/me`, which any API token may ask. A service app is nobody, so there its access token
    /// is the answer.
    ///
    /// # Errors
    ///
    /// `Unauthorized` if the credentials are refused; else as any call.
    pub async fn me(&self) -> Result<SignedIn, DirectoryError> {
        let what = "our own account";
        let call = Call { url: self.client.at("/api/v1/users/me", &[]), template: "/api/v1/users/me", what };
        if matches!(self.client.auth, Auth::ServiceApp(_)) {
            let scopes = self.granted_scopes().await?.unwrap_or_default();
            return Ok(SignedIn::ServiceApp { scopes });
        }
        let answer = self.client.get(&call).await.map_err(|trouble| trouble.into_error(what))?;
        Ok(SignedIn::As { login: apps::login(&answer)? })
    }

    /// What Okta granted the service app, signing in if that was not done yet; `None` for an API token, whose rights are
    /// those of its owner.
    ///
    /// # Errors
    ///
    /// As [`me`](Self::me); `Forbidden` if a scope was not granted to the app.
    pub async fn granted_scopes(&self) -> Result<Option<Vec<String>>, DirectoryError> {
        self.client.auth.scopes(&self.client.transport, self.client.org.url()).await
    }

    /// Whether Okta would grant a scope to the service app; `None` for an API token. One sign-in, which Okta logs.
    ///
    /// # Errors
    ///
    /// As [`me`](Self::me).
    pub async fn would_grant(&self, scope: &str) -> Result<Option<bool>, DirectoryError> {
        self.client.auth.would_grant(scope, &self.client.transport, self.client.org.url()).await
    }

    /// Every rate limit that Okta has told us about.
    pub fn rate_limits(&self) -> Vec<RateLimit> {
        self.client.transport.limits.snapshot(self.client.transport.now())
    }

    /// How far Okta's clock is ahead of ours, by its last answer; to about a second.
    pub fn clock_skew(&self) -> Option<SignedDuration> {
        self.client.transport.skew()
    }

    /// Okta's name for the last request, for its support.
    pub fn last_request_id(&self) -> Option<String> {
        self.client.transport.last_request_id()
    }
}

#[async_trait]
impl Directory for Okta {
    fn clock_ahead(&self) -> Option<SignedDuration> {
        self.clock_skew()
    }

    async fn log(&self, from: &LogFrom) -> Result<LogPage, DirectoryError> {
        self.client.log(from).await
    }

    async fn app_log(
        &self,
        app: &AppId,
        since: Timestamp,
        until: Timestamp,
        after: Option<&str>,
    ) -> Result<LogPage, DirectoryError> {
        self.client.app_log(app, since, until, after).await
    }

    async fn app(&self, app: &AppId) -> Result<AppFacts, DirectoryError> {
        self.client.app(app).await
    }

    async fn apps(&self, after: Option<&str>) -> Result<Page<AppFacts>, DirectoryError> {
        self.client.apps(after).await
    }

    async fn provisioning_feature(&self, app: &AppId) -> Result<ProvisioningFeature, DirectoryError> {
        self.client.provisioning_feature(app).await
    }

    async fn connection(&self, app: &AppId) -> Result<Connection, DirectoryError> {
        self.client.connection(app).await
    }

    async fn app_users(&self, app: &AppId, after: Option<&str>) -> Result<Page<AppUser>, DirectoryError> {
        self.client.app_users(app, after).await
    }

    async fn app_user(&self, app: &AppId, person: &UserId) -> Result<AppUser, DirectoryError> {
        self.client.app_user(app, person).await
    }

    async fn user(&self, login: &str) -> Result<OktaUser, DirectoryError> {
        self.client.user(login).await
    }

    async fn capabilities(&self, app: &AppId) -> Result<BTreeMap<String, String>, DirectoryError> {
        self.client.capabilities(app).await
    }

    async fn enable(&self, app: &AppId) -> Result<Written, DirectoryError> {
        self.client.enable(app).await
    }

    async fn push(&self, app: &AppId, person: &UserId) -> Result<Written, DirectoryError> {
        self.client.push(app, person).await
    }

    async fn assignment(&self, app: &AppId, person: &UserId) -> Result<Assignment, DirectoryError> {
        self.client.assignment(app, person).await
    }

    async fn group_name(&self, app: &AppId, group: &GroupId) -> Result<String, DirectoryError> {
        self.client.group_name(app, group).await
    }

    async fn unassign(&self, app: &AppId, person: &UserId) -> Result<Written, DirectoryError> {
        self.client.unassign(app, person).await
    }

    async fn assign(
        &self,
        app: &AppId,
        person: &UserId,
        profile: Option<&SavedProfile>,
    ) -> Result<Written, DirectoryError> {
        self.client.assign(app, person, profile).await
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn fault(url: &Url, loopback: bool) -> Option<&'static str> {
    let secure = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !secure || url.host_str().is_none() {
        Some("it must begin with https://, for example https://acme.okta.com (http:// for loopback only)")
    } else if !url.username().is_empty() || url.password().is_some() {
        Some("it must not hold a user name or a password")
    } else if !bare {
        Some("it must end after the host, for example https://acme.okta.com")
    } else {
        None
    }
}
