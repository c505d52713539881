//! `/okta approvals`: open requests, and which of them wait for the caller.

use async_trait::async_trait;
use domain::request::{Request, Stage};
use domain::requests::RequestQuery;

use crate::Command;
use crate::chat::{Call, Card, Field, Message, Opening, Tone};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::request_card;
use crate::spec::{From, Role, Spec};
use crate::text::{ago, escape, fit};

/// How many requests an answer shows.
const SHOWN: usize = 15;

/// `/okta approvals`.
pub struct Approvals;

#[async_trait]
impl Command for Approvals {
    fn spec(&self) -> Spec {
        Spec {
            name: "approvals",
            about: "List open requests, and which of them wait for you.",
            role: Some(Role::Viewer),
            opening: Opening::Private,
            options: &[],
            from: From::Slash,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let query = RequestQuery { open: true, ..RequestQuery::default() };
        let open = desk.requests.requests(&query).await?;
        let open: Vec<&Request> = open.iter().filter(|request| request.stage != Stage::Draft).collect();
        if open.is_empty() {
            return Ok(Message::text("No request is open."));
        }
        let mut fields = Vec::new();
        let mut yours = 0;
        for request in open.iter().take(SHOWN) {
            let waits = waits_for(call, desk, request).await;
            yours += usize::from(waits);
            fields.push(row(desk, request, waits).await?);
        }
        let body = match open.len() > SHOWN {
            true => format!("The {SHOWN} newest of {}.", open.len()),
            false => String::new(),
        };
        Ok(Message {
            content: format!("{} open, {yours} waiting for you.", open.len()),
            card: Some(Card {
                tone: Tone::Waiting,
                title: "Requests".to_owned(),
                body,
                fields,
                footer: String::new(),
            }),
            ..Message::default()
        })
    }
}

async fn waits_for(call: &Call, desk: &Desk, request: &Request) -> bool {
    let person = desk.policy.person(&request.frozen.org, call.caller.id);
    let widened = desk.policy.is_widened(&*desk.roster, request.frozen.requester).await.unwrap_or(false);
    request.stage == Stage::Pending
        && request.may_approve(call.caller.id, person).is_ok()
        && desk.policy.may_approve(request, &call.caller, widened).is_ok()
}

async fn row(desk: &Desk, request: &Request, waits: bool) -> Result<Field, CommandError> {
    let showing = desk.requests.request_showing(request.number).await?;
    let card = match showing.and_then(|showing| showing.message.map(|message| (showing.channel, message))) {
        Some((channel, message)) => {
            format!(" · [card](https://discord.com/channels/{}/{channel}/{message})", desk.guild)
        }
        None => String::new(),
    };
    let yours = if waits { "**waits for you** · " } else { "" };
    let value = format!(
        "{yours}{} · {} · asked by <@{}> {}: {}{card}",
        request_card::state_words(request),
        request_card::change(request),
        request.frozen.requester,
        ago(request.created),
        escape(&request.reason, 200)
    );
    let label = escape(&request.frozen.app.label, 150);
    Ok(Field { name: format!("{} · {label}", request.number), value: fit(value, 1_024) })
}
