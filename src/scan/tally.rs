//! What matters of a log, kept while it streams past, in whichever order.
//!
//! Memory grows with the people and apps that there are, not with the events: per app and person it keeps the last
//! proofs, and per cause of failure the first and the last time.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use domain::cause::{CauseId, Class, Confidence, Rules};
use domain::event::{App, Event, Person};
use domain::ids::{AppId, EventId, UserId};
use jiff::{SignedDuration, Timestamp};

use super::proofs::Proofs;
use super::recent::Recent;

/// How far apart two events of one failure may lie where no transaction ties them.
const SAME_FAILURE: SignedDuration = SignedDuration::from_secs(60);

/// How many jobs are remembered in order to join events to them; a job's events lie close together in a log.
const JOBS: usize = 65_536;

/// How many unreadable entries are told one by one.
const TOLD: usize = 20;

/// Why a push fails, as far as the log says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A rule knows it, or at least the log says something.
    Known(CauseId),
    /// No event of the failure gives a reason.
    Unexplained,
}

/// The failures of one person in one app for one reason.
#[derive(Debug, Clone)]
pub(super) struct Failures {
    pub confidence: Option<Confidence>,
    /// How many jobs failed.
    pub times: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// Of the last one.
    pub text: Option<String>,
    pub event: EventId,
    transaction: u32,
}

/// One person in one app, of whom a failure was seen.
#[derive(Debug)]
pub(super) struct Subject {
    pub app: App,
    pub person: Person,
    pub reasons: HashMap<Reason, Failures>,
}

/// The last change of an app's Deactivate Users setting in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Whether it was turned on.
    pub on: bool,
    /// When.
    pub at: Timestamp,
    /// By whom, as the log names them. From outside.
    pub by: Option<String>,
}

/// A failure without a reason, until its job's other events or its end tell more.
#[derive(Debug)]
struct Pending {
    app: App,
    person: Person,
    at: Timestamp,
    event: EventId,
    transaction: u32,
}

/// An entry that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// Its line in the export, from 1; `None` where it came from Okta itself.
    pub line: Option<u64>,
    /// What is wrong with it.
    pub why: String,
}

/// What has been seen so far.
pub struct Tally {
    pub(super) rules: Arc<Rules>,
    pub(super) entries: u64,
    pub(super) events: u64,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    pub(super) torn: u64,
    pub(super) torn_told: Vec<Torn>,
    /// Failures that name no app or no person.
    pub(super) nameless: u64,
    pub(super) subjects: HashMap<(AppId, UserId), Subject>,
    pub(super) settings: HashMap<AppId, (App, Setting)>,
    proofs: HashMap<u64, Proofs>,
    explained: Recent<()>,
    pending: Recent<Pending>,
    hasher: RandomState,
}

impl Tally {
    /// Nothing seen yet.
    pub fn new(rules: Arc<Rules>) -> Self {
        Self {
            rules,
            entries: 0,
            events: 0,
            from: None,
            to: None,
            torn: 0,
            torn_told: Vec::new(),
            nameless: 0,
            subjects: HashMap::new(),
            settings: HashMap::new(),
            proofs: HashMap::new(),
            explained: Recent::of(JOBS),
            pending: Recent::of(JOBS),
            hasher: RandomState::new(),
        }
    }

    /// How many entries have been seen.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Whether there were entries, and none of them could be understood.
    pub fn is_all_torn(&self) -> bool {
        self.torn > 0 && self.torn == self.entries
    }

    /// The first entry that could not be understood.
    pub fn first_torn(&self) -> Option<&Torn> {
        self.torn_told.first()
    }

    /// Entries of kinds that we do not watch.
    pub fn skip(&mut self, how_many: u64) {
        self.entries += how_many;
    }

    /// An entry that could not be understood.
    pub fn torn(&mut self, torn: Torn) {
        self.entries += 1;
        self.torn += 1;
        if self.torn_told.len() < TOLD {
            self.torn_told.push(torn);
        }
    }

    /// An event.
    pub fn take(&mut self, event: Event) {
        self.entries += 1;
        self.events += 1;
        self.from = Some(self.from.map_or(event.published, |from| from.min(event.published)));
        self.to = Some(self.to.map_or(event.published, |to| to.max(event.published)));
        match self.rules.class(&event) {
            Class::Failure { cause, confidence } => self.failure(event, cause, confidence),
            Class::Unexplained => self.unexplained(event),
            Class::Success(_) => self.success(&event),
            Class::Unassigned => self.unassigned(&event),
            Class::DeactivateUsers(on) => self.setting(event, on),
            Class::Nothing => {}
        }
    }

    /// Nothing more comes: what is still without a reason stays so.
    pub(super) fn settle(&mut self) {
        for pending in self.pending.drain() {
            self.settle_one(pending);
        }
    }

    fn failure(&mut self, event: Event, cause: CauseId, confidence: Confidence) {
        let transaction = self.transaction(event.transaction.as_deref());
        if let Some(job) = self.job_of(&event) {
            self.explained.insert(job, ());
            self.pending.remove(job);
        }
        let (Some(app), Some(person)) = (event.app, event.person) else {
            self.nameless += 1;
            return;
        };
        let failures = Failures {
            confidence: Some(confidence),
            times: 1,
            first: event.published,
            last: event.published,
            text: event.reason.or(event.message),
            event: event.id,
            transaction,
        };
        self.add(app, person, Reason::Known(cause), failures);
    }

    fn unexplained(&mut self, event: Event) {
        let transaction = self.transaction(event.transaction.as_deref());
        let job = self.job_of(&event).unwrap_or_else(|| self.hasher.hash_one(event.id.as_str()));
        if self.explained.contains(job) || self.pending.contains(job) {
            return;
        }
        let (Some(app), Some(person)) = (event.app, event.person) else {
            self.nameless += 1;
            return;
        };
        let pending = Pending { app, person, at: event.published, event: event.id, transaction };
        if let Some(oldest) = self.pending.insert(job, pending) {
            self.settle_one(oldest);
        }
    }

    /// The job said no more. A failure of the same person and app around that time is the same one.
    fn settle_one(&mut self, pending: Pending) {
        let Pending { app, person, at, event, transaction } = pending;
        let near = |failures: &Failures| {
            at.duration_since(failures.first) >= -SAME_FAILURE
                && at.duration_since(failures.last) <= SAME_FAILURE
        };
        let subject = self.subjects.get(&(app.id.clone(), person.id.clone()));
        let told = subject.is_some_and(|subject| {
            subject.reasons.iter().any(|(reason, failures)| *reason != Reason::Unexplained && near(failures))
        });
        if !told {
            let failures =
                Failures { confidence: None, times: 1, first: at, last: at, text: None, event, transaction };
            self.add(app, person, Reason::Unexplained, failures);
        }
    }

    fn add(&mut self, app: App, person: Person, reason: Reason, one: Failures) {
        let key = (app.id.clone(), person.id.clone());
        let subject =
            self.subjects.entry(key).or_insert_with(|| Subject { app, person, reasons: HashMap::new() });
        let Some(known) = subject.reasons.get_mut(&reason) else {
            subject.reasons.insert(reason, one);
            return;
        };
        // A job logs several events; it failed once.
        let same_job = one.transaction != 0 && one.transaction == known.transaction;
        let (times, first) = (known.times + u64::from(!same_job), known.first.min(one.first));
        if one.last >= known.last {
            *known = one;
        }
        (known.times, known.first) = (times, first);
    }

    fn success(&mut self, event: &Event) {
        let transaction = self.transaction(event.transaction.as_deref());
        if let Some(proofs) = self.proofs_of(event) {
            proofs.succeeded(event.published, transaction);
        }
    }

    fn unassigned(&mut self, event: &Event) {
        if let Some(proofs) = self.proofs_of(event) {
            proofs.unassigned(event.published);
        }
    }

    fn setting(&mut self, event: Event, on: bool) {
        let Some(app) = event.app else { return };
        let setting = Setting { on, at: event.published, by: event.actor.name };
        let known = self.settings.entry(app.id.clone()).or_insert_with(|| (app, setting.clone()));
        if setting.at >= known.1.at {
            known.1 = setting;
        }
    }

    /// Whether a later success from another transaction speaks against the failure.
    pub(super) fn is_healed(&self, subject: &Subject, failures: &Failures) -> bool {
        let proofs = self.proofs_for(&subject.app.id, &subject.person.id);
        proofs.is_some_and(|proofs| proofs.heal(failures.last, failures.transaction))
    }

    /// Whether the person was unassigned after the failure.
    pub(super) fn is_ended(&self, subject: &Subject, failures: &Failures) -> bool {
        let proofs = self.proofs_for(&subject.app.id, &subject.person.id);
        proofs.is_some_and(|proofs| proofs.end(failures.last))
    }

    fn proofs_for(&self, app: &AppId, person: &UserId) -> Option<&Proofs> {
        self.proofs.get(&self.hasher.hash_one((app, person)))
    }

    fn proofs_of(&mut self, event: &Event) -> Option<&mut Proofs> {
        let key = self.hasher.hash_one((&event.app.as_ref()?.id, &event.person.as_ref()?.id));
        Some(self.proofs.entry(key).or_default())
    }

    /// What a transaction does for one person and app: it may push several people.
    fn job_of(&self, event: &Event) -> Option<u64> {
        let (app, person) = (event.app.as_ref().map(|app| &app.id), event.person.as_ref().map(|it| &it.id));
        event.transaction.as_deref().map(|job| self.hasher.hash_one((job, app, person)))
    }

    /// A transaction in 32 bits; 0 is none. That two of them meet is unlikely, and would deny a proof, not make one.
    fn transaction(&self, id: Option<&str>) -> u32 {
        id.map_or(0, |id| (self.hasher.hash_one(id) >> 32) as u32 | 1)
    }
}
