//! The ladder of a retry: what became of each person, and the next rung where it was not enough.
//!
//! A push by the API comes first, then a retry on the console's Tasks page, then a reassignment; but what worked last
//! time for an app is offered first.

use async_trait::async_trait;
use domain::cause::Strength;
use domain::event::Person;
use domain::facts::Scope;
use domain::ids::UserId;
use domain::incident::Incident;
use domain::request::{
    Action, Frozen, Method, Outcome, Request, RequestEvent, RequestNumber, STATE_AS_PROOF, Stage,
};
use domain::requests::RequestQuery;
use domain::store::{Query, Which};
use jiff::Timestamp;

use crate::chat::{Button, ButtonStyle, Call, CustomId, Field, File, Message, Opening, Press, Row};
use crate::confirmation::Price;
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::request_card::Around;
use crate::spec::{From, Opt, OptKind, Role, Spec};
use crate::text::{and_more, csv_cell, escape, people, plain};
use crate::{Command, alert, confirmation, refused, retry, steps};

/// How somebody is pushed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// By the API, with an unchanged profile.
    Push,
    /// By a person, on the console's Tasks page.
    Console,
    /// Unassigned and assigned again.
    Reassign,
}

impl Rung {
    fn of(request: &Request) -> Option<Self> {
        match (request.frozen.action, request.frozen.method) {
            (Action::Enable | Action::Fixed, _) => None,
            (Action::Retry, Method::Api) => Some(Self::Push),
            (Action::Retry, Method::Guided) => Some(Self::Console),
            (Action::Reassign, _) => Some(Self::Reassign),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Push => "a push by Okta's API",
            Self::Console => "a retry on the console's Tasks page",
            Self::Reassign => "a reassignment",
        }
    }
}

/// What worked last time for an app, from its requests, newest first.
pub fn worked(requests: &[Request]) -> Option<(Rung, RequestNumber)> {
    let proven = |request: &&Request| matches!(request.stage, Stage::Succeeded { .. });
    requests.iter().filter(proven).find_map(|request| Some((Rung::of(request)?, request.number)))
}

/// What the rungs under a card hang on, beside the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ladder {
    /// Whether somebody whom it did not help can be reassigned: Provost may write, and they are assigned by name.
    pub reassigns: bool,
    /// What worked last time for the app.
    pub worked: Option<(Rung, RequestNumber)>,
    /// Whether what an assignment held is kept for the request.
    pub keeps_profile: bool,
}

/// Whether a retry has ended and was not enough.
pub fn is_not_enough(request: &Request) -> bool {
    request.frozen.action == Action::Retry
        && matches!(request.stage, Stage::Failed { .. } | Stage::Partly { .. })
        && request.sums().failed > 0
}

/// Adds the rungs to a request's card.
pub fn climb(message: &mut Message, request: &Request, ladder: &Ladder) {
    if let (true, Some(card)) = (is_not_enough(request), &mut message.card) {
        card.fields.push(Field { name: "Next".to_owned(), value: next(request, ladder) });
    }
    message.rows.extend(rows(request, ladder));
}

fn next(request: &Request, ladder: &Ladder) -> String {
    let mut text = match (request.frozen.method, ladder.reassigns) {
        (Method::Api, true) => {
            "Push again from the console's Tasks page, which does more than the API can; or reassign somebody who is \
             assigned by name."
        }
        (Method::Api, false) => "Push again from the console's Tasks page, which does more than the API can.",
        (Method::Guided, true) => "Reassign somebody who is assigned by name, or contact the app's support.",
        (Method::Guided, false) => {
            "Contact the app's support: `/okta diagnose` has what a ticket needs, once the setting is on."
        }
    }
    .to_owned();
    if let Some((rung, number)) = ladder.worked {
        text.push_str(&format!(" Last time {} worked for this app ({number}).", rung.words()));
    }
    text
}

/// The buttons of the rungs, and of what can be had about the request.
pub fn rows(request: &Request, ladder: &Ladder) -> Vec<Row> {
    let mut buttons = Vec::new();
    if request.frozen.action == Action::Enable && matches!(request.stage, Stage::Succeeded { .. }) {
        // Okta does not push by itself those who failed before.
        let app = format!("{}/{}", request.frozen.org, request.frozen.app.id);
        buttons.push(alert::button("Retry…", ButtonStyle::Primary, "retry", &app));
    }
    if is_not_enough(request) {
        if request.frozen.method == Method::Api {
            buttons.push(button("Retry in the console…", ButtonStyle::Primary, "console", request));
        }
        if ladder.reassigns {
            buttons.push(button("Reassign…", ButtonStyle::Danger, "whom", request));
        }
        if matches!(ladder.worked, Some((Rung::Reassign, _))) {
            buttons.reverse();
        }
    }
    if request.frozen.action == Action::Retry && request.has_begun() {
        buttons.push(button("Outcomes as a file", ButtonStyle::Secondary, "outcomes", request));
    }
    if request.frozen.action == Action::Reassign && request.stage.is_over() && ladder.keeps_profile {
        buttons.push(button("Saved profile", ButtonStyle::Secondary, "profile", request));
        buttons.push(button("Erase saved profile", ButtonStyle::Danger, "erase", request));
    }
    if buttons.is_empty() { Vec::new() } else { vec![Row::Buttons(buttons)] }
}

/// Puts what worked last time first in the confirmation of a push.
pub fn offer_first(message: &mut Message, request: &Request, worked: Option<(Rung, RequestNumber)>) {
    let Some((rung, number)) = worked else { return };
    let first = match rung {
        _ if request.frozen.method == Method::Guided => return,
        Rung::Push => return,
        Rung::Console => button("Retry in the console…", ButtonStyle::Primary, "console", request),
        Rung::Reassign => button("Reassign…", ButtonStyle::Danger, "whom", request),
    };
    if let Some(card) = &mut message.card {
        let value = format!("{} worked for this app ({number}).", sentence(rung.words()));
        card.fields.push(Field { name: "Last time".to_owned(), value });
    }
    if let Some(Row::Buttons(buttons)) = message.rows.first_mut() {
        for button in buttons.iter_mut() {
            button.style = ButtonStyle::Secondary;
        }
        buttons.insert(0, first);
    }
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn button(label: &str, style: ButtonStyle, verb: &str, request: &Request) -> Button {
    let args = [request.number.0.to_string(), request.hash.short().to_owned()];
    Button { label: label.to_owned(), style, press: Press::Verb(CustomId::new(verb, args)) }
}

/// What worked last time for the app of a request.
pub async fn remembered(desk: &Desk, frozen: &Frozen) -> Result<Option<(Rung, RequestNumber)>, CommandError> {
    let query = RequestQuery {
        org: Some(frozen.org.clone()),
        app: Some(frozen.app.id.clone()),
        limit: REMEMBERED,
        ..RequestQuery::default()
    };
    Ok(worked(&desk.requests.requests(&query).await?))
}

/// So many of an app's newest requests are looked at for what worked.
pub const REMEMBERED: u32 = 20;

/// So many people can be chosen from to be reassigned, each by a button.
const MOST_BUTTONS: usize = 20;
const BUTTONS_IN_A_ROW: usize = 5;

const OPTIONS: &[Opt] = &[
    Opt { name: "request", about: "Its number.", kind: OptKind::Text(1, 20), required: true },
    Opt { name: "hash", about: "What the button carries.", kind: OptKind::Text(16, 16), required: true },
];

/// `Outcomes as a file`: what became of each person of a retry.
pub struct Outcomes;

#[async_trait]
impl Command for Outcomes {
    fn spec(&self) -> Spec {
        Spec {
            name: "outcomes",
            about: "Get everybody's outcome as a file.",
            role: Some(Role::Viewer),
            opening: Opening::Private,
            options: OPTIONS,
            from: From::ButtonOnly,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let request = steps::find(call, desk).await?;
        let incidents = incidents(desk, &request).await?;
        let bytes = csv(&request, &incidents).into_bytes();
        Ok(Message {
            content: format!("{}: {}.", request.number, people(request.outcomes.len())),
            files: vec![File { name: format!("outcomes-{}.csv", request.number), bytes }],
            ..Message::default()
        })
    }
}

/// `Retry in the console…`: the same people, by a person in the console, watched for success.
pub struct ByHand;

#[async_trait]
impl Command for ByHand {
    fn spec(&self) -> Spec {
        Spec {
            name: "console",
            about: "Retry in Okta's console instead.",
            role: Some(Role::Operator),
            ..Outcomes.spec()
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let request = steps::find(call, desk).await?;
        let (org, app) = (&request.frozen.org, &request.frozen.app);
        let chosen = match &request.stage {
            Stage::Draft if request.frozen.requester == call.caller.id => request.frozen.people.clone(),
            _ if is_not_enough(&request) => failed(&request),
            stage => {
                let refusal = domain::request::Refusal::NotNow(stage.clone());
                return Err(CommandError::Slip(refused::refused(&request, &refusal)));
            }
        };
        let gate = desk.policy.gate(&app.id, Action::Retry, chosen.len());
        desk.policy
            .may_ask(&desk.links().await?, org, &app.id, &call.caller, gate)
            .map_err(CommandError::forbidden)?;
        let frozen = Frozen { method: Method::Guided, ..retry::frozen(call, desk, org, app, chosen).await? };
        let next = desk.requests.open(frozen, request.reason.clone(), request.incident, desk.clock.now());
        let next = next.await?;
        if request.stage == Stage::Draft {
            let event = RequestEvent::Withdrawn { by: call.caller.id };
            // Whether it was withdrawn in the same moment by its own button does not matter.
            let _ = desk.requests.step(request.number, event, None, None, desk.clock.now()).await?;
        }
        retry::confirmation(call, desk, &next).await
    }
}

/// `Reassign…` under a retry that was not enough: whom, one at a time, and only whoever is assigned by name.
pub struct Whom;

#[async_trait]
impl Command for Whom {
    fn spec(&self) -> Spec {
        Spec { name: "whom", about: "Choose whom to reassign.", ..ByHand.spec() }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let request = steps::find(call, desk).await?;
        let incidents = incidents(desk, &request).await?;
        let chosen = if request.stage.is_over() { failed(&request) } else { request.frozen.people.clone() };
        let (mut buttons, mut by_group) = (Vec::new(), Vec::new());
        for person in &chosen {
            let known = known(&incidents, person);
            let name = known.map_or_else(|| person.to_string(), |(person, _)| name(person));
            if matches!(known, Some((_, Some(Scope::Group)))) {
                by_group.push(escape(&name, 60));
                continue;
            }
            let app = format!("{}/{}", request.frozen.org, request.frozen.app.id);
            let press = Press::Verb(CustomId::new("reassign-ask", [app, person.to_string()]));
            buttons.push(Button { label: plain(&name, 78) + "…", style: ButtonStyle::Secondary, press });
        }
        let mut content = match buttons.len() {
            0 => "Nobody who is still failing is assigned by name, so nobody can be reassigned.".to_owned(),
            n => format!("Whom to unassign and assign again? One at a time; {} can be.", people(n)),
        };
        if !by_group.is_empty() {
            let shown = &by_group[..by_group.len().min(5)];
            content.push_str(&format!(
                " Assigned by a group, and so not reassigned: {}.",
                crate::text::and_more(shown, by_group.len())
            ));
        }
        if buttons.len() > MOST_BUTTONS {
            content.push_str(" For the others type `/okta reassign`.");
            buttons.truncate(MOST_BUTTONS);
        }
        let rows = buttons.chunks(BUTTONS_IN_A_ROW).map(|row| Row::Buttons(row.to_vec())).collect();
        Ok(Message { content, rows, ..Message::default() })
    }
}

/// Whether anybody whom a retry did not help may be assigned by name.
pub fn is_any_by_name(request: &Request, incidents: &[Incident]) -> bool {
    let by_group = |person: &UserId| matches!(known(incidents, person), Some((_, Some(Scope::Group))));
    failed(request).iter().any(|person| !by_group(person))
}

fn failed(request: &Request) -> Vec<UserId> {
    let failed = |(_, outcome): &(&UserId, &Outcome)| matches!(outcome, Outcome::Failed { .. });
    request.outcomes.iter().filter(failed).map(|(person, _)| person.clone()).collect()
}

async fn incidents(desk: &Desk, request: &Request) -> Result<Vec<Incident>, CommandError> {
    let (org, app) = (request.frozen.org.clone(), request.frozen.app.id.clone());
    let query = Query { org: Some(org), app: Some(app), which: Which::All, limit: 0 };
    Ok(desk.store.incidents(&query).await?)
}

/// A person as the newest failure names them, and how they are assigned.
pub fn known<'a>(incidents: &'a [Incident], person: &UserId) -> Option<(&'a Person, Option<Scope>)> {
    let failures = incidents.iter().filter_map(|incident| incident.failures.get(person));
    failures.max_by_key(|failure| failure.last).map(|failure| (&failure.person, failure.assigned))
}

/// A person's name, or what comes nearest.
pub fn name(person: &Person) -> String {
    person.name.clone().or_else(|| person.login.clone()).unwrap_or_else(|| person.id.to_string())
}

fn csv(request: &Request, incidents: &[Incident]) -> String {
    let mut out =
        "request,org,app,app_id,person,login,person_id,outcome,at,proof_event,proof,why\n".to_owned();
    for (person, outcome) in &request.outcomes {
        let told = Told::of(outcome);
        let who = known(incidents, person).map(|(person, _)| person);
        let cells = [
            request.number.to_string(),
            request.frozen.org.to_string(),
            request.frozen.app.label.clone(),
            request.frozen.app.id.to_string(),
            who.and_then(|who| who.name.clone()).unwrap_or_default(),
            who.and_then(|who| who.login.clone()).unwrap_or_default(),
            person.to_string(),
            told.word.to_owned(),
            told.at.map(|at| at.to_string()).unwrap_or_default(),
            told.event.unwrap_or_default(),
            told.proof.to_owned(),
            told.why.unwrap_or_default().to_owned(),
        ];
        out.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
        out.push('\n');
    }
    out
}

/// An outcome as a line of the file.
#[derive(Default)]
struct Told<'a> {
    word: &'static str,
    at: Option<Timestamp>,
    event: Option<String>,
    proof: &'static str,
    why: Option<&'a str>,
}

impl<'a> Told<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        let empty = Self::default();
        match outcome {
            Outcome::Waiting => Self { word: "not begun", ..empty },
            Outcome::Pushing { since } => Self { word: "being pushed", at: Some(*since), ..empty },
            Outcome::Pushed { at } => Self { word: "waited for", at: Some(*at), ..empty },
            Outcome::Unclear { at } => Self { word: "unclear", at: Some(*at), ..empty },
            Outcome::Unassigning { since } => Self { word: "being unassigned", at: Some(*since), ..empty },
            Outcome::Unassigned { at } => Self { word: "unassigned", at: Some(*at), ..empty },
            Outcome::Assigning { since } => Self { word: "being assigned", at: Some(*since), ..empty },
            Outcome::Proven(proof) => Self {
                word: "proven",
                at: Some(proof.at),
                event: (proof.event.as_str() != STATE_AS_PROOF).then(|| proof.event.to_string()),
                proof: match proof.strength {
                    Strength::Account => "pushed to the app",
                    Strength::ProfileOnly => "Okta reports success; not seen in the app",
                },
                why: None,
            },
            Outcome::Failed { why } => Self { word: "failed", why: Some(why), ..empty },
            Outcome::Skipped => Self { word: "left out", ..empty },
        }
    }
}

/// So many are named; the file of outcomes has them all.
const NAMED: usize = 5;

/// Whether its card names people now: whom a reassignment is about, always; of a retry, before it is begun and once it
/// is over. While it is under way the card is edited often, and counts.
pub fn names_people(request: &Request) -> bool {
    match request.frozen.action {
        Action::Enable => false,
        Action::Reassign => true,
        Action::Retry | Action::Fixed => is_to_be_begun(request) || request.stage.is_over(),
    }
}

fn is_to_be_begun(request: &Request) -> bool {
    matches!(request.stage, Stage::Pending | Stage::Approved)
}

/// Who is left once a request is over that was to push people: whoever is not proven. `None` where it did not end like
/// that, or where nobody is left.
pub fn left(request: &Request, incidents: &[Incident]) -> Option<Field> {
    let pushes = matches!(request.frozen.action, Action::Retry | Action::Fixed);
    if !pushes || !matches!(request.stage, Stage::Failed { .. } | Stage::Partly { .. }) {
        return None;
    }
    let not_proven = |(_, outcome): &(&UserId, &Outcome)| !matches!(outcome, Outcome::Proven(_));
    // Those first who were tried and failed.
    let mut left: Vec<_> = request.outcomes.iter().filter(not_proven).collect();
    left.sort_by_key(|(_, outcome)| !matches!(outcome, Outcome::Failed { .. }));
    let left: Vec<&UserId> = left.into_iter().map(|(person, _)| person).collect();
    (!left.is_empty()).then(|| Field { name: "Who is left".to_owned(), value: first_few(&left, incidents) })
}

/// What an approver needs to know of whom it is about: of a retry the first few by name. `None` for what is about nobody.
pub fn whom(request: &Request, incidents: &[Incident]) -> Option<Field> {
    let frozen = &request.frozen;
    if frozen.action == Action::Retry && is_to_be_begun(request) {
        let value = first_few(&frozen.people.iter().collect::<Vec<_>>(), incidents);
        return Some(Field { name: "Who".to_owned(), value });
    }
    if frozen.action != Action::Reassign {
        return None;
    }
    let person = frozen.people.first()?;
    let value = match known(incidents, person) {
        Some((known, _)) => format!("{} ({person})", escape(&name(known), 80)),
        None => person.to_string(),
    };
    Some(Field { name: "Person".to_owned(), value })
}

/// The first few by name, and how many more there are.
fn first_few(people: &[&UserId], incidents: &[Incident]) -> String {
    let named = people.iter().take(NAMED).map(|person| {
        escape(&known(incidents, person).map_or_else(|| person.to_string(), |(known, _)| name(known)), 80)
    });
    and_more(&named.collect::<Vec<_>>(), people.len())
}

/// The confirmation of a push, with what worked last time first.
pub async fn confirmation(
    desk: &Desk,
    request: &Request,
    price: &Price,
    around: &Around<'_>,
) -> Result<Message, CommandError> {
    let mut message = confirmation::message(request, price, around);
    offer_first(&mut message, request, remembered(desk, &request.frozen).await?);
    Ok(message)
}
