//! `/okta close incident: reason:`: closes an incident by hand, and says so: closed is not fixed.

use async_trait::async_trait;
use domain::incident::Change;

use crate::chat::{Call, CustomId, Dialog, Input, Message, Opening};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::spec::{From, Opt, OptKind, Role, Spec};
use crate::{Command, by_hand, reason};

/// The least and the most that a reason may hold.
const REASON: (u16, u16) = (10, 500);

/// `/okta close incident: reason:`.
pub struct Close;

#[async_trait]
impl Command for Close {
    fn spec(&self) -> Spec {
        Spec {
            name: "close",
            about: "Close an incident by hand, with a reason. A later failure opens it again.",
            role: Some(Role::Operator),
            opening: Opening::Private,
            options: &[
                by_hand::INCIDENT,
                Opt {
                    name: "reason",
                    about: "Why; the alert and the audit say it.",
                    kind: OptKind::Text(REASON.0, REASON.1),
                    required: true,
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
        let reason = reason::typed(call, "reason", "A reason", REASON, "the alert and the audit say it")?;
        let change = Change::Closed { by: call.caller.id, reason: reason.clone() };
        if by_hand::change(call, desk, &incident, change, "incident.closed", &reason).await?.is_none() {
            return Err(by_hand::changed_meanwhile(&incident));
        }
        Ok(Message::text(format!(
            "{} is closed, with {} still failing. Nothing was changed in Okta. If somebody of this app fails again \
             within a day, it opens again, with a new alert.",
            by_hand::name(&incident),
            by_hand::failing(&incident)
        )))
    }
}

/// The dialog that asks for the reason, when a button began it.
pub fn ask(incident: &str) -> Dialog {
    Dialog {
        submit: CustomId::new("close", [incident.to_owned()]),
        title: "Close this incident by hand".to_owned(),
        inputs: vec![Input {
            name: "reason".to_owned(),
            label: "Why? The alert and the audit say it.".to_owned(),
            placeholder: "For example: the app is retired next week, nobody needs an account".to_owned(),
            value: String::new(),
            length: REASON,
            long: true,
        }],
    }
}
