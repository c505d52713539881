//! The report as CSV (RFC 4180): a row for each person, app and cause.

use std::io::{self, Write};

use super::report::{Failure, Report};

const HEAD: &str = "app_id,app,person_id,login,name,cause,confidence,state,times,first,last,reason,event_id";

/// Writes the rows, with their head.
///
/// # Errors
///
/// If `out` cannot be written to.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    write!(out, "{HEAD}\r\n")?;
    for failure in &report.failures {
        let row: Vec<String> = cells(failure).iter().map(|cell| quoted(cell)).collect();
        write!(out, "{}\r\n", row.join(","))?;
    }
    Ok(())
}

fn cells(failure: &Failure) -> [String; 13] {
    [
        failure.app.id.to_string(),
        failure.app.label.clone(),
        failure.person.id.to_string(),
        failure.person.login.clone().unwrap_or_default(),
        failure.person.name.clone().unwrap_or_default(),
        failure.reason.word().to_owned(),
        failure.confidence.map(|confidence| confidence.word().to_owned()).unwrap_or_default(),
        failure.state.word().to_owned(),
        failure.times.to_string(),
        failure.first.to_string(),
        failure.last.to_string(),
        failure.said.clone().unwrap_or_default(),
        failure.event.to_string(),
    ]
}

/// A cell that no spreadsheet takes for a formula, quoted where it must be.
pub(crate) fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\r', '\n', '\t', '\'', ';']) {
        return format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        let table = [
            ("Dana", "Dana"),
            ("", ""),
            ("Doe, Dana", "\"Doe, Dana\""),
            ("the \"best\" app", "\"the \"\"best\"\" app\""),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("+1", "\"'+1\""),
            ("-1+1", "\"'-1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("\r=1", "\"'\r=1\""),
            ("two\nlines", "\"two\nlines\""),
            ("a=1", "a=1"),
        ];
        for (cell, written) in table {
            assert_eq!(quoted(cell), written, "{cell:?}");
        }
    }
}
