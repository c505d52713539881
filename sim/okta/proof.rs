//! DPoP: the proof, with each request, that the token's holder has its key.
//!
//! Source: RFC 9449; Okta's developer documentation, "Configure OAuth 2.0 Demonstrating Proof-of-Possession".

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::exchange::Call;
use super::ids::Ids;
use super::jose::{Jwt, hash, thumbprint};

/// How far the times of two clocks may differ.
const SKEW: i64 = 300;

/// The nonces of the token endpoint, and the proofs that were used.
#[derive(Debug, Clone, Default)]
pub(super) struct Proofs {
    used: HashSet<String>,
    /// The newest last.
    nonces: Vec<(String, Timestamp)>,
    pub changes_every_request: bool,
}

/// A proof that holds.
pub(super) struct Proven {
    /// The thumbprint of its key.
    pub key: String,
    pub nonce: String,
}

impl Proofs {
    /// Checks the proof of a call to `url`; the error is Okta's description of what is wrong.
    pub(super) fn check(
        &mut self,
        call: &Call,
        url: &str,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<Proven, String> {
        let invalid = |claim: &str| format!("'{claim}' claim in the DPoP proof JWT is invalid.");
        let text = call.header("dpop").ok_or("The DPoP proof JWT header is missing.")?;
        let proof = Jwt::parse(text).ok_or("The DPoP proof JWT is malformed.")?;
        let jwk = &proof.header["jwk"];
        if proof.header["typ"] != "dpop+jwt" || !jwk["d"].is_null() || !proof.is_signed_by(jwk) {
            return Err("The DPoP proof JWT is invalid.".to_owned());
        }
        if proof.claim("htm") != call.method {
            return Err(invalid("htm"));
        }
        if proof.claim("htu") != url {
            return Err(invalid("htu"));
        }
        let age = proof.seconds("iat").map(|issued| now.as_second() - issued);
        if !age.is_some_and(|age| (-SKEW..=SKEW).contains(&age)) {
            return Err(invalid("iat"));
        }
        if token.is_some_and(|token| proof.claim("ath") != hash(token)) {
            return Err(invalid("ath"));
        }
        let id = proof.claim("jti");
        if id.is_empty() {
            return Err(invalid("jti"));
        }
        if !self.used.insert(id.to_owned()) {
            return Err("The DPoP proof JWT has already been used.".to_owned());
        }
        let key = thumbprint(jwk).ok_or("The DPoP proof JWT is invalid.")?;
        Ok(Proven { key, nonce: proof.claim("nonce").to_owned() })
    }

    /// Okta renews its nonce every day, and takes an old one for three days.
    pub(super) fn takes(&mut self, nonce: &str, now: Timestamp) -> bool {
        self.nonces.retain(|(_, since)| now.duration_since(*since) < SignedDuration::from_hours(72));
        self.nonces.iter().any(|(known, _)| known == nonce)
    }

    /// The nonce to use next.
    pub(super) fn nonce(&mut self, ids: &mut Ids, now: Timestamp) -> String {
        if self.changes_every_request {
            self.nonces.clear();
        }
        match self.nonces.last() {
            Some((nonce, since)) if now.duration_since(*since) < SignedDuration::from_hours(24) => {
                nonce.clone()
            }
            _ => {
                let fresh = ids.letters("", 31);
                self.nonces.push((fresh.clone(), now));
                fresh
            }
        }
    }
}
