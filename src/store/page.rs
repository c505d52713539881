//! Takes a page of the log in, and decides about events left over: loads what the [`Casebook`] needs, lets it work,
//! saves what it changed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::casebook::{Casebook, Changes, Judged};
use domain::cause::CauseId;
use domain::event::{Event, EventKind};
use domain::ids::{AppId, EventId, IncidentNumber, OrgName};
use domain::incident::COMES_BACK_WITHIN;
use domain::notice::Told;
use domain::store::{Batch, TakenIn};
use jiff::{SignedDuration, Timestamp};
use sqlx::{AnyConnection, Error};

use super::batch::{Value, select};
use super::events::{self, New};
use super::rows::{Columns, ms};
use super::{incidents, log, notices};

/// How long before the oldest event of a page others are still asked for: the events of one job lie minutes apart,
/// and a success that was logged before its failure not much more.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(48);

/// Takes a page in, within the caller's transaction.
pub(super) async fn take_in(
    conn: &mut AnyConnection,
    org: &OrgName,
    batch: &Batch,
) -> Result<TakenIn, Error> {
    let quiet = log::position(conn, org).await?.is_none_or(|position| !position.looked_back);
    let known = events::known(conn, org, &batch.events).await?;
    let mut met = HashSet::new();
    let new = batch.events.iter().filter(|event| !known.contains(event.id.as_str()));
    let new: Vec<&Event> = new.filter(|&event| met.insert(&event.id)).collect();

    let mut loaded = Loaded::load(conn, org, &new, quiet, &batch.alert_causes, batch.now).await?;
    let judge = |event| New { event, judged: loaded.book.take_in(event, &batch.rules) };
    let mut new: Vec<New<'_>> = new.into_iter().map(judge).collect();

    let mut rejudged: HashMap<EventId, Judged> = loaded.book.changes.rejudged.drain(..).collect();
    for new in &mut new {
        if let Some(judged) = rejudged.remove(&new.event.id) {
            new.judged = judged;
        }
    }
    events::add(conn, org, quiet, batch.now, &new).await?;
    for (event, judged) in &rejudged {
        events::rejudge(conn, org, event, judged).await?;
    }
    let unreadable = batch.unreadable.iter().map(|entry| (entry.id.as_str(), entry.why.as_str()));
    let unhandled = new.iter().filter_map(|new| match new.judged {
        Judged::Unhandled(why) => Some((new.event.id.as_str(), why)),
        _ => None,
    });
    let unhandled: Vec<_> = unreadable.chain(unhandled).collect();
    let unhandled = log::add_unhandled(conn, org, &unhandled, batch.now).await?;
    let touched = loaded.save(conn, org).await?;
    log::move_to(conn, org, &batch.position).await?;

    let mut classes = BTreeMap::new();
    for new in &new {
        *classes.entry(events::class(&new.judged)).or_default() += 1;
    }
    Ok(TakenIn {
        new: new.len() as u64,
        known: (batch.events.len() - new.len()) as u64,
        unhandled,
        classes: classes.into_iter().collect(),
        touched,
    })
}

/// Decides about an unexplained event, within the caller's transaction.
pub(super) async fn settle(
    conn: &mut AnyConnection,
    org: &OrgName,
    event: &EventId,
    off: Option<bool>,
    alert_causes: &BTreeSet<CauseId>,
    now: Timestamp,
) -> Result<bool, Error> {
    let Some(events::Open { event, quiet }) = events::open(conn, org, event).await? else {
        return Ok(true);
    };
    let mut loaded = Loaded::load(conn, org, &[&event], quiet, alert_causes, now).await?;
    let Some(judged) = loaded.book.settle(&event, off) else {
        return Ok(false);
    };
    events::rejudge(conn, org, &event.id, &judged).await?;
    if let Judged::Unhandled(why) = judged {
        log::add_unhandled(conn, org, &[(event.id.as_str(), why)], now).await?;
    }
    loaded.save(conn, org).await?;
    Ok(true)
}

/// A casebook, and how many lines the timelines in it had.
struct Loaded {
    book: Casebook,
    lines: HashMap<IncidentNumber, i64>,
}

impl Loaded {
    async fn load(
        conn: &mut AnyConnection,
        org: &OrgName,
        events: &[&Event],
        quiet: bool,
        alert_causes: &BTreeSet<CauseId>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let relevant = || events.iter().filter(|event| event.kind != EventKind::Irrelevant);
        let apps: BTreeSet<_> = relevant().filter_map(|event| Some(&event.app.as_ref()?.id)).collect();
        let people: BTreeSet<_> = relevant().filter_map(|event| Some(&event.person.as_ref()?.id)).collect();
        let oldest = relevant().map(|event| event.published).min().unwrap_or(now);

        let mut lines = HashMap::new();
        let mut incidents = Vec::new();
        for known in recent_incidents(conn, org, &apps, oldest).await? {
            lines.insert(known.incident.number, known.lines);
            incidents.push(known.incident);
        }
        let book = Casebook {
            org: org.clone(),
            now,
            quiet,
            alert_causes: alert_causes.clone(),
            next_number: incidents::next_number(conn).await?,
            incidents,
            seen: events::seen(conn, org, &people, oldest.saturating_sub(REMEMBERED).expect("hours fit"))
                .await?,
            settings: log::latest_settings(conn, org, &apps).await?,
            fixed_apps: fixed_apps(conn, org, &apps).await?,
            changes: Changes::default(),
        };
        Ok(Self { book, lines })
    }

    /// Saves what changed beside the events; returns the incidents it changed.
    async fn save(self, conn: &mut AnyConnection, org: &OrgName) -> Result<Vec<IncidentNumber>, Error> {
        let Casebook { incidents, changes, quiet, now, .. } = self.book;
        let mut people: HashMap<_, Vec<_>> = HashMap::new();
        for (number, person) in &changes.failures {
            people.entry(*number).or_default().push(person);
        }
        let mut new_lines: HashMap<_, Vec<_>> = HashMap::new();
        for (number, line) in &changes.lines {
            new_lines.entry(*number).or_default().push(line);
        }
        let touched = incidents.iter().filter(|incident| changes.touched.contains(&incident.number));
        let changed: Vec<_> = touched
            .map(|incident| incidents::Changed {
                incident,
                people: people.remove(&incident.number).unwrap_or_default(),
                lines: self.lines.get(&incident.number).copied().unwrap_or(0),
                new_lines: new_lines.remove(&incident.number).unwrap_or_default(),
            })
            .collect();
        incidents::save(conn, &changed).await?;
        log::add_settings(conn, org, &changes.settings).await?;
        if !quiet {
            for drift in &changes.drifts {
                let told = Told::Drift { app: drift.app.clone(), change: drift.change.clone() };
                notices::add(conn, org, &told, now).await?;
            }
        }
        Ok(changes.touched.into_iter().collect())
    }
}

/// The incidents of the apps that go on, and those that a failure at `oldest` or later may reopen; oldest first.
async fn recent_incidents(
    conn: &mut AnyConnection,
    org: &OrgName,
    apps: &BTreeSet<&AppId>,
    oldest: Timestamp,
) -> Result<Vec<incidents::Known>, Error> {
    let since = oldest.saturating_sub(COMES_BACK_WITHIN).expect("hours fit");
    let known = select(
        conn,
        "SELECT * FROM incident WHERE org = $1 AND (over_ms IS NULL OR over_ms >= $2) AND app IN",
        "",
        &[Value::Text(org.as_str()), Value::Number(ms(since))],
        &app_keys(apps),
        incidents::incident,
    )
    .await?;
    let mut known = incidents::with_failures(conn, known).await?;
    known.sort_by_key(|known| known.incident.number);
    Ok(known)
}

/// The apps on which an incident was fixed before.
async fn fixed_apps(
    conn: &mut AnyConnection,
    org: &OrgName,
    apps: &BTreeSet<&AppId>,
) -> Result<BTreeSet<AppId>, Error> {
    let apps = select(
        conn,
        "SELECT DISTINCT app FROM incident WHERE org = $1 AND over_how = 'fixed' AND app IN",
        "",
        &[Value::Text(org.as_str())],
        &app_keys(apps),
        |row| row.id("app"),
    )
    .await?;
    Ok(apps.into_iter().collect())
}

fn app_keys<'a>(apps: &BTreeSet<&'a AppId>) -> Vec<Value<'a>> {
    apps.iter().map(|app| Value::Text(app.as_str())).collect()
}
