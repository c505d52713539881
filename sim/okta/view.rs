//! The org at a glance, for a page beside the chat: what an administrator would see in the console.

use super::world::{Account, Assignment, Pair, Provisioning, World};
use super::{AccountState, Okta};

/// An app with its settings and everybody who is assigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppView {
    /// Its id.
    pub id: String,
    /// Its label.
    pub label: String,
    /// Its name in the catalogue.
    pub kind: String,
    /// Whether it is active.
    pub active: bool,
    /// Whether it is provisioned at all.
    pub provisions: bool,
    /// Whether Deactivate Users is on.
    pub deactivates_users: bool,
    /// Whether that can be changed by API.
    pub has_feature_api: bool,
    /// Who is assigned, by id.
    pub assigned: Vec<AssignmentView>,
}

/// A person's assignment, and the account behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignmentView {
    /// The person's id.
    pub user: String,
    /// The group that brings the app, if it is not assigned to the person.
    pub group: Option<String>,
    /// As the API has it: `STAGED`, `PROVISIONED`, `ACTIVE`.
    pub status: &'static str,
    /// As the API has it: `SYNCHRONIZED`, `ERROR`, `SYNCING`, `DISABLED`.
    pub sync_state: &'static str,
    /// The account as the app has it.
    pub account: AccountState,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonView {
    /// The id.
    pub id: String,
    /// The login.
    pub login: String,
    /// First and last name.
    pub name: String,
    /// `ACTIVE`, `SUSPENDED` or `DEPROVISIONED`.
    pub status: &'static str,
}

impl Okta {
    /// All apps, in the order of their installation.
    pub fn app_views(&self) -> Vec<AppView> {
        let world = self.org.world();
        let view = |app: &super::world::App| AppView {
            id: app.id.clone(),
            label: app.label.clone(),
            kind: app.kind.clone(),
            active: app.active,
            provisions: app.provisioning == Provisioning::On,
            deactivates_users: app.capabilities.deactivate,
            has_feature_api: app.has_feature_api(),
            assigned: world.assigned_to(&app.id),
        };
        world.apps.iter().map(view).collect()
    }

    /// Everybody, in the order in which they were hired. The first is the administrator.
    pub fn person_views(&self) -> Vec<PersonView> {
        let view = |user: &super::world::User| PersonView {
            id: user.id.clone(),
            login: user.login.clone(),
            name: user.name(),
            status: user.status,
        };
        self.org.world().users.iter().map(view).collect()
    }
}

impl World {
    fn assigned_to(&self, app: &str) -> Vec<AssignmentView> {
        let view = |(pair, known): (&Pair, &Assignment)| AssignmentView {
            user: pair.1.clone(),
            group: known.group.clone(),
            status: known.status,
            sync_state: known.sync_state,
            account: self.account(pair),
        };
        self.assignments.iter().filter(|((of, _), _)| of == app).map(view).collect()
    }

    /// The account as the app has it.
    pub(super) fn account(&self, pair: &Pair) -> AccountState {
        match self.accounts.get(pair) {
            None => AccountState::None,
            Some(Account { active: true, .. }) => AccountState::Active,
            Some(Account { active: false, .. }) => AccountState::Inactive,
        }
    }
}
