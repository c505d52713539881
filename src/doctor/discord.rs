//! Does Discord know the bot, is it in the server, and has it its commands there?

use std::sync::Arc;
use std::time::Duration;

use commands::chat::ChatError;
use domain::ids::GuildId;
use domain::ports::Clock;
use futures_util::future::{join, join3};

use super::channels::{self, Server};
use super::{Check, Part, roles, sentence};
use crate::config::{Config, DiscordConfig, Faults, origin_of};
use crate::discord::rest::Limits;
use crate::discord::wire::{Application, Guild, User};
use crate::discord::{Rest, permissions, registration};

pub(super) async fn examine(config: &Config, clock: Arc<dyn Clock>) -> Vec<Check> {
    let discord = match config.discord() {
        Ok(discord) => discord,
        Err(missing) => return vec![not_configured(&missing)],
    };
    // Somebody waits for this, so less patience than the service has.
    let limits = Limits {
        whole: Duration::from_secs(10),
        patience: Duration::from_secs(10),
        attempts: 2,
        ..Limits::default()
    };
    match Rest::with_limits(discord.api_url.clone(), discord.token.clone(), clock, limits) {
        Ok(rest) => Doctor { rest, config, discord }.examine().await,
        Err(error) => {
            let mend = "Correct [discord] in provost.toml.";
            vec![Check::failed(Part::Discord, "settings", sentence(&format!("{error:#}")), mend)]
        }
    }
}

fn not_configured(missing: &Faults) -> Check {
    let keys: Vec<&str> = missing.0.iter().map(|fault| fault.key.as_str()).collect();
    let right: Vec<String> = missing.0.iter().map(|fault| sentence(&fault.what.right)).collect();
    let said = format!("Discord is not configured; missing: {}.", keys.join(", "));
    Check::failed(Part::Discord, "settings", said, right.join(" "))
}

/// The Discord side under examination.
pub(super) struct Doctor<'a> {
    pub(super) rest: Rest,
    pub(super) config: &'a Config,
    pub(super) discord: &'a DiscordConfig,
}

impl Doctor<'_> {
    async fn examine(&self) -> Vec<Check> {
        let (me, application) = join(self.rest.me(), self.rest.application()).await;
        let (me, application) = match me.and_then(|me| Ok((me, application?))) {
            Ok(known) => known,
            // It answers nothing else either.
            Err(error) => return vec![self.refused("token", &error)],
        };
        let mut checks = vec![token(&me), endpoint(&application)];
        let guild = match self.rest.guild(self.discord.guild_id).await {
            Ok(guild) => guild,
            Err(error) => {
                checks.push(self.no_server(&error, application.id()));
                return checks;
            }
        };
        checks.push(Check::ok(Part::Discord, "server", format!("The bot is in {}.", guild.name)));
        let (commands, server) =
            join(self.commands(guild.id, application.id()), self.server(guild, &me)).await;
        match server {
            Ok(server) => {
                let (channels, oncall) = channels::examine(self, &server).await;
                checks.extend(channels);
                checks.extend(oncall);
                checks.extend(roles::examine(self, &server).await);
            }
            Err(error) => checks.push(self.refused("roles", &error)),
        }
        checks.push(commands);
        checks
    }

    /// What the checks of channels and roles compare with.
    async fn server(&self, guild: Guild, me: &User) -> Result<Server, ChatError> {
        let (roles, counts, bot) = join3(
            self.rest.roles(guild.id),
            self.rest.role_member_counts(guild.id),
            self.rest.member(guild.id, me.id),
        )
        .await;
        let absent = || ChatError::Rejected { said: "the bot is no member of the server".to_owned() };
        // Counts are for one check alone, which says so where they cannot be had.
        Ok(Server { guild, roles: roles?, counts: counts.ok(), bot: bot?.ok_or_else(absent)? })
    }

    async fn commands(&self, guild: GuildId, application: u64) -> Check {
        match registration::is_registered(&self.rest, application, guild, &commands::specs()).await {
            Ok(true) => Check::ok(Part::Discord, "commands", "/okta is registered as this version has it."),
            // The first start mends it, so it is nothing that anybody has to do.
            Ok(false) => {
                let said = "/okta is not registered yet, or not as this version has it.";
                Check::warning(
                    Part::Discord,
                    "commands",
                    said,
                    "Start “provost run”: it registers the commands.",
                )
            }
            Err(error) => {
                let said = sentence(&format!("the commands cannot be read: {error:#}"));
                let mend = format!("Invite the bot anew: {}", permissions::invite_link(application));
                Check::failed(Part::Discord, "commands", said, mend)
            }
        }
    }

    fn no_server(&self, error: &ChatError, application: u64) -> Check {
        let ChatError::Rejected { said } = error else { return self.refused("server", error) };
        let said =
            format!("The bot is not in server {}; Discord says: {}", self.discord.guild_id, sentence(said));
        let mend = format!(
            "Compare discord.guild_id with “Copy Server ID” in Discord, or invite the bot: {}",
            permissions::invite_link(application)
        );
        Check::failed(Part::Discord, "server", said, mend)
    }

    /// What an error means that is not about the thing asked for.
    pub(super) fn refused(&self, check: impl Into<String>, error: &ChatError) -> Check {
        let said = match error {
            ChatError::Rejected { said } => sentence(&format!("Discord refused: {said}")),
            other => sentence(&other.to_string()),
        };
        let (check, part) = (check.into(), Part::Discord);
        match error {
            ChatError::Unauthorized => {
                let mend = "Make a new one in the Developer Portal under Bot > Reset Token, and put it where \
                            discord.token_file points.";
                Check::failed(part, check, said, mend)
            }
            ChatError::RateLimited { .. } => Check::warning(part, check, said, "Try again after that."),
            ChatError::Unreachable { .. } => {
                let mend = format!(
                    "Check discord.api_url, and whether this machine may reach {} (DNS, proxy, firewall).",
                    origin_of(&self.discord.api_url)
                );
                Check::failed(part, check, said, mend)
            }
            ChatError::MessageGone
            | ChatError::ChannelGone(_)
            | ChatError::NoAccess(_)
            | ChatError::TooOld
            | ChatError::Forbidden { .. }
            | ChatError::Rejected { .. } => {
                let mend =
                    "Check that the ids in [discord] are those of this server, and that the bot is in it.";
                Check::failed(part, check, said, mend)
            }
        }
    }
}

fn token(me: &User) -> Check {
    Check::ok(Part::Discord, "token", format!("Discord knows the bot as {}.", me.username))
}

/// An application that has its interactions sent over HTTP gets none by the gateway.
fn endpoint(application: &Application) -> Check {
    match &application.interactions_endpoint_url {
        None => Check::ok(Part::Discord, "interactions", "Commands and clicks come to Provost."),
        Some(_) => {
            let said = "Commands and clicks are sent to another address, and Provost gets none.";
            let mend = "Clear “Interactions Endpoint URL” in the Developer Portal under General Information.";
            Check::failed(Part::Discord, "interactions", said, mend)
        }
    }
}
