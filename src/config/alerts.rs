//! `[alerts]`: what opens an alert, and how it is shown.

use std::fmt;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use domain::cause::{CauseId, Rules, RulesError};

use super::fault::{Wrong, did_you_mean, quoted};
use super::secret::{beside, reason};
use super::section::Section;
use super::tree::{Node, Value, line_of};
use super::values::within;

/// Alerts, and the rules that say what a failure is.
#[derive(Clone)]
pub struct Alerts {
    /// The causes that open an alert.
    pub causes: Vec<CauseId>,
    /// How long a new incident waits, so that a burst becomes one card.
    pub group_wait: Duration,
    /// How often a card is edited at most.
    pub edit_interval: Duration,
    /// How long to wait for proof after a retry.
    pub verify_within: Duration,
    /// The cause rules: those that ship with Provost, or those of `rules_file`.
    pub rules: Arc<Rules>,
}

impl fmt::Debug for Alerts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alerts")
            .field("causes", &self.causes)
            .field("group_wait", &self.group_wait)
            .field("edit_interval", &self.edit_interval)
            .field("verify_within", &self.verify_within)
            .field("rules", &self.rules.ids().collect::<Vec<_>>())
            .finish()
    }
}

pub(super) fn read(mut section: Section<'_>) -> Alerts {
    let rules = read_rules(&mut section).unwrap_or_else(Rules::embedded);
    let causes_at = section.place("causes");
    let causes = section.list("causes", |text| {
        rules.knows(text).then(|| CauseId::from(text)).ok_or_else(|| {
            let known = || format!("known: {}", rules.ids().collect::<Vec<_>>().join(", "));
            let right = did_you_mean(text, rules.ids()).unwrap_or_else(known);
            Wrong::new(format!("{} is no cause of the rules", quoted(text)), right)
        })
    });
    if causes.as_ref().is_some_and(Vec::is_empty) {
        let what = Wrong::new("is empty: nothing will ever open an alert", "name at least one cause");
        section.notes.warn(causes_at, section.key("causes"), what);
    }
    let group_wait = section.parsed("group_wait", within("0s", "10m"));
    let edit_interval = section.parsed("edit_interval", within("0s", "10m"));
    let verify_within = section.parsed("verify_within", within("100ms", "24h"));
    section.finish();
    Alerts {
        causes: causes.unwrap_or_else(|| vec![CauseId::inactive_account()]),
        group_wait: group_wait.unwrap_or(Duration::from_secs(20)),
        edit_interval: edit_interval.unwrap_or(Duration::from_secs(5)),
        verify_within: verify_within.unwrap_or(Duration::from_mins(10)),
        rules: Arc::new(rules),
    }
}

/// The rules of `rules_file`, if the key is there and they are good.
fn read_rules(section: &mut Section<'_>) -> Option<Rules> {
    let Node { at, value } = section.take("rules_file")?;
    let Value::Text(path) = value else {
        let wrong = format!("is {}", value.kind());
        section.fault(at, "rules_file", Wrong::new(wrong, "write the file's path in quotes"));
        return None;
    };
    let path = beside(&at, &path);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            let wrong = format!("{} cannot be read: {}", path.display(), reason(&error));
            section.fault(at, "rules_file", Wrong::new(wrong, "name a file that this user may read"));
            return None;
        }
    };
    Rules::parse(&text)
        .map_err(|error| {
            let wrong = match &error {
                RulesError::Toml(error) => {
                    let line = line_of(&text, error.span().map_or(0, |span| span.start));
                    format!("{}:{line}: {}", path.display(), error.message())
                }
                RulesError::UnknownCause { .. }
                | RulesError::MissingCause(_)
                | RulesError::Pattern { .. } => {
                    format!("{}: {error}", path.display())
                }
            };
            let right = "start from the rules that ship with Provost (domain/causes.toml)";
            section.fault(at, "rules_file", Wrong::new(wrong, right));
        })
        .ok()
}
