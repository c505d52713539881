//! The state of the simulated org: people, apps, who is assigned what, the accounts on the apps' side.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::event::{Entity, Event};
use super::ids::Ids;
use super::limits::Limits;
use super::oauth::OAuth;
use super::pushing::Job;
use super::time::WorldClock;
use super::{DeactivateUsers, FailureShape, FeatureWrites, Task};

/// Apps by (app id, user id).
pub(super) type Pair = (String, String);

/// Everything the org holds. All of it lies behind one lock; nothing in it waits.
pub(super) struct World {
    pub clock: WorldClock,
    /// For people and apps, so that what requests draw does not change them.
    pub names: Ids,
    /// For everything else.
    pub ids: Ids,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    pub org_id: String,
    pub api_token: String,
    pub api_token_id: String,
    /// Who made the API token.
    pub admin: String,
    /// Who acts where a verb names nobody: at first the same.
    pub console_user: String,
    pub apps: Vec<App>,
    pub users: Vec<User>,
    pub assignments: BTreeMap<Pair, Assignment>,
    pub accounts: BTreeMap<Pair, Account>,
    /// In the order in which events were persisted.
    pub log: Vec<Event>,
    /// Tells how long the log is whenever it grows.
    pub grown: watch::Sender<usize>,
    /// What is still on its way into the log.
    pub late: Vec<Event>,
    pub jobs: VecDeque<Job>,
    pub tasks: Vec<Task>,
    pub shape: FailureShape,
    pub sync_logs_first: bool,
    pub successes_are_silent: bool,
    pub lateness: SignedDuration,
    pub pushes_take: SignedDuration,
    pub limits: Limits,
    pub oauth: OAuth,
}

/// What an app has on its Provisioning tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Provisioning {
    On,
    Off,
    Unsupported,
}

#[derive(Debug, Clone)]
pub(super) struct App {
    pub id: String,
    pub label: String,
    /// The integration's name in the catalogue: `slack`, `airbase`.
    pub kind: String,
    pub active: bool,
    pub provisioning: Provisioning,
    pub capabilities: Capabilities,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub busy_until: Option<Timestamp>,
    pub refuses_with: Option<String>,
    pub profile_push_reactivates: bool,
    pub feature_writes: FeatureWrites,
}

/// What is ticked under Provisioning > To App.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Capabilities {
    pub create: bool,
    pub profile: bool,
    pub deactivate: bool,
    pub password: bool,
    pub password_from_okta: bool,
    pub password_changes: bool,
}

#[derive(Debug, Clone)]
pub(super) struct User {
    pub id: String,
    pub first: String,
    pub last: String,
    pub login: String,
    /// `ACTIVE`, `DEPROVISIONED`, `SUSPENDED`.
    pub status: &'static str,
    pub created: Timestamp,
    pub status_changed: Timestamp,
}

#[derive(Debug, Clone)]
pub(super) struct Assignment {
    /// The app user's own id, which only the log shows.
    pub app_user: String,
    /// The group that brings the app, if it is not assigned to the person.
    pub group: Option<String>,
    pub status: &'static str,
    pub sync_state: &'static str,
    pub external_id: Option<String>,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub status_changed: Timestamp,
    pub last_sync: Option<Timestamp>,
    pub profile: Map<String, Value>,
}

/// An account on the app's side.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub external_id: String,
    pub active: bool,
}

impl App {
    /// The read-only `features` of the application object.
    pub(super) fn features(&self) -> Vec<&'static str> {
        if self.provisioning != Provisioning::On {
            return vec![];
        }
        let on = self.capabilities;
        let all = [
            ("PUSH_NEW_USERS", on.create),
            ("PUSH_USER_DEACTIVATION", on.deactivate),
            ("SCIM_PROVISIONING", true),
            ("GROUP_PUSH", true),
            ("REACTIVATE_USERS", on.deactivate),
            ("PUSH_PASSWORD_UPDATES", on.password),
            ("PUSH_PROFILE_UPDATES", on.profile),
        ];
        all.into_iter().filter_map(|(name, on)| on.then_some(name)).collect()
    }

    /// Whether the provisioning settings can be read and written by API.
    ///
    /// Source: Okta's OpenAPI document, tag "Application Features".
    pub(super) fn has_feature_api(&self) -> bool {
        ["google", "office365", "okta_org2org", "slack", "zoomus", "zscalerbyz"].contains(&&*self.kind)
    }
}

impl Capabilities {
    /// Nothing is ticked.
    pub(super) const NONE: Self = Self {
        create: false,
        profile: false,
        deactivate: false,
        password: false,
        password_from_okta: false,
        password_changes: false,
    };

    pub(super) fn with(deactivate: DeactivateUsers) -> Self {
        Self { create: true, profile: true, deactivate: deactivate == DeactivateUsers::On, ..Self::NONE }
    }
}

impl User {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }

    pub(super) fn app_profile(&self) -> Map<String, Value> {
        let profile = json!({
            "email": self.login, "givenName": self.first, "familyName": self.last, "displayName": self.name(),
        });
        profile.as_object().cloned().unwrap_or_default()
    }
}

impl World {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn find_app(&self, id: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.id == id)
    }

    /// By id or login, or by the login's part before the `@`, as Okta's user API takes them.
    pub(super) fn find_user(&self, id: &str) -> Option<&User> {
        let short = |user: &&User| user.login.split_once('@').is_some_and(|(name, _)| name == id);
        self.users
            .iter()
            .find(|user| user.id == id || user.login.eq_ignore_ascii_case(id))
            .or_else(|| self.users.iter().find(short))
    }

    /// The app a verb is about: by id, else by label.
    ///
    /// # Panics
    ///
    /// Panics if there is none: a story that speaks of an unknown app is wrong.
    pub(super) fn app_named(&mut self, app: &str) -> &mut App {
        let at = self.apps.iter().position(|known| known.id == app);
        let at = at.or_else(|| self.apps.iter().position(|known| known.label == app));
        let Some(at) = at else { panic!("the simulated org has no app {app}") };
        &mut self.apps[at]
    }

    /// The person a verb is about.
    ///
    /// # Panics
    ///
    /// Panics if there is none: a story that speaks of an unknown person is wrong.
    pub(super) fn user_named(&mut self, user: &str) -> &mut User {
        let id = self.find_user(user).map(|user| user.id.clone());
        let known = self.users.iter_mut().find(|user| Some(&user.id) == id.as_ref());
        known.unwrap_or_else(|| panic!("the simulated org has no user {user}"))
    }

    /// (app id, user id) of what a verb is about.
    pub(super) fn pair(&mut self, user: &str, app: &str) -> Pair {
        (self.app_named(app).id.clone(), self.user_named(user).id.clone())
    }

    /// A person as an actor or a target. Somebody the org does not know, but who acts in its console, gets an id
    /// that follows from the name.
    pub(super) fn user_entity(&self, id: &str) -> Entity {
        let (id, alternate_id, name) = match self.find_user(id) {
            Some(user) => (user.id.clone(), user.login.clone(), user.name()),
            None => {
                let letters: String = id.chars().filter(char::is_ascii_alphanumeric).take(17).collect();
                let login = id.to_lowercase().replace(' ', ".");
                let login = if login.contains('@') { login } else { format!("{login}@example.com") };
                (format!("00u{letters:0<17}"), login, id.to_owned())
            }
        };
        Entity { id, kind: "User", alternate_id, name, changes: None, token: None }
    }

    pub(super) fn app_entity(&self, id: &str) -> Entity {
        let label = self.find_app(id).map_or(id, |app| &app.label).to_owned();
        Entity {
            id: id.to_owned(),
            kind: "AppInstance",
            alternate_id: label.clone(),
            name: label,
            changes: None,
            token: None,
        }
    }

    /// The targets of an event about somebody in an app, in no order one may rely on.
    pub(super) fn targets(&mut self, (app, user): &Pair) -> Vec<Entity> {
        let person = self.user_entity(user);
        let app_user = self.assignments.get(&(app.clone(), user.clone())).map(|known| known.app_user.clone());
        let app_user = Entity {
            id: app_user.unwrap_or_else(|| self.ids.okta("0ua")),
            kind: "AppUser",
            ..person.clone()
        };
        let mut targets = vec![app_user, self.app_entity(app), person];
        let turn = self.ids.below(3);
        targets.rotate_left(turn);
        targets
    }
}
