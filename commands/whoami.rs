//! `/okta whoami`: which of our roles the caller holds, who they are in Okta, and what they may do.

use async_trait::async_trait;
use domain::links::Links;

use crate::chat::{Call, Message, Opening};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::spec::{From, Spec};
use crate::{Command, help};

/// `/okta whoami`.
pub struct Whoami;

#[async_trait]
impl Command for Whoami {
    fn spec(&self) -> Spec {
        Spec {
            name: "whoami",
            about: "Show your roles, your link to Okta, and what you may do.",
            role: None,
            opening: Opening::Private,
            options: &[],
            from: From::Slash,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let roles: Vec<&str> =
            desk.policy.access.of(&call.caller).into_iter().map(crate::spec::Role::word).collect();
        let of_apps: Vec<&str> = [crate::spec::Role::Operator, crate::spec::Role::Approver]
            .into_iter()
            .filter(|role| desk.policy.holds_for_an_app(&call.caller, *role))
            .map(crate::spec::Role::word)
            .collect();
        let text = match roles.is_empty() {
            true if !of_apps.is_empty() => format!(
                "You are {} in Provost for some apps only. You may use:\n{}",
                of_apps.join(", "),
                help::list(&call.caller, desk)
            ),
            true if desk.policy.access.is_empty() => "You hold no role in Provost, and nobody does: `[roles]` in its \
                 configuration is empty. Until an admin fills it in, everybody may use `/okta help` and \
                 `/okta whoami` only."
                .to_owned(),
            true => "You hold no role in Provost, so you may use `/okta help` and `/okta whoami` only. An admin gives \
                 roles in `[roles]` of Provost's configuration."
                .to_owned(),
            false => format!("You are {} in Provost. You may use:\n{}", roles.join(", "), help::list(&call.caller, desk)),
        };
        let links = desk.links().await?;
        Ok(Message::text(format!("{}\n{text}", linked(call, desk, &links))))
    }
}

/// Who the caller is in each org.
fn linked(call: &Call, desk: &Desk, links: &Links) -> String {
    let lines: Vec<String> = desk
        .orgs
        .keys()
        .map(|org| match links.person(org, call.caller.id) {
            Some(person) if desk.policy.links.person(org, call.caller.id).is_some() => {
                format!("In {org} you are linked to the Okta user `{person}`, by Provost's configuration.")
            }
            Some(person) => format!("In {org} you are linked to the Okta user `{person}`."),
            None => format!("In {org} you are not linked to an Okta user; `/okta link` asks for it."),
        })
        .collect();
    let required = match links.required() {
        true => "\nWhat needs an approval needs linked people.",
        false => "",
    };
    format!("{}{required}", lines.join("\n"))
}
