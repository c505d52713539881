//! Who gets in: only this machine's browser, only from the page itself, only with the token that was printed.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::anyhow;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

use super::Site;

/// Nothing but what this server sends is loaded, run, or talked to; nobody may frame the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What opens the door. The token stands in the fragment of the address, which no browser sends anywhere.
pub struct Key {
    token: String,
    address: SocketAddr,
}

impl Key {
    /// A new one, for a page on that address.
    ///
    /// # Errors
    ///
    /// If the machine has no randomness.
    pub fn new(address: SocketAddr) -> anyhow::Result<Self> {
        let mut bytes = [0; 24];
        SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow!("this machine has no randomness"))?;
        Ok(Self { token: URL_SAFE_NO_PAD.encode(bytes), address })
    }

    /// The one address to open.
    pub fn url(&self) -> String {
        format!("http://{}/#{}", self.address, self.token)
    }

    /// Compares hashes, so that the time it takes tells nothing of the token.
    fn opens(&self, given: &str) -> bool {
        digest(&SHA256, given.as_bytes()).as_ref() == digest(&SHA256, self.token.as_bytes()).as_ref()
    }

    /// By another name, a page elsewhere could be made to look like this one (DNS rebinding).
    fn is_host(&self, host: &str) -> bool {
        host == self.address.to_string() || host == format!("localhost:{}", self.address.port())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Refuses what is addressed to another host or sent by another page, and has every answer say what is allowed.
pub(super) async fn comes_from_here(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let mut answer = match is_from_here(&site.key, &request) {
        Ok(()) => next.run(request).await,
        Err(why) => (StatusCode::FORBIDDEN, why).into_response(),
    };
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    answer
}

/// Refuses whoever does not show the token.
pub(super) async fn has_key(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let shown = text(request.headers(), "authorization").and_then(|value| value.strip_prefix("Bearer "));
    if shown.is_some_and(|token| site.key.opens(token)) {
        return next.run(request).await;
    }
    (StatusCode::UNAUTHORIZED, "open the address that `provost demo` printed").into_response()
}

fn is_from_here(key: &Key, request: &Request) -> Result<(), &'static str> {
    let headers = request.headers();
    let host = text(headers, "host").filter(|host| key.is_host(host));
    let host = host.ok_or("this is not the host that the demo listens on")?;
    let origin = headers.get(header::ORIGIN);
    if origin.is_some_and(|origin| origin.as_bytes() != format!("http://{host}").as_bytes()) {
        return Err("another page may not talk to the demo");
    }
    // A link may lead to the page from anywhere; nothing but the page may lead on from it.
    let changes = request.method() != Method::GET || request.uri().path().starts_with("/api/");
    let site = text(headers, "sec-fetch-site");
    if changes && site.is_some_and(|site| site != "same-origin") {
        return Err("another page may not talk to the demo");
    }
    Ok(())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
