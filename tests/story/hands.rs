//! What people do to an incident by hand: take it, hide it for a time, close it.

use anyhow::{Context, Result};
use domain::requests::AuditQuery;
use jiff::SignedDuration;

use crate::world::{World, read};

const WHY: &str = "the app is retired next week";

/// What the newest audit entry says: what, who, before, after and why.
async fn audited(world: &World) -> Result<String> {
    let query = AuditQuery { limit: 1, ..AuditQuery::default() };
    let entry = world.app.desk.requests.entries(&query).await?.pop().context("nothing was written down")?;
    let draft = entry.draft;
    let member = draft.member.map_or("Provost".to_owned(), |member| format!("<@{member}>"));
    Ok(format!("{} by {member}: {} → {} · {}", draft.what, draft.before, draft.after, draft.reason))
}

/// What the newest alert's thread has been told.
fn told(world: &World) -> String {
    let alerts = world.discord.messages(world.channel);
    let threads = alerts.iter().flat_map(|alert| world.discord.thread_of(alert.id));
    threads.map(|message| message.content).collect::<Vec<_>>().join("\n")
}

/// The push of somebody else fails, too.
fn another_comes_back(world: &World, name: &str, app: &str) {
    let person = world.okta.hires(name, "Back");
    world.okta.left_inactive(&person, app);
    world.okta.assigns(&person, app);
}

#[tokio::test]
async fn one_who_claims_an_incident_is_shown_and_may_be_taken_over_from() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    let (olive, oscar) = (world.mention("Olive"), world.mention("Oscar"));
    assert!(world.discord.transcript().contains("Nobody yet."), "{}", world.discord.transcript());

    let taken = world.presses_card("Olive", "Claim").await?;
    assert!(taken.content.starts_with("You have #1 (Airbase) now"), "{}", taken.content);
    assert_eq!(
        audited(&world).await?,
        format!(
            "incident.claimed by {olive}: incident #1: open, 1 failing → incident #1: open, 1 failing, had by {} · ",
            olive.trim_matches(['<', '@', '>'])
        )
    );
    world.settles().await?;
    assert!(world.discord.transcript().contains("Who has it"), "{}", world.discord.transcript());
    assert!(told(&world).contains(&format!("{olive} has it now.")), "{}", told(&world));
    let (list, _) = world.types("incidents", &[]).await;
    assert!(read(&list).contains(&format!("{olive} has it")), "{}", read(&list));

    let again = world.says("Olive", "claim", &[("incident", "1")]).await;
    assert!(again.content.starts_with("You have #1 (Airbase) already"), "{}", again.content);

    let other = world.says("Oscar", "claim", &[("incident", "#1")]).await;
    assert!(
        other.content.starts_with(&format!("{olive} has #1 (Airbase). Nothing was changed.")),
        "{}",
        other.content
    );
    let taken = world.presses("Oscar", &other, "Take over").await?;
    assert!(taken.content.contains(&format!("over from {olive}")), "{}", taken.content);
    world.settles().await?;
    assert!(told(&world).contains(&format!("{oscar} took it over from {olive}.")), "{}", told(&world));
    assert!(audited(&world).await?.starts_with(&format!("incident.taken_over by {oscar}")));

    let back = world.presses_card("Olive", "Take over").await?;
    assert!(back.content.contains(&format!("over from {oscar}")), "{}", back.content);
    assert_eq!(world.lines().len(), 1, "nobody was pinged: {:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn of_two_who_claim_in_the_same_moment_one_has_it() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    let claim = world.button("Claim").context("no button")?;

    let (olive, oscar) = tokio::join!(world.acts("Olive", &claim, &[]), world.acts("Oscar", &claim, &[]));

    let answers = [&olive.content, &oscar.content];
    assert_eq!(answers.iter().filter(|said| said.starts_with("You have #1")).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|said| said.contains("Nothing was changed")).count(), 1, "{answers:?}");
    // An old button does not take over from somebody whom it does not name.
    let take = commands::chat::CustomId::new("take-over", ["1".to_owned(), "77".to_owned()]);
    let third = world.acts("Abe", &take, &[]).await;
    assert!(third.content.contains("Nothing was changed"), "{}", third.content);
    Ok(())
}

#[tokio::test]
async fn a_snoozed_incident_pings_nobody_while_the_same_people_fail() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;

    let snoozed = world.says("Olive", "snooze", &[("incident", "1"), ("for", "4h")]).await;
    assert!(snoozed.content.starts_with("#1 (Airbase) is snoozed until"), "{}", snoozed.content);
    assert!(audited(&world).await?.contains("snoozed until"), "{}", audited(&world).await?);
    world.okta.retries_in_console(&dana, &app);
    world.lives_through(SignedDuration::from_hours(3)).await?;

    let messages = world.discord.messages(world.channel);
    assert_eq!(messages.len(), 1, "{:?}", world.lines());
    assert!(
        messages[0].content.starts_with("[z] SNOOZED · Airbase · 1 person cannot be provisioned"),
        "{:?}",
        world.lines()
    );
    assert!(told(&world).contains("Snoozed by"), "{}", told(&world));
    Ok(())
}

#[tokio::test]
async fn somebody_new_wakes_it_at_once_with_a_message_and_a_ping_of_its_own() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.says("Olive", "claim", &[("incident", "1")]).await;
    world.says("Olive", "snooze", &[("incident", "1"), ("for", "2d")]).await;
    world.lives_through(SignedDuration::from_hours(1)).await?;

    another_comes_back(&world, "Eli", &app);
    world.settles().await?;
    world.settles().await?;

    let messages = world.discord.messages(world.channel);
    assert_eq!(messages.len(), 2, "{:?}", world.lines());
    assert!(
        messages[0].content.starts_with("[!] WOKE UP · Airbase · #1 goes on here: https://"),
        "{:?}",
        world.lines()
    );
    assert!(
        messages[1].content.starts_with(
            "[!] ACTION NEEDED · Airbase · 2 people cannot be provisioned · somebody new while it was snoozed"
        ),
        "{:?}",
        world.lines()
    );
    assert_eq!(messages[1].pings.roles.len(), 1);
    assert!(told(&world).contains("somebody new failed while it was snoozed, Eli Back"), "{}", told(&world));

    // Both are of the new alert, also after a restart, and both can be fixed.
    let world = world.starts_anew().await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    for person in [dana.as_str(), "eli"] {
        world.okta.retries_in_console(person, &app);
    }
    world.passes(SignedDuration::from_secs(60));
    world.settles().await?;
    assert!(
        world.lines()[1].starts_with("[✓] FIXED · Airbase · 2 people provisioned"),
        "{:?}",
        world.lines()
    );
    Ok(())
}

#[tokio::test]
async fn it_wakes_when_its_time_is_over_also_after_a_restart() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.says("Olive", "snooze", &[("incident", "1"), ("for", "30m")]).await;
    world.lives_through(SignedDuration::from_mins(10)).await?;
    assert_eq!(world.lines().len(), 1, "{:?}", world.lines());

    // Its time passes while the program is down.
    let world = world.starts_anew().await?;
    world.passes(SignedDuration::from_mins(30));
    world.settles().await?;
    world.settles().await?;

    let messages = world.discord.messages(world.channel);
    let alerts: Vec<_> = messages.iter().filter(|message| message.content.contains("Airbase")).collect();
    assert_eq!(alerts.len(), 2, "{:?}", world.lines());
    assert!(alerts[0].content.starts_with("[!] WOKE UP · Airbase · #1 goes on here"), "{:?}", world.lines());
    assert!(
        alerts[1]
            .content
            .starts_with("[!] ACTION NEEDED · Airbase · 1 person cannot be provisioned · the snooze is over"),
        "{:?}",
        world.lines()
    );
    assert_eq!(alerts[1].pings.roles.len(), 1);
    assert!(told(&world).contains("Woken: the time for which it was snoozed is over"), "{}", told(&world));

    // Once.
    world.lives_through(SignedDuration::from_hours(1)).await?;
    let alerts = world.lines().iter().filter(|line| line.contains("Airbase")).count();
    assert_eq!(alerts, 2, "{:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn what_is_fixed_while_it_is_snoozed_does_not_wake() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    world.says("Olive", "snooze", &[("incident", "1"), ("for", "30m")]).await;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.okta.retries_in_console(&dana, &app);
    world.lives_through(SignedDuration::from_hours(1)).await?;

    let lines = world.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("[✓] FIXED"), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn one_that_is_snoozed_before_its_alert_is_posted_pings_nobody() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.looks().await?;

    world.says("Olive", "snooze", &[("incident", "1"), ("for", "1h")]).await;
    world.settles().await?;

    let messages = world.discord.messages(world.channel);
    assert!(messages[0].content.starts_with("[z] SNOOZED"), "{:?}", world.lines());
    assert!(messages[0].pings.is_empty());
    Ok(())
}

#[tokio::test]
async fn closed_by_hand_is_not_fixed_and_a_later_failure_opens_it_again() -> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;

    let closed = world.says("Olive", "close", &[("incident", "1"), ("reason", WHY)]).await;
    assert!(
        closed.content.starts_with("#1 (Airbase) is closed, with 1 person still failing"),
        "{}",
        closed.content
    );
    assert_eq!(
        audited(&world).await?,
        format!(
            "incident.closed by {}: incident #1: open, 1 failing → incident #1: over: closed · {WHY}",
            world.mention("Olive")
        )
    );
    world.settles().await?;
    let lines = world.lines();
    assert_eq!(lines, ["[=] CLOSED BY HAND · Airbase · 1 person without proof"]);
    assert!(!world.okta.is_active_in_app(&dana, &app), "nothing was changed in Okta");
    assert!(told(&world).contains(&format!("with 1 person still failing: {WHY}")), "{}", told(&world));
    assert!(world.discord.transcript().contains(WHY));
    let (open, _) = world.types("incidents", &[]).await;
    assert!(open.content.starts_with("No incident is open"), "{}", open.content);
    let again = world.says("Olive", "close", &[("incident", "1"), ("reason", WHY)]).await;
    assert!(again.content.contains("is over: it was closed by hand"), "{}", again.content);

    world.lives_through(SignedDuration::from_hours(2)).await?;
    world.okta.retries_in_console(&dana, &app);
    world.settles().await?;
    let messages = world.discord.messages(world.channel);
    assert_eq!(messages.len(), 2, "{:?}", world.lines());
    assert!(messages[0].content.starts_with("[!] CAME BACK · Airbase"), "{:?}", world.lines());
    assert!(
        messages[1].content.starts_with("[!] ACTION NEEDED · Airbase · 1 person cannot be provisioned again"),
        "{:?}",
        world.lines()
    );
    assert_eq!(messages[1].pings.roles.len(), 1);
    Ok(())
}

#[tokio::test]
async fn the_rest_of_what_can_be_done_is_behind_one_button() -> Result<()> {
    let (world, dana, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    let labels = |message: &commands::chat::Message| -> Vec<String> {
        let rows = message.rows.iter().filter_map(|row| match row {
            commands::chat::Row::Buttons(buttons) => Some(buttons),
            commands::chat::Row::Select(_) => None,
        });
        rows.flatten().map(|button| button.label.clone()).collect()
    };

    let more = world.presses_card("Olive", "More…").await?;
    assert_eq!(
        labels(&more),
        [
            "Snooze…",
            "Close…",
            "Done in the app…",
            "Support bundle",
            "Text for the app's owner",
            "Open Provisioning",
            "Open Tasks"
        ]
    );
    let id = world.button("More…").context("no button")?;
    let (viewer, _) = world.types(&id.verb, &[("incident", &id.args[0])]).await;
    assert_eq!(labels(&viewer), ["Support bundle", "Open Provisioning", "Open Tasks"]);

    let bundle = world.presses("Olive", &more, "Support bundle").await?;
    let text = String::from_utf8_lossy(&bundle.files[0].bytes).into_owned();
    assert!(text.contains(&dana) && !text.contains('@'), "{text}");

    for (label, input) in [("Snooze…", "for"), ("Close…", "reason")] {
        let commands::chat::First::Ask(dialog) = world.opens("Olive", &more, label)? else {
            anyhow::bail!("{label} opens no dialog");
        };
        assert_eq!(dialog.inputs[0].name, input);
    }
    let commands::chat::First::Ask(dialog) = world.opens("Olive", &more, "Snooze…")? else {
        anyhow::bail!("no dialog");
    };
    let snoozed = world.acts("Olive", &dialog.submit, &[("for", "2d")]).await;
    assert!(snoozed.content.starts_with("#1 (Airbase) is snoozed"), "{}", snoozed.content);
    Ok(())
}

#[tokio::test]
async fn nobody_acts_on_an_incident_without_being_its_operator() -> Result<()> {
    let (world, _, _) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;
    let tries: [(&str, &[(&str, &str)]); 6] = [
        ("claim", &[("incident", "1")]),
        ("take-over", &[("incident", "1"), ("from", "77")]),
        ("snooze", &[("incident", "1"), ("for", "4h")]),
        ("close", &[("incident", "1"), ("reason", WHY)]),
        ("fixed", &[("incident", "1"), ("how", "activated there")]),
        ("owner-text", &[("incident", "1")]),
    ];
    for (verb, options) in tries {
        let (viewer, _) = world.types(verb, options).await;
        assert!(viewer.content.contains("it takes the role **operator**"), "{verb}: {}", viewer.content);
        let (stranger, _) = world.calls(&[], verb, options, None).await;
        assert!(stranger.content.starts_with("You may not use this"), "{verb}: {}", stranger.content);
    }
    for verb in ["more", "bundle"] {
        let (stranger, _) = world.calls(&[], verb, &[("incident", "1"), ("app", "Airbase")], None).await;
        assert!(stranger.content.starts_with("You may not use this"), "{verb}: {}", stranger.content);
    }
    let record = world.record().await?;
    assert!(record.iter().all(|entry| entry.ends_with(" refused")), "nothing was done: {record:?}");
    assert!(world.lines()[0].starts_with("[!] ACTION NEEDED"), "{:?}", world.lines());
    Ok(())
}

#[tokio::test]
async fn an_app_with_operators_of_its_own_is_theirs_alone() -> Result<()> {
    let (world, _, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    let world = world.where_operates(&app, "Oscar").await?;
    world.settles().await?;

    let olive = world.says("Olive", "claim", &[("incident", "1")]).await;
    assert!(olive.content.contains("it takes the role **operator** for this app"), "{}", olive.content);
    let oscar = world.says("Oscar", "claim", &[("incident", "1")]).await;
    assert!(oscar.content.starts_with("You have #1"), "{}", oscar.content);
    Ok(())
}

#[tokio::test]
async fn an_incident_that_there_is_not_and_a_time_that_is_none_are_answered_with_what_would_be_right()
-> Result<()> {
    let (world, dana, app) = World::where_dana_came_back_to("Airbase", "airbase").await?;
    world.settles().await?;

    for typed in ["7", "Airbase", "", "1; DROP TABLE incident"] {
        let answer = world.says("Olive", "claim", &[("incident", typed)]).await;
        assert!(answer.content.contains("Open now: #1 (Airbase)."), "{typed}: {}", answer.content);
    }
    for typed in ["soon", "3m", "15d", "4", ""] {
        let answer = world.says("Olive", "snooze", &[("incident", "1"), ("for", typed)]).await;
        assert!(
            answer.content.contains("at least 5 minutes, at most 14 days"),
            "{typed}: {}",
            answer.content
        );
    }

    world.okta.enables_in_console(&app, "Jo Ortiz");
    world.okta.retries_in_console(&dana, &app);
    world.passes(SignedDuration::from_secs(30));
    world.settles().await?;
    for (verb, more) in [("claim", None), ("snooze", Some(("for", "4h"))), ("close", Some(("reason", WHY)))] {
        let options: Vec<_> = std::iter::once(("incident", "1")).chain(more).collect();
        let answer = world.says("Olive", verb, &options).await;
        assert!(answer.content.contains("is over: it was fixed"), "{verb}: {}", answer.content);
    }
    Ok(())
}
