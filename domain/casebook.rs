//! Takes one page of the log in: which events mean something, which incident they belong to, what changes.
//!
//! Pure: the store loads what is known about the apps and people on the page, asks [`Casebook::take_in`] for each
//! event, and saves what changed together with the cursor, in one transaction.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use crate::cause::{CauseId, Class, Confidence, Rules, Strength};
use crate::event::{App, Event, Person};
use crate::ids::{AppId, EventId, IncidentNumber, OrgName, UserId};
use crate::incident::{
    COMES_BACK_WITHIN, Change, EndedBecause, Ending, Incident, Line, Proof, SettingChange, Stage,
};

/// An event without a reason joins a failure of the same person and app that is no further away than this.
pub const NEAR: SignedDuration = SignedDuration::from_mins(1);

/// An event of a person and app that was taken in earlier.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The event.
    pub id: EventId,
    /// When, by Okta's clock.
    pub published: Timestamp,
    /// Its transaction.
    pub transaction: Option<String>,
    /// What it turned out to be.
    pub verdict: Judged,
}

/// What an event turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Judged {
    /// A failure with this cause.
    Failure(CauseId),
    /// A failure that nothing explains yet.
    Unexplained,
    /// A push that worked.
    Success(Strength),
    /// A change of Deactivate Users.
    Setting(bool),
    /// Somebody was unassigned.
    Unassigned,
    /// Nothing to us.
    Nothing,
    /// It should mean something, but lacks what we need: stored as such and counted.
    Unhandled(&'static str),
}

/// A notice that a page gives rise to, beside the incidents.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// The app.
    pub app: App,
    /// The change.
    pub change: SettingChange,
}

/// What is known about the apps and people of a page, and what the page changes.
#[derive(Debug)]
pub struct Casebook {
    /// The org.
    pub org: OrgName,
    /// Our clock.
    pub now: Timestamp,
    /// Whether this is the first look back.
    pub quiet: bool,
    /// Which causes open an incident.
    pub alert_causes: BTreeSet<CauseId>,
    /// The number that the next new incident gets.
    pub next_number: i64,
    /// The open incidents of the page's apps and those that ended lately; changed ones are marked in `touched`.
    pub incidents: Vec<Incident>,
    /// What was seen of the page's people, by app.
    pub seen: HashMap<(AppId, UserId), Vec<Seen>>,
    /// The latest known change of the setting, by app.
    pub settings: HashMap<AppId, Timestamp>,
    /// The apps on which an incident was fixed before.
    pub fixed_apps: BTreeSet<AppId>,
    /// What the page changed.
    pub changes: Changes,
}

/// What a page changed.
#[derive(Debug, Default)]
pub struct Changes {
    /// The incidents that are new or changed.
    pub touched: BTreeSet<IncidentNumber>,
    /// Whose failures in them are, so that an incident of thousands is not saved whole for one person.
    pub failures: BTreeSet<(IncidentNumber, UserId)>,
    /// New lines, by incident.
    pub lines: Vec<(IncidentNumber, Line)>,
    /// Events taken in before, on this page or an earlier one, that turned out to be something else.
    pub rejudged: Vec<(EventId, Judged)>,
    /// Changes of the setting.
    pub settings: Vec<(App, SettingChange)>,
    /// Drift notices.
    pub drifts: Vec<Drift>,
}

impl Casebook {
    /// Takes one event in and says what it is. The event must not have been taken in before.
    pub fn take_in(&mut self, event: &Event, rules: &Rules) -> Judged {
        let class = rules.class(event);
        if class == Class::Nothing {
            return Judged::Nothing;
        }
        let Some(app) = &event.app else {
            return Judged::Unhandled("it names no app");
        };
        if let Class::DeactivateUsers(on) = class {
            self.setting(app, event, on);
            return Judged::Setting(on);
        }
        let Some(person) = &event.person else {
            return Judged::Unhandled("it names no person");
        };
        let judged = match class {
            Class::Failure { cause, confidence } => {
                self.failed(app, person, event, &cause, confidence);
                self.explain_others(app, person, event, &cause);
                Judged::Failure(cause)
            }
            Class::Unexplained => match self.cause_in_same_job(app, person, event) {
                Some(cause) => {
                    let confidence = self.as_sure_as_known(app, &cause);
                    self.failed(app, person, event, &cause, confidence);
                    Judged::Failure(cause)
                }
                None => Judged::Unexplained,
            },
            Class::Success(strength) => {
                self.worked(app, person, event, strength);
                Judged::Success(strength)
            }
            Class::Unassigned => {
                self.unassigned(app, person, event.published);
                Judged::Unassigned
            }
            Class::DeactivateUsers(_) | Class::Nothing => unreachable!("answered above"),
        };
        self.seen.entry((app.id.clone(), person.id.clone())).or_default().push(Seen {
            id: event.id.clone(),
            published: event.published,
            transaction: event.transaction.clone(),
            verdict: judged.clone(),
        });
        judged
    }

    /// Decides about an event that nothing explained within `group_wait`. `off` says whether Deactivate Users is
    /// off for an app that Okta provisions; `None` where that cannot be told, and then nothing is decided.
    pub fn settle(&mut self, event: &Event, off: Option<bool>) -> Option<Judged> {
        let (Some(app), Some(person)) = (&event.app, &event.person) else {
            return Some(Judged::Unhandled("it names no app or no person"));
        };
        let near = |seen: &&Seen| seen.published.duration_since(event.published).abs() <= NEAR;
        let cause = self.seen_of(app, person).filter(near).find_map(|seen| match &seen.verdict {
            Judged::Failure(cause) => Some((cause.clone(), self.as_sure_as_known(app, cause))),
            _ => None,
        });
        let (cause, confidence) = match (cause, off) {
            (Some(found), _) => found,
            (None, Some(true)) if event.kind.is_push() => (CauseId::inactive_account(), Confidence::Possible),
            (None, Some(_)) => (CauseId::other(), Confidence::Possible),
            (None, None) => return None,
        };
        self.failed(app, person, event, &cause, confidence);
        Some(Judged::Failure(cause))
    }

    fn seen_of(&self, app: &App, person: &Person) -> impl Iterator<Item = &Seen> {
        self.seen.get(&(app.id.clone(), person.id.clone())).into_iter().flatten()
    }

    /// How sure another event of the person makes us. One whose cause is itself a guess adds nothing.
    fn as_sure_as_known(&self, app: &App, cause: &CauseId) -> Confidence {
        let guessed = |incident: &Incident| {
            incident.app.id == app.id
                && incident.cause == *cause
                && incident.confidence == Confidence::Possible
        };
        if self.incidents.iter().any(guessed) { Confidence::Possible } else { Confidence::Likely }
    }

    fn cause_in_same_job(&self, app: &App, person: &Person, event: &Event) -> Option<CauseId> {
        event.transaction.as_ref()?;
        self.seen_of(app, person).filter(|seen| seen.transaction == event.transaction).find_map(|seen| {
            match &seen.verdict {
                Judged::Failure(cause) => Some(cause.clone()),
                _ => None,
            }
        })
    }

    /// Events of the same job that came first and gave no reason now have one, and count like those that come after.
    fn explain_others(&mut self, app: &App, person: &Person, event: &Event, cause: &CauseId) {
        if event.transaction.is_none() {
            return;
        }
        let mut explained = Vec::new();
        for seen in self.seen.get_mut(&(app.id.clone(), person.id.clone())).into_iter().flatten() {
            if seen.verdict == Judged::Unexplained && seen.transaction == event.transaction {
                seen.verdict = Judged::Failure(cause.clone());
                self.changes.rejudged.push((seen.id.clone(), seen.verdict.clone()));
                explained.push((seen.id.clone(), seen.published));
            }
        }
        for (id, published) in explained {
            let silent = Event { id, published, reason: None, ..event.clone() };
            self.failed(app, person, &silent, cause, Confidence::Likely);
        }
    }

    fn failed(&mut self, app: &App, person: &Person, event: &Event, cause: &CauseId, confidence: Confidence) {
        if !self.alert_causes.contains(cause) {
            return;
        }
        let found = self.incidents.iter().rposition(|incident| {
            incident.app.id == app.id && incident.cause == *cause && incident.takes(event.published)
        });
        let index = found.unwrap_or_else(|| {
            let number = IncidentNumber(self.next_number);
            self.next_number += 1;
            let (org, app) = (self.org.clone(), app.clone());
            self.incidents.push(Incident::new(number, org, app, cause.clone(), self.now, self.quiet));
            self.incidents.len() - 1
        });
        let change = Change::Failed {
            person: person.clone(),
            at: event.published,
            event: event.id.clone(),
            transaction: event.transaction.clone(),
            reason: event.reason.clone(),
            confidence,
            quiet: self.quiet,
        };
        self.apply(index, &person.id, change);
        // What ends it may have been logged first.
        let ends: Vec<_> = self.seen_of(app, person).filter_map(|seen| seen.end_for(&person.id)).collect();
        for change in ends {
            self.apply(index, &person.id, change);
        }
    }

    fn worked(&mut self, app: &App, person: &Person, event: &Event, strength: Strength) {
        let proof = Proof { event: event.id.clone(), at: event.published, strength };
        let transaction = event.transaction.clone();
        self.apply_to_all(app, person, Change::Worked { person: person.id.clone(), transaction, proof });
    }

    fn unassigned(&mut self, app: &App, person: &Person, at: Timestamp) {
        let why = EndedBecause::Unassigned;
        self.apply_to_all(app, person, Change::Gone { person: person.id.clone(), why, at });
    }

    fn apply_to_all(&mut self, app: &App, person: &Person, change: Change) {
        for index in 0..self.incidents.len() {
            if self.incidents[index].app.id == app.id {
                self.apply(index, &person.id, change.clone());
            }
        }
    }

    fn setting(&mut self, app: &App, event: &Event, on: bool) {
        let change =
            SettingChange { on, at: event.published, by: event.actor.clone(), event: event.id.clone() };
        let newest = self.settings.get(&app.id).is_none_or(|known| *known < change.at);
        self.changes.settings.push((app.clone(), change.clone()));
        if !newest {
            return;
        }
        self.settings.insert(app.id.clone(), change.at);
        for incident in self.incidents.iter_mut().filter(|incident| incident.app.id == app.id) {
            self.changes.note(incident, Change::SettingChanged(change.clone()), self.now);
        }
        let fixed_now = |incident: &Incident| {
            incident.app.id == app.id && matches!(incident.stage, Stage::Over { how: Ending::Fixed, .. })
        };
        if !on && (self.fixed_apps.contains(&app.id) || self.incidents.iter().any(fixed_now)) {
            self.changes.drifts.push(Drift { app: app.clone(), change });
        }
    }

    fn apply(&mut self, index: usize, person: &UserId, change: Change) {
        let incident = &mut self.incidents[index];
        let (number, chapter) = (incident.number, incident.chapter);
        if !self.changes.note(incident, change, self.now) {
            return;
        }
        self.changes.failures.insert((number, person.clone()));
        // One that wakes takes everybody who is failing into its new chapter.
        if incident.chapter != chapter {
            let failing = incident.failing().map(|failure| (number, failure.person.id.clone()));
            self.changes.failures.extend(failing);
        }
    }
}

impl Changes {
    /// Lets something happen to an incident and notes what that changes; says whether it changes anything.
    fn note(&mut self, incident: &mut Incident, change: Change, now: Timestamp) -> bool {
        let Some(lines) = incident.apply(change, now) else {
            return false;
        };
        self.touched.insert(incident.number);
        self.lines.extend(lines.into_iter().map(|line| (incident.number, line)));
        true
    }
}

impl Seen {
    /// The end that this event may be for a failure that was logged after it.
    fn end_for(&self, person: &UserId) -> Option<Change> {
        let person = person.clone();
        match self.verdict {
            Judged::Success(strength) => Some(Change::Worked {
                person,
                transaction: self.transaction.clone(),
                proof: Proof { event: self.id.clone(), at: self.published, strength },
            }),
            Judged::Unassigned => {
                Some(Change::Gone { person, why: EndedBecause::Unassigned, at: self.published })
            }
            Judged::Failure(_)
            | Judged::Unexplained
            | Judged::Setting(_)
            | Judged::Nothing
            | Judged::Unhandled(_) => None,
        }
    }
}

impl Incident {
    /// Whether a failure at this time belongs to this incident: it goes on, or ended at most a day before.
    fn takes(&self, at: Timestamp) -> bool {
        match &self.stage {
            Stage::Open => true,
            Stage::Over { at: end, .. } => at.duration_since(*end) <= COMES_BACK_WITHIN,
        }
    }
}

#[cfg(test)]
mod tests;
