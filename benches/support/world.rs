//! The program as it is shipped, in a process of its own, against the simulators in this one.

use std::fs::{File, write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use sim::discord::Discord;
use sim::okta::Okta;
use tempfile::TempDir;

/// Both simulators, a channel, the roles, and where the program keeps its things.
pub struct World {
    pub okta: Okta,
    pub discord: Discord,
    pub channel: u64,
    pub viewer: u64,
    pub operator: u64,
    pub approver: u64,
    folder: TempDir,
}

impl World {
    /// A world in which nothing has happened yet.
    pub async fn new() -> Result<Self> {
        let okta = Okta::start(sim::okta::Settings::default()).await?;
        // The bench answers for everybody who types; a real server has no such crowd.
        let settings = sim::discord::Settings { global_limit: 100_000, ..Default::default() };
        let discord = Discord::start(settings).await?;
        let (channel, viewer) = (discord.channel("provisioning"), discord.role("viewer"));
        let (operator, approver) = (discord.role("operator"), discord.role("approver"));
        Ok(Self { okta, discord, channel, viewer, operator, approver, folder: tempfile::tempdir()? })
    }

    /// Starts the program: `org` is where its org is, `keys` more lines about it.
    pub async fn runs(&self, org: &str, keys: &str) -> Result<Running> {
        let text = format!(
            r#"
            [discord]
            token = "{token}"
            guild_id = "{guild}"
            alert_channel_id = "{channel}"
            api_url = "{discord}"
            [store]
            url = "sqlite://{folder}/provost.db"
            [roles]
            viewer = ["role:{viewer}"]
            operator = ["role:{operator}"]
            approver = ["role:{approver}"]
            [http]
            listen = ""
            [alerts]
            group_wait = "2s"
            [okta.acme]
            url = "{org}"
            api_token = "{okta_token}"
            {keys}
            "#,
            token = sim::discord::Settings::default().bot_token,
            guild = self.discord.guild_id(),
            channel = self.channel,
            viewer = self.viewer,
            operator = self.operator,
            approver = self.approver,
            discord = self.discord.url(),
            okta_token = sim::okta::Settings::default().api_token,
            folder = self.folder.path().display(),
        );
        let (config, log) = (self.folder.path().join("provost.toml"), self.folder.path().join("log"));
        write(&config, text)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_provost"));
        command.args(["run", "--config"]).arg(config);
        self.starts(command, &log).await
    }

    /// Starts a bot and waits until it is connected.
    pub async fn starts(&self, mut command: Command, log: &Path) -> Result<Running> {
        let began = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(log)?).spawn()?;
        let mut running = Running { child, ready_after: Duration::ZERO };
        self.discord.bot_is_ready(Duration::from_secs(10)).await?;
        running.ready_after = began.elapsed();
        Ok(running)
    }

    /// Waits until a command can be typed.
    pub async fn knows(&self, command: &str) -> Result<()> {
        for _ in 0..200 {
            if self.discord.commands().iter().any(|it| it["name"] == command) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("/{command} was not registered within 10 s")
    }
}

/// A bot in a process of its own; it ends with this.
pub struct Running {
    child: Child,
    /// From its start to its READY.
    pub ready_after: Duration,
}

impl Running {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
