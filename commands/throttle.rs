//! Keeps one member from flooding everybody else: so many commands a minute, and no more.

use dashmap::DashMap;
use domain::ids::MemberId;
use jiff::{SignedDuration, Timestamp};

/// Commands and clicks of one member in a minute.
const A_MINUTE: u32 = 30;

/// How many calls each member made in their current minute.
#[derive(Default)]
pub struct Throttle(DashMap<MemberId, (Timestamp, u32)>);

impl Throttle {
    /// Counts a call; `Err` says when the member may call again.
    ///
    /// # Errors
    ///
    /// The end of the member's minute, if it holds too many calls already.
    pub fn count(&self, member: MemberId, now: Timestamp) -> Result<(), Timestamp> {
        let minute = SignedDuration::from_mins(1);
        if self.0.len() > 10_000 {
            self.0.retain(|_, (began, _)| now.duration_since(*began) < minute);
        }
        let mut entry = self.0.entry(member).or_insert((now, 0));
        if now.duration_since(entry.0) >= minute {
            *entry = (now, 0);
        }
        if entry.1 >= A_MINUTE {
            return Err(entry.0 + minute);
        }
        entry.1 += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_held_up_for_its_own_member_only() {
        let (throttle, start) = (Throttle::default(), Timestamp::UNIX_EPOCH);
        for _ in 0..A_MINUTE {
            assert_eq!(throttle.count(MemberId(1), start), Ok(()));
        }
        assert_eq!(throttle.count(MemberId(1), start), Err(start + SignedDuration::from_mins(1)));
        assert_eq!(throttle.count(MemberId(2), start), Ok(()));
        assert_eq!(throttle.count(MemberId(1), start + SignedDuration::from_mins(1)), Ok(()));
    }
}
