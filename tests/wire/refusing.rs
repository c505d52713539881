//! Who may not, and what is not ours: refused privately, and Okta is never asked.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sim::discord::Answer;

use crate::world::{LIMIT, World, answered, until};

/// What Okta is asked by itself is reading the log; anything else is somebody's doing.
fn asked_for_somebody(world: &World) -> usize {
    world.okta.requests("/api/v1").iter().filter(|asked| !asked.path.ends_with("/logs")).count()
}

/// A world where everything that the program does by itself is done.
async fn quiet() -> Result<(World, crate::world::Running, u64, usize)> {
    let world = World::new().await?;
    let running = world.runs().await?;
    world.comes_back("Dana", "Airbase");
    let alert = world.alert("ACTION NEEDED · Airbase").await?;
    until("the incident was asked about", || {
        world
            .discord
            .message(alert.id)
            .is_some_and(|it| format!("{:?}", it.embeds).contains("assigned by name"))
    })
    .await?;
    let asked = asked_for_somebody(&world);
    Ok((world, running, alert.id, asked))
}

#[tokio::test]
async fn somebody_without_a_role_is_refused_privately_and_offered_nothing() -> Result<()> {
    let (world, running, alert, asked) = quiet().await?;

    let offered = world.sam.asks_for("/okta diagnose", "app", "air").await?;
    let typed = world.sam.types("/okta diagnose app:Airbase").await?;
    let pressed = world.sam.clicks(alert, "Diagnose").await?;
    let menu = world.sam.uses_menu("Diagnose with Okta", alert).await?;

    assert_eq!(offered.wait_for_answer(LIMIT).await.choices(), []);
    for answer in [typed, pressed, menu] {
        assert!(answered(&answer).await?.starts_with("You may not use this"));
    }
    assert_eq!(asked_for_somebody(&world), asked);
    running.stops().await
}

#[tokio::test]
async fn what_is_forged_or_foreign_is_refused() -> Result<()> {
    let (world, running, alert, asked) = quiet().await?;
    let press = |custom_id: &str| {
        json!({ "type": 3, "message": { "id": alert.to_string() },
            "data": { "custom_id": custom_id, "component_type": 2 } })
    };
    let odd: Vec<(&str, Value)> = vec![
        ("an old version", press("v0:diagnose:acme/0oa1")),
        ("a version to come", press("v9:diagnose:acme/0oa1")),
        ("another bot's", press("close_ticket")),
        ("no verb", press("v1")),
        ("an unknown verb", press("v1:destroy:1")),
        ("too many parts", press("v1:diagnose:a:b:c:d:e")),
        ("nothing", press("")),
    ];
    for (what, interaction) in odd {
        let answer = world.ada.sends_interaction(interaction).await?;
        let told = answered(&answer).await.with_context(|| what.to_owned())?;
        assert!(!told.contains("failing"), "{what}: {told}");
    }
    // Each of them is on record, soon after it was told.
    let mut recorded = 0;
    for _ in 0..8 {
        let audit = answered(&world.ada.types("/okta audit").await?).await?;
        recorded = audit.matches("refused.forged").count();
        if recorded == 7 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!(recorded, 7);
    let line = "/okta diagnose app:Airbase";
    let stranger = json!({ "user": { "id": "5", "username": "x", "bot": true }, "roles": [] });
    let places: Vec<(&str, Value)> = vec![
        (
            "a direct message",
            json!({ "guild_id": null, "member": null, "context": 1, "user": { "id": "5", "username": "x" } }),
        ),
        ("another server", json!({ "guild_id": "999" })),
        ("no member", json!({ "member": null })),
        ("a bot", json!({ "member": stranger })),
    ];
    for (what, fields) in places {
        let answer: Answer = world.ada.forging(fields).types(line).await?;
        let told = answered(&answer).await.with_context(|| what.to_owned())?;
        assert!(!told.contains("failing"), "{what}: {told}");
        let offered =
            world.ada.forging(json!({ "guild_id": "999" })).asks_for("/okta diagnose", "app", "a").await?;
        assert_eq!(offered.wait_for_answer(LIMIT).await.choices(), [], "{what}");
    }
    assert_eq!(asked_for_somebody(&world), asked);
    running.stops().await
}

#[tokio::test]
async fn what_makes_no_sense_ends_nothing() -> Result<()> {
    let world = World::new().await?;
    let running = world.runs().await?;
    world.discord.sends_garbage();
    let answer = world.ada.sends_interaction(json!({ "type": 2, "data": null })).await?;
    answer.wait_for_acknowledgement(LIMIT).await;

    world.is_ready().await?;
    answered(&world.ada.types("/okta help").await?).await?;
    running.stops().await
}
