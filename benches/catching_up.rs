//! What it costs to catch up with a log, against a plain loop that does nothing but read it.
//!
//! Both read the same canned pages, which are served by another process, as does each measured part; the rounds
//! alternate, so that what the machine does meanwhile hits both. The plain loop is reqwest, gzip and `serde_json`
//! into borrowed structs of the fields that we need, without a store.

#[path = "support/canned.rs"]
mod canned;
mod support;

use std::collections::BTreeSet;
use std::hint::black_box;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use domain::cause::{CauseId, Rules};
use domain::ports::Clock;
use jiff::SignedDuration;
use provost::clock::SystemClock;
use provost::config::Environment;
use provost::metrics::Metrics;
use provost::okta::{Credentials, Okta, OktaSettings, filter_hash};
use provost::store::Sql;
use provost::watcher::Watcher;
use provost::{telemetry, tls};
use reqwest::header::LINK;
use serde::Deserialize;
use sim::okta::DeactivateUsers;
use tokio::runtime::Runtime;

use support::{Table, cpu, median, memory};

const ROUNDS: usize = 7;
const MANY: usize = 100_000;
const MOST: usize = 1_000_000;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = Runtime::new()?;
    match *arguments {
        ["plain", url] => runtime.block_on(measured(plain(url)))?,
        ["ours", url] => runtime.block_on(ours(url))?,
        ["serve", events] => {
            let log = canned::Log::of(events.parse()?, SystemClock.now())?;
            println!("{}", runtime.block_on(canned::serve(log))?);
            runtime.block_on(std::future::pending())
        }
        _ => return compare(&runtime),
    }
    Ok(ExitCode::SUCCESS)
}

fn compare(runtime: &Runtime) -> Result<ExitCode> {
    let mut table = Table::default();
    let url = runtime.block_on(canned::serve(canned::Log::of(MANY, SystemClock.now())?))?;
    let (mut ratios, mut plains, mut peaks) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (plain, ours) = (run("plain", &url)?, run("ours", &url)?);
        ratios.push(ours.cpu / plain.cpu);
        plains.push(plain.cpu);
        peaks.push(ours.peak);
    }
    let (ratio, many) = (median(ratios.clone()), median(peaks));
    table.at_most("catching up 100,000 events, CPU against a plain loop", ratio, 2.0, "x");
    let spread = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect::<Vec<_>>().join(" ");
    table.tell("  each round", spread);
    table.tell("  the plain loop", format!("{:.0} ms", median(plains) * 1_000.0));

    let url = runtime.block_on(canned::serve(canned::Log::of(MOST, SystemClock.now())?))?;
    let most = run("ours", &url)?;
    table.at_most("catching up 1,000,000 events, most memory", most.peak, 64.0, "MiB");
    table.at_most("  more than for 100,000", most.peak - many, 2.0, "MiB");
    table.tell("  events a second of CPU", format!("{:.0}", MOST as f64 / most.cpu));

    let (calls, enough) = runtime.block_on(filtered())?;
    table.at_most("calls for the filtered log", calls as f64, enough as f64, "calls");
    Ok(table.end())
}

/// What a measured part used.
struct Used {
    /// In seconds.
    cpu: f64,
    /// In MiB.
    peak: f64,
}

/// Runs a part in a process of its own.
fn run(part: &str, url: &str) -> Result<Used> {
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.args([part, url]).stderr(Stdio::null()).output()?;
    ensure!(output.status.success(), "the part {part} failed: {}", output.status);
    let said = String::from_utf8(output.stdout)?;
    let numbers: Vec<f64> = said.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [cpu, peak] = *numbers else { bail!("the part {part} said {said:?}") };
    Ok(Used { cpu, peak })
}

/// Says what the work used, for [`run`].
async fn measured(work: impl Future<Output = Result<()>>) -> Result<()> {
    let pid = std::process::id();
    let before = cpu(pid)?;
    work.await?;
    println!("{} {}", (cpu(pid)? - before).as_secs_f64(), memory(pid, "VmHWM")?);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "they are to be parsed, not used")]
struct Entry<'a> {
    uuid: &'a str,
    published: &'a str,
    event_type: &'a str,
    legacy_event_type: Option<&'a str>,
    display_message: Option<&'a str>,
    #[serde(borrow)]
    outcome: Outcome<'a>,
    transaction: Transaction<'a>,
    actor: Somebody<'a>,
    target: Vec<Somebody<'a>>,
    debug_context: Debug<'a>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "they are to be parsed, not used")]
struct Outcome<'a> {
    result: &'a str,
    reason: Option<&'a str>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "they are to be parsed, not used")]
struct Transaction<'a> {
    id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "they are to be parsed, not used")]
struct Somebody<'a> {
    id: &'a str,
    r#type: &'a str,
    alternate_id: &'a str,
    display_name: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "they are to be parsed, not used")]
struct Debug<'a> {
    #[serde(borrow)]
    debug_data: DebugData<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "they are to be parsed, not used")]
struct DebugData<'a> {
    custom_message: Option<&'a str>,
}

/// Reads the log to its end and keeps nothing.
async fn plain(url: &str) -> Result<()> {
    tls::install_provider();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut page = format!("{url}/api/v1/logs?limit=1000");
    loop {
        let response = client.get(&page).send().await?.error_for_status()?;
        let link = response.headers().get(LINK).context("there is no next page")?.to_str()?;
        let next = link.split(['<', '>']).nth(1).context("a link has an address")?.to_owned();
        let body = response.bytes().await?;
        let entries: Vec<Entry<'_>> = serde_json::from_slice(&body)?;
        if black_box(&entries).len() < 1_000 {
            return Ok(());
        }
        page = next;
    }
}

/// Has the watcher catch up, as at its first start.
async fn ours(url: &str) -> Result<()> {
    telemetry::init(&Environment::of_process(), "info")?;
    let folder = tempfile::tempdir()?;
    let watcher = watcher(url, &folder).await?;
    measured(watcher.pass()).await
}

async fn watcher(url: &str, folder: &tempfile::TempDir) -> Result<Watcher> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let settings = OktaSettings {
        writes: false,
        org: "acme".parse()?,
        url: url.parse()?,
        credentials: Credentials::Token(sim::okta::Settings::default().api_token.into()),
        rate_limit_share: 1.0,
    };
    Ok(Watcher {
        org: "acme".parse()?,
        directory: Arc::new(Okta::new(settings, clock.clone())?),
        store: Arc::new(Sql::open(&format!("sqlite://{}/provost.db", folder.path().display())).await?),
        memory: Arc::default(),
        pulse: Arc::default(),
        rules: Arc::new(Rules::embedded()),
        alert_causes: BTreeSet::from([CauseId::inactive_account()]),
        lookback: SignedDuration::from_hours(24),
        group_wait: SignedDuration::from_secs(20),
        filter: filter_hash(),
        clock: clock.clone(),
        board: Arc::default(),
        work: Arc::default(),
        part: provost::health::Health::default().part("okta"),
        asked: dashmap::DashMap::new(),
        unexplained: tokio::sync::Notify::new(),
        mind: provost::watcher::Mind::default(),
        metrics: Metrics::new(),
        poll_interval: SignedDuration::from_secs(30),
        started: clock.now(),
    })
}

/// Catches up with an org that filters; how many calls of the log that took, and how many it may take.
async fn filtered() -> Result<(usize, usize)> {
    let okta = sim::okta::Okta::start(sim::okta::Settings::default()).await?;
    let app = okta.installs("Slack", "slack", DeactivateUsers::Off);
    for number in 0..800 {
        okta.chatters(50);
        let person = okta.hires(&format!("Person{number}"), "Reyes");
        okta.left_inactive(&person, &app);
        okta.assigns(&person, &app);
    }
    let log = okta.log();
    let kinds = log.iter().filter_map(|event| event["eventType"].as_str());
    let matches = kinds.filter(|kind| kind.starts_with("application.provision.user."));
    let enough = matches.count().div_ceil(1_000) + 1;
    let folder = tempfile::tempdir()?;
    watcher(&okta.url(), &folder).await?.pass().await?;
    Ok((okta.requests("/api/v1/logs").len(), enough))
}
