//! Asks Okta for what a diagnosis needs.

use std::collections::{BTreeSet, HashMap};

use futures_util::future::join4;
use jiff::{SignedDuration, Timestamp};

use crate::casebook::{Casebook, Judged};
use crate::cause::{CauseId, Rules};
use crate::event::Event;
use crate::facts::{AppFacts, AppUser, Assigned, Connection, Had, ProvisioningFeature, Scope};
use crate::ids::{AppId, OrgName};
use crate::incident::{Incident, SettingChange};
use crate::ports::{Directory, DirectoryError};

/// How far back a diagnosis reads: as far as Okta keeps its log. Source: Okta, System Log query, retention.
pub const WINDOW: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How many pages of an app's log a diagnosis reads at most, 1,000 events each.
const LOG_PAGES: usize = 3;

/// How many pages of its people, 500 each; then it is “more than 2,000”.
const PEOPLE_PAGES: usize = 4;

/// What was found, or why it could not be.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The app.
    pub app: Had<AppFacts>,
    /// Its provisioning feature; asked for only where the API may have it.
    pub feature: Option<Had<ProvisioningFeature>>,
    /// Its connection.
    pub connection: Had<Connection>,
    /// Its people, the first 2,000.
    pub users: Had<Vec<AppUser>>,
    /// How many they are.
    pub assigned: Had<Assigned>,
    /// Its log.
    pub history: Had<History>,
    /// Its open incidents, as we remember them.
    pub known: Vec<Incident>,
    /// Changes of its setting, as we remember them.
    pub changes: Vec<SettingChange>,
}

/// What an app's log told.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// Failures by cause, as incidents of their own that nobody is alerted to.
    pub cases: Vec<Incident>,
    /// Changes of its setting.
    pub changes: Vec<SettingChange>,
    /// How far back it was read.
    pub since: Timestamp,
    /// Whether that is the whole window.
    pub complete: bool,
}

impl Evidence {
    /// What could not be had, each as “what: why”.
    pub fn missing(&self) -> Vec<String> {
        let feature = self.feature.as_ref().and_then(|feature| feature.as_ref().err());
        [
            ("the app", self.app.as_ref().err()),
            ("its provisioning feature", feature),
            ("its connection", self.connection.as_ref().err()),
            ("its people", self.users.as_ref().err()),
            ("its log", self.history.as_ref().err()),
        ]
        .into_iter()
        .filter_map(|(what, why)| why.map(|why| format!("{what}: {why}")))
        .collect()
    }
}

/// Asks for everything at once. `kind` is what is already known of the app's kind; where it is not, the app is
/// asked first.
///
/// At most 3 + 4 + 3 calls: the app, its connection, its feature (six kinds only), its people, its log.
pub async fn gather(
    directory: &dyn Directory,
    org: &OrgName,
    app: &AppId,
    rules: &Rules,
    now: Timestamp,
    known: Vec<Incident>,
    changes: Vec<SettingChange>,
) -> Evidence {
    let about = async {
        let (facts, feature) = read_app(directory, app).await;
        (facts.map_err(said), feature.map(|feature| feature.map_err(said)))
    };
    let connection = async { directory.connection(app).await.map_err(said) };
    let people = async { people(directory, app).await.map_err(said) };
    let log = log(directory, app, now);
    let ((app, feature), connection, people, log) = join4(about, connection, people, log).await;
    let off = app.as_ref().ok().map(|app| app.provisions() && !app.deactivates_users());
    let history = log.map(|log| read(org, log, rules, now, off));
    let (users, assigned) = match people {
        Ok((users, assigned)) => (Ok(users), Ok(assigned)),
        Err(why) => (Err(why.clone()), Err(why)),
    };
    Evidence { app, feature, connection, users, assigned, history, known, changes }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn said(error: DirectoryError) -> String {
    error.to_string()
}

/// An app, and its provisioning feature where the API may have it.
pub async fn read_app(
    directory: &dyn Directory,
    app: &AppId,
) -> (Result<AppFacts, DirectoryError>, Option<Result<ProvisioningFeature, DirectoryError>>) {
    let facts = directory.app(app).await;
    let feature = match &facts {
        Ok(facts) if facts.may_be_writable() => Some(directory.provisioning_feature(app).await),
        _ => None,
    };
    (facts, feature)
}

/// An app's people, the first 2,000, and how many they are.
///
/// # Errors
///
/// Okta's, of any of its pages.
pub async fn people(
    directory: &dyn Directory,
    app: &AppId,
) -> Result<(Vec<AppUser>, Assigned), DirectoryError> {
    let mut users = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..PEOPLE_PAGES {
        let page = directory.app_users(app, after.as_deref()).await?;
        users.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let by_group = users.iter().filter(|user| user.scope == Scope::Group).count();
    let assigned = Assigned { by_person: users.len() - by_group, by_group, more: after.is_some() };
    Ok((users, assigned))
}

/// What was read of an app's log.
struct Log {
    events: Vec<Event>,
    since: Timestamp,
    complete: bool,
}

async fn log(directory: &dyn Directory, app: &AppId, now: Timestamp) -> Had<Log> {
    let begin = now - WINDOW;
    let mut events = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..LOG_PAGES {
        let page = directory.app_log(app, begin, now, after.as_deref()).await.map_err(said)?;
        let more = page.held > 0 && page.next.is_some();
        events.extend(page.events);
        after = page.next;
        if !more {
            after = None;
            break;
        }
    }
    let complete = after.is_none();
    let oldest = events.iter().map(|event| event.published).min();
    let since = if complete { begin } else { oldest.unwrap_or(begin) };
    Ok(Log { events, since, complete })
}

/// Reads an app's log the way the watcher does, with every cause, and alerts nobody. `off` as for
/// [`Casebook::settle`]; where it is not known, a failure without a reason has another cause.
fn read(org: &OrgName, log: Log, rules: &Rules, now: Timestamp, off: Option<bool>) -> History {
    let Log { mut events, since, complete } = log;
    events.sort_by_key(|event| event.published);
    let mut book = Casebook {
        org: org.clone(),
        now,
        quiet: true,
        alert_causes: rules.ids().map(CauseId::from).collect(),
        next_number: 1,
        incidents: Vec::new(),
        seen: HashMap::new(),
        settings: HashMap::new(),
        fixed_apps: BTreeSet::new(),
        changes: crate::casebook::Changes::default(),
    };
    let judged: Vec<Judged> = events.iter().map(|event| book.take_in(event, rules)).collect();
    let rejudged: BTreeSet<_> = book.changes.rejudged.iter().map(|(id, _)| id.clone()).collect();
    for (event, judged) in events.iter().zip(judged) {
        if judged == Judged::Unexplained && !rejudged.contains(&event.id) {
            book.settle(event, Some(off.unwrap_or(false)));
        }
    }
    let changes = book.changes.settings.into_iter().map(|(_, change)| change).collect();
    History { cases: book.incidents, changes, since, complete }
}
