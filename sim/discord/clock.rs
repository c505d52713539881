//! The simulator's own time: the real one plus an offset, so that "an hour later" is one line.

use jiff::{SignedDuration, Timestamp};

/// Milliseconds since 1970 at which Discord's snowflakes begin.
const EPOCH_MS: i64 = 1_420_070_400_000;

/// Tells the time, and makes ids that carry it.
#[derive(Debug, Default)]
pub(super) struct Clock {
    offset: SignedDuration,
    last: u64,
}

impl Clock {
    /// What time it is here.
    pub(super) fn now(&self) -> Timestamp {
        wall().saturating_add(self.offset).unwrap_or(Timestamp::MAX)
    }

    /// Lets time pass, or go back.
    pub(super) fn advance(&mut self, by: SignedDuration) {
        self.offset = self.offset.saturating_add(by);
    }

    /// A new id; each is greater than the one before, even if the clock was set back.
    pub(super) fn snowflake(&mut self) -> u64 {
        self.last = snowflake_at(self.now()).max(self.last + 1);
        self.last
    }
}

/// The smallest id that something made at that time can have.
pub(super) fn snowflake_at(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond() - EPOCH_MS).unwrap_or(0) << 22
}

/// The time as Discord writes it.
pub(super) fn written(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

/// How long ago that was; zero if it lies ahead.
pub(super) fn since(then: Timestamp, now: Timestamp) -> SignedDuration {
    now.duration_since(then).max(SignedDuration::ZERO)
}

#[expect(clippy::disallowed_methods, reason = "the one place in this simulator that reads the wall clock")]
fn wall() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_even_if_the_clock_is_set_back() {
        let mut clock = Clock::default();
        let first = clock.snowflake();
        clock.advance(SignedDuration::from_hours(-1));
        assert!(clock.snowflake() > first);
        clock.advance(SignedDuration::from_hours(3));
        assert!(clock.snowflake() > snowflake_at(clock.now()) - (1000 << 22));
    }
}
