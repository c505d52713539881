//! What may not be read before a write ends the request at once, with what is missing: waiting would grant no right, and
//! nobody would be told.

use domain::ports::DirectoryError;
use domain::request::{Request, RequestEvent, Stage};
use domain::store::StoreError;

use super::Executor;

impl Executor {
    /// Whether Okta forbids what has to be read before anything is written. Then it has failed.
    pub(super) async fn is_forbidden(
        &self,
        request: &Request,
        failure: &DirectoryError,
    ) -> Result<bool, StoreError> {
        if request.stage != Stage::Approved || !matches!(failure, DirectoryError::Forbidden { .. }) {
            return Ok(false);
        }
        let why = format!("{failure}. Nothing was changed");
        self.step(request, RequestEvent::Refused { why }, "write.refused", |_| {}).await
    }
}
