//! Okta forbids what Provost writes: nothing is changed, it has failed and is not unclear, and what is missing is named.

use anyhow::Result;
use commands::chat::Message;
use domain::request::{RequestNumber, Stage};
use jiff::SignedDuration;
use sim::okta::{DeactivateUsers, Fault};

use crate::reassigning::types_label;
use crate::world::World;

const WHY: &str = "rehires fail since Monday";

/// What Okta says, and what is missing then: a service app's scope, or a role of the one who made the token.
fn refusals() -> [(Fault, &'static str); 2] {
    [
        (Fault::Forbidden { scope: "okta.apps.manage".to_owned() }, "the scope okta.apps.manage"),
        (Fault::Status(403), "Application Administrator"),
    ]
}

/// What was written, with Okta's answer.
fn writes(world: &World) -> Vec<String> {
    let exchanges = world.okta.ledger().exchanges().into_iter();
    let writes = exchanges.filter(|each| each.method != "GET" && each.path.starts_with("/api/v1/apps/"));
    writes.map(|each| format!("{} {}", each.method, each.status)).collect()
}

/// The only line that says these words, with whom it rang.
fn told(world: &World, words: &str) -> (String, Vec<String>) {
    let messages = world.discord.messages(world.channel);
    let mut found: Vec<_> = messages.into_iter().filter(|each| each.content.contains(words)).collect();
    assert_eq!(found.len(), 1, "{words}: {:?}", world.lines());
    let message = found.remove(0);
    (message.content, message.rang)
}

async fn has_failed(world: &World, number: i64) -> Result<()> {
    let request = world.app.desk.requests.request(RequestNumber(number)).await?;
    let stage = request.map(|request| request.stage);
    assert!(matches!(stage, Some(Stage::Failed { .. })), "{stage:?}");
    assert!(!world.discord.transcript().contains("UNCLEAR"), "{}", world.discord.transcript());
    Ok(())
}

#[tokio::test]
async fn where_the_setting_may_not_be_turned_on_the_card_says_what_is_missing() -> Result<()> {
    for (refusal, missing) in refusals() {
        let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
        world.settles().await?;
        world.asks_to_enable("Olive", "Slack", WHY).await?;
        world.presses_card("Ada", "Approve").await?;
        world.spoils_the_write(refusal);
        world.works().await?;
        // It is not tried again behind anybody's back.
        world.lives_through(SignedDuration::from_mins(30)).await?;
        world.works().await?;

        assert!(!world.okta.deactivates_users(&app));
        assert_eq!(writes(&world), ["PUT 403"]);
        has_failed(&world, 1).await?;
        let card = world.card("[x] FIX FAILED · Slack · R1");
        assert!(card.contains(missing), "{missing} is not in {card}");
        let (line, rang) = told(&world, "R1 for Slack failed");
        assert!(line.contains(missing), "{missing} is not in {line}");
        assert_eq!(rang, ["@Olive", "@oncall"]);
        assert!(
            world.lines()[0].starts_with("[x] FIX FAILED · Slack · 1 person cannot"),
            "{:?}",
            world.lines()
        );
        let record = world.record().await?;
        assert!(record.contains(&"write.refused failed".to_owned()), "{record:?}");
    }
    Ok(())
}

/// People who may be pushed again: the setting is on by now.
async fn where_people_can_be_pushed(many: usize) -> Result<(World, String, Vec<String>)> {
    let world = World::new().await?;
    let app = world.okta.installs("Slack", "slack", DeactivateUsers::Off);
    let people: Vec<String> = (0..many).map(|n| world.okta.hires(&format!("Person{n:02}"), "Back")).collect();
    for person in &people {
        world.okta.left_inactive(person, &app);
        world.okta.assigns(person, &app);
    }
    world.settles().await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.passes(SignedDuration::from_secs(60));
    world.looks().await?;
    Ok((world, app, people))
}

#[tokio::test]
async fn where_nobody_may_be_pushed_the_first_is_refused_and_the_others_are_left_alone() -> Result<()> {
    for (refusal, missing) in refusals() {
        let (world, app, people) = where_people_can_be_pushed(4).await?;
        let list = world.says("Olive", "retry", &[("app", "Slack")]).await;
        let confirmation = world.presses("Olive", &list, "Retry all 4").await?;
        world.presses("Olive", &confirmation, "Retry").await?;
        world.okta.faults().next(100, "POST /api/v1/apps/", refusal);
        world.works().await?;
        world.lives_through(SignedDuration::from_mins(30)).await?;
        world.works().await?;

        assert_eq!(writes(&world), ["POST 403"], "who may not once, may not the next time");
        assert!(people.iter().all(|person| !world.okta.is_active_in_app(person, &app)));
        has_failed(&world, 1).await?;
        let card = world.card("[x] FIX FAILED · Slack · R1");
        for words in [missing, "0 proven, 1 failed, 0 waited for, 3 not begun"] {
            assert!(card.contains(words), "{words} is not in {card}");
        }
        let (line, _) = told(&world, "R1 for Slack failed: 0 of 4 proven, 1 failed");
        assert!(line.contains(missing), "{missing} is not in {line}");
        let record = world.record().await?;
        assert!(record.iter().any(|line| line.starts_with("push.refused ")), "{record:?}");
    }
    Ok(())
}

/// Dana is to be reassigned, and two have approved it.
async fn where_dana_is_to_be_reassigned() -> Result<(World, String, String)> {
    let (world, app, people) = where_people_can_be_pushed(1).await?;
    let options = [("app", "Slack"), ("person", people[0].as_str()), ("reason", WHY)];
    let confirmation: Message = world.says("Olive", "reassign", &options).await;
    types_label(&world, "Olive", &confirmation, "Slack").await?;
    world.works().await?;
    for approver in ["Ada", "Abe"] {
        world.presses_card(approver, "Approve").await?;
    }
    Ok((world, people[0].clone(), app))
}

#[tokio::test]
async fn where_nobody_may_be_unassigned_nothing_is_taken_away() -> Result<()> {
    for (refusal, missing) in refusals() {
        let (world, person, app) = where_dana_is_to_be_reassigned().await?;
        world.okta.faults().next(1, "DELETE /api/v1/apps/", refusal);
        world.works().await?;

        assert!(world.okta.is_assigned(&person, &app));
        assert_eq!(writes(&world), ["DELETE 403"]);
        has_failed(&world, 1).await?;
        let card = world.card("[x] FIX FAILED · Slack · R1");
        for words in [missing, "so nothing was changed"] {
            assert!(card.contains(words), "{words} is not in {card}");
        }
        let (line, _) = told(&world, "R1 for Slack failed");
        assert!(line.contains(missing), "{missing} is not in {line}");
    }
    Ok(())
}

#[tokio::test]
async fn where_nobody_may_be_assigned_again_what_is_missing_is_shouted() -> Result<()> {
    for (refusal, missing) in refusals() {
        let (world, person, app) = where_dana_is_to_be_reassigned().await?;
        world.okta.faults().next(2, "POST /api/v1/apps/", refusal);
        world.works().await?;

        assert!(!world.okta.is_assigned(&person, &app));
        let (line, rang) = told(&world, "UNASSIGNED");
        assert!(line.contains(missing), "{missing} is not in {line}");
        assert_eq!(rang, ["@Olive", "@oncall"]);
    }
    Ok(())
}

#[tokio::test]
async fn where_it_may_not_even_be_looked_at_before_the_write_that_is_said_and_nothing_is_written()
-> Result<()> {
    for path in ["/features", ""] {
        let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
        world.settles().await?;
        world.asks_to_enable("Olive", "Slack", WHY).await?;
        world.presses_card("Ada", "Approve").await?;
        let forbidden = Fault::Forbidden { scope: "okta.apps.read".to_owned() };
        world.okta.faults().next(1_000, &format!("GET /api/v1/apps/{app}{path}"), forbidden);
        world.works().await?;

        assert!(!world.okta.deactivates_users(&app));
        assert_eq!(writes(&world), Vec::<String>::new());
        has_failed(&world, 1).await?;
        let card = world.card("[x] FIX FAILED · Slack · R1");
        for words in ["the scope okta.apps.read", "Nothing was changed"] {
            assert!(card.contains(words), "{words} is not in {card}");
        }
    }
    Ok(())
}
