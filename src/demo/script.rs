//! The story that `provost demo --script` plays, scene by scene, with what each person sees; it checks itself.

use std::io::Write;
use std::time::Duration;

use anyhow::{bail, ensure};
use jiff::SignedDuration;
use sim::okta::DeactivateUsers;

use super::World;

/// How long the story waits for anything.
const PATIENCE: Duration = Duration::from_secs(15);

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
    mended_in_the_console(world, &airbase).await?;
    a_storm(world).await?;
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

/// The cure by hand, seen and proven.
async fn mended_in_the_console(world: &World, dana: &Dana) -> anyhow::Result<()> {
    scene(
        world,
        5,
        "Mended, and proven",
        "Jo Ortiz follows the alert's steps in Okta's console: Deactivate Users on, \
         then Retry Selected. Nobody has to come back and press “done”: Provost sees it in Okta's log.",
    );
    world.okta.enables_in_console(&dana.app, "Jo Ortiz");
    world.okta.retries_in_console(&dana.person, &dana.app);
    until(world, "the card to turn, and its thread to tell", || {
        let alerts = world.discord.messages(world.channel);
        let thread = world.discord.thread_of(alerts[0].id);
        alerts[0].content.starts_with("[✓] FIXED")
            && thread.iter().any(|line| line.content.contains("Fixed for"))
    })
    .await?;
    expect(world, &["turned on by Jo Ortiz", "Fixed for Dana Reyes", "Proof: success event"])?;
    ensure!(world.okta.is_active_in_app(&dana.person, &dana.app), "Dana has no working account");
    show(world);
    Ok(())
}

/// Two hundred people at once.
async fn a_storm(world: &World) -> anyhow::Result<()> {
    scene(
        world,
        6,
        "A storm",
        "A school year begins: two hundred people come back to Smartsheet within a minute. It is \
         one card, edited in place.",
    );
    let app = world.okta.installs("Smartsheet", "smartsheet", DeactivateUsers::Off);
    for n in 1..=200 {
        let person = world.okta.hires(&format!("Student{n}"), "Returning");
        world.okta.left_inactive(&person, &app);
        world.okta.assigns_by_group(&person, &app, "Students");
    }
    until(world, "one card for two hundred people", || {
        let alerts = world.discord.messages(world.channel);
        alerts.len() == 2 && alerts[1].content.contains("200 people cannot be provisioned")
    })
    .await?;
    expect(world, &["and 195 more", "assigned by a group"])?;
    show_last(world);
    Ok(())
}

/// A failure that nobody should touch.
async fn it_heals_itself(world: &World) -> anyhow::Result<()> {
    scene(
        world,
        7,
        "Hands off",
        "Slack is busy and puts Ben's account off. Okta tries again by itself, so nobody is \
         alerted; whoever asks is told to wait.",
    );
    let app = world.okta.installs("Slack", "slack", DeactivateUsers::On);
    let ben = world.okta.hires("Ben", "Okoro");
    world.okta.app_is_busy_until(&app, world.okta.now() + SignedDuration::from_mins(10));
    world.okta.assigns(&ben, &app);
    let answer = world.discord.person(world.vic).types(&format!("/okta diagnose app:acme/{app}")).await?;
    until(world, "the advice to wait", || {
        answer.current().is_some_and(|message| message.content.contains("healing itself"))
    })
    .await?;
    ensure!(world.discord.messages(world.channel).len() == 2, "it alerted somebody");
    show(world);
    Ok(())
}

/// The drift notice.
async fn turned_off_again(world: &World, dana: &Dana) -> anyhow::Result<()> {
    scene(
        world,
        8,
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
        9,
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

fn scene(world: &World, number: u32, title: &str, told: &str) {
    world.discord.clear_transcript();
    say(&format!("\n━━ {number}. {title} ━━\n"));
    for line in wrapped(told, 110) {
        say(&line);
    }
    say("");
}

/// Prints what people saw since the scene began.
fn show(world: &World) {
    say(&world.discord.transcript());
}

/// Prints only how it looks at the end of the scene, where edits would repeat a long card.
fn show_last(world: &World) {
    let transcript = world.discord.transcript();
    let last = transcript.split("\n\n").last().unwrap_or_default();
    say(last);
}

fn say(line: &str) {
    // Whoever closed the pipe has seen enough.
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always one");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// Waits until something is so.
async fn until(world: &World, what: &str, is: impl Fn() -> bool) -> anyhow::Result<()> {
    let waited = async {
        while !is() {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, waited).await.is_err() {
        bail!("waited in vain for {what}; this was seen:\n{}", world.discord.transcript());
    }
    Ok(())
}

/// Checks the scene's own transcript.
fn expect(world: &World, words: &[&str]) -> anyhow::Result<()> {
    let transcript = world.discord.transcript();
    for word in words {
        ensure!(transcript.contains(word), "“{word}” is missing in:\n{transcript}");
    }
    Ok(())
}
