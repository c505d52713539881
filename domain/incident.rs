//! An incident: all failures of one org, app and cause, from the first to the proof that none is left.
//!
//! [`Incident::after`] is the only place where a failure's state or an incident's stage changes. It is pure, so one
//! table tests the whole life.

mod hands;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::cause::{CauseId, Confidence, Strength};
use crate::event::{Actor, App, Person};
use crate::facts::Scope;
use crate::ids::{EventId, IncidentNumber, MemberId, OrgName, UserId};
pub use hands::{Began, Claim, Closing, LONGEST_SNOOZE, SHORTEST_SNOOZE, Snooze};

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
    /// 1, and one more each time the failure came back or the incident woke. Each chapter has a message of its own.
    pub chapter: u32,
    /// How this chapter began.
    pub began: Began,
    /// Found by the first look back: it pings nobody, and is not posted at all if it is already over.
    pub quiet: bool,
    /// Whether it goes on.
    pub stage: Stage,
    /// Whose push fails or failed.
    pub failures: BTreeMap<UserId, Failure>,
    /// What Okta said when it was asked about the app.
    pub findings: Option<Findings>,
    /// Who has it.
    pub claim: Option<Claim>,
    /// For how long it is hidden; only while somebody is failing.
    pub snooze: Option<Snooze>,
    /// Who closed it by hand, and why.
    pub closed: Option<Closing>,
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
    /// By hand, with a reason: somebody was still failing.
    Closed,
}

impl Ending {
    /// The word in the audit and in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Ended => "ended",
            Self::Closed => "closed",
        }
    }
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
    /// How many pushes failed: one push logs several events, of one transaction.
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
    /// The chapter of the incident that it belongs to: the one in which it failed last.
    pub chapter: u32,
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
    /// Okta does not have the app any more.
    AppGone,
    /// Somebody closed the incident.
    ClosedByHand,
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
    /// Somebody takes it.
    Claimed {
        /// Who.
        by: MemberId,
        /// From whom, as far as they know; if another one has it by now, nothing changes.
        from: Option<MemberId>,
    },
    /// Somebody hides it for a time.
    Snoozed {
        /// Who.
        by: MemberId,
        /// Until when, by our clock.
        until: Timestamp,
    },
    /// Somebody closes it.
    Closed {
        /// Who.
        by: MemberId,
        /// Why, in their words. From outside.
        reason: String,
    },
    /// The time for which it is hidden may be over.
    TimePassed,
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
    /// Somebody took it.
    Claimed {
        /// Who.
        by: MemberId,
        /// From whom, if somebody had it.
        from: Option<MemberId>,
    },
    /// Somebody hid it for a time.
    Snoozed {
        /// Who.
        by: MemberId,
        /// Until when, by our clock.
        until: Timestamp,
    },
    /// It woke.
    Woke {
        /// Who is new; `None` if its time was over.
        person: Option<Person>,
    },
    /// Somebody closed it.
    Closed {
        /// Who.
        by: MemberId,
        /// Why, in their words. From outside.
        reason: String,
        /// How many people were still failing.
        people: usize,
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
            began: Began::New,
            quiet,
            stage: Stage::Open,
            failures: BTreeMap::new(),
            findings: None,
            claim: None,
            snooze: None,
            closed: None,
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
                // A failure that happened before its proof, but was logged late, is still fixed.
                let known = self.failures.get(&person.id);
                let late = known.is_some_and(|known| known.is_over_since(at));
                let new = !late && known.is_none_or(|known| known.over().is_some());
                if !late && matches!(self.stage, Stage::Over { .. }) {
                    self.chapter += 1;
                    self.began = Began::CameBack;
                    self.opened = now;
                    self.quiet = quiet;
                    self.findings = None;
                    (self.claim, self.closed) = (None, None);
                    lines.push(Line { at, what: Happened::CameBack { person: person.clone() } });
                } else if new && self.snooze.is_some() {
                    self.wake(Began::NewPerson, now);
                    self.quiet = quiet;
                    lines.push(Line { at, what: Happened::Woke { person: Some(person.clone()) } });
                }
                let known = self.failures.get(&person.id);
                let failure = match known {
                    Some(known) if late || known.over().is_none() => {
                        known.again(at, event, transaction, reason)
                    }
                    Some(_) | None => Failure {
                        person,
                        first: at,
                        last: at,
                        times: 1,
                        event,
                        transaction,
                        reason,
                        state: FailureState::Failing,
                        assigned: known.and_then(|known| known.assigned),
                        chapter: self.chapter,
                    },
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
                let mut news = self.findings.as_ref().is_none_or(|known| !known.says_as(&findings));
                for (person, scope) in assigned {
                    if let Some(failure) = self.failures.get_mut(&person) {
                        news |= failure.assigned != Some(scope);
                        failure.assigned = Some(scope);
                    }
                }
                // That Okta was asked again and said the same is not worth an edit of the card.
                if !news {
                    return None;
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
            Change::Claimed { by, from } => lines.push(self.claim(by, from, now)?),
            Change::Snoozed { by, until } => lines.push(self.snooze(by, until, now)?),
            Change::Closed { by, reason } => lines.push(self.close(by, reason, now)?),
            Change::TimePassed => lines.push(self.wake_in_time(now)?),
        }
        self.stage = self.stage_now();
        if self.stage != Stage::Open {
            self.snooze = None;
        }
        self.revision += 1;
        Some(lines)
    }

    /// The people whose push is failing now.
    pub fn failing(&self) -> impl Iterator<Item = &Failure> {
        self.failures.values().filter(|failure| failure.state == FailureState::Failing)
    }

    /// The failures of this chapter, those that are over included: what its card is about.
    pub fn current(&self) -> impl Iterator<Item = &Failure> {
        self.failures.values().filter(|failure| failure.chapter == self.chapter)
    }

    /// Whether this chapter's message pings the on-call role.
    pub fn pings(&self) -> bool {
        !self.quiet && self.stage == Stage::Open && self.snooze.is_none()
    }

    fn stage_now(&self) -> Stage {
        if self.failing().next().is_some() {
            return Stage::Open;
        }
        let ends = self.current().filter_map(Failure::over);
        let fixed = self.current().any(|failure| matches!(failure.state, FailureState::Fixed(_)));
        let by_hand = |failure: &Failure| {
            matches!(failure.state, FailureState::Ended { why: EndedBecause::ClosedByHand, .. })
        };
        let how = match fixed {
            _ if self.current().any(by_hand) => Ending::Closed,
            true => Ending::Fixed,
            false => Ending::Ended,
        };
        ends.max().map_or(Stage::Open, |at| Stage::Over { how, at })
    }
}

impl Findings {
    /// Whether both say the same, whenever they were had, and whatever the words for what could not be had: those
    /// hold the id of the request, which is another one each time.
    fn says_as(&self, other: &Self) -> bool {
        let told = |it: &Self| (it.deactivates_users, it.mode, it.kind.clone(), it.lacks());
        told(self) == told(other)
    }

    /// What could not be had, without the reasons.
    fn lacks(&self) -> Vec<String> {
        let fact = |why: &String| why.split(':').next().unwrap_or_default().to_owned();
        self.missing.iter().map(fact).collect()
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

    /// Whether a success ends this failure: in another transaction, later than the last failure. Whoever was
    /// unassigned since and assigned anew is proven by the new assignment's push.
    fn is_disproved_by(&self, transaction: Option<&str>, at: Timestamp) -> bool {
        let another = self.transaction.as_deref() != transaction;
        let is_open = match &self.state {
            FailureState::Failing => true,
            FailureState::Ended { why: EndedBecause::Unassigned, at: unassigned } => at >= *unassigned,
            FailureState::Ended { .. } | FailureState::Fixed(_) => false,
        };
        is_open && at > self.last && another
    }

    fn again(
        &self,
        at: Timestamp,
        event: EventId,
        transaction: Option<String>,
        reason: Option<String>,
    ) -> Self {
        let newer = at >= self.last;
        let same_push = transaction.is_some() && transaction == self.transaction;
        // The event that says why is worth more than a later one of the same job that says nothing.
        let tells = newer && (reason.is_some() || self.reason.is_none() || transaction != self.transaction);
        Self {
            person: self.person.clone(),
            first: self.first.min(at),
            last: self.last.max(at),
            times: self.times + u32::from(!same_push),
            event: if tells { event } else { self.event.clone() },
            transaction: if newer { transaction } else { self.transaction.clone() },
            reason: if tells && reason.is_some() { reason } else { self.reason.clone() },
            state: self.state.clone(),
            assigned: self.assigned,
            chapter: self.chapter,
        }
    }
}

#[cfg(test)]
mod tests;
