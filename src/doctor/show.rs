//! What the doctor found, for people and for programs.

use std::fmt::Write as _;

use serde_json::json;

use super::{Check, Report, State};
use crate::plain::plain;

/// A list by part, each ✗ and ! with what to do about it.
pub fn list(report: &Report) -> String {
    let mut text = String::new();
    let wide = report.0.iter().map(|check| check.check.chars().count()).max().unwrap_or(0);
    let mut part = None;
    for check in &report.0 {
        let Check { state, said, mend, .. } = check;
        if part != Some(&check.part) {
            let gap = if part.is_some() { "\n" } else { "" };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{gap}{}", check.part);
            part = Some(&check.part);
        }
        let _ = writeln!(text, "  {} {:wide$}  {}", sign(*state), check.check, plain(said));
        if let Some(mend) = mend {
            let _ = writeln!(text, "    {:wide$}  → {}", "", plain(mend));
        }
    }
    let _ = writeln!(text, "\n{}", verdict(report));
    text
}

/// The same as one object: `{"ok": …, "checks": [{"part", "check", "state", "said", "mend"}]}`.
pub fn json(report: &Report) -> String {
    let checks = report.0.iter().map(|check| {
        json!({
            "part": check.part.to_string(),
            "check": check.check,
            "state": word(check.state),
            "said": check.said,
            "mend": check.mend,
        })
    });
    let whole = json!({ "ok": report.is_ok(), "checks": checks.collect::<Vec<_>>() });
    format!("{whole:#}\n")
}

fn verdict(report: &Report) -> String {
    let look = match report.count(State::Warning) {
        0 => String::new(),
        1 => " One thing is worth a look (!).".to_owned(),
        many => format!(" {many} things are worth a look (!)."),
    };
    match report.count(State::Failed) {
        0 => format!("Nothing has to be mended.{look}"),
        1 => format!("One thing has to be mended (✗).{look}"),
        many => format!("{many} things have to be mended (✗).{look}"),
    }
}

fn sign(state: State) -> char {
    match state {
        State::Ok => '✓',
        State::Warning => '!',
        State::Failed => '✗',
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Warning => "warning",
        State::Failed => "failed",
    }
}
