//! What the demo's page plays on: a small world with people and apps in it, who can be somebody in it, what one can do
//! to it, and what is broken at the moment.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use anyhow::{Context, ensure};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use sim::discord::{Discord, Fault};
use sim::okta::{AccountState, DeactivateUsers, Okta};
use tokio::sync::watch;

use super::{Time, World};

/// Who one is in Okta's console, whoever one is in Discord; nobody of the org's people.
pub(super) const CONSOLE_ADMIN: &str = "Jo Ortiz";

/// The most people that come back at once.
const STORM: usize = 200;

/// The furthest that time is wound at once: a week.
const FURTHEST_MINUTES: u32 = 7 * 24 * 60;

/// Somebody that one can be.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    /// The member's id, as text.
    pub id: String,
    /// The name on the switch.
    pub name: &'static str,
    /// What they may do, in a word or two.
    pub role: &'static str,
    #[serde(skip)]
    pub(super) member: u64,
}

/// The world as the page knows it.
pub struct Stage {
    /// The org.
    pub okta: Okta,
    /// The server.
    pub discord: Discord,
    /// Where alerts go.
    pub channel: u64,
    /// Who one can be, in the order of the switch.
    pub cast: Vec<Part>,
    time: Time,
    okta_down: AtomicBool,
    discord_down: AtomicBool,
    /// How many minutes time was wound forward.
    wound: AtomicU32,
    /// How many people were made up so far.
    made_up: AtomicUsize,
    /// Counts up when something happened that neither simulator tells of.
    stirred: watch::Sender<u64>,
}

/// What somebody does in Okta's console, in an app, or to the whole world.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// Ticks or unticks Deactivate Users under Provisioning > To App.
    Setting { app: String, on: bool },
    /// Assigns an app.
    Assign { app: String, person: String },
    /// Takes an app away.
    Unassign { app: String, person: String },
    /// Deactivates somebody in Okta; whoever looks after their apps closes the accounts there.
    Leave { person: String },
    /// Activates somebody in Okta again.
    Return { person: String },
    /// The app's own administrator opens or closes the account there. Okta does not notice.
    Account { app: String, person: String, open: bool },
    /// Retries a failed push on Dashboard > Tasks.
    Retry { app: String, person: String },
    /// Somebody who was with the company before is assigned to an app again.
    ComesBack { app: String },
    /// Two hundred of them.
    Storm { app: String },
    /// The app has too much to do for four minutes, and somebody new is assigned.
    Busy { app: String },
    /// Okta cannot be reached, or can again.
    OktaDown { down: bool },
    /// Discord cannot be reached, or can again.
    DiscordDown { down: bool },
    /// Time passes.
    Wind { minutes: u32 },
}

impl Stage {
    /// Fills the world with apps and people.
    pub fn set(world: &World) -> Self {
        populate(&world.okta);
        world.okta.console_is_used_by(CONSOLE_ADMIN);
        let part = |member: u64, name, role| Part { id: member.to_string(), name, role, member };
        Self {
            okta: world.okta.clone(),
            discord: world.discord.clone(),
            channel: world.channel,
            cast: vec![
                part(world.vic, "Vic", "viewer"),
                part(world.olive, "Olive", "operator"),
                part(world.ada, "Ada", "approver"),
                part(world.abe, "Abe", "approver"),
                part(world.root, "Root", "admin"),
                part(world.stranger, "Stranger", "no role"),
            ],
            time: world.time(),
            okta_down: AtomicBool::new(false),
            discord_down: AtomicBool::new(false),
            wound: AtomicU32::new(0),
            made_up: AtomicUsize::new(0),
            stirred: watch::Sender::new(0),
        }
    }

    /// The member with that id, if one can be them.
    pub fn part(&self, id: &str) -> Option<u64> {
        self.cast.iter().find(|part| part.id == id).map(|part| part.member)
    }

    /// Whether Okta is down.
    pub fn okta_is_down(&self) -> bool {
        self.okta_down.load(Ordering::SeqCst)
    }

    /// Whether Discord is down.
    pub fn discord_is_down(&self) -> bool {
        self.discord_down.load(Ordering::SeqCst)
    }

    /// Changes whenever something happened that neither simulator tells of.
    pub fn stirs(&self) -> watch::Receiver<u64> {
        self.stirred.subscribe()
    }

    /// Tells every page to look again.
    pub(super) fn stir(&self) {
        self.stirred.send_modify(|count| *count += 1);
    }

    /// How far the world's clock is ahead of the real one.
    pub fn ahead(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.wound.load(Ordering::SeqCst)))
    }

    /// Does it.
    ///
    /// # Errors
    ///
    /// If there is no such app or person, or it makes no sense now; the text is for whoever tried.
    pub(crate) async fn does(&self, deed: Deed) -> anyhow::Result<()> {
        let done = self.tries(deed).await;
        self.stir();
        done
    }

    async fn tries(&self, deed: Deed) -> anyhow::Result<()> {
        let okta = &self.okta;
        match deed {
            Deed::Setting { app, on } => {
                self.knows(&app, None)?;
                match on {
                    true => okta.enables_in_console(&app, CONSOLE_ADMIN),
                    false => okta.disables_in_console(&app, CONSOLE_ADMIN),
                }
            }
            Deed::Assign { app, person } => {
                self.knows(&app, Some(&person))?;
                ensure!(self.is_active(&person), "Okta assigns nothing to somebody who is deactivated");
                okta.assigns(&person, &app);
            }
            Deed::Unassign { app, person } => {
                self.knows(&app, Some(&person))?;
                okta.unassigns(&person, &app);
            }
            Deed::Leave { person } => self.leaves(&person)?,
            Deed::Return { person } => {
                self.knows_person(&person)?;
                ensure!(!self.is_active(&person), "they are active already");
                okta.comes_back(&person);
            }
            Deed::Account { app, person, open } => {
                self.knows(&app, Some(&person))?;
                match open {
                    true => okta.activates_in_app(&person, &app),
                    false => okta.left_inactive(&person, &app),
                }
            }
            Deed::Retry { app, person } => {
                self.knows(&app, Some(&person))?;
                okta.retries_in_console(&person, &app);
            }
            Deed::ComesBack { app } => {
                self.knows(&app, None)?;
                let person = self.makes_up();
                okta.left_inactive(&person, &app);
                okta.assigns(&person, &app);
            }
            Deed::Storm { app } => {
                self.knows(&app, None)?;
                for _ in 0..STORM {
                    let person = self.makes_up();
                    okta.left_inactive(&person, &app);
                    okta.assigns_by_group(&person, &app, "Autumn intake");
                }
            }
            Deed::Busy { app } => {
                self.knows(&app, None)?;
                let person = self.makes_up();
                okta.app_is_busy_until(&app, okta.now() + SignedDuration::from_mins(4));
                okta.assigns(&person, &app);
            }
            Deed::OktaDown { down } => {
                if self.okta_down.swap(down, Ordering::SeqCst) != down {
                    match down {
                        true => okta.pause_serving().await,
                        false => okta.resume_serving().await?,
                    }
                }
            }
            Deed::DiscordDown { down } => {
                if self.discord_down.swap(down, Ordering::SeqCst) != down {
                    self.discord_goes(down);
                }
            }
            Deed::Wind { minutes } => {
                ensure!((1..=FURTHEST_MINUTES).contains(&minutes), "at least a minute, at most a week");
                self.wound.fetch_add(minutes, Ordering::SeqCst);
                self.time.passes(SignedDuration::from_mins(minutes.into()));
            }
        }
        Ok(())
    }

    fn discord_goes(&self, down: bool) {
        if down {
            self.discord.faults().next(usize::MAX, "", Fault::Status(503));
            self.discord.refuses_upgrades(usize::MAX);
            self.discord.drops_connection();
        } else {
            self.discord.faults().clear();
            self.discord.refuses_upgrades(0);
        }
    }

    fn leaves(&self, person: &str) -> anyhow::Result<()> {
        self.knows_person(person)?;
        ensure!(self.is_active(person), "they are deactivated already");
        let apps = self.okta.app_views();
        let assigned = apps.iter().filter(|app| app.assigned.iter().any(|it| it.user == person));
        let assigned: Vec<&str> = assigned.map(|app| app.id.as_str()).collect();
        self.okta.leaves(person);
        for app in assigned {
            if self.okta.account_state(person, app) == AccountState::Active {
                self.okta.left_inactive(person, app);
            }
        }
        Ok(())
    }

    /// The simulated org panics about what it does not know, and what comes from a page is not to be believed.
    fn knows(&self, app: &str, person: Option<&str>) -> anyhow::Result<()> {
        ensure!(self.okta.apps().iter().any(|(id, _)| id == app), "there is no such app");
        person.map_or(Ok(()), |person| self.knows_person(person))
    }

    fn knows_person(&self, person: &str) -> anyhow::Result<()> {
        let people = self.okta.person_views();
        let first = people.first().context("there is nobody")?;
        ensure!(first.id != person, "the administrator stays as they are");
        ensure!(people.iter().any(|it| it.id == person), "there is no such person");
        Ok(())
    }

    fn is_active(&self, person: &str) -> bool {
        self.okta.person_views().iter().any(|it| it.id == person && it.status == "ACTIVE")
    }

    /// Somebody new, by name.
    fn makes_up(&self) -> String {
        let number = self.made_up.fetch_add(1, Ordering::SeqCst);
        let (first, last) = name(number);
        self.okta.hires(first, &last)
    }
}

fn name(number: usize) -> (&'static str, String) {
    const FIRST: [&str; 20] = [
        "Amal", "Bela", "Cleo", "Dora", "Emre", "Femi", "Gita", "Hana", "Ivo", "Jana", "Kofi", "Lina",
        "Milo", "Nora", "Omar", "Pia", "Rafa", "Sami", "Tala", "Uma",
    ];
    const LAST: [&str; 11] =
        ["Abel", "Brandt", "Cruz", "Dean", "Engel", "Farah", "Grant", "Haas", "Imani", "Jones", "Kaya"];
    let (first, last) = (FIRST[number % FIRST.len()], LAST[number / FIRST.len() % LAST.len()]);
    // Nobody is called like somebody else, however many storms there are.
    match number / (FIRST.len() * LAST.len()) {
        0 => (first, last.to_owned()),
        round => (first, format!("{last} {}", round + 1)),
    }
}

/// A few apps, as companies have them, and people in them. Dana left last year; her accounts were closed.
fn populate(okta: &Okta) {
    let slack = okta.installs("Slack", "slack", DeactivateUsers::Off);
    let airbase = okta.installs("Airbase", "airbase", DeactivateUsers::Off);
    let zoom = okta.installs("Zoom", "zoomus", DeactivateUsers::On);
    let figma = okta.installs("Figma", "figma", DeactivateUsers::Off);
    let menu = okta.installs_unprovisionable("Lunch Menu", "lunch_menu");
    let people = [
        ("Ben", "Okoro"),
        ("Carla", "Mendes"),
        ("Deniz", "Aydin"),
        ("Elif", "Kara"),
        ("Farid", "Haddad"),
        ("Grace", "Lim"),
        ("Hugo", "Weiss"),
    ];
    for (number, (first, last)) in people.into_iter().enumerate() {
        let person = okta.hires(first, last);
        okta.assigns_by_group(&person, &slack, "Everyone");
        okta.assigns_by_group(&person, &menu, "Everyone");
        if number % 2 == 0 {
            okta.assigns(&person, &airbase);
        } else {
            okta.assigns(&person, &figma);
        }
        if number % 3 != 0 {
            okta.assigns(&person, &zoom);
        }
    }
    let dana = okta.hires("Dana", "Reyes");
    okta.left_inactive(&dana, &slack);
    okta.left_inactive(&dana, &airbase);
}
