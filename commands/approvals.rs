//! `/okta approvals`: open requests and reviews, and which of them wait for the caller.

use async_trait::async_trait;
use domain::links::Links;
use domain::request::{Request, Stage};
use domain::requests::RequestQuery;
use domain::review::may_review;

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
            about: "List open requests and reviews, and which wait for you.",
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
        let reviews = desk.requests.unreviewed().await?;
        if open.is_empty() && reviews.is_empty() {
            return Ok(Message::text("No request is open, and no review."));
        }
        let links = desk.links().await?;
        let mut fields = Vec::new();
        let mut yours = 0;
        // Reviews first: they wait for somebody, and nothing reminds of them.
        for request in reviews.iter().take(SHOWN) {
            let waits = review_waits_for(call, desk, &links, request);
            yours += usize::from(waits);
            fields.push(row(desk, request, waits, "review open · ").await?);
        }
        for request in open.iter().take(SHOWN - fields.len()) {
            let waits = waits_for(call, desk, &links, request).await;
            yours += usize::from(waits);
            fields.push(row(desk, request, waits, "").await?);
        }
        let all = open.len() + reviews.len();
        let body = match all > SHOWN {
            true => format!("{SHOWN} of {all}, the newest."),
            false => String::new(),
        };
        let to_review = match reviews.len() {
            0 => String::new(),
            1 => ", 1 review open".to_owned(),
            n => format!(", {n} reviews open"),
        };
        Ok(Message {
            content: format!("{} open{to_review}, {yours} waiting for you.", open.len()),
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

async fn waits_for(call: &Call, desk: &Desk, links: &Links, request: &Request) -> bool {
    let person = links.person(&request.frozen.org, call.caller.id);
    let widened = desk.policy.is_widened(&*desk.roster, request.frozen.requester).await.unwrap_or(false);
    request.stage == Stage::Pending
        && request.may_approve(call.caller.id, person).is_ok()
        && desk.policy.may_approve(links, request, &call.caller, widened).is_ok()
}

fn review_waits_for(call: &Call, desk: &Desk, links: &Links, request: &Request) -> bool {
    let person = links.person(&request.frozen.org, call.caller.id);
    may_review(request, None, call.caller.id, person).is_ok()
        && desk.policy.may_review(links, request, &call.caller).is_ok()
}

async fn row(desk: &Desk, request: &Request, waits: bool, what: &str) -> Result<Field, CommandError> {
    let showing = desk.requests.request_showing(request.number).await?;
    let card = match showing.and_then(|showing| showing.message.map(|message| (showing.channel, message))) {
        Some((channel, message)) => {
            format!(" · [card](https://discord.com/channels/{}/{channel}/{message})", desk.guild)
        }
        None => String::new(),
    };
    let yours = if waits { "**waits for you** · " } else { "" };
    let value = format!(
        "{yours}{what}{} · {} · asked by <@{}> {}: {}{card}",
        request_card::state_words(request),
        request_card::change(request),
        request.frozen.requester,
        ago(request.created),
        escape(&request.reason, 200)
    );
    let label = escape(&request.frozen.app.label, 150);
    Ok(Field { name: format!("{} · {label}", request.number), value: fit(value, 1_024) })
}
