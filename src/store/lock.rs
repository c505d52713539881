//! Keeps a second process off the same database: it would post everything twice.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::open::beside;
use super::refused::OpenError;

/// Held for as long as this lives. The system lets go of it when the process ends, however it ends.
pub(super) struct Lock(#[expect(dead_code, reason = "it is held, not used")] File);

impl Lock {
    /// Takes the lock of the database at `path`: a file beside it, which also says who holds it.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let lock = beside(path, ".lock");
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&lock);
        let mut file = opened.map_err(|error| refused(path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { path: path.to_owned(), by: holder(&lock) });
            }
            Err(TryLockError::Error(error)) => return Err(refused(path, &error)),
        }
        // Whoever comes second reads this; that it is missing on a full disk keeps nobody out.
        let _ = file.set_len(0).and_then(|()| file.write_all(ourselves().as_bytes()));
        Ok(Self(file))
    }
}

/// Who holds the lock of the database at `path`, as far as they say; `None` if nobody does.
///
/// It is never held for longer than it takes to ask, and nothing is made.
pub(super) fn holder_of(path: &Path) -> Result<Option<Option<String>>, OpenError> {
    let lock = beside(path, ".lock");
    let file = match File::open(&lock) {
        Ok(file) => file,
        // A missing folder is for others to find.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(path, &error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(holder(&lock))),
        Err(TryLockError::Error(error)) => Err(refused(path, &error)),
    }
}

/// Which process we are.
pub(super) fn ourselves() -> String {
    let pid = std::process::id();
    // Source: proc(5). Elsewhere the name of the host is not worth a dependency.
    match std::fs::read_to_string("/proc/sys/kernel/hostname") {
        Ok(host) => format!("process {pid} on {}", host.trim()),
        Err(_) => format!("process {pid}"),
    }
}

fn holder(lock: &PathBuf) -> Option<String> {
    let mut text = String::new();
    File::open(lock).ok()?.take(300).read_to_string(&mut text).ok()?;
    let one_line = !text.is_empty() && !text.contains(char::is_control);
    one_line.then_some(text)
}

/// What it means that a file of the database cannot be opened.
pub(super) fn refused(path: &Path, error: &io::Error) -> OpenError {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::NotFound => OpenError::NoFolder { path },
        io::ErrorKind::ReadOnlyFilesystem => OpenError::ReadOnly { path },
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => OpenError::Full { path },
        _ => OpenError::CannotCreate { path, why: error.to_string() },
    }
}
