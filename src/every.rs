//! The loops that repeat a pass: after a time, or when something is due.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use anyhow::anyhow;
use domain::ports::Clock;
use futures_util::FutureExt;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error, info, info_span};

use crate::health::Part;

/// How long a pass may take, and how long may lie between two, before the watchdog barks.
const LEAST_PATIENCE: Duration = Duration::from_secs(180);

/// The longest wait after failures, unless the period itself is longer.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(300);

/// How long a pass that comes so often may take without a sign of life.
pub fn patience(period: Duration) -> Duration {
    LEAST_PATIENCE.max(period.saturating_mul(3))
}

/// Repeats `pass` until `stop`, `period` after it ended each time, letting the pass under way finish.
///
/// A pass that fails or panics is logged here, once, and tried again: the loop outlives every failure. From the
/// second failure in a row on it waits twice as long each time, up to five minutes. `part` is ready while passes
/// work, and gives a sign of life around each; a pass that may take minutes gives more of them itself.
pub async fn every<P: Future<Output = anyhow::Result<()>>>(
    period: Duration,
    part: &Part,
    stop: &CancellationToken,
    mut pass: impl FnMut() -> P,
) {
    let patience = patience(period);
    let mut failures: u32 = 0;
    let mut wait = Duration::ZERO;
    loop {
        part.alive(wait + patience);
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = tokio::time::sleep(wait) => {}
        }
        part.alive(patience);
        let name = part.name();
        match guarded(name, pass()).await {
            Ok(()) => {
                if failures > 0 {
                    info!(pass = name, "Pass “{name}” works again after {failures} failures");
                }
                failures = 0;
                part.ready();
            }
            Err(failure) => {
                failures = failures.saturating_add(1);
                let next = back_off(period, failures);
                error!(
                    pass = name,
                    error = format!("{failure:#}"),
                    "Pass “{name}” failed; trying again in {next:?}"
                );
                part.not_ready(format!("its last {failures} passes failed; the log says why"));
            }
        }
        wait = back_off(period, failures);
    }
    part.rests();
}

/// Repeats `pass` until `stop`: when it says that it is due, when `wake` says that something has changed, and once a
/// minute.
///
/// Failures and panics are outlived as by [`every`]. `trouble` says why the part cannot do its work although its passes
/// end well; a pass must end within five minutes.
pub async fn whenever_due<P: Future<Output = anyhow::Result<Option<Timestamp>>>>(
    part: &Part,
    clock: &dyn Clock,
    wake: &Notify,
    stop: &CancellationToken,
    trouble: impl Fn() -> Option<String>,
    mut pass: impl FnMut() -> P,
) {
    const IDLE: Duration = Duration::from_secs(60);
    let mut failures: u32 = 0;
    loop {
        part.alive(IDLE * 5);
        let name = part.name();
        let wait = match guarded(name, pass()).await {
            Ok(due) => {
                failures = 0;
                match trouble() {
                    None => part.ready(),
                    Some(why) => part.not_ready(why),
                }
                due.map_or(IDLE, |due| until(due, clock.now()).min(IDLE))
            }
            Err(failure) => {
                failures = failures.saturating_add(1);
                error!(part = name, error = format!("{failure:#}"), "“{name}” cannot do its work");
                part.not_ready("it could not do its work; the log says why");
                Duration::from_secs(5).saturating_mul(failures).min(IDLE * 4)
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            () = wake.notified(), if failures == 0 => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    part.rests();
}

/// A pass whose panic is a failure like others.
async fn guarded<T>(name: &str, pass: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let ended = AssertUnwindSafe(pass.instrument(info_span!("pass", name))).catch_unwind().await;
    ended.unwrap_or_else(|_| Err(anyhow!("it panicked; the log says where")))
}

fn until(due: Timestamp, now: Timestamp) -> Duration {
    // At least a moment, so that a clock that stands still does not make this a busy loop.
    due.duration_since(now).try_into().unwrap_or(Duration::ZERO).max(Duration::from_millis(10))
}

/// How long to wait after that many failures in a row.
fn back_off(period: Duration, failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
    period.saturating_mul(doubled).min(LONGEST_BACK_OFF.max(period))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Health;

    #[test]
    fn failures_in_a_row_are_waited_out_longer_and_longer() {
        let seconds = |period, failures| back_off(Duration::from_secs(period), failures).as_secs();
        assert_eq!(
            [0, 1, 2, 3, 4, 5, 99].map(|failures| seconds(30, failures)),
            [30, 30, 60, 120, 240, 300, 300]
        );
        assert_eq!(seconds(600, 7), 600);
    }

    #[tokio::test]
    async fn the_loop_outlives_failures_and_panics() {
        let (health, stop) = (Health::default(), CancellationToken::new());
        let part = health.part("board");
        let mut seen = Vec::new();

        every(Duration::from_millis(1), &part, &stop, || {
            seen.push(health.report()[0].not_ready.clone());
            let (turn, stop) = (seen.len(), stop.clone());
            async move {
                match turn {
                    1 => Err(anyhow!("the disk is full")),
                    2 => std::panic::panic_any("a slip"),
                    3 => Ok(()),
                    _ => {
                        stop.cancel();
                        Ok(())
                    }
                }
            }
        })
        .await;

        let seen: Vec<&str> = seen.iter().map(|why| why.as_deref().unwrap_or("ready")).collect();
        assert_eq!(
            seen,
            [
                "it is starting",
                "its last 1 passes failed; the log says why",
                "its last 2 passes failed; the log says why",
                "ready"
            ]
        );
    }

    #[tokio::test]
    async fn a_stop_before_the_start_runs_nothing() {
        let stop = CancellationToken::new();
        stop.cancel();
        every(Duration::from_secs(1), &Health::default().part("x"), &stop, || async {
            Err(anyhow!("it ran"))
        })
        .await;
    }
}
