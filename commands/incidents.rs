//! `/okta incidents [app] [state]`: the list, with links to the alerts.

use async_trait::async_trait;
use domain::incident::{Incident, Stage};
use domain::request::Request;
use domain::requests::RequestQuery;
use domain::store::{Query, Which};

use crate::chat::{Call, Card, Field, Message, Opening, Tone};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::spec::{From, Opt, OptKind, Role, Spec};
use crate::text::{ago, escape, people};
use crate::{Command, alert};

/// How many incidents an answer shows.
const SHOWN: usize = 15;

/// `/okta incidents [app] [state]`.
pub struct Incidents;

#[async_trait]
impl Command for Incidents {
    fn spec(&self) -> Spec {
        Spec {
            name: "incidents",
            about: "List incidents, with links to their alerts.",
            role: Some(Role::Viewer),
            opening: Opening::Private,
            options: &[
                Opt { name: "app", about: "Of this app only.", kind: OptKind::App, required: false },
                Opt {
                    name: "state",
                    about: "Open ones (the default), ended ones, or all.",
                    kind: OptKind::OneOf(&["open", "ended", "all"]),
                    required: false,
                },
            ],
            from: From::Slash,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let app = call.option("app").map(|typed| desk.app(typed)).transpose()?;
        let (which, word) = match call.option("state") {
            None | Some("open") => (Which::Open, "open"),
            Some("ended") => (Which::Over, "ended"),
            Some("all") => (Which::All, "known"),
            Some(other) => {
                return Err(CommandError::Slip(format!(
                    "There is no state “{}”. Choose open, ended or all.",
                    escape(other, 40)
                )));
            }
        };
        let query = Query {
            org: app.as_ref().map(|(org, _)| org.clone()),
            app: app.as_ref().map(|(_, app)| app.id.clone()),
            which,
            limit: 0,
        };
        let found = desk.store.incidents(&query).await?;
        if found.is_empty() {
            return Ok(Message::text(match which {
                Which::Open => "No incident is open. `/okta incidents state:all` shows those that are over.",
                Which::Over | Which::All => "No incident yet.",
            }));
        }
        let mut fields = Vec::new();
        for incident in found.iter().take(SHOWN) {
            fields.push(row(desk, incident).await?);
        }
        let body = match found.len() > SHOWN {
            true => format!("The {SHOWN} newest of {}. Name an app to see fewer.", found.len()),
            false => String::new(),
        };
        let title = "Incidents".to_owned();
        Ok(Message {
            content: format!(
                "{} {word} {}",
                found.len(),
                if found.len() == 1 { "incident" } else { "incidents" }
            ),
            card: Some(Card { tone: Tone::Quiet, title, body, fields, footer: String::new() }),
            ..Message::default()
        })
    }
}

async fn row(desk: &Desk, incident: &Incident) -> Result<Field, CommandError> {
    let failing = incident.failing().count();
    let how_many = match &incident.stage {
        Stage::Open => format!("{} failing", people(failing)),
        Stage::Over { at, .. } => format!("{}, over {}", people(incident.current().count()), ago(*at)),
    };
    let showing = desk.store.showing(incident.number).await?;
    let alert = match showing.as_ref().and_then(|showing| desk.address(showing)) {
        Some(address) => format!("[alert]({address})"),
        None => "no alert posted".to_owned(),
    };
    let requests = desk.requests.requests(&of_chapter(incident)).await?;
    let requests: Vec<_> = requests.into_iter().filter(|each| is_of_chapter(each, incident)).collect();
    let cause = &desk.rules.cause(&incident.cause).title;
    let has = incident.claim.map_or(String::new(), |claim| format!(" · <@{}> has it", claim.by));
    Ok(Field {
        name: format!("{} · {}", incident.number, escape(&incident.app.label, 180)),
        value: format!(
            "{} · {how_many} · {cause} · opened {}{has} · {alert}",
            alert::state_words(incident, &requests),
            ago(incident.opened)
        ),
    })
}

/// Whether a request belongs to the newest chapter of an incident: it was made in it, or it still goes on.
pub fn is_of_chapter(request: &Request, incident: &Incident) -> bool {
    request.created >= incident.opened || !request.stage.is_over()
}

/// An alert looks at so many of its app's newest requests.
const OF_APP: u32 = 20;

/// The newest requests of an incident's app.
pub fn of_chapter(incident: &Incident) -> RequestQuery {
    RequestQuery {
        org: Some(incident.org.clone()),
        app: Some(incident.app.id.clone()),
        open: false,
        confirmed: true,
        limit: OF_APP,
    }
}
