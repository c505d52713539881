//! Rate limits: a bucket of requests a minute for each family of paths.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// So much that only a test which sets a limit ever meets one.
const PLENTY: u32 = 100_000;

#[derive(Debug, Clone, Default)]
pub(super) struct Limits {
    per_minute: BTreeMap<String, u32>,
    windows: BTreeMap<&'static str, Window>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    ends: Timestamp,
    used: u32,
}

/// What a bucket holds after a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    pub limit: u32,
    pub remaining: u32,
    /// Unix seconds.
    pub reset: i64,
    pub exceeded: bool,
    /// The first request over the limit in this window; Okta logs a violation.
    pub violates: bool,
}

impl Limits {
    pub(super) fn set(&mut self, bucket: &str, per_minute: u32) {
        self.per_minute.insert(bucket.to_owned(), per_minute);
        self.windows.retain(|known, _| *known != bucket);
    }

    /// Counts one request. A window begins with its first request, not with the minute.
    pub(super) fn spend(&mut self, bucket: &'static str, now: Timestamp) -> Left {
        let limit = self.per_minute.get(bucket).copied().unwrap_or(PLENTY);
        let fresh = Window { ends: now + SignedDuration::from_mins(1), used: 0 };
        let window = self.windows.entry(bucket).or_insert(fresh);
        if window.ends <= now {
            *window = fresh;
        }
        window.used = window.used.saturating_add(1);
        Left {
            limit,
            remaining: limit.saturating_sub(window.used),
            reset: window.ends.as_second(),
            exceeded: window.used > limit,
            violates: window.used == limit.saturating_add(1),
        }
    }
}

/// The bucket of a path. All paths below an app share one with the list of apps.
///
/// Source: Okta's documentation of the management rate limits.
pub(super) fn bucket(path: &str) -> &'static str {
    let below: Vec<_> = path.trim_start_matches("/api/v1/").split('/').collect();
    match below.as_slice() {
        _ if path == "/oauth2/v1/token" => "/oauth2/v1/token",
        ["logs"] => "/api/v1/logs",
        ["apps", _] => "/api/v1/apps/{id}",
        ["apps", ..] => "/api/v1/apps",
        ["users", _] => "/api/v1/users/{id}",
        _ => "/api/v1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_empty_after_its_limit_and_full_a_minute_later() {
        let mut limits = Limits::default();
        let now = Timestamp::UNIX_EPOCH;
        limits.set("/api/v1/logs", 2);
        let exceeded: Vec<_> = (0..4).map(|_| limits.spend("/api/v1/logs", now).exceeded).collect();
        assert_eq!(exceeded, [false, false, true, true]);
        assert!(!limits.spend("/api/v1/logs", now + SignedDuration::from_mins(1)).exceeded);
    }

    #[test]
    fn paths_below_an_app_share_a_bucket_with_the_list() {
        assert_eq!(bucket("/api/v1/apps"), bucket("/api/v1/apps/0oa1/features/USER_PROVISIONING"));
        assert_ne!(bucket("/api/v1/apps"), bucket("/api/v1/apps/0oa1"));
    }
}
