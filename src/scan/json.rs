//! The report as JSON, for programs. Keys are only ever added.

use std::io::{self, Write};

use domain::cause::Rules;
use serde::Serialize;

use super::report::{Failure, Group, Report, State};

#[derive(Serialize)]
struct Whole<'a> {
    source: &'a str,
    entries: u64,
    events: u64,
    from: Option<String>,
    to: Option<String>,
    counts: Counts,
    groups: Vec<OneGroup<'a>>,
    failures: Vec<OneFailure<'a>>,
    fail_next: Option<Vec<OneApp<'a>>>,
    unrecognised: Vec<Unrecognised<'a>>,
    nameless: u64,
    unreadable: u64,
    unreadable_first: Vec<Unreadable<'a>>,
}

#[derive(Serialize)]
struct Counts {
    waiting: u64,
    healing: u64,
    healed: u64,
    ended: u64,
}

#[derive(Serialize)]
struct OneApp<'a> {
    id: &'a str,
    label: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
}

#[derive(Serialize)]
struct OneGroup<'a> {
    app: OneApp<'a>,
    cause: &'a str,
    title: Option<&'a str>,
    link: Option<&'a str>,
    confidence: Option<&'static str>,
    counts: Counts,
    first: String,
    last: String,
    deactivate_users: Option<bool>,
    deactivate_users_changed: Option<Changed<'a>>,
}

#[derive(Serialize)]
struct Changed<'a> {
    on: bool,
    at: String,
    by: Option<&'a str>,
}

#[derive(Serialize)]
struct OneFailure<'a> {
    app_id: &'a str,
    app: &'a str,
    person_id: &'a str,
    login: Option<&'a str>,
    name: Option<&'a str>,
    cause: &'a str,
    confidence: Option<&'static str>,
    state: &'static str,
    times: u64,
    first: String,
    last: String,
    reason: Option<&'a str>,
    event_id: &'a str,
}

#[derive(Serialize)]
struct Unrecognised<'a> {
    reason: &'a str,
    times: u64,
}

#[derive(Serialize)]
struct Unreadable<'a> {
    line: Option<u64>,
    why: &'a str,
}

/// Writes one JSON object and a line end.
///
/// # Errors
///
/// If `out` cannot be written to.
pub fn write(report: &Report, source: &str, rules: &Rules, out: &mut impl Write) -> io::Result<()> {
    let whole = Whole {
        source,
        entries: report.entries,
        events: report.events,
        from: report.from.map(|at| at.to_string()),
        to: report.to.map(|at| at.to_string()),
        counts: counts(|state| report.count(state) as u64),
        groups: report.groups.iter().map(|group| one_group(group, rules)).collect(),
        failures: report.failures.iter().map(one_failure).collect(),
        fail_next: report.fail_next.as_ref().map(|apps| {
            apps.iter()
                .map(|facts| OneApp {
                    id: facts.app.id.as_str(),
                    label: &facts.app.label,
                    kind: Some(&facts.kind),
                })
                .collect()
        }),
        unrecognised: report
            .unrecognised
            .iter()
            .map(|(reason, times)| Unrecognised { reason, times: *times })
            .collect(),
        nameless: report.nameless,
        unreadable: report.torn,
        unreadable_first: report
            .torn_told
            .iter()
            .map(|torn| Unreadable { line: torn.line, why: &torn.why })
            .collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &whole)?;
    writeln!(out)
}

fn counts(count: impl Fn(State) -> u64) -> Counts {
    Counts {
        waiting: count(State::Waiting),
        healing: count(State::Healing),
        healed: count(State::Healed),
        ended: count(State::Ended),
    }
}

fn one_group<'a>(group: &'a Group, rules: &'a Rules) -> OneGroup<'a> {
    let cause = group.reason.cause(rules);
    OneGroup {
        app: OneApp { id: group.app.id.as_str(), label: &group.app.label, kind: None },
        cause: group.reason.word(),
        title: cause.map(|cause| cause.title.as_str()),
        link: cause.map(|cause| cause.link.as_str()),
        confidence: group.confidence.map(|confidence| confidence.word()),
        counts: counts(|state| group.count(state)),
        first: group.first.to_string(),
        last: group.last.to_string(),
        deactivate_users: group.deactivates,
        deactivate_users_changed: group.changed.as_ref().map(|changed| Changed {
            on: changed.on,
            at: changed.at.to_string(),
            by: changed.by.as_deref(),
        }),
    }
}

fn one_failure(failure: &Failure) -> OneFailure<'_> {
    OneFailure {
        app_id: failure.app.id.as_str(),
        app: &failure.app.label,
        person_id: failure.person.id.as_str(),
        login: failure.person.login.as_deref(),
        name: failure.person.name.as_deref(),
        cause: failure.reason.word(),
        confidence: failure.confidence.map(|confidence| confidence.word()),
        state: failure.state.word(),
        times: failure.times,
        first: failure.first.to_string(),
        last: failure.last.to_string(),
        reason: failure.said.as_deref(),
        event_id: failure.event.as_str(),
    }
}
