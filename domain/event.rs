//! A System Log entry in our words. What it means is for [`cause`](crate::cause) to say.

use jiff::Timestamp;

use crate::ids::{AppId, EventId, UserId};

/// One entry of an org's System Log, reduced to what we use.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its `uuid`; events are deduplicated by it.
    pub id: EventId,
    /// When it happened, by Okta's clock.
    pub published: Timestamp,
    /// What kind of thing happened.
    pub kind: EventKind,
    /// `eventType` as Okta wrote it.
    pub event_type: String,
    /// `legacyEventType`; for our failure it alone can tell what happened.
    pub legacy_type: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// `outcome.reason`; missing on some of the events of one failure. Never empty.
    pub reason: Option<String>,
    /// `displayMessage`.
    pub message: Option<String>,
    /// `transaction.id`: the events of one job share it.
    pub transaction: Option<String>,
    /// The app it is about.
    pub app: Option<App>,
    /// The person it is about.
    pub person: Option<Person>,
    /// Who did it.
    pub actor: Actor,
    /// `debugContext.debugData.customMessage`; says which provisioning setting was changed.
    pub custom_message: Option<String>,
    /// `deactivate_users` of the app's provisioning settings after the change, where the entry says so.
    pub deactivate_users: Option<bool>,
}

/// An app as an event or a list names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its id; labels repeat, ids do not.
    pub id: AppId,
    /// Its label, as people know it. From outside: escape before showing.
    pub label: String,
}

/// A person as an event or a list names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their id.
    pub id: UserId,
    /// Their login (`alternateId`), often an e-mail address. From outside.
    pub login: Option<String>,
    /// Their display name. From outside.
    pub name: Option<String>,
}

/// Who did something, as the log names them. From outside: escape before showing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Actor {
    /// `actor.id`.
    pub id: Option<String>,
    /// `actor.displayName`, or else `actor.alternateId`.
    pub name: Option<String>,
    /// `actor.type`: `User`, `SystemPrincipal`, `PublicClientApp`, …
    pub kind: Option<String>,
}

/// How an event ended. Unknown results are kept as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// `SUCCESS`.
    Success,
    /// `FAILURE`.
    Failure,
    /// Anything else Okta writes: `SKIPPED`, `DEFERRED`, `SCHEDULED`, …; empty when there was none.
    Other(String),
}

impl Outcome {
    /// The word Okta uses.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
            Self::Other(word) => word,
        }
    }
}

impl From<&str> for Outcome {
    fn from(word: &str) -> Self {
        match word {
            "SUCCESS" => Self::Success,
            "FAILURE" => Self::Failure,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// What kind of thing an event reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// `application.provision.user.push`: a new account is pushed to the app.
    Push,
    /// `application.provision.user.push_profile`: a profile is pushed to the app.
    PushProfile,
    /// `application.provision.user.sync`.
    Sync,
    /// `application.provision.user.reactivate`.
    Reactivate,
    /// Any other `application.provision.user.…`; never proof of anything.
    OtherProvisioning,
    /// `application.lifecycle.update`: the app's settings were changed.
    SettingsChanged,
    /// `application.user_membership.remove`: somebody was unassigned.
    Unassigned,
    /// Nothing we watch.
    Irrelevant,
}

impl EventKind {
    /// Whether it reports a push of a person to the app: what can fail for our cause, and what can prove a cure.
    pub fn is_push(self) -> bool {
        matches!(self, Self::Push | Self::PushProfile | Self::Sync | Self::Reactivate)
    }

    /// The kind of an `eventType`. Source: Okta's event type catalogue, release 2026.08.1.
    pub fn of(event_type: &str) -> Self {
        match event_type {
            "application.lifecycle.update" => Self::SettingsChanged,
            "application.user_membership.remove" => Self::Unassigned,
            _ => match event_type.strip_prefix("application.provision.user.") {
                Some("push") => Self::Push,
                Some("push_profile") => Self::PushProfile,
                Some("sync") => Self::Sync,
                Some("reactivate") => Self::Reactivate,
                Some(_) => Self::OtherProvisioning,
                None => Self::Irrelevant,
            },
        }
    }
}
