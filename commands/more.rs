//! `More…` on an alert: what else can be done, privately. An alert has five buttons at most, and a dialog cannot ask
//! which dialog is wanted.

use async_trait::async_trait;
use domain::incident::Incident;

use crate::chat::{Button, ButtonStyle, Call, Message, Opening, Row};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::spec::{From, Role, Spec};
use crate::{Command, alert, by_hand, fixed};

/// `More…`.
pub struct More;

#[async_trait]
impl Command for More {
    fn spec(&self) -> Spec {
        Spec {
            name: "more",
            about: "Show what else can be done about an incident.",
            role: Some(Role::Viewer),
            opening: Opening::Private,
            options: &[by_hand::INCIDENT],
            from: From::ButtonOnly,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let incident = by_hand::find(call, desk).await?;
        if let Some(over) = by_hand::is_over(&incident) {
            return Err(over);
        }
        let acts = by_hand::is_operator(call, desk, &incident);
        let mut rows = Vec::new();
        let mut files = vec![bundle(&incident)];
        if acts {
            rows.push(Row::Buttons(hands(&incident)));
            files.push(fixed::text_for_the_owner(&incident));
        }
        rows.push(Row::Buttons(files));
        if let Some(console) = &desk.org(&incident.org)?.console {
            let kind = incident.findings.as_ref().map_or("", |findings| findings.kind.as_str());
            rows.push(Row::Buttons(vec![
                alert::link("Open Provisioning", console.to_app(kind, &incident.app.id)),
                alert::link("Open Tasks", console.tasks()),
            ]));
        }
        Ok(Message {
            content: format!("{}: what else can be done.", by_hand::name(&incident)),
            rows,
            ..Message::default()
        })
    }
}

fn hands(incident: &Incident) -> Vec<Button> {
    let number = incident.number.0.to_string();
    let button = |label, verb| alert::button(label, ButtonStyle::Secondary, verb, &number);
    vec![button("Snooze…", "snooze-ask"), button("Close…", "close-ask"), button("Done in the app…", "fixed")]
}

fn bundle(incident: &Incident) -> Button {
    let app = format!("{}/{}", incident.org, incident.app.id);
    alert::button("Support bundle", ButtonStyle::Secondary, "bundle", &app)
}
