//! `provost config check`: is the configuration good?

use std::fmt::Write as _;
use std::io::{self, Write};

use clap::Subcommand;
use commands::spec::Role;

use super::{ConfigFile, Outcome};
use crate::config::{Config, DEFAULT_FILE, DiscordConfig, Environment, Holder, in_words, origin_of};
use crate::okta::Credentials;
use crate::plain::plain;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check provost.toml and the environment, without talking to anybody
    Check(ConfigFile),
}

impl Args {
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let What::Check(file) = &self.what;
        let config = file.load(environment)?;
        let discord = config.discord()?;
        io::stdout().write_all(summary(&config, discord).as_bytes())?;
        Ok(Outcome::Done)
    }
}

/// What the configuration amounts to, for somebody who wants to see that it was understood.
fn summary(config: &Config, discord: &DiscordConfig) -> String {
    let mut text = String::new();
    let file = config.file.as_ref().map(|file| file.display().to_string());
    let mut line = |label: &str, said: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{label:<9} {}", plain(said));
    };
    line(&format!("{} is good", plain(file.as_deref().unwrap_or(DEFAULT_FILE))), "");
    for org in config.orgs.values() {
        let signs_in = match org.credentials {
            Credentials::Token(_) => "API token",
            Credentials::ServiceApp { .. } => "service app",
        };
        let writes = if org.writes { "writes" } else { "guided only" };
        let every = in_words(org.poll_interval);
        let share = org.rate_limit_share * 100.0;
        line(
            "org",
            &format!(
                "{} {} ({signs_in}, every {every}, {share:.0}% of the rate limit, {writes})",
                org.name,
                origin_of(&org.url)
            ),
        );
        match &org.console_url {
            Some(console) => line("", &format!("console {}", origin_of(console))),
            None => line("", "console unknown: links to the Admin Console are left out; set console_url"),
        }
        if let Some(channel) = org.alert_channel_id {
            line("", &format!("its alerts go to channel {channel}"));
        }
    }
    line("discord", &format!("server {}, alerts in channel {}", discord.guild_id, discord.alert_channel_id));
    if let Some(channel) = discord.audit_channel_id {
        line("", &format!("audit in channel {channel}"));
    }
    if let Some(role) = discord.oncall_role_id {
        line("", &format!("on call: role {role}"));
    }
    for role in Role::ALL {
        let label = if role == Role::Viewer { "roles" } else { "" };
        line(label, &format!("{:<10} {}", role.word(), holders(config.roles.holders(role))));
    }
    line("store", config.store.kind.word());
    let causes: Vec<&str> = config.alerts.causes.iter().map(|cause| cause.as_str()).collect();
    line("alerts", &causes.join(", "));
    let listen = config.listen.map_or_else(|| "off".to_owned(), |address| format!("on {address}"));
    line("http", &listen);
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn holders(holders: &[Holder]) -> String {
    let roles = holders.iter().filter(|holder| matches!(holder, Holder::Role(_))).count();
    match (roles, holders.len() - roles) {
        (0, 0) => "nobody".to_owned(),
        (0, members) => counted(members, "member"),
        (roles, 0) => counted(roles, "role"),
        (roles, members) => format!("{}, {}", counted(roles, "role"), counted(members, "member")),
    }
}

fn counted(many: usize, what: &str) -> String {
    format!("{many} {what}{}", if many == 1 { "" } else { "s" })
}
