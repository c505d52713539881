//! `/okta review request: verdict: [reason]`: what an approver says of a break-glass afterwards.

use async_trait::async_trait;
use domain::audit::Draft;
use domain::ids::NotAnId;
use domain::request::{Request, RequestNumber};
use domain::review::{Review as Given, ReviewRefusal, Verdict};

use crate::Command;
use crate::chat::{Call, Message, Opening};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::spec::{From, Opt, OptKind, Role, Spec};
use crate::steps::{about, refusal_entry};
use crate::text::{ago, escape, plain};

const JUSTIFIED: &str = "justified";
const NOT_JUSTIFIED: &str = "not justified";

/// `/okta review request: verdict: [reason]`.
pub struct Review;

#[async_trait]
impl Command for Review {
    fn spec(&self) -> Spec {
        Spec {
            name: "review",
            about: "Say of a break-glass whether it was justified.",
            role: Some(Role::Approver),
            opening: Opening::Private,
            options: &[
                Opt { name: "request", about: "Its number.", kind: OptKind::Text(1, 20), required: true },
                Opt {
                    name: "verdict",
                    about: "What you say of it.",
                    kind: OptKind::OneOf(&[JUSTIFIED, NOT_JUSTIFIED]),
                    required: true,
                },
                Opt {
                    name: "reason",
                    about: "Why; it stands on the card.",
                    kind: OptKind::Text(3, 500),
                    required: false,
                },
            ],
            from: From::Slash,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let verdict = match call.option("verdict") {
            Some(JUSTIFIED) => Verdict::Justified,
            Some(NOT_JUSTIFIED) => Verdict::NotJustified,
            _ => return Err(CommandError::Slip(format!("Say “{JUSTIFIED}” or “{NOT_JUSTIFIED}”."))),
        };
        let request = meant(call, desk).await?;
        let links = desk.links().await?;
        if let Err(rule) = desk.policy.may_review(&links, &request, &call.caller) {
            let entry = refusal_entry(call.caller.id, "review", &rule.word());
            desk.requests.audit(about(&request, entry), desk.clock.now()).await?;
            return Err(CommandError::forbidden(rule));
        }
        let reason = call.option("reason").map(|typed| plain(typed, 1_000)).unwrap_or_default();
        let person = links.person(&request.frozen.org, call.caller.id).cloned();
        let entry = Draft {
            what: "request.reviewed".to_owned(),
            member: Some(call.caller.id),
            person: person.clone(),
            reason: reason.clone(),
            ..Draft::default()
        };
        let refused = refusal_entry(call.caller.id, "review", "not theirs to review");
        let number = request.number;
        let review =
            Given { request: number, by: call.caller.id, person, verdict, reason, at: desk.clock.now() };
        match desk.requests.give_review(review, entry, refused).await? {
            Some(Ok(())) => {
                (desk.bell)();
                let word = verdict.word();
                Ok(Message::text(format!("{number} is reviewed: {word}. Its card in the channel shows it.")))
            }
            Some(Err(refusal)) => Err(CommandError::Slip(words(&request, &refusal))),
            None => Err(CommandError::Slip(format!("There is no request {number}."))),
        }
    }
}

async fn meant(call: &Call, desk: &Desk) -> Result<Request, CommandError> {
    let slip = |error: NotAnId| CommandError::Slip(format!("{}.", escape(&error.to_string(), 200)));
    let number: RequestNumber = call.option("request").unwrap_or_default().trim().parse().map_err(slip)?;
    let request = desk.requests.request(number).await?;
    request.ok_or_else(|| {
        CommandError::Slip(format!(
            "There is no request {number}. `/okta approvals` lists those that wait for a review."
        ))
    })
}

fn words(request: &Request, refusal: &ReviewRefusal) -> String {
    let number = request.number;
    match refusal {
        ReviewRefusal::NotBreakGlass => {
            format!("{number} was no break-glass, so there is nothing to review.")
        }
        ReviewRefusal::NothingDone => {
            format!("Nothing has been done for {number}, so there is nothing to review.")
        }
        ReviewRefusal::OwnRequest => {
            format!("You cannot review {number}: it is your own request. Another approver has to.")
        }
        ReviewRefusal::Done(review) => format!(
            "{number} has its review already: {}, by <@{}> {}. It stays as it is.",
            review.verdict.word(),
            review.by,
            ago(review.at)
        ),
    }
}
