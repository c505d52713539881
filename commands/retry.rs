//! `/okta retry app: [person] [reason]`: pushes people again: one, those that were ticked, or all.
//!
//! What is ticked is kept in the stored draft, so that it outlives a restart and any number of pages.

use async_trait::async_trait;
use domain::audit::Draft;
use domain::cause::{CauseId, Offer};
use domain::event::{App, Person};
use domain::ids::{OrgName, UserId};
use domain::incident::{Failure, Incident};
use domain::request::{Action, Frozen, Method, Request, RequestEvent};
use domain::store::{Query, Which};
use jiff::SignedDuration;

use crate::chat::{
    Button, ButtonStyle, Call, Card, Choice, CustomId, Field, Message, Opening, Press, Row, Select, Tone,
};
use crate::confirmation::Price;
use crate::desk::Desk;
use crate::enable::nobody_could;
use crate::errors::CommandError;
use crate::request_card::Around;
use crate::spec::{From, Opt, OptKind, Role, Spec};
use crate::text::{ago, escape, people, plain};
use crate::{Command, ladder, meant, refused, steps};

/// How many people a page of the list shows: as many as a select takes.
const PAGE: usize = 25;

/// For so long after its last try Okta may come back to a job by itself.
pub(crate) const HEALS_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// So many are named in a confirmation.
const NAMED: usize = 5;

/// `/okta retry app: [person] [reason]`.
pub struct Retry;

#[async_trait]
impl Command for Retry {
    fn spec(&self) -> Spec {
        Spec {
            name: "retry",
            about: "Push people again whose push failed: one, some or all.",
            role: Some(Role::Operator),
            opening: Opening::Private,
            options: &[
                Opt { name: "app", about: "The app.", kind: OptKind::App, required: true },
                Opt { name: "person", about: "One person only.", kind: OptKind::Person, required: false },
                Opt { name: "reason", about: "Why.", kind: OptKind::Text(3, 500), required: false },
            ],
            from: From::Slash,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let (name, app) = desk.app(call.option("app").unwrap_or_default())?;
        let gate = desk.policy.gate(&app.id, Action::Retry, 1);
        let links = desk.links().await?;
        desk.policy.may_ask(&links, &name, &app.id, &call.caller, gate).map_err(CommandError::forbidden)?;
        let failing = failing(desk, &name, &app).await?;
        if failing.people.is_empty() {
            return Ok(Message::text(failing.nobody(&app)));
        }
        let chosen = match call.option("person") {
            None => Vec::new(),
            Some(typed) => vec![failing.named(typed, &app)?],
        };
        let reason = plain(call.option("reason").unwrap_or("no reason given"), 1_000);
        let frozen = frozen(call, desk, &name, &app, chosen.clone()).await?;
        let request = desk.requests.open(frozen, reason, failing.incident, desk.clock.now()).await?;
        match chosen.is_empty() {
            true => Ok(list(&request, &failing, 0)),
            false => confirmation(call, desk, &request).await,
        }
    }
}

const OPTIONS: &[Opt] = &[
    Opt { name: "request", about: "Its number.", kind: OptKind::Text(1, 20), required: true },
    Opt { name: "hash", about: "What the button carries.", kind: OptKind::Text(16, 16), required: true },
    Opt { name: "page", about: "The page.", kind: OptKind::Text(1, 5), required: true },
    Opt { name: "people", about: "Who is ticked on it.", kind: OptKind::Text(0, 64), required: false },
];

/// Ticking people, and turning the list's pages.
pub struct Tick;

#[async_trait]
impl Command for Tick {
    fn spec(&self) -> Spec {
        Spec {
            name: "tick",
            about: "Tick people to push again.",
            role: Some(Role::Operator),
            opening: Opening::Update,
            options: OPTIONS,
            from: From::ButtonOnly,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let request = steps::find_own(call, desk).await?;
        let failing = failing(desk, &request.frozen.org, &request.frozen.app).await?;
        let page: usize = call.option("page").and_then(|page| page.parse().ok()).unwrap_or(0);
        let shown: Vec<&UserId> = failing.page(page).map(|failure| &failure.person.id).collect();
        let ticked: Vec<&str> = call.all("people").collect();
        let mut chosen: Vec<UserId> =
            request.frozen.people.iter().filter(|person| !shown.contains(person)).cloned().collect();
        // The page may have moved since it was shown; who was ticked on it counts all the same.
        let all = failing.people.iter().map(|failure| &failure.person.id);
        chosen.extend(all.filter(|person| ticked.contains(&person.as_str())).cloned());
        let request = rechoose(call, desk, &request, chosen).await?;
        Ok(list(&request, &failing, page))
    }
}

/// Turning the list's pages.
pub struct Page;

#[async_trait]
impl Command for Page {
    fn spec(&self) -> Spec {
        Spec { name: "page", about: "Turn the page.", options: &OPTIONS[..3], ..Tick.spec() }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let request = steps::find_own(call, desk).await?;
        let failing = failing(desk, &request.frozen.org, &request.frozen.app).await?;
        let page: usize = call.option("page").and_then(|page| page.parse().ok()).unwrap_or(0);
        Ok(list(&request, &failing, page))
    }
}

/// `Retry selected` under the list.
pub struct Selected;

#[async_trait]
impl Command for Selected {
    fn spec(&self) -> Spec {
        Spec {
            name: "selected",
            about: "Push the ticked people again.",
            options: &OPTIONS[..2],
            ..Tick.spec()
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let request = steps::find_own(call, desk).await?;
        if request.frozen.people.is_empty() {
            let failing = failing(desk, &request.frozen.org, &request.frozen.app).await?;
            let mut again = list(&request, &failing, 0);
            again.content =
                "Nobody is ticked yet. Tick at least one person, or press “Retry all”.".to_owned();
            return Ok(again);
        }
        confirmation(call, desk, &request).await
    }
}

/// `Retry all N` under the list.
pub struct All;

#[async_trait]
impl Command for All {
    fn spec(&self) -> Spec {
        Spec { name: "all", about: "Push everybody again.", options: &OPTIONS[..2], ..Tick.spec() }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let request = steps::find_own(call, desk).await?;
        let failing = failing(desk, &request.frozen.org, &request.frozen.app).await?;
        let everybody = failing.people.iter().map(|failure| failure.person.id.clone()).collect();
        let request = rechoose(call, desk, &request, everybody).await?;
        confirmation(call, desk, &request).await
    }
}

/// Whose push may be tried again.
struct FailingPeople {
    people: Vec<Failure>,
    healing_people: Vec<Person>,
    incident: Option<domain::ids::IncidentNumber>,
}

impl FailingPeople {
    fn page(&self, page: usize) -> impl Iterator<Item = &Failure> {
        self.people.iter().skip(page * PAGE).take(PAGE)
    }

    fn nobody(&self, app: &App) -> String {
        let label = escape(&app.label, 200);
        match self.healing_people.len() {
            0 => format!("No push to {label} is failing, so there is nothing to retry."),
            n => format!(
                "{label}: {} waiting for Okta's own retry. Okta looks again after five minutes, then after ever longer \
                 pauses. Retrying by hand makes it worse, so Provost does not offer it.",
                people(n)
            ),
        }
    }

    fn named(&self, typed: &str, app: &App) -> Result<UserId, CommandError> {
        let found: Vec<&Failure> =
            self.people.iter().filter(|failure| meant::is(&failure.person, typed)).collect();
        let who =
            meant::candidates(&self.people.iter().map(|failure| &failure.person).collect::<Vec<_>>(), typed);
        match found.as_slice() {
            [one] => Ok(one.person.id.clone()),
            [] if self.healing_people.iter().any(|person| meant::is(person, typed)) => {
                Err(CommandError::Slip(format!(
                    "{}: “{}” waits for Okta's own retry. Okta looks again after five minutes, then after ever longer \
                     pauses. Retrying by hand makes it worse, so Provost does not offer it.",
                    escape(&app.label, 100),
                    escape(typed, 60)
                )))
            }
            [] => Err(CommandError::Slip(format!(
                "Nobody called “{}” is failing in {}.{who} Pick one from the list that appears while you type.",
                escape(typed, 60),
                escape(&app.label, 100)
            ))),
            several => Err(CommandError::Slip(format!(
                "“{}” fits {} people.{who} Pick one from the list that appears while you type.",
                escape(typed, 60),
                several.len()
            ))),
        }
    }
}

async fn failing(desk: &Desk, org: &OrgName, app: &App) -> Result<FailingPeople, CommandError> {
    let query = Query { org: Some(org.clone()), app: Some(app.id.clone()), which: Which::Open, limit: 0 };
    let open = desk.store.incidents(&query).await?;
    let healing = CauseId::self_healing();
    let of = |incident: &&Incident| desk.rules.cause(&incident.cause).offer.contains(&Offer::Retry);
    let mut people: Vec<Failure> =
        open.iter().filter(of).flat_map(|incident| incident.failing().cloned()).collect();
    people.sort_by(|one, other| (&other.last, &one.person.id).cmp(&(&one.last, &other.person.id)));
    let mut healing_people: Vec<Person> = open
        .iter()
        .filter(|each| each.cause == healing)
        .flat_map(|each| each.failing().map(|failure| failure.person.clone()))
        .collect();
    // Where no alert is for them, the log still tells of them.
    for id in desk.store.healing(org, &app.id, desk.clock.now() - HEALS_WITHIN).await? {
        let is_known =
            healing_people.iter().chain(people.iter().map(|failure| &failure.person)).any(|it| it.id == id);
        if !is_known {
            healing_people.push(Person { id, login: None, name: None });
        }
    }
    Ok(FailingPeople {
        people,
        healing_people,
        incident: open.iter().find(of).map(|incident| incident.number),
    })
}

pub(crate) async fn frozen(
    call: &Call,
    desk: &Desk,
    name: &OrgName,
    app: &App,
    people: Vec<UserId>,
) -> Result<Frozen, CommandError> {
    let org = desk.org(name)?;
    let facts = org
        .directory
        .app(&app.id)
        .await
        .map_err(|source| CommandError::Directory { org: name.clone(), source })?;
    Ok(Frozen {
        org: name.clone(),
        app: facts.app.clone(),
        action: Action::Retry,
        method: if org.writes { Method::Api } else { Method::Guided },
        gate: desk.policy.gate(&app.id, Action::Retry, people.len()),
        people: sorted(people),
        before: facts.fingerprint(),
        requester: call.caller.id,
        requester_person: desk.links().await?.person(name, call.caller.id).cloned(),
        breakglass: false,
        assigned: None,
    })
}

fn sorted(mut people: Vec<UserId>) -> Vec<UserId> {
    people.sort_unstable();
    people.dedup();
    people
}

/// Keeps what is chosen in the stored draft; more people may need more approvals.
async fn rechoose(
    call: &Call,
    desk: &Desk,
    request: &Request,
    chosen: Vec<UserId>,
) -> Result<Request, CommandError> {
    let people = sorted(chosen);
    let gate = desk.policy.gate(&request.frozen.app.id, Action::Retry, people.len());
    let event = RequestEvent::Chosen { by: call.caller.id, people, gate };
    let stepped = desk.requests.step(request.number, event, None, None, desk.clock.now()).await?;
    match stepped {
        Some(Ok(after)) => Ok(after),
        Some(Err(refusal)) => Err(CommandError::Slip(refused::refused(request, &refusal))),
        None => Err(CommandError::Slip(
            "This request is gone. Nothing was done; begin anew with `/okta retry`.".to_owned(),
        )),
    }
}

pub(crate) async fn confirmation(
    call: &Call,
    desk: &Desk,
    request: &Request,
) -> Result<Message, CommandError> {
    let frozen = &request.frozen;
    let (widened, possible) = desk.who_could_approve(&frozen.app.id, &call.caller, frozen.gate).await;
    if frozen.gate.approvals > 0 && possible == Some(false) {
        let entry = Draft {
            what: "refused.nobody_could_approve".to_owned(),
            member: Some(call.caller.id),
            request: Some(request.number),
            outcome: "refused".to_owned(),
            ..Draft::default()
        };
        desk.requests.audit(entry, desk.clock.now()).await?;
        return Err(CommandError::Slip(nobody_could(frozen.gate.approvals)));
    }
    let org = desk.org(&frozen.org)?;
    let around = Around { console: org.console.as_ref(), policy: &desk.policy, kind: "", paused: false };
    let price = Price { by_hand_because: None, widened };
    let mut message = ladder::confirmation(desk, request, &price, &around).await?;
    let failing = failing(desk, &frozen.org, &frozen.app).await?;
    if let Some(card) = &mut message.card {
        card.fields.insert(1, Field { name: "Who".to_owned(), value: who(&frozen.people, &failing) });
    }
    Ok(message)
}

/// The first few by name: whom one is about to push.
fn who(people: &[UserId], failing: &FailingPeople) -> String {
    let known = |id: &UserId| failing.people.iter().map(|failure| &failure.person).find(|who| who.id == *id);
    let name = |id: &UserId| {
        let name = known(id).and_then(|who| who.name.as_deref().or(who.login.as_deref()));
        escape(name.unwrap_or(id.as_str()), 80)
    };
    let named: Vec<String> = people.iter().take(NAMED).map(name).collect();
    match people.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        n => format!("{}, and {n} more", named.join(", ")),
    }
}

fn list(request: &Request, failing: &FailingPeople, page: usize) -> Message {
    let all = failing.people.len();
    let pages = all.div_ceil(PAGE).max(1);
    let page = page.min(pages - 1);
    let chosen = &request.frozen.people;
    let choices: Vec<Choice> = failing
        .page(page)
        .map(|failure| {
            let person = &failure.person;
            let name = person.name.as_deref().or(person.login.as_deref()).unwrap_or(person.id.as_str());
            let login = person.login.as_deref().unwrap_or(person.id.as_str());
            Choice {
                label: plain(&format!("{name} ({login})"), 100),
                value: person.id.to_string(),
                chosen: chosen.contains(&person.id),
            }
        })
        .collect();
    let args =
        |page: usize| [request.number.0.to_string(), request.hash.short().to_owned(), page.to_string()];
    let most = u8::try_from(choices.len()).unwrap_or(25);
    let select = Select {
        choose: CustomId::new("tick", args(page)),
        choose_from: (0, most),
        placeholder: format!("Tick whom to push again (page {} of {pages})", page + 1),
        choices,
    };
    let mut buttons = Vec::new();
    let button = |label: String, style, verb: &str, args: Vec<String>| Button {
        label,
        style,
        press: Press::Verb(CustomId::new(verb, args)),
    };
    let of = |count: usize| args(0).into_iter().take(count).collect::<Vec<_>>();
    if !chosen.is_empty() {
        buttons.push(button(
            format!("Retry selected ({})", chosen.len()),
            ButtonStyle::Primary,
            "selected",
            of(2),
        ));
    }
    buttons.push(button(format!("Retry all {all}"), ButtonStyle::Secondary, "all", of(2)));
    if page > 0 {
        buttons.push(button("Back".to_owned(), ButtonStyle::Secondary, "page", args(page - 1).to_vec()));
    }
    if page + 1 < pages {
        buttons.push(button("More".to_owned(), ButtonStyle::Secondary, "page", args(page + 1).to_vec()));
    }
    buttons.push(button("Cancel".to_owned(), ButtonStyle::Secondary, "cancel", of(2)));
    let label = escape(&request.frozen.app.label, 150);
    let newest = failing
        .people
        .first()
        .map_or(String::new(), |failure| format!(" Last failure {}.", ago(failure.last)));
    Message {
        content: format!("{label}: whom to push again?"),
        card: Some(Card {
            tone: Tone::Waiting,
            title: format!("{} · {}", escape(&request.frozen.app.label, 150), request.number),
            body: format!("{} failing, {} ticked.{newest}", people(all), chosen.len()),
            fields: Vec::new(),
            footer: format!("{} · {}", request.frozen.org, request.frozen.app.id),
        }),
        rows: vec![Row::Select(select), Row::Buttons(buttons)],
        ..Message::default()
    }
}
