//! What became of one person of a request, and of how many.

use jiff::Timestamp;

use crate::incident::Proof;

/// What became of one person of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Not begun.
    Waiting,
    /// About to be pushed: noted before it is asked for.
    Pushing {
        /// When, by our clock.
        since: Timestamp,
    },
    /// Okta took the push, or the new assignment; proof is waited for.
    Pushed {
        /// When it was sent, by our clock.
        at: Timestamp,
    },
    /// It may have been pushed and may not, or a restart came in between; proof is waited for.
    Unclear {
        /// When it was sent, if it was; by our clock.
        at: Timestamp,
    },
    /// About to be unassigned: noted before it is asked for.
    Unassigning {
        /// When, by our clock.
        since: Timestamp,
    },
    /// Unassigned, and not assigned again yet.
    Unassigned {
        /// When, by our clock.
        at: Timestamp,
    },
    /// About to be assigned again: noted before it is asked for.
    Assigning {
        /// When, by our clock.
        since: Timestamp,
    },
    /// Proven.
    Proven(Proof),
    /// It failed again, or Okta refused.
    Failed {
        /// Why. May quote Okta: from outside.
        why: String,
    },
    /// Not begun, since too many before it failed.
    Skipped,
}

impl Outcome {
    /// Whether it may become `next`: what is written for a person is begun once, and what has ended stays.
    pub(super) fn leads_to(&self, next: &Self) -> bool {
        use Outcome as O;
        match (self, next) {
            (O::Proven(_) | O::Failed { .. } | O::Skipped, _) => false,
            (_, O::Pushing { .. } | O::Unassigning { .. }) => *self == O::Waiting,
            (_, O::Waiting) => matches!(self, O::Waiting | O::Pushing { .. } | O::Unassigning { .. }),
            (_, O::Unassigned { .. }) => matches!(self, O::Unassigning { .. } | O::Assigning { .. }),
            (_, O::Assigning { .. }) => matches!(self, O::Unassigned { .. }),
            (_, O::Unclear { .. }) => matches!(self, O::Pushing { .. } | O::Pushed { .. }),
            (O::Unclear { .. }, O::Pushed { .. }) => false,
            (_, O::Pushed { .. } | O::Proven(_) | O::Failed { .. } | O::Skipped) => true,
        }
    }

    /// Whether the person has no assignment now, or may have none, and is to get it back.
    pub fn is_half_done(&self) -> bool {
        matches!(self, Self::Unassigning { .. } | Self::Unassigned { .. } | Self::Assigning { .. })
    }

    /// The word in the audit.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Pushing { .. } => "pushing",
            Self::Pushed { .. } => "pushed",
            Self::Unclear { .. } => "unclear",
            Self::Unassigning { .. } => "unassigning",
            Self::Unassigned { .. } => "unassigned",
            Self::Assigning { .. } => "assigning",
            Self::Proven(_) => "proven",
            Self::Failed { .. } => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// How many people of a request came to which end. Their sum is always the number of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Proven.
    pub proven: usize,
    /// Failed again or refused.
    pub failed: usize,
    /// Not begun, or left out since too many failed.
    pub not_begun: usize,
    /// Asked for; proof is waited for.
    pub waited_for: usize,
    /// Perhaps asked for; proof is waited for.
    pub unclear: usize,
}

impl Sums {
    /// How many have not come to an end yet, of those that were begun.
    pub fn under_way(&self) -> usize {
        self.waited_for + self.unclear
    }
}
