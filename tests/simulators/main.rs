//! The simulators on their own: what they answer is what the official documents describe.
//!
//! Other tests hold the exchanges that the product happens to have; here every route is asked for, in good and bad
//! states, so that a simulator cannot be wrong where nobody looks.

mod discord;
#[path = "../documents/mod.rs"]
mod documents;
mod okta;

/// A client that says what Discord wants to hear of a bot.
fn http() -> anyhow::Result<reqwest::Client> {
    // Another test of this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder().user_agent("DiscordBot (https://example.com, 1)").build()?)
}
