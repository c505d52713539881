//! `[policy]`: how many approvals a remediation wants, and for how long a request stands.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::ids::{AppId, GuildId};

use super::fault::{Place, Wrong};
use super::roles::{self, Roles};
use super::section::Section;
use super::tree::{Node, Value};
use super::values::{app_id, within};

/// What a request for one kind of remediation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// How many approvals.
    pub approvals: usize,
    /// How long the request stands without them.
    pub expires: Duration,
}

/// What a retry needs: more people, more approvals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryGate {
    /// For up to `bulk_over` people.
    pub few: Gate,
    /// For more of them.
    pub bulk: Gate,
    /// How many people are still few.
    pub bulk_over: usize,
}

/// What each kind of remediation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gates {
    /// Turning Deactivate Users on.
    pub enable: Gate,
    /// Pushing again.
    pub retry: RetryGate,
    /// Unassigning and assigning again.
    pub reassign: Gate,
}

/// What one app does otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppPolicy {
    /// The lists that replace those of `[roles]`; a role that is absent here is as there.
    pub roles: Roles,
    /// What is needed for this app, all told.
    pub gates: Gates,
}

/// The policy of all apps, and of those that differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What holds where nothing else is said.
    pub gates: Gates,
    /// The apps that differ.
    pub apps: BTreeMap<AppId, AppPolicy>,
}

impl Policy {
    /// What a remediation of `app` needs.
    pub fn gates(&self, app: &AppId) -> &Gates {
        self.apps.get(app).map_or(&self.gates, |policy| &policy.gates)
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const MOST_APPROVALS: usize = 5;

const DEFAULT: Gates = Gates {
    enable: Gate { approvals: 1, expires: MINUTE.saturating_mul(60) },
    retry: RetryGate {
        few: Gate { approvals: 0, expires: MINUTE.saturating_mul(60) },
        bulk: Gate { approvals: 1, expires: MINUTE.saturating_mul(60) },
        bulk_over: 10,
    },
    reassign: Gate { approvals: 2, expires: MINUTE.saturating_mul(30) },
};

pub(super) fn read(mut section: Section<'_>, guild: Option<GuildId>) -> Policy {
    let gates = read_gates(&mut section, DEFAULT);
    let apps = read_apps(&mut section, &gates, guild);
    section.finish();
    Policy { gates, apps }
}

fn read_apps(section: &mut Section<'_>, gates: &Gates, guild: Option<GuildId>) -> BTreeMap<AppId, AppPolicy> {
    let mut apps = BTreeMap::new();
    let items = match section.take("app") {
        None => Vec::new(),
        Some(Node { value: Value::List(items), .. }) => items,
        Some(Node { at, .. }) => {
            let right = "write [[policy.app]] in the file, once for each app";
            section.fault(at, "app", Wrong::new("is not a list of tables", right));
            Vec::new()
        }
    };
    for Node { at, value } in items {
        let table = section.table_of("app", at.clone(), value);
        let inner = Section::new("policy.app", at.clone(), table, section.notes);
        let Some((id, policy)) = read_app(inner, gates, guild) else { continue };
        if apps.insert(id.clone(), policy).is_some() {
            let wrong = format!("has {id} a second time");
            section.fault(at, "app", Wrong::new(wrong, "give each app one [[policy.app]]"));
        }
    }
    apps
}

fn read_app(mut section: Section<'_>, gates: &Gates, guild: Option<GuildId>) -> Option<(AppId, AppPolicy)> {
    let id = section.required("id", "write the app's id: id = \"0oa…\"", app_id);
    let policy =
        AppPolicy { roles: roles::read(&mut section, guild), gates: read_gates(&mut section, *gates) };
    section.finish();
    Some((id?, policy))
}

fn read_gates(section: &mut Section<'_>, given: Gates) -> Gates {
    let enable = section.section("enable");
    let retry = section.section("retry");
    let reassign = section.section("reassign");
    Gates {
        enable: read_gate(enable, given.enable),
        retry: read_retry(retry, given.retry),
        reassign: read_gate(reassign, given.reassign),
    }
}

fn read_gate(mut section: Section<'_>, given: Gate) -> Gate {
    let gate = Gate {
        approvals: section.count("approvals", MOST_APPROVALS).unwrap_or(given.approvals),
        expires: section.parsed("expires", within("1s", "7d")).unwrap_or(given.expires),
    };
    section.finish();
    gate
}

fn read_retry(mut section: Section<'_>, given: RetryGate) -> RetryGate {
    let expires = section.parsed("expires", within("1s", "7d"));
    let approvals = section.count("approvals", MOST_APPROVALS).unwrap_or(given.few.approvals);
    let at: Place = section.place("bulk_approvals");
    let bulk = section.count("bulk_approvals", MOST_APPROVALS);
    let bulk_over = section.count("bulk_over", 100_000).unwrap_or(given.bulk_over);
    // Raising the bar for few people raises it for many, unless that is said apart.
    let bulk_approvals = bulk.unwrap_or(given.bulk.approvals.max(approvals));
    if bulk_approvals < approvals {
        let wrong =
            format!("asks fewer people for many pushes ({bulk_approvals}) than for few ({approvals})");
        section.fault(at, "bulk_approvals", Wrong::new(wrong, format!("write {approvals} or more")));
    }
    section.finish();
    RetryGate {
        few: Gate { approvals, expires: expires.unwrap_or(given.few.expires) },
        bulk: Gate { approvals: bulk_approvals, expires: expires.unwrap_or(given.bulk.expires) },
        bulk_over,
    }
}
