//! Signing in as a service app: assertions, proofs, nonces, and tokens that end.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::facts::LogFrom;
use domain::ports::{Clock as _, Directory as _, DirectoryError};
use jiff::{SignedDuration, Timestamp};
use provost::okta::{Credentials, Okta, SignedIn};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::{Value, json as value};

use crate::fake::{Asked, Fake, answer, error, json, with};

const RSA: &str = include_str!("../fixtures/okta/keys/rsa.jwks.json");
const RSA_PEM: &str = include_str!("../fixtures/okta/keys/rsa.pkcs8.pem");
const EC: &str = include_str!("../fixtures/okta/keys/ec.jwk.json");

fn since() -> LogFrom {
    LogFrom::Since("2026-11-19T09:00:00Z".parse().expect("a time"))
}

fn decoded(part: &str) -> Value {
    URL_SAFE_NO_PAD
        .decode(part)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

/// The header and the claims of a token, if `jwk` verifies it.
fn verified(token: &str, jwk: &Value) -> Option<(Value, Value)> {
    let number =
        |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap_or_default()).unwrap_or_default();
    let (message, signature) = token.rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    if jwk["kty"] == "RSA" {
        let public = RsaPublicKeyComponents { n: number("n"), e: number("e") };
        public.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature).ok()?;
    } else {
        let public = [vec![4], number("x"), number("y")].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public)
            .verify(message.as_bytes(), &signature)
            .ok()?;
    }
    let (header, claims) = message.split_once('.')?;
    Some((decoded(header), decoded(claims)))
}

/// An authorization server that is as strict as Okta's, and an API behind it.
struct Strict {
    key: Value,
    kid: Option<&'static str>,
    /// Okta's clock against the client's.
    ahead: i64,
    /// Whether every answer brings a new nonce, and only the newest is taken.
    nonces_change: bool,
    token_type: &'static str,
    nonces: AtomicUsize,
    tokens: AtomicUsize,
    /// Tokens up to this one are revoked.
    revoked: AtomicI64,
    seen: Mutex<HashSet<String>>,
}

impl Strict {
    fn new(key: &str) -> Self {
        let key: Value = serde_json::from_str(key).expect("a JWK");
        let key = if key["keys"].is_array() { key["keys"][1].clone() } else { key };
        Self {
            key,
            kid: None,
            ahead: 0,
            nonces_change: false,
            token_type: "DPoP",
            nonces: AtomicUsize::new(1),
            tokens: AtomicUsize::new(0),
            revoked: AtomicI64::new(0),
            seen: Mutex::default(),
        }
    }

    async fn serve(self) -> (Fake, Arc<Self>) {
        let server = Arc::new(self);
        let (answering, ahead) = (Arc::clone(&server), server.ahead);
        let fake = Fake::answering(move |asked| {
            let now = asked.now.as_second() + ahead;
            let response = match asked.uri.path() {
                "/oauth2/v1/token" => answering.token(asked, now),
                _ => answering.api(asked, now),
            };
            let date = Timestamp::from_second(now).expect("in range");
            let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&date);
            with(response, "date", &date.expect("in range"))
        })
        .await;
        (fake, server)
    }

    fn nonce(&self) -> String {
        format!("nonce-{}", self.nonces.load(Ordering::SeqCst))
    }

    /// Checks a proof as RFC 9449 says, section 4.3.
    fn proven(&self, asked: &Asked, now: i64) -> Result<Value, &'static str> {
        let proof = asked.header("dpop");
        let header = decoded(proof.split('.').next().unwrap_or_default());
        let (_, claims) = verified(proof, &header["jwk"]).ok_or("signature")?;
        let htu = format!("http://{}{}", asked.header("host"), asked.uri.path());
        let fresh =
            claims["jti"].as_str().map(|jti| self.seen.lock().expect("unpoisoned").insert(jti.to_owned()));
        let checks = [
            (header["typ"] == "dpop+jwt", "typ"),
            (header["jwk"].get("d").is_none(), "the private half"),
            (header["jwk"]["x"] != self.key["x"] || self.key["x"].is_null(), "the key that signs in"),
            (claims["htm"] == asked.method.as_str(), "htm"),
            (claims["htu"] == htu, "htu"),
            ((claims["iat"].as_i64().unwrap_or_default() - now).abs() <= 60, "iat"),
            (fresh == Some(true), "jti"),
        ];
        checks.iter().find(|(good, _)| !good).map_or(Ok(claims), |(_, what)| Err(*what))
    }

    fn token(&self, asked: &Asked, now: i64) -> Response<Body> {
        let refuse = |status, code: &str, why: &str| {
            let body = value!({ "error": code, "error_description": why });
            with(json(status, &body), "dpop-nonce", &self.nonce())
        };
        let proof = match self.proven(asked, now) {
            Ok(claims) => claims,
            Err(what) => return refuse(400, "invalid_dpop_proof", what),
        };
        if proof["nonce"] != self.nonce() {
            return refuse(400, "use_dpop_nonce", "Authorization server requires nonce in DPoP proof.");
        }
        if self.nonces_change {
            self.nonces.fetch_add(1, Ordering::SeqCst);
        }
        let assertion = asked.form("client_assertion").unwrap_or_default();
        let Some((header, claims)) = verified(&assertion, &self.key) else {
            return refuse(401, "invalid_client", "The signature is invalid.");
        };
        let fresh =
            claims["jti"].as_str().map(|jti| self.seen.lock().expect("unpoisoned").insert(jti.to_owned()));
        let checks = [
            (header["kid"].as_str() == self.kid, "kid"),
            (claims["iss"] == "0oaCLIENT" && claims["sub"] == "0oaCLIENT", "iss, sub"),
            (claims["aud"] == format!("http://{}/oauth2/v1/token", asked.header("host")), "aud"),
            (claims["exp"].as_i64().is_some_and(|exp| (now..=now + 3_600).contains(&exp)), "exp"),
            (claims["iat"].as_i64().is_some_and(|iat| iat <= now + 60), "iat"),
            (fresh == Some(true), "jti"),
            (asked.form("grant_type").as_deref() == Some("client_credentials"), "grant_type"),
        ];
        if let Some((_, what)) = checks.iter().find(|(good, _)| !good) {
            return refuse(401, "invalid_client", what);
        }
        let number = self.tokens.fetch_add(1, Ordering::SeqCst) + 1;
        let token = value!({
            "token_type": self.token_type, "expires_in": 3600, "access_token": format!("access-{number}"),
            "scope": asked.form("scope"),
        });
        with(json(200, &token), "dpop-nonce", &self.nonce())
    }

    fn api(&self, asked: &Asked, now: i64) -> Response<Body> {
        let (scheme, token) = asked.header("authorization").split_once(' ').unwrap_or_default();
        let number: i64 =
            token.strip_prefix("access-").and_then(|number| number.parse().ok()).unwrap_or_default();
        if scheme != self.token_type || number <= self.revoked.load(Ordering::SeqCst) {
            return error(401, "E0000011", "Invalid token provided");
        }
        if scheme == "Bearer" {
            return answer(200, "[]");
        }
        match self.proven(asked, now) {
            Ok(claims) => {
                let ath = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
                assert_eq!(claims["ath"], URL_SAFE_NO_PAD.encode(ath));
                answer(200, "[]")
            }
            Err(what) => {
                let challenge = format!("DPoP error=\"invalid_dpop_proof\", error_description=\"{what}\"");
                with(answer(401, ""), "www-authenticate", &challenge)
            }
        }
    }
}

fn client(fake: &Fake, key: &str, key_id: Option<&str>) -> Okta {
    let (client_id, key_id) = ("0oaCLIENT".to_owned(), key_id.map(str::to_owned));
    fake.okta_with(Credentials::ServiceApp { client_id, key: key.into(), key_id })
}

fn paths(fake: &Fake) -> Vec<String> {
    fake.asked().iter().map(|asked| asked.uri.path().to_owned()).collect()
}

#[tokio::test]
async fn a_service_app_signs_in_with_either_kind_of_key_and_proves_every_request_from_the_first_on() {
    for (key, kid) in [(RSA, "rsa-1"), (EC, "ec-1")] {
        let (fake, _) = Strict { kid: Some(kid), ..Strict::new(key) }.serve().await;
        let okta = client(&fake, key, None);

        okta.log(&since()).await.unwrap();
        okta.log(&since()).await.unwrap();

        let token = "/oauth2/v1/token";
        assert_eq!(paths(&fake), [token, token, "/api/v1/logs", "/api/v1/logs"], "once for the nonce");
        assert!(fake.asked().iter().all(|asked| !asked.header("dpop").is_empty()));
    }
}

#[tokio::test]
async fn the_configured_key_id_names_the_key() {
    let (fake, _) = Strict { kid: Some("configured"), ..Strict::new(RSA) }.serve().await;
    client(&fake, RSA_PEM, Some("configured")).log(&since()).await.unwrap();
    client(&fake, RSA, Some("configured")).log(&since()).await.unwrap();
}

#[tokio::test]
async fn a_nonce_that_changes_with_every_request_costs_one_more_request_at_most() {
    let (fake, server) = Strict { nonces_change: true, ..Strict::new(EC) }.serve().await;
    let okta = client(&fake, EC.replace("ec-1", "").as_str(), None);
    let okta_without_kid = client(&fake, &EC.replace("\"kid\"", "\"name\""), None);
    drop(okta);

    for _ in 0..5 {
        okta_without_kid.log(&since()).await.unwrap();
        server.nonces.fetch_add(1, Ordering::SeqCst);
        fake.clock.turn(SignedDuration::from_hours(1));
    }

    assert_eq!(server.tokens.load(Ordering::SeqCst), 5);
    assert!(paths(&fake).len() <= 15, "{:?}", paths(&fake));
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_not_sooner() {
    let (fake, server) = Strict::new(EC).serve().await;
    let okta = client(&fake, &EC.replace("\"kid\"", "\"name\""), None);
    let tokens = || server.tokens.load(Ordering::SeqCst);

    okta.log(&since()).await.unwrap();
    fake.clock.turn(SignedDuration::from_mins(54));
    okta.log(&since()).await.unwrap();
    assert_eq!(tokens(), 1);

    fake.clock.turn(SignedDuration::from_mins(1));
    okta.log(&since()).await.unwrap();
    assert_eq!(tokens(), 2);
}

#[tokio::test]
async fn callers_who_come_together_share_one_token() {
    let (fake, server) = Strict::new(EC).serve().await;
    let okta = client(&fake, &EC.replace("\"kid\"", "\"name\""), None);

    let (from, apps) = (since(), okta.apps(None));
    let (log, apps, me) = futures_util::future::join3(okta.log(&from), apps, okta.me()).await;

    assert!(log.is_ok() && apps.is_ok() && me.is_ok());
    assert_eq!(server.tokens.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_revoked_token_is_replaced_once_and_then_it_is_the_credentials() {
    let (fake, server) = Strict::new(EC).serve().await;
    let okta = client(&fake, &EC.replace("\"kid\"", "\"name\""), None);
    okta.log(&since()).await.unwrap();

    server.revoked.store(1, Ordering::SeqCst);
    okta.log(&since()).await.unwrap();
    assert_eq!(server.tokens.load(Ordering::SeqCst), 2);

    server.revoked.store(99, Ordering::SeqCst);
    let refused = okta.log(&since()).await.unwrap_err();
    assert!(matches!(refused, DirectoryError::Unauthorized { .. }), "{refused}");
    assert_eq!(server.tokens.load(Ordering::SeqCst), 3, "never a loop");
}

#[tokio::test]
async fn a_clock_that_is_wrong_by_ten_minutes_does_not_keep_us_out() {
    for ahead in (-600..=600).step_by(60) {
        let (fake, _) = Strict { ahead, ..Strict::new(EC) }.serve().await;
        let okta = client(&fake, &EC.replace("\"kid\"", "\"name\""), None);

        okta.log(&since()).await.unwrap_or_else(|error| panic!("{ahead}: {error}"));

        assert_eq!(okta.clock_skew().unwrap().as_secs(), ahead);
        assert_eq!(fake.clock.now().as_second(), 1_800_000_000);
    }
}

#[tokio::test]
async fn an_app_without_dpop_gets_along_with_a_bearer_token() {
    let (fake, _) = Strict { token_type: "Bearer", ..Strict::new(EC) }.serve().await;
    let okta = client(&fake, &EC.replace("\"kid\"", "\"name\""), None);

    okta.log(&since()).await.unwrap();

    let SignedIn::ServiceApp { scopes } = okta.me().await.unwrap() else { panic!("it is no person") };
    assert_eq!(scopes, ["okta.logs.read", "okta.apps.read", "okta.users.read"]);
    assert_eq!(okta.granted_scopes().await.unwrap(), Some(scopes));
}

#[tokio::test]
async fn an_api_that_wants_a_nonce_too_gets_it_without_a_new_token() {
    let fake = Fake::answering(|asked| {
        let proof = decoded(asked.header("dpop").split('.').nth(1).unwrap_or_default());
        match (asked.uri.path(), proof["nonce"].as_str()) {
            ("/oauth2/v1/token", _) => {
                json(200, &value!({ "token_type": "DPoP", "expires_in": 3600, "access_token": "a" }))
            }
            (_, Some("api-1")) => answer(200, "[]"),
            _ => {
                let refusal = with(answer(401, ""), "www-authenticate", "DPoP error=\"use_dpop_nonce\"");
                with(refusal, "dpop-nonce", "api-1")
            }
        }
    })
    .await;

    client(&fake, EC, None).log(&since()).await.unwrap();

    assert_eq!(paths(&fake), ["/oauth2/v1/token", "/api/v1/logs", "/api/v1/logs"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_service_app_is_told_apart() {
    type Says = (u16, &'static str, &'static str);
    type Is = fn(&DirectoryError) -> bool;
    let table: [(Says, Is); 5] = [
        ((401, "invalid_client", "The client is inactive"), |error| {
            matches!(error, DirectoryError::Unauthorized { .. })
        }),
        (
            (400, "invalid_scope", "One or more scopes are not configured"),
            |error| matches!(error, DirectoryError::Forbidden { missing, .. } if missing.contains("okta.logs.read")),
        ),
        ((400, "use_dpop_nonce", "without giving one"), |error| {
            matches!(error, DirectoryError::Refused { .. })
        }),
        ((429, "slow_down", "too many"), |error| matches!(error, DirectoryError::RateLimited { .. })),
        ((200, "no token", "at all"), |error| matches!(error, DirectoryError::BadAnswer { .. })),
    ];
    for ((status, code, why), expected) in table {
        let fake =
            Fake::answering(move |_| json(status, &value!({ "error": code, "error_description": why })))
                .await;

        let refused = client(&fake, EC, None).log(&since()).await.unwrap_err();

        assert!(expected(&refused), "{refused}");
        assert_eq!(fake.asked().len(), 1, "never a loop");
    }
}
