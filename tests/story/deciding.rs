//! What an approver reads before they decide, and what counts for the alert meanwhile.

use anyhow::Result;
use jiff::SignedDuration;
use sim::okta::DeactivateUsers;

use crate::reassigning::types_label;
use crate::world::World;

const WHY: &str = "they came back on Monday";

#[tokio::test]
async fn an_approver_of_a_bulk_reads_who_and_how() -> Result<()> {
    let world = World::new().await?;
    let app = world.okta.installs("Slack", "slack", DeactivateUsers::Off);
    for n in 0..12 {
        let person = world.okta.hires(&format!("Person{n:02}"), "Back");
        world.okta.left_inactive(&person, &app);
        world.okta.assigns(&person, &app);
    }
    world.settles().await?;
    let list = world.says("Olive", "retry", &[("app", "Slack"), ("reason", WHY)]).await;
    let confirmation = world.presses("Olive", &list, "Retry all 12").await?;
    world.presses("Olive", &confirmation, "Retry").await?;
    world.works().await?;
    let card = world.card("[?] WAITING FOR APPROVAL · Slack · R1");
    for fact in ["Back, Person", "and 7 more", "by Okta's API", WHY] {
        assert!(card.contains(fact), "{fact} is not in {card}");
    }
    Ok(())
}

#[tokio::test]
async fn approvers_of_a_reassignment_read_who_how_and_what_it_costs() -> Result<()> {
    let (world, dana, _) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    let options = [("app", "Slack"), ("person", dana.as_str()), ("reason", WHY)];
    let confirmation = world.says("Olive", "reassign", &options).await;
    types_label(&world, "Olive", &confirmation, "Slack").await?;
    world.works().await?;
    let card = world.card("[?] WAITING FOR APPROVAL · Slack · R1");
    for fact in
        ["Dana Reyes", "by Okta's API", "was off when this was asked for", "keeps what the assignment holds"]
    {
        assert!(card.contains(fact), "{fact} is not in {card}");
    }
    Ok(())
}

#[tokio::test]
async fn an_open_request_counts_more_for_the_alert_than_a_newer_one_that_is_over() -> Result<()> {
    let (world, dana, _) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    // A reassignment is asked for and taken back, and six lists are only looked at.
    let options = [("app", "Slack"), ("person", dana.as_str()), ("reason", WHY)];
    let confirmation = world.says("Olive", "reassign", &options).await;
    types_label(&world, "Olive", &confirmation, "Slack").await?;
    world.works().await?;
    world.presses_card("Olive", "Withdraw").await?;
    for _ in 0..6 {
        world.says("Olive", "retry", &[("app", "Slack")]).await;
    }
    world.passes(SignedDuration::from_secs(6));
    world.shows().await?;
    let lines = world.lines();
    assert!(lines[0].starts_with("[?] WAITING FOR APPROVAL · Slack"), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn while_writes_are_stopped_nobody_is_told_that_it_is_being_done() -> Result<()> {
    let (world, ..) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    world.says("Root", "pause", &[("reason", "an incident at Okta")]).await;
    let approved = world.presses_card("Ada", "Approve").await?;
    assert!(approved.content.contains("all writes to Okta are stopped"), "{}", approved.content);
    world.works().await?;
    let lines = world.lines();
    assert!(!lines.iter().any(|line| line.contains("being done")), "{lines:?}");
    assert!(
        lines.iter().any(|line| line.contains("was approved by") && line.contains("/okta pause")),
        "{lines:?}"
    );

    world.says("Root", "resume", &[]).await;
    world.works().await?;
    assert!(
        world.lines().iter().any(|line| line.starts_with("[✓] DONE · Slack · R1")),
        "{:?}",
        world.lines()
    );
    Ok(())
}
