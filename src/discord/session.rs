//! The gateway session, kept so that it outlives the process: with it, Discord delivers what came meanwhile.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::warn;

/// A session at the gateway. Its id is not printed: with the token, it is the right to go on with it.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// Discord's id for it.
    pub id: String,
    /// The number of the last event that was handed out.
    pub sequence: u64,
    /// Where it can be gone on with.
    pub resume_url: String,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

/// Where the session is kept, and when the bot identified itself: Discord allows 1,000 times a day, and takes the
/// token away from a bot that does it more often. What fails here is logged by the store; the gateway goes on.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// The session that was saved last, if it was not forgotten since.
    async fn load(&self) -> Option<Session>;

    /// Keeps a session in place of the one before.
    async fn save(&self, session: Session);

    /// Keeps none.
    async fn forget(&self);

    /// How often the bot identified itself at `from` or later. A store that cannot tell answers with a large number.
    async fn identifies_since(&self, from: Timestamp) -> u32;

    /// Notes that the bot identifies itself, before it does.
    async fn note_identify(&self, at: Timestamp);
}

/// Saves the newest session off the socket's task, once per `every` at most.
pub(super) struct Saver {
    newest: watch::Sender<Option<Session>>,
    task: JoinHandle<()>,
}

/// At the end, the store has so long for the last session.
const LAST_SAVE: Duration = Duration::from_secs(2);

impl Saver {
    pub fn new(store: Arc<dyn SessionStore>, every: Duration) -> Self {
        let (newest, mut changes) = watch::channel(None);
        let task = tokio::spawn(async move {
            while changes.changed().await.is_ok() {
                let session: Option<Session> = changes.borrow_and_update().clone();
                match session {
                    Some(session) => store.save(session).await,
                    None => store.forget().await,
                }
                // The last of all is not kept waiting: a closed channel ends the pause.
                tokio::select! {
                    () = sleep(every) => {}
                    () = closed(&changes) => {}
                }
            }
        });
        Self { newest, task }
    }

    /// Saves a session soon; `None` forgets the saved one.
    pub fn save_soon(&self, session: Option<Session>) {
        self.newest.send_replace(session);
    }

    /// Saves what is not saved yet.
    pub async fn flush(self) {
        drop(self.newest);
        if timeout(LAST_SAVE, self.task).await.is_err() {
            warn!(
                "The gateway session could not be saved in time; clicks made during the restart may be lost"
            );
        }
    }
}

async fn closed(changes: &watch::Receiver<Option<Session>>) {
    let mut changes = changes.clone();
    while changes.changed().await.is_ok() {}
}
