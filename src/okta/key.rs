//! The private key of a service app, and the tokens that it signs.
//!
//! We only ever sign, never verify, so none of the traps of JSON web tokens lie in our way.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::{self, KeyPairComponents, PublicKeyComponents};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::{Error as PemError, PemObject as _};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Why a private key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is encrypted.
    #[error("the key is encrypted; Provost needs it without a passphrase")]
    Encrypted,
    /// It is the public half, or a certificate.
    #[error("this is a public key or a certificate; the private key is needed")]
    Public,
    /// It is neither PEM nor JWK.
    #[error("this is neither a PEM (“-----BEGIN PRIVATE KEY-----”) nor a JWK (“{{\"kty\": …}}”): {0}")]
    NoKey(String),
    /// It is of a kind that Okta or Provost cannot use.
    #[error("the key must be RSA of 2048 to 4096 bits or EC on the curve P-256: {0}")]
    Unusable(String),
    /// A JWK lacks a field or has one that is no base64url.
    #[error("the JWK's field “{0}” is missing or is not base64url")]
    Field(&'static str),
}

/// A private key.
pub(crate) enum Key {
    Rsa(Box<rsa::KeyPair>),
    P256(Box<EcdsaKeyPair>),
}

/// It never shows more than its kind.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.algorithm())
    }
}

/// A private JWK, or a set of which the first private one is taken.
///
/// No `Debug`: it holds the key.
#[derive(Deserialize)]
struct Jwk {
    kty: Option<String>,
    crv: Option<String>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
    x: Option<String>,
    y: Option<String>,
    #[serde(default)]
    keys: Vec<Jwk>,
}

impl Key {
    /// Reads a PEM (PKCS #8, PKCS #1 or SEC 1) or a JWK, which may bring its own `kid`.
    pub(crate) fn parse(text: &str) -> Result<(Self, Option<String>), KeyError> {
        let text = text.trim().trim_start_matches('\u{feff}');
        if text.starts_with('{') {
            // The error's own text could quote the key.
            let jwk =
                serde_json::from_str(text).map_err(|_| KeyError::NoKey("the JSON is broken".to_owned()))?;
            return Self::from_jwk(jwk);
        }
        if text.contains("ENCRYPTED") {
            return Err(KeyError::Encrypted);
        }
        match PrivateKeyDer::from_pem_slice(text.as_bytes()) {
            Ok(der) => Ok((Self::from_der(&der)?, None)),
            Err(_) if text.contains("PUBLIC KEY") || text.contains("CERTIFICATE") => Err(KeyError::Public),
            Err(PemError::NoItemsFound) => Err(KeyError::NoKey("no private key found in it".to_owned())),
            Err(_) => Err(KeyError::NoKey("the PEM is broken".to_owned())),
        }
    }

    /// A new key on P-256.
    pub(crate) fn generate() -> Result<Self, ring::error::Unspecified> {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random)?;
        Ok(Self::P256(Box::new(pair)))
    }

    fn from_der(der: &PrivateKeyDer<'_>) -> Result<Self, KeyError> {
        let unusable = |error: ring::error::KeyRejected| KeyError::Unusable(error.to_string());
        let p256 = |pkcs8: &[u8]| {
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new())
        };
        match der {
            PrivateKeyDer::Pkcs1(der) => {
                let pair = rsa::KeyPair::from_der(der.secret_pkcs1_der()).map_err(unusable)?;
                Ok(Self::Rsa(Box::new(pair)))
            }
            PrivateKeyDer::Pkcs8(der) => match rsa::KeyPair::from_pkcs8(der.secret_pkcs8_der()) {
                Ok(pair) => Ok(Self::Rsa(Box::new(pair))),
                Err(as_rsa) => {
                    p256(der.secret_pkcs8_der()).map(|pair| Self::P256(Box::new(pair))).map_err(|as_ec| {
                        // Both readers say “wrong algorithm” about a key of the other kind.
                        let wrong_kind = as_rsa.to_string() == "WrongAlgorithm";
                        unusable(if wrong_kind { as_ec } else { as_rsa })
                    })
                }
            },
            PrivateKeyDer::Sec1(der) => {
                let pkcs8 = in_pkcs8(der.secret_sec1_der())
                    .ok_or_else(|| KeyError::Unusable("it is longer than such a key can be".to_owned()))?;
                Ok(Self::P256(Box::new(p256(&pkcs8).map_err(unusable)?)))
            }
            _ => Err(KeyError::Unusable("unknown kind".to_owned())),
        }
    }

    fn from_jwk(mut jwk: Jwk) -> Result<(Self, Option<String>), KeyError> {
        if let Some(private) = jwk.keys.iter().position(|key| key.d.is_some()) {
            jwk = jwk.keys.swap_remove(private);
        }
        let kid = jwk.kid.clone();
        let unusable = |error: ring::error::KeyRejected| KeyError::Unusable(error.to_string());
        if jwk.kty.is_some() && jwk.d.is_none() {
            return Err(KeyError::Public);
        }
        match (jwk.kty.as_deref(), jwk.crv.as_deref()) {
            (Some("RSA"), _) => {
                let components = KeyPairComponents {
                    public_key: PublicKeyComponents { n: field("n", &jwk.n)?, e: field("e", &jwk.e)? },
                    d: field("d", &jwk.d)?,
                    p: field("p", &jwk.p)?,
                    q: field("q", &jwk.q)?,
                    dP: field("dp", &jwk.dp)?,
                    dQ: field("dq", &jwk.dq)?,
                    qInv: field("qi", &jwk.qi)?,
                };
                let pair = rsa::KeyPair::from_components(&components).map_err(unusable)?;
                Ok((Self::Rsa(Box::new(pair)), kid))
            }
            (Some("EC"), Some("P-256")) => {
                let public = [vec![4], field("x", &jwk.x)?, field("y", &jwk.y)?].concat();
                let pair = EcdsaKeyPair::from_private_key_and_public_key(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    &field("d", &jwk.d)?,
                    &public,
                    &SystemRandom::new(),
                );
                Ok((Self::P256(Box::new(pair.map_err(unusable)?)), kid))
            }
            (Some(kind), curve) => Err(KeyError::Unusable(format!("{kind} {}", curve.unwrap_or_default()))),
            (None, _) => Err(KeyError::NoKey("there is no “kty”".to_owned())),
        }
    }

    /// The name of its signatures in a token's header.
    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::P256(_) => "ES256",
        }
    }

    /// Its public half as a JWK, for the keys that we generate.
    pub(crate) fn public_jwk(&self) -> Value {
        use ring::signature::KeyPair as _;
        match self {
            Self::Rsa(pair) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                serde_json::json!({ "kty": "RSA", "n": base64url(&public.n), "e": base64url(&public.e) })
            }
            Self::P256(pair) => {
                // A byte for “uncompressed”, then both coordinates.
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                serde_json::json!({ "kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y) })
            }
        }
    }

    /// A token with these claims; `alg` is added to its header.
    pub(crate) fn sign(
        &self,
        mut header: Map<String, Value>,
        claims: &Value,
    ) -> Result<String, ring::error::Unspecified> {
        header.insert("alg".to_owned(), self.algorithm().into());
        let header = base64url(Value::Object(header).to_string().as_bytes());
        let message = format!("{header}.{}", base64url(claims.to_string().as_bytes()));
        let random = SystemRandom::new();
        let signature = match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature)?;
                signature
            }
            Self::P256(pair) => pair.sign(&random, message.as_bytes())?.as_ref().to_vec(),
        };
        Ok(format!("{message}.{}", base64url(&signature)))
    }
}

/// Base64 as tokens have it.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn field(name: &'static str, value: &Option<String>) -> Result<Vec<u8>, KeyError> {
    let text = value.as_deref().ok_or(KeyError::Field(name))?;
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| KeyError::Field(name))
}

/// The key that OpenSSL's `ecparam -genkey` writes (SEC 1), wrapped as PKCS #8, which ring reads. Source: RFC 5958.
fn in_pkcs8(sec1: &[u8]) -> Option<Vec<u8>> {
    const VERSION: &[u8] = &[0x02, 0x01, 0x00];
    const EC_P256: &[u8] = &[
        0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
        0x3d, 0x03, 0x01, 0x07,
    ];
    let tagged = |tag: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).ok()?;
        let head = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
        Some([&head, content].concat())
    };
    tagged(0x30, &[VERSION, EC_P256, &tagged(0x04, sec1)?].concat())
}

#[cfg(test)]
mod tests {
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
    };

    use super::*;

    macro_rules! pem {
        ($name:literal) => {
            include_str!(concat!("../../tests/fixtures/okta/keys/", $name))
        };
    }

    /// Checks a signature with the public half in the JWK, as Okta does.
    fn verify(token: &str, jwk: &Value) -> bool {
        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let number = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        let verified = if jwk["kty"] == "RSA" {
            let public = RsaPublicKeyComponents { n: number("n"), e: number("e") };
            public.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature)
        } else {
            let public = [vec![4], number("x"), number("y")].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).verify(message.as_bytes(), &signature)
        };
        verified.is_ok()
    }

    #[test]
    fn every_usual_form_of_a_key_signs_what_its_public_half_verifies() {
        let jwks: Value = serde_json::from_str(pem!("rsa.jwks.json")).unwrap();
        let (rsa, ec) =
            (jwks["keys"][1].clone(), serde_json::from_str::<Value>(pem!("ec.jwk.json")).unwrap());
        let in_windows_lines = pem!("rsa.pkcs8.pem").replace('\n', "\r\n");
        #[rustfmt::skip]
        let table = [
            (pem!("rsa.pkcs8.pem"),  &rsa, "RS256", None),
            (pem!("rsa.pkcs1.pem"),  &rsa, "RS256", None),
            (&in_windows_lines,      &rsa, "RS256", None),
            (pem!("rsa.jwks.json"),  &rsa, "RS256", Some("rsa-1")),
            (pem!("ec.pkcs8.pem"),   &ec,  "ES256", None),
            (pem!("ec.sec1.pem"),    &ec,  "ES256", None),
            (pem!("ec.jwk.json"),    &ec,  "ES256", Some("ec-1")),
        ];
        for (text, public, algorithm, kid) in table {
            let (key, own_id) = Key::parse(text).unwrap();
            let token = key.sign(Map::new(), &serde_json::json!({ "iss": "me" })).unwrap();

            assert_eq!((key.algorithm(), own_id.as_deref()), (algorithm, kid));
            assert!(verify(&token, public), "{algorithm} from {:.40}", text);
            assert!(verify(&token, &key.public_jwk()), "{algorithm}: its own public half");
            let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
            assert_eq!(header, format!(r#"{{"alg":"{algorithm}"}}"#).as_bytes());
        }
    }

    #[test]
    fn a_key_that_cannot_be_used_is_refused_in_words_that_say_why() {
        let cut = &pem!("rsa.pkcs8.pem")[..400];
        let no_primes = r#"{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB"}"#;
        #[rustfmt::skip]
        let table = [
            (pem!("rsa.encrypted.pem"),               "the key is encrypted"),
            (pem!("rsa.public.pem"),                  "this is a public key"),
            (r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#,"this is a public key"),
            (pem!("rsa.1024.pem"),                    "the key must be RSA of 2048"),
            (pem!("ec.p384.pem"),                     "the key must be RSA of 2048"),
            (r#"{"kty":"OKP","crv":"Ed25519","d":"AQAB"}"#, "the key must be RSA of 2048"),
            (no_primes,                               "the JWK's field “p” is missing"),
            (r#"{"kty":"EC","crv":"P-256","d":"!","x":"AQ","y":"AQ"}"#, "the JWK's field “x”"),
            (r#"{"kid":"a"}"#,                        "this is neither a PEM"),
            ("{",                                     "this is neither a PEM"),
            (cut,                                     "this is neither a PEM"),
            ("/run/secrets/okta.pem",                 "this is neither a PEM"),
            ("",                                      "this is neither a PEM"),
        ];
        for (text, expected) in table {
            let error = Key::parse(text).map(|(key, _)| key.algorithm()).unwrap_err().to_string();
            if expected.contains("“x”") {
                assert!(error.starts_with("the JWK's field") || error.starts_with("the key must"), "{error}");
            } else {
                assert!(error.starts_with(expected), "{error} for {:.40}", text);
            }
        }
    }

    #[test]
    fn a_key_never_shows() {
        let (key, _) = Key::parse(pem!("ec.pkcs8.pem")).unwrap();

        assert_eq!(format!("{key:?}"), "Key(ES256)");
    }
}
