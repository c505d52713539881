//! What a page that shows this Discord wants to hear of.

use serde::Serialize;

use super::ids;

/// Something changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum Change {
    /// A message was posted.
    Created {
        /// Where.
        #[serde(serialize_with = "ids::one")]
        channel: u64,
        /// Which.
        #[serde(serialize_with = "ids::one")]
        message: u64,
    },
    /// A message looks different now.
    Edited {
        /// Where.
        #[serde(serialize_with = "ids::one")]
        channel: u64,
        /// Which.
        #[serde(serialize_with = "ids::one")]
        message: u64,
    },
    /// A message is gone.
    Deleted {
        /// Where.
        #[serde(serialize_with = "ids::one")]
        channel: u64,
        /// Which.
        #[serde(serialize_with = "ids::one")]
        message: u64,
    },
    /// An interaction was begun or answered.
    Interaction {
        /// Whose.
        #[serde(serialize_with = "ids::one")]
        person: u64,
        /// Which.
        #[serde(serialize_with = "ids::one")]
        interaction: u64,
    },
    /// The bot came or went.
    Bot {
        /// Whether a gateway session of it is up.
        online: bool,
    },
    /// The server itself: channels, roles, members, commands.
    World,
}
