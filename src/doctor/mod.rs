//! Tries a configuration for real, and says how to mend what does not work.
//!
//! **Invariant:** it reads only. Nothing is written to Okta or Discord, no store is made or changed, and every request
//! has a time limit. Signing in as a service app leaves entries in the org's log, as any sign-in does.

mod channels;
mod discord;
mod okta;
mod roles;
pub mod show;
mod store;

use std::fmt;
use std::sync::Arc;

use domain::ids::OrgName;
use domain::ports::Clock;
use futures_util::future::{join, join_all};

use crate::config::Config;

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// An org.
    Okta(OrgName),
    /// The Discord server.
    Discord,
    /// Where what we know is kept.
    Store,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Okta(org) => write!(f, "okta {org}"),
            Self::Discord => f.write_str("discord"),
            Self::Store => f.write_str("store"),
        }
    }
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, and is worth a second look.
    Warning,
    /// It must be mended.
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Whose it is.
    pub part: Part,
    /// What it is, in a word or two.
    pub check: String,
    /// How it is.
    pub state: State,
    /// What was found, in a sentence. May hold words from outside.
    pub said: String,
    /// What to do about it, unless it is as it should be.
    pub mend: Option<String>,
}

impl Check {
    fn ok(part: Part, check: impl Into<String>, said: impl Into<String>) -> Self {
        Self { part, check: check.into(), state: State::Ok, said: said.into(), mend: None }
    }

    fn warning(
        part: Part,
        check: impl Into<String>,
        said: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        let mend = Some(mend.into());
        Self { part, check: check.into(), state: State::Warning, said: said.into(), mend }
    }

    fn failed(
        part: Part,
        check: impl Into<String>,
        said: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { state: State::Failed, ..Self::warning(part, check, said, mend) }
    }
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report(pub Vec<Check>);

impl Report {
    /// Whether nothing has to be mended.
    pub fn is_ok(&self) -> bool {
        self.count(State::Failed) == 0
    }

    /// How many checks ended like that.
    pub fn count(&self, state: State) -> usize {
        self.0.iter().filter(|check| check.state == state).count()
    }
}

/// Tries everything in a configuration.
pub async fn examine(config: &Config, clock: Arc<dyn Clock>) -> Report {
    let orgs = join_all(config.orgs.values().map(|org| okta::examine(org, clock.clone())));
    let discord = discord::examine(config, clock.clone());
    let store = store::examine(&config.store);
    let (orgs, (discord, store)) = join(orgs, join(discord, store)).await;
    Report(orgs.into_iter().flatten().chain(discord).chain([store]).collect())
}

/// An error's words as a sentence.
fn sentence(words: &str) -> String {
    let mut signs = words.chars();
    let first = signs.next().map(char::to_uppercase).into_iter().flatten();
    let mut sentence: String = first.chain(signs).collect();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

/// `1 role`, `2 roles`.
fn counted(many: u64, one: &str, more: &str) -> String {
    if many == 1 { format!("1 {one}") } else { format!("{many} {more}") }
}
