//! Breaking the glass: done at once, told to everybody who could have approved it, reviewed afterwards.

use anyhow::Result;
use commands::chat::Message;

use crate::world::{World, read};

const WHY: &str = "payroll closes in ten minutes and nobody on call answers";

/// Gina breaks the glass; the answer to her confirmation.
async fn breaks_the_glass(world: &World) -> Result<Message> {
    let options = [("app", "Slack"), ("reason", WHY), ("breakglass", "true")];
    let confirmation = world.says("Gina", "enable", &options).await;
    world.presses("Gina", &confirmation, "Break the glass").await
}

#[tokio::test]
async fn it_acts_at_once_tells_every_approver_and_waits_for_its_review() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;

    let options = [("app", "Slack"), ("reason", WHY), ("breakglass", "true")];
    let confirmation = world.says("Gina", "enable", &options).await;
    let text = read(&confirmation);
    for words in ["Nobody approves this", "as soon as you confirm", "reviews it afterwards", "The price"] {
        assert!(text.contains(words), "{words} is not in:\n{text}");
    }
    assert!(!world.okta.deactivates_users(&app), "nothing is written yet");
    let confirmed = world.presses("Gina", &confirmation, "Break the glass").await?;
    assert!(confirmed.content.contains("without an approval"), "{}", confirmed.content);
    world.works().await?;

    assert!(world.okta.deactivates_users(&app));
    let card = world.card("[✓] DONE · Slack · R1");
    for words in [WHY, "nobody approved it beforehand", "Review: open"] {
        assert!(card.contains(words), "{words} is not in:\n{card}");
    }
    let messages = world.discord.messages(world.channel);
    let rang: Vec<_> = messages.iter().filter(|each| each.rang.contains(&"@approver".to_owned())).collect();
    assert_eq!(rang.len(), 1, "the approvers are told once");
    assert!(rang[0].rang.contains(&"@oncall".to_owned()), "{:?}", rang[0].rang);

    let ada = world.says("Ada", "approvals", &[]).await;
    assert_eq!(ada.content, "0 open, 1 review open, 1 waiting for you.");
    assert!(read(&ada).contains("**waits for you** · review open"), "{}", read(&ada));
    let gina = world.says("Gina", "approvals", &[]).await;
    assert_eq!(gina.content, "0 open, 1 review open, 0 waiting for you.");
    let why = "the closing could not wait";
    let reviewed =
        world.says("Ada", "review", &[("request", "R1"), ("verdict", "justified"), ("reason", why)]).await;
    assert!(reviewed.content.contains("R1 is reviewed: justified"), "{}", reviewed.content);
    world.works().await?;

    let card = world.card("[✓] DONE · Slack · R1");
    assert!(card.contains("Review: justified by") && card.contains(why), "{card}");
    let again = world.says("Abe", "review", &[("request", "1"), ("verdict", "not justified")]).await;
    assert!(again.content.contains("has its review already: justified"), "{}", again.content);
    assert_eq!(world.says("Ada", "approvals", &[]).await.content, "No request is open, and no review.");
    let record = world.record().await?;
    for entry in ["request.broke_glass approved", "request.reviewed justified", "refused.review refused"] {
        assert!(record.iter().any(|line| line == entry), "{entry} is not in {record:?}");
    }
    // The card was edited after the end was told; that is not told again.
    let told = world.lines().iter().filter(|line| line.contains("R1 for Slack worked")).count();
    assert_eq!(told, 1, "{:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn it_takes_the_role_and_a_long_reason() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;

    let olive =
        world.says("Olive", "enable", &[("app", "Slack"), ("reason", WHY), ("breakglass", "true")]).await;
    assert!(olive.content.contains("it takes the role **breakglass**"), "{}", olive.content);
    assert!(olive.content.contains("held by <@&"), "who could: {}", olive.content);
    let short = [("app", "Slack"), ("reason", "it is quite urgent, really"), ("breakglass", "true")];
    let gina = world.says("Gina", "enable", &short).await;
    assert!(gina.content.contains("at least 30 characters"), "{}", gina.content);
    let usual =
        world.says("Gina", "enable", &[("app", "Slack"), ("reason", WHY), ("breakglass", "false")]).await;
    assert!(read(&usual).contains("one approval"), "{}", read(&usual));

    // The role is looked at again when it is done.
    world.says("Root", "pause", &[("reason", "look first")]).await;
    breaks_the_glass(&world).await?;
    world.loses("Gina", "breakglass");
    world.says("Root", "resume", &[]).await;
    world.works().await?;
    assert!(!world.okta.deactivates_users(&app));
    let card = world.card("[x] FIX FAILED · Slack");
    assert!(card.contains("does not hold the role breakglass any more"), "{card}");
    Ok(())
}

#[tokio::test]
async fn who_broke_the_glass_does_not_review_it_nor_does_who_is_no_approver() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Slack", "slack").await?;
    let gina = world.member("Gina");
    let own = format!("approver = [\"member:{gina}\", ");
    let world = world.configured_anew(|text| text.replace("approver = [", &own)).await?;
    world.settles().await?;
    breaks_the_glass(&world).await?;
    world.works().await?;

    let verdict = [("request", "R1"), ("verdict", "justified")];
    let own = world.says("Gina", "review", &verdict).await;
    assert!(own.content.contains("it is your own request"), "{}", own.content);
    let olive = world.says("Olive", "review", &verdict).await;
    assert!(olive.content.contains("it takes the role **approver**"), "{}", olive.content);
    let odd = world.says("Ada", "review", &[("request", "R9"), ("verdict", "justified")]).await;
    assert!(odd.content.contains("There is no request R9"), "{}", odd.content);
    let odd = world.says("Ada", "review", &[("request", "R1"), ("verdict", "fine")]).await;
    assert!(odd.content.contains("Say “justified”"), "{}", odd.content);
    assert!(world.card("[✓] DONE · Slack · R1").contains("Review: open"));
    Ok(())
}

#[tokio::test]
async fn what_was_approved_or_never_done_has_no_review() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    world.says("Root", "pause", &[("reason", "look first")]).await;
    breaks_the_glass(&world).await?;
    world.works().await?;
    let verdict = [("request", "R1"), ("verdict", "justified")];
    let early = world.says("Ada", "review", &verdict).await;
    assert!(early.content.contains("Nothing has been done for R1"), "{}", early.content);
    world.lives_through(jiff::SignedDuration::from_mins(62)).await?;
    world.works().await?;
    let card = world.card("[=] EXPIRED · Slack · R1");
    assert!(card.contains("nothing to review"), "{card}");
    assert_eq!(world.says("Ada", "approvals", &[]).await.content, "No request is open, and no review.");

    world.says("Root", "resume", &[]).await;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    world.presses_card("Ada", "Approve").await?;
    world.works().await?;
    assert!(world.okta.deactivates_users(&app));
    let approved = world.says("Ada", "review", &[("request", "R2"), ("verdict", "justified")]).await;
    assert!(approved.content.contains("was no break-glass"), "{}", approved.content);
    Ok(())
}

#[tokio::test]
async fn a_review_outlives_a_restart_and_counts_once_of_two_at_once() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Slack", "slack").await?;
    world.settles().await?;
    breaks_the_glass(&world).await?;
    world.works().await?;
    let world = world.starts_anew().await?;
    assert!(world.says("Ada", "approvals", &[]).await.content.contains("1 review open"));

    let (yes, no) =
        ([("request", "R1"), ("verdict", "justified")], [("request", "R1"), ("verdict", "not justified")]);
    let (ada, abe) = tokio::join!(world.says("Ada", "review", &yes), world.says("Abe", "review", &no));
    let both = format!("{} {}", ada.content, abe.content);
    assert!(both.contains("R1 is reviewed") && both.contains("has its review already"), "{both}");
    Ok(())
}
