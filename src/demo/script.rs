//! The story that `provost demo --script` plays, scene by scene, with what each person sees; it checks itself.

mod telling;

use anyhow::{bail, ensure};
use jiff::SignedDuration;
use sim::discord::Shown;
use sim::okta::DeactivateUsers;

use super::World;
use telling::{
    approve, ask_from_alert, confirm, expect, newest, press, private, say, scene, show, show_last, until,
};

/// Plays the story and prints it.
///
/// # Errors
///
/// If something that should happen does not: the scene, what was waited for, and what was seen instead.
pub async fn play(seed: u64) -> anyhow::Result<()> {
    say(
        "Provost, a Discord bot for IT teams that run Okta. This is the real bot, between a simulated Okta org and a",
    );
    say("simulated Discord server, over HTTP and a websocket. What follows is what people see.");
    let world = World::starts(seed).await?;
    let played = scenes(&world).await;
    let ended = world.ends().await;
    played?;
    ended?;
    say("\nThe end. Every scene came as it should.");
    Ok(())
}

async fn scenes(world: &World) -> anyhow::Result<()> {
    let airbase = somebody_comes_back(world).await?;
    what_is_wrong(world).await?;
    not_for_strangers(world).await?;
    asked_and_approved(world).await?;
    guided(world, &airbase).await?;
    pushed_again(world, &airbase).await?;
    let slack = a_storm(world).await?;
    denied(world).await?;
    nobody_decides(world).await?;
    by_the_api(world, &slack).await?;
    all_of_them(world, &slack).await?;
    not_enough(world).await?;
    in_the_app_instead(world).await?;
    it_heals_itself(world).await?;
    turned_off_again(world, &airbase).await?;
    blind(world).await
}

/// The alert.
async fn somebody_comes_back(world: &World) -> anyhow::Result<Dana> {
    scene(
        world,
        1,
        "Dana comes back",
        "Dana Reyes left last year and is rehired today. Her manager assigns Airbase to \
         her again. Her account there still exists, but is inactive, and the app's Deactivate Users is off. Okta \
         writes a failure to its log and tells nobody.",
    );
    let app = world.okta.installs("Airbase", "airbase", DeactivateUsers::Off);
    let dana = world.okta.hires("Dana", "Reyes");
    world.okta.left_inactive(&dana, &app);
    world.okta.assigns(&dana, &app);
    until(world, "an alert that pings the people on call", || {
        let alerts = world.discord.messages(world.channel);
        alerts.len() == 1 && alerts[0].pings.roles.len() == 1
    })
    .await?;
    // Okta is asked about the app while the burst is waited for; the card has it from the start.
    expect(
        world,
        &["[!] ACTION NEEDED · Airbase · 1 person", "Deactivate Users is off", "User account is inactive"],
    )?;
    show(world);
    Ok(Dana { person: dana, app })
}

struct Dana {
    person: String,
    app: String,
}

/// The diagnosis, by the button, by the command, and from any message that quotes the error.
async fn what_is_wrong(world: &World) -> anyhow::Result<()> {
    scene(
        world,
        2,
        "What is wrong?",
        "Vic, who may read, presses the alert's button. Only Vic sees the answer.",
    );
    let alert = world.discord.messages(world.channel)[0].id;
    let answer = world.discord.person(world.vic).clicks(alert, "Diagnose").await?;
    until(world, "the whole diagnosis", || {
        answer.current().is_some_and(|message| message.content.contains("the setting is off"))
    })
    .await?;
    expect(world, &["The price", "by hand only", "1 person: 1 by name"])?;
    show(world);

    scene(world, 3, "The list", "Olive, an operator, wants to know whose push is failing, and types.");
    let answer = world.discord.person(world.olive).types("/okta tasks").await?;
    until(world, "the list", || {
        answer.current().is_some_and(|message| message.content.contains("1 person failing"))
    })
    .await?;
    show(world);
    Ok(())
}

/// The refusal.
async fn not_for_strangers(world: &World) -> anyhow::Result<()> {
    scene(world, 4, "Not for strangers", "Somebody without a role tries the same.");
    let stranger = world.discord.person(world.stranger);
    let answer = stranger.types("/okta tasks").await?;
    until(world, "a refusal", || {
        answer.current().is_some_and(|message| message.content.contains("You may not use this"))
    })
    .await?;
    show(world);
    Ok(())
}

/// The request: a dialog, a confirmation with the price, a card that asks the people on call.
async fn asked_and_approved(world: &World) -> anyhow::Result<()> {
    scene(
        world,
        5,
        "May we?",
        "Olive, an operator, presses “Guide me…” on the alert: this app's setting can only be \
         changed by hand. She says why, reads what it costs, and confirms. Nothing happens before somebody on call \
         has approved it.",
    );
    let alert = world.discord.messages(world.channel)[0].id;
    let confirmation = ask_from_alert(world, alert, "Guide me…").await?;
    confirm(world, confirmation, "Enable Deactivate Users").await?;
    until(world, "the card that asks for approval", || {
        newest(world, "[?] WAITING FOR APPROVAL · Airbase · R1").is_some()
    })
    .await?;
    expect(world, &["The price", "rings @on-call"])?;
    show(world);
    Ok(())
}

/// The cure by hand, seen and proven.
async fn guided(world: &World, dana: &Dana) -> anyhow::Result<()> {
    scene(
        world,
        6,
        "By hand, and seen",
        "Ada is on call and approves. The card shows the clicks. Jo Ortiz does them in \
         Okta's console. Nobody has to come back and press “done”: Provost sees it in Okta's log.",
    );
    approve(world, world.ada, "[?] WAITING FOR APPROVAL · Airbase · R1").await?;
    until(world, "the clicks", || {
        newest(world, "[~] IN PROGRESS · Airbase · R1")
            .is_some_and(|card| card.json.to_string().contains("To do, in Okta"))
    })
    .await?;
    world.okta.enables_in_console(&dana.app, "Jo Ortiz");
    until(world, "the proof", || newest(world, "[✓] DONE · Airbase · R1").is_some()).await?;
    show_last(world);
    Ok(())
}

/// The retry of one person.
async fn pushed_again(world: &World, dana: &Dana) -> anyhow::Result<()> {
    scene(
        world,
        7,
        "Pushed again, and proven",
        "Okta does not push Dana again by itself. Olive does it from the channel; \
         the card turns when Okta's own record shows that it worked, and not before.",
    );
    let line = format!("/okta retry app:acme/{} person:{}", dana.app, dana.person);
    let answer = world.discord.person(world.olive).types(&line).await?;
    let confirmation = private(world, &answer, "please confirm").await?;
    confirm(world, confirmation, "Retry").await?;
    until(world, "the alert to turn", || {
        newest(world, "[✓] FIXED · Airbase · 1 person provisioned").is_some()
            && newest(world, "[✓] FIXED · Airbase · R2").is_some()
    })
    .await?;
    ensure!(world.okta.is_active_in_app(&dana.person, &dana.app), "Dana has no working account");
    show_last(world);
    Ok(())
}

/// Thirty people at once.
async fn a_storm(world: &World) -> anyhow::Result<String> {
    scene(
        world,
        8,
        "A storm",
        "A term begins: thirty people come back to Slack within a minute. It is one card.",
    );
    let app = world.okta.installs("Slack", "slack", DeactivateUsers::Off);
    for n in 1..=30 {
        let person = world.okta.hires(&format!("Student{n:02}"), "Returning");
        world.okta.left_inactive(&person, &app);
        world.okta.assigns_by_group(&person, &app, "Students");
    }
    until(world, "one card for thirty people", || {
        newest(world, "[!] ACTION NEEDED · Slack · 30 people cannot be provisioned").is_some()
    })
    .await?;
    expect(world, &["and 25 more", "assigned by a group"])?;
    show(world);
    Ok(app)
}

/// A request that is denied.
async fn denied(world: &World) -> anyhow::Result<()> {
    scene(
        world,
        9,
        "Denied",
        "Olive asks to turn the setting on. Abe wants the app's owner to be asked first.",
    );
    let alert = newest(world, "[!] ACTION NEEDED · Slack").map(|alert| alert.id).unwrap_or_default();
    let confirmation = ask_from_alert(world, alert, "Enable Deactivate Users…").await?;
    confirm(world, confirmation, "Enable Deactivate Users").await?;
    let waiting = "[?] WAITING FOR APPROVAL · Slack · R3";
    until(world, "the card that asks for approval", || newest(world, waiting).is_some()).await?;
    let card = newest(world, waiting).map(|card| card.id).unwrap_or_default();
    let abe = world.discord.person(world.abe);
    let dialog = abe.clicks(card, "Deny…").await?;
    until(world, "a dialog", || matches!(dialog.now(), Shown::Modal(_))).await?;
    let Shown::Modal(modal) = dialog.now() else { bail!("no dialog") };
    abe.fills(&modal, &[("Why? The requester reads it.", "ask the owner of Slack first")]).await?;
    until(world, "the refusal", || newest(world, "[=] DENIED · Slack · R3").is_some()).await?;
    until(world, "a word to Olive", || {
        world.discord.messages(world.channel).iter().any(|message| message.content.contains("was denied by"))
    })
    .await?;
    show_last(world);
    Ok(())
}

/// A request that nobody decides about.
async fn nobody_decides(world: &World) -> anyhow::Result<()> {
    scene(
        world,
        10,
        "Nobody decides",
        "Olive asks again, at a bad time. After ten minutes the people on call are asked once more; after twenty \
         the request expires, and nothing was changed. (Outside of the demo it is an hour.)",
    );
    let alert = newest(world, "[!] ACTION NEEDED · Slack").map(|alert| alert.id).unwrap_or_default();
    let confirmation = ask_from_alert(world, alert, "Enable Deactivate Users…").await?;
    confirm(world, confirmation, "Enable Deactivate Users").await?;
    let waiting = "[?] WAITING FOR APPROVAL · Slack · R4";
    until(world, "the card that asks for approval", || newest(world, waiting).is_some()).await?;
    for _ in 0..11 {
        let looks = || world.okta.requests("/api/v1/logs").len();
        let before = looks();
        world.passes(SignedDuration::from_mins(2));
        // The second begins when the first is over: the log is never unread for longer than it may be.
        until(world, "two looks at the log", || looks() > before + 1).await?;
    }
    let said = |words: &str| {
        world.discord.messages(world.channel).iter().any(|message| message.content.contains(words))
    };
    until(world, "the end of the request", || newest(world, "[=] EXPIRED · Slack · R4").is_some()).await?;
    until(world, "a word to Olive", || said("R4 for Slack expired")).await?;
    ensure!(said("R4 for Slack still waits for an approval"), "nobody was reminded");
    show_last(world);
    Ok(())
}

/// The API writes, the one capability and nothing else.
async fn by_the_api(world: &World, app: &str) -> anyhow::Result<()> {
    scene(
        world,
        11,
        "By the API",
        "The owner agrees. Olive asks again, Ada approves, and Provost turns on that one \
         setting by Okta's API, reads everything back, and waits for Okta's own record of the change.",
    );
    let line = format!("/okta enable app:acme/{app} reason:\"the owner agrees, see the ticket\"");
    let answer = world.discord.person(world.olive).types(&line).await?;
    let confirmation = private(world, &answer, "please confirm").await?;
    confirm(world, confirmation, "Enable Deactivate Users").await?;
    let waiting = "[?] WAITING FOR APPROVAL · Slack · R5";
    until(world, "the card that asks for approval", || newest(world, waiting).is_some()).await?;
    approve(world, world.ada, waiting).await?;
    until(world, "the proof", || newest(world, "[✓] DONE · Slack · R5").is_some()).await?;
    ensure!(world.okta.deactivates_users(app), "the setting is not on");
    show_last(world);
    Ok(())
}

/// A bulk, in waves, with its progress.
async fn all_of_them(world: &World, app: &str) -> anyhow::Result<()> {
    scene(
        world,
        12,
        "All of them",
        "Thirty people are more than ten, so that needs an approval, too. Then they are pushed \
         in waves: one, ten, the rest; each with an outcome of their own.",
    );
    let answer = world.discord.person(world.olive).types(&format!("/okta retry app:acme/{app}")).await?;
    let list = private(world, &answer, "whom to push again").await?;
    world.discord.person(world.olive).clicks(list, "Retry all 30").await?;
    let confirmation = private(world, &answer, "please confirm").await?;
    confirm(world, confirmation, "Retry").await?;
    let waiting = "[?] WAITING FOR APPROVAL · Slack · R6";
    until(world, "the card that asks for approval", || newest(world, waiting).is_some()).await?;
    approve(world, world.abe, waiting).await?;
    until(world, "everybody's proof", || {
        newest(world, "[✓] FIXED · Slack · R6").is_some()
            && newest(world, "[✓] FIXED · Slack · 30 people provisioned").is_some()
    })
    .await?;
    expect(world, &["30 proven, 0 failed, 0 waited for, 0 not begun"])?;
    show_last(world);
    Ok(())
}

/// A push that is not enough, and what comes after it.
async fn not_enough(world: &World) -> anyhow::Result<()> {
    scene(
        world,
        13,
        "Not enough",
        "Smartsheet's setting is on, but a push by the API does not bring Eve back. The card says so, and offers the \
         next rung: Okta's own Tasks page, which does more. Jo Ortiz presses Retry there, and Provost sees it work.",
    );
    let app = world.okta.installs("Smartsheet", "smartsheet", DeactivateUsers::Off);
    world.okta.profile_push_does_not_reactivate(&app);
    let eve = world.okta.hires("Eve", "Lindqvist");
    world.okta.left_inactive(&eve, &app);
    world.okta.assigns(&eve, &app);
    until(world, "the alert", || newest(world, "[!] ACTION NEEDED · Smartsheet").is_some()).await?;
    world.okta.enables_in_console(&app, "Jo Ortiz");
    let olive = world.discord.person(world.olive);
    let line = format!("/okta retry app:acme/{app} person:{eve}");
    press(world, &olive.types(&line).await?, "Retry").await?;
    let failed = "[x] FIX FAILED · Smartsheet · R7";
    until(world, "the failure", || newest(world, failed).is_some()).await?;
    expect(world, &["Still failing: ", "[Retry in the console…]"])?;
    let card = newest(world, failed).map(|card| card.id).unwrap_or_default();
    let confirmation = olive.clicks(card, "Retry in the console…").await?;
    press(world, &confirmation, "Retry").await?;
    until(world, "the clicks", || {
        newest(world, "[~] IN PROGRESS · Smartsheet · R8")
            .is_some_and(|card| card.json.to_string().contains("To do, in Okta"))
    })
    .await?;
    show(world);
    world.discord.clear_transcript();
    world.okta.retries_in_console(&eve, &app);
    until(world, "the proof", || newest(world, "[✓] FIXED · Smartsheet · R8").is_some()).await?;
    ensure!(world.okta.is_active_in_app(&eve, &app), "Eve has no working account");
    show_last(world);
    Ok(())
}

/// The other branch: the setting stays off, and the account is mended in the app.
async fn in_the_app_instead(world: &World) -> anyhow::Result<()> {
    scene(
        world,
        14,
        "In the app instead",
        "Dropbox's owner wants the setting to stay off, and activates Finn's account in Dropbox itself. Olive says so \
         from the alert, and pushes again at once. Her word is noted; what counts is Okta's record of the success.",
    );
    let app = world.okta.installs("Dropbox", "dropbox", DeactivateUsers::Off);
    let finn = world.okta.hires("Finn", "Adeyemi");
    world.okta.left_inactive(&finn, &app);
    world.okta.assigns(&finn, &app);
    until(world, "the alert", || newest(world, "[!] ACTION NEEDED · Dropbox").is_some()).await?;
    world.okta.activates_in_app(&finn, &app);
    let alert = newest(world, "[!] ACTION NEEDED · Dropbox").map(|alert| alert.id).unwrap_or_default();
    let more = world.discord.person(world.olive).clicks(alert, "More…").await?;
    let asked = press(world, &more, "Done in the app…").await?;
    let noted = press(world, &asked, "Activated there").await?;
    until(world, "her word", || newest(world, "[~] IN PROGRESS · Dropbox · R9").is_some()).await?;
    let list = press(world, &noted, "Retry…").await?;
    press(world, &list, "Retry all 1").await?;
    press(world, &list, "Retry").await?;
    until(world, "the proof", || {
        newest(world, "[✓] FIXED · Dropbox · R9").is_some()
            && newest(world, "[✓] FIXED · Dropbox · R10").is_some()
            && newest(world, "[✓] FIXED · Dropbox · 1 person provisioned").is_some()
    })
    .await?;
    ensure!(!world.okta.deactivates_users(&app), "the setting was turned on");
    show(world);
    Ok(())
}

/// A failure that nobody should touch.
async fn it_heals_itself(world: &World) -> anyhow::Result<()> {
    scene(
        world,
        15,
        "Hands off",
        "Zoom is busy and puts Ben's account off. Okta tries again by itself, so nobody is \
         alerted; whoever asks is told to wait.",
    );
    let app = world.okta.installs("Zoom", "zoomus", DeactivateUsers::On);
    let ben = world.okta.hires("Ben", "Okoro");
    world.okta.app_is_busy_until(&app, world.okta.now() + SignedDuration::from_mins(10));
    world.okta.assigns(&ben, &app);
    let answer = world.discord.person(world.vic).types(&format!("/okta diagnose app:acme/{app}")).await?;
    until(world, "the advice to wait", || {
        answer.current().is_some_and(|message| message.content.contains("healing itself"))
    })
    .await?;
    ensure!(newest(world, "[!] ACTION NEEDED · Zoom").is_none(), "it alerted somebody");
    show(world);
    Ok(())
}

/// The drift notice.
async fn turned_off_again(world: &World, dana: &Dana) -> anyhow::Result<()> {
    scene(
        world,
        16,
        "Turned off again",
        "A week later somebody tidies up and turns Airbase's setting off again.",
    );
    world.okta.disables_in_console(&dana.app, "Max Power");
    until(world, "a drift notice", || {
        let lines = world.discord.messages(world.channel);
        lines.iter().any(|line| line.content.starts_with("[!] DRIFT · Airbase"))
    })
    .await?;
    expect(world, &["by Max Power"])?;
    show(world);
    Ok(())
}

/// A watcher that says when it cannot see.
async fn blind(world: &World) -> anyhow::Result<()> {
    scene(
        world,
        17,
        "Blind, and back",
        "Okta is down for a while. Meanwhile Cleo comes back to Airbase, and nobody can \
         see it. Provost says that it is blind; when Okta is back, what was missed has been caught up.",
    );
    world.okta.pause_serving().await;
    world.passes(SignedDuration::from_mins(5));
    let said = |start: &str| {
        world.discord.messages(world.channel).iter().any(|message| message.content.starts_with(start))
    };
    until(world, "a word that it is blind", || said("[!] BLIND · acme")).await?;
    let airbase = world.okta.app_id("Airbase").unwrap_or_default();
    let cleo = world.okta.hires("Cleo", "Marsh");
    world.okta.left_inactive(&cleo, &airbase);
    world.okta.assigns(&cleo, &airbase);
    world.okta.resume_serving().await?;
    until(world, "the window that was caught up, and Cleo's alert", || {
        said("[✓] SEES AGAIN · acme") && said("[!] ACTION NEEDED · Airbase")
    })
    .await?;
    show(world);
    Ok(())
}
