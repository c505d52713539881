//! From what somebody asks for to the proof, by clicks over the websocket and writes over HTTP.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use sim::discord::{Answer, MessageView, Person, Shown};
use sim::okta::Fault;

use crate::program::Program;
use crate::world::{LIMIT, PROMPT, Running, World, last, text, until};

/// A world where so many people came back to an app, and Provost may write.
async fn where_people_came_back(label: &str, many: usize) -> Result<(World, Running, String)> {
    let world = World::new().await?;
    world.may_write()?;
    let running = world.runs().await?;
    let mut app = String::new();
    for n in 0..many {
        app = world.comes_back(&format!("Person{n:02}"), label);
    }
    let people = if many == 1 { "1 person".to_owned() } else { format!("{many} people") };
    world.alert(&format!("[!] ACTION NEEDED · {label} · {people}")).await?;
    Ok((world, running, app))
}

/// Somebody's private answer, once it has a button of this label; its id.
async fn with_button(answer: &Answer, label: &str) -> Result<u64> {
    let has = |message: &MessageView| message.rows.iter().flatten().any(|it| it.label == label);
    until(&format!("a button {label:?}"), || answer.current().is_some_and(|it| has(&it))).await?;
    Ok(answer.current().context("the answer is gone")?.id)
}

/// Somebody asks by a command, and confirms.
async fn asks(person: &Person, line: &str, confirm: &str) -> Result<Answer> {
    let answer = person.types(line).await?;
    let confirmation = with_button(&answer, confirm).await?;
    person.clicks(confirmation, confirm).await
}

/// Somebody presses a button of a card; what only they are told.
async fn presses(person: &Person, card: &MessageView, label: &str) -> Result<String> {
    last(&person.clicks(card.id, label).await?).await
}

/// How often something was written to the org.
fn writes(world: &World, method: &str) -> usize {
    world.okta.requests("/api/v1/apps/").iter().filter(|asked| asked.method == method).count()
}

async fn becomes(world: &World, card: &MessageView, start: &str) -> Result<MessageView> {
    let now = || world.discord.message(card.id);
    until(&format!("the card says {start:?}, and not {:?}", now().map(|it| it.content)), || {
        now().is_some_and(|it| it.content.starts_with(start))
    })
    .await?;
    now().context("the card is gone")
}

#[tokio::test]
async fn asked_for_from_the_alert_approved_written_once_and_proven() -> Result<()> {
    let (world, running, app) = where_people_came_back("Slack", 1).await?;
    let alert = world.alert("ACTION NEEDED · Slack").await?;
    let dialog = world.olive.clicks(alert.id, "Enable Deactivate Users…").await?;
    until("a dialog", || matches!(dialog.now(), Shown::Modal(_))).await?;
    let Shown::Modal(modal) = dialog.now() else { bail!("no dialog") };
    let answer = world.olive.fills(&modal, &[("Why?", "rehires fail since Monday")]).await?;
    let confirmation = with_button(&answer, "Enable Deactivate Users").await?;
    world.olive.clicks(confirmation, "Enable Deactivate Users").await?;
    let card = world.alert("[?] WAITING FOR APPROVAL · Slack · R1").await?;
    assert!(!world.okta.deactivates_users(&app));
    assert_eq!(card.pings.roles.len(), 1, "the people on call are rung once");

    let told = presses(&world.amy, &card, "Approve").await?;

    assert!(told.contains("You approved R1"), "{told}");
    let proven = becomes(&world, &card, "[✓] DONE · Slack · R1").await?;
    let labels: Vec<&str> = proven.rows.iter().flatten().map(|it| it.label.as_str()).collect();
    assert_eq!(labels, ["Retry…"], "nothing is left to decide, and those who failed can be pushed");
    assert!(world.okta.deactivates_users(&app));
    assert_eq!(writes(&world, "PUT"), 1);
    running.stops().await
}

#[tokio::test]
async fn what_a_person_does_in_the_console_is_seen_by_itself() -> Result<()> {
    let (world, running, app) = where_people_came_back("Airbase", 1).await?;
    let card = world.asks_to_enable(&app, "Airbase").await?;
    presses(&world.amy, &card, "Approve").await?;
    becomes(&world, &card, "[~] IN PROGRESS · Airbase").await?;

    world.okta.enables_in_console(&app, "Jo Ortiz");

    becomes(&world, &card, "[✓] DONE · Airbase · R1").await?;
    assert_eq!(writes(&world, "PUT") + writes(&world, "POST"), 0);
    running.stops().await
}

#[tokio::test]
async fn done_before_it_was_approved_makes_it_void() -> Result<()> {
    let (world, running, app) = where_people_came_back("Airbase", 1).await?;
    let card = world.asks_to_enable(&app, "Airbase").await?;

    world.okta.enables_in_console(&app, "Max Power");

    until("the card says who did it", || {
        world
            .discord
            .message(card.id)
            .is_some_and(|it| text(&it).contains("done by Max Power, without approval"))
    })
    .await?;
    running.stops().await
}

#[tokio::test]
async fn ones_own_request_and_a_press_without_the_role_are_refused() -> Result<()> {
    let (world, running, app) = where_people_came_back("Slack", 1).await?;
    let line = format!("/okta enable app:acme/{app} reason:\"rehires fail since Monday\"");
    asks(&world.abe, &line, "Enable Deactivate Users").await?;
    let card = world.alert("[?] WAITING FOR APPROVAL · Slack · R1").await?;

    let own = presses(&world.abe, &card, "Approve").await?;
    let without = presses(&world.olive, &card, "Approve").await?;

    assert!(own.contains("your own request"), "{own}");
    assert!(without.contains("approver"), "{without}");
    assert!(!world.okta.deactivates_users(&app));
    running.stops().await
}

#[tokio::test]
async fn denied_with_a_reason_that_the_requester_reads() -> Result<()> {
    let (world, running, app) = where_people_came_back("Slack", 1).await?;
    let card = world.asks_to_enable(&app, "Slack").await?;
    let dialog = world.amy.clicks(card.id, "Deny…").await?;
    until("a dialog", || matches!(dialog.now(), Shown::Modal(_))).await?;
    let Shown::Modal(modal) = dialog.now() else { bail!("no dialog") };
    world.amy.fills(&modal, &[("Why? The requester reads it.", "ask the owner first")]).await?;

    let denied = becomes(&world, &card, "[=] DENIED · Slack · R1").await?;

    assert!(text(&denied).contains("ask the owner first"), "{denied:?}");
    let word = world.alert("R1 for Slack was denied by").await?;
    assert_eq!(word.pings.users.len(), 1, "the requester is rung once");
    assert!(!world.okta.deactivates_users(&app));
    running.stops().await
}

#[tokio::test]
async fn one_person_is_pushed_again_and_proven() -> Result<()> {
    let (world, running, app) = where_people_came_back("Slack", 1).await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    let line = format!("/okta retry app:acme/{app} person:person00@example.com");
    let answer = world.olive.types(&line).await?;
    let confirmation = with_button(&answer, "Retry").await?;
    world.olive.clicks(confirmation, "Retry").await?;

    world.alert("[✓] FIXED · Slack · R1").await?;

    world.alert("[✓] FIXED · Slack · 1 person provisioned").await?;
    let bodies: Vec<String> = world
        .okta
        .ledger()
        .exchanges()
        .into_iter()
        .filter(|each| each.method == "POST")
        .map(|each| each.request_body)
        .collect();
    assert_eq!(bodies, [r#"{"profile":{}}"#]);
    running.stops().await
}

#[tokio::test]
async fn a_bulk_is_approved_and_moves_in_the_card() -> Result<()> {
    let (world, running, app) = where_people_came_back("Slack", 14).await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    let answer = world.olive.types(&format!("/okta retry app:acme/{app}")).await?;
    let list = with_button(&answer, "Retry all 14").await?;
    world.olive.clicks(list, "Retry all 14").await?;
    let confirmation = with_button(&answer, "Retry").await?;
    world.olive.clicks(confirmation, "Retry").await?;
    let card = world.alert("[?] WAITING FOR APPROVAL · Slack · R1").await?;
    presses(&world.amy, &card, "Approve").await?;

    let says = |words: &str| world.discord.message(card.id).is_some_and(|it| text(&it).contains(words));
    until("the first wave is over", || says("1 proven, 0 failed")).await?;
    let done = becomes(&world, &card, "[✓] FIXED · Slack · R1").await?;

    assert!(text(&done).contains("14 proven, 0 failed, 0 waited for, 0 not begun"), "{done:?}");
    assert_eq!(writes(&world, "POST"), 14);
    running.stops().await
}

#[tokio::test]
async fn clicks_that_come_twice_make_one_request_and_one_execution() -> Result<()> {
    let (world, running, app) = where_people_came_back("Slack", 1).await?;
    world.discord.sends_twice(true);
    let line = format!("/okta enable app:acme/{app} reason:\"rehires fail since Monday\"");
    let answer = world.olive.types(&line).await?;
    let confirmation = with_button(&answer, "Enable Deactivate Users").await?;
    let (one, other) = tokio::join!(
        world.olive.clicks(confirmation, "Enable Deactivate Users"),
        world.olive.clicks(confirmation, "Enable Deactivate Users")
    );
    ensure!(one.is_ok() && other.is_ok());
    let card = world.alert("[?] WAITING FOR APPROVAL · Slack · R1").await?;

    presses(&world.amy, &card, "Approve").await?;
    becomes(&world, &card, "[✓] DONE · Slack · R1").await?;

    assert_eq!(writes(&world, "PUT"), 1);
    let cards = world.lines().iter().filter(|line| line.contains("· Slack · R")).count();
    assert_eq!(cards, 1, "{:?}", world.lines());
    running.stops().await
}

#[tokio::test]
async fn of_two_who_decide_in_the_same_instant_one_does_and_the_other_is_told() -> Result<()> {
    for deny in [false, true] {
        let (world, running, app) = where_people_came_back("Slack", 1).await?;
        let card = world.asks_to_enable(&app, "Slack").await?;
        let dialog = world.abe.clicks(card.id, "Deny…").await?;
        until("a dialog", || matches!(dialog.now(), Shown::Modal(_))).await?;
        let Shown::Modal(modal) = dialog.now() else { bail!("no dialog") };

        let other = async {
            match deny {
                true => world.abe.fills(&modal, &[("Why? The requester reads it.", "not today")]).await,
                false => world.abe.clicks(card.id, "Approve").await,
            }
        };
        let (amy, abe) = tokio::join!(world.amy.clicks(card.id, "Approve"), other);
        let (amy, abe) = (amy?, abe?);
        for answer in [&amy, &abe] {
            let began = answer.wait_for_acknowledgement(LIMIT).await.context("never acknowledged")?;
            ensure!(began < PROMPT, "{began:?}");
        }
        let both = [last(&amy).await?, last(&abe).await?];

        let won = both.iter().filter(|told| told.starts_with("You ")).count();
        assert_eq!(won, 1, "{both:?}");
        assert!(both.iter().any(|told| told.starts_with("R1 is ")), "{both:?}");
        let denied = both.iter().any(|told| told.starts_with("You denied"));
        let end = if denied { "[=] DENIED · Slack · R1" } else { "[✓] DONE · Slack · R1" };
        becomes(&world, &card, end).await?;
        assert_eq!(writes(&world, "PUT"), usize::from(!denied));
        running.stops().await?;
    }
    Ok(())
}

#[tokio::test]
async fn buttons_outlive_a_restart() -> Result<()> {
    let (world, running, app) = where_people_came_back("Slack", 1).await?;
    let card = world.asks_to_enable(&app, "Slack").await?;
    running.stops().await?;

    let running = world.runs().await?;
    let told = presses(&world.amy, &card, "Approve").await?;

    assert!(told.contains("You approved R1"), "{told}");
    becomes(&world, &card, "[✓] DONE · Slack · R1").await?;
    running.stops().await
}

#[tokio::test]
async fn killed_while_it_wrote_it_finds_out_what_okta_has() -> Result<()> {
    let world = World::new().await?;
    world.may_write()?;
    let program = Program::start(&world, "info")?;
    world.is_ready().await?;
    let app = world.comes_back("Dana", "Slack");
    world.alert("[!] ACTION NEEDED · Slack").await?;
    let card = world.asks_to_enable(&app, "Slack").await?;
    // Okta does it, and is slow to say so.
    world.okta.faults().next(1, "PUT /api/v1/apps/", Fault::Slow(Duration::from_secs(20)));
    world.amy.clicks(card.id, "Approve").await?;
    until("Okta was written to", || world.okta.deactivates_users(&app)).await?;
    program.dies()?;

    let program = Program::start(&world, "info")?;
    becomes(&world, &card, "[✓] DONE · Slack · R1").await?;

    assert_eq!(writes(&world, "PUT"), 1);
    drop(program);
    Ok(())
}

#[tokio::test]
async fn a_pause_holds_what_was_approved_until_it_is_resumed() -> Result<()> {
    let (world, running, app) = where_people_came_back("Slack", 1).await?;
    let card = world.asks_to_enable(&app, "Slack").await?;
    last(&world.root.types("/okta pause reason:\"an incident at Okta\"").await?).await.ok();
    presses(&world.amy, &card, "Approve").await?;
    becomes(&world, &card, "[~] IN PROGRESS · Slack · R1").await?;
    assert!(!world.okta.deactivates_users(&app));

    world.root.types("/okta resume").await?;

    becomes(&world, &card, "[✓] DONE · Slack · R1").await?;
    assert_eq!(writes(&world, "PUT"), 1);
    running.stops().await
}

#[tokio::test]
async fn a_forged_button_is_refused_and_written_down() -> Result<()> {
    let (world, running, app) = where_people_came_back("Slack", 1).await?;
    let card = world.asks_to_enable(&app, "Slack").await?;
    let forged = json!({
        "type": 3,
        "data": { "component_type": 2, "custom_id": "v1:approve:1:0123456789abcdef" },
        "message": card.json,
    });

    let told = last(&world.amy.sends_interaction(forged).await?).await?;

    assert!(told.contains("not one of Provost's"), "{told}");
    let record = last(&world.ada.types("/okta audit").await?).await?;
    assert!(record.contains("refused"), "{record}");
    assert!(!world.okta.deactivates_users(&app));
    running.stops().await
}
