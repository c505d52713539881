//! What people do in and around the org. Every verb takes effect, and is logged, before it returns.
//!
//! Apps are named by id or label, people by id, login, or the part of the login before the `@`.
//!
//! # Panics
//!
//! A verb about an app or a person that does not exist panics: the story that says so is wrong.

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::pushing::Why;
use super::world::{Account, Capabilities, Provisioning};
use super::{AccountState, DeactivateUsers, FeatureWrites, Okta, Task};

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
    /// From now on this is who acts in the console where a verb names nobody. `name` need not be a user of the org.
    pub fn console_is_used_by(&self, name: &str) {
        name.clone_into(&mut self.org.world().console_user);
    }

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
        let (by, target) = (world.user_entity(&world.console_user), world.app_entity(&id));
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

    /// What Okta makes of a write to the app's provisioning feature. Nobody has published a trace of a partial one.
    pub fn feature_writes(&self, app: &str, writes: FeatureWrites) {
        self.org.world().app_named(app).feature_writes = writes;
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
    /// A new person, with the login `first@example.com`, or `first.last@…` if that is taken; their id.
    pub fn hires(&self, first: &str, last: &str) -> String {
        let mut world = self.org.world();
        let short = format!("{}@example.com", first.to_lowercase());
        let login = match world.users.iter().any(|user| user.login == short) {
            true => format!("{}.{}@example.com", first.to_lowercase(), last.to_lowercase()),
            false => short,
        };
        world.hire(first, last, login)
    }

    /// The Okta user is deactivated: all assignments go.
    pub fn leaves(&self, user: &str) {
        let mut world = self.org.world();
        let user = world.user_named(user).id.clone();
        let by = world.user_entity(&world.console_user);
        world.deactivate_user(&user, &by);
    }

    /// The Okta user is active again, without any app.
    pub fn comes_back(&self, user: &str) {
        let mut world = self.org.world();
        let user = world.user_named(user).id.clone();
        let by = world.user_entity(&world.console_user);
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
        let by = world.user_entity(&world.console_user);
        world.assign(&pair, group, by);
    }

    /// Takes an app away from a person.
    pub fn unassigns(&self, user: &str, app: &str) {
        let mut world = self.org.world();
        let pair = world.pair(user, app);
        let by = world.user_entity(&world.console_user);
        world.unassign(&pair, by);
    }

    /// Somebody fills in an attribute of the person's profile in the app, by hand, in the console.
    pub fn fills_in(&self, user: &str, app: &str, attribute: &str, value: &str) {
        let mut world = self.org.world();
        let pair = world.pair(user, app);
        if let Some(known) = world.assignments.get_mut(&pair) {
            known.profile.insert(attribute.to_owned(), value.into());
        }
    }

    /// An attribute of the person's profile in the app.
    pub fn attribute(&self, user: &str, app: &str, attribute: &str) -> Option<String> {
        let mut world = self.org.world();
        let pair = world.pair(user, app);
        Some(world.assignments.get(&pair)?.profile.get(attribute)?.as_str()?.to_owned())
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
        world.account(&pair)
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
        let by = world.user_entity(&world.console_user);
        world.request_push(&pair, Why::Retried, by);
    }

    /// Logs `n` events that have nothing to do with provisioning.
    pub fn chatters(&self, n: usize) {
        self.org.world().chatter(n);
    }

    /// How many events the log has.
    pub fn logged(&self) -> usize {
        self.org.world().log.len()
    }

    /// How many events the log has, now and whenever it grows. Whatever Okta does by itself shows there.
    pub fn log_grows(&self) -> watch::Receiver<usize> {
        self.org.world().grown.subscribe()
    }

    /// All events as the API shows them, in the order in which they came into the log.
    pub fn log(&self) -> Vec<serde_json::Value> {
        self.log_from(0)
    }

    /// The events after the first `place`, as [`log`](Self::log).
    pub fn log_from(&self, place: usize) -> Vec<serde_json::Value> {
        self.org.world().log.iter().skip(place).map(super::event::Event::to_json).collect()
    }
}
