//! An org called acme, its log, and a store to take it in.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use domain::cause::{CauseId, Rules};
use domain::event::{Actor, App, Event, EventKind, Outcome, Person};
use domain::facts::Unreadable;
use domain::ids::{ChannelId, IncidentNumber, MessageId, OrgName};
use domain::incident::{Incident, Stage};
use domain::store::{Batch, Kept, Position, Query, Showing, Store, TakenIn, Which};
use jiff::Timestamp;
use provost::store::Sql;
use sqlx::{AnyConnection, Connection, Executor};
use tempfile::TempDir;

use crate::postgres;

pub struct World {
    pub folder: TempDir,
    /// The database: a file in the folder, or one of a server.
    pub url: String,
    pub store: Sql,
    pub rules: Arc<Rules>,
    pub causes: BTreeSet<CauseId>,
}

impl World {
    pub async fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let url = match postgres::server() {
            Some(server) => postgres::new_database(&server).await?,
            None => format!("sqlite://{}/provost.db", folder.path().display()),
        };
        Self::on(folder, url).await
    }

    /// A world whose store is this database.
    pub async fn on(folder: TempDir, url: String) -> Result<Self> {
        let store = Sql::open(&url).await?;
        let causes = BTreeSet::from([CauseId::inactive_account()]);
        Ok(Self { folder, url, store, rules: Arc::new(Rules::embedded()), causes })
    }

    /// A world whose first look back is over.
    pub async fn that_has_looked_back() -> Result<Self> {
        let world = Self::new().await?;
        world.takes(&[]).await?;
        Ok(world)
    }

    /// The process ends and starts again.
    pub async fn restarted(self) -> Result<Self> {
        let Self { folder, url, store, rules, causes } = self;
        drop(store);
        let store = Sql::open(&url).await?;
        Ok(Self { folder, url, store, rules, causes })
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("provost.db")
    }

    /// A connection of somebody else to the same database.
    pub async fn intruder(&self) -> Result<AnyConnection> {
        Ok(AnyConnection::connect(&self.url).await?)
    }

    /// From now on, whatever inserts, updates or deletes rows of a table fails.
    pub async fn breaks(&self, verb: &str, table: &str) -> Result<()> {
        let mut intruder = self.intruder().await?;
        let fails = if postgres::server().is_some() {
            let function = "CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS \
                            'BEGIN RAISE EXCEPTION ''broken''; END'";
            intruder.execute(function).await?;
            "FOR EACH ROW EXECUTE FUNCTION broken()"
        } else {
            "BEGIN SELECT RAISE(ABORT, 'broken'); END"
        };
        let trigger = format!("CREATE TRIGGER broken BEFORE {verb} ON {table} {fails}");
        intruder.execute(sqlx::AssertSqlSafe(trigger)).await?;
        Ok(())
    }

    /// It works again.
    pub async fn mends(&self, table: &str) -> Result<()> {
        let of = if postgres::server().is_some() { format!(" ON {table}") } else { String::new() };
        let trigger = format!("DROP TRIGGER broken{of}");
        self.intruder().await?.execute(sqlx::AssertSqlSafe(trigger)).await?;
        Ok(())
    }

    pub fn page(&self, events: &[Event]) -> Batch {
        Batch {
            events: events.to_vec(),
            unreadable: Vec::new(),
            position: position("page-1", true),
            rules: self.rules.clone(),
            alert_causes: self.causes.clone(),
            now: events.iter().map(|event| event.published).max().unwrap_or(at("09:00:00")),
        }
    }

    pub async fn takes(&self, events: &[Event]) -> Result<TakenIn> {
        Ok(self.store.take_in(&acme(), &self.page(events)).await?)
    }

    /// As [`takes`](Self::takes), within the first look back.
    pub async fn looks_back_at(&self, events: &[Event]) -> Result<TakenIn> {
        let page = Batch { position: position("page-0", false), ..self.page(events) };
        Ok(self.store.take_in(&acme(), &page).await?)
    }

    pub async fn incidents(&self) -> Result<Vec<Incident>> {
        Ok(self.store.incidents(&Query { which: Which::All, ..Query::default() }).await?)
    }

    pub async fn incident(&self, number: i64) -> Result<Incident> {
        self.store.incident(IncidentNumber(number)).await?.context("there is no such incident")
    }

    /// Each incident in a line.
    pub async fn told(&self) -> Result<Vec<String>> {
        let told = |incident: &Incident| {
            let stage = match &incident.stage {
                Stage::Open => "open".to_owned(),
                Stage::Over { how, at } => format!("{how:?} {}", at.strftime("%H:%M:%S")),
            };
            let failing: Vec<_> = incident.failing().map(|failure| failure.person.id.as_str()).collect();
            let quiet = if incident.quiet { " quiet" } else { "" };
            let Incident { number, app, chapter, .. } = incident;
            format!("{number} {} {stage} chapter {chapter}{quiet} failing {}", app.id, failing.join("+"))
        };
        let mut incidents = self.incidents().await?;
        incidents.sort_by_key(|incident| incident.number);
        Ok(incidents.iter().map(told).collect())
    }

    /// The numbers of the incidents that are not shown as they are.
    pub async fn unshown(&self) -> Result<Vec<i64>> {
        Ok(self.store.unshown().await?.iter().map(|unshown| unshown.incident.number.0).collect())
    }

    /// The board has posted or edited the newest chapter, and told its lines.
    pub async fn shows(&self, number: i64) -> Result<Showing> {
        let incident = self.incident(number).await?;
        let told = self.store.lines(incident.number, 0).await?.len() as i64;
        let message = Some(MessageId(7000 + u64::from(incident.chapter)));
        let shown_at = Some(at("12:00:01"));
        let showing = Showing { message, shown_at, revision: incident.revision, told, ..attempt(&incident) };
        self.store.note_showing(&showing).await?;
        Ok(showing)
    }
}

/// The note before a first post.
pub fn attempt(incident: &Incident) -> Showing {
    Showing {
        incident: incident.number,
        chapter: incident.chapter,
        channel: ChannelId(u64::MAX),
        attempted: at("12:00:00"),
        message: None,
        shown_at: None,
        revision: 0,
        thread: None,
        told: 0,
        telling: 0,
        state: Kept::Live,
    }
}

pub fn position(next: &str, looked_back: bool) -> Position {
    Position {
        next: Some(format!("https://acme.okta.com/api/v1/logs?after={next}")),
        filter: "abc".to_owned(),
        last_event: Some(at("09:00:00")),
        looked_back,
        caught_up: None,
    }
}

pub fn unreadable(id: &str) -> Unreadable {
    Unreadable { id: id.to_owned(), why: "it has no published".to_owned() }
}

pub fn acme() -> OrgName {
    "acme".parse().expect("a good name")
}

/// A time on the day of the story; `24:…` and later is the next day.
pub fn at(time: &str) -> Timestamp {
    let start: Timestamp = "2026-11-24T00:00:00Z".parse().expect("a good time");
    let parts: Vec<i64> = time.split(':').map(|part| part.parse().expect("hh:mm:ss")).collect();
    start + jiff::SignedDuration::from_secs(parts[0] * 3600 + parts[1] * 60 + parts[2])
}

/// A profile push that says nothing of its end; the stories say how it ended.
pub fn push(id: &str, time: &str, person: &str, app: &str) -> Event {
    let event_type = "application.provision.user.push_profile";
    Event {
        id: id.parse().expect("a good id"),
        published: at(time),
        kind: EventKind::of(event_type),
        event_type: event_type.to_owned(),
        legacy_type: None,
        outcome: Outcome::Other(String::new()),
        reason: None,
        message: None,
        transaction: Some(format!("t-{id}")),
        app: Some(App { id: app.parse().expect("a good id"), label: format!("{app} Inc.") }),
        person: Some(Person {
            id: person.parse().expect("a good id"),
            login: Some(format!("{person}@example.com")),
            name: None,
        }),
        actor: Actor::default(),
        custom_message: None,
        deactivate_users: None,
    }
}

/// A push that failed because the account is inactive.
pub fn fails(id: &str, time: &str, person: &str, app: &str) -> Event {
    let reason =
        format!("Automatic provisioning of user {person} to app {app} failed: User account is inactive");
    Event { outcome: Outcome::Failure, reason: Some(reason), ..push(id, time, person, app) }
}

/// A push that failed and does not say why.
pub fn fails_silently(id: &str, time: &str, person: &str, app: &str) -> Event {
    Event { outcome: Outcome::Failure, ..push(id, time, person, app) }
}

/// A push that worked.
pub fn works(id: &str, time: &str, person: &str, app: &str) -> Event {
    Event { outcome: Outcome::Success, ..push(id, time, person, app) }
}

/// Somebody was unassigned.
pub fn unassigned(id: &str, time: &str, person: &str, app: &str) -> Event {
    let event_type = "application.user_membership.remove";
    let (kind, event_type) = (EventKind::of(event_type), event_type.to_owned());
    Event { kind, event_type, ..works(id, time, person, app) }
}

/// Deactivate Users was turned on or off by Olive.
pub fn turned(on: bool, id: &str, time: &str, app: &str) -> Event {
    let event_type = "application.lifecycle.update";
    let words = if on { "Deprovisioning unassigned users" } else { "Stop deprovisioning unassigned users" };
    Event {
        kind: EventKind::of(event_type),
        event_type: event_type.to_owned(),
        person: None,
        custom_message: Some(words.to_owned()),
        actor: Actor { name: Some("Olive".to_owned()), ..Actor::default() },
        ..works(id, time, "nobody", app)
    }
}

/// The same event as part of a job.
pub fn in_job(event: Event, job: &str) -> Event {
    Event { transaction: Some(job.to_owned()), ..event }
}
