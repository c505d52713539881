//! What is remembered, in SQL: the ports [`Store`] and [`Requests`] on SQLite and PostgreSQL.
//!
//! One connection writes, each call in one transaction that holds the write lock from its first statement; others
//! read. The text of the statements is the part of SQL that both share; what is SQLite's own lies in `open`, what is
//! PostgreSQL's in `postgres`.
//!
//! **Invariant:** nothing outside this folder has SQL, and no rule about incidents lies in it: what a page changes is
//! for [`domain::casebook`] to say, and what happens to a request for [`Request::after`].

mod audit;
mod batch;
mod events;
mod gateway;
mod incidents;
mod json;
mod links;
mod lock;
mod log;
mod notices;
mod open;
mod page;
mod pause;
mod postgres;
mod profiles;
mod refused;
mod request_rows;
mod request_showings;
mod requests;
mod reviews;
mod rows;
mod showings;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;

use async_trait::async_trait;
use domain::assignment::SavedProfile;
use domain::audit::{Draft as AuditDraft, Entry};
use domain::cause::CauseId;
use domain::event::{App, Event};
use domain::ids::{AppId, EventId, IncidentNumber, MemberId, MessageId, OrgName, UserId};
use domain::incident::{Change, Incident, Line, SettingChange};
use domain::links::{Link, LinkBook, LinkRefusal, Proposal, ProposalEvent, ProposalNumber, ProposalShowing};
use domain::notice::Told;
use domain::request::{Frozen, Refusal, Request, RequestEvent, RequestNumber};
use domain::requests::{
    AuditQuery, AuditShown, Paused, Remark, RemarkShowing, RequestQuery, RequestShowing, Requests,
};
use domain::review::{Review, ReviewRefusal};
use domain::store::{Batch, Position, Query, Showing, Store, StoreError, TakenIn, Tally, Unshown, Untold};
use jiff::Timestamp;
use sqlx::{Any, AnyPool, Error, Transaction};
use tracing::instrument;

pub use gateway::GatewaySession;
pub use open::{Looked, look};
use refused::Fault;
pub use refused::OpenError;

/// The database, opened for this process alone, or to read beside the one that has it.
pub struct Sql {
    /// The file; `None` on a server.
    path: Option<PathBuf>,
    begin: open::Begin,
    writer: AnyPool,
    readers: AnyPool,
    /// Keeps a second process out for as long as we live; `None` where we only read, and on a server, where the
    /// connection that writes holds a lock.
    _lock: Option<lock::Lock>,
}

/// Runs the body in a transaction that holds the write lock from the start, and commits it. A body that fails, or is
/// dropped, leaves nothing behind.
macro_rules! write {
    ($self:ident, $conn:ident => $body:expr) => {{
        let mut transaction = $self.writing().await?;
        let $conn = &mut *transaction;
        let done = $body.await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(done)
    }};
}

/// Runs the body in a transaction that sees one state of the database, however many statements it has.
macro_rules! read {
    ($self:ident, $conn:ident => $body:expr) => {{
        let mut transaction = $self.readers.begin_with($self.begin.read).await.map_err(failed)?;
        let $conn = &mut *transaction;
        let found = $body.await.map_err(failed)?;
        transaction.rollback().await.map_err(failed)?;
        Ok(found)
    }};
}

/// Runs a body of one statement, which sees one state of the database by itself; without the transaction it takes a
/// third of the turns.
macro_rules! look {
    ($self:ident, $conn:ident => $body:expr) => {{
        let mut connection = $self.readers.acquire().await.map_err(failed)?;
        let $conn = &mut *connection;
        $body.await.map_err(failed)
    }};
}

impl Sql {
    /// Opens the database at `sqlite://PATH`; the file is made if there is none, its folder is not. A relative path
    /// starts in the working directory. Or the one at `postgres://USER:PASSWORD@HOST/DATABASE`, which must be there.
    ///
    /// # Errors
    ///
    /// [`OpenError`], whose text tells an administrator what to do. The database is then as it was.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        open::open(url).await
    }

    /// Opens the database of a URL to read it, also while another process works with it: nothing is locked,
    /// migrated or written. Whatever would write fails.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; [`OpenError::NotUpToDate`] where this version has not brought its schema up to date.
    pub async fn open_to_read(url: &str) -> Result<Self, OpenError> {
        open::open_to_read(url).await
    }

    /// Closes the database; the file then holds everything by itself. Dropping it is safe too.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// How many bytes the file takes on the disk, its journal included; 0 on a server.
    pub fn size(&self) -> u64 {
        let Some(path) = &self.path else {
            return 0;
        };
        let length = |path: PathBuf| std::fs::metadata(path).map_or(0, |file| file.len());
        let journal = open::beside(path, "-wal");
        length(path.clone()) + length(journal)
    }

    /// The Discord gateway session to resume, if there is one.
    ///
    /// # Errors
    ///
    /// See [`StoreError`], here and below.
    pub async fn gateway_session(&self) -> Result<Option<GatewaySession>, StoreError> {
        look!(self, conn => gateway::session(conn))
    }

    /// Remembers the gateway session in place of the one before.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn save_gateway_session(&self, session: &GatewaySession) -> Result<(), StoreError> {
        write!(self, conn => gateway::save(conn, session))
    }

    /// Forgets the gateway session: it can no longer be resumed.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn forget_gateway_session(&self) -> Result<(), StoreError> {
        write!(self, conn => gateway::forget(conn))
    }

    /// Notes that a gateway session is about to be started anew.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn note_identify(&self, at: Timestamp) -> Result<(), StoreError> {
        write!(self, conn => gateway::note_identify(conn, at))
    }

    /// How many gateway sessions were started anew since a time, at most 48 h back.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn identifies_since(&self, at: Timestamp) -> Result<u32, StoreError> {
        look!(self, conn => gateway::identifies_since(conn, at))
    }

    /// A transaction that holds the write lock from the start.
    async fn writing(&self) -> Result<Transaction<'static, Any>, StoreError> {
        self.writer.begin_with(self.begin.write).await.map_err(failed)
    }
}

#[async_trait]
impl Store for Sql {
    async fn position(&self, org: &OrgName) -> Result<Option<Position>, StoreError> {
        look!(self, conn => log::position(conn, org))
    }

    #[instrument(skip_all, fields(org = %org, events = batch.events.len()))]
    async fn take_in(&self, org: &OrgName, batch: &Batch) -> Result<TakenIn, StoreError> {
        if batch.events.is_empty() && batch.unreadable.is_empty() {
            // Most polls bring nothing; one statement is a transaction by itself.
            let mut writer = self.writer.acquire().await.map_err(failed)?;
            log::move_to(&mut writer, org, &batch.position).await.map_err(failed)?;
            return Ok(TakenIn::default());
        }
        write!(self, conn => page::take_in(conn, org, batch))
    }

    async fn unexplained(
        &self,
        org: &OrgName,
        before: Timestamp,
        skip: u32,
    ) -> Result<Vec<Event>, StoreError> {
        look!(self, conn => events::unexplained(conn, org, before, skip))
    }

    #[instrument(skip_all, fields(org = %org, event.id = %event))]
    async fn settle(
        &self,
        org: &OrgName,
        event: &EventId,
        off: Option<bool>,
        alert_causes: &BTreeSet<CauseId>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        write!(self, conn => page::settle(conn, org, event, off, alert_causes, now))
    }

    async fn incident(&self, number: IncidentNumber) -> Result<Option<Incident>, StoreError> {
        let known: Result<_, StoreError> = read!(self, conn => incidents::one(conn, number));
        Ok(known?.map(|known| known.incident))
    }

    async fn incidents(&self, query: &Query) -> Result<Vec<Incident>, StoreError> {
        read!(self, conn => incidents::matching(conn, query))
    }

    #[instrument(skip_all, fields(incident.id = %number))]
    async fn change(
        &self,
        number: IncidentNumber,
        change: Change,
        now: Timestamp,
    ) -> Result<Option<Incident>, StoreError> {
        write!(self, conn => incidents::change(conn, number, change, now))
    }

    #[instrument(skip_all, fields(incident.id = %number))]
    async fn change_by_hand(
        &self,
        number: IncidentNumber,
        change: Change,
        entry: AuditDraft,
        now: Timestamp,
    ) -> Result<Option<Incident>, StoreError> {
        write!(self, conn => incidents::change_by_hand(conn, number, change, entry, now))
    }

    async fn snoozed(&self) -> Result<Vec<(IncidentNumber, Timestamp)>, StoreError> {
        look!(self, conn => incidents::snoozed(conn))
    }

    async fn lines(&self, number: IncidentNumber, skip: i64) -> Result<Vec<Line>, StoreError> {
        look!(self, conn => incidents::lines(conn, number, skip))
    }

    async fn settings(&self, org: &OrgName, app: &AppId) -> Result<Vec<(App, SettingChange)>, StoreError> {
        look!(self, conn => log::settings(conn, org, app))
    }

    async fn healing(&self, org: &OrgName, app: &AppId, since: Timestamp) -> Result<Vec<UserId>, StoreError> {
        read!(self, conn => events::healing(conn, org, app, since))
    }

    async fn newest_cause(
        &self,
        org: &OrgName,
        app: &AppId,
        person: &UserId,
        since: Timestamp,
    ) -> Result<Option<CauseId>, StoreError> {
        look!(self, conn => events::newest_cause(conn, org, app, person, since))
    }

    async fn tally(&self, org: &OrgName, since: Timestamp) -> Result<Tally, StoreError> {
        read!(self, conn => async {
            let causes = events::causes(conn, org, since).await?;
            Ok::<_, Error>(Tally { causes, unhandled: log::unhandled(conn, org, since).await? })
        })
    }

    async fn unshown(&self) -> Result<Vec<Unshown>, StoreError> {
        read!(self, conn => showings::unshown(conn))
    }

    async fn showing(&self, number: IncidentNumber) -> Result<Option<Showing>, StoreError> {
        look!(self, conn => showings::newest(conn, number))
    }

    async fn note_showing(&self, showing: &Showing) -> Result<(), StoreError> {
        write!(self, conn => showings::note(conn, showing))
    }

    async fn add_notice(&self, org: &OrgName, what: &Told, now: Timestamp) -> Result<(), StoreError> {
        write!(self, conn => notices::add(conn, org, what, now))
    }

    async fn untold(&self) -> Result<Vec<Untold>, StoreError> {
        look!(self, conn => notices::untold(conn))
    }

    async fn note_telling(&self, number: i64, now: Timestamp) -> Result<(), StoreError> {
        write!(self, conn => notices::note_telling(conn, number, now))
    }

    async fn note_told(&self, number: i64, message: MessageId) -> Result<(), StoreError> {
        write!(self, conn => notices::note_told(conn, number, message))
    }

    async fn prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        write!(self, conn => async {
            let events = events::forget(conn, before).await?;
            log::forget_unhandled(conn, before).await?;
            notices::forget(conn, before).await?;
            Ok::<_, Error>(events)
        })
    }
}

#[async_trait]
impl Requests for Sql {
    async fn open(
        &self,
        frozen: Frozen,
        reason: String,
        incident: Option<IncidentNumber>,
        now: Timestamp,
    ) -> Result<Request, StoreError> {
        write!(self, conn => requests::open(conn, frozen, reason, incident, now))
    }

    async fn request(&self, number: RequestNumber) -> Result<Option<Request>, StoreError> {
        read!(self, conn => requests::one(conn, number))
    }

    async fn requests(&self, query: &RequestQuery) -> Result<Vec<Request>, StoreError> {
        read!(self, conn => requests::matching(conn, query))
    }

    async fn unclear(&self, since: Timestamp) -> Result<Vec<Request>, StoreError> {
        read!(self, conn => requests::unclear(conn, since))
    }

    #[instrument(skip_all, fields(request.id = %number))]
    async fn step(
        &self,
        number: RequestNumber,
        event: RequestEvent,
        entry: Option<AuditDraft>,
        refused: Option<AuditDraft>,
        now: Timestamp,
    ) -> Result<Option<Result<Request, Refusal>>, StoreError> {
        write!(self, conn => requests::step(conn, number, event, entry, refused, now))
    }

    async fn audit(&self, draft: AuditDraft, now: Timestamp) -> Result<Entry, StoreError> {
        write!(self, conn => audit::append(conn, draft, now))
    }

    async fn entries(&self, query: &AuditQuery) -> Result<Vec<Entry>, StoreError> {
        read!(self, conn => audit::matching(conn, query))
    }

    async fn chain(&self, from: i64) -> Result<Vec<Entry>, StoreError> {
        read!(self, conn => audit::chain(conn, from))
    }

    async fn unshown_requests(&self) -> Result<Vec<(Request, Option<RequestShowing>)>, StoreError> {
        read!(self, conn => request_showings::unshown(conn))
    }

    async fn request_showing(&self, number: RequestNumber) -> Result<Option<RequestShowing>, StoreError> {
        read!(self, conn => request_showings::one(conn, number))
    }

    async fn note_request_showing(&self, showing: &RequestShowing) -> Result<(), StoreError> {
        write!(self, conn => request_showings::note(conn, showing))
    }

    async fn keep_profile(
        &self,
        number: RequestNumber,
        person: &UserId,
        profile: &SavedProfile,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        write!(self, conn => profiles::keep(conn, number, person, profile, now))
    }

    async fn kept_profile(
        &self,
        number: RequestNumber,
    ) -> Result<Option<(UserId, SavedProfile)>, StoreError> {
        look!(self, conn => profiles::kept(conn, number))
    }

    async fn erase_profile(
        &self,
        number: RequestNumber,
        entry: AuditDraft,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        write!(self, conn => profiles::erase(conn, number, entry, now))
    }

    async fn erase_profiles(&self, before: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
        write!(self, conn => profiles::erase_old(conn, before, now))
    }

    async fn remark(
        &self,
        number: RequestNumber,
        remark: Remark,
    ) -> Result<Option<RemarkShowing>, StoreError> {
        look!(self, conn => reviews::remark(conn, number, remark))
    }

    async fn note_remark(&self, showing: &RemarkShowing) -> Result<(), StoreError> {
        write!(self, conn => reviews::note_remark(conn, showing))
    }

    async fn unreminded(&self) -> Result<Vec<Request>, StoreError> {
        read!(self, conn => reviews::unreminded(conn))
    }

    async fn review(&self, number: RequestNumber) -> Result<Option<Review>, StoreError> {
        look!(self, conn => reviews::one(conn, number))
    }

    async fn give_review(
        &self,
        review: Review,
        entry: AuditDraft,
        refused: AuditDraft,
    ) -> Result<Option<Result<(), ReviewRefusal>>, StoreError> {
        write!(self, conn => reviews::give(conn, review, entry, refused))
    }

    async fn unreviewed(&self) -> Result<Vec<Request>, StoreError> {
        read!(self, conn => reviews::unreviewed(conn))
    }

    async fn paused(&self) -> Result<Option<Paused>, StoreError> {
        read!(self, conn => pause::paused(conn))
    }

    async fn pause(
        &self,
        paused: Option<Paused>,
        entry: AuditDraft,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        write!(self, conn => pause::set(conn, paused.as_ref(), entry, now))
    }

    async fn audit_shown(&self) -> Result<AuditShown, StoreError> {
        read!(self, conn => audit::shown(conn))
    }

    async fn note_audit_telling(&self, number: i64, now: Timestamp) -> Result<(), StoreError> {
        write!(self, conn => audit::note_telling(conn, number, now))
    }

    async fn note_audit_shown(&self, number: i64) -> Result<(), StoreError> {
        write!(self, conn => audit::note_shown(conn, number))
    }
}

#[async_trait]
impl LinkBook for Sql {
    async fn links(&self) -> Result<Vec<Link>, StoreError> {
        look!(self, conn => links::all(conn))
    }

    async fn propose(
        &self,
        org: &OrgName,
        member: MemberId,
        login: String,
        entry: AuditDraft,
        now: Timestamp,
    ) -> Result<Proposal, StoreError> {
        write!(self, conn => links::propose(conn, org, member, login, entry, now))
    }

    async fn proposal(&self, number: ProposalNumber) -> Result<Option<Proposal>, StoreError> {
        look!(self, conn => links::one(conn, number))
    }

    async fn decide(
        &self,
        number: ProposalNumber,
        event: ProposalEvent,
        entry: AuditDraft,
        refused: AuditDraft,
        now: Timestamp,
    ) -> Result<Option<Result<Proposal, LinkRefusal>>, StoreError> {
        write!(self, conn => links::decide(conn, number, event, entry, refused, now))
    }

    async fn unlink(
        &self,
        org: &OrgName,
        member: MemberId,
        entry: AuditDraft,
        now: Timestamp,
    ) -> Result<Option<Link>, StoreError> {
        write!(self, conn => links::unlink(conn, org, member, entry, now))
    }

    async fn unshown_proposals(&self) -> Result<Vec<(Proposal, Option<ProposalShowing>)>, StoreError> {
        look!(self, conn => links::unshown(conn))
    }

    async fn note_proposal_showing(&self, showing: &ProposalShowing) -> Result<(), StoreError> {
        write!(self, conn => links::note(conn, showing))
    }
}

/// What a failure of the database means to the caller.
fn failed(error: Error) -> StoreError {
    match refused::fault(&error) {
        Some(Fault::Full) => StoreError::Full,
        Some(Fault::Locked) => StoreError::Locked,
        Some(Fault::Gone) => StoreError::Unreachable(error.into()),
        _ => match error {
            // Its own words say it all; “error occurred while decoding” would only say it twice.
            Error::Decode(why) => StoreError::Other(why),
            other => StoreError::Other(other.into()),
        },
    }
}
