//! Who people are in Okta: proposed, confirmed by an admin, required, and void when it changes.

use anyhow::Result;
use jiff::SignedDuration;
use sim::discord::Fault;

use crate::world::{World, read};

const WHY: &str = "rehires fail since Monday";

/// A world in which these people are in Okta, by the names they have in Discord.
async fn with_people(names: &[&str]) -> Result<(World, String)> {
    let (world, _, app) = World::where_dana_came_back_to("Slack", "slack").await?;
    for name in names {
        world.okta.hires(name, "Session");
    }
    world.settles().await?;
    Ok((world, app))
}

/// Somebody asks for their link, and Root confirms it.
async fn is_linked(world: &World, name: &str) -> Result<()> {
    let login = format!("{}@example.com", name.to_lowercase());
    world.says(name, "link", &[("login", &login)]).await;
    world.shows().await?;
    let linked = world.presses_card("Root", "Confirm").await?;
    assert!(linked.content.contains("is now linked"), "{}", linked.content);
    world.shows().await
}

#[tokio::test]
async fn a_link_is_asked_for_confirmed_by_an_admin_and_shown() -> Result<()> {
    let (world, _) = with_people(&["Olive"]).await?;
    world.okta.ledger().clear();

    let known = world.says("Olive", "link", &[("login", "olive@example.com")]).await;
    let unknown = world.says("Oscar", "link", &[("login", "nobody@example.com")]).await;
    assert_eq!(known, unknown, "nobody can tell which login exists");
    assert!(world.okta.ledger().exchanges().is_empty(), "and Okta was not asked");
    world.shows().await?;
    let cards = [world.card("[?] WAITING FOR AN ADMIN · L1"), world.card("[?] WAITING FOR AN ADMIN · L2")];
    assert!(cards[0].contains("olive@example.com"), "{}", cards[0]);
    let cards: Vec<_> = world.discord.messages(world.channel);
    assert!(cards.iter().filter(|card| card.content.contains("· L")).all(|card| card.rang.is_empty()));

    let oscar = world.presses_card("Root", "Confirm").await?;
    assert!(oscar.content.contains("no active user with exactly that login"), "{}", oscar.content);
    let rejected = world.presses_card("Root", "Reject").await?;
    assert!(rejected.content.contains("L2 is rejected"), "{}", rejected.content);
    world.shows().await?;
    let linked = world.presses_card("Root", "Confirm").await?;
    assert!(linked.content.contains("is now linked"), "{}", linked.content);
    world.shows().await?;

    assert!(world.card("[✓] LINKED · L1").contains("Confirmed by"), "{:?}", world.lines());
    assert!(!world.card("[=] REJECTED · L2").is_empty(), "{:?}", world.lines());
    let olive = world.okta.user_id("olive").unwrap_or_default();
    let whoami = world.says("Olive", "whoami", &[]).await;
    assert!(whoami.content.contains(&format!("linked to the Okta user `{olive}`")), "{}", whoami.content);
    assert!(whoami.content.contains("needs linked people"), "{}", whoami.content);
    let record = world.record().await?;
    for entry in ["link.confirmed confirmed", "link.rejected rejected", "refused.link.confirmed refused"] {
        assert!(record.iter().any(|line| line == entry), "{entry} is not in {record:?}");
    }
    let entries = world.app.desk.requests.entries(&Default::default()).await?;
    assert!(entries.iter().all(|entry| !format!("{entry:?}").contains("@example.com")), "ids, no logins");
    Ok(())
}

#[tokio::test]
async fn nobody_confirms_their_own_link_and_only_admins_confirm() -> Result<()> {
    let (world, _) = with_people(&["Root"]).await?;
    world.says("Root", "link", &[("login", "root@example.com")]).await;
    world.shows().await?;
    world.okta.ledger().clear();

    let own = world.presses_card("Root", "Confirm").await?;
    assert!(own.content.contains("it is about you"), "{}", own.content);
    let own = world.presses_card("Root", "Reject").await?;
    assert!(own.content.contains("it is about you"), "{}", own.content);
    let operator = world.presses_card("Olive", "Confirm").await?;
    assert!(operator.content.contains("it takes the role **admin**"), "{}", operator.content);
    assert!(world.okta.ledger().exchanges().is_empty(), "no login was looked up");

    let other = world.presses_card("Rita", "Confirm").await?;
    assert!(other.content.contains("is now linked"), "{}", other.content);
    let record = world.record().await?;
    assert!(record.iter().any(|line| line == "refused.confirm-link refused"), "{record:?}");
    Ok(())
}

#[tokio::test]
async fn only_the_exact_login_of_an_active_user_is_linked() -> Result<()> {
    let (world, _) = with_people(&["Olive", "Eve"]).await?;
    world.okta.leaves("eve");
    let id = world.okta.user_id("olive").unwrap_or_default();
    for login in ["olive", &id, "me", "..", "eve@example.com", "olive@example.co"] {
        world.says("Olive", "link", &[("login", login)]).await;
        world.shows().await?;
        let refused = world.presses_card("Root", "Confirm").await?;
        assert!(
            refused.content.contains("no active user with exactly that login"),
            "{login}: {}",
            refused.content
        );
    }
    for login in ["olive @example.com", "../apps", "", "a\nb"] {
        let refused = world.says("Olive", "link", &[("login", login)]).await;
        assert!(refused.content.contains("cannot be a login"), "{login}: {}", refused.content);
    }
    let whoami = world.says("Olive", "whoami", &[]).await;
    assert!(whoami.content.contains("you are not linked"), "{}", whoami.content);

    // Upper and lower case mean nothing in a login.
    world.says("Olive", "link", &[("login", "Olive@Example.com")]).await;
    world.shows().await?;
    let linked = world.presses_card("Root", "Confirm").await?;
    assert!(linked.content.contains("is now linked"), "{}", linked.content);
    Ok(())
}

#[tokio::test]
async fn a_person_is_one_member_and_a_member_one_person() -> Result<()> {
    let (world, _) = with_people(&["Olive", "Other"]).await?;
    is_linked(&world, "Olive").await?;

    world.says("Oscar", "link", &[("login", "olive@example.com")]).await;
    world.shows().await?;
    let taken = world.presses_card("Root", "Confirm").await?;
    assert!(taken.content.contains("already. Nobody was linked"), "{}", taken.content);
    world.presses_card("Root", "Reject").await?;
    world.shows().await?;

    // Olive is somebody else now: her one link changes.
    world.says("Olive", "link", &[("login", "other@example.com")]).await;
    world.shows().await?;
    world.presses_card("Root", "Confirm").await?;
    let other = world.okta.user_id("other").unwrap_or_default();
    let whoami = world.says("Olive", "whoami", &[]).await;
    assert!(whoami.content.contains(&other), "{}", whoami.content);
    Ok(())
}

#[tokio::test]
async fn a_button_for_another_login_is_worth_nothing_and_a_second_admin_hears_how_it_stands() -> Result<()> {
    let (world, _) = with_people(&["Olive", "Ada"]).await?;
    world.says("Olive", "link", &[("login", "olive@example.com")]).await;
    world.shows().await?;
    let old = world.button("Confirm").expect("a button");
    world.says("Olive", "link", &[("login", "ada@example.com")]).await;
    world.shows().await?;
    assert_eq!(
        world.lines().iter().filter(|line| line.contains("· L")).count(),
        1,
        "one card: {:?}",
        world.lines()
    );

    let stale = world.acts("Root", &old, &[]).await;
    assert!(stale.content.contains("out of date"), "{}", stale.content);
    let new = world.button("Confirm").expect("a button");
    let (root, rita) = tokio::join!(world.acts("Root", &new, &[]), world.acts("Rita", &new, &[]));
    let both = format!("{} {}", root.content, rita.content);
    assert!(both.contains("is now linked") && both.contains("L1 is decided"), "{both}");
    let record = world.record().await?;
    assert!(record.iter().any(|line| line == "refused.forged refused"), "{record:?}");
    assert_eq!(record.iter().filter(|line| *line == "link.confirmed confirmed").count(), 1, "{record:?}");
    Ok(())
}

#[tokio::test]
async fn a_proposal_that_waited_for_a_week_is_asked_for_anew() -> Result<()> {
    let (world, _) = with_people(&["Olive"]).await?;
    world.says("Olive", "link", &[("login", "olive@example.com")]).await;
    world.shows().await?;
    world.passes(SignedDuration::from_hours(7 * 24));

    let late = world.presses_card("Root", "Confirm").await?;
    assert!(late.content.contains("more than a week ago"), "{}", late.content);
    world.says("Olive", "link", &[("login", "olive@example.com")]).await;
    world.shows().await?;
    let linked = world.presses_card("Root", "Confirm").await?;
    assert!(linked.content.contains("is now linked"), "{}", linked.content);
    Ok(())
}

#[tokio::test]
async fn the_first_link_is_enough_for_linked_people_to_be_required() -> Result<()> {
    let (world, app) = with_people(&["Olive", "Ada"]).await?;
    let confirmation = world.says("Oscar", "enable", &[("app", "Slack"), ("reason", WHY)]).await;
    is_linked(&world, "Olive").await?;

    let oscar = world.says("Oscar", "enable", &[("app", "Slack"), ("reason", WHY)]).await;
    assert!(oscar.content.contains("you are not linked"), "{}", oscar.content);
    let confirmed = world.presses("Oscar", &confirmation, "Enable Deactivate Users").await?;
    assert!(confirmed.content.contains("you are not linked"), "{}", confirmed.content);
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    let unlinked = world.presses_card("Ada", "Approve").await?;
    assert!(unlinked.content.contains("you are not linked"), "{}", unlinked.content);

    is_linked(&world, "Ada").await?;
    let approved = world.presses_card("Ada", "Approve").await?;
    assert!(approved.content.contains("You approved R2"), "{}", approved.content);
    world.works().await?;
    assert!(world.okta.deactivates_users(&app));
    Ok(())
}

#[tokio::test]
async fn a_link_that_appears_between_the_approval_and_the_write_stops_those_who_have_none() -> Result<()> {
    let (world, app) = with_people(&["Rita"]).await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    world.presses_card("Ada", "Approve").await?;

    is_linked(&world, "Rita").await?;
    world.works().await?;

    assert!(!world.okta.deactivates_users(&app));
    let card = world.card("[x] FIX FAILED · Slack · R1");
    assert!(card.contains("is not linked to an Okta person, which is required by now"), "{card}");
    Ok(())
}

#[tokio::test]
async fn a_changed_link_voids_what_its_member_asked_for_or_approved() -> Result<()> {
    for name in ["Olive", "Ada"] {
        let (world, app) = with_people(&["Olive", "Ada"]).await?;
        is_linked(&world, "Olive").await?;
        is_linked(&world, "Ada").await?;
        world.asks_to_enable("Olive", "Slack", WHY).await?;
        world.says("Root", "pause", &[("reason", "look first")]).await;
        world.presses_card("Ada", "Approve").await?;
        world.works().await?;

        let member = world.member(name).to_string();
        let unlinked = world.says("Root", "unlink", &[("member", &member)]).await;
        assert!(unlinked.content.contains("is not linked to the Okta user"), "{}", unlinked.content);
        world.works().await?;
        world.says("Root", "resume", &[]).await;
        world.works().await?;

        assert!(!world.okta.deactivates_users(&app), "{name}");
        let card = world.card("[=] SUPERSEDED · Slack · R1");
        assert!(card.contains("to an Okta user has changed"), "{name}: {:?}", world.lines());
        let again = world.says("Root", "unlink", &[("member", &member)]).await;
        assert!(again.content.contains("is not linked to anybody"), "{}", again.content);
    }
    Ok(())
}

#[tokio::test]
async fn a_link_of_the_configuration_wins_and_no_command_changes_it() -> Result<()> {
    let (world, _) = with_people(&["Olive", "Other"]).await?;
    is_linked(&world, "Olive").await?;
    let other = world.okta.user_id("other").unwrap_or_default();
    let olive = world.member("Olive");
    let set = format!("[links.acme]\n\"{olive}\" = \"{other}\"\n[http]");
    let world = world.configured_anew(|text| text.replace("[http]", &set)).await?;

    let whoami = world.says("Olive", "whoami", &[]).await;
    assert!(
        whoami.content.contains(&other) && whoami.content.contains("configuration"),
        "{}",
        whoami.content
    );
    let link = world.says("Olive", "link", &[("login", "olive@example.com")]).await;
    assert!(link.content.contains("is changed there only"), "{}", link.content);
    let unlink = world.says("Root", "unlink", &[("member", &olive.to_string())]).await;
    assert!(unlink.content.contains("is changed there only"), "{}", unlink.content);
    world.says("Oscar", "link", &[("login", "other@example.com")]).await;
    world.shows().await?;
    let taken = world.presses_card("Root", "Confirm").await?;
    assert!(taken.content.contains("is changed there only"), "{}", taken.content);
    Ok(())
}

#[tokio::test]
async fn a_link_that_the_configuration_changed_voids_what_was_open() -> Result<()> {
    let (world, app) = with_people(&["Olive", "Ada", "Other"]).await?;
    is_linked(&world, "Olive").await?;
    is_linked(&world, "Ada").await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    let other = world.okta.user_id("other").unwrap_or_default();
    let set = format!("[links.acme]\n\"{}\" = \"{other}\"\n[http]", world.member("Olive"));

    let world = world.configured_anew(|text| text.replace("[http]", &set)).await?;
    world.works().await?;

    assert!(!world.card("[=] SUPERSEDED · Slack · R1").is_empty(), "{:?}", world.lines());
    assert!(!world.okta.deactivates_users(&app));
    Ok(())
}

#[tokio::test]
async fn links_that_cannot_be_read_are_nobodys_yes() -> Result<()> {
    let (world, app) = with_people(&["Olive"]).await?;
    world.asks_to_enable("Olive", "Slack", WHY).await?;
    let approve = world.button("Approve").expect("a button");
    world.in_the_database("ALTER TABLE link RENAME TO lost").await?;

    let asked = world.says("Olive", "enable", &[("app", "Slack"), ("reason", WHY)]).await;
    assert!(asked.content.starts_with("Nothing was done"), "{}", asked.content);
    let approved = world.acts("Ada", &approve, &[]).await;
    assert!(approved.content.starts_with("Nothing was done"), "{}", approved.content);

    world.in_the_database("ALTER TABLE lost RENAME TO link").await?;
    world.acts("Ada", &approve, &[]).await;
    world.in_the_database("ALTER TABLE link RENAME TO lost").await?;
    assert!(world.app.executor.pass().await.is_err());
    assert!(!world.okta.deactivates_users(&app));

    world.in_the_database("ALTER TABLE lost RENAME TO link").await?;
    world.works().await?;
    assert!(world.okta.deactivates_users(&app));
    Ok(())
}

#[tokio::test]
async fn a_proposals_card_is_posted_once_whatever_happens_and_outlives_a_restart() -> Result<()> {
    let (world, _) = with_people(&["Olive"]).await?;
    world.says("Olive", "link", &[("login", "olive@example.com")]).await;
    // It was posted, but the answer never came; then the program is started anew, and time passes.
    world.discord.faults().next(3, "/messages", Fault::DropAfter);
    world.shows().await.ok();
    world.discord.faults().clear();
    let world = world.starts_anew().await?;
    world.passes(SignedDuration::from_mins(3));
    world.shows().await?;
    world.shows().await?;

    assert_eq!(world.lines().iter().filter(|line| line.contains("· L1")).count(), 1, "{:?}", world.lines());
    let linked = world.presses_card("Root", "Confirm").await?;
    assert!(linked.content.contains("is now linked"), "{}", linked.content);
    let world = world.starts_anew().await?;
    let whoami = world.says("Olive", "whoami", &[]).await;
    assert!(whoami.content.contains("you are linked"), "{}", whoami.content);
    Ok(())
}

#[tokio::test]
async fn proposals_are_shown_in_the_audit_channel_where_there_is_one() -> Result<()> {
    let (world, _) = with_people(&["Olive"]).await?;
    let audit = world.discord.channel("audit");
    let set = format!("[discord]\naudit_channel_id = \"{audit}\"");
    let world = world.configured_anew(|text| text.replace("[discord]", &set)).await?;

    world.says("Olive", "link", &[("login", "olive@example.com")]).await;
    world.shows().await?;

    let cards = |channel| {
        let messages = world.discord.messages(channel);
        messages.iter().filter(|message| message.content.contains("· L1 ·")).count()
    };
    assert_eq!((cards(audit), cards(world.channel)), (1, 0));
    Ok(())
}

#[tokio::test]
async fn a_proposal_moves_when_its_channel_is_gone_and_such_cards_go_elsewhere() -> Result<()> {
    let (world, _) = with_people(&["Olive"]).await?;
    let audit = world.discord.channel("audit");
    let set = format!("[discord]\naudit_channel_id = \"{audit}\"");
    let world = world.configured_anew(|text| text.replace("[discord]", &set)).await?;
    world.says("Olive", "link", &[("login", "olive@example.com")]).await;
    world.shows().await?;
    world.discord.deletes_channel(audit);
    let world = world.configured_anew(|text| text.replace(&set, "[discord]")).await?;

    world.says("Olive", "link", &[("login", "Olive@example.com")]).await;
    world.shows().await?;

    let linked = world.presses_card("Root", "Confirm").await?;
    assert!(linked.content.contains("is now linked"), "{}", linked.content);
    world.shows().await?;
    assert!(!world.card("[✓] LINKED · L1").is_empty(), "{:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn an_org_is_named_where_there_are_several_and_unknown_ones_are_refused() -> Result<()> {
    let (world, _) = with_people(&["Olive"]).await?;
    let refused = world.says("Olive", "link", &[("login", "olive@example.com"), ("org", "lab")]).await;
    assert!(refused.content.contains("Which org?") && refused.content.contains("acme"), "{}", read(&refused));
    let asked = world.says("Olive", "link", &[("login", "olive@example.com"), ("org", "acme")]).await;
    assert!(asked.content.contains("is asked to confirm it"), "{}", asked.content);
    Ok(())
}
