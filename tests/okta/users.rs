//! A user by the login that somebody typed: asked for at one address, whatever was typed, and compared by whoever asks.

use axum::http::Method;
use domain::ports::{Directory as _, DirectoryError};
use serde_json::json as value;

use crate::fake::{Fake, answer, error, json};

#[tokio::test]
async fn a_login_is_one_step_of_a_path_whatever_it_holds() {
    let dana = value!({ "id": "00udana", "status": "ACTIVE",
        "profile": { "login": "dana@example.com", "displayName": "Dana Reyes" } });
    let fake = Fake::answering(move |_| json(200, &dana)).await;
    let okta = fake.okta();

    let user = okta.user("dana@example.com").await.unwrap();
    for odd in ["../apps", "a?limit=1", "a#b", "a%2fb", "a b"] {
        okta.user(odd).await.unwrap();
    }
    for step in ["", ".", ".."] {
        let none = okta.user(step).await.unwrap_err();
        assert!(matches!(none, DirectoryError::Gone { .. }), "{step}: {none}");
    }

    assert_eq!(user.person.id.as_str(), "00udana");
    assert_eq!(user.person.name.as_deref(), Some("Dana Reyes"));
    let asked = fake.asked();
    assert!(asked.iter().all(|asked| asked.method == Method::GET));
    let paths: Vec<_> = asked.iter().map(|asked| asked.uri.to_string()).collect();
    let expected = ["dana@example.com", "..%2Fapps", "a%3Flimit=1", "a%23b", "a%252fb", "a%20b"];
    assert_eq!(paths, expected.map(|login| format!("/api/v1/users/{login}")));
}

#[tokio::test]
async fn only_an_active_user_with_that_very_login_is_the_one() {
    #[rustfmt::skip]
    let table = [
        ("ACTIVE",        "dana@example.com",  "dana@example.com", true),
        ("ACTIVE",        "Dana@Example.com",  "dana@EXAMPLE.com", true),
        ("ACTIVE",        "dana@example.com",  "dana",             false),
        ("ACTIVE",        "dana@example.com",  "00udana",          false),
        ("ACTIVE",        "admin@example.com", "me",               false),
        ("DEPROVISIONED", "dana@example.com",  "dana@example.com", false),
        ("SUSPENDED",     "dana@example.com",  "dana@example.com", false),
        ("STAGED",        "dana@example.com",  "dana@example.com", false),
    ];
    for (status, login, typed, expected) in table {
        let body = value!({ "id": "00udana", "status": status, "profile": { "login": login } });
        let fake = Fake::answering(move |_| json(200, &body)).await;
        let user = fake.okta().user(typed).await.unwrap();
        assert_eq!(user.is_active_with(typed), expected, "{status} {login} {typed}");
    }
    let fake = Fake::answering(|_| answer(200, r#"{"id":"00udana","status":"ACTIVE"}"#)).await;
    assert!(!fake.okta().user("dana").await.unwrap().is_active_with("dana"), "without a login it is nobody");
}

#[tokio::test]
async fn no_error_quotes_the_login() {
    for status in [401, 403, 404, 500] {
        let fake = Fake::answering(move |_| error(status, "E0000007", "Not found: Resource not found")).await;
        let failed = fake.okta().user("dana@example.com").await.unwrap_err();
        assert!(!format!("{failed} {failed:?}").contains("dana@"), "{failed:?}");
    }
}
