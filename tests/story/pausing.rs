//! The kill switch: who may press it, who is told, and that it stops what is under way between two pushes.

use anyhow::Result;
use jiff::SignedDuration;
use sim::okta::DeactivateUsers;

use crate::world::{World, read};

fn posts(world: &World) -> usize {
    world.okta.ledger().exchanges().iter().filter(|each| each.method == "POST").count()
}

#[tokio::test]
async fn an_admin_stops_everything_and_everybody_can_see_who_did_and_why() -> Result<()> {
    let (world, ..) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    for name in ["Olive", "Ada", "Gina"] {
        for verb in ["pause", "resume"] {
            let refused = world.says(name, verb, &[("reason", "an incident at Okta")]).await;
            assert!(refused.content.contains("it takes the role **admin**"), "{name}: {}", refused.content);
        }
    }
    assert_eq!(world.record().await?, Vec::<String>::new());
    let idle = world.says("Root", "resume", &[]).await;
    assert_eq!(idle.content, "Writes are not stopped.");

    let stopped = world.says("Root", "pause", &[("reason", "an incident at Okta")]).await;
    assert!(stopped.content.starts_with("Writes to Okta are stopped."), "{}", stopped.content);
    let world = world.starts_anew().await?;
    let again = world.says("Rita", "pause", &[("reason", "me too")]).await;
    let by = format!("are stopped already, by {}", world.mention("Root"));
    assert!(again.content.contains(&by), "{}", again.content);
    let status = read(&world.says("Olive", "status", &[]).await);
    assert!(status.contains("an incident at Okta") && status.contains(&world.mention("Root")), "{status}");
    // Reading goes on.
    let (diagnosis, _) = world.types("diagnose", &[("app", "Slack")]).await;
    assert!(diagnosis.content.contains("the setting is off"), "{}", diagnosis.content);

    let resumed = world.says("Rita", "resume", &[]).await;
    assert!(resumed.content.starts_with("Writes to Okta go on."), "{}", resumed.content);
    let status = read(&world.says("Olive", "status", &[]).await);
    assert!(!status.contains("an incident at Okta"), "{status}");
    assert_eq!(world.record().await?, ["writes.resumed done", "writes.paused done"]);
    Ok(())
}

#[tokio::test]
async fn a_bulk_stops_between_two_pushes_and_goes_on_where_it_was() -> Result<()> {
    let world = World::new().await?;
    let app = world.okta.installs("Slack", "slack", DeactivateUsers::Off);
    let people: Vec<String> = (0..20).map(|n| world.okta.hires(&format!("Person{n:02}"), "Back")).collect();
    for person in &people {
        world.okta.left_inactive(person, &app);
        world.okta.assigns(person, &app);
    }
    world.settles().await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.passes(SignedDuration::from_secs(60));
    world.looks().await?;
    let list = world.says("Olive", "retry", &[("app", "Slack")]).await;
    let confirmation = world.presses("Olive", &list, "Retry all 20").await?;
    world.presses("Olive", &confirmation, "Retry").await?;
    world.works().await?;
    world.presses_card("Ada", "Approve").await?;
    for _ in 0..60 {
        if posts(&world) > 1 {
            break;
        }
        world.app.executor.pass().await?;
        world.passes(SignedDuration::from_secs(3));
        world.looks().await?;
    }
    let before = posts(&world);
    assert!((2..20).contains(&before), "{before}");

    world.says("Root", "pause", &[("reason", "an incident at Okta")]).await;
    for _ in 0..10 {
        world.app.executor.pass().await?;
        world.passes(SignedDuration::from_secs(6));
        world.looks().await?;
        world.shows().await?;
    }
    assert_eq!(posts(&world), before, "nobody is pushed while writes are stopped");
    let card = world.card("[~] IN PROGRESS · Slack · R1");
    let counts = format!("{before} proven, 0 failed, 0 waited for, {} not begun", 20 - before);
    for words in ["All writes are stopped", &counts] {
        assert!(card.contains(words), "{words} is not in {card}");
    }

    // Also over a restart: who was pushed is not pushed again.
    let world = world.starts_anew().await?;
    world.app.executor.pass().await?;
    assert_eq!(posts(&world), before);
    world.says("Root", "resume", &[]).await;
    world.works().await?;
    assert_eq!(posts(&world), 20);
    assert!(people.iter().all(|person| world.okta.is_active_in_app(person, &app)));
    assert!(!world.card("[✓] FIXED · Slack · R1").is_empty(), "{:?}", world.lines());
    Ok(())
}
