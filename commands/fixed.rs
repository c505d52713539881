//! `/okta fixed incident: how:`: somebody did it in the app instead. Provost takes their word for it, offers to push
//! again at once, since Okta may never do that by itself, and waits for the proof.

use async_trait::async_trait;
use domain::ids::UserId;
use domain::incident::Incident;
use domain::request::{Action, Frozen, Method, Request, RequestEvent, Stage};
use domain::requests::RequestQuery;

use crate::chat::{Button, ButtonStyle, Call, CustomId, Dialog, Input, Message, Opening, Press, Row};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::spec::{From, Opt, OptKind, Role, Spec};
use crate::text::{escape, people};
use crate::{Command, alert, by_hand, reason, steps};

/// What was done, as people choose it.
const ACTIVATED: &str = "activated there";
const DELETED: &str = "deleted there";
const OTHER: &str = "other";

/// The least and the most that a note may hold.
const NOTE: (u16, u16) = (5, 400);

/// `/okta fixed incident: how:`.
pub struct Fixed;

#[async_trait]
impl Command for Fixed {
    fn spec(&self) -> Spec {
        Spec {
            name: "fixed",
            about: "Say that it was done in the app instead, push again, and wait for the proof.",
            role: Some(Role::Operator),
            opening: Opening::Private,
            options: &[
                by_hand::INCIDENT,
                Opt {
                    name: "how",
                    about: "What was done to the accounts in the app.",
                    kind: OptKind::OneOf(&[ACTIVATED, DELETED, OTHER]),
                    required: true,
                },
                Opt {
                    name: "note",
                    about: "What exactly was done; needed with “other”.",
                    kind: OptKind::Text(0, NOTE.1),
                    required: false,
                },
            ],
            from: From::Slash,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let incident = by_hand::find_to_act(call, desk).await?;
        if let Some(over) = by_hand::is_over(&incident) {
            return Err(over);
        }
        if let Some(request) = said_already(desk, &incident).await? {
            return Ok(offer(
                format!(
                    "{} says so already, by <@{}>, and waits for the proof. Okta may never push again by itself: push \
                     again now, if nobody has.",
                    request.number, request.frozen.requester
                ),
                &incident,
            ));
        }
        let Some(how) = how(call)? else { return Ok(ask_how(&incident)) };
        let Some(request) = take_word(call, desk, &incident, how).await? else {
            return Ok(Message::text("This was said a moment ago; its card is in the channel."));
        };
        Ok(match request.stage {
            Stage::Pending => Message::text(format!(
                "{} waits for approval. Its card is in the channel; you are told when it is decided.",
                request.number
            )),
            _ => offer(
                format!(
                    "{} is noted for {}: {}. Its card is in the channel. Okta may never push again by itself, so push \
                     again now; the proof is a later success of each of them.",
                    request.number,
                    by_hand::failing(&incident),
                    escape(&request.reason, 600)
                ),
                &incident,
            ),
        })
    }
}

/// What was done, in words; `None` if that is still to be asked.
fn how(call: &Call) -> Result<Option<String>, CommandError> {
    let note = call.option("note").map(str::trim).filter(|note| !note.is_empty());
    let noted = || -> Result<String, CommandError> {
        match note {
            None => Ok(String::new()),
            Some(_) => {
                Ok(format!(": {}", reason::typed(call, "note", "A note", (1, NOTE.1), "the card says it")?))
            }
        }
    };
    match call.option("how") {
        None => Ok(None),
        Some(ACTIVATED) => Ok(Some(format!("activated in the app{}", noted()?))),
        Some(DELETED) => Ok(Some(format!("deleted in the app{}", noted()?))),
        Some(OTHER) => {
            let because = "the card says what was done, for whoever looks later";
            Ok(Some(reason::typed(call, "note", "A note", NOTE, because)?))
        }
        Some(typed) => Err(CommandError::Slip(format!(
            "“{}” is not one of the ways. Choose {ACTIVATED}, {DELETED}, or {OTHER} with a note.",
            escape(typed, 40)
        ))),
    }
}

/// The request that says so already, if it still waits for its proof.
async fn said_already(desk: &Desk, incident: &Incident) -> Result<Option<Request>, CommandError> {
    let query = RequestQuery {
        org: Some(incident.org.clone()),
        app: Some(incident.app.id.clone()),
        open: true,
        confirmed: true,
        limit: 0,
    };
    let of = |request: &Request| {
        request.frozen.action == Action::Fixed && request.incident == Some(incident.number)
    };
    let said = desk.requests.requests(&query).await?.into_iter().filter(of);
    Ok(said.filter(|request| request.stage != Stage::Draft).min_by_key(|request| request.number))
}

/// A request that needs nobody's approval, about everybody who is failing now. `None`: of two who said it in the same
/// moment this was the later one, and its request is withdrawn.
async fn take_word(
    call: &Call,
    desk: &Desk,
    incident: &Incident,
    how: String,
) -> Result<Option<Request>, CommandError> {
    let (org, app) = (&incident.org, &incident.app);
    let failing: Vec<UserId> = incident.failing().map(|failure| failure.person.id.clone()).collect();
    let gate = desk.policy.gate(&app.id, Action::Fixed, failing.len());
    let links = desk.links().await?;
    desk.policy.may_ask(&links, org, &app.id, &call.caller, gate).map_err(CommandError::forbidden)?;
    let frozen = Frozen {
        org: org.clone(),
        app: app.clone(),
        action: Action::Fixed,
        method: Method::Guided,
        people: failing,
        before: incident.in_short(),
        gate,
        requester: call.caller.id,
        requester_person: links.person(org, call.caller.id).cloned(),
        breakglass: false,
        assigned: None,
    };
    let draft = desk.requests.open(frozen, how, Some(incident.number), desk.clock.now()).await?;
    let hash = draft.hash.short().to_owned();
    let event = RequestEvent::Confirmed { by: call.caller.id, hash };
    let said = steps::step(call, desk, &links, &draft, event, "request.confirmed", "").await?;
    match said_already(desk, incident).await? {
        Some(first) if first.number < said.number => {
            let event = RequestEvent::Withdrawn { by: call.caller.id };
            // It may have gone on already: then both wait for the same proof.
            let _ = steps::step(call, desk, &links, &said, event, "request.withdrawn", "").await;
            Ok(None)
        }
        _ => Ok(Some(said)),
    }
}

/// The private question what was done.
fn ask_how(incident: &Incident) -> Message {
    let number = incident.number.0.to_string();
    let button = |label: &str, verb: &str, how: Option<&str>| Button {
        label: label.to_owned(),
        style: ButtonStyle::Secondary,
        press: Press::Verb(CustomId::new(
            verb,
            std::iter::once(number.clone()).chain(how.map(str::to_owned)).collect::<Vec<_>>(),
        )),
    };
    Message {
        content: format!(
            "{}: what was done in the app for {}? Say it once it is done. If it is still to be done, hand the text to \
             the app's owner.",
            by_hand::name(incident),
            people(incident.failing().count())
        ),
        rows: vec![Row::Buttons(vec![
            button("Activated there", "fixed", Some(ACTIVATED)),
            button("Deleted there", "fixed", Some(DELETED)),
            button("Other…", "fixed-ask", None),
            text_for_the_owner(incident),
        ])],
        ..Message::default()
    }
}

/// The dialog that asks what was done otherwise.
pub fn ask(incident: &str) -> Dialog {
    Dialog {
        submit: CustomId::new("fixed", [incident.to_owned(), OTHER.to_owned()]),
        title: "Done in the app instead".to_owned(),
        inputs: vec![Input {
            name: "note".to_owned(),
            label: "What was done?".to_owned(),
            placeholder: "For example: merged with the account of her new address".to_owned(),
            value: String::new(),
            length: NOTE,
            long: true,
        }],
    }
}

/// An answer with what comes next: pushing again, and the text for the app's owner.
fn offer(content: String, incident: &Incident) -> Message {
    let app = format!("{}/{}", incident.org, incident.app.id);
    Message {
        content,
        rows: vec![Row::Buttons(vec![
            alert::button("Retry…", ButtonStyle::Primary, "retry", &app),
            text_for_the_owner(incident),
        ])],
        ..Message::default()
    }
}

/// The button that hands over the text for the app's owner.
pub fn text_for_the_owner(incident: &Incident) -> Button {
    let number = incident.number.0.to_string();
    alert::button("Text for the app's owner", ButtonStyle::Secondary, "owner-text", &number)
}
