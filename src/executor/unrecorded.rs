//! No audit, no write: a step whose entry cannot be kept is not taken, and that is told in the channel.

use domain::notice::Told;
use domain::request::Request;
use domain::store::StoreError;
use tracing::warn;

use super::{ABANDONED, Executor};

impl Executor {
    /// Tells that a request cannot go on, once that has lasted for a while. Where not even the notice can be kept, the
    /// log has it, and the part is not ready.
    pub(super) async fn cannot_record(&self, request: &Request, failure: &StoreError) {
        let now = self.clock.now();
        let since = *self.unrecorded.entry(request.number).or_insert(now);
        if now - since < ABANDONED {
            return;
        }
        let told = Told::Unrecorded {
            request: request.number,
            app: request.frozen.app.clone(),
            why: failure.to_string(),
        };
        match self.store.add_notice(&request.frozen.org, &told, now).await {
            Ok(_) => self.board.notify_one(),
            Err(failure) => {
                warn!(
                    error = &failure as &dyn std::error::Error,
                    "That nothing can be recorded cannot be told"
                );
            }
        }
    }
}
