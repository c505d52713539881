//! What comes back to somebody who did something.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::{
    Discord,
    interaction::Interaction,
    modals::{self, Modal},
    state::State,
    view::{self, Choice, MessageView},
};

/// The answer to one interaction, as it comes.
#[derive(Debug, Clone)]
pub struct Answer {
    pub(super) discord: Discord,
    pub(super) interaction: u64,
}

/// What the person has before their eyes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "shown", content = "what")]
pub enum Shown {
    /// Nothing yet, and the time for a first answer is not over.
    Waiting,
    /// "The application did not respond."
    NoResponse,
    /// "Provost is thinking …", and no more than that yet.
    Thinking {
        /// Whether only the person will see the answer.
        ephemeral: bool,
    },
    /// The click was taken, and nothing else has changed yet.
    Taken,
    /// A message, new or changed.
    Message(Box<MessageView>),
    /// A dialog.
    Modal(Modal),
    /// Choices below the option.
    Choices(Vec<Choice>),
}

impl Shown {
    /// The message, if it is one.
    pub fn message(self) -> Option<MessageView> {
        match self {
            Self::Message(message) => Some(*message),
            Self::Waiting
            | Self::NoResponse
            | Self::Thinking { .. }
            | Self::Taken
            | Self::Modal(_)
            | Self::Choices(_) => None,
        }
    }

    /// The dialog, if it is one.
    pub fn modal(self) -> Option<Modal> {
        match self {
            Self::Modal(modal) => Some(modal),
            Self::Waiting
            | Self::NoResponse
            | Self::Thinking { .. }
            | Self::Taken
            | Self::Message(_)
            | Self::Choices(_) => None,
        }
    }

    /// The choices; empty if it is anything else.
    pub fn choices(self) -> Vec<Choice> {
        match self {
            Self::Choices(choices) => choices,
            Self::Waiting
            | Self::NoResponse
            | Self::Thinking { .. }
            | Self::Taken
            | Self::Message(_)
            | Self::Modal(_) => Vec::new(),
        }
    }
}

impl Discord {
    /// The answer to an interaction that somebody began earlier.
    pub fn answer(&self, interaction: u64) -> Answer {
        Answer { discord: self.clone(), interaction }
    }
}

impl Answer {
    /// The interaction's id.
    pub fn id(&self) -> u64 {
        self.interaction
    }

    /// How long the first answer took, in real time; `None` while there is none.
    pub fn acknowledged_after(&self) -> Option<Duration> {
        self.look(|it, _| it.acknowledged)
    }

    /// Waits until the bot gave its first answer, of whatever kind, or the three seconds are over.
    pub async fn wait_for_acknowledgement(&self, timeout: Duration) -> Option<Duration> {
        let id = self.interaction;
        let told = |state: &State| {
            let it = state.interactions.get(&id)?;
            let over = it.acknowledged.is_none() && it.is_late(state.now());
            (over || it.acknowledged.is_some()).then_some(it.acknowledged)
        };
        self.discord.until(timeout, told).await.flatten()
    }

    /// Waits until there is something to see beyond "thinking", and says what. After `timeout` it says what is
    /// seen by then.
    pub async fn wait_for_answer(&self, timeout: Duration) -> Shown {
        let id = self.interaction;
        let settled = |state: &State| {
            let it = state.interactions.get(&id)?;
            let shown = shown(state, it);
            let more = matches!(shown, Shown::Waiting | Shown::Thinking { .. } | Shown::Taken);
            (!more).then_some(shown)
        };
        let shown = match self.discord.until(timeout, settled).await {
            Some(shown) => shown,
            None => self.now(),
        };
        if shown == Shown::NoResponse {
            self.discord.with(|state| give_up(state, id));
        }
        shown
    }

    /// What is seen at this moment.
    pub fn now(&self) -> Shown {
        self.look(|it, state| Some(shown(state, it))).unwrap_or(Shown::NoResponse)
    }

    /// The message that answers it, as it stands now.
    pub fn current(&self) -> Option<MessageView> {
        self.look(|it, state| {
            let id = it.latest.or(it.original)?;
            state.messages.get(&id).filter(|it| !it.deleted).map(|it| view::of(state, it))
        })
    }

    /// Every message that answers it, oldest first, the original and the follow-ups.
    pub fn messages(&self) -> Vec<MessageView> {
        let id = self.interaction;
        self.discord.read(|state| {
            let mine = state.messages.values().filter(|it| it.interaction == Some(id) && !it.deleted);
            mine.map(|it| view::of(state, it)).collect()
        })
    }

    /// The event the bot was sent.
    pub fn event(&self) -> Value {
        self.look(|it, _| Some(it.event.clone())).unwrap_or(Value::Null)
    }

    fn look<T>(&self, look: impl FnOnce(&Interaction, &State) -> Option<T>) -> Option<T> {
        self.discord.read(|state| look(state.interactions.get(&self.interaction)?, state))
    }
}

/// Tells the person, once, that the time for a first answer is over.
fn give_up(state: &mut State, id: u64) {
    let now = state.now();
    let Some(it) = state.interactions.get_mut(&id).filter(|it| it.is_late(now) && !it.given_up) else {
        return;
    };
    it.given_up = true;
    let (channel, person) = (it.channel, it.person);
    let line =
        format!("{} did not respond. (only {} sees this)", state.name_of(state.bot), state.name_of(person));
    state.scene.say(channel, Some(person), vec![line]);
}

fn shown(state: &State, it: &Interaction) -> Shown {
    if it.acknowledged.is_none() {
        return if it.is_late(state.now()) { Shown::NoResponse } else { Shown::Waiting };
    }
    if let Some(modal) = &it.modal {
        return Shown::Modal(modals::view(it.id, modal));
    }
    if let Some(choices) = &it.choices {
        let choice = |json: &Value| Choice {
            label: json["name"].as_str().unwrap_or_default().to_owned(),
            value: json["value"].clone(),
            description: String::new(),
            default: false,
        };
        return Shown::Choices(choices.iter().map(choice).collect());
    }
    match it.latest.and_then(|id| state.messages.get(&id)) {
        Some(message) => Shown::Message(Box::new(view::of(state, message))),
        None if it.thinking => {
            let original = it.original.and_then(|id| state.messages.get(&id));
            Shown::Thinking { ephemeral: original.is_some_and(|message| message.only_for.is_some()) }
        }
        None => Shown::Taken,
    }
}
