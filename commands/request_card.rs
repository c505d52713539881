//! A request's card in the channel, in every stage. A pure function of the request and of what is around it.

use domain::facts::Assigned;
use domain::ids::RoleId;
use domain::request::{Action, Method, Request, Stage};
use domain::review::{Review, is_due};
use jiff::SignedDuration;

use crate::access::Holder;
use crate::alert;
use crate::chat::{Button, ButtonStyle, Card, CustomId, Field, Message, Ping, Press, Row, Tone};
use crate::console::{self, Console};
use crate::policy::Policy;
use crate::spec::Role;
use crate::standing::{is_on, standing};
use crate::text::{escape, people, when};

/// What a request's card needs beside the request.
pub struct Around<'a> {
    /// The org's Admin Console, if it is known.
    pub console: Option<&'a Console>,
    /// Whom to ask.
    pub policy: &'a Policy,
    /// The app's kind in Okta's catalogue, for the link; empty if it is not known.
    pub kind: &'a str,
    /// All writes are stopped.
    pub paused: bool,
}

/// What the card in the channel shows beside that: it changes while the request does not.
#[derive(Default)]
pub struct Seen {
    /// Nobody else is on call, so any approver may.
    pub widened: bool,
    /// What an approver said of it afterwards.
    pub review: Option<Review>,
}

/// What Provost does by itself.
pub(crate) const BY_API: &str = "Provost does it by Okta's API, and changes nothing else.";

/// What a person does, to those who decide about it.
const BY_HAND: &str = "A person does it in Okta's console, not Provost.";

/// The exact change in one line.
pub fn change(request: &Request) -> String {
    let frozen = &request.frozen;
    match frozen.action {
        Action::Enable => "Deactivate Users: **off** → **on**".to_owned(),
        Action::Retry => format!("Push again: {}", people(frozen.people.len())),
        Action::Reassign => "Unassign one person and assign them again".to_owned(),
        Action::Fixed => format!("Done in the app instead, for {}", people(frozen.people.len())),
    }
}

/// How many people were assigned when it was asked for: from then on its price may concern each of them.
pub(crate) fn assigned(request: &Request) -> String {
    match request.frozen.assigned {
        Some(Assigned { by_person, by_group, more }) => format!(
            "{}{}: {by_person} by name, {by_group} by group",
            if more { "more than " } else { "" },
            people(by_person + by_group)
        ),
        None => "could not be read".to_owned(),
    }
}

/// What a reassignment costs, and what becomes of what the assignment holds.
pub(crate) fn cost(request: &Request) -> String {
    let setting = match request.frozen.deactivated_users() {
        true => "The setting was **on** when this was asked for.",
        false => {
            "The setting was **off** when this was asked for: then Okta may not activate the account either, and the new \
             assignment will probably fail like the old one. Turn it on first."
        }
    };
    let profile = match request.frozen.method {
        Method::Api => "Provost keeps what the assignment holds, and puts it into the new one.",
        Method::Guided => "Write down what the assignment holds before you take it away; Provost cannot.",
    };
    format!("{} {setting} {profile}", console::UNASSIGNS)
}

/// The card in the channel. It pings only when it is posted; the caller clears `pings` on an edit.
pub fn card(request: &Request, around: &Around<'_>, seen: &Seen) -> Message {
    let mut pings: Vec<Ping> = match (&request.stage, around.policy.oncall) {
        (Stage::Pending, Some(role)) => vec![Ping::Role(role)],
        (Stage::Draft | Stage::Approved | Stage::Executing { .. } | Stage::Verifying { .. }, _)
        | (Stage::Pending, None) => Vec::new(),
        (Stage::Failed { .. } | Stage::Partly { .. } | Stage::Unclear { .. }, Some(role)) => {
            vec![Ping::Member(request.frozen.requester), Ping::Role(role)]
        }
        _ => vec![Ping::Member(request.frozen.requester)],
    };
    let frozen = &request.frozen;
    if frozen.breakglass {
        let told = everybody_to_tell(request, around.policy);
        pings.extend(told.into_iter().filter(|ping| !pings.contains(ping)).collect::<Vec<_>>());
    }
    let mut content = format!(
        "{} · {} · {} {}",
        state_words(request),
        escape(&frozen.app.label, 200),
        request.number,
        match frozen.action {
            Action::Enable if is_on(request) =>
                "Deactivate Users is on; next, retry whoever still fails".to_owned(),
            Action::Enable => "turn Deactivate Users on".to_owned(),
            Action::Retry => format!("retry {}", people(frozen.people.len())),
            Action::Reassign => "reassign one person".to_owned(),
            Action::Fixed => format!("done in the app for {}", people(frozen.people.len())),
        }
    );
    for ping in &pings {
        content.push_str(&format!(" {ping}"));
    }
    let mut fields = vec![
        field("Change", change(request)),
        field(
            if frozen.action == Action::Fixed { "Said by" } else { "Asked by" },
            format!("<@{}>: {}", frozen.requester, escape(&request.reason, 600)),
        ),
        field("Where it stands", standing(request, around, seen)),
    ];
    if !frozen.people.is_empty() {
        fields.push(field("People", progress(request)));
    }
    if frozen.action == Action::Enable && !request.stage.is_over() {
        fields.push(field("Assigned when asked", assigned(request)));
        fields.push(field("The price", console::PRICE.trim_start_matches("The price: ").to_owned()));
    }
    if frozen.action == Action::Reassign && !request.stage.is_over() {
        fields.push(field("What it costs", cost(request)));
    }
    // What was done in the app is a word, and nothing is done for it.
    if frozen.action != Action::Fixed && !request.stage.is_over() {
        let how = if frozen.method == Method::Api { BY_API } else { BY_HAND };
        fields.insert(1, field("How", how.to_owned()));
    }
    if frozen.breakglass {
        fields.push(field("Break-glass", reviewed(request, seen)));
    }
    Message {
        content,
        card: Some(Card {
            tone: tone(request),
            title: format!("{} · {}", escape(&frozen.app.label, 150), request.number),
            body: String::new(),
            fields,
            footer: footer(request),
        }),
        rows: rows(request, around),
        files: Vec::new(),
        pings,
    }
}

/// The last line of a request's card. The board finds its own message again by it.
pub fn footer(request: &Request) -> String {
    format!("Provost · {} · {} · {}", request.frozen.org, request.number, request.hash.short())
}

/// The sign and word for a request's stage.
pub fn state_words(request: &Request) -> &'static str {
    match &request.stage {
        _ if request.is_half_done() => "[!] HALF DONE",
        Stage::Draft | Stage::Pending => "[?] WAITING FOR APPROVAL",
        Stage::Approved | Stage::Executing { .. } | Stage::Verifying { .. } => "[~] IN PROGRESS",
        // Nobody is pushed by that, so nobody is fixed yet.
        Stage::Succeeded { .. } if is_on(request) => "[✓] DONE",
        Stage::Succeeded { .. } => "[✓] FIXED",
        Stage::Failed { .. } | Stage::Partly { .. } => "[x] FIX FAILED",
        Stage::Unclear { .. } => "[x] UNCLEAR",
        Stage::Denied { .. } => "[=] DENIED",
        Stage::Expired { .. } => "[=] EXPIRED",
        Stage::Cancelled { .. } => "[=] WITHDRAWN",
        Stage::Superseded { .. } => "[=] SUPERSEDED",
    }
}

fn tone(request: &Request) -> Tone {
    match &request.stage {
        _ if request.is_half_done() => Tone::Alarm,
        Stage::Draft
        | Stage::Pending
        | Stage::Approved
        | Stage::Executing { .. }
        | Stage::Verifying { .. } => Tone::Waiting,
        Stage::Succeeded { .. } => Tone::Good,
        Stage::Failed { .. } | Stage::Partly { .. } | Stage::Unclear { .. } => Tone::Alarm,
        Stage::Denied { .. } | Stage::Expired { .. } | Stage::Cancelled { .. } | Stage::Superseded { .. } => {
            Tone::Quiet
        }
    }
}

/// Who is asked: roles, never the people who hold them.
pub(crate) fn asked(request: &Request, policy: &Policy, widened: bool) -> String {
    let gate = request.frozen.gate;
    if gate.approvals == 0 {
        return "None is needed: your confirmation is enough.".to_owned();
    }
    let who = match policy.holders(&request.frozen.app.id, Role::Approver).is_empty() {
        true => "somebody with the role **approver**".to_owned(),
        false => policy.who(&request.frozen.app.id, Role::Approver),
    };
    let oncall = match policy.oncall {
        Some(RoleId(role)) if !widened => format!(" on call (<@&{role}>)"),
        Some(_) => " (nobody else is on call, so any approver may)".to_owned(),
        None => String::new(),
    };
    let how_many = match gate.approvals {
        1 => "one approval".to_owned(),
        n => format!("{n} approvals"),
    };
    format!("It needs {how_many} by {who}{oncall}, within {}.", within(gate.expires))
}

/// Whom a break-glass is told to: the people on call, and everybody who could have approved it.
fn everybody_to_tell(request: &Request, policy: &Policy) -> Vec<Ping> {
    let approvers =
        policy.holders(&request.frozen.app.id, Role::Approver).iter().map(|holder| match holder {
            Holder::Role(id) => Ping::Role(*id),
            Holder::Member(id) => Ping::Member(*id),
        });
    let mut told: Vec<Ping> = Vec::new();
    for ping in policy.oncall.map(Ping::Role).into_iter().chain(approvers) {
        if !told.contains(&ping) {
            told.push(ping);
        }
    }
    told
}

/// How it stands with the review of a break-glass.
fn reviewed(request: &Request, seen: &Seen) -> String {
    match &seen.review {
        Some(review) => {
            let why = match review.reason.is_empty() {
                true => String::new(),
                false => format!(": {}", escape(&review.reason, 500)),
            };
            format!("Review: **{}** by <@{}> {}{why}", review.verdict.word(), review.by, when(review.at))
        }
        None if is_due(request) => format!(
            "Nobody approved it beforehand. **Review: open.** An approver who did not ask for it gives it with `/okta \
             review request:{}`.",
            request.number
        ),
        None if request.stage.is_over() => "Nothing was done, so there is nothing to review.".to_owned(),
        None => "It goes ahead without an approval. A review follows.".to_owned(),
    }
}

/// A time in the largest unit that says it whole; two hours or days at least.
fn within(time: SignedDuration) -> String {
    match (time.as_secs(), time.as_mins()) {
        (1, _) => "1 second".to_owned(),
        (60, _) => "1 minute".to_owned(),
        (seconds, _) if seconds % 60 != 0 => format!("{seconds} seconds"),
        (_, minutes) if minutes >= 2 * 1_440 && minutes % 1_440 == 0 => format!("{} days", minutes / 1_440),
        (_, minutes) if minutes >= 2 * 60 && minutes % 60 == 0 => format!("{} hours", minutes / 60),
        (_, minutes) => format!("{minutes} minutes"),
    }
}

/// A bar and counts; the sums always add up.
pub fn progress(request: &Request) -> String {
    let sums = request.sums();
    let all = request.outcomes.len().max(1);
    let done = sums.proven + sums.failed;
    let filled = done * 20 / all;
    let bar: String = "█".repeat(filled) + &"░".repeat(20 - filled);
    let unclear = match sums.unclear {
        0 => String::new(),
        n if request.stage.is_over() => format!(", {n} unclear"),
        n => format!(
            ", {n} unclear\nUnclear: Okta's answer was lost, or Provost was restarted in between. Nobody is pushed twice; \
             Provost goes on looking for the proof."
        ),
    };
    format!(
        "`{bar}` {done} of {}\n{} proven, {} failed, {} waited for, {} not begun{unclear}",
        request.outcomes.len(),
        sums.proven,
        sums.failed,
        sums.waited_for,
        sums.not_begun
    )
}

fn rows(request: &Request, around: &Around<'_>) -> Vec<Row> {
    let frozen = &request.frozen;
    let buttons = match (&request.stage, frozen.method) {
        (Stage::Pending, _) => vec![
            button("Approve", ButtonStyle::Primary, "approve", request),
            button("Deny…", ButtonStyle::Danger, "deny-ask", request),
            button("Withdraw", ButtonStyle::Secondary, "withdraw", request),
        ],
        (Stage::Verifying { .. } | Stage::Failed { .. } | Stage::Partly { .. }, _)
            if frozen.action == Action::Fixed =>
        {
            let app = format!("{}/{}", frozen.org, frozen.app.id);
            vec![
                alert::button("Retry…", ButtonStyle::Primary, "retry", &app),
                alert::button("Diagnose", ButtonStyle::Secondary, "diagnose", &app),
            ]
        }
        (Stage::Succeeded { .. }, _) if frozen.action == Action::Enable => {
            let app = format!("{}/{}", frozen.org, frozen.app.id);
            vec![alert::button("Retry…", ButtonStyle::Primary, "retry", &app)]
        }
        (Stage::Verifying { .. }, Method::Guided) => match (around.console, frozen.action) {
            (Some(console), Action::Enable) => {
                vec![alert::link("Open Provisioning", console.to_app(around.kind, &frozen.app.id))]
            }
            (Some(console), Action::Retry | Action::Fixed) => {
                vec![alert::link("Open Tasks", console.tasks())]
            }
            (Some(console), Action::Reassign) => {
                vec![alert::link("Open Assignments", console.assignments(around.kind, &frozen.app.id))]
            }
            (None, _) => Vec::new(),
        },
        (Stage::Unclear { .. }, _) if frozen.action == Action::Reassign => around
            .console
            .map(|console| alert::link("Open Assignments", console.assignments(around.kind, &frozen.app.id)))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    };
    if buttons.is_empty() { Vec::new() } else { vec![Row::Buttons(buttons)] }
}

pub(crate) fn button(label: &str, style: ButtonStyle, verb: &str, request: &Request) -> Button {
    let args = [request.number.0.to_string(), request.hash.short().to_owned()];
    Button { label: label.to_owned(), style, press: Press::Verb(CustomId::new(verb, args)) }
}

pub(crate) fn field(name: &str, value: String) -> Field {
    Field { name: name.to_owned(), value }
}
