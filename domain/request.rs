//! A request: somebody's wish for one remediation, with its confirmation, approvals, execution and outcome.
//!
//! [`Request::after`] is the only place where a stage changes. It is pure, so one table tests every stage against
//! every event. What a request is about is frozen in a hash when it is made; its card and buttons carry it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

use crate::event::App;
use crate::facts::{Assigned, PUSH_USER_DEACTIVATION};
use crate::ids::{IncidentNumber, MemberId, NotAnId, OrgName, UserId};

mod event;
mod outcome;
mod stage;

pub use event::{Refusal, RequestEvent};
pub use outcome::{Outcome, Sums};
pub use stage::Stage;

/// A request's short number, shown as `R17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestNumber(pub i64);

impl fmt::Display for RequestNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "R{}", self.0)
    }
}

impl FromStr for RequestNumber {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        match text.strip_prefix(['R', 'r']).unwrap_or(text).parse() {
            Ok(number) if number > 0 => Ok(Self(number)),
            _ => Err(NotAnId {
                given: text.chars().take(64).collect(),
                expected: "a request's number such as R17",
            }),
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Turn Deactivate Users on.
    Enable,
    /// Push people again.
    Retry,
    /// Unassign one person and assign them again.
    Reassign,
    /// Somebody did it in the app instead: wait for the proof.
    Fixed,
}

impl Action {
    /// The word in commands, in the configuration and in the audit.
    pub fn word(self) -> &'static str {
        match self {
            Self::Enable => "enable",
            Self::Retry => "retry",
            Self::Reassign => "reassign",
            Self::Fixed => "fixed",
        }
    }
}

/// How it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Okta's API writes.
    Api,
    /// A person does it in the console; we see it in the log.
    Guided,
}

impl Method {
    /// The word in the audit.
    pub fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Guided => "guided",
        }
    }
}

/// Whom a request needs, and how long it may wait for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// How many approvals; with 0, the confirmation is enough.
    pub approvals: u32,
    /// How long a request may wait, from its confirmation on.
    pub expires: SignedDuration,
}

/// What a request is about. Frozen when it is made: an approval is worth nothing for anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// The org.
    pub org: OrgName,
    /// The app.
    pub app: App,
    /// What is asked for.
    pub action: Action,
    /// How it is done.
    pub method: Method,
    /// Whom it is about, by id, in order; empty for `enable`.
    pub people: Vec<UserId>,
    /// The app's state when it was asked for: its status, its features and its people's assignments, as one text.
    pub before: String,
    /// Whom it needs.
    pub gate: Gate,
    /// Who asks.
    pub requester: MemberId,
    /// The person that member is linked to.
    pub requester_person: Option<UserId>,
    /// Whether it acts first and is reviewed after.
    pub breakglass: bool,
    /// How many people were assigned when it was asked for: whom its price may concern. `None` where that was not counted.
    pub assigned: Option<Assigned>,
}

/// The SHA-256 of what a request is about, as 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestHash(pub String);

impl RequestHash {
    /// The first 16 digits: what buttons carry.
    pub fn short(&self) -> &str {
        self.0.get(..16).unwrap_or(&self.0)
    }
}

impl Frozen {
    /// Whether Deactivate Users was on when it was asked for.
    pub fn deactivated_users(&self) -> bool {
        self.before.contains(PUSH_USER_DEACTIVATION)
    }

    /// Its hash. The app's label is part of it: it is what an approver reads.
    pub fn hash(&self) -> RequestHash {
        let expires = self.gate.expires.as_millis().to_string();
        let (approvals, requester) = (self.gate.approvals.to_string(), self.requester.to_string());
        let mut parts = vec![
            "provost request v1",
            self.org.as_str(),
            self.app.id.as_str(),
            &self.app.label,
            self.action.word(),
            self.method.word(),
            &self.before,
            &approvals,
            &expires,
            &requester,
            self.requester_person.as_ref().map_or("", UserId::as_str),
            if self.breakglass { "breakglass" } else { "" },
        ];
        parts.extend(self.people.iter().map(UserId::as_str));
        let assigned = self.assigned.map(|it| format!("{}/{}/{}", it.by_person, it.by_group, it.more));
        parts.extend(assigned.as_deref());
        RequestHash(crate::audit::digest(&parts))
    }
}

/// Somebody's wish for one remediation.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its short number.
    pub number: RequestNumber,
    /// What it is about.
    pub frozen: Frozen,
    /// The hash of that.
    pub hash: RequestHash,
    /// Why, in the requester's words. From outside.
    pub reason: String,
    /// The incident it came from.
    pub incident: Option<IncidentNumber>,
    /// Where it stands.
    pub stage: Stage,
    /// When it was made, by our clock.
    pub created: Timestamp,
    /// When it expires; counted from the confirmation on.
    pub deadline: Timestamp,
    /// Who approved it.
    pub approvals: Vec<Approval>,
    /// What became of each person; empty for `enable`.
    pub outcomes: BTreeMap<UserId, Outcome>,
    /// Counts up with every change; a card that shows an older one is out of date.
    pub revision: i64,
}

/// One approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// By whom.
    pub by: MemberId,
    /// The person that member is linked to.
    pub person: Option<UserId>,
    /// When.
    pub at: Timestamp,
}

/// How long Okta is asked what became of a request that is unclear.
pub const SETTLED_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// How the end of a request begins whose write Okta's API refused: the next one for the app is done by hand.
pub const NOT_BY_API: &str = "Okta's API does not take this change for the app";

/// Stands for the event where an app user's own state is the proof.
pub const STATE_AS_PROOF: &str = "app-user-state";

impl Request {
    /// A new draft. The people are put in order, each once, so that the hash does not hang on how they were picked.
    pub fn draft(
        number: RequestNumber,
        mut frozen: Frozen,
        reason: String,
        incident: Option<IncidentNumber>,
        now: Timestamp,
    ) -> Self {
        frozen.people.sort();
        frozen.people.dedup();
        let outcomes = frozen.people.iter().map(|person| (person.clone(), Outcome::Waiting)).collect();
        Self {
            number,
            hash: frozen.hash(),
            deadline: now + frozen.gate.expires,
            frozen,
            reason,
            incident,
            stage: Stage::Draft,
            created: now,
            approvals: Vec::new(),
            outcomes,
            revision: 1,
        }
    }

    /// The request after `event`, or why that cannot happen to it now. `now` is our clock. Time that passes before
    /// the deadline, or when all is decided, changes nothing: the revision stays.
    ///
    /// # Errors
    ///
    /// [`Refusal`], which says how it stands.
    pub fn after(&self, event: RequestEvent, now: Timestamp) -> Result<Self, Refusal> {
        use {RequestEvent as E, Stage as S};
        let mut next = self.clone();
        let late = now >= self.deadline;
        next.stage = match (&self.stage, event) {
            (S::Draft, E::Chosen { by, .. }) if by != self.frozen.requester => return Err(Refusal::NotYours),
            (S::Draft, E::Chosen { people, gate, .. }) => {
                next.outcomes = people.iter().map(|person| (person.clone(), Outcome::Waiting)).collect();
                (next.frozen.people, next.frozen.gate) = (people, gate);
                next.hash = next.frozen.hash();
                S::Draft
            }
            (S::Draft, E::Confirmed { by, .. }) if by != self.frozen.requester => {
                return Err(Refusal::NotYours);
            }
            (S::Draft, E::Confirmed { hash, .. }) if hash != self.hash.short() || !self.is_as_frozen() => {
                return Err(Refusal::OtherHash);
            }
            (S::Draft, E::Confirmed { .. }) if late => S::Expired { at: now },
            (S::Draft, E::Confirmed { .. }) => {
                next.deadline = now + self.frozen.gate.expires;
                if self.frozen.gate.approvals == 0 || self.frozen.breakglass {
                    S::Approved
                } else {
                    S::Pending
                }
            }

            (S::Pending, E::Approved { .. }) if late => return Err(Refusal::Late),
            (S::Pending, E::Approved { hash, .. }) if hash != self.hash.short() || !self.is_as_frozen() => {
                return Err(Refusal::OtherHash);
            }
            (S::Pending, E::Approved { by, person, .. }) => {
                self.may_approve(by, person.as_ref())?;
                next.approvals.push(Approval { by, person, at: now });
                let enough = next.approvals.len() >= self.frozen.gate.approvals as usize;
                if enough { S::Approved } else { S::Pending }
            }
            (S::Pending, E::Denied { .. }) if late => return Err(Refusal::Late),
            (S::Pending, E::Denied { by, .. }) if by == self.frozen.requester => {
                return Err(Refusal::OwnRequest);
            }
            (S::Pending, E::Denied { by, why }) => S::Denied { by, at: now, why },

            (S::Draft | S::Pending | S::Approved, E::Withdrawn { by }) if by != self.frozen.requester => {
                return Err(Refusal::NotYours);
            }
            (S::Draft | S::Pending | S::Approved, E::Withdrawn { by }) => S::Cancelled { by, at: now },
            (S::Draft | S::Pending | S::Approved, E::TimePassed) if late => S::Expired { at: now },
            (S::Draft | S::Pending | S::Approved, E::Changed { why }) => S::Superseded { at: now, why },

            (S::Approved, E::Begun) if late => return Err(Refusal::Late),
            (S::Approved, E::Begun) if !self.is_as_frozen() => return Err(Refusal::OtherHash),
            (S::Approved, E::Begun) => S::Executing { since: now },
            (S::Approved, E::Refused { why }) => S::Failed { at: now, why },

            // Somebody whom it is not about has no place in it: the sums would no longer add up.
            (S::Executing { .. } | S::Verifying { .. }, E::Person { person, .. })
                if !self.outcomes.contains_key(&person) =>
            {
                return Err(Refusal::NotNow(self.stage.clone()));
            }
            // Of two who begin the same person at once, one does.
            (S::Executing { .. } | S::Verifying { .. }, E::Person { person, outcome })
                if !self.outcomes.get(&person).is_some_and(|now| now.leads_to(&outcome)) =>
            {
                return Err(Refusal::NotNow(self.stage.clone()));
            }
            (stage @ (S::Executing { .. } | S::Verifying { .. }), E::Person { person, outcome }) => {
                next.outcomes.insert(person, outcome);
                stage.clone()
            }

            (S::Executing { .. }, E::PutOff { .. }) if !self.has_begun() => S::Approved,
            (S::Executing { .. }, E::Done) => S::Verifying { since: now },
            (S::Executing { .. } | S::Verifying { .. }, E::Refused { why }) => self.refused(why, now),
            (S::Executing { .. } | S::Verifying { .. }, E::Lost { why }) => S::Unclear { at: now, why },
            (S::Executing { .. } | S::Verifying { .. }, E::Proven { by }) => S::Succeeded { at: now, by },

            // The setting can be read at any time, so what was unclear comes to be known.
            (S::Unclear { .. }, E::Refused { why }) if self.comes_to_be_known() => S::Failed { at: now, why },
            (S::Unclear { .. }, E::Proven { by }) if self.comes_to_be_known() => S::Succeeded { at: now, by },

            (_, E::TimePassed) => return Ok(next),
            (stage, _) => return Err(Refusal::NotNow(stage.clone())),
        };
        next.revision += 1;
        Ok(next)
    }

    /// Whether what it is about is still what its hash says; if not, the database was edited by hand.
    pub fn is_as_frozen(&self) -> bool {
        self.hash == self.frozen.hash()
    }

    /// Whether a member may approve it, as far as the request itself can tell.
    ///
    /// # Errors
    ///
    /// [`Refusal::OwnRequest`] or [`Refusal::Twice`], compared by member and by linked person.
    pub fn may_approve(&self, by: MemberId, person: Option<&UserId>) -> Result<(), Refusal> {
        let same = |other: Option<&UserId>| person.is_some() && person == other;
        if by == self.frozen.requester || same(self.frozen.requester_person.as_ref()) {
            return Err(Refusal::OwnRequest);
        }
        let twice = |approval: &Approval| approval.by == by || same(approval.person.as_ref());
        if self.approvals.iter().any(twice) {
            return Err(Refusal::Twice);
        }
        Ok(())
    }

    /// Whether it is worth while to go on asking Okta what became of it, once that is unclear.
    pub fn comes_to_be_known(&self) -> bool {
        self.frozen.action == Action::Enable
    }

    /// Whether anything was begun for any of its people.
    pub fn has_begun(&self) -> bool {
        self.outcomes.values().any(|outcome| *outcome != Outcome::Waiting)
    }

    /// Whether somebody of it is unassigned now, or may be, and is to be assigned again.
    pub fn is_half_done(&self) -> bool {
        !self.stage.is_over() && self.outcomes.values().any(Outcome::is_half_done)
    }

    /// Whether its person is unassigned from the app now; `None` while Okta has not said so.
    pub fn is_unassigned(&self) -> Option<bool> {
        match self.outcomes.values().next()? {
            Outcome::Unassigning { .. } => None,
            outcome => Some(outcome.is_half_done()),
        }
    }

    /// Whether somebody else than the requester did it, as far as links can tell: `None` if they cannot.
    pub fn was_done_by_another(&self) -> Option<bool> {
        let Stage::Succeeded { by: Some(actor), .. } = &self.stage else { return None };
        let (expected, id) = (self.frozen.requester_person.as_ref()?, actor.id.as_deref()?);
        Some(expected.as_str() != id)
    }

    /// How many people of it came to which end: proven, failed, not begun or skipped, still waited for, unclear.
    pub fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        for outcome in self.outcomes.values() {
            match outcome {
                Outcome::Proven(_) => sums.proven += 1,
                Outcome::Failed { .. } => sums.failed += 1,
                Outcome::Waiting | Outcome::Skipped => sums.not_begun += 1,
                Outcome::Unclear { .. } => sums.unclear += 1,
                Outcome::Pushing { .. }
                | Outcome::Pushed { .. }
                | Outcome::Unassigning { .. }
                | Outcome::Unassigned { .. }
                | Outcome::Assigning { .. } => sums.waited_for += 1,
            }
        }
        sums
    }

    fn refused(&self, why: String, at: Timestamp) -> Stage {
        if self.sums().proven > 0 { Stage::Partly { at, why } } else { Stage::Failed { at, why } }
    }
}

#[cfg(test)]
mod tests;
