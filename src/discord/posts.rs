//! What is written to channels unasked: the port [`Chat`] over [`Rest`]. It needs no gateway.

use async_trait::async_trait;
use commands::chat::{Chat, ChatError, Message, Nonce, Place};
use domain::ids::{ChannelId, MessageId};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tracing::warn;

use super::ask::Ask;
use super::lanes::Via::Bot;
use super::outbound::{self, Outgoing};
use super::refusal::Failure;
use super::rest::Rest;
use super::wire::Posted;

/// A message has a thread already. Source: Discord, JSON Error Codes.
const HAS_A_THREAD: u64 = 160_004;
/// A week: the longest that Discord keeps a silent thread open.
const ARCHIVE_AFTER_MINUTES: u32 = 10_080;
/// How many messages are looked through, in pages of a hundred.
const PAGES: usize = 5;
const PAGE: usize = 100;
/// The clocks of two machines differ; so much earlier the search begins.
const SKEW: SignedDuration = SignedDuration::from_secs(5);
/// The first millisecond that a Discord id can stand for. Source: Discord, API Reference, “Snowflakes”.
const DISCORD_EPOCH_MS: i64 = 1_420_070_400_000;

#[async_trait]
impl Chat for Rest {
    /// Source: Discord, Create Message.
    async fn post(&self, to: ChannelId, message: &Message, nonce: &Nonce) -> Result<MessageId, ChatError> {
        let Outgoing { payload, files } = outbound::post(message, nonce);
        let ask = Ask::new(Bot, "POST /channels/{}/messages", to.0, &[&to.to_string()])
            .json(&payload)
            .files(files)
            .repeatable(); // by its nonce
        let posted: Posted = self.ask(ask).await.map_err(|failure| failure.at(to, "SEND_MESSAGES"))?;
        Ok(MessageId(posted.id.0))
    }

    /// Source: Discord, Edit Message.
    async fn edit(&self, at: Place, message: &Message) -> Result<(), ChatError> {
        let Outgoing { payload, files } = outbound::edit(message);
        let values = [&*at.channel.to_string(), &at.message.to_string()];
        let ask = Ask::new(Bot, "PATCH /channels/{}/messages/{}", at.channel.0, &values)
            .json(&payload)
            .files(files);
        self.send(ask).await.map_err(|failure| failure.at(at.channel, "SEND_MESSAGES"))?;
        Ok(())
    }

    /// Source: Discord, Start Thread from Message.
    async fn thread(&self, at: Place, name: &str) -> Result<ChannelId, ChatError> {
        let name = match outbound::cut(name, 100) {
            name if name.is_empty() => "Incident".to_owned(),
            name => name,
        };
        let values = [&*at.channel.to_string(), &at.message.to_string()];
        let ask = Ask::new(Bot, "POST /channels/{}/messages/{}/threads", at.channel.0, &values)
            .json(&json!({ "name": name, "auto_archive_duration": ARCHIVE_AFTER_MINUTES }))
            .repeatable(); // a message has one thread at most
        match self.send(ask).await {
            Ok(_) | Err(Failure::Refused { code: HAS_A_THREAD, .. }) => Ok(ChannelId(at.message.0)),
            Err(failure) => Err(failure.at(at.channel, "CREATE_PUBLIC_THREADS")),
        }
    }

    /// Source: Discord, Get Channel Messages: without READ_MESSAGE_HISTORY the list is empty, not refused. So an
    /// empty list is believed only where the bot may read the history; elsewhere the answer is `Forbidden`.
    async fn find(
        &self,
        channel: ChannelId,
        from: Timestamp,
        footer: &str,
    ) -> Result<Option<MessageId>, ChatError> {
        let me = self.my_id().await?;
        let footer = outbound::footer(footer);
        let mut after = snowflake(from - SKEW);
        for page in 0..PAGES {
            let ask = Ask::new(Bot, "GET /channels/{}/messages", channel.0, &[&channel.to_string()])
                .query("after", after)
                .query("limit", PAGE);
            let messages: Vec<Posted> =
                self.ask(ask).await.map_err(|failure| failure.at(channel, "READ_MESSAGE_HISTORY"))?;
            if page == 0 && messages.is_empty() {
                return self.readable(channel).await.map(|()| None);
            }
            let ours = messages.iter().find(|message| {
                message.author.as_ref().is_some_and(|author| author.id == me) && message.ends_in(&footer)
            });
            if let Some(ours) = ours {
                return Ok(Some(MessageId(ours.id.0)));
            }
            if messages.len() < PAGE {
                break;
            }
            after = messages.iter().map(|message| message.id.0).max().unwrap_or(after);
        }
        Ok(None)
    }
}

impl Rest {
    async fn readable(&self, channel: ChannelId) -> Result<(), ChatError> {
        match self.missing_permissions(channel).await {
            Ok(missing) if missing.contains(&"READ_MESSAGE_HISTORY") => Err(ChatError::Forbidden {
                channel,
                said: "the history cannot be read (it needs READ_MESSAGE_HISTORY)".to_owned(),
            }),
            Ok(_) => Ok(()),
            Err(error @ (ChatError::Unreachable { .. } | ChatError::RateLimited { .. })) => Err(error),
            Err(error) => {
                warn!(%error, "Cannot tell whether the history of channel {channel} can be read");
                Err(ChatError::Forbidden { channel, said: "the history may be unreadable".to_owned() })
            }
        }
    }
}

/// The smallest id that Discord can have given at a time.
fn snowflake(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond() - DISCORD_EPOCH_MS).map_or(0, |ms| ms << 22)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_becomes_the_smallest_id_of_it() {
        let at: Timestamp = "2016-04-30T11:18:25.796Z".parse().unwrap();
        assert_eq!(snowflake(at), 175_928_847_298_985_984); // 175928847299117063 in Discord's own example
        assert_eq!(snowflake(Timestamp::UNIX_EPOCH), 0);
    }
}
