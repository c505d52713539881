//! A request as people see it: the confirmation, the card in the channel in every stage, the private words after a
//! step. Pure functions of the request.

use domain::cause::Strength;
use domain::facts::Assigned;
use domain::ids::RoleId;
use domain::incident::Proof;
use domain::request::SETTLED_WITHIN;
use domain::request::{Action, Method, Outcome, Refusal, Request, STATE_AS_PROOF, Stage};
use domain::review::{Review, is_due};
use jiff::SignedDuration;

use crate::access::Holder;
use crate::alert;
use crate::chat::{Button, ButtonStyle, Card, CustomId, Field, Message, Ping, Press, Row, Tone};
use crate::console::{self, Console};
use crate::policy::Policy;
use crate::spec::Role;
use crate::text::{ago, escape, fit, people, when};

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

/// What the confirmation shows beside the request.
pub struct Price {
    /// How many people are assigned now; `None` if that could not be had.
    pub assigned: Option<Assigned>,
    /// Why only a person can do it, in Okta's words or ours. From outside.
    pub by_hand_because: Option<String>,
    /// Nobody else is on call, so any approver may.
    pub widened: bool,
}

/// What Provost does where a person does the work.
const SEEN: &str = "Provost shows the clicks, sees by itself that it was done, and goes on.";

/// What a setting that was turned on does not do by itself.
const NEXT: &str =
    "**Deactivate Users is on. Nobody is pushed again by that:** press Retry… for whoever still fails.\n";

/// Whether the request has turned the setting on. The people who fail still do.
fn is_on(request: &Request) -> bool {
    request.frozen.action == Action::Enable && matches!(request.stage, Stage::Succeeded { .. })
}

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

/// The private card that the requester confirms.
pub fn confirmation(request: &Request, price: &Price, around: &Around<'_>) -> Message {
    let frozen = &request.frozen;
    let how = match (frozen.method, &price.by_hand_because) {
        (Method::Api, _) => "Provost does it by Okta's API, and changes nothing else.".to_owned(),
        (Method::Guided, Some(why)) => format!(
            "The button below asks for it. Then a person does it in Okta's console, not Provost: {}. {SEEN}",
            escape(why.trim_end_matches('.'), 200)
        ),
        (Method::Guided, None) => {
            format!("The button below asks for it. Then a person does it in Okta's console. {SEEN}")
        }
    };
    let mut fields = vec![field("Change", change(request)), field("How", how)];
    if frozen.action == Action::Enable {
        let assigned = match price.assigned {
            Some(Assigned { by_person, by_group, more }) => format!(
                "{}{}: {by_person} by name, {by_group} by group",
                if more { "more than " } else { "" },
                people(by_person + by_group)
            ),
            None => "could not be read".to_owned(),
        };
        fields.push(field("Assigned now", assigned));
        fields.push(field("The price", console::PRICE.trim_start_matches("The price: ").to_owned()));
    }
    match frozen.breakglass {
        true => fields.push(field("Break-glass", breaking(request, around.policy))),
        false => fields.push(field("Approval", asked(request, around.policy, price.widened))),
    }
    let (act, style, verb) = match frozen.action {
        _ if frozen.breakglass => ("Break the glass", ButtonStyle::Danger, "confirm"),
        Action::Enable => ("Enable Deactivate Users", ButtonStyle::Primary, "confirm"),
        Action::Retry => ("Retry", ButtonStyle::Primary, "confirm"),
        Action::Reassign => ("Reassign…", ButtonStyle::Danger, "typed-ask"),
        Action::Fixed => ("Done in the app", ButtonStyle::Primary, "confirm"),
    };
    Message {
        content: format!("{}: please confirm.", escape(&frozen.app.label, 200)),
        card: Some(Card {
            tone: Tone::Waiting,
            title: format!("{} · {}", escape(&frozen.app.label, 150), request.number),
            body: String::new(),
            fields,
            footer: format!("{} · {} · {}", frozen.org, frozen.app.id, request.hash.short()),
        }),
        rows: vec![Row::Buttons(vec![
            button(act, style, verb, request),
            button("Cancel", ButtonStyle::Secondary, "cancel", request),
        ])],
        ..Message::default()
    }
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
        fields.push(field("The price", console::PRICE.trim_start_matches("The price: ").to_owned()));
    }
    if frozen.action == Action::Reassign && !request.stage.is_over() {
        fields.push(field("What it costs", console::UNASSIGNS.to_owned()));
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

fn standing(request: &Request, around: &Around<'_>, seen: &Seen) -> String {
    let approved = approved_by(request);
    let paused = if around.paused {
        "\nAll writes are stopped (`/okta pause`); it goes on after `/okta resume`."
    } else {
        ""
    };
    let text = match &request.stage {
        Stage::Draft => "Not confirmed yet.".to_owned(),
        Stage::Pending => format!(
            "{}\nApprovals so far: {} of {}. Expires {}.{paused}",
            asked(request, around.policy, seen.widened),
            request.approvals.len(),
            request.frozen.gate.approvals,
            ago(request.deadline)
        ),
        Stage::Approved => format!("{approved}\nWaits to be done.{paused}"),
        Stage::Executing { .. } if request.is_half_done() => {
            let how = match request.is_unassigned() {
                Some(true) => "Unassigned from the app, and not assigned again yet.",
                Some(false) | None => "Being unassigned from the app; Okta has not said yet that it did it.",
            };
            format!(
                "{approved}\n**{how}** Provost goes on until the person is assigned again, also after a restart. What the \
                 assignment held is kept.{paused}"
            )
        }
        Stage::Executing { since } => format!(
            "{approved}\nBeing done; begun {}. If Okta's answer is lost, Provost reads what Okta has, and does not write \
             again.{paused}",
            ago(*since)
        ),
        Stage::Verifying { .. } if request.frozen.action == Action::Fixed => format!(
            "{approved}\nWaits for the proof: a later success of each of them in Okta's log.\n**Okta may never push \
             again by itself.** Press Retry… if nobody has pushed again yet."
        ),
        Stage::Verifying { since } => match (request.frozen.method, request.frozen.action) {
            (Method::Guided, Action::Enable) => format!(
                "{approved}\n**To do, in Okta's console:** {}.\nProvost sees the change by itself; nobody has to \
                 come back here.",
                console::TURN_ON
            ),
            (Method::Guided, Action::Retry | Action::Fixed) => format!(
                "{approved}\n**To do, in Okta's console:** {}.\nProvost sees the pushes by itself.",
                console::RETRY
            ),
            (Method::Guided, Action::Reassign) => format!(
                "{approved}\n**To do, in Okta's console:** write down what the person's assignment holds; then {}.\n\
                 Provost sees the new push by itself.",
                console::REASSIGN
            ),
            (Method::Api, _) => {
                format!("{approved}\nDone {}; waiting for Okta's own record of it.", ago(*since))
            }
        },
        Stage::Succeeded { at, .. } => {
            let next = if is_on(request) { NEXT } else { "" };
            format!("{next}{approved}\n{}Proven {}.{}", done_by(request), when(*at), proof(request))
        }
        Stage::Failed { at, why } => format!("{approved}\nFailed {}: {}", when(*at), escape(why, 500)),
        Stage::Partly { at, why } => {
            format!("{approved}\nEnded {}: {}{}", when(*at), escape(why, 500), proof(request))
        }
        Stage::Denied { by, at, why } => format!("Denied by <@{by}> {}: {}", when(*at), escape(why, 500)),
        Stage::Expired { at } if is_approved(request) => format!(
            "{approved}\nIt could not be begun in time; expired {}. Nothing was changed. Ask again if it is still \
             needed.",
            when(*at)
        ),
        Stage::Expired { at } => {
            format!("Not approved in time; expired {}. Ask again if it is still needed.", when(*at))
        }
        Stage::Cancelled { by, at } => format!("Withdrawn by <@{by}> {}.", when(*at)),
        Stage::Superseded { at, why } => {
            format!("Void since {}: {}. Nothing was changed by Provost.", when(*at), escape(why, 500))
        }
        Stage::Unclear { at, why } => {
            let next = match request.comes_to_be_known() {
                true => format!(
                    "Provost goes on asking Okta until {}, and says what became of it. If it has not said so by then, look \
                     in Okta's console",
                    when(*at + SETTLED_WITHIN)
                ),
                false => {
                    "Look in Okta's console how it stands, then ask again if it is still needed".to_owned()
                }
            };
            format!("{approved}\nUnclear since {}: {}. {next}.", when(*at), escape(why, 500))
        }
    };
    fit(text, 1_024)
}

/// Who made the change in the console, and whether that was somebody else than the one who asked.
fn done_by(request: &Request) -> String {
    let Stage::Succeeded { by: Some(actor), .. } = &request.stage else { return String::new() };
    let name = actor.name.as_deref().or(actor.id.as_deref()).unwrap_or("somebody the log does not name");
    let another = match request.was_done_by_another() {
        Some(true) => format!(", who is not the person that <@{}> is linked to", request.frozen.requester),
        Some(false) | None => String::new(),
    };
    match request.frozen.method {
        Method::Guided => format!("Done by {}{another}. ", escape(name, 80)),
        // Usually that is the one whose token Provost uses; where the answer was lost it may be anybody.
        Method::Api => format!("Okta's log says that {} did it. ", escape(name, 80)),
    }
}

/// What proves it for its people, and how much that proves.
fn proof(request: &Request) -> String {
    let proofs: Vec<&Proof> = request
        .outcomes
        .values()
        .filter_map(|outcome| match outcome {
            Outcome::Proven(proof) => Some(proof),
            _ => None,
        })
        .collect();
    let Some(newest) = proofs.iter().max_by_key(|proof| proof.at) else { return String::new() };
    let event = match newest.event.as_str() {
        STATE_AS_PROOF => "Proof: the assignment's own state in Okta; no event was seen".to_owned(),
        event => format!("Proof: success event {}", escape(event, 80)),
    };
    let more = match proofs.len() {
        1 => String::new(),
        n => format!(", and {} more", n - 1),
    };
    let weak = proofs.iter().filter(|proof| proof.strength == Strength::ProfileOnly).count();
    let how_much = match weak {
        0 => String::new(),
        n if n == proofs.len() => "\nOkta reports success; not seen in the app.".to_owned(),
        n => format!("\nFor {}: Okta reports success; not seen in the app.", people(n)),
    };
    format!("\n{event}{more}.{how_much}")
}

/// Whether it has all the approvals that it needs.
pub fn is_approved(request: &Request) -> bool {
    request.approvals.len() >= request.frozen.gate.approvals as usize
}

fn approved_by(request: &Request) -> String {
    match request.approvals.as_slice() {
        [] if request.frozen.breakglass => "**Break-glass**: nobody approved it beforehand.".to_owned(),
        [] => "No approval is needed.".to_owned(),
        approvals => {
            let names: Vec<String> =
                approvals.iter().map(|each| format!("<@{}> {}", each.by, when(each.at))).collect();
            format!("Approved by {}.", names.join(", "))
        }
    }
}

/// Who is asked: roles, never the people who hold them.
fn asked(request: &Request, policy: &Policy, widened: bool) -> String {
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

/// What breaking the glass means, to the one who is about to.
fn breaking(request: &Request, policy: &Policy) -> String {
    let approvers = policy.who(&request.frozen.app.id, Role::Approver);
    format!(
        "**Nobody approves this. It is done as soon as you confirm.** The people on call and every approver \
         ({approvers}) are told at once, with your reason, and one of them reviews it afterwards, for all to see. Use it \
         only for what cannot wait for an approval."
    )
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

fn button(label: &str, style: ButtonStyle, verb: &str, request: &Request) -> Button {
    let args = [request.number.0.to_string(), request.hash.short().to_owned()];
    Button { label: label.to_owned(), style, press: Press::Verb(CustomId::new(verb, args)) }
}

fn field(name: &str, value: String) -> Field {
    Field { name: name.to_owned(), value }
}

/// Why a step was refused, to the one who pressed.
pub fn refused(request: &Request, refusal: &Refusal) -> String {
    let number = request.number;
    match refusal {
        Refusal::NotNow(stage) => format!("{number} {}", as_it_stands(stage)),
        Refusal::Paused => format!("{number} waits: all writes to Okta are stopped (`/okta pause`)."),
        Refusal::NotYours => {
            format!("Only <@{}>, who asked for {number}, may do that.", request.frozen.requester)
        }
        Refusal::OwnRequest => {
            format!("You cannot decide about {number}: it is your own request. Somebody else has to.")
        }
        Refusal::Twice => format!("You have approved {number} already. It needs somebody else as well."),
        Refusal::Late => format!("{number} has expired. Ask again if it is still needed."),
        Refusal::OtherHash => {
            format!("This button belongs to another version of {number}. Use the buttons of its newest card.")
        }
    }
}

fn as_it_stands(stage: &Stage) -> String {
    match stage {
        Stage::Draft => "is not confirmed yet.".to_owned(),
        Stage::Pending => "waits for approval already; its card shows how it goes on.".to_owned(),
        Stage::Approved => "is approved already; its card shows how it goes on.".to_owned(),
        Stage::Executing { .. } | Stage::Verifying { .. } => {
            "is under way already; its card shows how it goes on.".to_owned()
        }
        Stage::Succeeded { at, .. } => format!("is over: it was proven {}.", ago(*at)),
        Stage::Failed { at, .. } => format!("is over: it failed {}. Its card says why.", ago(*at)),
        Stage::Partly { at, .. } => {
            format!("is over: it ended {}, proven for some people only. Its card says why.", ago(*at))
        }
        Stage::Denied { by, at, .. } => format!("is over: <@{by}> denied it {}.", ago(*at)),
        Stage::Expired { at } => format!("is over: it expired {}.", ago(*at)),
        Stage::Cancelled { by, at } => format!("is over: <@{by}> withdrew it {}.", ago(*at)),
        Stage::Superseded { at, .. } => format!("is over: it became void {}. Its card says why.", ago(*at)),
        Stage::Unclear { at, .. } => {
            format!("is over: what became of it is unclear since {}. Its card says what is known.", when(*at))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::event::{Actor, App};
    use domain::ids::MemberId;
    use domain::request::{Frozen, Gate, RequestNumber};
    use jiff::Timestamp;

    fn done(method: Method, by: Option<&str>, linked: Option<&str>) -> Request {
        let frozen = Frozen {
            org: "acme".parse().unwrap(),
            app: App { id: "0oa1".parse().unwrap(), label: "Airbase".to_owned() },
            action: Action::Enable,
            method,
            people: Vec::new(),
            before: String::new(),
            gate: Gate { approvals: 1, expires: SignedDuration::from_hours(1) },
            requester: MemberId(7),
            requester_person: linked.map(|id| id.parse().unwrap()),
            breakglass: false,
        };
        let at = Timestamp::UNIX_EPOCH;
        let draft = Request::draft(RequestNumber(1), frozen, String::new(), None, at);
        let actor = |id: &str| Actor { id: Some(id.to_owned()), name: Some("@Jo".to_owned()), kind: None };
        Request { stage: Stage::Succeeded { at, by: by.map(actor) }, ..draft }
    }

    #[test]
    fn who_did_it_is_said_and_whether_that_was_somebody_else() {
        #[rustfmt::skip]
        let table = [
            (done(Method::Guided, Some("00ujo"), Some("00ujo")),    r"Done by \@Jo. "),
            (done(Method::Guided, Some("00ujo"), None),             r"Done by \@Jo. "),
            (done(Method::Guided, Some("00ujo"), Some("00uolive")), r"Done by \@Jo, who is not the person that <@7> is linked to. "),
            (done(Method::Guided, None,          Some("00uolive")), ""),
            (done(Method::Api,    Some("0oaus"), Some("00uolive")), r"Okta's log says that \@Jo did it. "),
        ];
        for (request, expected) in table {
            assert_eq!(done_by(&request), expected, "{:?}", request.stage);
        }
    }
}
