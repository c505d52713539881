//! Who people are and who may act alone, over the wire: the commands as Discord registers them, the buttons as it
//! delivers them.

use anyhow::{Context, Result};

use crate::world::{World, answered, text, until};

#[tokio::test]
async fn a_link_is_asked_for_confirmed_shown_and_taken_away() -> Result<()> {
    let world = World::new().await?;
    let running = world.runs().await?;
    let olive = world.okta.hires("Olive", "Session");

    let asked = answered(&world.olive.types("/okta link login:olive@example.com").await?).await?;
    let nobody = answered(&world.sam.types("/okta link login:nobody@example.com").await?).await?;
    assert_eq!(asked, nobody, "nobody can tell which login exists");
    let card = world.alert("WAITING FOR AN ADMIN · L1").await?;
    let own = answered(&world.olive.clicks(card.id, "Confirm").await?).await?;
    assert!(own.contains("it takes the role **admin**"), "{own}");
    let linked = answered(&world.root.clicks(card.id, "Confirm").await?).await?;
    assert!(linked.contains(&olive), "{linked}");
    until("the card shows it", || {
        world.discord.message(card.id).is_some_and(|card| card.content.starts_with("[✓] LINKED · L1"))
    })
    .await?;
    let whoami = answered(&world.olive.types("/okta whoami").await?).await?;
    assert!(whoami.contains(&olive), "{whoami}");

    let line = format!("/okta unlink member:{}", world.olive.id());
    let unlinked = answered(&world.root.types(&line).await?).await?;
    assert!(unlinked.contains("is not linked"), "{unlinked}");
    running.stops().await
}

#[tokio::test]
async fn the_glass_is_broken_told_to_every_approver_and_reviewed() -> Result<()> {
    let world = World::new().await?;
    world.may_write()?;
    let file = world.configuration();
    let olive = world.olive.id();
    let role = format!("[roles]\nbreakglass = [\"member:{olive}\"]");
    std::fs::write(&file, std::fs::read_to_string(&file)?.replace("[roles]", &role))?;
    let running = world.runs().await?;
    let app = world.comes_back("Dana", "Slack");
    world.alert("[!] ACTION NEEDED · Slack").await?;

    let why = "payroll closes in ten minutes and nobody answers";
    let line = format!("/okta enable app:acme/{app} reason:\"{why}\" breakglass:true");
    let answer = world.olive.types(&line).await?;
    let has_button = || {
        let rows = answer.current().map(|message| message.rows).unwrap_or_default();
        rows.iter().flatten().any(|button| button.label == "Break the glass")
    };
    until("the confirmation", has_button).await?;
    let confirmation = answer.current().context("it is gone")?;
    assert!(text(&confirmation).contains("Nobody approves this"), "{}", text(&confirmation));
    world.olive.clicks(confirmation.id, "Break the glass").await?;

    let card = world.alert("[✓] DONE · Slack · R1").await?;
    assert!(world.okta.deactivates_users(&app));
    assert_eq!(card.rang.iter().filter(|who| *who == "@approver" || *who == "@oncall").count(), 2);
    assert!(text(&card).contains("Review: open"), "{}", text(&card));
    let line = "/okta review request:R1 verdict:\"not justified\" reason:\"it could have waited\"";
    let reviewed = answered(&world.amy.types(line).await?).await?;
    assert!(reviewed.contains("R1 is reviewed: not justified"), "{reviewed}");
    until("the card shows it", || {
        world
            .discord
            .message(card.id)
            .is_some_and(|card| text(&card).contains("Review: not justified by @amy"))
    })
    .await?;
    running.stops().await
}
