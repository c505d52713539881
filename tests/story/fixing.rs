//! The other branch: the account is mended in the app itself, and Provost waits for the proof.

use anyhow::{Context, Result};
use commands::chat::First;
use jiff::SignedDuration;

use crate::world::{World, read};

#[tokio::test]
async fn what_was_done_in_the_app_is_pushed_again_at_once_and_proven() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.okta.activates_in_app(&dana, &app);

    let more = world.presses_card("Olive", "More…").await?;
    let asked = world.presses("Olive", &more, "Done in the app…").await?;
    assert!(asked.content.contains("what was done in the app for 1 person?"), "{}", asked.content);
    let noted = world.presses("Olive", &asked, "Activated there").await?;
    assert!(
        noted.content.starts_with("R1 is noted for 1 person: activated in the app."),
        "{}",
        noted.content
    );
    world.works().await?;

    let lines = world.lines();
    assert!(lines[0].starts_with("[~] IN PROGRESS · Slack"), "{lines:?}");
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("[~] IN PROGRESS · Slack · R1 done in the app for 1 person")),
        "{lines:?}"
    );
    let transcript = world.discord.transcript();
    for words in ["Said by", "activated in the app", "Okta may never push again by itself"] {
        assert!(transcript.contains(words), "{words} is not in:\n{transcript}");
    }
    assert!(world.okta.ledger().exchanges().iter().all(|each| each.method == "GET"), "nothing was written");

    let list = world.presses("Olive", &noted, "Retry…").await?;
    let confirmation = world.presses("Olive", &list, "Retry all 1").await?;
    world.presses("Olive", &confirmation, "Retry").await?;
    world.works().await?;

    let lines = world.lines();
    for request in ["R1", "R2"] {
        let fixed = format!("[✓] FIXED · Slack · {request}");
        assert!(lines.iter().any(|line| line.starts_with(&fixed)), "{request}: {lines:?}");
    }
    assert!(lines[0].starts_with("[✓] FIXED · Slack · 1 person provisioned"), "{lines:?}");
    assert!(world.okta.is_active_in_app(&dana, &app));
    assert!(!world.okta.deactivates_users(&app), "the setting stays as it was");
    Ok(())
}

#[tokio::test]
async fn where_nobody_pushes_again_it_says_that_there_is_no_proof_and_what_comes_next() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.okta.deletes_in_app(&dana, &app);
    world.says("Olive", "fixed", &[("incident", "1"), ("how", "deleted there")]).await;
    world.works().await?;

    // A restart in the middle forgets nothing.
    let world = world.starts_anew().await?;
    world.passes(SignedDuration::from_hours(23));
    world.works().await?;
    assert!(
        world.lines().iter().any(|line| line.starts_with("[~] IN PROGRESS · Airbase · R1")),
        "{:?}",
        world.lines()
    );
    world.passes(SignedDuration::from_hours(2));
    world.works().await?;

    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[x] FIX FAILED · Airbase · R1")), "{lines:?}");
    let outcome =
        lines.iter().find(|line| line.contains("R1 for Airbase failed")).context("nobody was told")?;
    for words in ["0 of 1 proven", "no push of this person has succeeded since", "push again with"] {
        assert!(outcome.contains(words), "{words} is not in {outcome}");
    }
    let retry = world.presses_card("Olive", "Retry…").await?;
    assert!(read(&retry).contains("1 person failing"), "{}", read(&retry));
    Ok(())
}

#[tokio::test]
async fn where_it_fails_again_the_word_is_not_taken_for_the_deed() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.says("Olive", "fixed", &[("incident", "1"), ("how", "activated there")]).await;
    world.works().await?;

    world.okta.retries_in_console(&dana, &app);
    world.passes(SignedDuration::from_secs(60));
    world.works().await?;

    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[x] FIX FAILED · Airbase · R1")), "{lines:?}");
    assert!(
        lines.iter().any(|line| line.contains("User account is inactive") && line.contains("R1")),
        "{lines:?}"
    );
    assert!(lines[0].starts_with("[x] FIX FAILED · Airbase · 1 person"), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn a_pause_does_not_hold_a_word_and_it_is_given_once() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.says("Root", "pause", &[("reason", "an incident at Okta")]).await;

    world.says("Olive", "fixed", &[("incident", "1"), ("how", "activated there")]).await;
    world.works().await?;
    assert!(world.discord.transcript().contains("Waits for the proof"), "{}", world.discord.transcript());

    let again = world.says("Oscar", "fixed", &[("incident", "1"), ("how", "deleted there")]).await;
    let olive = world.mention("Olive");
    assert!(again.content.starts_with(&format!("R1 says so already, by {olive}")), "{}", again.content);
    Ok(())
}

#[tokio::test]
async fn what_was_done_otherwise_is_asked_in_a_dialog() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    let more = world.presses_card("Olive", "More…").await?;
    let asked = world.presses("Olive", &more, "Done in the app…").await?;

    let First::Ask(dialog) = world.opens("Olive", &asked, "Other…")? else { anyhow::bail!("no dialog") };
    let refused = world.acts("Olive", &dialog.submit, &[("note", "        ")]).await;
    assert!(refused.content.contains("A note of 5 to 400 characters is needed"), "{}", refused.content);
    let First::Ask(again) = world.opens("Olive", &refused, "Edit…")? else { anyhow::bail!("no dialog") };
    let noted = world.acts("Olive", &again.submit, &[("note", "merged with *her* new account")]).await;
    assert!(noted.content.contains(r"merged with \*her\* new account"), "{}", noted.content);

    let without = world.says("Olive", "fixed", &[("incident", "1"), ("how", "sorcery")]).await;
    assert!(without.content.contains("R1 says so already"), "{}", without.content);
    Ok(())
}

#[tokio::test]
async fn a_way_that_there_is_not_is_refused() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;

    let sorcery = world.says("Olive", "fixed", &[("incident", "1"), ("how", "sorcery")]).await;
    assert!(sorcery.content.contains("is not one of the ways"), "{}", sorcery.content);
    let no_note = world.says("Olive", "fixed", &[("incident", "1"), ("how", "other")]).await;
    assert!(no_note.content.contains("and none was given"), "{}", no_note.content);
    Ok(())
}

#[tokio::test]
async fn the_apps_owner_gets_a_text_with_what_to_do_for_whom_and_no_more() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    let more = world.presses_card("Olive", "More…").await?;

    let handed = world.presses("Olive", &more, "Text for the app's owner").await?;

    let text = String::from_utf8_lossy(&handed.files[0].bytes).into_owned();
    for words in [
        "To do in Airbase",
        "activate the account",
        "delete the account",
        "dana@example.com",
        "failing since",
    ] {
        assert!(text.contains(words), "{words} is not in:\n{text}");
    }
    assert!(!text.contains("Reyes"), "the owner finds the account by its login:\n{text}");
    Ok(())
}

#[tokio::test]
async fn a_request_for_an_incident_that_is_closed_meanwhile_ends() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.says("Olive", "fixed", &[("incident", "1"), ("how", "activated there")]).await;
    world.works().await?;

    world.says("Oscar", "close", &[("incident", "1"), ("reason", "the app is retired next week")]).await;
    world.works().await?;

    let lines = world.lines();
    assert!(
        lines.iter().any(|line| line.contains("the incident was closed by hand before there was proof")),
        "{lines:?}"
    );
    assert!(lines[0].starts_with("[=] CLOSED BY HAND"), "{lines:?}");
    Ok(())
}
