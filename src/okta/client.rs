//! Requests to the org's API: addressed to nobody else, signed, and their refusals told apart.

use domain::ports::DirectoryError;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use url::Url;

use super::auth::Auth;
use super::link::{self, Foreign, Org};
use super::refusal::Refusal;
use super::transport::{Answer, Transport, not_json};

/// One request.
pub(crate) struct Call<'a> {
    /// Where to; from [`Client::at`] or [`Client::following`] only.
    pub url: Url,
    /// Its path without ids, for the log.
    pub template: &'static str,
    /// What is asked for, in words, for errors.
    pub what: &'a str,
}

/// Why a call brought nothing.
pub(crate) enum Trouble {
    /// Okta said no.
    Refused(Refusal),
    /// Nothing the caller could make more of.
    Failed(DirectoryError),
}

impl Trouble {
    /// The error that people act on.
    pub(crate) fn into_error(self, what: &str) -> DirectoryError {
        match self {
            Self::Refused(refusal) => refusal.into_error(what),
            Self::Failed(error) => error,
        }
    }

    /// The same for a call about a provisioning feature, where any plain refusal means “not for this app”: `Refused`,
    /// with Okta's words, whatever the status. A missing scope or role stays `Forbidden`, for somebody can grant it.
    pub(crate) fn into_error_of_a_feature(self, what: &str) -> DirectoryError {
        match self {
            Self::Refused(refusal) if refusal.is_by_hand_only() => refusal.into_plain_no(),
            other => other.into_error(what),
        }
    }
}

/// One org's API.
pub(crate) struct Client {
    pub(crate) org: Org,
    pub(crate) auth: Auth,
    pub(crate) transport: Transport,
    /// Whether anything may be written to the org.
    pub(crate) writes: bool,
}

impl Client {
    /// The address of `path` with a query.
    pub(crate) fn at(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.org.at(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// The address of a page that an earlier answer named, checked again.
    pub(crate) fn following(&self, address: &str, path: &str) -> Result<Url, Foreign> {
        self.org.own(address, path)
    }

    /// Gets something, signing in anew once if the credentials are refused and that can help.
    pub(crate) async fn get(&self, call: &Call<'_>) -> Result<Answer, Trouble> {
        self.signed(Method::GET, call, None).await
    }

    /// Writes: sends this JSON, or nothing. It is never sent twice, except after a 401, which Okta answers before it does anything;
    /// what ended in any other way may have been done, and whoever asked must look before asking again.
    pub(crate) async fn write(
        &self,
        method: Method,
        call: &Call<'_>,
        json: Option<&str>,
    ) -> Result<Answer, Trouble> {
        self.signed(method, call, json).await
    }

    async fn signed(&self, method: Method, call: &Call<'_>, json: Option<&str>) -> Result<Answer, Trouble> {
        let mut tries_left = 1;
        loop {
            let mut request = reqwest::Request::new(method.clone(), call.url.clone());
            request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
            if let Some(json) = json {
                request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                *request.body_mut() = Some(json.to_owned().into());
            }
            self.auth.sign(&mut request, &self.transport, self.org.url()).await.map_err(Trouble::Failed)?;
            let signed_with = request.headers().clone();
            let answer = self.transport.exchange(request, call.template).await.map_err(Trouble::Failed)?;
            self.auth.heard(&answer.headers);
            if answer.status.is_success() {
                return Ok(answer);
            }
            let mut refusal = Refusal::read(&answer);
            refusal.is_of_a_write = method != Method::GET;
            let again = tries_left > 0
                && refusal.wants_other_credentials()
                && (refusal.wants_a_nonce() || self.auth.renew(&signed_with).await);
            if !again {
                return Err(Trouble::Refused(refusal));
            }
            tries_left -= 1;
        }
    }

    /// Where the list of this answer goes on: checked, so that nobody ever holds a foreign address.
    pub(crate) fn next(&self, answer: &Answer, path: &str) -> Result<Option<String>, DirectoryError> {
        let Some(address) = link::next(&answer.headers) else { return Ok(None) };
        match self.org.own(&address, path) {
            Ok(url) => Ok(Some(url.into())),
            Err(foreign) => Err(not_json(answer, format!("its next link is not followed: {foreign}"))),
        }
    }
}
