//! Which files are opened, and what is said of those that are not.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use provost::store::{OpenError, Sql};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, SqliteConnection};

use crate::world::*;

async fn refusal(path: &Path) -> Result<OpenError> {
    let opened = Sql::open(&format!("sqlite://{}", path.display())).await;
    opened.err().context("it was opened")
}

async fn connect(path: &Path) -> Result<SqliteConnection> {
    Ok(SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await?)
}

/// A closed database with 300 incidents in it.
async fn full_file(folder: &tempfile::TempDir) -> Result<std::path::PathBuf> {
    let world = World::that_has_looked_back().await?;
    let event = |n| fails(&format!("e{n}"), "10:00:00", "dana", &format!("app{n}"));
    world.takes(&(0..300).map(event).collect::<Vec<_>>()).await?;
    world.store.close().await;
    let path = folder.path().join("provost.db");
    fs::copy(world.file(), &path)?;
    Ok(path)
}

#[tokio::test]
async fn an_address_that_is_none_says_what_one_looks_like() -> Result<()> {
    for url in
        ["", "provost.db", "sqlite:", "sqlite://", "sqlite::memory:", "sqlite://a.db?mode=ro", "mysql://a/b"]
    {
        let error = Sql::open(url).await.err().context("it was opened")?;
        assert!(matches!(error, OpenError::Url { .. }), "{url}: {error}");
        assert!(error.to_string().contains("sqlite://provost.db"), "{error}");
    }
    for url in ["postgres://provost:secret@[db/provost", "postgres://provost:secret@db:secret/provost"] {
        let error = Sql::open(url).await.err().context("it was opened")?;
        assert!(matches!(error, OpenError::Url { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_path_may_hold_any_sign() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for name in ["with space.db", "per%20cent.db", "ümläut é.db", "a&b=c.db", "new\nline.db"] {
        let path = folder.path().join(name);
        let store = Sql::open(&format!("sqlite://{}", path.display())).await?;
        assert!(path.exists(), "{name}");
        assert!(store.size() > 0);
    }
    Ok(())
}

#[tokio::test]
async fn a_missing_folder_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let error = refusal(&folder.path().join("no/such/provost.db")).await?;
    assert!(matches!(error, OpenError::NoFolder { .. }), "{error}");
    assert!(!folder.path().join("no").exists());
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("notes.txt");
    let text = "Remember the milk.\n".repeat(100);
    fs::write(&path, &text)?;

    let error = refusal(&path).await?;

    assert!(matches!(error, OpenError::NotADatabase { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path)?, text);
    Ok(())
}

#[tokio::test]
async fn a_database_of_another_program_is_left_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("places.sqlite");
    let mut theirs = connect(&path).await?;
    theirs.execute("CREATE TABLE bookmarks (id INTEGER PRIMARY KEY)").await?;
    theirs.close().await?;
    let before = fs::read(&path)?;

    let error = refusal(&path).await?;

    assert!(matches!(&error, OpenError::Foreign { table, .. } if table == "bookmarks"), "{error}");
    assert_eq!(fs::read(&path)?, before);
    Ok(())
}

#[tokio::test]
async fn an_empty_file_becomes_a_store() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("provost.db");
    fs::write(&path, "")?;
    Sql::open(&format!("sqlite://{}", path.display())).await?;
    Ok(())
}

#[tokio::test]
async fn a_first_start_that_was_cut_off_is_finished_by_the_next() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("provost.db");
    let mut cut_off = connect(&path).await?;
    cut_off
        .execute(
            "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
         installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, \
         checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)",
        )
        .await?;
    cut_off.close().await?;

    Sql::open(&format!("sqlite://{}", path.display())).await?;
    Ok(())
}

#[tokio::test]
async fn no_overwritten_page_goes_unnoticed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = full_file(&folder).await?;
    let whole = fs::read(&path)?;
    let pages = whole.len() / 4096;
    assert!(pages > 20, "{pages}");

    for page in 0..pages {
        let mut damaged = whole.clone();
        damaged[page * 4096..(page + 1) * 4096].fill(0xa5);
        fs::write(&path, &damaged)?;

        let error = refusal(&path).await.with_context(|| format!("page {page}"))?;

        let first = page == 0;
        match error {
            OpenError::NotADatabase { .. } => assert!(first),
            OpenError::Damaged { .. } => assert!(!first, "{page}: {error}"),
            other => anyhow::bail!("page {page}: {other}"),
        }
        assert!(fs::read(&path)? == damaged, "page {page}: it was touched");
    }
    fs::write(&path, &whole)?;
    Sql::open(&format!("sqlite://{}", path.display())).await?;
    Ok(())
}

#[tokio::test]
async fn a_file_that_was_cut_is_damaged_and_the_text_says_what_to_do() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = full_file(&folder).await?;
    let whole = fs::read(&path)?;
    for length in [whole.len() - 4096, whole.len() / 2, 4096, 1000] {
        fs::write(&path, &whole[..length])?;
        let error = refusal(&path).await.with_context(|| format!("{length} bytes"))?;
        assert!(
            matches!(error, OpenError::Damaged { .. } | OpenError::NotADatabase { .. }),
            "{length}: {error}"
        );
        assert!(error.to_string().contains("backup"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_left_alone() -> Result<()> {
    let world = World::new().await?;
    let path = world.file();
    world.store.close().await;
    let World { folder, store, .. } = world;
    drop(store);
    let mut newer = connect(&path).await?;
    newer
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'of the future', 1, x'00', 0)",
        )
        .await?;
    newer.execute("UPDATE provost SET version = '42.0.0'").await?;
    newer.close().await?;

    let error = refusal(&path).await?;

    assert!(matches!(error, OpenError::Newer { .. }), "{error}");
    assert!(error.to_string().contains("42.0.0"), "{error}");
    drop(folder);
    Ok(())
}

#[tokio::test]
async fn a_second_process_is_kept_out_and_told_who_is_in() -> Result<()> {
    let world = World::new().await?;
    for _ in 0..3 {
        let error = refusal(&world.file()).await?;
        assert!(matches!(error, OpenError::InUse { .. }), "{error}");
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    }

    world.restarted().await?.incidents().await?;
    Ok(())
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = full_file(&folder).await?;
    for (what, mode) in [(path.as_path(), 0o444), (folder.path(), 0o555)] {
        set_mode(what, mode)?;
        if fs::OpenOptions::new().append(true).open(&path).is_ok() && what == path {
            return Ok(()); // The superuser may write to everything.
        }
        let error = refusal(&path).await?;
        let expected = matches!(error, OpenError::ReadOnly { .. } | OpenError::CannotCreate { .. });
        assert!(expected, "{}: {error}", what.display());
        set_mode(what, 0o755)?;
        fs::remove_file(folder.path().join("provost.db.lock")).ok();
    }
    Ok(())
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}

#[cfg(not(unix))]
fn set_mode(path: &Path, mode: u32) -> Result<()> {
    let mut permissions = fs::metadata(path)?.permissions();
    permissions.set_readonly(mode & 0o200 == 0);
    Ok(fs::set_permissions(path, permissions)?)
}
