//! Is the store there, whole and ours?

use std::time::Duration;

use secrecy::ExposeSecret;

use super::{Check, Part, sentence};
use crate::config::StoreConfig;
use crate::store::{Looked, OpenError, look};

/// A large file on a slow disk takes long to check, and nobody waits for that.
const PATIENCE: Duration = Duration::from_secs(30);

const CHECK: &str = "database";

pub(super) async fn examine(config: &StoreConfig) -> Check {
    let looked = match tokio::time::timeout(PATIENCE, look(config.url.expose_secret())).await {
        Ok(looked) => looked,
        Err(_) => {
            let said = format!("The store could not be checked within {} s.", PATIENCE.as_secs());
            let mend = "Look whether its disk, or its server, is slow or far away; a local one is best.";
            return Check::warning(Part::Store, CHECK, said, mend);
        }
    };
    match looked {
        Ok(Looked::Good { path, size }) => {
            let said = format!("{} is whole and ours, {} KiB.", path.display(), size.div_ceil(1024));
            Check::ok(Part::Store, CHECK, said)
        }
        Ok(Looked::Absent { path }) => {
            let said = format!("{} is not there yet; “provost run” makes it.", path.display());
            Check::ok(Part::Store, CHECK, said)
        }
        Ok(Looked::Empty { path }) => {
            let said = format!("{} is there and empty; “provost run” makes its tables.", path.display());
            Check::ok(Part::Store, CHECK, said)
        }
        Ok(Looked::InUse { path, by }) => {
            let by = by.map(|by| format!(" ({by})")).unwrap_or_default();
            let said = format!("A Provost is running on {}{by}, so it was not looked into.", path.display());
            let mend = "Nothing, if that is the one you mean; a second one would not start beside it.";
            Check::warning(Part::Store, CHECK, said, mend)
        }
        Err(error) => refused(&error),
    }
}

/// The error's own words say both at once, for a program that stops with them; here they are two.
fn refused(error: &OpenError) -> Check {
    let (said, mend) = match error {
        OpenError::Url { url } => {
            (format!("“{url}” is not the address of a store"), "Write store.url = \"sqlite://provost.db\".")
        }
        OpenError::Server { path, why } => (
            format!("{} cannot be used: {why}", path.display()),
            "Look whether the server runs, whether store.url is right, and whether its user may sign in, create \
             tables and write.",
        ),
        OpenError::NoFolder { path } => (
            format!("The folder that should hold {} does not exist", path.display()),
            "Create it, or set store.url to a path in a folder that exists.",
        ),
        OpenError::CannotCreate { path, why } => (
            format!("{} cannot be opened: {why}", path.display()),
            "Give the user that runs Provost the right to read and write it and its folder.",
        ),
        OpenError::ReadOnly { path } => (
            format!("{}, or its folder, is read-only", path.display()),
            "Give the user that runs Provost the right to write there; a volume must be mounted for writing.",
        ),
        OpenError::Full { path } => {
            (format!("The disk that holds {} is full", path.display()), "Make room; nothing is lost.")
        }
        OpenError::NotADatabase { path } => (
            format!("{} is not a database, or its beginning is destroyed", path.display()),
            "Restore it from a backup; if it is something else, set store.url to another path.",
        ),
        OpenError::Foreign { path, table } => (
            format!("{} is another program's database: it has a table “{table}”", path.display()),
            "Set store.url to another one.",
        ),
        OpenError::Damaged { path, found } => (
            format!("{} is damaged: {found}", path.display()),
            "Move it away with its -wal and -shm, and restore a backup; without one Provost starts afresh and \
             reads the log back as far as lookback says.",
        ),
        OpenError::Newer { path, by } => (
            format!("{} was last used by a newer version of Provost ({by})", path.display()),
            "Run that version or a later one, or restore a backup made before the update.",
        ),
        OpenError::Missing { path } | OpenError::NotUpToDate { path } => (
            format!("{} was not made by this version of Provost", path.display()),
            "Start “provost run” once; it makes it, or brings it up to date.",
        ),
        OpenError::InUse { path, .. } => {
            (format!("{} is in use by another Provost", path.display()), "Stop that one first.")
        }
        OpenError::Locked { path } => (
            format!("{} is locked by another program", path.display()),
            "Let a backup finish, or close an open shell of the database.",
        ),
        OpenError::Other { path, source } => (
            format!("{} cannot be read: {source}", path.display()),
            "Look at the file, its folder and its disk; a local disk is best.",
        ),
    };
    Check::failed(Part::Store, CHECK, sentence(&said), mend)
}
