//! Rate limits: a bucket for each route and top-level resource, one for all routes, and the ban for bad manners.
//!
//! Source: Discord developer documentation, "Rate Limits".

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{faults::Scope, reply::Reply};

/// Invalid requests in [`BAN_WINDOW`] after which the proxy answers instead of Discord.
const BAN_AFTER: usize = 10_000;
const BAN_WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// All limits and how far they are used up.
#[derive(Debug, Default)]
pub(super) struct Limits {
    rules: Vec<(String, u32, SignedDuration)>,
    buckets: HashMap<String, Window>,
    global: Option<Window>,
    invalid: Vec<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    since: Timestamp,
    used: u32,
}

/// Headers of an answer, by name.
pub(super) type Headers = Vec<(&'static str, String)>;

impl Limits {
    /// A limit for the requests whose "METHOD /path" contains the text; the last one set counts.
    pub(super) fn set(&mut self, needle: &str, limit: u32, per: SignedDuration) {
        self.rules.push((needle.to_owned(), limit, per));
    }

    /// Counts a request; the headers that tell where the bucket stands, or 429 with them.
    ///
    /// `route` is the method and the path with names for ids, `resource` the top-level id in it.
    pub(super) fn admit(
        &mut self,
        request: &str,
        route: &str,
        resource: &str,
        now: Timestamp,
    ) -> Result<Headers, (Reply, Headers)> {
        let rule = self.rules.iter().rev().find(|(needle, _, _)| request.contains(needle));
        let (limit, per) = rule.map_or((50, SignedDuration::from_secs(1)), |(_, limit, per)| (*limit, *per));
        let window =
            self.buckets.entry(format!("{route} {resource}")).or_insert(Window { since: now, used: 0 });
        if window.over(per, now) {
            *window = Window { since: now, used: 0 };
        }
        let full = window.used >= limit;
        window.used += u32::from(!full);
        let left = per.saturating_sub(now.duration_since(window.since)).as_secs_f64().max(0.001);
        let headers = vec![
            ("x-ratelimit-limit", limit.to_string()),
            ("x-ratelimit-remaining", limit.saturating_sub(window.used).to_string()),
            ("x-ratelimit-reset", format!("{:.3}", now.as_millisecond() as f64 / 1000.0 + left)),
            ("x-ratelimit-reset-after", format!("{left:.3}")),
            ("x-ratelimit-bucket", bucket(route)),
        ];
        if !full {
            return Ok(headers);
        }
        let (reply, mut more) = exceeded(left, Scope::User);
        more.extend(headers);
        Err((reply, more))
    }

    /// Counts a request towards the limit of all routes.
    pub(super) fn admit_global(&mut self, limit: u32, now: Timestamp) -> Result<(), (Reply, Headers)> {
        let second = SignedDuration::from_secs(1);
        let window = self.global.get_or_insert(Window { since: now, used: 0 });
        if window.over(second, now) {
            *window = Window { since: now, used: 0 };
        }
        if window.used >= limit {
            let left = second.saturating_sub(now.duration_since(window.since)).as_secs_f64();
            return Err(exceeded(left.max(0.001), Scope::Global));
        }
        window.used += 1;
        Ok(())
    }

    /// Counts an answer that Discord holds against the bot.
    pub(super) fn invalid(&mut self, now: Timestamp) {
        self.invalid.push(now);
    }

    /// How many there were in the last ten minutes.
    pub(super) fn invalid_requests(&self, now: Timestamp) -> usize {
        self.invalid.iter().filter(|at| now.duration_since(**at) < BAN_WINDOW).count()
    }

    /// Whether there were too many.
    pub(super) fn banned(&self, now: Timestamp) -> bool {
        self.invalid_requests(now) >= BAN_AFTER
    }
}

impl Window {
    fn over(self, per: SignedDuration, now: Timestamp) -> bool {
        let age = now.duration_since(self.since);
        age >= per || age < SignedDuration::ZERO
    }
}

/// 429, as Discord words it.
pub(super) fn exceeded(retry_after: f64, scope: Scope) -> (Reply, Headers) {
    let global = scope == Scope::Global;
    let message = match scope {
        Scope::Shared => "The resource is being rate limited.",
        Scope::User | Scope::Global => "You are being rate limited.",
    };
    let body = json!({ "message": message, "retry_after": retry_after, "global": global, "code": 0 });
    let mut headers = vec![
        ("retry-after", format!("{:.0}", retry_after.ceil())),
        ("x-ratelimit-scope", scope.word().to_owned()),
    ];
    if global {
        headers.push(("x-ratelimit-global", "true".to_owned()));
    }
    (Reply { status: 429, body: Some(body) }, headers)
}

fn bucket(route: &str) -> String {
    let mut hasher = DefaultHasher::new();
    route.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_bucket_says_when_it_is_empty_again_and_stops_nobody_else() {
        let mut limits = Limits::default();
        let start = Timestamp::UNIX_EPOCH;
        limits.set("POST", 2, SignedDuration::from_secs(5));
        let mut post = |channel: &str, at: i64| {
            limits.admit(
                "POST /x",
                "POST /channels/{channel_id}/messages",
                channel,
                start + SignedDuration::from_secs(at),
            )
        };

        assert!(post("1", 0).is_ok());
        assert!(post("1", 0).is_ok());
        let (reply, headers) = post("1", 1).unwrap_err();
        assert!(post("2", 1).is_ok());
        assert!(post("1", 5).is_ok());

        assert_eq!(reply.body.unwrap()["retry_after"], 4.0);
        assert!(headers.contains(&("retry-after", "4".to_owned())));
    }
}
