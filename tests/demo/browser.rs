//! The page in a browser: `tests/browser` plays it in Chromium, by mouse and by keyboard.
//!
//! It needs Chromium, node and npm, and fetches the pinned libraries of `tests/browser/package-lock.json`. The harness
//! cannot leave a test out while it runs, so it is marked ignored, and `--ignored` runs it.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

/// Debian's name, and what it is called elsewhere; `CHROMIUM` names another.
const CHROMIUM: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

#[expect(clippy::disallowed_methods, reason = "tests are configured by the environment")]
fn has_chromium() -> bool {
    let given = std::env::var("CHROMIUM").is_ok_and(|path| Path::new(&path).exists());
    given || CHROMIUM.iter().any(|path| Path::new(path).exists())
}

#[test]
#[expect(clippy::disallowed_methods, reason = "tests are configured by the environment")]
fn where_chromium_is_required_it_is_there() {
    let required = std::env::var_os("PROVOST_REQUIRE").unwrap_or_default();
    let required = required.to_string_lossy().split([',', ' ']).any(|word| word == "chromium");
    assert!(
        has_chromium() || !required,
        "PROVOST_REQUIRE names chromium, but it is not there (Debian's package chromium), and CHROMIUM names none"
    );
}

#[test]
#[ignore = "needs Chromium, node and npm (Debian's packages of these names); --ignored runs it, PROVOST_REQUIRE=chromium requires it"]
fn the_page_plays_in_chromium() -> Result<()> {
    ensure!(has_chromium(), "Chromium is not there");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let npm = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder).status()?;
    ensure!(npm.success(), "npm could not fetch the libraries");
    let tests =
        ["story.test.mjs", "keyboard.test.mjs", "looking.test.mjs", "tour.test.mjs", "pictures.test.mjs"];
    let played = Command::new("node")
        .args(["--test", "--test-concurrency=1"])
        .args(tests)
        .current_dir(&folder)
        .env("PROVOST", env!("CARGO_BIN_EXE_provost"))
        .status()?;
    ensure!(played.success(), "the page does not play as it should");
    Ok(())
}
