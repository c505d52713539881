//! The System Log as a client reads it.

use anyhow::{Context as _, Result};
use jiff::SignedDuration;
use serde_json::Value;

use super::{Reply, get, org};
use crate::okta::DeactivateUsers;

fn types(reply: &Reply) -> Vec<String> {
    let json = reply.json();
    let events = json.as_array().map(Vec::as_slice).unwrap_or_default();
    events.iter().filter_map(|event| event["eventType"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn polling_goes_on_for_ever_and_misses_nothing() -> Result<()> {
    let okta = org().await?;
    okta.installs("Slack", "slack", DeactivateUsers::On);
    okta.hires("Dana", "Doe");
    okta.chatters(5);
    okta.assigns("dana", "Slack");
    okta.chatters(5);

    let since = okta.now() - SignedDuration::from_hours(1);
    let filter = "eventType%20sw%20%22application.%22";
    let first = get(&okta, &format!("/api/v1/logs?since={since}&limit=2&filter={filter}")).await?;
    assert_eq!(types(&first), ["application.user_membership.add", "application.provision.user.push"]);
    let next = first.link("next").context("no next link")?;
    assert!(next.contains("limit=2") && next.contains("filter=") && !next.contains("since="), "{next}");
    assert!(first.link("self").is_some());

    let second = get(&okta, &next).await?;
    assert_eq!(types(&second), ["application.provision.user.sync"]);
    let next = second.link("next").context("no next link")?;
    let third = get(&okta, &next).await?;
    assert_eq!(types(&third).len(), 0);

    okta.arrives_late(SignedDuration::from_mins(10));
    okta.unassigns("dana", "Slack");
    okta.arrives_late(SignedDuration::ZERO);
    okta.advance(SignedDuration::from_secs(1));
    okta.assigns("dana", "Slack");
    let next = third.link("next").context("a polling request always has a next link")?;
    let overtaking = get(&okta, &next).await?;
    assert_eq!(types(&overtaking)[0], "application.user_membership.add");

    okta.advance(SignedDuration::from_mins(10));
    let next = overtaking.link("next").context("a polling request always has a next link")?;
    let late = get(&okta, &next).await?;
    assert_eq!(types(&late), ["application.provision.user.sync", "application.user_membership.remove"]);
    let published = |event: &Value| event["published"].as_str().unwrap_or_default().to_owned();
    let (removed, added) = (published(&late.json()[1]), published(&overtaking.json()[0]));
    assert!(removed < added, "late events bear an earlier time");
    Ok(())
}

#[tokio::test]
async fn a_bounded_request_ends_and_follows_the_published_time() -> Result<()> {
    let okta = org().await?;
    okta.chatters(5);
    let since = okta.now() - SignedDuration::from_hours(1);
    okta.advance(SignedDuration::from_secs(1));
    let until = okta.now();

    let mut seen = 0;
    let mut next = Some(format!("/api/v1/logs?since={since}&until={until}&limit=2&sortOrder=DESCENDING"));
    let mut pages = 0;
    while let Some(target) = next {
        let page = get(&okta, &target).await?;
        assert_eq!(page.status, 200, "{target}");
        seen += types(&page).len();
        pages += 1;
        next = page.link("next");
    }
    assert_eq!((seen, pages), (5, 3));
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_in_oktas_words() -> Result<()> {
    let okta = org().await?;
    let old = okta.now() - SignedDuration::from_hours(24 * 181);
    #[rustfmt::skip]
    let table = [
        ("filter=eventType%20is%20%22x%22".to_owned(),               "E0000031"),
        ("filter=published%20gt%20%222026-01-01%22".to_owned(),      "E0000031"),
        ("limit=1001".to_owned(),                                    "E0000001"),
        ("after=1_0&since=2026-01-01T00:00:00Z".to_owned(),          "E0000001"),
        ("after=nonsense".to_owned(),                                "E0000001"),
        ("since=yesterday".to_owned(),                               "E0000001"),
        (format!("since={old}"),                                     "E0000053"),
    ];
    for (query, code) in table {
        let reply = get(&okta, &format!("/api/v1/logs?{query}")).await?;
        let error = reply.json();
        assert_eq!((reply.status, error["errorCode"].as_str()), (400, Some(code)), "{query}");
        assert!(
            error["errorId"].as_str().is_some_and(|id| id.starts_with("oae"))
                && error["errorCauses"].is_array()
        );
    }
    Ok(())
}

#[tokio::test]
async fn events_are_found_by_target_keyword_and_debug_data() -> Result<()> {
    let okta = org().await?;
    let app = okta.installs("Slack", "slack", DeactivateUsers::Off);
    let dana = okta.hires("Dana", "Doe");
    okta.chatters(3);
    okta.assigns("dana", "Slack");
    okta.enables_in_console("Slack", "olga");

    let count = async |query: String| -> Result<usize> {
        let reply = get(&okta, &format!("/api/v1/logs?{query}")).await?;
        Ok(reply.json().as_array().map_or(0, Vec::len))
    };
    assert_eq!(count(format!("filter=target.id+eq+%22{app}%22")).await?, 4);
    assert_eq!(count(format!("filter=target.id+eq+%22{app}%22+and+target.id+eq+%22{dana}%22")).await?, 3);
    let message = "filter=debugContext.debugData.customMessage+eq+%22Deprovisioning+unassigned+users%22";
    assert_eq!(count(message.to_owned()).await?, 1);
    assert_eq!(count("q=dana+sync".to_owned()).await?, 1);
    assert_eq!(count("filter=actor.alternateId+eq+%22olga@example.com%22".to_owned()).await?, 1);
    Ok(())
}

#[tokio::test]
async fn an_event_has_the_fields_of_a_recorded_one() -> Result<()> {
    let okta = org().await?;
    okta.installs("Slack", "slack", DeactivateUsers::Off);
    okta.hires("Dana", "Doe");
    okta.assigns("dana", "Slack");
    let event = okta.log().pop().unwrap_or_default();
    let keys: Vec<_> = event.as_object().map(|event| event.keys().cloned().collect()).unwrap_or_default();
    let mut recorded = [
        "actor",
        "client",
        "device",
        "authenticationContext",
        "displayMessage",
        "eventType",
        "outcome",
        "published",
        "securityContext",
        "severity",
        "debugContext",
        "legacyEventType",
        "transaction",
        "uuid",
        "version",
        "request",
        "target",
    ];
    recorded.sort_unstable();
    assert_eq!(keys, recorded);
    assert_eq!(event["client"]["ipAddress"], Value::Null);
    assert_eq!(event["transaction"]["id"].as_str().map(str::len), Some(20));
    Ok(())
}
