//! The System Log.

use domain::facts::{LogFrom, LogPage};
use domain::ids::AppId;
use domain::ports::DirectoryError;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};

use super::client::{Call, Client, Trouble};
use super::transport::{Answer, not_json};
use super::wire::{LogEntries, NotALog, parse_log_page};

/// What the watcher asks the log for: pushes of every outcome, changes of apps' settings, and unassignments.
///
/// Nothing in it hangs on an outcome or a legacy type: what exactly our failure's entry says is not documented.
pub const LOG_FILTER: &str = "eventType sw \"application.provision.user.\" \
     or eventType eq \"application.lifecycle.update\" \
     or eventType eq \"application.user_membership.remove\"";

/// Entries in a full page: the most that Okta gives.
pub const LOG_PAGE: usize = 1_000;

/// A body of so many bytes takes longer to parse than to hand to another thread.
const LONG: usize = 64 * 1024;

const PATH: &str = "/api/v1/logs";
pub(crate) const WHAT: &str = "the System Log";

/// Names [`LOG_FILTER`]. A cursor goes on with the filter that it was made with, so it is stored with this, and given
/// up when the filter has changed.
pub fn filter_hash() -> String {
    digest(&SHA256, LOG_FILTER.as_bytes()).as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Client {
    /// One page of the log as a polling request: ascending and without an end, so that Okta goes by the time at which
    /// it stored the entries, misses none, and always names a next page.
    ///
    /// Source: `GET /api/v1/logs`, Okta management API 2026.06.3; "System Log query", polling requests.
    pub(crate) async fn log(&self, from: &LogFrom) -> Result<LogPage, DirectoryError> {
        let url = match from {
            LogFrom::Since(since) => {
                let since = instant(*since);
                let query = [("since", since.as_str()), ("filter", LOG_FILTER), ("limit", "1000")];
                let mut url = self.at(PATH, &query);
                url.query_pairs_mut().append_pair("sortOrder", "ASCENDING");
                url
            }
            LogFrom::Cursor(cursor) => self
                .following(cursor, PATH)
                .map_err(|foreign| DirectoryError::CursorRefused { said: foreign.to_string() })?,
        };
        let on_a_cursor = matches!(from, LogFrom::Cursor(_));
        let answer = self.get(&Call { url, template: PATH, what: WHAT }).await;
        self.log_page(answer.map_err(|trouble| cursor_or(trouble, on_a_cursor))?).await
    }

    /// One page of one app's log between two times, newest first. Bounded, so late entries may be missing from it:
    /// good enough for a diagnosis, never for watching.
    ///
    /// Source: as [`log`](Self::log); bounded requests. `target.id` is among the fields that a filter may name.
    pub(crate) async fn app_log(
        &self,
        app: &AppId,
        since: Timestamp,
        until: Timestamp,
        after: Option<&str>,
    ) -> Result<LogPage, DirectoryError> {
        let url = match after {
            None => {
                let filter = format!("target.id eq \"{app}\" and ({LOG_FILTER})");
                let (since, until) = (instant(since), instant(until));
                let query = [
                    ("since", since.as_str()),
                    ("until", &until),
                    ("filter", &filter),
                    ("limit", "1000"),
                    ("sortOrder", "DESCENDING"),
                ];
                self.at(PATH, &query)
            }
            Some(after) => self
                .following(after, PATH)
                .map_err(|foreign| DirectoryError::CursorRefused { said: foreign.to_string() })?,
        };
        let answer = self.get(&Call { url, template: PATH, what: WHAT }).await;
        self.log_page(answer.map_err(|trouble| cursor_or(trouble, after.is_some()))?).await
    }

    async fn log_page(&self, mut answer: Answer) -> Result<LogPage, DirectoryError> {
        let next = self.next(&answer, PATH)?;
        let (entries, body) = parsed(std::mem::take(&mut answer.body)).await;
        answer.body = body;
        let entries = entries.map_err(|error| not_json(&answer, error))?;
        let (events, unreadable, held) = (entries.events, entries.unreadable, entries.held);
        Ok(LogPage { events, unreadable, held, next, answered: answer.date })
    }
}

/// Parses a page: a long one, which takes milliseconds, on a thread where it keeps no command waiting for its answer.
async fn parsed(body: Vec<u8>) -> (Result<LogEntries, NotALog>, Vec<u8>) {
    let parse = |body: Vec<u8>| (parse_log_page(&body), body);
    if body.len() < LONG {
        return parse(body);
    }
    match tokio::task::spawn_blocking(move || parse(body)).await {
        Ok(parsed) => parsed,
        Err(ended) => std::panic::resume_unwind(ended.into_panic()),
    }
}

/// A time as Okta writes them: to the millisecond.
fn instant(time: Timestamp) -> String {
    format!("{time:.3}")
}

fn cursor_or(trouble: Trouble, on_a_cursor: bool) -> DirectoryError {
    match trouble {
        Trouble::Refused(refusal) if on_a_cursor && refusal.is_about_a_position() => {
            DirectoryError::CursorRefused { said: refusal.said() }
        }
        trouble => trouble.into_error(WHAT),
    }
}
