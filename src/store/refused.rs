//! Why a database is not opened, in words for the person who has to act; and what its failures mean.

use std::path::{Path, PathBuf};

use sqlx::Error;

use super::postgres;

/// What kind of failure a database reported, as far as we act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The disk is full.
    Full,
    /// Somebody else holds a lock.
    Locked,
    /// It cannot be written.
    ReadOnly,
    /// It is damaged.
    Damaged,
    /// Its file cannot be opened.
    CannotOpen,
    /// Its file is none of SQLite's.
    NotADatabase,
    /// There is no connection.
    Gone,
    /// Anything else that a server said.
    Server,
}

/// What kind of failure it is; `None` for what nobody does anything about.
pub(super) fn fault(error: &Error) -> Option<Fault> {
    match error {
        Error::Io(_) | Error::Tls(_) | Error::PoolTimedOut => Some(Fault::Gone),
        Error::Database(_) => postgres::fault(error).or_else(|| of_sqlite(error)),
        _ => None,
    }
}

/// What SQLite's result code means. Source: sqlite.org/rescode.html: the primary one is the low byte of an extended one.
fn of_sqlite(error: &Error) -> Option<Fault> {
    /// SQLITE_IOERR_SHMSIZE: the disk is so full that not even the journal's index fits.
    const SHMSIZE: i64 = 4874;

    let Error::Database(error) = error else {
        return None;
    };
    let code: i64 = error.code()?.parse().ok()?;
    if code == SHMSIZE {
        return Some(Fault::Full);
    }
    match code & 0xff {
        // SQLITE_BUSY, SQLITE_LOCKED, and so on.
        5 | 6 => Some(Fault::Locked),
        8 => Some(Fault::ReadOnly),
        11 => Some(Fault::Damaged),
        13 => Some(Fault::Full),
        14 => Some(Fault::CannotOpen),
        26 => Some(Fault::NotADatabase),
        _ => None,
    }
}

/// Why the database was not opened: a variant for each thing somebody does about it. The text is the whole instruction.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is none that we understand.
    #[error(
        "“{url}” is not the address of a store; write sqlite:// and the path of a file, for example sqlite://provost.db"
    )]
    Url {
        /// As it came.
        url: String,
    },
    /// A server's database cannot be reached or used.
    #[error("{path} cannot be used: {why}; look whether the server runs, whether store.url is right, and whether its user may sign in, create tables and write", path = path.display())]
    Server {
        /// The database, without the password.
        path: PathBuf,
        /// The server's words, or the system's.
        why: String,
    },
    /// The folder that should hold the file does not exist.
    #[error("the folder that should hold {path} does not exist; create it, or set store.url to a path in one that exists", path = path.display())]
    NoFolder {
        /// The database.
        path: PathBuf,
    },
    /// The file, or one that belongs beside it, cannot be created or opened.
    #[error("{path} cannot be opened: {why}; give the user that runs Provost the right to read and write in its folder, or set store.url to another path", path = path.display())]
    CannotCreate {
        /// The database.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// It can be read but not written.
    #[error("{path} is read-only; give the user that runs Provost the right to write to it and in its folder (a volume must be mounted for writing), and start again", path = path.display())]
    ReadOnly {
        /// The database.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("the disk that holds {path} is full; make room and start again, nothing is lost", path = path.display())]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// It is not an SQLite database at all.
    #[error("{path} is not a database, or its beginning is destroyed; Provost has changed nothing in it. If it should be Provost's store, restore it from a backup; if not, set store.url to another path", path = path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// It is another program's database.
    #[error("{path} is the database of another program (it has a table “{table}”); Provost has changed nothing in it. Set store.url to another one", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// A table in it that is not ours.
        table: String,
    },
    /// It is ours but damaged.
    #[error("{path} is damaged: {found}. Provost has changed nothing in it. Move it away together with {path}-wal and {path}-shm, and restore a backup; without one, move it away all the same: Provost then starts afresh and reads the log back as far as `lookback` says", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the check found.
        found: String,
    },
    /// A newer version has changed its schema.
    #[error("{path} was last used by a newer version of Provost ({by}; this is {ours}); run that version or a later one, or restore a backup made before the update", path = path.display(), ours = env!("CARGO_PKG_VERSION"))]
    Newer {
        /// The file.
        path: PathBuf,
        /// That version.
        by: String,
    },
    /// It is to be read, but there is none.
    #[error("{path} does not exist; name the service's configuration with --config, or start “provost run” once, which makes it", path = path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It is to be read, but this version has not brought its schema up to date.
    #[error("{path} is not yet a store of this version of Provost ({ours}); start “provost run” of this version once, which brings it up to date, or use the version that the service has", path = path.display(), ours = env!("CARGO_PKG_VERSION"))]
    NotUpToDate {
        /// The file.
        path: PathBuf,
    },
    /// Another running Provost uses it.
    #[error("{path} is in use by another running Provost ({by}); this one stops, so that nothing is posted twice. Stop the other one first, or give this one a store of its own", path = path.display(), by = by.as_deref().unwrap_or("it does not say which"))]
    InUse {
        /// The file.
        path: PathBuf,
        /// Who it is, if known.
        by: Option<String>,
    },
    /// Another program holds its write lock for longer than we wait.
    #[error("{path} is locked by another program, perhaps a backup or an open shell of the database; let it finish or close it, and start again", path = path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// Anything else; the chain says what.
    #[error("{path} cannot be opened", path = path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl OpenError {
    /// What a failure of the database means while it is being opened.
    pub(super) fn of(path: &Path, error: Error) -> Self {
        let path = path.to_owned();
        match fault(&error) {
            Some(Fault::Locked) => Self::Locked { path },
            Some(Fault::ReadOnly) => Self::ReadOnly { path },
            Some(Fault::Damaged) => Self::Damaged { path, found: said(&error) },
            Some(Fault::Full) => Self::Full { path },
            Some(Fault::CannotOpen) => Self::CannotCreate { path, why: said(&error) },
            Some(Fault::NotADatabase) => Self::NotADatabase { path },
            Some(Fault::Server | Fault::Gone) => Self::Server { path, why: said(&error) },
            None => Self::Other { path, source: error.into() },
        }
    }
}

fn said(error: &Error) -> String {
    match error {
        Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    }
}
