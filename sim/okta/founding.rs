//! How the org begins, and how people and apps come into it.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use jiff::SignedDuration;
use tokio::sync::watch;

use super::ids::Ids;
use super::limits::Limits;
use super::oauth::OAuth;
use super::time::WorldClock;
use super::world::{App, Capabilities, Provisioning, User, World};
use super::{DeactivateUsers, FailureShape, FeatureWrites, Settings};

impl World {
    pub(super) fn new(settings: &Settings, address: SocketAddr) -> Self {
        let mut names = Ids::from_seed(settings.seed);
        let ids = Ids::from_seed(!settings.seed);
        let mut world = Self {
            clock: WorldClock::starting_at(settings.start),
            url: format!("http://{address}"),
            org_id: names.okta("00o"),
            api_token_id: names.okta("00T"),
            names,
            ids,
            api_token: settings.api_token.clone(),
            admin: String::new(),
            console_user: String::new(),
            apps: vec![],
            users: vec![],
            assignments: BTreeMap::new(),
            accounts: BTreeMap::new(),
            log: vec![],
            grown: watch::Sender::new(0),
            late: vec![],
            jobs: VecDeque::new(),
            tasks: vec![],
            shape: FailureShape::Usual,
            sync_logs_first: false,
            successes_are_silent: false,
            lateness: SignedDuration::ZERO,
            pushes_take: SignedDuration::ZERO,
            limits: Limits::default(),
            oauth: OAuth::default(),
        };
        world.admin = world.hire("Okta", "Admin", "admin@example.com".to_owned());
        world.console_user.clone_from(&world.admin);
        world
    }

    pub(super) fn hire(&mut self, first: &str, last: &str, login: String) -> String {
        let (id, now) = (self.names.okta("00u"), self.now());
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

    pub(super) fn install(
        &mut self,
        label: &str,
        kind: &str,
        provisioning: Provisioning,
        setting: DeactivateUsers,
    ) -> String {
        let (id, now) = (self.names.okta("0oa"), self.now());
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
            feature_writes: FeatureWrites::Merge,
        });
        id
    }
}
