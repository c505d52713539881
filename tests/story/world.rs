//! The world of a story: an Okta org, a Discord server, and Provost between them with a store of its own.

use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use commands::chat::{Call, Caller, CustomId, First, Front, Message, Press, Row};
use domain::ids::{MemberId, RoleId};
use domain::ports::Clock;
use domain::request::{Method, Stage};
use domain::requests::RequestQuery;
use jiff::{SignedDuration, Timestamp};
use provost::app::App;
use provost::config::{Config, Environment};
use sim::discord::Discord;
use sim::okta::{DeactivateUsers, Okta};
use sqlx::Connection;
use std::collections::BTreeMap;
use tempfile::TempDir;

use crate::documents;

/// The program's clock: the simulators' time, and by how much it is ahead of that.
struct SimClock(Okta, SignedDuration);

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.0.now() + self.1
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
    roles: BTreeMap<&'static str, u64>,
    people: BTreeMap<&'static str, u64>,
    exchanges: Exchanges,
    ahead: SignedDuration,
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
        let (operator, approver) = (discord.role("operator"), discord.role("approver"));
        let (admin, breakglass) = (discord.role("admin"), discord.role("breakglass"));
        let roles = BTreeMap::from([
            ("viewer", viewer),
            ("operator", operator),
            ("approver", approver),
            ("admin", admin),
            ("breakglass", breakglass),
            ("oncall", oncall),
        ]);
        let mut people = BTreeMap::new();
        for (name, roles) in [
            ("Olive", vec![viewer, operator]),
            ("Oscar", vec![viewer, operator]),
            ("Ada", vec![viewer, approver, oncall]),
            ("Abe", vec![viewer, approver, operator, oncall]),
            ("Root", vec![viewer, admin]),
            ("Rita", vec![viewer, admin]),
            ("Gina", vec![viewer, operator, breakglass]),
        ] {
            people.insert(name, discord.member(name, &roles));
        }
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
            writes = true
            console_url = "https://acme-admin.okta.com"
            [store]
            url = "sqlite://{folder}/provost.db"
            [roles]
            viewer = ["role:{viewer}"]
            operator = ["role:{operator}"]
            approver = ["role:{approver}"]
            admin = ["role:{admin}"]
            breakglass = ["role:{breakglass}"]
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
        let ahead = SignedDuration::ZERO;
        let app = build(&folder, &okta, ahead).await?;
        let exchanges = Exchanges(okta.clone(), discord.clone());
        Ok(Self { okta, discord, app, channel, folder, roles, people, exchanges, ahead })
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

    /// Provost wakes what was hidden long enough, and shows what is due.
    pub async fn shows(&self) -> Result<()> {
        self.app.waker.pass().await?;
        for _ in 0..20 {
            match self.app.board.pass().await? {
                Some(due) if due <= self.okta.now() + self.ahead => {}
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
        let ahead = self.ahead;
        self.starts_anew_ahead_by(ahead).await
    }

    /// The same, and from now on its clock is ahead of Okta's by so much.
    pub async fn starts_anew_ahead_by(self, ahead: SignedDuration) -> Result<Self> {
        let Self { okta, discord, app, channel, folder, roles, people, exchanges, .. } = self;
        app.close().await;
        let app = build(&folder, &okta, ahead).await?;
        Ok(Self { okta, discord, app, channel, folder, roles, people, exchanges, ahead })
    }

    /// Somebody with the role `viewer` types a command; the answer, with the drafts before it.
    pub async fn types(&self, verb: &str, options: &[(&str, &str)]) -> (Message, Vec<Message>) {
        self.calls(&[self.viewer_role()], verb, options, None).await
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

    /// Somebody by name types a command.
    pub async fn says(&self, name: &str, verb: &str, options: &[(&str, &str)]) -> Message {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.does(name, verb, options).await
    }

    /// Somebody by name presses a button of a message that only they see.
    pub async fn presses(&self, name: &str, message: &Message, label: &str) -> Result<Message> {
        let mut buttons = message.rows.iter().flat_map(|row| match row {
            Row::Buttons(buttons) => buttons.as_slice(),
            Row::Select(_) => &[],
        });
        let button = buttons
            .find(|button| button.label.starts_with(label))
            .with_context(|| format!("no button {label} in {}", read(message)))?;
        let Press::Verb(id) = &button.press else { anyhow::bail!("{label} opens a page") };
        Ok(self.acts(name, id, &[]).await)
    }

    /// Somebody by name presses a button of a message that only they see, and it is answered at once: by a dialog or by
    /// a refusal.
    pub fn opens(&self, name: &str, message: &Message, label: &str) -> Result<First> {
        let mut buttons = message.rows.iter().flat_map(|row| match row {
            Row::Buttons(buttons) => buttons.as_slice(),
            Row::Select(_) => &[],
        });
        let button = buttons
            .find(|button| button.label.starts_with(label))
            .with_context(|| format!("no button {label} in {}", read(message)))?;
        let Press::Verb(id) = &button.press else { anyhow::bail!("{label} opens a page") };
        Ok(self.app.desk.first(&self.caller(name), &id.verb, &id.args))
    }

    /// How a text mentions somebody.
    pub fn mention(&self, name: &str) -> String {
        format!("<@{}>", self.member(name))
    }

    /// Somebody by name presses a button of the newest message in the channel that has it.
    pub async fn presses_card(&self, name: &str, label: &str) -> Result<Message> {
        let id = self
            .button(label)
            .with_context(|| format!("no button {label}:\n{}", self.discord.transcript()))?;
        Ok(self.acts(name, &id, &[]).await)
    }

    /// The newest button of that label in the channel.
    pub fn button(&self, label: &str) -> Option<CustomId> {
        let messages = self.discord.messages(self.channel);
        messages.iter().rev().find_map(|message| {
            let rows = message.json["components"].as_array()?;
            let mut buttons = rows.iter().filter_map(|row| row["components"].as_array()).flatten();
            let button = buttons.find(|button| button["label"] == label)?;
            CustomId::parse(button["custom_id"].as_str()?)
        })
    }

    /// Somebody by name does what a button carries, with what a dialog or a list adds.
    pub async fn acts(&self, name: &str, id: &CustomId, more: &[(&str, &str)]) -> Message {
        let (member, roles) = self.held_by(name);
        self.acts_as(member, &roles, id, more).await
    }

    async fn acts_as(&self, member: u64, roles: &[u64], id: &CustomId, more: &[(&str, &str)]) -> Message {
        let spec = commands::specs().into_iter().find(|spec| spec.name == id.verb);
        let names = spec.map_or(&[][..], |spec| spec.options).iter().map(|option| option.name.to_owned());
        let mut options: Vec<(String, String)> = names.zip(id.args.iter().cloned()).collect();
        options.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.does_as(member, roles, &id.verb, options).await
    }

    async fn does(&self, name: &str, verb: &str, options: Vec<(String, String)>) -> Message {
        let (member, roles) = self.held_by(name);
        self.does_as(member, &roles, verb, options).await
    }

    async fn does_as(
        &self,
        member: u64,
        roles: &[u64],
        verb: &str,
        options: Vec<(String, String)>,
    ) -> Message {
        let call = Call {
            caller: Caller { id: MemberId(member), roles: roles.iter().copied().map(RoleId).collect() },
            verb: verb.to_owned(),
            options,
            quoted: None,
            draft: Arc::new(|_| {}),
        };
        self.app.desk.run(call).await
    }

    /// Provost carries out what is to be done, watches the log, and shows how it stands, until nothing moves.
    pub async fn works(&self) -> Result<()> {
        for _ in 0..60 {
            self.looks().await?;
            self.app.executor.pass().await?;
            self.passes(SignedDuration::from_secs(6));
            self.shows().await?;
            let open = RequestQuery { open: true, ..RequestQuery::default() };
            let moving = self.app.desk.requests.requests(&open).await?.into_iter().any(|request| {
                let guided = request.frozen.method == Method::Guided;
                match request.stage {
                    Stage::Draft | Stage::Pending => false,
                    Stage::Verifying { .. } => !guided,
                    _ => true,
                }
            });
            if !moving {
                break;
            }
        }
        self.shows().await
    }

    /// Somebody by name ticks people in a list that only they see.
    pub async fn ticks(&self, name: &str, message: &Message, people: &[&str]) -> Result<Message> {
        let select = message.rows.iter().find_map(|row| match row {
            Row::Select(select) => Some(select),
            Row::Buttons(_) => None,
        });
        let select = select.with_context(|| format!("no list in {}", read(message)))?;
        let more: Vec<(&str, &str)> = people.iter().map(|person| ("people", *person)).collect();
        Ok(self.acts(name, &select.choose, &more).await)
    }

    /// Provost is started anew where it may write nothing, as is the default.
    pub async fn may_not_write(self) -> Result<Self> {
        self.configured_anew(|text| text.replace("writes = true", "writes = false")).await
    }

    /// Provost is started anew where it may use no more than this share of Okta's rate limits.
    pub async fn may_use(self, share: f64) -> Result<Self> {
        let less = format!("rate_limit_share = {share}");
        self.configured_anew(|text| text.replace("rate_limit_share = 1.0", &less)).await
    }

    /// Alerts go to another channel from now on: Provost is started anew.
    pub async fn alerts_go_to(mut self, channel: u64) -> Result<Self> {
        let (before, after) = (self.channel, channel);
        self.channel = channel;
        let key = |id: u64| format!("alert_channel_id = \"{id}\"");
        self.configured_anew(|text| text.replace(&key(before), &key(after))).await
    }

    /// Provost is started anew with something else in place of a part of its configuration.
    pub async fn configured(self, part: &str, other: &str) -> Result<Self> {
        let file = self.folder.path().join("provost.toml");
        let text = std::fs::read_to_string(&file)?;
        anyhow::ensure!(text.contains(part), "{part} is not in the configuration");
        std::fs::write(&file, text.replace(part, other))?;
        self.starts_anew().await
    }

    /// Provost is started anew with another configuration.
    pub async fn configured_anew(self, change: impl FnOnce(String) -> String) -> Result<Self> {
        let file = self.folder.path().join("provost.toml");
        let text = change(std::fs::read_to_string(&file)?);
        std::fs::write(&file, text)?;
        self.starts_anew().await
    }

    /// Provost is started anew, and one person is the only operator of an app.
    pub async fn where_operates(self, app: &str, name: &str) -> Result<Self> {
        let file = self.folder.path().join("provost.toml");
        let mut text = std::fs::read_to_string(&file)?;
        let member = self.member(name);
        text.push_str(&format!("\n[[policy.app]]\nid = \"{app}\"\noperator = [\"member:{member}\"]\n"));
        std::fs::write(&file, text)?;
        self.starts_anew().await
    }

    /// Somebody else does something to Provost's database.
    pub async fn in_the_database(&self, sql: &'static str) -> Result<()> {
        let url = format!("sqlite://{}/provost.db", self.folder.path().display());
        sqlx::any::install_default_drivers();
        let mut intruder = sqlx::AnyConnection::connect(&url).await?;
        sqlx::query(sql).execute(&mut intruder).await?;
        Ok(())
    }

    /// Somebody loses a role. What they press from then on says so, too.
    pub fn loses(&self, name: &str, role: &str) {
        self.discord.takes(self.roles[role], self.people[name]);
    }

    /// Somebody gets a role.
    pub fn gets(&self, name: &str, role: &str) {
        self.discord.gives(self.roles[role], self.people[name]);
    }

    /// Whether a member holds a role now.
    pub fn holds(&self, member: u64, role: &str) -> bool {
        let now = self.discord.members().into_iter().find(|somebody| somebody.id == member);
        now.is_some_and(|somebody| somebody.roles.iter().any(|held| held == role))
    }

    /// Somebody by name, as a member of the server.
    pub fn member(&self, name: &str) -> u64 {
        self.people[name]
    }

    /// Somebody by name with the roles that they have now, as an interaction tells it.
    pub fn caller(&self, name: &str) -> Caller {
        let (member, roles) = self.held_by(name);
        Caller { id: MemberId(member), roles: roles.into_iter().map(RoleId).collect() }
    }

    fn held_by(&self, name: &str) -> (u64, Vec<u64>) {
        let member = self.people[name];
        let now = self.discord.members().into_iter().find(|somebody| somebody.id == member);
        let now = now.map_or(Vec::new(), |somebody| somebody.roles);
        let held = self.roles.iter().filter(|(role, _)| now.iter().any(|held| held == *role));
        (member, held.map(|(_, id)| *id).collect())
    }

    /// What stands on the record, newest first: what, and how it ended.
    pub async fn record(&self) -> Result<Vec<String>> {
        let entries = self.app.desk.requests.entries(&domain::requests::AuditQuery::default()).await?;
        Ok(entries.iter().map(|entry| format!("{} {}", entry.draft.what, entry.draft.outcome)).collect())
    }

    /// Everything that the newest message of the channel that begins like this says; empty if there is none.
    pub fn card(&self, start: &str) -> String {
        let messages = self.discord.messages(self.channel);
        let found = messages.iter().rev().find(|message| message.content.starts_with(start));
        found.map_or(String::new(), |message| format!("{}\n{:?}", message.content, message.embeds))
    }

    /// Somebody asks for an app's setting, and confirms it; the answer to that.
    pub async fn asks_to_enable(&self, name: &str, app: &str, reason: &str) -> Result<Message> {
        let confirmation = self.says(name, "enable", &[("app", app), ("reason", reason)]).await;
        let answer = self.presses(name, &confirmation, "Enable Deactivate Users").await?;
        self.works().await?;
        Ok(answer)
    }

    /// The next write of a provisioning feature goes wrong.
    pub fn spoils_the_write(&self, fault: sim::okta::Fault) {
        self.okta.faults().next(1, "PUT /api/v1/apps/", fault);
    }

    /// The role whose holders may read.
    pub fn viewer_role(&self) -> u64 {
        self.roles["viewer"]
    }

    /// So many members who hold these roles, each with their ids.
    pub fn crowd(&self, size: usize, roles: &[&str]) -> Vec<(u64, Vec<u64>)> {
        let roles: Vec<u64> = roles.iter().map(|role| self.roles[*role]).collect();
        (0..size).map(|n| (self.discord.member(&format!("Member{n}"), &roles), roles.clone())).collect()
    }

    /// A member does what a button carries.
    pub async fn member_acts(&self, member: u64, roles: &[u64], id: &CustomId) -> Message {
        self.acts_as(member, roles, id, &[]).await
    }
}

async fn build(folder: &TempDir, okta: &Okta, ahead: SignedDuration) -> Result<App> {
    let config = Config::load(Some(&folder.path().join("provost.toml")), &Environment::default())
        .context("the story's configuration")?;
    App::build(&config, Arc::new(SimClock(okta.clone(), ahead))).await
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
