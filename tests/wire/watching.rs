//! What a SIEM reads: one line of the program's log for each write, and one for what Okta's log shows of it.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::program::Program;
use crate::world::{World, answered, last, until};

/// The lines of the log with this beginning.
fn lines(program: &Program, start: &str) -> Vec<Value> {
    let said = program.said();
    let json = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    json.filter(|line| line["message"].as_str().is_some_and(|message| message.starts_with(start))).collect()
}

#[tokio::test]
async fn each_write_is_one_line_with_oktas_id_and_one_with_the_event_that_shows_it() -> Result<()> {
    let world = World::new().await?;
    world.may_write()?;
    let program = Program::start(&world, "info")?;
    world.is_ready().await?;
    let app = world.comes_back("Dana", "Slack");
    world.alert("[!] ACTION NEEDED · Slack").await?;
    let card = world.asks_to_enable(&app, "Slack").await?;
    last(&world.amy.clicks(card.id, "Approve").await?).await?;
    world.alert("[✓] DONE · Slack · R1").await?;
    let asked = world.olive.types(&format!("/okta retry app:acme/{app} person:dana@example.com")).await?;
    answered(&asked).await?;
    let confirmation = asked.current().context("the answer is gone")?;
    world.olive.clicks(confirmation.id, "Retry").await?;
    world.alert("[✓] FIXED · Slack · R2").await?;

    until("all is logged", || lines(&program, "Okta's log shows what R").len() == 2).await?;
    let wrote = lines(&program, "Wrote to Okta: ");
    let shown = lines(&program, "Okta's log shows what R");
    assert_eq!((wrote.len(), shown.len()), (2, 2), "{wrote:#?} {shown:#?}");
    let dana = world.okta.user_id("dana@example.com").context("no such person")?;
    let events: Vec<String> =
        world.okta.log().iter().filter_map(|event| event["uuid"].as_str().map(str::to_owned)).collect();
    for (n, person) in [(0, None), (1, Some(dana.as_str()))] {
        let (wrote, shown, request) = (&wrote[n], &shown[n], format!("R{}", n + 1));
        ensure!(
            wrote["request.id"] == request.as_str() && shown["request.id"] == request.as_str(),
            "{wrote}"
        );
        ensure!(wrote["app.id"] == app.as_str() && shown["app.id"] == app.as_str(), "{wrote}");
        ensure!(wrote["user.id"].as_str() == person, "{wrote}");
        let okta = wrote["okta.request_id"].as_str().context("no id of Okta's")?;
        ensure!(!okta.is_empty() && shown["okta.request_id"] == okta, "{wrote} {shown}");
        let event = shown["event.id"].as_str().context("no event")?;
        ensure!(events.iter().any(|known| known == event), "{shown}");
        ensure!(wrote["level"] == "INFO", "{wrote}");
    }
    // What it logged of each write stands in the record as well.
    let record = last(&world.ada.types("/okta audit request:R1").await?).await?;
    ensure!(record.contains("write.begun") && record.contains("request.proven"), "{record}");
    drop(program);
    Ok(())
}
