//! When the bot may identify itself: five seconds after the last time, and so often a day at most.
//! Source: Discord, Gateway, “Session Start Limit”: beyond 1,000 a day, the token is reset.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::ports::Clock;
use jiff::SignedDuration;
use tokio::sync::{Mutex, oneshot};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::error;
use twilight_gateway::queue::Queue;

use super::session::SessionStore;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The queue that twilight asks before it identifies. What it counts is stored, so that a crash loop counts, too.
#[derive(Clone)]
pub(super) struct Identifies(Arc<Shared>);

struct Shared {
    store: Arc<dyn SessionStore>,
    clock: Arc<dyn Clock>,
    gap: Duration,
    a_day: u32,
    recheck: Duration,
    /// Held while waiting: that is what keeps the gap between two.
    last: Mutex<Option<Instant>>,
    used_up: AtomicBool,
}

impl Identifies {
    pub fn new(store: Arc<dyn SessionStore>, clock: Arc<dyn Clock>, gap: Duration, a_day: u32) -> Self {
        let (last, used_up) = (Mutex::new(None), AtomicBool::new(false));
        // Looked at as often as the gap, but not more often than a store wants to be asked.
        let recheck = (gap * 12).min(Duration::from_secs(60));
        Self(Arc::new(Shared { store, clock, gap, a_day, recheck, last, used_up }))
    }

    /// Whether today's budget is used up: then waiting is no fault of the connection.
    pub fn used_up(&self) -> bool {
        self.0.used_up.load(Ordering::Relaxed)
    }
}

impl Queue for Identifies {
    fn enqueue(&self, _shard: u32) -> oneshot::Receiver<()> {
        let (go, wait) = oneshot::channel();
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move { shared.admit(go).await });
        wait
    }
}

impl Shared {
    async fn admit(&self, mut go: oneshot::Sender<()>) {
        let mut last = tokio::select! {
            last = self.last.lock() => last,
            () = go.closed() => return,
        };
        if let Some(last) = *last {
            tokio::select! {
                () = sleep_until(last + self.gap) => {}
                () = go.closed() => return,
            }
        }
        // Another process may have identified just now.
        while self.store.identifies_since(self.clock.now() - signed(self.gap)).await > 0 {
            tokio::select! {
                () = sleep(self.gap / 5) => {}
                () = go.closed() => return,
            }
        }
        while self.store.identifies_since(self.clock.now() - DAY).await >= self.a_day {
            if !self.used_up.swap(true, Ordering::Relaxed) {
                error!(
                    "Signed in to Discord's gateway {} times within a day; waiting, or Discord would reset the token. \
                     Alerts go on, commands do not",
                    self.a_day
                );
            }
            tokio::select! {
                () = sleep(self.recheck) => {}
                () = go.closed() => return,
            }
        }
        self.used_up.store(false, Ordering::Relaxed);
        self.store.note_identify(self.clock.now()).await;
        *last = Some(Instant::now());
        // A receiver that is gone has cost one of the budget; that is the safe side.
        let _ = go.send(());
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
