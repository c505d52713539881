//! The parts of Discord's JSON that we read, and nothing else of it.

use domain::ids::{ChannelId, GuildId, MemberId, RoleId};
use serde::{Deserialize, Deserializer};
use serenity::model::Permissions;

/// Reads an id, which travels as text.
fn id<'de, D: Deserializer<'de>, T: From<Id>>(from: D) -> Result<T, D::Error> {
    Id::deserialize(from).map(T::from)
}

fn ids<'de, D: Deserializer<'de>, T: From<Id>>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(Vec::<Id>::deserialize(from)?.into_iter().map(T::from).collect())
}

/// An id of any kind, as text or as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id(pub u64);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl serde::de::Visitor<'_> for Either {
            type Value = Id;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an id")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Id, E> {
                text.parse().map(Id).map_err(E::custom)
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Id, E> {
                Ok(Id(number))
            }
        }
        from.deserialize_any(Either)
    }
}

macro_rules! from_id {
    ($($name:ident)*) => { $(impl From<Id> for $name { fn from(id: Id) -> Self { Self(id.0) } })* };
}
// The ids belong to `domain`, which knows no JSON; what is foreign here is only this trait of ours.
from_id!(MemberId RoleId GuildId ChannelId);

/// A user, here mostly the bot itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    /// Who.
    #[serde(deserialize_with = "id")]
    pub id: MemberId,
    /// The name without a display name.
    #[serde(default)]
    pub username: String,
    /// Whether a program is behind it.
    #[serde(default)]
    pub bot: bool,
}

/// The application that the bot belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Application {
    #[serde(rename = "id")]
    raw_id: RawId,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Set where Discord sends interactions over HTTP, and so none by the gateway.
    #[serde(default)]
    pub interactions_endpoint_url: Option<String>,
}

impl Application {
    /// Its id.
    pub fn id(&self) -> u64 {
        self.raw_id.0.0
    }
}

/// An id whose kind `domain` does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
struct RawId(Id);

/// A server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Guild {
    /// Which.
    #[serde(deserialize_with = "id")]
    pub id: GuildId,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Who owns it, and so may do everything.
    #[serde(deserialize_with = "id")]
    pub owner_id: MemberId,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Role {
    /// Which; the role of everyone has the server's id.
    #[serde(deserialize_with = "id")]
    pub id: RoleId,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// What it allows.
    pub permissions: Permissions,
    /// Whether everybody may ping it.
    #[serde(default)]
    pub mentionable: bool,
}

/// A member of a server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Member {
    /// The user; always there in answers to requests.
    pub user: User,
    /// The roles held.
    #[serde(deserialize_with = "ids")]
    pub roles: Vec<RoleId>,
    /// Until when the member may do nothing, if at all.
    #[serde(default)]
    pub communication_disabled_until: Option<String>,
}

/// A channel or thread.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Channel {
    /// Which.
    #[serde(deserialize_with = "id")]
    pub id: ChannelId,
    /// Its server; none for a direct message.
    #[serde(default, deserialize_with = "maybe_id")]
    pub guild_id: Option<GuildId>,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its kind: 0 is a text channel, 5 an announcement channel.
    #[serde(rename = "type")]
    pub kind: u8,
    /// Where it differs from the server's own permissions.
    #[serde(default)]
    pub permission_overwrites: Vec<Overwrite>,
}

fn maybe_id<'de, D: Deserializer<'de>, T: From<Id>>(from: D) -> Result<Option<T>, D::Error> {
    Ok(Option::<Id>::deserialize(from)?.map(T::from))
}

/// An exception from the server's permissions in one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Overwrite {
    #[serde(rename = "id")]
    raw_id: RawId,
    /// 0 for a role, 1 for a member.
    #[serde(rename = "type")]
    pub kind: u8,
    /// What it allows.
    pub allow: Permissions,
    /// What it forbids.
    pub deny: Permissions,
}

impl Overwrite {
    /// The role or the member.
    pub fn id(&self) -> u64 {
        self.raw_id.0.0
    }
}

/// A message, as far as one of ours is recognised by it.
#[derive(Debug, Deserialize)]
pub(super) struct Posted {
    pub id: Id,
    #[serde(default)]
    pub author: Option<User>,
    #[serde(default)]
    pub content: String,
    #[serde(default)]
    pub embeds: Vec<Embed>,
}

impl Posted {
    /// Whether its card or its text ends in a footer; after a text, something may have been added.
    pub(super) fn ends_in(&self, footer: &str) -> bool {
        let last = self.content.lines().last().and_then(|line| line.strip_prefix("-# "));
        let by_text = last.and_then(|line| line.strip_prefix(footer));
        by_text.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            || self.embeds.iter().filter_map(|embed| embed.footer.as_ref()).any(|it| it.text == footer)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Embed {
    #[serde(default)]
    pub footer: Option<Footer>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Footer {
    #[serde(default)]
    pub text: String,
}
