//! Every text that people have to give: what is refused changes nothing, and comes back as it was typed.

use anyhow::{Context, Result};
use commands::chat::First;

use crate::world::World;

#[tokio::test]
async fn whatever_text_is_refused_is_opened_again_as_it_was_typed_and_then_does_what_was_meant() -> Result<()>
{
    let long = "x".repeat(501);
    for (name, verb, option, others, bad, good, done) in [
        (
            "Olive",
            "enable",
            "reason",
            vec![("app", "Slack")],
            "   ?   ",
            "rehires fail since Monday",
            "please confirm",
        ),
        (
            "Gina",
            "enable",
            "reason",
            vec![("app", "Slack"), ("breakglass", "true")],
            "nobody answers",
            "payroll closes in ten minutes and nobody on call answers",
            "please confirm",
        ),
        (
            "Olive",
            "close",
            "reason",
            vec![("incident", "1")],
            "short",
            "the app is retired next week",
            "is closed",
        ),
        ("Root", "pause", "reason", vec![], "  -  ", "an incident at Okta", "Writes to Okta are stopped"),
        ("Olive", "snooze", "for", vec![("incident", "1")], "a while", "2h", "is snoozed"),
        (
            "Olive",
            "fixed",
            "note",
            vec![("incident", "1"), ("how", "other")],
            ".....",
            "the owner merged two accounts",
            "is noted for 1 person",
        ),
        (
            "Olive",
            "reassign",
            "reason",
            vec![("app", "Slack"), ("person", "dana@example.com")],
            long.as_str(),
            "neither retry was enough",
            "please confirm",
        ),
    ] {
        let what = format!("{name} types {verb} {option}");
        let (world, ..) = World::where_dana_came_back_to("Slack", "slack").await?;
        world.settles().await?;
        let before = world.record().await?;
        let mut typed = others.clone();
        typed.push((option, bad));

        let refused = world.says(name, verb, &typed).await;

        assert!(refused.card.is_none(), "{what}: {}", refused.content);
        assert_eq!(world.record().await?, before, "{what}");
        let label = if option == "reason" { "Edit reason…" } else { "Edit…" };
        let First::Ask(dialog) = world.opens(name, &refused, label).with_context(|| what.clone())? else {
            anyhow::bail!("{what}: no dialog");
        };
        let input = dialog.inputs.iter().find(|input| input.name == option).with_context(|| what.clone())?;
        assert_eq!(input.value, bad, "{what}");
        let answer = world.acts(name, &dialog.submit, &[(option, good)]).await;
        assert!(answer.content.contains(done), "{what}: {}", answer.content);
        assert!(world.okta.ledger().exchanges().iter().all(|each| each.method == "GET"), "{what}");
    }
    Ok(())
}
