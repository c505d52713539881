//! Columns of a row in our words: times, ids, and the words that stand for our enums.

use std::fmt::Display;
use std::str::FromStr;

use domain::cause::{Confidence, Strength};
use domain::facts::Scope;
use domain::incident::{Began, EndedBecause, Ending, Mode};
use domain::request::{Action, Method};
use domain::review::Verdict;
use domain::store::Kept;
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Any, Decode, Error, Row, Type};

/// A value in the database that we did not write, or that another version wrote.
#[derive(Debug, thiserror::Error)]
#[error("the database holds {found} where it should hold {expected}")]
pub(super) struct Unexpected {
    found: String,
    expected: String,
}

/// The error for a value that cannot be understood.
pub(super) fn unexpected(found: impl Display, expected: impl Display) -> Error {
    Error::Decode(Unexpected { found: found.to_string(), expected: expected.to_string() }.into())
}

/// An enum of the domain that is stored as a word.
pub(super) trait Word: Sized {
    /// The word.
    fn word(self) -> &'static str;
    /// What the word stands for.
    fn of(word: &str) -> Result<Self, Error>;
}

macro_rules! words {
    ($($name:ident { $($variant:ident = $word:literal),+ })+) => {$(
        impl Word for $name {
            fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            fn of(word: &str) -> Result<Self, Error> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(unexpected(format_args!("“{word}”"), [$($word),+].join(", "))),
                }
            }
        }
    )+};
}

words! {
    Confidence { Possible = "possible", Likely = "likely", Certain = "certain" }
    Strength { Account = "account", ProfileOnly = "profile" }
    Scope { Person = "person", Group = "group" }
    Ending { Fixed = "fixed", Ended = "ended", Closed = "closed" }
    EndedBecause {
        Unassigned = "unassigned", InactiveInOkta = "inactive", AppGone = "app_gone", ClosedByHand = "closed"
    }
    Began { New = "new", CameBack = "came-back", SnoozeOver = "snooze-over", NewPerson = "new-person" }
    Mode { Api = "api", Guided = "guided" }
    Action { Enable = "enable", Retry = "retry", Reassign = "reassign", Fixed = "fixed" }
    Method { Api = "api", Guided = "guided" }
    Verdict { Justified = "justified", NotJustified = "not justified" }
    Kept { Live = "live", Replaced = "replaced", LetGo = "let-go" }
}

/// A time as it is stored.
pub(super) fn ms(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// A stored time.
pub(super) fn time(ms: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(ms).map_err(|_| unexpected(ms, "a time in milliseconds"))
}

/// A time as it will be read back, so that what is answered now is what is answered later.
pub(super) fn whole_ms(at: Timestamp) -> Result<Timestamp, Error> {
    time(ms(at))
}

/// A stored identifier.
pub(super) fn id<T: FromStr<Err: Display>>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|error: T::Err| unexpected(error, "an identifier"))
}

/// A row, read column by column.
pub(super) trait Columns {
    /// A column as it is.
    fn get_as<'r, T: Decode<'r, Any> + Type<Any>>(&'r self, column: &str) -> Result<T, Error>;

    /// A number.
    fn number(&self, column: &str) -> Result<i64, Error> {
        self.get_as(column)
    }

    /// A number that cannot be negative or large.
    fn count(&self, column: &str) -> Result<u32, Error> {
        let number = self.number(column)?;
        u32::try_from(number).map_err(|_| unexpected(number, format_args!("a count in `{column}`")))
    }

    /// A text.
    fn text(&self, column: &str) -> Result<String, Error> {
        self.get_as(column)
    }

    /// A text that may be missing.
    fn maybe_text(&self, column: &str) -> Result<Option<String>, Error> {
        self.get_as(column)
    }

    /// A yes or no.
    fn flag(&self, column: &str) -> Result<bool, Error> {
        Ok(self.number(column)? != 0)
    }

    /// A time.
    fn time(&self, column: &str) -> Result<Timestamp, Error> {
        time(self.number(column)?)
    }

    /// A time that may be missing.
    fn maybe_time(&self, column: &str) -> Result<Option<Timestamp>, Error> {
        self.get_as::<Option<i64>>(column)?.map(time).transpose()
    }

    /// An identifier.
    fn id<T: FromStr<Err: Display>>(&self, column: &str) -> Result<T, Error> {
        id(self.get_as(column)?)
    }

    /// An identifier that may be missing.
    fn maybe_id<T: FromStr<Err: Display>>(&self, column: &str) -> Result<Option<T>, Error> {
        self.get_as::<Option<&str>>(column)?.map(id).transpose()
    }

    /// A word that stands for an enum.
    fn word<T: Word>(&self, column: &str) -> Result<T, Error> {
        T::of(self.get_as(column)?)
    }

    /// A word that may be missing.
    fn maybe_word<T: Word>(&self, column: &str) -> Result<Option<T>, Error> {
        self.get_as::<Option<&str>>(column)?.map(T::of).transpose()
    }
}

impl Columns for AnyRow {
    fn get_as<'r, T: Decode<'r, Any> + Type<Any>>(&'r self, column: &str) -> Result<T, Error> {
        self.try_get(column)
    }
}

/// A Discord id as it is stored: bit by bit, for a BIGINT has a sign.
pub(super) fn snowflake(id: u64) -> i64 {
    id.cast_signed()
}
