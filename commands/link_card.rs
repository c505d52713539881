//! A proposed link as admins see it, in every stage, and why a step was refused. Pure functions of the proposal.

use domain::links::{LinkRefusal, Proposal, ProposalStage};

use crate::chat::{Button, ButtonStyle, Card, CustomId, Field, Message, Press, Row, Tone};
use crate::text::{ago, escape, when};

/// The card in the channel. It pings nobody.
pub fn card(proposal: &Proposal) -> Message {
    let (state, tone, standing) = match &proposal.stage {
        ProposalStage::Open => (
            "[?] WAITING FOR AN ADMIN",
            Tone::Waiting,
            "Confirm it only if you know that they are the same person. Okta is asked for the login then, and what it \
             says is told to you alone."
                .to_owned(),
        ),
        ProposalStage::Confirmed { by, at, person } => (
            "[✓] LINKED",
            Tone::Good,
            format!("Confirmed by <@{by}> {}. The Okta user is `{person}`.", when(*at)),
        ),
        ProposalStage::Rejected { by, at } => {
            ("[=] REJECTED", Tone::Quiet, format!("Rejected by <@{by}> {}.", when(*at)))
        }
    };
    let rows = match proposal.stage {
        ProposalStage::Open => vec![Row::Buttons(vec![
            button("Confirm", ButtonStyle::Primary, "confirm-link", proposal),
            button("Reject", ButtonStyle::Danger, "reject-link", proposal),
        ])],
        ProposalStage::Confirmed { .. } | ProposalStage::Rejected { .. } => Vec::new(),
    };
    let field = |name: &str, value: String| Field { name: name.to_owned(), value };
    Message {
        content: format!("{state} · {} · link a member to an Okta user of {}", proposal.number, proposal.org),
        card: Some(Card {
            tone,
            title: format!("Link {}", proposal.number),
            body: String::new(),
            fields: vec![
                field("Member", format!("<@{}>", proposal.member)),
                field("Says that their Okta login is", escape(&proposal.login, 200)),
                field("Asked", when(proposal.asked)),
                field("Where it stands", standing),
            ],
            footer: footer(proposal),
        }),
        rows,
        ..Message::default()
    }
}

/// The last line of a proposal's card. The board finds its own message again by it.
pub fn footer(proposal: &Proposal) -> String {
    format!("Provost · {} · link {}", proposal.org, proposal.number)
}

fn button(label: &str, style: ButtonStyle, verb: &str, proposal: &Proposal) -> Button {
    let args = [proposal.number.0.to_string(), proposal.hash()];
    Button { label: label.to_owned(), style, press: Press::Verb(CustomId::new(verb, args)) }
}

/// Why a step was refused, to the one who pressed.
pub fn refused(proposal: &Proposal, refusal: &LinkRefusal) -> String {
    let number = proposal.number;
    match refusal {
        LinkRefusal::NotNow(ProposalStage::Confirmed { by, at, .. }) => {
            format!("{number} is decided: <@{by}> confirmed it {}.", ago(*at))
        }
        LinkRefusal::NotNow(ProposalStage::Rejected { by, at }) => {
            format!("{number} is decided: <@{by}> rejected it {}.", ago(*at))
        }
        LinkRefusal::NotNow(ProposalStage::Open) => format!("{number} still waits for an admin."),
        LinkRefusal::OwnLink => {
            format!("You cannot decide about {number}: it is about you. Another admin has to.")
        }
        LinkRefusal::Late => {
            format!("{number} was asked for more than a week ago. Let <@{}> ask again.", proposal.member)
        }
        LinkRefusal::OtherHash => {
            format!("Another login was asked for since. Use the buttons of the newest card of {number}.")
        }
        LinkRefusal::Taken(member) => format!(
            "That Okta user is linked to <@{member}> already. Nobody was linked. If that is not right any more, `/okta \
             unlink` takes the old link away first."
        ),
    }
}
