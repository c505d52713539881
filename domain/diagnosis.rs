//! Facts in, verdict out: what is wrong with an app's provisioning, and what can be done.
//!
//! [`gather`] asks, in parallel and in as few calls as possible; [`diagnose`] decides, and is pure.

mod gather;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub use gather::{Evidence, History, gather, people, read_app};

use crate::cause::{CauseId, Confidence};
use crate::event::Person;
use crate::facts::{AppUser, Assigned, Connection, ProvisioningFeature, Scope};
use crate::ids::EventId;
use crate::incident::{Incident, Mode, SettingChange};

/// What is wrong, in one of eight words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Failing with our cause, and Deactivate Users is off.
    SettingIsOff,
    /// Deactivate Users was turned on after the last failure.
    AlreadyOn,
    /// Failing with our cause after it was on: not the setting, but the app's side.
    OnAndStillFailing,
    /// Okta tries again by itself.
    HealingItself,
    /// Another rule matched.
    AnotherCause(CauseId),
    /// Everybody who fails is not active in Okta.
    PersonIsInactive,
    /// Provisioning is off or unsupported.
    NoProvisioning,
    /// No failure in the window.
    NothingIsFailing,
}

/// What was found about an app.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnosis {
    /// What is wrong; `None` where a fact that decides it could not be had.
    pub verdict: Option<Verdict>,
    /// Who fails, latest first.
    pub failing: Vec<Failing>,
    /// Whether Deactivate Users is on.
    pub deactivates_users: Option<bool>,
    /// Who last changed it and when, if the log still tells.
    pub changed: Option<SettingChange>,
    /// How it can be changed.
    pub mode: Mode,
    /// Why it can only be changed by hand, in Okta's words, where Okta was asked. From outside.
    pub by_hand_because: Option<String>,
    /// The provisioning connection.
    pub connection: Option<Connection>,
    /// How many people are assigned.
    pub assigned: Option<Assigned>,
    /// Failures of the window by cause, those that are over included: people, most first.
    pub causes: Vec<(CauseId, usize)>,
    /// How far back the log was read; `None` if it could not be.
    pub since: Option<Timestamp>,
    /// Whether the log was read to its beginning; a busy app's is cut.
    pub complete: bool,
    /// What could not be had, each with its reason. From outside.
    pub missing: Vec<String>,
}

/// One person whose push fails.
#[derive(Debug, Clone, PartialEq)]
pub struct Failing {
    /// Who.
    pub person: Person,
    /// Why.
    pub cause: CauseId,
    /// How sure.
    pub confidence: Confidence,
    /// Since when, by Okta's clock.
    pub first: Timestamp,
    /// The last event, by Okta's clock.
    pub last: Timestamp,
    /// That event.
    pub event: EventId,
    /// Its reason. From outside.
    pub reason: Option<String>,
    /// How they are assigned.
    pub assigned: Option<Scope>,
    /// The app user's status and sync state. From outside.
    pub state: Option<String>,
    /// Whether they are active in Okta; `None` if Okta did not tell.
    pub active: Option<bool>,
}

/// Decides what is wrong from what was found.
pub fn diagnose(evidence: &Evidence) -> Diagnosis {
    let history = evidence.history.as_ref().ok();
    let cases: Vec<&Incident> = match history {
        Some(history) => history.cases.iter().collect(),
        None => evidence.known.iter().collect(),
    };
    let users = evidence.users.as_ref().map_or(&[][..], |users| users);
    let failing = failing(&cases, &evidence.known, users);
    let changed = changes(evidence).into_iter().max_by_key(|change| change.at);
    let deactivates_users = setting(evidence).or(changed.as_ref().map(|change| change.on));
    let by_hand_because = match &evidence.feature {
        Some(Ok(ProvisioningFeature::ByHandOnly { why })) => Some(why.clone()),
        _ => None,
    };
    let api = matches!(evidence.feature, Some(Ok(ProvisioningFeature::Readable { .. })));
    let mut diagnosis = Diagnosis {
        verdict: None,
        failing,
        deactivates_users,
        changed,
        mode: if api { Mode::Api } else { Mode::Guided },
        by_hand_because,
        connection: evidence.connection.as_ref().ok().cloned(),
        assigned: evidence.assigned.as_ref().ok().copied(),
        causes: causes(&cases),
        since: history.map(|history| history.since),
        complete: history.is_some_and(|history| history.complete),
        missing: evidence.missing(),
    };
    diagnosis.verdict = verdict(&diagnosis, evidence);
    diagnosis
}

fn verdict(found: &Diagnosis, evidence: &Evidence) -> Option<Verdict> {
    let provisions = evidence.app.as_ref().ok().map(|app| app.active && app.provisions());
    if provisions == Some(false) || found.connection == Some(Connection::Disabled) {
        return Some(Verdict::NoProvisioning);
    }
    if found.failing.is_empty() {
        // Without the log nobody knows that nothing is failing.
        return evidence.history.is_ok().then_some(Verdict::NothingIsFailing);
    }
    if found.failing.iter().all(|failing| failing.active == Some(false)) {
        return Some(Verdict::PersonIsInactive);
    }
    let ours = CauseId::inactive_account();
    let last = found.failing.iter().filter(|failing| failing.cause == ours).map(|failing| failing.last).max();
    if let Some(last) = last {
        return match found.deactivates_users? {
            false => Some(Verdict::SettingIsOff),
            true if found.changed.as_ref().is_some_and(|change| change.on && change.at > last) => {
                Some(Verdict::AlreadyOn)
            }
            true => Some(Verdict::OnAndStillFailing),
        };
    }
    let healing = CauseId::self_healing();
    let cause = most_people(&found.failing);
    Some(if cause == healing { Verdict::HealingItself } else { Verdict::AnotherCause(cause) })
}

fn most_people(failing: &[Failing]) -> CauseId {
    let mut counts: BTreeMap<&CauseId, usize> = BTreeMap::new();
    for each in failing {
        *counts.entry(&each.cause).or_default() += 1;
    }
    counts
        .into_iter()
        .max_by_key(|(_, people)| *people)
        .map_or_else(CauseId::other, |(cause, _)| cause.clone())
}

/// What Okta says now outweighs what its log said.
fn setting(evidence: &Evidence) -> Option<bool> {
    if let Some(Ok(ProvisioningFeature::Readable { deactivates_users: Some(on), .. })) = evidence.feature {
        return Some(on);
    }
    evidence.app.as_ref().ok().map(|app| app.deactivates_users())
}

fn changes(evidence: &Evidence) -> Vec<SettingChange> {
    let history = evidence.history.iter().flat_map(|history| history.changes.iter().cloned());
    history.chain(evidence.changes.iter().cloned()).collect()
}

/// The log tells who fails; what we remember adds the causes that only waiting could tell.
fn failing(cases: &[&Incident], known: &[Incident], users: &[AppUser]) -> Vec<Failing> {
    let mut all: Vec<Failing> = Vec::new();
    let mut listed = BTreeSet::new();
    for case in cases.iter().copied().chain(known) {
        for failure in case.failing() {
            if !listed.insert(failure.person.id.clone()) {
                continue;
            }
            let user = users.iter().find(|user| user.person.id == failure.person.id);
            all.push(Failing {
                person: failure.person.clone(),
                cause: case.cause.clone(),
                confidence: case.confidence,
                first: failure.first,
                last: failure.last,
                event: failure.event.clone(),
                reason: failure.reason.clone(),
                assigned: user.map(|user| user.scope).or(failure.assigned),
                state: user.map(|user| match &user.sync_state {
                    Some(sync) => format!("app user {}, last sync {sync}", user.status),
                    None => format!("app user {}", user.status),
                }),
                active: user.and_then(|user| user.okta_status.is_some().then(|| user.is_active_in_okta())),
            });
        }
    }
    all.sort_by_key(|failing| std::cmp::Reverse(failing.last));
    all
}

fn causes(cases: &[&Incident]) -> Vec<(CauseId, usize)> {
    let mut all: BTreeMap<CauseId, usize> = BTreeMap::new();
    for case in cases {
        *all.entry(case.cause.clone()).or_default() += case.failures.len();
    }
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|(_, people)| std::cmp::Reverse(*people));
    all
}
