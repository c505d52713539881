//! Pushing people again, and what counts as proof.

use anyhow::Result;
use jiff::SignedDuration;
use sim::okta::DeactivateUsers;

use crate::world::{World, read};

/// So many people whose push to Slack fails, while the setting is off.
async fn where_many_fail(many: usize) -> Result<(World, String, Vec<String>)> {
    let world = World::new().await?;
    let app = world.okta.installs("Slack", "slack", DeactivateUsers::Off);
    let mut people = Vec::new();
    for n in 0..many {
        let person = world.okta.hires(&format!("Person{n:03}"), "Back");
        world.okta.left_inactive(&person, &app);
        world.okta.assigns(&person, &app);
        people.push(person);
    }
    world.settles().await?;
    Ok((world, app, people))
}

#[tokio::test]
async fn one_person_is_pushed_again_and_it_is_proven() -> Result<()> {
    let (world, app, people) = where_many_fail(1).await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.passes(SignedDuration::from_secs(60));
    world.looks().await?;

    let confirmation = world.says("Olive", "retry", &[("app", "Slack"), ("person", &people[0])]).await;
    let going = world.presses("Olive", &confirmation, "Retry").await?;
    assert!(going.content.contains("is being done"), "{}", going.content);
    world.works().await?;

    assert!(world.okta.is_active_in_app(&people[0], &app));
    let pushes: Vec<_> =
        world.okta.ledger().exchanges().into_iter().filter(|each| each.method == "POST").collect();
    assert_eq!(
        pushes.iter().map(|each| each.request_body.as_str()).collect::<Vec<_>>(),
        [r#"{"profile":{}}"#]
    );
    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[✓] FIXED · Slack · R1")), "{lines:?}");
    assert!(lines[0].starts_with("[✓] FIXED · Slack · 1 person provisioned"), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn a_retry_that_did_not_help_is_not_called_a_fix() -> Result<()> {
    let (world, app, people) = where_many_fail(1).await?;

    let confirmation = world.says("Olive", "retry", &[("app", "Slack"), ("person", &people[0])]).await;
    world.presses("Olive", &confirmation, "Retry").await?;
    world.works().await?;

    assert!(!world.okta.is_active_in_app(&people[0], &app));
    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[x] FIX FAILED · Slack · R1")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("User account is inactive")), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn a_bulk_needs_an_approval_goes_in_waves_and_its_sums_add_up() -> Result<()> {
    let (world, app, people) = where_many_fail(30).await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.passes(SignedDuration::from_secs(60));
    world.looks().await?;

    let list = world.says("Olive", "retry", &[("app", "Slack")]).await;
    assert!(read(&list).contains("30 people failing, 0 ticked"), "{}", read(&list));
    let confirmation = world.presses("Olive", &list, "Retry all 30").await?;
    assert!(read(&confirmation).contains("one approval"), "{}", read(&confirmation));
    world.presses("Olive", &confirmation, "Retry").await?;
    world.works().await?;
    assert!(people.iter().all(|person| !world.okta.is_active_in_app(person, &app)));
    world.presses_card("Ada", "Approve").await?;
    world.works().await?;

    assert!(people.iter().all(|person| world.okta.is_active_in_app(person, &app)));
    let transcript = world.discord.transcript();
    assert!(transcript.contains("30 proven, 0 failed, 0 waited for, 0 not begun"), "{transcript}");
    let posts = world.okta.ledger().exchanges().iter().filter(|each| each.method == "POST").count();
    assert_eq!(posts, 30);
    Ok(())
}

#[tokio::test]
async fn the_first_failure_stops_the_rest() -> Result<()> {
    let (world, app, people) = where_many_fail(20).await?;

    let list = world.says("Olive", "retry", &[("app", "Slack")]).await;
    let confirmation = world.presses("Olive", &list, "Retry all 20").await?;
    world.presses("Olive", &confirmation, "Retry").await?;
    world.works().await?;
    world.presses_card("Ada", "Approve").await?;
    world.works().await?;

    let posts = world.okta.ledger().exchanges().iter().filter(|each| each.method == "POST").count();
    assert_eq!(posts, 1, "the first wave is one person");
    assert!(people.iter().all(|person| !world.okta.is_active_in_app(person, &app)));
    let lines = world.lines();
    assert!(
        lines.iter().any(
            |line| line.contains("0 of 20 proven, 1 failed; stopped since too many failed, 19 not begun")
        ),
        "{lines:?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_was_ticked_is_kept_over_pages_and_a_restart() -> Result<()> {
    let (world, _, people) = where_many_fail(30).await?;
    let list = world.says("Olive", "retry", &[("app", "Slack")]).await;
    let ticked = world.ticks("Olive", &list, &[&people[29], &people[28]]).await?;
    assert!(read(&ticked).contains("2 ticked"), "{}", read(&ticked));
    let second = world.presses("Olive", &ticked, "More").await?;
    let world = world.starts_anew().await?;
    let third = world.ticks("Olive", &second, &[&people[0]]).await?;
    assert!(read(&third).contains("3 ticked"), "{}", read(&third));

    let confirmation = world.presses("Olive", &third, "Retry selected (3)").await?;

    assert!(read(&confirmation).contains("Push again: 3 people"), "{}", read(&confirmation));
    Ok(())
}

#[tokio::test]
async fn a_tick_counts_also_where_the_list_has_moved_since_it_was_shown() -> Result<()> {
    let (world, app, people) = where_many_fail(25).await?;
    let list = world.says("Olive", "retry", &[("app", "Slack")]).await;
    // Somebody new fails, and the page's last person is on the next one now.
    let new = world.okta.hires("Newly", "Failing");
    world.okta.left_inactive(&new, &app);
    world.okta.assigns(&new, &app);
    world.settles().await?;

    let everybody: Vec<&str> = people.iter().map(String::as_str).collect();
    let ticked = world.ticks("Olive", &list, &everybody).await?;

    assert!(read(&ticked).contains("26 people failing, 25 ticked"), "{}", read(&ticked));
    Ok(())
}

#[tokio::test]
async fn who_is_not_looked_at_yet_for_want_of_requests_is_waited_for_and_not_unclear() -> Result<()> {
    let (world, app, _) = where_many_fail(8).await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.passes(SignedDuration::from_secs(60));
    world.looks().await?;
    let list = world.says("Olive", "retry", &[("app", "Slack")]).await;
    let confirmation = world.presses("Olive", &list, "Retry all 8").await?;
    world.presses("Olive", &confirmation, "Retry").await?;
    world.okta.successes_log_nothing();
    let look = format!("GET /api/v1/apps/{app}/users/");
    world.okta.faults().next(3, &look, sim::okta::Fault::RateLimited { reset_in_secs: 30 });
    for _ in 0..6 {
        world.works().await?;
    }
    let record = world.record().await?;
    assert!(!record.iter().any(|line| line.starts_with("push.unclear")), "{record:?}");
    assert!(
        world.lines().iter().any(|line| line.starts_with("[✓] FIXED · Slack · R1")),
        "{:?}",
        world.lines()
    );
    Ok(())
}

#[tokio::test]
async fn who_presses_twice_has_forged_nothing_and_sees_whom_it_is_about() -> Result<()> {
    let (world, ..) = where_many_fail(7).await?;
    let list = world.says("Olive", "retry", &[("app", "Slack")]).await;
    let first = world.presses("Olive", &list, "Retry all 7").await?;
    let second = world.presses("Olive", &list, "Retry all 7").await?;

    assert!(read(&first).contains("Who") && read(&first).contains(", and 2 more"), "{}", read(&first));
    assert!(!second.content.contains("not one of Provost's"), "{}", second.content);
    let (audit, _) = world.types("audit", &[]).await;
    assert!(!read(&audit).contains("forged"), "{}", read(&audit));
    Ok(())
}

#[tokio::test]
async fn what_heals_itself_is_not_retried_also_where_no_alert_is_for_it() -> Result<()> {
    let world = World::new().await?;
    let app = world.okta.installs("Slack", "slack", DeactivateUsers::On);
    world.indexes().await?;
    let app_option = format!("acme/{app}");
    let nothing = world.says("Olive", "retry", &[("app", &app_option)]).await;
    assert!(nothing.content.contains("there is nothing to retry"), "{}", nothing.content);

    let dana = world.okta.hires("Dana", "Reyes");
    world.okta.app_is_busy_until(&app, world.okta.now() + SignedDuration::from_mins(12));
    world.okta.assigns(&dana, &app);
    world.settles().await?;
    assert_eq!(world.lines(), Vec::<String>::new());
    let healing = world.says("Olive", "retry", &[("app", &app_option)]).await;
    assert!(healing.content.contains("1 person waiting for Okta's own retry"), "{}", healing.content);
    let options = [("app", app_option.as_str()), ("person", dana.as_str()), ("reason", "it takes so long")];
    let refused = world.says("Olive", "reassign", &options).await;
    assert!(refused.content.contains("Okta tries again by itself"), "{}", refused.content);

    world.passes(SignedDuration::from_mins(30));
    world.looks().await?;
    let healed = world.says("Olive", "retry", &[("app", &app_option)]).await;
    assert!(healed.content.contains("there is nothing to retry"), "{}", healed.content);
    Ok(())
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_bulk_repeats_nobody() -> Result<()> {
    let (world, app, people) = where_many_fail(8).await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.passes(SignedDuration::from_secs(60));
    world.looks().await?;
    let list = world.says("Olive", "retry", &[("app", "Slack")]).await;
    let confirmation = world.presses("Olive", &list, "Retry all 8").await?;
    world.presses("Olive", &confirmation, "Retry").await?;
    world.app.executor.pass().await?;
    world.app.executor.pass().await?;

    let world = world.starts_anew().await?;
    world.works().await?;

    assert!(people.iter().all(|person| world.okta.is_active_in_app(person, &app)));
    let posts = world.okta.ledger().exchanges().iter().filter(|each| each.method == "POST").count();
    assert_eq!(posts, 8);
    Ok(())
}

#[tokio::test]
async fn where_nothing_may_be_written_the_person_in_the_console_is_watched_for() -> Result<()> {
    let (world, app, people) = where_many_fail(2).await?;
    let world = world.may_not_write().await?;
    let list = world.says("Olive", "retry", &[("app", "Slack")]).await;
    let confirmation = world.presses("Olive", &list, "Retry all 2").await?;
    world.presses("Olive", &confirmation, "Retry").await?;
    world.works().await?;
    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[~] IN PROGRESS · Slack · R1")), "{lines:?}");
    assert!(world.discord.transcript().contains("To do, in Okta's console"));

    world.okta.enables_in_console(&app, "Jo Ortiz");
    for person in &people {
        world.okta.retries_in_console(person, &app);
    }
    world.passes(SignedDuration::from_secs(60));
    world.works().await?;

    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[✓] FIXED · Slack · R1")), "{lines:?}");
    assert!(world.okta.ledger().exchanges().iter().all(|each| each.method == "GET"));
    Ok(())
}

/// A bulk of thirty that is approved; the first wave is over.
async fn where_the_first_wave_is_over() -> Result<(World, Vec<String>)> {
    let (world, app, people) = where_many_fail(30).await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.passes(SignedDuration::from_secs(60));
    world.looks().await?;
    let list = world.says("Olive", "retry", &[("app", "Slack")]).await;
    let confirmation = world.presses("Olive", &list, "Retry all 30").await?;
    world.presses("Olive", &confirmation, "Retry").await?;
    world.works().await?;
    world.presses_card("Ada", "Approve").await?;
    world.app.executor.pass().await?;
    world.app.executor.pass().await?;
    world.looks().await?;
    Ok((world, people))
}

fn posts(world: &World) -> usize {
    world.okta.ledger().exchanges().iter().filter(|each| each.method == "POST").count()
}

#[tokio::test]
async fn whoever_loses_the_right_in_the_middle_pushes_nobody_else() -> Result<()> {
    let (world, people) = where_the_first_wave_is_over().await?;
    let before = posts(&world);
    world.loses("Olive", "operator");
    world.works().await?;

    assert!((1..30).contains(&before) && posts(&world) == before, "{before} of {}", people.len());
    let lines = world.lines();
    assert!(lines.iter().any(|line| line.contains("may not any more")), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn an_okta_that_is_ill_is_not_asked_for_everybody() -> Result<()> {
    let (world, _) = where_the_first_wave_is_over().await?;
    let before = posts(&world);
    world.okta.faults().next(1, "POST /api/v1/apps/", sim::okta::Fault::Status(503));
    world.passes(SignedDuration::from_secs(6));
    world.app.executor.pass().await?;
    world.okta.faults().next(20, "GET /api/v1/apps/", sim::okta::Fault::Status(503));
    for _ in 0..6 {
        world.passes(SignedDuration::from_secs(6));
        world.app.executor.pass().await?;
    }
    assert_eq!(posts(&world), before + 1, "one push met the outage");
    let (audit, _) = world.types("audit", &[]).await;
    assert!(read(&audit).contains("push.lost"), "{}", read(&audit));

    world.okta.faults().clear();
    for _ in 0..3 {
        world.works().await?;
        world.passes(SignedDuration::from_mins(5));
    }
    let transcript = world.discord.transcript();
    assert!(transcript.contains("29 proven, 1 failed, 0 waited for, 0 not begun"), "{transcript}");
    Ok(())
}
