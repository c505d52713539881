//! What is told in the channel beside the alerts: drift, when the watcher is blind, and when nothing can be recorded.

use jiff::Timestamp;

use crate::event::App;
use crate::ids::OrgName;
use crate::incident::SettingChange;
use crate::request::RequestNumber;

/// Something told in an org's channel once.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Its number; the message that tells it is derived from it, so that it is told once.
    pub number: i64,
    /// The org.
    pub org: OrgName,
    /// When it arose, by our clock.
    pub at: Timestamp,
    /// What is told.
    pub what: Told,
}

/// What a notice tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// Deactivate Users was turned off again on an app that was seen fixed.
    Drift {
        /// The app.
        app: App,
        /// The change.
        change: SettingChange,
    },
    /// The org's log has not been readable for a while.
    Blind {
        /// Since when, by our clock.
        since: Timestamp,
        /// Why, as far as it can be told. May quote Okta: from outside.
        why: String,
    },
    /// It is readable again, and what was missed has been caught up.
    SeesAgain {
        /// Since when it was not, by our clock.
        since: Timestamp,
        /// Until when.
        until: Timestamp,
        /// How many events were taken in when it was caught up.
        caught_up: u64,
    },
    /// The position in the log was lost and reading began again from a time.
    Restarted {
        /// From when on, by Okta's clock.
        from: Timestamp,
        /// Why. May quote Okta: from outside.
        why: String,
        /// Whether that leaves a gap: the time lies before what Okta still keeps.
        gap: bool,
    },
    /// A request cannot go on: the audit entry of its next step cannot be kept, and without it nothing is written.
    Unrecorded {
        /// The request.
        request: RequestNumber,
        /// Its app.
        app: App,
        /// Why, in our words.
        why: String,
    },
}
