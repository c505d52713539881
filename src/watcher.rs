//! Watches one org: reads its log page by page, asks about new incidents, decides about events nobody explained.
//!
//! **Invariant:** a pass may fail or be cut off anywhere: a page and the position after it are stored together, and
//! everything else is found again by the next pass.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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

use crate::every::patience;
use crate::health::Part;
use crate::metrics::Metrics;

/// How far before the last event reading begins again when the position is lost: events are stored out of the order
/// of their times by up to minutes, and known ones are skipped by their ids.
const OVERLAP: SignedDuration = SignedDuration::from_mins(60);

/// Okta keeps its log for 90 days. Source: Okta, System Log query.
const RETENTION: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How long the log may be unreadable before the channel is told.
const TOLERATED: SignedDuration = SignedDuration::from_mins(3);

/// How long a fact that could not be had is left alone, and an incident that more people have joined.
const ASK_AGAIN: SignedDuration = SignedDuration::from_mins(5);

/// How often Okta is asked again about an open incident: its people may have been suspended or unassigned meanwhile,
/// and the log does not always tell.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// For how long what Okta said about an app is good enough to decide by.
const FRESH: SignedDuration = SignedDuration::from_secs(30);

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
    /// New events since the log was last read to its end.
    brought: AtomicU64,
    /// When Okta was last asked about an app, in vain or not; forgotten when a setting changes.
    asked_about: DashMap<AppId, (Timestamp, bool)>,
    /// Held by whoever sees to what is left, so that Okta is asked once.
    seeing_to: tokio::sync::Mutex<()>,
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
    /// Pages that were stored.
    pages: u64,
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
    /// Where a long pass gives its signs of life.
    pub part: Part,
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
        self.mind.brought.fetch_add(news.events, Ordering::SeqCst);
        match read {
            Ok(()) => {
                self.metrics.poll_worked(&self.org);
                self.sees(before, self.mind.brought.swap(0, Ordering::SeqCst)).await?;
            }
            Err(failure) => {
                self.metrics.poll_failed(&self.org, kind(&failure));
                // A backlog that is read as fast as the share of the rate limit allows is no outage.
                if !(news.pages > 0 && kind(&failure) == "rate_limited") {
                    self.is_blind(before, &failure).await?;
                    return Err(failure);
                }
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
        let Ok(_seeing_to) = self.mind.seeing_to.try_lock() else { return Ok(()) };
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
            _ => LogFrom::Since(self.clamp(self.anew(position))),
        }
    }

    /// Where reading begins without a position: a little before what was read last, or as far back as it looks at
    /// its first start.
    fn anew(&self, position: &Position) -> Timestamp {
        let read = position.last_event.or(position.caught_up);
        read.map_or_else(|| self.started - self.lookback, |last| last - OVERLAP)
    }

    fn clamp(&self, since: Timestamp) -> Timestamp {
        since.max(self.clock.now() - RETENTION)
    }

    async fn begin_anew(&self, position: &Position, why: String) -> anyhow::Result<LogFrom> {
        let wanted = self.anew(position);
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
        self.part.alive(patience(self.poll_interval.try_into().unwrap_or_default()));
        news.pages += 1;
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
        if taken.classes.iter().any(|(class, _)| class == "setting") {
            self.mind.asked_about.clear();
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
        let (mut undecided, mut decided) = (0, 0);
        let mut off_now: BTreeMap<AppId, Option<bool>> = BTreeMap::new();
        // What cannot be decided stays, and must not hide what comes after it.
        loop {
            let due = self.store.unexplained(&self.org, now - self.group_wait, undecided).await?;
            if due.is_empty() {
                break;
            }
            self.part.alive(patience(self.poll_interval.try_into().unwrap_or_default()));
            for event in &due {
                let app = event.app.as_ref().map(|app| &app.id);
                if app.is_some_and(|app| self.is_left_alone(app, now)) {
                    undecided += 1;
                    continue;
                }
                let off = match app {
                    Some(app) => match off_now.get(app) {
                        Some(known) => *known,
                        // One that could not be had is not asked for again for each event of a storm.
                        None => *off_now.entry(app.clone()).or_insert(self.is_off(app).await),
                    },
                    None => None,
                };
                let at = self.clock.now();
                match self.store.settle(&self.org, &event.id, off, &self.alert_causes, at).await? {
                    true => decided += 1,
                    false => undecided += 1,
                }
            }
        }
        if decided > 0 {
            self.remember().await?;
            self.board.notify_one();
        }
        Ok(self.store.unexplained(&self.org, now + self.group_wait, 0).await?.is_empty())
    }

    /// Whether Okta was asked about an app before this pass, and could not tell.
    fn is_left_alone(&self, app: &AppId, pass: Timestamp) -> bool {
        let asked = self.mind.asked_about.get(app).map(|asked| *asked);
        asked.is_some_and(|(at, told)| !told && at < pass && pass.duration_since(at) < ASK_AGAIN)
    }

    /// Whether Deactivate Users is off for an app that Okta provisions; `None` where Okta cannot tell. An app that
    /// Okta does not have any more has no setting that could be off.
    async fn is_off(&self, app: &AppId) -> Option<bool> {
        match self.facts(app).await {
            Ok(facts) => Some(facts.provisions() && !facts.deactivates_users()),
            Err(DirectoryError::Gone { .. }) => Some(false),
            Err(_) => None,
        }
    }

    /// An app as it is now: what Okta said a moment ago, or says when it is asked.
    async fn facts(&self, app: &AppId) -> Result<AppFacts, DirectoryError> {
        let now = self.clock.now();
        let asked = self.mind.asked_about.get(app).map(|asked| *asked);
        if let Some((at, true)) = asked
            && now.duration_since(at) < FRESH
            && let Some(facts) = self.memory.app(&self.org, app)
        {
            return Ok(facts);
        }
        let facts = self.directory.app(app).await;
        self.mind.asked_about.insert(app.clone(), (now, facts.is_ok()));
        if let Ok(facts) = &facts {
            self.memory.keep_app(&self.org, facts.clone());
        }
        facts
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

    /// One that Okta was not asked about yet, or did not answer about lately, or that others have joined since; and
    /// every one now and then.
    fn is_to_be_asked_about(&self, incident: &Incident) -> bool {
        incident.findings.as_ref().is_none_or(|findings| {
            let asked = self.asked.get(&incident.number).map_or(findings.at, |asked| asked.max(findings.at));
            let joined =
                incident.failing().any(|failure| failure.assigned.is_none() && failure.first > asked);
            let wanted = !findings.missing.is_empty() || joined;
            self.clock.now().duration_since(asked) >= if wanted { ASK_AGAIN } else { LOOK_AGAIN }
        })
    }

    /// Asks Okta about a new incident's app and people: at most three calls. Says whether Okta can be asked more now.
    #[instrument(skip_all, fields(incident = %incident.number))]
    async fn ask_about(&self, incident: &Incident) -> anyhow::Result<bool> {
        let app = &incident.app.id;
        self.asked.insert(incident.number, self.clock.now());
        self.part.alive(patience(self.poll_interval.try_into().unwrap_or_default()));
        let facts = self.facts(app).await;
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
        let (mut users, mut everybody) = (Vec::new(), false);
        if answers {
            match self.directory.app_users(app, None).await {
                Ok(page) => (users, everybody) = (page.items, page.next.is_none()),
                Err(why) => missing.push(format!("the people: {why}")),
            }
        }
        let mut gone = Vec::new();
        for failure in incident.failing() {
            let person = &failure.person.id;
            let why = match users.iter().find(|user| user.person.id == *person) {
                _ if facts.as_ref().is_err_and(|why| matches!(why, DirectoryError::Gone { .. })) => {
                    EndedBecause::AppGone
                }
                Some(user) if !user.is_active_in_okta() => EndedBecause::InactiveInOkta,
                // A list may lag behind the log.
                None if everybody && self.clock.now().duration_since(failure.last) > ASK_AGAIN => {
                    EndedBecause::Unassigned
                }
                Some(_) | None => continue,
            };
            // Okta says so after it logged the failure, whatever our clock says.
            let at = self.clock.now().max(failure.last + SignedDuration::from_millis(1));
            gone.push(Change::Gone { person: person.clone(), why, at });
        }
        let assigned = users.iter().map(|user| (user.person.id.clone(), user.scope)).collect();
        let findings = Findings {
            at: self.clock.now(),
            deactivates_users: facts.as_ref().ok().map(AppFacts::deactivates_users),
            mode,
            kind: facts.as_ref().map_or(String::new(), |facts| facts.kind.clone()),
            missing,
        };
        let now = self.clock.now();
        self.store.change(incident.number, Change::Found { findings, assigned }, now).await?;
        for change in gone {
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

/// Reads the org's apps anew for autocomplete, page by page.
///
/// # Errors
///
/// Okta's; what was known stays, and what was read by then is up to date.
pub async fn index(org: &OrgName, directory: &dyn Directory, memory: &Memory) -> anyhow::Result<()> {
    let mut apps = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..INDEX_PAGES {
        let page = match directory.apps(after.as_deref()).await {
            Ok(page) => page,
            Err(failure) => {
                // Some that are up to date are worth more than none.
                apps.into_iter().for_each(|app| memory.keep_app(org, app));
                return Err(failure.into());
            }
        };
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
