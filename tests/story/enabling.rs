//! Turning Deactivate Users on: asked for, approved, done, proven.

use anyhow::{Context, Result};
use jiff::SignedDuration;
use sim::okta::{DeactivateUsers, Fault, FeatureWrites};

use crate::world::{World, read};

const WHY: &str = "rehires fail since Monday";

#[tokio::test]
async fn an_app_with_an_api_is_turned_on_once_approved_and_it_is_proven_from_the_log() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;

    let confirmation = world.says("Olive", "enable", &[("app", "Slack"), ("reason", WHY)]).await;
    let text = read(&confirmation);
    for words in
        ["**off** → **on**", "by Okta's API", "1 person: 1 by name, 0 by group", "The price", "one approval"]
    {
        assert!(text.contains(words), "{words} is not in:\n{text}");
    }
    assert!(!world.okta.deactivates_users(&app), "nothing is written yet");
    let waits = world.presses("Olive", &confirmation, "Enable Deactivate Users").await?;
    assert!(waits.content.contains("waits for approval"), "{}", waits.content);
    world.works().await?;
    assert!(
        world.lines().iter().any(|line| line.starts_with("[?] WAITING FOR APPROVAL · Slack · R1")),
        "{:?}",
        world.lines()
    );
    assert!(world.lines()[0].starts_with("[?] WAITING FOR APPROVAL · Slack"), "{:?}", world.lines());
    // The approver reads what the requester confirmed.
    let card = world.card("[?] WAITING FOR APPROVAL · Slack · R1");
    for fact in [
        "Deactivate Users: off → on",
        "by Okta's API",
        "1 person: 1 by name, 0 by group",
        "are deactivated in it",
    ] {
        assert!(card.contains(fact), "{fact}: {card}");
    }
    assert!(!world.okta.deactivates_users(&app));
    world.okta.ledger().clear();

    let approved = world.presses_card("Ada", "Approve").await?;
    assert!(approved.content.contains("You approved R1"), "{}", approved.content);
    world.works().await?;

    assert!(world.okta.deactivates_users(&app));
    let puts: Vec<_> =
        world.okta.ledger().exchanges().into_iter().filter(|each| each.method == "PUT").collect();
    assert_eq!(puts.len(), 1);
    assert_eq!(puts[0].request_body, r#"{"update":{"lifecycleDeactivate":{"status":"ENABLED"}}}"#);
    let beyond_the_log =
        world.okta.ledger().exchanges().iter().filter(|each| !each.path.ends_with("/logs")).count();
    assert!(beyond_the_log <= 6, "{beyond_the_log} calls");
    let lines = world.lines();
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("[✓] DONE · Slack · R1 Deactivate Users is on; next, retry")),
        "{lines:?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains("R1 for Slack worked: Deactivate Users is on, and that is proven")),
        "{lines:?}"
    );
    let list = world.presses_card("Olive", "Retry…").await?;
    assert!(list.content.contains("whom to push again?"), "{}", read(&list));
    Ok(())
}

#[tokio::test]
async fn an_app_without_an_api_is_guided_and_the_change_is_seen_by_itself() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    let confirmation = world.says("Olive", "enable", &[("app", "Airbase"), ("reason", WHY)]).await;
    assert!(read(&confirmation).contains("in Okta's console"), "{}", read(&confirmation));
    world.presses("Olive", &confirmation, "Enable Deactivate Users").await?;
    world.works().await?;

    world.presses_card("Ada", "Approve").await?;
    world.works().await?;
    let transcript = world.discord.transcript();
    let decided = world.lines().iter().filter(|line| line.contains("R1 for Airbase was approved by")).count();
    assert_eq!(decided, 1, "the requester is told once:\n{transcript}");
    assert!(transcript.contains("To do, in Okta's console"), "{transcript}");
    assert!(transcript.contains("[Open Provisioning]"), "{transcript}");

    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.passes(SignedDuration::from_secs(30));
    world.works().await?;

    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[✓] DONE · Airbase · R1")), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn done_by_somebody_before_it_was_approved_makes_it_void() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Airbase", WHY).await?;

    world.okta.enables_in_console(&app, "Max Power");
    world.passes(SignedDuration::from_secs(30));
    world.works().await?;

    assert!(
        world.discord.transcript().contains("done by Max Power, without approval"),
        "{}",
        world.discord.transcript()
    );
    let late = world.presses_card("Ada", "Approve").await;
    assert!(late.is_err(), "the button is gone");
    Ok(())
}

#[tokio::test]
async fn of_two_who_ask_for_the_same_the_second_hears_that_the_first_did_it() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    let approve = world.button("Approve").context("a button")?;
    world.asks_to_enable("Oscar", "Slack", WHY).await?;

    world.acts("Ada", &approve, &[]).await;
    world.works().await?;
    world.works().await?;

    assert!(world.okta.deactivates_users(&app));
    let transcript = world.discord.transcript();
    assert!(transcript.contains("R2 for Slack is void: R1 has turned it on already"), "{transcript}");
    assert!(!transcript.contains("without approval"), "{transcript}");
    Ok(())
}

#[tokio::test]
async fn nobody_approves_their_own_request_nor_without_the_role() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.asks_to_enable("Abe", "Slack", WHY).await?;

    let own = world.presses_card("Abe", "Approve").await?;
    assert!(own.content.contains("it is your own request"), "{}", own.content);
    let without = world.presses_card("Olive", "Approve").await?;
    assert!(without.content.contains("it takes the role **approver**"), "{}", without.content);
    world.works().await?;
    assert!(!world.okta.deactivates_users(&app));
    let (audit, _) = world.types("audit", &[]).await;
    assert!(read(&audit).contains("refused"), "{}", read(&audit));
    Ok(())
}

#[tokio::test]
async fn a_denied_an_expired_and_a_withdrawn_request_change_nothing() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    let asks = async || -> Result<()> {
        let confirmation = world.says("Olive", "enable", &[("app", "Slack"), ("reason", WHY)]).await;
        world.presses("Olive", &confirmation, "Enable Deactivate Users").await?;
        world.works().await
    };

    asks().await?;
    let ask = world.button("Deny…").expect("a button");
    let deny = commands::chat::CustomId::new("deny", ask.args);
    let denied = world.acts("Ada", &deny, &[("why", "the owner wants it off")]).await;
    assert!(denied.content.contains("You denied R1"), "{}", denied.content);
    world.works().await?;
    assert!(
        world.lines().iter().any(|line| line.contains("R1 for Slack was denied by")),
        "{:?}",
        world.lines()
    );

    asks().await?;
    world.lives_through(SignedDuration::from_mins(62)).await?;
    world.works().await?;
    assert!(
        world.lines().iter().any(|line| line.starts_with("[=] EXPIRED · Slack · R2")),
        "{:?}",
        world.lines()
    );

    asks().await?;
    let withdrawn = world.presses_card("Olive", "Withdraw").await?;
    assert!(withdrawn.content.contains("R3 is withdrawn"), "{}", withdrawn.content);
    world.works().await?;
    assert!(!world.okta.deactivates_users(&app));
    Ok(())
}

#[tokio::test]
async fn what_changed_since_is_never_written_over() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;

    world.okta.retires(&app);
    world.presses_card("Ada", "Approve").await?;
    world.works().await?;

    assert!(world.okta.ledger().exchanges().iter().all(|each| each.method != "PUT"));
    assert!(
        world.discord.transcript().contains("the app changed since it was asked for"),
        "{}",
        world.discord.transcript()
    );
    Ok(())
}

#[tokio::test]
async fn a_role_that_was_taken_away_stops_it() -> Result<()> {
    for (name, role) in [("Olive", "operator"), ("Ada", "approver")] {
        let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
        world.settles().await?;
        world.asks_to_enable("Olive", "Slack", WHY).await?;
        world.presses_card("Ada", "Approve").await?;

        world.loses(name, role);
        world.works().await?;

        assert!(!world.okta.deactivates_users(&app), "{name} lost {role}");
        assert!(world.discord.transcript().contains(&format!("does not hold the role {role} any more")));
    }
    Ok(())
}

#[tokio::test]
async fn another_setting_that_okta_changed_as_well_is_said_loudly() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.okta.feature_writes(&app, FeatureWrites::Replace);
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    world.presses_card("Ada", "Approve").await?;
    world.works().await?;

    let lines = world.lines();
    assert!(
        lines.iter().any(|line| line.contains(
            "R1 for Slack failed: Deactivate Users was turned on, but Okta changed other settings as well"
        )),
        "{lines:?}"
    );
    Ok(())
}

#[tokio::test]
async fn an_answer_that_was_lost_is_read_back_and_nothing_is_written_twice() -> Result<()> {
    for (fault, written) in [(Fault::DropAfterDoing, true), (Fault::Drop, false)] {
        let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
        world.settles().await?;
        world.asks_to_enable("Olive", "Slack", WHY).await?;
        world.presses_card("Ada", "Approve").await?;
        // The first reading of the feature passes, the write does not.
        world.spoils_the_write(fault);
        world.works().await?;

        assert_eq!(world.okta.deactivates_users(&app), written);
        let lines = world.lines();
        let expected = if written { "[✓] DONE · Slack · R1" } else { "[x] UNCLEAR · Slack · R1" };
        assert!(lines.iter().any(|line| line.starts_with(expected)), "{lines:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_a_crash_cut_off_has_an_end_within_a_minute_of_the_restart_even_if_the_log_is_late() -> Result<()>
{
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    world.presses_card("Ada", "Approve").await?;
    world.okta.arrives_late(SignedDuration::from_hours(1));
    world.spoils_the_write(Fault::DropAfterDoing);
    while !world.okta.deactivates_users(&app) {
        world.app.executor.pass().await?;
    }

    let world = world.starts_anew().await?;
    for _ in 0..10 {
        world.app.executor.pass().await?;
        world.passes(SignedDuration::from_secs(6));
        world.shows().await?;
    }

    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[✓] DONE · Slack · R1")), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn a_lost_answer_does_not_hide_what_else_okta_changed() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.okta.feature_writes(&app, FeatureWrites::Replace);
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    world.presses_card("Ada", "Approve").await?;
    world.spoils_the_write(Fault::DropAfterDoing);
    world.works().await?;

    let lines = world.lines();
    assert!(lines.iter().any(|line| line.contains("but Okta changed other settings as well")), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn already_on_writes_nothing_and_says_since_when() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.settles().await?;

    let answer = world.says("Olive", "enable", &[("app", "Airbase"), ("reason", WHY)]).await;

    assert!(answer.content.contains("is on already"), "{}", answer.content);
    assert!(answer.content.contains("Jo Ortiz"), "{}", answer.content);
    let list = world.presses("Olive", &answer, "Retry…").await?;
    assert!(list.content.contains("whom to push again?"), "{}", read(&list));
    Ok(())
}

#[tokio::test]
async fn a_pause_holds_what_was_approved_and_a_resume_lets_it_go() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    world.says("Root", "pause", &[("reason", "an incident at Okta")]).await;

    world.presses_card("Ada", "Approve").await?;
    for _ in 0..3 {
        world.app.executor.pass().await?;
    }
    assert!(!world.okta.deactivates_users(&app));

    world.says("Root", "resume", &[]).await;
    world.works().await?;
    assert!(world.okta.deactivates_users(&app));
    Ok(())
}

#[tokio::test]
async fn two_approvers_in_the_same_instant_make_one_execution() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    let approve = world.button("Approve").expect("a button");

    let (ada, abe) = tokio::join!(world.acts("Ada", &approve, &[]), world.acts("Abe", &approve, &[]));
    tokio::try_join!(world.app.executor.pass(), world.app.executor.pass())?;
    world.works().await?;

    let both = format!("{} {}", ada.content, abe.content);
    assert!(both.contains("You approved R1") && both.contains("R1 is approved already"), "{both}");
    assert!(world.okta.deactivates_users(&app));
    let puts = world.okta.ledger().exchanges().iter().filter(|each| each.method == "PUT").count();
    assert_eq!(puts, 1);
    Ok(())
}

#[tokio::test]
async fn a_forged_button_is_refused_and_written_down() -> Result<()> {
    let world = World::new().await?;
    world.okta.installs("Slack", "slack", DeactivateUsers::Off);
    let forged = commands::chat::CustomId::new("approve", ["1".to_owned(), "0123456789abcdef".to_owned()]);

    let answer = world.acts("Ada", &forged, &[]).await;

    assert!(answer.content.contains("not one of Provost's"), "{}", answer.content);
    let (audit, _) = world.types("audit", &[]).await;
    assert!(read(&audit).contains("refused.forged"), "{}", read(&audit));
    Ok(())
}
