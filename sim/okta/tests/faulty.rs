//! What can go wrong on the way.

use std::io::Read as _;

use anyhow::Result;
use flate2::read::GzDecoder;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{ask, ask_with, get, org, ssws};
use crate::okta::{DeactivateUsers, Fault, Okta, Settings};

#[tokio::test]
async fn answers_carry_rate_limits_a_request_id_and_the_orgs_date() -> Result<()> {
    let start: Timestamp = "2026-03-04T05:06:07Z".parse()?;
    let okta = Okta::start(Settings { start: Some(start), ..Settings::default() }).await?;
    okta.rate_limit("/api/v1/logs", 2);

    let first = get(&okta, "/api/v1/logs").await?;
    assert!(first.header("date").starts_with("Wed, 04 Mar 2026 05:06:"));
    assert_eq!((first.header("x-rate-limit-limit"), first.header("x-rate-limit-remaining")), ("2", "1"));
    assert_eq!(first.header("x-okta-request-id").len(), 27);
    get(&okta, "/api/v1/logs").await?;
    let third = get(&okta, "/api/v1/logs").await?;
    assert_eq!((third.status, &third.json()["errorCode"]), (429, &json!("E0000047")));
    let reset: i64 = third.header("x-rate-limit-reset").parse()?;
    assert!((start.as_second()..start.as_second() + 70).contains(&reset));

    okta.advance(SignedDuration::from_mins(1));
    let later = get(&okta, "/api/v1/logs").await?;
    assert_eq!(
        (later.status, &later.json()[0]["eventType"]),
        (200, &json!("system.org.rate_limit.violation"))
    );
    Ok(())
}

#[tokio::test]
async fn faults_spoil_the_answers_they_are_meant_for() -> Result<()> {
    let okta = org().await?;
    okta.chatters(3);
    let logs = "/api/v1/logs";
    let spoilt = async |fault: Fault| {
        okta.faults().next(1, "/logs", fault);
        get(&okta, logs).await
    };
    let limited = spoilt(Fault::RateLimited { reset_in_secs: -5 }).await?;
    assert_eq!(limited.status, 429);
    assert!(limited.header("x-rate-limit-reset").parse::<i64>()? < okta.now().as_second());
    assert_eq!(spoilt(Fault::ConcurrencyLimited).await?.header("x-rate-limit-limit"), "0");
    assert_eq!(spoilt(Fault::Status(503)).await?.json()["errorCode"], "E0000010");
    assert!(spoilt(Fault::Html(502)).await?.header("content-type").starts_with("text/html"));
    assert!(spoilt(Fault::CutBody).await.is_err());
    assert!(spoilt(Fault::Drop).await.is_err());
    assert!(spoilt(Fault::DropAfterDoing).await.is_err());
    assert!(spoilt(Fault::WrongLength).await?.json().is_null());
    assert_eq!(spoilt(Fault::EmptyBody).await?.body, b"");
    assert!(spoilt(Fault::NotJson).await?.json().is_null());
    assert_eq!(spoilt(Fault::TornEvent).await?.json()[1], 42);
    let foreign = "https://evil.example/api/v1/logs?after=1".to_owned();
    assert_eq!(spoilt(Fault::ForeignNextLink(foreign.clone())).await?.link("next"), Some(foreign.clone()));
    assert_eq!(spoilt(Fault::Redirect(302, foreign.clone())).await?.header("location"), foreign);
    assert_eq!(spoilt(Fault::Unauthorized).await?.status, 401);
    let forbidden = spoilt(Fault::Forbidden { scope: "okta.logs.read".to_owned() }).await?;
    assert!(forbidden.header("www-authenticate").contains("insufficient_scope"));
    assert_eq!(spoilt(Fault::CursorRefused(404)).await?.status, 404);
    assert_eq!(get(&okta, logs).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_was_done_or_not_as_chosen() -> Result<()> {
    let okta = org().await?;
    let app = okta.installs("Slack", "slack", DeactivateUsers::Off);
    let path = format!("/api/v1/apps/{app}/features/USER_PROVISIONING");
    let on = r#"{"update":{"lifecycleDeactivate":{"status":"ENABLED"}}}"#;

    okta.faults().next(1, "/features", Fault::Drop);
    assert!(ask(&okta, "PUT", &path, on).await.is_err());
    assert!(!okta.deactivates_users(&app));

    okta.faults().next(1, "/features", Fault::DropAfterDoing);
    assert!(ask(&okta, "PUT", &path, on).await.is_err());
    assert!(okta.deactivates_users(&app));
    Ok(())
}

#[tokio::test]
async fn bodies_are_compressed_for_those_who_want_it() -> Result<()> {
    let okta = org().await?;
    okta.chatters(10);
    let authorization = ssws();
    let headers = [("authorization", &*authorization), ("accept-encoding", "gzip")];
    let zipped = ask_with(&okta, "GET", "/api/v1/logs", &headers, "").await?;
    assert_eq!(zipped.header("content-encoding"), "gzip");
    let mut text = String::new();
    GzDecoder::new(&*zipped.body).read_to_string(&mut text)?;
    assert_eq!(text.as_bytes(), get(&okta, "/api/v1/logs").await?.body);

    okta.faults().next(1, "/logs", Fault::GzipBomb(10 << 20));
    let bomb = ask_with(&okta, "GET", "/api/v1/logs", &headers, "").await?;
    assert!(bomb.body.len() < 100_000);
    let mut unpacked = Vec::new();
    GzDecoder::new(&*bomb.body).read_to_end(&mut unpacked)?;
    assert_eq!(unpacked.len(), 10 << 20);
    Ok(())
}

#[tokio::test]
async fn an_outage_refuses_connections_and_ends_on_the_same_port() -> Result<()> {
    let okta = org().await?;
    let url = okta.url();
    okta.pause_serving().await;
    assert!(get(&okta, "/api/v1/logs").await.is_err());
    okta.resume_serving().await?;
    assert_eq!(okta.url(), url);
    assert_eq!(get(&okta, "/api/v1/logs").await?.status, 200);
    Ok(())
}
