//! Puts the program together from a configuration, and runs it until it is told to stop.
//!
//! [`App::build`] makes every part; [`App::run`] starts the loops. Stories build one and call the passes themselves.

mod session;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::Context;
use commands::access::Access;
use commands::chat::Chat;
use commands::console::Console;
use commands::desk::{Desk, Org, Pulse};
use commands::memory::Memory;
use commands::policy::{AppPolicy, Gates, Policy};
use commands::retype::Typed;
use commands::throttle::Throttle;
use dashmap::DashMap;
use domain::ids::{GuildId, OrgName, RoleId};
use domain::links::Configured;
use domain::ports::{Clock, Directory, Roster};
use domain::request::Gate;
use domain::requests::Requests as _;
use domain::store::{Query, Store};
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::board::{Board, Shown};
use crate::config::{self, Config};
use crate::discord::gateway::{End, Pace};
use crate::discord::{Gateway, GuildRoster, Inbound, Rest, registration};
use crate::every::{every, whenever_due};
use crate::executor::Executor;
use crate::health::Health;
use crate::http;
use crate::metrics::Metrics;
use crate::okta::{Okta, filter_hash};
use crate::store::Sql;
use crate::waker::Waker;
use crate::watcher::{self, Mind, Watcher};

/// How often the index of apps is read anew.
const INDEX_EVERY: Duration = Duration::from_secs(600);

/// How often old events are forgotten, and how old they are then: older than anything is ever read again.
const PRUNE_EVERY: Duration = Duration::from_secs(6 * 3_600);
const KEEP_EVENTS: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How long a profile is kept that a reassignment saved and could not put back, unless somebody erases it before.
const KEEP_PROFILES: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What is under way at the end may take this long; a supervisor kills after ten seconds.
const LAST_WORDS: Duration = Duration::from_secs(8);

/// How long a gateway that refuses the bot is left alone.
const GATEWAY_AGAIN: Duration = Duration::from_secs(300);

/// Interactions that wait to be answered; more than this at once are let go.
const WAITING: usize = 1_024;

/// The program's parts.
pub struct App {
    /// What commands work with; also the front door for interactions.
    pub desk: Arc<Desk>,
    /// Shows incidents.
    pub board: Arc<Board>,
    /// Carries requests out.
    pub executor: Arc<Executor>,
    /// Wakes what was hidden for a time.
    pub waker: Arc<Waker>,
    /// One an org.
    pub watchers: Vec<Arc<Watcher>>,
    /// How the parts are.
    pub health: Health,
    /// What is counted.
    pub metrics: Metrics,
    store: Arc<Sql>,
    rest: Arc<Rest>,
    token: SecretString,
    guild: GuildId,
    clock: Arc<dyn Clock>,
    poll_intervals: BTreeMap<OrgName, Duration>,
    listen: Option<std::net::SocketAddr>,
    pace: Pace,
}

impl App {
    /// Makes every part. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// A configuration without Discord, a key that cannot be used, a store that cannot be opened: each says what to
    /// do.
    pub async fn build(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let discord = config.discord()?.clone();
        let store = Arc::new(Sql::open(config.store.url.expose_secret()).await?);
        let health = Health::default();
        let (metrics, wake, work) = (Metrics::new(), Arc::new(Notify::new()), Arc::new(Notify::new()));
        let counted = metrics.clone();
        let rest = Rest::new(discord.api_url.clone(), discord.token.clone(), clock.clone())?
            .with_observer(Arc::new(move |route, status| counted.discord_request(route, status)));
        let rest = Arc::new(rest);
        let (memory, pulse) = (Arc::new(Memory::default()), Arc::new(Pulse::default()));
        memory.keep_open(store.incidents(&Query::default()).await?);

        let mut orgs = BTreeMap::new();
        let mut watchers = Vec::new();
        let mut hands = BTreeMap::new();
        for (name, org) in &config.orgs {
            let (counted, of) = (metrics.clone(), name.clone());
            let directory = Okta::new(org.settings(), clock.clone())?
                .with_observer(Arc::new(move |path, status| counted.okta_request(&of, path, status)));
            let directory: Arc<dyn Directory> = Arc::new(directory);
            watchers.push(Arc::new(Watcher {
                org: name.clone(),
                directory: directory.clone(),
                store: store.clone(),
                memory: memory.clone(),
                pulse: pulse.clone(),
                rules: config.alerts.rules.clone(),
                alert_causes: config.alerts.causes.iter().cloned().collect::<BTreeSet<_>>(),
                lookback: signed(org.lookback),
                group_wait: signed(config.alerts.group_wait),
                filter: filter_hash(),
                clock: clock.clone(),
                board: wake.clone(),
                work: work.clone(),
                unexplained: Notify::new(),
                mind: Mind::default(),
                metrics: metrics.clone(),
                poll_interval: signed(org.poll_interval),
                started: clock.now(),
                part: health.part(&format!("okta {name}")),
                asked: DashMap::new(),
            }));
            hands.insert(name.clone(), (directory.clone(), org.writes));
            let console = org.console_url.as_ref().map(console);
            let channel = org.alert_channel_id.unwrap_or(discord.alert_channel_id);
            orgs.insert(name.clone(), Org { directory, console, channel, writes: org.writes });
        }
        let policy = policy(config, discord.oncall_role_id);
        let roster: Arc<dyn Roster> = Arc::new(GuildRoster::new(rest.clone(), discord.guild_id));
        let executor = Arc::new(Executor {
            store: store.clone(),
            requests: store.clone(),
            orgs: hands,
            policy: policy.clone(),
            book: store.clone(),
            roster: roster.clone(),
            verify_within: signed(config.alerts.verify_within),
            clock: clock.clone(),
            wake: work.clone(),
            board: wake.clone(),
            looked: DashMap::new(),
            nameless: DashMap::new(),
            wrote: DashMap::new(),
            put_off: DashMap::new(),
            silent: DashMap::new(),
            unrecorded: DashMap::new(),
            started: clock.now(),
        });
        let shown =
            |org: &Org| Shown { channel: org.channel, console: org.console.clone(), writes: org.writes };
        let board = Arc::new(Board {
            store: store.clone(),
            requests: store.clone(),
            memory: memory.clone(),
            policy: policy.clone(),
            book: store.clone(),
            roster: roster.clone(),
            audit_channel: discord.audit_channel_id,
            chat: rest.clone() as Arc<dyn Chat>,
            rules: config.alerts.rules.clone(),
            orgs: orgs.iter().map(|(name, org)| (name.clone(), shown(org))).collect(),
            of_no_org: Shown { channel: discord.alert_channel_id, console: None, writes: false },
            guild: discord.guild_id,
            group_wait: signed(config.alerts.group_wait),
            edit_interval: signed(config.alerts.edit_interval),
            clock: clock.clone(),
            wake: wake.clone(),
            resting: DashMap::new(),
            put_off: DashMap::new(),
        });
        let waker = Arc::new(Waker {
            store: store.clone(),
            clock: clock.clone(),
            wake: Arc::new(Notify::new()),
            board: wake.clone(),
        });
        let hidden = waker.wake.clone();
        let desk = Arc::new(Desk {
            store: store.clone(),
            orgs,
            memory,
            rules: config.alerts.rules.clone(),
            requests: store.clone(),
            book: store.clone(),
            roster,
            policy,
            bell: Arc::new(move || {
                work.notify_one();
                wake.notify_one();
                hidden.notify_one();
            }),
            clock: clock.clone(),
            guild: discord.guild_id,
            pulse,
            throttle: Throttle::default(),
            typed: Typed::default(),
            version: env!("CARGO_PKG_VERSION"),
        });
        let poll_intervals =
            config.orgs.iter().map(|(name, org)| (name.clone(), org.poll_interval)).collect();
        Ok(Self {
            desk,
            board,
            executor,
            waker,
            watchers,
            health,
            metrics,
            store,
            rest,
            token: discord.token,
            guild: discord.guild_id,
            clock,
            poll_intervals,
            listen: config.listen,
            pace: Pace::default(),
        })
    }

    /// With another patience for the gateway.
    #[must_use]
    pub fn with_pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// Has the passes over requests and alerts look at once, as after a command. For a clock that was moved.
    pub fn bell(&self) -> Arc<dyn Fn() + Send + Sync> {
        self.desk.bell.clone()
    }

    /// Closes the store of parts that were never run.
    pub async fn close(self) {
        self.store.close().await;
    }

    /// Runs every loop until `stop`, then lets what is under way finish, for eight seconds at most.
    ///
    /// # Errors
    ///
    /// If the address for `/healthz` cannot be listened on. Nothing that Okta, Discord or the disk does ends it.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let tasks = TaskTracker::new();
        if let Some(address) = self.listen {
            let listener = TcpListener::bind(address).await.with_context(|| {
                format!("cannot listen on {address} (http.listen); is another Provost running there?")
            })?;
            info!("Serving /healthz, /readyz and /metrics on http://{}", listener.local_addr()?);
            let (health, metrics) = (self.health.clone(), self.metrics.clone());
            let stop = stop.clone();
            tasks.spawn(async move {
                if let Err(failure) = http::serve(listener, health, metrics, stop).await {
                    error!(error = &failure as &dyn std::error::Error, "/healthz is not served any more");
                }
            });
        }
        self.watch(&tasks, &stop);
        self.show(&tasks, &stop);
        self.carry_out(&tasks, &stop);
        self.wake(&tasks, &stop);
        self.answer(&tasks, &stop);
        self.forget(&tasks, &stop);
        info!("Provost is running: {} orgs", self.watchers.len());

        stop.cancelled().await;
        info!("Stopping");
        tasks.close();
        if tokio::time::timeout(LAST_WORDS, tasks.wait()).await.is_err() {
            warn!("{} tasks were still under way at the end", tasks.len());
        }
        self.store.close().await;
        Ok(())
    }

    fn watch(&self, tasks: &TaskTracker, stop: &CancellationToken) {
        for watcher in &self.watchers {
            let period = self.poll_intervals[&watcher.org];
            let (watcher_, stop_) = (watcher.clone(), stop.clone());
            tasks.spawn(async move { every(period, &watcher_.part, &stop_, || watcher_.pass()).await });

            let (watcher_, stop_) = (watcher.clone(), stop.clone());
            tasks.spawn(async move { settle(&watcher_, &stop_).await });

            // Autocomplete lives from it, nothing else: its failure makes nobody unready.
            let part = Health::default().part(&format!("app index {}", watcher.org));
            let (watcher_, stop_) = (watcher.clone(), stop.clone());
            tasks.spawn(async move {
                every(INDEX_EVERY, &part, &stop_, || {
                    watcher::index(&watcher_.org, &*watcher_.directory, &watcher_.memory)
                })
                .await;
            });
        }
    }

    fn show(&self, tasks: &TaskTracker, stop: &CancellationToken) {
        let (board, part, stop) = (self.board.clone(), self.health.part("alerts"), stop.clone());
        let clock = self.clock.clone();
        let wake = board.wake.clone();
        tasks.spawn(async move {
            whenever_due(&part, &*clock, &wake, &stop, || board.trouble(), || board.pass()).await;
        });
    }

    fn carry_out(&self, tasks: &TaskTracker, stop: &CancellationToken) {
        let (executor, part, stop) = (self.executor.clone(), self.health.part("requests"), stop.clone());
        let clock = self.clock.clone();
        let wake = executor.wake.clone();
        tasks.spawn(async move {
            whenever_due(&part, &*clock, &wake, &stop, || None, || executor.pass()).await;
        });
    }

    fn wake(&self, tasks: &TaskTracker, stop: &CancellationToken) {
        let (waker, part, stop) = (self.waker.clone(), self.health.part("snoozes"), stop.clone());
        let clock = self.clock.clone();
        let wake = waker.wake.clone();
        tasks.spawn(async move {
            whenever_due(&part, &*clock, &wake, &stop, || None, || waker.pass()).await;
        });
    }

    fn answer(&self, tasks: &TaskTracker, stop: &CancellationToken) {
        let specs = commands::specs();
        let inbound = Arc::new(Inbound::new(self.rest.clone(), self.desk.clone(), self.guild, &specs));
        let (out, interactions) = mpsc::channel(WAITING);
        tasks.spawn(inbound.serve(interactions, stop.clone()));

        let session = Arc::new(session::Kept(self.store.clone(), self.clock.clone()));
        let gateway =
            Gateway::new(self.rest.clone(), self.token.clone(), session, self.clock.clone(), self.pace);
        let mut status = gateway.status();
        let (pulse, part) = (self.desk.pulse.clone(), self.health.part("discord gateway"));
        let (clock, stop_) = (self.clock.clone(), stop.clone());
        tasks.spawn(async move {
            part.not_ready("it is not connected yet");
            let mut was = None;
            loop {
                let since = status.borrow_and_update().ready_since;
                if was != Some(since.is_some()) {
                    let state = (since.is_some(), since.unwrap_or_else(|| clock.now()));
                    *pulse.gateway.write().unwrap_or_else(PoisonError::into_inner) = Some(state);
                    match since {
                        Some(_) => part.ready(),
                        None => part.not_ready("it is not connected; alerts go on without it"),
                    }
                    was = Some(since.is_some());
                }
                tokio::select! {
                    () = stop_.cancelled() => return,
                    changed = status.changed() => if changed.is_err() { return },
                }
            }
        });
        let (stop_, part) = (stop.clone(), self.health.part("discord sign-in"));
        tasks.spawn(async move {
            loop {
                part.ready();
                let end = gateway.run(stop_.clone(), out.clone()).await;
                if end == End::Stopped {
                    return;
                }
                // What Discord refuses for good may be mended on its side; a token is read anew by a restart only.
                part.not_ready(end.to_string());
                tokio::select! {
                    () = stop_.cancelled() => return,
                    () = tokio::time::sleep(GATEWAY_AGAIN) => {}
                }
            }
        });

        let part = self.health.part("discord commands");
        let (rest, guild, stop) = (self.rest.clone(), self.guild, stop.clone());
        tasks.spawn(async move {
            // Once is enough; a failure is tried again.
            let done = CancellationToken::new();
            let once = || async {
                let application = rest.application().await?.id();
                registration::register(&rest, application, guild, &commands::specs()).await?;
                done.cancel();
                Ok(())
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = every(Duration::from_secs(10), &part, &done, once) => part.ready(),
            }
        });
    }

    fn forget(&self, tasks: &TaskTracker, stop: &CancellationToken) {
        let (store, clock, stop) = (self.store.clone(), self.clock.clone(), stop.clone());
        let part = Health::default().part("forgetting old events");
        tasks.spawn(async move {
            every(PRUNE_EVERY, &part, &stop, || async {
                let now = clock.now();
                store.prune(now - KEEP_EVENTS).await?;
                store.erase_profiles(now - KEEP_PROFILES, now).await?;
                Ok(())
            })
            .await;
        });
    }
}

/// Decides about unexplained events once they have waited.
async fn settle(watcher: &Watcher, stop: &CancellationToken) {
    let wait = Duration::try_from(watcher.group_wait).unwrap_or_default() + Duration::from_millis(50);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = watcher.unexplained.notified() => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        if let Err(failure) = watcher.see_to().await {
            warn!(org = %watcher.org, error = format!("{failure:#}"), "Unexplained events wait for the next pass");
        }
    }
}

/// The rules of `[roles]`, `[policy]` and `[links]`.
fn policy(config: &Config, oncall: Option<RoleId>) -> Policy {
    let gate = |gate: &config::Gate| Gate {
        approvals: u32::try_from(gate.approvals).unwrap_or(u32::MAX),
        expires: signed(gate.expires),
    };
    let gates = |gates: &config::Gates| Gates {
        enable: gate(&gates.enable),
        retry: gate(&gates.retry.few),
        bulk: gate(&gates.retry.bulk),
        bulk_over: gates.retry.bulk_over,
        reassign: gate(&gates.reassign),
    };
    let links = config
        .links
        .orgs
        .iter()
        .flat_map(|(org, links)| {
            links.iter().map(move |(member, person)| ((org.clone(), *member), person.clone()))
        })
        .collect();
    Policy {
        access: Access::new(config.roles.0.clone()),
        gates: gates(&config.policy.gates),
        apps: config
            .policy
            .apps
            .iter()
            .map(|(app, policy)| {
                (app.clone(), AppPolicy { access: policy.roles.0.clone(), gates: gates(&policy.gates) })
            })
            .collect(),
        oncall,
        links: Configured { links, require: config.links.require },
    }
}

fn console(url: &url::Url) -> Console {
    Console(url.as_str().trim_end_matches('/').to_owned())
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
