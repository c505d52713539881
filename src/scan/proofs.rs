//! What speaks against a failure, for one person in one app.

use jiff::Timestamp;

/// The last two successes from different transactions, and the last unassignment; times in milliseconds.
///
/// Two are enough: whichever transaction failed, the later of those that are not that one is the best proof there is.
/// Small on purpose, for everybody who was ever pushed has one of these.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proofs {
    at: [i64; 2],
    transaction: [u32; 2],
    unassigned: i64,
}

const NEVER: i64 = i64::MIN;

impl Default for Proofs {
    fn default() -> Self {
        Self { at: [NEVER; 2], transaction: [0; 2], unassigned: NEVER }
    }
}

impl Proofs {
    /// A push worked; transaction 0 is none.
    pub(super) fn succeeded(&mut self, at: Timestamp, transaction: u32) {
        let at = at.as_millisecond();
        if transaction == self.transaction[0] || self.at[0] == NEVER {
            self.at[0] = self.at[0].max(at);
            self.transaction[0] = transaction;
        } else if at >= self.at[0] {
            self.at = [at, self.at[0]];
            self.transaction = [transaction, self.transaction[0]];
        } else if at > self.at[1] {
            self.at[1] = at;
            self.transaction[1] = transaction;
        }
    }

    /// The person was unassigned.
    pub(super) fn unassigned(&mut self, at: Timestamp) {
        self.unassigned = self.unassigned.max(at.as_millisecond());
    }

    /// Whether a success of another transaction came after a failure at `last`.
    pub(super) fn heal(&self, last: Timestamp, transaction: u32) -> bool {
        let last = last.as_millisecond();
        self.at.into_iter().zip(self.transaction).any(|(at, other)| at > last && other != transaction)
    }

    /// Whether the person was unassigned after a failure at `last`.
    pub(super) fn end(&self, last: Timestamp) -> bool {
        self.unassigned > last.as_millisecond()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    proptest! {
        /// Two successes kept prove as much as all of them.
        #[test]
        fn keeping_two_loses_no_proof(
            successes in prop::collection::vec((0_i64..20, 1_u32..4), 0..12),
            last in 0_i64..20,
            failed in 1_u32..4,
        ) {
            let at = |second| Timestamp::from_second(second).expect("a time");
            let mut proofs = Proofs::default();
            for (second, transaction) in &successes {
                proofs.succeeded(at(*second), *transaction);
            }
            let all = successes.iter().any(|(second, transaction)| *second > last && *transaction != failed);
            prop_assert_eq!(proofs.heal(at(last), failed), all);
        }
    }
}
