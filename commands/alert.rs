//! The alert: one message an incident, in every state it can have. A pure function of the incident; the board shows
//! it and edits it in place.

use domain::cause::{Confidence, Offer, Rules, Strength};
use domain::ids::RoleId;
use domain::incident::{Began, EndedBecause, Ending, Failure, FailureState, Incident, Mode, Stage};
use domain::request::{Request, Stage as Asked};

use crate::chat::{Button, ButtonStyle, Card, CustomId, Field, Message, Ping, Press, Row, Tone};
use crate::console;
use crate::standing::UNSEEN;
use crate::text::{ago, escape, people, plain, when};

/// How many people an alert names.
const NAMED: usize = 5;

/// What an alert needs beside its incident.
pub struct Around<'a> {
    /// The rules, for the causes' words.
    pub rules: &'a Rules,
    /// Who is on call.
    pub oncall: Option<RoleId>,
    /// Whether Provost may write to the org.
    pub writes: bool,
    /// The app's requests of this chapter, newest first: those that are open, and how the last one ended.
    pub requests: &'a [Request],
}

/// The words for an incident's state: a sign and a word, never a colour alone. What has been asked for counts more
/// than that something is to be done.
pub fn state_words(incident: &Incident, requests: &[Request]) -> &'static str {
    match &incident.stage {
        Stage::Open if incident.snooze.is_some() => "[z] SNOOZED",
        Stage::Open if heals_itself(incident) => "[i] HEALING ITSELF",
        Stage::Open => {
            // One that is open counts more than how a newer one ended.
            let confirmed = || requests.iter().filter(|request| request.stage != Asked::Draft);
            let counts = confirmed().find(|request| !request.stage.is_over()).or_else(|| confirmed().next());
            match counts.map(|each| &each.stage) {
                Some(Asked::Pending) => "[?] WAITING FOR APPROVAL",
                Some(Asked::Approved | Asked::Executing { .. } | Asked::Verifying { .. }) => {
                    "[~] IN PROGRESS"
                }
                Some(Asked::Failed { .. } | Asked::Partly { .. } | Asked::Unclear { .. }) => "[x] FIX FAILED",
                Some(
                    Asked::Draft
                    | Asked::Succeeded { .. }
                    | Asked::Denied { .. }
                    | Asked::Expired { .. }
                    | Asked::Cancelled { .. }
                    | Asked::Superseded { .. },
                )
                | None => "[!] ACTION NEEDED",
            }
        }
        Stage::Over { how: Ending::Fixed, .. } => "[✓] FIXED",
        Stage::Over { how: Ending::Ended, .. } => "[=] ENDED",
        Stage::Over { how: Ending::Closed, .. } => "[=] CLOSED BY HAND",
    }
}

/// The alert of an incident. It pings only when it is posted, not when it is edited: the caller clears `pings` then.
pub fn alert(incident: &Incident, around: &Around<'_>) -> Message {
    let pings: Vec<Ping> = around.oncall.filter(|_| incident.pings()).map(Ping::Role).into_iter().collect();
    let mut content = headline(incident, around);
    for ping in &pings {
        content.push_str(&format!(" {ping}"));
    }
    Message {
        content,
        card: Some(card(incident, around)),
        rows: buttons(incident, around),
        files: Vec::new(),
        pings,
    }
}

/// What an older chapter's message becomes once there is a newer one: it points to it.
pub fn replaced(incident: &Incident, chapter: u32, newer: &str) -> Message {
    let label = escape(&incident.app.label, 200);
    let (word, why) = match incident.began {
        Began::New | Began::CameBack => ("CAME BACK", "This failure was over and came back."),
        Began::SnoozeOver => ("WOKE UP", "The time for which this was snoozed is over, and it goes on."),
        Began::NewPerson => ("WOKE UP", "This was snoozed, and then somebody new failed."),
    };
    Message {
        content: format!("[!] {word} · {label} · {} goes on here: {newer}", incident.number),
        card: Some(Card {
            tone: Tone::Quiet,
            title: format!("{} · {}", escape(&incident.app.label, 150), incident.number),
            body: format!("{why} The newer alert shows how it stands now."),
            fields: Vec::new(),
            footer: footer(incident, chapter),
        }),
        ..Message::default()
    }
}

/// The last line of an incident's card. The board finds its own message again by it.
pub fn footer(incident: &Incident, chapter: u32) -> String {
    match chapter {
        1 => format!("Provost · {} · {}", incident.org, incident.number),
        _ => format!("Provost · {} · {} · alert {chapter}", incident.org, incident.number),
    }
}

/// The name of an incident's thread.
pub fn thread_name(incident: &Incident) -> String {
    plain(&format!("{} {}", incident.number, incident.app.label), 100)
}

/// The line that a phone shows: state, app, how many people.
fn headline(incident: &Incident, around: &Around<'_>) -> String {
    let state = state_words(incident, around.requests);
    let label = escape(&incident.app.label, 200);
    let failing = incident.failing().count();
    let all = incident.current().count();
    let tail = match &incident.stage {
        Stage::Open if heals_itself(incident) => format!("{} waiting for Okta's own retry", people(failing)),
        Stage::Open if all > failing => {
            format!("{} cannot be provisioned, {} of {all} done", people(failing), all - failing)
        }
        Stage::Open => format!("{} cannot be provisioned", people(failing)),
        Stage::Over { how: Ending::Fixed, .. } => {
            let fixed = count(incident, |state| matches!(state, FailureState::Fixed(_)));
            format!("{} provisioned", people(fixed))
        }
        Stage::Over { how: Ending::Ended, .. } => format!("{}, nothing left to provision", people(all)),
        Stage::Over { how: Ending::Closed, .. } => {
            format!("{} without proof", people(count(incident, is_closed)))
        }
    };
    let since = match (&incident.stage, incident.snooze, incident.began) {
        (Stage::Over { .. }, ..) | (Stage::Open, None, Began::New) => String::new(),
        (Stage::Open, Some(snooze), _) => format!(" · until {}", when(snooze.until)),
        (Stage::Open, None, Began::CameBack) => " again".to_owned(),
        (Stage::Open, None, Began::SnoozeOver) => " · the snooze is over".to_owned(),
        (Stage::Open, None, Began::NewPerson) => " · somebody new while it was snoozed".to_owned(),
    };
    format!("{state} · {label} · {tail}{since}")
}

fn card(incident: &Incident, around: &Around<'_>) -> Card {
    let tone = match &incident.stage {
        Stage::Open if incident.snooze.is_some() => Tone::Quiet,
        Stage::Open if heals_itself(incident) => Tone::Waiting,
        Stage::Open => Tone::Alarm,
        Stage::Over { how: Ending::Fixed, .. } => Tone::Good,
        Stage::Over { how: Ending::Ended | Ending::Closed, .. } => Tone::Quiet,
    };
    let mut fields = vec![field("Who", who(incident)), field("Impact", impact(incident))];
    fields.push(field("Cause", cause(incident, around)));
    if incident.stage == Stage::Open {
        fields.push(field("Fix", fix(incident, around)));
    }
    fields.push(field("Evidence", evidence(incident)));
    fields.extend(who_has_it(incident).map(|value| field("Who has it", value)));
    fields.push(field("Status", status(incident)));
    Card {
        tone,
        title: format!("{} · {}", escape(&incident.app.label, 150), incident.number),
        body: String::new(),
        fields,
        footer: footer(incident, incident.chapter),
    }
}

fn field(name: &str, value: String) -> Field {
    Field { name: name.to_owned(), value }
}

fn heals_itself(incident: &Incident) -> bool {
    incident.cause == domain::cause::CauseId::self_healing()
}

fn count(incident: &Incident, which: impl Fn(&FailureState) -> bool) -> usize {
    incident.current().filter(|failure| which(&failure.state)).count()
}

fn is_closed(state: &FailureState) -> bool {
    matches!(state, FailureState::Ended { why: EndedBecause::ClosedByHand, .. })
}

/// Who took it, hid it and closed it; none of them is pinged by a card.
fn who_has_it(incident: &Incident) -> Option<String> {
    let mut lines = Vec::new();
    match &incident.claim {
        Some(claim) => lines.push(format!("<@{}>, since {}", claim.by, ago(claim.at))),
        None if incident.stage == Stage::Open => lines.push("Nobody yet.".to_owned()),
        None => {}
    }
    if let Some(snooze) = &incident.snooze {
        lines.push(format!(
            "Snoozed by <@{}> until {}. Somebody new wakes it at once.",
            snooze.by,
            when(snooze.until)
        ));
    }
    if let Some(closed) = &incident.closed {
        lines.push(format!("Closed by <@{}>: {}", closed.by, escape(&closed.reason, 600)));
    }
    (!lines.is_empty()).then(|| crate::text::fit(lines.join("\n"), 1_024))
}

/// A person as an alert names them.
pub fn name(failure: &Failure, limit: usize) -> String {
    let person = &failure.person;
    let name = person.name.as_deref().or(person.login.as_deref()).unwrap_or(person.id.as_str());
    escape(name, limit)
}

fn who(incident: &Incident) -> String {
    let open = incident.stage == Stage::Open;
    let mut shown: Vec<&Failure> = match open {
        true => incident.failing().collect(),
        false => incident.current().collect(),
    };
    shown.sort_by_key(|failure| std::cmp::Reverse(failure.last));
    let lines: Vec<String> = shown
        .iter()
        .take(NAMED)
        .map(|failure| {
            let login = failure.person.login.as_deref().map(|login| format!(" ({})", escape(login, 64)));
            let how = match failure.assigned {
                Some(domain::facts::Scope::Group) => " · assigned by a group",
                Some(domain::facts::Scope::Person) => " · assigned by name",
                None => "",
            };
            format!("{}{}{how}", name(failure, 64), login.unwrap_or_default())
        })
        .collect();
    match shown.len() > NAMED {
        true => format!("{}\nand {} more", lines.join("\n"), shown.len() - NAMED),
        false => lines.join("\n"),
    }
}

fn impact(incident: &Incident) -> String {
    let label = escape(&incident.app.label, 120);
    let first = incident.current().map(|failure| failure.first).min().unwrap_or(incident.opened);
    match &incident.stage {
        Stage::Open => format!("No working account in {label} since {}", when(first)),
        Stage::Over { how: Ending::Closed, at } => {
            format!("Failed since {}, closed by hand {}", when(first), when(*at))
        }
        Stage::Over { how: Ending::Fixed | Ending::Ended, at } => {
            format!("Failed since {}, over since {}", when(first), when(*at))
        }
    }
}

fn cause(incident: &Incident, around: &Around<'_>) -> String {
    let cause = around.rules.cause(&incident.cause);
    let sure = incident.confidence.word();
    let mut text = format!("**{}** ({sure})\n{}", cause.title, cause.explanation);
    if incident.confidence == Confidence::Possible {
        text.push_str("\nOkta gave no reason; Deactivate Users being off makes this the likeliest.");
    }
    match incident.findings.as_ref().and_then(|findings| findings.deactivates_users) {
        // The explanation speaks of the setting as it was; this, of how it is.
        Some(true) if cause.offer.contains(&Offer::Enable) => text.push_str(
            "\nDeactivate Users is **on** for this app now, whatever it was when the pushes failed.",
        ),
        Some(true) => text.push_str("\nDeactivate Users is **on** for this app."),
        Some(false) => text.push_str("\nDeactivate Users is **off** for this app."),
        None => {}
    }
    for missing in incident.findings.iter().flat_map(|findings| &findings.missing) {
        text.push_str(&format!("\nCould not be read: {}", escape(missing, 160)));
    }
    crate::text::fit(text, 1024)
}

fn fix(incident: &Incident, around: &Around<'_>) -> String {
    let cause = around.rules.cause(&incident.cause);
    if cause.offer.first() == Some(&Offer::Wait) {
        return "Nothing to do now. Okta tries again by itself, up to ten times.".to_owned();
    }
    if !cause.offer.contains(&Offer::Enable) {
        return format!("See [the vendor's article]({}).", cause.link);
    }
    let findings = incident.findings.as_ref();
    match findings.and_then(|findings| findings.deactivates_users) {
        Some(true) => format!(
            "The setting is on already, so retry first: {}. If it fails again, the fault is on the app's side.",
            console::RETRY
        ),
        Some(false) | None => {
            let how = match findings.map(|findings| findings.mode) {
                Some(Mode::Api) => "Okta's API can write this setting, too.",
                Some(Mode::Guided) => "By hand only: Okta's API has no such setting for this app.",
                None => "",
            };
            format!(
                "**If the setting should be on:** {}. Then {}. {how}\n{}\n**If it should stay off:** activate the \
                 account in the app, or delete it there, then retry.",
                console::TURN_ON,
                console::RETRY,
                console::PRICE
            )
        }
    }
}

fn evidence(incident: &Incident) -> String {
    let newest = incident.current().max_by_key(|failure| failure.last);
    let mut lines = Vec::new();
    if let Some(failure) = newest {
        let reason = failure
            .reason
            .as_deref()
            .map_or("Okta gave no reason".to_owned(), |reason| format!("“{}”", escape(reason, 300)));
        lines.push(format!("{reason}\nevent {}", escape(failure.event.as_str(), 80)));
    }
    let proofs: Vec<_> = incident
        .current()
        .filter_map(|failure| match &failure.state {
            FailureState::Fixed(proof) => Some(proof),
            FailureState::Failing | FailureState::Ended { .. } => None,
        })
        .collect();
    if let Some(proof) = proofs.iter().max_by_key(|proof| proof.at) {
        lines.push(format!("Proof: success event {}", escape(proof.event.as_str(), 80)));
    }
    let unseen = proofs.iter().filter(|proof| proof.strength == Strength::ProfileOnly).count();
    match proofs.len() - unseen {
        _ if unseen == 0 => {}
        0 => lines.push(UNSEEN.to_owned()),
        _ => lines.push(format!("For {}: {UNSEEN}", people(unseen))),
    }
    lines.join("\n")
}

fn status(incident: &Incident) -> String {
    let first = incident.current().map(|failure| failure.first).min().unwrap_or(incident.opened);
    let last = incident.current().map(|failure| failure.last).max().unwrap_or(incident.opened);
    let times: u32 = incident.current().map(|failure| failure.times).sum();
    let word = match &incident.stage {
        Stage::Open if incident.snooze.is_some() => "Snoozed",
        Stage::Open => "Open",
        Stage::Over { how: Ending::Fixed, .. } => "Fixed",
        Stage::Over { how: Ending::Ended, .. } => "Ended",
        Stage::Over { how: Ending::Closed, .. } => "Closed by hand",
    };
    let fixed = count(incident, |state| matches!(state, FailureState::Fixed(_)));
    let unassigned =
        count(incident, |state| matches!(state, FailureState::Ended { why: EndedBecause::Unassigned, .. }));
    let inactive = count(incident, |state| {
        matches!(state, FailureState::Ended { why: EndedBecause::InactiveInOkta, .. })
    });
    let no_app =
        count(incident, |state| matches!(state, FailureState::Ended { why: EndedBecause::AppGone, .. }));
    let parts = [
        (incident.failing().count(), "still failing"),
        (fixed, "fixed"),
        (unassigned, "no longer assigned"),
        (inactive, "inactive in Okta"),
        (no_app, "ended with the app"),
        (count(incident, is_closed), "closed without proof"),
    ];
    let pushes = if times == 1 { "push" } else { "pushes" };
    let sums: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    format!(
        "{word} · {} · first {} · last {} · {times} failed {pushes}",
        sums.join(", "),
        ago(first),
        ago(last)
    )
}

fn buttons(incident: &Incident, around: &Around<'_>) -> Vec<Row> {
    if incident.stage != Stage::Open {
        return Vec::new();
    }
    let app = format!("{}/{}", incident.org, incident.app.id);
    let mut row = vec![button("Diagnose", ButtonStyle::Primary, "diagnose", &app)];
    row.extend(remedies(incident, around, &app));
    row.push(take(incident));
    row.push(button("More…", ButtonStyle::Secondary, "more", &incident.number.0.to_string()));
    vec![Row::Buttons(row)]
}

/// The button that takes an incident. It carries from whom, so that nobody takes over what they meant to claim.
pub fn take(incident: &Incident) -> Button {
    let number = incident.number.0.to_string();
    let (label, id) = match incident.claim {
        None => ("Claim", CustomId::new("claim", [number])),
        Some(claim) => ("Take over", CustomId::new("take-over", [number, claim.by.to_string()])),
    };
    Button { label: label.to_owned(), style: ButtonStyle::Secondary, press: Press::Verb(id) }
}

/// What can be asked for from an alert: never a button that cannot work for the app.
fn remedies(incident: &Incident, around: &Around<'_>, app: &str) -> Vec<Button> {
    let offers = &around.rules.cause(&incident.cause).offer;
    let findings = incident.findings.as_ref();
    let off = findings.and_then(|findings| findings.deactivates_users) != Some(true);
    let mut row = Vec::new();
    if offers.contains(&Offer::Enable) && off {
        let api = around.writes && findings.is_some_and(|findings| findings.mode == Mode::Api);
        let label = if api { "Enable Deactivate Users…" } else { "Guide me…" };
        row.push(button(label, ButtonStyle::Secondary, "enable-ask", app));
    }
    if offers.contains(&Offer::Retry) {
        row.push(button("Retry…", ButtonStyle::Secondary, "retry", app));
    }
    row
}

/// A button that types a command with one argument: an app or an incident.
pub fn button(label: &str, style: ButtonStyle, verb: &str, arg: &str) -> Button {
    Button { label: label.to_owned(), style, press: Press::Verb(CustomId::new(verb, [arg.to_owned()])) }
}

/// A button that opens a page.
pub fn link(label: &str, to: String) -> Button {
    Button { label: label.to_owned(), style: ButtonStyle::Secondary, press: Press::Link(to) }
}

#[cfg(test)]
mod tests;
