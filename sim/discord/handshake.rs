//! How a bot begins a session, or goes on with one.

use serde_json::{Value, json};

use super::{
    clock,
    events::Change,
    gateway,
    sessions::{GUILDS, Out, Session, frame},
    state::State,
    world,
};

/// Every bit that means something.
const ALL_INTENTS: u64 = 0x0331_FFFF;
/// Members, presences and message content; nobody allowed this bot any of them.
const PRIVILEGED: u64 = 1 << 1 | 1 << 8 | 1 << 15;

/// IDENTIFY (op 2): a new session, READY, and the server if the bot wants to hear of it.
pub(super) fn identify(state: &mut State, me: u64, d: &Value) {
    state.sessions.log.push("identify".to_owned());
    if let Err((code, reason)) = may_identify(state, d) {
        return state.sessions.send(me, Out::Close(code, reason));
    }
    let now = state.now();
    let gap = state.settings.identify_gap;
    let too_soon = state.sessions.identifies.last().is_some_and(|last| {
        now.duration_since(*last) < jiff::SignedDuration::try_from(gap).unwrap_or_default()
    });
    state.sessions.identifies.push(now);
    if too_soon {
        return state.sessions.send(me, Out::Text(frame(None, None, 9, &Value::Bool(false))));
    }

    let id = format!("{:016x}{:016x}", state.settings.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15), state.id());
    let intents = d["intents"].as_u64().unwrap_or(0);
    state.sessions.known.insert(id.clone(), Session::new(intents, me));
    if let Some(connection) = state.sessions.connections.get_mut(&me) {
        connection.session = Some(id.clone());
    }
    let ready = ready(state, &id, &d["shard"]);
    state.sessions.event(&id, "READY", &ready);
    if intents & GUILDS != 0 {
        let guild = world::guild_create(state);
        state.sessions.event(&id, "GUILD_CREATE", &guild);
    }
    state.tell(Change::Bot { online: true });
}

fn may_identify(state: &State, d: &Value) -> Result<(), (u16, &'static str)> {
    if !has_token(state, d) {
        return Err((4004, "Authentication failed"));
    }
    let day = jiff::SignedDuration::from_hours(24);
    let today = state.sessions.identifies.iter().filter(|at| state.now().duration_since(**at) < day).count();
    if today >= state.settings.identifies_a_day as usize {
        return Err((4004, "Authentication failed"));
    }
    let Some(intents) = d["intents"].as_u64().filter(|intents| intents & !ALL_INTENTS == 0) else {
        return Err((4013, "Invalid intents"));
    };
    if intents & PRIVILEGED != 0 {
        return Err((4014, "Disallowed intents"));
    }
    if let Some(shard) = d["shard"].as_array() {
        let number = |i: usize| shard.get(i).and_then(Value::as_u64);
        match (number(0), number(1)) {
            (Some(this), Some(all)) if this < all => {}
            _ => return Err((4010, "Invalid shard")),
        }
    }
    Ok(())
}

fn ready(state: &State, session: &str, shard: &Value) -> Value {
    let mut user = world::user(state, state.bot);
    user["verified"] = json!(true);
    user["mfa_enabled"] = json!(true);
    user["email"] = Value::Null;
    json!({
        "v": 10,
        "user_settings": {},
        "user": user,
        "session_type": "normal",
        "session_id": session,
        "resume_gateway_url": format!("{}{}", state.url.replacen("http", "ws", 1), gateway::RESUME_PATH),
        "relationships": [],
        "private_channels": [],
        "presences": [],
        "guilds": [{ "id": state.guild.to_string(), "unavailable": true }],
        "guild_join_requests": [],
        "geo_ordered_rtc_regions": [],
        "shard": if shard.is_array() { shard.clone() } else { json!([0, 1]) },
        "application": { "id": state.application.to_string(), "flags": 0 },
        "_trace": [],
    })
}

/// RESUME (op 6): what the session missed, then RESUMED.
pub(super) fn resume(state: &mut State, me: u64, d: &Value) {
    state.sessions.log.push("resume".to_owned());
    if !has_token(state, d) {
        return state.sessions.send(me, Out::Close(4004, "Authentication failed"));
    }
    let id = d["session_id"].as_str().unwrap_or_default().to_owned();
    let (now, window) = (state.now(), state.settings.resume_window);
    let known = state.sessions.known.get(&id);
    let Some(session) = known.filter(|it| it.lost.is_none_or(|at| clock::since(at, now) < window)) else {
        return state.sessions.send(me, Out::Text(frame(None, None, 9, &Value::Bool(false))));
    };
    let seq = d["seq"].as_u64().unwrap_or(0);
    if seq > session.seq {
        return state.sessions.send(me, Out::Close(4007, "Invalid seq"));
    }
    let (missed, former) = (session.missed(seq), session.connection);
    if let Some(former) = former {
        state.sessions.send(former, Out::Drop);
    }
    for text in missed {
        state.sessions.send(me, Out::Text(text));
    }
    if let Some(session) = state.sessions.known.get_mut(&id) {
        session.connection = Some(me);
        session.lost = None;
    }
    if let Some(connection) = state.sessions.connections.get_mut(&me) {
        connection.session = Some(id.clone());
    }
    state.sessions.event(&id, "RESUMED", &json!({ "_trace": [] }));
    state.tell(Change::Bot { online: true });
}

fn has_token(state: &State, d: &Value) -> bool {
    let token = d["token"].as_str().unwrap_or_default();
    token.strip_prefix("Bot ").unwrap_or(token) == state.settings.bot_token
}
