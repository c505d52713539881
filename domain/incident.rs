//! An incident: all failures of one org, app and cause, from the first to the proof that none is left.
//!
//! [`Incident::after`] is the only place where a failure's state or an incident's stage changes. It is pure, so one
//! table tests the whole life.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::cause::{CauseId, Confidence, Strength};
use crate::event::{Actor, App, Person};
use crate::facts::Scope;
use crate::ids::{EventId, IncidentNumber, OrgName, UserId};

/// A failure that returns within this time after the end belongs to the same incident.
pub const COMES_BACK_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// All failures of one org, app and cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// Its short number.
    pub number: IncidentNumber,
    /// The org.
    pub org: OrgName,
    /// The app.
    pub app: App,
    /// The cause.
    pub cause: CauseId,
    /// How sure we are of the cause: the surest of its failures.
    pub confidence: Confidence,
    /// When this chapter began, by our clock: what `group_wait` counts from.
    pub opened: Timestamp,
    /// 1, and one more each time the failure came back. Each chapter has a message of its own.
    pub chapter: u32,
    /// Found by the first look back: it pings nobody, and is not posted at all if it is already over.
    pub quiet: bool,
    /// Whether it goes on.
    pub stage: Stage,
    /// Whose push fails or failed.
    pub failures: BTreeMap<UserId, Failure>,
    /// What Okta said when it was asked about the app.
    pub findings: Option<Findings>,
    /// Counts up with every change; a card that shows an older one is out of date.
    pub revision: i64,
}

/// Whether an incident goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Somebody's push is failing.
    Open,
    /// Nobody's is.
    Over {
        /// How it ended.
        how: Ending,
        /// When, by Okta's clock.
        at: Timestamp,
    },
}

/// How an incident ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By proof, for at least one person.
    Fixed,
    /// Without proof: its ground is gone for everybody.
    Ended,
}

/// One person whose push to one app fails or failed, with the events that say so.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Who.
    pub person: Person,
    /// The first event, by Okta's clock.
    pub first: Timestamp,
    /// The last one.
    pub last: Timestamp,
    /// How many events said so.
    pub times: u32,
    /// The last event that said why, or else the last one.
    pub event: EventId,
    /// The transaction of the last event.
    pub transaction: Option<String>,
    /// The last reason, as Okta logged it. From outside.
    pub reason: Option<String>,
    /// What has become of it.
    pub state: FailureState,
    /// How the person is assigned to the app, where Okta told.
    pub assigned: Option<Scope>,
}

/// What has become of a failure.
#[derive(Debug, Clone, PartialEq)]
pub enum FailureState {
    /// It goes on.
    Failing,
    /// It is over, and this proves it.
    Fixed(Proof),
    /// It is over without proof.
    Ended {
        /// Why.
        why: EndedBecause,
        /// When, by Okta's clock.
        at: Timestamp,
    },
}

/// The Okta record that shows that a push worked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The event.
    pub event: EventId,
    /// When, by Okta's clock.
    pub at: Timestamp,
    /// How much it proves.
    pub strength: Strength,
}

/// Why a failure is over without proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBecause {
    /// The person is no longer assigned to the app.
    Unassigned,
    /// The Okta user is not active.
    InactiveInOkta,
}

/// What Okta said about the app when the incident was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// When it was asked, by our clock.
    pub at: Timestamp,
    /// Whether Deactivate Users is on; `None` if it could not be read.
    pub deactivates_users: Option<bool>,
    /// How the setting can be changed.
    pub mode: Mode,
    /// The app's kind in Okta's catalogue, for example `slack`; empty if it could not be read.
    pub kind: String,
    /// What could not be had, each with its reason. May quote Okta: from outside.
    pub missing: Vec<String>,
}

/// How an app's setting can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By Okta's API.
    Api,
    /// By a person in the console.
    Guided,
}

/// A change of an app's Deactivate Users setting, as the log reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingChange {
    /// Whether it was turned on.
    pub on: bool,
    /// When, by Okta's clock.
    pub at: Timestamp,
    /// By whom. From outside.
    pub by: Actor,
    /// The event.
    pub event: EventId,
}

/// Something that happens to an incident.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A push failed, for the first time or again.
    Failed {
        /// Whose.
        person: Person,
        /// When, by Okta's clock.
        at: Timestamp,
        /// The event.
        event: EventId,
        /// Its transaction.
        transaction: Option<String>,
        /// Its reason.
        reason: Option<String>,
        /// How sure the rule is.
        confidence: Confidence,
        /// Whether the first look back found it: then it pings nobody, though it may come back.
        quiet: bool,
    },
    /// A push worked.
    Worked {
        /// Whose.
        person: UserId,
        /// Its transaction.
        transaction: Option<String>,
        /// The proof it may be.
        proof: Proof,
    },
    /// The ground of a failure is gone.
    Gone {
        /// Whose.
        person: UserId,
        /// Why.
        why: EndedBecause,
        /// When, by Okta's clock.
        at: Timestamp,
    },
    /// Okta was asked about the app and its people.
    Found {
        /// About the app.
        findings: Findings,
        /// How its people are assigned.
        assigned: Vec<(UserId, Scope)>,
    },
    /// Deactivate Users was turned on or off.
    SettingChanged(SettingChange),
}

/// A line of an incident's timeline; its thread shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// When, by Okta's clock.
    pub at: Timestamp,
    /// What.
    pub what: Happened,
}

/// What a line tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Happened {
    /// Deactivate Users was turned on or off.
    SettingChanged(SettingChange),
    /// A failure was fixed.
    Fixed {
        /// Whose.
        person: Person,
        /// By what.
        proof: Proof,
    },
    /// A failure is over without proof.
    Ended {
        /// Whose.
        person: Person,
        /// Why.
        why: EndedBecause,
    },
    /// It came back after the end.
    CameBack {
        /// Whose.
        person: Person,
    },
}

/// An incident after a change, and what the change adds to its timeline.
pub type After = (Incident, Vec<Line>);

impl Incident {
    /// A new incident without failures; [`Change::Failed`] brings the first.
    pub fn new(
        number: IncidentNumber,
        org: OrgName,
        app: App,
        cause: CauseId,
        now: Timestamp,
        quiet: bool,
    ) -> Self {
        Self {
            number,
            org,
            app,
            cause,
            confidence: Confidence::Possible,
            opened: now,
            chapter: 1,
            quiet,
            stage: Stage::Open,
            failures: BTreeMap::new(),
            findings: None,
            revision: 0,
        }
    }

    /// The incident after `change`; `None` if that changes nothing. `now` is our clock.
    pub fn after(&self, change: Change, now: Timestamp) -> Option<After> {
        let mut next = self.clone();
        let lines = next.apply(change, now)?;
        Some((next, lines))
    }

    /// As [`after`](Self::after), in place: an incident with thousands of failures is not copied for each event of
    /// a page. A change that changes nothing (`None`) leaves it as it was.
    pub(crate) fn apply(&mut self, change: Change, now: Timestamp) -> Option<Vec<Line>> {
        let mut lines = Vec::new();
        match change {
            Change::Failed { person, at, event, transaction, reason, confidence, quiet } => {
                self.confidence = self.confidence.max(confidence);
                let known = self.failures.get(&person.id);
                // A failure that happened before its proof, but was logged late, is still fixed.
                let late = known.is_some_and(|known| known.is_over_since(at));
                if !late && matches!(self.stage, Stage::Over { .. }) {
                    self.chapter += 1;
                    self.opened = now;
                    self.quiet = quiet;
                    lines.push(Line { at, what: Happened::CameBack { person: person.clone() } });
                }
                let failure = match known {
                    None => Failure {
                        person,
                        first: at,
                        last: at,
                        times: 1,
                        event,
                        transaction,
                        reason,
                        state: FailureState::Failing,
                        assigned: None,
                    },
                    Some(known) => known.again(at, event, transaction, reason, late),
                };
                self.failures.insert(failure.person.id.clone(), failure);
            }
            Change::Worked { person, transaction, proof } => {
                let failure = self.failures.get_mut(&person)?;
                if !failure.is_disproved_by(transaction.as_deref(), proof.at) {
                    return None;
                }
                lines.push(Line {
                    at: proof.at,
                    what: Happened::Fixed { person: failure.person.clone(), proof: proof.clone() },
                });
                failure.state = FailureState::Fixed(proof);
            }
            Change::Gone { person, why, at } => {
                let failure = self.failures.get_mut(&person)?;
                if failure.state != FailureState::Failing || at < failure.last {
                    return None;
                }
                lines.push(Line { at, what: Happened::Ended { person: failure.person.clone(), why } });
                failure.state = FailureState::Ended { why, at };
            }
            Change::Found { findings, assigned } => {
                for (person, scope) in assigned {
                    if let Some(failure) = self.failures.get_mut(&person) {
                        failure.assigned = Some(scope);
                    }
                }
                self.findings = Some(findings);
            }
            Change::SettingChanged(setting) => {
                if self.stage != Stage::Open {
                    return None;
                }
                if let Some(findings) = &mut self.findings {
                    findings.deactivates_users = Some(setting.on);
                }
                lines.push(Line { at: setting.at, what: Happened::SettingChanged(setting) });
            }
        }
        self.stage = self.stage_now();
        self.revision += 1;
        Some(lines)
    }

    /// The people whose push is failing now.
    pub fn failing(&self) -> impl Iterator<Item = &Failure> {
        self.failures.values().filter(|failure| failure.state == FailureState::Failing)
    }

    /// Whether this chapter's message pings the on-call role.
    pub fn pings(&self) -> bool {
        !self.quiet && self.stage == Stage::Open
    }

    fn stage_now(&self) -> Stage {
        if self.failing().next().is_some() {
            return Stage::Open;
        }
        let ends = self.failures.values().filter_map(Failure::over);
        let fixed = self.failures.values().any(|failure| matches!(failure.state, FailureState::Fixed(_)));
        let how = if fixed { Ending::Fixed } else { Ending::Ended };
        ends.max().map_or(Stage::Open, |at| Stage::Over { how, at })
    }
}

impl Failure {
    /// When it ended, if it did.
    pub fn over(&self) -> Option<Timestamp> {
        match &self.state {
            FailureState::Failing => None,
            FailureState::Fixed(proof) => Some(proof.at),
            FailureState::Ended { at, .. } => Some(*at),
        }
    }

    fn is_over_since(&self, at: Timestamp) -> bool {
        self.over().is_some_and(|end| at <= end)
    }

    /// Whether a success ends this failure: in another transaction, later than the last failure.
    fn is_disproved_by(&self, transaction: Option<&str>, at: Timestamp) -> bool {
        let another = self.transaction.as_deref() != transaction;
        self.state == FailureState::Failing && at > self.last && another
    }

    fn again(
        &self,
        at: Timestamp,
        event: EventId,
        transaction: Option<String>,
        reason: Option<String>,
        late: bool,
    ) -> Self {
        let newer = at >= self.last;
        // The event that says why is worth more than a later one of the same job that says nothing.
        let tells = newer && (reason.is_some() || self.reason.is_none() || transaction != self.transaction);
        Self {
            person: self.person.clone(),
            first: self.first.min(at),
            last: self.last.max(at),
            times: self.times + 1,
            event: if tells { event } else { self.event.clone() },
            transaction: if newer { transaction } else { self.transaction.clone() },
            reason: if tells && reason.is_some() { reason } else { self.reason.clone() },
            state: if late { self.state.clone() } else { FailureState::Failing },
            assigned: self.assigned,
        }
    }
}
