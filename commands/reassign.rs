//! `/okta reassign app: person: reason:`: takes an app away from one person and gives it back. The last rung, gated
//! hardest: by name only, one person at a time, the app's label typed out, two approvals.

use async_trait::async_trait;
use domain::assignment::{Assignment, state};
use domain::audit::Draft;
use domain::cause::CauseId;
use domain::event::App;
use domain::facts::Scope;
use domain::ids::{OrgName, UserId};
use domain::ports::DirectoryError;
use domain::request::{Action, Frozen, Method};
use domain::store::{Query, Which};

use crate::chat::{Call, CustomId, Dialog, Field, File, Input, Message, Opening};
use crate::confirmation::Price;
use crate::desk::{Desk, Org};
use crate::enable::{REASON, nobody_could, reason};
use crate::errors::CommandError;
use crate::request_card::{self, Around};
use crate::retry::HEALS_WITHIN;
use crate::spec::{From, Opt, OptKind, Role, Spec};
use crate::text::{csv_cell, escape, plain};
use crate::{Command, confirmation, meant, steps};

/// `/okta reassign app: person: reason:`.
pub struct Reassign;

#[async_trait]
impl Command for Reassign {
    fn spec(&self) -> Spec {
        Spec {
            name: "reassign",
            about: "Unassign one person from an app and assign them again: the last resort.",
            role: Some(Role::Operator),
            opening: Opening::Private,
            options: &[
                Opt { name: "app", about: "The app.", kind: OptKind::App, required: true },
                Opt { name: "person", about: "The person.", kind: OptKind::Person, required: true },
                Opt {
                    name: "reason",
                    about: "Why; the approvers read it.",
                    kind: OptKind::Text(REASON.0, REASON.1),
                    required: true,
                },
            ],
            from: From::Slash,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let (name, app) = desk.app(call.option("app").unwrap_or_default())?;
        let reason = reason(call)?;
        let org = desk.org(&name)?;
        let gate = desk.policy.gate(&app.id, Action::Reassign, 1);
        let links = desk.links().await?;
        desk.policy.may_ask(&links, &name, &app.id, &call.caller, gate).map_err(CommandError::forbidden)?;
        let person = named(call.option("person").unwrap_or_default(), desk, &name, &app).await?;
        if heals(desk, &name, &app, &person).await? {
            return Err(CommandError::Slip(healing(&app)));
        }

        let directory = |source| CommandError::Directory { org: name.clone(), source };
        let facts = org.directory.app(&app.id).await.map_err(directory)?;
        let assignment = match org.directory.assignment(&app.id, &person).await {
            Ok(assignment) => assignment,
            Err(DirectoryError::Gone { .. }) => return Err(CommandError::Slip(not_assigned(&person, &app))),
            Err(source) => return Err(directory(source)),
        };
        if assignment.user.scope == Scope::Group {
            return Err(CommandError::Slip(by_group(org, &app, &assignment).await));
        }
        if !assignment.user.is_active_in_okta() {
            return Err(CommandError::Slip(format!(
                "{} is not active in Okta, so Okta would not provision them again either. Nothing was asked for.",
                who(&assignment)
            )));
        }
        let (widened, possible) = desk.who_could_approve(&app.id, &call.caller, gate).await;
        if gate.approvals > 0 && possible == Some(false) {
            let entry = Draft {
                what: "refused.nobody_could_approve".to_owned(),
                member: Some(call.caller.id),
                org: Some(name),
                app: Some(app.id),
                outcome: "refused".to_owned(),
                ..Draft::default()
            };
            desk.requests.audit(entry, desk.clock.now()).await?;
            return Err(CommandError::Slip(nobody_could(gate.approvals)));
        }
        let query =
            Query { org: Some(name.clone()), app: Some(app.id.clone()), which: Which::Open, limit: 1 };
        let incident = desk.store.incidents(&query).await?.first().map(|incident| incident.number);
        let frozen = Frozen {
            org: name.clone(),
            app: facts.app.clone(),
            action: Action::Reassign,
            method: if org.writes { Method::Api } else { Method::Guided },
            before: state(&facts, &person, Some(&assignment)),
            people: vec![person],
            gate,
            requester: call.caller.id,
            requester_person: links.person(&name, call.caller.id).cloned(),
            breakglass: false,
            assigned: None,
        };
        let request = desk.requests.open(frozen, reason, incident, desk.clock.now()).await?;
        let around =
            Around { console: org.console.as_ref(), policy: &desk.policy, kind: &facts.kind, paused: false };
        let because = (!org.writes).then(|| "it may not write to this org (writes = false)".to_owned());
        let price = Price { by_hand_because: because, widened };
        let mut message = confirmation::message(&request, &price, &around);
        if let Some(card) = &mut message.card {
            card.fields.insert(0, field("Person", who(&assignment)));
            card.fields.push(field("What it costs", request_card::cost(&request)));
            card.fields.push(field(
                "To confirm",
                format!("Press **Reassign…** and type the app's label: {}", escape(&facts.app.label, 200)),
            ));
        }
        Ok(message)
    }
}

fn who(assignment: &Assignment) -> String {
    let person = &assignment.user.person;
    let name = person.name.as_deref().or(person.login.as_deref()).unwrap_or(person.id.as_str());
    match person.login.as_deref().filter(|login| *login != name) {
        Some(login) => format!("{} ({})", escape(name, 80), escape(login, 80)),
        None => escape(name, 80),
    }
}

fn not_assigned(person: &UserId, app: &App) -> String {
    format!(
        "{person} is not assigned to {}, so there is nothing to take away. Nothing was asked for.",
        escape(&app.label, 100)
    )
}

/// Names the group: whoever looks after it can do something.
async fn by_group(org: &Org, app: &App, assignment: &Assignment) -> String {
    let group = match &assignment.group {
        Some(group) => match org.directory.group_name(&app.id, group).await {
            Ok(name) => format!("the group **{}**", escape(&name, 100)),
            Err(_) => format!("the group {group}"),
        },
        None => "a group".to_owned(),
    };
    format!(
        "{} has {} by {group}, so it is not reassigned: that would turn the assignment into one by name, for good, and \
         taking somebody out of a group hits every app of that group. Nothing was asked for. `/okta retry` pushes them \
         again; if that is not enough, the app's owner has to activate the account there.",
        who(assignment),
        escape(&app.label, 100)
    )
}

/// Somebody whose push fails, by id, login or name; or anybody by their id.
async fn named(typed: &str, desk: &Desk, org: &OrgName, app: &App) -> Result<UserId, CommandError> {
    let query = Query { org: Some(org.clone()), app: Some(app.id.clone()), which: Which::Open, limit: 0 };
    let open = desk.store.incidents(&query).await?;
    let people: Vec<_> =
        open.iter().flat_map(|incident| incident.failing()).map(|failure| &failure.person).collect();
    let who = meant::candidates(&people, typed);
    let mut found: Vec<UserId> =
        people.iter().filter(|person| meant::is(person, typed)).map(|person| person.id.clone()).collect();
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => match typed.trim().parse() {
            Ok(id) if typed.trim().starts_with("00u") => Ok(id),
            _ => Err(CommandError::Slip(format!(
                "Nobody called “{}” is failing in {}.{who} Pick one from the list that appears while you type, or give the \
                 person's id (00u…).",
                escape(typed, 60),
                escape(&app.label, 100)
            ))),
        },
        several => Err(CommandError::Slip(format!(
            "“{}” fits {} people.{who} Pick one from the list that appears while you type.",
            escape(typed, 60),
            several.len()
        ))),
    }
}

/// Whether Okta is to push the person again by itself, and nothing else is wrong with them.
async fn heals(desk: &Desk, org: &OrgName, app: &App, person: &UserId) -> Result<bool, CommandError> {
    let query = Query { org: Some(org.clone()), app: Some(app.id.clone()), which: Which::Open, limit: 0 };
    let open = desk.store.incidents(&query).await?;
    let healing = CauseId::self_healing();
    let causes: Vec<&CauseId> = open
        .iter()
        .filter(|incident| incident.failing().any(|failure| failure.person.id == *person))
        .map(|incident| &incident.cause)
        .collect();
    if !causes.is_empty() {
        return Ok(causes.iter().all(|cause| **cause == healing));
    }
    // Where no alert is for them, the log still tells of them.
    let healing = desk.store.healing(org, &app.id, desk.clock.now() - HEALS_WITHIN).await?;
    Ok(healing.contains(person))
}

fn healing(app: &App) -> String {
    format!(
        "Okta tries again by itself to push them to {}: after five minutes, then after ever longer pauses. A \
         reassignment would only begin that anew. Nothing was asked for.",
        escape(&app.label, 100)
    )
}

/// The dialog that asks for the reason, when a button began it.
pub fn ask(args: &[String]) -> Dialog {
    Dialog {
        submit: CustomId::new("reassign", args.iter().take(2).cloned()),
        title: "Unassign and assign again".to_owned(),
        inputs: vec![Input {
            name: "reason".to_owned(),
            label: "Why?".to_owned(),
            placeholder: "The approvers read it, for example: neither retry was enough".to_owned(),
            value: String::new(),
            length: REASON,
            long: true,
        }],
    }
}

/// The dialog that asks for the app's label.
pub fn ask_label(args: &[String]) -> Dialog {
    Dialog {
        submit: CustomId::new("typed", args.iter().take(2).cloned()),
        title: "Unassign and assign again".to_owned(),
        inputs: vec![Input {
            name: "label".to_owned(),
            label: "Type the app's label, as the card shows it".to_owned(),
            placeholder: String::new(),
            value: String::new(),
            length: (1, 200),
            long: false,
        }],
    }
}

const TYPED: &[Opt] = &[
    Opt { name: "request", about: "Its number.", kind: OptKind::Text(1, 20), required: true },
    Opt { name: "hash", about: "What the button carries.", kind: OptKind::Text(16, 16), required: true },
    Opt { name: "label", about: "The app's label.", kind: OptKind::Text(1, 200), required: true },
];

/// `Reassign…` under a confirmation, after its dialog.
pub struct Typed;

#[async_trait]
impl Command for Typed {
    fn spec(&self) -> Spec {
        Spec {
            name: "typed",
            about: "Confirm by typing the app's label.",
            options: TYPED,
            from: From::ButtonOnly,
            ..Reassign.spec()
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let request = steps::find(call, desk).await?;
        let typed = plain(call.option("label").unwrap_or_default(), 200);
        let label = plain(&request.frozen.app.label, 200);
        if typed != label {
            return Err(CommandError::Slip(format!(
                "You typed “{}”, and the app's label is “{}”. Nothing was asked for. Press **Reassign…** again and type \
                 it exactly so.",
                escape(&typed, 200),
                escape(&label, 200)
            )));
        }
        steps::confirmed(call, desk, &request).await
    }
}

/// `Saved profile` on a card: what the assignment held, for whoever has to put it back by hand.
pub struct Profile;

#[async_trait]
impl Command for Profile {
    fn spec(&self) -> Spec {
        Spec {
            name: "profile",
            about: "Get a saved profile as a file.",
            options: &TYPED[..2],
            ..Typed.spec()
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let request = steps::find(call, desk).await?;
        let frozen = &request.frozen;
        let links = desk.links().await?;
        desk.policy
            .may_ask(&links, &frozen.org, &frozen.app.id, &call.caller, frozen.gate)
            .map_err(CommandError::forbidden)?;
        let Some((person, profile)) = desk.requests.kept_profile(request.number).await? else {
            return Ok(Message::text(NOTHING_KEPT));
        };
        let entry = Draft {
            what: "profile.shown".to_owned(),
            member: Some(call.caller.id),
            person: links.person(&frozen.org, call.caller.id).cloned(),
            org: Some(frozen.org.clone()),
            app: Some(frozen.app.id.clone()),
            request: Some(request.number),
            request_hash: request.hash.0.clone(),
            before: format!("person {person}; profile sha256 {}", profile.sha256()),
            outcome: "shown".to_owned(),
            ..Draft::default()
        };
        desk.requests.audit(entry, desk.clock.now()).await?;
        let mut csv = "attribute,value\n".to_owned();
        let name = profile.user_name.iter().map(|name| ("(the name in the app)", name.as_str()));
        let attributes = profile.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (attribute, value) in name.chain(attributes) {
            csv.push_str(&format!("{},{}\n", csv_cell(attribute), csv_cell(value)));
        }
        let bytes = csv.into_bytes();
        Ok(Message {
            content: format!(
                "What the assignment of {person} held before {}. It is personal data: use it to put the assignment \
                 right, then erase it here and delete the file.",
                request.number
            ),
            files: vec![File { name: format!("saved-profile-{}.csv", request.number), bytes }],
            ..Message::default()
        })
    }
}

const NOTHING_KEPT: &str = "No profile is kept for this request any more.";

/// `Erase saved profile` on a card.
pub struct Erase;

#[async_trait]
impl Command for Erase {
    fn spec(&self) -> Spec {
        Spec { name: "erase", about: "Erase a saved profile.", ..Profile.spec() }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let request = steps::find(call, desk).await?;
        let frozen = &request.frozen;
        let links = desk.links().await?;
        desk.policy
            .may_ask(&links, &frozen.org, &frozen.app.id, &call.caller, frozen.gate)
            .map_err(CommandError::forbidden)?;
        if !request.stage.is_over() {
            return Err(CommandError::Slip(format!(
                "{} is not over, and may still need what it keeps. Nothing was erased.",
                request.number
            )));
        }
        let entry = Draft {
            what: "profile.erased".to_owned(),
            member: Some(call.caller.id),
            person: links.person(&frozen.org, call.caller.id).cloned(),
            ..Draft::default()
        };
        Ok(Message::text(
            match desk.requests.erase_profile(request.number, entry, desk.clock.now()).await? {
                true => format!(
                    "The profile saved for {} is erased. The audit keeps its hash, which tells nobody what it held.",
                    request.number
                ),
                false => NOTHING_KEPT.to_owned(),
            },
        ))
    }
}

fn field(name: &str, value: String) -> Field {
    Field { name: name.to_owned(), value }
}
