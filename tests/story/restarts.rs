//! Killed and started anew in the middle: nothing lost, nothing said twice.

use anyhow::Result;
use jiff::SignedDuration;
use sim::discord::Fault;
use sim::okta::DeactivateUsers;

use crate::world::World;

#[tokio::test]
async fn a_post_whose_answer_was_lost_is_not_made_twice() -> Result<()> {
    for minutes in [0, 30] {
        let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
        world.discord.faults().next(20, "/messages", Fault::DropAfter);
        world.settles().await?;
        assert_eq!(world.lines().len(), 1, "it was posted");
        world.discord.faults().clear();

        // Half an hour later Discord has forgotten the nonce: the history tells.
        world.passes(SignedDuration::from_mins(minutes) + SignedDuration::from_secs(6));
        let world = world.starts_anew().await?;
        world.settles().await?;

        let alerts = world.lines().iter().filter(|line| line.starts_with("[!] ACTION NEEDED")).count();
        assert_eq!(alerts, 1, "after {minutes} minutes: {:?}", world.lines());
    }
    Ok(())
}

#[tokio::test]
async fn what_happens_while_the_program_is_down_is_caught_up_and_said() -> Result<()> {
    let world = World::new().await?;
    world.passes(SignedDuration::from_hours(2));
    let app = world.okta.installs("Airbase", "airbase", DeactivateUsers::Off);
    let dana = world.okta.hires("Dana", "Reyes");
    world.okta.left_inactive(&dana, &app);
    world.okta.assigns(&dana, &app);
    let world = world.starts_anew().await?;

    world.settles().await?;

    let lines = world.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("[!] ACTION NEEDED · Airbase")), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("[✓] SEES AGAIN · acme")), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn a_card_is_edited_after_a_restart_as_before() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    let world = world.starts_anew().await?;

    world.okta.activates_in_app(&dana, &app);
    world.okta.retries_in_console(&dana, &app);
    world.passes(SignedDuration::from_secs(60));
    world.settles().await?;

    let lines = world.lines();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("[✓] FIXED"), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn the_same_page_taken_in_twice_counts_once() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;

    // Okta refuses the stored position: the last hour is read again.
    world.okta.faults().next(1, "/logs", sim::okta::Fault::CursorRefused(400));
    world.settles().await?;

    let lines = world.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("[!] ACTION NEEDED · Airbase · 1 person"), "{lines:?}");
    assert!(lines[1].starts_with("[i] READ ANEW"), "{lines:?}");
    assert!(world.discord.transcript().contains("1 still failing"));
    Ok(())
}

#[tokio::test]
async fn lines_of_a_thread_whose_answer_was_lost_are_not_said_twice() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    let alert = world.discord.messages(world.channel)[0].id;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.passes(SignedDuration::from_secs(10));
    world.okta.retries_in_console(&dana, &app);
    world.looks().await?;
    world.discord.faults().next(20, "POST /api/v10/channels", Fault::DropAfter);
    world.passes(SignedDuration::from_secs(30));
    let _ = world.app.board.pass().await;
    let _ = world.app.board.pass().await;
    world.discord.faults().clear();

    // Long enough for Discord to have forgotten the nonce.
    world.passes(SignedDuration::from_mins(30));
    let world = world.starts_anew().await?;
    world.settles().await?;

    let said: Vec<_> = world.discord.thread_of(alert).into_iter().map(|message| message.content).collect();
    assert_eq!(said.len(), 1, "{said:#?}");
    Ok(())
}

#[tokio::test]
async fn an_alert_whose_answer_was_lost_before_the_failure_came_back_points_to_the_new_one() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.looks().await?;
    world.passes(SignedDuration::from_secs(21));
    world.discord.faults().next(20, "/messages", Fault::DropAfter);
    let _ = world.app.board.pass().await;
    assert_eq!(world.lines().len(), 1, "it was posted");
    world.okta.unassigns(&dana, &app);
    world.passes(SignedDuration::from_mins(10));
    world.looks().await?;
    world.okta.left_inactive(&dana, &app);
    world.okta.assigns(&dana, &app);
    world.looks().await?;
    world.passes(SignedDuration::from_mins(1));
    world.discord.faults().clear();

    world.settles().await?;
    world.settles().await?;

    let alerts = world.lines().into_iter().filter(|line| line.contains("Airbase"));
    let lines: Vec<_> = alerts.collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("[!] CAME BACK"), "{lines:?}");
    assert!(lines[1].starts_with("[!] ACTION NEEDED"), "{lines:?}");
    Ok(())
}
