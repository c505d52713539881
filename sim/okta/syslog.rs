//! Writing the System Log, and reading it in the two ways Okta has.

use jiff::{SignedDuration, Timestamp};

use super::event::{Draft, Entity, Event, Transaction};
use super::filter::Filter;
use super::time::to_millisecond;
use super::world::{Pair, World};

/// One page of the log, and where the next begins.
pub(super) struct Page<'a, C> {
    pub events: Vec<&'a Event>,
    pub next: C,
}

/// Where a bounded request goes on: after the event at (published, place in the log).
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub since: Timestamp,
    pub until: Timestamp,
    pub descending: bool,
    pub after: Option<(Timestamp, usize)>,
}

impl World {
    /// Logs one event. Each takes a millisecond of the org's time, so that no two have the same.
    pub(super) fn log(&mut self, draft: Draft) {
        self.clock.advance(SignedDuration::from_millis(1));
        let published = to_millisecond(self.now());
        let uuid = self.ids.uuid();
        self.enter(Event { uuid, published, persisted: published + self.lateness, draft });
    }

    /// Has an event come into the log at its time.
    fn enter(&mut self, event: Event) {
        self.late.push(event);
        self.admit_late();
    }

    /// Lets those late events into the log whose time has come.
    pub(super) fn admit_late(&mut self) {
        let now = self.now();
        self.late.sort_by_key(|event| event.persisted);
        let due = self.late.partition_point(|event| event.persisted <= now);
        self.log.extend(self.late.drain(..due));
        if due > 0 {
            self.grown.send_replace(self.log.len());
        }
    }

    /// Logs something that was done by a request.
    pub(super) fn log_done(
        &mut self,
        event_type: &'static str,
        by: Entity,
        targets: Vec<Entity>,
        debug: Vec<(&'static str, String)>,
    ) {
        let transaction = Transaction::Web(self.ids.hex());
        self.log(Draft {
            event_type,
            legacy: legacy_of(event_type),
            result: "SUCCESS",
            reason: None,
            severity: "INFO",
            actor: by,
            targets,
            transaction,
            debug,
        });
    }

    /// Logs a change of who is assigned what.
    pub(super) fn log_membership(&mut self, event_type: &'static str, pair: &Pair, by: Entity) {
        let targets = self.targets(pair);
        let kind = self.find_app(&pair.0).map(|app| app.kind.clone()).unwrap_or_default();
        self.log_done(event_type, by, targets, vec![("appname", kind)]);
    }

    /// Okta logs the first request over a limit, and mails its administrators.
    pub(super) fn log_rate_limit_violation(&mut self) {
        self.log_done("system.org.rate_limit.violation", super::pushing::system(), vec![], vec![]);
    }

    /// Appends `n` events that have nothing to do with provisioning.
    pub(super) fn chatter(&mut self, n: usize) {
        let kinds = ["user.session.start", "user.authentication.sso", "policy.evaluate_sign_on"];
        let actor = self.user_entity(&self.admin.clone());
        let published = to_millisecond(self.now());
        for i in 0..n {
            let event_type = kinds[i % kinds.len()];
            let draft = Draft {
                event_type,
                legacy: legacy_of(event_type),
                result: "SUCCESS",
                reason: None,
                severity: "INFO",
                actor: actor.clone(),
                targets: vec![],
                transaction: Transaction::Web(self.ids.hex()),
                debug: vec![("requestUri", "/idp/idx/identify".to_owned())],
            };
            let uuid = self.ids.uuid();
            self.enter(Event { uuid, published, persisted: published + self.lateness, draft });
        }
    }

    /// The place in the log of the first event that was persisted at `since` or later.
    pub(super) fn place_of(&self, since: Timestamp) -> usize {
        self.log.partition_point(|event| event.persisted < since)
    }

    /// A polling request: events in the order of their persistence, from a place in the log on.
    pub(super) fn poll(&self, from: usize, limit: usize, wants: impl Fn(&Event) -> bool) -> Page<'_, usize> {
        let mut events = Vec::new();
        let mut next = from.min(self.log.len());
        for event in &self.log[next..] {
            if events.len() == limit {
                break;
            }
            next += 1;
            if wants(event) {
                events.push(event);
            }
        }
        Page { events, next }
    }

    /// A bounded request: events in the order of `published`. The next page's bound is `None` after the last.
    pub(super) fn bounded(
        &self,
        bound: Bound,
        limit: usize,
        wants: impl Fn(&Event) -> bool,
    ) -> Page<'_, Option<Bound>> {
        let key = |&(place, event): &(usize, &Event)| (event.published, place);
        let mut all: Vec<_> = self
            .log
            .iter()
            .enumerate()
            .filter(|(_, event)| bound.since <= event.published && event.published < bound.until)
            .filter(|one| match bound.after {
                None => true,
                Some(after) if bound.descending => key(one) < after,
                Some(after) => key(one) > after,
            })
            .filter(|(_, event)| wants(event))
            .collect();
        all.sort_by_key(key);
        if bound.descending {
            all.reverse();
        }
        let more = all.len() > limit;
        all.truncate(limit);
        let last = all.last().map(key);
        let next = more.then_some(Bound { after: last, ..bound });
        Page { events: all.into_iter().map(|(_, event)| event).collect(), next }
    }
}

/// What keeps a filter from being used on the log, if anything does.
pub(super) fn unusable(filter: &Filter) -> Option<String> {
    let known = |path: &str| {
        matches!(
            path,
            "eventType"
                | "legacyEventType"
                | "outcome.result"
                | "outcome.reason"
                | "severity"
                | "displayMessage"
                | "uuid"
                | "transaction.id"
                | "transaction.type"
        ) || ["actor.", "target."].iter().any(|prefix| {
            path.strip_prefix(prefix)
                .is_some_and(|field| ["id", "type", "alternateId", "displayName"].contains(&field))
        }) || path.starts_with("debugContext.debugData.")
            || path.starts_with("client.")
    };
    filter.paths().into_iter().find(|path| !known(path)).map(str::to_owned)
}

/// Source: Okta's catalogue of event types, release 2026.06.1, the last that has the old names.
fn legacy_of(event_type: &str) -> Option<&'static str> {
    Some(match event_type {
        "application.user_membership.add" => "app.generic.provision.assign_user_to_app",
        "application.user_membership.remove" => "app.generic.provision.deactivate_user_from_app",
        "application.lifecycle.update" => "app.generic.config.app_updated",
        "application.lifecycle.deactivate" => "app.generic.config.app_deactivated",
        "user.lifecycle.deactivate" => "core.user.config.user_deactivated",
        "user.lifecycle.activate" => "core.user.config.user_activated",
        "user.session.start" => "core.user_auth.login_success",
        "user.authentication.sso" => "app.auth.sso",
        _ => return None,
    })
}
