//! What people read when something fails, and the one place that logs such failures.
//!
//! The caller's own slips are answered and not logged. Our failures are logged once, here, with their whole chain
//! and a reference, and answered with what is true now and what the caller can do next.

use domain::ids::OrgName;
use domain::ports::DirectoryError;
use domain::store::StoreError;
use tracing::{error, warn};

use crate::chat::Message;
use crate::text::{ago, escape};

/// Why a command has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The caller's slip, in words for the caller. Already safe to show.
    #[error("{0}")]
    Slip(String),
    /// As a slip, about a text that was typed: it is answered with a button that opens the dialog again.
    #[error("{0}")]
    Retype(String),
    /// Okta said no, or nothing.
    #[error("org {org}: {source}")]
    Directory {
        /// Which org.
        org: OrgName,
        /// What it said.
        source: DirectoryError,
    },
    /// Our own memory failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CommandError {
    /// A refusal that names the rule.
    #[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
    pub fn forbidden(rule: crate::policy::Forbidden) -> Self {
        Self::Slip(format!("You may not do this: {}. `/okta whoami` shows your roles.", rule.to_caller()))
    }
}

/// What the caller reads.
pub fn words(failure: &CommandError, reference: &str) -> Message {
    let text = match failure {
        CommandError::Slip(text) | CommandError::Retype(text) => text.clone(),
        CommandError::Directory { org, source } => {
            let said = directory(org, source);
            warn!(org = %org, reference, error = source as &dyn std::error::Error, "A command failed at Okta");
            format!("{said} (ref {reference})")
        }
        CommandError::Store(source) => {
            error!(reference, error = source as &dyn std::error::Error, "A command failed at the store");
            let why = match source {
                StoreError::Full => {
                    "the disk that holds Provost's database is full. Make room; nothing is lost"
                }
                StoreError::Locked => "another process holds Provost's database. Try again in a minute",
                StoreError::Unreachable(_) => "Provost's database does not answer. Try again in a minute",
                StoreError::Other(_) => "Provost's database failed. The log of the program says how",
            };
            format!("Nothing was done: {why}. (ref {reference})")
        }
    };
    Message::text(text)
}

fn directory(org: &OrgName, failure: &DirectoryError) -> String {
    match failure {
        DirectoryError::RateLimited { until } => format!(
            "Okta ({org}) is busy, and Provost keeps within its share of the rate limit. Nothing was changed. Try \
             again {}.",
            ago(*until)
        ),
        DirectoryError::Gone { what } => format!(
            "Okta ({org}) does not know {}. It may have been deleted; pick one from the list that appears while you \
             type.",
            escape(what, 120)
        ),
        DirectoryError::Unauthorized { said } => format!(
            "Okta ({org}) refuses Provost's credentials: {}. An admin has to renew them; `provost doctor` tells how.",
            escape(said, 200)
        ),
        DirectoryError::Forbidden { said, missing } => format!(
            "Okta ({org}) does not let Provost do this: {}. Missing: {}. An admin has to grant it; `provost doctor` \
             tells how.",
            escape(said, 200),
            escape(missing, 200)
        ),
        DirectoryError::Refused { code, said } => {
            format!("Okta ({org}) refused: {} {}. Nothing was changed.", escape(code, 20), escape(said, 300))
        }
        DirectoryError::CursorRefused { said } => {
            format!("Okta ({org}) refused the position in its log: {}. Try again.", escape(said, 300))
        }
        DirectoryError::Unreachable { why } => format!(
            "Okta ({org}) cannot be reached: {}. Nothing was changed. Try again in a minute; `/okta status` shows \
             since when.",
            escape(why, 300)
        ),
        DirectoryError::BadAnswer { why } => format!(
            "Okta ({org}) answered something that cannot be understood: {}. Nothing was changed. Try again in a \
             minute.",
            escape(why, 300)
        ),
    }
}
