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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::event::Actor;

    const PROVISION: &str = "application.provision.user.";
    const OURS: &str = "app.user_management.provision_user.user_inactive";

    fn event(event_type: &str, outcome: &str, reason: Option<&str>) -> Event {
        Event {
            id: "e1".parse().expect("a good id"),
            published: Timestamp::UNIX_EPOCH,
            kind: EventKind::of(event_type),
            event_type: event_type.to_owned(),
            legacy_type: None,
            outcome: Outcome::from(outcome),
            reason: reason.map(str::to_owned),
            message: None,
            transaction: None,
            app: None,
            person: None,
            actor: Actor::default(),
            custom_message: None,
            deactivate_users: None,
        }
    }

    fn push(outcome: &str, reason: Option<&str>) -> Event {
        event("application.provision.user.push_profile", outcome, reason)
    }

    /// A class in a word or two.
    fn told(event: &Event) -> String {
        match Rules::embedded().class(event) {
            Class::Failure { cause, confidence } => format!("{cause} {}", confidence.word()),
            Class::Unexplained => "unexplained".to_owned(),
            Class::Success(strength) => format!("success {strength:?}"),
            Class::DeactivateUsers(on) => format!("setting {on}"),
            Class::Unassigned => "unassigned".to_owned(),
            Class::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn a_reason_tells_the_cause() {
        let table = [
            (
                "Automatic provisioning of user D to app S failed: User account is inactive",
                "inactive-account certain",
            ),
            ("USER ACCOUNT IS INACTIVE", "inactive-account certain"),
            ("Cannot provision a user to an inactive account.", "inactive-account certain"),
            ("The account was deactivated", "inactive-account likely"),
            ("user is inactive", "inactive-account likely"),
            ("Error while calling the app: 429 Too Many Requests", "self-healing likely"),
            ("api_rate_limit_exceeded: rate-limit exceeded", "self-healing likely"),
            ("Service Temporarily Unavailable", "self-healing likely"),
            ("Rescheduling provision job because of: User account is inactive", "self-healing certain"),
            ("The job has been rescheduled", "self-healing certain"),
            ("No licenses are available", "licence likely"),
            ("You have reached your seat limit", "licence likely"),
            ("401 Unauthorized", "credentials likely"),
            ("Invalid API token", "credentials likely"),
            ("HTTP 403", "credentials likely"),
            ("409 Conflict", "already-exists likely"),
            ("A user with this userName already exists", "already-exists likely"),
            ("404: user 14091 not found", "not-found likely"),
            ("Resource no longer exists", "not-found likely"),
            ("The moon is in the wrong house", "other likely"),
            ("order 4091 failed", "other likely"),
        ];
        for (reason, expected) in table {
            assert_eq!(told(&push("FAILURE", Some(reason))), expected, "{reason}");
        }
    }

    #[test]
    fn the_legacy_type_alone_or_the_reason_alone_tells_our_cause_whatever_the_outcome() {
        let ours = "User account is inactive";
        for event_type in ["push", "push_profile", "sync", "update", "import_profile"] {
            for outcome in ["FAILURE", "SUCCESS", "SKIPPED", "DEFERRED", ""] {
                let event_type = format!("{PROVISION}{event_type}");
                let by_reason = event(&event_type, outcome, Some(ours));
                let by_type =
                    Event { legacy_type: Some(OURS.to_owned()), ..event(&event_type, outcome, None) };
                let by_message =
                    Event { message: Some(ours.to_owned()), ..event(&event_type, outcome, None) };
                for event in [by_reason, by_type, by_message] {
                    assert_eq!(told(&event), "inactive-account certain", "{event:?}");
                }
            }
        }
    }

    #[test]
    fn an_account_that_is_to_be_taken_away_and_is_inactive_already_alerts_nobody() {
        for kind in ["deactivate", "deprovision", "delete", "remove_entitlements"] {
            let event = event(&format!("{PROVISION}{kind}"), "FAILURE", Some("User account is inactive"));
            assert_eq!(told(&event), "other certain", "{kind}");
        }
    }

    #[test]
    fn only_four_kinds_of_event_prove_that_a_push_worked() {
        let table = [
            ("push", "success Account"),
            ("push_profile", "success ProfileOnly"),
            ("sync", "success Account"),
            ("reactivate", "success Account"),
            ("verify_exists", "nothing"),
            ("import_profile", "nothing"),
            ("deactivate", "nothing"),
            ("activate", "nothing"),
            ("push_password", "nothing"),
            ("something_new", "nothing"),
        ];
        for (kind, expected) in table {
            let event_type = format!("{PROVISION}{kind}");
            assert_eq!(told(&event(&event_type, "SUCCESS", None)), expected, "{kind}");
            assert_eq!(told(&event(&event_type, "FAILURE", None)), "unexplained", "{kind}");
            assert_eq!(told(&event(&event_type, "", None)), "nothing", "{kind}");
        }
    }

    #[test]
    fn a_job_that_is_put_off_heals_itself() {
        for (outcome, expected) in [
            ("DEFERRED", "self-healing likely"),
            ("SCHEDULED", "self-healing likely"),
            ("RATE_LIMIT", "self-healing likely"),
            ("SKIPPED", "nothing"),
        ] {
            assert_eq!(told(&push(outcome, None)), expected, "{outcome}");
        }
    }

    #[test]
    fn a_change_of_settings_is_ours_if_it_says_deactivate_users() {
        let table = [
            (Some("Deprovisioning unassigned users"), None, "setting true"),
            (Some("Stop deprovisioning unassigned users"), None, "setting false"),
            (Some("Updated the logo"), None, "nothing"),
            (None, Some(true), "setting true"),
            (None, Some(false), "setting false"),
            (None, None, "nothing"),
        ];
        for (message, deactivate_users, expected) in table {
            let change = Event {
                custom_message: message.map(str::to_owned),
                deactivate_users,
                ..event("application.lifecycle.update", "SUCCESS", None)
            };
            assert_eq!(told(&change), expected, "{message:?} {deactivate_users:?}");
        }
    }

    #[test]
    fn an_unassignment_that_failed_is_none() {
        for (outcome, expected) in [("SUCCESS", "unassigned"), ("FAILURE", "nothing"), ("", "unassigned")] {
            assert_eq!(
                told(&event("application.user_membership.remove", outcome, None)),
                expected,
                "{outcome}"
            );
        }
    }

    #[test]
    fn what_we_do_not_watch_is_nothing_whatever_it_says() {
        for event_type in
            ["user.session.start", "application.user_membership.add", "application.provision.group.push"]
        {
            assert_eq!(told(&event(event_type, "FAILURE", Some("User account is inactive"))), "nothing");
        }
    }

    #[test]
    fn a_table_that_is_wrong_names_its_rule() {
        let add = |rule: &str| format!("{EMBEDDED}\n[[rule]]\n{rule}");
        let without = |id: &str| EMBEDDED.replace(&format!("id = \"{id}\""), "id = \"x\"");
        let table = [
            (add("cause = \"gremlins\"\nconfidence = \"likely\""), "names the cause “gremlins”"),
            (
                add("cause = \"other\"\nconfidence = \"likely\"\npattern = \"(\""),
                "is not a regular expression",
            ),
            (add("cause = \"other\"\nconfidence = \"sure\""), "unknown variant `sure`"),
            (add("cause = \"other\"\nconfidence = \"likely\"\npatern = \"x\""), "unknown field `patern`"),
            (without("other"), "there must be a [[cause]] with id = “other”"),
        ];
        for (text, expected) in table {
            let error = Rules::parse(&text).err().expect("it is wrong").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
