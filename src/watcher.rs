//! Watches one org: reads its log page by page, asks about new incidents, decides about events nobody explained.
//!
//! **Invariant:** a pass may fail or be cut off anywhere: a page and the position after it are stored together, and
//! everything else is found again by the next pass.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use commands::desk::Pulse;
use commands::memory::Memory;
use dashmap::DashMap;
use domain::cause::{CauseId, Rules};
use domain::facts::{AppFacts, LogFrom, LogPage, ProvisioningFeature};
use domain::ids::{AppId, IncidentNumber, OrgName};
use domain::incident::{Change, EndedBecause, Findings, Incident, Mode};
use domain::notice::Told;
use domain::ports::{Clock, Directory, DirectoryError};
use domain::store::{Batch, Position, Query, Store, Which};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tracing::{info, instrument, warn};

use crate::metrics::Metrics;

/// How far before the last event reading begins again when the position is lost: events are stored out of the order
/// of their times by up to minutes, and known ones are skipped by their ids.
const OVERLAP: SignedDuration = SignedDuration::from_mins(60);

/// Okta keeps its log for 90 days. Source: Okta, System Log query.
const RETENTION: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How long the log may be unreadable before the channel is told.
const TOLERATED: SignedDuration = SignedDuration::from_mins(3);

/// How long a fact that could not be had is left alone.
const ASK_AGAIN: SignedDuration = SignedDuration::from_mins(5);

/// A page with fewer entries than this is the last one for now.
pub const PAGE: usize = 1_000;

/// Where reading stands is stored again after this time at the latest, even if nothing came.
const STORED_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// What a watcher keeps in mind between two passes, so that one that finds nothing new need not ask the store.
#[derive(Default)]
pub struct Mind {
    /// Where reading stands, and when that was stored last.
    position: Mutex<Option<(Position, Timestamp)>>,
    /// Nothing unexplained is left.
    settled: AtomicBool,
}

impl Mind {
    fn position(&self) -> Option<(Position, Timestamp)> {
        self.position.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, position: Option<(Position, Timestamp)>) {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner) = position;
    }
}

/// What a pass brought so far.
#[derive(Default)]
struct News {
    /// Events that were not known before.
    events: u64,
    /// Whether they changed incidents.
    changed: bool,
}

/// Watches one org.
pub struct Watcher {
    /// The org.
    pub org: OrgName,
    /// Its API.
    pub directory: Arc<dyn Directory>,
    /// What is remembered.
    pub store: Arc<dyn Store>,
    /// Where the open incidents and what apps are like is kept for autocomplete.
    pub memory: Arc<Memory>,
    /// Where it is told that the org cannot be read.
    pub pulse: Arc<Pulse>,
    /// The cause rules.
    pub rules: Arc<Rules>,
    /// Which causes open an incident.
    pub alert_causes: BTreeSet<CauseId>,
    /// How far the first start looks back.
    pub lookback: SignedDuration,
    /// How long an event without a reason waits for one.
    pub group_wait: SignedDuration,
    /// A hash of the filter that the log is asked with.
    pub filter: String,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Wakes the board.
    pub board: Arc<Notify>,
    /// Wakes the executor: what came may be the proof that somebody waits for.
    pub work: Arc<Notify>,
    /// Something came that nothing explains yet: it is to be settled after `group_wait`.
    pub unexplained: Notify,
    /// Where it is counted.
    pub metrics: Metrics,
    /// How long lies between two looks at the log.
    pub poll_interval: SignedDuration,
    /// When this watcher was started, by our clock.
    pub started: Timestamp,
    /// What it keeps in mind.
    pub mind: Mind,
    /// When Okta was last asked about an incident and did not tell everything.
    pub asked: DashMap<IncidentNumber, Timestamp>,
}

impl Watcher {
    /// One pass: reads the log to its end, then sees to what it brought.
    ///
    /// # Errors
    ///
    /// Okta's or the store's. The channel is told when Okta's log stays unreadable.
    #[instrument(name = "watch", skip_all, fields(org = %self.org))]
    pub async fn pass(&self) -> anyhow::Result<()> {
        let before = match self.mind.position() {
            Some((position, _)) => Some(position),
            None => self.store.position(&self.org).await?,
        };
        let mut news = News::default();
        let read = self.catch_up(before.clone(), &mut news).await;
        if read.is_err() {
            self.mind.keep(None);
        }
        // Once for all pages: it reads every open incident with every failure in it.
        if news.changed {
            self.remember().await?;
        }
        match read {
            Ok(()) => {
                self.metrics.poll_worked(&self.org);
                self.sees(before, news.events).await?;
            }
            Err(failure) => {
                self.metrics.poll_failed(&self.org, kind(&failure));
                self.is_blind(before, &failure).await?;
                return Err(failure);
            }
        }
        self.see_to().await
    }

    /// Sees to what earlier pages left: events nobody explained, and incidents that Okta was not asked about yet.
    ///
    /// # Errors
    ///
    /// The store's. What Okta does not answer is noted on the incident.
    pub async fn see_to(&self) -> anyhow::Result<()> {
        self.settle().await?;
        self.ask_about_new().await?;
        Ok(())
    }

    async fn catch_up(&self, before: Option<Position>, news: &mut News) -> anyhow::Result<()> {
        let mut position = before.unwrap_or_else(|| Position {
            next: None,
            filter: self.filter.clone(),
            last_event: None,
            looked_back: false,
            caught_up: None,
        });
        let mut from = self.start(&position);
        loop {
            let page = match self.directory.log(&from).await {
                Ok(page) => page,
                Err(DirectoryError::CursorRefused { said }) if matches!(from, LogFrom::Cursor(_)) => {
                    from = self.begin_anew(&position, said).await?;
                    continue;
                }
                Err(failure) => return Err(failure.into()),
            };
            let last = page.held < PAGE;
            let stuck = page.next.is_some() && from == LogFrom::Cursor(page.next.clone().unwrap_or_default());
            position = self.after(position, &page, last);
            let next = page.next.clone();
            self.take_in(page, &position, news).await?;
            match next {
                Some(next) if !last && !stuck => from = LogFrom::Cursor(next),
                _ => return Ok(()),
            }
        }
    }

    fn start(&self, position: &Position) -> LogFrom {
        match (&position.next, position.last_event) {
            (Some(next), _) if position.filter == self.filter => LogFrom::Cursor(next.clone()),
            (_, Some(last)) => LogFrom::Since(self.clamp(last - OVERLAP)),
            (_, None) => LogFrom::Since(self.clock.now() - self.lookback),
        }
    }

    fn clamp(&self, since: Timestamp) -> Timestamp {
        since.max(self.clock.now() - RETENTION)
    }

    async fn begin_anew(&self, position: &Position, why: String) -> anyhow::Result<LogFrom> {
        let wanted =
            position.last_event.map_or_else(|| self.clock.now() - self.lookback, |last| last - OVERLAP);
        let from = self.clamp(wanted);
        warn!(org = %self.org, %from, "Okta refused the stored position in its log; reading anew from {from}");
        let told = Told::Restarted { from, why, gap: from > wanted };
        self.store.add_notice(&self.org, &told, self.clock.now()).await?;
        self.board.notify_one();
        Ok(LogFrom::Since(from))
    }

    fn after(&self, before: Position, page: &LogPage, last: bool) -> Position {
        let newest = page.events.iter().map(|event| event.published).max();
        Position {
            next: page.next.clone().or(before.next),
            filter: self.filter.clone(),
            last_event: before.last_event.max(newest),
            looked_back: before.looked_back || last,
            caught_up: if last { Some(self.clock.now()) } else { before.caught_up },
        }
    }

    /// Whether a page says only that nothing has happened, and that was stored not long ago.
    fn is_old_news(&self, page: &LogPage, position: &Position) -> Option<Timestamp> {
        let (known, stored) = self.mind.position()?;
        let same = Position { caught_up: known.caught_up, ..position.clone() } == known;
        let empty = page.events.is_empty() && page.unreadable.is_empty();
        (same && empty && self.clock.now().duration_since(stored) < STORED_EVERY).then_some(stored)
    }

    async fn take_in(&self, page: LogPage, position: &Position, news: &mut News) -> anyhow::Result<()> {
        if let Some(stored) = self.is_old_news(&page, position) {
            self.mind.keep(Some((position.clone(), stored)));
            return Ok(());
        }
        let batch = Batch {
            events: page.events,
            unreadable: page.unreadable,
            position: position.clone(),
            rules: self.rules.clone(),
            alert_causes: self.alert_causes.clone(),
            now: self.clock.now(),
        };
        let taken = self.store.take_in(&self.org, &batch).await.context("a page could not be stored")?;
        self.mind.keep(Some((position.clone(), batch.now)));
        for unreadable in &batch.unreadable {
            warn!(org = %self.org, event.id = unreadable.id, "A log entry cannot be understood: {}", unreadable.why);
        }
        self.metrics.taken_in(&self.org, &taken);
        // Most polls bring nothing. What does come may be a proof, a change of a card, or a notice.
        if taken.new > 0 {
            self.work.notify_one();
            self.board.notify_one();
        }
        if let Some(last) = position.last_event {
            let lag = self.clock.now().duration_since(last).try_into().unwrap_or_default();
            self.metrics.poll_lag(&self.org, lag);
        }
        if taken.classes.iter().any(|(class, _)| class == "unexplained") {
            self.mind.settled.store(false, Ordering::SeqCst);
            self.unexplained.notify_one();
        }
        if !taken.touched.is_empty() {
            info!(org = %self.org, "{} new events changed {} incidents", taken.new, taken.touched.len());
            news.changed = true;
        }
        news.events += taken.new;
        Ok(())
    }

    /// Keeps the open incidents in memory for autocomplete.
    async fn remember(&self) -> anyhow::Result<()> {
        let open = self.store.incidents(&Query::default()).await?;
        let ours = open.iter().filter(|incident| incident.org == self.org).count();
        self.metrics.open_incidents(&self.org, ours);
        self.memory.keep_open(open);
        Ok(())
    }

    async fn settle(&self) -> anyhow::Result<()> {
        // Said first, so that an event that comes while the store is asked takes it back.
        if self.mind.settled.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        let settled = self.settle_what_is_due().await;
        if !matches!(settled, Ok(true)) {
            self.mind.settled.store(false, Ordering::SeqCst);
        }
        settled.map(|_| ())
    }

    /// Decides about events that have waited long enough; whether none is left, not even one that has to wait.
    async fn settle_what_is_due(&self) -> anyhow::Result<bool> {
        let now = self.clock.now();
        let due = self.store.unexplained(&self.org, now - self.group_wait).await?;
        let mut unknown: BTreeSet<&AppId> = BTreeSet::new();
        for event in &due {
            let app = event.app.as_ref().map(|app| &app.id);
            // One that could not be had is not asked for again for each event of a storm.
            let off = match app.filter(|app| !unknown.contains(app)) {
                Some(app) => self.is_off(app).await,
                None => None,
            };
            unknown.extend(app.filter(|_| off.is_none()));
            self.store.settle(&self.org, &event.id, off, &self.alert_causes, self.clock.now()).await?;
        }
        if !due.is_empty() {
            self.remember().await?;
            self.board.notify_one();
        }
        Ok(self.store.unexplained(&self.org, now + self.group_wait).await?.is_empty())
    }

    /// Whether Deactivate Users is off for an app that Okta provisions: from memory, else from Okta.
    async fn is_off(&self, app: &AppId) -> Option<bool> {
        let facts = match self.memory.app(&self.org, app) {
            Some(facts) => facts,
            None => {
                let facts = self.directory.app(app).await.ok()?;
                self.memory.keep_app(&self.org, facts.clone());
                facts
            }
        };
        Some(facts.provisions() && !facts.deactivates_users())
    }

    async fn ask_about_new(&self) -> anyhow::Result<()> {
        // Every new one is remembered before it comes to this, so most passes need not ask the store.
        if self.memory.open().iter().all(|incident| incident.org != self.org) {
            return Ok(());
        }
        let query = Query { org: Some(self.org.clone()), which: Which::Open, ..Query::default() };
        for incident in self.store.incidents(&query).await? {
            // An Okta that hangs must not keep the log from being read: the next pass goes on with the others.
            if self.is_to_be_asked_about(&incident) && !self.ask_about(&incident).await? {
                break;
            }
        }
        Ok(())
    }

    /// One that Okta was not asked about yet, or did not answer about lately.
    fn is_to_be_asked_about(&self, incident: &Incident) -> bool {
        incident.findings.as_ref().is_none_or(|findings| {
            let asked = self.asked.get(&incident.number).map_or(findings.at, |asked| asked.max(findings.at));
            !findings.missing.is_empty() && self.clock.now().duration_since(asked) >= ASK_AGAIN
        })
    }

    /// Asks Okta about a new incident's app and people: at most three calls. Says whether Okta can be asked more now.
    #[instrument(skip_all, fields(incident = %incident.number))]
    async fn ask_about(&self, incident: &Incident) -> anyhow::Result<bool> {
        let app = &incident.app.id;
        self.asked.insert(incident.number, self.clock.now());
        let facts = self.directory.app(app).await;
        let answers = !facts.as_ref().is_err_and(is_absent);
        let mut missing = Vec::new();
        let mut mode = Mode::Guided;
        if let Ok(facts) = &facts
            && facts.may_be_writable()
        {
            match self.directory.provisioning_feature(app).await {
                Ok(ProvisioningFeature::Readable { .. }) => mode = Mode::Api,
                Ok(ProvisioningFeature::ByHandOnly { .. }) => {}
                Err(why) => missing.push(format!("the provisioning feature: {why}")),
            }
        }
        if let Err(why) = &facts {
            missing.push(format!("the app: {why}"));
        }
        let mut users = Vec::new();
        if answers {
            match self.directory.app_users(app, None).await {
                Ok(page) => users = page.items,
                Err(why) => missing.push(format!("the people: {why}")),
            }
        }
        let assigned = users.iter().map(|user| (user.person.id.clone(), user.scope)).collect();
        let findings = Findings {
            at: self.clock.now(),
            deactivates_users: facts.as_ref().ok().map(AppFacts::deactivates_users),
            mode,
            kind: facts.as_ref().map_or(String::new(), |facts| facts.kind.clone()),
            missing,
        };
        if let Ok(facts) = facts {
            self.memory.keep_app(&self.org, facts);
        }
        let now = self.clock.now();
        self.store.change(incident.number, Change::Found { findings, assigned }, now).await?;
        for user in users.iter().filter(|user| !user.is_active_in_okta()) {
            let why = EndedBecause::InactiveInOkta;
            let change = Change::Gone { person: user.person.id.clone(), why, at: now };
            self.store.change(incident.number, change, now).await?;
        }
        self.remember().await?;
        self.board.notify_one();
        Ok(answers)
    }

    /// How long the log may go unread: three looks, where they are far apart.
    fn tolerated(&self) -> SignedDuration {
        TOLERATED.max(self.poll_interval.saturating_mul(3))
    }

    /// Since when the log has not been read to its end, if that is long enough to tell.
    fn blind_since(&self, before: Option<&Position>) -> Timestamp {
        before.and_then(|position| position.caught_up).unwrap_or(self.started)
    }

    async fn is_blind(&self, before: Option<Position>, failure: &anyhow::Error) -> anyhow::Result<()> {
        let Some(failure) = failure.downcast_ref::<DirectoryError>() else { return Ok(()) };
        let since = self.blind_since(before.as_ref());
        let why = failure.to_string();
        self.pulse.blind.insert(self.org.clone(), (since, why.clone()));
        if self.clock.now().duration_since(since) >= self.tolerated() {
            self.store.add_notice(&self.org, &Told::Blind { since, why }, self.clock.now()).await?;
            self.board.notify_one();
        }
        Ok(())
    }

    async fn sees(&self, before: Option<Position>, new: u64) -> anyhow::Result<()> {
        let blind = self.pulse.blind.remove(&self.org).map(|(_, (since, _))| since);
        // At the first start nothing was read before: then only its own blindness ends.
        let Some(since) = before.and_then(|position| position.caught_up).or(blind) else { return Ok(()) };
        let now = self.clock.now();
        if now.duration_since(since) >= self.tolerated() {
            let told = Told::SeesAgain { since, until: now, caught_up: new };
            self.store.add_notice(&self.org, &told, now).await?;
            self.board.notify_one();
        }
        Ok(())
    }
}

/// Whether Okta does not answer at all now, so that the next question would wait in vain as well.
fn is_absent(failure: &DirectoryError) -> bool {
    matches!(failure, DirectoryError::Unreachable { .. } | DirectoryError::RateLimited { .. })
}

/// One word for the metrics.
fn kind(failure: &anyhow::Error) -> &'static str {
    match failure.downcast_ref::<DirectoryError>() {
        Some(DirectoryError::RateLimited { .. }) => "rate_limited",
        Some(DirectoryError::Unauthorized { .. } | DirectoryError::Forbidden { .. }) => "refused",
        Some(DirectoryError::Unreachable { .. }) => "unreachable",
        Some(DirectoryError::BadAnswer { .. }) => "bad_answer",
        Some(
            DirectoryError::Gone { .. }
            | DirectoryError::CursorRefused { .. }
            | DirectoryError::Refused { .. },
        ) => "rejected",
        None => "store",
    }
}

/// Reads the org's apps anew for autocomplete, page by page; stops early where the rate limit says so.
///
/// # Errors
///
/// Okta's; what was known stays.
pub async fn index(org: &OrgName, directory: &dyn Directory, memory: &Memory) -> anyhow::Result<()> {
    let mut apps = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..INDEX_PAGES {
        let page = directory.apps(after.as_deref()).await?;
        apps.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    memory.keep_apps(org, apps);
    Ok(())
}

/// 200 apps each.
const INDEX_PAGES: usize = 50;
