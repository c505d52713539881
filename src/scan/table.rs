//! The report for people.
//!
//! **Invariant:** whatever came from outside goes through [`short`] or [`plain`].

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, Table, presets};
use domain::cause::{CauseId, Rules};
use jiff::Timestamp;

use super::report::{Failure, Group, Report, State};
use crate::plain::{plain, short};

/// How many rows a table has at most; the other formats have them all.
const MOST_ROWS: usize = 50;

/// Writes the report.
///
/// # Errors
///
/// If `out` cannot be written to.
pub fn write(report: &Report, source: &str, rules: &Rules, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}: {}", plain(source), counted(report.entries, "log entry", "log entries"))?;
    if let (Some(from), Some(to)) = (report.from, report.to) {
        let events = counted(report.events, "provisioning event", "provisioning events");
        writeln!(out, "{events}, {} to {}", minute(from), minute(to))?;
    }
    if report.failures.is_empty() {
        writeln!(out, "\nNo push failed.")?;
    } else {
        writeln!(out, "\n{}", verdict(report))?;
        section(out, "By app and cause", groups(report), report.groups.len())?;
        let waiting = report.count(State::Waiting);
        if waiting > 0 {
            section(out, "Who waits", people(report), waiting)?;
        }
        explanations(report, rules, out)?;
    }
    fail_next(report, out)?;
    not_recognised(report, out)
}

fn verdict(report: &Report) -> String {
    let mut said = match report.count(State::Waiting) {
        0 => "Nobody waits.".to_owned(),
        1 => "1 failed push waits for somebody.".to_owned(),
        many => format!("{many} failed pushes wait for somebody."),
    };
    for (state, what) in [
        (State::Healing, "Okta is trying again by itself"),
        (State::Healed, "Healed since"),
        (State::Ended, "Ended by unassigning"),
    ] {
        match report.count(state) {
            0 => {}
            many => said.push_str(&format!(" {what}: {many}.")),
        }
    }
    said
}

fn section(out: &mut impl Write, title: &str, table: Table, all: usize) -> io::Result<()> {
    writeln!(out, "\n{title}")?;
    for line in table.to_string().lines() {
        writeln!(out, " {}", line.trim_end())?;
    }
    if all > MOST_ROWS {
        writeln!(out, "… and {} more; --format csv or json has them all.", all - MOST_ROWS)?;
    }
    Ok(())
}

fn groups(report: &Report) -> Table {
    let mut head = vec!["APP", "ID", "CAUSE", "WAITING", "OTHERS", "FIRST", "LAST"];
    head.extend(report.groups.iter().any(|group| setting(group).is_some()).then_some("DEACTIVATE USERS"));
    let mut table = new_table(&head);
    for group in report.groups.iter().take(MOST_ROWS) {
        let mut row = vec![
            Cell::new(short(&group.app.label, 30)),
            Cell::new(group.app.id.as_str()),
            Cell::new(cause(group)),
            number(group.count(State::Waiting)),
            Cell::new(others(group)),
            Cell::new(day(group.first)),
            Cell::new(minute(group.last)),
        ];
        row.extend(setting(group).map(Cell::new));
        table.add_row(row);
    }
    table
}

fn cause(group: &Group) -> String {
    match group.confidence {
        Some(confidence) => format!("{} ({})", plain(group.reason.word()), confidence.word()),
        None => group.reason.word().to_owned(),
    }
}

/// The people who do not wait.
fn others(group: &Group) -> String {
    let states =
        [State::Healing, State::Healed, State::Ended].map(|state| (group.count(state), state.word()));
    let told = states.into_iter().filter(|(many, _)| *many > 0);
    told.map(|(many, word)| format!("{} {word}", thousands(many))).collect::<Vec<_>>().join(", ")
}

fn setting(group: &Group) -> Option<String> {
    let word = |on| if on { "on" } else { "off" };
    match (group.deactivates, &group.changed) {
        (Some(on), Some(changed)) if changed.on == on => {
            let by = changed.by.as_deref().map(|by| format!(" by {}", short(by, 24))).unwrap_or_default();
            Some(format!("{} since {}{by}", word(on), minute(changed.at)))
        }
        (Some(on), _) => Some(word(on).to_owned()),
        (None, Some(changed)) => {
            let by = changed.by.as_deref().map(|by| format!(" by {}", short(by, 24))).unwrap_or_default();
            Some(format!("turned {} {}{by}", word(changed.on), minute(changed.at)))
        }
        (None, None) => None,
    }
}

fn people(report: &Report) -> Table {
    let mut table = new_table(&["APP", "PERSON", "CAUSE", "TIMES", "FIRST", "LAST", "WHAT OKTA SAID"]);
    let waits = |failure: &&Failure| failure.state == State::Waiting;
    for failure in report.failures.iter().filter(waits).take(MOST_ROWS) {
        table.add_row([
            Cell::new(short(&failure.app.label, 24)),
            Cell::new(person(failure)),
            Cell::new(failure.reason.word()),
            number(failure.times),
            Cell::new(day(failure.first)),
            Cell::new(minute(failure.last)),
            Cell::new(short(failure.said.as_deref().unwrap_or("–"), 72)),
        ]);
    }
    table
}

fn person(failure: &Failure) -> String {
    let person = &failure.person;
    let shown = person.login.as_deref().or(person.name.as_deref()).unwrap_or(person.id.as_str());
    short(shown, 40)
}

/// What the causes that wait mean, and where the vendor says more.
fn explanations(report: &Report, rules: &Rules, out: &mut impl Write) -> io::Result<()> {
    let mut told: Vec<&CauseId> = Vec::new();
    for group in report.groups.iter().filter(|group| group.count(State::Waiting) > 0) {
        let super::tally::Reason::Known(id) = &group.reason else { continue };
        if told.contains(&id) {
            continue;
        }
        told.push(id);
        let cause = rules.cause(id);
        writeln!(out, "\n{id}: {}. {}", plain(&cause.title), plain(&cause.explanation))?;
        writeln!(out, "  {}", plain(&cause.link))?;
    }
    Ok(())
}

fn fail_next(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let Some(apps) = &report.fail_next else { return Ok(()) };
    if apps.is_empty() {
        return writeln!(out, "\nEvery app that is pushed to has Deactivate Users on.");
    }
    let mut table = new_table(&["APP", "ID", "KIND"]);
    for facts in apps.iter().take(MOST_ROWS) {
        table.add_row([
            Cell::new(short(&facts.app.label, 40)),
            Cell::new(facts.app.id.as_str()),
            Cell::new(short(&facts.kind, 30)),
        ]);
    }
    section(out, "Will fail next: pushed to, and Deactivate Users is off", table, apps.len())
}

fn not_recognised(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if !report.unrecognised.is_empty() {
        let mut table = new_table(&["FAILURES", "REASON THAT NO RULE KNOWS"]);
        for (said, times) in report.unrecognised.iter().take(MOST_ROWS) {
            table.add_row([number(*times), Cell::new(short(said, 100))]);
        }
        section(out, "Not recognised", table, report.unrecognised.len())?;
    }
    if report.nameless > 0 {
        let failures = counted(report.nameless, "failure names", "failures name");
        writeln!(out, "\n{failures} no app or no person.")?;
    }
    if report.torn > 0 {
        writeln!(out, "\n{} could not be understood:", counted(report.torn, "entry", "entries"))?;
        for torn in &report.torn_told {
            let line = torn.line.map(|line| format!("line {line}: ")).unwrap_or_default();
            writeln!(out, "  {line}{}", short(&torn.why, 100))?;
        }
    }
    Ok(())
}

fn new_table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head.iter().map(Cell::new));
    table
}

fn number(number: u64) -> Cell {
    let shown = if number == 0 { "–".to_owned() } else { thousands(number) };
    Cell::new(shown).set_alignment(CellAlignment::Right)
}

/// A number with its noun.
fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let table = [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")];
        for (number, shown) in table {
            assert_eq!(thousands(number), shown);
        }
    }
}
