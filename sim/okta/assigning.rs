//! People come, go, and get apps: what changes and what that logs.

use super::event::{Entity, Transaction};
use super::pushing::{Job, Why};
use super::world::{Assignment, Pair, Provisioning, World};

impl World {
    /// Assigns an app, and has the account pushed.
    ///
    /// Assigning what is assigned changes the scope and nothing else.
    pub(super) fn assign(&mut self, pair: &Pair, group: Option<&str>, by: Entity) {
        let group = group.map(str::to_owned);
        if let Some(known) = self.assignments.get_mut(pair) {
            known.group = group;
            return;
        }
        let now = self.now();
        let provisions = self.find_app(&pair.0).is_some_and(|app| app.provisioning == Provisioning::On);
        let (status, sync_state) = if provisions { ("STAGED", "SYNCING") } else { ("ACTIVE", "DISABLED") };
        let profile = self.find_user(&pair.1).map(super::world::User::app_profile).unwrap_or_default();
        let app_user = self.ids.okta("0ua");
        self.assignments.insert(
            pair.clone(),
            Assignment {
                app_user,
                group,
                status,
                sync_state,
                external_id: None,
                created: now,
                updated: now,
                status_changed: now,
                last_sync: None,
                profile,
            },
        );
        self.log_membership("application.user_membership.add", pair, by.clone());
        self.request_push(pair, Why::Assigned, by);
    }

    /// Takes an app away. With Deactivate Users on, the account in the app is deactivated.
    pub(super) fn unassign(&mut self, pair: &Pair, by: Entity) {
        if !self.assignments.contains_key(pair) {
            return;
        }
        self.log_membership("application.user_membership.remove", pair, by.clone());
        let deactivates = self.find_app(&pair.0).is_some_and(|app| {
            app.active && app.provisioning == Provisioning::On && app.capabilities.deactivate
        });
        let account = self.accounts.get_mut(pair).filter(|account| account.active && deactivates);
        if let Some(account) = account {
            account.active = false;
            let job = Job { due: self.now(), pair: pair.clone(), why: Why::Assigned, by, attempt: 1 };
            let transaction = Transaction::Job(self.ids.okta("puj"));
            let event_type = "application.provision.user.deactivate";
            let legacy = Some("app.user_management.deactivate_user");
            self.log_push(&job, &transaction, event_type, legacy, "SUCCESS", None);
        }
        self.assignments.remove(pair);
        self.tasks.retain(|task| (&task.app, &task.user) != (&pair.0, &pair.1));
        self.jobs.retain(|job| job.pair != *pair);
    }

    /// Deactivates the Okta user, which takes all apps away.
    pub(super) fn deactivate_user(&mut self, user: &str, by: &Entity) {
        self.set_status(user, "DEPROVISIONED");
        let target = self.user_entity(user);
        self.log_done("user.lifecycle.deactivate", by.clone(), vec![target], vec![]);
        let pairs: Vec<_> =
            self.assignments.keys().filter(|(_, assigned)| assigned == user).cloned().collect();
        for pair in pairs {
            self.unassign(&pair, by.clone());
        }
    }

    pub(super) fn activate_user(&mut self, user: &str, by: Entity) {
        self.set_status(user, "ACTIVE");
        let target = self.user_entity(user);
        self.log_done("user.lifecycle.activate", by, vec![target], vec![]);
    }

    pub(super) fn set_status(&mut self, user: &str, status: &'static str) {
        let now = self.now();
        let user = self.user_named(user);
        user.status = status;
        user.status_changed = now;
    }
}
