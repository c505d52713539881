//! What is said of a push of which no proof came in time: what comes next, and of which kind the failure was, if the log
//! told of one that no alert is for.

use domain::ids::UserId;
use domain::request::{Action, Method, Outcome, Request};
use domain::store::StoreError;
use jiff::Timestamp;

use super::Executor;

impl Executor {
    /// The outcome of a person who was pushed at a time by Okta's clock.
    pub(super) async fn no_proof(
        &self,
        request: &Request,
        person: &UserId,
        pushed: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let frozen = &request.frozen;
        let mut why = match frozen.action {
            Action::Fixed => "no push of this person has succeeded since",
            _ if frozen.method == Method::Guided => {
                "no proof came within 24 hours; next: the diagnosis, and the app's support"
            }
            Action::Enable | Action::Retry | Action::Reassign => {
                "no proof came in time; next: retry in the console under Dashboard > Tasks"
            }
        }
        .to_owned();
        if let Some(cause) = self.store.newest_cause(&frozen.org, &frozen.app.id, person, pushed).await? {
            why.push_str(&format!(
                "; since then Okta's log tells of a failure of the kind “{}”, and the diagnosis says what that means",
                cause.as_str()
            ));
        }
        Ok(Outcome::Failed { why })
    }
}
