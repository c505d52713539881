//! Opens the database: nobody else uses it, it is ours and whole, no newer version has changed it, its schema is ours.
//!
//! **Invariant:** all that is SQLite's own lies here. A file is not written to before it is known to be ours.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, ConnectOptions, Connection, Error, Executor, SqlSafeStr};
use url::Url;

use super::Sql;
use super::lock::Lock;
use super::refused::OpenError;
use super::rows::Columns;

/// Begins a transaction that writes.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

/// How many can read at once, beside the one that writes.
const READERS: u32 = 2;

/// Of a damaged file, this much is told.
const FINDINGS: usize = 3;

const MIGRATIONS: [(i64, &str, &str); 1] =
    [(1, "events and incidents", include_str!("../../migrations/0001_events_and_incidents.sql"))];

/// Opens the database of a URL.
pub(super) async fn open(url: &str) -> Result<Sql, OpenError> {
    let path = path_of(url)?;
    let lock = Lock::take(&path)?;
    install_default_drivers();
    let options = options(&path)?;
    // A pool hides why a connection cannot be had behind “timed out”; so the first one is a plain one.
    let mut conn = options.connect().await.map_err(|error| OpenError::of(&path, error))?;
    let prepared = prepare(&mut conn, &path).await;
    let closed = conn.close().await;
    prepared?;
    closed.map_err(|error| OpenError::of(&path, error))?;

    // Each connection keeps pages of its own, up to 2 MiB if nobody says otherwise; the system keeps them anyway.
    let pool = |connections, pragmas: &'static str| {
        AnyPoolOptions::new()
            .max_connections(connections)
            .idle_timeout(None)
            .max_lifetime(None)
            // A file of our own does not hang up.
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(30))
            .after_connect(move |conn, _| {
                Box::pin(async move {
                    conn.execute("PRAGMA busy_timeout = 5000").await?;
                    conn.execute("PRAGMA synchronous = FULL").await?;
                    conn.execute(pragmas).await?;
                    Ok(())
                })
            })
            .connect_lazy_with(options.clone())
    };
    let writer = pool(1, "PRAGMA foreign_keys = ON; PRAGMA cache_size = -1024");
    let readers = pool(READERS, "PRAGMA query_only = ON; PRAGMA cache_size = -512");
    Ok(Sql { path, writer, readers, _lock: lock })
}

/// The file of a URL.
fn path_of(url: &str) -> Result<PathBuf, OpenError> {
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        return Err(OpenError::Postgres);
    }
    let refused = || OpenError::Url { url: url.to_owned() };
    let path = url.strip_prefix("sqlite://").ok_or_else(refused)?;
    if path.is_empty() || path.ends_with('/') || path.starts_with(':') || path.contains(['?', '#', '\0']) {
        return Err(refused());
    }
    Ok(PathBuf::from(path))
}

/// The file that belongs beside the database under its name and `ending`.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn options(path: &Path) -> Result<AnyConnectOptions, OpenError> {
    let cannot = || OpenError::Url { url: path.display().to_string() };
    let absolute = std::path::absolute(path).map_err(|_| cannot())?;
    // This writes a space or a `%` in the path the way the driver reads it.
    let file = Url::from_file_path(absolute).map_err(|()| cannot())?;
    let url = format!("sqlite://{}?mode=rwc", file.path());
    let options: AnyConnectOptions = url.parse().map_err(|error| OpenError::of(path, error))?;
    Ok(options.disable_statement_logging())
}

/// Checks the file and brings its schema up to date.
async fn prepare(conn: &mut AnyConnection, path: &Path) -> Result<(), OpenError> {
    let failed = |error| OpenError::of(path, error);
    let tables = sqlx::query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .fetch_all(&mut *conn)
        .await
        .map_err(failed)?;
    let tables: Vec<_> =
        tables.iter().map(|row| row.text("name")).collect::<Result<_, _>>().map_err(failed)?;
    let is_ours = tables.iter().any(|table| table == "provost");
    // The list of migrations is made before the first of them: a start cut off in between left it alone.
    if let Some(table) = tables.iter().find(|table| !is_ours && *table != "_sqlx_migrations") {
        return Err(OpenError::Foreign { path: path.to_owned(), table: table.clone() });
    }
    check(conn, path).await?;
    if is_ours {
        refuse_newer(conn, path).await?;
    }
    let mode = sqlx::query("PRAGMA journal_mode = WAL").fetch_one(&mut *conn).await.map_err(failed)?;
    if mode.text("journal_mode").map_err(failed)? != "wal" {
        let source = "its file system does not allow a write-ahead log; use a local disk".into();
        return Err(OpenError::Other { path: path.to_owned(), source });
    }
    migrator().run(&mut *conn).await.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(error)
        | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => OpenError::of(path, error),
        other => OpenError::Other { path: path.to_owned(), source: other.into() },
    })?;
    // Written at every start, so that a file that cannot be written is found now.
    sqlx::query("UPDATE provost SET version = $1")
        .bind(env!("CARGO_PKG_VERSION"))
        .execute(conn)
        .await
        .map_err(failed)?;
    Ok(())
}

async fn check(conn: &mut AnyConnection, path: &Path) -> Result<(), OpenError> {
    let failed = |error| OpenError::of(path, error);
    let found = sqlx::query("PRAGMA quick_check").fetch_all(conn).await.map_err(failed)?;
    let found: Vec<_> =
        found.iter().map(|row| row.text("quick_check")).collect::<Result<_, _>>().map_err(failed)?;
    if found == ["ok"] {
        return Ok(());
    }
    let found =
        found.iter().take(FINDINGS).map(|words| words.replace('\n', " ")).collect::<Vec<_>>().join("; ");
    Err(OpenError::Damaged { path: path.to_owned(), found })
}

async fn refuse_newer(conn: &mut AnyConnection, path: &Path) -> Result<(), OpenError> {
    let newest = async {
        let applied =
            sqlx::query("SELECT MAX(version) AS newest FROM _sqlx_migrations").fetch_one(&mut *conn);
        let newest = applied.await?.get_as::<Option<i64>>("newest")?;
        let version = sqlx::query("SELECT version FROM provost").fetch_one(&mut *conn).await?;
        Ok::<_, Error>((newest, version.text("version")?))
    };
    let (newest, by) = newest.await.map_err(|error| OpenError::of(path, error))?;
    if newest > MIGRATIONS.last().map(|(version, ..)| *version) {
        return Err(OpenError::Newer { path: path.to_owned(), by });
    }
    Ok(())
}

fn migrator() -> Migrator {
    let migration = |(version, description, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, Cow::Borrowed(description), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.map(migration).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lock_that_another_program_does_not_let_go_of_is_named() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("provost.db");
        Sql::open(&format!("sqlite://{}", path.display())).await?.close().await;
        let (mut backup, mut ours) = (options(&path)?.connect().await?, options(&path)?.connect().await?);
        ours.execute("PRAGMA busy_timeout = 20").await?;
        let held = backup.begin_with("BEGIN EXCLUSIVE").await?;

        let refused = prepare(&mut ours, &path).await;
        assert!(matches!(refused, Err(OpenError::Locked { .. })), "{refused:?}");

        held.rollback().await?;
        prepare(&mut ours, &path).await?;
        Ok(())
    }
}
