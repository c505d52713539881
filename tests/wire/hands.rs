//! What people do to an incident by hand, with Discord's own buttons, suggestions and dialogs.

use anyhow::{Context, Result, ensure};
use sim::discord::{Answer, MessageView};

use crate::world::{LIMIT, World, answered, last, until};

/// The private message that somebody is answered with.
async fn message(answer: &Answer) -> Result<MessageView> {
    answered(answer).await?;
    answer.current().context("it is gone")
}

#[tokio::test]
async fn an_incident_is_claimed_snoozed_and_closed_from_its_alert() -> Result<()> {
    let world = World::new().await?;
    let running = world.runs().await?;
    world.comes_back("Dana", "Airbase");
    let alert = world.alert("[!] ACTION NEEDED · Airbase").await?;

    let claimed = answered(&world.olive.clicks(alert.id, "Claim").await?).await?;
    assert!(claimed.starts_with("You have #1 (Airbase) now"), "{claimed}");
    until("the alert offers to take over", || {
        let alerts = world.discord.messages(world.channel);
        alerts[0].json.to_string().contains("Take over")
    })
    .await?;

    let offered = world.olive.asks_for("/okta snooze incident:1", "for", "4").await?;
    let choices = offered.wait_for_answer(LIMIT).await.choices();
    let choice = choices.first().context("nothing is offered")?;
    assert_eq!((choice.label.as_str(), choice.value.as_str()), ("4 hours", Some("4h")));
    let snoozed = answered(&world.olive.types("/okta snooze incident:1 for:4h").await?).await?;
    assert!(snoozed.starts_with("#1 (Airbase) is snoozed"), "{snoozed}");
    world.alert("[z] SNOOZED · Airbase").await?;

    // The reason is long enough for Discord, and holds nothing; it comes back in the dialog.
    let more = message(&world.olive.clicks(alert.id, "More…").await?).await?;
    let opened = world.olive.clicks(more.id, "Close…").await?;
    let dialog = opened.wait_for_answer(LIMIT).await.modal().context("no dialog")?;
    let typed = "   .........   ";
    let refused = message(&world.olive.fills(&dialog, &[("reason", typed)]).await?).await?;
    ensure!(refused.content.contains("A reason of 10 to 500 characters is needed"), "{}", refused.content);
    let opened = world.olive.clicks(refused.id, "Edit reason…").await?;
    let dialog = opened.wait_for_answer(LIMIT).await.modal().context("no dialog")?;
    assert_eq!(dialog.fields[0].value, typed.trim());
    let closed = world.olive.fills(&dialog, &[("reason", "the app is retired next week")]).await?;
    assert!(last(&closed).await?.starts_with("#1 (Airbase) is closed"));
    world.alert("[=] CLOSED BY HAND · Airbase · 1 person without proof").await?;
    running.stops().await
}

#[tokio::test]
async fn what_was_done_in_the_app_is_said_by_buttons_and_the_owner_gets_a_file() -> Result<()> {
    let world = World::new().await?;
    let running = world.runs().await?;
    world.comes_back("Dana", "Airbase");
    let alert = world.alert("[!] ACTION NEEDED · Airbase").await?;

    let more = message(&world.olive.clicks(alert.id, "More…").await?).await?;
    let text = message(&world.olive.clicks(more.id, "Text for the app's owner").await?).await?;
    assert!(text.json.to_string().contains("to-do-in-the-app-1.txt"), "{}", text.json);
    let asked = message(&world.olive.clicks(more.id, "Done in the app…").await?).await?;
    let noted = message(&world.olive.clicks(asked.id, "Deleted there").await?).await?;
    assert!(noted.content.starts_with("R1 is noted for 1 person: deleted in the app."), "{}", noted.content);
    world.alert("[~] IN PROGRESS · Airbase · R1 done in the app for 1 person").await?;
    world.alert("[~] IN PROGRESS · Airbase · 1 person cannot be provisioned").await?;

    let person = world.okta.user_id("dana").context("no Dana")?;
    let app = world.okta.app_id("Airbase").context("no Airbase")?;
    world.okta.deletes_in_app(&person, &app);
    world.okta.retries_in_console(&person, &app);
    world.alert("[✓] FIXED · Airbase · R1").await?;
    world.alert("[✓] FIXED · Airbase · 1 person provisioned").await?;
    running.stops().await
}
