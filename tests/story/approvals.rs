//! `/okta approvals`: what is open, and for whom of those who look it waits.

use anyhow::Result;

use crate::world::{World, read};

const WHY: &str = "rehires fail since Monday";

/// What somebody reads first, and whether anything is marked as theirs.
async fn sees(world: &World, name: &str) -> (String, bool) {
    let answer = world.says(name, "approvals", &[]).await;
    let marked = read(&answer).contains("**waits for you**");
    (answer.content, marked)
}

async fn waits_for(world: &World, expected: &[(&str, bool)]) {
    for (name, theirs) in expected {
        let (content, marked) = sees(world, name).await;
        assert_eq!(content, format!("1 open, {} waiting for you.", u8::from(*theirs)), "{name}");
        assert_eq!(marked, *theirs, "{name}");
    }
}

#[tokio::test]
async fn a_request_waits_for_approvers_on_call_and_not_for_the_one_who_asked() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    assert_eq!(sees(&world, "Ada").await, ("No request is open, and no review.".to_owned(), false));
    // A draft is nobody's business yet.
    let confirmation = world.says("Abe", "enable", &[("app", "Slack"), ("reason", WHY)]).await;
    assert_eq!(sees(&world, "Ada").await, ("No request is open, and no review.".to_owned(), false));
    world.presses("Abe", &confirmation, "Enable Deactivate Users").await?;
    world.works().await?;

    let answer = world.says("Ada", "approvals", &[]).await;
    let text = read(&answer);
    for words in ["R1 · Slack", "WAITING FOR APPROVAL", WHY, &world.mention("Abe"), "[card](https://"] {
        assert!(text.contains(words), "{words} is not in:\n{text}");
    }
    // Abe is an approver on call as well, and it is his own.
    waits_for(&world, &[("Ada", true), ("Abe", false), ("Olive", false), ("Root", false)]).await;

    // Who is not on call is not waited for while somebody else is; with nobody else on call, every approver is.
    world.gets("Olive", "oncall");
    world.loses("Ada", "oncall");
    waits_for(&world, &[("Ada", false), ("Olive", false)]).await;
    world.loses("Olive", "oncall");
    waits_for(&world, &[("Ada", true), ("Abe", false)]).await;

    world.presses_card("Ada", "Approve").await?;
    waits_for(&world, &[("Ada", false)]).await;
    world.works().await?;
    assert!(world.okta.deactivates_users(&app));
    assert_eq!(sees(&world, "Ada").await, ("No request is open, and no review.".to_owned(), false));
    Ok(())
}

#[tokio::test]
async fn one_that_takes_two_waits_for_whoever_has_not_approved_it_yet() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    let policy = format!("[[policy.app]]\nid = \"{app}\"\nenable = {{ approvals = 2 }}\n[roles]");
    let world = world.configured("[roles]", &policy).await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    waits_for(&world, &[("Ada", true), ("Abe", true), ("Olive", false)]).await;

    let first = world.presses_card("Ada", "Approve").await?;
    assert!(first.content.contains("It still needs one more approval"), "{}", first.content);
    waits_for(&world, &[("Ada", false), ("Abe", true), ("Olive", false)]).await;
    world.works().await?;
    assert!(!world.okta.deactivates_users(&app), "one of two is not enough");

    world.presses_card("Abe", "Approve").await?;
    world.works().await?;
    assert!(world.okta.deactivates_users(&app));
    Ok(())
}

#[tokio::test]
async fn whoever_may_not_read_sees_no_request() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;

    let (answer, _) = world.calls(&[], "approvals", &[], None).await;

    assert!(answer.content.starts_with("You may not use this"), "{}", answer.content);
    assert!(answer.card.is_none() && answer.rows.is_empty());
    Ok(())
}
