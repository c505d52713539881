//! What a page that shows this Discord wants to hear of.

use serde::Serialize;

/// Something changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum Change {
    /// A message was posted.
    Created {
        /// Where.
        channel: u64,
        /// Which.
        message: u64,
    },
    /// A message looks different now.
    Edited {
        /// Where.
        channel: u64,
        /// Which.
        message: u64,
    },
    /// A message is gone.
    Deleted {
        /// Where.
        channel: u64,
        /// Which.
        message: u64,
    },
    /// An interaction was begun or answered.
    Interaction {
        /// Whose.
        person: u64,
        /// Which.
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
