//! `[discord]`: where people are.

use domain::ids::{ChannelId, GuildId, RoleId};
use secrecy::SecretString;
use url::Url;

use super::fault::{Fault, Faults, Wrong};
use super::secret::token;
use super::section::Section;
use super::values::{channel_id, guild_id, origin, role_id};

/// The Discord server that we serve.
#[derive(Debug, Clone)]
pub struct DiscordConfig {
    /// The bot's token.
    pub token: SecretString,
    /// The server.
    pub guild_id: GuildId,
    /// Where alerts go.
    pub alert_channel_id: ChannelId,
    /// Where each audit entry is announced.
    pub audit_channel_id: Option<ChannelId>,
    /// Who is pinged, and who may approve while on call.
    pub oncall_role_id: Option<RoleId>,
    /// Discord's origin; another one only for a proxy or a test server.
    pub api_url: Url,
}

/// The table, or which of its keys are missing: `scan` can do without them, `run` cannot.
///
/// A key that is there but wrong is a fault for every subcommand, and noted as such.
pub(super) fn read(mut section: Section<'_>) -> Result<DiscordConfig, Faults> {
    let mut missing = Vec::new();
    let mut want = |there: bool, key: &str, right: &str| {
        if !there {
            let what = Wrong::new("is missing", right);
            missing.push(Fault { at: section.at.clone(), key: section.key(key), what });
        }
    };
    want(
        section.has_secret("token"),
        "token_file",
        "write token_file = \"…\", or set PROVOST_DISCORD__TOKEN",
    );
    want(section.has("guild_id"), "guild_id", "write the server's id, from “Copy Server ID” in Discord");
    want(section.has("alert_channel_id"), "alert_channel_id", "write the id of the channel for alerts");

    let token = section.secret("token", token("Bot"));
    let guild_id = section.parsed("guild_id", guild_id);
    let alert_channel_id = section.parsed("alert_channel_id", channel_id);
    let audit_at = section.place("audit_channel_id");
    let audit_channel_id = section.parsed("audit_channel_id", channel_id);
    if audit_channel_id.is_some() && audit_channel_id == alert_channel_id {
        let right = "give the record a channel of its own, or leave the key out";
        section.fault(audit_at, "audit_channel_id", Wrong::new("is the channel for alerts", right));
    }
    let oncall_role_id = section.parsed("oncall_role_id", role_id);
    let api_url = section.parsed("api_url", |text| origin(text, "https://discord.com"));
    section.finish();

    match (token, guild_id, alert_channel_id) {
        (Some(token), Some(guild_id), Some(alert_channel_id)) => Ok(DiscordConfig {
            token,
            guild_id,
            alert_channel_id,
            audit_channel_id,
            oncall_role_id,
            api_url: api_url.unwrap_or_else(|| Url::parse("https://discord.com").expect("a URL")),
        }),
        _ => Err(Faults(missing)),
    }
}
