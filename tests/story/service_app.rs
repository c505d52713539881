//! Signing in to Okta as a service app, with a key and proofs, as Okta has it by default.

use anyhow::Result;
use jiff::SignedDuration;
use sim::okta::{DeactivateUsers, public_key_of};

use crate::world::World;

/// Made for these tests, used nowhere else.
const KEY: &str = include_str!("../../sim/okta/tests/made_for_tests.pem");

async fn world() -> Result<World> {
    World::signing_in_by(|okta| {
        okta.registers_service_app(
            "0oaprovost",
            &public_key_of(KEY)?,
            &["okta.logs.read", "okta.apps.read", "okta.users.read"],
            true,
        );
        Ok(format!(
            "client_id = \"0oaprovost\"\nkey_id = \"made-for-tests\"\nprivate_key = \"\"\"{KEY}\"\"\""
        ))
    })
    .await
}

#[tokio::test]
async fn a_service_app_does_all_that_a_token_does() -> Result<()> {
    let world = world().await?;
    world.looks().await?;
    let app = world.okta.installs("Airbase", "airbase", DeactivateUsers::Off);
    let dana = world.okta.hires("Dana", "Reyes");
    world.okta.left_inactive(&dana, &app);
    world.okta.assigns(&dana, &app);

    world.settles().await?;
    let (answer, _) = world.types("diagnose", &[("app", &format!("acme/{app}"))]).await;

    assert!(world.lines()[0].starts_with("[!] ACTION NEEDED · Airbase · 1 person"), "{:?}", world.lines());
    assert_eq!(answer.content, "Airbase: the setting is off, 1 person failing");
    Ok(())
}

#[tokio::test]
async fn a_nonce_that_changes_every_time_and_a_token_that_ends_every_hour_lose_nothing() -> Result<()> {
    let world = world().await?;
    world.okta.changes_dpop_nonce_every_request(true);
    world.looks().await?;

    for hour in 0..4 {
        let app = world.okta.installs(&format!("App{hour}"), "airbase", DeactivateUsers::Off);
        let dana = world.okta.hires("Dana", &format!("Reyes{hour}"));
        world.okta.left_inactive(&dana, &app);
        world.okta.assigns(&dana, &app);
        world.settles().await?;
        world.passes(SignedDuration::from_mins(61));
    }
    world.okta.revokes_tokens();
    world.settles().await?;

    let alerts = world.lines().iter().filter(|line| line.starts_with("[!] ACTION NEEDED")).count();
    assert_eq!(alerts, 4, "{:?}", world.lines());
    Ok(())
}
