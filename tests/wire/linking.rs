//! Who people are, over the wire: the commands as Discord registers them, the buttons as it delivers them.

use anyhow::{Context, Result};

use crate::world::{LIMIT, World, answered, until};

#[tokio::test]
async fn a_link_is_asked_for_confirmed_shown_and_taken_away() -> Result<()> {
    let world = World::new().await?;
    let admin = world.discord.role("admin");
    let root = world.discord.person(world.discord.member("root", &[admin]));
    let file = world.configuration();
    let text = std::fs::read_to_string(&file)?;
    std::fs::write(&file, text.replace("[roles]", &format!("[roles]\nadmin = [\"role:{admin}\"]")))?;
    let running = world.runs().await?;
    let olive = world.okta.hires("Olive", "Session");

    let asked = answered(&world.sam.types("/okta link login:olive@example.com").await?).await?;
    let nobody = answered(&world.ada.types("/okta link login:nobody@example.com").await?).await?;
    assert_eq!(asked, nobody, "nobody can tell which login exists");
    let card = world.alert("WAITING FOR AN ADMIN · L1").await?;
    let own = answered(&world.sam.clicks(card.id, "Confirm").await?).await?;
    assert!(own.contains("it takes the role **admin**"), "{own}");
    let linked = answered(&root.clicks(card.id, "Confirm").await?).await?;
    assert!(linked.contains(&olive), "{linked}");
    until("the card shows it", || {
        world.discord.message(card.id).is_some_and(|card| card.content.starts_with("[✓] LINKED · L1"))
    })
    .await?;
    let whoami = answered(&world.sam.types("/okta whoami").await?).await?;
    assert!(whoami.contains(&olive), "{whoami}");

    let line = format!("/okta unlink member:{}", world.sam.id());
    let unlinked = answered(&root.types(&line).await?).await?;
    assert!(unlinked.contains("is not linked"), "{unlinked}");
    let verdict = root.types("/okta review request:R1 verdict:justified").await?;
    let shown = verdict.wait_for_answer(LIMIT).await.message().context("no answer")?;
    assert!(shown.content.contains("it takes the role **approver**"), "{}", shown.content);
    running.stops().await
}
