//! A reason that is refused comes back as it was typed.

use anyhow::Result;
use commands::chat::{First, Message};
use jiff::SignedDuration;

use crate::world::World;

const SHORT: &str = "too short                ";
const BETTER: &str = "rehires fail since Monday";

async fn refused() -> Result<(World, Message)> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    let refused = world.says("Olive", "enable", &[("app", "Airbase"), ("reason", SHORT)]).await;
    Ok((world, refused))
}

#[tokio::test]
async fn a_reason_that_is_refused_is_edited_and_the_rest_is_kept() -> Result<()> {
    let (world, refused) = refused().await?;
    assert!(
        refused.content.contains("A reason of 10 to 500 characters is needed, and this one has 9"),
        "{}",
        refused.content
    );

    let First::Ask(dialog) = world.opens("Olive", &refused, "Edit reason…")? else {
        anyhow::bail!("no dialog");
    };
    assert_eq!(
        (dialog.title.as_str(), dialog.inputs[0].value.as_str()),
        ("Ask for Deactivate Users to be turned on", SHORT)
    );
    let again = world.acts("Olive", &dialog.submit, &[("reason", "no")]).await;
    let First::Ask(dialog) = world.opens("Olive", &again, "Edit reason…")? else {
        anyhow::bail!("no dialog");
    };
    assert_eq!(dialog.inputs[0].value, "no");

    let confirmation = world.acts("Olive", &dialog.submit, &[("reason", BETTER)]).await;
    world.presses("Olive", &confirmation, "Enable Deactivate Users").await?;
    world.works().await?;
    assert!(world.discord.transcript().contains(BETTER), "{}", world.discord.transcript());
    Ok(())
}

#[tokio::test]
async fn what_somebody_typed_is_theirs_and_their_rights_are_asked_again() -> Result<()> {
    let (world, refused) = refused().await?;

    let First::Refuse(other) = world.opens("Oscar", &refused, "Edit reason…")? else {
        anyhow::bail!("it was opened for another");
    };
    assert!(other.content.contains("is not kept any more"), "{}", other.content);
    let First::Ask(dialog) = world.opens("Olive", &refused, "Edit reason…")? else {
        anyhow::bail!("no dialog");
    };
    let other = world.acts("Oscar", &dialog.submit, &[("reason", BETTER)]).await;
    assert!(other.content.contains("is not kept any more"), "{}", other.content);
    Ok(())
}

#[tokio::test]
async fn after_half_an_hour_or_a_restart_it_is_gone_and_that_is_said() -> Result<()> {
    for restarts in [false, true] {
        let (mut world, refused) = refused().await?;
        let First::Ask(dialog) = world.opens("Olive", &refused, "Edit reason…")? else {
            anyhow::bail!("no dialog");
        };
        match restarts {
            true => world = world.starts_anew().await?,
            false => world.passes(SignedDuration::from_mins(31)),
        }

        let First::Refuse(gone) = world.opens("Olive", &refused, "Edit reason…")? else {
            anyhow::bail!("it was opened");
        };
        assert!(gone.content.contains("Run the command again"), "{}", gone.content);
        let gone = world.acts("Olive", &dialog.submit, &[("reason", BETTER)]).await;
        assert!(gone.content.contains("Run the command again"), "{}", gone.content);
    }
    Ok(())
}

#[tokio::test]
async fn a_denial_without_a_reason_is_none() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    let confirmation = world.says("Olive", "enable", &[("app", "Airbase"), ("reason", BETTER)]).await;
    world.presses("Olive", &confirmation, "Enable Deactivate Users").await?;
    world.works().await?;
    let ask = world.button("Deny…").expect("a button");
    let deny = commands::chat::CustomId::new("deny", ask.args);

    let refused = world.acts("Ada", &deny, &[("why", "            ")]).await;
    assert!(refused.content.contains("A reason of 5 to 500 characters is needed"), "{}", refused.content);
    let First::Ask(dialog) = world.opens("Ada", &refused, "Edit reason…")? else {
        anyhow::bail!("no dialog");
    };
    let denied = world.acts("Ada", &dialog.submit, &[("why", "the owner wants it off")]).await;

    assert!(denied.content.contains("You denied R1"), "{}", denied.content);
    Ok(())
}
