//! Where the documents are, and reading them fast.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde_json::Value;

/// The folder with the documents, if it is there: beside this repository, or where `PROVOST_SHARED` says.
#[expect(clippy::disallowed_methods, reason = "tests are configured by the environment")]
pub fn reference() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").into_os_string();
    let shared: OsString = std::env::var_os("PROVOST_SHARED").unwrap_or_else(beside);
    let reference = Path::new(&shared).join("reference");
    reference.join("okta-spec").is_dir().then_some(reference)
}

/// Reads a document in JSON.
pub fn json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Reads a document in YAML.
///
/// Two megabytes of YAML take seconds without optimisation, and every test program needs them: what was read is kept
/// as JSON beside the other things that tests leave behind, until the document's size or time changes.
pub fn yaml(path: &Path) -> Value {
    let kept = kept(path);
    if let Some(value) = fs::read(&kept).ok().and_then(|text| serde_json::from_slice(&text).ok()) {
        return value;
    }
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let value = parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    // Several test programs run at once: each writes a file of its own and moves it into place.
    let own = kept.with_extension(std::process::id().to_string());
    if fs::write(&own, value.to_string()).is_ok() {
        let _ = fs::rename(&own, &kept);
    }
    value
}

/// Parses YAML without the limits that protect from strangers' files.
pub fn parse(text: &str) -> Result<Value, serde_saphyr::Error> {
    let mut options = serde_saphyr::Options::default();
    options.budget = None;
    serde_saphyr::from_str_with_options(text, options)
}

fn kept(path: &Path) -> PathBuf {
    let facts = fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let changed =
        facts.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = format!("{name}-{}-{}.json", facts.len(), changed.as_secs());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
