//! The hardest gate over the wire: from a retry that was not enough, by buttons and dialogs, to a new assignment.

use anyhow::{Context, Result, ensure};
use sim::discord::{Answer, MessageView};

use crate::world::{LIMIT, World, answered, text, until};

/// What only the caller sees, with its buttons.
async fn shown(answer: &Answer) -> Result<MessageView> {
    answered(answer).await?;
    answer.current().context("the answer is gone")
}

#[tokio::test]
async fn a_retry_that_was_not_enough_leads_by_buttons_and_dialogs_to_a_new_assignment() -> Result<()> {
    let world = World::new().await?;
    world.may_write()?;
    let olive = &world.olive;
    let running = world.runs().await?;
    let app = world.comes_back("Dana", "Slack");
    world.okta.profile_push_does_not_reactivate(&app);
    world.okta.fills_in("dana", &app, "role", "admin");
    world.alert("ACTION NEEDED · Slack").await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");

    let asks = olive.types(&format!("/okta retry app:acme/{app} person:dana@example.com")).await?;
    let confirmation = shown(&asks).await?;
    answered(&olive.clicks(confirmation.id, "Retry").await?).await?;
    let card = world.alert("[x] FIX FAILED · Slack · R1").await?;
    let file = shown(&olive.clicks(card.id, "Outcomes as a file").await?).await?;
    ensure!(format!("{file:?}").contains("outcomes-R1.csv"), "{file:?}");

    let whom = shown(&olive.clicks(card.id, "Reassign…").await?).await?;
    let asks = olive.clicks(whom.id, "Dana Reyes…").await?;
    let dialog = asks.wait_for_answer(LIMIT).await.modal().context("no dialog")?;
    let confirmation = olive.fills(&dialog, &[("Why?", "a push by the API is not enough")]).await?;
    let confirmation = shown(&confirmation).await?;
    ensure!(text(&confirmation).contains("deactivates the account in the app"), "{}", text(&confirmation));
    for (label, expected) in [("slack", "the app's label is “Slack”"), ("Slack", "R2 waits for approval")]
    {
        let asks = olive.clicks(confirmation.id, "Reassign…").await?;
        let dialog = asks.wait_for_answer(LIMIT).await.modal().context("no dialog")?;
        let typed = olive.fills(&dialog, &[(&dialog.fields[0].label, label)]).await?;
        let told = answered(&typed).await?;
        ensure!(told.contains(expected), "{told}");
    }

    let card = world.alert("[?] WAITING FOR APPROVAL · Slack · R2").await?;
    for approver in [&world.abe, &world.amy] {
        answered(&approver.clicks(card.id, "Approve").await?).await?;
    }
    world.alert("[✓] FIXED · Slack · R2").await?;
    until("Dana can work", || world.okta.is_active_in_app("dana", &app)).await?;
    assert_eq!(world.okta.attribute("dana", &app, "role").as_deref(), Some("admin"));
    running.stops().await
}
