//! An app or a person that there is not, or that may be several: told with the candidates, and nothing is begun.

use anyhow::Result;
use sim::okta::DeactivateUsers;

use crate::world::World;

const WHY: &str = "rehires fail since Monday";

/// Two apps of one label, and in each two people of one name whose push fails.
async fn where_names_repeat() -> Result<World> {
    let world = World::new().await?;
    for kind in ["slack", "airbase"] {
        let app = world.okta.installs("Slack", kind, DeactivateUsers::Off);
        for _ in 0..2 {
            let dana = world.okta.hires("Dana", "Reyes");
            world.okta.left_inactive(&dana, &app);
            world.okta.assigns(&dana, &app);
        }
    }
    world.settles().await?;
    Ok(world)
}

/// Nothing was asked for, and nothing written.
async fn nothing_came_of_it(world: &World) -> Result<()> {
    world.works().await?;
    let all = world.app.desk.requests.requests(&domain::requests::RequestQuery::default()).await?;
    assert!(all.is_empty(), "{all:?}");
    assert!(world.okta.ledger().exchanges().iter().all(|each| each.method == "GET"));
    Ok(())
}

#[tokio::test]
async fn an_app_is_never_guessed() -> Result<()> {
    let world = where_names_repeat().await?;
    let dana = world.okta.tasks()[0].user.clone();
    for (verb, more) in [
        ("enable", vec![("reason", WHY)]),
        ("retry", vec![]),
        ("reassign", vec![("person", dana.as_str()), ("reason", WHY)]),
    ] {
        for (typed, words) in [
            ("Slack", "is the label of 2 apps"),
            ("Slac", "Did you mean Slack"),
            ("Workday", "No app is called “Workday”"),
            ("acme/0oaNobodyKnowsThisOne", "0oaNobodyKnowsThisOne"),
        ] {
            let mut options = vec![("app", typed)];
            options.extend(more.iter().copied());
            let answer = world.says("Olive", verb, &options).await;
            assert!(answer.content.contains(words), "{verb} {typed}: {}", answer.content);
            assert!(answer.rows.is_empty(), "{verb} {typed} offers something");
        }
    }
    nothing_came_of_it(&world).await
}

#[tokio::test]
async fn a_person_is_never_guessed() -> Result<()> {
    let world = where_names_repeat().await?;
    let app = format!("acme/{}", world.okta.tasks()[0].app);
    for (verb, reason) in [("retry", None), ("reassign", Some(WHY))] {
        for (typed, words) in [
            ("Dana Reyes", "fits 2 people. You may mean Dana Reyes ("),
            ("Dana", "Nobody called “Dana” is failing in Slack. You may mean Dana Reyes ("),
            ("Zoe", "Nobody called “Zoe” is failing in Slack."),
        ] {
            let mut options = vec![("app", app.as_str()), ("person", typed)];
            options.extend(reason.map(|reason| ("reason", reason)));
            let answer = world.says("Olive", verb, &options).await;
            assert!(answer.content.contains(words), "{verb} {typed}: {}", answer.content);
            assert!(answer.rows.is_empty(), "{verb} {typed} offers something");
        }
    }
    nothing_came_of_it(&world).await
}
