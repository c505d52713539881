//! What a failure is, what it logs, and what ends it.

use anyhow::Result;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{ask, get, org};
use crate::okta::{AccountState, DeactivateUsers, FailureShape, FeatureWrites, Okta};

/// Dana had an account in the app once; now she is assigned again, and the setting is off.
async fn dana_comes_back_to(kind: &str) -> Result<(Okta, String, String)> {
    let okta = org().await?;
    let app = okta.installs("Airbase", kind, DeactivateUsers::Off);
    let dana = okta.hires("Dana", "Doe");
    okta.left_inactive("dana", "Airbase");
    okta.assigns("dana", "Airbase");
    Ok((okta, app, dana))
}

/// (event type's last part, legacy type, result, reason) of the pushes in the log.
fn pushes(okta: &Okta) -> Vec<[String; 4]> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let of = |event: &Value| {
        let event_type = text(&event["eventType"]);
        let push = event_type.strip_prefix("application.provision.user.")?.to_owned();
        let outcome = &event["outcome"];
        Some([push, text(&event["legacyEventType"]), text(&outcome["result"]), text(&outcome["reason"])])
    };
    okta.log().iter().filter_map(of).collect()
}

const REASON: &str =
    "Automatic provisioning of user dana@example.com to app Airbase failed: User account is inactive";
const INACTIVE: &str = "app.user_management.provision_user.user_inactive";

#[tokio::test]
async fn coming_back_to_an_inactive_account_fails_and_logs_several_events() -> Result<()> {
    let (okta, app, dana) = dana_comes_back_to("airbase").await?;

    let failed = "app.user_management.provision_user_failed";
    assert_eq!(
        pushes(&okta),
        [["push_profile", INACTIVE, "FAILURE", REASON], ["sync", failed, "FAILURE", "-"]]
    );
    let log = okta.log();
    assert_eq!(log[0]["eventType"], "application.user_membership.add");
    assert_eq!(log[1]["transaction"], log[2]["transaction"]);
    assert_eq!(log[1]["transaction"]["type"], "JOB");
    let mut targets: Vec<_> =
        log[1]["target"].as_array().unwrap().iter().map(|t| (&t["type"], &t["id"])).collect();
    targets.sort_by_key(|(kind, _)| kind.as_str());
    assert_eq!((targets[0].1, targets[2].1), (&json!(app), &json!(dana)));

    assert_eq!(okta.tasks().len(), 1);
    assert_eq!(okta.account_state("dana", "Airbase"), AccountState::Inactive);
    let app_user = get(&okta, &format!("/api/v1/apps/{app}/users/{dana}")).await?.json();
    assert_eq!((&app_user["status"], &app_user["syncState"]), (&json!("STAGED"), &json!("ERROR")));
    Ok(())
}

#[tokio::test]
async fn what_a_failure_logs_can_be_chosen() -> Result<()> {
    let create = "app.api.error.create_user";
    let general = "app.user_management.push_profile_failure";
    #[rustfmt::skip]
    let table = [
        (FailureShape::ReasonOnPush,   ["push",         create,   "FAILURE", REASON]),
        (FailureShape::LegacyTypeOnly, ["push_profile", INACTIVE, "FAILURE", "-"]),
        (FailureShape::ReasonOnly,     ["push_profile", "-",      "FAILURE", REASON]),
        (FailureShape::SuccessOutcome, ["push_profile", INACTIVE, "SUCCESS", "-"]),
        (FailureShape::Unexplained,    ["push_profile", general,  "FAILURE", "-"]),
    ];
    for (shape, expected) in table {
        let (okta, ..) = dana_comes_back_to("airbase").await?;
        okta.failures_log(shape);
        okta.retries_in_console("dana", "Airbase");
        assert_eq!(pushes(&okta)[2], expected, "{shape:?}");
        assert!(!okta.is_active_in_app("dana", "Airbase"), "{shape:?}");
    }
    Ok(())
}

#[tokio::test]
async fn turning_the_setting_on_by_api_and_pushing_again_mends_it() -> Result<()> {
    let (okta, app, dana) = dana_comes_back_to("slack").await?;
    let feature = format!("/api/v1/apps/{app}/features/USER_PROVISIONING");
    let before = get(&okta, &feature).await?.json();

    let on = r#"{"update":{"lifecycleDeactivate":{"status":"ENABLED"}}}"#;
    let mut after = ask(&okta, "PUT", &feature, on).await?.json();
    after["capabilities"]["update"]["lifecycleDeactivate"]["status"] = json!("DISABLED");
    assert_eq!(after, before, "nothing but the one setting changes");
    assert!(okta.deactivates_users(&app));
    assert!(!okta.is_active_in_app("dana", "Airbase"), "the setting is not retroactive");
    let update = okta.log().pop().unwrap_or_default();
    assert_eq!(update["debugContext"]["debugData"]["customMessage"], "Deprovisioning unassigned users");
    assert!(update["transaction"]["detail"]["requestApiTokenId"].is_string());
    assert_eq!(update["target"][0]["changeDetails"]["to"]["deactivate_users"], true);

    let pushed = ask(&okta, "POST", &format!("/api/v1/apps/{app}/users/{dana}"), r#"{"profile":{}}"#).await?;
    assert_eq!(pushed.status, 200);
    assert!(okta.is_active_in_app("dana", "Airbase"));
    assert_eq!(okta.tasks(), []);
    let app_user = get(&okta, &format!("/api/v1/apps/{app}/users/{dana}")).await?.json();
    assert_eq!(
        (&app_user["status"], &app_user["syncState"]),
        (&json!("PROVISIONED"), &json!("SYNCHRONIZED"))
    );
    let features = get(&okta, &format!("/api/v1/apps/{app}")).await?.json()["features"].clone();
    assert!(features.as_array().unwrap().contains(&json!("REACTIVATE_USERS")));
    Ok(())
}

#[tokio::test]
async fn a_profile_push_need_not_reactivate_but_a_retry_in_the_console_does() -> Result<()> {
    let (okta, app, dana) = dana_comes_back_to("airbase").await?;
    okta.profile_push_does_not_reactivate(&app);
    okta.enables_in_console(&app, "olga");

    ask(&okta, "POST", &format!("/api/v1/apps/{app}/users/{dana}"), r#"{"profile":{}}"#).await?;
    assert!(!okta.is_active_in_app("dana", &app));

    okta.retries_in_console("dana", &app);
    assert!(okta.is_active_in_app("dana", &app));
    Ok(())
}

#[tokio::test]
async fn the_setting_has_its_price() -> Result<()> {
    let okta = org().await?;
    let app = okta.installs("Slack", "slack", DeactivateUsers::On);
    okta.hires("Dana", "Doe");
    okta.assigns("dana", "Slack");
    assert!(okta.is_active_in_app("dana", "Slack"));

    okta.unassigns("dana", "Slack");
    assert_eq!(okta.account_state("dana", "Slack"), AccountState::Inactive);

    okta.disables_in_console(&app, "olga");
    okta.assigns("dana", "Slack");
    assert_eq!(okta.tasks().len(), 1);
    Ok(())
}

#[tokio::test]
async fn an_app_that_is_busy_heals_by_itself() -> Result<()> {
    let okta = org().await?;
    okta.installs("Slack", "slack", DeactivateUsers::On);
    okta.hires("Dana", "Doe");
    okta.app_is_busy_until("Slack", okta.now() + SignedDuration::from_mins(12));
    okta.assigns("dana", "Slack");
    assert!(pushes(&okta)[0][3].ends_with("Rescheduling provision job."));

    okta.advance(SignedDuration::from_mins(10));
    assert_eq!(okta.tasks()[0].attempts, 2, "tried again after five minutes, in vain");
    let logged = okta.log().iter().filter(|event| event["outcome"]["result"] == "FAILURE").count();
    assert_eq!(okta.tasks()[0].failures as usize, logged);

    okta.advance(SignedDuration::from_mins(10));
    assert!(okta.is_active_in_app("dana", "Slack"));
    assert_eq!(okta.tasks(), []);
    Ok(())
}

#[tokio::test]
async fn nothing_is_pushed_for_people_who_left() -> Result<()> {
    let (okta, app, dana) = dana_comes_back_to("airbase").await?;
    okta.leaves(&dana);
    assert!(!okta.is_assigned("dana", &app));
    assert_eq!(okta.tasks(), []);
    let user = get(&okta, "/api/v1/users/dana@example.com").await?.json();
    assert_eq!(user["status"], "DEPROVISIONED");
    Ok(())
}

#[tokio::test]
async fn pushes_may_take_time() -> Result<()> {
    let (okta, app, dana) = dana_comes_back_to("airbase").await?;
    okta.activates_in_app("dana", &app);
    okta.pushes_take(SignedDuration::from_secs(30));

    let path = format!("/api/v1/apps/{app}/users/{dana}");
    assert_eq!(ask(&okta, "POST", &path, r#"{"profile":{}}"#).await?.json()["syncState"], "SYNCING");
    assert_eq!(get(&okta, &path).await?.json()["syncState"], "SYNCING");

    okta.advance(SignedDuration::from_secs(31));
    assert_eq!(get(&okta, &path).await?.json()["syncState"], "SYNCHRONIZED");
    Ok(())
}

#[tokio::test]
async fn a_write_to_the_feature_can_go_wrong_quietly() -> Result<()> {
    let (okta, app, _) = dana_comes_back_to("slack").await?;
    let feature = format!("/api/v1/apps/{app}/features/USER_PROVISIONING");
    let on = r#"{"update":{"lifecycleDeactivate":{"status":"ENABLED"}}}"#;

    okta.feature_writes(&app, FeatureWrites::Ignore);
    assert_eq!(ask(&okta, "PUT", &feature, on).await?.status, 200);
    assert!(!okta.deactivates_users(&app));

    okta.feature_writes(&app, FeatureWrites::Replace);
    let after = ask(&okta, "PUT", &feature, on).await?.json();
    assert!(okta.deactivates_users(&app));
    assert_eq!(after["capabilities"]["create"]["lifecycleCreate"]["status"], "DISABLED");
    Ok(())
}

#[tokio::test]
async fn a_success_may_show_in_the_app_user_alone() -> Result<()> {
    let (okta, app, dana) = dana_comes_back_to("airbase").await?;
    let before = okta.logged();
    okta.successes_log_nothing();
    okta.activates_in_app("dana", &app);
    okta.retries_in_console("dana", &app);
    assert_eq!(okta.logged(), before);
    let app_user = get(&okta, &format!("/api/v1/apps/{app}/users/{dana}")).await?.json();
    assert_eq!(app_user["syncState"], "SYNCHRONIZED");
    assert!(app_user["lastSync"].is_string());
    let view = &okta.app_views()[0].assigned[0];
    assert_eq!((view.sync_state, view.account), ("SYNCHRONIZED", AccountState::Active));
    Ok(())
}
