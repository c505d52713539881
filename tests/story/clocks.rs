//! Provost's clock and Okta's differ: what counts as proof, and as a failure again, goes by Okta's.

use anyhow::Result;
use jiff::SignedDuration;

use crate::world::{World, read};

const OFF: [SignedDuration; 2] = [SignedDuration::from_secs(50), SignedDuration::from_secs(-50)];

/// Dana fails at Slack, and Provost's clock is ahead of Okta's by so much, or behind.
async fn where_the_clock_is_off(by: SignedDuration) -> Result<(World, String, String)> {
    let (world, dana, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    let world = world.starts_anew_ahead_by(by).await?;
    world.settles().await?;
    Ok((world, dana, app))
}

async fn pushes_again(world: &World, person: &str) -> Result<()> {
    let confirmation = world.says("Olive", "retry", &[("app", "Slack"), ("person", person)]).await;
    world.presses("Olive", &confirmation, "Retry").await?;
    world.works().await
}

#[tokio::test]
async fn a_push_that_fails_again_says_why_it_did() -> Result<()> {
    for by in OFF {
        let (world, dana, _) = where_the_clock_is_off(by).await?;
        pushes_again(&world, &dana).await?;
        let told = "R1 for Slack failed: 0 of 1 proven, 1 failed. Still failing: ";
        let lines = world.lines();
        let why = lines.iter().find(|line| line.contains(told)).map_or("", String::as_str);
        assert!(why.contains("User account is inactive"), "{by}: {lines:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_failed_before_the_push_does_not_count_against_it() -> Result<()> {
    for by in OFF {
        let (world, dana, app) = where_the_clock_is_off(by).await?;
        world.okta.enables_in_console(&app, "Jo Ortiz");
        world.looks().await?;
        pushes_again(&world, &dana).await?;
        assert!(world.okta.is_active_in_app(&dana, &app));
        let lines = world.lines();
        assert!(lines.iter().any(|line| line.contains("[✓] FIXED · Slack · R1")), "{by}: {lines:?}");
    }
    Ok(())
}

#[tokio::test]
async fn after_a_restart_nobody_has_failed_again_before_okta_has_said_what_time_it_is() -> Result<()> {
    for by in OFF {
        let (world, dana, app) = where_the_clock_is_off(by).await?;
        world.okta.enables_in_console(&app, "Jo Ortiz");
        world.looks().await?;
        let confirmation = world.says("Olive", "retry", &[("app", "Slack"), ("person", &dana)]).await;
        world.presses("Olive", &confirmation, "Retry").await?;
        for _ in 0..3 {
            world.app.executor.pass().await?;
        }
        let world = world.starts_anew().await?;
        world.app.executor.pass().await?;
        world.works().await?;
        assert!(world.okta.is_active_in_app(&dana, &app));
        let lines = world.lines();
        assert!(lines.iter().any(|line| line.contains("[✓] FIXED · Slack · R1")), "{by}: {lines:?}");
    }
    Ok(())
}

#[tokio::test]
async fn where_the_log_shows_nothing_the_state_of_the_app_user_is_the_proof() -> Result<()> {
    for by in OFF {
        let (world, dana, app) = where_the_clock_is_off(by).await?;
        world.okta.enables_in_console(&app, "Jo Ortiz");
        world.looks().await?;
        world.okta.successes_log_nothing();
        let confirmation = world.says("Olive", "retry", &[("app", "Slack"), ("person", &dana)]).await;
        world.presses("Olive", &confirmation, "Retry").await?;
        for _ in 0..3 {
            world.works().await?;
        }
        let transcript = world.discord.transcript();
        assert!(transcript.contains("[✓] FIXED · Slack · R1"), "{by}: {transcript}");
        assert!(transcript.contains("Okta reports success; not seen in the app"), "{by}: {transcript}");
    }
    Ok(())
}

#[tokio::test]
async fn who_did_it_in_the_console_is_told_by_the_log_and_what_was_before_is_not_taken_for_it() -> Result<()>
{
    for by in OFF {
        let world = World::new().await?;
        let app = world.okta.installs("Airbase", "airbase", sim::okta::DeactivateUsers::Off);
        let dana = world.okta.hires("Dana", "Reyes");
        world.okta.left_inactive(&dana, &app);
        world.okta.assigns(&dana, &app);
        let world = world.starts_anew_ahead_by(by).await?;
        world.settles().await?;
        // Somebody tries it and takes it back, before it is asked for.
        world.okta.enables_in_console(&app, "Max Early");
        world.passes(SignedDuration::from_secs(4));
        world.okta.disables_in_console(&app, "Max Early");
        world.passes(SignedDuration::from_secs(4));
        world.looks().await?;

        let options = [("app", "Airbase"), ("reason", "rehires fail there")];
        let confirmation = world.says("Olive", "enable", &options).await;
        assert!(read(&confirmation).contains("please confirm"), "{by}: {}", read(&confirmation));
        world.presses("Olive", &confirmation, "Enable Deactivate Users").await?;
        world.works().await?;
        world.presses_card("Ada", "Approve").await?;
        world.works().await?;
        world.okta.enables_in_console(&app, "Jo Ortiz");
        world.works().await?;

        let lines = world.lines();
        let transcript = world.discord.transcript();
        assert!(lines.iter().any(|line| line.contains("[✓] DONE · Airbase · R1")), "{by}: {lines:?}");
        assert!(transcript.contains("Done by Jo Ortiz"), "{by}: {transcript}");
    }
    Ok(())
}
