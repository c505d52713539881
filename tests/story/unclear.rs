//! What nobody can know at once: told as unclear, and settled as soon as Okta says what became of it.

use std::time::Duration;

use anyhow::Result;
use jiff::SignedDuration;
use sim::okta::{DeactivateUsers, Fault};
use tokio::time::sleep;

use crate::world::World;

const WHY: &str = "Dana is back; HR ticket 4711";

/// A request to enable is approved, and what happens to Okta's answer to the write is `fault`. Then Okta is gone.
async fn where_okta_goes_away(fault: Fault) -> Result<(World, String)> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    world.presses_card("Ada", "Approve").await?;
    world.spoils_the_write(fault);
    while writes(&world) == 0 {
        world.app.executor.pass().await?;
    }
    world.okta.pause_serving().await;
    Ok((world, app))
}

fn writes(world: &World) -> usize {
    let exchanges = world.okta.ledger().exchanges();
    exchanges.iter().filter(|each| ["PUT", "POST"].contains(&each.method.as_str())).count()
}

/// A minute, at the end of which the channel shows what is known.
async fn a_minute_goes_by(world: &World) -> Result<()> {
    for _ in 0..10 {
        world.app.executor.pass().await?;
        world.passes(SignedDuration::from_secs(6));
        // Okta may be away.
        let _ = world.looks().await;
    }
    world.shows().await
}

/// How many requests, each for an app of its own.
const MANY: usize = 12;

#[tokio::test]
async fn many_that_a_crash_cut_off_do_not_wait_for_each_other_where_okta_hangs() -> Result<()> {
    let world = World::new().await?;
    let dana = world.okta.hires("Dana", "Reyes");
    for n in 0..MANY {
        let app = world.okta.installs(&format!("Slack {n:02}"), "slack", DeactivateUsers::Off);
        world.okta.left_inactive(&dana, &app);
        world.okta.assigns(&dana, &app);
    }
    world.settles().await?;
    for n in 0..MANY {
        world.asks_to_enable("Olive", &format!("Slack {n:02}"), WHY).await?;
    }
    for _ in 0..MANY {
        world.presses_card("Ada", "Approve").await?;
        world.passes(SignedDuration::from_secs(6));
        world.shows().await?;
    }
    world.okta.faults().next(MANY, "PUT /api/v1/apps/", Fault::DropAfterDoing);
    while writes(&world) < MANY {
        world.app.executor.pass().await?;
    }
    let world = world.starts_anew().await?;
    world.okta.faults().next(1_000, "GET /api/v1/apps/", Fault::Slow(Duration::from_secs(600)));

    // All are asked about before the first of them is given up.
    world.okta.ledger().clear();
    let all_asked = async {
        while world.okta.ledger().exchanges().len() < MANY {
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        ended = world.app.executor.pass() => anyhow::bail!("it ended before all were asked about: {ended:?}"),
        () = sleep(Duration::from_secs(60)) => anyhow::bail!("they waited for each other for a minute"),
        () = all_asked => Ok(()),
    }
}

#[tokio::test]
async fn what_a_crash_cut_off_is_told_within_a_minute_also_where_okta_says_come_back_later() -> Result<()> {
    let (world, _) = where_okta_goes_away(Fault::DropAfterDoing).await?;
    world.okta.resume_serving().await?;
    world.okta.faults().next(1_000, "GET /api/v1/", Fault::RateLimited { reset_in_secs: 600 });
    let world = world.starts_anew().await?;
    a_minute_goes_by(&world).await?;
    assert_eq!(says(&world, "R1 for Slack is unclear"), 1, "{:?}", world.lines());
    Ok(())
}

fn says(world: &World, what: &str) -> usize {
    world.lines().iter().filter(|line| line.contains(what)).count()
}

#[tokio::test]
async fn an_okta_that_goes_away_in_the_middle_is_asked_until_it_tells() -> Result<()> {
    for (fault, written, ends, told) in [
        (Fault::DropAfterDoing, true, "DONE", "R1 for Slack is not unclear any more: Deactivate Users is on"),
        (
            Fault::Drop,
            false,
            "FIX FAILED",
            "R1 for Slack is not unclear any more, and failed: Okta did not do it",
        ),
    ] {
        let (world, app) = where_okta_goes_away(fault).await?;
        a_minute_goes_by(&world).await?;
        a_minute_goes_by(&world).await?;
        assert_eq!(says(&world, "[x] UNCLEAR · Slack · R1"), 1, "{:?}", world.lines());
        assert_eq!(says(&world, "R1 for Slack is unclear"), 1, "{:?}", world.lines());

        world.okta.resume_serving().await?;
        for _ in 0..12 {
            a_minute_goes_by(&world).await?;
        }
        assert_eq!(world.okta.deactivates_users(&app), written);
        assert_eq!(says(&world, &format!("{ends} · Slack · R1")), 1, "{:?}", world.lines());
        assert_eq!(says(&world, told), 1, "{:?}", world.lines());
        assert_eq!(writes(&world), 1, "nothing is repeated");
    }
    Ok(())
}

#[tokio::test]
async fn a_crash_while_okta_is_away_is_told_within_a_minute_of_the_restart() -> Result<()> {
    let (world, _) = where_okta_goes_away(Fault::DropAfterDoing).await?;
    let world = world.starts_anew().await?;
    a_minute_goes_by(&world).await?;
    assert_eq!(says(&world, "R1 for Slack is unclear"), 1, "{:?}", world.lines());

    // And it is told once what became of it, although a restart comes in between again.
    world.okta.resume_serving().await?;
    let world = world.starts_anew().await?;
    a_minute_goes_by(&world).await?;
    a_minute_goes_by(&world).await?;
    assert_eq!(
        says(&world, "R1 for Slack is not unclear any more: Deactivate Users is on"),
        1,
        "{:?}",
        world.lines()
    );
    Ok(())
}

#[tokio::test]
async fn what_else_okta_changed_is_told_also_when_it_was_away_first() -> Result<()> {
    let (world, app) = where_okta_goes_away(Fault::Drop).await?;
    a_minute_goes_by(&world).await?;
    a_minute_goes_by(&world).await?;
    world.okta.resume_serving().await?;
    // Somebody turns it on by hand, and something else along with it.
    world.okta.syncs_passwords_in_console(&app, "Jo Ortiz");
    world.okta.enables_in_console(&app, "Jo Ortiz");
    for _ in 0..3 {
        a_minute_goes_by(&world).await?;
    }
    assert_eq!(
        says(&world, "R1 for Slack is not unclear any more, and failed: Deactivate Users was turned on, but"),
        1,
        "{:?}",
        world.lines()
    );
    Ok(())
}

/// A retry of Dana is sent, and nothing is heard of it: the app takes its time, and the log is late.
async fn where_a_push_is_sent(fault: Option<Fault>) -> Result<(World, String, String)> {
    let (world, dana, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.passes(SignedDuration::from_secs(60));
    world.settles().await?;
    let confirmation = world.says("Olive", "retry", &[("app", "Slack"), ("person", &dana)]).await;
    world.presses("Olive", &confirmation, "Retry").await?;
    world.okta.arrives_late(SignedDuration::from_mins(5));
    world.okta.app_is_busy_until(&app, world.okta.now() + SignedDuration::from_mins(3));
    if let Some(fault) = fault {
        world.okta.faults().next(1, "POST /api/v1/apps/", fault);
    }
    while writes(&world) == 0 {
        // The answer may be lost.
        let _ = world.app.executor.pass().await;
    }
    Ok((world, dana, app))
}

/// Within a minute the person counts as unclear; once the log tells, as proven; and nobody was pushed twice.
async fn is_unclear_and_then_proven(world: &World, dana: &str, app: &str) -> Result<()> {
    a_minute_goes_by(world).await?;
    assert!(world.discord.transcript().contains("0 proven, 0 failed, 0 waited for, 0 not begun, 1 unclear"));

    for _ in 0..12 {
        a_minute_goes_by(world).await?;
    }
    assert!(world.okta.is_active_in_app(dana, app));
    assert_eq!(says(world, "[✓] FIXED · Slack · R1"), 1, "{:?}", world.lines());
    assert_eq!(writes(world), 1);
    Ok(())
}

#[tokio::test]
async fn a_push_whose_answer_was_lost_is_unclear_until_the_log_tells() -> Result<()> {
    let (world, dana, app) = where_a_push_is_sent(Some(Fault::DropAfterDoing)).await?;
    is_unclear_and_then_proven(&world, &dana, &app).await
}

#[tokio::test]
async fn a_push_that_a_crash_cut_off_is_unclear_within_a_minute_and_then_proven() -> Result<()> {
    let (world, dana, app) = where_a_push_is_sent(None).await?;
    let world = world.starts_anew().await?;
    is_unclear_and_then_proven(&world, &dana, &app).await
}

#[tokio::test]
async fn a_push_whose_end_may_not_be_read_has_an_end_all_the_same() -> Result<()> {
    let (world, ..) = where_a_push_is_sent(None).await?;
    world.okta.arrives_late(SignedDuration::from_hours(2));
    let forbidden = Fault::Forbidden { scope: "okta.apps.read".to_owned() };
    world.okta.faults().next(1_000, "GET /api/v1/apps/", forbidden);
    for _ in 0..12 {
        a_minute_goes_by(&world).await?;
    }
    let told = "R1 for Slack failed: 0 of 1 proven, 1 failed. Still failing: no proof came in time, and how it stands cannot be read";
    assert_eq!(says(&world, told), 1, "{:?}", world.lines());
    assert!(world.lines().iter().any(|line| line.contains("okta.apps.read")), "{:?}", world.lines());
    Ok(())
}
