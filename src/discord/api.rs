//! What is asked of Discord at the start, by `provost doctor` and before a change is made. Each is one request.

use std::collections::HashMap;

use commands::chat::ChatError;
use domain::ids::{ChannelId, GuildId, MemberId, RoleId};
use serde::Deserialize;
use serde_json::Value;

use super::ask::Ask;
use super::lanes::Via::Bot;
use super::permissions;
use super::refusal::Failure;
use super::rest::Rest;
use super::wire::{Application, Channel, Guild, Member, Role, User};

/// Who a member is when none has that id. Source: Discord, JSON Error Codes.
const UNKNOWN_MEMBER: u64 = 10_007;
const UNKNOWN_USER: u64 = 10_013;

impl Rest {
    /// The bot itself. Source: Discord, Get Current User.
    pub async fn me(&self) -> Result<User, ChatError> {
        let me: User = self.ask(Ask::new(Bot, "GET /users/@me", 0, &[])).await.map_err(Failure::anywhere)?;
        Ok(me)
    }

    /// The bot's application. Source: Discord, Get Current Application.
    pub async fn application(&self) -> Result<Application, ChatError> {
        self.ask(Ask::new(Bot, "GET /applications/@me", 0, &[])).await.map_err(Failure::anywhere)
    }

    /// Where the gateway is. Source: Discord, Get Gateway.
    pub async fn gateway_url(&self) -> Result<String, ChatError> {
        #[derive(Deserialize)]
        struct Answer {
            url: String,
        }
        let answer: Answer =
            self.ask(Ask::new(Bot, "GET /gateway", 0, &[])).await.map_err(Failure::anywhere)?;
        Ok(answer.url)
    }

    /// A server that the bot is in. Source: Discord, Get Guild.
    pub async fn guild(&self, guild: GuildId) -> Result<Guild, ChatError> {
        let ask = Ask::new(Bot, "GET /guilds/{}", guild.0, &[&guild.to_string()]);
        self.ask(ask).await.map_err(Failure::anywhere)
    }

    /// All roles of a server. Source: Discord, Get Guild Roles.
    pub async fn roles(&self, guild: GuildId) -> Result<Vec<Role>, ChatError> {
        let ask = Ask::new(Bot, "GET /guilds/{}/roles", guild.0, &[&guild.to_string()]);
        self.ask(ask).await.map_err(Failure::anywhere)
    }

    /// How many members hold each role; the role of everyone is not among them. Source: Discord, Get Guild Role
    /// Member Counts; it needs no privileged intent.
    pub async fn role_member_counts(&self, guild: GuildId) -> Result<HashMap<RoleId, u64>, ChatError> {
        let ask = Ask::new(Bot, "GET /guilds/{}/roles/member-counts", guild.0, &[&guild.to_string()]);
        let counts: HashMap<String, u64> = self.ask(ask).await.map_err(Failure::anywhere)?;
        Ok(counts.into_iter().filter_map(|(role, count)| Some((role.parse().ok()?, count))).collect())
    }

    /// A member with the roles held now; `None` for somebody who is not in the server. Source: Discord, Get Guild
    /// Member; it needs no privileged intent.
    pub async fn member(&self, guild: GuildId, member: MemberId) -> Result<Option<Member>, ChatError> {
        let values = [&*guild.to_string(), &member.to_string()];
        match self.ask(Ask::new(Bot, "GET /guilds/{}/members/{}", guild.0, &values)).await {
            Ok(member) => Ok(Some(member)),
            Err(Failure::Refused { code: UNKNOWN_MEMBER | UNKNOWN_USER, .. }) => Ok(None),
            Err(failure) => Err(failure.anywhere()),
        }
    }

    /// A channel or thread. Source: Discord, Get Channel.
    pub async fn channel(&self, channel: ChannelId) -> Result<Channel, ChatError> {
        let ask = Ask::new(Bot, "GET /channels/{}", channel.0, &[&channel.to_string()]);
        self.ask(ask).await.map_err(|failure| failure.at(channel, "VIEW_CHANNEL"))
    }

    /// The permissions that the bot needs in a channel and lacks there, by Discord's names. Four requests.
    pub async fn missing_permissions(&self, channel: ChannelId) -> Result<Vec<&'static str>, ChatError> {
        let channel = self.channel(channel).await?;
        let Some(guild_id) = channel.guild_id else {
            return Err(ChatError::Rejected { said: "the channel belongs to no server".to_owned() });
        };
        let guild = self.guild(guild_id).await?;
        let roles = self.roles(guild_id).await?;
        let me = self.my_id().await?;
        let Some(me) = self.member(guild_id, me).await? else {
            return Err(ChatError::Rejected { said: "the bot is not in the channel's server".to_owned() });
        };
        Ok(permissions::missing_permissions(&guild, &roles, &me, &channel))
    }

    /// The bot's own id, asked for once.
    pub(super) async fn my_id(&self) -> Result<MemberId, ChatError> {
        self.me.get_or_try_init(|| async { Ok(self.me().await?.id) }).await.copied()
    }

    /// The commands that a server has of us. Source: Discord, Get Guild Application Commands.
    pub async fn guild_commands(&self, application: u64, guild: GuildId) -> Result<Value, ChatError> {
        let values = [&*application.to_string(), &guild.to_string()];
        let ask = Ask::new(Bot, "GET /applications/{}/guilds/{}/commands", guild.0, &values);
        self.ask(ask).await.map_err(Failure::anywhere)
    }

    /// Replaces all of them. Source: Discord, Bulk Overwrite Guild Application Commands.
    pub async fn put_guild_commands(
        &self,
        application: u64,
        guild: GuildId,
        commands: &Value,
    ) -> Result<(), ChatError> {
        let values = [&*application.to_string(), &guild.to_string()];
        let ask = Ask::new(Bot, "PUT /applications/{}/guilds/{}/commands", guild.0, &values).json(commands);
        self.send(ask).await.map_err(Failure::anywhere)?;
        Ok(())
    }
}
