//! From a failure in the log to its alert.

use anyhow::Result;
use jiff::SignedDuration;
use sim::okta::{DeactivateUsers, FailureShape};

use crate::world::World;

#[tokio::test]
async fn somebody_who_comes_back_becomes_one_alert() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;

    world.settles().await?;

    let messages = world.discord.messages(world.channel);
    assert_eq!(messages.len(), 1);
    assert!(messages[0].content.starts_with("[!] ACTION NEEDED · Airbase · 1 person cannot be provisioned"));
    let transcript = world.discord.transcript();
    for words in
        ["Dana Reyes", "User account is inactive", "Deactivate Users is off", "@oncall", "[Diagnose]"]
    {
        assert!(transcript.contains(words), "{words} is not in:\n{transcript}");
    }
    Ok(())
}

#[tokio::test]
async fn our_failure_is_recognised_in_every_shape_it_is_logged_in() -> Result<()> {
    for shape in [
        FailureShape::Usual,
        FailureShape::ReasonOnPush,
        FailureShape::LegacyTypeOnly,
        FailureShape::ReasonOnly,
        FailureShape::SuccessOutcome,
        FailureShape::Unexplained,
    ] {
        let world = World::new().await?;
        let app = world.okta.installs("Airbase", "airbase", DeactivateUsers::Off);
        let dana = world.okta.hires("Dana", "Reyes");
        world.okta.left_inactive(&dana, &app);
        world.okta.failures_log(shape);
        world.okta.assigns(&dana, &app);

        world.settles().await?;
        world.passes(SignedDuration::from_secs(30));
        world.settles().await?;

        let lines = world.lines();
        assert_eq!(lines.len(), 1, "{shape:?}: {lines:?}");
        assert!(lines[0].starts_with("[!] ACTION NEEDED · Airbase · 1 person"), "{shape:?}: {lines:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_event_without_a_reason_proves_nothing_while_the_setting_is_on() -> Result<()> {
    let world = World::new().await?;
    let app = world.okta.installs("Airbase", "airbase", DeactivateUsers::On);
    let dana = world.okta.hires("Dana", "Reyes");
    world.okta.failures_log(FailureShape::Unexplained);
    world.okta.app_refuses_with(&app, "anything");
    world.okta.assigns(&dana, &app);

    world.settles().await?;
    world.passes(SignedDuration::from_secs(30));
    world.settles().await?;

    assert_eq!(world.lines(), Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn a_storm_is_one_card_with_exact_counts() -> Result<()> {
    let world = World::new().await?;
    let app = world.okta.installs("Smartsheet", "smartsheet", DeactivateUsers::Off);
    for n in 0..200 {
        let person = world.okta.hires(&format!("Person{n}"), "Storm");
        world.okta.left_inactive(&person, &app);
        world.okta.assigns(&person, &app);
    }

    world.settles().await?;

    let lines = world.lines();
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].starts_with("[!] ACTION NEEDED · Smartsheet · 200 people cannot be provisioned"),
        "{lines:?}"
    );
    assert!(world.discord.transcript().contains("and 195 more"));
    Ok(())
}

#[tokio::test]
async fn what_okta_mends_itself_alerts_nobody() -> Result<()> {
    let world = World::new().await?;
    let app = world.okta.installs("Slack", "slack", DeactivateUsers::On);
    let dana = world.okta.hires("Dana", "Reyes");
    world.okta.app_is_busy_until(&app, world.okta.now() + SignedDuration::from_mins(10));
    world.okta.assigns(&dana, &app);

    world.settles().await?;

    assert_eq!(world.lines(), Vec::<String>::new());
    world.indexes().await?;
    let (answer, _) = world.types("diagnose", &[("app", "Slack")]).await;
    assert!(answer.content.contains("healing itself"), "{}", answer.content);
    Ok(())
}

#[tokio::test]
async fn names_from_okta_are_shown_as_text() -> Result<()> {
    let world = World::new().await?;
    let app = world.okta.installs(
        "**@everyone** [x](https://evil.example)\u{202e}",
        "airbase",
        DeactivateUsers::Off,
    );
    let eve = world.okta.hires("<@&1>\u{7}", "`x`");
    world.okta.left_inactive(&eve, &app);
    world.okta.assigns(&eve, &app);

    world.settles().await?;

    let messages = world.discord.messages(world.channel);
    assert!(
        messages[0].content.contains(r"\*\*\@everyone\*\* \[x\](https:\/\/evil.example)"),
        "{}",
        messages[0].content
    );
    assert_eq!((messages[0].pings.roles.len(), messages[0].pings.everyone), (1, false));
    Ok(())
}

#[tokio::test]
async fn opening_an_incident_costs_three_calls_beyond_the_log() -> Result<()> {
    for (kind, calls) in [("slack", 3), ("airbase", 2)] {
        let (world, _, _) = World::where_dana_came_back_to("Coming", kind).await?;

        world.settles().await?;
        world.settles().await?;

        let beyond_the_log: Vec<_> =
            world.okta.requests("").into_iter().filter(|asked| !asked.path.ends_with("/logs")).collect();
        assert_eq!(beyond_the_log.len(), calls, "{kind}: {beyond_the_log:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_flood_of_commands_is_held_up_before_anything_runs() -> Result<()> {
    let world = World::new().await?;
    let caller = commands::chat::Caller { id: domain::ids::MemberId(5), roles: Vec::new() };
    let first = || commands::chat::Front::first(&*world.app.desk, &caller, "help", &[]);

    for _ in 0..30 {
        assert!(matches!(first(), commands::chat::First::Open(_)));
    }

    let commands::chat::First::Refuse(refusal) = first() else { anyhow::bail!("it was let through") };
    assert!(refusal.content.contains("That is a lot at once"), "{}", refusal.content);
    Ok(())
}
