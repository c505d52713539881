//! The last rung: somebody is unassigned and assigned again, and whatever happens in between is finished or shouted
//! about.

use anyhow::{Context, Result};
use commands::chat::{CustomId, Message};
use domain::request::RequestNumber;
use jiff::SignedDuration;
use sim::okta::{DeactivateUsers, Fault};

use crate::world::{World, read};

pub const WHY: &str = "neither retry was enough";
pub const DELETE: &str = "DELETE /api/v1/apps/";
pub const ASSIGN: &str = "POST /api/v1/apps/";

/// Dana fails at Slack, which takes no push for a reactivation; she has a role there that somebody filled in by hand.
pub async fn where_only_a_reassignment_helps() -> Result<(World, String, String)> {
    let world = World::new().await?;
    let app = world.okta.installs("Slack", "slack", DeactivateUsers::Off);
    world.okta.profile_push_does_not_reactivate(&app);
    let dana = world.okta.hires("Dana", "Reyes");
    world.okta.left_inactive(&dana, &app);
    world.okta.assigns(&dana, &app);
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.okta.fills_in(&dana, &app, "role", "admin");
    world.settles().await?;
    world.passes(SignedDuration::from_secs(60));
    world.looks().await?;
    Ok((world, dana, app))
}

/// The typed confirmation.
pub async fn types_label(world: &World, name: &str, confirmation: &Message, label: &str) -> Result<Message> {
    let (request, hash) = parts(confirmation)?;
    Ok(world.acts(name, &CustomId::new("typed", [request, hash]), &[("label", label)]).await)
}

/// Number and hash, as the confirmation's `Cancel` carries them.
fn parts(message: &Message) -> Result<(String, String)> {
    let buttons = message.rows.iter().flat_map(|row| match row {
        commands::chat::Row::Buttons(buttons) => buttons.as_slice(),
        commands::chat::Row::Select(_) => &[],
    });
    let mut ids = buttons.filter_map(|button| match &button.press {
        commands::chat::Press::Verb(id) => Some(id.args.clone()),
        commands::chat::Press::Link(_) => None,
    });
    let args = ids.next().with_context(|| format!("no button in {}", read(message)))?;
    Ok((args[0].clone(), args[1].clone()))
}

async fn asks(world: &World, dana: &str) -> Result<Message> {
    let options = [("app", "Slack"), ("person", dana), ("reason", WHY)];
    let confirmation = world.says("Olive", "reassign", &options).await;
    types_label(world, "Olive", &confirmation, "Slack").await?;
    world.works().await?;
    Ok(confirmation)
}

pub async fn asks_and_is_approved(world: &World, dana: &str) -> Result<()> {
    asks(world, dana).await?;
    for approver in ["Ada", "Abe"] {
        let approved = world.presses_card(approver, "Approve").await?;
        assert!(approved.content.contains("You approved R1"), "{}", approved.content);
    }
    Ok(())
}

pub fn writes(world: &World) -> Vec<String> {
    let exchanges = world.okta.ledger().exchanges().into_iter();
    let writes = exchanges.filter(|each| each.method != "GET" && each.path.starts_with("/api/v1/apps/"));
    writes.map(|each| format!("{} {}", each.method, each.status)).collect()
}

/// What the audit holds, oldest first.
pub async fn record(world: &World) -> Result<Vec<String>> {
    let chain = world.app.desk.requests.chain(1).await?;
    Ok(chain.into_iter().map(|entry| entry.draft.what).collect())
}

pub async fn is_kept(world: &World) -> Result<bool> {
    Ok(world.app.desk.requests.kept_profile(RequestNumber(1)).await?.is_some())
}

pub fn is_as_it_was(world: &World, dana: &str, app: &str) {
    assert!(world.okta.is_assigned(dana, app) && world.okta.is_active_in_app(dana, app));
    assert_eq!(world.okta.attribute(dana, app, "role").as_deref(), Some("admin"));
}

#[tokio::test]
async fn somebody_is_taken_away_and_given_back_with_all_that_they_had() -> Result<()> {
    let (world, dana, app) = where_only_a_reassignment_helps().await?;
    let options = [("app", "Slack"), ("person", dana.as_str()), ("reason", WHY)];
    let confirmation = world.says("Olive", "reassign", &options).await;
    let text = read(&confirmation);
    for words in [
        "Dana Reyes",
        "deactivates the account in the app",
        "was **on** when this was asked for",
        "2 approvals",
        "30 minutes",
    ] {
        assert!(text.contains(words), "{words} is not in:\n{text}");
    }
    world.okta.ledger().clear();
    types_label(&world, "Olive", &confirmation, "Slack").await?;
    world.works().await?;
    assert!(world.discord.transcript().contains("Dana Reyes"), "approvers read whom it is about");
    for approver in ["Ada", "Abe"] {
        world.presses_card(approver, "Approve").await?;
        world.works().await?;
    }

    is_as_it_was(&world, &dana, &app);
    assert_eq!(writes(&world), ["DELETE 204", "POST 200"]);
    let exchanges = world.okta.ledger().exchanges();
    let post = exchanges.iter().find(|each| each.method == "POST").context("a POST")?;
    let body: serde_json::Value = serde_json::from_str(&post.request_body)?;
    assert_eq!((&body["id"], &body["scope"]), (&dana.as_str().into(), &"USER".into()));
    assert_eq!(body["profile"]["role"], "admin");
    let nulls = body["profile"].as_object().into_iter().flatten().filter(|(_, value)| value.is_null());
    assert!(nulls.count() == 0 && body.get("credentials").is_none(), "{body}");
    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[✓] FIXED · Slack · R1")), "{lines:?}");
    assert!(lines[0].starts_with("[✓] FIXED · Slack · 1 person provisioned"), "{lines:?}");
    assert!(!is_kept(&world).await?, "it stands in the assignment again");
    let (audit, transcript) = (world.app.desk.requests.chain(1).await?, world.discord.transcript());
    let begun = audit.iter().find(|entry| entry.draft.what == "unassign.begun").context("an entry")?;
    assert!(begun.draft.before.contains("profile sha256 "), "{}", begun.draft.before);
    assert!(
        !audit.iter().any(|entry| format!("{:?}", entry.draft).contains("admin\"")),
        "ids and hashes only"
    );
    assert!(transcript.contains("Proof: success event"), "{transcript}");
    assert!(!transcript.contains("no longer assigned"), "that was meant, and is over: {transcript}");
    let steps = record(&world).await?;
    let written: Vec<_> =
        steps.iter().filter(|what| what.contains("assign") || what.starts_with("profile")).collect();
    assert_eq!(
        written,
        ["unassign.begun", "unassign.done", "assign.begun", "assign.done", "profile.erased"],
        "each write is noted before and after"
    );
    Ok(())
}

#[tokio::test]
async fn somebody_assigned_by_a_group_is_refused_and_the_group_is_named() -> Result<()> {
    let world = World::new().await?;
    let app = world.okta.installs("Slack", "slack", DeactivateUsers::Off);
    let dana = world.okta.hires("Dana", "Reyes");
    world.okta.left_inactive(&dana, &app);
    world.okta.assigns_by_group(&dana, &app, "Engineering");
    world.settles().await?;

    let options = [("app", "Slack"), ("person", dana.as_str()), ("reason", WHY)];
    let refused = world.says("Olive", "reassign", &options).await;

    assert!(refused.content.contains("by the group **Engineering**"), "{}", refused.content);
    assert!(refused.rows.is_empty() && writes(&world).is_empty());
    Ok(())
}

#[tokio::test]
async fn another_label_is_refused_with_what_was_expected() -> Result<()> {
    let (world, dana, app) = where_only_a_reassignment_helps().await?;
    let options = [("app", "Slack"), ("person", dana.as_str()), ("reason", WHY)];
    let confirmation = world.says("Olive", "reassign", &options).await;

    for wrong in ["slack", "Slack (old)", "", "Slack\u{200b}x"] {
        let refused = types_label(&world, "Olive", &confirmation, wrong).await?;
        assert!(refused.content.contains("the app's label is “Slack”"), "{}", refused.content);
    }
    // Nor does the plain step confirm it, should somebody make a button of their own.
    let (request, hash) = parts(&confirmation)?;
    let plain = world.acts("Olive", &CustomId::new("confirm", [request, hash]), &[]).await;
    assert!(plain.content.contains("typing the app's label"), "{}", plain.content);
    let other = types_label(&world, "Oscar", &confirmation, "Slack").await?;
    assert!(other.content.contains("Only <@"), "{}", other.content);
    world.works().await?;
    assert!(!world.lines().iter().any(|line| line.contains("R1")), "{:?}", world.lines());

    let right = types_label(&world, "Olive", &confirmation, " Slack ").await?;
    assert!(right.content.contains("R1 waits for approval"), "{}", right.content);
    assert!(world.okta.is_assigned(&dana, &app));
    Ok(())
}

#[tokio::test]
async fn one_approval_is_not_enough_and_in_half_an_hour_it_expires() -> Result<()> {
    let (world, dana, app) = where_only_a_reassignment_helps().await?;
    asks(&world, &dana).await?;

    let approved = world.presses_card("Ada", "Approve").await?;
    assert!(approved.content.contains("still needs one more approval"), "{}", approved.content);
    let twice = world.presses_card("Ada", "Approve").await?;
    assert!(twice.content.contains("You have approved R1 already"), "{}", twice.content);
    world.works().await?;
    assert!(world.okta.is_assigned(&dana, &app) && writes(&world).is_empty());

    world.lives_through(SignedDuration::from_mins(31)).await?;
    world.works().await?;
    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[=] EXPIRED · Slack · R1")), "{lines:?}");
    assert!(world.okta.is_assigned(&dana, &app) && writes(&world).is_empty());
    Ok(())
}

#[tokio::test]
async fn what_changed_meanwhile_makes_it_void() -> Result<()> {
    for what in ["unassigned", "by a group", "setting"] {
        let (world, dana, app) = where_only_a_reassignment_helps().await?;
        asks(&world, &dana).await?;
        world.presses_card("Ada", "Approve").await?;
        match what {
            "unassigned" => world.okta.unassigns(&dana, &app),
            "by a group" => world.okta.assigns_by_group(&dana, &app, "Engineering"),
            _ => world.okta.disables_in_console(&app, "Max Power"),
        }
        world.presses_card("Abe", "Approve").await?;
        world.works().await?;

        let transcript = world.discord.transcript();
        assert!(transcript.contains("[=] SUPERSEDED · Slack · R1"), "{what}: {transcript}");
        assert!(writes(&world).is_empty(), "{what}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_missing_is_named_also_where_the_new_push_fails() -> Result<()> {
    let (world, dana, app) = where_only_a_reassignment_helps().await?;
    world.okta.disables_in_console(&app, "Jo Ortiz");
    world.passes(SignedDuration::from_secs(60));
    world.looks().await?;
    asks_and_is_approved(&world, &dana).await?;
    let refused = Fault::Status(400);
    world.okta.faults().next(1, ASSIGN, refused);

    world.works().await?;

    let lines = world.lines();
    let told = lines
        .iter()
        .find(|line| line.contains("R1 for Slack failed: assigned again, but it is still failing"));
    let told = told.map_or("", String::as_str);
    assert!(told.contains("User account is inactive") && told.contains("role"), "{lines:?}");
    assert!(told.contains("from the saved profile, which is kept"), "{told}");
    Ok(())
}

#[tokio::test]
async fn what_okta_refuses_before_anything_changed_is_a_plain_failure() -> Result<()> {
    let (world, dana, app) = where_only_a_reassignment_helps().await?;
    asks_and_is_approved(&world, &dana).await?;
    world.okta.faults().next(1, DELETE, Fault::Forbidden { scope: "okta.apps.manage".to_owned() });

    world.works().await?;

    assert!(world.okta.is_assigned(&dana, &app));
    let lines = world.lines();
    assert!(
        lines.iter().any(|line| line.contains("nothing was changed") && line.contains("okta.apps.manage")),
        "{lines:?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_okta_does_not_take_back_is_left_out_and_named() -> Result<()> {
    let (world, dana, app) = where_only_a_reassignment_helps().await?;
    // A mapped attribute that somebody overrode by hand: a new assignment may not set it.
    world.okta.fills_in(&dana, &app, "displayName", "=cmd|'/c calc'!A1");
    asks_and_is_approved(&world, &dana).await?;
    world.okta.ledger().clear();

    world.works().await?;

    assert!(world.okta.is_active_in_app(&dana, &app));
    assert_eq!(writes(&world), ["DELETE 204", "POST 403", "POST 200"]);
    let lines = world.lines();
    let told = lines.iter().find(|line| line.contains("worked in part")).context("nobody is told")?;
    assert!(told.contains("displayName, role") && !told.contains("calc"), "{told}");
    let file = world.presses_card("Olive", "Saved profile").await?;
    assert!(String::from_utf8(file.files[0].bytes.clone())?.contains("displayName,\"\"\"=cmd"));
    assert!(record(&world).await?.contains(&"assign.without_profile".to_owned()));
    Ok(())
}

#[tokio::test]
async fn a_pause_stops_it_even_between_the_two_writes() -> Result<()> {
    let (world, dana, app) = where_only_a_reassignment_helps().await?;
    asks_and_is_approved(&world, &dana).await?;
    world.okta.faults().next(1, ASSIGN, Fault::RateLimited { reset_in_secs: 1 });
    for _ in 0..2 {
        world.app.executor.pass().await?;
    }
    assert!(!world.okta.is_assigned(&dana, &app));
    world.says("Root", "pause", &[("reason", "an incident at Okta")]).await;
    world.passes(SignedDuration::from_secs(120));
    for _ in 0..3 {
        world.app.executor.pass().await?;
    }
    assert!(!world.okta.is_assigned(&dana, &app));
    world.shows().await?;
    assert!(world.discord.transcript().contains("All writes are stopped"));

    world.says("Root", "resume", &[]).await;
    world.works().await?;
    is_as_it_was(&world, &dana, &app);
    Ok(())
}

#[tokio::test]
async fn a_new_assignment_that_fails_as_well_is_not_called_a_fix() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    let options = [("app", "Slack"), ("person", dana.as_str()), ("reason", WHY)];
    let confirmation = world.says("Olive", "reassign", &options).await;
    assert!(read(&confirmation).contains("was **off** when this was asked for"), "{}", read(&confirmation));
    types_label(&world, "Olive", &confirmation, "Slack").await?;
    world.works().await?;
    for approver in ["Ada", "Abe"] {
        world.presses_card(approver, "Approve").await?;
    }
    world.works().await?;

    assert!(world.okta.is_assigned(&dana, &app) && !world.okta.is_active_in_app(&dana, &app));
    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[x] FIX FAILED · Slack · R1")), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn where_nothing_may_be_written_a_person_does_it_and_is_watched_for() -> Result<()> {
    let (world, dana, app) = where_only_a_reassignment_helps().await?;
    let world = world.may_not_write().await?;
    asks_and_is_approved(&world, &dana).await?;
    world.works().await?;
    let transcript = world.discord.transcript();
    for words in ["To do, in Okta's console", "the × of the person", "[~] IN PROGRESS · Slack · R1"] {
        assert!(transcript.contains(words), "{words} is not in {transcript}");
    }
    assert!(writes(&world).is_empty());

    world.passes(SignedDuration::from_secs(60));
    world.okta.unassigns(&dana, &app);
    world.works().await?;
    assert!(world.lines().iter().any(|line| line.starts_with("[~] IN PROGRESS · Slack · R1")));
    world.passes(SignedDuration::from_secs(60));
    world.okta.assigns(&dana, &app);
    world.passes(SignedDuration::from_secs(60));
    world.works().await?;

    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[✓] FIXED · Slack · R1")), "{lines:?}");
    assert!(writes(&world).is_empty());
    Ok(())
}

#[tokio::test]
async fn what_heals_itself_is_not_reassigned() -> Result<()> {
    let world = World::new().await?;
    let world = world.configured("[roles]", "[alerts]\ncauses = [\"self-healing\"]\n[roles]").await?;
    let app = world.okta.installs("Slack", "slack", DeactivateUsers::On);
    let dana = world.okta.hires("Dana", "Reyes");
    world.okta.app_is_busy_until(&app, world.okta.now() + SignedDuration::from_mins(60));
    world.okta.assigns(&dana, &app);
    world.settles().await?;

    let options = [("app", "Slack"), ("person", dana.as_str()), ("reason", WHY)];
    let refused = world.says("Olive", "reassign", &options).await;

    assert!(refused.content.contains("Okta tries again by itself"), "{}", refused.content);
    Ok(())
}

#[tokio::test]
async fn a_policy_of_one_app_decides_how_many_approve_it() -> Result<()> {
    let (world, dana, app) = where_only_a_reassignment_helps().await?;
    let policy = format!("[[policy.app]]\nid = \"{app}\"\nreassign = {{ approvals = 1 }}\n[roles]");
    let world = world.configured("[roles]", &policy).await?;
    asks(&world, &dana).await?;

    world.presses_card("Ada", "Approve").await?;
    world.works().await?;

    is_as_it_was(&world, &dana, &app);
    assert!(world.lines().iter().any(|line| line.starts_with("[✓] FIXED · Slack · R1")));
    Ok(())
}

#[tokio::test]
async fn whoever_may_not_ask_is_told_who_could() -> Result<()> {
    let (world, dana, _) = where_only_a_reassignment_helps().await?;
    let options = [("app", "Slack"), ("person", dana.as_str()), ("reason", WHY)];
    let refused = world.says("Ada", "reassign", &options).await;
    assert!(refused.content.contains("it takes the role **operator**"), "{}", refused.content);

    let nobody = [("app", "Slack"), ("person", "Zoe"), ("reason", WHY)];
    let nobody = world.says("Olive", "reassign", &nobody).await;
    assert!(nobody.content.contains("Nobody called “Zoe” is failing"), "{}", nobody.content);
    let other = world.okta.hires("Eli", "Shaw");
    let other = [("app", "Slack"), ("person", other.as_str()), ("reason", WHY)];
    let other = world.says("Olive", "reassign", &other).await;
    assert!(other.content.contains("is not assigned to Slack"), "{}", other.content);
    Ok(())
}
