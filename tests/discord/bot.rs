//! A bot against the fake, with a front whose commands do what a story needs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use commands::chat::{Call, Caller, Choice, CustomId, Dialog, First, Front, Input, Message, Opening};
use commands::spec::{From, Opt, OptKind, Spec};
use domain::ids::{GuildId, MemberId};
use jiff::Timestamp;
use provost::clock::SystemClock;
use provost::discord::gateway::{End, Pace, Status};
use provost::discord::rest::Limits;
use provost::discord::session::{Session, SessionStore};
use provost::discord::{Gateway, Inbound, Rest};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fake::{Fake, TOKEN};

pub const INTERACTION_TOKEN: &str = "canary-interaction-token";
const APP: &[Opt] = &[Opt { name: "app", about: "An app.", kind: OptKind::App, required: true }];

const fn spec(name: &'static str, opening: Opening) -> Spec {
    Spec { name, about: "A command.", role: None, opening, options: APP, from: From::Slash }
}

pub const SPECS: &[Spec] = &[
    spec("quick", Opening::Private),
    spec("slow", Opening::Private),
    spec("drafts", Opening::Private),
    spec("panics", Opening::Private),
    spec("panics-first", Opening::Private),
    spec("panics-on-card", Opening::Update),
    spec("card", Opening::Update),
    spec("refused", Opening::Private),
    spec("asks", Opening::Dialog),
    spec("asks-nothing", Opening::Dialog),
    spec("promises", Opening::Dialog),
];

/// Commands by their verbs.
pub struct TestFront {
    pub ran: Mutex<Vec<String>>,
    /// Who was turned away, and from what.
    pub turned_away: Mutex<Vec<(MemberId, Option<String>)>>,
    /// `slow` and `drafts` wait here.
    pub gate: Semaphore,
}

impl Default for TestFront {
    fn default() -> Self {
        Self { ran: Mutex::default(), turned_away: Mutex::default(), gate: Semaphore::new(0) }
    }
}

#[async_trait]
impl Front for TestFront {
    fn first(&self, _caller: &Caller, verb: &str, args: &[String]) -> First {
        match verb {
            "panics-first" => panic!("at the door"),
            "refused" => First::Refuse(Message::text("You may not.")),
            "card" | "panics-on-card" => First::Open(Opening::Update),
            "asks" => First::Ask(dialog(args)),
            "asks-nothing" => First::Ask(Dialog { inputs: Vec::new(), ..dialog(args) }),
            "promises" => First::Open(Opening::Dialog),
            _ => First::Open(Opening::Private),
        }
    }

    fn suggest(&self, _caller: &Caller, _verb: &str, option: &str, typed: &str) -> Vec<Choice> {
        vec![Choice { label: format!("{option} {typed}…"), value: "0oa1".to_owned(), chosen: false }]
    }

    async fn run(&self, call: Call) -> Message {
        self.ran.lock().unwrap().push(call.verb.clone());
        match &*call.verb {
            "slow" => drop(self.gate.acquire().await),
            "drafts" => {
                (call.draft)(Message::text("First findings."));
                drop(self.gate.acquire().await);
                (call.draft)(Message::text("Too late."));
            }
            "panics" | "panics-on-card" => panic!("in the middle"),
            _ => {}
        }
        Message::text(format!("Done for {}.", call.option("app").unwrap_or("nobody")))
    }

    async fn turned_away(&self, caller: &Caller, verb: Option<&str>, _args: &[String]) {
        self.turned_away.lock().unwrap().push((caller.id, verb.map(str::to_owned)));
    }
}

/// Asks for a reason, and then does what `args` name.
fn dialog(args: &[String]) -> Dialog {
    let (verb, rest) = args.split_first().map_or(("quick", args), |(verb, rest)| (verb.as_str(), rest));
    let reason = Input {
        name: "reason".to_owned(),
        label: "Why?".to_owned(),
        placeholder: "A ticket, a name".to_owned(),
        value: String::new(),
        length: (10, 500),
        long: true,
    };
    Dialog { submit: CustomId::new(verb, rest.to_vec()), title: "Enable".to_owned(), inputs: vec![reason] }
}

/// What the SQL store does, in memory.
#[derive(Default)]
pub struct Memory {
    pub session: Mutex<Option<Session>>,
    pub identifies: Mutex<Vec<Timestamp>>,
}

#[async_trait]
impl SessionStore for Memory {
    async fn load(&self) -> Option<Session> {
        self.session.lock().unwrap().clone()
    }

    async fn save(&self, session: Session) {
        *self.session.lock().unwrap() = Some(session);
    }

    async fn forget(&self) {
        *self.session.lock().unwrap() = None;
    }

    async fn identifies_since(&self, from: Timestamp) -> u32 {
        self.identifies.lock().unwrap().iter().filter(|at| **at >= from).count() as u32
    }

    async fn note_identify(&self, at: Timestamp) {
        self.identifies.lock().unwrap().push(at);
    }
}

pub fn limits() -> Limits {
    Limits {
        whole: Duration::from_millis(400),
        callback: Duration::from_millis(600),
        patience: Duration::from_secs(2),
        back_off: Duration::from_millis(10),
        ..Limits::default()
    }
}

pub fn pace() -> Pace {
    Pace {
        tick: Duration::from_millis(20),
        beat: Duration::from_millis(100),
        stall: Duration::from_millis(400),
        back_off: Duration::from_millis(20),
        save: Duration::from_millis(30),
        identify_gap: Duration::from_millis(50),
        identifies_a_day: 900,
    }
}

pub fn rest(fake: &Fake) -> Arc<Rest> {
    rest_with(fake, limits())
}

pub fn rest_with(fake: &Fake, limits: Limits) -> Arc<Rest> {
    let clock = Arc::new(SystemClock);
    Arc::new(Rest::with_limits(fake.url.clone(), TOKEN.into(), clock, limits).unwrap())
}

/// A bot that is running.
pub struct Bot {
    pub front: Arc<TestFront>,
    pub status: watch::Receiver<Status>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    running: JoinHandle<End>,
}

impl Bot {
    pub fn start(fake: &Fake, store: &Arc<Memory>) -> Self {
        Self::start_with(fake, store, pace())
    }

    pub fn start_with(fake: &Fake, store: &Arc<Memory>, pace: Pace) -> Self {
        let (rest, front) = (rest(fake), Arc::new(TestFront::default()));
        let stop = CancellationToken::new();
        let (out, interactions) = mpsc::channel(64);
        let inbound = Arc::new(Inbound::new(rest.clone(), front.clone(), GuildId(1), SPECS));
        let serving = tokio::spawn(inbound.serve(interactions, stop.clone()));
        let gateway = Gateway::new(rest, TOKEN.into(), store.clone(), Arc::new(SystemClock), pace);
        let status = gateway.status();
        let stopped = stop.clone();
        let running = tokio::spawn(async move { gateway.run(stopped, out).await });
        Self { front, status, stop, serving, running }
    }

    pub async fn ready(&mut self) {
        let ready = self.status.wait_for(|status| status.ready_since.is_some());
        tokio::time::timeout(Duration::from_secs(10), ready).await.unwrap().unwrap();
    }

    pub async fn stop(self) -> End {
        self.stop.cancel();
        self.serving.await.unwrap();
        self.running.await.unwrap()
    }

    pub async fn ended(self) -> End {
        tokio::time::timeout(Duration::from_secs(10), self.running).await.unwrap().unwrap()
    }
}

/// Somebody types `/okta VERB app:0oa1`.
pub fn typed(id: u64, verb: &str) -> Value {
    json!({
        "id": id.to_string(), "application_id": "12", "token": INTERACTION_TOKEN, "type": 2, "guild_id": "1",
        "member": { "user": { "id": "5" }, "roles": ["2"] }, "version": 1,
        "data": { "id": "9", "name": "okta", "type": 1, "options": [{ "name": verb, "type": 1, "options": [
            { "name": "app", "type": 3, "value": "0oa1" } ] }] },
    })
}

/// Somebody presses a button.
pub fn pressed(id: u64, custom_id: &str) -> Value {
    let mut press = typed(id, "");
    press["type"] = json!(3);
    press["data"] = json!({ "custom_id": custom_id, "component_type": 2 });
    press
}

/// Somebody submits a dialog; `on` says whether it was opened from a message.
pub fn submitted(id: u64, custom_id: &str, on: bool) -> Value {
    let mut submission = typed(id, "");
    submission["type"] = json!(5);
    let input = json!({ "type": 4, "id": 2, "custom_id": "reason", "value": "new hire" });
    let rows = json!([{ "type": 1, "id": 1, "components": [input] }]);
    submission["data"] = json!({ "custom_id": custom_id, "components": rows });
    if on {
        submission["message"] = json!({ "id": "77" });
    }
    submission
}
