//! Service apps: client assertions, proofs, nonces, scopes.

use anyhow::{Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use super::{Reply, ask_with, org};
use crate::okta::{Okta, public_key_of};

const CLIENT: &str = "0oaprovost";

/// Made for these tests, used nowhere else.
const RSA_KEY: &str = include_str!("made_for_tests.pem");

/// A private key on P-256, in PEM.
fn ec_key() -> Result<String> {
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    let document = document.map_err(|_| anyhow!("no randomness"))?;
    Ok(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(document)))
}

fn der(pem: &str) -> Result<Vec<u8>> {
    Ok(STANDARD.decode(pem.lines().filter(|line| !line.starts_with("-----")).collect::<String>())?)
}

fn signed(pem: &str, mut header: Value, claims: &Value) -> Result<String> {
    let (der, random) = (der(pem)?, SystemRandom::new());
    let rsa = RsaKeyPair::from_pkcs8(&der).ok();
    header["alg"] = json!(if rsa.is_some() { "RS256" } else { "ES256" });
    let encode = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", encode(&header), encode(claims));
    let signature = match rsa {
        Some(rsa) => {
            let mut signature = vec![0; rsa.public().modulus_len()];
            rsa.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature)
                .map_err(|_| anyhow!("no"))?;
            signature
        }
        None => {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random);
            let pair = pair.map_err(|error| anyhow!("{error}"))?;
            pair.sign(&random, message.as_bytes()).map_err(|_| anyhow!("no"))?.as_ref().to_vec()
        }
    };
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn assertion(okta: &Okta, pem: &str, jti: &str) -> Result<String> {
    let claims = json!({
        "iss": CLIENT, "sub": CLIENT, "aud": format!("{}/oauth2/v1/token", okta.url()),
        "exp": okta.now().as_second() + 300, "jti": jti,
    });
    signed(pem, json!({}), &claims)
}

struct Proof<'a> {
    method: &'a str,
    path: &'a str,
    jti: &'a str,
    nonce: Option<&'a str>,
    token: Option<&'a str>,
}

fn proof(okta: &Okta, pem: &str, of: &Proof<'_>) -> Result<String> {
    let mut claims = json!({
        "htm": of.method, "htu": format!("{}{}", okta.url(), of.path), "iat": okta.now().as_second(), "jti": of.jti,
    });
    if let Some(nonce) = of.nonce {
        claims["nonce"] = json!(nonce);
    }
    if let Some(token) = of.token {
        claims["ath"] = json!(crate::okta::jose::hash(token));
    }
    signed(pem, json!({ "typ": "dpop+jwt", "jwk": public_key_of(pem)? }), &claims)
}

async fn token(okta: &Okta, assertion: &str, scope: &str, dpop: Option<&str>) -> Result<Reply> {
    let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    let body = format!(
        "grant_type=client_credentials&scope={scope}&client_assertion_type={kind}&client_assertion={assertion}"
    );
    let headers: Vec<_> = dpop.map(|proof| ("dpop", proof)).into_iter().collect();
    ask_with(okta, "POST", "/oauth2/v1/token", &headers, &body).await
}

async fn token_proof(okta: &Okta, pem: &str, jti: &str, nonce: Option<&str>) -> Result<String> {
    proof(okta, pem, &Proof { method: "POST", path: "/oauth2/v1/token", jti, nonce, token: None })
}

#[tokio::test]
async fn a_service_app_without_proofs_gets_a_bearer_token_for_an_hour() -> Result<()> {
    for key in [RSA_KEY.to_owned(), ec_key()?] {
        let okta = org().await?;
        okta.registers_service_app(CLIENT, &public_key_of(&key)?, &["okta.logs.read"], false);
        let granted = token(&okta, &assertion(&okta, &key, "a")?, "okta.logs.read", None).await?.json();
        assert_eq!((&granted["token_type"], &granted["expires_in"]), (&json!("Bearer"), &json!(3600)));

        let bearer = format!("Bearer {}", granted["access_token"].as_str().unwrap_or_default());
        let headers = [("authorization", &*bearer)];
        assert_eq!(ask_with(&okta, "GET", "/api/v1/logs", &headers, "").await?.status, 200);
        let forbidden = ask_with(&okta, "GET", "/api/v1/apps", &headers, "").await?;
        assert_eq!(forbidden.status, 403);
        assert!(forbidden.header("www-authenticate").contains("okta.apps.read"));

        okta.advance(SignedDuration::from_secs(3601));
        assert_eq!(ask_with(&okta, "GET", "/api/v1/logs", &headers, "").await?.status, 401);
    }
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_a_token_request_is_said_in_oauths_words() -> Result<()> {
    let (okta, key, other) = (org().await?, ec_key()?, ec_key()?);
    okta.registers_service_app(CLIENT, &public_key_of(&key)?, &["okta.logs.read"], false);
    let good = assertion(&okta, &key, "once")?;
    assert_eq!(token(&okta, &good, "okta.logs.read", None).await?.status, 200);
    #[rustfmt::skip]
    let table = [
        (good,                            "okta.logs.read",  401, "invalid_client"),
        (assertion(&okta, &other, "b")?,  "okta.logs.read",  401, "invalid_client"),
        (assertion(&okta, &key, "c")?,    "okta.apps.read",  400, "invalid_scope"),
        ("rubbish".to_owned(),            "okta.logs.read",  401, "invalid_client"),
    ];
    for (assertion, scope, status, error) in table {
        let reply = token(&okta, &assertion, scope, None).await?;
        assert_eq!((reply.status, &reply.json()["error"]), (status, &json!(error)), "{scope}");
    }
    let kept = |secret: &str| okta.ledger().exchanges().iter().any(|each| each.request_body.contains(secret));
    assert!(kept("grant_type=client_credentials") && !kept("eyJ"), "the form is kept, the assertion is not");
    Ok(())
}

#[tokio::test]
async fn a_bound_token_takes_a_nonce_and_a_proof_with_each_request() -> Result<()> {
    let (okta, key, dpop) = (org().await?, RSA_KEY, ec_key()?);
    okta.hires("Dana", "Doe");
    okta.registers_service_app(CLIENT, &public_key_of(key)?, &["okta.users.read"], true);
    let scope = "okta.users.read";

    let missing = token(&okta, &assertion(&okta, key, "a")?, scope, None).await?.json();
    assert_eq!(missing["error_description"], "The DPoP proof JWT header is missing.");
    let same_key = token_proof(&okta, key, "0", None).await?;
    let same_key = token(&okta, &assertion(&okta, key, "b")?, scope, Some(&same_key)).await?.json();
    assert_eq!(same_key["error"], "invalid_dpop_proof");

    let first = token_proof(&okta, &dpop, "1", None).await?;
    let dance = token(&okta, &assertion(&okta, key, "c")?, scope, Some(&first)).await?;
    assert_eq!((dance.status, &dance.json()["error"]), (400, &json!("use_dpop_nonce")));
    let second = token_proof(&okta, &dpop, "2", Some(dance.header("dpop-nonce"))).await?;
    let granted = token(&okta, &assertion(&okta, key, "d")?, scope, Some(&second)).await?.json();
    assert_eq!(granted["token_type"], "DPoP");

    let access = granted["access_token"].as_str().unwrap_or_default();
    let authorization = format!("DPoP {access}");
    let of =
        |jti, token| Proof { method: "GET", path: "/api/v1/users/dana@example.com", jti, nonce: None, token };
    let good = proof(&okta, &dpop, &of("3", Some(access)))?;
    let (wrong_key, wrong_token) =
        (proof(&okta, key, &of("4", Some(access)))?, proof(&okta, &dpop, &of("5", None))?);
    let path = "/api/v1/users/dana%40example.com";
    let ask = async |proof: &str| {
        ask_with(&okta, "GET", path, &[("authorization", &authorization), ("dpop", proof)], "").await
    };
    assert_eq!(ask(&good).await?.status, 200);
    let again = ask(&good).await?;
    assert!(again.status == 400 && again.header("www-authenticate").contains("already been used"));
    assert_eq!(ask(&wrong_key).await?.status, 400);
    assert_eq!(ask(&wrong_token).await?.status, 400);

    okta.revokes_tokens();
    let fresh = proof(&okta, &dpop, &of("6", Some(access)))?;
    assert_eq!(ask(&fresh).await?.status, 401);
    Ok(())
}

#[tokio::test]
async fn a_nonce_may_change_every_time() -> Result<()> {
    let (okta, key, dpop) = (org().await?, ec_key()?, ec_key()?);
    okta.registers_service_app(CLIENT, &public_key_of(&key)?, &["okta.logs.read"], true);
    okta.changes_dpop_nonce_every_request(true);
    let ask = async |id: &str, nonce: &str| {
        let proof = token_proof(&okta, &dpop, id, Some(nonce)).await?;
        token(&okta, &assertion(&okta, &key, id)?, "okta.logs.read", Some(&proof)).await
    };
    let nonce = ask("1", "old").await?.header("dpop-nonce").to_owned();
    let granted = ask("2", &nonce).await?;
    assert_eq!(granted.status, 200);
    assert_eq!(ask("3", &nonce).await?.status, 400, "the nonce was for once");
    Ok(())
}
