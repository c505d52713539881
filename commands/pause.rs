//! `/okta pause` and `/okta resume`: the kill switch. All writes to Okta stop at once; reading goes on.

use async_trait::async_trait;
use domain::audit::Draft;
use domain::requests::Paused;

use crate::chat::{Call, CustomId, Dialog, Input, Message, Opening};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::spec::{From, Opt, OptKind, Role, Spec};
use crate::text::ago;
use crate::{Command, reason};

/// The least and the most that a reason may hold.
const REASON: (u16, u16) = (3, 500);

/// `/okta pause reason:`.
pub struct Pause;

#[async_trait]
impl Command for Pause {
    fn spec(&self) -> Spec {
        Spec {
            name: "pause",
            about: "Stop all writes to Okta at once; reading goes on.",
            role: Some(Role::Admin),
            opening: Opening::Private,
            options: &[Opt {
                name: "reason",
                about: "Why.",
                kind: OptKind::Text(REASON.0, REASON.1),
                required: true,
            }],
            from: From::Slash,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let now = desk.clock.now();
        if let Some(paused) = desk.requests.paused().await? {
            return Ok(Message::text(format!(
                "Writes to Okta are stopped already, by <@{}> {}. `/okta resume` lets them go on.",
                paused.by,
                ago(paused.since)
            )));
        }
        let reason =
            reason::typed(call, "reason", "A reason", REASON, "the others read it, and so does the audit")?;
        let paused = Paused { by: call.caller.id, since: now, reason: reason.clone() };
        let entry = entry("writes.paused", call, reason);
        desk.requests.pause(Some(paused), entry, now).await?;
        (desk.bell)();
        Ok(Message::text(
            "Writes to Okta are stopped. What was approved waits, until it expires; reading, alerts and diagnoses go \
             on. `/okta resume` lets writes go on.",
        ))
    }
}

/// The dialog that asks for the reason again, where the one that was typed is refused.
pub fn ask() -> Dialog {
    Dialog {
        submit: CustomId::new("pause", []),
        title: "Stop all writes to Okta".to_owned(),
        inputs: vec![Input {
            name: "reason".to_owned(),
            label: "Why? The others read it.".to_owned(),
            placeholder: "For example: an incident at Okta".to_owned(),
            value: String::new(),
            length: REASON,
            long: true,
        }],
    }
}

/// `/okta resume`.
pub struct Resume;

#[async_trait]
impl Command for Resume {
    fn spec(&self) -> Spec {
        Spec {
            name: "resume",
            about: "Let writes to Okta go on.",
            role: Some(Role::Admin),
            opening: Opening::Private,
            options: &[],
            from: From::Slash,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        if desk.requests.paused().await?.is_none() {
            return Ok(Message::text("Writes are not stopped."));
        }
        let entry = entry("writes.resumed", call, String::new());
        desk.requests.pause(None, entry, desk.clock.now()).await?;
        (desk.bell)();
        Ok(Message::text("Writes to Okta go on. What was approved and has not expired is done now."))
    }
}

fn entry(what: &str, call: &Call, reason: String) -> Draft {
    Draft {
        what: what.to_owned(),
        member: Some(call.caller.id),
        reason,
        outcome: "done".to_owned(),
        ..Draft::default()
    }
}
