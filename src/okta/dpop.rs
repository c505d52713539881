//! Proof that a token is used by the one it was given to (DPoP).
//!
//! Okta demands it of new service apps. A proof is a small token of its own, signed with a key that lives as long as this
//! process and is not the key that signs in. It is sent with the very first request: without it Okta refuses, and
//! logs a failed sign-in each time. Source: RFC 9449; Okta developer documentation, "Configure DPoP".

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use reqwest::Method;
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};
use url::Url;
use uuid::Uuid;

use super::key::{Key, base64url};

/// The key of our proofs and the newest nonces.
#[derive(Debug)]
pub(crate) struct Dpop {
    key: Key,
    nonces: Mutex<Nonces>,
}

/// The servers' latest words to be repeated in a proof, which shows that it was made just now.
#[derive(Debug, Default)]
struct Nonces {
    token: Option<String>,
    api: Option<String>,
}

/// Whom a proof is for: each gives nonces of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum For<'a> {
    /// The token endpoint.
    Token,
    /// The API, together with this access token.
    Api(&'a str),
}

impl Dpop {
    pub(crate) fn new() -> Result<Self, ring::error::Unspecified> {
        Ok(Self { key: Key::generate()?, nonces: Mutex::default() })
    }

    /// A proof for one request at `now`, by Okta's clock.
    pub(crate) fn proof(
        &self,
        method: &Method,
        url: &Url,
        whom: For<'_>,
        now: Timestamp,
    ) -> Result<String, ring::error::Unspecified> {
        let mut target = url.clone();
        target.set_query(None);
        target.set_fragment(None);
        let mut claims = json!({
            "htm": method.as_str(),
            "htu": target.as_str(),
            "iat": now.as_second(),
            "jti": Uuid::now_v7().to_string(),
        });
        let nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        let nonce = match whom {
            For::Token => nonces.token.clone(),
            For::Api(token) => {
                claims["ath"] = base64url(digest(&SHA256, token.as_bytes()).as_ref()).into();
                nonces.api.clone()
            }
        };
        drop(nonces);
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        let header = [("typ", Value::from("dpop+jwt")), ("jwk", self.key.public_jwk())];
        let header = header.map(|(name, value)| (name.to_owned(), value));
        self.key.sign(Map::from_iter(header), &claims)
    }

    /// Keeps the nonce of an answer for the next proof.
    pub(crate) fn remember(&self, whom: For<'_>, nonce: &str) {
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        match whom {
            For::Token => nonces.token = Some(nonce.to_owned()),
            For::Api(_) => nonces.api = Some(nonce.to_owned()),
        }
    }
}
