//! Wakes incidents that were hidden for a time, once it is over. What that changes is for the board to show.

use std::sync::Arc;

use domain::incident::Change;
use domain::ports::Clock;
use domain::store::Store;
use jiff::Timestamp;
use tokio::sync::Notify;
use tracing::{info, instrument};

/// Wakes incidents.
pub struct Waker {
    /// What is remembered.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Something may have been hidden.
    pub wake: Arc<Notify>,
    /// Wakes the board.
    pub board: Arc<Notify>,
}

impl Waker {
    /// One pass. Answers when the next one is due, if something is hidden.
    ///
    /// # Errors
    ///
    /// The store's.
    #[instrument(name = "wake", skip_all)]
    pub async fn pass(&self) -> anyhow::Result<Option<Timestamp>> {
        let now = self.clock.now();
        let (over, hidden): (Vec<_>, Vec<_>) =
            self.store.snoozed().await?.into_iter().partition(|(_, until)| *until <= now);
        for (number, _) in over {
            if self.store.change(number, Change::TimePassed, now).await?.is_some() {
                info!(incident = %number, "{number} wakes: its time is over");
                self.board.notify_one();
            }
        }
        Ok(hidden.into_iter().map(|(_, until)| until).min())
    }
}
