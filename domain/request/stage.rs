//! Where a request stands.

use jiff::Timestamp;

use crate::event::Actor;
use crate::ids::MemberId;

/// Where a request stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Shown to the requester, who has not confirmed it yet.
    Draft,
    /// Confirmed; waits for approvals.
    Pending,
    /// May be done; waits for the executor.
    Approved,
    /// Being done: what is written to Okta from here on may have been written.
    Executing {
        /// Since when, by our clock.
        since: Timestamp,
    },
    /// Done, or for a person to do; waits for proof.
    Verifying {
        /// Since when, by our clock.
        since: Timestamp,
    },
    /// Proven.
    Succeeded {
        /// When.
        at: Timestamp,
        /// Who did it, where Okta's log says so. From outside.
        by: Option<Actor>,
    },
    /// It did not help, or Okta refused.
    Failed {
        /// When.
        at: Timestamp,
        /// Why. May quote Okta: from outside.
        why: String,
    },
    /// Proven for some people, not for all.
    Partly {
        /// When.
        at: Timestamp,
        /// What is left. May quote Okta: from outside.
        why: String,
    },
    /// An approver said no.
    Denied {
        /// Who.
        by: MemberId,
        /// When.
        at: Timestamp,
        /// Why, in their words. From outside.
        why: String,
    },
    /// Nobody decided in time.
    Expired {
        /// When.
        at: Timestamp,
    },
    /// The requester took it back.
    Cancelled {
        /// Who.
        by: MemberId,
        /// When.
        at: Timestamp,
    },
    /// What it is about has changed, or somebody did it before it was approved.
    Superseded {
        /// When.
        at: Timestamp,
        /// What changed. May quote Okta: from outside.
        why: String,
    },
    /// It is not known whether it was done. A person has to look, unless it comes to be known by itself.
    Unclear {
        /// When.
        at: Timestamp,
        /// What is known. May quote Okta: from outside.
        why: String,
    },
}

impl Stage {
    /// Whether nothing more is done for it. Of one that is unclear, it may still come to be known how it ended.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Draft
            | Self::Pending
            | Self::Approved
            | Self::Executing { .. }
            | Self::Verifying { .. } => false,
            Self::Succeeded { .. }
            | Self::Failed { .. }
            | Self::Partly { .. }
            | Self::Denied { .. }
            | Self::Expired { .. }
            | Self::Cancelled { .. }
            | Self::Superseded { .. }
            | Self::Unclear { .. } => true,
        }
    }

    /// The word in the audit and in messages.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Executing { .. } => "executing",
            Self::Verifying { .. } => "verifying",
            Self::Succeeded { .. } => "succeeded",
            Self::Failed { .. } => "failed",
            Self::Partly { .. } => "partly",
            Self::Denied { .. } => "denied",
            Self::Expired { .. } => "expired",
            Self::Cancelled { .. } => "cancelled",
            Self::Superseded { .. } => "superseded",
            Self::Unclear { .. } => "unclear",
        }
    }
}
