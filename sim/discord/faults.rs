//! What goes wrong on request: the next answers are spoilt as told.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How an answer goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// 429. Nothing was carried out.
    RateLimited {
        /// Seconds to wait, as told to the client.
        retry_after: f64,
        /// Whose limit it was.
        scope: Scope,
    },
    /// That status with a JSON body; nothing was carried out.
    Status(u16),
    /// That status with a page of HTML from the proxy before Discord; nothing was carried out.
    Html(u16),
    /// The connection is closed before an answer; nothing was carried out.
    Drop,
    /// The request is carried out, and the connection closed without an answer.
    DropAfter,
    /// The request is carried out, and the answer takes that long.
    Slow(Duration),
    /// The request is carried out, and the connection closed in the middle of the answer's body.
    CutBody,
}

/// Whose rate limit was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The bot's, on this route.
    User,
    /// The bot's, on all routes.
    Global,
    /// Everybody's, on this resource; it is not held against the bot.
    Shared,
}

impl Scope {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Global => "global",
            Self::Shared => "shared",
        }
    }
}

/// The faults that are still to come.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Planned>>>);

#[derive(Debug)]
struct Planned {
    left: usize,
    needle: String,
    fault: Fault,
}

impl Faults {
    /// Spoils the next `n` requests whose "METHOD /path" contains `needle`. What was planned first comes first.
    pub fn next(&self, n: usize, needle: &str, fault: Fault) {
        let planned = Planned { left: n, needle: needle.to_owned(), fault };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(planned);
    }

    /// Nothing goes wrong any more.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many spoilt answers are still to come.
    pub fn left(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|planned| planned.left).sum()
    }

    pub(super) fn take(&self, request: &str) -> Option<Fault> {
        let mut planned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hit = planned.iter_mut().find(|planned| planned.left > 0 && request.contains(&planned.needle))?;
        hit.left -= 1;
        let fault = hit.fault.clone();
        planned.retain(|planned| planned.left > 0);
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_in_order_and_only_where_they_were_planned() {
        let faults = Faults::default();
        faults.next(1, "POST /api/v10/channels", Fault::Drop);
        faults.next(1, "/messages", Fault::Status(502));

        assert_eq!(faults.take("GET /api/v10/gateway"), None);
        assert_eq!(faults.take("POST /api/v10/channels/1/messages"), Some(Fault::Drop));
        assert_eq!(faults.take("POST /api/v10/channels/1/messages"), Some(Fault::Status(502)));
        assert_eq!(faults.left(), 0);
    }
}
