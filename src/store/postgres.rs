//! PostgreSQL: how its database is opened for one process alone, and what its failures mean.
//!
//! **Invariant:** all that is PostgreSQL's own lies here. Who writes holds a lock of the session, so that a connection
//! without the lock writes nothing, and a lock that is lost with its connection is taken again with the next.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::postgres::PgDatabaseError;
use sqlx::{AnyConnection, AnyPool, ConnectOptions, Connection, Error, Executor};
use url::Url;

use super::open::{self, Begin, Looked};
use super::refused::{Fault, OpenError};
use super::rows::Columns;
use super::{Sql, lock};

/// How long a connection may take. Whoever waits is told, and tries again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Several statements of a read see one state of the database only so.
const BEGIN: Begin = Begin {
    read: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    write: "BEGIN ISOLATION LEVEL READ COMMITTED",
};

/// A server that does not notice that a client is gone would keep its lock for hours; a session that just ended has it
/// for a moment.
const SESSION: &str = "SET lock_timeout = '2s'; SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; \
                       SET tcp_keepalives_count = 3";

/// Whoever only reads cannot write by mistake.
const READS: &str = "SET default_transaction_read_only = on";

/// “prov” and “ost” as numbers: the lock of a database that one process works with. It lasts as long as the session.
const LOCK: &str = "SELECT 1 AS taken FROM pg_advisory_lock(1886547830, 1869837312)";

/// Lets go of it before the session ends, which takes the server a moment.
const UNLOCK: &str = "SELECT 1 AS freed FROM pg_advisory_unlock(1886547830, 1869837312)";

/// Who holds it.
const HOLDER: &str = "SELECT CAST(application_name AS TEXT) AS name FROM pg_locks LEFT JOIN pg_stat_activity USING (pid) \
                      WHERE locktype = 'advisory' AND classid = 1886547830 AND objid = 1869837312 AND objsubid = 2 \
                      AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND granted";

/// What a session of ours is called, before which process it is.
const NAME: &str = "provost ";

const TABLES: &str = "SELECT CAST(tablename AS TEXT) AS name FROM pg_tables WHERE schemaname = current_schema() \
                      ORDER BY name";

/// lock_not_available. Source: postgresql.org/docs/current/errcodes-appendix.html, as all codes here.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Whether a URL is PostgreSQL's.
pub(super) fn is_address(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Opens the database of a URL.
pub(super) async fn open(url: &str) -> Result<Sql, OpenError> {
    let (place, options) = address(url)?;
    // A pool hides why a connection cannot be had behind “timed out”; so the first one is a plain one.
    let mut conn = connect(&place, &options).await?;
    let prepared = prepare(&mut conn, &place).await;
    let closed = conn.close().await;
    prepared?;
    closed.map_err(|error| refused(&place, error))?;

    let writer = pool(&options, 1, Some(LOCK));
    // Nobody else gets the lock before the first write.
    drop(writer.acquire().await.map_err(|error| refused(&place, error))?);
    let readers = pool(&options, open::READERS, None);
    Ok(Sql { path: None, begin: BEGIN, writer, readers, _lock: None })
}

/// Opens the database of a URL to read it, beside the process that works with it.
pub(super) async fn open_to_read(url: &str) -> Result<Sql, OpenError> {
    let (place, options) = address(url)?;
    let mut conn = connect(&place, &options).await?;
    let is_ready = open::is_up_to_date(&mut conn, &place, TABLES).await;
    let closed = conn.close().await;
    if !is_ready? {
        return Err(OpenError::NotUpToDate { path: place });
    }
    closed.map_err(|error| refused(&place, error))?;

    let readers = pool(&options, open::READERS, None);
    Ok(Sql { path: None, begin: BEGIN, writer: readers.clone(), readers, _lock: None })
}

/// Looks at the database of a URL without making, changing or holding it.
pub(super) async fn look(url: &str) -> Result<Looked, OpenError> {
    let (path, options) = address(url)?;
    let mut conn = connect(&path, &options).await?;
    let looked = look_at(&mut conn, &path).await;
    let closed = conn.close().await;
    let looked = looked?;
    closed.map_err(|error| refused(&path, error))?;
    Ok(looked)
}

async fn look_at(conn: &mut AnyConnection, path: &Path) -> Result<Looked, OpenError> {
    let failed = |error| refused(path, error);
    let place = path.to_owned();
    if let Some(by) = holder(conn).await.map_err(failed)? {
        return Ok(Looked::InUse { path: place, by });
    }
    if !open::is_ours(conn, path, TABLES).await? {
        return Ok(Looked::Empty { path: place });
    }
    open::refuse_newer(conn, path).await?;
    let size = sqlx::query("SELECT pg_database_size(current_database()) AS bytes");
    let size = size.fetch_one(conn).await.and_then(|row| row.number("bytes")).map_err(failed)?;
    Ok(Looked::Good { path: place, size: size.unsigned_abs() })
}

/// What the database is called without its password, and how it is reached.
fn address(url: &str) -> Result<(PathBuf, AnyConnectOptions), OpenError> {
    // What cannot be read may hold a password anywhere.
    let cannot = || OpenError::Url { url: "postgres://…".to_owned() };
    install_default_drivers();
    let options: AnyConnectOptions = url.parse().map_err(|_| cannot())?;
    let url = Url::parse(url).map_err(|_| cannot())?;
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let place = format!("postgres://{host}{port}{}", url.path());
    Ok((place.into(), options.disable_statement_logging()))
}

async fn connect(place: &Path, options: &AnyConnectOptions) -> Result<AnyConnection, OpenError> {
    let connecting = tokio::time::timeout(PATIENCE, options.connect()).await;
    let mut conn = connecting.unwrap_or(Err(Error::PoolTimedOut)).map_err(|error| refused(place, error))?;
    conn.execute(SESSION).await.map_err(|error| refused(place, error))?;
    Ok(conn)
}

fn pool(options: &AnyConnectOptions, connections: u32, lock: Option<&'static str>) -> AnyPool {
    AnyPoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(PATIENCE)
        .after_connect(move |conn, _| {
            Box::pin(async move {
                conn.execute(SESSION).await?;
                name(conn).await?;
                conn.execute(lock.unwrap_or(READS)).await?;
                Ok(())
            })
        })
        .connect_lazy_with(options.clone())
}

/// Says who we are, for whoever comes second and for the server's administrator.
async fn name(conn: &mut AnyConnection) -> Result<(), Error> {
    let name = format!("{NAME}{}", lock::ourselves());
    sqlx::query("SELECT set_config('application_name', $1, false) AS name").bind(name).execute(conn).await?;
    Ok(())
}

/// Who holds the lock, as far as they say; `None` if nobody does.
async fn holder(conn: &mut AnyConnection) -> Result<Option<Option<String>>, Error> {
    let row = sqlx::query(HOLDER).fetch_optional(conn).await?;
    let name = row.map(|row| row.maybe_text("name")).transpose()?;
    Ok(name.map(|name| Some(name?.strip_prefix(NAME)?.to_owned())))
}

/// Takes the lock, checks the database and brings its schema up to date.
async fn prepare(conn: &mut AnyConnection, place: &Path) -> Result<(), OpenError> {
    let failed = |error| refused(place, error);
    name(conn).await.map_err(failed)?;
    match conn.execute(LOCK).await {
        Ok(_) => {}
        Err(error) if state(&error) == Some(LOCK_NOT_AVAILABLE) => {
            let by = holder(conn).await.map_err(failed)?.flatten();
            return Err(OpenError::InUse { path: place.to_owned(), by });
        }
        Err(error) => return Err(failed(error)),
    }
    let encoding = sqlx::query("SELECT current_setting('server_encoding') AS encoding");
    let encoding =
        encoding.fetch_one(&mut *conn).await.and_then(|row| row.text("encoding")).map_err(failed)?;
    if encoding != "UTF8" {
        let why = format!("its encoding is {encoding}, and names from Okta need UTF8");
        return Err(OpenError::Server { path: place.to_owned(), why });
    }
    if open::is_ours(conn, place, TABLES).await? {
        open::refuse_newer(conn, place).await?;
    }
    open::bring_up_to_date(conn, place).await?;
    conn.execute(UNLOCK).await.map_err(failed)?;
    Ok(())
}

/// The SQLSTATE of a failure that PostgreSQL reported.
fn state(error: &Error) -> Option<&str> {
    let Error::Database(error) = error else {
        return None;
    };
    Some(error.try_downcast_ref::<PgDatabaseError>()?.code())
}

/// What kind of failure PostgreSQL reported, as far as we act on it.
pub(super) fn fault(error: &Error) -> Option<Fault> {
    match state(error)? {
        "53100" => Some(Fault::Full),
        // A lock, a deadlock, a serialization failure: the same again may succeed.
        LOCK_NOT_AVAILABLE | "40P01" | "40001" => Some(Fault::Locked),
        // Too many connections; shutting down, crashed or starting; and class 08, connections.
        "53300" | "57P01" | "57P02" | "57P03" => Some(Fault::Gone),
        state if state.starts_with("08") => Some(Fault::Gone),
        _ => Some(Fault::Server),
    }
}

/// What a failure means while the database is being opened.
fn refused(place: &Path, error: Error) -> OpenError {
    let path = place.to_owned();
    match error {
        Error::PoolTimedOut => {
            OpenError::Server { path, why: format!("it did not answer within {} s", PATIENCE.as_secs()) }
        }
        Error::Io(error) => OpenError::Server { path, why: error.to_string() },
        Error::Tls(error) => OpenError::Server { path, why: error.to_string() },
        error => OpenError::of(place, error),
    }
}
