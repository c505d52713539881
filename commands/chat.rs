//! Our words for a chat: what comes in (a [`Call`]) and what goes out (a [`Message`]). No platform is named here;
//! `src/discord` translates.
//!
//! **Invariant:** every string in a [`Message`] is already safe to show: whatever came from outside went through
//! [`crate::text`].

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use domain::ids::{ChannelId, MemberId, MessageId, RoleId};
use jiff::Timestamp;

/// How an interaction is answered first, inside Discord's three seconds, before anything else runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// “Thinking…”, seen by the caller alone; the answer replaces it.
    Private,
    /// The message that holds the button will be changed.
    Update,
    /// A dialog opens; what is typed in it comes as a call of its own.
    Dialog,
}

/// A dialog: a form that opens over the chat. A dialog cannot answer a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialog {
    /// What submitting it does: the verb and its arguments; the inputs follow as options, by their names.
    pub submit: CustomId,
    /// At most 45.
    pub title: String,
    /// 1 to 5.
    pub inputs: Vec<Input>,
}

/// One text in a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The option's name that it comes back as.
    pub name: String,
    /// Shown above it; at most 45.
    pub label: String,
    /// Shown while it is empty; at most 100.
    pub placeholder: String,
    /// What stands in it at first.
    pub value: String,
    /// The least and the most that Discord lets people submit; 1 to 4,000.
    pub length: (u16, u16),
    /// Whether it has several lines.
    pub long: bool,
}

/// A message to a channel or an answer to a person.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Message {
    /// The line a phone shows. At most 2,000 UTF-16 units.
    pub content: String,
    /// The card below it.
    pub card: Option<Card>,
    /// Buttons and selects, at most five rows.
    pub rows: Vec<Row>,
    /// Files, at most ten.
    pub files: Vec<File>,
    /// Who is pinged; nobody else can be, whatever the text holds.
    pub pings: Vec<Ping>,
}

impl Message {
    /// A plain text.
    pub fn text(content: impl Into<String>) -> Self {
        Self { content: content.into(), ..Self::default() }
    }
}

/// Somebody who is pinged. The content must also name them, which [`fmt::Display`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ping {
    /// Everybody with this role.
    Role(RoleId),
    /// One member.
    Member(MemberId),
}

impl fmt::Display for Ping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(id) => write!(f, "<@&{id}>"),
            Self::Member(id) => write!(f, "<@{id}>"),
        }
    }
}

/// A card: Discord shows it as an embed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Card {
    /// The colour of its edge. It never carries meaning alone: a state is a word and a sign first.
    pub tone: Tone,
    /// At most 256 UTF-16 units.
    pub title: String,
    /// At most 4,096.
    pub body: String,
    /// At most 25.
    pub fields: Vec<Field>,
    /// At most 2,048.
    pub footer: String,
}

/// One named part of a card.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// At most 256 UTF-16 units, never empty.
    pub name: String,
    /// At most 1,024, never empty.
    pub value: String,
}

/// The colour of a card's edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Grey: for information.
    #[default]
    Quiet,
    /// Red: somebody must act.
    Alarm,
    /// Amber: under way or waiting.
    Waiting,
    /// Green: proven.
    Good,
}

/// A row under a message: up to five buttons, or one select.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// Buttons, at most five.
    Buttons(Vec<Button>),
    /// A list to choose from.
    Select(Select),
}

/// A button.
#[derive(Debug, Clone, PartialEq)]
pub struct Button {
    /// Verb and object, with an ellipsis where a dialog follows; at most 80.
    pub label: String,
    /// How it looks.
    pub style: ButtonStyle,
    /// What pressing it does.
    pub press: Press,
}

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ButtonStyle {
    /// The next step.
    Primary,
    /// Any other step.
    Secondary,
    /// A destructive step.
    Danger,
}

/// What pressing a button does.
#[derive(Debug, Clone, PartialEq)]
pub enum Press {
    /// Types the command for the presser.
    Verb(CustomId),
    /// Opens a page.
    Link(String),
}

/// A list to choose from.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// How many may be chosen at once, from the least to the most; 0 to 25. What is chosen comes back as values of
    /// one option, in several entries.
    pub choose_from: (u8, u8),
    /// What choosing does.
    pub choose: CustomId,
    /// Shown while nothing is chosen; at most 150.
    pub placeholder: String,
    /// 1 to 25.
    pub choices: Vec<Choice>,
}

/// One line of a select or of autocomplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is shown; at most 100.
    pub label: String,
    /// What comes back; at most 100, never trusted.
    pub value: String,
    /// In a select: whether it is chosen already.
    pub chosen: bool,
}

/// A file, held in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name with its ending.
    pub name: String,
    /// Its bytes; at most 10 MiB.
    pub bytes: Vec<u8>,
}

/// What a button or select carries: `v1:verb[:argument…]`, at most 100 characters. It outlives restarts and
/// upgrades, so it holds ids only, and the ids are looked up again when it is pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomId {
    /// The verb: a subcommand's name or a step.
    pub verb: String,
    /// Its arguments; none holds a colon.
    pub args: Vec<String>,
}

impl CustomId {
    /// A verb with its arguments.
    pub fn new(verb: &str, args: impl IntoIterator<Item = String>) -> Self {
        Self { verb: verb.to_owned(), args: args.into_iter().collect() }
    }

    /// Reads one that came back. `None` for another version, another shape or an overlong one: it is not ours.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("v1:").filter(|_| text.len() <= 100)?;
        let mut parts = rest.split(':').map(str::to_owned);
        let verb = parts.next().filter(|verb| !verb.is_empty())?;
        Some(Self { verb, args: parts.collect() })
    }
}

impl fmt::Display for CustomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v1:{}", self.verb)?;
        self.args.iter().try_for_each(|arg| write!(f, ":{arg}"))
    }
}

/// The person who calls, as the interaction's own payload describes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    /// Who.
    pub id: MemberId,
    /// The roles they hold now.
    pub roles: Vec<RoleId>,
}

/// A command, a press or a choice that somebody made.
#[derive(Clone)]
pub struct Call {
    /// Who called.
    pub caller: Caller,
    /// The subcommand's name, or the verb of a [`CustomId`].
    pub verb: String,
    /// What was typed, by option name; from a button, by the spec's order of options. Never trusted.
    pub options: Vec<(String, String)>,
    /// The text of the message that a message command was used on. From outside.
    pub quoted: Option<String>,
    /// Shows a first answer while the rest is still being gathered; the command's return value replaces it.
    pub draft: Draft,
}

/// Shows a first answer to the caller.
pub type Draft = Arc<dyn Fn(Message) + Send + Sync>;

impl Call {
    /// What was typed for an option, if anything.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(option, _)| option == name).map(|(_, value)| value.as_str())
    }

    /// Everything that was chosen for an option: a select may give several.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.options.iter().filter(move |(option, _)| option == name).map(|(_, value)| value.as_str())
    }
}

/// A channel of the chat, written to unasked. Every call is one request and may be repeated.
#[async_trait]
pub trait Chat: Send + Sync {
    /// Posts a message once: repeated with the same nonce within a minute, it answers with the first message.
    async fn post(&self, to: ChannelId, message: &Message, nonce: &Nonce) -> Result<MessageId, ChatError>;

    /// Replaces a message of ours.
    async fn edit(&self, at: Place, message: &Message) -> Result<(), ChatError>;

    /// Opens the thread of a message of ours, or finds the one it has. A message's thread has the message's id.
    async fn thread(&self, at: Place, name: &str) -> Result<ChannelId, ChatError>;

    /// Looks in a channel's history for a message of ours, posted at `from` or later, whose card or
    /// text ends in `footer`.
    async fn find(
        &self,
        channel: ChannelId,
        from: Timestamp,
        footer: &str,
    ) -> Result<Option<MessageId>, ChatError>;
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its channel or thread.
    pub channel: ChannelId,
    /// The message.
    pub message: MessageId,
}

/// Makes a repeated post the same post: at most 25 letters and digits, derived from what is posted, so that a
/// restart derives it again. Source: Discord, Create Message, `nonce` and `enforce_nonce`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce(pub String);

/// What went wrong at the chat: a variant for each thing somebody does about it.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// The message is not there any more: a person deleted it. It is not posted again.
    #[error("the message was deleted")]
    MessageGone,
    /// The channel or thread is not there any more: a person deleted it.
    #[error("channel {0} was deleted")]
    ChannelGone(ChannelId),
    /// The bot may not see the channel or thread.
    #[error("the bot may not see channel {0}; give it VIEW_CHANNEL there")]
    NoAccess(ChannelId),
    /// Discord does not let this message be edited any more; a new one is needed.
    #[error("the message is too old to be edited that often")]
    TooOld,
    /// The bot lacks a permission in the channel.
    #[error("the bot lacks a permission in channel {channel}: {said}")]
    Forbidden {
        /// Where.
        channel: ChannelId,
        /// Discord's words.
        said: String,
    },
    /// The bot token is refused. Nothing more is sent until the program is started anew.
    #[error("Discord refuses the bot token")]
    Unauthorized,
    /// Discord finds fault with what we sent (50035 and its kin).
    #[error("Discord refused the message: {said}")]
    Rejected {
        /// Discord's words, with the path to the fault.
        said: String,
    },
    /// Discord asks us to wait longer than a request may take.
    #[error("Discord asks us to wait until {until}")]
    RateLimited {
        /// When to come back, by our clock.
        until: Timestamp,
    },
    /// Discord could not be reached, was too slow, or failed. It may or may not have been done.
    #[error("Discord cannot be reached: {why}")]
    Unreachable {
        /// What happened, without anything secret.
        why: String,
    },
}

/// The front door: what an adapter asks when somebody calls. `src/discord` knows nothing else of the commands.
#[async_trait]
pub trait Front: Send + Sync {
    /// How to answer first. Decided from memory alone: the static table and the roles in the payload.
    /// `args` are what a button carries after its verb.
    fn first(&self, caller: &Caller, verb: &str, args: &[String]) -> First;

    /// What to suggest for an option that is being typed, from memory alone; at most 25. Empty for callers who may
    /// not use the command.
    fn suggest(&self, caller: &Caller, verb: &str, option: &str, typed: &str) -> Vec<Choice>;

    /// The whole answer. Never fails: what went wrong is in the answer.
    async fn run(&self, call: Call) -> Message;

    /// Somebody was refused at the door: by [`first`](Self::first), or because what they pressed is none of ours
    /// (`verb` is `None` then). Called after they were told.
    async fn turned_away(&self, caller: &Caller, verb: Option<&str>, args: &[String]);
}

/// The first answer to a call.
#[derive(Debug, Clone, PartialEq)]
pub enum First {
    /// Go on: answer this way, then run the command. Never [`Opening::Dialog`]: that is [`First::Ask`].
    Open(Opening),
    /// Open this dialog, and run nothing; its submission is a call of its own.
    Ask(Dialog),
    /// The caller may not, or there is no such command: say this privately, and run nothing.
    Refuse(Message),
}
