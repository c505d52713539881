//! No audit, no write: where an entry cannot be kept, Okta hears nothing, and that is said.

use anyhow::Result;
use jiff::SignedDuration;

use crate::reassigning::types_label;
use crate::world::World;

const WHY: &str = "rehires fail since Monday";

/// The table of the audit takes no such entry any more, as on a disk that is full.
macro_rules! refuses {
    ($what:literal) => {
        concat!(
            "CREATE TRIGGER refuses BEFORE INSERT ON audit WHEN NEW.what = '",
            $what,
            "' BEGIN SELECT RAISE(ABORT, 'no such entry is taken'); END"
        )
    };
}
const TAKES_ALL_AGAIN: &str = "DROP TRIGGER refuses";

fn writes(world: &World) -> Vec<String> {
    let exchanges = world.okta.ledger().exchanges().into_iter();
    let writes = exchanges.filter(|each| each.method != "GET" && each.path.starts_with("/api/v1/apps/"));
    writes.map(|each| each.method).collect()
}

/// Half an hour in which nothing can be begun, shown as it passes.
async fn waits_in_vain(world: &World) -> Result<()> {
    for _ in 0..30 {
        assert!(world.app.executor.pass().await.is_err(), "the entry is taken");
        world.passes(SignedDuration::from_secs(60));
        world.looks().await?;
        world.shows().await?;
    }
    Ok(())
}

fn said(world: &World, words: &str) -> usize {
    world.lines().iter().filter(|line| line.contains(words)).count()
}

/// It is told once, by words that say what happened, what it means and what is to be done.
fn is_told(world: &World, number: &str) {
    let start = format!("[!] CANNOT RECORD · acme · {number} waits");
    assert_eq!(said(world, &start), 1, "{:?}", world.lines());
    let notice = world.card(&start);
    for words in ["nothing is written to Okta", "goes on by itself", "provost doctor"] {
        assert!(notice.contains(words), "{words} is not in {notice}");
    }
}

#[tokio::test]
async fn the_setting_is_not_turned_on_until_that_can_be_recorded() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    world.presses_card("Ada", "Approve").await?;
    world.in_the_database(refuses!("write.begun")).await?;
    waits_in_vain(&world).await?;

    assert!(!world.okta.deactivates_users(&app));
    assert_eq!(writes(&world), Vec::<String>::new());
    assert!(!world.card("[~] IN PROGRESS · Slack · R1").is_empty(), "{:?}", world.lines());
    is_told(&world, "R1");

    world.in_the_database(TAKES_ALL_AGAIN).await?;
    world.works().await?;
    assert!(world.okta.deactivates_users(&app));
    assert_eq!(writes(&world), ["PUT"]);
    assert_eq!(said(&world, "[✓] DONE · Slack · R1"), 1, "{:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn nobody_is_pushed_until_that_can_be_recorded() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.settles().await?;
    let confirmation = world.says("Olive", "retry", &[("app", "Slack"), ("person", &dana)]).await;
    world.presses("Olive", &confirmation, "Retry").await?;
    world.in_the_database(refuses!("push.begun")).await?;
    // The request itself is begun, and that is recorded.
    world.app.executor.pass().await?;
    waits_in_vain(&world).await?;

    assert_eq!(writes(&world), Vec::<String>::new());
    is_told(&world, "R1");

    world.in_the_database(TAKES_ALL_AGAIN).await?;
    world.works().await?;
    assert!(world.okta.is_active_in_app(&dana, &app));
    assert_eq!(writes(&world), ["POST"]);
    Ok(())
}

#[tokio::test]
async fn nobody_is_unassigned_or_assigned_until_that_can_be_recorded() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.okta.profile_push_does_not_reactivate(&app);
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.settles().await?;
    let options = [("app", "Slack"), ("person", dana.as_str()), ("reason", WHY)];
    let confirmation = world.says("Olive", "reassign", &options).await;
    types_label(&world, "Olive", &confirmation, "Slack").await?;
    world.works().await?;
    for approver in ["Ada", "Abe"] {
        world.presses_card(approver, "Approve").await?;
    }
    world.in_the_database(refuses!("unassign.begun")).await?;
    assert!(world.app.executor.pass().await.is_err(), "the entry is taken");
    assert!(world.okta.is_assigned(&dana, &app));
    assert_eq!(writes(&world), Vec::<String>::new());

    // Half of it can be recorded: what was taken away is not given back unseen, and that is loud.
    world.in_the_database(TAKES_ALL_AGAIN).await?;
    world.in_the_database(refuses!("assign.begun")).await?;
    // All is looked at afresh first.
    world.app.executor.pass().await?;
    waits_in_vain(&world).await?;
    assert_eq!(writes(&world), ["DELETE"]);
    assert_eq!(said(&world, "R1 for Slack is half done"), 1, "{:?}", world.lines());
    is_told(&world, "R1");

    world.in_the_database(TAKES_ALL_AGAIN).await?;
    world.works().await?;
    assert!(world.okta.is_assigned(&dana, &app) && world.okta.is_active_in_app(&dana, &app));
    assert_eq!(writes(&world), ["DELETE", "POST"]);
    Ok(())
}

#[tokio::test]
async fn an_approval_that_cannot_be_recorded_is_none_and_the_approver_is_told() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    world.in_the_database(refuses!("request.approved")).await?;

    let answer = world.presses_card("Ada", "Approve").await?;

    assert!(answer.content.starts_with("Nothing was done: Provost's database failed"), "{}", answer.content);
    world.works().await?;
    assert!(!world.okta.deactivates_users(&app));
    assert!(world.card("[?] WAITING FOR APPROVAL · Slack · R1").contains("Approvals so far: 0 of 1"));
    world.in_the_database(TAKES_ALL_AGAIN).await?;
    world.presses_card("Ada", "Approve").await?;
    world.works().await?;
    assert!(world.okta.deactivates_users(&app));
    Ok(())
}
