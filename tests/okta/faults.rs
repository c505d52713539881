//! Answers that are late, long, cut, foreign, or no answers at all.

use std::io::Write as _;
use std::time::Duration;

use axum::body::Body;
use domain::facts::LogFrom;
use domain::ports::{Directory as _, DirectoryError};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{StreamExt as _, stream};
use provost::okta::{Credentials, Timeouts};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::fake::{Fake, PAGE, SHORT, answer, okta, with};

fn since() -> LogFrom {
    LogFrom::Since("2026-11-19T09:00:00Z".parse().expect("a time"))
}

#[tokio::test]
async fn a_next_link_to_another_host_is_never_followed() {
    let evil = Fake::answering(|_| answer(200, PAGE)).await;
    let link = format!("<{}/api/v1/logs?after=1>; rel=\"next\"", evil.url);
    let fake = Fake::answering(move |_| with(answer(200, PAGE), "link", &link)).await;
    let okta = fake.okta();

    let refused = okta.log(&since()).await.unwrap_err().to_string();
    let stored = okta.log(&LogFrom::Cursor(format!("{}/api/v1/logs?after=1", evil.url))).await.unwrap_err();
    let listed = okta.apps(Some(&format!("{}/api/v1/apps?after=1", evil.url))).await.unwrap_err();

    assert!(refused.contains(&evil.url) && refused.contains("Yreq7"), "{refused}");
    assert!(
        matches!(&stored, DirectoryError::CursorRefused { said } if said.contains(&evil.url)),
        "{stored}"
    );
    assert!(matches!(&listed, DirectoryError::BadAnswer { why } if why.contains(&evil.url)), "{listed}");
    assert_eq!((evil.asked().len(), fake.asked().len()), (0, 1));
}

#[tokio::test]
async fn a_next_link_to_another_path_scheme_or_port_costs_the_page_and_nothing_else() {
    for hostile in [
        "//evil.tld/api/v1/logs",
        "https://HOST/api/v1/logs",
        "http://user@HOST/api/v1/logs",
        "http://HOST@evil.tld/api/v1/logs",
        "http://HOST.evil.tld/api/v1/logs",
        "http://HOST/api/v1/../../logs",
        "http://HOST/api/v1/logs/%2e%2e/users",
        "http://127.0.0.1:1/api/v1/logs",
        "javascript:alert(1)",
        "",
    ] {
        let fake = Fake::answering(move |asked| {
            let link = format!("<{}>; rel=next", hostile.replace("HOST", asked.header("host")));
            with(answer(200, PAGE), "link", &link)
        })
        .await;

        let refused = fake.okta().log(&since()).await.unwrap_err();

        assert!(matches!(refused, DirectoryError::BadAnswer { .. }), "{hostile}: {refused}");
        assert_eq!(fake.asked().len(), 1, "{hostile}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_names_what_to_mend() {
    for status in [301, 302, 303, 307, 308] {
        let target = Fake::answering(|_| answer(200, PAGE)).await;
        let to = format!("{}/api/v1/logs?token=secret", target.url);
        let fake = Fake::answering(move |_| with(answer(status, ""), "location", &to)).await;

        let refused = fake.okta().log(&since()).await.unwrap_err();

        let DirectoryError::Refused { code, said } = &refused else { panic!("{refused}") };
        assert_eq!(*code, status.to_string());
        assert!(
            said.contains("okta.acme.url") && said.contains("127.0.0.1") && !said.contains("secret"),
            "{said}"
        );
        assert_eq!(target.asked().len(), 0);
    }
}

#[tokio::test]
async fn a_compressed_page_is_read_and_a_compressed_bomb_is_not() {
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory does not fail")
    };
    let (page, bomb) = (gzip(PAGE.as_bytes()), gzip(&vec![b' '; 20 << 20]));
    assert!(bomb.len() < 2 << 20);
    let fake = Fake::answering(move |asked| {
        let body = if asked.query("since").is_some() { page.clone() } else { bomb.clone() };
        with(answer(200, body), "content-encoding", "gzip")
    })
    .await;
    let okta = fake.okta();

    assert_eq!(okta.log(&since()).await.unwrap().events.len(), 6);
    assert!(fake.asked()[0].header("accept-encoding").contains("gzip"));
    let refused = okta.apps(None).await.unwrap_err();
    assert!(matches!(&refused, DirectoryError::BadAnswer { why } if why.contains("16 MiB")), "{refused}");
}

#[tokio::test]
async fn what_is_no_page_is_refused_with_oktas_name_for_the_request() {
    let html = "<!DOCTYPE html><title>Sign in</title>";
    for (body, expected) in [
        (html, "it is a web page, not JSON"),
        ("", "it is empty"),
        ("{}", "this is not a list of System Log entries"),
        ("null", "this is not a list"),
        (&PAGE[..9_000], "this is not a list"),
    ] {
        let fake = Fake::answering(move |_| answer(200, body)).await;

        let refused = fake.okta().log(&since()).await.unwrap_err();

        let DirectoryError::BadAnswer { why } = &refused else { panic!("{refused}") };
        assert!(why.contains(expected) && why.contains("Yreq7"), "{why}");
    }
}

/// A server that writes `bytes`, waits, and hangs up.
async fn raw(bytes: &'static str, wait: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            let _read = socket.read(&mut request).await;
            let _written = socket.write_all(bytes.as_bytes()).await;
            tokio::time::sleep(wait).await;
        }
    });
    url
}

#[tokio::test]
async fn a_body_that_is_cut_or_ends_early_is_refused() {
    let clock = Fake::answering(|_| answer(200, "")).await.clock;
    for bytes in [
        "HTTP/1.1 200 OK\r\nx-okta-request-id: Yreq7\r\ncontent-length: 1000\r\n\r\n[",
        "HTTP/1.1 200 OK\r\nx-okta-request-id: Yreq7\r\ntransfer-encoding: chunked\r\n\r\n5\r\n[",
        "HTTP/1.1 200 OK\r\nx-okta-request-id: Yreq7\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n[{}]",
    ] {
        let url = raw(bytes, Duration::ZERO).await;
        let okta = okta(&url, Credentials::Token("00token".into()), clock.clone(), Timeouts::default());

        let refused = okta.log(&since()).await.unwrap_err();

        assert!(matches!(&refused, DirectoryError::BadAnswer { why } if why.contains("Yreq7")), "{refused}");
    }
}

#[tokio::test]
async fn a_silent_a_slow_and_an_absent_org_are_given_up_in_time() {
    let clock = Fake::answering(|_| answer(200, "")).await.clock;
    let token = || Credentials::Token("00token".into());
    let silent = okta(&raw("", Duration::from_secs(60)).await, token(), clock.clone(), SHORT);
    let gone = okta("http://127.0.0.1:9", token(), clock.clone(), SHORT);
    let nonsense = okta(&raw("SSH-2.0-OpenSSH\r\n\r\n", Duration::ZERO).await, token(), clock.clone(), SHORT);
    let slow = Fake::answering(|_| {
        let drops = stream::iter(0..1_000).then(async |_| {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok::<_, std::io::Error>(" ")
        });
        answer(200, Body::from_stream(drops))
    })
    .await;

    let app = "0oa1".parse().unwrap();
    for (failure, expected) in [
        (silent.app(&app).await.unwrap_err(), "no answer within 200ms"),
        (silent.log(&since()).await.unwrap_err(), "no answer within 400ms"),
        (
            okta(&slow.url, token(), clock, SHORT).log(&since()).await.unwrap_err(),
            "not complete within 800ms",
        ),
        (gone.log(&since()).await.unwrap_err(), "Connection refused"),
        (nonsense.log(&since()).await.unwrap_err(), "error sending request"),
    ] {
        let DirectoryError::Unreachable { why } = &failure else { panic!("{failure}") };
        assert!(why.contains(expected) && !why.contains("/api/v1"), "{why}");
    }
}
