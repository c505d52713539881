//! How we sign in to an org: with an API token, or as a service app.
//!
//! A service app asks for an access token with an assertion that it signs with its own key (`private_key_jwt`), gets
//! one for an hour, and shows with every request that the token is its own (DPoP, see [`dpop`](super::dpop)).
//! Source: Okta developer documentation, "Implement OAuth for Okta with a service app".

use std::fmt;
use std::sync::Arc;

use domain::ports::DirectoryError;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use url::Url;
use uuid::Uuid;

use super::dpop::{Dpop, For};
use super::key::{Key, KeyError};
use super::refusal::Refusal;
use super::transport::{Answer, Transport, not_json, text};

/// What an org gave us to sign in with.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// An API token (SSWS). It has the rights of the administrator who made it, and ends with them.
    Token(SecretString),
    /// An OAuth service app, which signs in with a key of its own.
    ServiceApp {
        /// Its client id (`0oa…`).
        client_id: String,
        /// Its private key: PEM or JWK.
        key: SecretString,
        /// The key's id in Okta (`kid`); needed where the app has several and the key is no JWK that names its own.
        key_id: Option<String>,
    },
}

/// The scopes that a service app asks for in any case: everything that Provost reads.
pub const READ_SCOPES: [&str; 3] = ["okta.logs.read", "okta.apps.read", "okta.users.read"];

/// The scope that a service app needs beyond them to turn a setting on, to push again or to reassign.
pub const WRITE_SCOPE: &str = "okta.apps.manage";

/// A renewal must not fall between the check and the use of a token.
const RENEWED_BEFORE_END: SignedDuration = SignedDuration::from_mins(5);

/// Assertions and proofs carry Okta's time; with one that is further off they may be refused.
const CLOCKS_AGREE_WITHIN: SignedDuration = SignedDuration::from_secs(30);

const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// Signs requests.
pub(crate) enum Auth {
    Token(HeaderValue),
    ServiceApp(Box<ServiceApp>),
}

pub(crate) struct ServiceApp {
    client_id: String,
    key: Key,
    key_id: Option<String>,
    /// What it asks for, with blanks between.
    scopes: Vec<&'static str>,
    dpop: Dpop,
    /// Held while a token is fetched, so that callers who come together share one: each is an entry in the org's log.
    token: Mutex<Option<Arc<AccessToken>>>,
}

struct AccessToken {
    /// `DPoP` or `Bearer`, as Okta named it.
    scheme: &'static str,
    secret: SecretString,
    scopes: Vec<String>,
    renew_at: Timestamp,
}

/// What the token endpoint answers. No `Debug`: it holds the token.
#[derive(Deserialize)]
struct TokenAnswer {
    token_type: String,
    access_token: String,
    expires_in: Option<i64>,
    scope: Option<String>,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(_) => f.write_str("Token([REDACTED])"),
            Self::ServiceApp(app) => write!(f, "ServiceApp({}, {:?})", app.client_id, app.key),
        }
    }
}

/// Why credentials cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// The token is empty or holds characters that no token has.
    #[error("the API token is empty or holds blanks or other characters that no token has")]
    Token,
    /// The client id is not one.
    #[error("“{0}” is not a client id such as 0oa1b2c3d4E5F6g7h8i9")]
    ClientId(String),
    /// The key cannot be read.
    #[error("the private key cannot be used: {0}")]
    Key(#[from] KeyError),
    /// The machine gives no random numbers.
    #[error("the machine gives no random numbers to make a key with")]
    Random,
}

impl Auth {
    pub(crate) fn new(credentials: Credentials, writes: bool) -> Result<Self, CredentialsError> {
        match credentials {
            Credentials::Token(token) => {
                let token = token.expose_secret().trim();
                if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                    return Err(CredentialsError::Token);
                }
                secret_value(&format!("SSWS {token}")).map(Self::Token).ok_or(CredentialsError::Token)
            }
            Credentials::ServiceApp { client_id, key, key_id } => {
                let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                if client_id.is_empty() || !client_id.chars().all(good) {
                    return Err(CredentialsError::ClientId(client_id));
                }
                let (key, own_id) = Key::parse(key.expose_secret())?;
                let dpop = Dpop::new().map_err(|_| CredentialsError::Random)?;
                let token = Mutex::default();
                let scopes = READ_SCOPES.into_iter().chain(writes.then_some(WRITE_SCOPE)).collect();
                let app = ServiceApp { client_id, key, key_id: key_id.or(own_id), scopes, dpop, token };
                Ok(Self::ServiceApp(Box::new(app)))
            }
        }
    }

    /// Adds what shows Okta who asks; fetches a new access token where one is needed.
    pub(crate) async fn sign(
        &self,
        request: &mut Request,
        by: &Transport,
        org: &Url,
    ) -> Result<(), DirectoryError> {
        let app = match self {
            Self::Token(header) => {
                request.headers_mut().insert(AUTHORIZATION, header.clone());
                return Ok(());
            }
            Self::ServiceApp(app) => app,
        };
        let token = app.token(by, org).await?;
        let secret = token.secret.expose_secret();
        let authorization = secret_value(&format!("{} {secret}", token.scheme)).ok_or_else(cannot_sign)?;
        let proof = app.dpop.proof(request.method(), request.url(), For::Api(secret), by.now_at_okta());
        let proof = proof.ok().and_then(|proof| secret_value(&proof)).ok_or_else(cannot_sign)?;
        request.headers_mut().insert(AUTHORIZATION, authorization);
        if token.scheme == "DPoP" {
            request.headers_mut().insert(DPOP, proof);
        }
        Ok(())
    }

    /// Keeps what an answer of the API brings for the next proof.
    pub(crate) fn heard(&self, headers: &HeaderMap) {
        if let (Self::ServiceApp(app), Some(nonce)) = (self, text(headers, &DPOP_NONCE)) {
            app.dpop.remember(For::Api(""), nonce);
        }
    }

    /// After a 401: gives up the access token that a request with these headers was signed with. Whether another try
    /// can help.
    pub(crate) async fn renew(&self, refused: &HeaderMap) -> bool {
        let Self::ServiceApp(app) = self else { return false };
        let mut token = app.token.lock().await;
        // Somebody else may have renewed it in the meantime.
        let sent = refused.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if token.as_ref().is_some_and(|token| sent.ends_with(token.secret.expose_secret())) {
            *token = None;
        }
        true
    }

    /// What Okta granted to the service app; `None` for an API token.
    pub(crate) async fn scopes(
        &self,
        by: &Transport,
        org: &Url,
    ) -> Result<Option<Vec<String>>, DirectoryError> {
        match self {
            Self::Token(_) => Ok(None),
            Self::ServiceApp(app) => Ok(Some(app.token(by, org).await?.scopes.clone())),
        }
    }

    /// Whether Okta would grant a scope to the service app; `None` for an API token. The access token that it takes to
    /// find out is thrown away.
    pub(crate) async fn would_grant(
        &self,
        scope: &str,
        by: &Transport,
        org: &Url,
    ) -> Result<Option<bool>, DirectoryError> {
        let Self::ServiceApp(app) = self else { return Ok(None) };
        match app.fetch(by, org, &[scope]).await {
            Ok(_) => Ok(Some(true)),
            Err(DirectoryError::Forbidden { .. }) => Ok(Some(false)),
            Err(error) => Err(error),
        }
    }
}

impl ServiceApp {
    /// The access token, a new one if the last is about to end.
    async fn token(&self, by: &Transport, org: &Url) -> Result<Arc<AccessToken>, DirectoryError> {
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_ref().filter(|token| token.renew_at > by.now()) {
            return Ok(Arc::clone(token));
        }
        let token = Arc::new(self.fetch(by, org, &self.scopes).await?);
        *held = Some(Arc::clone(&token));
        Ok(token)
    }

    /// Asks for an access token, again where Okta wants its newest nonce in the proof, and once more if its first answer
    /// shows that our clock is wrong.
    async fn fetch(&self, by: &Transport, org: &Url, scopes: &[&str]) -> Result<AccessToken, DirectoryError> {
        let (mut nonces_left, mut clocks_left) = (2, 1);
        loop {
            let assumed = by.skew().unwrap_or_default();
            let answer = by.exchange(self.token_request(by, org, scopes)?, "/oauth2/v1/token").await?;
            let nonce = text(&answer.headers, &DPOP_NONCE);
            if let Some(nonce) = nonce {
                self.dpop.remember(For::Token, nonce);
            }
            if answer.status.is_success() {
                return read(&answer, by.now());
            }
            let refusal = Refusal::read(&answer);
            let off = by.skew().unwrap_or_default() - assumed;
            if refusal.code == "use_dpop_nonce" && nonce.is_some() && nonces_left > 0 {
                nonces_left -= 1;
            } else if off.abs() > CLOCKS_AGREE_WITHIN && clocks_left > 0 {
                clocks_left -= 1;
            } else {
                return Err(sorted(refusal, scopes));
            }
        }
    }

    fn token_request(&self, by: &Transport, org: &Url, scopes: &[&str]) -> Result<Request, DirectoryError> {
        let mut url = org.clone();
        url.set_path("/oauth2/v1/token");
        let now = by.now_at_okta();
        let assertion = self.assertion(&url, now).map_err(|_| cannot_sign())?;
        let proof = self.dpop.proof(&Method::POST, &url, For::Token, now).map_err(|_| cannot_sign())?;
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", &scopes.join(" ")),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        let proof = secret_value(&proof).ok_or_else(cannot_sign)?;
        let request =
            by.http().post(url).header("accept", "application/json").header(DPOP, proof).form(&form);
        request.build().map_err(|_| cannot_sign())
    }

    /// Okta wants it to end within the hour; we need it for one request.
    fn assertion(&self, audience: &Url, now: Timestamp) -> Result<String, ring::error::Unspecified> {
        let claims = json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": audience.as_str(),
            "iat": now.as_second(),
            "exp": now.as_second() + 300,
            "jti": Uuid::now_v7().to_string(),
        });
        let mut header = Map::from_iter([("typ".to_owned(), Value::from("JWT"))]);
        if let Some(id) = &self.key_id {
            header.insert("kid".to_owned(), id.as_str().into());
        }
        self.key.sign(header, &claims)
    }
}

fn read(answer: &Answer, now: Timestamp) -> Result<AccessToken, DirectoryError> {
    // The parser's own words could quote the token.
    let token: TokenAnswer =
        serde_json::from_slice(&answer.body).map_err(|_| not_json(answer, "it holds no access token"))?;
    let scheme = if token.token_type.eq_ignore_ascii_case("dpop") { "DPoP" } else { "Bearer" };
    let lives = SignedDuration::from_secs(token.expires_in.unwrap_or(3_600).clamp(0, 86_400));
    let renew_at = now + (lives - RENEWED_BEFORE_END.min(lives / 4));
    let scopes = token.scope.unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect();
    Ok(AccessToken { scheme, secret: token.access_token.into(), scopes, renew_at })
}

/// Source: RFC 6749, section 5.2.
fn sorted(refusal: Refusal, scopes: &[&str]) -> DirectoryError {
    let said = refusal.said();
    match refusal.code.as_str() {
        "invalid_scope" => DirectoryError::Forbidden { said, missing: scopes.join(", ") },
        "invalid_client" | "unauthorized_client" | "invalid_grant" => DirectoryError::Unauthorized { said },
        _ if refusal.status == StatusCode::UNAUTHORIZED => DirectoryError::Unauthorized { said },
        _ => refusal.into_error("the token endpoint"),
    }
}

/// A header that never shows in debug output, nor in an HTTP library's logs.
fn secret_value(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn cannot_sign() -> DirectoryError {
    DirectoryError::Unreachable { why: "the request could not be signed".to_owned() }
}
