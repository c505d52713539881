//! One person's assignment, whole: what would be lost with it, and which group gives it.

use domain::assignment::{Assignment, SavedProfile};
use domain::ids::{AppId, GroupId, UserId};
use domain::ports::DirectoryError;
use serde_json::Value;

use super::apps::{app_user, json};
use super::client::{Call, Client};
use super::transport::not_json;

impl Client {
    /// Source: `GET /api/v1/apps/{appId}/users/{userId}?expand=user`, scope `okta.apps.read`.
    pub(crate) async fn assignment(
        &self,
        app: &AppId,
        person: &UserId,
    ) -> Result<Assignment, DirectoryError> {
        let what = format!("person {person} in app {app}");
        let url = self.at(&format!("/api/v1/apps/{app}/users/{person}"), &[("expand", "user")]);
        let answer = self.ask(&Call { url, template: "/api/v1/apps/{id}/users/{id}", what: &what }).await?;
        let user = app_user(&answer)?;
        let whole: Value = json(&answer)?;
        Ok(Assignment { user, profile: profile(&whole), group: group(&whole) })
    }

    /// Source: `GET /api/v1/apps/{appId}/groups/{groupId}?expand=group`, scope `okta.apps.read`.
    pub(crate) async fn group_name(&self, app: &AppId, group: &GroupId) -> Result<String, DirectoryError> {
        let what = format!("group {group} of app {app}");
        let url = self.at(&format!("/api/v1/apps/{app}/groups/{group}"), &[("expand", "group")]);
        let answer = self.ask(&Call { url, template: "/api/v1/apps/{id}/groups/{id}", what: &what }).await?;
        let whole: Value = json(&answer)?;
        let name = whole["_embedded"]["group"]["profile"]["name"].as_str();
        name.map(str::to_owned).ok_or_else(|| not_json(&answer, "it is a group without a name"))
    }
}

/// An attribute without a value is none: written back, null would be taken for a value.
fn profile(app_user: &Value) -> SavedProfile {
    let attributes = app_user["profile"].as_object().into_iter().flatten();
    let attributes = attributes.filter(|(_, value)| !value.is_null());
    SavedProfile {
        attributes: attributes.map(|(name, value)| (name.clone(), value.to_string())).collect(),
        user_name: app_user["credentials"]["userName"].as_str().map(str::to_owned),
    }
}

/// Source: schema `LinksAppAndUser`: a link to the group where the scope is `GROUP`.
fn group(app_user: &Value) -> Option<GroupId> {
    let link = app_user["_links"]["group"]["href"].as_str()?;
    link.rsplit('/').next()?.parse().ok()
}
