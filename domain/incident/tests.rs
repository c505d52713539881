use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a good time")
}

fn person(name: &str) -> Person {
    Person { id: name.parse().expect("a good id"), login: None, name: None }
}

/// Dana's push fails at this second, in job `t1`.
fn fails(second: i64) -> Change {
    fails_in("dana", second, "t1")
}

fn fails_in(name: &str, second: i64, job: &str) -> Change {
    Change::Failed {
        person: person(name),
        at: at(second),
        event: format!("f{second}").parse().expect("a good id"),
        transaction: Some(job.to_owned()),
        reason: Some(format!("reason {second}")),
        confidence: Confidence::Certain,
        quiet: false,
    }
}

fn fails_silently(second: i64, job: &str) -> Change {
    match fails_in("dana", second, job) {
        Change::Failed { person, at, event, transaction, confidence, quiet, .. } => {
            Change::Failed { person, at, event, transaction, reason: None, confidence, quiet }
        }
        other => other,
    }
}

/// Dana's push works, in job `t2`.
fn works(second: i64) -> Change {
    works_in("dana", second, "t2")
}

fn works_in(name: &str, second: i64, job: &str) -> Change {
    let event = format!("s{second}").parse().expect("a good id");
    let proof = Proof { event, at: at(second), strength: Strength::Account };
    Change::Worked { person: person(name).id, transaction: Some(job.to_owned()), proof }
}

fn gone(name: &str, second: i64) -> Change {
    Change::Gone { person: person(name).id, why: EndedBecause::Unassigned, at: at(second) }
}

fn turned_on(second: i64) -> Change {
    let event = format!("c{second}").parse().expect("a good id");
    Change::SettingChanged(SettingChange { on: true, at: at(second), by: Actor::default(), event })
}

fn new(quiet: bool) -> Incident {
    let app = App { id: "slack".parse().expect("a good id"), label: "Slack".to_owned() };
    let org = "acme".parse().expect("a good name");
    Incident::new(IncidentNumber(1), org, app, CauseId::inactive_account(), at(0), quiet)
}

/// An incident to which all this has happened, and how many lines its timeline has.
fn after(changes: &[Change]) -> (Incident, usize) {
    let mut incident = new(false);
    let mut lines = 0;
    for change in changes {
        if let Some((next, new_lines)) = incident.after(change.clone(), at(1000)) {
            assert_eq!(next.revision, incident.revision + 1, "{change:?}");
            incident = next;
            lines += new_lines.len();
        }
    }
    (incident, lines)
}

/// An incident in a line.
fn told((incident, lines): (Incident, usize)) -> String {
    let stage = match incident.stage {
        Stage::Open => "open".to_owned(),
        Stage::Over { how, at } => format!("{how:?} at {}", at.as_second()),
    };
    let failing = incident.failing().count();
    format!("{stage}, {failing} failing, chapter {}, {lines} lines", incident.chapter)
}

#[test]
fn every_change_has_its_effect_in_every_state() {
    let day = COMES_BACK_WITHIN.as_secs();
    let table: &[(&str, &[Change], &str)] = &[
        ("it opens with the first failure", &[fails(10)], "open, 1 failing, chapter 1, 0 lines"),
        ("it fails again", &[fails(10), fails(20)], "open, 1 failing, chapter 1, 0 lines"),
        ("a success ends it", &[fails(10), works(11)], "Fixed at 11, 0 failing, chapter 1, 1 lines"),
        ("an earlier success does not", &[fails(10), works(9)], "open, 1 failing, chapter 1, 0 lines"),
        ("nor one at the same time", &[fails(10), works(10)], "open, 1 failing, chapter 1, 0 lines"),
        (
            "nor one of the same job",
            &[fails(10), works_in("dana", 11, "t1")],
            "open, 1 failing, chapter 1, 0 lines",
        ),
        (
            "nor one of somebody else",
            &[fails(10), works_in("eli", 11, "t2")],
            "open, 1 failing, chapter 1, 0 lines",
        ),
        (
            "a second success adds nothing",
            &[fails(10), works(11), works(12)],
            "Fixed at 11, 0 failing, chapter 1, 1 lines",
        ),
        (
            "a success before the last failure does not end it",
            &[fails(10), fails(20), works(15)],
            "open, 1 failing, chapter 1, 0 lines",
        ),
        (
            "it goes on while anybody fails",
            &[fails(10), fails_in("eli", 10, "t3"), works(11)],
            "open, 1 failing, chapter 1, 1 lines",
        ),
        (
            "it ends with the last one",
            &[fails(10), fails_in("eli", 10, "t3"), works(12), works_in("eli", 11, "t4")],
            "Fixed at 12, 0 failing, chapter 1, 2 lines",
        ),
        ("its ground is gone", &[fails(10), gone("dana", 11)], "Ended at 11, 0 failing, chapter 1, 1 lines"),
        (
            "an unassignment before the failure ends nothing",
            &[fails(10), gone("dana", 9)],
            "open, 1 failing, chapter 1, 0 lines",
        ),
        (
            "one fixed among those gone is enough to call it fixed",
            &[fails(10), fails_in("eli", 10, "t3"), works(11), gone("eli", 12)],
            "Fixed at 12, 0 failing, chapter 1, 2 lines",
        ),
        (
            "who was unassigned and assigned anew is proven by that",
            &[fails(10), gone("dana", 11), works(12)],
            "Fixed at 12, 0 failing, chapter 1, 2 lines",
        ),
        (
            "what worked before the unassignment proves nothing after it",
            &[fails(10), gone("dana", 12), works(11)],
            "Ended at 12, 0 failing, chapter 1, 1 lines",
        ),
        (
            "what is over since the person is inactive in Okta is not proven later",
            &[
                fails(10),
                Change::Gone { person: person("dana").id, why: EndedBecause::InactiveInOkta, at: at(11) },
                works(12),
            ],
            "Ended at 11, 0 failing, chapter 1, 1 lines",
        ),
        (
            "it comes back as a new chapter",
            &[fails(10), works(11), fails(12)],
            "open, 1 failing, chapter 2, 2 lines",
        ),
        (
            "and ends again",
            &[fails(10), works(11), fails(12), works(13)],
            "Fixed at 13, 0 failing, chapter 2, 3 lines",
        ),
        (
            "a failure from before the proof, logged late, changes nothing about the end",
            &[fails(10), works(20), fails(15)],
            "Fixed at 20, 0 failing, chapter 1, 1 lines",
        ),
        (
            "somebody new reopens it",
            &[fails(10), works(11), fails_in("eli", 12, "t3")],
            "open, 1 failing, chapter 2, 2 lines",
        ),
        (
            "a change of the setting is told while it goes on",
            &[fails(10), turned_on(11)],
            "open, 1 failing, chapter 1, 1 lines",
        ),
        (
            "and not after",
            &[fails(10), works(11), turned_on(12)],
            "Fixed at 11, 0 failing, chapter 1, 1 lines",
        ),
        (
            "who decides whether it is too late is the casebook",
            &[fails(10), works(11), fails(12 + day)],
            "open, 1 failing, chapter 2, 2 lines",
        ),
    ];
    for (case, changes, expected) in table {
        assert_eq!(told(after(changes)), *expected, "{case}");
    }
}

#[test]
fn a_failure_keeps_the_event_that_says_why() {
    let (long, other) = (fails_silently(20, "t1"), fails_silently(20, "t9"));
    type Told<'a> = (&'a str, i64, i64, u32, Option<&'a str>);
    let table: &[(&str, &[Change], Told<'_>)] = &[
        ("one", &[fails(10)], ("f10", 10, 10, 1, Some("reason 10"))),
        ("a later one that says why", &[fails(10), fails(20)], ("f20", 10, 20, 1, Some("reason 20"))),
        ("a later one of the job that does not", &[fails(10), long], ("f10", 10, 20, 1, Some("reason 10"))),
        ("one of another job that does not", &[fails(10), other], ("f20", 10, 20, 2, Some("reason 10"))),
        ("an earlier one", &[fails(10), fails(5)], ("f10", 5, 10, 1, Some("reason 10"))),
        (
            "a silent one and then why",
            &[fails_silently(10, "t1"), fails(10)],
            ("f10", 10, 10, 1, Some("reason 10")),
        ),
    ];
    for (case, changes, expected) in table {
        let (incident, _) = after(changes);
        let failure = incident.failures.values().next().expect("dana fails");
        let found = (
            failure.event.as_str(),
            failure.first.as_second(),
            failure.last.as_second(),
            failure.times,
            failure.reason.as_deref(),
        );
        assert_eq!(found, *expected, "{case}");
    }
}

#[test]
fn a_chapter_of_the_first_look_back_is_quiet_and_a_later_one_is_not() {
    let quietly = |change| match change {
        Change::Failed { person, at, event, transaction, reason, confidence, .. } => {
            Change::Failed { person, at, event, transaction, reason, confidence, quiet: true }
        }
        other => other,
    };
    for (last, expected) in [(quietly(fails(12)), true), (fails(12), false)] {
        let mut incident = new(true);
        for change in [quietly(fails(10)), works(11), last] {
            (incident, _) = incident.after(change, at(1000)).expect("each changes something");
        }
        assert_eq!((incident.quiet, incident.pings()), (expected, !expected));
        assert_eq!(incident.opened, at(1000), "a chapter has a beginning of its own");
    }
}

#[test]
fn the_surest_failure_makes_the_incident_sure() {
    let with = |confidence| match fails(10) {
        Change::Failed { person, at, event, transaction, reason, quiet, .. } => {
            Change::Failed { person, at, event, transaction, reason, confidence, quiet }
        }
        other => other,
    };
    use Confidence::{Certain, Likely, Possible};
    for (first, second, expected) in
        [(Possible, Likely, Likely), (Certain, Possible, Certain), (Possible, Possible, Possible)]
    {
        assert_eq!(after(&[with(first), with(second)]).0.confidence, expected);
    }
}

#[test]
fn a_change_that_changes_nothing_leaves_the_incident_as_it_was() {
    let (mut incident, _) = after(&[fails(10), works(11)]);
    let before = incident.clone();
    for change in [works(12), gone("dana", 12), gone("eli", 12), turned_on(12), works_in("eli", 12, "t")] {
        assert_eq!(incident.apply(change.clone(), at(2000)), None, "{change:?}");
        assert_eq!(incident, before, "{change:?}");
    }
}

#[test]
fn what_okta_said_is_kept_and_follows_the_setting() {
    let findings = Findings {
        at: at(11),
        deactivates_users: Some(false),
        mode: Mode::Guided,
        kind: "slack".to_owned(),
        missing: Vec::new(),
    };
    let assigned = vec![(person("dana").id, Scope::Group), (person("eli").id, Scope::Person)];
    let (incident, lines) =
        after(&[fails(10), Change::Found { findings, assigned }, turned_on(12), fails(13)]);

    let findings = incident.findings.expect("it was asked");
    assert_eq!(findings.deactivates_users, Some(true));
    let assigned: Vec<_> = incident.failures.values().map(|failure| failure.assigned).collect();
    assert_eq!((assigned, lines), (vec![Some(Scope::Group)], 1));
}

#[test]
fn a_chapter_counts_only_whom_it_is_about() {
    let now = at(0);
    let fixed = [fails_in("dana", 10, "t1"), works_in("dana", 20, "t2")];
    let mut incident = fixed
        .into_iter()
        .fold(new(false), |incident, change| incident.after(change, now).map_or(incident, |(next, _)| next));
    assert_eq!(incident.stage, Stage::Over { how: Ending::Fixed, at: at(20) });

    for change in [
        fails_in("ben", 30, "t3"),
        Change::Gone { person: person("ben").id, why: EndedBecause::Unassigned, at: at(40) },
    ] {
        incident = incident.after(change, now).expect("it changes something").0;
    }

    assert_eq!(incident.current().map(|failure| failure.person.id.as_str()).collect::<Vec<_>>(), ["ben"]);
    assert_eq!(incident.stage, Stage::Over { how: Ending::Ended, at: at(40) });
}
