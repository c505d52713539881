//! `provost doctor` against both simulators: each defect is found, named, and told how to mend, and nothing is written.

#[path = "documents/mod.rs"]
mod documents;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use assert_cmd::Command;
use domain::ports::Clock as _;
use insta::assert_snapshot;
use jiff::SignedDuration;
use provost::clock::SystemClock;
use provost::config::{Config, Environment};
use provost::discord::{Rest, registration};
use provost::doctor::{self, Check, Report, State, show};
use provost::store::Sql;
use sim::discord::{Discord, Permission};
use sim::okta::{DeactivateUsers, Fault, Okta, public_key_of};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor};
use tempfile::TempDir;

const KEY: &str = include_str!("fixtures/okta/keys/rsa.pkcs8.pem");
const READS: [&str; 3] = ["okta.logs.read", "okta.apps.read", "okta.users.read"];

/// An org, a server, and a configuration for both in which nothing is amiss.
struct World {
    okta: Okta,
    discord: Discord,
    folder: TempDir,
    /// `provost.toml`, until it is written.
    text: String,
    channel: u64,
    audit: u64,
    oncall: u64,
    viewer: u64,
    approver: u64,
    ada: u64,
    approvers: Vec<u64>,
}

impl World {
    async fn new() -> Result<Self> {
        let okta = Okta::start(sim::okta::Settings::default()).await?;
        let app = okta.installs("Airbase", "airbase", DeactivateUsers::Off);
        okta.hires("Dana", "Reyes");
        okta.assigns("dana", &app);
        let discord = Discord::start(sim::discord::Settings::default()).await?;
        let (channel, audit) = (discord.channel("provisioning"), discord.channel("record"));
        let [oncall, viewer, operator, approver] =
            ["oncall", "viewer", "operator", "approver"].map(|name| discord.role(name));
        discord.member("vic", &[viewer]);
        discord.member("olive", &[viewer, operator]);
        let ada = discord.member("ada", &[viewer, approver, oncall]);
        let approvers = vec![ada, discord.member("ben", &[approver]), discord.member("cyd", &[approver])];
        let text = format!(
            r#"
            [discord]
            token = "{token}"
            guild_id = "{guild}"
            alert_channel_id = "{channel}"
            audit_channel_id = "{audit}"
            oncall_role_id = "{oncall}"
            api_url = "{discord}"
            [okta.acme]
            url = "{okta}"
            api_token = "{okta_token}"
            writes = true
            [store]
            url = "sqlite://provost.db"
            [roles]
            viewer = ["role:{viewer}"]
            operator = ["role:{operator}"]
            approver = ["role:{approver}", "member:{ada}"]
            [http]
            listen = ""
            "#,
            token = sim::discord::Settings::default().bot_token,
            guild = discord.guild_id(),
            discord = discord.url(),
            okta = okta.url(),
            okta_token = sim::okta::Settings::default().api_token,
        );
        let folder = tempfile::tempdir()?;
        let text = text.replace("sqlite://", &format!("sqlite://{}/", folder.path().display()));
        let world =
            Self { okta, discord, folder, text, channel, audit, oncall, viewer, approver, ada, approvers };
        world.registers(&commands::specs()).await?;
        world.okta.ledger().clear();
        world.discord.ledger().clear();
        Ok(world)
    }

    async fn registers(&self, specs: &[commands::spec::Spec]) -> Result<()> {
        let token = sim::discord::Settings::default().bot_token.into();
        let rest = Rest::new(self.discord.url().parse()?, token, Arc::new(SystemClock))?;
        let guild = domain::ids::GuildId(self.discord.guild_id());
        registration::register(&rest, self.discord.application_id(), guild, specs).await?;
        Ok(())
    }

    fn says(&mut self, before: &str, after: &str) {
        assert!(self.text.contains(before), "{before} is not in the configuration");
        self.text = self.text.replace(before, after);
    }

    /// The org is signed in to as a service app with these scopes.
    fn signs_in_as_a_service_app(&mut self, scopes: &[&str]) -> Result<()> {
        self.okta.registers_service_app("0oaProvost", &public_key_of(KEY)?, scopes, true);
        std::fs::write(self.folder.path().join("okta.pem"), KEY)?;
        let token = format!("api_token = \"{}\"", sim::okta::Settings::default().api_token);
        self.says(&token, "client_id = \"0oaProvost\"\nprivate_key_file = \"okta.pem\"");
        Ok(())
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("provost.db")
    }

    fn writes_its_configuration(&self) -> Result<PathBuf> {
        let path = self.folder.path().join("provost.toml");
        std::fs::write(&path, &self.text)?;
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok(path)
    }

    /// What the doctor finds. It never writes, and asks nothing that the official documents do not describe.
    async fn examined(&self) -> Result<Report> {
        let file = self.writes_its_configuration()?;
        let config = Config::load(Some(&file), &Environment::default())?;
        let report = doctor::examine(&config, Arc::new(SystemClock)).await;
        let (okta, discord) = (self.okta.ledger().exchanges(), self.discord.ledger().exchanges());
        for exchange in okta.iter().chain(&discord) {
            let reads = exchange.method == "GET" || exchange.path == "/oauth2/v1/token";
            assert!(reads, "{} {} is not reading", exchange.method, exchange.path);
        }
        documents::hold(&okta, &discord);
        let text = show::list(&report) + &show::json(&report);
        for secret in [sim::okta::Settings::default().api_token, sim::discord::Settings::default().bot_token]
        {
            assert!(!text.contains(&secret), "{text}");
        }
        Ok(report)
    }

    /// The one check that is not as it should be.
    async fn finding(&self) -> Result<Check> {
        let report = self.examined().await?;
        let found: Vec<&Check> = report.0.iter().filter(|check| check.state != State::Ok).collect();
        assert_eq!(found.len(), 1, "{}", show::list(&report));
        assert_eq!(report.is_ok(), found[0].state != State::Failed);
        Ok(found[0].clone())
    }

    /// The list, with what differs from run to run written as names.
    fn shown(&self, text: &str) -> String {
        let names = [
            (self.okta.url(), "OKTA".to_owned()),
            (self.folder.path().display().to_string(), "FOLDER".to_owned()),
        ];
        names.into_iter().fold(text.to_owned(), |text, (from, to)| text.replace(&from, &to))
    }
}

fn says(check: &Check, name: &str, state: State, said: &str, mend: &str) {
    let told = check.mend.as_deref().unwrap_or_default();
    let fits =
        check.check == name && check.state == state && check.said.contains(said) && told.contains(mend);
    assert!(fits, "wanted {name} {state:?}: {said} → {mend}\nbut it is {check:#?}");
}

#[tokio::test]
async fn where_nothing_is_amiss_it_says_what_works_and_leaves_nothing_behind() -> Result<()> {
    let world = World::new().await?;

    let report = world.examined().await?;

    assert!(report.is_ok());
    assert_snapshot!(world.shown(&show::list(&report)), @"
    okta acme
      ✓ sign-in        OKTA knows the token as admin@example.com's.
      ✓ scopes         An API token may do what its owner may; whether it may write is known when it writes.
      ✓ log            The System Log can be read.
      ✓ apps           1 active app can be read.
      ✓ people         The people assigned to an app can be read.
      ✓ rate limit     The log may be read 100000 times a minute, 40000 of them by Provost.
      ✓ clock          This machine's clock agrees with Okta's.

    discord
      ✓ token          Discord knows the bot as Provost.
      ✓ interactions   Commands and clicks come to Provost.
      ✓ server         The bot is in Acme IT.
      ✓ alert channel  The bot may do what it must in #provisioning.
      ✓ audit channel  The bot may do what it must in #record.
      ✓ on-call role   @oncall can be pinged.
      ✓ roles          Every role and member of the configuration is in Acme IT.
      ✓ viewers        Up to 3 members may read.
      ✓ approvers      At most 3 members may approve.
      ✓ commands       /okta is registered as this version has it.

    store
      ✓ database       FOLDER/provost.db is not there yet; “provost run” makes it.

    Nothing has to be mended.
    ");
    let left: Vec<_> =
        std::fs::read_dir(world.folder.path())?.flatten().map(|file| file.file_name()).collect();
    assert_eq!(left, ["provost.toml"]);
    Ok(())
}

#[tokio::test]
async fn what_must_be_mended_stands_out_with_what_to_do() -> Result<()> {
    let world = World::new().await?;
    world.okta.replaces_api_token("another");
    world.discord.denies(Permission::SEND_MESSAGES, world.channel);
    world.discord.denies(Permission::EMBED_LINKS, world.channel);
    world.discord.takes(world.oncall, world.ada);

    let list = show::list(&world.examined().await?);
    let marked = |line: &&str| !line.starts_with("  ✓") && !line.contains("(request ");
    assert_snapshot!(list.lines().filter(marked).collect::<Vec<_>>().join("\n"), @"
    okta acme
                       → Make a new token in the Admin Console under Security > API > Tokens, and put it where okta.acme.api_token_file points.

    discord
      ✗ alert channel  In #provisioning the bot lacks Send Messages, Embed Links (SEND_MESSAGES, EMBED_LINKS).
                       → Allow the bot's role Send Messages, Embed Links in the settings of #provisioning, under Permissions.
      ! on-call role   Nobody holds @oncall.
                       → Give the role to whoever is on call; until then any approver may approve.

    store

    2 things have to be mended (✗). One thing is worth a look (!).
    ");
    Ok(())
}

#[tokio::test]
async fn each_defect_is_named_with_its_mend() -> Result<()> {
    use State::{Failed, Warning};
    type Spoil = fn(&mut World);
    type Case = (&'static str, Spoil, &'static str, State, &'static str, &'static str);
    let cases: [Case; 22] = [
        (
            "another bot token",
            |world| world.says("simulated-bot-token", "another-bot-token"),
            "token",
            Failed,
            "Discord refuses the bot token.",
            "Bot > Reset Token",
        ),
        (
            "another server",
            |world| {
                let guild = world.discord.guild_id().to_string();
                world.says(&guild, "1234567890123456789");
            },
            "server",
            Failed,
            "The bot is not in server 1234567890123456789",
            "https://discord.com/oauth2/authorize?client_id=",
        ),
        (
            "a channel that was deleted",
            |world| world.discord.deletes_channel(world.channel),
            "alert channel",
            Failed,
            "was deleted, or never was",
            "discord.alert_channel_id",
        ),
        (
            "a record that cannot be written",
            |world| world.discord.denies(Permission::SEND_MESSAGES, world.audit),
            "audit channel",
            Failed,
            "In #record the bot lacks Send Messages (SEND_MESSAGES).",
            "in the settings of #record",
        ),
        (
            "a role that nobody made",
            |world| world.says("operator = [", "operator = [\"role:1234567890123456789\", "),
            "roles",
            Failed,
            "roles.operator names role 1234567890123456789, which is not in Acme IT.",
            "Copy Role ID",
        ),
        (
            "a member who left",
            |world| {
                world.says("operator = [", "operator = [\"member:1234567890123456789\", ");
            },
            "roles",
            Failed,
            "roles.operator names member 1234567890123456789",
            "Copy User ID",
        ),
        (
            "nobody who may read",
            |world| {
                let viewer = format!("viewer = [\"role:{}\"]", world.viewer);
                world.says(&viewer, "viewer = []");
            },
            "viewers",
            Failed,
            "Nobody holds viewer",
            "roles.viewer",
        ),
        (
            "nobody who may approve",
            |world| {
                for member in world.approvers.clone() {
                    world.discord.takes(world.approver, member);
                }
                let ada = format!(", \"member:{}\"", world.ada);
                world.says(&ada, "");
            },
            "approvers",
            Failed,
            "Nobody may approve, and enable needs 1",
            "roles.approver",
        ),
        (
            "too few who may approve",
            |world| {
                world.discord.takes(world.approver, world.approvers[1]);
                world.discord.takes(world.approver, world.approvers[2]);
            },
            "approvers",
            Failed,
            "At most 1 member may approve, and reassign needs 2.",
            "lower the approvals",
        ),
        (
            "nobody left when one of them asks",
            |world| world.discord.takes(world.approver, world.approvers[2]),
            "approvers",
            Warning,
            "At most 2 members may approve; where one of them asks",
            "Give one more person",
        ),
        (
            "an on-call role that is gone",
            |world| {
                let oncall = world.oncall.to_string();
                world.says(&oncall, "1234567890123456789");
            },
            "on-call role",
            Failed,
            "nobody is pinged",
            "discord.oncall_role_id",
        ),
        (
            "an on-call role that cannot be pinged",
            |world| world.discord.makes_mentionable(world.oncall, false),
            "on-call role",
            Failed,
            "A ping of @oncall reaches nobody",
            "Allow anyone to @mention this role",
        ),
        (
            "nobody on call",
            |world| world.discord.takes(world.oncall, world.ada),
            "on-call role",
            Warning,
            "Nobody holds @oncall.",
            "Give the role",
        ),
        (
            "a Discord that is down",
            |world| {
                let url = world.discord.url().to_owned();
                world.says(&url, "http://127.0.0.1:9");
            },
            "token",
            Failed,
            "Discord cannot be reached",
            "discord.api_url",
        ),
        (
            "no Discord at all",
            |world| {
                let from = world.text.find("[okta.acme]").unwrap_or_default();
                world.text = world.text[from..].to_owned();
            },
            "settings",
            Failed,
            "missing: discord.token_file, discord.guild_id, discord.alert_channel_id.",
            "PROVOST_DISCORD__TOKEN",
        ),
        (
            "an API token that was revoked",
            |world| world.okta.replaces_api_token("another"),
            "sign-in",
            Failed,
            "Okta refuses the credentials",
            "Security > API > Tokens",
        ),
        (
            "a token that may not read the log",
            |world| {
                let scope = "okta.logs.read".to_owned();
                world.okta.faults().next(1, "/logs", Fault::Forbidden { scope });
            },
            "log",
            Failed,
            "Okta forbids this",
            "Give the administrator who made the token the scope okta.logs.read",
        ),
        (
            "a token that may not read an app's people",
            |world| world.okta.faults().next(1, "/users?", Fault::Status(403)),
            "people",
            Failed,
            "Okta forbids this",
            "Read-only Administrator",
        ),
        (
            "a clock that is wrong",
            |world| world.okta.advance(SignedDuration::from_mins(5)),
            "clock",
            Failed,
            "s behind Okta's.",
            "NTP",
        ),
        (
            "an Okta that is down",
            |world| world.okta.stop(),
            "sign-in",
            Failed,
            "Okta cannot be reached",
            "okta.acme.url",
        ),
        (
            "an address that leads elsewhere",
            |world| {
                let elsewhere = "https://evil.example/".to_owned();
                world.okta.faults().next(1, "/users/me", Fault::Redirect(302, elsewhere));
            },
            "sign-in",
            Failed,
            "it redirects to evil.example",
            "Set okta.acme.url to the org's own address",
        ),
        (
            "a poll that the rate limit has no room for",
            |world| world.okta.rate_limit("/api/v1/logs", 4),
            "rate limit",
            Warning,
            "The log may be read 4 times a minute, 1 of them by Provost. Looking every 30s takes more.",
            "okta.acme.poll_interval to 60s",
        ),
    ];
    for (name, spoil, check, state, said, mend) in cases {
        let mut world = World::new().await?;
        spoil(&mut world);
        let found = world.finding().await.context(name)?;
        says(&found, check, state, said, mend);
    }
    Ok(())
}

#[tokio::test]
async fn each_permission_that_is_missing_is_named() -> Result<()> {
    for (permission, name) in [
        (Permission::VIEW_CHANNEL, "may not see channel"),
        (Permission::SEND_MESSAGES, "Send Messages (SEND_MESSAGES)"),
        (Permission::EMBED_LINKS, "Embed Links (EMBED_LINKS)"),
        (Permission::ATTACH_FILES, "Attach Files (ATTACH_FILES)"),
        (Permission::READ_MESSAGE_HISTORY, "Read Message History (READ_MESSAGE_HISTORY)"),
        (Permission::CREATE_PUBLIC_THREADS, "Create Public Threads (CREATE_PUBLIC_THREADS)"),
        (Permission::SEND_MESSAGES_IN_THREADS, "Send Messages in Threads (SEND_MESSAGES_IN_THREADS)"),
    ] {
        let world = World::new().await?;
        world.discord.denies(permission, world.channel);
        says(&world.finding().await?, "alert channel", State::Failed, name, "the bot's role");
    }
    Ok(())
}

#[tokio::test]
async fn commands_that_are_not_registered_are_left_to_the_first_start() -> Result<()> {
    let world = World::new().await?;
    world.registers(&[]).await?;
    world.discord.ledger().clear();

    says(&world.finding().await?, "commands", State::Warning, "not registered", "provost run");
    Ok(())
}

#[tokio::test]
async fn a_service_apps_scopes_must_fit_what_it_is_for() -> Result<()> {
    let all = [&READS[..], &["okta.apps.manage"]].concat();
    let mut world = World::new().await?;
    world.signs_in_as_a_service_app(&all)?;
    assert!(world.examined().await?.0.iter().all(|check| check.state == State::Ok));

    let mut world = World::new().await?;
    world.signs_in_as_a_service_app(&READS)?;
    let report = world.examined().await?;
    let failed: Vec<&Check> = report.0.iter().filter(|check| check.state == State::Failed).collect();
    assert_eq!(failed.len(), 2, "{}", show::list(&report));
    says(failed[1], "scopes", State::Failed, "is not granted okta.apps.manage.", "okta.acme.writes = false");

    let mut world = World::new().await?;
    world.signs_in_as_a_service_app(&all)?;
    world.says("writes = true", "writes = false");
    says(&world.finding().await?, "scopes", State::Warning, "needs no such scope", "Revoke it");

    let mut world = World::new().await?;
    world.signs_in_as_a_service_app(&[READS[0], READS[2], "okta.apps.manage"])?;
    let report = world.examined().await?;
    let failed: Vec<&Check> = report.0.iter().filter(|check| check.state == State::Failed).collect();
    assert_eq!(failed.len(), 2, "{}", show::list(&report));
    says(failed[1], "scopes", State::Failed, "is not granted okta.apps.read.", "Okta API Scopes");
    Ok(())
}

#[tokio::test]
async fn a_store_is_looked_at_and_never_touched() -> Result<()> {
    let world = World::new().await?;
    let url = format!("sqlite://{}", world.database().display());

    // Another Provost is running.
    let running = Sql::open(&url).await?;
    says(&world.finding().await?, "database", State::Warning, "A Provost is running", "second one");
    running.note_identify(SystemClock.now()).await?;

    // It was killed, and left its journal behind.
    let crashed = World::new().await?;
    for ending in ["", "-wal"] {
        let beside = |world: &World| format!("{}{ending}", world.database().display());
        std::fs::copy(beside(&world), beside(&crashed))?;
    }
    assert!(crashed.examined().await?.0.iter().all(|check| check.state == State::Ok));
    for ending in ["", "-wal"] {
        let beside = |world: &World| format!("{}{ending}", world.database().display());
        assert_eq!(std::fs::read(beside(&world))?, std::fs::read(beside(&crashed))?, "{ending:?}");
    }
    running.close().await;
    drop(running);

    // It is closed and good.
    let before = std::fs::read(world.database())?;
    assert!(world.examined().await?.0.iter().all(|check| check.state == State::Ok));
    assert_eq!(std::fs::read(world.database())?, before);

    // A newer version has used it.
    let mut conn = SqliteConnectOptions::new().filename(world.database()).connect().await?;
    conn.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (99, 'later', TRUE, x'00', 0)",
    )
    .await?;
    conn.execute("UPDATE provost SET version = '9.9.9'").await?;
    conn.close().await?;
    let found = world.finding().await?;
    says(&found, "database", State::Failed, "a newer version of Provost (9.9.9)", "Run that version");

    // It is damaged; and it is no database at all.
    let mut damaged = before.clone();
    let middle = damaged.len() / 2;
    damaged[4096..middle].fill(0xa5);
    std::fs::write(world.database(), &damaged)?;
    says(&world.finding().await?, "database", State::Failed, "is damaged", "restore a backup");
    assert_eq!(std::fs::read(world.database())?, damaged);
    std::fs::write(world.database(), "This is a letter, and a long one at that. ".repeat(100))?;
    says(&world.finding().await?, "database", State::Failed, "is not a database", "backup");
    Ok(())
}

#[tokio::test]
async fn a_store_that_cannot_be_is_told() -> Result<()> {
    let mut world = World::new().await?;
    world.says("provost.db", "nowhere/provost.db");
    says(&world.finding().await?, "database", State::Failed, "does not exist", "Create it");

    let mut world = World::new().await?;
    let url = format!("sqlite://{}", world.database().display());
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    world.says(&url, &format!("postgres://provost:SECRET@{nobody}/provost"));
    let found = world.finding().await?;
    says(&found, "database", State::Failed, "cannot be used", "whether the server runs");
    assert!(!format!("{found:?}").contains("SECRET"));
    Ok(())
}

/// The program itself: what it prints on stdout, and how it exits.
async fn run(world: &World, arguments: &str) -> Result<(String, i32)> {
    world.writes_its_configuration()?;
    let mut command = Command::cargo_bin("provost")?;
    command.current_dir(world.folder.path()).env_clear().args(arguments.split_whitespace());
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    Ok((String::from_utf8(output.stdout)?, output.status.code().unwrap_or(-1)))
}

#[tokio::test]
async fn the_program_prints_a_list_and_exits_with_0() -> Result<()> {
    let world = World::new().await?;

    let (said, code) = run(&world, "doctor").await?;

    assert!(said.starts_with("okta acme\n  ✓ sign-in"), "{said}");
    assert!(said.ends_with("\nNothing has to be mended.\n"), "{said}");
    assert_eq!(code, 0);
    Ok(())
}

#[tokio::test]
async fn the_program_prints_json_and_exits_with_1_where_something_must_be_mended() -> Result<()> {
    let world = World::new().await?;
    world.discord.deletes_channel(world.channel);

    let (said, code) = run(&world, "doctor --format json").await?;

    let report: serde_json::Value = serde_json::from_str(&said)?;
    assert_eq!(report["ok"], false);
    let checks = report["checks"].as_array().context("no list")?;
    let failed: Vec<_> = checks.iter().filter(|check| check["state"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{said}");
    assert_eq!((&failed[0]["part"], &failed[0]["check"]), (&"discord".into(), &"alert channel".into()));
    assert!(failed[0]["mend"].is_string() && checks[0]["mend"].is_null(), "{said}");
    assert_eq!(code, 1);
    Ok(())
}
