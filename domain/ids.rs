//! Identifiers, parsed once where they come in; inside, an identifier is always good.

use std::fmt;
use std::str::FromStr;

/// What an identifier should have looked like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{given}” is not {expected}")]
pub struct NotAnId {
    /// The text as it came, cut to 64 characters.
    pub given: String,
    /// What would have been right, for example “an Okta app id such as 0oa1b2c3d4E5F6g7h8i9”.
    pub expected: &'static str,
}

fn refuse<T>(given: &str, expected: &'static str) -> Result<T, NotAnId> {
    Err(NotAnId { given: given.chars().take(64).collect(), expected })
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $max:literal, $expected:literal) => {
        $(#[$doc])*
        ///
        /// Holds letters, digits, `-` and `_` only, so it is safe in a path, a filter and a `custom_id`.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The last four characters: enough to tell two apps with one label apart.
            pub fn tail(&self) -> &str {
                &self.0[self.0.len().saturating_sub(4)..]
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                if text.is_empty() || text.len() > $max || !text.chars().all(good) {
                    return refuse(text, $expected);
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// The short name of an Okta org in the configuration, for example `acme`.
    OrgName, 32, "an org's short name: letters, digits, - and _, at most 32"
);
text_id!(
    /// An app in an Okta org (`0oa…`).
    AppId, 64, "an Okta app id such as 0oa1b2c3d4E5F6g7h8i9"
);
text_id!(
    /// A person in an Okta org (`00u…`); an app-user id (`0ua…`) where an event names nobody else.
    UserId, 64, "an Okta user id such as 00u1b2c3d4E5F6g7h8i9"
);
text_id!(
    /// A group in an Okta org (`00g…`).
    GroupId, 64, "an Okta group id such as 00g1b2c3d4E5F6g7h8i9"
);
text_id!(
    /// A System Log entry's `uuid`.
    EventId, 64, "an event's uuid"
);

macro_rules! snowflake {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                match text.parse() {
                    Ok(id) if id > 0 => Ok(Self(id)),
                    _ => refuse(text, "a Discord id: 17 to 20 digits, from “Copy ID” in Discord"),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

snowflake!(
    /// A Discord user in our server.
    MemberId
);
snowflake!(
    /// A Discord role.
    RoleId
);
snowflake!(
    /// A Discord server.
    GuildId
);
snowflake!(
    /// A Discord channel or thread.
    ChannelId
);
snowflake!(
    /// A Discord message.
    MessageId
);

/// An incident's short number, shown as `#214`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentNumber(pub i64);

impl FromStr for IncidentNumber {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        match text.strip_prefix('#').unwrap_or(text).parse() {
            Ok(number) if number > 0 => Ok(Self(number)),
            _ => refuse(text, "an incident's number such as 214"),
        }
    }
}

impl fmt::Display for IncidentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}
