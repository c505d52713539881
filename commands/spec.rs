//! What a command is, for Discord's registration, for `/okta help`, for the role check and for the first answer to
//! an interaction: each of them reads the same [`Spec`].

use crate::chat::Opening;

/// A subcommand of `/okta`, or a step that only a button can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// The subcommand's name, or the verb in a button's `custom_id`.
    pub name: &'static str,
    /// One line, an imperative, under 100 characters.
    pub about: &'static str,
    /// Who may use it; `None` means everyone in the server.
    pub role: Option<Role>,
    /// How it is answered first.
    pub opening: Opening,
    /// Its options, required ones first; a button's arguments come in this order.
    pub options: &'static [Opt],
    /// Where it can be called from.
    pub from: From,
}

/// Where a command can be called from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// As a subcommand of `/okta`, and from buttons.
    Slash,
    /// From the context menu of a message; `name` is what the menu shows.
    MessageMenu,
    /// From a button or select only.
    ButtonOnly,
}

/// One option of a subcommand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opt {
    /// Its name.
    pub name: &'static str,
    /// One line, under 100 characters.
    pub about: &'static str,
    /// What it takes.
    pub kind: OptKind,
    /// Whether it must be given.
    pub required: bool,
}

/// What an option takes. What comes back is text in every case, and is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptKind {
    /// An app, suggested while typing.
    App,
    /// A person, suggested while typing.
    Person,
    /// An incident, suggested while typing.
    Incident,
    /// A time such as `4h`, suggested while typing.
    Time,
    /// One of a few words.
    OneOf(&'static [&'static str]),
    /// A text of at least and at most so many characters.
    Text(u16, u16),
    /// `true` or `false`.
    Flag,
    /// A member of the server; comes back as their id.
    Member,
}

impl OptKind {
    /// Whether Discord asks us for suggestions while it is being typed.
    pub fn suggests(self) -> bool {
        matches!(self, Self::App | Self::Person | Self::Incident | Self::Time)
    }
}

/// What a member may do, from little to much. A member holds each role apart: an approver is no operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Asks for remediations.
    Operator,
    /// Approves them.
    Approver,
    /// Pauses, and confirms links.
    Admin,
    /// Acts first and is reviewed after.
    Breakglass,
}

impl Role {
    /// All of them, in the order of the configuration.
    pub const ALL: [Self; 5] = [Self::Viewer, Self::Operator, Self::Approver, Self::Admin, Self::Breakglass];

    /// The word in the configuration and in messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Admin => "admin",
            Self::Breakglass => "breakglass",
        }
    }
}
