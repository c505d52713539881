//! What a log amounts to: who waits, in which app, for what.

use std::collections::{BTreeMap, HashMap};

use domain::cause::{Cause, CauseId, Confidence};
use domain::event::{App, Person};
use domain::facts::AppFacts;
use domain::ids::{AppId, EventId};
use jiff::Timestamp;

use super::tally::{Reason, Setting, Tally, Torn};

/// What a scan found.
#[derive(Debug)]
pub struct Report {
    /// How many entries there were.
    pub entries: u64,
    /// How many of them were of a kind that we watch.
    pub events: u64,
    /// The first of those.
    pub from: Option<Timestamp>,
    /// The last of those.
    pub to: Option<Timestamp>,
    /// Every person, app and cause that failed: those that wait first, then by app, the latest first.
    pub failures: Vec<Failure>,
    /// The same by app and cause: where most people wait first.
    pub groups: Vec<Group>,
    /// The apps that push and do not deactivate users; `None` where nobody could be asked.
    pub fail_next: Option<Vec<AppFacts>>,
    /// Reasons that no rule knows, the commonest first, with the number of failures.
    pub unrecognised: Vec<(String, u64)>,
    /// Failures that name no app or no person.
    pub nameless: u64,
    /// How many entries could not be understood.
    pub torn: u64,
    /// The first of those.
    pub torn_told: Vec<Torn>,
}

/// The failures of one person in one app for one cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The app.
    pub app: App,
    /// The person.
    pub person: Person,
    /// Why.
    pub reason: Reason,
    /// How sure that is; `None` where nothing says why.
    pub confidence: Option<Confidence>,
    /// What has become of it.
    pub state: State,
    /// How many jobs failed.
    pub times: u64,
    /// The first time.
    pub first: Timestamp,
    /// The last time.
    pub last: Timestamp,
    /// What Okta said the last time. From outside.
    pub said: Option<String>,
    /// The event of the last time.
    pub event: EventId,
}

/// What has become of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It waits for somebody.
    Waiting,
    /// Okta tries again by itself.
    Healing,
    /// A later push, in another transaction, worked.
    Healed,
    /// The person was unassigned from the app.
    Ended,
}

impl State {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Healing => "healing",
            Self::Healed => "healed",
            Self::Ended => "ended",
        }
    }
}

/// The people of one app who fail for one cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The app.
    pub app: App,
    /// Why.
    pub reason: Reason,
    /// How sure that is, at best.
    pub confidence: Option<Confidence>,
    /// How many people are in which state.
    pub people: BTreeMap<State, u64>,
    /// The first failure.
    pub first: Timestamp,
    /// The last failure.
    pub last: Timestamp,
    /// Whether Deactivate Users is on, by Okta itself.
    pub deactivates: Option<bool>,
    /// Its last change in the log.
    pub changed: Option<Setting>,
}

impl Group {
    /// How many people are in this state.
    pub fn count(&self, state: State) -> u64 {
        self.people.get(&state).copied().unwrap_or_default()
    }
}

impl Report {
    /// Sums up. `apps` are all active apps, where Okta could be asked.
    pub fn of(mut tally: Tally, apps: Option<Vec<AppFacts>>) -> Self {
        tally.settle();
        let facts: HashMap<&AppId, &AppFacts> =
            apps.iter().flatten().map(|facts| (&facts.app.id, facts)).collect();
        let mut failures = failures(&tally, &facts);
        failures.sort_by(|a, b| {
            (a.state, &a.app.label, &a.app.id, b.last, &a.person.id).cmp(&(
                b.state,
                &b.app.label,
                &b.app.id,
                a.last,
                &b.person.id,
            ))
        });
        let groups = groups(&failures, &facts, &tally);
        let unrecognised = unrecognised(&failures);
        let will_fail = |facts: &AppFacts| facts.active && facts.provisions() && !facts.deactivates_users();
        Self {
            entries: tally.entries,
            events: tally.events,
            from: tally.from,
            to: tally.to,
            failures,
            groups,
            fail_next: apps.map(|apps| apps.into_iter().filter(will_fail).collect()),
            unrecognised,
            nameless: tally.nameless,
            torn: tally.torn,
            torn_told: tally.torn_told,
        }
    }

    /// How many failures are in this state.
    pub fn count(&self, state: State) -> usize {
        self.failures.iter().filter(|failure| failure.state == state).count()
    }
}

fn failures(tally: &Tally, facts: &HashMap<&AppId, &AppFacts>) -> Vec<Failure> {
    let mut found = Vec::new();
    for subject in tally.subjects.values() {
        for (reason, failures) in &subject.reasons {
            let state = if tally.is_healed(subject, failures) {
                State::Healed
            } else if tally.is_ended(subject, failures) {
                State::Ended
            } else if *reason == Reason::Known(CauseId::self_healing()) {
                State::Healing
            } else {
                State::Waiting
            };
            // Nothing says why, and the setting that would explain it is off.
            let off = facts.get(&subject.app.id).is_some_and(|facts| !facts.deactivates_users());
            let (reason, confidence) = match reason {
                Reason::Unexplained if off => {
                    (Reason::Known(CauseId::inactive_account()), Some(Confidence::Possible))
                }
                Reason::Unexplained | Reason::Known(_) => (reason.clone(), failures.confidence),
            };
            found.push(Failure {
                app: subject.app.clone(),
                person: subject.person.clone(),
                reason,
                confidence,
                state,
                times: failures.times,
                first: failures.first,
                last: failures.last,
                said: failures.text.clone(),
                event: failures.event.clone(),
            });
        }
    }
    found
}

fn groups(failures: &[Failure], facts: &HashMap<&AppId, &AppFacts>, tally: &Tally) -> Vec<Group> {
    let mut groups: BTreeMap<(&AppId, &Reason), Group> = BTreeMap::new();
    for failure in failures {
        let group = groups.entry((&failure.app.id, &failure.reason)).or_insert_with(|| Group {
            app: failure.app.clone(),
            reason: failure.reason.clone(),
            confidence: failure.confidence,
            people: BTreeMap::new(),
            first: failure.first,
            last: failure.last,
            deactivates: facts.get(&failure.app.id).map(|facts| facts.deactivates_users()),
            changed: tally.settings.get(&failure.app.id).map(|(_, setting)| setting.clone()),
        });
        *group.people.entry(failure.state).or_default() += 1;
        group.confidence = group.confidence.max(failure.confidence);
        group.first = group.first.min(failure.first);
        group.last = group.last.max(failure.last);
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    let ours = |group: &Group| group.reason == Reason::Known(CauseId::inactive_account());
    groups.sort_by_key(|group| std::cmp::Reverse((group.count(State::Waiting), ours(group), group.last)));
    groups
}

fn unrecognised(failures: &[Failure]) -> Vec<(String, u64)> {
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    let other = Reason::Known(CauseId::other());
    for failure in failures.iter().filter(|failure| failure.reason == other) {
        *reasons.entry(failure.said.as_deref().unwrap_or_default()).or_default() += failure.times;
    }
    let mut reasons: Vec<_> = reasons.into_iter().map(|(said, times)| (said.to_owned(), times)).collect();
    reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    reasons
}

impl Reason {
    /// Its id in the output.
    pub fn word(&self) -> &str {
        match self {
            Self::Known(cause) => cause.as_str(),
            Self::Unexplained => "unexplained",
        }
    }

    /// Its cause in words, where there is one.
    pub fn cause<'r>(&self, rules: &'r domain::cause::Rules) -> Option<&'r Cause> {
        match self {
            Self::Known(cause) => Some(rules.cause(cause)),
            Self::Unexplained => None,
        }
    }
}
