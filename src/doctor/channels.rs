//! May the bot do what it must in every channel, and ping who is on call?

use std::collections::HashMap;

use commands::chat::ChatError;
use domain::ids::{ChannelId, RoleId};
use futures_util::future::join_all;

use super::discord::Doctor;
use super::{Check, Part};
use crate::discord::permissions;
use crate::discord::wire::{Channel, Guild, Member, Role};

/// What the server is like.
pub(super) struct Server {
    pub(super) guild: Guild,
    pub(super) roles: Vec<Role>,
    /// How many members hold each role, if Discord told.
    pub(super) counts: Option<HashMap<RoleId, u64>>,
    /// The bot's own membership.
    pub(super) bot: Member,
}

/// What a channel is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Alerts,
    Record,
}

/// A channel of the configuration.
struct Named {
    id: ChannelId,
    /// What it is called in the report.
    name: String,
    /// Where it is configured.
    key: String,
    used: Use,
}

/// The record is lines in the channel itself: it needs no threads and no files.
const ALERTS_ONLY: [&str; 3] = ["ATTACH_FILES", "CREATE_PUBLIC_THREADS", "SEND_MESSAGES_IN_THREADS"];

/// Text and announcement channels. Source: Discord, Channel Types.
const KINDS: [u8; 2] = [0, 5];

/// Every channel, then the role that is pinged.
pub(super) async fn examine(doctor: &Doctor<'_>, server: &Server) -> (Vec<Check>, Option<Check>) {
    let named = named(doctor);
    let asked = join_all(named.iter().map(|named| doctor.rest.channel(named.id))).await;
    let checks =
        named.iter().zip(&asked).map(|(named, channel)| check(doctor, server, named, channel)).collect();
    let alerts: Vec<&Channel> = named
        .iter()
        .zip(&asked)
        .filter(|(named, _)| named.used == Use::Alerts)
        .filter_map(|(_, channel)| channel.as_ref().ok())
        .collect();
    (checks, doctor.discord.oncall_role_id.map(|role| oncall(server, role, &alerts)))
}

fn named(doctor: &Doctor<'_>) -> Vec<Named> {
    let discord = doctor.discord;
    let named =
        |id, name: &str, key: &str, used| Named { id, name: name.to_owned(), key: key.to_owned(), used };
    let mut all =
        vec![named(discord.alert_channel_id, "alert channel", "discord.alert_channel_id", Use::Alerts)];
    for org in doctor.config.orgs.values() {
        if let Some(id) = org.alert_channel_id.filter(|id| all.iter().all(|known| known.id != *id)) {
            let (name, key) =
                (format!("alert channel of {}", org.name), format!("okta.{}.alert_channel_id", org.name));
            all.push(named(id, &name, &key, Use::Alerts));
        }
    }
    if let Some(id) = discord.audit_channel_id {
        all.push(named(id, "audit channel", "discord.audit_channel_id", Use::Record));
    }
    all
}

fn check(doctor: &Doctor<'_>, server: &Server, named: &Named, channel: &Result<Channel, ChatError>) -> Check {
    let Named { id, name, key, used } = named;
    let failed = |said: String, mend: String| Check::failed(Part::Discord, name, said, mend);
    let channel = match channel {
        Ok(channel) => channel,
        Err(ChatError::ChannelGone(_)) => {
            return failed(
                format!("Channel {id} was deleted, or never was."),
                format!("Set {key} to a channel of this server."),
            );
        }
        Err(ChatError::NoAccess(_) | ChatError::Forbidden { .. }) => {
            return failed(
                format!("The bot may not see channel {id}."),
                format!(
                    "Let the bot's role view it (channel settings > Permissions), or set {key} to another channel."
                ),
            );
        }
        Err(error) => return doctor.refused(name, error),
    };
    let shown = format!("#{}", channel.name.as_deref().unwrap_or("without a name"));
    if channel.guild_id != Some(server.guild.id) {
        return failed(
            format!("{shown} is not in {}.", server.guild.name),
            format!("Set {key} to a channel of the server that discord.guild_id names."),
        );
    }
    if !KINDS.contains(&channel.kind) {
        return failed(
            format!("{shown} is no text channel (Discord's kind {}).", channel.kind),
            format!("Set {key} to a text channel: no thread, forum, voice channel or category."),
        );
    }
    let mut missing = permissions::missing_permissions(&server.guild, &server.roles, &server.bot, channel);
    if *used == Use::Record {
        missing.retain(|one| !ALERTS_ONLY.contains(one));
    }
    if missing.is_empty() {
        return Check::ok(Part::Discord, name, format!("The bot may do what it must in {shown}."));
    }
    let labels: Vec<String> = missing.iter().map(|name| label(name)).collect();
    failed(
        format!("In {shown} the bot lacks {} ({}).", labels.join(", "), missing.join(", ")),
        format!("Allow the bot's role {} in the settings of {shown}, under Permissions.", labels.join(", ")),
    )
}

/// Who is on call must be there, and be heard.
fn oncall(server: &Server, role: RoleId, alerts: &[&Channel]) -> Check {
    const CHECK: &str = "on-call role";
    let Some(known) = server.roles.iter().find(|known| known.id == role) else {
        return Check::failed(
            Part::Discord,
            CHECK,
            format!("Role {role} is not in {}, so nobody is pinged.", server.guild.name),
            "Set discord.oncall_role_id to a role of the server (Server Settings > Roles > Copy Role ID).",
        );
    };
    let may = |channel: &&Channel| {
        permissions::may_ping_any_role(&server.guild, &server.roles, &server.bot, channel)
    };
    if !known.mentionable && !alerts.iter().all(may) {
        return Check::failed(
            Part::Discord,
            CHECK,
            format!("A ping of @{} reaches nobody: the bot may not mention that role.", known.name),
            "Turn on “Allow anyone to @mention this role” for it, or allow the bot's role Mention Everyone \
             (MENTION_EVERYONE) in the alert channels.",
        );
    }
    if server.counts.as_ref().is_some_and(|counts| counts.get(&role) == Some(&0)) {
        let mend = "Give the role to whoever is on call; until then any approver may approve.";
        let said = format!("Nobody holds @{}.", known.name);
        return Check::warning(Part::Discord, CHECK, said, mend);
    }
    Check::ok(Part::Discord, CHECK, format!("@{} can be pinged.", known.name))
}

/// A permission as Discord's settings call it: `SEND_MESSAGES_IN_THREADS` is “Send Messages in Threads”.
fn label(name: &str) -> String {
    let word = |word: &str| match word {
        "IN" => "in".to_owned(),
        _ => format!("{}{}", &word[..1], word[1..].to_lowercase()),
    };
    name.split('_').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_called_as_in_discords_settings() {
        assert_eq!(label("VIEW_CHANNEL"), "View Channel");
        assert_eq!(label("SEND_MESSAGES_IN_THREADS"), "Send Messages in Threads");
    }
}
