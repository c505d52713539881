//! What Okta says about an app and its people when it is asked, as opposed to what its log reports.

use jiff::Timestamp;

use crate::event::{App, Person};
use crate::ids::UserId;

/// The feature of an app that is there while Deactivate Users is on.
///
/// Source: Okta management API, application features.
pub const PUSH_USER_DEACTIVATION: &str = "PUSH_USER_DEACTIVATION";

/// An app as `GET /api/v1/apps/{id}` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppFacts {
    /// Its id and label.
    pub app: App,
    /// Its kind in Okta's catalogue (`name`), for example `slack`.
    pub kind: String,
    /// Whether its status is ACTIVE.
    pub active: bool,
    /// `features`: what is enabled, read-only for everybody. Unknown words are kept.
    pub features: Vec<String>,
}

/// The six kinds of app whose provisioning Okta's API can read and write.
///
/// Source: Okta management API, tag Application Features, 2026.06.3. The list is a first guess only: the API is
/// asked, and a refusal means that a person must do it in the console.
pub const WRITABLE_KINDS: [&str; 6] =
    ["google", "office365", "okta_org2org", "slack", "zoomus", "zscalerbyz"];

impl AppFacts {
    /// Whether Deactivate Users is on.
    pub fn deactivates_users(&self) -> bool {
        self.has(PUSH_USER_DEACTIVATION)
    }

    /// Whether Okta pushes people to this app at all.
    pub fn provisions(&self) -> bool {
        self.has("PUSH_NEW_USERS") || self.has("PUSH_PROFILE_UPDATES") || self.deactivates_users()
    }

    /// Whether the API may be able to write this app's provisioning settings.
    pub fn may_be_writable(&self) -> bool {
        WRITABLE_KINDS.contains(&self.kind.as_str())
    }

    /// Its state as one text, to tell whether it changed since.
    pub fn fingerprint(&self) -> String {
        let mut features = self.features.clone();
        features.sort_unstable();
        let active = if self.active { "active" } else { "inactive" };
        format!("{active}; {}", features.join(" "))
    }

    fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|each| each == feature)
    }
}

/// What `GET /api/v1/apps/{id}/features/USER_PROVISIONING` said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProvisioningFeature {
    /// It can be read, and so probably written: API mode.
    Readable {
        /// Whether provisioning as a whole is ENABLED.
        enabled: bool,
        /// `capabilities.update.lifecycleDeactivate.status` is ENABLED; `None` where it is absent.
        deactivates_users: Option<bool>,
    },
    /// Okta's API does not do this for the app: a person must do it in the console.
    ByHandOnly {
        /// What Okta answered, in its own words. From outside.
        why: String,
    },
}

/// `status` of `GET /api/v1/apps/{id}/connections/default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// Provisioning is set up.
    Enabled,
    /// It is switched off.
    Disabled,
    /// Okta does not support provisioning for the app, or does not know how it signs in.
    Unknown,
}

/// How somebody came to be assigned to an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// By name.
    Person,
    /// Through a group.
    Group,
}

/// One app user, as `GET /api/v1/apps/{id}/users?expand=user` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppUser {
    /// Who it is.
    pub person: Person,
    /// How they were assigned.
    pub scope: Scope,
    /// The app user's `status`: `PROVISIONED`, `STAGED`, … as it came.
    pub status: String,
    /// `syncState`: `SYNCHRONIZED`, `ERROR`, `DISABLED`, … as it came.
    pub sync_state: Option<String>,
    /// Whether the app told Okta its own id for the account.
    pub has_external_id: bool,
    /// When `status` last changed, by Okta's clock.
    pub status_changed: Option<Timestamp>,
    /// When it was last synchronised, by Okta's clock.
    pub last_sync: Option<Timestamp>,
    /// The Okta user's own status (`_embedded.user.status`): `ACTIVE`, `DEPROVISIONED`, …; `None` if not told.
    pub okta_status: Option<String>,
}

impl AppUser {
    /// Whether the Okta user can be provisioned at all; `true` where Okta did not tell.
    pub fn is_active_in_okta(&self) -> bool {
        self.okta_status.as_deref().is_none_or(is_active)
    }
}

/// Source: Okta "User statuses": these are the ones in which assignments are kept and pushed.
fn is_active(okta_status: &str) -> bool {
    matches!(okta_status, "ACTIVE" | "PASSWORD_EXPIRED" | "LOCKED_OUT" | "RECOVERY" | "PROVISIONED")
}

/// An Okta user, as `GET /api/v1/users/{login}` describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OktaUser {
    /// Who it is.
    pub person: Person,
    /// `status`: `ACTIVE`, `DEPROVISIONED`, … as it came.
    pub status: String,
}

impl OktaUser {
    /// Whether it is an active user with exactly this login. Okta's lookup also takes ids and short names, and knows
    /// no upper and lower case in a login.
    pub fn is_active_with(&self, login: &str) -> bool {
        let same = |known: &str| known.to_lowercase() == login.to_lowercase();
        is_active(&self.status) && self.person.login.as_deref().is_some_and(same)
    }
}

/// One page of a list, and where the next begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What it holds.
    pub items: Vec<T>,
    /// The next page's whole URL, already known to be on the org's own origin.
    pub next: Option<String>,
}

/// One page of the System Log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogPage {
    /// The events that the watcher has a use for, in the log's order.
    pub events: Vec<crate::event::Event>,
    /// Entries that could not be understood: stored as such and counted.
    pub unreadable: Vec<Unreadable>,
    /// How many entries the page held in all; fewer than the limit means that the log has been read to its end.
    pub held: usize,
    /// The next page's whole URL: the cursor.
    pub next: Option<String>,
    /// Okta's `Date` when it answered.
    pub answered: Option<Timestamp>,
}

/// A log entry that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its `uuid`, or a hash of its text where even that is missing.
    pub id: String,
    /// What is wrong with it.
    pub why: String,
}

/// Where to read the log from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogFrom {
    /// From a time on, by the time Okta stored the events.
    Since(Timestamp),
    /// From where an earlier page ended: that page's whole next URL.
    Cursor(String),
}

/// How many people are assigned to an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Assigned {
    /// Assigned by name.
    pub by_person: usize,
    /// Assigned through a group.
    pub by_group: usize,
    /// There are more than were counted.
    pub more: bool,
}

/// Facts that somebody asked for, or why they could not be had.
pub type Had<T> = Result<T, String>;

/// A member of the list in [`AppFacts`], for the people who fail.
pub fn of<'a>(users: &'a [AppUser], person: &UserId) -> Option<&'a AppUser> {
    users.iter().find(|user| user.person.id == *person)
}
