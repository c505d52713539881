//! The world of a story: an Okta org, a Discord server, and Provost between them with a store of its own.

use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use commands::chat::{Call, Caller, Front, Message};
use domain::ids::{MemberId, RoleId};
use domain::ports::Clock;
use jiff::{SignedDuration, Timestamp};
use provost::app::App;
use provost::config::{Config, Environment};
use sim::discord::Discord;
use sim::okta::{DeactivateUsers, Okta};
use tempfile::TempDir;

use crate::documents;

/// The simulators' time, so that the program and they agree on it.
struct SimClock(Okta);

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

/// The world of a story.
pub struct World {
    /// The org `acme`.
    pub okta: Okta,
    /// The server.
    pub discord: Discord,
    /// Provost.
    pub app: App,
    /// Where alerts go.
    pub channel: u64,
    folder: TempDir,
    viewer: u64,
    exchanges: Exchanges,
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
    /// A world where nothing has happened yet, and Provost has looked once.
    pub async fn new() -> Result<Self> {
        let world = Self::before_the_first_look().await?;
        world.looks().await?;
        Ok(world)
    }

    /// A world where Provost has not looked yet.
    pub async fn before_the_first_look() -> Result<Self> {
        let token = sim::okta::Settings::default().api_token;
        Self::signing_in_by(|_| Ok(format!("api_token = {token:?}"))).await
    }

    /// A world where Provost has not looked yet, and signs in to Okta by these lines of its configuration.
    pub async fn signing_in_by(credentials: impl FnOnce(&Okta) -> Result<String>) -> Result<Self> {
        let okta = Okta::start(sim::okta::Settings::default()).await?;
        let discord = Discord::start(sim::discord::Settings::default()).await?;
        let channel = discord.channel("provisioning");
        let oncall = discord.role("oncall");
        let viewer = discord.role("viewer");
        let folder = tempfile::tempdir()?;
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
            {credentials}
            rate_limit_share = 1.0
            console_url = "https://acme-admin.okta.com"
            [store]
            url = "sqlite://{folder}/provost.db"
            [roles]
            viewer = ["role:{viewer}"]
            [http]
            listen = ""
            "#,
            token = sim::discord::Settings::default().bot_token,
            guild = discord.guild_id(),
            discord = discord.url(),
            okta = okta.url(),
            credentials = credentials(&okta)?,
            folder = folder.path().display(),
        );
        std::fs::write(folder.path().join("provost.toml"), text)?;
        let app = build(&folder, &okta).await?;
        let exchanges = Exchanges(okta.clone(), discord.clone());
        Ok(Self { okta, discord, app, channel, folder, viewer, exchanges })
    }

    /// A world where Dana came back to an app of this kind: her account there is inactive, the setting is off.
    pub async fn where_dana_came_back_to(label: &str, kind: &str) -> Result<(Self, String, String)> {
        let world = Self::new().await?;
        let app = world.okta.installs(label, kind, DeactivateUsers::Off);
        let dana = world.okta.hires("Dana", "Reyes");
        world.okta.left_inactive(&dana, &app);
        world.okta.assigns(&dana, &app);
        Ok((world, dana, app))
    }

    /// Provost looks at the log, waits until a burst would be over, and shows what there is to show.
    pub async fn settles(&self) -> Result<()> {
        self.looks().await?;
        self.passes(SignedDuration::from_secs(21));
        self.looks().await?;
        self.shows().await
    }

    /// Provost looks at the log once.
    pub async fn looks(&self) -> Result<()> {
        self.app.watchers[0].pass().await
    }

    /// Provost shows what is due.
    pub async fn shows(&self) -> Result<()> {
        for _ in 0..20 {
            match self.app.board.pass().await? {
                Some(due) if due <= self.okta.now() => {}
                _ => return Ok(()),
            }
        }
        anyhow::bail!("the board never comes to rest")
    }

    /// Time passes, for everybody.
    pub fn passes(&self, time: SignedDuration) {
        self.okta.advance(time);
        self.discord.advance(time);
    }

    /// Time passes while Provost watches as it always does.
    pub async fn lives_through(&self, time: SignedDuration) -> Result<()> {
        let until = self.okta.now() + time;
        while self.okta.now() < until {
            self.passes(SignedDuration::from_secs(120));
            self.looks().await?;
            self.shows().await?;
        }
        Ok(())
    }

    /// Provost reads the index of apps anew.
    pub async fn indexes(&self) -> Result<()> {
        let watcher = &self.app.watchers[0];
        provost::watcher::index(&watcher.org, &*watcher.directory, &watcher.memory).await
    }

    /// Provost is killed and started anew on the same store.
    pub async fn starts_anew(self) -> Result<Self> {
        let Self { okta, discord, app, channel, folder, viewer, exchanges } = self;
        app.close().await;
        let app = build(&folder, &okta).await?;
        Ok(Self { okta, discord, app, channel, folder, viewer, exchanges })
    }

    /// Somebody with the role `viewer` types a command; the answer, with the drafts before it.
    pub async fn types(&self, verb: &str, options: &[(&str, &str)]) -> (Message, Vec<Message>) {
        self.calls(&[self.viewer], verb, options, None).await
    }

    /// Somebody with these roles calls a command.
    pub async fn calls(
        &self,
        roles: &[u64],
        verb: &str,
        options: &[(&str, &str)],
        quoted: Option<&str>,
    ) -> (Message, Vec<Message>) {
        let drafts = Arc::new(Mutex::new(Vec::new()));
        let kept = drafts.clone();
        let call = Call {
            caller: Caller { id: MemberId(77), roles: roles.iter().copied().map(RoleId).collect() },
            verb: verb.to_owned(),
            options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            quoted: quoted.map(str::to_owned),
            draft: Arc::new(move |message| {
                if let Ok(mut drafts) = kept.lock() {
                    drafts.push(message);
                }
            }),
        };
        let answer = self.app.desk.run(call).await;
        let drafts = drafts.lock().map(|drafts| drafts.clone()).unwrap_or_default();
        (answer, drafts)
    }

    /// The alerts' contents, as a phone shows them.
    pub fn lines(&self) -> Vec<String> {
        self.discord.messages(self.channel).into_iter().map(|message| message.content).collect()
    }

    /// The role whose holders may read.
    pub fn viewer_role(&self) -> u64 {
        self.viewer
    }
}

async fn build(folder: &TempDir, okta: &Okta) -> Result<App> {
    let config = Config::load(Some(&folder.path().join("provost.toml")), &Environment::default())
        .context("the story's configuration")?;
    App::build(&config, Arc::new(SimClock(okta.clone()))).await
}

/// A message as text: what a person reads, from top to bottom.
pub fn read(message: &Message) -> String {
    let mut out = vec![message.content.clone()];
    if let Some(card) = &message.card {
        out.extend([card.title.clone(), card.body.clone()]);
        for field in &card.fields {
            out.push(format!("{}: {}", field.name, field.value));
        }
        out.push(card.footer.clone());
    }
    out.retain(|line| !line.is_empty());
    out.join("\n")
}
