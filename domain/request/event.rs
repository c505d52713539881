//! What may happen to a request, and why it may not.

use crate::event::Actor;
use crate::ids::{MemberId, UserId};

use super::{Gate, Outcome, Stage};

/// Something that happens to a request.
#[derive(Debug, Clone, PartialEq)]
pub enum RequestEvent {
    /// The requester chose other people for a draft.
    Chosen {
        /// Who chose.
        by: MemberId,
        /// Whom, by id, in order.
        people: Vec<UserId>,
        /// Whom it needs now: more people may need more approvals.
        gate: Gate,
    },
    /// The requester confirmed exactly this: a draft may have come to be about other people since it was shown.
    Confirmed {
        /// Who pressed.
        by: MemberId,
        /// What the button carried.
        hash: String,
    },
    /// An approver said yes, to exactly this hash.
    Approved {
        /// Who.
        by: MemberId,
        /// The person that member is linked to.
        person: Option<UserId>,
        /// What the button carried.
        hash: String,
    },
    /// An approver said no.
    Denied {
        /// Who.
        by: MemberId,
        /// Why.
        why: String,
    },
    /// The requester took it back.
    Withdrawn {
        /// Who pressed.
        by: MemberId,
    },
    /// Its time may be over.
    TimePassed,
    /// What it is about has changed.
    Changed {
        /// What.
        why: String,
    },
    /// The executor takes it: from here on it may be written.
    Begun,
    /// Okta wants us to come back later, and nothing was written: it waits as it did before.
    PutOff {
        /// Okta's words.
        why: String,
    },
    /// Okta took the change, or the person has been told what to do.
    Done,
    /// Something became of one person.
    Person {
        /// Of whom.
        person: UserId,
        /// What.
        outcome: Outcome,
    },
    /// It did not work, and that is certain.
    Refused {
        /// Why.
        why: String,
    },
    /// It is not known whether it was done.
    Lost {
        /// What is known.
        why: String,
    },
    /// Okta's records show that it worked.
    Proven {
        /// Who did it, where that was a person in the console.
        by: Option<Actor>,
    },
}

impl RequestEvent {
    /// Whether something is written to Okta next, where the request is done by the API.
    pub fn comes_before_a_write(&self) -> bool {
        match self {
            Self::Begun => true,
            Self::Person { outcome, .. } => matches!(
                outcome,
                Outcome::Pushing { .. } | Outcome::Unassigning { .. } | Outcome::Assigning { .. }
            ),
            _ => false,
        }
    }
}

/// Why something cannot happen to a request now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// All writes are stopped.
    Paused,
    /// It is decided already: this is how it stands.
    NotNow(Stage),
    /// Only the requester may.
    NotYours,
    /// The requester may not approve it.
    OwnRequest,
    /// The same member, or the same person by another member, has approved it.
    Twice,
    /// Its time is over.
    Late,
    /// The button carries another hash, or what it is about was edited in the database.
    OtherHash,
}
