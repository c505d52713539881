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
        format!("{} {app} chapter {} {end} {}", incident.number, incident.chapter, incident.confidence.word())
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
        ("a success of the same job", &[job(fails(10)), job(works(20))], "#7 slack chapter 1 dana certain"),
        ("a success in another app", &[fails(10), on("zoom", works(20))], "#7 slack chapter 1 dana certain"),
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
        ("back within a day", &[fails(10), works(20), fails(20 + DAY)], "#7 slack chapter 2 dana certain"),
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
    assert_eq!((failure.times, failure.first, failure.event.as_str()), (1, at(10), "e12"));
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
