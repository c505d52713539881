//! The demo's world: a simulated org, a simulated Discord, and the real bot between them, over HTTP and a websocket.
//!
//! The bot is built by [`App`] from a configuration file, as `provost run` does; it is told nothing else.

pub mod script;
pub mod stage;
pub mod tour;
pub mod web;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use domain::ports::Clock;
use jiff::{SignedDuration, Timestamp};
use sim::discord::Discord;
use sim::okta::Okta;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::{Config, Environment};

/// The simulators' time: it can be wound forward for all three at once.
struct SimClock(Okta);

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

/// Winds the time forward for everybody: both simulators, and the bot, which lives by the org's clock.
#[derive(Clone)]
pub struct Time {
    okta: Okta,
    discord: Discord,
    /// The bot sleeps until something is due; it cannot know that its clock was moved.
    bell: Arc<dyn Fn() + Send + Sync>,
}

impl Time {
    /// Winds it forward.
    pub fn passes(&self, time: SignedDuration) {
        self.okta.advance(time);
        self.discord.advance(time);
        (self.bell)();
    }
}

/// The demo's world. Dropping it without [`World::ends`] leaves nothing behind but what the bot was just doing.
pub struct World {
    /// The org `acme`.
    pub okta: Okta,
    /// The server.
    pub discord: Discord,
    /// Where alerts go.
    pub channel: u64,
    /// A viewer.
    pub vic: u64,
    /// An operator.
    pub olive: u64,
    /// An approver who is on call.
    pub ada: u64,
    /// Another one.
    pub abe: u64,
    /// An administrator of Provost.
    pub root: u64,
    /// Somebody without a role.
    pub stranger: u64,
    time: Time,
    stop: CancellationToken,
    bot: JoinHandle<anyhow::Result<()>>,
    _folder: TempDir,
}

/// Where the org's Admin Console would be.
const CONSOLE: &str = "https://acme-admin.okta.com";

/// How fast the demo's bot goes: faster than anybody would let a real one go.
const PACE: &str = r#"poll_interval = "250ms""#;
const ALERTS: &str = r#"
group_wait = "1s"
edit_interval = "500ms"
"#;

impl World {
    /// Starts both simulators and the bot, and waits until the bot is connected.
    ///
    /// # Errors
    ///
    /// If a port on loopback or a temporary folder cannot be had, or the bot does not connect.
    pub async fn starts(seed: u64) -> anyhow::Result<Self> {
        Self::begins(seed, false).await
    }

    /// The same, with a channel in which every entry of the audit is announced.
    ///
    /// # Errors
    ///
    /// As [`starts`](Self::starts).
    pub async fn starts_audited(seed: u64) -> anyhow::Result<Self> {
        Self::begins(seed, true).await
    }

    async fn begins(seed: u64, audited: bool) -> anyhow::Result<Self> {
        let okta = Okta::start(sim::okta::Settings { seed, ..Default::default() }).await?;
        let discord = Discord::start(sim::discord::Settings { seed, ..Default::default() }).await?;
        let channel = discord.channel("provisioning");
        let audit = audited.then(|| discord.channel("audit"));
        let (viewer, operator) = (discord.role("viewer"), discord.role("operator"));
        let (approver, oncall) = (discord.role("approver"), discord.role("on-call"));
        let admin = discord.role("admin");
        let vic = discord.member("Vic", &[viewer]);
        let olive = discord.member("Olive", &[viewer, operator]);
        let ada = discord.member("Ada", &[viewer, approver, oncall]);
        let abe = discord.member("Abe", &[viewer, approver, oncall]);
        let root = discord.member("Root", &[viewer, operator, admin]);
        let stranger = discord.member("a stranger", &[]);

        let folder = tempfile::Builder::new().prefix("provost-demo-").tempdir()?;
        let file = folder.path().join("provost.toml");
        let text = configuration(
            &okta,
            &discord,
            folder.path(),
            [channel, oncall, viewer, operator, approver, admin],
            audit,
        );
        std::fs::write(&file, text).context("the demo's configuration cannot be written")?;
        let config = Config::load(Some(&file), &Environment::default())?;
        let app = App::build(&config, Arc::new(SimClock(okta.clone()))).await?;
        let time = Time { okta: okta.clone(), discord: discord.clone(), bell: app.bell() };
        let stop = CancellationToken::new();
        let bot = tokio::spawn(app.run(stop.clone()));
        discord.bot_is_ready(std::time::Duration::from_secs(20)).await?;
        Ok(Self {
            okta,
            discord,
            channel,
            vic,
            olive,
            ada,
            abe,
            root,
            stranger,
            time,
            stop,
            bot,
            _folder: folder,
        })
    }

    /// Winds the time forward for everybody.
    pub fn passes(&self, time: SignedDuration) {
        self.time.passes(time);
    }

    /// Its time, for whoever winds it without the world.
    pub fn time(&self) -> Time {
        self.time.clone()
    }

    /// Stops the bot as SIGTERM would, then the simulators.
    ///
    /// # Errors
    ///
    /// What the bot ended with.
    pub async fn ends(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.bot.await.context("the bot panicked")??;
        self.discord.stop().await;
        self.okta.stop();
        Ok(())
    }
}

fn configuration(okta: &Okta, discord: &Discord, folder: &Path, ids: [u64; 6], audit: Option<u64>) -> String {
    let [channel, oncall, viewer, operator, approver, admin] = ids;
    let audit = audit.map(|id| format!("audit_channel_id = \"{id}\"")).unwrap_or_default();
    format!(
        r#"[discord]
token = "{token}"
guild_id = "{guild}"
alert_channel_id = "{channel}"
oncall_role_id = "{oncall}"
api_url = "{discord}"
{audit}
[okta.acme]
url = "{okta}"
api_token = "{okta_token}"
console_url = "{CONSOLE}"
writes = true
{PACE}
[store]
url = "sqlite://{folder}/provost.db"
[roles]
viewer = ["role:{viewer}"]
operator = ["role:{operator}"]
approver = ["role:{approver}"]
admin = ["role:{admin}"]
breakglass = ["role:{admin}"]
[policy.enable]
expires = "20m"
[alerts]
{ALERTS}
[http]
listen = ""
"#,
        token = sim::discord::Settings::default().bot_token,
        guild = discord.guild_id(),
        discord = discord.url(),
        okta = okta.url(),
        okta_token = sim::okta::Settings::default().api_token,
        folder = folder.display(),
    )
}
