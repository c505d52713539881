//! Approvals: who is asked, who is reminded, what is looked at again, what a button of somebody else is worth.

use anyhow::Result;
use commands::chat::{CustomId, Front};
use jiff::SignedDuration;
use sim::discord::Fault;

use crate::world::{World, read};

const WHY: &str = "rehires fail since Monday";

async fn waiting() -> Result<(World, String)> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    Ok((world, app))
}

fn said(world: &World, words: &str) -> usize {
    world.lines().iter().filter(|line| line.contains(words)).count()
}

#[tokio::test]
async fn the_people_on_call_are_reminded_once_and_the_end_is_told_once() -> Result<()> {
    let (world, _) = waiting().await?;
    world.lives_through(SignedDuration::from_mins(28)).await?;
    assert_eq!(said(&world, "still waits for"), 0, "{:?}", world.lines());

    world.lives_through(SignedDuration::from_mins(4)).await?;
    assert_eq!(said(&world, "R1 for Slack still waits for an approval"), 1, "{:?}", world.lines());
    let messages = world.discord.messages(world.channel);
    let reminder = messages.iter().find(|message| message.content.contains("still waits for"));
    assert_eq!(reminder.map(|message| message.rang.clone()), Some(vec!["@oncall".to_owned()]));
    let world = world.starts_anew().await?;
    world.lives_through(SignedDuration::from_mins(20)).await?;
    assert_eq!(said(&world, "still waits for"), 1, "{:?}", world.lines());

    world.lives_through(SignedDuration::from_mins(12)).await?;
    world.works().await?;
    assert_eq!(said(&world, "R1 for Slack expired"), 1, "{:?}", world.lines());
    let world = world.starts_anew().await?;
    // The card is shown again, for another reason.
    world.says("Root", "pause", &[("reason", "look first")]).await;
    world.lives_through(SignedDuration::from_mins(10)).await?;
    world.works().await?;
    assert_eq!(said(&world, "R1 for Slack expired"), 1, "{:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn a_reminder_whose_answer_was_lost_is_not_said_twice() -> Result<()> {
    let (world, _) = waiting().await?;
    world.passes(SignedDuration::from_mins(31));
    world.discord.faults().next(3, "/messages", Fault::DropAfter);
    world.shows().await.ok();
    world.discord.faults().clear();
    let world = world.starts_anew().await?;
    world.passes(SignedDuration::from_mins(3));
    world.shows().await?;
    world.shows().await?;

    assert_eq!(said(&world, "still waits for"), 1, "{:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn what_was_decided_in_time_is_not_reminded_of() -> Result<()> {
    let (world, _) = waiting().await?;
    world.presses_card("Ada", "Approve").await?;
    world.works().await?;
    world.lives_through(SignedDuration::from_mins(45)).await?;
    assert_eq!(said(&world, "still waits for"), 0, "{:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn where_nobody_else_is_on_call_any_approver_may_and_the_card_says_so() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.loses("Ada", "oncall");
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    let card = world.card("[?] WAITING FOR APPROVAL · Slack · R1");
    assert!(card.contains("on call (") && !card.contains("any approver may"), "{card}");
    let refused = world.presses_card("Ada", "Approve").await?;
    assert!(refused.content.contains("an approver must be on call"), "{}", refused.content);
    world.presses_card("Olive", "Withdraw").await?;
    world.works().await?;

    world.loses("Abe", "oncall");
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    let card = world.card("[?] WAITING FOR APPROVAL · Slack · R2");
    assert!(card.contains("nobody else is on call, so any approver may"), "{card}");
    world.presses_card("Ada", "Approve").await?;
    world.works().await?;
    assert!(world.okta.deactivates_users(&app));
    Ok(())
}

#[tokio::test]
async fn an_approver_who_is_not_on_call_any_more_does_not_count_while_somebody_else_is() -> Result<()> {
    for (others_are, written) in [(true, false), (false, true)] {
        let (world, app) = waiting().await?;
        world.presses_card("Ada", "Approve").await?;
        world.loses("Ada", "oncall");
        if !others_are {
            world.loses("Abe", "oncall");
        }
        world.works().await?;

        assert_eq!(world.okta.deactivates_users(&app), written, "{others_are}");
        let stopped = world.card("[x] FIX FAILED · Slack · R1");
        assert_eq!(stopped.contains("is not on call any more"), !written, "{:?}", world.lines());
    }
    Ok(())
}

#[tokio::test]
async fn a_pause_shows_on_every_open_card_and_a_resume_takes_it_away() -> Result<()> {
    let (world, _) = waiting().await?;
    let start = "[?] WAITING FOR APPROVAL · Slack · R1";
    assert!(!world.card(start).contains("All writes are stopped"));

    world.says("Root", "pause", &[("reason", "an incident at Okta")]).await;
    world.passes(SignedDuration::from_secs(6));
    world.shows().await?;
    assert!(world.card(start).contains("All writes are stopped"), "{}", world.card(start));

    world.says("Root", "resume", &[]).await;
    world.passes(SignedDuration::from_secs(6));
    world.shows().await?;
    assert!(!world.card(start).contains("All writes are stopped"), "{}", world.card(start));
    Ok(())
}

#[tokio::test]
async fn a_refusal_names_the_rule_and_who_could_but_no_people() -> Result<()> {
    let (world, _) = waiting().await?;
    for answer in [
        world.presses_card("Olive", "Approve").await?,
        world.says("Ada", "enable", &[("app", "Slack"), ("reason", WHY)]).await,
        world.says("Olive", "pause", &[("reason", "an incident")]).await,
    ] {
        let text = &answer.content;
        assert!(text.contains("it takes the role **") && text.contains("held by <@&"), "{text}");
        assert!(!text.contains("<@1") && answer.pings.is_empty(), "{text}");
    }
    let record = world.record().await?;
    assert!(record.iter().any(|line| line == "refused.approve refused"), "{record:?}");
    Ok(())
}

#[tokio::test]
async fn what_nobody_could_approve_is_refused_and_on_record() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Slack", "slack").await?;
    let olive = world.member("Olive");
    let alone = format!("approver = [\"member:{olive}\"]\n# ");
    let world = world.configured_anew(|text| text.replace("approver = ", &alone)).await?;
    world.settles().await?;

    let refused = world.says("Olive", "enable", &[("app", "Slack"), ("reason", WHY)]).await;

    assert!(refused.content.contains("nobody else holds the role **approver**"), "{}", refused.content);
    assert_eq!(world.record().await?, ["refused.nobody_could_approve refused"]);
    Ok(())
}

#[tokio::test]
async fn another_members_private_buttons_do_nothing_and_are_on_record() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    let list = world.says("Olive", "retry", &[("app", "Slack")]).await;
    assert!(read(&list).contains("whom to push again"), "{}", read(&list));

    let foreign = world.presses("Oscar", &list, "Retry all").await?;
    assert!(foreign.content.starts_with("Only <@"), "{}", foreign.content);
    assert!(foreign.card.is_none() && foreign.rows.is_empty(), "nothing is shown");
    let confirmation = world.says("Olive", "enable", &[("app", "Slack"), ("reason", WHY)]).await;
    for label in ["Enable Deactivate Users", "Cancel"] {
        let foreign = world.presses("Oscar", &confirmation, label).await?;
        assert!(foreign.content.starts_with("Only <@"), "{}", foreign.content);
    }

    let record = world.record().await?;
    for entry in
        ["refused.foreign refused", "refused.request.confirmed refused", "refused.request.withdrawn refused"]
    {
        assert!(record.iter().any(|line| line == entry), "{entry} is not in {record:?}");
    }
    assert!(world.lines().iter().all(|line| !line.contains("R1") && !line.contains("R2")));
    Ok(())
}

#[tokio::test]
async fn forged_and_edited_and_replayed_buttons_are_refused_and_on_record() -> Result<()> {
    let (world, app) = waiting().await?;
    let good = world.button("Approve").expect("a button");
    let hash = good.args[1].clone();
    let id = |verb: &str, args: &[&str]| CustomId::new(verb, args.iter().map(|arg| (*arg).to_owned()));
    for forged in [
        id("approve", &["2", &hash]),
        id("approve", &["1", "0123456789abcdef"]),
        id("approve", &["1", ""]),
        id("approve", &["0", &hash]),
        id("approve", &["1; DROP TABLE request", &hash]),
        id("deny", &["1", "0123456789abcdef"]),
        id("confirm-link", &["1", &hash]),
    ] {
        let name = if forged.verb == "confirm-link" { "Root" } else { "Ada" };
        let answer = world.acts(name, &forged, &[("why", "because I say so")]).await;
        assert!(answer.content.contains("not one of Provost's"), "{forged}: {}", answer.content);
        assert!(answer.card.is_none() && answer.rows.is_empty(), "{forged}");
    }
    // What the adapter does not even read as one of ours comes in here.
    world.app.desk.turned_away(&world.caller("Ada"), None, &[]).await;
    let record = world.record().await?;
    assert_eq!(record.iter().filter(|line| *line == "refused.forged refused").count(), 8, "{record:?}");

    world.acts("Ada", &good, &[]).await;
    let replayed = world.acts("Ada", &good, &[]).await;
    assert!(replayed.content.contains("R1 is approved already"), "{}", replayed.content);
    world.works().await?;
    let replayed = world.acts("Abe", &good, &[]).await;
    assert!(replayed.content.contains("R1 is over"), "{}", replayed.content);
    assert!(world.okta.deactivates_users(&app));
    let puts = world.okta.ledger().exchanges().iter().filter(|each| each.method == "PUT").count();
    assert_eq!(puts, 1);
    Ok(())
}

#[tokio::test]
async fn a_flood_of_forged_buttons_does_not_flood_the_record() -> Result<()> {
    let (world, _) = waiting().await?;
    let before = world.record().await?.len();
    for _ in 0..200 {
        world.app.desk.turned_away(&world.caller("Oscar"), None, &[]).await;
    }
    let written = world.record().await?.len() - before;
    assert!((1..=30).contains(&written), "{written}");
    Ok(())
}
