//! What happens when Okta pushes somebody to an app, and which events that leaves in the log.

use jiff::{SignedDuration, Timestamp};

use super::event::{Draft, Entity, Transaction};
use super::world::{Account, Pair, Provisioning, World};
use super::{FailureShape, Task};

/// Okta gives a rescheduled push up after so many attempts.
const MOST_ATTEMPTS: u32 = 10;

/// Okta's limit for `outcome.reason`.
const LONGEST_REASON: usize = 255;

/// Why a push is made; it decides what is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Somebody was assigned: the account is created or reactivated.
    Assigned,
    /// The app user's profile was written.
    ProfileWritten,
    /// Dashboard > Tasks > Retry: what failed is done again.
    Retried,
    /// Okta tries again by itself what an app was too busy for.
    Rescheduled,
}

/// A push that waits for its time.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub due: Timestamp,
    pub pair: Pair,
    pub why: Why,
    pub by: Entity,
    /// Counts from 1.
    pub attempt: u32,
}

enum Outcome {
    Created,
    Updated,
    Reactivated,
    AccountInactive,
    Busy,
    Refused(String),
}

impl World {
    /// Has somebody pushed: at once, or after the time that pushes take in this world.
    pub(super) fn request_push(&mut self, pair: &Pair, why: Why, by: Entity) {
        let job = Job { due: self.now() + self.pushes_take, pair: pair.clone(), why, by, attempt: 1 };
        if self.pushes_take > SignedDuration::ZERO {
            self.jobs.push_back(job);
        } else {
            self.push(&job);
        }
    }

    /// Does every job whose time has come.
    pub(super) fn tick(&mut self) {
        let now = self.now();
        while let Some(at) = self.jobs.iter().position(|job| job.due <= now) {
            if let Some(job) = self.jobs.remove(at) {
                self.push(&job);
            }
        }
        self.admit_late();
    }

    fn push(&mut self, job: &Job) {
        let Some(outcome) = self.outcome(job) else { return };
        let transaction = Transaction::Job(self.ids.okta("puj"));
        match outcome {
            Outcome::Created => self.succeeds(job, &transaction, "application.provision.user.push"),
            Outcome::Updated => self.succeeds(job, &transaction, "application.provision.user.push_profile"),
            Outcome::Reactivated if job.why == Why::ProfileWritten => {
                self.succeeds(job, &transaction, "application.provision.user.push_profile");
            }
            Outcome::Reactivated => self.succeeds(job, &transaction, "application.provision.user.push"),
            Outcome::AccountInactive => self.fails_inactive(job, &transaction),
            Outcome::Refused(vendor) => self.fails(job, &transaction, &vendor),
            Outcome::Busy => {
                let vendor = "API rate limit exceeded. Rescheduling provision job.";
                self.fails(job, &transaction, vendor);
                self.reschedule(job);
            }
        }
    }

    /// How a push ends; `None` if Okta does not push at all.
    fn outcome(&self, job: &Job) -> Option<Outcome> {
        let (app, user) = &job.pair;
        let app = self.find_app(app)?;
        let pushes = app.active && app.provisioning == Provisioning::On;
        let active = self.find_user(user)?.status == "ACTIVE";
        if !pushes || !active || !self.assignments.contains_key(&job.pair) {
            return None;
        }
        if app.busy_until.is_some_and(|until| self.now() < until) {
            return Some(Outcome::Busy);
        }
        if let Some(reason) = &app.refuses_with {
            return Some(Outcome::Refused(reason.clone()));
        }
        Some(match self.accounts.get(&job.pair) {
            None => Outcome::Created,
            Some(Account { active: true, .. }) => Outcome::Updated,
            Some(_) if job.why == Why::ProfileWritten && !app.profile_push_reactivates => {
                Outcome::AccountInactive
            }
            Some(_) if app.capabilities.deactivate => Outcome::Reactivated,
            Some(_) => Outcome::AccountInactive,
        })
    }

    fn succeeds(&mut self, job: &Job, transaction: &Transaction, event_type: &'static str) {
        let fresh = self.ids.hex();
        let account =
            self.accounts.entry(job.pair.clone()).or_insert(Account { external_id: fresh, active: true });
        account.active = true;
        let external_id = account.external_id.clone();

        let legacy = match event_type {
            "application.provision.user.push" => "app.user_management.push_new_user",
            _ => "app.user_management.push_profile_success",
        };
        if !self.successes_are_silent {
            self.log_push(job, transaction, event_type, Some(legacy), "SUCCESS", None);
            let sync = "application.provision.user.sync";
            self.log_push(
                job,
                transaction,
                sync,
                Some("app.user_management.provision_user"),
                "SUCCESS",
                None,
            );
        }

        let now = self.now();
        if let Some(app_user) = self.assignments.get_mut(&job.pair) {
            if app_user.status != "PROVISIONED" {
                app_user.status_changed = now;
            }
            app_user.status = "PROVISIONED";
            app_user.sync_state = "SYNCHRONIZED";
            app_user.external_id = Some(external_id);
            app_user.last_sync = Some(now);
            app_user.updated = now;
        }
        self.tasks.retain(|task| (&task.app, &task.user) != (&job.pair.0, &job.pair.1));
        self.forget_rescheduled(&job.pair);
    }

    /// The failure all this is about. What it logs differs from app to app and from release to release.
    fn fails_inactive(&mut self, job: &Job, transaction: &Transaction) {
        const PUSH: &str = "application.provision.user.push";
        const PUSH_PROFILE: &str = "application.provision.user.push_profile";
        const INACTIVE: &str = "app.user_management.provision_user.user_inactive";

        let reason = self.reason(job, "User account is inactive");
        self.note_task(job, Some(&reason));
        let (event_type, legacy, result, reason) = match self.shape {
            FailureShape::Usual => (PUSH_PROFILE, Some(INACTIVE), "FAILURE", Some(reason)),
            FailureShape::ReasonOnPush => (PUSH, Some("app.api.error.create_user"), "FAILURE", Some(reason)),
            FailureShape::LegacyTypeOnly => (PUSH_PROFILE, Some(INACTIVE), "FAILURE", None),
            FailureShape::ReasonOnly => (PUSH_PROFILE, None, "FAILURE", Some(reason)),
            FailureShape::SuccessOutcome => (PUSH_PROFILE, Some(INACTIVE), "SUCCESS", None),
            FailureShape::Unexplained => {
                (PUSH_PROFILE, Some("app.user_management.push_profile_failure"), "FAILURE", None)
            }
        };
        if self.sync_logs_first {
            self.log_failed_sync(job, transaction);
            self.log_push(job, transaction, event_type, legacy, result, reason);
        } else {
            self.log_push(job, transaction, event_type, legacy, result, reason);
            self.log_failed_sync(job, transaction);
        }
    }

    fn fails(&mut self, job: &Job, transaction: &Transaction, vendor: &str) {
        let reason = self.reason(job, vendor);
        self.note_task(job, Some(&reason));
        let (event_type, legacy) = match self.accounts.contains_key(&job.pair) {
            true => ("application.provision.user.push_profile", "app.api.error.push_profile_update"),
            false => ("application.provision.user.push", "app.api.error.create_user"),
        };
        self.log_push(job, transaction, event_type, Some(legacy), "FAILURE", Some(reason));
        self.log_failed_sync(job, transaction);
    }

    fn log_failed_sync(&mut self, job: &Job, transaction: &Transaction) {
        let legacy = Some("app.user_management.provision_user_failed");
        self.log_push(job, transaction, "application.provision.user.sync", legacy, "FAILURE", None);
    }

    /// Okta's own grammar: "<Okta's message>: <the app's message>", cut to what the log keeps.
    fn reason(&self, job: &Job, vendor: &str) -> String {
        let (app, user) = &job.pair;
        let login = self.find_user(user).map_or(&**user, |user| &user.login);
        let label = self.find_app(app).map_or(&**app, |app| &app.label);
        let reason = format!("Automatic provisioning of user {login} to app {label} failed: {vendor}");
        reason.chars().take(LONGEST_REASON).collect()
    }

    fn note_task(&mut self, job: &Job, reason: Option<&str>) {
        let now = self.now();
        if let Some(app_user) = self.assignments.get_mut(&job.pair) {
            app_user.sync_state = "ERROR";
            app_user.updated = now;
        }
        let (app, user) = job.pair.clone();
        let known = self.tasks.iter_mut().find(|task| task.app == app && task.user == user);
        if let Some(task) = known {
            task.last = now;
            task.attempts += 1;
            task.reason = reason.map(str::to_owned);
            return;
        }
        let label = self.find_app(&app).map(|app| app.label.clone()).unwrap_or_default();
        let login = self.find_user(&user).map(|user| user.login.clone()).unwrap_or_default();
        self.tasks.push(Task {
            app,
            label,
            user,
            login,
            reason: reason.map(str::to_owned),
            since: now,
            last: now,
            attempts: 1,
            failures: 0,
        });
    }

    /// Okta waits five minutes after an app's "too many requests", then twice as long each time.
    ///
    /// Source: Okta's developer documentation, "SCIM concepts".
    fn reschedule(&mut self, job: &Job) {
        if job.attempt >= MOST_ATTEMPTS {
            return;
        }
        self.forget_rescheduled(&job.pair);
        let wait = SignedDuration::from_mins(5 << (job.attempt - 1));
        self.jobs.push_back(Job {
            due: self.now() + wait,
            why: Why::Rescheduled,
            by: system(),
            attempt: job.attempt + 1,
            ..job.clone()
        });
    }

    fn forget_rescheduled(&mut self, pair: &Pair) {
        self.jobs.retain(|job| job.pair != *pair || job.why != Why::Rescheduled);
    }

    pub(super) fn log_push(
        &mut self,
        job: &Job,
        transaction: &Transaction,
        event_type: &'static str,
        legacy: Option<&'static str>,
        result: &'static str,
        reason: Option<String>,
    ) {
        if result == "FAILURE" {
            let (app, user) = &job.pair;
            let task = self.tasks.iter_mut().find(|task| (&task.app, &task.user) == (app, user));
            task.into_iter().for_each(|task| task.failures += 1);
        }
        let targets = self.targets(&job.pair);
        let kind = self.find_app(&job.pair.0).map(|app| app.kind.clone()).unwrap_or_default();
        self.log(Draft {
            event_type,
            legacy,
            result,
            reason,
            severity: if result == "FAILURE" { "ERROR" } else { "INFO" },
            actor: job.by.clone(),
            targets,
            transaction: transaction.clone(),
            debug: vec![("appname", kind)],
        });
    }
}

/// Okta itself, as the actor of what nobody asked for.
pub(super) fn system() -> Entity {
    Entity {
        id: "00osystem0principal0".to_owned(),
        kind: "SystemPrincipal",
        alternate_id: "system@okta.com".to_owned(),
        name: "Okta System".to_owned(),
        changes: None,
        token: None,
    }
}
