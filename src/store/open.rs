//! Opens the database: nobody else uses it, it is ours and whole, no newer version has changed it, its schema is ours.
//!
//! **Invariant:** all that is SQLite's own lies here, and what is PostgreSQL's in `postgres`. A database is not written
//! to before it is known to be ours.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, AnyPool, ConnectOptions, Connection, Error, Executor, SqlSafeStr};
use url::Url;

use super::lock::{self, Lock};
use super::refused::OpenError;
use super::rows::Columns;
use super::{Sql, postgres};

/// How a database begins transactions.
pub(super) struct Begin {
    /// One that sees one state of the database, however many statements it has.
    pub read: &'static str,
    /// One that writes, and that nobody's write gets in between.
    pub write: &'static str,
}

/// A transaction that takes the write lock later than at its start can find that somebody else wrote in between, and
/// fails at once.
const BEGIN: Begin = Begin { read: "BEGIN", write: "BEGIN IMMEDIATE" };

/// How many can read at once, beside the one that writes.
pub(super) const READERS: u32 = 2;

/// Of a damaged file, this much is told.
const FINDINGS: usize = 3;

const TABLES: &str = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";

const MIGRATIONS: [(i64, &str, &str); 8] = [
    (1, "events and incidents", include_str!("../../migrations/0001_events_and_incidents.sql")),
    (2, "requests and audit", include_str!("../../migrations/0002_requests_and_audit.sql")),
    (3, "hands", include_str!("../../migrations/0003_hands.sql")),
    (4, "links and reviews", include_str!("../../migrations/0004_links_and_reviews.sql")),
    (5, "saved profiles", include_str!("../../migrations/0005_saved_profiles.sql")),
    (6, "said once", include_str!("../../migrations/0006_said_once.sql")),
    (7, "unclear", include_str!("../../migrations/0007_unclear.sql")),
    (8, "assigned when asked", include_str!("../../migrations/0008_assigned_when_asked.sql")),
];

/// Opens the database of a URL.
pub(super) async fn open(url: &str) -> Result<Sql, OpenError> {
    if postgres::is_address(url) {
        return postgres::open(url).await;
    }
    let path = path_of(url)?;
    let lock = Lock::take(&path)?;
    install_default_drivers();
    let options = options(&path, "mode=rwc")?;
    // A pool hides why a connection cannot be had behind “timed out”; so the first one is a plain one.
    let mut conn = options.connect().await.map_err(|error| OpenError::of(&path, error))?;
    let prepared = prepare(&mut conn, &path).await;
    let closed = conn.close().await;
    prepared?;
    closed.map_err(|error| OpenError::of(&path, error))?;

    let writer =
        pool(&options, 1, "PRAGMA foreign_keys = ON; PRAGMA secure_delete = FAST; PRAGMA cache_size = -1024");
    let readers = pool(&options, READERS, "PRAGMA query_only = ON; PRAGMA cache_size = -512");
    Ok(Sql { path: Some(path), begin: BEGIN, writer, readers, _lock: Some(lock) })
}

/// Opens the database of a URL to read it, beside the process that works with it.
pub(super) async fn open_to_read(url: &str) -> Result<Sql, OpenError> {
    if postgres::is_address(url) {
        return postgres::open_to_read(url).await;
    }
    let path = path_of(url)?;
    if std::fs::metadata(&path).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Err(OpenError::Missing { path });
    }
    install_default_drivers();
    let options = options(&path, "mode=ro")?;
    let mut conn = options.connect().await.map_err(|error| OpenError::of(&path, error))?;
    let is_ready = is_up_to_date(&mut conn, &path, TABLES).await;
    let closed = conn.close().await;
    if !is_ready? {
        return Err(OpenError::NotUpToDate { path });
    }
    closed.map_err(|error| OpenError::of(&path, error))?;

    let readers = pool(&options, READERS, "PRAGMA query_only = ON; PRAGMA cache_size = -512");
    Ok(Sql { path: Some(path), begin: BEGIN, writer: readers.clone(), readers, _lock: None })
}

/// Each connection keeps pages of its own, up to 2 MiB if nobody says otherwise; the system keeps them anyway. What is
/// deleted is overwritten where that costs nothing: people's profiles are erased, not just let go.
fn pool(options: &AnyConnectOptions, connections: u32, pragmas: &'static str) -> AnyPool {
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
}

/// What a look at a database found.
#[derive(Debug)]
pub enum Looked {
    /// There is none yet, and it can be made as far as that can be told without making it.
    Absent {
        /// Where it will be.
        path: PathBuf,
    },
    /// A server's database is there and has no tables yet.
    Empty {
        /// Which.
        path: PathBuf,
    },
    /// A running Provost uses it; it was left alone.
    InUse {
        /// Where it is.
        path: PathBuf,
        /// Who uses it, as far as it says.
        by: Option<String>,
    },
    /// It is ours and whole.
    Good {
        /// Where it is.
        path: PathBuf,
        /// How many bytes it has.
        size: u64,
    },
}

/// Looks at the database of a URL without making, changing or holding it.
///
/// A journal that a crash left behind can only be read with its index, which SQLite writes beside it; nothing else
/// is ever written.
///
/// # Errors
///
/// As [`Sql::open`].
pub async fn look(url: &str) -> Result<Looked, OpenError> {
    if postgres::is_address(url) {
        return postgres::look(url).await;
    }
    let path = path_of(url)?;
    if let Some(by) = lock::holder_of(&path)? {
        return Ok(Looked::InUse { path, by });
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match std::fs::metadata(folder) {
        Ok(folder) if folder.is_dir() && folder.permissions().readonly() => {
            return Err(OpenError::ReadOnly { path });
        }
        Ok(folder) if folder.is_dir() => {}
        Ok(_) | Err(_) => return Err(OpenError::NoFolder { path }),
    }
    // To open it for writing shows whether that is allowed, and changes nothing.
    match std::fs::OpenOptions::new().write(true).open(&path) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Looked::Absent { path }),
        Err(error) => return Err(lock::refused(&path, &error)),
    }
    install_default_drivers();
    // Without a journal the file is all there is, and SQLite need not make one to read it.
    let how = if beside(&path, "-wal").exists() { "mode=ro" } else { "mode=ro&immutable=true" };
    let mut conn = options(&path, how)?.connect().await.map_err(|error| OpenError::of(&path, error))?;
    let examined = examine(&mut conn, &path).await;
    let closed = conn.close().await;
    examined?;
    closed.map_err(|error| OpenError::of(&path, error))?;
    let size = std::fs::metadata(&path).map_or(0, |file| file.len());
    Ok(Looked::Good { path, size })
}

/// The file of a URL.
fn path_of(url: &str) -> Result<PathBuf, OpenError> {
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

fn options(path: &Path, how: &str) -> Result<AnyConnectOptions, OpenError> {
    let cannot = || OpenError::Url { url: path.display().to_string() };
    let absolute = std::path::absolute(path).map_err(|_| cannot())?;
    // This writes a space or a `%` in the path the way the driver reads it.
    let file = Url::from_file_path(absolute).map_err(|()| cannot())?;
    let url = format!("sqlite://{}?{how}", file.path());
    let options: AnyConnectOptions = url.parse().map_err(|error| OpenError::of(path, error))?;
    Ok(options.disable_statement_logging())
}

/// Checks the file and brings its schema up to date.
async fn prepare(conn: &mut AnyConnection, path: &Path) -> Result<(), OpenError> {
    let failed = |error| OpenError::of(path, error);
    examine(conn, path).await?;
    let mode = sqlx::query("PRAGMA journal_mode = WAL").fetch_one(&mut *conn).await.map_err(failed)?;
    if mode.text("journal_mode").map_err(failed)? != "wal" {
        let source = "its file system does not allow a write-ahead log; use a local disk".into();
        return Err(OpenError::Other { path: path.to_owned(), source });
    }
    bring_up_to_date(conn, path).await
}

/// Brings the schema up to date.
pub(super) async fn bring_up_to_date(conn: &mut AnyConnection, path: &Path) -> Result<(), OpenError> {
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
        .map_err(|error| OpenError::of(path, error))?;
    Ok(())
}

/// Whether we have used the database before: it may also be empty, but not another program's. `tables` lists them.
pub(super) async fn is_ours(
    conn: &mut AnyConnection,
    path: &Path,
    tables: &'static str,
) -> Result<bool, OpenError> {
    let failed = |error| OpenError::of(path, error);
    let tables = sqlx::query(tables).fetch_all(&mut *conn).await.map_err(failed)?;
    let tables: Vec<_> =
        tables.iter().map(|row| row.text("name")).collect::<Result<_, _>>().map_err(failed)?;
    let is_ours = tables.iter().any(|table| table == "provost");
    // The list of migrations is made before the first of them: a start cut off in between left it alone.
    if let Some(table) = tables.iter().find(|table| !is_ours && *table != "_sqlx_migrations") {
        return Err(OpenError::Foreign { path: path.to_owned(), table: table.clone() });
    }
    Ok(is_ours)
}

/// Whether this version has brought the schema up to date.
pub(super) async fn is_up_to_date(
    conn: &mut AnyConnection,
    path: &Path,
    tables: &'static str,
) -> Result<bool, OpenError> {
    if !is_ours(conn, path, tables).await? {
        return Ok(false);
    }
    Ok(refuse_newer(conn, path).await? == newest_of_ours())
}

/// Whether the file is ours, whole, and of no newer version. Writes nothing.
async fn examine(conn: &mut AnyConnection, path: &Path) -> Result<(), OpenError> {
    let is_ours = is_ours(conn, path, TABLES).await?;
    check(conn, path).await?;
    if is_ours {
        refuse_newer(conn, path).await?;
    }
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

/// Refuses a schema that a newer version has changed; says which migration of ours was the last.
pub(super) async fn refuse_newer(conn: &mut AnyConnection, path: &Path) -> Result<Option<i64>, OpenError> {
    let newest = async {
        let applied =
            sqlx::query("SELECT MAX(version) AS newest FROM _sqlx_migrations").fetch_one(&mut *conn);
        let newest = applied.await?.get_as::<Option<i64>>("newest")?;
        let version = sqlx::query("SELECT version FROM provost").fetch_one(&mut *conn).await?;
        Ok::<_, Error>((newest, version.text("version")?))
    };
    let (newest, by) = newest.await.map_err(|error| OpenError::of(path, error))?;
    if newest > newest_of_ours() {
        return Err(OpenError::Newer { path: path.to_owned(), by });
    }
    Ok(newest)
}

fn newest_of_ours() -> Option<i64> {
    MIGRATIONS.last().map(|(version, ..)| *version)
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

    async fn connect(path: &Path) -> anyhow::Result<AnyConnection> {
        Ok(options(path, "mode=rwc")?.connect().await?)
    }

    #[tokio::test]
    async fn a_lock_that_another_program_does_not_let_go_of_is_named() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("provost.db");
        Sql::open(&format!("sqlite://{}", path.display())).await?.close().await;
        let (mut backup, mut ours) = (connect(&path).await?, connect(&path).await?);
        ours.execute("PRAGMA busy_timeout = 20").await?;
        let held = backup.begin_with("BEGIN EXCLUSIVE").await?;

        let refused = prepare(&mut ours, &path).await;
        assert!(matches!(refused, Err(OpenError::Locked { .. })), "{refused:?}");

        held.rollback().await?;
        prepare(&mut ours, &path).await?;
        Ok(())
    }
}
