//! Signed tokens (JWT) and public keys (JWK), as far as a service app needs them.

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{
    self, EcdsaKeyPair, KeyPair as _, RsaKeyPair, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::{Value, json};

/// A token that was taken apart, not yet verified.
#[derive(Debug, Clone)]
pub(super) struct Jwt {
    pub header: Value,
    pub claims: Value,
    signed: String,
    signature: Vec<u8>,
}

impl Jwt {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        Some(Self {
            header: json(header)?,
            claims: json(claims)?,
            signed: signed.to_owned(),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    pub(super) fn claim(&self, name: &str) -> &str {
        self.claims[name].as_str().unwrap_or_default()
    }

    /// A time, in Unix seconds.
    pub(super) fn seconds(&self, name: &str) -> Option<i64> {
        self.claims[name].as_i64()
    }

    /// Whether the holder of the key signed this.
    pub(super) fn is_signed_by(&self, jwk: &Value) -> bool {
        let alg = self.header["alg"].as_str().unwrap_or_default();
        self.verify(alg, jwk).is_some()
    }

    fn verify(&self, alg: &str, jwk: &Value) -> Option<()> {
        let field = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str()?).ok();
        let message = self.signed.as_bytes();
        let rsa = match alg {
            "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
            "RS384" => &signature::RSA_PKCS1_2048_8192_SHA384,
            "RS512" => &signature::RSA_PKCS1_2048_8192_SHA512,
            "ES256" | "ES384" => {
                let (curve, algorithm) = match alg {
                    "ES256" => ("P-256", &signature::ECDSA_P256_SHA256_FIXED),
                    _ => ("P-384", &signature::ECDSA_P384_SHA384_FIXED),
                };
                let point = [vec![4], field("x")?, field("y")?].concat();
                let key = (jwk["crv"] == curve).then(|| UnparsedPublicKey::new(algorithm, point))?;
                return key.verify(message, &self.signature).ok();
            }
            _ => return None,
        };
        let key = RsaPublicKeyComponents { n: field("n")?, e: field("e")? };
        key.verify(rsa, message, &self.signature).ok()
    }
}

/// What tells one key from another. Source: RFC 7638.
pub(super) fn thumbprint(jwk: &Value) -> Option<String> {
    let members = match jwk["kty"].as_str()? {
        "RSA" => json!({ "e": jwk["e"], "kty": "RSA", "n": jwk["n"] }),
        "EC" => json!({ "crv": jwk["crv"], "kty": "EC", "x": jwk["x"], "y": jwk["y"] }),
        _ => return None,
    };
    Some(hash(&members.to_string()))
}

/// base64url of SHA-256, as in `ath` and thumbprints.
pub(super) fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

/// The public key (JWK) that belongs to a private key in PEM: RSA, or EC on P-256.
///
/// # Errors
///
/// If the text is not such a key.
pub fn public_key_of(private_pem: &str) -> anyhow::Result<Value> {
    let lines = private_pem.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
    let der = STANDARD.decode(lines.collect::<String>()).context("the key is not PEM")?;
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    if let Ok(pair) = RsaKeyPair::from_pkcs8(&der).or_else(|_| RsaKeyPair::from_der(&der)) {
        let public: RsaPublicKeyComponents<Vec<u8>> = pair.public_key().into();
        return Ok(json!({ "kty": "RSA", "n": encode(&public.n), "e": encode(&public.e) }));
    }
    let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
    let Ok(pair) = EcdsaKeyPair::from_pkcs8(algorithm, &der, &SystemRandom::new()) else {
        bail!("the key is neither RSA nor EC on P-256");
    };
    // An uncompressed point: 4, x, y.
    let point = pair.public_key().as_ref();
    Ok(json!({ "kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..65]) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_is_the_one_of_the_rfc() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi\
                 FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9\
                 c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1j\
                 F44-csFCur-kEgU8awapJzKnqDKgw";
        let jwk = json!({ "kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" });
        assert_eq!(thumbprint(&jwk).as_deref(), Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
    }
}
