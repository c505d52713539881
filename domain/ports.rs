//! What we need from the world. Adapters in `src/` provide it.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use std::collections::{BTreeMap, HashMap};

use crate::assignment::{Assignment, SavedProfile};
use crate::facts::{AppFacts, AppUser, Connection, LogFrom, LogPage, OktaUser, Page, ProvisioningFeature};
use crate::ids::{AppId, GroupId, MemberId, RoleId, UserId};

/// The time. Only one adapter reads the wall clock, so that a test can make an hour pass in a line.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// One Okta org, asked through its API. Every call is one request to Okta and may be repeated.
#[async_trait]
pub trait Directory: Send + Sync {
    /// One page of the System Log as a polling request, at most 1,000 entries.
    async fn log(&self, from: &LogFrom) -> Result<LogPage, DirectoryError>;

    /// One page of the log of one app between two times, newest first: the history for a diagnosis.
    /// `after` is the `next` of the page before.
    async fn app_log(
        &self,
        app: &AppId,
        since: Timestamp,
        until: Timestamp,
        after: Option<&str>,
    ) -> Result<LogPage, DirectoryError>;

    /// One app.
    async fn app(&self, app: &AppId) -> Result<AppFacts, DirectoryError>;

    /// One page of all active apps, at most 200; `after` is the `next` of the page before.
    async fn apps(&self, after: Option<&str>) -> Result<Page<AppFacts>, DirectoryError>;

    /// Its provisioning feature. A refusal of the kind “not for this app” is an answer, not an error.
    async fn provisioning_feature(&self, app: &AppId) -> Result<ProvisioningFeature, DirectoryError>;

    /// Its provisioning connection.
    async fn connection(&self, app: &AppId) -> Result<Connection, DirectoryError>;

    /// One page of its people with their Okta status, at most 500; `after` is the `next` of the page before.
    async fn app_users(&self, app: &AppId, after: Option<&str>) -> Result<Page<AppUser>, DirectoryError>;

    /// One of its people.
    async fn app_user(&self, app: &AppId, person: &UserId) -> Result<AppUser, DirectoryError>;

    /// The user that Okta finds for a login. It also finds ids and short names: whoever asks compares the login.
    async fn user(&self, login: &str) -> Result<OktaUser, DirectoryError>;

    /// Every capability of its provisioning feature as `path: value`, for example
    /// `update.lifecycleDeactivate.status: ENABLED`, so that two readings can be compared.
    async fn capabilities(&self, app: &AppId) -> Result<BTreeMap<String, String>, DirectoryError>;

    /// Writes: turns Deactivate Users on, and sends nothing but that one capability. May be repeated.
    async fn enable(&self, app: &AppId) -> Result<Written, DirectoryError>;

    /// Writes: pushes a person again by sending exactly `{"profile":{}}`. Changes nothing by itself; may be repeated.
    async fn push(&self, app: &AppId, person: &UserId) -> Result<Written, DirectoryError>;

    /// One of its people, with what would be lost if they were unassigned.
    async fn assignment(&self, app: &AppId, person: &UserId) -> Result<Assignment, DirectoryError>;

    /// How far Okta's clock is ahead of ours, to the second, by its newest answer; `None` before the first. Asks nothing.
    fn clock_ahead(&self) -> Option<SignedDuration>;

    /// The name of a group that is assigned to an app.
    async fn group_name(&self, app: &AppId, group: &GroupId) -> Result<String, DirectoryError>;

    /// Writes: takes the app away from a person. What the assignment held is lost at Okta, and while Deactivate Users is
    /// on, the account in the app is deactivated.
    async fn unassign(&self, app: &AppId, person: &UserId) -> Result<Written, DirectoryError>;

    /// Writes: assigns the app to a person by name, with the attributes that were saved, or without any.
    async fn assign(
        &self,
        app: &AppId,
        person: &UserId,
        profile: Option<&SavedProfile>,
    ) -> Result<Written, DirectoryError>;
}

/// What Okta said to a write: it took it. That is not yet proof that it worked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    /// Okta's id of the request (`X-Okta-Request-Id`), for the audit.
    pub okta_request: Option<String>,
}

/// Who has which Discord role now, asked afresh. Nothing here is answered from a payload or from memory.
#[async_trait]
pub trait Roster: Send + Sync {
    /// The roles of a member; `None` if they are not in the server any more.
    async fn roles(&self, member: MemberId) -> Result<Option<Vec<RoleId>>, RosterError>;

    /// How many members hold each role.
    async fn counts(&self) -> Result<HashMap<RoleId, u64>, RosterError>;
}

/// The roster cannot be read. Whoever asks must refuse: unknown is not allowed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("who has which role cannot be read now: {why}")]
pub struct RosterError {
    /// What happened, without anything secret.
    pub why: String,
}

/// What went wrong at Okta: a variant for each thing somebody does about it.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// It asks us to come back later, or we keep off by ourselves so as not to spend the org's budget. Nothing was done.
    #[error("Okta's rate limit is used up until {until}")]
    RateLimited {
        /// When to come back, by our clock.
        until: Timestamp,
    },
    /// It knows no such thing (404).
    #[error("Okta does not know {what}")]
    Gone {
        /// What was asked for, for example “app 0oa…”.
        what: String,
    },
    /// The stored position in the log was refused (400 or 404 on a cursor), or leads to another org and was not even
    /// asked for; start again from a time.
    #[error("the stored position in Okta's log is refused: {said}")]
    CursorRefused {
        /// Okta's words.
        said: String,
    },
    /// The credentials are wrong or were revoked (401).
    #[error("Okta refuses the credentials: {said}")]
    Unauthorized {
        /// Okta's words.
        said: String,
    },
    /// The credentials lack a right (403).
    #[error("Okta forbids this: {said}; missing: {missing}")]
    Forbidden {
        /// Okta's words.
        said: String,
        /// The scope or role that is missing, by name, as far as it can be told.
        missing: String,
    },
    /// Okta said no in another way (4xx).
    #[error("Okta refused: {code} {said}")]
    Refused {
        /// `errorCode`, for example `E0000001`.
        code: String,
        /// `errorSummary` with its causes.
        said: String,
    },
    /// Okta could not be reached, was too slow, or failed (5xx). It may or may not have been done.
    #[error("Okta cannot be reached: {why}")]
    Unreachable {
        /// What happened, without anything secret.
        why: String,
    },
    /// The answer could not be understood.
    #[error("Okta's answer cannot be understood: {why}")]
    BadAnswer {
        /// What is wrong with it, and Okta's request id.
        why: String,
    },
}

impl DirectoryError {
    /// Whether a write that ended like this may have been done all the same.
    pub fn may_have_been_done(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::BadAnswer { .. } => true,
            Self::RateLimited { .. }
            | Self::Gone { .. }
            | Self::CursorRefused { .. }
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::Refused { .. } => false,
        }
    }
}
