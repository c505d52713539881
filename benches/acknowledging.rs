//! What an acknowledgement costs against the smallest bot that serenity makes, and how long it takes in a rush.
//!
//! That bot answers `/ping` with one request, and so does ours when somebody types in an option and looks at what is
//! offered: these two are compared. A command of ours is answered by a request that says that the answer follows, and
//! the answer by a second one; what that costs is told, too. At last a thousand people approve one request at once.

#[path = "support/asking.rs"]
mod asking;
#[path = "support/canned.rs"]
mod canned;
mod support;
#[path = "support/world.rs"]
mod world;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use domain::ports::Clock;
use provost::clock::SystemClock;
use sim::discord::{Answer, Person, Shown};
use sim::okta::DeactivateUsers;
use tokio::runtime::Runtime;

use asking::{asks, message};
use support::{Table, cpu, median, memory};
use world::{Running, World};

const ROUNDS: usize = 5;
const ONE_BY_ONE: usize = 400;
const AT_ONCE: usize = 50;
const RUSHES: usize = 20;
const BACKLOG: usize = 400_000;
const APPROVERS: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(3);

fn main() -> Result<ExitCode> {
    Runtime::new()?.block_on(acknowledging())
}

async fn acknowledging() -> Result<ExitCode> {
    let mut table = Table::default();
    match against_ping().await {
        Ok(costs) => {
            let ratio =
                |which: fn(&Cost) -> f64| median(costs.iter().map(|cost| which(cost) / cost.ping).collect());
            table.at_most("CPU of an acknowledgement against /ping", ratio(|cost| cost.choices), 2.0, "x");
            table.tell("  /ping", format!("{:.3} ms", median(costs.iter().map(|cost| cost.ping).collect())));
            table.tell(
                "  /okta help, run and edited in, against /ping",
                format!("{:.2} x", ratio(|cost| cost.help)),
            );
        }
        Err(failure) => table.tell("CPU against /ping: SKIPPED", format!("{failure:#}")),
    }
    let (mut waits, most) = in_a_rush().await?;
    waits.sort_by(f64::total_cmp);
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize];
    table.at_most("50 at once during a backlog, p99", at(0.99), 20.0, "ms");
    table.tell("  half of them", format!("{:.2} ms", at(0.5)));
    table.tell("  most memory", format!("{most:.2} MiB"));

    let (mut waits, writes) = a_thousand_approvals().await?;
    waits.sort_by(f64::total_cmp);
    table.at_most("1,000 approvals at once, the longest", waits[APPROVERS - 1], 500.0, "ms");
    table.tell("  half of them", format!("{:.2} ms", waits[APPROVERS / 2]));
    table.at_most("  executions", writes as f64, 1.0, "");
    Ok(table.end())
}

/// What one interaction costs a bot, in ms of CPU.
struct Cost {
    ping: f64,
    choices: f64,
    help: f64,
}

async fn against_ping() -> Result<Vec<Cost>> {
    let ping = build_ping()?;
    let (theirs, ours) = (World::new().await?, World::new().await?);
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(ping);
    let token = sim::discord::Settings::default().bot_token;
    command.args([theirs.discord.url(), &token, &theirs.discord.guild_id().to_string()]);
    let smallest = theirs.starts(command, &folder.path().join("log")).await?;
    let provost = ours.runs(&ours.okta.url(), "poll_interval = \"1h\"").await?;
    theirs.knows("ping").await?;
    ours.knows("okta").await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (pinging, looking) = (somebody(&theirs), somebody(&ours));
    let typing = crowd(&ours, ONE_BY_ONE, ours.viewer);
    let ping = async |_| pinging.types("/ping").await;
    let choices = async |_| looking.asks_for("/okta diagnose", "app", "sl").await;
    let help = async |n: usize| typing[n].types("/okta help").await;

    let mut costs = Vec::new();
    for _ in 0..=ROUNDS {
        costs.push(Cost {
            ping: one_by_one(&smallest, ping).await?,
            choices: one_by_one(&provost, choices).await?,
            help: one_by_one(&provost, help).await?,
        });
    }
    // The first of each is slower, and nobody waits for it.
    costs.remove(0);
    Ok(costs)
}

/// Somebody who may use every command that only looks.
fn somebody(world: &World) -> Person {
    world.discord.person(world.discord.member("vic", &[world.viewer]))
}

/// As many as it takes to type so often: a member has so many commands a minute, and no more.
fn crowd(world: &World, size: usize, role: u64) -> Vec<Person> {
    let member = |number: usize| world.discord.member(&format!("member {number}"), &[world.viewer, role]);
    (0..size).map(|number| world.discord.person(member(number))).collect()
}

/// The CPU that each of many interactions takes, in ms.
async fn one_by_one(bot: &Running, does: impl AsyncFn(usize) -> Result<Answer>) -> Result<f64> {
    let before = cpu(bot.pid())?;
    for n in 0..ONE_BY_ONE {
        let shown = does(n).await?.wait_for_answer(PATIENCE).await;
        ensure!(matches!(shown, Shown::Message(_) | Shown::Choices(_)), "there was no answer: {shown:?}");
    }
    Ok((cpu(bot.pid())? - before).as_secs_f64() * 1_000.0 / ONE_BY_ONE as f64)
}

/// How long each first answer took, in ms, with 50 commands at once, while a backlog is caught up; and the most memory
/// that took, in MiB.
async fn in_a_rush() -> Result<(Vec<f64>, f64)> {
    let world = World::new().await?;
    let url = canned::serve(canned::Log::of(BACKLOG, SystemClock.now())?).await?;
    let running = world.runs(&url, "poll_interval = \"1h\"").await?;
    world.knows("okta").await?;
    let people = crowd(&world, AT_ONCE, world.viewer);
    let mut waits = Vec::new();
    for _ in 0..RUSHES {
        let mut answers = Vec::new();
        for person in &people {
            answers.push(person.types("/okta help").await?);
        }
        for answer in answers {
            let wait = answer.wait_for_acknowledgement(PATIENCE).await.context("one was never answered")?;
            waits.push(wait.as_secs_f64() * 1_000.0);
            answer.wait_for_answer(PATIENCE).await;
        }
    }
    Ok((waits, memory(running.pid(), "VmHWM")?))
}

/// How long each first answer took, in ms, when a thousand people approve one request at once; and how often it was
/// carried out.
async fn a_thousand_approvals() -> Result<(Vec<f64>, usize)> {
    let world = World::new().await?;
    let app = world.okta.installs("Slack", "slack", DeactivateUsers::Off);
    let olive = world.discord.person(world.discord.member("olive", &[world.viewer, world.operator]));
    let approvers = crowd(&world, APPROVERS, world.approver);
    let keys = "poll_interval = \"1s\"\nwrites = true";
    let running = world.runs(&world.okta.url(), keys).await?;
    world.knows("okta").await?;
    let line = format!("/okta enable app:acme/{app} reason:\"a thousand approvals\"");
    asks(&olive, &line, &["Enable Deactivate Users"]).await?;
    let card = message(&world.discord, world.channel, "[?] WAITING FOR APPROVAL · Slack · R1").await?;

    let mut answers = Vec::new();
    for approver in &approvers {
        answers.push(approver.clicks(card.id, "Approve").await?);
    }
    let mut waits = Vec::new();
    for answer in answers {
        let wait = answer.wait_for_acknowledgement(PATIENCE).await.context("one was never answered")?;
        waits.push(wait.as_secs_f64() * 1_000.0);
    }
    message(&world.discord, world.channel, "[✓] DONE · Slack · R1").await?;
    drop(running);
    let writes = world.okta.requests("/features/").into_iter().filter(|asked| asked.method == "PUT").count();
    Ok((waits, writes))
}

/// Builds the smallest bot, which is no part of the workspace.
fn build_ping() -> Result<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/ping");
    let target = folder.join("target");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--quiet", "--locked", "--target-dir"]).arg(&target);
    let built = cargo.arg("--manifest-path").arg(folder.join("Cargo.toml")).status()?;
    ensure!(built.success(), "benches/ping cannot be built");
    Ok(target.join("release/ping"))
}
