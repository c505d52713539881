//! What people type, and what they are told.

use anyhow::Result;
use sim::okta::DeactivateUsers;

use crate::world::{World, read};

#[tokio::test]
async fn a_diagnosis_says_what_is_wrong_and_costs_few_calls() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.okta.ledger().clear();

    let (answer, drafts) = world.types("diagnose", &[("app", &format!("acme/{app}"))]).await;

    let text = read(&answer);
    for words in [
        "the setting is off, 1 person failing",
        "Dana Reyes",
        "by hand only",
        "The price",
        "1 person: 1 by name",
        "Assigned now: 1 person",
    ] {
        assert!(text.contains(words), "{words} is not in:\n{text}");
    }
    let done = answer.rows.iter().any(|row| format!("{row:?}").contains("Done in the app…"));
    assert!(done, "the other branch is offered: {:?}", answer.rows);
    assert_eq!(drafts.len(), 1, "the first facts come from memory");
    assert!(read(&drafts[0]).contains("1 person failing, by Provost's own record"), "{}", read(&drafts[0]));
    assert!(world.okta.ledger().exchanges().len() <= 5, "{}", world.okta.ledger().exchanges().len());
    Ok(())
}

#[tokio::test]
async fn each_verdict_has_its_words() -> Result<()> {
    // Already on: turned on after the last failure.
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.okta.advance(jiff::SignedDuration::from_secs(5));
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.settles().await?;
    let (answer, _) = world.types("diagnose", &[("app", "Airbase")]).await;
    assert_eq!(answer.content, "Airbase: Deactivate Users is already on, retry");
    assert!(read(&answer).contains("turned **on** by Jo Ortiz"), "{}", read(&answer));

    // On, and still failing: with a bundle for the app's support.
    world.okta.advance(jiff::SignedDuration::from_secs(5));
    world.okta.app_refuses_with(&app, "User account is inactive");
    world.okta.retries_in_console(&dana, &app);
    world.settles().await?;
    let (answer, _) = world.types("diagnose", &[("app", "Airbase")]).await;
    assert_eq!(answer.content, "Airbase: on, and still failing: 1 person");
    let bundle = String::from_utf8_lossy(&answer.files[0].bytes).into_owned();
    assert!(bundle.contains(&dana) && !bundle.contains('@'), "{bundle}");

    // Another cause.
    let other = world.okta.installs("Licensed", "licensed", DeactivateUsers::On);
    let ben = world.okta.hires("Ben", "Okoro");
    world.okta.app_refuses_with(&other, "No more seats available");
    world.okta.assigns(&ben, &other);
    world.settles().await?;
    world.indexes().await?;
    let (answer, _) = world.types("diagnose", &[("app", "Licensed")]).await;
    assert!(read(&answer).contains("No licence or seat is left"), "{}", read(&answer));

    // No provisioning; nothing failing.
    world.okta.installs_without_provisioning("Wiki", "wiki");
    world.okta.installs("Quiet", "quiet", DeactivateUsers::Off);
    world.indexes().await?;
    let (answer, _) = world.types("diagnose", &[("app", "Wiki")]).await;
    assert_eq!(answer.content, "Wiki: provisioning is off or unsupported");
    let (answer, _) = world.types("diagnose", &[("app", "Quiet")]).await;
    assert_eq!(answer.content, "Quiet: nothing is failing");
    assert!(read(&answer).contains("the next person who comes back will fail"), "{}", read(&answer));

    // An app whose setting the API can write.
    world.okta.installs("Slack", "slack", DeactivateUsers::Off);
    world.indexes().await?;
    let (answer, _) = world.types("diagnose", &[("app", "Slack")]).await;
    assert!(read(&answer).contains("can be changed by Okta's API"), "{}", read(&answer));
    Ok(())
}

#[tokio::test]
async fn a_fact_that_cannot_be_had_is_named() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.okta.faults().next(9, "/connections", sim::okta::Fault::Status(503));
    world.okta.faults().next(9, "/users", sim::okta::Fault::Html(502));

    let (answer, _) = world.types("diagnose", &[("app", "Airbase")]).await;

    let text = read(&answer);
    assert!(text.contains("the setting is off"), "{text}");
    for words in ["Could not be had", "its connection", "its people"] {
        assert!(text.contains(words), "{words} is not in:\n{text}");
    }
    Ok(())
}

#[tokio::test]
async fn nobody_without_a_role_may_do_anything_but_ask_for_help() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.okta.ledger().clear();

    for verb in ["diagnose", "incidents", "tasks", "status", "Diagnose with Okta"] {
        let (answer, _) = world.calls(&[], verb, &[("app", &app)], None).await;
        assert!(answer.content.starts_with("You may not use this"), "{verb}: {}", answer.content);
    }
    assert_eq!(world.okta.ledger().exchanges().len(), 0);
    let (help, _) = world.calls(&[], "help", &[], None).await;
    assert!(!help.content.contains("diagnose") && help.content.contains("whoami"), "{}", help.content);
    let (whoami, _) = world.calls(&[], "whoami", &[], None).await;
    assert!(whoami.content.contains("You hold no role"), "{}", whoami.content);
    Ok(())
}

#[tokio::test]
async fn the_lists_show_who_fails_where_and_link_to_the_alert() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;

    let (tasks, _) = world.types("tasks", &[]).await;
    assert!(
        read(&tasks).contains("1 person failing") && read(&tasks).contains("Dana Reyes"),
        "{}",
        read(&tasks)
    );
    let file = String::from_utf8_lossy(&tasks.files[0].bytes).into_owned();
    assert_eq!(file.lines().count(), 2, "{file}");
    let (incidents, _) = world.types("incidents", &[]).await;
    assert!(read(&incidents).contains("[alert](https://discord.com/channels/"), "{}", read(&incidents));
    let (status, _) = world.types("status", &[]).await;
    assert!(read(&status).contains("Open incidents: 1, people failing: 1"), "{}", read(&status));
    Ok(())
}

#[tokio::test]
async fn an_app_that_is_unknown_or_ambiguous_gets_the_candidates() -> Result<()> {
    let world = World::new().await?;
    world.okta.installs("Airbase", "airbase", DeactivateUsers::Off);
    world.okta.installs("Airbase", "airbase", DeactivateUsers::On);
    world.indexes().await?;

    let (answer, _) = world.types("diagnose", &[("app", "airbase")]).await;
    assert!(answer.content.contains("is the label of 2 apps"), "{}", answer.content);
    let (answer, _) = world.types("diagnose", &[("app", "airb")]).await;
    assert!(answer.content.contains("Did you mean Airbase"), "{}", answer.content);
    let (answer, _) = world.types("diagnose", &[("app", "acme/0oaNobodyKnowsThisOne")]).await;
    assert!(answer.content.contains("does not know app 0oaNobodyKnowsThisOne"), "{}", answer.content);
    Ok(())
}

#[tokio::test]
async fn a_message_that_quotes_the_error_is_enough_to_diagnose() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    let quoted = "Automatic provisioning of user dana to app Airbase failed: User account is inactive";

    let (answer, _) = world.calls(&[world.viewer_role()], "Diagnose with Okta", &[], Some(quoted)).await;

    assert_eq!(answer.content, "Airbase: the setting is off, 1 person failing");
    Ok(())
}
