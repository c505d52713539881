//! What must be remembered, as a port. `src/store` provides it in SQL.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::audit::Draft;
use crate::cause::{CauseId, Rules};
use crate::event::{App, Event};
use crate::facts::Unreadable;
use crate::ids::{AppId, ChannelId, EventId, IncidentNumber, MessageId, OrgName, UserId};
use crate::incident::{Change, Incident, Line, SettingChange};
use crate::notice::{Notice, Told};

/// Where reading an org's log stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The next page's whole URL.
    pub next: Option<String>,
    /// A hash of the filter that URL was made with; another filter starts again from `last_event`.
    pub filter: String,
    /// The newest event taken in, by Okta's clock.
    pub last_event: Option<Timestamp>,
    /// Whether the first look back has reached the end of the log.
    pub looked_back: bool,
    /// When the log was last read to its end, by our clock.
    pub caught_up: Option<Timestamp>,
}

/// One page of the log, to be taken in together with the position after it.
#[derive(Clone)]
pub struct Batch {
    /// Its events.
    pub events: Vec<Event>,
    /// Its entries that could not be understood.
    pub unreadable: Vec<Unreadable>,
    /// Where reading goes on.
    pub position: Position,
    /// The rules to class them by.
    pub rules: Arc<Rules>,
    /// Which causes open an incident.
    pub alert_causes: BTreeSet<CauseId>,
    /// Our clock.
    pub now: Timestamp,
}

/// What taking a page in brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TakenIn {
    /// Events that were not known before.
    pub new: u64,
    /// Events that were.
    pub known: u64,
    /// Entries that could not be understood or handled: stored as such.
    pub unhandled: u64,
    /// New events by what they turned out to be: `failure:CAUSE`, `unexplained`, `success`, `setting`,
    /// `unassigned`, `nothing`. For the metrics.
    pub classes: Vec<(String, u64)>,
    /// Incidents that are new or changed.
    pub touched: Vec<IncidentNumber>,
}

/// Which incidents somebody wants to see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Of one org only.
    pub org: Option<OrgName>,
    /// Of one app only.
    pub app: Option<AppId>,
    /// Open ones, ended ones, or both.
    pub which: Which,
    /// At most this many, newest first; 0 means all.
    pub limit: u32,
}

/// Open incidents, ended ones, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Which {
    /// That go on.
    #[default]
    Open,
    /// That are over.
    Over,
    /// All.
    All,
}

/// How a chapter of an incident stands in the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Showing {
    /// The incident.
    pub incident: IncidentNumber,
    /// The chapter.
    pub chapter: u32,
    /// The channel.
    pub channel: ChannelId,
    /// When the first attempt to post it was noted, before it was made; by our clock.
    pub attempted: Timestamp,
    /// Its message, once Discord answered.
    pub message: Option<MessageId>,
    /// When it was last posted or edited, by our clock.
    pub shown_at: Option<Timestamp>,
    /// The incident's revision that it shows.
    pub revision: i64,
    /// Its thread, once there is one.
    pub thread: Option<ChannelId>,
    /// How many lines of the timeline its thread has told.
    pub told: i64,
    /// Up to which line the message to the thread goes that is being posted, noted before it is; else as `told`.
    pub telling: i64,
    /// Whether it is still kept up to date.
    pub state: Kept,
}

/// Whether a message is kept up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is.
    Live,
    /// A newer chapter has a message of its own; this one points to it, once.
    Replaced,
    /// Nothing more is done to it: it was deleted, or it already points to the newer one.
    LetGo,
}

/// An incident that the channel does not show as it is, with the messages it has there, oldest chapter first.
#[derive(Debug, Clone, PartialEq)]
pub struct Unshown {
    /// The incident.
    pub incident: Incident,
    /// Its messages.
    pub showings: Vec<Showing>,
    /// How many lines its timeline has.
    pub lines: i64,
}

/// How often something was seen since a time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Failures by cause.
    pub causes: Vec<(CauseId, u64)>,
    /// Entries that could not be understood or handled.
    pub unhandled: u64,
}

/// A notice that is not told yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Untold {
    /// The notice.
    pub notice: Notice,
    /// When the first attempt to tell it was noted, if one was.
    pub attempted: Option<Timestamp>,
}

/// What must be remembered. Every call is one transaction; what it returns `Ok` for is on disk.
#[async_trait]
pub trait Store: Send + Sync {
    /// Where reading the org's log stands; `None` before the first page.
    async fn position(&self, org: &OrgName) -> Result<Option<Position>, StoreError>;

    /// Takes a page in: its events, what they change, and the position after it.
    async fn take_in(&self, org: &OrgName, batch: &Batch) -> Result<TakenIn, StoreError>;

    /// Events that nothing has explained, taken in before a time by our clock, oldest first, at most 500 after the
    /// first `skip`.
    async fn unexplained(
        &self,
        org: &OrgName,
        before: Timestamp,
        skip: u32,
    ) -> Result<Vec<Event>, StoreError>;

    /// Decides about an unexplained event; `off` as for [`Casebook::settle`](crate::casebook::Casebook::settle).
    /// An event that is explained by now is left alone. Says whether it is decided.
    async fn settle(
        &self,
        org: &OrgName,
        event: &EventId,
        off: Option<bool>,
        alert_causes: &BTreeSet<CauseId>,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// One incident.
    async fn incident(&self, number: IncidentNumber) -> Result<Option<Incident>, StoreError>;

    /// Incidents, newest first.
    async fn incidents(&self, query: &Query) -> Result<Vec<Incident>, StoreError>;

    /// Lets something happen to an incident; `None` if that changes nothing.
    async fn change(
        &self,
        number: IncidentNumber,
        change: Change,
        now: Timestamp,
    ) -> Result<Option<Incident>, StoreError>;

    /// As [`change`](Self::change), for what a person does to an incident: with the audit entry of it, both or
    /// neither. What changes nothing is not written down.
    ///
    /// The entry's org and app, and how the incident stood before and after, are filled in where the draft leaves
    /// them empty.
    async fn change_by_hand(
        &self,
        number: IncidentNumber,
        change: Change,
        entry: Draft,
        now: Timestamp,
    ) -> Result<Option<Incident>, StoreError>;

    /// The incidents that are hidden for a time, and until when.
    async fn snoozed(&self) -> Result<Vec<(IncidentNumber, Timestamp)>, StoreError>;

    /// The lines of an incident's timeline after the first `skip`.
    async fn lines(&self, number: IncidentNumber, skip: i64) -> Result<Vec<Line>, StoreError>;

    /// The known changes of an app's setting, newest first, at most 20.
    async fn settings(&self, org: &OrgName, app: &AppId) -> Result<Vec<(App, SettingChange)>, StoreError>;

    /// Whose push to an app waits for Okta's own retry, by what the log told last since a time by Okta's clock.
    async fn healing(&self, org: &OrgName, app: &AppId, since: Timestamp) -> Result<Vec<UserId>, StoreError>;

    /// The cause of a person's newest failure in an app since a time by Okta's clock, also one that no alert is for.
    async fn newest_cause(
        &self,
        org: &OrgName,
        app: &AppId,
        person: &UserId,
        since: Timestamp,
    ) -> Result<Option<CauseId>, StoreError>;

    /// What was seen of the org since a time by Okta's clock.
    async fn tally(&self, org: &OrgName, since: Timestamp) -> Result<Tally, StoreError>;

    /// Incidents that the channel does not show as they are: no message for the chapter, an older revision, lines
    /// not told, or an older chapter's message that does not point to the newer one yet. One that is quiet, over
    /// and that nobody has tried to post is not among them; nor is a chapter whose message was let go.
    async fn unshown(&self) -> Result<Vec<Unshown>, StoreError>;

    /// The newest message of an incident, if it has one.
    async fn showing(&self, number: IncidentNumber) -> Result<Option<Showing>, StoreError>;

    /// Notes how a chapter stands in the channel; before a first post, with `message: None`. A new chapter marks the
    /// older ones that are live [`Kept::Replaced`].
    async fn note_showing(&self, showing: &Showing) -> Result<(), StoreError>;

    /// Adds a notice, once: the same drift, the same blindness or the same restart is not added twice.
    async fn add_notice(&self, org: &OrgName, what: &Told, now: Timestamp) -> Result<(), StoreError>;

    /// Notices that are not told yet, oldest first.
    async fn untold(&self) -> Result<Vec<Untold>, StoreError>;

    /// Notes that an attempt to tell a notice is about to be made.
    async fn note_telling(&self, number: i64, now: Timestamp) -> Result<(), StoreError>;

    /// Notes that a notice was told.
    async fn note_told(&self, number: i64, message: MessageId) -> Result<(), StoreError>;

    /// Forgets events older than a time by Okta's clock that nothing needs any more; incidents stay.
    async fn prune(&self, before: Timestamp) -> Result<u64, StoreError>;
}

/// What went wrong in the store: a variant for each thing somebody does about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk is full. Nothing was stored; it goes on once there is room.
    #[error("the disk that holds the database is full")]
    Full,
    /// Another process holds the database for too long.
    #[error("the database is locked by another process")]
    Locked,
    /// The server that has the database does not answer, or the connection was lost; the same again may succeed. Only
    /// where it was lost while the answer was awaited, it is not known whether something was stored.
    #[error("the database does not answer")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Anything else; the chain says what. Nothing was stored.
    #[error("the database failed")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}
