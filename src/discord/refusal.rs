//! What can go wrong with a request, and what that means to those who asked.

use commands::chat::ChatError;
use domain::ids::ChannelId;
use jiff::Timestamp;
use serde_json::Value;

/// Why a request brought no answer.
#[derive(Debug, PartialEq)]
pub(super) enum Failure {
    /// Discord said no.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Discord's own code, 0 where it gave none.
        code: u64,
        /// Discord's words, with the path to each fault.
        said: String,
    },
    /// It would have had to wait for longer than a request may take.
    Limited { until: Timestamp },
    /// The bot token is refused.
    Unauthorized,
    /// No answer, or none of Discord's. It may or may not have been done.
    Unreachable { why: String },
}

impl Failure {
    /// Reads the body of a refusal. A body that is not Discord's JSON comes from something between us and Discord.
    pub fn read(status: u16, body: &[u8]) -> Self {
        let Ok(Value::Object(body)) = serde_json::from_slice(body) else {
            return Self::Unreachable {
                why: format!("something on the way answered HTTP {status} with a page that is not Discord's"),
            };
        };
        let code = body.get("code").and_then(Value::as_u64).unwrap_or(0);
        let message = body.get("message").and_then(Value::as_str).unwrap_or("no reason given");
        let mut said = message.to_owned();
        if let Some(errors) = body.get("errors") {
            flatten(errors, "", &mut said);
        }
        Self::Refused { status, code, said: said.chars().take(1_000).collect() }
    }

    /// What it means for a channel; `needs` is the permission that such a request needs.
    ///
    /// Source: Discord, Opcodes and Status Codes, “JSON Error Codes”.
    pub fn at(self, channel: ChannelId, needs: &str) -> ChatError {
        match self {
            Self::Refused { code: 10_008, .. } => ChatError::MessageGone,
            Self::Refused { code: 10_003, .. } => ChatError::ChannelGone(channel),
            Self::Refused { code: 50_001, .. } => ChatError::NoAccess(channel),
            Self::Refused { code: 50_013, said, .. } => {
                ChatError::Forbidden { channel, said: format!("{said} (it needs {needs})") }
            }
            Self::Refused { code: 30_046, .. } => ChatError::TooOld,
            Self::Refused { status: 403, said, .. } => ChatError::Forbidden { channel, said },
            other => other.anywhere(),
        }
    }

    /// What it means where no channel is concerned.
    pub fn anywhere(self) -> ChatError {
        match self {
            Self::Refused { status, code, said } => {
                ChatError::Rejected { said: format!("{said} (HTTP {status}, code {code})") }
            }
            Self::Limited { until } => ChatError::RateLimited { until },
            Self::Unauthorized => ChatError::Unauthorized,
            Self::Unreachable { why } => ChatError::Unreachable { why },
        }
    }

    /// An answer that was to be read and could not be.
    pub fn unreadable(error: &serde_json::Error) -> Self {
        // The error's own words quote the answer; its place in it does not.
        let why =
            format!("the answer cannot be understood (line {}, column {})", error.line(), error.column());
        Self::Unreachable { why }
    }
}

/// Appends every fault in a tree of errors with its path: `embeds.0.title: Must be 256 or fewer in length.`
fn flatten(errors: &Value, path: &str, said: &mut String) {
    let Value::Object(fields) = errors else { return };
    for (name, value) in fields {
        if name == "_errors" {
            for fault in value.as_array().into_iter().flatten() {
                let message = fault.get("message").and_then(Value::as_str).unwrap_or("not accepted");
                said.push_str(&format!("; {path}: {message}"));
            }
            continue;
        }
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        flatten(value, &path, said);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const HERE: ChannelId = ChannelId(7);

    fn meaning(status: u16, body: &str) -> String {
        format!("{:?}", Failure::read(status, body.as_bytes()).at(HERE, "SEND_MESSAGES"))
    }

    #[test]
    fn each_code_leads_to_a_reaction() {
        #[rustfmt::skip]
        let table = [
            (404, r#"{"code":10008,"message":"Unknown Message"}"#,      "MessageGone"),
            (404, r#"{"code":10003,"message":"Unknown Channel"}"#,      "ChannelGone(ChannelId(7))"),
            (403, r#"{"code":50001,"message":"Missing Access"}"#,       "NoAccess(ChannelId(7))"),
            (403, r#"{"code":50013,"message":"Missing Permissions"}"#,
             r#"Forbidden { channel: ChannelId(7), said: "Missing Permissions (it needs SEND_MESSAGES)" }"#),
            (403, r#"{"code":40333,"message":"no"}"#,                   r#"Forbidden { channel: ChannelId(7), said: "no" }"#),
            (400, r#"{"code":30046,"message":"edits"}"#,                "TooOld"),
            (400, r#"{"message":"x"}"#,                                 r#"Rejected { said: "x (HTTP 400, code 0)" }"#),
            (502, "<html>bad gateway</html>",
             r#"Unreachable { why: "something on the way answered HTTP 502 with a page that is not Discord's" }"#),
        ];
        for (status, body, expected) in table {
            assert_eq!(meaning(status, body), expected, "{body}");
        }
    }

    #[test]
    fn the_path_to_a_fault_is_told() {
        let body = json!({ "code": 50_035, "message": "Invalid Form Body", "errors": {
            "embeds": { "0": { "title": { "_errors": [
                { "code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 256 or fewer in length." } ] } } } } });
        let said = Failure::read(400, body.to_string().as_bytes()).at(HERE, "").to_string();
        assert_eq!(
            said,
            "Discord refused the message: Invalid Form Body; embeds.0.title: Must be 256 or fewer in length. \
             (HTTP 400, code 50035)"
        );
    }
}
