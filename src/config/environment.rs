//! The environment. **Invariant:** nothing else in the product reads it.

use std::collections::BTreeMap;
use std::fmt;

/// The process's environment as it was at the start.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment of this process.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn of_process() -> Self {
        // A value that is not UTF-8 is kept with its faults, so that it is refused by name, not overlooked.
        let text = |part: std::ffi::OsString| part.to_string_lossy().into_owned();
        std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
    }

    /// `RUST_LOG`: which levels are logged.
    pub fn log_levels(&self) -> Option<&str> {
        self.filled("RUST_LOG")
    }

    /// `NO_COLOR`: whether colours are unwanted (<https://no-color.org>).
    pub fn forbids_colour(&self) -> bool {
        self.filled("NO_COLOR").is_some()
    }

    /// `PROVOST_CONFIG`: where the configuration is.
    pub fn config_path(&self) -> Option<&str> {
        self.filled("PROVOST_CONFIG")
    }

    /// `PROVOST_URL`: the org that `provost scan` reads where there is no configuration.
    pub fn scan_url(&self) -> Option<&str> {
        self.filled("PROVOST_URL")
    }

    /// `PROVOST_TOKEN_FILE`: the file with its API token.
    pub fn scan_token_file(&self) -> Option<&str> {
        self.filled("PROVOST_TOKEN_FILE")
    }

    /// Whether any configuration is given by variables.
    pub(crate) fn configures(&self) -> bool {
        self.overrides().next().is_some()
    }

    /// What is written `PROVOST_SECTION__KEY`. A name without `__` is not ours: Kubernetes sets
    /// `PROVOST_SERVICE_HOST` and its kin for a service named `provost`.
    pub(super) fn overrides(&self) -> impl Iterator<Item = (String, String)> {
        let ours = |name: &str| name.strip_prefix("PROVOST_").is_some_and(|rest| rest.contains("__"));
        self.0.iter().filter(move |(name, _)| ours(name)).map(|(name, value)| (name.clone(), value.clone()))
    }

    fn filled(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(pairs: T) -> Self {
        Self(pairs.into_iter().collect())
    }
}

/// Shows how much there is, never what: values may be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}
