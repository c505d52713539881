//! The contract with Discord: requests, interactions and the gateway against a small Discord on loopback.

#![expect(
    clippy::unwrap_used,
    reason = "the fake and the bot serve tests alone; a failure in them is a failed test"
)]

mod bot;
mod fake;
mod gateway;
mod interactions;
mod requests;
mod secrets;
