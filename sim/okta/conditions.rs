//! What the org is like: what its pushes log, who may sign in, how much it lets one ask.

use jiff::SignedDuration;

use super::oauth::Client;
use super::{FailureShape, Okta};

/// What pushes log, and when.
impl Okta {
    /// What a push to an inactive account logs from now on.
    pub fn failures_log(&self, shape: FailureShape) {
        self.org.world().shape = shape;
    }

    /// From now on the `sync` failure comes into the log before the event with the reason.
    pub fn sync_logs_first(&self) {
        self.org.world().sync_logs_first = true;
    }

    /// From now on a push that succeeds logs nothing: only the app user shows it.
    pub fn successes_log_nothing(&self) {
        self.org.world().successes_are_silent = true;
    }

    /// Pushes take this long from now on; until then the app user is SYNCING.
    pub fn pushes_take(&self, time: SignedDuration) {
        self.org.world().pushes_take = time;
    }

    /// From now on events come into the log this long after they happen, which is the time they bear. Zero ends it:
    /// what happens then overtakes what is still on its way.
    pub fn arrives_late(&self, by: SignedDuration) {
        self.org.world().lateness = by;
    }
}

/// Signing in, and limits.
impl Okta {
    /// A service app with these scopes granted. The key is a JWK, see [`public_key_of`](super::public_key_of);
    /// with `dpop`, as Okta has it by default, every token is bound to a key and every request needs a proof.
    pub fn registers_service_app(
        &self,
        client_id: &str,
        public_key: &serde_json::Value,
        scopes: &[&str],
        dpop: bool,
    ) {
        self.org.world().oauth.clients.push(Client {
            id: client_id.to_owned(),
            public_key: public_key.clone(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            needs_proof: dpop,
        });
    }

    /// All access tokens end now. The next request with one is answered 401.
    pub fn revokes_tokens(&self) {
        self.org.world().oauth.tokens.clear();
    }

    /// The API token is replaced by this one.
    pub fn replaces_api_token(&self, token: &str) {
        token.clone_into(&mut self.org.world().api_token);
    }

    /// Whether the token endpoint wants another nonce each time, rather than another one each day.
    pub fn changes_dpop_nonce_every_request(&self, changes: bool) {
        self.org.world().oauth.proofs.changes_every_request = changes;
    }

    /// So many requests a minute for a bucket: `/api/v1/logs`, `/api/v1/apps` (with all below an app),
    /// `/api/v1/apps/{id}`, `/api/v1/users/{id}`, `/oauth2/v1/token`, or `/api/v1` for the rest.
    pub fn rate_limit(&self, bucket: &str, per_minute: u32) {
        self.org.world().limits.set(bucket, per_minute);
    }
}
