//! Answers to one interaction: the first within three seconds, the others within fifteen minutes.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use commands::chat::{Choice, Message, Opening};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::ask::Ask;
use super::lanes::Via;
use super::outbound::{self, Outgoing, cut};
use super::refusal::Failure;
use super::rest::Rest;

/// Discord knows the interaction no more, or another process has answered it. Source: Discord, JSON Error Codes.
const UNKNOWN_INTERACTION: u64 = 10_062;
const ANSWERED_ALREADY: u64 = 40_060;
/// The token is over, or the message is. Source: as above.
const UNKNOWN_WEBHOOK: u64 = 10_015;
const UNKNOWN_MESSAGE: u64 = 10_008;
const INVALID_TOKEN: u64 = 50_027;
const PRIVATE: u64 = 64;

/// An interaction's token: whoever has it can answer in the bot's name for fifteen minutes. It cannot be printed.
#[derive(Clone)]
pub(super) struct Token(String);

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

impl Token {
    /// Takes the token out of a text that may hold it.
    pub fn scrub(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(&self.0, "(token)") }
    }
}

/// Where the answers to one interaction go.
#[derive(Debug, Clone)]
pub(super) struct Address {
    pub interaction: u64,
    pub application: u64,
    pub token: Token,
}

/// Why an answer was not shown.
#[derive(Debug)]
pub(super) enum Unshown {
    /// The interaction is over, or somebody else has answered it: nothing to be done, and nothing wrong.
    Over,
    /// It was not possible.
    Failed(String),
}

impl From<Failure> for Unshown {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused {
                code:
                    UNKNOWN_INTERACTION | ANSWERED_ALREADY | UNKNOWN_WEBHOOK | UNKNOWN_MESSAGE | INVALID_TOKEN,
                ..
            } => Self::Over,
            failure => Self::Failed(failure.anywhere().to_string()),
        }
    }
}

impl Rest {
    /// The first answer: “thinking…” for the caller alone, or nothing yet for the message that holds the button.
    /// Source: Discord, Receiving and Responding, “Interaction Callback Type” 5 and 6.
    pub(super) async fn open(&self, to: &Address, opening: Opening) -> Result<(), Unshown> {
        let body = match opening {
            Opening::Update => json!({ "type": 6 }),
            // A dialog is opened by `ask_in_dialog`; to think in private is right wherever nothing else is.
            Opening::Private | Opening::Dialog => json!({ "type": 5, "data": { "flags": PRIVATE } }),
        };
        self.callback(to, Outgoing { payload: body, files: Vec::new() }).await
    }

    /// A private message as the first answer. Source: as above, type 4.
    pub(super) async fn refuse(&self, to: &Address, message: &Message) -> Result<(), Unshown> {
        self.callback(to, outbound::private_answer(message)).await
    }

    /// A dialog as the first answer. Source: as above, type 9, which no submission of a dialog may be answered with.
    pub(super) async fn ask_in_dialog(&self, to: &Address, dialog: Outgoing) -> Result<(), Unshown> {
        self.callback(to, dialog).await
    }

    /// What to choose from while an option is typed. Source: as above, type 8; at most 25 of 100 characters each.
    pub(super) async fn suggest(&self, to: &Address, choices: &[Choice]) -> Result<(), Unshown> {
        let good = choices.iter().filter(|choice| {
            !choice.label.trim().is_empty() && choice.value.encode_utf16().nth(100).is_none()
        });
        let choices: Vec<Value> = good
            .take(25)
            .map(|choice| json!({ "name": cut(&choice.label, 100), "value": choice.value }))
            .collect();
        let body = json!({ "type": 8, "data": { "choices": choices } });
        self.callback(to, Outgoing { payload: body, files: Vec::new() }).await
    }

    async fn callback(&self, to: &Address, body: Outgoing) -> Result<(), Unshown> {
        let values = [&*to.interaction.to_string(), &to.token.0];
        let ask = Ask::new(Via::Callback, "POST /interactions/{}/{}/callback", 0, &values)
            .json(&body.payload)
            .files(body.files)
            .repeatable(); // a second first answer is refused (40060), which says that ours was the first
        self.send(ask).await?;
        Ok(())
    }

    /// Replaces the first answer. Source: Discord, Edit Original Interaction Response.
    pub(super) async fn replace(&self, to: &Address, message: &Message) -> Result<(), Unshown> {
        let Outgoing { payload, files } = outbound::edit(message);
        let values = [&*to.application.to_string(), &to.token.0];
        let ask =
            Ask::new(Via::Webhook, "PATCH /webhooks/{}/{}/messages/@original", lane_of(&to.token), &values)
                .json(&payload)
                .files(files);
        self.send(ask).await?;
        Ok(())
    }

    /// Says something to the caller alone, beside the first answer. Source: Discord, Create Followup Message.
    pub(super) async fn follow_up(&self, to: &Address, message: &Message) -> Result<(), Unshown> {
        let Outgoing { payload, files } = outbound::private_follow_up(message);
        let values = [&*to.application.to_string(), &to.token.0];
        let ask = Ask::new(Via::Webhook, "POST /webhooks/{}/{}", lane_of(&to.token), &values)
            .json(&payload)
            .files(files);
        self.send(ask).await?;
        Ok(())
    }
}

/// A webhook's limits belong to its token; the lane is named by a hash, so that no token is kept.
fn lane_of(token: &Token) -> u64 {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    KEY.hash_one(&token.0)
}
