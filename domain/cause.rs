//! What an event means: the rules of `causes.toml`, and the class they give to an event.

use std::fmt;

use regex_lite::Regex;
use serde::Deserialize;

use crate::event::{Event, EventKind, Outcome};

/// The rules that ship with Provost.
pub const EMBEDDED: &str = include_str!("causes.toml");

/// The class of a failure, by its id in the rules, for example `inactive-account`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CauseId(String);

impl CauseId {
    /// Our cause: the account exists in the app but is inactive there.
    pub fn inactive_account() -> Self {
        Self("inactive-account".to_owned())
    }

    /// Failures that Okta retries by itself.
    pub fn self_healing() -> Self {
        Self("self-healing".to_owned())
    }

    /// What no rule knows.
    pub fn other() -> Self {
        Self("other".to_owned())
    }

    /// The id as it stands in the rules.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for CauseId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

impl fmt::Display for CauseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How sure a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Nothing names the cause; the app's setting makes it the likeliest.
    Possible,
    /// The text reads like it.
    Likely,
    /// Okta named it.
    Certain,
}

impl Confidence {
    /// The word people read.
    pub fn word(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// What may be offered for a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Offer {
    /// Turn Deactivate Users on.
    Enable,
    /// Push again.
    Retry,
    /// Mend the account in the app.
    Fixed,
    /// Nothing: Okta tries again by itself.
    Wait,
}

/// A cause in words.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    id: String,
    /// A short name, a noun phrase.
    pub title: String,
    /// One or two sentences for the person who has to act.
    pub explanation: String,
    /// What may be offered, in the order to offer it.
    pub offer: Vec<Offer>,
    /// The vendor's article.
    pub link: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRule {
    cause: String,
    confidence: Confidence,
    #[serde(default)]
    legacy_type: Vec<String>,
    #[serde(default)]
    event_type: Vec<String>,
    #[serde(default)]
    outcome: Vec<String>,
    pattern: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRules {
    cause: Vec<Cause>,
    rule: Vec<WireRule>,
}

struct Rule {
    wire: WireRule,
    cause: CauseId,
    pattern: Option<Regex>,
}

/// The rules, ready to be asked.
pub struct Rules {
    causes: Vec<Cause>,
    rules: Vec<Rule>,
}

/// Why a table of rules was refused.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// It is not the TOML we expect; the text says where.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A rule names a cause that the table does not describe.
    #[error("rule {rule} names the cause “{cause}”, which no [[cause]] describes")]
    UnknownCause {
        /// The rule's place, from 1.
        rule: usize,
        /// The id it names.
        cause: String,
    },
    /// A cause that the program itself needs is missing.
    #[error("there must be a [[cause]] with id = “{0}”")]
    MissingCause(CauseId),
    /// A pattern is not a regular expression.
    #[error("the pattern of rule {rule} is not a regular expression: {source}")]
    Pattern {
        /// The rule's place, from 1.
        rule: usize,
        /// What is wrong with it.
        source: regex_lite::Error,
    },
}

/// What an event means to us.
#[derive(Debug, Clone, PartialEq)]
pub enum Class {
    /// A push failed, and a rule says why.
    Failure {
        /// The cause.
        cause: CauseId,
        /// How sure the rule is.
        confidence: Confidence,
    },
    /// A push failed and the event gives no reason; other events of the job may.
    Unexplained,
    /// A push worked.
    Success(Strength),
    /// Deactivate Users was turned on (`true`) or off.
    DeactivateUsers(bool),
    /// Somebody was unassigned.
    Unassigned,
    /// Nothing to us.
    Nothing,
}

/// How much a success proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// The account was created, synchronised or activated again.
    Account,
    /// Only a profile push or a sync state says so: Okta reports success, nobody saw the account.
    ProfileOnly,
}

impl Rules {
    /// Reads a table of rules.
    ///
    /// # Errors
    ///
    /// [`RulesError`], which names the rule that is wrong.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let wire: WireRules = toml::from_str(text)?;
        for needed in [CauseId::inactive_account(), CauseId::self_healing(), CauseId::other()] {
            if !wire.cause.iter().any(|cause| cause.id == needed.0) {
                return Err(RulesError::MissingCause(needed));
            }
        }
        let mut rules = Vec::new();
        for (index, rule) in wire.rule.into_iter().enumerate() {
            let place = index + 1;
            if !wire.cause.iter().any(|cause| cause.id == rule.cause) {
                return Err(RulesError::UnknownCause { rule: place, cause: rule.cause });
            }
            let pattern = rule.pattern.as_deref().map(Regex::new).transpose();
            let pattern = pattern.map_err(|source| RulesError::Pattern { rule: place, source })?;
            rules.push(Rule { cause: CauseId::from(rule.cause.as_str()), pattern, wire: rule });
        }
        Ok(Self { causes: wire.cause, rules })
    }

    /// The rules that ship with Provost.
    pub fn embedded() -> Self {
        Self::parse(EMBEDDED).expect("the embedded rules are tested")
    }

    /// The cause in words; the one for `other` where the rules have been replaced since it was stored.
    pub fn cause(&self, id: &CauseId) -> &Cause {
        let find = |id: &str| self.causes.iter().find(|cause| cause.id == id);
        find(id.as_str()).or_else(|| find("other")).expect("`parse` insists on `other`")
    }

    /// Whether the rules describe this cause.
    pub fn knows(&self, id: &str) -> bool {
        self.causes.iter().any(|cause| cause.id == id)
    }

    /// The ids of all causes, in the table's order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.causes.iter().map(|cause| cause.id.as_str())
    }

    /// What an event means. Asked before anybody looks at the outcome: whether our failure's own event says
    /// FAILURE is not documented.
    pub fn class(&self, event: &Event) -> Class {
        match event.kind {
            EventKind::Irrelevant => Class::Nothing,
            EventKind::SettingsChanged => setting(event).map_or(Class::Nothing, Class::DeactivateUsers),
            EventKind::Unassigned if event.outcome == Outcome::Failure => Class::Nothing,
            EventKind::Unassigned => Class::Unassigned,
            EventKind::Push | EventKind::PushProfile | EventKind::Sync | EventKind::Reactivate => {
                self.failure(event).unwrap_or_else(|| success(event))
            }
            EventKind::OtherProvisioning => self.failure(event).unwrap_or(Class::Nothing),
        }
    }

    fn failure(&self, event: &Event) -> Option<Class> {
        if let Some(rule) = self.rules.iter().find(|rule| rule.matches(event)) {
            return Some(Class::Failure { cause: rule.cause.clone(), confidence: rule.wire.confidence });
        }
        if event.outcome != Outcome::Failure {
            return None;
        }
        Some(match event.reason {
            None => Class::Unexplained,
            Some(_) => Class::Failure { cause: CauseId::other(), confidence: Confidence::Likely },
        })
    }
}

impl Rule {
    fn matches(&self, event: &Event) -> bool {
        let one_of = |list: &[String], word: &str| list.is_empty() || list.iter().any(|each| each == word);
        one_of(&self.wire.legacy_type, event.legacy_type.as_deref().unwrap_or_default())
            && one_of(&self.wire.event_type, &event.event_type)
            && one_of(&self.wire.outcome, event.outcome.as_str())
            && self.pattern.as_ref().is_none_or(|pattern| {
                [&event.reason, &event.message].into_iter().flatten().any(|text| pattern.is_match(text))
            })
    }
}

fn success(event: &Event) -> Class {
    match (&event.outcome, event.kind) {
        (Outcome::Success, EventKind::PushProfile) => Class::Success(Strength::ProfileOnly),
        (Outcome::Success, _) => Class::Success(Strength::Account),
        (Outcome::Failure | Outcome::Other(_), _) => Class::Nothing,
    }
}

/// Source: Okta support, “System Log query for Deactivate User provisioning feature enablement/disablement”.
fn setting(event: &Event) -> Option<bool> {
    match event.custom_message.as_deref() {
        Some("Deprovisioning unassigned users") => Some(true),
        Some("Stop deprovisioning unassigned users") => Some(false),
        _ => event.deactivate_users,
    }
}
