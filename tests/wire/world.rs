//! The simulators, a configuration, and Provost inside this process.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use provost::app::App;
use provost::clock::SystemClock;
use provost::config::{Config, Environment};
use provost::discord::gateway::Pace;
use sim::discord::{Answer, Discord, MessageView, Person};
use sim::okta::{DeactivateUsers, Okta};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::documents;

/// Nobody waits longer than this for anything.
pub const LIMIT: Duration = Duration::from_secs(10);

/// An answer must have begun within this; Discord gives up after three seconds.
pub const PROMPT: Duration = Duration::from_millis(500);

/// The world around the program.
pub struct World {
    pub okta: Okta,
    pub discord: Discord,
    pub channel: u64,
    /// A viewer.
    pub ada: Person,
    /// Somebody without a role.
    pub sam: Person,
    /// An operator.
    pub olive: Person,
    /// An approver on call, who is an operator, too.
    pub abe: Person,
    /// Another approver on call.
    pub amy: Person,
    /// An admin.
    pub root: Person,
    pub folder: TempDir,
    _exchanges: Exchanges,
}

/// What was asked and answered; held against the official documents at the end of a story that went well.
struct Exchanges(Okta, Discord);

impl Drop for Exchanges {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            documents::hold(&self.0.ledger().exchanges(), &self.1.ledger().exchanges());
        }
    }
}

impl World {
    pub async fn new() -> Result<Self> {
        Self::with(sim::discord::Settings::default()).await
    }

    pub async fn with(settings: sim::discord::Settings) -> Result<Self> {
        let okta = Okta::start(sim::okta::Settings::default()).await?;
        let discord = Discord::start(settings).await?;
        let channel = discord.channel("provisioning");
        let (viewer, oncall) = (discord.role("viewer"), discord.role("oncall"));
        let ada = discord.person(discord.member("ada", &[viewer]));
        let sam = discord.person(discord.member("sam", &[]));
        let (operator, approver, admin) =
            (discord.role("operator"), discord.role("approver"), discord.role("admin"));
        let olive = discord.person(discord.member("olive", &[viewer, operator]));
        let abe = discord.person(discord.member("abe", &[viewer, operator, approver, oncall]));
        let amy = discord.person(discord.member("amy", &[viewer, approver, oncall]));
        let root = discord.person(discord.member("root", &[viewer, admin]));
        let folder = tempfile::tempdir()?;
        okta.rate_limit("/api/v1/logs", 100_000);
        okta.rate_limit("/api/v1/apps", 100_000);
        okta.rate_limit("/api/v1/apps/{id}", 100_000);
        let text = format!(
            r#"
            [discord]
            token = "{token}"
            guild_id = "{guild}"
            alert_channel_id = "{channel}"
            oncall_role_id = "{oncall}"
            api_url = "{discord}"
            [okta.acme]
            url = "{okta}"
            api_token = "{okta_token}"
            rate_limit_share = 1.0
            poll_interval = "100ms"
            console_url = "https://acme-admin.okta.com"
            [store]
            url = "sqlite://{store}"
            [roles]
            viewer = ["role:{viewer}"]
            operator = ["role:{operator}"]
            approver = ["role:{approver}"]
            admin = ["role:{admin}"]
            [alerts]
            group_wait = "300ms"
            edit_interval = "100ms"
            [http]
            listen = "127.0.0.1:0"
            "#,
            token = sim::discord::Settings::default().bot_token,
            guild = discord.guild_id(),
            discord = discord.url(),
            okta = okta.url(),
            okta_token = sim::okta::Settings::default().api_token,
            store = folder.path().join("provost.db").display(),
        );
        std::fs::write(folder.path().join("provost.toml"), text)?;
        let _exchanges = Exchanges(okta.clone(), discord.clone());
        Ok(Self { okta, discord, channel, ada, sam, olive, abe, amy, root, folder, _exchanges })
    }

    /// Lets Provost write to Okta, from its next start on.
    pub fn may_write(&self) -> Result<()> {
        let text = std::fs::read_to_string(self.configuration())?;
        Ok(std::fs::write(self.configuration(), text.replace("[okta.acme]", "[okta.acme]\nwrites = true"))?)
    }

    /// Where the configuration lies.
    pub fn configuration(&self) -> PathBuf {
        self.folder.path().join("provost.toml")
    }

    /// Provost runs in this process, and people can use it.
    pub async fn runs(&self) -> Result<Running> {
        let running = Running::start(self.configuration());
        self.is_ready().await?;
        Ok(running)
    }

    /// Waits until people can type commands.
    pub async fn is_ready(&self) -> Result<()> {
        self.discord.bot_is_ready(LIMIT).await?;
        until("commands are registered", || !self.discord.commands().is_empty()).await
    }

    /// Somebody with an inactive account comes back to a new app; its id.
    pub fn comes_back(&self, name: &str, label: &str) -> String {
        let app = self.okta.app_id(label);
        let app =
            app.unwrap_or_else(|| self.okta.installs(label, &label.to_lowercase(), DeactivateUsers::Off));
        let person = self.okta.hires(name, "Reyes");
        self.okta.left_inactive(&person, &app);
        self.okta.assigns(&person, &app);
        app
    }

    /// The alert whose content contains these words, once it is there.
    pub async fn alert(&self, words: &str) -> Result<MessageView> {
        let found = || self.discord.messages(self.channel).into_iter().find(|it| it.content.contains(words));
        until(&format!("an alert says {words:?}"), || found().is_some()).await?;
        found().context("the alert is gone again")
    }

    /// Olive asks for an app's setting to be turned on, and confirms; the card that waits for approval.
    pub async fn asks_to_enable(&self, app: &str, label: &str) -> Result<MessageView> {
        let line = format!("/okta enable app:acme/{app} reason:\"rehires fail since Monday\"");
        let asked = self.olive.types(&line).await?;
        answered(&asked).await?;
        let confirmation = asked.current().context("the answer is gone")?;
        self.olive.clicks(confirmation.id, "Enable Deactivate Users").await?;
        self.alert(&format!("[?] WAITING FOR APPROVAL · {label} · R")).await
    }

    /// What the alerts say.
    pub fn lines(&self) -> Vec<String> {
        self.discord.messages(self.channel).into_iter().map(|message| message.content).collect()
    }
}

/// Provost, running on a thread of its own.
pub struct Running {
    stop: CancellationToken,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Running {
    fn start(configuration: PathBuf) -> Self {
        let stop = CancellationToken::new();
        let told = stop.clone();
        let thread = std::thread::spawn(move || {
            let config = Config::load(Some(&configuration), &Environment::default())?;
            tokio::runtime::Runtime::new()?.block_on(async {
                App::build(&config, Arc::new(SystemClock)).await?.with_pace(pace()).run(told).await
            })
        });
        Self { stop, thread: Some(thread) }
    }

    /// Stops it, and waits until it has.
    pub async fn stops(mut self) -> Result<()> {
        self.stop.cancel();
        let thread = self.thread.take().context("it was stopped before")?;
        tokio::task::spawn_blocking(move || thread.join())
            .await?
            .map_err(|_| anyhow!("the program panicked"))?
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Less patient than the real one, which waits for seconds.
fn pace() -> Pace {
    Pace {
        tick: Duration::from_millis(50),
        beat: Duration::from_millis(500),
        stall: Duration::from_secs(2),
        back_off: Duration::from_millis(50),
        save: Duration::from_millis(50),
        identify_gap: Duration::from_millis(50),
        identifies_a_day: 900,
    }
}

/// Waits until something is so.
pub async fn until(what: &str, mut is: impl FnMut() -> bool) -> Result<()> {
    let start = Instant::now();
    while !is() {
        ensure!(start.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// What somebody is answered in the end, as text; the answer must have begun promptly.
pub async fn answered(answer: &Answer) -> Result<String> {
    let began = answer.wait_for_acknowledgement(LIMIT).await.context("it was never acknowledged")?;
    ensure!(began < PROMPT, "it was acknowledged after {began:?}");
    last(answer).await
}

/// What somebody is answered in the end, as text, however long it took. A first draft is waited through.
pub async fn last(answer: &Answer) -> Result<String> {
    let shown = answer.wait_for_answer(LIMIT).await;
    let message = shown.clone().message().with_context(|| format!("no message, but {shown:?}"))?;
    ensure!(message.only_for.is_some(), "everybody sees the answer {:?}", message.content);
    until("the answer is final", || answer.current().is_some_and(|it| !it.thinking && !is_draft(&it)))
        .await?;
    Ok(text(&answer.current().context("the answer is gone")?))
}

fn is_draft(message: &MessageView) -> bool {
    text(message).contains("Asking Okta")
}

/// A message as text.
pub fn text(message: &MessageView) -> String {
    let mut out = message.content.clone();
    for card in &message.embeds {
        out.push_str(&format!("\n{card:?}"));
    }
    out
}
