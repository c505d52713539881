//! Carries requests out, and watches for the proof that they worked.
//!
//! One pass looks at every request that is not over and moves it one step. Whatever is written to Okta is noted, with
//! its audit entry, before it is sent; after a crash in between, what Okta has is read before anything is repeated.

mod reassign;
mod retry;

use std::collections::BTreeMap;
use std::sync::Arc;

use commands::chat::Caller;
use commands::policy::Policy;
use dashmap::DashMap;
use domain::audit::Draft;
use domain::ids::{MemberId, OrgName, UserId};
use domain::incident::SettingChange;
use domain::links::{LinkBook, Links};
use domain::ports::{Clock, Directory, DirectoryError, Roster, RosterError, Written};
use domain::request::{Action, Method, Outcome, Request, RequestEvent, RequestNumber, SETTLED_WITHIN, Stage};
use domain::requests::{AuditQuery, RequestQuery, Requests};
use domain::store::{Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tracing::{info, instrument, warn};

/// What this process began is looked at again after this time, if nothing finished it.
const ABANDONED: SignedDuration = SignedDuration::from_secs(30);

/// How long a person has to do in the console what was approved.
const BY_HAND_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// How often the app itself is read while a person is to change it, beside the log.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// Among so many of an app's newest requests another one is looked for.
const OTHERS: u32 = 20;

/// How far Okta's clock may lie behind ours when its records are compared with our times.
const SKEW: SignedDuration = SignedDuration::from_secs(30);

/// Carries requests out.
pub struct Executor {
    /// What is remembered of incidents and settings.
    pub store: Arc<dyn Store>,
    /// Requests and the audit.
    pub requests: Arc<dyn Requests>,
    /// Each org's API, and whether we may write to it.
    pub orgs: BTreeMap<OrgName, (Arc<dyn Directory>, bool)>,
    /// Who may do what.
    pub policy: Policy,
    /// The links made by command.
    pub book: Arc<dyn LinkBook>,
    /// Who has which role now.
    pub roster: Arc<dyn Roster>,
    /// How long to wait for proof.
    pub verify_within: SignedDuration,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Something may be to do.
    pub wake: Arc<Notify>,
    /// Wakes the board.
    pub board: Arc<Notify>,
    /// When the app of a guided request was last read.
    pub looked: DashMap<RequestNumber, Timestamp>,
    /// Until when Okta wants an assignment to wait that is half done; and which retries lost an answer, since when.
    pub put_off: DashMap<RequestNumber, Timestamp>,
    /// Since when Okta has not answered what became of a write.
    pub silent: DashMap<RequestNumber, Timestamp>,
    /// When this process began, by our clock.
    pub started: Timestamp,
    /// Okta's id of each write of this process whose event the log has not shown yet; the person is empty for an app.
    pub wrote: DashMap<(RequestNumber, String), String>,
}

/// Why a request could not be moved; it is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stuck {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Roster(#[from] RosterError),
}

impl Executor {
    /// One pass. Answers when the next one is due.
    ///
    /// # Errors
    ///
    /// The store's. What Okta or Discord does not answer is tried again by a later pass.
    #[instrument(name = "execute", skip_all)]
    pub async fn pass(&self) -> anyhow::Result<Option<Timestamp>> {
        let open = RequestQuery { open: true, ..RequestQuery::default() };
        let mut due = Vec::new();
        let open = self.requests.requests(&open).await?;
        let links = match open.is_empty() {
            true => Links::default(),
            false => self.links().await?,
        };
        let unclear = self.requests.unclear(self.clock.now() - SETTLED_WITHIN).await?;
        for request in open.into_iter().chain(unclear.into_iter().filter(Request::comes_to_be_known)) {
            let asked = self.clock.now();
            match self.see_to(&request, &links).await {
                Ok(when) => {
                    self.silent.remove(&request.number);
                    due.extend(when);
                }
                Err(Stuck::Store(failure)) => return Err(failure.into()),
                Err(Stuck::Directory(failure)) if self.is_lost(&request, asked, &failure).await? => {
                    due.push(self.clock.now());
                }
                Err(Stuck::Directory(DirectoryError::RateLimited { until })) => due.push(until),
                Err(failure) => {
                    warn!(request = %request.number, error = &failure as &dyn std::error::Error, "{} waits", request.number);
                    due.push(self.clock.now() + SignedDuration::from_secs(5));
                }
            }
        }
        Ok(due.into_iter().min())
    }

    #[instrument(skip_all, fields(request = %request.number))]
    async fn see_to(&self, request: &Request, links: &Links) -> Result<Option<Timestamp>, Stuck> {
        let now = self.clock.now();
        if now >= request.deadline && matches!(request.stage, Stage::Draft | Stage::Pending | Stage::Approved)
        {
            self.step(request, RequestEvent::TimePassed, "request.expired", |_| {}).await?;
            return Ok(None);
        }
        if matches!(request.stage, Stage::Draft | Stage::Pending | Stage::Approved)
            && let Some(why) = relinked(request, links)
        {
            self.step(request, RequestEvent::Changed { why }, "request.superseded", |_| {}).await?;
            return Ok(None);
        }
        match &request.stage {
            Stage::Draft => Ok(Some(request.deadline)),
            Stage::Pending => self.still_wanted(request).await,
            Stage::Approved => self.begin(request).await,
            Stage::Executing { since } => self.carry_on(request, *since).await,
            Stage::Verifying { since } => self.verify(request, *since).await,
            Stage::Succeeded { .. }
            | Stage::Failed { .. }
            | Stage::Partly { .. }
            | Stage::Denied { .. }
            | Stage::Expired { .. }
            | Stage::Cancelled { .. }
            | Stage::Superseded { .. } => Ok(None),
            Stage::Unclear { at, .. } => self.settle(request, *at).await,
        }
    }

    /// Somebody may have done it while it waits for its approval.
    async fn still_wanted(&self, request: &Request) -> Result<Option<Timestamp>, Stuck> {
        if request.frozen.action == Action::Enable
            && let Some(change) = self.turned_on_since(request, request.created).await?
        {
            let why = match self.other_enable(request).await? {
                Some(other) => format!("{other} has turned it on already"),
                None => {
                    let by = change.by.name.or(change.by.id).unwrap_or_else(|| "somebody".to_owned());
                    format!("done by {by}, without approval")
                }
            };
            self.step(request, RequestEvent::Changed { why }, "request.superseded", |entry| {
                entry.event = change.event.to_string();
            })
            .await?;
            return Ok(None);
        }
        Ok(Some(request.deadline))
    }

    /// Another request for the same, which was approved and begun and may be what turned the setting on.
    async fn other_enable(&self, request: &Request) -> Result<Option<RequestNumber>, StoreError> {
        let query = RequestQuery {
            org: Some(request.frozen.org.clone()),
            app: Some(request.frozen.app.id.clone()),
            limit: OTHERS,
            ..RequestQuery::default()
        };
        let others = self.requests.requests(&query).await?.into_iter();
        let mut did = others.filter(|other| {
            other.number != request.number && other.frozen.action == Action::Enable && {
                match &other.stage {
                    Stage::Executing { since } | Stage::Verifying { since } => *since >= request.created,
                    Stage::Succeeded { at, .. } | Stage::Unclear { at, .. } => *at >= request.created,
                    _ => false,
                }
            }
        });
        Ok(did.next().map(|other| other.number))
    }

    /// The last look before anything is written: pause, rights, the app's state.
    async fn begin(&self, request: &Request) -> Result<Option<Timestamp>, Stuck> {
        // What was done in the app is a person's word: nothing is written, so no pause and no change of the app stands
        // in its way.
        let is_word = request.frozen.action == Action::Fixed;
        if !is_word && self.requests.paused().await?.is_some() {
            return Ok(Some(request.deadline));
        }
        if let Some(why) = self.rights_lost(request).await? {
            self.step(request, RequestEvent::Refused { why }, "write.refused", |_| {}).await?;
            return Ok(None);
        }
        let frozen = &request.frozen;
        let Some((directory, writes)) = self.orgs.get(&frozen.org) else {
            let why = format!("org {} is not in the configuration any more", frozen.org);
            self.step(request, RequestEvent::Refused { why }, "write.refused", |_| {}).await?;
            return Ok(None);
        };
        if is_word {
            self.step(request, RequestEvent::Begun, "guide.begun", |_| {}).await?;
            return self.guide(request).await;
        }
        let now = match self.state_now(request, &**directory).await {
            Ok(now) => now,
            Err(DirectoryError::Gone { what }) => {
                let why = format!("Okta does not know {what} any more");
                self.step(request, RequestEvent::Changed { why }, "request.superseded", |_| {}).await?;
                return Ok(None);
            }
            Err(failure) => return Err(failure.into()),
        };
        if now != frozen.before {
            let why = format!("the app changed since it was asked for, from “{}” to “{now}”", frozen.before);
            self.step(request, RequestEvent::Changed { why }, "request.superseded", |_| {}).await?;
            return Ok(None);
        }
        if frozen.method == Method::Guided {
            self.step(request, RequestEvent::Begun, "guide.begun", |_| {}).await?;
            return self.guide(request).await;
        }
        if !writes {
            let why = "Provost may not write to this org any more (writes = false)".to_owned();
            self.step(request, RequestEvent::Refused { why }, "write.refused", |_| {}).await?;
            return Ok(None);
        }
        match frozen.action {
            Action::Enable => self.enable(request, &**directory).await,
            Action::Retry | Action::Reassign | Action::Fixed => {
                self.step(request, RequestEvent::Begun, "write.begun", |_| {}).await?;
                Ok(Some(self.clock.now()))
            }
        }
    }

    /// What a request was frozen with, as it is now.
    async fn state_now(
        &self,
        request: &Request,
        directory: &dyn Directory,
    ) -> Result<String, DirectoryError> {
        match request.frozen.action {
            Action::Enable | Action::Retry | Action::Fixed => {
                Ok(directory.app(&request.frozen.app.id).await?.fingerprint())
            }
            Action::Reassign => self.reassigned_state(request, directory).await,
        }
    }

    /// All links as they are now; a store that cannot be read is nobody's yes.
    async fn links(&self) -> Result<Links, StoreError> {
        Ok(self.policy.links.with(&self.book.links().await?))
    }

    /// Whether the requester or an approver has lost the right since: asked afresh, and unknown is not allowed.
    async fn rights_lost(&self, request: &Request) -> Result<Option<String>, Stuck> {
        let links = self.links().await?;
        if let Some(why) = relinked(request, &links) {
            return Ok(Some(why));
        }
        let requester = request.frozen.requester;
        let Some(caller) = self.as_now(requester).await? else {
            return Ok(Some(format!("{REQUESTER} is not in the server any more")));
        };
        if let Err(rule) = self.policy.may_have(&links, request, &caller) {
            return Ok(Some(rule.lost_by(REQUESTER)));
        }
        if request.approvals.is_empty() {
            return Ok(None);
        }
        let widened = self.policy.is_widened(&*self.roster, requester).await?;
        for approval in &request.approvals {
            let Some(caller) = self.as_now(approval.by).await? else {
                return Ok(Some(format!("{APPROVER} is not in the server any more")));
            };
            if let Err(rule) = self.policy.may_approve(&links, request, &caller, widened) {
                return Ok(Some(rule.lost_by(APPROVER)));
            }
        }
        Ok(None)
    }

    /// A member with the roles that they have now; `None` if they are not in the server.
    async fn as_now(&self, member: MemberId) -> Result<Option<Caller>, RosterError> {
        Ok(self.roster.roles(member).await?.map(|roles| Caller { id: member, roles }))
    }

    /// Turns the setting on by the API: the one capability and nothing else, then reads everything back.
    async fn enable(&self, request: &Request, directory: &dyn Directory) -> Result<Option<Timestamp>, Stuck> {
        let app = &request.frozen.app.id;
        let before = directory.capabilities(app).await?;
        let began = self
            .step(request, RequestEvent::Begun, "write.begun", |entry| entry.before = listed(&before))
            .await?;
        if !began {
            return Ok(None);
        }
        let written = match directory.enable(app).await {
            Ok(written) => written,
            Err(failure @ DirectoryError::RateLimited { .. }) => {
                // Nothing was written: it waits as before, and all is looked at afresh before it is tried again.
                let why = failure.to_string();
                self.step(request, RequestEvent::PutOff { why }, "write.put_off", |_| {}).await?;
                return Err(failure.into());
            }
            Err(failure) if failure.may_have_been_done() => {
                warn!(request.id = %request.number, error = &failure as &dyn std::error::Error, "The answer is lost");
                return Ok(Some(self.clock.now() + ABANDONED));
            }
            Err(failure) => {
                let why = failure.to_string();
                self.step(request, RequestEvent::Refused { why }, "write.refused", |_| {}).await?;
                return Ok(None);
            }
        };
        self.read_back(request, directory, &before, &written).await
    }

    /// Compares every other capability, and says loudly what else changed.
    async fn read_back(
        &self,
        request: &Request,
        directory: &dyn Directory,
        before: &BTreeMap<String, String>,
        written: &Written,
    ) -> Result<Option<Timestamp>, Stuck> {
        let okta_request = written.okta_request.clone().unwrap_or_default();
        self.wrote.insert((request.number, String::new()), okta_request.clone());
        info!(
            request.id = %request.number, okta.request_id = okta_request, app.id = %request.frozen.app.id,
            "Wrote to Okta: Deactivate Users turned on for {}", request.frozen.app.id
        );
        let after = match directory.capabilities(&request.frozen.app.id).await {
            Ok(after) => after,
            Err(failure) => {
                // It was written; it is compared when it can be read.
                warn!(request.id = %request.number, error = &failure as &dyn std::error::Error, "Not read back yet");
                return Ok(Some(self.clock.now() + ABANDONED));
            }
        };
        self.compared(request, before, &after, "write.done", okta_request).await
    }

    /// Notes that the setting is on, and loudly if Okta changed another one along with it.
    async fn compared(
        &self,
        request: &Request,
        before: &BTreeMap<String, String>,
        after: &BTreeMap<String, String>,
        done: &str,
        okta_request: String,
    ) -> Result<Option<Timestamp>, Stuck> {
        let others = differences(before, after);
        let (event, what) = match others.is_empty() {
            true => (RequestEvent::Done, done),
            false => (RequestEvent::Refused { why: changed_more(&others) }, "write.changed_more"),
        };
        self.step(request, event, what, |entry| {
            entry.after = listed(after);
            entry.okta_request = okta_request;
        })
        .await?;
        Ok(Some(self.clock.now()))
    }

    /// A write whose answer was lost, or that a crash cut off: what does Okta have? It is compared with what was noted
    /// before the write.
    async fn read_what_became(
        &self,
        request: &Request,
        directory: &dyn Directory,
    ) -> Result<Option<Timestamp>, Stuck> {
        let app = &request.frozen.app.id;
        let read = async {
            match directory.app(app).await?.deactivates_users() {
                true => Ok(Some(directory.capabilities(app).await?)),
                false => Ok(None),
            }
        };
        let why = match read.await {
            Ok(Some(after)) => {
                let before = unlisted(&self.noted_before(request).await?);
                // The log may be late; the app is read once more, and soon.
                self.looked.insert(request.number, self.clock.now() - self.verify_within + ABANDONED);
                return self.compared(request, &before, &after, "write.found_done", String::new()).await;
            }
            Ok(None) => "Okta's answer was lost; Okta shows the setting off when asked afterwards".to_owned(),
            Err(failure @ (DirectoryError::RateLimited { .. } | DirectoryError::Unreachable { .. })) => {
                return Err(failure.into());
            }
            Err(failure) => {
                format!("Okta's answer was lost, and what became of it cannot be read: {failure}")
            }
        };
        self.step(request, RequestEvent::Lost { why }, "write.unclear", |_| {}).await?;
        Ok(Some(self.clock.now()))
    }

    /// The capabilities as they were noted before the write.
    async fn noted_before(&self, request: &Request) -> Result<String, StoreError> {
        let query = AuditQuery { request: Some(request.number), ..AuditQuery::default() };
        let entries = self.requests.entries(&query).await?;
        let begun = entries.into_iter().find(|entry| entry.draft.what == "write.begun");
        Ok(begun.map_or(String::new(), |entry| entry.draft.before))
    }

    async fn carry_on(&self, request: &Request, since: Timestamp) -> Result<Option<Timestamp>, Stuck> {
        let Some((directory, _)) = self.orgs.get(&request.frozen.org) else {
            return self.orphaned(request).await;
        };
        match request.frozen.action {
            _ if request.frozen.method == Method::Guided => self.guide(request).await,
            // What an earlier process began, that one will not finish: there is one process to a database.
            Action::Enable if since >= self.started && self.clock.now() - since < ABANDONED => {
                Ok(Some(since + ABANDONED))
            }
            Action::Enable => self.read_what_became(request, &**directory).await,
            Action::Retry | Action::Fixed => self.push_on(request, &**directory).await,
            Action::Reassign => self.reassign_on(request, &**directory).await,
        }
    }

    /// Whether Okta has not answered for so long what became of a write that nobody should wait for it. Then it is
    /// unclear, and told so; it is settled once Okta answers. People of a retry are unclear one by one.
    async fn is_lost(
        &self,
        request: &Request,
        asked: Timestamp,
        failure: &DirectoryError,
    ) -> Result<bool, StoreError> {
        let frozen = &request.frozen;
        let may_be_done = matches!(request.stage, Stage::Executing { .. } | Stage::Verifying { .. });
        let answers = matches!(failure, DirectoryError::RateLimited { .. });
        if answers || !may_be_done || frozen.action != Action::Enable || frozen.method == Method::Guided {
            return Ok(false);
        }
        let since = *self.silent.entry(request.number).or_insert(asked);
        if self.clock.now() - since < ABANDONED {
            return Ok(false);
        }
        self.silent.remove(&request.number);
        let why = format!("Okta does not say whether it was done: {failure}");
        self.step(request, RequestEvent::Lost { why }, "write.unclear", |_| {}).await
    }

    /// It is unclear what became of it: asks Okta, and tells it. Nothing is written any more.
    async fn settle(&self, request: &Request, at: Timestamp) -> Result<Option<Timestamp>, Stuck> {
        let Some((directory, _)) = self.orgs.get(&request.frozen.org) else { return Ok(None) };
        let (app, now) = (&request.frozen.app.id, self.clock.now());
        let change = self.turned_on_since(request, request.created).await?;
        let looked = self.looked.get(&request.number).map(|at| *at).filter(|looked| *looked >= at);
        // The log's word is acted upon at once, but where Okta does not answer it is not asked all the time.
        let since = if change.is_some() { looked } else { Some(looked.unwrap_or(at)) };
        if let Some(since) = since.filter(|since| now - *since < ABANDONED) {
            return Ok(Some(since + ABANDONED));
        }
        self.looked.insert(request.number, now);
        if !directory.app(app).await?.deactivates_users() {
            if now - at < self.verify_within {
                return Ok(Some(now + ABANDONED));
            }
            let why = "Okta did not do it: the setting is off. Ask again if it is still needed".to_owned();
            self.step(request, RequestEvent::Refused { why }, "request.failed", |_| {}).await?;
            return Ok(None);
        }
        let before = unlisted(&self.noted_before(request).await?);
        let after = directory.capabilities(app).await?;
        let others = differences(&before, &after);
        if !others.is_empty() {
            let why = changed_more(&others);
            let more = RequestEvent::Refused { why };
            self.step(request, more, "write.changed_more", |entry| entry.after = listed(&after)).await?;
            return Ok(None);
        }
        let event = change.as_ref().map_or(String::new(), |change| change.event.to_string());
        let proven = RequestEvent::Proven { by: change.map(|change| change.by) };
        self.step(request, proven, "request.proven", |entry| {
            entry.event = event;
            entry.after = listed(&after);
        })
        .await?;
        Ok(None)
    }

    /// Its org is not in the configuration any more: what became of it can no longer be told.
    async fn orphaned(&self, request: &Request) -> Result<Option<Timestamp>, Stuck> {
        let why = format!("org {} is not in the configuration any more", request.frozen.org);
        warn!(request.id = %request.number, "{} is unclear: {why}", request.number);
        self.step(request, RequestEvent::Lost { why }, "write.unclear", |_| {}).await?;
        Ok(None)
    }

    async fn verify(&self, request: &Request, since: Timestamp) -> Result<Option<Timestamp>, Stuck> {
        match request.frozen.action {
            Action::Enable => self.verify_enabled(request, since).await,
            Action::Retry | Action::Fixed => self.verify_pushed(request).await,
            Action::Reassign => self.verify_reassigned(request).await,
        }
    }

    /// The log's own record of the change, whoever made it; else, after a while, the app itself.
    async fn verify_enabled(&self, request: &Request, since: Timestamp) -> Result<Option<Timestamp>, Stuck> {
        if let Some(change) = self.turned_on_since(request, request.created).await? {
            let event = change.event.to_string();
            self.step(request, RequestEvent::Proven { by: Some(change.by) }, "request.proven", |entry| {
                entry.event = event;
            })
            .await?;
            return Ok(None);
        }
        let now = self.clock.now();
        let guided = request.frozen.method == Method::Guided;
        // What was cut off is told soon after the restart, also where the log is late.
        let cut_off = !guided && since < self.started;
        let look_after = match guided {
            true => LOOK_EVERY,
            false if cut_off => ABANDONED,
            false => self.verify_within,
        };
        let looked = self.looked.get(&request.number).map_or(since, |at| *at);
        if now - looked < look_after {
            return Ok(Some(looked + look_after));
        }
        let Some((directory, _)) = self.orgs.get(&request.frozen.org) else {
            return self.orphaned(request).await;
        };
        let read = directory.app(&request.frozen.app.id).await;
        // What became of a write of ours is asked again soon, where Okta did not answer.
        if guided || read.is_ok() {
            self.looked.insert(request.number, now);
        }
        if read?.deactivates_users() {
            self.step(request, RequestEvent::Proven { by: None }, "request.proven", |entry| {
                entry.after = "read from the app; the log has not shown it".to_owned();
            })
            .await?;
            return Ok(None);
        }
        if cut_off && now - self.started >= ABANDONED {
            let why = "Provost was restarted while it waited for the proof, and so far neither Okta's log nor the app \
                       shows the change"
                .to_owned();
            self.step(request, RequestEvent::Lost { why }, "write.unclear", |_| {}).await?;
            return Ok(Some(now));
        }
        let limit = if guided { BY_HAND_WITHIN } else { self.verify_within };
        if now - since >= limit {
            let why = if guided {
                "nobody turned the setting on within 24 hours".to_owned()
            } else {
                "Okta took the change, but neither its log nor the app shows it".to_owned()
            };
            self.step(request, RequestEvent::Refused { why }, "request.failed", |_| {}).await?;
            return Ok(None);
        }
        Ok(Some(now + look_after.min(LOOK_EVERY)))
    }

    /// The newest change of the setting, if it turned it on after a time by our clock.
    async fn turned_on_since(
        &self,
        request: &Request,
        since: Timestamp,
    ) -> Result<Option<SettingChange>, StoreError> {
        let changes = self.store.settings(&request.frozen.org, &request.frozen.app.id).await?;
        let newest = changes.into_iter().map(|(_, change)| change).next();
        Ok(newest.filter(|change| change.on && change.at >= since - SKEW))
    }

    /// Lets something happen to a request with its audit entry; `false` if it cannot happen any more.
    pub(crate) async fn step(
        &self,
        request: &Request,
        event: RequestEvent,
        what: &str,
        fill: impl FnOnce(&mut Draft),
    ) -> Result<bool, StoreError> {
        let mut entry = Draft { what: what.to_owned(), ..Draft::default() };
        match &event {
            RequestEvent::Refused { why }
            | RequestEvent::Changed { why }
            | RequestEvent::Lost { why }
            | RequestEvent::PutOff { why } => entry.reason.clone_from(why),
            RequestEvent::Person { person, outcome } => {
                entry.before = format!("person {person}");
                outcome.word().clone_into(&mut entry.outcome);
                if let Outcome::Failed { why } = outcome {
                    entry.reason.clone_from(why);
                }
            }
            _ => {}
        }
        fill(&mut entry);
        if !entry.event.is_empty() {
            let key = (request.number, entry.before.trim_start_matches("person ").to_owned());
            let okta_request = self.wrote.remove(&key).map_or(String::new(), |(_, id)| id);
            info!(
                request.id = %request.number, okta.request_id = okta_request, event.id = entry.event,
                app.id = %request.frozen.app.id, user.id = key.1, "Okta's log shows what {} did", request.number
            );
        }
        let stepped = self.requests.step(request.number, event, Some(entry), None, self.clock.now()).await?;
        self.board.notify_one();
        match stepped {
            Some(Ok(after)) => {
                info!(request.id = %after.number, "{} is {}", after.number, after.stage.word());
                Ok(true)
            }
            Some(Err(_)) | None => Ok(false),
        }
    }
}

/// Those whom a card and the audit speak of: roles, no names.
const REQUESTER: &str = "the requester";
const APPROVER: &str = "an approver";

/// Whether somebody whom a request rests on is linked to another person than they were, or to none any more: then it
/// is void, and so are its approvals.
fn relinked(request: &Request, links: &Links) -> Option<String> {
    let other = |member: MemberId, person: &Option<UserId>| {
        links.person(&request.frozen.org, member) != person.as_ref()
    };
    let whose = if other(request.frozen.requester, &request.frozen.requester_person) {
        REQUESTER
    } else if request.approvals.iter().any(|approval| other(approval.by, &approval.person)) {
        APPROVER
    } else {
        return None;
    };
    Some(format!(
        "the link of {whose} to an Okta user has changed, so what was asked and approved counts no more"
    ))
}

/// What is said loudly when Okta changed more than it was asked to.
fn changed_more(others: &[String]) -> String {
    format!(
        "Deactivate Users was turned on, but Okta changed other settings as well: {}. To undo, set them back in \
         Provisioning > To App",
        others.join("; ")
    )
}

fn listed(capabilities: &BTreeMap<String, String>) -> String {
    capabilities.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("; ")
}

/// What [`listed`] wrote.
fn unlisted(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split("; ").filter_map(|pair| pair.split_once(": "));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Every capability but the one that was meant, where it is not as it was.
fn differences(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let absent = "absent".to_owned();
    names
        .into_iter()
        .filter(|name| !name.contains("lifecycleDeactivate"))
        .filter_map(|name| {
            let (was, is) = (before.get(name).unwrap_or(&absent), after.get(name).unwrap_or(&absent));
            (was != is).then(|| format!("{name} was {was}, is {is}"))
        })
        .collect()
}
