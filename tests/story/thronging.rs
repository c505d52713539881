//! Many at once: a thousand who approve, five hundred who are pushed.

use anyhow::{Context, Result};
use futures_util::future::join_all;
use jiff::SignedDuration;
use sim::okta::DeactivateUsers;

use crate::world::{World, read};

#[tokio::test]
async fn a_thousand_who_approve_at_once_make_one_execution() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    let approvers = world.crowd(1_000, &["viewer", "approver", "oncall"]);
    let confirmation = world.says("Olive", "enable", &[("app", "Slack"), ("reason", "rehires fail")]).await;
    assert!(read(&confirmation).contains("please confirm"), "{}", read(&confirmation));
    world.presses("Olive", &confirmation, "Enable Deactivate Users").await?;
    world.works().await?;
    let approve = world.button("Approve").context("no button")?;

    let answers =
        join_all(approvers.iter().map(|(member, roles)| world.member_acts(*member, roles, &approve))).await;
    world.works().await?;

    let approved = answers.iter().filter(|told| told.content.contains("You approved R1")).count();
    let told = answers.iter().filter(|told| told.content.contains("R1 is approved already")).count();
    assert_eq!((approved, told), (1, 999), "{:?}", answers.first());
    assert!(world.okta.deactivates_users(&app));
    let puts = world.okta.ledger().exchanges().iter().filter(|each| each.method == "PUT").count();
    assert_eq!(puts, 1);
    Ok(())
}

#[tokio::test]
async fn five_hundred_are_pushed_once_each_within_the_share_and_the_card_moves() -> Result<()> {
    const MANY: usize = 500;
    const A_MINUTE: u32 = 600;
    let world = World::new().await?.may_use(0.4).await?;
    let app = world.okta.installs("Slack", "slack", DeactivateUsers::Off);
    for n in 0..MANY {
        let person = world.okta.hires(&format!("Person{n:03}"), "Back");
        world.okta.left_inactive(&person, &app);
        world.okta.assigns(&person, &app);
    }
    world.settles().await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.passes(SignedDuration::from_secs(60));
    world.looks().await?;
    world.okta.rate_limit("/api/v1/apps", A_MINUTE);
    world.okta.ledger().clear();

    let list = world.says("Olive", "retry", &[("app", "Slack")]).await;
    let confirmation = world.presses("Olive", &list, "Retry all 500").await?;
    world.presses("Olive", &confirmation, "Retry").await?;
    world.works().await?;
    world.presses_card("Ada", "Approve").await?;
    let mut seen = Vec::new();
    for _ in 0..20 {
        world.works().await?;
        let card = world.discord.messages(world.channel).into_iter().find(|it| it.content.contains("· R1"));
        let card = card.context("there is no card")?;
        seen.push(card.json["embeds"].to_string());
        if card.content.starts_with("[✓] FIXED · Slack · R1") {
            break;
        }
    }

    assert!(seen.last().is_some_and(|card| card.contains("500 proven, 0 failed, 0 waited for, 0 not begun")));
    let moved = world.discord.ledger().exchanges();
    let moved = moved.iter().filter(|each| each.method == "PATCH" && each.request_body.contains(" of 500"));
    assert!(moved.count() >= 10, "the card stands still");
    let exchanges = world.okta.ledger().exchanges();
    let posts = exchanges.iter().filter(|each| each.method == "POST").count();
    assert_eq!(posts, MANY);
    let below_apps = exchanges.iter().filter(|each| each.path.starts_with("/api/v1/apps/")).count();
    assert!(below_apps <= 2 * MANY + 4, "{below_apps} calls");
    let least = exchanges
        .iter()
        .filter(|each| {
            each.answer_headers
                .iter()
                .any(|(name, value)| name == "x-rate-limit-limit" && *value == A_MINUTE.to_string())
        })
        .filter_map(|each| {
            each.answer_headers
                .iter()
                .find(|(name, _)| name == "x-rate-limit-remaining")?
                .1
                .parse::<u32>()
                .ok()
        })
        .min();
    assert!(least.is_some_and(|left| left >= A_MINUTE * 6 / 10), "{least:?} of {A_MINUTE} were left");
    Ok(())
}
