//! What every bench needs: what a process has used, and a table of figures that knows its limits.

use std::fmt::Display;
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, io};

/// Figures, the limits that they are held to, and whether all of them hold.
#[derive(Default)]
pub struct Table {
    rows: Vec<[String; 4]>,
    over: bool,
}

impl Table {
    /// A figure that must not be more than `limit`.
    pub fn at_most(&mut self, what: &str, measured: f64, limit: f64, unit: &str) {
        let over = measured > limit;
        self.over |= over;
        let verdict = if over { "OVER" } else { "pass" };
        self.push(what, amount(measured, unit), format!("at most {}", amount(limit, unit)), verdict);
    }

    /// A figure that is worth knowing and has no limit.
    pub fn tell(&mut self, what: &str, measured: impl Display) {
        self.push(what, measured.to_string(), String::new(), "");
    }

    fn push(&mut self, what: &str, measured: String, limit: String, verdict: &str) {
        self.rows.push([what.to_owned(), measured, limit, verdict.to_owned()]);
    }

    /// Prints it; the exit code says whether all limits hold.
    pub fn end(self) -> ExitCode {
        let width =
            |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths = [width(0), width(1), width(2)];
        for [what, measured, limit, verdict] in &self.rows {
            let [a, b, c] = widths;
            println!("{what:<a$}  {measured:>b$}  {limit:<c$}  {verdict}");
        }
        ExitCode::from(u8::from(self.over))
    }
}

fn amount(value: f64, unit: &str) -> String {
    format!("{value:.2} {unit}")
}

/// The CPU time that a process has used.
///
/// Source: proc(5). Each thread's time is known to the nanosecond, but not those of threads that have ended; the
/// process's own count has those, and is cut to a hundredth of a second.
pub fn cpu(pid: u32) -> io::Result<Duration> {
    let mut threads = Duration::ZERO;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end between the listing and here.
        let spent = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
        let spent = spent.split(' ').next().and_then(|spent| spent.parse().ok());
        threads += Duration::from_nanos(spent.unwrap_or(0));
    }
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // What follows the name, which may hold blanks, begins with the third field; user and system time are the 14th
    // and the 15th.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Ok(threads.max(Duration::from_millis(ticks * 10)))
}

/// The resident memory of a process in MiB, now (`VmRSS`) or at its most (`VmHWM`).
pub fn memory(pid: u32, which: &str) -> io::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(which)?.strip_prefix(':'));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.map(|kib| kib / 1024.0).ok_or_else(|| io::Error::other(format!("/proc/{pid}/status has no {which}")))
}

/// The value in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
