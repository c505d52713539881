//! Carries requests out, and watches for the proof that they worked.
//!
//! One pass looks at every request that is not over and moves it one step. Whatever is written to Okta is noted, with
//! its audit entry, before it is sent; after a crash in between, what Okta has is read before anything is repeated.

mod enable;
mod forbidden;
mod no_proof;
mod reassign;
mod retry;
mod unrecorded;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use commands::chat::Caller;
use commands::policy::Policy;
use dashmap::DashMap;
use domain::audit::Draft;
use domain::ids::{AppId, MemberId, OrgName, UserId};
use domain::links::{LinkBook, Links};
use domain::ports::{Clock, Directory, DirectoryError, Roster, RosterError};
use domain::request::{
    Action, Method, Outcome, Request, RequestEvent, RequestNumber, SETTLED_WITHIN, STATE_AS_PROOF, Stage,
};
use domain::requests::{RequestQuery, Requests};
use domain::store::{Store, StoreError};
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tracing::{info, instrument, warn};

/// What this process began is looked at again after this time, if nothing finished it.
const ABANDONED: SignedDuration = SignedDuration::from_secs(30);

/// How long a person has to do in the console what was approved.
const BY_HAND_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// How often the app itself is read while a person is to change it, beside the log.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// Okta says what time it is to the second, and its servers may differ by a little: less than this is no difference.
const RESOLUTION: SignedDuration = SignedDuration::from_secs(2);

/// How many apps are seen to at once: where Okta hangs, one does not wait for the others.
const AT_ONCE: usize = 16;

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
    /// Since when the app of a guided request is seen to be on, while the log does not say who did it.
    pub nameless: DashMap<RequestNumber, Timestamp>,
    /// Until when Okta wants an assignment to wait that is half done; and which retries lost an answer, since when.
    pub put_off: DashMap<RequestNumber, Timestamp>,
    /// Since when Okta has not answered what became of a write.
    pub silent: DashMap<RequestNumber, Timestamp>,
    /// Since when a step could not be recorded.
    pub unrecorded: DashMap<RequestNumber, Timestamp>,
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
        let open = self.requests.requests(&open).await?;
        let links = match open.is_empty() {
            true => Links::default(),
            false => self.links().await?,
        };
        let unclear = self.requests.unclear(self.clock.now() - SETTLED_WITHIN).await?;
        let mut of_apps: BTreeMap<(OrgName, AppId), Vec<Request>> = BTreeMap::new();
        for request in open.into_iter().chain(unclear.into_iter().filter(Request::comes_to_be_known)) {
            let app = (request.frozen.org.clone(), request.frozen.app.id.clone());
            of_apps.entry(app).or_default().push(request);
        }
        let passes = of_apps.into_values().map(|requests| self.see_to_app(requests, &links));
        // Each comes to its end before a failure of one ends the pass: none is cut off in the middle of a write.
        let due: Vec<anyhow::Result<Option<Timestamp>>> =
            stream::iter(passes).buffered(AT_ONCE).collect().await;
        let due: Vec<Option<Timestamp>> = due.into_iter().collect::<anyhow::Result<_>>()?;
        Ok(due.into_iter().flatten().min())
    }

    /// The requests of one app, one after the other: what the first does, the next one sees.
    async fn see_to_app(&self, requests: Vec<Request>, links: &Links) -> anyhow::Result<Option<Timestamp>> {
        let mut due = Vec::new();
        for request in requests {
            let asked = self.clock.now();
            match self.see_to(&request, links).await {
                Ok(when) => {
                    self.silent.remove(&request.number);
                    self.unrecorded.remove(&request.number);
                    due.extend(when);
                }
                Err(Stuck::Store(failure)) => {
                    self.cannot_record(&request, &failure).await;
                    return Err(failure.into());
                }
                Err(Stuck::Directory(failure)) if self.is_lost(&request, asked, &failure).await? => {
                    due.push(self.clock.now());
                }
                Err(Stuck::Directory(failure)) if self.is_forbidden(&request, &failure).await? => {}
                Err(Stuck::Directory(DirectoryError::RateLimited { until })) => {
                    // Where it will be told that Okta does not say, that is not put off as well.
                    let lost = self.silent.get(&request.number).map_or(until, |since| *since + ABANDONED);
                    due.push(until.min(lost));
                }
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

    /// The last look before anything is written: pause, rights, the app's state.
    async fn begin(&self, request: &Request) -> Result<Option<Timestamp>, Stuck> {
        // What was done in the app is a person's word: nothing is written, so no pause and no change of the app stands
        // in its way.
        let is_word = request.frozen.action == Action::Fixed;
        if !is_word && self.requests.paused().await?.is_some() {
            return Ok(Some(request.deadline));
        }
        if let Some(why) = self.rights_lost(request).await? {
            let why = format!("{why}, so nothing was changed");
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
            let other = match frozen.action {
                Action::Enable => self.other_enable(request).await?,
                Action::Retry | Action::Reassign | Action::Fixed => None,
            };
            let why = match other {
                Some(other) => format!("{other} has turned it on already"),
                None => format!("the app changed since it was asked for: {}", changes(&frozen.before, &now)),
            };
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
            Action::Reassign => self.take_away(request, &**directory).await,
            Action::Retry | Action::Fixed => {
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

    /// A time of ours as Okta's clock showed it; `None` while Okta has not said what time it is.
    fn at_okta(&self, org: &OrgName, at: Timestamp) -> Option<Timestamp> {
        let ahead = self.orgs.get(org).and_then(|(directory, _)| directory.clock_ahead())?;
        Some(if ahead.abs() > RESOLUTION { at + ahead } else { at })
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

    /// Its org is not in the configuration any more: what became of it can no longer be told.
    async fn orphaned(&self, request: &Request) -> Result<Option<Timestamp>, Stuck> {
        let org = &request.frozen.org;
        let mut why = format!("org {org} is not in the configuration any more, so its Okta cannot be asked");
        if request.is_half_done() {
            why.push_str(&format!(
                ". The person may be UNASSIGNED. To do now, in Okta's console: {}. What the assignment held is kept",
                commands::console::ASSIGN
            ));
        }
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
        let shown = (entry.event.clone(), entry.before.trim_start_matches("person ").to_owned());
        let stepped = self.requests.step(request.number, event, Some(entry), None, self.clock.now()).await?;
        self.board.notify_one();
        match stepped {
            Some(Ok(after)) => {
                info!(request.id = %after.number, "{} is {}", after.number, after.stage.word());
                self.is_shown(&after, shown);
                Ok(true)
            }
            Some(Err(_)) | None => Ok(false),
        }
    }

    /// The SIEM's line that ties a write of ours to Okta's event of it. Of what a person did there is none.
    fn is_shown(&self, request: &Request, (event, person): (String, String)) {
        let ours = request.frozen.method == Method::Api && request.frozen.action != Action::Fixed;
        let ended = matches!(
            request.stage,
            Stage::Succeeded { .. } | Stage::Executing { .. } | Stage::Verifying { .. }
        );
        if event.is_empty() || event == STATE_AS_PROOF || !ours || !ended {
            return;
        }
        let key = (request.number, person);
        let okta_request = self.wrote.remove(&key).map_or(String::new(), |(_, id)| id);
        info!(
            request.id = %request.number, okta.request_id = okta_request, event.id = event,
            app.id = %request.frozen.app.id, user.id = key.1, "Okta's log shows what {} did", request.number
        );
    }
}

/// What is another in a state than in the one before; each is words with `;` between its parts.
fn changes(before: &str, now: &str) -> String {
    let parts = |text: &str| -> BTreeSet<String> {
        text.split([';', ' ']).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let (before, now) = (parts(before), parts(now));
    let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| -> Vec<String> {
        one.difference(other).cloned().collect()
    };
    match (only(&now, &before).join(" "), only(&before, &now).join(" ")) {
        (new, gone) if gone.is_empty() => format!("“{new}” is new"),
        (new, gone) if new.is_empty() => format!("“{gone}” is gone"),
        (new, gone) => format!("“{new}” is new, “{gone}” is gone"),
    }
}

/// Whether a refusal passes by itself, so that it is worth while to ask again.
fn passes(failure: &DirectoryError) -> bool {
    failure.may_have_been_done() || matches!(failure, DirectoryError::RateLimited { .. })
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
