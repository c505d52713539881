//! What is answered from memory: which apps there are, and what is failing now. Autocomplete and first drafts read
//! it; they never wait for Okta or for the disk.

use std::sync::{Arc, PoisonError, RwLock};

use dashmap::DashMap;
use domain::event::App;
use domain::facts::AppFacts;
use domain::ids::{AppId, OrgName};
use domain::incident::Incident;
use jiff::Timestamp;

use crate::chat::Choice;
use crate::text;

/// The index of apps and the open incidents.
#[derive(Default)]
pub struct Memory {
    apps: DashMap<(OrgName, AppId), AppFacts>,
    open: RwLock<Arc<Vec<Incident>>>,
}

/// How many suggestions Discord takes.
const SUGGESTIONS: usize = 25;

impl Memory {
    /// Replaces what is known of an org's apps.
    pub fn keep_apps(&self, org: &OrgName, apps: Vec<AppFacts>) {
        let ids: Vec<AppId> = apps.iter().map(|facts| facts.app.id.clone()).collect();
        for facts in apps {
            self.apps.insert((org.clone(), facts.app.id.clone()), facts);
        }
        self.apps.retain(|(of, id), _| of != org || ids.contains(id));
    }

    /// Replaces what is known of one app.
    pub fn keep_app(&self, org: &OrgName, facts: AppFacts) {
        self.apps.insert((org.clone(), facts.app.id.clone()), facts);
    }

    /// Replaces the open incidents, newest first.
    pub fn keep_open(&self, incidents: Vec<Incident>) {
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(incidents);
    }

    /// The open incidents, newest first.
    pub fn open(&self) -> Arc<Vec<Incident>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An app of an org, if the index has it.
    pub fn app(&self, org: &OrgName, app: &AppId) -> Option<AppFacts> {
        self.apps.get(&(org.clone(), app.clone())).map(|facts| facts.clone())
    }

    /// The org that an app belongs to, with what is known of it: from the index, or from an open incident.
    pub fn find(&self, app: &AppId) -> Vec<(OrgName, App)> {
        let mut found: Vec<(OrgName, App)> = self
            .apps
            .iter()
            .filter(|entry| entry.key().1 == *app)
            .map(|entry| (entry.key().0.clone(), entry.value().app.clone()))
            .collect();
        for incident in self.open().iter().filter(|incident| incident.app.id == *app) {
            if !found.iter().any(|(org, _)| *org == incident.org) {
                found.push((incident.org.clone(), incident.app.clone()));
            }
        }
        found
    }

    /// Every known app whose label is exactly this, in any case; for a label that was typed or quoted.
    pub fn labelled(&self, label: &str) -> Vec<(OrgName, App)> {
        let label = label.trim().to_lowercase();
        self.all_apps().into_iter().filter(|(_, app)| app.label.to_lowercase() == label).collect()
    }

    /// Every known app: those of the index, and those that only an open incident names.
    pub fn all_apps(&self) -> Vec<(OrgName, App)> {
        let mut all: Vec<(OrgName, App)> =
            self.apps.iter().map(|entry| (entry.key().0.clone(), entry.value().app.clone())).collect();
        for incident in self.open().iter() {
            if !self.apps.contains_key(&(incident.org.clone(), incident.app.id.clone())) {
                all.push((incident.org.clone(), incident.app.clone()));
            }
        }
        all.sort_by(|one, other| {
            (&one.1.label, &one.1.id, &one.0).cmp(&(&other.1.label, &other.1.id, &other.0))
        });
        all.dedup();
        all
    }

    /// Apps to suggest: most recently failing first, then by label; with the id's tail, since labels repeat.
    pub fn suggest_apps(&self, typed: &str) -> Vec<Choice> {
        let open = self.open();
        let mut ranked: Vec<(Option<Timestamp>, usize, OrgName, App)> = self
            .all_apps()
            .into_iter()
            .filter(|(_, app)| matches(typed, &[&app.label, app.id.as_str()]))
            .map(|(org, app)| {
                let of_app = |incident: &&Incident| incident.org == org && incident.app.id == app.id;
                let failing: Vec<_> =
                    open.iter().filter(of_app).flat_map(|incident| incident.failing()).collect();
                let last = failing.iter().map(|failure| failure.last).max();
                (last, failing.len(), org, app)
            })
            .collect();
        ranked.sort_by_key(|(last, ..)| std::cmp::Reverse(*last));
        let orgs = self.orgs();
        ranked
            .into_iter()
            .take(SUGGESTIONS)
            .map(|(_, failing, org, app)| {
                let mut tail = format!(" · …{}", app.id.tail());
                if orgs > 1 {
                    tail.push_str(&format!(" · {org}"));
                }
                if failing > 0 {
                    tail.push_str(&format!(" · failing {failing}"));
                }
                let label = text::plain(&app.label, 100 - text::units(&tail));
                Choice { label: label + &tail, value: format!("{org}/{}", app.id), chosen: false }
            })
            .collect()
    }

    /// People to suggest whose push is failing, latest first.
    pub fn suggest_people(&self, typed: &str) -> Vec<Choice> {
        let open = self.open();
        let mut failing: Vec<_> = open.iter().flat_map(|incident| incident.failing()).collect();
        failing.sort_by_key(|failure| std::cmp::Reverse(failure.last));
        let mut listed = std::collections::BTreeSet::new();
        failing
            .into_iter()
            .filter(|failure| {
                let person = &failure.person;
                let name = person.name.as_deref().unwrap_or_default();
                matches(typed, &[name, person.login.as_deref().unwrap_or_default(), person.id.as_str()])
            })
            .filter(|failure| listed.insert(failure.person.id.clone()))
            .take(SUGGESTIONS)
            .map(|failure| {
                let person = &failure.person;
                let login = person.login.as_deref().unwrap_or(person.id.as_str());
                let label = match &person.name {
                    Some(name) => format!("{name} ({login})"),
                    None => login.to_owned(),
                };
                Choice { label: text::plain(&label, 100), value: person.id.to_string(), chosen: false }
            })
            .collect()
    }

    /// Open incidents to suggest, newest first.
    pub fn suggest_incidents(&self, typed: &str) -> Vec<Choice> {
        self.open()
            .iter()
            .filter(|incident| matches(typed, &[&incident.number.to_string(), &incident.app.label]))
            .take(SUGGESTIONS)
            .map(|incident| {
                let failing = text::people(incident.failing().count());
                let label = text::plain(&incident.app.label, 60);
                Choice {
                    label: text::plain(&format!("{} · {label} · {failing}", incident.number), 100),
                    value: incident.number.0.to_string(),
                    chosen: false,
                }
            })
            .collect()
    }

    fn orgs(&self) -> usize {
        let orgs: std::collections::BTreeSet<_> =
            self.apps.iter().map(|entry| entry.key().0.clone()).collect();
        orgs.len()
    }
}

fn matches(typed: &str, texts: &[&str]) -> bool {
    let typed = typed.trim().to_lowercase();
    texts.iter().any(|text| text.to_lowercase().contains(&typed))
}
