//! Okta's way of saying no, and what we do about it.

use domain::ports::DirectoryError;
use reqwest::StatusCode;
use reqwest::header::WWW_AUTHENTICATE;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::lenient::{MayBeMissing, Text, missing_from, wanted};
use super::transport::{Answer, not_json, text};

/// A 4xx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub status: StatusCode,
    /// `errorCode`, or OAuth's `error`; empty if the body has neither.
    pub code: String,
    summary: String,
    causes: Vec<String>,
    /// The `scope` and `error` of `WWW-Authenticate`.
    challenge: Option<String>,
    request_id: String,
    /// Whether something was to be changed: that takes a role of its own.
    pub is_of_a_write: bool,
    /// Why the body is not Okta's, if it is something else's: a page of a proxy, or of an org that is no more.
    garbled: Option<String>,
}

/// Enough for any sentence of Okta's, and little enough for a log line.
const MOST_WORDS: usize = 500;

wanted! {
    /// Source: Okta management API, schema `Error`, 2026.06.3; RFC 6749, section 5.2.
    struct Body<'a> {
        code: Text<'a> = "errorCode",
        summary: Text<'a> = "errorSummary",
        causes: Causes = "errorCauses",
        oauth_code: Text<'a> = "error",
        oauth_summary: Text<'a> = "error_description",
    }
    struct Cause<'a> {
        summary: Text<'a> = "errorSummary",
    }
}

impl Refusal {
    pub(crate) fn read(answer: &Answer) -> Self {
        let parsed = serde_json::from_slice::<Body<'_>>(&answer.body);
        let empty = answer.body.trim_ascii().is_empty();
        let garbled =
            parsed.as_ref().err().filter(|_| !empty).map(|error| not_json(answer, error).to_string());
        let body = parsed.unwrap_or_default();
        let first =
            |one: &Text<'_>, other: &Text<'_>| one.owned().or_else(|| other.owned()).unwrap_or_default();
        Self {
            status: answer.status,
            code: first(&body.code, &body.oauth_code),
            summary: first(&body.summary, &body.oauth_summary),
            causes: body.causes.0,
            challenge: text(&answer.headers, &WWW_AUTHENTICATE).map(str::to_owned),
            request_id: answer.request_id().to_owned(),
            is_of_a_write: false,
            garbled,
        }
    }

    /// Okta's words, with its id for the request.
    pub(crate) fn said(&self) -> String {
        let words = match &self.garbled {
            Some(garbled) => return garbled.clone(),
            None if self.summary.is_empty() && self.code.is_empty() => self.status.to_string(),
            None if self.summary.is_empty() => self.code.clone(),
            None => self.summary.clone(),
        };
        let causes = self.causes.iter().filter(|cause| **cause != words).cloned();
        let words = std::iter::once(words.clone()).chain(causes).collect::<Vec<_>>().join("; ");
        let words: String = words.chars().filter(|sign| !sign.is_control()).take(MOST_WORDS).collect();
        format!("{words} (request {})", self.request_id)
    }

    /// Whether only the newest nonce was missing from the proof. Source: RFC 9449, section 9.
    pub(crate) fn wants_a_nonce(&self) -> bool {
        self.parameter("error") == Some("use_dpop_nonce")
    }

    /// Whether it is the credentials that were refused, so that newer ones may be taken.
    pub(crate) fn wants_other_credentials(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED && !self.is_about_a_feature()
    }

    /// Whether it means that Okta's API does not do this for this app. Source: Okta error codes, E0000015: "You do not
    /// have permission to access the feature you are requesting".
    ///
    /// A missing scope or role is another thing: somebody can grant it.
    pub(crate) fn is_by_hand_only(&self) -> bool {
        match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => self.is_about_a_feature(),
            _ => self.garbled.is_none(),
        }
    }

    /// Whether it says that a position in a list is no good, and is Okta's own word.
    pub(crate) fn is_about_a_position(&self) -> bool {
        let known = [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND, StatusCode::GONE];
        known.contains(&self.status) && self.garbled.is_none()
    }

    fn is_about_a_feature(&self) -> bool {
        self.code == "E0000015" && self.parameter("error").is_none()
    }

    /// A no that nobody can turn into a yes by a right or by another try.
    pub(crate) fn into_plain_no(self) -> DirectoryError {
        let said = self.said();
        let code = if self.code.is_empty() { self.status.as_u16().to_string() } else { self.code };
        DirectoryError::Refused { code, said }
    }

    /// The error that people act on; `what` was asked for.
    pub(crate) fn into_error(self, what: &str) -> DirectoryError {
        let said = self.said();
        match self.status {
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED if self.is_about_a_feature() => {
                let missing = "a feature that the org has not enabled, or the right to use it".to_owned();
                DirectoryError::Forbidden { said, missing }
            }
            StatusCode::UNAUTHORIZED => DirectoryError::Unauthorized { said },
            StatusCode::FORBIDDEN => DirectoryError::Forbidden { said, missing: self.missing(what) },
            _ if self.garbled.is_some() => DirectoryError::BadAnswer { why: said },
            // Only Okta itself may say that a thing is gone: incidents end by it.
            StatusCode::NOT_FOUND if !self.code.is_empty() => DirectoryError::Gone { what: what.to_owned() },
            _ => self.into_plain_no(),
        }
    }

    /// Source: Okta support, "403 Forbidden error using an Okta connector Action card"; Okta help, standard roles, and
    /// "Okta API permissions" for what is written.
    fn missing(&self, what: &str) -> String {
        match self.parameter("scope") {
            Some(scope) => format!("the scope {scope}"),
            None if what == super::log::WHAT => {
                "a role that may read the System Log, such as Report Administrator or Read-only Administrator"
                    .to_owned()
            }
            None if self.is_of_a_write => {
                "a role that may change apps and their assignments, such as Application Administrator"
                    .to_owned()
            }
            None => "a role that may read apps and people, such as Read-only Administrator".to_owned(),
        }
    }

    /// A parameter of `WWW-Authenticate`.
    fn parameter(&self, name: &str) -> Option<&str> {
        let challenge = self.challenge.as_deref()?;
        let at = challenge.find(&format!("{name}=\""))? + name.len() + 2;
        challenge[at..].split('"').next().filter(|value| !value.is_empty())
    }
}

/// `errorCauses`: a list as documented, or an object as in one of the documentation's own examples.
#[derive(Debug, Default)]
struct Causes(Vec<String>);

impl MayBeMissing for Causes {
    fn is_missing(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Causes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collecting;
        impl<'de> Visitor<'de> for Collecting {
            type Value = Causes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("causes")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Causes, A::Error> {
                let mut causes = Vec::new();
                while let Some(cause) = list.next_element::<Cause<'_>>()? {
                    causes.extend(cause.summary.owned());
                }
                Ok(Causes(causes))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Causes, A::Error> {
                let cause = Cause::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Causes(cause.summary.owned().into_iter().collect()))
            }

            missing_from!('de: bool number text null);
        }
        deserializer.deserialize_any(Collecting)
    }
}
