//! Signing in: API tokens, and access tokens of service apps.

use super::exchange::{Answer, Call};
use super::routes::Asks;
use super::world::World;

/// What the org's authorization server knows.
#[derive(Debug, Clone, Default)]
pub(super) struct OAuth {}

impl World {
    pub(super) fn authenticate(&mut self, call: &Call) -> Result<Asks, Answer> {
        if call.path == "/oauth2/v1/token" {
            return Ok(Asks::Nobody);
        }
        let Some(authorization) = call.header("authorization") else {
            return Err(Answer::error(401, "E0000005", "Invalid session", &[]));
        };
        match authorization.split_once(' ') {
            Some(("SSWS", token)) if token == self.api_token => {
                Ok(Asks::Token(self.user_entity(&self.admin)))
            }
            _ => Err(Answer::invalid_token()),
        }
    }

    pub(super) fn grants_token(&mut self, _call: &Call) -> Result<Answer, Answer> {
        Err(Answer::oauth(401, "invalid_client", "Invalid value for 'client_id' parameter."))
    }
}
