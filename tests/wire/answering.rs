//! From a failure in Okta to what people are told about it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sim::okta::Fault;

use crate::world::{LIMIT, PROMPT, World, answered, last, until};

#[tokio::test]
async fn a_failure_becomes_an_alert_and_a_diagnosis_in_three_ways() -> Result<()> {
    let world = World::new().await?;
    let running = world.runs().await?;
    world.comes_back("Dana", "Airbase");
    let alert = world.alert("[!] ACTION NEEDED · Airbase · 1 person cannot be provisioned").await?;

    let offered = world.ada.asks_for("/okta diagnose", "app", "air").await?;
    let choices = offered.wait_for_answer(LIMIT).await.choices();
    ensure!(offered.acknowledged_after().is_some_and(|time| time < PROMPT));
    let choice = choices.first().context("nothing is offered")?;
    assert!(choice.label.contains("Airbase") && choice.label.contains("failing 1"), "{}", choice.label);
    let value = choice.value.as_str().context("a choice is a text")?;

    let typed = world.ada.types(&format!("/okta diagnose app:{value}")).await?;
    let pressed = world.ada.clicks(alert.id, "Diagnose").await?;
    let quoting = "Automatic provisioning of user dana to app Airbase failed: User account is inactive";
    let quoted = world.ada.says(world.channel, quoting).await?;
    let menu = world.ada.uses_menu("Diagnose with Okta", quoted).await?;

    for answer in [typed, pressed, menu] {
        let told = answered(&answer).await?;
        assert!(told.starts_with("Airbase: the setting is off, 1 person failing"), "{told}");
    }
    let seen_by_sam = world.discord.transcript_for(world.sam.id());
    assert!(!seen_by_sam.contains("the setting is off, 1 person failing"), "{seen_by_sam}");
    running.stops().await
}

#[tokio::test]
async fn an_answer_begins_at_once_while_okta_is_slow_and_the_store_is_busy() -> Result<()> {
    let world = World::new().await?;
    let running = world.runs().await?;
    let app = world.comes_back("Dana", "Airbase");
    let alert = world.alert("ACTION NEEDED · Airbase").await?;
    world.okta.faults().next(100, "/apps", Fault::Slow(Duration::from_secs(1)));
    let busy = Busy::store(&world).await?;

    let typed = world.ada.types(&format!("/okta diagnose app:acme/{app}")).await?;
    let pressed = world.ada.clicks(alert.id, "Diagnose").await?;
    let offered = world.ada.asks_for("/okta diagnose", "app", "").await?;

    assert!(!offered.wait_for_answer(LIMIT).await.choices().is_empty());
    for answer in [&typed, &pressed, &offered] {
        let began = answer.wait_for_acknowledgement(LIMIT).await.context("never acknowledged")?;
        assert!(began < PROMPT, "{began:?}");
    }
    busy.over().await?;
    for answer in [typed, pressed] {
        assert!(last(&answer).await?.contains("the setting is off"));
    }
    running.stops().await
}

#[tokio::test]
async fn what_is_delivered_twice_is_answered_once() -> Result<()> {
    let world = World::new().await?;
    let running = world.runs().await?;
    world.discord.sends_twice(true);

    let answer = world.ada.types("/okta whoami").await?;
    answered(&answer).await?;
    let path = format!("/interactions/{}/", answer.id());
    let other = world.ada.types("/okta help").await?;
    answered(&other).await?;

    assert_eq!(world.discord.requests(&path).len(), 1);
    assert_eq!(answer.messages().len(), 1);
    running.stops().await
}

#[tokio::test]
async fn a_fix_is_seen_and_the_card_turns() -> Result<()> {
    let world = World::new().await?;
    let running = world.runs().await?;
    let app = world.comes_back("Dana", "Airbase");
    let alert = world.alert("ACTION NEEDED · Airbase").await?;

    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.okta.retries_in_console("dana", &app);

    let card = || world.discord.message(alert.id).map_or(String::new(), |it| it.content);
    until("the card is green", || card().starts_with("[✓] FIXED · Airbase · 1 person provisioned")).await?;
    until("the thread tells it", || !world.discord.thread_of(alert.id).is_empty()).await?;
    assert_eq!(world.lines().len(), 1);
    running.stops().await
}

/// Another program that holds the store's write lock.
struct Busy(sqlx::AnyConnection);

impl Busy {
    async fn store(world: &World) -> Result<Self> {
        use sqlx::Connection as _;
        sqlx::any::install_default_drivers();
        let path = world.folder.path().join("provost.db");
        let mut connection = sqlx::AnyConnection::connect(&format!("sqlite://{}", path.display())).await?;
        sqlx::query("PRAGMA busy_timeout = 5000").execute(&mut connection).await?;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await?;
        Ok(Self(connection))
    }

    async fn over(mut self) -> Result<()> {
        sqlx::query("ROLLBACK").execute(&mut self.0).await?;
        Ok(())
    }
}
