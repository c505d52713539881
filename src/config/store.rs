//! `[store]`: where what we know is kept.

use secrecy::SecretString;

use super::fault::Wrong;
use super::section::Section;

/// Where what we know is kept.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// Which database.
    pub kind: StoreKind,
    /// Its URL. It may hold a password.
    pub url: SecretString,
}

/// A database that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// One file, for one process.
    Sqlite,
    /// A server's database, for one process.
    Postgres,
}

impl StoreKind {
    /// Its name as people write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

const DEFAULT: &str = "sqlite://provost.db";

pub(super) fn read(mut section: Section<'_>) -> StoreConfig {
    let mut kind = StoreKind::Sqlite;
    let url = section.secret("url", |text| {
        kind = kind_of(text)?;
        Ok(())
    });
    section.finish();
    StoreConfig { kind, url: url.unwrap_or_else(|| SecretString::from(DEFAULT)) }
}

/// The kind of a store's URL. A fault names the scheme alone: the rest may hold a password.
fn kind_of(text: &str) -> Result<StoreKind, Wrong> {
    let right = "write sqlite://provost.db, or postgres://…";
    match text.split_once(':') {
        Some(("sqlite", _)) => Ok(StoreKind::Sqlite),
        Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => Ok(StoreKind::Postgres),
        Some((scheme, _)) if scheme.len() <= 16 && scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            Err(Wrong::new(format!("has the scheme {scheme}"), right))
        }
        Some(_) | None => Err(Wrong::new("has no scheme", right)),
    }
}
