//! The steps that only a button takes: confirm, cancel, approve, deny, withdraw. Each decides by the caller's own
//! roles, and the store decides between two who press at once.

use async_trait::async_trait;
use domain::audit::Draft;
use domain::ids::MemberId;
use domain::links::Links;
use domain::request::{Action, Method, Refusal, Request, RequestEvent, RequestNumber, Stage};

use crate::chat::{Call, CustomId, Dialog, Input, Message, Opening};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::spec::{From, Opt, OptKind, Role, Spec};
use crate::text::{escape, plain};
use crate::{Command, reason, refused};

const OPTIONS: &[Opt] = &[
    Opt { name: "request", about: "Its number.", kind: OptKind::Text(1, 20), required: true },
    Opt { name: "hash", about: "What the button carries.", kind: OptKind::Text(16, 16), required: true },
];
/// The least and the most that the reason of a denial may hold.
const WHY: (u16, u16) = (5, 500);

const WITH_REASON: &[Opt] = &[
    Opt { name: "request", about: "Its number.", kind: OptKind::Text(1, 20), required: true },
    Opt { name: "hash", about: "What the button carries.", kind: OptKind::Text(16, 16), required: true },
    Opt { name: "why", about: "Why.", kind: OptKind::Text(WHY.0, WHY.1), required: true },
];

fn spec(
    name: &'static str,
    about: &'static str,
    role: Role,
    opening: Opening,
    options: &'static [Opt],
) -> Spec {
    Spec { name, about, role: Some(role), opening, options, from: From::ButtonOnly }
}

/// `Enable Deactivate Users`, `Retry` under a confirmation.
pub struct Confirm;

#[async_trait]
impl Command for Confirm {
    fn spec(&self) -> Spec {
        spec("confirm", "Confirm what you asked for.", Role::Operator, Opening::Update, OPTIONS)
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let request = find(call, desk).await?;
        if request.frozen.action == Action::Reassign {
            return Err(CommandError::Slip(format!(
                "{} is confirmed by typing the app's label: press **Reassign…** under its confirmation.",
                request.number
            )));
        }
        confirmed(call, desk, &request).await
    }
}

/// Why nothing happens now, to whoever confirms or approves something while all writes are stopped.
const PAUSED: &str = "all writes to Okta are stopped (`/okta pause`), and it goes on after `/okta resume`.";

/// Whether a request has to wait until writes go on. What was done in the app writes nothing.
async fn paused(desk: &Desk, request: &Request) -> Result<bool, CommandError> {
    Ok(request.frozen.action != Action::Fixed && desk.requests.paused().await?.is_some())
}

/// Confirms a request for its requester, and says what comes next.
pub async fn confirmed(call: &Call, desk: &Desk, request: &Request) -> Result<Message, CommandError> {
    let links = desk.links().await?;
    if let Err(rule) = desk.policy.may_have(&links, request, &call.caller) {
        let entry = refusal_entry(call.caller.id, "request.confirmed", &rule.word());
        desk.requests.audit(about(request, entry), desk.clock.now()).await?;
        return Err(CommandError::forbidden(rule));
    }
    let hash = request.hash.short().to_owned();
    let event = RequestEvent::Confirmed { by: call.caller.id, hash };
    let what = if request.frozen.breakglass { "request.broke_glass" } else { "request.confirmed" };
    let after = step(call, desk, &links, request, event, what, "").await?;
    let paused = paused(desk, &after).await?;
    Ok(Message::text(match after.stage {
        Stage::Approved if paused => format!("{} waits: {PAUSED}", after.number),
        Stage::Approved if after.frozen.breakglass => format!(
            "{} goes ahead without an approval. Every approver is told, its card in the channel shows how it goes, \
                 and one of them reviews it afterwards.",
            after.number
        ),
        Stage::Pending => format!(
            "{} waits for approval. Its card is in the channel; you are told when it is decided.",
            after.number
        ),
        Stage::Approved => match after.frozen.method {
            Method::Api => {
                format!("{} is being done. Its card in the channel shows how it goes.", after.number)
            }
            Method::Guided => {
                format!("{} is for a person to do. Its card in the channel shows the clicks.", after.number)
            }
        },
        Stage::Expired { .. } => format!(
            "{} was not confirmed in time, and has expired. Nothing was changed. Ask again if it is still needed.",
            after.number
        ),
        ref stage => format!("{} is {}.", after.number, stage.word()),
    }))
}

/// `Cancel` under a confirmation.
pub struct Cancel;

#[async_trait]
impl Command for Cancel {
    fn spec(&self) -> Spec {
        spec("cancel", "Cancel what you have not confirmed.", Role::Operator, Opening::Update, OPTIONS)
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let request = find(call, desk).await?;
        let links = desk.links().await?;
        let event = RequestEvent::Withdrawn { by: call.caller.id };
        let after = step(call, desk, &links, &request, event, "request.withdrawn", "").await?;
        Ok(Message::text(format!("{} is cancelled. Nothing was changed.", after.number)))
    }
}

/// `Approve` on a card.
pub struct Approve;

#[async_trait]
impl Command for Approve {
    fn spec(&self) -> Spec {
        spec("approve", "Approve a request.", Role::Approver, Opening::Private, OPTIONS)
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let request = find(call, desk).await?;
        let links = desk.links().await?;
        may_decide(call, desk, &links, &request).await?;
        let person = links.person(&request.frozen.org, call.caller.id).cloned();
        let hash = call.option("hash").unwrap_or_default().to_owned();
        let event = RequestEvent::Approved { by: call.caller.id, person, hash };
        let after = step(call, desk, &links, &request, event, "request.approved", "").await?;
        let paused = paused(desk, &after).await?;
        Ok(Message::text(match after.stage {
            Stage::Approved if paused => format!("You approved {}. It waits: {PAUSED}", after.number),
            Stage::Pending => {
                match (after.frozen.gate.approvals as usize).saturating_sub(after.approvals.len()) {
                    1 => format!("You approved {}. It still needs one more approval.", after.number),
                    n => format!("You approved {}. It still needs {n} more approvals.", after.number),
                }
            }
            _ => match after.frozen.method {
                Method::Api => {
                    format!("You approved {}. It is being done; its card shows how it goes.", after.number)
                }
                Method::Guided => {
                    format!(
                        "You approved {}. It is for a person to do; its card shows the clicks.",
                        after.number
                    )
                }
            },
        }))
    }
}

/// `Deny…` on a card, after its dialog.
pub struct Deny;

#[async_trait]
impl Command for Deny {
    fn spec(&self) -> Spec {
        spec("deny", "Deny a request.", Role::Approver, Opening::Private, WITH_REASON)
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let request = find(call, desk).await?;
        let links = desk.links().await?;
        may_decide(call, desk, &links, &request).await?;
        let person = links.person(&request.frozen.org, call.caller.id);
        if let Err(own @ Refusal::OwnRequest) = request.may_approve(call.caller.id, person) {
            let refused = refusal_entry(call.caller.id, "request.denied", "own request");
            desk.requests.audit(about(&request, refused), desk.clock.now()).await?;
            return Err(CommandError::Slip(refused::refused(&request, &own)));
        }
        let why = reason::typed(call, "why", "A reason", WHY, "the requester reads it")?;
        let event = RequestEvent::Denied { by: call.caller.id, why: why.clone() };
        let after = step(call, desk, &links, &request, event, "request.denied", &why).await?;
        Ok(Message::text(format!("You denied {}: {}", after.number, escape(&why, 600))))
    }
}

/// The dialog of `Deny…`.
pub fn ask_why(args: &[String]) -> Dialog {
    Dialog {
        submit: CustomId::new("deny", args.iter().take(2).cloned()),
        title: "Deny this request".to_owned(),
        inputs: vec![Input {
            name: "why".to_owned(),
            label: "Why? The requester reads it.".to_owned(),
            placeholder: "For example: the app's owner wants it to stay off".to_owned(),
            value: String::new(),
            length: WHY,
            long: true,
        }],
    }
}

/// `Withdraw` on a card.
pub struct Withdraw;

#[async_trait]
impl Command for Withdraw {
    fn spec(&self) -> Spec {
        spec("withdraw", "Take back what you asked for.", Role::Operator, Opening::Private, OPTIONS)
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let request = find(call, desk).await?;
        let links = desk.links().await?;
        let event = RequestEvent::Withdrawn { by: call.caller.id };
        let after = step(call, desk, &links, &request, event, "request.withdrawn", "").await?;
        Ok(Message::text(format!("{} is withdrawn. Nothing was changed.", after.number)))
    }
}

/// The request that a button names. Number and hash must belong together: a forged or edited button names nothing.
pub async fn find(call: &Call, desk: &Desk) -> Result<Request, CommandError> {
    let number = call.option("request").and_then(|text| text.parse::<RequestNumber>().ok());
    let request = match number {
        Some(number) => desk.requests.request(number).await?,
        None => None,
    };
    let hash = call.option("hash").unwrap_or_default();
    match request {
        Some(request) if request.hash.short() == hash => Ok(request),
        _ => Err(forged(call, desk).await?),
    }
}

/// As [`find`], for what only the requester sees: anybody else got the button from somewhere else. Who presses twice,
/// and the first press chose other people, has forged nothing.
pub async fn find_own(call: &Call, desk: &Desk) -> Result<Request, CommandError> {
    if let Some(draft) = own_draft(call, desk).await?
        && Some(draft.hash.short()) != call.option("hash")
    {
        return Err(CommandError::Slip(refused::refused(&draft, &Refusal::OtherHash)));
    }
    let request = find(call, desk).await?;
    if request.frozen.requester == call.caller.id {
        return Ok(request);
    }
    let entry = refusal_entry(call.caller.id, "foreign", "another member's button");
    desk.requests.audit(about(&request, entry), desk.clock.now()).await?;
    Err(CommandError::Slip(refused::refused(&request, &Refusal::NotYours)))
}

/// The draft of the caller's own that a button names by its number.
async fn own_draft(call: &Call, desk: &Desk) -> Result<Option<Request>, CommandError> {
    let Some(number) = call.option("request").and_then(|text| text.parse::<RequestNumber>().ok()) else {
        return Ok(None);
    };
    let request = desk.requests.request(number).await?;
    Ok(request.filter(|request| request.stage == Stage::Draft && request.frozen.requester == call.caller.id))
}

/// Writes down that a button named nothing of ours, and says so.
pub async fn forged(call: &Call, desk: &Desk) -> Result<CommandError, CommandError> {
    let entry = refusal_entry(call.caller.id, "forged", &plain(&call.verb, 40));
    desk.requests.audit(entry, desk.clock.now()).await?;
    Ok(CommandError::Slip(
        "This button is out of date, or not one of Provost's. Nothing was done. Use the buttons of the newest \
         message, or begin anew with the command."
            .to_owned(),
    ))
}

async fn may_decide(call: &Call, desk: &Desk, links: &Links, request: &Request) -> Result<(), CommandError> {
    let widened = desk.policy.is_widened(&*desk.roster, request.frozen.requester).await.unwrap_or(false);
    let allowed = desk.policy.may_approve(links, request, &call.caller, widened);
    if let Err(rule) = &allowed {
        let entry = refusal_entry(call.caller.id, "decision", &rule.word());
        desk.requests.audit(about(request, entry), desk.clock.now()).await?;
    }
    allowed.map_err(CommandError::forbidden)
}

/// Lets something happen to a request, with its audit entry.
///
/// # Errors
///
/// Why it cannot happen, in words for the caller.
pub async fn step(
    call: &Call,
    desk: &Desk,
    links: &Links,
    request: &Request,
    event: RequestEvent,
    what: &str,
    reason: &str,
) -> Result<Request, CommandError> {
    let entry = Draft {
        what: what.to_owned(),
        member: Some(call.caller.id),
        person: links.person(&request.frozen.org, call.caller.id).cloned(),
        reason: if reason.is_empty() { request.reason.clone() } else { reason.to_owned() },
        ..Draft::default()
    };
    let refused = refusal_entry(call.caller.id, what, what);
    let now = desk.clock.now();
    let stepped = desk.requests.step(request.number, event, Some(entry), Some(refused), now).await?;
    (desk.bell)();
    match stepped {
        Some(Ok(after)) => Ok(after),
        Some(Err(refusal)) => {
            let now = desk.requests.request(request.number).await?;
            Err(CommandError::Slip(refused::refused(now.as_ref().unwrap_or(request), &refusal)))
        }
        None => Err(CommandError::Slip(refused::refused(request, &Refusal::OtherHash))),
    }
}

/// An entry about a request.
pub fn about(request: &Request, entry: Draft) -> Draft {
    Draft {
        org: Some(request.frozen.org.clone()),
        app: Some(request.frozen.app.id.clone()),
        request: Some(request.number),
        request_hash: request.hash.0.clone(),
        ..entry
    }
}

/// An entry that says that something was refused.
pub fn refusal_entry(member: MemberId, what: &str, why: &str) -> Draft {
    Draft {
        what: format!("refused.{what}"),
        member: Some(member),
        reason: why.to_owned(),
        outcome: "refused".to_owned(),
        ..Draft::default()
    }
}
