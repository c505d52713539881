//! The log of an org, read through its API.

use std::time::Duration;

use domain::facts::{AppFacts, LogFrom};
use domain::ports::{Clock, Directory, DirectoryError};
use jiff::Timestamp;

use super::tally::{Tally, Torn};
use crate::okta::LOG_PAGE;

/// How often a call that did not get through is made again.
const TRIES: u32 = 4;

/// Reads the log from `since` to its end. `told` hears of every page, and of every wait.
///
/// # Errors
///
/// What Okta said, once waiting and trying again has not helped.
pub async fn read(
    directory: &dyn Directory,
    clock: &dyn Clock,
    since: Timestamp,
    tally: &mut Tally,
    mut told: impl FnMut(&Tally, Option<&str>),
) -> Result<(), DirectoryError> {
    let mut from = LogFrom::Since(since);
    loop {
        let page =
            patiently(clock, |why| told(tally, Some(why)), async || directory.log(&from).await).await?;
        let understood = page.events.len() + page.unreadable.len();
        tally.skip(page.held.saturating_sub(understood) as u64);
        for event in page.events {
            tally.take(event);
        }
        for entry in page.unreadable {
            tally.torn(Torn { line: None, why: format!("{}: {}", entry.id, entry.why) });
        }
        told(tally, None);
        match page.next {
            // A busy org always has a few new events: a page that is not full is the end.
            Some(next) if page.held >= LOG_PAGE => from = LogFrom::Cursor(next),
            Some(_) | None => return Ok(()),
        }
    }
}

/// All active apps.
///
/// # Errors
///
/// As [`read`].
pub async fn apps(
    directory: &dyn Directory,
    clock: &dyn Clock,
    mut waits: impl FnMut(&str),
) -> Result<Vec<AppFacts>, DirectoryError> {
    let mut apps = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = patiently(clock, &mut waits, async || directory.apps(after.as_deref()).await).await?;
        apps.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(apps),
        }
    }
}

/// Makes a call, waits for the rate limit as long as Okta says, and tries again when Okta cannot be reached.
async fn patiently<T>(
    clock: &dyn Clock,
    mut waits: impl FnMut(&str),
    call: impl AsyncFn() -> Result<T, DirectoryError>,
) -> Result<T, DirectoryError> {
    let mut tries = 1;
    loop {
        let wait = match call().await {
            Err(DirectoryError::RateLimited { until }) => {
                let left = until.duration_since(clock.now()).as_secs().clamp(1, 3600);
                let wait = Duration::from_secs(left.unsigned_abs());
                waits(&format!("Okta's rate limit is used up; going on in {wait:?}"));
                wait
            }
            Err(DirectoryError::Unreachable { why }) if tries < TRIES => {
                let wait = Duration::from_secs(1 << tries);
                tries += 1;
                waits(&format!("Okta cannot be reached ({why}); trying again in {wait:?}"));
                wait
            }
            answer => return answer,
        };
        tokio::time::sleep(wait).await;
    }
}
