//! How the parts of the program are: what `/healthz` and `/readyz` tell.
//!
//! A part is ready or says why not. A part with a watchdog must also give a sign of life in time: the process is
//! unhealthy, and worth a restart, only when one of those is overdue. An outage of Okta or Discord makes a part
//! not ready; restarting would not mend it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// All parts. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<Vec<State>>>);

/// One part's handle. Clones are the same part.
#[derive(Debug, Clone)]
pub struct Part {
    all: Health,
    index: usize,
    name: Arc<str>,
}

#[derive(Debug)]
struct State {
    name: Arc<str>,
    ready: Result<(), String>,
    due: Option<Instant>,
}

/// How one part is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartReport {
    /// Its name.
    pub name: String,
    /// Why it is not ready; `None` if it is.
    pub not_ready: Option<String>,
    /// Its sign of life is overdue.
    pub overdue: bool,
}

impl Health {
    /// Adds a part. It is not ready until it says so.
    pub fn part(&self, name: &str) -> Part {
        let mut states = self.states();
        let name: Arc<str> = Arc::from(name);
        states.push(State { name: name.clone(), ready: Err("it is starting".to_owned()), due: None });
        Part { all: self.clone(), index: states.len() - 1, name }
    }

    /// How every part is.
    pub fn report(&self) -> Vec<PartReport> {
        self.report_at(Instant::now())
    }

    fn report_at(&self, now: Instant) -> Vec<PartReport> {
        let report = |state: &State| PartReport {
            name: state.name.to_string(),
            not_ready: state.ready.as_ref().err().cloned(),
            overdue: state.due.is_some_and(|due| now > due),
        };
        self.states().iter().map(report).collect()
    }

    fn states(&self) -> MutexGuard<'_, Vec<State>> {
        // A state is replaced whole, so a panic elsewhere cannot have left it half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Part {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// It does its work.
    pub fn ready(&self) {
        self.set(|state| state.ready = Ok(()));
    }

    /// It cannot do its work. `why` is a sentence that anybody may read: no names, no ids, no secrets.
    pub fn not_ready(&self, why: impl Into<String>) {
        let why = why.into();
        self.set(|state| state.ready = Err(why));
    }

    /// A sign of life; the next one is due within `next`.
    pub fn alive(&self, next: Duration) {
        let due = Instant::now() + next;
        self.set(|state| state.due = Some(due));
    }

    /// It has ended its work on purpose: nothing is due any more.
    pub fn rests(&self) {
        self.set(|state| state.due = None);
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        if let Some(state) = self.all.states().get_mut(self.index) {
            change(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_not_ready_until_it_says_so() {
        let health = Health::default();
        let store = health.part("store");
        assert_eq!(health.report()[0].not_ready.as_deref(), Some("it is starting"));

        store.ready();
        assert_eq!(health.report()[0].not_ready, None);

        store.clone().not_ready("the disk is full");
        assert_eq!(health.report()[0].not_ready.as_deref(), Some("the disk is full"));
    }

    #[test]
    fn only_a_missing_sign_of_life_is_overdue() {
        let health = Health::default();
        let watcher = health.part("watcher");
        let later = Instant::now() + Duration::from_secs(60);
        assert!(!health.report_at(later)[0].overdue, "nothing was promised");

        watcher.alive(Duration::from_secs(30));
        watcher.not_ready("Okta cannot be reached");
        assert!(!health.report()[0].overdue);
        assert!(health.report_at(later)[0].overdue);

        watcher.rests();
        assert!(!health.report_at(later)[0].overdue);
    }
}
