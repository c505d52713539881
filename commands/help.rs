//! `/okta help`: only what the caller may run, read from the commands' own specs.

use async_trait::async_trait;

use crate::chat::{Call, Caller, Message, Opening};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::spec::{From, Spec};
use crate::{ALL, Command, may};

/// `/okta help`.
pub struct Help;

#[async_trait]
impl Command for Help {
    fn spec(&self) -> Spec {
        Spec {
            name: "help",
            about: "Show what you may do here.",
            role: None,
            opening: Opening::Private,
            options: &[],
            from: From::Slash,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        Ok(Message::text(format!(
            "Provost watches Okta for people whose accounts cannot be provisioned, says why, and what to do.\nYou may \
             use:\n{}",
            list(&call.caller, desk)
        )))
    }
}

/// The commands a caller may use, a line each.
pub fn list(caller: &Caller, desk: &Desk) -> String {
    let lines: Vec<String> = ALL
        .iter()
        .map(|command| command.spec())
        .filter(|spec| may(&desk.policy, caller, spec))
        .filter_map(|spec| match spec.from {
            From::Slash => Some(format!("`/okta {}` {}", spec.name, spec.about)),
            From::MessageMenu => {
                Some(format!("**{}** (right-click or hold a message > Apps) {}", spec.name, spec.about))
            }
            From::ButtonOnly => None,
        })
        .collect();
    lines.join("\n")
}
