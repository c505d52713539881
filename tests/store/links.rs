//! Links, reviews and remarks: every step is on record, both or neither, and kept through a restart.

use anyhow::{Context, Result};
use domain::audit::Draft;
use domain::ids::{ChannelId, MemberId, MessageId, UserId};
use domain::links::{
    Link, LinkBook, LinkRefusal, Proposal, ProposalEvent, ProposalNumber, ProposalShowing, ProposalStage,
};
use domain::request::{Request, RequestEvent, RequestNumber};
use domain::requests::{Paused, Remark, RemarkShowing, RequestShowing, Requests};
use domain::review::{Review, ReviewRefusal, Verdict};
use domain::store::StoreError;
use sqlx::Executor;

use crate::requests::{ADA, OLIVE, confirmed, entry, frozen};
use crate::world::*;

const ROOT: MemberId = MemberId(21);
const START: &str = "10:00:00";

fn draft(what: &str) -> Draft {
    entry(what).unwrap_or_default()
}

fn person(id: &str) -> UserId {
    id.parse().expect("a good id")
}

async fn proposed(world: &World, member: MemberId, login: &str) -> Result<Proposal> {
    Ok(world.store.propose(&acme(), member, login.to_owned(), draft("link.asked"), at(START)).await?)
}

async fn decided(
    world: &World,
    proposal: &Proposal,
    event: ProposalEvent,
) -> Result<Result<Proposal, LinkRefusal>> {
    let decided =
        world.store.decide(proposal.number, event, draft("link"), draft("refused"), at("10:10:00")).await?;
    decided.context("there is no such proposal")
}

fn confirms(proposal: &Proposal, who: &str) -> ProposalEvent {
    ProposalEvent::Confirmed { by: ROOT, person: person(who), hash: proposal.hash() }
}

/// The audit in short: what, how it ended, and what it says of before and after.
async fn record(world: &World) -> Result<Vec<String>> {
    let entries = world.store.chain(1).await?;
    let line = |draft: &Draft| {
        format!("{} {} | {} | {}", draft.what, draft.outcome, draft.before, draft.after).trim_end().to_owned()
    };
    Ok(entries.iter().map(|entry| line(&entry.draft)).collect())
}

#[tokio::test]
async fn a_link_comes_about_changes_and_goes_with_its_record_and_is_kept_through_a_restart() -> Result<()> {
    let world = World::new().await?;
    let first = proposed(&world, OLIVE, "olive@example.com").await?;
    assert_eq!((first.number, first.stage.clone()), (ProposalNumber(1), ProposalStage::Open));
    let again = proposed(&world, OLIVE, "olive@example.com").await?;
    assert_eq!(again, first, "asking for the same once more changes nothing");
    let other = proposed(&world, OLIVE, "liv@example.com").await?;
    assert_eq!((other.number, other.revision, other.login.as_str()), (first.number, 2, "liv@example.com"));
    assert_eq!(world.store.links().await?, []);

    let old = decided(&world, &first, confirms(&first, "00uolive")).await?;
    assert_eq!(old, Err(LinkRefusal::OtherHash));
    let linked = decided(&world, &other, confirms(&other, "00uliv")).await?.expect("it is open");
    let link = |member, id: &str| Link { org: acme(), member, person: person(id) };
    assert_eq!(world.store.links().await?, [link(OLIVE, "00uliv")]);
    let twice = decided(&world, &other, confirms(&other, "00uliv")).await?;
    assert_eq!(twice, Err(LinkRefusal::NotNow(linked.stage.clone())));

    let changed = proposed(&world, OLIVE, "olive@example.com").await?;
    assert_eq!(changed.number, ProposalNumber(2), "what is decided stays as it is");
    decided(&world, &changed, confirms(&changed, "00uolive")).await?.expect("it is open");
    let taken = proposed(&world, ADA, "olive@example.com").await?;
    assert_eq!(decided(&world, &taken, confirms(&taken, "00uolive")).await?, Err(LinkRefusal::Taken(OLIVE)));
    let no = ProposalEvent::Rejected { by: ROOT, hash: taken.hash() };
    decided(&world, &taken, no).await?.expect("it is open");

    let world = world.restarted().await?;
    assert_eq!(world.store.links().await?, [link(OLIVE, "00uolive")]);
    assert_eq!(world.store.proposal(linked.number).await?.as_ref(), Some(&linked));
    assert_eq!(world.store.proposal(ProposalNumber(9)).await?, None);
    let removed = world.store.unlink(&acme(), OLIVE, draft("unlink"), at("11:00:00")).await?;
    assert_eq!(removed, Some(link(OLIVE, "00uolive")));
    assert_eq!(world.store.unlink(&acme(), OLIVE, draft("unlink"), at("11:00:00")).await?, None);
    assert_eq!(world.store.links().await?, []);

    let (olive, ada) = (OLIVE.0, ADA.0);
    let (liv, own) =
        (format!("member {olive} is person 00uliv"), format!("member {olive} is person 00uolive"));
    let (one, two, three) =
        (format!("L1 of member {olive}"), format!("L2 of member {olive}"), format!("L3 of member {ada}"));
    assert_eq!(
        record(&world).await?,
        [
            format!("link.asked open | {one} |"),
            format!("link.asked open | {one} |"),
            format!("refused refused | {one} |"),
            format!("link confirmed |  | {liv}"),
            format!("refused refused | {one} |"),
            format!("link.asked open | {two} |"),
            format!("link confirmed | {liv} | {own}"),
            format!("link.asked open | {three} |"),
            format!("refused refused | {three} |"),
            format!("link rejected | {three} |"),
            format!("unlink  | {own} |"),
        ]
    );
    Ok(())
}

#[tokio::test]
async fn a_link_and_its_entry_are_both_there_or_neither() -> Result<()> {
    for (verb, table) in [("INSERT", "audit"), ("INSERT", "link"), ("UPDATE", "link_proposal")] {
        let world = World::new().await?;
        let proposal = proposed(&world, OLIVE, "olive@example.com").await?;
        let before = record(&world).await?;
        world.breaks(verb, table).await?;

        let decided = world.store.decide(
            proposal.number,
            confirms(&proposal, "00uolive"),
            draft("link"),
            draft("refused"),
            at("10:10:00"),
        );
        let failed = decided.await;

        assert!(matches!(failed, Err(StoreError::Other(_))), "{verb} {table}: {failed:?}");
        assert_eq!(world.store.links().await?, [], "{verb} {table}");
        assert_eq!(world.store.proposal(proposal.number).await?, Some(proposal), "{verb} {table}");
        assert_eq!(record(&world).await?, before, "{verb} {table}");
    }
    Ok(())
}

#[tokio::test]
async fn of_many_who_decide_at_once_one_does() -> Result<()> {
    let world = World::new().await?;
    let proposal = proposed(&world, OLIVE, "olive@example.com").await?;
    let each = |n: u64| {
        let (by, hash) = (MemberId(100 + n), proposal.hash());
        let event = match n % 2 {
            0 => ProposalEvent::Confirmed { by, person: person("00uolive"), hash },
            _ => ProposalEvent::Rejected { by, hash },
        };
        decided(&world, &proposal, event)
    };
    let all = futures_util::future::join_all((0..40).map(each)).await;
    let all = all.into_iter().collect::<Result<Vec<_>>>()?;
    assert_eq!(all.iter().filter(|decided| decided.is_ok()).count(), 1);
    Ok(())
}

#[tokio::test]
async fn a_proposals_card_is_wanted_until_it_shows_it_or_is_let_go() -> Result<()> {
    let world = World::new().await?;
    let proposal = proposed(&world, OLIVE, "olive@example.com").await?;
    assert_eq!(world.store.unshown_proposals().await?, [(proposal.clone(), None)]);
    let attempt = ProposalShowing {
        proposal: proposal.number,
        channel: ChannelId(u64::MAX),
        attempted: at(START),
        message: None,
        revision: 0,
        let_go: false,
    };
    world.store.note_proposal_showing(&attempt).await?;
    assert_eq!(world.store.unshown_proposals().await?, [(proposal.clone(), Some(attempt.clone()))]);
    let shown = ProposalShowing { message: Some(MessageId(7)), revision: 1, ..attempt };
    world.store.note_proposal_showing(&shown).await?;
    assert_eq!(world.store.unshown_proposals().await?, []);

    let world = world.restarted().await?;
    let after = decided(&world, &proposal, confirms(&proposal, "00uolive")).await?.expect("it is open");
    assert_eq!(world.store.unshown_proposals().await?, [(after, Some(shown.clone()))]);
    world.store.note_proposal_showing(&ProposalShowing { let_go: true, ..shown }).await?;
    assert_eq!(world.store.unshown_proposals().await?, []);
    Ok(())
}

async fn happens(world: &World, request: &Request, event: RequestEvent) -> Result<Request> {
    let stepped = world.store.step(request.number, event, None, None, at("10:10:00")).await?;
    stepped.context("there is no such request")?.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))
}

/// A request that broke the glass and has been begun.
async fn broke_glass(world: &World) -> Result<Request> {
    let wish = domain::request::Frozen { breakglass: true, ..frozen("slack", &[]) };
    let request = world.store.open(wish, "it cannot wait".to_owned(), None, at(START)).await?;
    happens(world, &request, confirmed(&request)).await?;
    happens(world, &request, RequestEvent::Begun).await
}

fn review(of: &Request, by: MemberId, verdict: Verdict) -> Review {
    let reason = "so “it” was".to_owned();
    Review { request: of.number, by, person: Some(person("00uada")), verdict, reason, at: at("12:00:00") }
}

async fn given(world: &World, review: &Review) -> Result<Result<(), ReviewRefusal>> {
    let given = world.store.give_review(review.clone(), draft("reviewed"), draft("refused")).await?;
    given.context("there is no such request")
}

#[tokio::test]
async fn a_review_is_given_once_puts_the_card_out_of_date_and_is_kept() -> Result<()> {
    let world = World::new().await?;
    let request = broke_glass(&world).await?;
    let usual = world.store.open(frozen("slack", &[]), "why not".to_owned(), None, at(START)).await?;
    happens(&world, &usual, confirmed(&usual)).await?;
    let draft = domain::request::Frozen { breakglass: true, ..frozen("zoom", &[]) };
    world.store.open(draft, "never confirmed".to_owned(), None, at(START)).await?;
    assert_eq!(world.store.unreviewed().await?, std::slice::from_ref(&request));
    assert_eq!(world.store.review(request.number).await?, None);

    let own = given(&world, &review(&request, OLIVE, Verdict::Justified)).await?;
    assert_eq!(own, Err(ReviewRefusal::OwnRequest));
    let approved = given(&world, &review(&usual, ADA, Verdict::Justified)).await?;
    assert_eq!(approved, Err(ReviewRefusal::NotBreakGlass));
    let first = review(&request, ADA, Verdict::NotJustified);
    assert_eq!(given(&world, &first).await?, Ok(()));
    let second = given(&world, &review(&request, MemberId(13), Verdict::Justified)).await?;
    assert_eq!(second, Err(ReviewRefusal::Done(Box::new(first.clone()))));

    let world = world.restarted().await?;
    assert_eq!(world.store.review(request.number).await?, Some(first));
    assert_eq!(world.store.unreviewed().await?, []);
    let after = world.store.request(request.number).await?.context("it is there")?;
    assert_eq!(
        (after.revision, &after.stage),
        (request.revision + 1, &request.stage),
        "its card is out of date"
    );
    assert_eq!(
        record(&world)
            .await?
            .iter()
            .map(|line| line.split(" |").next().unwrap_or_default())
            .collect::<Vec<_>>(),
        ["refused refused", "refused refused", "reviewed not justified", "refused refused"]
    );
    Ok(())
}

#[tokio::test]
async fn a_review_and_its_entry_are_both_there_or_neither() -> Result<()> {
    for (verb, table) in [("INSERT", "audit"), ("INSERT", "review"), ("UPDATE", "request")] {
        let world = World::new().await?;
        let request = broke_glass(&world).await?;
        world.breaks(verb, table).await?;
        assert!(given(&world, &review(&request, ADA, Verdict::Justified)).await.is_err(), "{verb} {table}");
        assert_eq!(world.store.review(request.number).await?, None, "{verb} {table}");
        assert_eq!(record(&world).await?, [""; 0], "{verb} {table}");
        assert_eq!(world.store.request(request.number).await?, Some(request), "{verb} {table}");
    }
    Ok(())
}

#[tokio::test]
async fn remarks_are_noted_and_reminders_are_wanted_of_what_waits() -> Result<()> {
    let world = World::new().await?;
    let drafted = world.store.open(frozen("slack", &[]), "why not".to_owned(), None, at(START)).await?;
    assert_eq!(world.store.unreminded().await?, [], "a draft waits for nobody but its requester");
    let pending = happens(&world, &drafted, confirmed(&drafted)).await?;
    assert_eq!(world.store.unreminded().await?, std::slice::from_ref(&pending));
    let number = pending.number;
    assert_eq!(world.store.remark(number, Remark::Reminder).await?, None);

    let attempt =
        RemarkShowing { request: number, remark: Remark::Reminder, attempted: at("10:30:00"), message: None };
    world.store.note_remark(&attempt).await?;
    assert_eq!(world.store.unreminded().await?, std::slice::from_ref(&pending), "nobody answered yet");
    let said = RemarkShowing { message: Some(MessageId(u64::MAX)), ..attempt };
    world.store.note_remark(&said).await?;
    let world = world.restarted().await?;
    assert_eq!(world.store.unreminded().await?, []);
    assert_eq!(world.store.remark(number, Remark::Reminder).await?, Some(said));
    assert_eq!(world.store.remark(number, Remark::Outcome).await?, None);

    let other = world.store.open(frozen("zoom", &[]), "why not".to_owned(), None, at(START)).await?;
    happens(&world, &other, confirmed(&other)).await?;
    happens(&world, &other, RequestEvent::Withdrawn { by: OLIVE }).await?;
    assert_eq!(world.store.unreminded().await?, [], "what is over waits for nobody");
    Ok(())
}

#[tokio::test]
async fn a_pause_puts_the_cards_of_open_requests_out_of_date_and_no_others() -> Result<()> {
    let world = World::new().await?;
    let open = world.store.open(frozen("slack", &[]), "why not".to_owned(), None, at(START)).await?;
    let open = happens(&world, &open, confirmed(&open)).await?;
    let over = world.store.open(frozen("zoom", &[]), "why not".to_owned(), None, at(START)).await?;
    happens(&world, &over, confirmed(&over)).await?;
    let over = happens(&world, &over, RequestEvent::Withdrawn { by: OLIVE }).await?;
    let draft = world.store.open(frozen("box", &[]), "why not".to_owned(), None, at(START)).await?;
    for request in [&open, &over] {
        let showing = RequestShowing {
            request: request.number,
            channel: ChannelId(1),
            attempted: at(START),
            message: Some(MessageId(7)),
            shown_at: Some(at(START)),
            revision: request.revision,
            let_go: false,
        };
        world.store.note_request_showing(&showing).await?;
    }
    assert_eq!(world.store.unshown_requests().await?, []);

    let paused = Paused { by: ROOT, since: at(START), reason: "look".to_owned() };
    world.store.pause(Some(paused), Draft::default(), at(START)).await?;

    let unshown = world.store.unshown_requests().await?;
    assert_eq!(unshown.iter().map(|(request, _)| request.number).collect::<Vec<_>>(), [open.number]);
    assert_eq!(world.store.request(draft.number).await?, Some(draft), "its confirmation stays as it is");
    // What is begun meanwhile is decided on what is there: nothing was lost by that.
    happens(&world, &open, RequestEvent::Withdrawn { by: OLIVE }).await?;
    Ok(())
}

#[tokio::test]
async fn a_request_whose_end_was_told_before_this_version_is_not_told_again() -> Result<()> {
    // The migration itself, on rows as the version before left them.
    let world = World::new().await?;
    let mut told = Vec::new();
    for (revision, ends) in [(3, true), (1, true), (2, false)] {
        let request = world.store.open(frozen("slack", &[]), "why not".to_owned(), None, at(START)).await?;
        let mut request = happens(&world, &request, confirmed(&request)).await?;
        if ends {
            request = happens(&world, &request, RequestEvent::Withdrawn { by: OLIVE }).await?;
        }
        let showing = RequestShowing {
            request: request.number,
            channel: ChannelId(1),
            attempted: at(START),
            message: Some(MessageId(7)),
            shown_at: Some(at(START)),
            revision,
            let_go: false,
        };
        world.store.note_request_showing(&showing).await?;
        told.push(request.number);
    }
    let migration = include_str!("../../migrations/0004_links_and_reviews.sql");
    let (_, insert) =
        migration.split_once("INSERT INTO remark").context("the migration tells what was told")?;
    let mut intruder = world.intruder().await?;
    intruder.execute(sqlx::AssertSqlSafe(format!("INSERT INTO remark{insert}"))).await?;

    for (number, expected) in told.into_iter().zip([true, false, false]) {
        let known = world.store.remark(number, Remark::Outcome).await?;
        assert_eq!(known.is_some(), expected, "{number}");
    }
    assert_eq!(world.store.remark(RequestNumber(9), Remark::Outcome).await?, None);
    Ok(())
}
