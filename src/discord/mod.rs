//! Discord: REST by our own sender, the websocket by twilight, types and builders by serenity.
//!
//! **Invariant:** nothing outside this folder knows Discord's paths, JSON or ids of its own; `commands` is reached
//! through [`commands::chat::Front`] alone. Alerts go by [`Rest`] and never depend on the gateway.
//!
//! What may be logged: the bot token is a `SecretString` and a header marked sensitive, an interaction's token
//! lives in a type that cannot be printed, errors of the HTTP client lose their URL (which holds that token), and of
//! the gateway's errors only the name of their kind is logged, because their text is the whole event. With that,
//! nothing secret appears at any level in our own spans or in those of twilight, reqwest and hyper. The target `h2`
//! prints no header values either; it is the one to silence (`h2=off`) if that should ever change.

pub mod api;
mod ask;
pub mod gateway;
mod identify;
pub mod inbound;
mod lanes;
pub mod outbound;
mod payload;
pub mod permissions;
mod posts;
mod refusal;
pub mod registration;
mod replies;
pub mod rest;
pub mod roster;
pub mod session;
mod socket;
pub mod wire;

pub use gateway::Gateway;
pub use inbound::Inbound;
pub use rest::Rest;
pub use roster::GuildRoster;

use url::{Host, Url};

/// Whether a URL leads to this machine itself: the only place where an unencrypted connection is accepted.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
