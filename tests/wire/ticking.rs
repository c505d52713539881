//! Whom to push again, ticked in a menu over the wire: those who were ticked, and nobody else.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use sim::discord::{Answer, MessageView};

use crate::world::{World, answered, text, until};

/// What only the caller sees, once it has a button that begins like this.
async fn with_button(answer: &Answer, label: &str) -> Result<MessageView> {
    let has = |message: &MessageView| message.rows.iter().flatten().any(|it| it.label.starts_with(label));
    until(&format!("a button {label:?}"), || answer.current().is_some_and(|it| has(&it))).await?;
    answer.current().context("the answer is gone")
}

#[tokio::test]
async fn only_who_was_ticked_is_pushed_and_a_tick_can_be_taken_back() -> Result<()> {
    let world = World::new().await?;
    world.may_write()?;
    let running = world.runs().await?;
    let mut app = String::new();
    let names = ["Ann", "Ben", "Cleo", "Dana"];
    for name in names {
        app = world.comes_back(name, "Slack");
    }
    world.alert("[!] ACTION NEEDED · Slack · 4 people").await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");

    let asked = world.olive.types(&format!("/okta retry app:acme/{app}")).await?;
    let list = with_button(&asked, "Retry all 4").await?;
    let menu = "Tick whom to push again (page 1 of 1)";
    let entry = |name: &str| format!("{name} Reyes ({}@example.com)", name.to_lowercase());
    let (ann, ben, dana) = (entry("Ann"), entry("Ben"), entry("Dana"));
    world.olive.chooses(list.id, menu, &[&ann, &ben, &dana]).await?;
    let three = with_button(&asked, "Retry selected (3)").await?;
    ensure!(text(&three).contains("4 people failing, 3 ticked"), "{}", text(&three));
    world.olive.chooses(list.id, menu, &[&ann, &dana]).await?;
    with_button(&asked, "Retry selected (2)").await?;
    world.olive.clicks(list.id, "Retry selected (2)").await?;
    let confirmation = with_button(&asked, "Cancel").await?;
    until("it asks to be confirmed", || {
        asked.current().is_some_and(|it| it.content.contains("please confirm"))
    })
    .await?;
    let shown = text(&asked.current().context("the answer is gone")?);
    ensure!(shown.contains("Ann Reyes") && shown.contains("Dana Reyes") && !shown.contains("Ben"), "{shown}");
    answered(&world.olive.clicks(confirmation.id, "Retry").await?).await?;

    world.alert("[✓] FIXED · Slack · R1 retry 2 people").await?;
    world.alert("[!] ACTION NEEDED · Slack · 2 people").await?;
    for name in names {
        let active = world.okta.is_active_in_app(&name.to_lowercase(), &app);
        assert_eq!(active, ["Ann", "Dana"].contains(&name), "{name}");
    }
    let asked = world.okta.requests("/api/v1/apps/");
    let posts: Vec<String> =
        asked.into_iter().filter(|asked| asked.method == "POST").map(|asked| asked.path).collect();
    assert_eq!((posts.len(), posts.into_iter().collect::<BTreeSet<_>>().len()), (2, 2));
    running.stops().await
}
