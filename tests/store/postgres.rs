//! The stories again, on PostgreSQL; and what only a server does.
//!
//! They need `initdb` and `postgres`, from which a server of our own is started and ended here, or a server of yours:
//! `PROVOST_TEST_POSTGRES=postgres://…`, with the right to create databases. The harness cannot leave a test out while
//! it runs, so they are marked ignored, and `--ignored` runs them.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use domain::store::{Store, StoreError};
use provost::store::{Looked, OpenError, Sql, look};
use sqlx::{AnyConnection, Connection, Executor};

use crate::world::*;

/// Stories that are about a file, or that speak SQLite.
const OF_A_FILE: [&str; 6] = [
    "a_write_lock_held_by_another_is_waited_for",
    "one_person_of_500_is_one_row_written",
    "only_a_store_of_this_version_is_opened_to_read",
    "ten_thousand_entries_are_verified_page_by_page",
    "no_statement_changes_or_deletes_an_entry",
    "what_was_erased_is_not_in_the_file_any_more",
];

/// What the names of our databases begin with.
const OURS: &str = "provost_test_";

/// Tells the stories, told again, on which server.
const AGAIN: &str = "PROVOST_TEST_STORIES_ON";

/// The server that the stories are to run on; `None` for SQLite.
#[expect(clippy::disallowed_methods, reason = "tests are configured by the environment")]
pub fn server() -> Option<String> {
    std::env::var(AGAIN).ok()
}

/// A server of yours.
#[expect(clippy::disallowed_methods, reason = "tests are configured by the environment")]
fn given() -> Option<String> {
    std::env::var("PROVOST_TEST_POSTGRES").ok()
}

/// A new and empty database of a server.
pub async fn new_database(server: &str) -> Result<String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("{OURS}{}_{number}", std::process::id());
    let create = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'");
    connect(server).await?.execute(sqlx::AssertSqlSafe(create)).await?;
    let mut url = url::Url::parse(server)?;
    url.set_path(&name);
    Ok(url.into())
}

async fn connect(url: &str) -> Result<AnyConnection> {
    sqlx::any::install_default_drivers();
    Ok(AnyConnection::connect(url).await?)
}

/// A server with a folder of its own, ended when it is dropped.
struct Server {
    url: String,
    running: Option<Running>,
}

/// A server that is ours to end.
struct Running {
    process: Child,
    folder: tempfile::TempDir,
    as_postgres: bool,
}

impl Server {
    /// The one that the environment names, or a new one.
    ///
    /// # Errors
    ///
    /// If there is none and none can be started; the text says what it needs.
    async fn new() -> Result<Self> {
        if let Some(url) = given() {
            return Ok(Self { url, running: None });
        }
        let needs = "needs PostgreSQL (Debian's package postgresql), or PROVOST_TEST_POSTGRES with the URL of a server";
        let initdb = program("initdb").context(needs)?;
        let postgres = program("postgres").context(needs)?;
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        std::fs::create_dir(&data)?;
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|us| owner(&us) == 0);
        if is_root {
            // It refuses to run as the superuser, and must reach its folder.
            open_up(folder.path())?;
            let given = Command::new("chown").arg("postgres").arg(&data).status()?;
            ensure!(given.success(), "the folder cannot be given to the user postgres");
        }
        let mut init = as_server(is_root, &initdb);
        init.args([
            "--no-sync",
            "--auth=trust",
            "--username=provost",
            "--encoding=UTF8",
            "--locale=C",
            "--pgdata",
        ]);
        let made = init.arg(&data).output().context("initdb")?;
        ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));

        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = std::fs::File::create(folder.path().join("log"))?;
        let process = as_server(is_root, &postgres)
            .args(["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            .args(["-p", &port.to_string(), "-D"])
            .arg(&data)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("postgres")?;
        let url = format!("postgres://provost@127.0.0.1:{port}/postgres");
        let server = Self { url, running: Some(Running { process, folder, as_postgres: is_root }) };
        let start = Instant::now();
        while let Err(error) = connect(&server.url).await {
            ensure!(start.elapsed() < Duration::from_secs(30), "the server does not start: {error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(server)
    }

    /// A store on a database of its own.
    async fn store(&self) -> Result<(String, Sql)> {
        let url = new_database(&self.url).await?;
        let store = Sql::open(&url).await?;
        Ok((url, store))
    }

    /// Takes the databases of a process from a server that goes on.
    async fn tidy(&self, process: u32) -> Result<()> {
        let mut conn = connect(&self.url).await?;
        let names = "SELECT CAST(datname AS TEXT) FROM pg_database WHERE starts_with(datname, $1)";
        let names = sqlx::query_scalar(names).bind(format!("{OURS}{process}_"));
        let names: Vec<String> = names.fetch_all(&mut conn).await?;
        for name in names {
            let drop = format!("DROP DATABASE {name} WITH (FORCE)");
            conn.execute(sqlx::AssertSqlSafe(drop)).await?;
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(Running { process, folder, as_postgres }) = &mut self.running else { return };
        // To kill it would leave its children behind.
        let stopped = program("pg_ctl").is_some_and(|pg_ctl| {
            let mut stop = as_server(*as_postgres, &pg_ctl);
            stop.args(["stop", "--silent", "--mode=immediate", "--pgdata"]).arg(folder.path().join("data"));
            stop.status().is_ok_and(|status| status.success())
        });
        if !stopped {
            let _ = process.kill();
        }
        let _ = process.wait();
    }
}

/// Where a program of PostgreSQL is. Debian keeps them off the path.
#[expect(clippy::disallowed_methods, reason = "tests are configured by the environment")]
fn program(name: &str) -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut places: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    places.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    places.extend(std::env::split_paths(&path));
    places.into_iter().map(|place| place.join(name)).find(|program| program.exists())
}

fn as_server(is_root: bool, program: &Path) -> Command {
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program).current_dir("/");
    command
}

#[cfg(unix)]
fn owner(of: &std::fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(of)
}

#[cfg(not(unix))]
fn owner(_: &std::fs::Metadata) -> u32 {
    1
}

#[cfg(unix)]
fn open_up(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?)
}

#[cfg(not(unix))]
fn open_up(_: &Path) -> Result<()> {
    Ok(())
}

#[test]
#[expect(clippy::disallowed_methods, reason = "tests are configured by the environment")]
fn where_postgresql_is_required_it_is_there() {
    let required = std::env::var_os("PROVOST_REQUIRE").unwrap_or_default();
    let required = required.to_string_lossy().split([',', ' ']).any(|word| word == "postgres");
    let is_there = given().is_some() || program("initdb").is_some() && program("postgres").is_some();
    assert!(
        is_there || !required,
        "PROVOST_REQUIRE names postgres, but initdb and postgres are not there (Debian's package postgresql), and \
         PROVOST_TEST_POSTGRES names no server"
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL (Debian's package postgresql); --ignored runs it, PROVOST_REQUIRE=postgres requires it"]
async fn every_story_that_is_not_about_a_file_is_the_same_on_postgresql() -> Result<()> {
    let server = Server::new().await?;
    let mut stories = Command::new(std::env::current_exe()?);
    stories.env(AGAIN, &server.url).stdout(Stdio::piped()).stderr(Stdio::piped());
    stories.args([
        "audit::",
        "faults::",
        "pages::",
        "people::",
        "profiles::",
        "requests::",
        "settling::",
        "showing::",
    ]);
    stories.args(OF_A_FILE.iter().flat_map(|name| ["--skip", name]));
    let stories = stories.spawn()?;
    let process = stories.id();
    let told = tokio::task::spawn_blocking(move || stories.wait_with_output()).await??;
    server.tidy(process).await?;

    let words = String::from_utf8_lossy(&told.stdout);
    ensure!(told.status.success(), "{words}{}", String::from_utf8_lossy(&told.stderr));
    let passed = words.lines().filter(|line| line.ends_with("... ok")).count();
    println!("{passed} stories on PostgreSQL");
    ensure!(passed > 50, "{words}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs PostgreSQL (Debian's package postgresql); --ignored runs it, PROVOST_REQUIRE=postgres requires it"]
async fn what_only_a_server_does() -> Result<()> {
    let server = Server::new().await?;
    one_process_has_a_database(&server).await?;
    what_is_not_ours_is_left_alone(&server).await?;
    a_lost_connection_is_replaced_and_the_lock_with_it(&server).await?;
    pages_count_once_though_connections_break_at_any_time(&server).await?;
    a_server_that_cannot_be_used_says_why(&server).await?;
    any_sign_can_be_stored(&server).await?;
    server.tidy(std::process::id()).await?;
    Ok(())
}

async fn one_process_has_a_database(server: &Server) -> Result<()> {
    let url = new_database(&server.url).await?;
    assert!(matches!(look(&url).await?, Looked::Empty { .. }));
    assert!(matches!(Sql::open_to_read(&url).await.err(), Some(OpenError::NotUpToDate { .. })));
    let store = Sql::open(&url).await?;

    let error = Sql::open(&url).await.err().context("it was opened")?;
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    let looked = look(&url).await?;
    assert!(
        matches!(&looked, Looked::InUse { by: Some(by), .. } if by.starts_with("process ")),
        "{looked:?}"
    );
    let reader = Sql::open_to_read(&url).await?;
    assert_eq!(reader.position(&acme()).await?, None);
    assert!(reader.note_told(1, domain::ids::MessageId(1)).await.is_err(), "whoever reads cannot write");
    reader.close().await;

    store.close().await;
    let looked = look(&url).await?;
    assert!(matches!(looked, Looked::Good { size, .. } if size > 0), "{looked:?}");
    Sql::open(&url).await?.close().await;
    Ok(())
}

async fn what_is_not_ours_is_left_alone(server: &Server) -> Result<()> {
    let url = new_database(&server.url).await?;
    connect(&url).await?.execute("CREATE TABLE bookmarks (id BIGINT)").await?;
    for error in [Sql::open(&url).await.err(), look(&url).await.err(), Sql::open_to_read(&url).await.err()] {
        let error = error.context("it was opened")?;
        assert!(matches!(&error, OpenError::Foreign { table, .. } if table == "bookmarks"), "{error}");
    }

    let (url, store) = server.store().await?;
    store.close().await;
    let mut newer = connect(&url).await?;
    let migration = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                     VALUES (9999, 'of the future', true, '', 0)";
    newer.execute(migration).await?;
    newer.execute("UPDATE provost SET version = '42.0.0'").await?;
    for error in [Sql::open(&url).await.err(), look(&url).await.err(), Sql::open_to_read(&url).await.err()] {
        let error = error.context("it was opened")?;
        assert!(matches!(&error, OpenError::Newer { by, .. } if by == "42.0.0"), "{error}");
    }
    Ok(())
}

/// Ends every connection but the one that says so.
const END_THEM: &str = "SELECT CAST(COUNT(pg_terminate_backend(pid)) AS BIGINT) FROM pg_stat_activity \
                        WHERE datname = current_database() AND pid <> pg_backend_pid()";

async fn a_lost_connection_is_replaced_and_the_lock_with_it(server: &Server) -> Result<()> {
    let (url, store) = server.store().await?;
    let mut administrator = connect(&url).await?;
    let what = |n: i64| domain::notice::Told::Blind {
        since: at("09:00:00") + jiff::SignedDuration::from_secs(n),
        why: String::new(),
    };
    for n in 0..20 {
        let ended: i64 = sqlx::query_scalar(END_THEM).fetch_one(&mut administrator).await?;
        assert!(ended > 0);
        while let Err(error) = store.add_notice(&acme(), &what(n), at("10:00:00")).await {
            assert!(matches!(error, StoreError::Unreachable(_)), "{error:?}");
        }
        assert_eq!(store.untold().await?.len() as i64, n + 1);
    }
    let error = Sql::open(&url).await.err().context("it was opened")?;
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");

    // Whoever lost the lock to another does not write.
    sqlx::query_scalar::<_, i64>(END_THEM).fetch_one(&mut administrator).await?;
    let other = Sql::open(&url).await?;
    let refused = store.add_notice(&acme(), &what(99), at("10:00:00")).await;
    assert!(matches!(refused, Err(StoreError::Unreachable(_))), "{refused:?}");
    assert_eq!(other.untold().await?.len(), 20);
    Ok(())
}

async fn pages_count_once_though_connections_break_at_any_time(server: &Server) -> Result<()> {
    const PAGES: u32 = 40;
    let world = World::on(tempfile::tempdir()?, new_database(&server.url).await?).await?;
    world.takes(&[]).await?;
    let mut administrator = connect(&world.url).await?;
    let mut broken = 0;
    for page in 0..PAGES {
        let event = |n| fails(&format!("e{page}-{n}"), "10:00:00", &format!("p{n}"), "slack");
        let events: Vec<_> = (0..50).map(event).collect();
        let (taken, ended) = tokio::join!(world.takes(&events), async {
            // Each is about as long as a step of the other.
            for _ in 0..page {
                administrator.execute("SELECT 1").await?;
            }
            sqlx::query_scalar::<_, i64>(END_THEM).fetch_one(&mut administrator).await
        });
        ended?;
        if let Err(error) = taken {
            assert!(matches!(error.downcast_ref(), Some(StoreError::Unreachable(_))), "{error:?}");
            broken += 1;
            // The one that failed may have been stored: taken in again, it counts once all the same.
            world.takes(&events).await?;
        }
    }
    println!("{broken} of {PAGES} pages were broken off");
    let incident = world.incident(1).await?;
    assert_eq!(incident.failing().count(), 50);
    assert!(incident.failing().all(|failure| failure.times == PAGES), "{incident:?}");
    Ok(())
}

async fn a_server_that_cannot_be_used_says_why(server: &Server) -> Result<()> {
    let mut url = url::Url::parse(&server.url)?;
    url.set_path("nowhere");
    let error = Sql::open(url.as_str()).await.err().context("it was opened")?;
    assert!(matches!(error, OpenError::Server { .. }), "{error}");
    assert!(error.to_string().contains("\"nowhere\" does not exist"), "{error}");

    let nobody = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    url.set_host(Some("127.0.0.1"))?;
    let _ = url.set_port(Some(nobody));
    let _ = url.set_password(Some("SECRET"));
    let unreachable = Sql::open(url.as_str()).await.err().context("it was opened")?;
    assert!(matches!(unreachable, OpenError::Server { .. }), "{unreachable}");
    assert!(!format!("{unreachable} {unreachable:?}").contains("SECRET"), "{unreachable}");
    Ok(())
}

async fn any_sign_can_be_stored(server: &Server) -> Result<()> {
    let (_, store) = server.store().await?;
    let words = ["“ä’ \n\t\u{7}🙂", "\u{fffd}\u{10ffff}", "'; DROP TABLE audit; --", "NUL: \0"];
    for (n, why) in words.into_iter().enumerate() {
        let since = at("09:00:00") + jiff::SignedDuration::from_secs(n as i64);
        let told = domain::notice::Told::Blind { since, why: why.to_owned() };
        store.add_notice(&acme(), &told, at("10:00:00")).await?;
        assert_eq!(store.untold().await?[n].notice.what, told);
    }
    Ok(())
}
