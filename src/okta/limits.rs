//! Okta's rate limits: how much of them is left, and how much of that is ours.
//!
//! Okta counts requests in windows of about a minute, per group of paths (here: a [`Bucket`]), and tells in every
//! answer how large the window is (`limit`), how much is left of it (`remaining`) and when it ends (`reset`). All who
//! use the org share it, and whoever takes a window's last request makes Okta mail the org's administrators. So before
//! every request:
//!
//! - **Our share.** In one window we send at most `limit × share` requests, rounded down, but at least one.
//! - **The reserve.** What is left after our request, minus what of ours is under way, must be at least a tenth of the
//!   limit and at least one: the last request is never ours, whoever spent the rest.
//! - **The first request** of a window that we know nothing about yet is always allowed: only asking can tell.
//!
//! A window ends at `now + (reset − Date)`, both from one answer: so Okta's clock is compared with Okta's clock, and ours
//! may be wrong. As `Date` is cut to seconds, that is up to a second late and never early.
//!
//! After a 429 the bucket is closed for `reset − Date + 1 s`, for at least 1, 2, 4 … s the more of them came in a row,
//! for at most 5 min, plus some chance so that not everybody returns at once. That also holds when the reset has passed or is
//! missing. A limit of 0 with 0 left means too many requests *at one time*: it closes every bucket, because that
//! limit is the org's. Source: Okta developer documentation, "Rate limits", 2026-08; the back-off is its Go SDK's.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use ring::rand::{SecureRandom, SystemRandom};

/// Paths whose requests Okta counts together.
///
/// Source: Okta developer documentation, "Rate limits for management endpoints", last table of 2025-12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// `/api/v1/logs`.
    Logs,
    /// `/api/v1/apps`, and everything below `/api/v1/apps/{id}/`.
    Apps,
    /// `/api/v1/apps/{id}`.
    App,
    /// `/api/v1/users/…`.
    Users,
    /// `/oauth2/v1/token`.
    Token,
    /// Everything else.
    Other,
}

impl Bucket {
    /// The bucket of a path.
    pub fn of(path: &str) -> Self {
        let mut steps = path.trim_start_matches('/').splitn(5, '/');
        match [(); 5].map(|()| steps.next()) {
            [Some("api"), Some("v1"), Some("logs"), None, _] => Self::Logs,
            [Some("api"), Some("v1"), Some("apps"), Some(_), None] => Self::App,
            [Some("api"), Some("v1"), Some("apps"), _, _] => Self::Apps,
            [Some("api"), Some("v1"), Some("users"), _, _] => Self::Users,
            [Some("oauth2"), Some("v1"), Some("token"), None, _] => Self::Token,
            _ => Self::Other,
        }
    }

    /// The paths in it, for people.
    pub fn paths(self) -> &'static str {
        match self {
            Self::Logs => "/api/v1/logs",
            Self::Apps => "/api/v1/apps and below",
            Self::App => "/api/v1/apps/{id}",
            Self::Users => "/api/v1/users",
            Self::Token => "/oauth2/v1/token",
            Self::Other => "everything else",
        }
    }
}

/// What is known of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// Which.
    pub bucket: Bucket,
    /// How many requests its window takes.
    pub limit: u64,
    /// How many were left when Okta last told.
    pub remaining: u64,
    /// When the window ends, by our clock.
    pub reset: Timestamp,
}

/// What an answer says about its bucket.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Told {
    pub limit: Option<u64>,
    pub remaining: Option<u64>,
    /// `X-Rate-Limit-Reset − Date`; negative if it has passed.
    pub reset_in: Option<SignedDuration>,
    /// `Retry-After`, which a proxy before Okta may send.
    pub retry_after: Option<SignedDuration>,
}

#[derive(Debug, Default)]
struct Window {
    limit: Option<u64>,
    remaining: Option<u64>,
    /// When it ends, by our clock; `None` until an answer tells.
    ends: Option<Timestamp>,
    /// How many requests of it we sent.
    ours: u64,
    /// How many of those are not answered yet.
    under_way: u64,
    closed_until: Option<Timestamp>,
    /// How many 429 came in a row.
    refusals: u32,
}

#[derive(Debug, Default)]
struct Windows {
    each: BTreeMap<Bucket, Window>,
    all_closed_until: Option<Timestamp>,
}

/// The buckets of one org, shared by all who ask it.
#[derive(Debug)]
pub(crate) struct Limits {
    share: f64,
    windows: Mutex<Windows>,
}

/// The permission to send one request; over when it is dropped, however the request went.
#[derive(Debug)]
pub(crate) struct Admission<'a> {
    limits: &'a Limits,
    bucket: Bucket,
}

const SHORTEST: SignedDuration = SignedDuration::from_secs(1);
const LONGEST: SignedDuration = SignedDuration::from_mins(5);

impl Limits {
    /// Keeps within `share` (more than 0, at most 1) of every bucket.
    pub(crate) fn new(share: f64) -> Self {
        Self { share, windows: Mutex::default() }
    }

    /// Asks whether one more request may be sent now; if not, the error is when to ask again.
    pub(crate) fn admit(&self, bucket: Bucket, now: Timestamp) -> Result<Admission<'_>, Timestamp> {
        let mut windows = self.lock();
        let closed = windows.all_closed_until.filter(|&until| until > now);
        let window = windows.each.entry(bucket).or_default();
        if let Some(until) = closed.max(window.closed_until.filter(|&until| until > now)) {
            return Err(until);
        }
        window.forget_if_over(now);
        if !window.has_room(self.share) {
            return Err(window.ends.unwrap_or(now + SHORTEST));
        }
        window.ours += 1;
        window.under_way += 1;
        Ok(Admission { limits: self, bucket })
    }

    /// Every bucket that Okta has told us about.
    pub(crate) fn snapshot(&self, now: Timestamp) -> Vec<RateLimit> {
        let windows = self.lock();
        let known = windows.each.iter().filter_map(|(&bucket, window)| {
            let (limit, remaining) = window.limit.zip(window.remaining)?;
            Some(RateLimit { bucket, limit, remaining, reset: window.ends.unwrap_or(now) })
        });
        known.collect()
    }

    /// A panic of another thread cannot leave the numbers worse than a little wrong, and the next answer mends them.
    fn lock(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admission<'_> {
    /// Takes note of an answer that was no 429.
    pub(crate) fn answered(self, told: Told, now: Timestamp) {
        let mut windows = self.limits.lock();
        let window = windows.each.entry(self.bucket).or_default();
        window.refusals = 0;
        window.learn(told, now);
    }

    /// Takes note of a 429, and says when to ask again.
    pub(crate) fn refused(self, told: Told, now: Timestamp) -> Timestamp {
        let mut windows = self.limits.lock();
        let window = windows.each.entry(self.bucket).or_default();
        window.refusals += 1;
        window.learn(told, now);
        let growing = SHORTEST * (1_i32 << (window.refusals - 1).min(9));
        let asked = told.reset_in.map_or(SHORTEST, |wait| wait.saturating_add(SHORTEST));
        let wait = asked.max(told.retry_after.unwrap_or_default()).max(growing).min(LONGEST);
        let until = now + wait + some_of(SHORTEST.max(wait / 10));
        window.closed_until = Some(until);
        if (told.limit, told.remaining) == (Some(0), Some(0)) {
            windows.all_closed_until = windows.all_closed_until.max(Some(until));
        }
        until
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        let mut windows = self.limits.lock();
        let window = windows.each.entry(self.bucket).or_default();
        window.under_way = window.under_way.saturating_sub(1);
    }
}

impl Window {
    fn has_room(&self, share: f64) -> bool {
        let Some(limit) = self.limit else { return true };
        if self.ours == 0 && self.ends.is_none() {
            return true;
        }
        let allowance = allowance(limit, share);
        let reserve = limit.div_ceil(10).max(1);
        let left = self.remaining.unwrap_or(limit).saturating_sub(self.under_way);
        self.ours < allowance && left > reserve
    }

    fn forget_if_over(&mut self, now: Timestamp) {
        if self.ends.is_some_and(|ends| ends <= now) {
            self.begin(self.limit, None);
        }
    }

    fn begin(&mut self, remaining: Option<u64>, ends: Option<Timestamp>) {
        self.ours = self.under_way;
        self.remaining = remaining;
        self.ends = ends;
    }

    fn learn(&mut self, told: Told, now: Timestamp) {
        // 0 is the limit on requests at one time, and says nothing about this window.
        let (Some(limit @ 1..), Some(remaining)) = (told.limit, told.remaining) else { return };
        self.limit = Some(limit);
        let ends = now + told.reset_in.unwrap_or(SHORTEST).clamp(SHORTEST, LONGEST);
        self.forget_if_over(now);
        match self.ends {
            // Our reckoning of the end is up to a second late: the next window may have begun before it.
            Some(known) if ends > known + SHORTEST * 2 => self.begin(Some(remaining), Some(ends)),
            // Answers overtake each other.
            Some(known) => {
                self.remaining = Some(self.remaining.map_or(remaining, |least| least.min(remaining)));
                self.ends = Some(known.max(ends));
            }
            None => (self.remaining, self.ends) = (Some(remaining), Some(ends)),
        }
    }
}

/// How many requests of a window that takes `limit` are ours.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "limits are small, and the share is between 0 and 1"
)]
pub fn allowance(limit: u64, share: f64) -> u64 {
    ((limit as f64 * share) as u64).max(1)
}

/// Between nothing and all of a time, by chance.
fn some_of(most: SignedDuration) -> SignedDuration {
    let mut chance = [0; 2];
    // Without randomness everybody returns at once, which is no reason to fail.
    let _no_chance = SystemRandom::new().fill(&mut chance);
    most * i32::from(u16::from_be_bytes(chance) >> 2) / (1 << 14)
}

#[cfg(test)]
mod tests;
