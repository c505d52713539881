//! What is said unasked beside the alert itself: the lines of its thread, and notices. None of it pings.

use domain::ids::RoleId;
use domain::incident::{EndedBecause, Happened, Incident, Line, SettingChange};
use domain::notice::{Notice, Told};
use domain::request::{Action, Method, Request, Stage};
use domain::requests::Remark;

use crate::chat::{Card, Message, Ping, Tone};
use crate::text::{ago, and_more, escape, fit, people, when};
use crate::{console, standing};

/// How many people one line names.
const NAMED: usize = 5;

/// How long a thread's message may be, so that its footer and a remark still fit into Discord's 2,000.
const LONGEST: usize = 1_800;

/// The new lines of an incident's timeline as one message to its thread: a storm of two hundred is one line.
///
/// It ends in `footer`, in small print: by it the board finds its own message again.
pub fn thread(lines: &[Line], footer: &str) -> Message {
    let lines: Vec<Line> = lines
        .iter()
        .enumerate()
        .filter(|(at, line)| !is_assigned_anew(line, &lines[at + 1..]))
        .map(|(_, line)| line.clone())
        .collect();
    let lines = lines.as_slice();
    let mut said = Vec::new();
    for line in lines {
        match &line.what {
            Happened::SettingChanged(change) => said.push(format!("{}.", setting(change))),
            Happened::Claimed { .. }
            | Happened::Snoozed { .. }
            | Happened::Woke { .. }
            | Happened::Closed { .. } => said.extend(by_hand(&line.what)),
            Happened::Fixed { .. } | Happened::Ended { .. } | Happened::CameBack { .. } => {}
        }
    }
    said.extend(group(lines, "Came back for", "", |what| match what {
        Happened::CameBack { person } => Some(person),
        _ => None,
    }));
    said.extend(group(lines, "Fixed for", &proof(lines), |what| match what {
        Happened::Fixed { person, .. } => Some(person),
        _ => None,
    }));
    for (why, words) in [
        (EndedBecause::Unassigned, "Ended, no longer assigned:"),
        (EndedBecause::InactiveInOkta, "Ended, the Okta user is not active:"),
        (EndedBecause::AppGone, "Ended, Okta does not have the app any more:"),
    ] {
        said.extend(group(lines, words, "", |what| match what {
            Happened::Ended { person, why: because } if *because == why => Some(person),
            _ => None,
        }));
    }
    let said = fit(said.join("\n"), LONGEST);
    Message::text(format!("{said}\n-# {footer}"))
}

/// What somebody did to an incident by hand, and how it woke.
fn by_hand(what: &Happened) -> Option<String> {
    Some(match what {
        Happened::Claimed { by, from: None } => format!("<@{by}> has it now."),
        Happened::Claimed { by, from: Some(from) } => format!("<@{by}> took it over from <@{from}>."),
        Happened::Snoozed { by, until } => {
            format!("Snoozed by <@{by}> until {}. Somebody new wakes it at once.", when(*until))
        }
        Happened::Woke { person: None } => {
            "Woken: the time for which it was snoozed is over, and it goes on.".to_owned()
        }
        Happened::Woke { person: Some(person) } => {
            let name = person.name.as_deref().or(person.login.as_deref()).unwrap_or(person.id.as_str());
            format!("Woken: somebody new failed while it was snoozed, {}.", escape(name, 64))
        }
        Happened::Closed { by, reason, people: failing } => format!(
            "Closed by hand by <@{by}>, with {} still failing: {}",
            people(*failing),
            escape(reason, 600)
        ),
        Happened::SettingChanged(_)
        | Happened::Fixed { .. }
        | Happened::Ended { .. }
        | Happened::CameBack { .. } => return None,
    })
}

/// The last line of what a thread is told, for the lines after `from` up to `upto`.
pub fn thread_footer(incident: &Incident, from: i64, upto: i64) -> String {
    format!("Provost · {} · {} · step {}–{upto}", incident.org, incident.number, from + 1)
}

/// Whether a line tells of an end that was none: the person was assigned anew, and that worked.
fn is_assigned_anew(line: &Line, later: &[Line]) -> bool {
    let Happened::Ended { person: ended, .. } = &line.what else { return false };
    later.iter().any(|line| matches!(&line.what, Happened::Fixed { person, .. } if person.id == ended.id))
}

fn group(
    lines: &[Line],
    words: &str,
    tail: &str,
    which: impl Fn(&Happened) -> Option<&domain::event::Person>,
) -> Option<String> {
    let names: Vec<String> = lines
        .iter()
        .filter_map(|line| which(&line.what))
        .map(|person| {
            let name = person.name.as_deref().or(person.login.as_deref()).unwrap_or(person.id.as_str());
            escape(name, 64)
        })
        .collect();
    let shown = &names[..names.len().min(NAMED)];
    (!names.is_empty()).then(|| format!("{words} {}.{tail}", and_more(shown, names.len())))
}

fn proof(lines: &[Line]) -> String {
    let newest = lines.iter().rev().find_map(|line| match &line.what {
        Happened::Fixed { proof, .. } => Some(proof),
        _ => None,
    });
    newest.map_or(String::new(), |proof| {
        format!(" Proof: success event {} at {}.", escape(proof.event.as_str(), 80), when(proof.at))
    })
}

/// A change of the setting in words: who, what, when.
pub fn setting(change: &SettingChange) -> String {
    let by =
        change.by.name.as_deref().or(change.by.id.as_deref()).unwrap_or("somebody the log does not name");
    let what = if change.on { "turned **on**" } else { "turned **off**" };
    format!("Deactivate Users was {what} by {} at {}", escape(by, 80), when(change.at))
}

/// How a request ended, said once to the one who asked; the people on call are told when a fix failed. `settled`: it was
/// said to be unclear before.
pub fn outcome(request: &Request, settled: bool, oncall: Option<RoleId>) -> Option<Message> {
    let label = escape(&request.frozen.app.label, 100);
    let words = match &request.stage {
        // Whether it was Provost's own write or somebody else's, Okta's answer would have told, and that was lost.
        Stage::Succeeded { by, .. } if settled => {
            let by = by.as_ref().and_then(|by| by.name.as_deref().or(by.id.as_deref()));
            let by =
                by.map_or(String::new(), |by| format!(", and Okta's log names {} for it", escape(by, 80)));
            format!("is not unclear any more: Deactivate Users is on{by}")
        }
        Stage::Succeeded { .. } if standing::is_on(request) => {
            "worked: Deactivate Users is on, and that is proven. Nobody is pushed by that: next, retry whoever still fails"
                .to_owned()
        }
        Stage::Succeeded { .. } => "worked, and it is proven".to_owned(),
        Stage::Failed { why, .. } if settled => {
            format!("is not unclear any more, and failed: {}", escape(why, 600))
        }
        Stage::Failed { why, .. } => format!("failed: {}", escape(why, 600)),
        Stage::Partly { why, .. } if request.frozen.action == Action::Reassign => {
            format!("worked in part: {}", escape(why, 600))
        }
        Stage::Partly { why, .. } => format!("worked for some only: {}", escape(why, 600)),
        Stage::Unclear { why, .. } if request.comes_to_be_known() => format!(
            "is unclear: {}. Provost goes on asking Okta, and says what became of it",
            escape(why, 600)
        ),
        Stage::Unclear { why, .. } => format!("is unclear, and somebody has to look: {}", escape(why, 600)),
        Stage::Denied { by, why, .. } => format!("was denied by <@{by}>: {}", escape(why, 600)),
        Stage::Expired { .. } if standing::is_approved(request) => {
            "expired: it could not be begun in time, and nothing was changed".to_owned()
        }
        Stage::Expired { .. } => {
            "expired: it was not approved in time, and nothing was changed. Ask again if it is still needed"
                .to_owned()
        }
        Stage::Superseded { why, .. } => format!("is void: {}", escape(why, 600)),
        Stage::Cancelled { .. }
        | Stage::Draft
        | Stage::Pending
        | Stage::Approved
        | Stage::Executing { .. }
        | Stage::Verifying { .. } => return None,
    };
    let failed = matches!(request.stage, Stage::Failed { .. } | Stage::Partly { .. } | Stage::Unclear { .. });
    let mut pings = vec![Ping::Member(request.frozen.requester)];
    pings.extend(oncall.filter(|_| failed).map(Ping::Role));
    let names: Vec<String> = pings.iter().map(ToString::to_string).collect();
    let content = format!("{} {} for {label} {words}.", names.join(" "), request.number);
    Some(Message { content: fit(content, LONGEST), pings, ..Message::default() })
}

/// A request is approved and under way: said once to the one who asked. One that is over is told by its outcome.
pub fn decision(request: &Request, paused: bool) -> Option<Message> {
    let approvals = &request.approvals;
    let under_way =
        matches!(request.stage, Stage::Approved | Stage::Executing { .. } | Stage::Verifying { .. });
    if !under_way || approvals.is_empty() {
        return None;
    }
    let by: Vec<String> = approvals.iter().map(|approval| format!("<@{}>", approval.by)).collect();
    let next = match request.frozen.method {
        _ if paused => "it waits, since all writes to Okta are stopped (`/okta pause`)",
        Method::Api => "it is being done",
        Method::Guided => "now it is for a person to do, and its card shows the clicks",
    };
    let ping = Ping::Member(request.frozen.requester);
    let (number, label) = (request.number, escape(&request.frozen.app.label, 100));
    let content = format!("{ping} {number} for {label} was approved by {}; {next}.", by.join(" and "));
    Some(Message { content, pings: vec![ping], ..Message::default() })
}

/// Nobody has decided, and half of the time is over: the people on call are asked once more.
pub fn reminder(request: &Request, oncall: RoleId, card: Option<&str>) -> Message {
    let ping = Ping::Role(oncall);
    let card = card.map_or(String::new(), |address| format!(" [Its card]({address})"));
    let wanted = match (request.frozen.gate.approvals as usize).saturating_sub(request.approvals.len()) {
        1 => "an approval".to_owned(),
        n => format!("{n} approvals"),
    };
    let content = format!(
        "{ping} {} for {} still waits for {wanted}; it expires {}.{card}",
        request.number,
        escape(&request.frozen.app.label, 100),
        ago(request.deadline)
    );
    Message { content, pings: vec![ping], ..Message::default() }
}

/// Tells once, with a ping, that somebody is unassigned, or may be, and Okta does not let them be assigned again yet.
pub fn half_done(request: &Request, paused: bool, oncall: Option<RoleId>) -> Message {
    let mut pings = vec![Ping::Member(request.frozen.requester)];
    pings.extend(oncall.map(Ping::Role));
    let names: Vec<String> = pings.iter().map(ToString::to_string).collect();
    let how = match request.is_unassigned() {
        Some(true) if paused => "the person is unassigned, and not assigned again",
        Some(true) => "the person is unassigned, and Okta has not taken the new assignment yet",
        Some(false) | None => "Okta does not say whether it unassigned the person",
    };
    let next = match paused {
        true => "All writes to Okta are stopped, so Provost does not go on before `/okta resume`",
        false => "Provost goes on until they are assigned",
    };
    let content = format!(
        "{} {} for {} is half done: {how}. {next}. Whoever cannot wait does it in Okta's \
         console: {}; Provost sees that by itself.",
        names.join(" "),
        request.number,
        escape(&request.frozen.app.label, 100),
        console::ASSIGN
    );
    Message { content, pings, ..Message::default() }
}

/// The last line of a remark about a request. The board finds its own message again by it.
pub fn remark_footer(request: &Request, remark: Remark) -> String {
    format!("Provost · {} · {} · {}", request.frozen.org, request.number, remark.word())
}

/// The last line of a notice. The board finds its own message again by it.
pub fn notice_footer(notice: &Notice) -> String {
    format!("Provost · {} · notice {}", notice.org, notice.number)
}

/// A notice as a message to the org's channel.
pub fn notice(notice: &Notice) -> Message {
    let org = escape(notice.org.as_str(), 40);
    let (tone, headline, body) = match &notice.what {
        Told::Drift { app, change } => (
            Tone::Waiting,
            format!("[!] DRIFT · {} · Deactivate Users was turned off again", escape(&app.label, 200)),
            format!(
                "{}. Provost saw failures fixed on this app while it was on. People who come back to it may fail \
                 again. If that was not meant, `/okta enable` asks for it to be turned on.",
                setting(change)
            ),
        ),
        Told::Blind { since, why } => (
            Tone::Alarm,
            format!("[!] BLIND · {org} · Provost cannot read Okta's log"),
            format!(
                "Since {}: {}. Failures that happen now are not seen until it can; nothing is lost, it reads on \
                 from where it stopped. Meanwhile look at Dashboard > Tasks in Okta by hand. `provost doctor` tells \
                 what is wrong.",
                when(*since),
                escape(why, 400)
            ),
        ),
        Told::SeesAgain { since, until, caught_up } => (
            Tone::Good,
            format!("[✓] SEES AGAIN · {org} · Okta's log is read again"),
            format!(
                "Blind from {} to {}. What happened in that window has been caught up: {caught_up} new events.",
                when(*since),
                when(*until)
            ),
        ),
        Told::Restarted { from, why, gap } => (
            Tone::Waiting,
            format!("[i] READ ANEW · {org} · Okta refused the stored position in its log"),
            format!(
                "{}. Reading began again from {}; what was known already is not told twice.{}",
                escape(why, 400),
                when(*from),
                if *gap { " Okta keeps its log for 90 days: older events are missing." } else { "" }
            ),
        ),
        Told::Unrecorded { request, app, why } => (
            Tone::Alarm,
            format!("[!] CANNOT RECORD · {org} · {request} waits, its next step cannot be written down"),
            format!(
                "{request} for {}: {}. Provost writes nothing to Okta that it cannot record first, so nothing is \
                 written to Okta now, for this request or any other. Whoever runs Provost looks at its log and at the \
                 disk of its database; `provost doctor` tries both. Once that is mended it goes on by itself, within \
                 the time that {request} has.",
                escape(&app.label, 100),
                escape(why, 300)
            ),
        ),
    };
    Message {
        content: headline,
        card: Some(Card {
            tone,
            title: String::new(),
            body,
            fields: Vec::new(),
            footer: notice_footer(notice),
        }),
        ..Message::default()
    }
}
