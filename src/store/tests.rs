//! Faults that only a connection of our own can make.

use std::sync::Arc;

use domain::cause::Rules;
use domain::facts::Unreadable;
use sqlx::Executor;

use super::*;

fn page(number: usize) -> Batch {
    let unreadable = |n| Unreadable { id: format!("{number}-{n}"), why: "it has no published ".repeat(100) };
    Batch {
        events: Vec::new(),
        unreadable: (0..100).map(unreadable).collect(),
        position: Position {
            next: Some(number.to_string()),
            filter: String::new(),
            last_event: None,
            looked_back: true,
            caught_up: None,
        },
        rules: Arc::new(Rules::embedded()),
        alert_causes: BTreeSet::new(),
        now: Timestamp::UNIX_EPOCH,
    }
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_stored_and_it_goes_on_once_there_is_room() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let store = Sql::open(&format!("sqlite://{}/provost.db", folder.path().display())).await?;
    let org = "acme".parse()?;
    store.take_in(&org, &page(0)).await?;
    let before = store.position(&org).await?;

    // SQLite's own way to make a full disk; it holds for this connection only.
    store.writer.execute("PRAGMA max_page_count = 1").await?;
    for _ in 0..3 {
        let refused = store.take_in(&org, &page(1)).await;
        assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
        assert_eq!(store.position(&org).await?, before);
    }

    store.writer.execute("PRAGMA max_page_count = 1000000").await?;
    assert_eq!(store.take_in(&org, &page(1)).await?.unhandled, 100);
    assert_eq!(store.position(&org).await?, Some(page(1).position));
    Ok(())
}

#[tokio::test]
async fn a_lock_that_is_held_for_too_long_is_a_failure_of_its_own() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let store = Sql::open(&format!("sqlite://{}/provost.db", folder.path().display())).await?;
    let org = "acme".parse()?;
    store.writer.execute("PRAGMA busy_timeout = 20").await?;
    // A reader may not write; but it can hold the lock that a writer needs.
    let mut other = store.readers.acquire().await?;
    other.execute("PRAGMA query_only = OFF").await?;
    other.execute("BEGIN IMMEDIATE").await?;

    let refused = store.take_in(&org, &page(0)).await;

    assert!(matches!(refused, Err(StoreError::Locked)), "{refused:?}");
    other.execute("ROLLBACK").await?;
    store.take_in(&org, &page(0)).await?;
    Ok(())
}
