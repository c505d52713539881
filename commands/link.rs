//! `/okta link login: [org]` and `/okta unlink member: [org]`: which member is which Okta person.
//!
//! Whoever asks hears the same whether or not there is such a login: Okta is asked when an admin confirms, and the admin
//! alone reads what it said.

use async_trait::async_trait;
use domain::audit::Draft;
use domain::ids::{MemberId, NotAnId, OrgName, UserId};
use domain::links::{LinkRefusal, Proposal, ProposalEvent, ProposalNumber};
use domain::ports::DirectoryError;

use crate::Command;
use crate::chat::{Call, Message, Opening};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::link_card;
use crate::spec::{From, Opt, OptKind, Role, Spec};
use crate::steps::{forged, refusal_entry};
use crate::text::escape;

const ORG: Opt = Opt {
    name: "org",
    about: "Which org, if there are several.",
    kind: OptKind::Text(1, 32),
    required: false,
};

/// `/okta link login: [org]`.
pub struct Link;

#[async_trait]
impl Command for Link {
    fn spec(&self) -> Spec {
        Spec {
            name: "link",
            about: "Ask to be linked to your Okta user; an admin confirms it.",
            role: None,
            opening: Opening::Private,
            options: &[
                Opt {
                    name: "login",
                    about: "Your whole Okta login, for example dana@example.com.",
                    kind: OptKind::Text(1, 100),
                    required: true,
                },
                ORG,
            ],
            from: From::Slash,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let org = desk.org_meant(call.option("org"))?;
        let login = call.option("login").unwrap_or_default().trim();
        let odd = |c: char| c.is_whitespace() || c.is_control() || c == '/';
        if login.is_empty() || login.len() > 100 || login.contains(odd) {
            return Err(CommandError::Slip(
                "That cannot be a login. Give your whole Okta login, for example dana@example.com."
                    .to_owned(),
            ));
        }
        if desk.policy.links.person(&org, call.caller.id).is_some() {
            return Err(CommandError::Slip(in_configuration(&org)));
        }
        let entry = Draft {
            what: "link.asked".to_owned(),
            member: Some(call.caller.id),
            org: Some(org.clone()),
            ..Draft::default()
        };
        desk.book.propose(&org, call.caller.id, login.to_owned(), entry, desk.clock.now()).await?;
        (desk.bell)();
        Ok(Message::text(format!(
            "An admin other than you is asked to confirm it. Whether Okta ({org}) knows that login is not said here. Once it \
             is confirmed, `/okta whoami` shows it; what you have open or approved then is void, and has to be asked for \
             anew."
        )))
    }
}

/// `/okta unlink member: [org]`.
pub struct Unlink;

#[async_trait]
impl Command for Unlink {
    fn spec(&self) -> Spec {
        Spec {
            name: "unlink",
            about: "Take away the link between a member and an Okta user.",
            role: Some(Role::Admin),
            opening: Opening::Private,
            options: &[
                Opt { name: "member", about: "The member.", kind: OptKind::Member, required: true },
                ORG,
            ],
            from: From::Slash,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let org = desk.org_meant(call.option("org"))?;
        let slip = |error: NotAnId| CommandError::Slip(format!("{}.", escape(&error.to_string(), 200)));
        let member: MemberId = call.option("member").unwrap_or_default().parse().map_err(slip)?;
        if desk.policy.links.person(&org, member).is_some() {
            return Err(CommandError::Slip(in_configuration(&org)));
        }
        let entry = Draft {
            what: "link.removed".to_owned(),
            member: Some(call.caller.id),
            org: Some(org.clone()),
            outcome: "done".to_owned(),
            ..Draft::default()
        };
        let removed = desk.book.unlink(&org, member, entry, desk.clock.now()).await?;
        (desk.bell)();
        Ok(Message::text(match removed {
            Some(link) => format!(
                "<@{member}> is not linked to the Okta user `{}` of {org} any more. What they have open or approved is \
                 void.",
                link.person
            ),
            None => format!("<@{member}> is not linked to anybody in {org}. Nothing was changed."),
        }))
    }
}

fn in_configuration(org: &OrgName) -> String {
    format!(
        "This link is set in `[links.{org}]` of Provost's configuration, and is changed there only. Nothing was changed."
    )
}

const BUTTON: &[Opt] = &[
    Opt { name: "proposal", about: "Its number.", kind: OptKind::Text(1, 20), required: true },
    Opt { name: "hash", about: "What the button carries.", kind: OptKind::Text(16, 16), required: true },
];

const fn step(name: &'static str, about: &'static str) -> Spec {
    Spec {
        name,
        about,
        role: Some(Role::Admin),
        opening: Opening::Private,
        options: BUTTON,
        from: From::ButtonOnly,
    }
}

/// `Confirm` on a proposal's card.
pub struct ConfirmLink;

#[async_trait]
impl Command for ConfirmLink {
    fn spec(&self) -> Spec {
        step("confirm-link", "Confirm that a member is an Okta user.")
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let proposal = find(call, desk).await?;
        let hash = call.option("hash").unwrap_or_default();
        // Asked before Okta is: a login is looked up for somebody who may decide about it, and for nobody else.
        if let Err(refusal) = proposal.may_decide(call.caller.id, hash, desk.clock.now()) {
            return Err(refused(call, desk, &proposal, &refusal).await?);
        }
        let person = whose(call, desk, &proposal).await?;
        let event =
            ProposalEvent::Confirmed { by: call.caller.id, person: person.clone(), hash: hash.to_owned() };
        let after = decide(call, desk, &proposal, event, "link.confirmed").await?;
        Ok(Message::text(format!(
            "<@{}> is now linked to the Okta user `{person}` of {}. What they had open or approved is void.",
            after.member, after.org
        )))
    }
}

/// `Reject` on a proposal's card.
pub struct RejectLink;

#[async_trait]
impl Command for RejectLink {
    fn spec(&self) -> Spec {
        step("reject-link", "Say no to a proposed link.")
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let proposal = find(call, desk).await?;
        let hash = call.option("hash").unwrap_or_default().to_owned();
        let event = ProposalEvent::Rejected { by: call.caller.id, hash };
        let after = decide(call, desk, &proposal, event, "link.rejected").await?;
        Ok(Message::text(format!("{} is rejected. Nobody was linked.", after.number)))
    }
}

/// The proposal that a button names. Number and hash must belong together: a forged or edited button names nothing.
async fn find(call: &Call, desk: &Desk) -> Result<Proposal, CommandError> {
    let number = call.option("proposal").and_then(|text| text.parse::<ProposalNumber>().ok());
    let proposal = match number {
        Some(number) => desk.book.proposal(number).await?,
        None => None,
    };
    let hash = call.option("hash").unwrap_or_default();
    match proposal {
        Some(proposal) if proposal.hash() == hash => Ok(proposal),
        _ => Err(forged(call, desk).await?),
    }
}

/// The person whose login it is, by Okta's word, and whom the configuration does not link otherwise.
async fn whose(call: &Call, desk: &Desk, proposal: &Proposal) -> Result<UserId, CommandError> {
    let org = &proposal.org;
    let nobody = match desk.org(org)?.directory.user(&proposal.login).await {
        Ok(user) if user.is_active_with(&proposal.login) => {
            let person = user.person.id;
            let set = desk.policy.links.person(org, proposal.member).is_some()
                || desk.policy.links.member(org, &person).is_some();
            if !set {
                return Ok(person);
            }
            in_configuration(org)
        }
        Ok(_) | Err(DirectoryError::Gone { .. }) => format!(
            "Okta ({org}) knows no active user with exactly that login. Nobody was linked; only you read this. Reject it, \
             or let <@{}> ask again.",
            proposal.member
        ),
        Err(source) => return Err(CommandError::Directory { org: org.clone(), source }),
    };
    let entry = refusal_entry(call.caller.id, "link.confirmed", "no such user, or set otherwise");
    desk.requests.audit(Draft { org: Some(org.clone()), ..entry }, desk.clock.now()).await?;
    Err(CommandError::Slip(nobody))
}

async fn decide(
    call: &Call,
    desk: &Desk,
    proposal: &Proposal,
    event: ProposalEvent,
    what: &str,
) -> Result<Proposal, CommandError> {
    let person = desk.links().await?.person(&proposal.org, call.caller.id).cloned();
    let entry = Draft { what: what.to_owned(), member: Some(call.caller.id), person, ..Draft::default() };
    let no = refusal_entry(call.caller.id, what, "not theirs to decide, or decided");
    let decided = desk.book.decide(proposal.number, event, entry, no, desk.clock.now()).await?;
    (desk.bell)();
    match decided {
        Some(Ok(after)) => Ok(after),
        Some(Err(refusal)) => Err(CommandError::Slip(link_card::refused(proposal, &refusal))),
        None => Err(forged(call, desk).await?),
    }
}

async fn refused(
    call: &Call,
    desk: &Desk,
    proposal: &Proposal,
    refusal: &LinkRefusal,
) -> Result<CommandError, CommandError> {
    let entry = refusal_entry(call.caller.id, "link.confirmed", "not theirs to decide, or decided");
    desk.requests.audit(Draft { org: Some(proposal.org.clone()), ..entry }, desk.clock.now()).await?;
    Ok(CommandError::Slip(link_card::refused(proposal, refusal)))
}
