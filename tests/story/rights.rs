//! Who has lost the right between the click and the execution, and what nobody can tell: nothing is written then.

use anyhow::Result;
use jiff::SignedDuration;
use sim::discord::Fault;

use crate::world::World;

const WHY: &str = "rehires fail since Monday";

/// A request of Olive's that Ada has approved, and that is not begun yet.
async fn approved() -> Result<(World, String)> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    let told = world.presses_card("Ada", "Approve").await?;
    assert!(told.content.contains("You approved R1"), "{}", told.content);
    Ok((world, app))
}

fn writes(world: &World) -> usize {
    world
        .okta
        .ledger()
        .exchanges()
        .iter()
        .filter(|each| ["PUT", "POST", "DELETE"].contains(&&*each.method))
        .count()
}

/// It was stopped for that reason, which the card and the record give.
async fn is_stopped(world: &World, app: &str, why: &str) -> Result<()> {
    world.works().await?;
    assert!(!world.okta.deactivates_users(app), "{why}");
    assert_eq!(writes(world), 0, "{why}");
    let card = world.card("[x] FIX FAILED · Slack · R1");
    assert!(card.contains(why), "{why} is not in {card}");
    let record = world.record().await?;
    assert!(record.contains(&"write.refused failed".to_owned()), "{record:?}");
    Ok(())
}

#[tokio::test]
async fn whoever_has_left_the_server_asks_and_approves_nothing_any_more() -> Result<()> {
    for (name, why) in [
        ("Olive", "the requester is not in the server any more"),
        ("Ada", "an approver is not in the server any more"),
    ] {
        let (world, app) = approved().await?;
        world.discord.leaves(world.member(name));
        is_stopped(&world, &app, why).await?;
    }
    Ok(())
}

#[tokio::test]
async fn whoever_is_timed_out_by_the_server_decides_nothing() -> Result<()> {
    for name in ["Olive", "Ada"] {
        let (world, app) = approved().await?;
        world.discord.times_out(world.member(name), world.discord.now() + SignedDuration::from_hours(1));
        is_stopped(&world, &app, "is not in the server any more").await?;
    }
    Ok(())
}

#[tokio::test]
async fn while_nobody_can_tell_who_holds_which_role_nothing_is_written() -> Result<()> {
    let (world, app) = approved().await?;
    world.discord.faults().next(1_000, "/members/", Fault::Status(503));
    for _ in 0..5 {
        world.app.executor.pass().await?;
        world.passes(SignedDuration::from_secs(60));
        world.shows().await?;
    }
    assert!(!world.okta.deactivates_users(&app));
    assert_eq!(writes(&world), 0);
    assert!(!world.card("[~] IN PROGRESS · Slack · R1").is_empty(), "{:?}", world.lines());

    world.discord.faults().clear();
    world.works().await?;
    assert!(world.okta.deactivates_users(&app), "once they are known it goes on");
    assert_eq!(writes(&world), 1);
    Ok(())
}

#[tokio::test]
async fn an_approval_that_comes_after_the_end_is_none_also_where_nobody_has_looked_yet() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    world.passes(SignedDuration::from_mins(61));

    let late = world.presses_card("Ada", "Approve").await?;

    assert!(late.content.contains("has expired") || late.content.contains("it expired"), "{}", late.content);
    world.works().await?;
    assert!(!world.okta.deactivates_users(&app));
    assert_eq!(writes(&world), 0);
    assert!(!world.card("[=] EXPIRED · Slack · R1").is_empty(), "{:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn of_an_approval_and_the_end_in_the_same_instant_one_wins() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    let approve = world.button("Approve").expect("a button");
    world.passes(SignedDuration::from_mins(61));

    let (told, passed) = tokio::join!(world.acts("Ada", &approve, &[]), world.app.executor.pass());
    passed?;
    world.works().await?;

    assert!(told.content.contains("expired"), "{}", told.content);
    assert!(!world.okta.deactivates_users(&app));
    let record = world.record().await?;
    assert_eq!(record.iter().filter(|line| line.ends_with(" expired")).count(), 1, "{record:?}");
    assert!(!record.iter().any(|line| line.starts_with("request.approved")), "{record:?}");
    Ok(())
}

#[tokio::test]
async fn an_app_has_operators_and_approvers_of_its_own_where_the_policy_says_so() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    let (oscar, abe) = (world.member("Oscar"), world.member("Abe"));
    let policy = format!(
        "[[policy.app]]\nid = \"{app}\"\noperator = [\"member:{oscar}\"]\napprover = [\"member:{abe}\"]\n[roles]"
    );
    let world = world.configured("[roles]", &policy).await?;
    world.settles().await?;

    let refused = world.says("Olive", "enable", &[("app", "Slack"), ("reason", WHY)]).await;
    assert!(refused.content.contains("it takes the role **operator** for this app"), "{}", refused.content);
    world.asks_to_enable("Oscar", "Slack", WHY).await?;
    let refused = world.presses_card("Ada", "Approve").await?;
    assert!(refused.content.contains("it takes the role **approver** for this app"), "{}", refused.content);
    world.works().await?;
    assert!(!world.okta.deactivates_users(&app));

    world.presses_card("Abe", "Approve").await?;
    world.works().await?;
    assert!(world.okta.deactivates_users(&app));
    Ok(())
}

/// A reassignment of Dana that two have approved: the next thing that is written takes her away.
async fn where_dana_is_about_to_be_unassigned() -> Result<(World, String, String)> {
    let (world, dana, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.okta.profile_push_does_not_reactivate(&app);
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.settles().await?;
    let options = [("app", "Slack"), ("person", dana.as_str()), ("reason", WHY)];
    let confirmation = world.says("Olive", "reassign", &options).await;
    crate::reassigning::types_label(&world, "Olive", &confirmation, "Slack").await?;
    world.works().await?;
    for approver in ["Ada", "Abe"] {
        world.presses_card(approver, "Approve").await?;
    }
    assert_eq!(writes(&world), 0);
    Ok((world, dana, app))
}

#[tokio::test]
async fn whoever_loses_the_right_right_before_the_unassignment_takes_nobody_away() -> Result<()> {
    for (name, role) in [("Olive", "operator"), ("Abe", "approver"), ("Ada", "oncall")] {
        for restarts in [false, true] {
            let (mut world, dana, app) = where_dana_is_about_to_be_unassigned().await?;
            if restarts {
                world = world.starts_anew().await?;
            }
            world.loses(name, role);
            world.works().await?;

            assert!(world.okta.is_assigned(&dana, &app), "{name} lost {role}");
            assert_eq!(writes(&world), 0, "{name} lost {role}");
            let card = world.card("[x] FIX FAILED · Slack · R1");
            let why =
                if role == "oncall" { "is not on call any more" } else { "any more, so nothing was changed" };
            assert!(card.contains(why), "{why} is not in {card}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn whoever_loses_the_right_after_it_keeps_nobody_from_being_given_back() -> Result<()> {
    let (world, dana, app) = where_dana_is_about_to_be_unassigned().await?;
    world.okta.faults().next(1, "POST /api/v1/apps/", sim::okta::Fault::RateLimited { reset_in_secs: 30 });
    // Taken away; that they are given back is put off.
    let _ = world.app.executor.pass().await;
    assert!(!world.okta.is_assigned(&dana, &app));
    for (name, role) in [("Olive", "operator"), ("Ada", "approver"), ("Abe", "approver")] {
        world.loses(name, role);
    }
    world.works().await?;

    assert!(world.okta.is_assigned(&dana, &app) && world.okta.is_active_in_app(&dana, &app));
    Ok(())
}
