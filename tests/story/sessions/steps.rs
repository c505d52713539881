//! The dice, and what one step of a session does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Result, ensure};
use domain::store::{Query, Which};
use jiff::SignedDuration;
use sim::discord::{Fault as DiscordFault, Permission, Scope};
use sim::okta::{DeactivateUsers, FailureShape, Fault as OktaFault};

use super::promises::{had_the_right, writes};
use crate::world::World;

/// Numbers that follow from a seed (SplitMix64).
pub(super) struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    pub(super) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        let index = self.below(of.len() as u64) as usize;
        of[index].clone()
    }
}

/// What a session is made of.
pub(super) struct Session {
    pub(super) dice: Dice,
    pub(super) apps: Vec<(String, String)>,
    people: Vec<String>,
    okta_is_down: bool,
    /// How many writes Okta had seen when all writes were stopped.
    paused_at: Option<usize>,
    pub(super) done: Vec<String>,
    /// Who was unassigned by hand, and not assigned again by hand since.
    pub(super) unassigned: BTreeSet<(String, String)>,
    /// What stands in assignments, filled in by hand; forgotten when somebody is unassigned by hand.
    pub(super) filled: BTreeMap<(String, String), String>,
    /// The role that somebody lost for a time.
    pub(super) lost: Vec<(&'static str, &'static str)>,
    /// Up to where the audit was looked at.
    audited: i64,
    /// What the audit says was done, each once.
    pub(super) seen: BTreeSet<String>,
}

impl Session {
    pub(super) fn begin(world: &World, seed: u64) -> Self {
        let apps = ["Airbase", "Smartsheet", "Slack"].map(|label| {
            let id = world.okta.installs(label, &label.to_lowercase(), DeactivateUsers::Off);
            (id, label.to_owned())
        });
        let people =
            ["Ada", "Ben", "Cleo", "Dana", "Eve", "Finn"].map(|name| world.okta.hires(name, "Session"));
        for name in ["Olive", "Oscar", "Abe", "Gina"] {
            world.okta.hires(name, "Session");
        }
        Self {
            dice: Dice(seed),
            apps: apps.to_vec(),
            people: people.to_vec(),
            okta_is_down: false,
            paused_at: None,
            done: Vec::new(),
            unassigned: BTreeSet::new(),
            filled: BTreeMap::new(),
            lost: Vec::new(),
            audited: 1,
            seen: BTreeSet::new(),
        }
    }

    /// Three of them.
    pub(super) fn some_people(&self) -> Vec<String> {
        self.people[..3].to_vec()
    }

    pub(super) async fn step(&mut self, mut world: World) -> Result<World> {
        let (app, _) = self.dice.one(&self.apps);
        let person = self.dice.one(&self.people);
        let kind = self.dice.below(60);
        self.done.push(format!("{kind} {person} {app}"));
        match kind {
            0..=4 => {
                if !world.okta.is_assigned(&person, &app) {
                    world.okta.left_inactive(&person, &app);
                }
                world.okta.assigns(&person, &app);
                self.unassigned.remove(&(person, app));
            }
            5 => world.okta.enables_in_console(&app, "Jo Ortiz"),
            6 => world.okta.disables_in_console(&app, "Max Power"),
            7 | 8 => {
                world.okta.unassigns(&person, &app);
                let pair = (person, app);
                self.filled.remove(&pair);
                self.unassigned.insert(pair);
            }
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
                let fault = self.okta_fault();
                // Of an app or a person, “not found” is no fault but what Okta says.
                let at = if matches!(fault, OktaFault::CursorRefused(_)) { "/logs" } else { at };
                world.okta.faults().next(times, at, fault);
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
            39..=41 | 51 => self.reassigns(&world).await,
            42 | 43 => self.done_otherwise(&world).await,
            44 | 48 | 49 => self.breaks_the_glass(&world, &app).await,
            45 => self.reviews(&world).await,
            46 => self.links(&world).await,
            47 => self.changes_roles(&world),
            50 => self.retries_in_part(&world).await,
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
        self.audited = had_the_right(&world, self.audited, &mut self.seen).await?;
        Ok(world)
    }

    /// Somebody takes an incident, or hides it for a while. That may be refused: it may be over, or not there.
    async fn by_hand(&mut self, world: &World) {
        let who = self.dice.one(&["Olive", "Oscar"]);
        let Some(number) = self.some_incident(world).await else { return };
        let _ = match self.dice.below(2) {
            0 => world.says(who, "claim", &[("incident", &number)]).await,
            _ => {
                let time = self.dice.one(&["5m", "20m"]);
                world.says(who, "snooze", &[("incident", &number), ("for", time)]).await
            }
        };
    }

    /// Mostly one that is open; at times one that is over or that there is not.
    pub(super) async fn some_incident(&mut self, world: &World) -> Option<String> {
        if self.dice.below(4) == 0 {
            return Some((1 + self.dice.below(8)).to_string());
        }
        let open = Query { which: Which::Open, ..Query::default() };
        let open = world.app.desk.store.incidents(&open).await.ok()?;
        let numbers: Vec<_> = open.iter().map(|incident| incident.number.0.to_string()).collect();
        (!numbers.is_empty()).then(|| self.dice.one(&numbers))
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
        self.perhaps_changes_roles(world);
    }

    /// Somebody presses a button of the newest card that has it, perhaps twice, perhaps at once with somebody else.
    async fn decides(&mut self, world: &World) {
        let who = self.dice.one(&["Ada", "Abe", "Olive", "Root"]);
        let label = self.dice.one(&["Approve", "Approve", "Approve", "Deny…", "Deny…", "Withdraw"]);
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
        self.perhaps_changes_roles(world);
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
    pub(super) async fn heals(&mut self, world: &World) -> Result<()> {
        world.okta.faults().clear();
        world.discord.faults().clear();
        world.okta.arrives_late(SignedDuration::ZERO);
        for what in
            [Permission::SEND_MESSAGES, Permission::READ_MESSAGE_HISTORY, Permission::CREATE_PUBLIC_THREADS]
        {
            world.discord.allows(what, world.channel);
        }
        for (name, role) in std::mem::take(&mut self.lost) {
            world.gets(name, role);
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
