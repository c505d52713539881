//! The audit channel: every step of every request, each once, in order, with the number and hash that prove the record.

use anyhow::{Context, Result};
use commands::chat::CustomId;
use domain::audit::{Broken, verify};
use jiff::SignedDuration;
use sim::discord::Fault;
use sim::okta::DeactivateUsers;

use crate::world::World;

const WHY: &str = "rehires fail since Monday";

/// A world with an audit channel, where people fail at two apps that the API can write.
async fn with_an_audit_channel() -> Result<(World, u64)> {
    let (world, dana, _) = World::where_dana_came_back_to("Slack", "slack").await?;
    let zoom = world.okta.installs("Zoom", "zoomus", DeactivateUsers::Off);
    world.okta.left_inactive(&dana, &zoom);
    world.okta.assigns(&dana, &zoom);
    let audit = world.discord.channel("audit");
    let set = format!("[discord]\naudit_channel_id = \"{audit}\"");
    let world = world.configured("[discord]", &set).await?;
    world.settles().await?;
    Ok((world, audit))
}

/// The lines of the audit channel, oldest first.
fn lines(world: &World, audit: u64) -> Vec<String> {
    let messages = world.discord.messages(audit).into_iter();
    messages.flat_map(|message| message.content.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// What each line tells: what, of which request, by whom.
fn told(world: &World, audit: u64) -> Vec<String> {
    let mut told = Vec::new();
    for line in lines(world, audit) {
        let parts: Vec<&str> = line.split(" · ").collect();
        let what = parts[1].trim_matches('*').replace('\\', "");
        let request = parts.iter().find(|part| part.starts_with('R') && part[1..].parse::<u32>().is_ok());
        let by = ["Olive", "Oscar", "Ada", "Abe", "Gina", "Root"]
            .into_iter()
            .find(|name| line.contains(&world.mention(name)))
            .unwrap_or("Provost");
        told.push(format!("{} {what} {by}", request.unwrap_or(&"-")));
    }
    told
}

#[tokio::test]
async fn every_step_of_a_request_is_a_line_with_who_did_it() -> Result<()> {
    let (world, audit) = with_an_audit_channel().await?;
    // R1 is denied, R2 expires, R3 is withdrawn, R4 is done, R5 breaks the glass.
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    let ask = world.button("Deny…").context("no button")?;
    world.acts("Ada", &CustomId::new("deny", ask.args), &[("why", "the owner wants it off")]).await;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    world.lives_through(SignedDuration::from_mins(62)).await?;
    world.works().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    world.presses_card("Olive", "Withdraw").await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    let own = world.presses_card("Olive", "Approve").await?;
    assert!(own.content.contains("You may not") || own.content.contains("takes the role"), "{}", own.content);
    world.presses_card("Abe", "Approve").await?;
    world.works().await?;
    let long = "payroll closes in ten minutes and nobody on call answers";
    let options = [("app", "Zoom"), ("reason", long), ("breakglass", "true")];
    let confirmation = world.says("Gina", "enable", &options).await;
    world.presses("Gina", &confirmation, "Break the glass").await?;
    world.works().await?;
    world.says("Ada", "review", &[("request", "R5"), ("verdict", "justified")]).await;
    world.says("Root", "pause", &[("reason", "an exercise")]).await;
    world.passes(SignedDuration::from_secs(6));
    world.shows().await?;

    assert_eq!(
        told(&world, audit),
        [
            "R1 request.confirmed Olive",
            "R1 request.denied Ada",
            "R2 request.confirmed Olive",
            "R2 request.expired Provost",
            "R3 request.confirmed Olive",
            "R3 request.withdrawn Olive",
            "R4 request.confirmed Olive",
            "R4 refused.approve Olive",
            "R4 request.approved Abe",
            "R4 write.begun Provost",
            "R4 write.done Provost",
            "R4 request.proven Provost",
            "R5 request.broke_glass Gina",
            "R5 write.begun Provost",
            "R5 write.done Provost",
            "R5 request.proven Provost",
            "R5 request.reviewed Ada",
            "- writes.paused Root",
        ]
    );
    for app in ["Slack", "Zoom"] {
        let id = world.okta.app_id(app).context("no app")?;
        assert!(world.okta.deactivates_users(&id), "{app}");
    }
    let messages = world.discord.messages(audit);
    assert!(messages.iter().all(|message| message.rang.is_empty()), "the record rings nobody");
    assert!(world.lines().iter().all(|line| !line.contains("request.confirmed")), "{:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn its_lines_prove_that_the_record_was_not_cut() -> Result<()> {
    let (world, audit) = with_an_audit_channel().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    world.presses_card("Abe", "Approve").await?;
    world.works().await?;
    let newest = lines(&world, audit).pop().context("nothing was told")?;
    let (number, rest) = newest.trim_start_matches('#').split_once(" `").context("no number")?;
    let anchor = (number.parse::<i64>()?, rest.split('`').next().context("no hash")?);

    let chain = world.app.desk.requests.chain(1).await?;
    assert_eq!(verify(chain.clone(), Some(anchor)), Ok(chain.len() as i64));

    world.in_the_database("DELETE FROM audit WHERE number = (SELECT MAX(number) FROM audit)").await?;
    let cut = world.app.desk.requests.chain(1).await?;
    assert!(verify(cut.clone(), None).is_ok(), "by itself it is whole");
    assert_eq!(verify(cut, Some(anchor)), Err(Broken::Cut(anchor.0)));
    Ok(())
}

#[tokio::test]
async fn no_line_is_lost_or_told_twice_over_lost_answers_and_restarts() -> Result<()> {
    let (world, audit) = with_an_audit_channel().await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    let post = format!("POST /api/v10/channels/{audit}/messages");
    world.discord.faults().next(3, &post, Fault::DropAfter);
    world.presses_card("Abe", "Approve").await?;
    world.app.executor.pass().await?;
    world.shows().await.ok();
    world.discord.faults().clear();
    let world = world.starts_anew().await?;
    world.passes(SignedDuration::from_mins(3));
    world.works().await?;

    let chain = world.app.desk.requests.chain(1).await?;
    let numbers: Vec<String> = lines(&world, audit)
        .iter()
        .filter_map(|line| line.split_once(' ').map(|(number, _)| number.to_owned()))
        .collect();
    let expected: Vec<String> = chain.iter().map(|entry| format!("#{}", entry.number)).collect();
    assert_eq!(numbers, expected, "{:?}", lines(&world, audit));
    Ok(())
}

#[tokio::test]
async fn a_channel_that_is_closed_for_a_while_is_told_everything_later() -> Result<()> {
    let (world, audit) = with_an_audit_channel().await?;
    world.discord.denies(sim::discord::Permission::SEND_MESSAGES, audit);
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    world.presses_card("Abe", "Approve").await?;
    world.works().await?;
    assert_eq!(lines(&world, audit), Vec::<String>::new());
    let app = world.okta.app_id("Slack").context("no app")?;
    assert!(world.okta.deactivates_users(&app), "the record is in the store; the channel only shows it");

    world.discord.allows(sim::discord::Permission::SEND_MESSAGES, audit);
    world.passes(SignedDuration::from_mins(11));
    world.shows().await?;

    let what: Vec<String> = told(&world, audit);
    assert_eq!(what.first().map(String::as_str), Some("R1 request.confirmed Olive"));
    assert_eq!(what.last().map(String::as_str), Some("R1 request.proven Provost"));
    Ok(())
}
