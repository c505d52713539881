//! Okta and Discord at their worst.

use anyhow::Result;
use jiff::SignedDuration;
use sim::discord::Scope;
use sim::okta::{DeactivateUsers, Fault};

use crate::world::World;

#[tokio::test]
async fn a_page_that_is_spoilt_is_read_again_and_nothing_is_lost() -> Result<()> {
    for fault in [
        Fault::Status(500),
        Fault::Status(503),
        Fault::Html(502),
        Fault::CutBody,
        Fault::WrongLength,
        Fault::EmptyBody,
        Fault::NotJson,
        Fault::Drop,
        Fault::ForeignNextLink("https://evil.example/api/v1/logs?after=1".to_owned()),
        Fault::Redirect(302, "https://evil.example/".to_owned()),
        Fault::Unauthorized,
        Fault::Forbidden { scope: "okta.logs.read".to_owned() },
    ] {
        let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
        world.okta.faults().next(1, "/logs", fault.clone());

        assert!(world.looks().await.is_err(), "{fault:?}");
        world.settles().await?;

        assert_eq!(world.lines().len(), 1, "{fault:?}: {:?}", world.lines());
    }
    Ok(())
}

#[tokio::test]
async fn an_entry_that_cannot_be_understood_does_not_stop_the_rest() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.okta.faults().next(1, "/logs", Fault::TornEvent);

    world.settles().await?;

    assert_eq!(world.lines().len(), 1, "{:?}", world.lines());
    let (status, _) = world.types("status", &[]).await;
    assert!(crate::world::read(&status).contains("Entries that could not be understood in 24 h: 1"));
    Ok(())
}

#[tokio::test]
async fn an_outage_of_okta_is_told_once_and_its_end_once() -> Result<()> {
    let world = World::new().await?;
    world.okta.pause_serving().await;
    for _ in 0..10 {
        world.passes(SignedDuration::from_secs(60));
        assert!(world.looks().await.is_err());
        world.shows().await?;
    }
    assert_eq!(world.lines().len(), 1, "{:?}", world.lines());
    assert!(world.lines()[0].starts_with("[!] BLIND · acme"), "{:?}", world.lines());
    let (status, _) = world.types("status", &[]).await;
    assert_eq!(status.content, "Provost is blind for 1 of 1 orgs.");

    // Somebody comes back meanwhile.
    let app = world.okta.installs("Airbase", "airbase", DeactivateUsers::Off);
    let dana = world.okta.hires("Dana", "Reyes");
    world.okta.left_inactive(&dana, &app);
    world.okta.assigns(&dana, &app);
    world.okta.resume_serving().await?;
    world.settles().await?;
    world.settles().await?;

    let lines = world.lines();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("[✓] SEES AGAIN · acme")), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("[!] ACTION NEEDED · Airbase")), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn an_outage_of_discord_loses_no_alert() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.discord.faults().next(200, "/messages", sim::discord::Fault::Status(503));
    world.settles().await?;
    assert_eq!(world.lines().len(), 0);

    world.discord.faults().clear();
    world.passes(SignedDuration::from_secs(10));
    world.shows().await?;

    assert_eq!(world.lines().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_rate_limit_of_discord_delays_an_alert_and_does_not_lose_it() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    let limited = sim::discord::Fault::RateLimited { retry_after: 0.2, scope: Scope::User };
    world.discord.faults().next(1, "/messages", limited);

    world.settles().await?;

    assert_eq!(world.lines().len(), 1, "{:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn a_channel_without_the_permission_is_left_alone_and_shown_when_it_is_mended() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.discord.denies(sim::discord::Permission::SEND_MESSAGES, world.channel);
    world.settles().await?;
    for _ in 0..20 {
        world.passes(SignedDuration::from_secs(10));
        world.shows().await?;
    }
    assert_eq!(world.lines().len(), 0);
    assert!(world.discord.requests("/messages").len() <= 2, "{:?}", world.discord.requests("/messages"));

    world.discord.allows(sim::discord::Permission::SEND_MESSAGES, world.channel);
    world.passes(SignedDuration::from_mins(11));
    world.shows().await?;

    assert_eq!(world.lines().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_thread_that_refuses_holds_up_no_alert_and_is_told_later() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.discord.denies(sim::discord::Permission::CREATE_PUBLIC_THREADS, world.channel);
    world.settles().await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.okta.retries_in_console(&dana, &app);
    world.passes(SignedDuration::from_secs(30));
    world.settles().await?;

    let other = world.okta.installs("Smartsheet", "smartsheet", DeactivateUsers::Off);
    world.okta.left_inactive(&dana, &other);
    world.okta.assigns(&dana, &other);
    world.settles().await?;

    let lines = world.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("[✓] FIXED · Airbase"), "{lines:?}");
    assert!(lines[1].starts_with("[!] ACTION NEEDED · Smartsheet"), "{lines:?}");
    assert!(!world.discord.transcript().contains("Fixed for Dana Reyes"));

    world.discord.allows(sim::discord::Permission::CREATE_PUBLIC_THREADS, world.channel);
    world.passes(SignedDuration::from_mins(11));
    world.shows().await?;
    assert!(world.discord.transcript().contains("Fixed for Dana Reyes"), "{}", world.discord.transcript());
    Ok(())
}

#[tokio::test]
async fn an_alert_that_a_person_deleted_is_not_posted_again() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    let alert = world.discord.messages(world.channel)[0].id;
    world.discord.deletes_message(alert);

    world.okta.activates_in_app(&dana, &app);
    world.okta.retries_in_console(&dana, &app);
    world.passes(SignedDuration::from_secs(60));
    world.settles().await?;

    assert_eq!(world.lines(), Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn when_discord_refuses_to_edit_an_old_message_a_new_one_takes_its_place() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.discord.refuses_old_edits(true);
    world.lives_through(SignedDuration::from_hours(3)).await?;

    world.okta.activates_in_app(&dana, &app);
    world.okta.retries_in_console(&dana, &app);
    world.passes(SignedDuration::from_secs(60));
    world.settles().await?;

    let lines = world.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].starts_with("[✓] FIXED"), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn the_first_look_may_fail_for_long_and_its_success_is_told_too() -> Result<()> {
    let world = World::before_the_first_look().await?;
    world.okta.pause_serving().await;
    for _ in 0..10 {
        world.passes(SignedDuration::from_secs(60));
        assert!(world.looks().await.is_err());
        world.shows().await?;
    }
    assert!(world.lines()[0].starts_with("[!] BLIND · acme"), "{:?}", world.lines());

    world.okta.resume_serving().await?;
    world.settles().await?;

    let lines = world.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].starts_with("[✓] SEES AGAIN · acme"), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn a_fact_that_stays_unreadable_is_asked_for_again_and_edits_no_card() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    let forbidden = Fault::Forbidden { scope: "okta.apps.read".to_owned() };
    world.okta.faults().next(1_000, "/users", forbidden);
    world.settles().await?;
    let alert = world.discord.messages(world.channel)[0].clone();
    world.discord.refuses_old_edits(true);

    world.lives_through(SignedDuration::from_hours(2)).await?;

    assert!(world.okta.requests("/users").len() > 10, "it is asked for again");
    assert_eq!(world.lines().len(), 1, "{:?}", world.lines());
    let edits = world.discord.message(alert.id).map(|message| message.edits);
    assert!(edits.is_some_and(|edits| edits <= alert.edits + 1), "{edits:?}");
    Ok(())
}

#[tokio::test]
async fn an_okta_that_tells_nothing_about_apps_does_not_keep_the_log_from_being_read() -> Result<()> {
    let world = World::new().await?;
    for n in 0..10 {
        let app = world.okta.installs(&format!("App{n}"), "airbase", DeactivateUsers::Off);
        let person = world.okta.hires(&format!("Dana{n}"), "Reyes");
        world.okta.left_inactive(&person, &app);
        world.okta.assigns(&person, &app);
    }
    world.okta.faults().next(1_000, "/apps", Fault::Drop);
    world.looks().await?;
    let asked = world.okta.requests("/apps").len();
    assert!(asked <= 1, "{asked} questions, each of which may take its time to fail, in one pass");

    world.passes(SignedDuration::from_secs(21));
    world.shows().await?;
    assert_eq!(world.lines().len(), 10, "{:?}", world.lines());

    world.okta.faults().clear();
    world.lives_through(SignedDuration::from_mins(10)).await?;
    let all_known = world.discord.transcript().matches("Deactivate Users is off").count();
    assert!(all_known >= 10, "{all_known}");
    Ok(())
}

#[tokio::test]
async fn every_request_is_counted_by_its_answer() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.okta.faults().next(1, "/logs", Fault::Status(503));
    assert!(world.looks().await.is_err());
    world.okta.faults().next(1, "/logs", Fault::Drop);
    assert!(world.looks().await.is_err());

    world.settles().await?;

    let text = world.app.metrics.text();
    for line in [
        r#"provost_okta_requests_total{org="acme",endpoint="/api/v1/logs",status="503"} 1"#,
        r#"provost_okta_requests_total{org="acme",endpoint="/api/v1/logs",status="none"} 1"#,
        r#"provost_discord_requests_total{route="POST /channels/{}/messages",status="200"} 1"#,
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line} is not in:\n{text}");
    }
    let good = r#"provost_okta_requests_total{org="acme",endpoint="/api/v1/logs",status="200"} "#;
    assert!(text.contains(good), "{text}");
    assert!(!text.contains(&world.channel.to_string()), "{text}");
    Ok(())
}
