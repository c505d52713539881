//! Requests and the audit, as a port. `src/store` provides it in SQL.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::assignment::SavedProfile;
use crate::audit::{Draft as AuditDraft, Entry};
use crate::ids::{AppId, ChannelId, IncidentNumber, MemberId, MessageId, OrgName, UserId};
use crate::request::{Frozen, Refusal, Request, RequestEvent, RequestNumber};
use crate::review::{Review, ReviewRefusal};
use crate::store::StoreError;

/// Which requests somebody wants to see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestQuery {
    /// Of one org only.
    pub org: Option<OrgName>,
    /// Of one app only.
    pub app: Option<AppId>,
    /// Only those that are not over.
    pub open: bool,
    /// Only those that were confirmed: a draft is nobody's business but its requester's.
    pub confirmed: bool,
    /// At most this many, newest first; 0 means all.
    pub limit: u32,
}

/// Which audit entries somebody wants to see, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditQuery {
    /// Of one app only.
    pub app: Option<AppId>,
    /// Of one member only.
    pub member: Option<MemberId>,
    /// Of one request only.
    pub request: Option<RequestNumber>,
    /// At most this many; 0 means all.
    pub limit: u32,
}

/// How a request's card stands in the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestShowing {
    /// The request.
    pub request: RequestNumber,
    /// The channel.
    pub channel: ChannelId,
    /// When the first attempt to post it was noted, before it was made; by our clock.
    pub attempted: Timestamp,
    /// Its message, once Discord answered.
    pub message: Option<MessageId>,
    /// When it was last posted or edited, by our clock.
    pub shown_at: Option<Timestamp>,
    /// The request's revision that it shows.
    pub revision: i64,
    /// A person deleted it: nothing more is done to it.
    pub let_go: bool,
}

/// How far the audit channel has been told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuditShown {
    /// The newest entry that it shows; 0 at the beginning.
    pub shown: i64,
    /// The entry up to which it is being told; not after `shown` if nothing is under way.
    pub telling: i64,
    /// When that was first attempted, by our clock.
    pub attempted: Option<Timestamp>,
}

/// What is said once about a request beside its card, with a ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remark {
    /// Half of its time is over and nobody has decided.
    Reminder,
    /// It is approved.
    Decision,
    /// Somebody is unassigned and not assigned again yet, and that lasts.
    HalfDone,
    /// How it ended.
    Outcome,
    /// What became of one whose outcome was that it is unclear.
    Settled,
}

impl Remark {
    /// The word in the store and in its footer.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reminder => "reminder",
            Self::Decision => "decision",
            Self::HalfDone => "half done",
            Self::Outcome => "outcome",
            Self::Settled => "settled",
        }
    }
}

/// How a remark stands in the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemarkShowing {
    /// About which request.
    pub request: RequestNumber,
    /// What is said.
    pub remark: Remark,
    /// When the first attempt to post it was noted, before it was made; by our clock.
    pub attempted: Timestamp,
    /// Its message, once Discord answered.
    pub message: Option<MessageId>,
}

/// Who stopped all writes, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    /// By whom.
    pub by: MemberId,
    /// Since when, by our clock.
    pub since: Timestamp,
    /// Why, in their words. From outside.
    pub reason: String,
}

/// Requests and the audit. Every call is one transaction; what it returns `Ok` for is on disk.
#[async_trait]
pub trait Requests: Send + Sync {
    /// Makes a draft and gives it the next number.
    async fn open(
        &self,
        frozen: Frozen,
        reason: String,
        incident: Option<IncidentNumber>,
        now: Timestamp,
    ) -> Result<Request, StoreError>;

    /// One request.
    async fn request(&self, number: RequestNumber) -> Result<Option<Request>, StoreError>;

    /// Requests, newest first.
    async fn requests(&self, query: &RequestQuery) -> Result<Vec<Request>, StoreError>;

    /// Those that became unclear at or after a time by our clock and still are, newest first.
    async fn unclear(&self, since: Timestamp) -> Result<Vec<Request>, StoreError>;

    /// Lets something happen to a request, and writes the audit entry with it: both or neither. Two callers at once
    /// are decided one after the other, so that one of them gets a refusal. `None`: there is no such request.
    ///
    /// The entry's request, hash, org and app are filled in from the request where the draft leaves them empty; its
    /// `outcome` is the stage after, where that is empty. A refusal writes the entry `refused` instead, if there is
    /// one; its `outcome` is `refused`, where that is empty. An event that changes nothing writes nothing: there was
    /// nothing to write down.
    async fn step(
        &self,
        number: RequestNumber,
        event: RequestEvent,
        entry: Option<AuditDraft>,
        refused: Option<AuditDraft>,
        now: Timestamp,
    ) -> Result<Option<Result<Request, Refusal>>, StoreError>;

    /// Writes an audit entry of its own.
    async fn audit(&self, draft: AuditDraft, now: Timestamp) -> Result<Entry, StoreError>;

    /// Entries of the audit, newest first.
    async fn entries(&self, query: &AuditQuery) -> Result<Vec<Entry>, StoreError>;

    /// The chain from an entry's number on, oldest first, at most 1,000; none after the last. An entry that cannot be
    /// read ends the list before it, and is the failure of the call that begins with it: for `audit verify` and
    /// `export`, which so get to see all that comes before it.
    async fn chain(&self, from: i64) -> Result<Vec<Entry>, StoreError>;

    /// Requests whose card does not show them as they are, with their card, oldest first. A draft has no card, nor
    /// has one that ended as a draft.
    async fn unshown_requests(&self) -> Result<Vec<(Request, Option<RequestShowing>)>, StoreError>;

    /// How a request's card stands.
    async fn request_showing(&self, number: RequestNumber) -> Result<Option<RequestShowing>, StoreError>;

    /// Notes how a request's card stands; before a first post, with `message: None`.
    async fn note_request_showing(&self, showing: &RequestShowing) -> Result<(), StoreError>;

    /// Keeps what a person's assignment holds before a request takes it away, in place of what it kept before.
    async fn keep_profile(
        &self,
        number: RequestNumber,
        person: &UserId,
        profile: &SavedProfile,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// What a request keeps of whom.
    async fn kept_profile(&self, number: RequestNumber)
    -> Result<Option<(UserId, SavedProfile)>, StoreError>;

    /// Erases what a request keeps, and writes the audit entry with it. `false`: it keeps nothing, and nothing was
    /// written.
    async fn erase_profile(
        &self,
        number: RequestNumber,
        entry: AuditDraft,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Erases what was kept before a time by requests that are over, each with its audit entry; says how many.
    async fn erase_profiles(&self, before: Timestamp, now: Timestamp) -> Result<u64, StoreError>;

    /// How a remark about a request stands, if it was ever attempted.
    async fn remark(
        &self,
        number: RequestNumber,
        remark: Remark,
    ) -> Result<Option<RemarkShowing>, StoreError>;

    /// Notes how a remark stands; before it is posted, with `message: None`.
    async fn note_remark(&self, showing: &RemarkShowing) -> Result<(), StoreError>;

    /// Requests that wait for approvals and of which nobody was reminded, oldest first.
    async fn unreminded(&self) -> Result<Vec<Request>, StoreError>;

    /// The review of a request, if it has one.
    async fn review(&self, number: RequestNumber) -> Result<Option<Review>, StoreError>;

    /// Stores a review with its audit entry: both or neither. Its request's card is out of date then. A refusal
    /// writes the entry `refused` instead. `None`: there is no such request. The entries are filled in as by
    /// [`step`](Self::step).
    async fn give_review(
        &self,
        review: Review,
        entry: AuditDraft,
        refused: AuditDraft,
    ) -> Result<Option<Result<(), ReviewRefusal>>, StoreError>;

    /// Requests that need a review and have none, newest first.
    async fn unreviewed(&self) -> Result<Vec<Request>, StoreError>;

    /// Whether all writes are stopped.
    async fn paused(&self) -> Result<Option<Paused>, StoreError>;

    /// Stops all writes, or lets them go on, with its audit entry. The cards of open requests are out of date then.
    async fn pause(
        &self,
        paused: Option<Paused>,
        entry: AuditDraft,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// How far the audit channel has been told.
    async fn audit_shown(&self) -> Result<AuditShown, StoreError>;

    /// Notes, before it is done, that the audit channel is told the entries up to this one.
    async fn note_audit_telling(&self, number: i64, now: Timestamp) -> Result<(), StoreError>;

    /// Notes that the audit channel has shown the entries up to this one.
    async fn note_audit_shown(&self, number: i64) -> Result<(), StoreError>;
}
