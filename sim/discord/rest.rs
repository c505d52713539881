//! HTTP: one door for every request, where it is checked, spoilt if that is wanted, answered and written down.

use std::{collections::HashMap, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, FromRequest, Multipart, Request, State as Extract},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    Discord,
    draft::Upload,
    faults::{Fault, Scope},
    limits::{self, Headers},
    reply::Reply,
    routes,
    wire::Switch,
};
use crate::ledger::Exchange;

const MAX_BODY: usize = 64 * 1024 * 1024;

/// A request, read.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    /// Below /api/v10.
    pub(super) path: String,
    pub(super) query: HashMap<String, String>,
    pub(super) body: Value,
    pub(super) uploads: Vec<Upload>,
}

/// A request that came, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// In simulated time.
    pub at: Timestamp,
    /// In capitals.
    pub method: String,
    /// As it came.
    pub path: String,
    /// The answer's status; 0 where the connection was cut instead.
    pub status: u16,
}

/// Answers anything below /api.
pub(super) async fn serve(
    Extract(discord): Extract<Discord>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = parts.uri.path().to_owned();
    let fault = discord.faults().take(&format!("{} {path}", parts.method));

    let read = Box::pin(read(&parts, bytes)).await;
    let (text, reply, headers, spoilt) = match (&fault, read) {
        (Some(fault), Ok((_, text))) if before(fault).is_some() => {
            let (reply, headers, spoilt) =
                before(fault).unwrap_or_else(|| (Reply::not_found(), Vec::new(), true));
            (text, reply, headers, spoilt)
        }
        (_, Ok((asked, text))) => {
            let (reply, headers, spoilt) = answer(&discord, &parts.headers, &asked);
            (text, reply, headers, spoilt)
        }
        (_, Err(reply)) => (String::new(), reply, Vec::new(), false),
    };
    count_invalid(&discord, &reply, &headers);

    let cut = matches!(fault, Some(Fault::Drop | Fault::DropAfter));
    let spoilt = spoilt || matches!(fault, Some(Fault::CutBody | Fault::Drop | Fault::DropAfter));
    note(&discord, &parts, text, &reply, &headers, spoilt, cut);
    match fault {
        Some(Fault::Drop | Fault::DropAfter) => switch.cut(),
        Some(Fault::Slow(delay)) => tokio::time::sleep(delay).await,
        _ => {}
    }
    write(reply, headers, fault == Some(Fault::CutBody))
}

/// What is answered instead of carrying the request out; a page of HTML is a body that is a string.
fn before(fault: &Fault) -> Option<(Reply, Headers, bool)> {
    match fault {
        Fault::RateLimited { retry_after, scope } => {
            let (reply, headers) = limits::exceeded(*retry_after, *scope);
            Some((reply, headers, false))
        }
        Fault::Status(status) => {
            let reason =
                StatusCode::from_u16(*status).ok().and_then(|it| it.canonical_reason()).unwrap_or("Error");
            Some((Reply::error(*status, 0, &format!("{status}: {reason}")), Vec::new(), *status >= 500))
        }
        Fault::Html(status) => Some(page(*status)),
        Fault::Drop => Some((Reply { status: 0, body: None }, Vec::new(), true)),
        Fault::DropAfter | Fault::Slow(_) | Fault::CutBody => None,
    }
}

fn page(status: u16) -> (Reply, Headers, bool) {
    let html = format!("<!doctype html><title>{status}</title><h1>Error</h1><p>cloudflare</p>");
    let mut headers: Headers = vec![("content-type", "text/html; charset=UTF-8".to_owned())];
    if status == 429 {
        headers.push(("retry-after", "600".to_owned()));
    }
    (Reply { status, body: Some(Value::String(html)) }, headers, true)
}

fn answer(discord: &Discord, headers: &HeaderMap, asked: &Asked) -> (Reply, Headers, bool) {
    let text =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    discord.with(|state| {
        let now = state.now();
        if state.limits.banned(now) {
            return page(429);
        }
        let found = routes::find(&asked.method, &asked.path);
        // The proxy before Discord turns away clients that do not say what they are. Where the path holds the token it
        // is less strict: discord.py answers interactions under the name of its HTTP library.
        let agent = text("user-agent");
        let by_token = found.as_ref().is_ok_and(|found| !found.needs_token);
        if !(agent.starts_with("DiscordBot (") || by_token && !agent.is_empty()) {
            return page(403);
        }
        let found = match found {
            Ok(found) => found,
            Err(reply) => return (reply, Vec::new(), false),
        };
        if found.needs_token && text("authorization") != format!("Bot {}", state.settings.bot_token) {
            return (Reply::unauthorized(), Vec::new(), false);
        }
        if found.needs_token
            && let Err((reply, headers)) = state.limits.admit_global(state.settings.global_limit, now)
        {
            return (reply, headers, false);
        }
        let request = format!("{} /{}", asked.method, asked.path);
        let route = format!("{} {}", asked.method, found.template);
        match state.limits.admit(&request, &route, &found.resource, now) {
            Ok(headers) => {
                let reply = routes::dispatch(state, &found, asked).unwrap_or_else(|refusal| refusal);
                (reply, headers, false)
            }
            Err((reply, headers)) => (reply, headers, false),
        }
    })
}

fn count_invalid(discord: &Discord, reply: &Reply, headers: &Headers) {
    let shared =
        headers.iter().any(|(name, value)| *name == "x-ratelimit-scope" && value == Scope::Shared.word());
    if matches!(reply.status, 401 | 403 | 429) && !shared {
        discord.with(|state| {
            let now = state.now();
            state.limits.invalid(now);
        });
    }
}

/// The request as data, and the text of its body for the ledger.
async fn read(parts: &Parts, bytes: Bytes) -> Result<(Asked, String), Reply> {
    let path = parts
        .uri
        .path()
        .trim_start_matches("/api/v10")
        .trim_start_matches("/api")
        .trim_matches('/')
        .to_owned();
    let query = parts.uri.query().unwrap_or_default();
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let kind = parts.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (text, uploads) = if kind.starts_with("multipart/form-data") {
        multipart(parts, bytes).await.ok_or_else(invalid_json)?
    } else {
        (String::from_utf8(bytes.to_vec()).map_err(|_| invalid_json())?, Vec::new())
    };
    let body = match text.trim() {
        "" => Value::Null,
        text => serde_json::from_str(text).map_err(|_| invalid_json())?,
    };
    Ok((Asked { method: parts.method.to_string(), path, query, body, uploads }, text))
}

async fn multipart(parts: &Parts, bytes: Bytes) -> Option<(String, Vec<Upload>)> {
    let request = Request::from_parts(parts.clone(), Body::from(bytes));
    let mut form = Multipart::from_request(request, &()).await.ok()?;
    let (mut text, mut uploads) = (String::new(), Vec::new());
    while let Some(field) = form.next_field().await.ok()? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "payload_json" {
            text = field.text().await.ok()?;
            continue;
        }
        let number = name.strip_prefix("files[").and_then(|rest| rest.strip_suffix(']')?.parse().ok());
        let file = field.file_name().unwrap_or("file").to_owned();
        let content_type = field.content_type().unwrap_or("application/octet-stream").to_owned();
        let number = number.unwrap_or(uploads.len() as u64);
        uploads.push(Upload { number, name: file, content_type, bytes: field.bytes().await.ok()? });
    }
    Some((text, uploads))
}

fn invalid_json() -> Reply {
    Reply::error(400, 50109, "The request body contains invalid JSON.")
}

fn note(
    discord: &Discord,
    parts: &Parts,
    body: String,
    reply: &Reply,
    headers: &Headers,
    spoilt: bool,
    cut: bool,
) {
    let secret = ["authorization", "cookie", "dpop"];
    let request_headers = parts
        .headers
        .iter()
        .filter(|(name, _)| !secret.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let status = if cut { 0 } else { reply.status };
    let method = parts.method.to_string();
    let path = parts.uri.path().to_owned();
    discord.saw(Seen { at: discord.now(), method: method.clone(), path: path.clone(), status });
    discord.ledger().note(Exchange {
        method,
        path,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        request_headers,
        request_body: body,
        status,
        answer_headers: all_headers(reply, headers).map(|(name, value)| (name.to_owned(), value)).collect(),
        answer_body: text(reply),
        spoilt,
    });
}

fn all_headers(reply: &Reply, headers: &Headers) -> impl Iterator<Item = (&'static str, String)> {
    let json = matches!(reply.body, Some(ref body) if !body.is_string());
    let kind = json.then(|| ("content-type", "application/json".to_owned()));
    kind.into_iter().chain(headers.clone())
}

fn text(reply: &Reply) -> String {
    match &reply.body {
        None => String::new(),
        Some(Value::String(html)) => html.clone(),
        Some(json) => json.to_string(),
    }
}

fn write(reply: Reply, headers: Headers, cut: bool) -> Response {
    let body = text(&reply);
    let length = body.len();
    let mut response = if cut {
        let half = body.as_bytes()[..length / 2].to_vec();
        // The pause lets the first half leave before the connection breaks.
        let broken = stream::once(async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
        });
        Response::new(Body::from_stream(stream::once(async { Ok(half) }).chain(Box::pin(broken))))
    } else {
        Response::new(Body::from(body))
    };
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let out = response.headers_mut();
    if reply.body.is_some() {
        out.insert("content-length", HeaderValue::from(length));
    }
    for (name, value) in all_headers(&reply, &headers) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            out.insert(HeaderName::from_static(name), value);
        }
    }
    response
}
