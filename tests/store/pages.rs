//! What a page of the log changes.

use anyhow::Result;
use domain::incident::Happened;
use domain::store::{Batch, Store};

use crate::world::*;

#[tokio::test]
async fn an_event_counts_once_however_often_it_is_read() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    let (dana, eli) = (fails("e1", "10:00:00", "dana", "slack"), fails("e2", "10:00:01", "eli", "slack"));

    let first = world.takes(&[dana.clone(), dana.clone()]).await?;
    let second = world.takes(&[dana, eli]).await?;

    assert_eq!((first.new, first.known), (1, 1));
    assert_eq!((second.new, second.known), (1, 1));
    let incident = world.incident(1).await?;
    let times: Vec<_> = incident.failures.values().map(|failure| failure.times).collect();
    assert_eq!(times, [1, 1]);
    Ok(())
}

#[tokio::test]
async fn one_uuid_in_two_orgs_is_two_events() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    let page = world.page(&[fails("e1", "10:00:00", "dana", "slack")]);

    world.store.take_in(&acme(), &page).await?;
    let other = world.store.take_in(&"globex".parse()?, &page).await?;

    assert_eq!(other.new, 1);
    assert_eq!(world.incidents().await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_page_says_what_its_events_turned_out_to_be() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    let nameless = domain::event::Event { person: None, ..fails("e7", "10:00:07", "dana", "slack") };
    let mut page = world.page(&[
        fails("e1", "10:00:00", "dana", "slack"),
        in_job(fails_silently("e2", "10:00:01", "eli", "slack"), "job"),
        in_job(fails("e3", "10:00:02", "eli", "slack"), "job"),
        fails_silently("e4", "10:00:03", "fay", "slack"),
        works("e5", "10:00:04", "gus", "slack"),
        turned(true, "e6", "10:00:05", "slack"),
        nameless,
    ]);
    page.unreadable = vec![unreadable("x1"), unreadable("x1")];

    let taken = world.store.take_in(&acme(), &page).await?;

    let expected = [
        ("failure:inactive-account", 3),
        ("setting", 1),
        ("success", 1),
        ("unexplained", 1),
        ("unhandled", 1),
    ];
    assert_eq!(taken.classes, expected.map(|(class, count)| (class.to_owned(), count)));
    assert_eq!((taken.new, taken.unhandled), (7, 2));
    let tally = world.store.tally(&acme(), at("09:00:00")).await?;
    assert_eq!((tally.causes[0].1, tally.unhandled), (3, 2));
    let later = world.store.tally(&acme(), at("10:00:01")).await?;
    assert_eq!(later.causes[0].1, 2);
    Ok(())
}

#[tokio::test]
async fn the_position_is_what_the_last_page_said() -> Result<()> {
    let world = World::new().await?;
    assert_eq!(world.store.position(&acme()).await?, None);

    for (next, looked_back) in [("p1", false), ("p2", true)] {
        let page = Batch { position: position(next, looked_back), ..world.page(&[]) };
        world.store.take_in(&acme(), &page).await?;
        assert_eq!(world.store.position(&acme()).await?, Some(page.position));
    }
    assert_eq!(world.store.position(&"globex".parse()?).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_silent_event_belongs_to_the_one_of_its_job_that_says_why_in_either_order() -> Result<()> {
    let silent = in_job(fails_silently("silent", "10:00:00", "dana", "slack"), "job");
    let telling = in_job(fails("telling", "10:00:01", "dana", "slack"), "job");
    for order in [[&silent, &telling], [&telling, &silent]] {
        for pages in [1, 2] {
            let world = World::that_has_looked_back().await?;
            for page in order.chunks(2 / pages) {
                let page: Vec<_> = page.iter().map(|&event| event.clone()).collect();
                world.takes(&page).await?;
            }

            let incident = world.incident(1).await?;
            let failure = incident.failures.values().next().expect("dana fails");
            assert_eq!((failure.times, failure.event.as_str()), (1, "telling"), "{pages} pages");
            assert_eq!((failure.first, failure.last), (at("10:00:00"), at("10:00:01")));
            assert!(world.store.unexplained(&acme(), at("23:00:00"), 0).await?.is_empty());
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_ends_a_failure_may_be_logged_before_it() -> Result<()> {
    for (end, expected) in [
        (works("end", "10:05:00", "dana", "slack"), "#1 slack Fixed 10:05:00 chapter 1 failing "),
        (unassigned("end", "10:05:00", "dana", "slack"), "#1 slack Ended 10:05:00 chapter 1 failing "),
    ] {
        let failure = fails("e1", "10:00:00", "dana", "slack");
        for pages in [vec![vec![end.clone(), failure.clone()]], vec![vec![end.clone()], vec![failure]]] {
            let world = World::that_has_looked_back().await?;
            for page in &pages {
                world.takes(page).await?;
            }
            assert_eq!(world.told().await?, [expected], "{} pages", pages.len());
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_failure_that_comes_back_within_a_day_is_the_next_chapter() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world
        .takes(&[fails("e1", "10:00:00", "dana", "slack"), works("e2", "11:00:00", "dana", "slack")])
        .await?;
    assert_eq!(world.told().await?, ["#1 slack Fixed 11:00:00 chapter 1 failing "]);

    world.takes(&[fails("e3", "34:59:59", "dana", "slack")]).await?;

    assert_eq!(world.told().await?, ["#1 slack open chapter 2 failing dana"]);
    let lines = world.store.lines(world.incident(1).await?.number, 1).await?;
    assert!(matches!(&lines[..], [line] if matches!(line.what, Happened::CameBack { .. })));
    Ok(())
}

#[tokio::test]
async fn a_failure_that_comes_back_after_a_day_is_a_new_incident() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world
        .takes(&[fails("e1", "10:00:00", "dana", "slack"), works("e2", "11:00:00", "dana", "slack")])
        .await?;

    world.takes(&[fails("e3", "35:00:01", "dana", "slack")]).await?;

    assert_eq!(
        world.told().await?,
        ["#1 slack Fixed 11:00:00 chapter 1 failing ", "#2 slack open chapter 1 failing dana"]
    );
    Ok(())
}

#[tokio::test]
async fn the_first_look_back_is_quiet_even_about_what_comes_back() -> Result<()> {
    let world = World::new().await?;
    world
        .looks_back_at(&[fails("e1", "10:00:00", "dana", "slack"), fails("e2", "10:00:00", "eli", "zoom")])
        .await?;
    world
        .looks_back_at(&[works("e3", "11:00:00", "dana", "slack"), turned(false, "e4", "11:30:00", "slack")])
        .await?;
    world
        .takes(&[fails("e5", "12:00:00", "dana", "slack"), works("e6", "12:30:00", "dana", "slack")])
        .await?;

    assert_eq!(
        world.told().await?,
        ["#1 slack Fixed 12:30:00 chapter 2 quiet failing ", "#2 zoom open chapter 1 quiet failing eli"]
    );
    assert!(world.store.untold().await?.is_empty(), "no drift is told of the past");

    world.takes(&[fails("e7", "13:00:00", "dana", "slack")]).await?;
    assert_eq!(world.told().await?[0], "#1 slack open chapter 3 failing dana");
    Ok(())
}

#[tokio::test]
async fn somebody_assigned_again_after_an_unassignment_fails_again() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world
        .takes(&[fails("e1", "10:00:00", "dana", "slack"), unassigned("e2", "10:10:00", "dana", "slack")])
        .await?;
    assert_eq!(world.told().await?, ["#1 slack Ended 10:10:00 chapter 1 failing "]);

    world.takes(&[fails("e3", "10:20:00", "dana", "slack")]).await?;
    world.takes(&[works("e4", "10:30:00", "dana", "slack")]).await?;

    assert_eq!(world.told().await?, ["#1 slack Fixed 10:30:00 chapter 2 failing "]);
    Ok(())
}

#[tokio::test]
async fn apps_of_one_label_and_other_people_are_kept_apart() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world.takes(&[fails("e1", "10:00:00", "dana", "slack"), fails("e2", "10:00:00", "eli", "slack")]).await?;

    world.takes(&[works("e3", "10:05:00", "dana", "zoom"), works("e4", "10:05:00", "eli", "slack")]).await?;

    assert_eq!(world.told().await?, ["#1 slack open chapter 1 failing dana"]);
    Ok(())
}

#[tokio::test]
async fn a_setting_turned_off_on_a_mended_app_is_told_once() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    world
        .takes(&[
            fails("e1", "10:00:00", "dana", "slack"),
            turned(true, "e2", "10:10:00", "slack"),
            works("e3", "10:20:00", "dana", "slack"),
        ])
        .await?;
    assert!(world.store.untold().await?.is_empty());

    let off = turned(false, "e4", "40:00:00", "slack");
    world.takes(&[off.clone(), turned(false, "e5", "40:00:00", "zoom")]).await?;
    world.takes(&[off]).await?;

    let untold = world.store.untold().await?;
    assert_eq!(untold.len(), 1);
    let settings = world.store.settings(&acme(), &"slack".parse()?).await?;
    let settings: Vec<_> = settings.iter().map(|(_, change)| (change.on, change.event.as_str())).collect();
    assert_eq!(settings, [(false, "e4"), (true, "e2")]);
    Ok(())
}

#[tokio::test]
async fn ten_thousand_failures_of_one_app_are_one_incident() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    for page in 0..4 {
        let person = |n: usize| format!("p{page}-{n}");
        let event = |n| fails(&format!("e{page}-{n}"), "10:00:00", &person(n), "slack");
        let events: Vec<_> = (0..2500).map(event).collect();
        assert_eq!(world.takes(&events).await?.new, 2500);
    }

    let incidents = world.incidents().await?;
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].failing().count(), 10_000);
    Ok(())
}
