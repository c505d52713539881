//! The org's clock: the real one, moved by an offset.

use jiff::{SignedDuration, Timestamp};

/// The time of the simulated org. It runs as real time does, and can be moved.
#[derive(Debug, Clone, Copy)]
pub(super) struct WorldClock {
    offset: SignedDuration,
}

impl WorldClock {
    /// A clock that shows `start` now, or the real time.
    pub(super) fn starting_at(start: Option<Timestamp>) -> Self {
        let offset = start.map_or(SignedDuration::ZERO, |start| start.duration_since(wall()));
        Self { offset }
    }

    pub(super) fn now(&self) -> Timestamp {
        wall() + self.offset
    }

    pub(super) fn advance(&mut self, by: SignedDuration) {
        self.offset += by;
    }

    /// Moves the clock to `at`, never back.
    pub(super) fn reach(&mut self, at: Timestamp) {
        let ahead = at.duration_since(self.now());
        if ahead > SignedDuration::ZERO {
            self.offset += ahead;
        }
    }
}

/// Okta's way to write a time: UTC, milliseconds.
pub(super) fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// The time of an HTTP `Date` header.
pub(super) fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// `at` without what Okta does not write down.
pub(super) fn to_millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the simulated org's clock starts from the real one, here only"
)]
fn wall() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_okta_and_http_write_them() {
        let at: Timestamp = "2026-03-04T05:06:07.089Z".parse().unwrap();
        assert_eq!(iso(at), "2026-03-04T05:06:07.089Z");
        assert_eq!(http_date(at), "Wed, 04 Mar 2026 05:06:07 GMT");
    }
}
