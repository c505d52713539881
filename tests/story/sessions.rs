//! Random sessions: people, Okta, Discord and the program itself do as they like; then all is well again, and what
//! the channel shows must be what Okta's Tasks page shows. What was written to Okta meanwhile must have been asked for,
//! approved, noted before, and done once.
//!
//! A session follows from its seed, up to the exact moment at which a pass is cut off. `PROVOST_SEEDS` says how many
//! there are, `PROVOST_SEED` plays a single one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use domain::audit::{self, Entry};
use domain::request::{Method, Outcome, Request, Stage};
use domain::requests::{AuditQuery, RequestQuery};
use domain::store::{Query, Which};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::SignedDuration;
use sim::discord::{Fault as DiscordFault, Permission, Scope};
use sim::okta::{DeactivateUsers, FailureShape, Fault as OktaFault};

use crate::world::World;

const STEPS: u32 = 200;

/// Numbers that follow from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        let index = self.below(of.len() as u64) as usize;
        of[index].clone()
    }
}

/// What a session is made of.
struct Session {
    dice: Dice,
    apps: Vec<(String, String)>,
    people: Vec<String>,
    okta_is_down: bool,
    /// How many writes Okta had seen when all writes were stopped.
    paused_at: Option<usize>,
    done: Vec<String>,
}

impl Session {
    fn begin(world: &World, seed: u64) -> Self {
        let apps = ["Airbase", "Smartsheet", "Slack"].map(|label| {
            let id = world.okta.installs(label, &label.to_lowercase(), DeactivateUsers::Off);
            (id, label.to_owned())
        });
        let people =
            ["Ada", "Ben", "Cleo", "Dana", "Eve", "Finn"].map(|name| world.okta.hires(name, "Session"));
        let (apps, people) = (apps.to_vec(), people.to_vec());
        Self { dice: Dice(seed), apps, people, okta_is_down: false, paused_at: None, done: Vec::new() }
    }

    async fn step(&mut self, mut world: World) -> Result<World> {
        let (app, _) = self.dice.one(&self.apps);
        let person = self.dice.one(&self.people);
        let kind = self.dice.below(45);
        self.done.push(format!("{kind} {person} {app}"));
        match kind {
            0..=4 => {
                if !world.okta.is_assigned(&person, &app) {
                    world.okta.left_inactive(&person, &app);
                }
                world.okta.assigns(&person, &app);
            }
            5 => world.okta.enables_in_console(&app, "Jo Ortiz"),
            6 => world.okta.disables_in_console(&app, "Max Power"),
            7 | 8 => world.okta.unassigns(&person, &app),
            9 => {
                world.okta.activates_in_app(&person, &app);
                self.retries(&world, &person, &app);
            }
            10 => self.retries(&world, &person, &app),
            11 => {
                let late = self.dice.one(&[0, 0, 30, 300, 1_500]);
                world.okta.arrives_late(SignedDuration::from_secs(late));
            }
            12 => world.okta.failures_log(self.dice.one(&[
                FailureShape::Usual,
                FailureShape::ReasonOnPush,
                FailureShape::LegacyTypeOnly,
                FailureShape::ReasonOnly,
                FailureShape::SuccessOutcome,
            ])),
            13 => {
                let (times, at) =
                    (1 + self.dice.below(3) as usize, self.dice.one(&["/logs", "/users", "/apps"]));
                world.okta.faults().next(times, at, self.okta_fault());
            }
            14 => {
                let (times, at) = (
                    1 + self.dice.below(4) as usize,
                    self.dice.one(&["POST", "PATCH", "/threads", "GET", "/messages"]),
                );
                world.discord.faults().next(times, at, self.discord_fault());
            }
            15 if self.okta_is_down => {
                world.okta.resume_serving().await?;
                self.okta_is_down = false;
            }
            15 => {
                world.okta.pause_serving().await;
                self.okta_is_down = true;
            }
            16 => self.forbids_or_allows(&world),
            17 => world = world.starts_anew().await?,
            18 => {
                // Cut off anywhere, as by a crash.
                let moment = Duration::from_micros(self.dice.below(12_000));
                let _ = tokio::time::timeout(moment, world.looks()).await;
                let moment = Duration::from_micros(self.dice.below(12_000));
                let _ = tokio::time::timeout(moment, world.app.board.pass()).await;
                world = world.starts_anew().await?;
            }
            19..=21 => self.asks(&world, &app, &person).await,
            22..=29 => self.decides(&world).await,
            30 => self.pauses_or_resumes(&world).await,
            31 | 32 if self.paused_at.is_some() => self.pauses_or_resumes(&world).await,
            33..=35 => {
                let moment = Duration::from_micros(self.dice.below(12_000));
                let _ = tokio::time::timeout(moment, world.app.executor.pass()).await;
                world = world.starts_anew().await?;
            }
            36..=38 => self.by_hand(&world).await,
            _ => {
                let time = self.dice.one(&[1, 5, 21, 60, 60, 600, 600, 4_000]);
                world.passes(SignedDuration::from_secs(time));
            }
        }
        world.passes(SignedDuration::from_millis(1_100));
        // Their failures are theirs to survive.
        let _ = world.looks().await;
        let _ = world.app.waker.pass().await;
        let _ = world.app.executor.pass().await;
        let _ = world.app.board.pass().await;
        if let Some(before) = self.paused_at {
            let now = writes(&world).len();
            ensure!(now == before, "Okta was written to while all writes were stopped");
        }
        Ok(world)
    }

    /// Somebody takes an incident, or hides it for a while. That may be refused: it may be over, or not there.
    async fn by_hand(&mut self, world: &World) {
        let who = self.dice.one(&["Olive", "Oscar"]);
        let number = (1 + self.dice.below(6)).to_string();
        let _ = match self.dice.below(2) {
            0 => world.says(who, "claim", &[("incident", &number)]).await,
            _ => {
                let time = self.dice.one(&["5m", "20m"]);
                world.says(who, "snooze", &[("incident", &number), ("for", time)]).await
            }
        };
    }

    /// Somebody asks for something, and mostly confirms it. What is refused is refused.
    async fn asks(&mut self, world: &World, app: &str, person: &str) {
        let who = self.dice.one(&["Olive", "Oscar", "Abe"]);
        let app = format!("acme/{app}");
        let asked = match self.dice.below(4) {
            0 | 1 => world.says(who, "enable", &[("app", &app), ("reason", "a random wish")]).await,
            2 => world.says(who, "retry", &[("app", &app), ("person", person)]).await,
            _ => {
                let list = world.says(who, "retry", &[("app", &app)]).await;
                match world.presses(who, &list, "Retry all").await {
                    Ok(confirmation) => confirmation,
                    Err(_) => list,
                }
            }
        };
        let label = self.dice.one(&["Enable Deactivate Users", "Retry", "Retry", "Cancel"]);
        let _ = world.presses(who, &asked, label).await;
    }

    /// Somebody presses a button of the newest card that has it, perhaps twice, perhaps at once with somebody else.
    async fn decides(&mut self, world: &World) {
        let who = self.dice.one(&["Ada", "Abe", "Olive", "Root"]);
        let label = self.dice.one(&["Approve", "Approve", "Approve", "Deny…", "Withdraw"]);
        let Some(button) = world.button(label) else { return };
        match label {
            "Deny…" => {
                let deny = commands::chat::CustomId::new("deny", button.args);
                world.acts(who, &deny, &[("why", "not today")]).await;
            }
            _ => {
                let other = self.dice.one(&["Ada", "Abe", who]);
                tokio::join!(world.acts(who, &button, &[]), world.acts(other, &button, &[]));
            }
        }
    }

    async fn pauses_or_resumes(&mut self, world: &World) {
        let verb = if self.paused_at.is_some() { "resume" } else { "pause" };
        world.says("Root", verb, &[("reason", "a random stop")]).await;
        let paused = world.app.desk.requests.paused().await.is_ok_and(|paused| paused.is_some());
        self.paused_at = paused.then(|| writes(world).len());
    }

    fn retries(&self, world: &World, person: &str, app: &str) {
        if world.okta.is_assigned(person, app) {
            world.okta.retries_in_console(person, app);
        }
    }

    fn forbids_or_allows(&mut self, world: &World) {
        let what = self.dice.one(&[
            Permission::SEND_MESSAGES,
            Permission::READ_MESSAGE_HISTORY,
            Permission::CREATE_PUBLIC_THREADS,
        ]);
        match self.dice.below(3) {
            0 => world.discord.denies(what, world.channel),
            _ => world.discord.allows(what, world.channel),
        }
    }

    fn okta_fault(&mut self) -> OktaFault {
        self.dice.one(&[
            OktaFault::RateLimited { reset_in_secs: 20 },
            OktaFault::RateLimited { reset_in_secs: -5 },
            OktaFault::ConcurrencyLimited,
            OktaFault::Status(500),
            OktaFault::Html(502),
            OktaFault::CutBody,
            OktaFault::WrongLength,
            OktaFault::EmptyBody,
            OktaFault::NotJson,
            OktaFault::Drop,
            OktaFault::DropAfterDoing,
            OktaFault::Redirect(302, "https://evil.example/".to_owned()),
            OktaFault::ForeignNextLink("https://evil.example/api/v1/logs?after=1".to_owned()),
            OktaFault::Unauthorized,
            OktaFault::Forbidden { scope: "okta.logs.read".to_owned() },
            OktaFault::CursorRefused(400),
            OktaFault::CursorRefused(404),
            OktaFault::TornEvent,
        ])
    }

    fn discord_fault(&mut self) -> DiscordFault {
        self.dice.one(&[
            DiscordFault::RateLimited { retry_after: 0.02, scope: Scope::User },
            DiscordFault::Status(500),
            DiscordFault::Status(403),
            DiscordFault::Html(502),
            DiscordFault::Drop,
            DiscordFault::DropAfter,
            DiscordFault::DropAfter,
            DiscordFault::CutBody,
        ])
    }

    /// All is well again, and Provost has had the time to see it.
    async fn heals(&mut self, world: &World) -> Result<()> {
        world.okta.faults().clear();
        world.discord.faults().clear();
        world.okta.arrives_late(SignedDuration::ZERO);
        for what in
            [Permission::SEND_MESSAGES, Permission::READ_MESSAGE_HISTORY, Permission::CREATE_PUBLIC_THREADS]
        {
            world.discord.allows(what, world.channel);
        }
        if self.okta_is_down {
            world.okta.resume_serving().await?;
        }
        if self.paused_at.is_some() {
            self.pauses_or_resumes(world).await;
        }
        for _ in 0..8 {
            world.passes(SignedDuration::from_mins(7));
            let _ = world.looks().await;
            let _ = world.app.waker.pass().await;
            let _ = world.app.executor.pass().await;
            let _ = world.app.board.pass().await;
        }
        world.works().await?;
        world.looks().await?;
        world.shows().await?;
        world.passes(SignedDuration::from_secs(30));
        world.settles().await
    }
}

/// What must be so once all is well again.
async fn holds(world: &World, session: &Session) -> Result<()> {
    let mut failing: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let tasks = world.okta.tasks();
    for task in &tasks {
        failing.entry(&task.app).or_default().insert(task.user.clone());
    }
    let open = world.app.desk.store.incidents(&Query { which: Which::Open, ..Query::default() }).await?;
    let all = world.app.desk.store.incidents(&Query { which: Which::All, ..Query::default() }).await?;
    let lines = world.lines();
    for (app, label) in &session.apps {
        let wanted = failing.get(app.as_str()).cloned().unwrap_or_default();
        let shown: Vec<String> = open
            .iter()
            .filter(|incident| incident.app.id.as_str() == app)
            .flat_map(|incident| incident.failing().map(|failure| failure.person.id.to_string()))
            .collect();
        let unique: BTreeSet<String> = shown.iter().cloned().collect();
        if let Some(person) = unique.symmetric_difference(&wanted).next() {
            let known: Vec<_> =
                all.iter().filter_map(|incident| incident.failures.get(&person.parse().ok()?)).collect();
            let log = history(world, person, app);
            bail!(
                "{label}: Okta has {wanted:?}, we have {shown:?}; of {person} we know {known:#?}, and the log says{log}"
            );
        }
        ensure!(shown.len() == unique.len(), "{label}: {shown:?} stand in two incidents");

        let going = ["[!] ACTION NEEDED", "[?] WAITING FOR APPROVAL", "[~] IN PROGRESS", "[x] FIX FAILED"];
        let alert = |line: &&str| line.contains("cannot be provisioned");
        let of = |start: &&str| format!("{start} · {label} · ");
        let cards: Vec<&str> = lines
            .iter()
            .filter_map(|line| going.iter().find_map(|start| line.strip_prefix(&of(start))))
            .filter(alert)
            .collect();
        let people = match wanted.len() {
            1 => "1 person cannot".to_owned(),
            n => format!("{n} people cannot"),
        };
        let right = match (wanted.len(), &cards[..]) {
            (0, []) => true,
            (0, _) => false,
            (_, [card]) => card.starts_with(&people),
            (_, _) => false,
        };
        ensure!(right, "{label}: {} are failing, and the channel says {cards:#?}", wanted.len());
    }
    once(world)?;
    written_as_promised(world).await
}

/// The method and path of every write that Okta took, with what was asked; one that was put off is none.
fn writes(world: &World) -> Vec<(String, String)> {
    let exchanges = world.okta.ledger().exchanges().into_iter();
    exchanges
        .filter(|each| each.method != "GET" && each.path.starts_with("/api/v1/apps/") && each.status != 429)
        .map(|each| (each.path, each.request_body))
        .collect()
}

/// Every write was asked for, noted before it was made, and made once; and everything that was begun has an end.
async fn written_as_promised(world: &World) -> Result<()> {
    let requests = world.app.desk.requests.requests(&RequestQuery::default()).await?;
    let mut entries = world.app.desk.requests.entries(&AuditQuery::default()).await?;
    entries.reverse();
    audit::verify(entries.clone(), None).context("the audit")?;
    let noted = |what: &str, of: &dyn Fn(&Entry) -> bool| {
        entries.iter().filter(|entry| entry.draft.what == what && of(entry)).count()
    };
    for request in &requests {
        let ours = |entry: &Entry| entry.draft.request == Some(request.number);
        ensure!(noted("write.begun", &ours) <= 1, "{} was begun twice", request.number);
        for person in request.outcomes.keys() {
            let about = |entry: &Entry| ours(entry) && entry.draft.before == format!("person {person}");
            let pushes = noted("push.begun", &about) - noted("push.put_off", &about);
            ensure!(pushes <= 1, "{} pushed {person} {pushes} times", request.number);
        }
        is_where_it_may_be(request, &entries)?;
    }
    let mut times: BTreeMap<(String, String), usize> = BTreeMap::new();
    for write in writes(world) {
        *times.entry(write).or_default() += 1;
    }
    for ((path, body), times) in times {
        let app = path.trim_start_matches("/api/v1/apps/").split('/').next().unwrap_or_default();
        let of_app = |entry: &Entry| entry.draft.app.as_ref().is_some_and(|id| id.as_str() == app);
        let noted = match path.rsplit_once("/users/") {
            Some((_, person)) => noted("push.begun", &|entry| {
                of_app(entry) && entry.draft.before == format!("person {person}")
            }),
            None => noted("write.begun", &|entry| of_app(entry) && !entry.draft.before.is_empty()),
        };
        ensure!(times <= noted, "{path} was written {times} times with {body}, and noted {noted} times");
    }
    Ok(())
}

/// Nothing is left in the middle, and what is called proven is.
fn is_where_it_may_be(request: &Request, entries: &[Entry]) -> Result<()> {
    let number = request.number;
    let guided = request.frozen.method == Method::Guided;
    match &request.stage {
        Stage::Approved | Stage::Executing { .. } => bail!("{number} was left {}", request.stage.word()),
        Stage::Verifying { .. } => ensure!(guided, "{number} is still being verified"),
        Stage::Succeeded { .. } => {
            let proven =
                |entry: &Entry| entry.draft.request == Some(number) && entry.draft.what == "request.proven";
            ensure!(entries.iter().any(proven), "{number} succeeded without a proof");
            let all = request.outcomes.values().all(|outcome| matches!(outcome, Outcome::Proven(_)));
            ensure!(all, "{number} succeeded, and not everybody of it is proven");
            let approved = request.approvals.len() >= request.frozen.gate.approvals as usize;
            ensure!(approved, "{number} was done without its approvals");
        }
        _ => {}
    }
    Ok(())
}

/// What Okta logged about a person and an app, in the order in which it came into the log.
fn history(world: &World, person: &str, app: &str) -> String {
    let mut out = String::new();
    for event in world.okta.log() {
        let text = event.to_string();
        if text.contains(app) && (text.contains(person) || text.contains("lifecycle.update")) {
            let [at, kind, result] =
                ["/published", "/eventType", "/outcome/result"].map(|field| event.pointer(field));
            let word = |value: Option<&serde_json::Value>| value.map_or(String::new(), ToString::to_string);
            out.push_str(&format!("\n  {} {} {}", word(at), word(kind), word(result)));
        }
    }
    out
}

/// No chapter has two messages, unless the second says that it may be one; no thread says a line twice.
fn once(world: &World) -> Result<()> {
    let mut chapters = BTreeSet::new();
    for message in world.discord.messages(world.channel) {
        if message.content.contains("(may repeat an earlier message)") {
            continue;
        }
        let Some(footer) = message.json.pointer("/embeds/0/footer/text") else { continue };
        ensure!(chapters.insert(footer.to_string()), "two messages are {footer}");
        let mut said = BTreeSet::new();
        for line in world.discord.thread_of(message.id) {
            ensure!(said.insert(line.content.clone()), "the thread says twice: {}", line.content);
        }
    }
    Ok(())
}

async fn plays(seed: u64) -> Result<()> {
    let mut world = World::new().await?;
    let mut session = Session::begin(&world, seed);
    for _ in 0..STEPS {
        world = session.step(world).await?;
    }
    session.heals(&world).await?;
    let held = holds(&world, &session).await;
    // One session in eight is held against the documents, too: that costs more than the session itself.
    if !seed.is_multiple_of(8) {
        world.okta.ledger().clear();
        world.discord.ledger().clear();
    }
    held.with_context(|| {
        format!("the session of seed {seed}: {:#?}\n{}", session.done, world.lines().join("\n"))
    })
}

/// Most of a session is waiting for faults to pass, so several go on at once.
const AT_ONCE: usize = 6;

#[expect(clippy::disallowed_methods, reason = "tests are configured by the environment")]
async fn play(which: impl Fn(&u64) -> bool) -> Result<()> {
    let number = |name: &str| std::env::var_os(name).and_then(|value| value.to_str()?.parse::<u64>().ok());
    let seeds = match number("PROVOST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("PROVOST_SEEDS").unwrap_or(12),
    };
    stream::iter(seeds.filter(which)).map(plays).buffer_unordered(AT_ONCE).try_collect().await
}

// Two of them, because there are two processors nearly everywhere.

#[tokio::test]
async fn whatever_happened_the_channel_shows_what_okta_has() -> Result<()> {
    play(|seed| seed.is_multiple_of(2)).await
}

#[tokio::test]
async fn whatever_else_happened_the_channel_shows_what_okta_has() -> Result<()> {
    play(|seed| !seed.is_multiple_of(2)).await
}
