//! The other routes, and what is no route.

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{ask, ask_with, get, org};
use crate::okta::DeactivateUsers;

#[tokio::test]
async fn lists_come_in_pages_with_links() -> Result<()> {
    let okta = org().await?;
    let ids: Vec<_> =
        (0..5).map(|i| okta.installs(&format!("App {i}"), "airbase", DeactivateUsers::Off)).collect();
    okta.retires(&ids[4]);
    let mut next = Some("/api/v1/apps?limit=2&filter=status+eq+%22ACTIVE%22".to_owned());
    let mut seen = Vec::new();
    while let Some(target) = next {
        let page = get(&okta, &target).await?;
        let apps = page.json();
        seen.extend(
            apps.as_array().into_iter().flatten().filter_map(|app| app["id"].as_str().map(str::to_owned)),
        );
        next = page.link("next");
    }
    assert_eq!(seen, ids[..4]);

    for i in 0..5 {
        okta.hires(&format!("P{i}"), "Doe");
        okta.assigns(&format!("p{i}"), "App 0");
    }
    let path = format!("/api/v1/apps/{}/users", ids[0]);
    let first = get(&okta, &format!("{path}?limit=3&expand=user")).await?;
    assert_eq!(first.json().as_array().map(Vec::len), Some(3));
    assert!(first.json()[0]["_embedded"]["user"]["profile"]["login"].is_string());
    let rest = get(&okta, &first.link("next").context("no next link")?).await?;
    assert_eq!(rest.json().as_array().map(Vec::len), Some(2));
    assert_eq!(rest.link("next"), None);
    Ok(())
}

#[tokio::test]
async fn all_apps_of_a_person_are_one_question() -> Result<()> {
    let okta = org().await?;
    for label in ["One", "Two", "Three"] {
        okta.installs(label, "airbase", DeactivateUsers::Off);
    }
    let dana = okta.hires("Dana", "Doe");
    okta.assigns("dana", "One");
    okta.assigns_by_group("dana", "Three", "00gstaff");
    let apps =
        get(&okta, &format!("/api/v1/apps?filter=user.id+eq+%22{dana}%22&expand=user/{dana}")).await?.json();
    let found: Vec<_> = apps
        .as_array()
        .into_iter()
        .flatten()
        .map(|app| (app["label"].clone(), app["_embedded"]["user"]["scope"].clone()))
        .collect();
    assert_eq!(found, [(json!("One"), json!("USER")), (json!("Three"), json!("GROUP"))]);
    Ok(())
}

#[tokio::test]
async fn provisioning_features_exist_for_few_apps() -> Result<()> {
    let okta = org().await?;
    let slack = okta.installs("Slack", "slack", DeactivateUsers::Off);
    let off = okta.installs_without_provisioning("Zoom", "zoomus");
    let airbase = okta.installs("Airbase", "airbase", DeactivateUsers::On);
    let feature = |app: &str| format!("/api/v1/apps/{app}/features/USER_PROVISIONING");

    assert_eq!(
        get(&okta, &format!("/api/v1/apps/{slack}/features")).await?.json()[0]["name"],
        "USER_PROVISIONING"
    );
    let refused = get(&okta, &feature(&off)).await?;
    assert_eq!(refused.status, 400);
    let cause = &refused.json()["errorCauses"][0]["errorSummary"];
    assert_eq!(cause, "Provisioning is not enabled for the app instance.");
    assert_eq!(get(&okta, &feature(&airbase)).await?.status, 404);
    let app = get(&okta, &format!("/api/v1/apps/{airbase}")).await?.json();
    assert!(app["features"].as_array().is_some_and(|all| all.contains(&json!("PUSH_USER_DEACTIVATION"))));
    let connection = get(&okta, &format!("/api/v1/apps/{off}/connections/default")).await?.json();
    assert_eq!(connection["status"], "DISABLED");
    Ok(())
}

#[tokio::test]
async fn only_the_profile_is_taken_from_a_written_app_user() -> Result<()> {
    let okta = org().await?;
    let app = okta.installs("Slack", "slack", DeactivateUsers::On);
    let dana = okta.hires("Dana", "Doe");
    okta.assigns("dana", "Slack");
    let path = format!("/api/v1/apps/{app}/users/{dana}");
    let whole = String::from_utf8(get(&okta, &path).await?.body)?;
    assert_eq!(ask(&okta, "POST", &path, &whole).await?.json()["errorCode"], "E0000009");
    let mapped = ask(&okta, "POST", &path, r#"{"profile":{"email":"other@example.com"}}"#).await?;
    assert_eq!((mapped.status, &mapped.json()["errorCode"]), (403, &json!("E0000075")));

    assert_eq!(ask(&okta, "DELETE", &path, "").await?.status, 204);
    assert_eq!(get(&okta, &path).await?.status, 404);
    let body = json!({ "id": dana, "scope": "USER" }).to_string();
    let again = ask(&okta, "POST", &format!("/api/v1/apps/{app}/users"), &body).await?;
    assert_eq!((again.status, &again.json()["scope"]), (200, &json!("USER")));
    assert!(okta.is_active_in_app("dana", "Slack"));
    Ok(())
}

#[tokio::test]
async fn everything_else_is_answered_with_the_real_error_shape() -> Result<()> {
    let okta = org().await?;
    let app = okta.installs("Slack", "slack", DeactivateUsers::On);
    let whole = format!("/api/v1/apps/{app}");
    #[rustfmt::skip]
    let table = [
        ("GET",    "/api/v1/groups/00g1/x",      404, "E0000007"),
        ("GET",    "/admin/tasks/main",          404, "E0000007"),
        ("GET",    "/api/v1/apps/0oaunknown",    404, "E0000007"),
        ("GET",    "/api/v1/users/nobody",       404, "E0000007"),
        ("PUT",    &*whole,                      405, "E0000022"),
        ("DELETE", "/api/v1/logs",               405, "E0000022"),
    ];
    for (method, target, status, code) in table {
        let reply = ask(&okta, method, target, "").await?;
        assert_eq!((reply.status, &reply.json()["errorCode"]), (status, &json!(code)), "{method} {target}");
    }
    let bad = ask_with(&okta, "GET", "/api/v1/logs", &[("authorization", "SSWS wrong")], "").await?;
    assert_eq!((bad.status, &bad.json()["errorCode"]), (401, &json!("E0000011")));
    let none = ask_with(&okta, "GET", "/api/v1/logs", &[], "").await?;
    assert_eq!(none.status, 401);
    Ok(())
}

#[tokio::test]
async fn the_ledger_keeps_no_secret() -> Result<()> {
    let okta = org().await?;
    get(&okta, "/api/v1/users/me").await?;
    let exchange = &okta.ledger().exchanges()[0];
    assert_eq!((&*exchange.path, exchange.status, exchange.spoilt), ("/api/v1/users/me", 200, false));
    assert!(exchange.request_headers.iter().all(|(name, _)| name != "authorization"));
    assert!(exchange.answer_headers.iter().any(|(name, _)| name == "x-okta-request-id"));
    assert_eq!(okta.requests("/users/").len(), 1);
    Ok(())
}

#[tokio::test]
async fn ids_follow_from_the_seed_whatever_is_asked_meanwhile() -> Result<()> {
    let (one, same) = (org().await?, org().await?);
    get(&one, "/api/v1/logs").await?;
    assert_eq!(
        one.installs("Slack", "slack", DeactivateUsers::On),
        same.installs("Slack", "slack", DeactivateUsers::On)
    );
    assert_eq!(one.hires("Dana", "Doe"), same.hires("Dana", "Doe"));
    one.enables_in_console("Slack", "Olga Smith");
    Ok(())
}
