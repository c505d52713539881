//! A retry that is not enough, its next rungs, its outcomes as a file, and how many calls all this costs.

use anyhow::{Context, Result};
use commands::chat::CustomId;
use domain::requests::AuditQuery;
use jiff::SignedDuration;
use sim::okta::{DeactivateUsers, Fault};

use crate::world::{World, read};

const WHY: &str = "rehires fail since Monday";

/// So many people whose push to Slack fails. The setting is on by now; a push by the API is enough, or it is not.
async fn where_many_fail(many: usize, enough: bool) -> Result<(World, String, Vec<String>)> {
    let world = World::new().await?;
    let app = world.okta.installs("Slack", "slack", DeactivateUsers::Off);
    if !enough {
        world.okta.profile_push_does_not_reactivate(&app);
    }
    let mut people = Vec::new();
    for n in 0..many {
        let person = world.okta.hires(&format!("Person{n:03}"), "Back");
        world.okta.left_inactive(&person, &app);
        world.okta.assigns(&person, &app);
        people.push(person);
    }
    world.settles().await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.passes(SignedDuration::from_secs(60));
    world.looks().await?;
    Ok((world, app, people))
}

async fn retries(world: &World, person: &str) -> Result<()> {
    let confirmation = world.says("Olive", "retry", &[("app", "Slack"), ("person", person)]).await;
    world.presses("Olive", &confirmation, "Retry").await?;
    world.works().await
}

fn beyond_the_log(world: &World) -> usize {
    world.okta.ledger().exchanges().iter().filter(|each| !each.path.ends_with("/logs")).count()
}

#[tokio::test]
async fn what_a_push_does_not_mend_is_retried_in_the_console_and_that_is_offered_first_the_next_time()
-> Result<()> {
    let (world, app, people) = where_many_fail(2, false).await?;
    retries(&world, &people[0]).await?;
    let lines = world.lines();
    let told = lines.iter().find(|line| line.contains("R1 for Slack failed")).context("nobody is told")?;
    assert!(told.contains("Still failing: ") && told.contains("User account is inactive"), "{told}");
    let transcript = world.discord.transcript();
    assert!(transcript.contains("[Retry in the console…] [Reassign…] [Outcomes as a file]"), "{transcript}");

    let confirmation = world.presses_card("Olive", "Retry in the console…").await?;
    assert!(read(&confirmation).contains("Push again: 1 person"), "{}", read(&confirmation));
    world.presses("Olive", &confirmation, "Retry").await?;
    world.works().await?;
    assert!(world.discord.transcript().contains("[~] IN PROGRESS · Slack · R2"));
    world.okta.retries_in_console(&people[0], &app);
    world.passes(SignedDuration::from_secs(60));
    world.works().await?;

    assert!(world.okta.is_active_in_app(&people[0], &app));
    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[✓] FIXED · Slack · R2")), "{lines:?}");

    let next = world.says("Olive", "retry", &[("app", "Slack"), ("person", &people[1])]).await;
    let text = read(&next);
    assert!(text.contains("A retry on the console's Tasks page worked for this app (R2)"), "{text}");
    let commands::chat::Row::Buttons(buttons) = &next.rows[0] else { anyhow::bail!("no buttons") };
    let labels: Vec<_> = buttons.iter().map(|button| button.label.as_str()).collect();
    assert_eq!(labels, ["Retry in the console…", "Retry", "Cancel"]);
    let guided = world.presses("Olive", &next, "Retry in the console…").await?;
    assert!(read(&guided).contains("in Okta's console"), "{}", read(&guided));
    // The push that it was first is withdrawn: it cannot be confirmed as well.
    let late = world.presses("Olive", &next, "Retry").await?;
    assert!(late.content.contains("withdrew") || late.content.contains("out of date"), "{}", late.content);
    Ok(())
}

#[tokio::test]
async fn what_a_push_does_not_mend_is_reassigned_from_its_card() -> Result<()> {
    let (world, app, people) = where_many_fail(1, false).await?;
    retries(&world, &people[0]).await?;

    let whom = world.presses_card("Olive", "Reassign…").await?;
    assert!(whom.content.contains("1 person can be"), "{}", whom.content);
    let commands::chat::Row::Buttons(buttons) = &whom.rows[0] else { anyhow::bail!("no buttons") };
    let commands::chat::Press::Verb(ask) = &buttons[0].press else { anyhow::bail!("a link") };
    assert_eq!((ask.verb.as_str(), buttons[0].label.as_str()), ("reassign-ask", "Person000 Back…"));
    let asked = CustomId::new("reassign", ask.args.clone());
    let confirmation = world.acts("Olive", &asked, &[("reason", WHY)]).await;
    let commands::chat::Row::Buttons(buttons) = &confirmation.rows[0] else { anyhow::bail!("no buttons") };
    let commands::chat::Press::Verb(ask) = &buttons[0].press else { anyhow::bail!("a link") };
    assert_eq!(ask.verb, "typed-ask");
    let typed = CustomId::new("typed", ask.args.clone());
    let waits = world.acts("Olive", &typed, &[("label", "Slack")]).await;
    assert!(waits.content.contains("R2 waits for approval"), "{}", waits.content);
    world.works().await?;
    for approver in ["Ada", "Abe"] {
        world.presses_card(approver, "Approve").await?;
    }
    world.works().await?;

    assert!(world.okta.is_active_in_app(&people[0], &app));
    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[✓] FIXED · Slack · R2")), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn whoever_is_assigned_by_a_group_is_not_offered_to_be_reassigned() -> Result<()> {
    for somebody_by_name in [false, true] {
        let world = World::new().await?;
        let app = world.okta.installs("Slack", "slack", DeactivateUsers::Off);
        let (dana, eli) = (world.okta.hires("Dana", "Reyes"), world.okta.hires("Eli", "Shaw"));
        for person in [&dana, &eli] {
            world.okta.left_inactive(person, &app);
        }
        world.okta.assigns_by_group(&dana, &app, "Engineering");
        if somebody_by_name {
            world.okta.assigns(&eli, &app);
        }
        world.settles().await?;
        let list = world.says("Olive", "retry", &[("app", "Slack")]).await;
        let confirmation = world.presses("Olive", &list, "Retry all").await?;
        world.presses("Olive", &confirmation, "Retry").await?;
        world.works().await?;

        if !somebody_by_name {
            assert!(world.button("Reassign…").is_none(), "a button that cannot work");
            let other = world.button("Retry in the console…").context("the other rung")?;
            // An old button, or one of somebody's own making, is answered with why.
            let whom = world.acts("Olive", &CustomId::new("whom", other.args), &[]).await;
            assert!(whom.content.contains("nobody can be reassigned"), "{}", whom.content);
            assert!(whom.content.contains("not reassigned: Dana Reyes"), "{}", whom.content);
            assert!(whom.rows.is_empty());
            continue;
        }
        // The first wave is one person, and it may be either; what is asked for each is the same.
        let request =
            world.app.desk.requests.request(domain::request::RequestNumber(1)).await?.context("R1")?;
        let by_name = matches!(request.outcomes[&eli.parse()?], domain::request::Outcome::Failed { .. });
        assert_eq!(world.button("Reassign…").is_some(), by_name);
    }
    Ok(())
}

#[tokio::test]
async fn the_file_holds_everybodys_outcome_and_no_formula() -> Result<()> {
    let world = World::new().await?;
    let app = world.okta.installs("Slack", "slack", DeactivateUsers::Off);
    let mut people = Vec::new();
    for (first, last) in
        [("=HYPERLINK(\"http://evil.example\")", "Doe"), ("Eli", "Shaw"), ("@Fay", "Webb, PhD")]
    {
        let person = world.okta.hires(first, last);
        world.okta.left_inactive(&person, &app);
        world.okta.assigns(&person, &app);
        people.push(person);
    }
    world.settles().await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.passes(SignedDuration::from_secs(60));
    world.looks().await?;
    let list = world.says("Olive", "retry", &[("app", "Slack")]).await;
    let confirmation = world.presses("Olive", &list, "Retry all 3").await?;
    world.presses("Olive", &confirmation, "Retry").await?;
    world.works().await?;

    let answer = world.presses_card("Ada", "Outcomes as a file").await?;

    assert_eq!(answer.files[0].name, "outcomes-R1.csv");
    let csv = String::from_utf8(answer.files[0].bytes.clone())?;
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!(lines.len(), 4, "{csv}");
    assert!(lines[0].starts_with("request,org,app,app_id,person,login,person_id,outcome,"), "{csv}");
    assert!(csv.contains("\"'=HYPERLINK(\"\"http://evil.example\"\") Doe\""), "{csv}");
    assert!(csv.contains("\"'@Fay Webb, PhD\""), "{csv}");
    assert!(lines[1..].iter().all(|line| line.contains(",proven,")), "{csv}");
    let cells = csv.split([',', '\n']);
    assert!(
        cells.clone().count() > 40
            && !cells.map(|cell| cell.trim_matches('"')).any(|cell| cell.starts_with('=')),
        "{csv}"
    );
    for person in &people {
        assert!(csv.contains(person.as_str()), "{csv}");
    }
    // Here a profile push is all the proof there is, and both say so.
    assert!(csv.contains("Okta reports success; not seen in the app"), "{csv}");
    let transcript = world.discord.transcript();
    assert!(transcript.contains("Okta reports success; not seen in the app."), "{transcript}");
    assert!(transcript.contains("Proof: success event"), "{transcript}");
    Ok(())
}

#[tokio::test]
async fn the_file_of_a_retry_that_was_stopped_says_why_and_who_was_left_out() -> Result<()> {
    let (world, _, people) = where_many_fail(12, false).await?;
    let list = world.says("Olive", "retry", &[("app", "Slack")]).await;
    let confirmation = world.presses("Olive", &list, "Retry all 12").await?;
    world.presses("Olive", &confirmation, "Retry").await?;
    world.works().await?;
    assert!(world.button("Outcomes as a file").is_none(), "nothing has begun");
    world.presses_card("Ada", "Approve").await?;
    world.works().await?;

    let answer = world.presses_card("Olive", "Outcomes as a file").await?;

    let csv = String::from_utf8(answer.files[0].bytes.clone())?;
    let count = |words: &str| csv.lines().filter(|line| line.contains(words)).count();
    assert_eq!((count(",failed,"), count(",left out,")), (1, people.len() - 1), "{csv}");
    assert_eq!(count("User account is inactive"), 1, "{csv}");
    Ok(())
}

#[tokio::test]
async fn where_only_the_state_proves_it_the_card_says_so() -> Result<()> {
    let (world, _, people) = where_many_fail(1, true).await?;
    world.okta.successes_log_nothing();
    retries(&world, &people[0]).await?;
    world.lives_through(SignedDuration::from_mins(11)).await?;
    world.works().await?;

    let transcript = world.discord.transcript();
    assert!(transcript.contains("[✓] FIXED · Slack · R1"), "{transcript}");
    assert!(transcript.contains("the assignment's own state in Okta; no event was seen"), "{transcript}");
    assert!(transcript.contains("Okta reports success; not seen in the app."), "{transcript}");
    let answer = world.presses_card("Olive", "Outcomes as a file").await?;
    let csv = String::from_utf8(answer.files[0].bytes.clone())?;
    assert!(csv.contains(",proven,") && !csv.contains("app-user-state"), "{csv}");
    Ok(())
}

#[tokio::test]
async fn a_retry_of_n_people_costs_at_most_two_calls_each_and_four() -> Result<()> {
    for (silent, many) in [(false, 14), (true, 14)] {
        let (world, app, people) = where_many_fail(many, true).await?;
        if silent {
            // The dearest case: nobody is seen in the log, so everybody is looked at.
            world.okta.successes_log_nothing();
        }
        let list = world.says("Olive", "retry", &[("app", "Slack")]).await;
        let confirmation = world.presses("Olive", &list, &format!("Retry all {many}")).await?;
        world.okta.ledger().clear();
        world.presses("Olive", &confirmation, "Retry").await?;
        world.works().await?;
        world.presses_card("Ada", "Approve").await?;
        for _ in 0..6 {
            world.works().await?;
            world.passes(SignedDuration::from_mins(10));
        }

        let lines = world.lines();
        assert!(lines.iter().any(|line| line.starts_with("[✓] FIXED · Slack · R1")), "{silent} {lines:?}");
        assert!(people.iter().all(|person| world.okta.is_active_in_app(person, &app)));
        let calls = beyond_the_log(&world);
        assert!(calls <= 2 * many + 4, "{silent}: {calls} calls for {many} people");
    }
    Ok(())
}

#[tokio::test]
async fn turning_it_on_by_the_api_costs_at_most_six_calls_from_confirmation_to_proof() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    let confirmation = world.says("Olive", "enable", &[("app", "Slack"), ("reason", WHY)]).await;
    world.okta.ledger().clear();
    world.presses("Olive", &confirmation, "Enable Deactivate Users").await?;
    world.works().await?;
    world.presses_card("Ada", "Approve").await?;
    world.works().await?;

    assert!(world.okta.deactivates_users(&app));
    assert!(
        world.lines().iter().any(|line| line.starts_with("[✓] DONE · Slack · R1")),
        "{:?}",
        world.lines()
    );
    let calls = beyond_the_log(&world);
    assert!(calls <= 6, "{calls} calls");
    Ok(())
}

#[tokio::test]
async fn too_many_requests_on_the_one_write_puts_it_off_and_it_goes_on() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    world.presses_card("Ada", "Approve").await?;
    world.spoils_the_write(Fault::RateLimited { reset_in_secs: 30 });

    world.works().await?;

    assert!(world.okta.deactivates_users(&app));
    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[✓] DONE · Slack · R1")), "{lines:?}");
    let exchanges = world.okta.ledger().exchanges();
    let puts: Vec<_> = exchanges.iter().filter(|each| each.method == "PUT").map(|each| each.status).collect();
    assert_eq!(puts, [429, 200]);
    let entries = world.app.desk.requests.entries(&AuditQuery::default()).await?;
    let put_off = entries.iter().find(|entry| entry.draft.what == "write.put_off").context("an entry")?;
    assert_eq!(put_off.draft.outcome, "approved");
    assert!(put_off.draft.reason.contains("rate limit"), "{}", put_off.draft.reason);
    let begun = entries.iter().filter(|entry| entry.draft.what == "write.begun").count();
    assert_eq!(begun, 2, "each try is on record before it is made");
    Ok(())
}

#[tokio::test]
async fn who_did_it_in_the_console_stands_on_the_card_after_a_restart_too() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Airbase", WHY).await?;
    world.presses_card("Ada", "Approve").await?;
    world.works().await?;
    world.okta.enables_in_console(&app, "Jo *Ortiz*");
    world.passes(SignedDuration::from_secs(30));
    world.works().await?;
    assert!(world.discord.transcript().contains("Done by Jo *Ortiz*."), "{}", world.discord.transcript());

    let world = world.starts_anew().await?;
    let request = world.app.desk.requests.request(domain::request::RequestNumber(1)).await?.context("R1")?;
    assert_eq!(request.was_done_by_another(), None, "nobody is linked");
    let domain::request::Stage::Succeeded { by: Some(by), .. } = &request.stage else {
        anyhow::bail!("{:?}", request.stage);
    };
    assert_eq!(by.name.as_deref(), Some("Jo *Ortiz*"));
    Ok(())
}

#[tokio::test]
async fn somebody_else_than_the_one_who_asked_is_said_to_be_somebody_else() -> Result<()> {
    for (by, another) in [("Olive Okta", false), ("Max Power", true)] {
        let (world, _, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
        let olive = world.okta.hires("Olive", "Okta");
        let (ada, abe) = (world.okta.hires("Ada", "Okta"), world.okta.hires("Abe", "Okta"));
        let mut links = "[links.acme]\n".to_owned();
        for (name, person) in [("Olive", &olive), ("Ada", &ada), ("Abe", &abe)] {
            links.push_str(&format!("\"{}\" = \"{person}\"\n", world.member(name)));
        }
        let world = world.configured("[roles]", &format!("{links}[roles]")).await?;
        world.settles().await?;
        world.asks_to_enable("Olive", "Airbase", WHY).await?;
        world.presses_card("Ada", "Approve").await?;
        world.works().await?;
        let who = if another { by } else { olive.as_str() };
        world.okta.enables_in_console(&app, who);
        world.passes(SignedDuration::from_secs(30));
        world.works().await?;

        let transcript = world.discord.transcript();
        assert!(transcript.contains(&format!("Done by {by}")), "{transcript}");
        assert_eq!(
            transcript.contains("who is not the person that @Olive is linked to"),
            another,
            "{transcript}"
        );
    }
    Ok(())
}
