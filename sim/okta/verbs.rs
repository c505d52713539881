//! What people do in and around the org. Every verb takes effect, and is logged, before it returns.
//!
//! Apps are named by id or label, people by id, login, or the part of the login before the `@`.
//!
//! # Panics
//!
//! A verb about an app or a person that does not exist panics: the story that says so is wrong.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use jiff::{SignedDuration, Timestamp};

use super::ids::Ids;
use super::limits::Limits;
use super::oauth::{Client, OAuth};
use super::pushing::Why;
use super::time::WorldClock;
use super::world::{Account, App, Capabilities, Provisioning, User, World};
use super::{AccountState, DeactivateUsers, FailureShape, Okta, Settings, Task};

impl World {
    pub(super) fn new(settings: &Settings, address: SocketAddr) -> Self {
        let mut ids = Ids::from_seed(settings.seed);
        let mut world = Self {
            clock: WorldClock::starting_at(settings.start),
            url: format!("http://{address}"),
            org_id: ids.okta("00o"),
            ids,
            api_token: settings.api_token.clone(),
            admin: String::new(),
            apps: vec![],
            users: vec![],
            assignments: BTreeMap::new(),
            accounts: BTreeMap::new(),
            log: vec![],
            jobs: VecDeque::new(),
            tasks: vec![],
            shape: FailureShape::Usual,
            sync_logs_first: false,
            lateness: SignedDuration::ZERO,
            pushes_take: SignedDuration::ZERO,
            limits: Limits::default(),
            oauth: OAuth::default(),
        };
        world.admin = world.hire("Okta", "Admin", "admin@example.com".to_owned());
        world
    }

    fn hire(&mut self, first: &str, last: &str, login: String) -> String {
        let (id, now) = (self.ids.okta("00u"), self.now());
        self.users.push(User {
            id: id.clone(),
            first: first.to_owned(),
            last: last.to_owned(),
            login,
            status: "ACTIVE",
            created: now,
            status_changed: now,
        });
        id
    }

    fn install(
        &mut self,
        label: &str,
        kind: &str,
        provisioning: Provisioning,
        setting: DeactivateUsers,
    ) -> String {
        let (id, now) = (self.ids.okta("0oa"), self.now());
        self.apps.push(App {
            id: id.clone(),
            label: label.to_owned(),
            kind: kind.to_owned(),
            active: true,
            provisioning,
            capabilities: Capabilities::with(setting),
            created: now,
            updated: now,
            busy_until: None,
            refuses_with: None,
            profile_push_reactivates: true,
        });
        id
    }
}

/// Time.
impl Okta {
    /// The org's time.
    pub fn now(&self) -> Timestamp {
        self.org.world().now()
    }

    /// Lets time pass. What Okta does by itself meanwhile happens, each at its time.
    pub fn advance(&self, by: SignedDuration) {
        let mut world = self.org.world();
        let until = world.now() + by;
        while let Some(due) = world.jobs.iter().map(|job| job.due).min().filter(|due| *due <= until) {
            world.clock.reach(due);
            world.tick();
        }
        world.clock.reach(until);
    }

    /// Does what Okta would have done by now: pushes that are due. Every request does this first.
    pub fn tick(&self) {
        self.org.world().tick();
    }
}

/// Apps and their settings.
impl Okta {
    /// An app with provisioning; its id. `kind` is its name in the catalogue: `slack`, `airbase`.
    pub fn installs(&self, label: &str, kind: &str, setting: DeactivateUsers) -> String {
        self.org.world().install(label, kind, Provisioning::On, setting)
    }

    /// An app that could be provisioned, but is not.
    pub fn installs_without_provisioning(&self, label: &str, kind: &str) -> String {
        self.org.world().install(label, kind, Provisioning::Off, DeactivateUsers::Off)
    }

    /// An app that knows no provisioning.
    pub fn installs_unprovisionable(&self, label: &str, kind: &str) -> String {
        self.org.world().install(label, kind, Provisioning::Unsupported, DeactivateUsers::Off)
    }

    /// Deactivates an app: nothing is pushed to it any more.
    pub fn retires(&self, app: &str) {
        let mut world = self.org.world();
        world.app_named(app).active = false;
        let id = world.app_named(app).id.clone();
        let (by, target) = (world.user_entity(&world.admin), world.app_entity(&id));
        world.log_done("application.lifecycle.deactivate", by, vec![target], vec![]);
    }

    /// Somebody ticks Deactivate Users in the console. `by` need not be a user of the org.
    pub fn enables_in_console(&self, app: &str, by: &str) {
        self.set_deactivation(app, DeactivateUsers::On, by);
    }

    /// Somebody unticks Deactivate Users in the console.
    pub fn disables_in_console(&self, app: &str, by: &str) {
        self.set_deactivation(app, DeactivateUsers::Off, by);
    }

    /// Somebody ticks another box in the console at the same time: Sync Password. Drift that nobody asked for.
    pub fn syncs_passwords_in_console(&self, app: &str, by: &str) {
        let mut world = self.org.world();
        let by = world.user_entity(by);
        let capabilities = Capabilities { password: true, ..world.app_named(app).capabilities };
        world.set_capabilities(app, capabilities, by);
    }

    fn set_deactivation(&self, app: &str, setting: DeactivateUsers, by: &str) {
        let mut world = self.org.world();
        let by = world.user_entity(by);
        world.set_deactivation(app, setting == DeactivateUsers::On, by);
    }

    /// Whether Deactivate Users is on.
    pub fn deactivates_users(&self, app: &str) -> bool {
        self.org.world().app_named(app).capabilities.deactivate
    }

    /// The id of the first app with this label.
    pub fn app_id(&self, label: &str) -> Option<String> {
        self.org.world().apps.iter().find(|app| app.label == label).map(|app| app.id.clone())
    }

    /// All apps: id and label, in the order of their installation.
    pub fn apps(&self) -> Vec<(String, String)> {
        self.org.world().apps.iter().map(|app| (app.id.clone(), app.label.clone())).collect()
    }
}

/// People.
impl Okta {
    /// A new person, with the login `first@example.com`; their id.
    pub fn hires(&self, first: &str, last: &str) -> String {
        self.org.world().hire(first, last, format!("{}@example.com", first.to_lowercase()))
    }

    /// The Okta user is deactivated: all assignments go.
    pub fn leaves(&self, user: &str) {
        let mut world = self.org.world();
        let user = world.user_named(user).id.clone();
        let by = world.user_entity(&world.admin);
        world.deactivate_user(&user, &by);
    }

    /// The Okta user is active again, without any app.
    pub fn comes_back(&self, user: &str) {
        let mut world = self.org.world();
        let user = world.user_named(user).id.clone();
        let by = world.user_entity(&world.admin);
        world.activate_user(&user, by);
    }

    /// The Okta user is suspended: assignments stay, nothing is pushed. Ends with [`comes_back`](Self::comes_back).
    pub fn is_suspended(&self, user: &str) {
        self.org.world().set_status(user, "SUSPENDED");
    }

    /// The id of a person, by login or its part before the `@`.
    pub fn user_id(&self, login: &str) -> Option<String> {
        self.org.world().find_user(login).map(|user| user.id.clone())
    }

    /// Assigns an app to a person.
    pub fn assigns(&self, user: &str, app: &str) {
        self.assign(user, app, None);
    }

    /// Assigns an app by a group.
    pub fn assigns_by_group(&self, user: &str, app: &str, group: &str) {
        self.assign(user, app, Some(group));
    }

    fn assign(&self, user: &str, app: &str, group: Option<&str>) {
        let mut world = self.org.world();
        let pair = world.pair(user, app);
        let by = world.user_entity(&world.admin);
        world.assign(&pair, group, by);
    }

    /// Takes an app away from a person.
    pub fn unassigns(&self, user: &str, app: &str) {
        let mut world = self.org.world();
        let pair = world.pair(user, app);
        let by = world.user_entity(&world.admin);
        world.unassign(&pair, by);
    }

    /// Whether the app is assigned to the person.
    pub fn is_assigned(&self, user: &str, app: &str) -> bool {
        let mut world = self.org.world();
        let pair = world.pair(user, app);
        world.assignments.contains_key(&pair)
    }
}

/// The apps' side.
impl Okta {
    /// From an earlier time there is an account in the app, and it is inactive.
    pub fn left_inactive(&self, user: &str, app: &str) {
        self.set_account(user, app, false);
    }

    /// Somebody activates the account in the app itself. Okta does not notice.
    pub fn activates_in_app(&self, user: &str, app: &str) {
        self.set_account(user, app, true);
    }

    fn set_account(&self, user: &str, app: &str, active: bool) {
        let mut world = self.org.world();
        let pair = world.pair(user, app);
        let fresh = world.ids.hex();
        world.accounts.entry(pair).or_insert(Account { external_id: fresh, active }).active = active;
    }

    /// Somebody deletes the account in the app itself. Okta does not notice.
    pub fn deletes_in_app(&self, user: &str, app: &str) {
        let mut world = self.org.world();
        let pair = world.pair(user, app);
        world.accounts.remove(&pair);
    }

    /// The account as the app has it.
    pub fn account_state(&self, user: &str, app: &str) -> AccountState {
        let mut world = self.org.world();
        let pair = world.pair(user, app);
        match world.accounts.get(&pair) {
            None => AccountState::None,
            Some(Account { active: true, .. }) => AccountState::Active,
            Some(Account { active: false, .. }) => AccountState::Inactive,
        }
    }

    /// Whether the person can use the app.
    pub fn is_active_in_app(&self, user: &str, app: &str) -> bool {
        self.account_state(user, app) == AccountState::Active
    }

    /// The app answers pushes with "too many requests" until then. Okta tries again by itself.
    pub fn app_is_busy_until(&self, app: &str, until: Timestamp) {
        self.org.world().app_named(app).busy_until = Some(until);
    }

    /// The app refuses every push with these words: "Conflict. Errors reported by remote server: …".
    pub fn app_refuses_with(&self, app: &str, reason: &str) {
        self.org.world().app_named(app).refuses_with = Some(reason.to_owned());
    }

    /// The app refuses no more.
    pub fn app_accepts_again(&self, app: &str) {
        self.org.world().app_named(app).refuses_with = None;
    }

    /// With this app, writing the profile pushes the profile only: an inactive account stays inactive and the
    /// push fails, whatever Deactivate Users says. An assignment or a retry in the console does reactivate.
    pub fn profile_push_does_not_reactivate(&self, app: &str) {
        self.org.world().app_named(app).profile_push_reactivates = false;
    }
}

/// Dashboard > Tasks, and what pushes log.
impl Okta {
    /// What Dashboard > Tasks shows: the failing pushes, oldest first.
    pub fn tasks(&self) -> Vec<Task> {
        self.org.world().tasks.clone()
    }

    /// Somebody picks the failed assignment on Dashboard > Tasks and presses Retry.
    pub fn retries_in_console(&self, user: &str, app: &str) {
        let mut world = self.org.world();
        let pair = world.pair(user, app);
        let by = world.user_entity(&world.admin);
        world.request_push(&pair, Why::Retried, by);
    }

    /// What a push to an inactive account logs from now on.
    pub fn failures_log(&self, shape: FailureShape) {
        self.org.world().shape = shape;
    }

    /// From now on the `sync` failure comes into the log before the event with the reason.
    pub fn sync_logs_first(&self) {
        self.org.world().sync_logs_first = true;
    }

    /// Pushes take this long from now on; until then the app user is SYNCING.
    pub fn pushes_take(&self, time: SignedDuration) {
        self.org.world().pushes_take = time;
    }

    /// From now on events come into the log this long after the time they bear. Zero ends it.
    pub fn arrives_late(&self, by: SignedDuration) {
        self.org.world().lateness = by;
    }

    /// Logs `n` events that have nothing to do with provisioning.
    pub fn chatters(&self, n: usize) {
        self.org.world().chatter(n);
    }

    /// How many events the log has.
    pub fn logged(&self) -> usize {
        self.org.world().log.len()
    }

    /// All events as the API shows them, in the order in which they came into the log.
    pub fn log(&self) -> Vec<serde_json::Value> {
        self.org.world().log.iter().map(super::event::Event::to_json).collect()
    }
}

/// Signing in, and limits.
impl Okta {
    /// A service app with these scopes granted. The key is a JWK, see [`public_key_of`](super::public_key_of);
    /// with `dpop`, as Okta has it by default, every token is bound to a key and every request needs a proof.
    pub fn registers_service_app(
        &self,
        client_id: &str,
        public_key: &serde_json::Value,
        scopes: &[&str],
        dpop: bool,
    ) {
        self.org.world().oauth.clients.push(Client {
            id: client_id.to_owned(),
            public_key: public_key.clone(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            needs_proof: dpop,
        });
    }

    /// All access tokens end now. The next request with one is answered 401.
    pub fn revokes_tokens(&self) {
        self.org.world().oauth.tokens.clear();
    }

    /// The API token is replaced by this one.
    pub fn replaces_api_token(&self, token: &str) {
        token.clone_into(&mut self.org.world().api_token);
    }

    /// Whether the token endpoint wants another nonce each time, rather than another one each day.
    pub fn changes_dpop_nonce_every_request(&self, changes: bool) {
        self.org.world().oauth.proofs.changes_every_request = changes;
    }

    /// So many requests a minute for a bucket: `/api/v1/logs`, `/api/v1/apps` (with all below an app),
    /// `/api/v1/apps/{id}`, `/api/v1/users/{id}`, `/oauth2/v1/token`, or `/api/v1` for the rest.
    pub fn rate_limit(&self, bucket: &str, per_minute: u32) {
        self.org.world().limits.set(bucket, per_minute);
    }
}
