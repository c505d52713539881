//! What a route answers, and the ways it says no.

use serde_json::{Value, json};

/// An answer before it becomes HTTP.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// Nothing for 204.
    pub(super) body: Option<Value>,
}

/// Either way an answer; `Err` leaves a route early.
pub(super) type Outcome = Result<Reply, Reply>;

impl Reply {
    pub(super) fn ok(body: Value) -> Self {
        Self { status: 200, body: Some(body) }
    }

    pub(super) fn created(body: Value) -> Self {
        Self { status: 201, body: Some(body) }
    }

    pub(super) fn nothing() -> Self {
        Self { status: 204, body: None }
    }

    pub(super) fn error(status: u16, code: u32, message: &str) -> Self {
        Self { status, body: Some(json!({ "message": message, "code": code })) }
    }

    pub(super) fn unauthorized() -> Self {
        Self::error(401, 0, "401: Unauthorized")
    }

    pub(super) fn not_found() -> Self {
        Self::error(404, 0, "404: Not Found")
    }

    pub(super) fn wrong_method() -> Self {
        Self::error(405, 0, "405: Method Not Allowed")
    }

    pub(super) fn unknown_channel() -> Self {
        Self::error(404, 10003, "Unknown Channel")
    }

    pub(super) fn unknown_guild() -> Self {
        Self::error(404, 10004, "Unknown Guild")
    }

    pub(super) fn unknown_member() -> Self {
        Self::error(404, 10007, "Unknown Member")
    }

    pub(super) fn unknown_message() -> Self {
        Self::error(404, 10008, "Unknown Message")
    }

    pub(super) fn unknown_user() -> Self {
        Self::error(404, 10013, "Unknown User")
    }

    pub(super) fn unknown_webhook() -> Self {
        Self::error(404, 10015, "Unknown Webhook")
    }

    pub(super) fn unknown_interaction() -> Self {
        Self::error(404, 10062, "Unknown interaction")
    }

    pub(super) fn unknown_command() -> Self {
        Self::error(404, 10063, "Unknown application command")
    }

    pub(super) fn already_acknowledged() -> Self {
        Self::error(400, 40060, "Interaction has already been acknowledged.")
    }

    pub(super) fn missing_access() -> Self {
        Self::error(403, 50001, "Missing Access")
    }

    pub(super) fn not_yours() -> Self {
        Self::error(403, 50005, "Cannot edit a message authored by another user")
    }

    pub(super) fn empty_message() -> Self {
        Self::error(400, 50006, "Cannot send an empty message")
    }

    pub(super) fn missing_permissions() -> Self {
        Self::error(403, 50013, "Missing Permissions")
    }

    pub(super) fn invalid_webhook_token() -> Self {
        Self::error(401, 50027, "Invalid Webhook Token")
    }
}
