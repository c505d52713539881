//! Why a database is not opened, in words for the person who has to act; and SQLite's own codes.

use std::path::{Path, PathBuf};

use sqlx::Error;

/// SQLITE_BUSY: somebody else holds the write lock.
pub(super) const BUSY: i64 = 5;
/// SQLITE_LOCKED.
pub(super) const LOCKED: i64 = 6;
/// SQLITE_READONLY.
const READONLY: i64 = 8;
/// SQLITE_CORRUPT.
const CORRUPT: i64 = 11;
/// SQLITE_FULL.
pub(super) const FULL: i64 = 13;
/// SQLITE_CANTOPEN.
const CANTOPEN: i64 = 14;
/// SQLITE_NOTADB.
const NOTADB: i64 = 26;
/// SQLITE_IOERR_SHMSIZE: the disk is so full that not even the journal's index fits.
const SHMSIZE: i64 = 4874;

/// The primary result code of a failure that SQLite reported. Source: sqlite.org/rescode.html: it is the low byte of
/// an extended one.
pub(super) fn code(error: &Error) -> Option<i64> {
    let Error::Database(error) = error else {
        return None;
    };
    match error.code()?.parse().ok()? {
        SHMSIZE => Some(FULL),
        code => Some(code & 0xff),
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
    /// It is a PostgreSQL URL.
    #[error(
        "PostgreSQL is not supported by this version of Provost yet; write sqlite:// and the path of a file, for example sqlite://provost.db"
    )]
    Postgres,
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
    #[error("{path} is the database of another program (it has a table “{table}”); Provost has changed nothing in it. Set store.url to another path", path = path.display())]
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
    #[error("{path} is locked by another program, perhaps a backup or an open sqlite3 shell; let it finish or close it, and start again", path = path.display())]
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
        match code(&error) {
            Some(BUSY | LOCKED) => Self::Locked { path },
            Some(READONLY) => Self::ReadOnly { path },
            Some(CORRUPT) => Self::Damaged { path, found: said(&error) },
            Some(FULL) => Self::Full { path },
            Some(CANTOPEN) => Self::CannotCreate { path, why: said(&error) },
            Some(NOTADB) => Self::NotADatabase { path },
            _ => Self::Other { path, source: error.into() },
        }
    }
}

fn said(error: &Error) -> String {
    match error {
        Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    }
}
