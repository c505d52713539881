//! What was asked for and not confirmed: it is nobody else's business, it changes nothing, and it does not wait forever.

use anyhow::Result;
use commands::chat::Message;
use jiff::SignedDuration;

use crate::world::{World, read};

const WHY: &str = "rehires fail since Monday";

async fn asked() -> Result<(World, String, Message)> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    let confirmation = world.says("Olive", "enable", &[("app", "Slack"), ("reason", WHY)]).await;
    assert!(confirmation.content.contains("please confirm"), "{}", read(&confirmation));
    Ok((world, app, confirmation))
}

/// Nothing was written, and nobody in the channel has heard of a request.
async fn nobody_heard_of_it(world: &World, app: &str) -> Result<()> {
    world.works().await?;
    assert!(!world.okta.deactivates_users(app));
    assert!(world.okta.ledger().exchanges().iter().all(|each| each.method == "GET"));
    assert!(world.lines().iter().all(|line| !line.contains("R1")), "{:?}", world.lines());
    assert!(world.lines()[0].starts_with("[!] ACTION NEEDED · Slack"), "{:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn what_is_confirmed_too_late_has_expired() -> Result<()> {
    for looked_at in [false, true] {
        let (world, app, confirmation) = asked().await?;
        world.passes(SignedDuration::from_mins(61));
        if looked_at {
            world.app.executor.pass().await?;
        }
        let late = world.presses("Olive", &confirmation, "Enable Deactivate Users").await?;
        assert!(late.content.contains("expired"), "{}", late.content);
        nobody_heard_of_it(&world, &app).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_cancelled_is_not_confirmed_any_more() -> Result<()> {
    let (world, app, confirmation) = asked().await?;
    let cancelled = world.presses("Olive", &confirmation, "Cancel").await?;
    assert_eq!(cancelled.content, "R1 is cancelled. Nothing was changed.");
    assert!(cancelled.rows.is_empty(), "{:?}", cancelled.rows);

    let late = world.presses("Olive", &confirmation, "Enable Deactivate Users").await?;

    assert!(late.content.contains("R1 is over"), "{}", late.content);
    nobody_heard_of_it(&world, &app).await
}

#[tokio::test]
async fn a_confirmation_outlives_a_restart_and_the_role_is_looked_at_again() -> Result<()> {
    let (world, app, confirmation) = asked().await?;
    let world = world.starts_anew().await?;
    world.loses("Olive", "operator");
    let refused = world.presses("Olive", &confirmation, "Enable Deactivate Users").await?;
    assert!(refused.content.contains("it takes the role **operator**"), "{}", refused.content);
    nobody_heard_of_it(&world, &app).await?;

    world.gets("Olive", "operator");
    let waits = world.presses("Olive", &confirmation, "Enable Deactivate Users").await?;
    assert!(waits.content.contains("R1 waits for approval"), "{}", waits.content);
    world.works().await?;
    world.presses_card("Ada", "Approve").await?;
    world.works().await?;
    assert!(world.okta.deactivates_users(&app));
    Ok(())
}

#[tokio::test]
async fn what_somebody_did_before_it_was_confirmed_is_not_done_again() -> Result<()> {
    let (world, app, confirmation) = asked().await?;
    world.passes(SignedDuration::from_secs(30));
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.passes(SignedDuration::from_secs(30));
    world.looks().await?;

    world.presses("Olive", &confirmation, "Enable Deactivate Users").await?;
    world.works().await?;

    assert!(world.okta.ledger().exchanges().iter().all(|each| each.method == "GET"));
    let said = world.discord.transcript();
    assert!(said.contains("done by Jo Ortiz, without approval"), "{said}");
    assert!(world.button("Approve").is_none(), "there is nothing to approve");
    Ok(())
}
