//! What is wrong with a configuration, in words that say how to mend it.

use std::cell::RefCell;
use std::fmt;
use std::path::PathBuf;

use crate::plain::plain;

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A file as a whole.
    File(PathBuf),
    /// A line of a file, from 1.
    Line(PathBuf, usize),
    /// An environment variable.
    Variable(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", plain(&file.to_string_lossy())),
            Self::Line(file, line) => write!(f, "{}:{line}", plain(&file.to_string_lossy())),
            Self::Variable(name) => write!(f, "environment variable {}", plain(name)),
        }
    }
}

/// What is wrong with one value, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong: a predicate, for example “is not a duration”.
    pub wrong: String,
    /// What would be right: an imperative, for example “write for example "30s"”.
    pub right: String,
}

impl Wrong {
    /// What is wrong and what would be right.
    pub fn new(wrong: impl Into<String>, right: impl Into<String>) -> Self {
        Self { wrong: wrong.into(), right: right.into() }
    }
}

/// One fault. It shows as `place: key: what is wrong; what would be right`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands.
    pub at: Place,
    /// The key, dotted from the root; empty where the fault is about no key.
    pub key: String,
    /// What is wrong, and what would be right.
    pub what: Wrong,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.at)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", plain(&self.key))?;
        }
        write!(f, "{}", plain(&self.what.wrong))?;
        if !self.what.right.is_empty() {
            write!(f, "; {}", plain(&self.what.right))?;
        }
        Ok(())
    }
}

/// Every fault of a configuration, at once: mending them one run at a time is no way to start a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "the configuration has a fault:")?,
            many => write!(f, "the configuration has {many} faults:")?,
        }
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

/// Collects what is found while the configuration is read.
#[derive(Debug, Default)]
pub(super) struct Notes {
    faults: RefCell<Vec<Fault>>,
    warnings: RefCell<Vec<Fault>>,
}

impl Notes {
    pub(super) fn fault(&self, at: Place, key: impl Into<String>, what: Wrong) {
        self.faults.borrow_mut().push(Fault { at, key: key.into(), what });
    }

    pub(super) fn warn(&self, at: Place, key: impl Into<String>, what: Wrong) {
        self.warnings.borrow_mut().push(Fault { at, key: key.into(), what });
    }

    /// The faults and the warnings, each in the order of the file.
    pub(super) fn into_parts(self) -> (Vec<Fault>, Vec<Fault>) {
        let (mut faults, mut warnings) = (self.faults.into_inner(), self.warnings.into_inner());
        faults.sort_by(|a, b| a.at.cmp(&b.at));
        warnings.sort_by(|a, b| a.at.cmp(&b.at));
        (faults, warnings)
    }
}

/// A value as a fault repeats it. A long one is only measured: it may be a secret that went astray.
pub(super) fn quoted(text: &str) -> String {
    match text.chars().count() {
        0 => "an empty text".to_owned(),
        1..=40 => format!("“{text}”"),
        many => format!("a text of {many} characters"),
    }
}

/// “; did you mean `x`?” for the nearest of the known words, if one is near.
pub(super) fn did_you_mean<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let distance = |word: &&str| strsim::damerau_levenshtein(&given.to_lowercase(), &word.to_lowercase());
    let nearest = known.min_by_key(distance)?;
    let near = distance(&nearest) <= 1 + nearest.chars().count() / 4
        || (given.len() >= 4 && (nearest.starts_with(given) || given.starts_with(nearest)));
    near.then(|| format!("did you mean “{nearest}”?"))
}
