//! A failure between any two steps leaves nothing behind, and the next attempt succeeds.

use anyhow::Result;
use domain::store::{Batch, Store, StoreError};
use sqlx::Connection;

use crate::world::*;

#[tokio::test]
async fn a_page_is_taken_in_whole_or_not_at_all() -> Result<()> {
    let broken = [
        ("INSERT", "event"),
        ("UPDATE", "event"),
        ("INSERT", "unhandled"),
        ("INSERT", "incident"),
        ("UPDATE", "incident"),
        ("INSERT", "failure"),
        ("UPDATE", "failure"),
        ("INSERT", "timeline"),
        ("INSERT", "setting_change"),
        ("INSERT", "notice"),
        ("UPDATE", "log_position"),
    ];
    for (verb, table) in broken {
        let world = World::that_has_looked_back().await?;
        world
            .takes(&[
                fails("e1", "10:00:00", "dana", "slack"),
                works("e2", "10:01:00", "dana", "slack"),
                in_job(fails_silently("e3", "10:02:00", "eli", "slack"), "job"),
                fails("e4", "10:02:00", "fay", "zoom"),
            ])
            .await?;
        let mut page = world.page(&[
            turned(false, "f1", "10:03:00", "slack"),
            in_job(fails("f2", "10:04:00", "eli", "slack"), "job"),
            works("f3", "10:05:00", "fay", "zoom"),
            fails("f4", "10:05:00", "dana", "okta"),
        ]);
        page.unreadable = vec![unreadable("x1")];
        page.position = position("page-2", true);
        let before = state(&world).await?;

        world.breaks(verb, table).await?;
        let failed = world.store.take_in(&acme(), &page).await;
        assert!(matches!(failed, Err(StoreError::Other(_))), "{verb} {table}: {failed:?}");
        assert_eq!(state(&world).await?, before, "{verb} {table}");

        world.mends(table).await?;
        let taken = world.store.take_in(&acme(), &page).await?;
        assert_eq!((taken.new, taken.unhandled), (4, 1), "{verb} {table}");
        assert_eq!(
            world.told().await?,
            [
                "#1 slack open chapter 2 failing eli",
                "#2 zoom Fixed 10:05:00 chapter 1 failing ",
                "#3 okta open chapter 1 failing dana",
            ]
        );
        assert_eq!(world.store.untold().await?.len(), 1);
    }
    Ok(())
}

/// All that a page could have left behind.
async fn state(world: &World) -> Result<String> {
    let mut intruder = world.intruder().await?;
    let mut rows = Vec::new();
    for table in ["event", "unhandled", "setting_change", "failure", "timeline", "notice", "log_position"] {
        let count = format!("SELECT COUNT(*) FROM {table}");
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&mut intruder).await?;
        rows.push((table, count));
    }
    intruder.close().await?;
    let position = world.store.position(&acme()).await?;
    let open = world.store.unexplained(&acme(), at("23:00:00"), 0).await?;
    Ok(format!("{rows:?} {position:?} {open:?} {:?}", world.incidents().await?))
}

#[tokio::test]
async fn a_page_whose_taking_in_is_cut_off_leaves_nothing() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    let events: Vec<_> = (0..1000).map(|n| fails(&format!("e{n}"), "10:00:00", "dana", "slack")).collect();
    let page = Batch { position: position("page-2", true), ..world.page(&events) };
    let (org, before) = (acme(), state(&world).await?);

    for steps in 1..20 {
        let mut taking = world.store.take_in(&org, &page);
        for _ in 0..steps {
            if futures_util::poll!(&mut taking).is_ready() {
                anyhow::bail!("it was done after {steps} steps");
            }
            tokio::task::yield_now().await;
        }
    }

    assert_eq!(state(&world).await?, before);
    assert_eq!(world.store.take_in(&acme(), &page).await?.new, 1000);
    Ok(())
}

#[tokio::test]
async fn a_write_lock_held_by_another_is_waited_for() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    let mut intruder = world.intruder().await?;
    let theirs = intruder.begin_with("BEGIN IMMEDIATE").await?;

    let page = world.page(&[fails("e1", "10:00:00", "dana", "slack")]);
    let org = acme();
    let ours = world.store.take_in(&org, &page);
    let (taken, released) = tokio::join!(ours, async {
        assert_eq!(world.incidents().await?.len(), 0, "reading goes on meanwhile");
        theirs.rollback().await?;
        anyhow::Ok(())
    });

    released?;
    assert_eq!(taken?.new, 1);
    Ok(())
}

#[tokio::test]
async fn two_at_once_do_not_get_in_each_others_way() -> Result<()> {
    let world = World::that_has_looked_back().await?;
    let pages: Vec<_> = (0..20)
        .map(|n| world.page(&[fails(&format!("e{n}"), "10:00:00", &format!("p{n}"), "slack")]))
        .collect();
    let org = acme();

    let taking = pages.iter().map(|page| world.store.take_in(&org, page));
    let taken = futures_util::future::join_all(taking).await;

    assert!(taken.iter().all(Result::is_ok), "{taken:?}");
    assert_eq!(world.incident(1).await?.failing().count(), 20);
    Ok(())
}
