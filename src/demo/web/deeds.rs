//! What somebody does on the page.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sim::discord::{Answer, Shown};

use super::Site;
use crate::demo::stage::{Deed, Stage};

/// Longer than Discord gives a bot for its first answer.
const PATIENCE: Duration = Duration::from_millis(3500);

/// Somebody does something in the chat.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InChat {
    /// Who, by member id.
    who: String,
    /// In which channel or thread.
    channel: Id,
    what: Act,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Act {
    /// Types a whole command.
    Type { line: String },
    /// Types in an option, and looks at what is offered.
    Complete { line: String, option: String, text: String },
    /// Clicks a button.
    Click { message: Id, control: String },
    /// Chooses in a menu.
    Choose { message: Id, control: String, values: Vec<String> },
    /// Uses a command of a message's menu.
    Menu { message: Id, command: String },
    /// Submits the dialog that this interaction opened.
    Submit { dialog: Id, answers: BTreeMap<String, String> },
    /// Writes an ordinary message.
    Say { text: String },
}

/// An id, which is text on the wire: a number in JavaScript has no 64 bits.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Id(pub(super) u64);

impl TryFrom<String> for Id {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

/// Why it was not done, for whoever tried.
pub(super) struct Refused(anyhow::Error);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let why = json!({ "error": format!("{:#}", self.0) });
        (StatusCode::UNPROCESSABLE_ENTITY, Json(why)).into_response()
    }
}

impl<E: Into<anyhow::Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// What the one who did it has before their eyes at once; everything else comes by the feed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "shown", content = "what")]
pub(super) enum AtOnce {
    /// Nothing but what the feed brings.
    Taken,
    /// “The application did not respond.”
    Silence,
    /// A dialog.
    Dialog(Value),
    /// Choices below the option.
    Choices(Value),
}

pub(super) async fn chat(
    State(site): State<Arc<Site>>,
    Json(InChat { who, channel, what }): Json<InChat>,
) -> Result<Json<AtOnce>, Refused> {
    let stage = &site.stage;
    let who = stage.part(&who).context("nobody on this page is that")?;
    let shown = match act(stage, who, channel.0, what).await? {
        Some(answer) => at_once(&answer).await?,
        None => AtOnce::Taken,
    };
    Ok(Json(shown))
}

async fn act(stage: &Stage, who: u64, channel: u64, what: Act) -> anyhow::Result<Option<Answer>> {
    ensure!(!stage.discord_is_down(), "Discord is down; nothing can be sent");
    let sees = stage.discord.places_for(who).iter().any(|place| place.id == channel);
    ensure!(sees, "there is no such channel");
    let person = stage.discord.person(who).in_channel(channel);
    Ok(Some(match what {
        Act::Type { line } => person.types(&line).await?,
        Act::Complete { line, option, text } => person.asks_for(&line, &option, &text).await?,
        Act::Click { message, control } => person.clicks(message.0, &control).await?,
        Act::Choose { message, control, values } => {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            person.chooses(message.0, &control, &values).await?
        }
        Act::Menu { message, command } => person.uses_menu(&command, message.0).await?,
        Act::Submit { dialog, answers } => {
            let modal = person.dialog(dialog.0).context("that dialog is not open")?;
            let answers: Vec<(&str, &str)> =
                answers.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            person.fills(&modal, &answers).await?
        }
        Act::Say { text } => {
            person.says(channel, &text).await?;
            return Ok(None);
        }
    }))
}

async fn at_once(answer: &Answer) -> anyhow::Result<AtOnce> {
    answer.wait_for_acknowledgement(PATIENCE).await;
    // Tells the channel's history, too, that nobody answered.
    let shown = match answer.now() {
        Shown::Waiting | Shown::NoResponse => answer.wait_for_answer(Duration::ZERO).await,
        shown => shown,
    };
    Ok(match shown {
        Shown::Waiting | Shown::NoResponse => AtOnce::Silence,
        Shown::Modal(modal) => AtOnce::Dialog(serde_json::to_value(modal)?),
        Shown::Choices(choices) => AtOnce::Choices(serde_json::to_value(choices)?),
        Shown::Thinking { .. } | Shown::Taken | Shown::Message(_) => AtOnce::Taken,
    })
}

pub(super) async fn world(
    State(site): State<Arc<Site>>,
    Json(deed): Json<Deed>,
) -> Result<Json<AtOnce>, Refused> {
    site.stage.does(deed).await?;
    Ok(Json(AtOnce::Taken))
}
