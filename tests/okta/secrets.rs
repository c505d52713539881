//! What must never be seen: tokens, keys, assertions, proofs; and settings that are refused before they are used.

use std::io;
use std::sync::{Arc, Mutex};

use domain::facts::LogFrom;
use domain::ports::Directory as _;
use provost::clock::SystemClock;
use provost::okta::{Credentials, Okta, OktaSettings, Timeouts};
use serde_json::json as value;
use tracing_subscriber::fmt::MakeWriter;

use crate::fake::{Fake, answer, error, json, with};

const EC: &str = include_str!("../fixtures/okta/keys/ec.jwk.json");

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().map_err(|_| io::ErrorKind::Other)?.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_shows_in_debug_output_errors_or_logs() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone());
    // For all threads: what one thread alone listens to may be switched off by what runs beside it.
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    let fake = Fake::answering(|asked| match (asked.uri.path(), asked.header("authorization")) {
        ("/oauth2/v1/token", _) => {
            let token = json(200, &value!({ "token_type": "DPoP", "access_token": "canary-access" }));
            with(token, "dpop-nonce", "n")
        }
        ("/api/v1/logs", _) => answer(200, "[]"),
        ("/api/v1/apps", _) => error(401, "E0000011", "Invalid token provided"),
        ("/api/v1/apps/0oa1", _) => {
            with(answer(302, ""), "location", "https://user:canary-location@evil.tld/?canary")
        }
        _ => answer(500, ""),
    })
    .await;
    let service_app = Credentials::ServiceApp { client_id: "0oaC".to_owned(), key: EC.into(), key_id: None };
    let token = Credentials::Token("canary-token".into());
    let mut said = format!("{service_app:?} {token:?}");

    for credentials in [service_app, token] {
        let okta = fake.okta_with(credentials);
        let app = "0oa1".parse().unwrap();
        said += &format!("{okta:?}");
        okta.log(&LogFrom::Since("2026-11-19T09:00:00Z".parse().unwrap())).await.unwrap();
        for failure in [
            okta.apps(None).await.unwrap_err(),
            okta.app(&app).await.unwrap_err(),
            okta.connection(&app).await.unwrap_err(),
        ] {
            said += &format!("{failure} {failure:?}");
        }
    }
    let gone = crate::fake::okta(
        "http://127.0.0.1:9",
        Credentials::Token("canary-token".into()),
        fake.clock.clone(),
        Timeouts::default(),
    );
    let failure = gone.apps(None).await.unwrap_err();
    said += &format!("{failure} {failure:?}");

    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("okta.request_id=\"Yreq7\"") && logged.contains("/api/v1/apps/{id}"), "{logged}");
    let jwk: serde_json::Value = serde_json::from_str(EC).unwrap();
    let sent: Vec<_> = fake
        .asked()
        .iter()
        .flat_map(|asked| {
            [asked.header("dpop").to_owned(), asked.form("client_assertion").unwrap_or_default()]
        })
        .filter(|secret| !secret.is_empty())
        .collect();
    assert!(sent.len() >= 5);
    let canaries = ["canary", jwk["d"].as_str().unwrap()].into_iter().chain(sent.iter().map(String::as_str));
    for canary in canaries {
        assert!(!said.contains(canary), "{canary} in {said}");
        assert!(!logged.contains(canary), "{canary} was logged");
    }
}

#[test]
fn settings_that_cannot_work_are_refused_with_their_key() {
    let token = || Credentials::Token("00token".into());
    let app = |id: &str, key: &str| Credentials::ServiceApp {
        client_id: id.to_owned(),
        key: key.into(),
        key_id: None,
    };
    #[rustfmt::skip]
    let table = [
        ("http://acme.okta.com",          token(),                               0.4, "okta.acme.url: it must begin with https://"),
        ("ftp://acme.okta.com",           token(),                               0.4, "okta.acme.url: it must begin with https://"),
        ("https://u:p@acme.okta.com",     token(),                               0.4, "okta.acme.url: it must not hold a user name"),
        ("https://acme.okta.com/api/v1",  token(),                               0.4, "okta.acme.url: it must end after the host"),
        ("https://acme.okta.com",         token(),                               0.0, "okta.acme.rate_limit_share: 0 is not"),
        ("https://acme.okta.com",         token(),                               1.5, "okta.acme.rate_limit_share: 1.5 is not"),
        ("https://acme.okta.com",         token(),                          f64::NAN, "okta.acme.rate_limit_share: NaN is not"),
        ("https://acme.okta.com",         Credentials::Token(" ".into()),        0.4, "okta.acme: the API token is empty"),
        ("https://acme.okta.com",         Credentials::Token("a\nb".into()),     0.4, "okta.acme: the API token is empty or holds"),
        ("https://acme.okta.com",         app("", EC),                           0.4, "okta.acme: “” is not a client id"),
        ("https://acme.okta.com",         app("0oaC", "/run/secrets/okta.pem"),  0.4, "okta.acme: the private key cannot be used: this is neither"),
    ];
    for (url, credentials, rate_limit_share, expected) in table {
        let (org, url) = ("acme".parse().unwrap(), url.parse().unwrap());
        let settings = OktaSettings { org, url, credentials, rate_limit_share, writes: false };

        let refused = Okta::new(settings, Arc::new(SystemClock)).unwrap_err().to_string();

        assert!(refused.starts_with(expected), "{refused}");
    }
    for (url, token) in [("https://acme.okta.com/", "00token\n"), ("http://localhost:1", "00token")] {
        let (org, url) = ("acme".parse().unwrap(), url.parse().unwrap());
        let credentials = Credentials::Token(token.into());
        let settings = OktaSettings { org, url, credentials, rate_limit_share: 1.0, writes: true };
        Okta::new(settings, Arc::new(SystemClock)).unwrap();
    }
}
