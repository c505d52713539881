//! What people do to an incident by hand: take it, hide it for a time, close it; and how it wakes again.
//!
//! **Invariant:** nothing here is called but by [`Incident::apply`], the one place where an incident changes. A
//! function that answers `None` has changed nothing.

use jiff::{SignedDuration, Timestamp};

use super::{EndedBecause, FailureState, Happened, Incident, Line, Stage};
use crate::ids::MemberId;

/// The shortest time for which an incident can be hidden.
pub const SHORTEST_SNOOZE: SignedDuration = SignedDuration::from_mins(5);

/// The longest one.
pub const LONGEST_SNOOZE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Who has an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Who.
    pub by: MemberId,
    /// Since when, by our clock.
    pub at: Timestamp,
}

/// An incident is hidden for a time: it pings nobody, until somebody new fails or the time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snooze {
    /// By whom.
    pub by: MemberId,
    /// Since when, by our clock.
    pub at: Timestamp,
    /// Until when, by our clock.
    pub until: Timestamp,
}

/// An incident was closed by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// By whom.
    pub by: MemberId,
    /// Why, in their words. From outside.
    pub reason: String,
}

/// How a chapter of an incident began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Began {
    /// With the first failure of all.
    New,
    /// It was over, and came back.
    CameBack,
    /// The time for which it was hidden is over, and somebody is still failing.
    SnoozeOver,
    /// Somebody new failed while it was hidden.
    NewPerson,
}

impl Incident {
    /// The incident in a line, without names: what the audit says of it.
    pub fn in_short(&self) -> String {
        let stage = match &self.stage {
            Stage::Open => format!("open, {} failing", self.failing().count()),
            Stage::Over { how, .. } => format!("over: {}", how.word()),
        };
        let claim = self.claim.map_or(String::new(), |claim| format!(", had by {}", claim.by));
        let snooze = self.snooze.map_or(String::new(), |snooze| format!(", snoozed until {}", snooze.until));
        format!("incident {}: {stage}{claim}{snooze}", self.number)
    }

    /// Somebody takes it: from nobody, or from the one who they think has it.
    pub(super) fn claim(&mut self, by: MemberId, from: Option<MemberId>, now: Timestamp) -> Option<Line> {
        let has = self.claim.map(|claim| claim.by);
        if self.stage != Stage::Open || has != from || has == Some(by) {
            return None;
        }
        self.claim = Some(Claim { by, at: now });
        Some(Line { at: now, what: Happened::Claimed { by, from } })
    }

    /// Somebody hides it for a time; once more, for another time.
    pub(super) fn snooze(&mut self, by: MemberId, until: Timestamp, now: Timestamp) -> Option<Line> {
        if self.stage != Stage::Open || until <= now {
            return None;
        }
        self.snooze = Some(Snooze { by, at: now, until });
        Some(Line { at: now, what: Happened::Snoozed { by, until } })
    }

    /// Somebody closes it: whoever is failing now is left as they are.
    pub(super) fn close(&mut self, by: MemberId, reason: String, now: Timestamp) -> Option<Line> {
        if self.stage != Stage::Open {
            return None;
        }
        let mut people = 0;
        for failure in self.failures.values_mut().filter(|each| each.state == FailureState::Failing) {
            // Okta's clock may be ahead of ours: what has failed by now is what is closed.
            let at = now.max(failure.last);
            failure.state = FailureState::Ended { why: EndedBecause::ClosedByHand, at };
            people += 1;
        }
        self.closed = Some(Closing { by, reason: reason.clone() });
        Some(Line { at: now, what: Happened::Closed { by, reason, people } })
    }

    /// It wakes if its time is over. It is hidden only while somebody is failing, so somebody still is.
    pub(super) fn wake_in_time(&mut self, now: Timestamp) -> Option<Line> {
        self.snooze.filter(|snooze| now >= snooze.until)?;
        self.wake(Began::SnoozeOver, now);
        self.quiet = false;
        Some(Line { at: now, what: Happened::Woke { person: None } })
    }

    /// Begins a new chapter for everybody who is failing: a wake is a message and a ping of its own.
    pub(super) fn wake(&mut self, began: Began, now: Timestamp) {
        self.snooze = None;
        self.chapter += 1;
        self.began = began;
        self.opened = now;
        let chapter = self.chapter;
        for failure in self.failures.values_mut().filter(|each| each.state == FailureState::Failing) {
            failure.chapter = chapter;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::{CauseId, Confidence, Strength};
    use crate::event::{App, Person};
    use crate::ids::IncidentNumber;
    use crate::incident::{Change, Proof};

    const OLIVE: MemberId = MemberId(1);
    const OSCAR: MemberId = MemberId(2);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a good time")
    }

    /// Somebody's push fails at this second.
    fn fails(name: &str, second: i64) -> Change {
        Change::Failed {
            person: Person { id: name.parse().expect("a good id"), login: None, name: None },
            at: at(second),
            event: format!("f{second}").parse().expect("a good id"),
            transaction: Some(format!("t{second}")),
            reason: None,
            confidence: Confidence::Certain,
            quiet: false,
        }
    }

    /// Somebody's push works at this second.
    fn works(name: &str, second: i64) -> Change {
        let event = format!("s{second}").parse().expect("a good id");
        let proof = Proof { event, at: at(second), strength: Strength::Account };
        let person = name.parse().expect("a good id");
        Change::Worked { person, transaction: Some(format!("t{second}")), proof }
    }

    fn claims(by: MemberId, from: Option<MemberId>) -> Change {
        Change::Claimed { by, from }
    }

    /// Hidden until this second.
    fn hides(second: i64) -> Change {
        Change::Snoozed { by: OLIVE, until: at(second) }
    }

    fn closes() -> Change {
        Change::Closed { by: OLIVE, reason: "the app is retired".to_owned() }
    }

    /// An incident with these changes, each at its second by our clock, in a line.
    fn after(changes: &[(i64, Change)]) -> String {
        let app = App { id: "slack".parse().expect("a good id"), label: "Slack".to_owned() };
        let org = "acme".parse().expect("a good name");
        let cause = CauseId::inactive_account();
        let mut incident = Incident::new(IncidentNumber(1), org, app, cause, at(0), false);
        let mut changed = String::new();
        for (second, change) in changes {
            let next = incident.after(change.clone(), at(*second));
            changed = if next.is_some() { String::new() } else { "nothing, ".to_owned() };
            if let Some((next, _)) = next {
                assert_eq!(next.revision, incident.revision + 1, "{change:?}");
                incident = next;
            }
        }
        let stage = match &incident.stage {
            Stage::Open => "open".to_owned(),
            Stage::Over { how, at } => format!("{how:?} at {}", at.as_second()),
        };
        let claim = incident.claim.map_or(String::new(), |claim| format!(", had by {}", claim.by));
        let until = |snooze: Snooze| format!(", hidden until {}", snooze.until.as_second());
        let snooze = incident.snooze.map_or(String::new(), until);
        let pings = if incident.pings() { "pings" } else { "silent" };
        let (of, began) = (incident.current().count(), incident.began);
        format!("{changed}{stage}{claim}{snooze}, chapter {} {began:?} of {of}, {pings}", incident.chapter)
    }

    #[test]
    fn every_hand_has_its_effect_in_every_state() {
        let fail = || (10, fails("dana", 10));
        let eli = || (10, fails("eli", 10));
        type Case<'a> = (&'a str, &'a [(i64, Change)], &'a str);
        #[rustfmt::skip]
        let table: &[Case<'_>] = &[
            ("it is claimed",
             &[fail(), (20, claims(OLIVE, None))],
             "open, had by 1, chapter 1 New of 1, pings"),
            ("claimed twice by the same",
             &[fail(), (20, claims(OLIVE, None)), (21, claims(OLIVE, None))],
             "nothing, open, had by 1, chapter 1 New of 1, pings"),
            ("claimed by a second who did not know of the first",
             &[fail(), (20, claims(OLIVE, None)), (21, claims(OSCAR, None))],
             "nothing, open, had by 1, chapter 1 New of 1, pings"),
            ("taken over",
             &[fail(), (20, claims(OLIVE, None)), (21, claims(OSCAR, Some(OLIVE)))],
             "open, had by 2, chapter 1 New of 1, pings"),
            ("taken over from oneself",
             &[fail(), (20, claims(OLIVE, None)), (21, claims(OLIVE, Some(OLIVE)))],
             "nothing, open, had by 1, chapter 1 New of 1, pings"),
            ("taken over from nobody",
             &[fail(), (20, claims(OSCAR, Some(OLIVE)))],
             "nothing, open, chapter 1 New of 1, pings"),
            ("claimed when it is over",
             &[fail(), (20, works("dana", 20)), (21, claims(OLIVE, None))],
             "nothing, Fixed at 20, chapter 1 New of 1, silent"),
            ("who had it at the end is still known",
             &[fail(), (20, claims(OLIVE, None)), (30, works("dana", 30))],
             "Fixed at 30, had by 1, chapter 1 New of 1, silent"),
            ("and not when it comes back",
             &[fail(), (20, claims(OLIVE, None)), (30, works("dana", 30)), (40, fails("dana", 40))],
             "open, chapter 2 CameBack of 1, pings"),

            ("it is hidden",
             &[fail(), (20, hides(100))],
             "open, hidden until 100, chapter 1 New of 1, silent"),
            ("hidden for another time",
             &[fail(), (20, hides(100)), (30, hides(60))],
             "open, hidden until 60, chapter 1 New of 1, silent"),
            ("hidden until a time that is over",
             &[fail(), (20, hides(20))],
             "nothing, open, chapter 1 New of 1, pings"),
            ("hidden when it is over",
             &[fail(), (20, works("dana", 20)), (21, hides(100))],
             "nothing, Fixed at 20, chapter 1 New of 1, silent"),
            ("the same person fails again",
             &[fail(), (20, hides(100)), (30, fails("dana", 30))],
             "open, hidden until 100, chapter 1 New of 1, silent"),
            ("somebody new wakes it, and all who fail are of the new chapter",
             &[fail(), (20, hides(100)), (30, fails("eli", 30))],
             "open, chapter 2 NewPerson of 2, pings"),
            ("somebody who was fixed and fails again wakes it",
             &[fail(), eli(), (20, hides(100)), (30, works("dana", 30)), (40, fails("dana", 40))],
             "open, chapter 2 NewPerson of 2, pings"),
            ("who is over stays in the old chapter",
             &[fail(), eli(), (20, hides(100)), (30, works("dana", 30)), (100, Change::TimePassed)],
             "open, chapter 2 SnoozeOver of 1, pings"),
            ("a failure from before its proof, logged late, wakes nothing",
             &[fail(), eli(), (20, hides(100)), (30, works("dana", 30)), (40, fails("dana", 25))],
             "open, hidden until 100, chapter 1 New of 2, silent"),
            ("its time is not over",
             &[fail(), (20, hides(100)), (99, Change::TimePassed)],
             "nothing, open, hidden until 100, chapter 1 New of 1, silent"),
            ("its time is over",
             &[fail(), (20, hides(100)), (100, Change::TimePassed)],
             "open, chapter 2 SnoozeOver of 1, pings"),
            ("it is woken once",
             &[fail(), (20, hides(100)), (100, Change::TimePassed), (101, Change::TimePassed)],
             "nothing, open, chapter 2 SnoozeOver of 1, pings"),
            ("time passes where nothing is hidden",
             &[fail(), (100, Change::TimePassed)],
             "nothing, open, chapter 1 New of 1, pings"),
            ("whoever had it still has it when it wakes",
             &[fail(), (15, claims(OSCAR, None)), (20, hides(100)), (100, Change::TimePassed)],
             "open, had by 2, chapter 2 SnoozeOver of 1, pings"),
            ("it ends while it is hidden, and does not wake",
             &[fail(), (20, hides(100)), (30, works("dana", 30)), (100, Change::TimePassed)],
             "nothing, Fixed at 30, chapter 1 New of 1, silent"),
            ("it comes back after it ended while it was hidden",
             &[fail(), (20, hides(100)), (30, works("dana", 30)), (40, fails("dana", 40))],
             "open, chapter 2 CameBack of 1, pings"),

            ("it is closed",
             &[fail(), (20, closes())],
             "Closed at 20, chapter 1 New of 1, silent"),
            ("closed while it is hidden",
             &[fail(), (15, hides(100)), (20, closes())],
             "Closed at 20, chapter 1 New of 1, silent"),
            ("closed with some fixed already",
             &[fail(), eli(), (15, works("dana", 15)), (20, closes())],
             "Closed at 20, chapter 1 New of 2, silent"),
            ("closed twice",
             &[fail(), (20, closes()), (21, closes())],
             "nothing, Closed at 20, chapter 1 New of 1, silent"),
            ("closed by a clock behind Okta's",
             &[fail(), (5, closes())],
             "Closed at 10, chapter 1 New of 1, silent"),
            ("a failure after that brings it back",
             &[fail(), (20, closes()), (30, fails("dana", 30))],
             "open, chapter 2 CameBack of 1, pings"),
            ("one that was logged late does not",
             &[fail(), (20, closes()), (30, fails("dana", 15))],
             "Closed at 20, chapter 1 New of 1, silent"),
            ("unless it is of somebody whom nobody knew of",
             &[fail(), (20, closes()), (30, fails("eli", 15))],
             "open, chapter 2 CameBack of 1, pings"),
            ("a success after that proves nothing more",
             &[fail(), (20, closes()), (30, works("dana", 30))],
             "nothing, Closed at 20, chapter 1 New of 1, silent"),
            ("fixed after it came back",
             &[fail(), (20, closes()), (30, fails("dana", 30)), (40, works("dana", 40))],
             "Fixed at 40, chapter 2 CameBack of 1, silent"),
        ];
        for (case, changes, expected) in table {
            assert_eq!(after(changes), *expected, "{case}");
        }
    }

    #[test]
    fn the_audit_reads_how_it_stands_without_names() {
        let app = App { id: "slack".parse().expect("a good id"), label: "Slack".to_owned() };
        let org = "acme".parse().expect("a good name");
        let cause = CauseId::inactive_account();
        let mut incident = Incident::new(IncidentNumber(7), org, app, cause, at(0), false);
        for (change, expected) in [
            (fails("dana", 10), "incident #7: open, 1 failing"),
            (claims(OLIVE, None), "incident #7: open, 1 failing, had by 1"),
            (hides(3_600), "incident #7: open, 1 failing, had by 1, snoozed until 1970-01-01T01:00:00Z"),
            (closes(), "incident #7: over: closed, had by 1"),
        ] {
            incident = incident.after(change, at(20)).expect("each changes something").0;
            assert_eq!(incident.in_short(), expected);
        }
    }
}
