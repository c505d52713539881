//! A System Log of any length, made ahead and packed, so that serving it costs next to nothing.
//!
//! Two in a hundred events are about provisioning: pushes that fail, for 300 people in three apps, pushes that work, for
//! 400 in twelve, unassignments and changes of settings. The filter is ignored: everything is answered.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use anyhow::Result;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use flate2::{Compression, write::GzEncoder};
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;

/// Entries on a full page.
const PAGE: usize = 1_000;

/// Entries on the last page.
const REST: usize = 3;

/// A log of so many full pages, and one with the rest.
pub struct Log {
    pages: Vec<Bytes>,
    begins: Timestamp,
}

impl Log {
    /// The events of the day before `now`, at least so many of them.
    pub fn of(events: usize, now: Timestamp) -> Result<Arc<Self>> {
        let begins = now - SignedDuration::from_hours(23);
        let mut log = Self { pages: Vec::new(), begins };
        let full = events.div_ceil(PAGE);
        for page in 0..full {
            log.pages.push(log.page(page, PAGE)?);
        }
        log.pages.push(log.page(full, REST)?);
        Ok(Arc::new(log))
    }

    fn page(&self, number: usize, length: usize) -> Result<Bytes> {
        let mut text = String::from("[");
        for place in 0..length {
            if place > 0 {
                text.push(',');
            }
            self.event(&mut text, number * PAGE + place)?;
        }
        text.push(']');
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(text.as_bytes())?;
        Ok(packed.finish()?.into())
    }

    fn event(&self, text: &mut String, number: usize) -> Result<()> {
        let published = self.begins + SignedDuration::from_millis(80 * number as i64);
        match number % 50 {
            0 => provisioning(text, number, published),
            _ => signing_in(text, number, published),
        }
    }
}

/// Serves it like an org that also has an API for apps, but tells nothing of them.
pub async fn serve(log: Arc<Log>) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let limits = "99999".to_owned();
    let router = Router::new()
        .route("/api/v1/logs", get(page))
        .fallback(async || (StatusCode::NOT_FOUND, NOT_FOUND))
        .with_state((log, url.clone(), limits));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

const NOT_FOUND: &str =
    r#"{"errorCode":"E0000007","errorSummary":"Not found: Resource not found","errorCauses":[]}"#;

async fn page(
    State((log, url, limit)): State<(Arc<Log>, String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let at = query.get("after").and_then(|after| after.parse::<usize>().ok()).unwrap_or(0);
    let next = (at + 1).min(log.pages.len());
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: &str| {
        headers.extend(value.parse::<HeaderValue>().ok().map(|value| (HeaderName::from_static(name), value)));
    };
    set("content-type", "application/json");
    set("link", &format!("<{url}/api/v1/logs?after={next}&limit=1000>; rel=\"next\""));
    set("x-okta-request-id", "YzYxMTA4NTMwMzM1");
    set("x-rate-limit-limit", &limit);
    set("x-rate-limit-remaining", &limit);
    match log.pages.get(at) {
        Some(body) => {
            set("content-encoding", "gzip");
            (headers, body.clone()).into_response()
        }
        None => (headers, "[]").into_response(),
    }
}

/// What fills the log: somebody signs in.
fn signing_in(text: &mut String, number: usize, published: Timestamp) -> Result<()> {
    let kinds = [
        ("user.session.start", "User login to Okta", "core.user_auth.login_success"),
        ("user.authentication.sso", "User single sign on to app", "app.auth.sso"),
        ("policy.evaluate_sign_on", "Evaluation of sign-on policy", "core.user_auth.policy_evaluated"),
        (
            "user.authentication.auth_via_mfa",
            "Authentication of user via MFA",
            "core.user.factor.attempt_success",
        ),
    ];
    let (kind, message, legacy) = kinds[number % kinds.len()];
    let person = scattered(number) % 400;
    let (noise, seen) = (scattered(number + 1), scattered(number + 2));
    let (a, b) = (noise % 200 + 20, seen % 250);
    write!(
        text,
        r#"{{"actor":{{"id":"00u{person:017}","type":"User","alternateId":"person{person}@acme.example","displayName":"Person {person}","detailEntry":null}},"client":{{"userAgent":{{"rawUserAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{a}.0.0.0 Safari/537.36","os":"Windows 10","browser":"CHROME"}},"zone":"null","device":"Computer","id":null,"ipAddress":"198.51.{a}.{b}","geographicalContext":{{"city":"Springfield","state":"Oregon","country":"United States","postalCode":"97477","geolocation":{{"lat":44.{a},"lon":-122.{b}}}}}}},"device":null,"authenticationContext":{{"authenticationProvider":null,"credentialProvider":null,"credentialType":null,"issuer":null,"interface":null,"authenticationStep":0,"rootSessionId":"idx{noise:016x}{seen:016x}","externalSessionId":"idx{seen:016x}{noise:016x}"}},"displayMessage":"{message}","eventType":"{kind}","outcome":{{"result":"SUCCESS","reason":null}},"published":"{published:.3}","securityContext":{{"asNumber":7922,"asOrg":"example cable","isp":"example cable","domain":"example.net","isProxy":false}},"severity":"INFO","debugContext":{{"debugData":{{"authnRequestId":"{seen:016x}","deviceFingerprint":"{noise:016x}{noise:016x}","requestId":"{seen:016x}{number:08x}","dtHash":"{noise:016x}{seen:016x}{noise:016x}{seen:016x}","behaviors":"{{New Geo-Location=NEGATIVE, New Device=NEGATIVE, New IP=POSITIVE, New State=NEGATIVE}}","risk":"{{reasons=Anomalous Device, level=LOW}}","requestUri":"/idp/idx/identify","threatSuspected":"false","url":"/idp/idx/identify?stateToken={seen:016x}"}}}},"legacyEventType":"{legacy}","transaction":{{"type":"WEB","id":"{seen:016x}{number:08x}","detail":{{}}}},"uuid":"{seen:08x}-{number:08x}-b","version":"0","request":{{"ipChain":[{{"ip":"198.51.{a}.{b}","geographicalContext":{{"city":"Springfield","state":"Oregon","country":"United States","postalCode":"97477","geolocation":{{"lat":44.{a},"lon":-122.{b}}}}},"version":"V4","source":null}}]}},"target":[{{"id":"0oa{app:017}","type":"AppInstance","alternateId":"App {app}","displayName":"App {app}","detailEntry":{{"signOnModeType":"SAML_2_0"}}}},{{"id":"0ua{person:017}","type":"AppUser","alternateId":"person{person}@acme.example","displayName":"Person {person}","detailEntry":null}}]}}"#,
        app = number % 12,
    )?;
    Ok(())
}

/// What we watch for: in turn two events of a failure, two of a success, and now and then something else.
fn provisioning(text: &mut String, number: usize, published: Timestamp) -> Result<()> {
    const PUSH: &str = "application.provision.user.push_profile";
    const SYNC: &str = "application.provision.user.sync";
    let turn = number / 50;
    let job = turn / 2;
    let fails = job % 5 < 2;
    let chance = scattered(job);
    let person = chance % if fails { 300 } else { 400 };
    let app = person % if fails { 3 } else { 12 };
    let (kind, message) = match (turn % 20, turn % 2) {
        (17, _) => ("application.lifecycle.update", "Update application"),
        (18 | 19, _) => ("application.user_membership.remove", "Remove user's application membership"),
        (_, 0) => (PUSH, "Push user's profile to external application"),
        (_, _) => (SYNC, "Sync user in external application"),
    };
    let (result, severity, legacy) = match (fails, kind) {
        (true, PUSH) => ("FAILURE", "ERROR", r#""app.user_management.provision_user.user_inactive""#),
        (true, SYNC) => ("FAILURE", "ERROR", "null"),
        (_, _) => ("SUCCESS", "INFO", "null"),
    };
    let reason = match (fails, kind) {
        (true, PUSH) => format!(
            r#""Automatic provisioning of user Person {person} to app App {app} failed: User account is inactive""#
        ),
        (_, _) => "null".to_owned(),
    };
    write!(
        text,
        r#"{{"actor":{{"id":"00uSYSTEM000000001","type":"SystemPrincipal","alternateId":"system@okta.com","displayName":"Okta System","detailEntry":null}},"client":{{"userAgent":null,"zone":null,"device":null,"id":null,"ipAddress":null,"geographicalContext":null}},"device":null,"authenticationContext":{{"authenticationProvider":null,"credentialProvider":null,"credentialType":null,"issuer":null,"interface":null,"authenticationStep":0,"externalSessionId":"trs{chance:016x}"}},"displayMessage":"{message}","eventType":"{kind}","outcome":{{"result":"{result}","reason":{reason}}},"published":"{published:.3}","securityContext":{{"asNumber":null,"asOrg":null,"isp":null,"domain":null,"isProxy":null}},"severity":"{severity}","debugContext":{{"debugData":{{"appname":"app{app}"}}}},"legacyEventType":{legacy},"transaction":{{"type":"JOB","id":"puj{job:016}","detail":{{}}}},"uuid":"{noise:08x}-{number:08x}-a","version":"0","request":{{"ipChain":[]}},"target":[{{"id":"0ua{person:017}","type":"AppUser","alternateId":"person{person}@acme.example","displayName":"Person {person}","detailEntry":null}},{{"id":"0oa{app:017}","type":"AppInstance","alternateId":"App {app}","displayName":"App {app}","detailEntry":null}},{{"id":"00u{person:017}","type":"User","alternateId":"person{person}@acme.example","displayName":"Person {person}","detailEntry":null}}]}}"#,
        noise = scattered(number),
    )?;
    Ok(())
}

/// A number that looks like chance, the same one every time: SplitMix64.
fn scattered(number: usize) -> u64 {
    let mut z = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
