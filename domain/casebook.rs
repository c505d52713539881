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
mod tests {
    use super::*;
    use crate::event::{Actor, EventKind, Outcome};

    const DAY: i64 = 24 * 3600;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a good time")
    }

    /// A push of Dana to Slack, in a job of its own.
    fn push(second: i64, outcome: &str, reason: Option<&str>) -> Event {
        let event_type = "application.provision.user.push_profile";
        Event {
            id: format!("e{second}").parse().expect("a good id"),
            published: at(second),
            kind: EventKind::of(event_type),
            event_type: event_type.to_owned(),
            legacy_type: None,
            outcome: Outcome::from(outcome),
            reason: reason.map(str::to_owned),
            message: None,
            transaction: Some(format!("t{second}")),
            app: Some(App { id: "slack".parse().expect("a good id"), label: "Slack".to_owned() }),
            person: Some(Person { id: "dana".parse().expect("a good id"), login: None, name: None }),
            actor: Actor::default(),
            custom_message: None,
            deactivate_users: None,
        }
    }

    fn fails(second: i64) -> Event {
        push(second, "FAILURE", Some("User account is inactive"))
    }

    fn silent(second: i64) -> Event {
        push(second, "FAILURE", None)
    }

    fn works(second: i64) -> Event {
        push(second, "SUCCESS", None)
    }

    fn of_type(event_type: &str, event: Event) -> Event {
        Event { kind: EventKind::of(event_type), event_type: event_type.to_owned(), ..event }
    }

    fn unassigned(second: i64) -> Event {
        of_type("application.user_membership.remove", works(second))
    }

    fn turned(on: bool, second: i64) -> Event {
        let change = of_type("application.lifecycle.update", works(second));
        Event { deactivate_users: Some(on), person: None, ..change }
    }

    fn in_job(job: &str, event: Event) -> Event {
        Event { transaction: Some(job.to_owned()), ..event }
    }

    fn of(person: &str, event: Event) -> Event {
        let id = format!("{person}-{}", event.id).parse().expect("a good id");
        let person = Person { id: person.parse().expect("a good id"), login: None, name: None };
        Event { id, person: Some(person), ..event }
    }

    fn on(app: &str, event: Event) -> Event {
        let id = format!("{app}-{}", event.id).parse().expect("a good id");
        let app = App { id: app.parse().expect("a good id"), label: "Slack".to_owned() };
        Event { id, app: Some(app), ..event }
    }

    fn book(quiet: bool) -> Casebook {
        Casebook {
            org: "acme".parse().expect("a good name"),
            now: at(0),
            quiet,
            alert_causes: BTreeSet::from([CauseId::inactive_account()]),
            next_number: 7,
            incidents: Vec::new(),
            seen: HashMap::new(),
            settings: HashMap::new(),
            fixed_apps: BTreeSet::new(),
            changes: Changes::default(),
        }
    }

    fn after(events: &[Event]) -> Casebook {
        let (mut book, rules) = (book(false), Rules::embedded());
        for event in events {
            book.take_in(event, &rules);
        }
        book
    }

    /// The incidents of a casebook: number, app, who fails, chapter, end.
    fn told(book: &Casebook) -> String {
        let incident = |incident: &Incident| {
            let failing: Vec<_> = incident.failing().map(|failure| failure.person.id.as_str()).collect();
            let end = match &incident.stage {
                Stage::Open => failing.join("+"),
                Stage::Over { how, at } => format!("{how:?} {}", at.as_second()),
            };
            let app = incident.app.id.as_str();
            format!(
                "{} {app} chapter {} {end} {}",
                incident.number,
                incident.chapter,
                incident.confidence.word()
            )
        };
        book.incidents.iter().map(incident).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn events_become_incidents() {
        let job = |event| in_job("job", event);
        let table: &[(&str, &[Event], &str)] = &[
            ("one failure", &[fails(10)], "#7 slack chapter 1 dana certain"),
            ("another person", &[fails(10), of("eli", fails(11))], "#7 slack chapter 1 dana+eli certain"),
            (
                "another app of the same label",
                &[fails(10), on("slack2", fails(11))],
                "#7 slack chapter 1 dana certain, #8 slack2 chapter 1 dana certain",
            ),
            ("another cause", &[push(10, "FAILURE", Some("409 Conflict"))], ""),
            ("nothing explains it", &[silent(10)], ""),
            ("silent, then why", &[job(silent(10)), job(fails(11))], "#7 slack chapter 1 dana certain"),
            ("why, then silent", &[job(fails(10)), job(silent(11))], "#7 slack chapter 1 dana certain"),
            ("silent in another job", &[fails(10), silent(11)], "#7 slack chapter 1 dana certain"),
            (
                "somebody else in the job",
                &[job(fails(10)), job(of("eli", silent(11)))],
                "#7 slack chapter 1 dana certain",
            ),
            ("fixed", &[fails(10), works(20)], "#7 slack chapter 1 Fixed 20 certain"),
            ("fixed in advance", &[works(20), fails(10)], "#7 slack chapter 1 Fixed 20 certain"),
            ("worked before", &[works(5), fails(10)], "#7 slack chapter 1 dana certain"),
            (
                "a success of the same job",
                &[job(fails(10)), job(works(20))],
                "#7 slack chapter 1 dana certain",
            ),
            (
                "a success in another app",
                &[fails(10), on("zoom", works(20))],
                "#7 slack chapter 1 dana certain",
            ),
            (
                "recognised as a failure, whatever its outcome says",
                &[fails(10), push(20, "SUCCESS", Some("User account is inactive"))],
                "#7 slack chapter 1 dana certain",
            ),
            ("unassigned", &[fails(10), unassigned(20)], "#7 slack chapter 1 Ended 20 certain"),
            (
                "unassigned, logged in advance",
                &[unassigned(20), fails(10)],
                "#7 slack chapter 1 Ended 20 certain",
            ),
            ("assigned again", &[fails(10), unassigned(20), fails(30)], "#7 slack chapter 2 dana certain"),
            (
                "back within a day",
                &[fails(10), works(20), fails(20 + DAY)],
                "#7 slack chapter 2 dana certain",
            ),
            (
                "back after a day",
                &[fails(10), works(20), fails(21 + DAY)],
                "#7 slack chapter 1 Fixed 20 certain, #8 slack chapter 1 dana certain",
            ),
            (
                "a success ends it in every incident of the app",
                &[fails(10), works(20), fails(21 + DAY), works(22 + DAY)],
                "#7 slack chapter 1 Fixed 20 certain, #8 slack chapter 1 Fixed 86422 certain",
            ),
        ];
        for (case, events, expected) in table {
            assert_eq!(told(&after(events)), *expected, "{case}");
        }
    }

    #[test]
    fn an_event_is_judged_by_what_it_names() {
        let rules = Rules::embedded();
        let nameless = Event { person: None, ..fails(10) };
        let appless = Event { app: None, ..fails(10) };
        let table = [
            (fails(10), Judged::Failure(CauseId::inactive_account())),
            (push(10, "FAILURE", Some("409 Conflict")), Judged::Failure("already-exists".into())),
            (silent(10), Judged::Unexplained),
            (works(10), Judged::Success(Strength::ProfileOnly)),
            (turned(true, 10), Judged::Setting(true)),
            (unassigned(10), Judged::Unassigned),
            (push(10, "SKIPPED", None), Judged::Nothing),
            (nameless, Judged::Unhandled("it names no person")),
            (appless, Judged::Unhandled("it names no app")),
        ];
        for (event, expected) in table {
            assert_eq!(book(false).take_in(&event, &rules), expected, "{event:?}");
        }
    }

    #[test]
    fn what_a_page_changed_is_noted_and_no_more() {
        let mut book = after(&[fails(10), of("eli", fails(11)), on("zoom", fails(12))]);
        book.changes = Changes::default();

        book.take_in(&works(20), &Rules::embedded());

        let number = IncidentNumber(7);
        assert_eq!(book.changes.touched, BTreeSet::from([number]));
        assert_eq!(book.changes.failures, BTreeSet::from([(number, "dana".parse().expect("a good id"))]));
        assert_eq!(book.changes.lines.len(), 1);
    }

    #[test]
    fn what_is_explained_later_is_judged_anew() {
        let book = after(&[
            in_job("job", silent(10)),
            in_job("job", of("eli", silent(10))),
            silent(11),
            in_job("job", fails(12)),
        ]);

        let rejudged: Vec<_> = book.changes.rejudged.iter().map(|(event, _)| event.as_str()).collect();
        assert_eq!(rejudged, ["e10"]);
        let failure = book.incidents[0].failures.values().next().expect("dana fails");
        assert_eq!((failure.times, failure.first, failure.event.as_str()), (2, at(10), "e12"));
    }

    #[test]
    fn what_is_left_over_is_settled_by_what_is_near_or_by_the_setting() {
        let import = of_type("application.provision.user.import_profile", silent(100));
        let known = |second| vec![fails(second)];
        let guess = "#7 slack chapter 1 dana possible";
        let sure = "#7 slack chapter 1 dana certain";
        type Case<'a> = (&'a str, &'a [Event], Event, Option<bool>, Option<&'a str>, &'a str);
        let table: &[Case<'_>] = &[
            ("the setting is off", &[], silent(100), Some(true), Some("inactive-account"), guess),
            ("the setting is on", &[], silent(100), Some(false), Some("other"), ""),
            ("it cannot be told", &[], silent(100), None, None, ""),
            ("it is no push", &[], import, Some(true), Some("other"), ""),
            ("near before", &known(40), silent(100), Some(false), Some("inactive-account"), sure),
            ("near after", &known(160), silent(100), None, Some("inactive-account"), sure),
            ("not near", &known(39), silent(100), None, None, sure),
            (
                "near is somebody else",
                &[of("eli", fails(100))],
                silent(100),
                None,
                None,
                "#7 slack chapter 1 eli certain",
            ),
            (
                "near is another cause",
                &[push(90, "FAILURE", Some("409 Conflict"))],
                silent(100),
                Some(true),
                Some("already-exists"),
                "",
            ),
        ];
        for (case, before, event, off, judged, expected) in table {
            let mut book = after(before);
            let found = book.settle(event, *off);
            assert_eq!(found, judged.map(|cause| Judged::Failure(cause.into())), "{case}");
            assert_eq!(told(&book), *expected, "{case}");
        }
    }

    #[test]
    fn a_guess_does_not_confirm_another() {
        let mut book = after(&[in_job("job", silent(10)), silent(11)]);
        book.settle(&in_job("job", silent(10)), Some(true));
        for seen in book.seen.values_mut().flatten().filter(|seen| seen.published == at(10)) {
            seen.verdict = Judged::Failure(CauseId::inactive_account());
        }

        book.settle(&silent(11), Some(true));
        book.take_in(&in_job("job", silent(12)), &Rules::embedded());

        assert_eq!(told(&book), "#7 slack chapter 1 dana possible");
        assert_eq!(book.incidents[0].failures.values().next().map(|failure| failure.times), Some(3));
    }

    #[test]
    fn a_setting_turned_off_is_drift_where_an_incident_was_fixed() {
        let fixed = [fails(10), works(20)];
        let table: &[(&str, &[Event], Event, usize)] = &[
            ("never failed", &[], turned(false, 30), 0),
            ("failing", &[fails(10)], turned(false, 30), 0),
            ("ended, not fixed", &[fails(10), unassigned(20)], turned(false, 30), 0),
            ("fixed", &fixed, turned(false, 30), 1),
            ("fixed, and turned on", &fixed, turned(true, 30), 0),
            ("another app", &fixed, on("zoom", turned(false, 30)), 0),
            ("older than what is known", &[fails(10), works(20), turned(true, 40)], turned(false, 30), 0),
        ];
        for (case, before, change, expected) in table {
            let mut book = after(before);
            book.take_in(change, &Rules::embedded());
            assert_eq!(book.changes.drifts.len(), *expected, "{case}");
        }

        let mut long_ago = book(false);
        long_ago.fixed_apps.insert("slack".parse().expect("a good id"));
        long_ago.take_in(&turned(false, 30), &Rules::embedded());
        assert_eq!(long_ago.changes.drifts.len(), 1);
    }

    #[test]
    fn what_comes_back_within_the_first_look_back_stays_quiet() {
        let mut book = book(true);
        for event in [fails(10), works(20), fails(30)] {
            book.take_in(&event, &Rules::embedded());
        }
        assert_eq!(told(&book), "#7 slack chapter 2 dana certain");
        assert!(book.incidents[0].quiet);
    }
}
