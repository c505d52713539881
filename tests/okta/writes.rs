//! The writes, and the readings around them, against a simulated org.

use std::sync::Arc;

use domain::facts::Scope;
use domain::ids::{AppId, UserId};
use domain::ports::{Directory as _, DirectoryError};
use provost::clock::SystemClock;
use provost::okta::{Credentials, Okta, OktaSettings, READ_SCOPES, WRITE_SCOPE};
use serde_json::Value;
use sim::okta::{Asked, DeactivateUsers, Fault, FeatureWrites, Okta as Org, Settings};

use crate::documents;
use crate::fake::{Fake, error};

const EC: &str = include_str!("../fixtures/okta/keys/ec.jwk.json");
const ON: &str = r#"{"update":{"lifecycleDeactivate":{"status":"ENABLED"}}}"#;

async fn org() -> Org {
    Org::start(Settings::default()).await.expect("loopback has a free port")
}

fn client(url: &str, credentials: Credentials, writes: bool) -> Okta {
    let (org, url) = ("acme".parse().expect("a name"), url.parse().expect("an address"));
    let settings = OktaSettings { org, url, credentials, rate_limit_share: 1.0, writes };
    Okta::new(settings, Arc::new(SystemClock)).expect("good settings")
}

fn with_token(org: &Org) -> Okta {
    client(&org.url(), Credentials::Token(Settings::default().api_token.into()), true)
}

/// A service app that was granted these scopes.
fn service_app(org: &Org, scopes: &[&str], writes: bool) -> Okta {
    let mut key: Value = serde_json::from_str(EC).expect("a key");
    key.as_object_mut().expect("an object").remove("d");
    org.registers_service_app("0oaCLIENT", &key, scopes, true);
    let client_id = "0oaCLIENT".to_owned();
    client(&org.url(), Credentials::ServiceApp { client_id, key: EC.into(), key_id: None }, writes)
}

fn id(text: &str) -> AppId {
    text.parse().expect("an id")
}

fn person(text: &str) -> UserId {
    text.parse().expect("an id")
}

/// The writes that came, each with its status.
fn writes(org: &Org) -> Vec<(String, u16)> {
    let asked = org.requests("/api/v1/").into_iter().filter(|asked| asked.method != "GET");
    asked.map(|Asked { method, status, .. }| (method, status)).collect()
}

#[tokio::test]
async fn enabling_sends_that_one_capability_and_shows_what_else_changed() {
    for (mode, others_change) in [(FeatureWrites::Merge, false), (FeatureWrites::Replace, true)] {
        let org = org().await;
        let app = org.installs("Slack", "slack", DeactivateUsers::Off);
        org.feature_writes(&app, mode);
        let (okta, app) = (with_token(&org), id(&app));

        let before = okta.capabilities(&app).await.unwrap();
        let written = okta.enable(&app).await.unwrap();
        let after = okta.capabilities(&app).await.unwrap();

        assert_eq!(before["update.lifecycleDeactivate.status"], "DISABLED");
        assert_eq!(after["update.lifecycleDeactivate.status"], "ENABLED");
        assert_eq!(before.len(), after.len());
        assert!(before.contains_key("create.lifecycleCreate.status"), "{before:?}");
        let changed = before.iter().filter(|(path, value)| after[*path] != **value).count();
        assert_eq!(changed > 1, others_change, "{before:?} {after:?}");
        let exchanges = org.ledger().exchanges();
        let put = exchanges.iter().find(|exchange| exchange.method == "PUT").unwrap();
        assert_eq!(put.request_body, ON);
        let told = put.answer_headers.iter().find(|(name, _)| name == "x-okta-request-id");
        assert_eq!(written.okta_request, told.map(|(_, id)| id.clone()));
        documents::hold(&exchanges, &[]);
    }
}

#[tokio::test]
async fn pushing_sends_an_unchanged_profile_of_that_person() {
    let org = org().await;
    let app = org.installs("Slack", "slack", DeactivateUsers::On);
    let dana = org.hires("Dana", "Reyes");
    org.assigns_by_group(&dana, &app, "Engineering");
    let (okta, app, dana) = (with_token(&org), id(&app), person(&dana));
    let before = okta.app_user(&app, &dana).await.unwrap();

    let written = okta.push(&app, &dana).await.unwrap();

    let after = okta.app_user(&app, &dana).await.unwrap();
    assert_eq!((after.person.id.clone(), after.scope), (dana.clone(), Scope::Group));
    assert_eq!((after.status.as_str(), after.okta_status.as_deref()), ("PROVISIONED", Some("ACTIVE")));
    assert!(after.last_sync >= before.last_sync && written.okta_request.is_some());
    let exchanges = org.ledger().exchanges();
    let post = exchanges.iter().find(|exchange| exchange.method == "POST").unwrap();
    assert_eq!((post.request_body.as_str(), post.query.as_str()), (r#"{"profile":{}}"#, ""));

    let nobody = person("00unobody");
    for gone in [okta.app_user(&app, &nobody).await.map(drop), okta.push(&app, &nobody).await.map(drop)] {
        let gone = gone.unwrap_err();
        assert!(
            matches!(&gone, DirectoryError::Gone { what } if what.starts_with("person 00unobody in app"))
        );
        assert!(!gone.may_have_been_done());
    }
    documents::hold(&org.ledger().exchanges(), &[]);
}

#[tokio::test]
async fn an_assignment_is_taken_away_and_given_back_with_what_it_held() {
    let org = org().await;
    let app = org.installs("Slack", "slack", DeactivateUsers::On);
    let dana = org.hires("Dana", "Reyes");
    org.assigns(&dana, &app);
    org.fills_in(&dana, &app, "role", "admin");
    let (okta, app_id, dana_id) = (with_token(&org), id(&app), person(&dana));

    let before = okta.assignment(&app_id, &dana_id).await.unwrap();
    assert_eq!((before.user.scope, before.group), (Scope::Person, None));
    assert_eq!(before.profile.attributes["role"], r#""admin""#);
    let unassigned = okta.unassign(&app_id, &dana_id).await.unwrap();
    assert!(!org.is_assigned(&dana, &app) && !org.is_active_in_app(&dana, &app));
    assert!(matches!(okta.assignment(&app_id, &dana_id).await, Err(DirectoryError::Gone { .. })));
    assert!(matches!(okta.unassign(&app_id, &dana_id).await, Err(DirectoryError::Gone { .. })));
    let assigned = okta.assign(&app_id, &dana_id, Some(&before.profile)).await.unwrap();

    let after = okta.assignment(&app_id, &dana_id).await.unwrap();
    assert_eq!(before.profile.lost_in(&after.profile), [""; 0]);
    assert!(org.is_active_in_app(&dana, &app));
    assert!(unassigned.okta_request.is_some() && assigned.okta_request.is_some());
    let exchanges = org.ledger().exchanges();
    let delete = exchanges.iter().find(|exchange| exchange.method == "DELETE").unwrap();
    assert_eq!((delete.query.as_str(), delete.request_body.as_str()), ("", ""), "nobody gets an e-mail");
    documents::hold(&exchanges, &[]);
}

#[tokio::test]
async fn a_group_that_brings_the_app_is_known_by_its_name() {
    let org = org().await;
    let app = org.installs("Slack", "slack", DeactivateUsers::Off);
    let dana = org.hires("Dana", "Reyes");
    org.assigns_by_group(&dana, &app, "Engineering");
    let (okta, app) = (with_token(&org), id(&app));

    let assignment = okta.assignment(&app, &person(&dana)).await.unwrap();

    assert_eq!(assignment.user.scope, Scope::Group);
    let group = assignment.group.unwrap();
    assert_eq!(okta.group_name(&app, &group).await.unwrap(), "Engineering");
    let other = "00gother".parse().unwrap();
    assert!(matches!(okta.group_name(&app, &other).await, Err(DirectoryError::Gone { .. })));
    documents::hold(&org.ledger().exchanges(), &[]);
}

#[tokio::test]
async fn an_attribute_without_a_value_is_neither_saved_nor_written_back() {
    let body = r#"{"id":"00u1","scope":"USER","credentials":{"userName":"dana"},
        "profile":{"role":null,"seats":3,"tags":["a"],"title":"","nick":"D \"Dee\""}}"#;
    let fake = Fake::answering(move |_| crate::fake::answer(200, body)).await;
    let okta = client(&fake.url, Credentials::Token("00token".into()), true);
    let saved = okta.assignment(&id("0oa1"), &person("00u1")).await.unwrap().profile;
    let names: Vec<_> = saved.attributes.keys().map(String::as_str).collect();
    assert_eq!((names, saved.user_name.as_deref()), (vec!["nick", "seats", "tags", "title"], Some("dana")));

    let org = org().await;
    let app = org.installs("Slack", "slack", DeactivateUsers::Off);
    let dana = org.hires("Dana", "Reyes");
    with_token(&org).assign(&id(&app), &person(&dana), Some(&saved)).await.unwrap();

    let exchanges = org.ledger().exchanges();
    let post = exchanges.iter().find(|exchange| exchange.method == "POST").unwrap();
    let sent: Value = serde_json::from_str(&post.request_body).unwrap();
    let profile = serde_json::json!({ "seats": 3, "tags": ["a"], "title": "", "nick": "D \"Dee\"" });
    assert_eq!(sent, serde_json::json!({ "id": dana, "scope": "USER", "profile": profile }));
    documents::hold(&exchanges, &[]);
}

#[tokio::test]
async fn a_mapped_attribute_that_is_refused_is_no_missing_right() {
    let org = org().await;
    let app = org.installs("Slack", "slack", DeactivateUsers::Off);
    let dana = org.hires("Dana", "Reyes");
    org.assigns(&dana, &app);
    org.fills_in(&dana, &app, "displayName", "Dee");
    let (okta, app, dana) = (with_token(&org), id(&app), person(&dana));
    let saved = okta.assignment(&app, &dana).await.unwrap().profile;
    okta.unassign(&app, &dana).await.unwrap();

    let refused = okta.assign(&app, &dana, Some(&saved)).await.unwrap_err();

    assert!(matches!(&refused, DirectoryError::Refused { code, .. } if code == "E0000075"), "{refused}");
    okta.assign(&app, &dana, None).await.unwrap();
    documents::hold(&org.ledger().exchanges(), &[]);
}

#[tokio::test]
async fn a_write_that_may_have_been_done_is_sent_once_and_said_to_be_unclear() {
    let table = [
        (Fault::DropAfterDoing, true),
        (Fault::CutBody, true),
        (Fault::NotJson, true),
        (Fault::Html(200), false),
        (Fault::Status(500), false),
        (Fault::Drop, false),
    ];
    for (fault, done) in table {
        let org = org().await;
        let app = org.installs("Slack", "slack", DeactivateUsers::Off);
        let dana = org.hires("Dana", "Reyes");
        org.assigns(&dana, &app);
        let (okta, id) = (with_token(&org), id(&app));
        // The connection is open, as it is in a program that has been running.
        okta.app(&id).await.unwrap();

        org.faults().next(1, "/features", fault.clone());
        let enabled = okta.enable(&id).await.unwrap_err();
        org.faults().next(1, "/users/", fault.clone());
        let pushed = okta.push(&id, &person(&dana)).await.unwrap_err();
        org.faults().next(1, "POST /api/v1/apps/", fault.clone());
        let assigned = okta.assign(&id, &person(&dana), None).await.unwrap_err();

        for failure in [&enabled, &pushed, &assigned] {
            assert!(failure.may_have_been_done(), "{fault:?}: {failure}");
        }
        assert_eq!(writes(&org).len(), 3, "{fault:?}");
        assert_eq!(org.deactivates_users(&app), done, "{fault:?}");
        documents::hold(&org.ledger().exchanges(), &[]);
    }
}

#[tokio::test]
async fn a_write_that_was_refused_for_its_token_is_sent_again_with_a_new_one() {
    let org = org().await;
    let app = org.installs("Slack", "slack", DeactivateUsers::Off);
    let scopes: Vec<_> = READ_SCOPES.into_iter().chain([WRITE_SCOPE]).collect();
    let okta = service_app(&org, &scopes, true);
    assert_eq!(okta.granted_scopes().await.unwrap().unwrap(), scopes);

    org.revokes_tokens();
    okta.enable(&id(&app)).await.unwrap();

    let statuses: Vec<_> = writes(&org).into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, [401, 200]);
    assert!(org.deactivates_users(&app));
    documents::hold(&org.ledger().exchanges(), &[]);
}

#[tokio::test]
async fn the_right_to_write_is_asked_for_only_where_it_is_used_and_named_where_it_is_missing() {
    let org = org().await;
    let app = id(&org.installs("Slack", "slack", DeactivateUsers::Off));

    let reader = service_app(&org, &READ_SCOPES, false);
    assert_eq!(reader.granted_scopes().await.unwrap().unwrap(), READ_SCOPES);
    let writer = client_of(&org);
    let not_granted = writer.enable(&app).await.unwrap_err();
    org.faults().next(1, "/features", Fault::Forbidden { scope: WRITE_SCOPE.to_owned() });
    let not_in_token = with_token(&org).enable(&app).await.unwrap_err();

    for refused in [not_granted, not_in_token] {
        let DirectoryError::Forbidden { missing, .. } = &refused else { panic!("{refused}") };
        assert!(missing.contains(WRITE_SCOPE) && !refused.may_have_been_done(), "{refused}");
    }
    documents::hold(&org.ledger().exchanges(), &[]);
}

/// The same service app, by a client that wants to write.
fn client_of(org: &Org) -> Okta {
    let credentials =
        Credentials::ServiceApp { client_id: "0oaCLIENT".to_owned(), key: EC.into(), key_id: None };
    client(&org.url(), credentials, true)
}

#[tokio::test]
async fn what_the_api_does_not_do_for_an_app_is_refused_in_oktas_words() {
    let org = org().await;
    let unsupported = id(&org.installs("Airbase", "airbase", DeactivateUsers::Off));
    let switched_off = id(&org.installs_without_provisioning("Zoom", "zoomus"));
    let okta = with_token(&org);

    for (app, expected, words) in [
        (&unsupported, "E0000007", "Not found"),
        (&switched_off, "E0000001", "Provisioning is not enabled for the app instance."),
    ] {
        let asked = [okta.enable(app).await.map(drop), okta.capabilities(app).await.map(drop)];
        for refused in asked.map(Result::unwrap_err) {
            let DirectoryError::Refused { code, said } = &refused else { panic!("{refused}") };
            assert!(code == expected && said.contains(words) && !refused.may_have_been_done(), "{refused}");
        }
    }

    for status in [401, 403] {
        let fake = Fake::answering(move |_| error(status, "E0000015", "Feature not enabled")).await;
        let okta = client(&fake.url, Credentials::Token("00token".into()), true);
        let refused = okta.enable(&unsupported).await.unwrap_err();
        assert!(matches!(&refused, DirectoryError::Refused { code, .. } if code == "E0000015"), "{refused}");
        assert_eq!(fake.asked().len(), 1);
    }
}

#[tokio::test]
async fn where_writing_is_off_nothing_is_sent() {
    let org = org().await;
    let app = id(&org.installs("Slack", "slack", DeactivateUsers::Off));
    let reader = client(&org.url(), Credentials::Token(Settings::default().api_token.into()), false);

    let dana = person("00u1");
    for refused in [
        reader.enable(&app).await,
        reader.push(&app, &dana).await,
        reader.unassign(&app, &dana).await,
        reader.assign(&app, &dana, None).await,
    ] {
        let refused = refused.unwrap_err();
        assert!(matches!(&refused, DirectoryError::Forbidden { missing, .. } if missing.contains("writes")));
        assert!(!refused.may_have_been_done());
    }
    assert_eq!(org.requests("").len(), 0);
}

#[tokio::test]
async fn a_reading_without_capabilities_is_no_reading() {
    for body in [r#"{"name":"USER_PROVISIONING"}"#, r#"{"capabilities":null}"#, r#"{"capabilities":[]}"#] {
        let fake = Fake::answering(move |_| crate::fake::answer(200, body)).await;
        let unclear = fake.okta().capabilities(&id("0oa1")).await.unwrap_err();
        assert!(matches!(unclear, DirectoryError::BadAnswer { .. }), "{unclear}");
    }
    let body = r#"{"capabilities":{"a":{"b":true,"c":[1,"x"],"d":null,"e":{}}}}"#;
    let fake = Fake::answering(move |_| crate::fake::answer(200, body)).await;
    let flat = fake.okta().capabilities(&id("0oa1")).await.unwrap();
    let flat: Vec<_> = flat.iter().map(|(path, value)| format!("{path}: {value}")).collect();
    assert_eq!(flat, ["a.b: true", "a.c.0: 1", "a.c.1: x", "a.d: null", "a.e: {}"]);
}
