//! The gateway: a websocket that greets the bot, beats with it, and tells it what happens.
//!
//! Source: Discord developer documentation, "Gateway" and "Opcodes and Status Codes".

use std::{collections::HashMap, time::Duration};

use axum::{
    extract::{
        Query, State as Extract,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::Instant};

use super::{
    Discord,
    events::Change,
    handshake,
    sessions::{Out, frame},
    zipping::Wrapping,
};

/// The path that GET /gateway tells.
pub(super) const PATH: &str = "/gateway";
/// The path that READY tells for a resume; another one, so that it shows who uses it.
pub(super) const RESUME_PATH: &str = "/resume";

/// Sends a minute that a client may make.
const SENDS_A_MINUTE: usize = 120;

/// Answers an upgrade, unless it was told to refuse or to hang.
pub(super) async fn upgrade(
    Extract(discord): Extract<Discord>,
    uri: Uri,
    Query(query): Query<HashMap<String, String>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let path = uri.path().trim_end_matches('/').to_owned();
    let (refuse, hang) = discord.with(|state| {
        let gateway = &mut state.sessions;
        let refuse = gateway.refuses > 0;
        let hang = !refuse && gateway.hangs > 0;
        gateway.refuses -= usize::from(refuse);
        gateway.hangs -= usize::from(hang);
        gateway.log.push(format!(
            "{} {path}",
            if refuse {
                "refused"
            } else if hang {
                "hung"
            } else {
                "connected"
            }
        ));
        (refuse, hang)
    });
    if refuse {
        return (StatusCode::SERVICE_UNAVAILABLE, "upstream connect error").into_response();
    }
    if hang {
        discord.stopping().cancelled().await;
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    // A client that insists on anything else must not be let in.
    let wrapping = Wrapping::asked_for(query.get("compress").map(String::as_str));
    let is_json = query.get("encoding").is_none_or(|encoding| encoding == "json");
    let Some(wrapping) = wrapping.filter(|_| is_json) else {
        return (StatusCode::BAD_REQUEST, "only json is spoken here, plain or as zlib-stream")
            .into_response();
    };
    let version = query.get("v").cloned().unwrap_or_default();
    upgrade.on_upgrade(move |socket| serve(discord, socket, version, wrapping))
}

async fn serve(discord: Discord, mut socket: WebSocket, version: String, mut wrapping: Wrapping) {
    let (out, mut inbox) = mpsc::unbounded_channel();
    let (me, heartbeat) = discord.with(|state| (state.sessions.connect(out), state.settings.heartbeat));
    let interval = u64::try_from(heartbeat.as_millis()).unwrap_or(u64::MAX);
    discord.with(|state| {
        let hello = frame(None, None, 10, &json!({ "heartbeat_interval": interval, "_trace": [] }));
        state.sessions.send(me, Out::Text(hello));
        if version != "10" {
            state.sessions.send(me, Out::Close(4012, "Invalid API version"));
        }
    });
    let (mut beat, mut sends) = (Instant::now(), Vec::new());
    let mut over = false;
    loop {
        tokio::select! {
            () = discord.stopping().cancelled() => break,
            () = tokio::time::sleep_until(beat + heartbeat * 2) => {
                close(&mut socket, 4009, "Session timed out").await;
                break;
            }
            next = inbox.recv() => match next {
                Some(Out::Text(text)) => {
                    let Ok(frame) = wrapping.wrap(text) else { break };
                    if socket.send(frame).await.is_err() {
                        break;
                    }
                }
                Some(Out::Close(code, reason)) => {
                    note(&discord, format!("closed {code}"));
                    close(&mut socket, code, reason).await;
                    over = matches!(code, 4004 | 4010..=4014);
                    break;
                }
                Some(Out::Drop) | None => break,
            },
            got = socket.recv() => match got {
                Some(Ok(Message::Text(text))) => {
                    sends.retain(|at: &Instant| at.elapsed() < Duration::from_secs(60));
                    sends.push(Instant::now());
                    if sends.len() > SENDS_A_MINUTE {
                        discord.with(|state| state.sessions.send(me, Out::Close(4008, "Rate limited")));
                    } else if hears(&discord, me, &text) {
                        beat = Instant::now();
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.map_or(1005, |frame| frame.code);
                    note(&discord, format!("client closed {code}"));
                    over = matches!(code, 1000 | 1001);
                    break;
                }
                Some(Ok(Message::Binary(_))) => {
                    discord.with(|state| state.sessions.send(me, Out::Close(4002, "Error while decoding payload")));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Err(_)) | None => break,
            },
        }
    }
    discord.with(|state| {
        let now = state.now();
        state.sessions.disconnect(me, over, now);
        let online = state.sessions.is_ready();
        state.tell(Change::Bot { online });
    });
}

async fn close(socket: &mut WebSocket, code: u16, reason: &'static str) {
    let _ = socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
    // The client's own close frame, so that the code reaches it before the socket goes.
    let _ = tokio::time::timeout(Duration::from_millis(500), async {
        while let Some(Ok(message)) = socket.recv().await {
            if matches!(message, Message::Close(_)) {
                break;
            }
        }
    })
    .await;
}

fn note(discord: &Discord, what: String) {
    discord.with(|state| state.sessions.log.push(what));
}

/// Takes in what the client says; whether it was a heartbeat.
fn hears(discord: &Discord, me: u64, text: &str) -> bool {
    discord.with(|state| {
        let payload = serde_json::from_str::<Value>(text).ok().filter(|_| text.len() <= 4096);
        let Some(payload) = payload else {
            state.sessions.send(me, Out::Close(4002, "Error while decoding payload"));
            return false;
        };
        let greeted = state.sessions.connections.get(&me).is_some_and(|it| it.session.is_some());
        match payload["op"].as_u64() {
            Some(1) => {
                state.sessions.send(me, Out::Text(frame(None, None, 11, &Value::Null)));
                return true;
            }
            Some(2 | 6) if greeted => state.sessions.send(me, Out::Close(4005, "Already authenticated")),
            Some(2) => handshake::identify(state, me, &payload["d"]),
            Some(6) => handshake::resume(state, me, &payload["d"]),
            Some(3 | 4 | 8 | 14 | 31) if !greeted => {
                state.sessions.send(me, Out::Close(4003, "Not authenticated"));
            }
            Some(3 | 4 | 8 | 14 | 31) => {}
            _ => state.sessions.send(me, Out::Close(4001, "Unknown opcode")),
        }
        false
    })
}
