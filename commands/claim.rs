//! `/okta claim incident:`: takes an incident, so that everybody sees who has it. Nobody takes over what they meant to
//! claim: who has it already is said first, with a button that takes it over.

use async_trait::async_trait;
use domain::ids::MemberId;
use domain::incident::{Change, Incident};

use crate::chat::{Call, Message, Opening, Row};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::spec::{From, Opt, OptKind, Role, Spec};
use crate::text::ago;
use crate::{Command, alert, by_hand};

/// `/okta claim incident:`.
pub struct Claim;

#[async_trait]
impl Command for Claim {
    fn spec(&self) -> Spec {
        Spec {
            name: "claim",
            about: "Take an incident: its alert shows that you have it.",
            role: Some(Role::Operator),
            opening: Opening::Private,
            options: &[by_hand::INCIDENT],
            from: From::Slash,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let incident = by_hand::find_to_act(call, desk).await?;
        take(call, desk, incident, None).await
    }
}

/// `Take over`, on an alert or under the answer that somebody else has it.
pub struct TakeOver;

#[async_trait]
impl Command for TakeOver {
    fn spec(&self) -> Spec {
        Spec {
            name: "take-over",
            about: "Take an incident over from somebody else.",
            role: Some(Role::Operator),
            opening: Opening::Private,
            options: &[
                by_hand::INCIDENT,
                Opt { name: "from", about: "From whom.", kind: OptKind::Member, required: true },
            ],
            from: From::ButtonOnly,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let incident = by_hand::find_to_act(call, desk).await?;
        let from = call.option("from").and_then(|from| from.parse().ok());
        take(call, desk, incident, from).await
    }
}

async fn take(
    call: &Call,
    desk: &Desk,
    incident: Incident,
    from: Option<MemberId>,
) -> Result<Message, CommandError> {
    if let Some(over) = by_hand::is_over(&incident) {
        return Err(over);
    }
    let name = by_hand::name(&incident);
    let by = call.caller.id;
    match incident.claim {
        Some(claim) if claim.by == by => {
            return Ok(Message::text(format!("You have {name} already, since {}.", ago(claim.at))));
        }
        Some(claim) if Some(claim.by) != from => return Ok(somebody_has_it(&incident, claim.by)),
        Some(_) | None => {}
    }
    let from = incident.claim.map(|claim| claim.by);
    let what = if from.is_some() { "incident.taken_over" } else { "incident.claimed" };
    let change = Change::Claimed { by, from };
    if by_hand::change(call, desk, &incident, change, what, "").await?.is_some() {
        return Ok(Message::text(match from {
            Some(from) => format!("You took {name} over from <@{from}>. Its alert and its thread say so."),
            None => format!("You have {name} now. Its alert and its thread say so."),
        }));
    }
    // Of two at the same moment, one has it.
    let now = desk.store.incident(incident.number).await?;
    match now.as_ref().and_then(|now| Some((now, now.claim?))) {
        Some((now, claim)) => Ok(somebody_has_it(now, claim.by)),
        None => Err(by_hand::changed_meanwhile(&incident)),
    }
}

fn somebody_has_it(incident: &Incident, who: MemberId) -> Message {
    Message {
        content: format!(
            "<@{who}> has {}. Nothing was changed. Take it over if you have agreed on that; its thread will say so.",
            by_hand::name(incident)
        ),
        rows: vec![Row::Buttons(vec![alert::take(incident)])],
        ..Message::default()
    }
}
