//! Everything that is stored comes back, whatever it is made of, and survives a restart.

use anyhow::Result;
use domain::event::{App, Person};
use domain::store::{Query, Store, Which};
use provost::store::GatewaySession;

use crate::world::*;

#[tokio::test]
async fn a_restart_forgets_nothing() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world
        .takes(&[
            fails("e1", "10:00:00", "dana", "slack"),
            fails("e2", "10:00:00", "eli", "slack"),
            fails("e3", "10:00:00", "fay", "slack"),
            fails_silently("e4", "10:00:01", "gus", "slack"),
            turned(true, "e5", "10:00:02", "slack"),
            works("e6", "10:01:00", "dana", "slack"),
            unassigned("e7", "10:01:01", "eli", "slack"),
            fails("e8", "10:01:02", "dana", "zoom"),
        ])
        .await?;
    world.shows(1).await?;
    let before = (world.incidents().await?, world.store.unshown().await?);
    let (position, lines) =
        (world.store.position(&acme()).await?, world.store.lines(before.0[0].number, 0).await?);

    let world = world.restarted().await?;

    assert_eq!((world.incidents().await?, world.store.unshown().await?), before);
    assert_eq!(world.store.position(&acme()).await?, position);
    assert_eq!(world.store.lines(before.0[0].number, 0).await?, lines);
    assert_eq!(world.store.unexplained(&acme(), at("23:00:00"), 0).await?.len(), 1);
    assert_eq!(world.takes(&[fails("e1", "10:00:00", "dana", "slack")]).await?.new, 0);
    world.takes(&[works("e9", "10:02:00", "fay", "slack")]).await?;
    assert_eq!(world.told().await?[0], "#1 slack Fixed 10:02:00 chapter 1 failing ");
    Ok(())
}

#[tokio::test]
async fn hostile_text_comes_back_as_it_was() -> Result<()> {
    let long = "x".repeat(100_000);
    for hostile in [
        "'; DROP TABLE incident; --",
        "\"double\" `tick` \\back\\ %s $1 ?1 :a @b",
        "\u{1}\u{7}\u{1b}[31m\r\n\t\u{7f}\u{85}",
        "\u{202e}gnp.exe\u{202c} \u{200b}\u{feff}",
        "👩‍🚒 𝕯𝖆𝖓𝖆 é e\u{301} ß 日本語 ﷽",
        "<@&1100000000000000004> @everyone **bold** [a](https://evil.example)",
        "{\"what\":\"fixed\"}",
        long.as_str(),
    ] {
        let world = World::that_has_looked_back().await?;
        let id = "dana";
        let person =
            Person { id: id.parse()?, login: Some(hostile.to_owned()), name: Some(hostile.to_owned()) };
        let app = App { id: "slack".parse()?, label: hostile.to_owned() };
        let mut event = fails("e1", "10:00:00", id, "slack");
        event.reason = Some(format!("User account is inactive {hostile}"));
        event.transaction = Some(hostile.to_owned());
        (event.person, event.app) = (Some(person.clone()), Some(app.clone()));
        let mut silent = fails_silently("e2", "10:00:00", "eli", "zoom");
        silent.message = Some(hostile.to_owned());
        let mut setting = turned(true, "e3", "10:00:01", "slack");
        setting.actor.name = Some(hostile.to_owned());
        let mut worked = works("e4", "10:00:02", id, "slack");
        worked.person = Some(person.clone());

        world.takes(&[event.clone(), silent.clone(), setting.clone(), worked]).await?;

        let incident = world.incident(1).await?;
        let failure = incident.failures.values().next().expect("dana fails");
        assert_eq!((&incident.app, &failure.person, &failure.reason), (&app, &person, &event.reason));
        assert_eq!(failure.transaction.as_deref(), Some(hostile));
        assert_eq!(world.store.unexplained(&acme(), at("23:00:00"), 0).await?, [silent]);
        let (_, change) = world.store.settings(&acme(), &app.id).await?.remove(0);
        assert_eq!(change.by, setting.actor);
        assert_eq!(world.store.lines(incident.number, 0).await?.len(), 2);
    }
    Ok(())
}

#[tokio::test]
async fn a_query_chooses_by_org_app_and_end_newest_first() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world
        .takes(&[fails("e1", "10:00:00", "dana", "slack"), works("e2", "10:01:00", "dana", "slack")])
        .await?;
    world.takes(&[fails("e3", "10:02:00", "dana", "zoom")]).await?;
    let page = world.page(&[fails("e4", "10:03:00", "dana", "zoom")]);
    world.store.take_in(&"globex".parse()?, &page).await?;
    let (acme, zoom) = (Some(acme()), Some("zoom".parse()?));
    let all = Query { which: Which::All, ..Query::default() };

    for (query, expected) in [
        (all.clone(), vec![3, 2, 1]),
        (Query::default(), vec![3, 2]),
        (Query { which: Which::Over, ..Query::default() }, vec![1]),
        (Query { org: acme.clone(), ..all.clone() }, vec![2, 1]),
        (Query { app: zoom.clone(), ..all.clone() }, vec![3, 2]),
        (Query { org: acme, app: zoom, ..all.clone() }, vec![2]),
        (Query { limit: 1, ..all }, vec![3]),
    ] {
        let found = world.store.incidents(&query).await?;
        let numbers: Vec<_> = found.iter().map(|incident| incident.number.0).collect();
        assert_eq!(numbers, expected, "{query:?}");
        assert!(found.iter().all(|incident| incident.failures.len() == 1));
    }
    Ok(())
}

#[tokio::test]
async fn old_events_are_forgotten_and_incidents_are_not() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    let mut page = world.page(&[
        fails("e1", "10:00:00", "dana", "slack"),
        fails_silently("e2", "10:00:00", "eli", "slack"),
        works("e3", "12:00:00", "fay", "slack"),
    ]);
    page.unreadable = vec![unreadable("x1")];
    world.store.take_in(&acme(), &page).await?;
    let before = world.incidents().await?;

    assert_eq!(world.store.prune(at("11:00:00")).await?, 1);
    assert_eq!(world.store.prune(at("13:00:00")).await?, 1);

    assert_eq!(world.incidents().await?, before);
    assert_eq!(world.store.tally(&acme(), at("00:00:00")).await?.unhandled, 0);
    assert_eq!(world.store.unexplained(&acme(), at("23:00:00"), 0).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn the_gateway_session_outlives_a_restart() -> Result<()> {
    let world = World::new().await?;
    let session = |sequence| GatewaySession {
        session: "s".to_owned(),
        resume_url: "wss://gateway.discord.gg".to_owned(),
        sequence,
        saved: at("10:00:00"),
    };
    assert_eq!(world.store.gateway_session().await?, None);
    world.store.save_gateway_session(&session(1)).await?;
    world.store.save_gateway_session(&session(2)).await?;
    for time in ["00:00:00", "10:00:00", "49:00:00"] {
        world.store.note_identify(at(time)).await?;
    }

    let world = world.restarted().await?;

    assert_eq!(world.store.gateway_session().await?, Some(session(2)));
    assert_eq!(world.store.identifies_since(at("00:00:00")).await?, 2, "the oldest is forgotten");
    assert_eq!(world.store.identifies_since(at("11:00:00")).await?, 1);
    world.store.forget_gateway_session().await?;
    assert_eq!(world.store.gateway_session().await?, None);
    Ok(())
}
