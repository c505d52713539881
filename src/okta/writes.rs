//! The four things that Provost writes to an org: the one capability, a push, and an assignment taken away and given
//! again. An app itself is never `PUT`: that has taken provisioning away.
//!
//! **Invariant:** a request that may have been done is never sent again from here.

use std::collections::HashMap;

use domain::assignment::SavedProfile;
use domain::ids::{AppId, UserId};
use domain::ports::{DirectoryError, Written};
use reqwest::Method;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::client::{Call, Client, Trouble};
use super::transport::{Answer, not_json};

/// The one capability, and nothing else. Source: Okta management API, `updateFeatureForApplication`, 2026.06.3: "This
/// endpoint supports partial updates."
const DEACTIVATE_USERS_ON: &str = r#"{"update":{"lifecycleDeactivate":{"status":"ENABLED"}}}"#;

/// An unchanged profile, which makes Okta push it. Echoing the whole app user has been answered with a 500.
/// Source: okta-sdk-java#1532.
const UNCHANGED: &str = r#"{"profile":{}}"#;

impl Client {
    /// A plain refusal is `Refused`: the API does not do this for the app, and a person must.
    ///
    /// Source: `PUT /api/v1/apps/{appId}/features/USER_PROVISIONING`, scope `okta.apps.manage`.
    pub(crate) async fn enable(&self, app: &AppId) -> Result<Written, DirectoryError> {
        self.may_write()?;
        let what = format!("the provisioning settings of app {app}");
        let url = self.at(&format!("/api/v1/apps/{app}/features/USER_PROVISIONING"), &[]);
        let call = Call { url, template: "/api/v1/apps/{id}/features/USER_PROVISIONING", what: &what };
        let answer = self.write(Method::PUT, &call, Some(DEACTIVATE_USERS_ON)).await;
        taken(&answer.map_err(|trouble| trouble.into_error_of_a_feature(&what))?)
    }

    /// Source: `POST /api/v1/apps/{appId}/users/{userId}`, scope `okta.apps.manage`.
    pub(crate) async fn push(&self, app: &AppId, person: &UserId) -> Result<Written, DirectoryError> {
        self.may_write()?;
        let what = format!("person {person} in app {app}");
        let url = self.at(&format!("/api/v1/apps/{app}/users/{person}"), &[]);
        let call = Call { url, template: "/api/v1/apps/{id}/users/{id}", what: &what };
        let answer = self.write(Method::POST, &call, Some(UNCHANGED)).await;
        taken(&answer.map_err(|trouble| trouble.into_error(&what))?)
    }

    /// No e-mail is asked for: `sendEmail` is false by default.
    ///
    /// Source: `DELETE /api/v1/apps/{appId}/users/{userId}`, scope `okta.apps.manage`: "This is a destructive operation.
    /// You can't recover the user's app profile."
    pub(crate) async fn unassign(&self, app: &AppId, person: &UserId) -> Result<Written, DirectoryError> {
        self.may_write()?;
        let what = format!("person {person} in app {app}");
        let url = self.at(&format!("/api/v1/apps/{app}/users/{person}"), &[]);
        let call = Call { url, template: "/api/v1/apps/{id}/users/{id}", what: &what };
        let answer = self.write(Method::DELETE, &call, None).await;
        taken(&answer.map_err(|trouble| trouble.into_error(&what))?)
    }

    /// Neither a password nor a name in the app is sent: Okta refuses them where the app's scheme has none ("Credentials
    /// should not be set on this resource based on the scheme."), and makes the name anew from the app's template.
    ///
    /// Source: `POST /api/v1/apps/{appId}/users`, scope `okta.apps.manage`.
    pub(crate) async fn assign(
        &self,
        app: &AppId,
        person: &UserId,
        profile: Option<&SavedProfile>,
    ) -> Result<Written, DirectoryError> {
        self.may_write()?;
        let what = format!("app {app}, or person {person}");
        let url = self.at(&format!("/api/v1/apps/{app}/users"), &[]);
        let call = Call { url, template: "/api/v1/apps/{id}/users", what: &what };
        let body = assignment(person, profile)?.to_string();
        let answer = self.write(Method::POST, &call, Some(&body)).await;
        taken(&answer.map_err(|trouble| match trouble {
            // A mapped attribute may not be given another value. The status is that of a missing right, and is none.
            Trouble::Refused(refusal) if refusal.code == "E0000075" => refusal.into_plain_no(),
            other => other.into_error(&what),
        })?)
    }

    /// With `writes = false` nothing is written, whatever an API token would allow and whoever asks.
    fn may_write(&self) -> Result<(), DirectoryError> {
        if self.writes {
            return Ok(());
        }
        let said = "Provost may only read this org; nothing was sent".to_owned();
        Err(DirectoryError::Forbidden {
            said,
            missing: "`writes = true` in the org's configuration".to_owned(),
        })
    }
}

/// Attributes without a value were never saved: Okta takes null for a value of its own.
fn assignment(person: &UserId, profile: Option<&SavedProfile>) -> Result<Value, DirectoryError> {
    let mut body = json!({ "id": person.as_str(), "scope": "USER" });
    if let Some(profile) = profile {
        let mut attributes = Map::new();
        for (name, value) in &profile.attributes {
            let value = serde_json::from_str(value).map_err(|_| DirectoryError::Refused {
                code: "a saved attribute".to_owned(),
                said: format!("{name} cannot be read any more; nothing was sent"),
            })?;
            attributes.insert(name.clone(), value);
        }
        body["profile"] = Value::Object(attributes);
    }
    Ok(body)
}

/// Okta's yes. A page that something between us and Okta made is none: what became of the request is unclear then.
fn taken(answer: &Answer) -> Result<Written, DirectoryError> {
    if !answer.body.trim_ascii().is_empty() {
        serde_json::from_slice::<HashMap<String, IgnoredAny>>(&answer.body)
            .map_err(|error| not_json(answer, error))?;
    }
    Ok(Written { okta_request: answer.okta_request().map(str::to_owned) })
}
