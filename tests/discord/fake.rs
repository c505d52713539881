//! A small Discord on loopback: it keeps messages, sessions and a ledger of what was asked, and fails on request.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

pub const TOKEN: &str = "canary-bot-token";
pub const ME: &str = "900";

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub what: String,
    pub body: Value,
    pub authorization: Option<String>,
    pub at: Instant,
}

/// How the next websocket upgrades go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Upgrade {
    Refused,
    Hung,
    /// Accepted, but no heartbeat is answered and nothing is delivered.
    Zombie,
    /// Accepted; whoever wants to go on with a session is closed with this.
    ClosesResume(u16),
    /// Accepted; whoever identifies is closed with this.
    ClosesIdentify(u16),
}

#[derive(Debug, Clone)]
enum Order {
    Send(Value),
    Close(Option<u16>),
    Drop,
}

#[derive(Default)]
pub struct World {
    pub asked: Vec<Asked>,
    /// Answers to come, by the start of “METHOD /path”.
    faults: VecDeque<(String, Fault)>,
    pub messages: Vec<Value>,
    nonces: HashMap<String, Value>,
    pub commands: Value,
    pub upgrades: VecDeque<Upgrade>,
    /// “identify” or “resume”, with the path it came by.
    pub signed_in: Vec<String>,
    pub beat_ms: u64,
    session: Option<u64>,
    events: Vec<Value>,
    sessions: u64,
    next_id: u64,
}

#[derive(Clone)]
pub struct Fault {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    /// Whether it is done all the same, before the answer is lost.
    pub done: bool,
    pub after: Duration,
}

impl Fault {
    pub fn new(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), body: body.to_owned(), done: false, after: Duration::ZERO }
    }

    pub fn slow_down(seconds: &str, scope: &str) -> Self {
        let body = json!({ "message": "slow", "retry_after": 0.0, "global": scope == "global" });
        let headers = vec![("retry-after", seconds.to_owned()), ("x-ratelimit-scope", scope.to_owned())];
        Self { headers, ..Self::new(429, &body.to_string()) }
    }
}

#[derive(Clone)]
pub struct Fake {
    world: Arc<Mutex<World>>,
    orders: broadcast::Sender<Order>,
    pub url: url::Url,
    address: String,
}

impl Fake {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let url = format!("http://{address}").parse().unwrap();
        let world = World { beat_ms: 10_000, commands: json!([]), next_id: 1_000, ..World::default() };
        let fake =
            Self { world: Arc::new(Mutex::new(world)), orders: broadcast::Sender::new(64), url, address };
        let app = Router::new()
            .route("/first/", any(first))
            .route("/resume/", any(resumed))
            .fallback(rest)
            .with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        fake
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// The next request that starts so is answered so.
    pub fn next(&self, what: &str, fault: Fault) {
        self.world().faults.push_back((what.to_owned(), fault));
    }

    pub fn upgrades(&self, upgrades: impl IntoIterator<Item = Upgrade>) {
        self.world().upgrades.extend(upgrades);
    }

    /// All requests that start so.
    pub fn asked(&self, what: &str) -> Vec<Asked> {
        self.world().asked.iter().filter(|asked| asked.what.starts_with(what)).cloned().collect()
    }

    /// Waits until so many requests start so.
    pub async fn wait_for(&self, what: &str, count: usize) -> Vec<Asked> {
        for _ in 0..2_000 {
            let asked = self.asked(what);
            if asked.len() >= count {
                return asked;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("no {count} of {what}; asked was {:?}", self.world().asked);
    }

    /// Waits until the bot signed in so often.
    pub async fn wait_signed_in(&self, count: usize) -> Vec<String> {
        for _ in 0..2_000 {
            let signed_in = self.world().signed_in.clone();
            if signed_in.len() >= count {
                return signed_in;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("not signed in {count} times: {:?}", self.world().signed_in);
    }

    /// Somebody does something; it is delivered now, or when a session is gone on with.
    pub fn interact(&self, interaction: &Value) {
        let event = {
            let mut world = self.world();
            let event =
                json!({ "t": "INTERACTION_CREATE", "s": world.events.len() + 1, "op": 0, "d": interaction });
            world.events.push(event.clone());
            event
        };
        let _ = self.orders.send(Order::Send(event));
    }

    /// An operation without an event, for example 7.
    pub fn op(&self, op: u8, data: Value) {
        let _ = self.orders.send(Order::Send(json!({ "t": null, "s": null, "op": op, "d": data })));
    }

    pub fn forget_session(&self) {
        self.world().session = None;
    }

    pub fn close(&self, code: Option<u16>) {
        let _ = self.orders.send(Order::Close(code));
    }

    pub fn drop_connection(&self) {
        let _ = self.orders.send(Order::Drop);
    }
}

async fn rest(State(fake): State<Fake>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().trim_start_matches("/api/v10").to_owned();
    let what = format!("{} {path}", parts.method);
    let bytes = to_bytes(body, 32 << 20).await.unwrap_or_default();
    let authorization = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let fault = {
        let mut world = fake.world();
        world.asked.push(Asked {
            what: what.clone(),
            body: body.clone(),
            authorization: authorization.map(str::to_owned),
            at: Instant::now(),
        });
        let at = world.faults.iter().position(|(start, _)| what.starts_with(start.as_str()));
        at.and_then(|at| world.faults.remove(at)).map(|(_, fault)| fault)
    };
    let query = parts.uri.query().unwrap_or_default();
    let Some(fault) = fault else { return answer(&fake, &parts.method, &path, query, &body) };
    if fault.done {
        drop(answer(&fake, &parts.method, &path, query, &body));
    }
    tokio::time::sleep(fault.after).await;
    let mut response = Response::builder().status(fault.status);
    for (name, value) in fault.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(fault.body)).unwrap()
}

fn answer(fake: &Fake, method: &Method, path: &str, query: &str, body: &Value) -> Response {
    let mut world = fake.world();
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (method.as_str(), &*parts) {
        ("GET", ["gateway"]) => json_of(json!({ "url": format!("ws://{}/first", fake.address) })),
        ("GET", ["users", "@me"]) => json_of(json!({ "id": ME, "username": "provost", "bot": true })),
        ("GET", ["channels", channel]) => json_of(json!({ "id": channel, "type": 0, "guild_id": "1" })),
        ("GET", ["guilds", "1"]) => json_of(json!({ "id": "1", "owner_id": "2" })),
        ("GET", ["guilds", "1", "roles"]) => json_of(json!([{ "id": "1", "permissions": "1024" }])),
        ("GET", ["guilds", "1", "members", id]) => json_of(json!({ "user": { "id": id }, "roles": [] })),
        ("POST", ["channels", channel, "messages"]) => {
            let nonce = body["nonce"].as_str().unwrap_or_default().to_owned();
            if let Some(message) = world.nonces.get(&nonce) {
                return json_of(message.clone());
            }
            world.next_id += 1;
            let mut message = body.clone();
            message["id"] = json!(world.next_id.to_string());
            message["channel_id"] = json!(channel);
            message["author"] = json!({ "id": ME });
            world.nonces.insert(nonce, message.clone());
            world.messages.push(message.clone());
            json_of(message)
        }
        ("GET", ["channels", _, "messages"]) => {
            let after = query.split('&').find_map(|pair| pair.strip_prefix("after="));
            let after: u64 = after.and_then(|after| after.parse().ok()).unwrap_or(0);
            let id =
                |message: &Value| message["id"].as_str().and_then(|id| id.parse::<u64>().ok()).unwrap_or(0);
            let mut page: Vec<_> =
                world.messages.iter().filter(|message| id(message) > after).take(100).cloned().collect();
            page.reverse();
            json_of(json!(page))
        }
        ("GET", ["applications", _, "guilds", "1", "commands"]) => json_of(world.commands.clone()),
        ("PUT", ["applications", _, "guilds", "1", "commands"]) => {
            world.commands = body.clone();
            json_of(body.clone())
        }
        ("POST", ["interactions", ..]) => StatusCode::NO_CONTENT.into_response(),
        ("PATCH" | "POST", _) => json_of(json!({ "id": "5" })),
        _ => (StatusCode::NOT_FOUND, r#"{"code":0,"message":"404: Not Found"}"#).into_response(),
    }
}

fn json_of(value: Value) -> Response {
    ([("content-type", "application/json")], value.to_string()).into_response()
}

async fn first(State(fake): State<Fake>, upgrade: WebSocketUpgrade) -> Response {
    accept(fake, upgrade, "first").await
}

async fn resumed(State(fake): State<Fake>, upgrade: WebSocketUpgrade) -> Response {
    accept(fake, upgrade, "resume").await
}

async fn accept(fake: Fake, upgrade: WebSocketUpgrade, by: &'static str) -> Response {
    let how = fake.world().upgrades.pop_front();
    match how {
        Some(Upgrade::Refused) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(Upgrade::Hung) => std::future::pending().await,
        how => upgrade.on_upgrade(move |socket| async move {
            let _ = speak(&fake, socket, how, by).await;
        }),
    }
}

/// One connection, until either side ends it.
async fn speak(
    fake: &Fake,
    mut socket: WebSocket,
    how: Option<Upgrade>,
    by: &str,
) -> Result<(), axum::Error> {
    let mut orders = fake.orders.subscribe();
    let beat = fake.world().beat_ms;
    let hello = json!({ "t": null, "s": null, "op": 10, "d": { "heartbeat_interval": beat } });
    socket.send(text(hello)).await?;
    let mut signed_in = false;
    loop {
        let message = tokio::select! {
            order = orders.recv() => match order {
                Ok(Order::Send(value)) if signed_in && how != Some(Upgrade::Zombie) => {
                    socket.send(text(value)).await?;
                    continue;
                }
                Ok(Order::Send(_)) => continue,
                Ok(Order::Close(code)) => {
                    let frame = code.map(|code| CloseFrame { code, reason: "".into() });
                    return socket.send(Message::Close(frame)).await;
                }
                Ok(Order::Drop) | Err(_) => return Ok(()),
            },
            message = socket.recv() => match message {
                Some(message) => message?,
                None => return Ok(()),
            },
        };
        let Message::Text(frame) = message else {
            if let Message::Close(frame) = message {
                let code = frame.map_or(0, |frame| frame.code);
                fake.world().signed_in.push(format!("closed {code}"));
            }
            continue;
        };
        let frame: Value = serde_json::from_str(&frame).unwrap_or_default();
        let close = |code| Message::Close(Some(CloseFrame { code, reason: "".into() }));
        match frame["op"].as_u64() {
            Some(1) if how != Some(Upgrade::Zombie) => {
                socket.send(text(json!({ "t": null, "s": null, "op": 11, "d": null }))).await?;
            }
            Some(2) => {
                if let Some(Upgrade::ClosesIdentify(code)) = how {
                    return socket.send(close(code)).await;
                }
                let session = {
                    let mut world = fake.world();
                    world.signed_in.push(format!("identify {by}"));
                    world.sessions += 1;
                    world.session = Some(world.sessions);
                    world.sessions
                };
                signed_in = true;
                let mut ready = json!({ "t": "READY", "op": 0, "d": {
                    "v": 10, "session_id": format!("canary-session-{session}"), "guilds": [],
                    "resume_gateway_url": format!("ws://{}/resume", fake.address) } });
                {
                    let mut world = fake.world();
                    let number = world.events.len() + 1;
                    ready["s"] = json!(number);
                    world.events.push(json!({ "op": 0, "t": "GONE", "s": number, "d": {} }));
                }
                socket.send(text(ready)).await?;
            }
            Some(6) => {
                if let Some(Upgrade::ClosesResume(code)) = how {
                    return socket.send(close(code)).await;
                }
                let known = fake.world().session.map(|session| format!("canary-session-{session}"));
                if frame["d"]["session_id"].as_str() != known.as_deref() {
                    socket.send(text(json!({ "t": null, "s": null, "op": 9, "d": false }))).await?;
                    continue;
                }
                let seq = frame["d"]["seq"].as_u64().unwrap_or(0);
                let missed: Vec<_> = {
                    let mut world = fake.world();
                    world.signed_in.push(format!("resume {by}"));
                    world.events.iter().filter(|event| event["s"].as_u64() > Some(seq)).cloned().collect()
                };
                signed_in = true;
                for event in &missed {
                    socket.send(text(event.clone())).await?;
                }
                let last = fake.world().events.len();
                socket.send(text(json!({ "t": "RESUMED", "s": last, "op": 0, "d": {} }))).await?;
            }
            _ => {}
        }
    }
}

/// As Discord sends it: t, s and op before d, which may hold fields of the same names.
fn text(event: Value) -> Message {
    let [t, s, op, d] = ["t", "s", "op", "d"].map(|field| event[field].to_string());
    Message::Text(format!(r#"{{"t":{t},"s":{s},"op":{op},"d":{d}}}"#).into())
}
