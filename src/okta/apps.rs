//! Apps, their provisioning settings, and their people.

use std::collections::BTreeMap;

use domain::event::{App, Person};
use domain::facts::{AppFacts, AppUser, Connection, Page, ProvisioningFeature, Scope};
use domain::ids::{AppId, UserId};
use domain::ports::DirectoryError;
use serde::Deserialize;
use serde_json::Value;
use tracing::warn;

use super::client::{Call, Client, Trouble};
use super::lenient::{List, Text, timestamp, wanted};
use super::transport::{Answer, not_json};

wanted! {
    struct WireApp<'a> {
        id: Text<'a> = "id",
        kind: Text<'a> = "name",
        label: Text<'a> = "label",
        status: Text<'a> = "status",
        features: List<Text<'a>> = "features",
    }
    struct WireFeature<'a> {
        status: Text<'a> = "status",
        capabilities: Capabilities<'a> = "capabilities",
    }
    struct Capabilities<'a> {
        update: Update<'a> = "update",
    }
    struct Update<'a> {
        lifecycle_deactivate: Status<'a> = "lifecycleDeactivate",
    }
    struct Status<'a> {
        status: Text<'a> = "status",
    }
    struct WireAppUser<'a> {
        id: Text<'a> = "id",
        external_id: Text<'a> = "externalId",
        scope: Text<'a> = "scope",
        status: Text<'a> = "status",
        sync_state: Text<'a> = "syncState",
        status_changed: Text<'a> = "statusChanged",
        last_sync: Text<'a> = "lastSync",
        credentials: WireCredentials<'a> = "credentials",
        embedded: Embedded<'a> = "_embedded",
    }
    struct WireCredentials<'a> {
        user_name: Text<'a> = "userName",
    }
    struct Embedded<'a> {
        user: WireUser<'a> = "user",
    }
    struct WireUser<'a> {
        status: Text<'a> = "status",
        profile: Profile<'a> = "profile",
    }
    struct Profile<'a> {
        login: Text<'a> = "login",
        name: Text<'a> = "displayName",
        first_name: Text<'a> = "firstName",
        last_name: Text<'a> = "lastName",
    }
}

impl Client {
    /// Source: `GET /api/v1/apps/{appId}`, scope `okta.apps.read`.
    pub(crate) async fn app(&self, app: &AppId) -> Result<AppFacts, DirectoryError> {
        let what = format!("app {app}");
        let url = self.at(&format!("/api/v1/apps/{app}"), &[]);
        let answer = self.ask(&Call { url, template: "/api/v1/apps/{id}", what: &what }).await?;
        json::<WireApp<'_>>(&answer)?.facts().ok_or_else(|| not_json(&answer, "it is an app without an id"))
    }

    /// Source: `GET /api/v1/apps`, scope `okta.apps.read`; at most 200 a page.
    pub(crate) async fn apps(&self, after: Option<&str>) -> Result<Page<AppFacts>, DirectoryError> {
        const PATH: &str = "/api/v1/apps";
        let url = self.page(PATH, &[("filter", "status eq \"ACTIVE\""), ("limit", "200")], after)?;
        let answer = self.ask(&Call { url, template: PATH, what: "the list of apps" }).await?;
        let items = list(&answer, "apps", |app: &WireApp<'_>| app.facts())?;
        Ok(Page { items, next: self.next(&answer, PATH)? })
    }

    /// Source: `GET /api/v1/apps/{appId}/features/USER_PROVISIONING`, scope `okta.apps.read`. Its documentation names six
    /// kinds of app; what it answers for another is not documented, so any plain refusal means “by hand”.
    pub(crate) async fn provisioning_feature(
        &self,
        app: &AppId,
    ) -> Result<ProvisioningFeature, DirectoryError> {
        let what = format!("the provisioning settings of app {app}");
        let url = self.at(&format!("/api/v1/apps/{app}/features/USER_PROVISIONING"), &[]);
        let call = Call { url, template: "/api/v1/apps/{id}/features/USER_PROVISIONING", what: &what };
        let answer = match self.get(&call).await {
            Ok(answer) => answer,
            Err(Trouble::Refused(refusal)) if refusal.is_by_hand_only() => {
                return Ok(ProvisioningFeature::ByHandOnly { why: refusal.said() });
            }
            Err(trouble) => return Err(trouble.into_error(&what)),
        };
        let feature: WireFeature<'_> = json(&answer)?;
        let deactivation = feature.capabilities.update.lifecycle_deactivate.status.get();
        Ok(ProvisioningFeature::Readable {
            enabled: feature.status.get().is_some_and(is_enabled),
            deactivates_users: deactivation.map(is_enabled),
        })
    }

    /// Source: `GET /api/v1/apps/{appId}/connections/default`, scope `okta.apps.read`. A plain refusal is taken for its
    /// `UNKNOWN`: "Provisioning isn't supported by the app".
    pub(crate) async fn connection(&self, app: &AppId) -> Result<Connection, DirectoryError> {
        let what = format!("the provisioning connection of app {app}");
        let url = self.at(&format!("/api/v1/apps/{app}/connections/default"), &[]);
        let call = Call { url, template: "/api/v1/apps/{id}/connections/default", what: &what };
        let answer = match self.get(&call).await {
            Ok(answer) => answer,
            Err(Trouble::Refused(refusal)) if refusal.is_by_hand_only() => return Ok(Connection::Unknown),
            Err(trouble) => return Err(trouble.into_error(&what)),
        };
        Ok(match json::<Status<'_>>(&answer)?.status.get() {
            Some("ENABLED") => Connection::Enabled,
            Some("DISABLED") => Connection::Disabled,
            Some(_) | None => Connection::Unknown,
        })
    }

    /// Source: `GET /api/v1/apps/{appId}/users?expand=user`, scope `okta.apps.read`; at most 500 a page.
    pub(crate) async fn app_users(
        &self,
        app: &AppId,
        after: Option<&str>,
    ) -> Result<Page<AppUser>, DirectoryError> {
        let what = format!("the people of app {app}");
        let path = format!("/api/v1/apps/{app}/users");
        let url = self.page(&path, &[("expand", "user"), ("limit", "500")], after)?;
        let answer = self.ask(&Call { url, template: "/api/v1/apps/{id}/users", what: &what }).await?;
        let items = list(&answer, "people", |user: &WireAppUser<'_>| user.facts())?;
        Ok(Page { items, next: self.next(&answer, &path)? })
    }

    /// Source: `GET /api/v1/apps/{appId}/users/{userId}?expand=user`, scope `okta.apps.read`.
    pub(crate) async fn app_user(&self, app: &AppId, person: &UserId) -> Result<AppUser, DirectoryError> {
        let what = format!("person {person} in app {app}");
        let url = self.at(&format!("/api/v1/apps/{app}/users/{person}"), &[("expand", "user")]);
        let answer = self.ask(&Call { url, template: "/api/v1/apps/{id}/users/{id}", what: &what }).await?;
        app_user(&answer)
    }

    /// What one reading is compared with another by, so an answer without capabilities is none: taken for “nothing”, it
    /// would hide a change.
    ///
    /// Source: `GET /api/v1/apps/{appId}/features/USER_PROVISIONING`, scope `okta.apps.read`.
    pub(crate) async fn capabilities(&self, app: &AppId) -> Result<BTreeMap<String, String>, DirectoryError> {
        let what = format!("the provisioning settings of app {app}");
        let url = self.at(&format!("/api/v1/apps/{app}/features/USER_PROVISIONING"), &[]);
        let call = Call { url, template: "/api/v1/apps/{id}/features/USER_PROVISIONING", what: &what };
        let answer = self.get(&call).await.map_err(|trouble| trouble.into_error_of_a_feature(&what))?;
        let feature: Value = json(&answer)?;
        let capabilities = &feature["capabilities"];
        if !capabilities.is_object() {
            return Err(not_json(&answer, "it names no capabilities"));
        }
        let mut flat = BTreeMap::new();
        flatten(capabilities, &mut String::new(), &mut flat);
        Ok(flat)
    }

    pub(super) async fn ask(&self, call: &Call<'_>) -> Result<Answer, DirectoryError> {
        self.get(call).await.map_err(|trouble| trouble.into_error(call.what))
    }

    fn page(
        &self,
        path: &str,
        query: &[(&str, &str)],
        after: Option<&str>,
    ) -> Result<url::Url, DirectoryError> {
        let Some(after) = after else { return Ok(self.at(path, query)) };
        let refused =
            |foreign| DirectoryError::BadAnswer { why: format!("its next link is not followed: {foreign}") };
        self.following(after, path).map_err(refused)
    }
}

impl WireApp<'_> {
    fn facts(&self) -> Option<AppFacts> {
        let id: AppId = self.id.get()?.parse().ok()?;
        let label = self.label.get().or(self.kind.get()).unwrap_or(id.as_str()).to_owned();
        Some(AppFacts {
            app: App { id, label },
            kind: self.kind.owned().unwrap_or_default(),
            active: self.status.get() == Some("ACTIVE"),
            features: self.features.0.iter().filter_map(Text::owned).collect(),
        })
    }
}

impl WireAppUser<'_> {
    fn facts(&self) -> Option<AppUser> {
        let id = self.id.get()?.parse().ok()?;
        let Profile { login, name, first_name, last_name } = &self.embedded.user.profile;
        let names: Vec<_> = [first_name, last_name].into_iter().filter_map(Text::get).collect();
        let whole_name = (!names.is_empty()).then(|| names.join(" "));
        let login = login.owned().or_else(|| self.credentials.user_name.owned());
        // What must not be done to people assigned through a group is not done to people of an unknown scope.
        let scope = if self.scope.get() == Some("USER") { Scope::Person } else { Scope::Group };
        Some(AppUser {
            person: Person { id, login, name: name.owned().or(whole_name) },
            scope,
            status: self.status.owned().unwrap_or_default(),
            sync_state: self.sync_state.owned(),
            has_external_id: self.external_id.get().is_some(),
            status_changed: self.status_changed.get().and_then(timestamp),
            last_sync: self.last_sync.get().and_then(timestamp),
            okta_status: self.embedded.user.status.owned(),
        })
    }
}

/// The app user of an answer that is one.
pub(super) fn app_user(answer: &Answer) -> Result<AppUser, DirectoryError> {
    let without_id = || not_json(answer, "it is a person without an id");
    json::<WireAppUser<'_>>(answer)?.facts().ok_or_else(without_id)
}

/// The login of a user as `GET /api/v1/users/…` describes them.
pub(crate) fn login(answer: &Answer) -> Result<String, DirectoryError> {
    json::<WireUser<'_>>(answer)?
        .profile
        .login
        .owned()
        .ok_or_else(|| not_json(answer, "it is a user without a login"))
}

/// Every leaf of a JSON value under its path.
fn flatten(node: &Value, path: &mut String, flat: &mut BTreeMap<String, String>) {
    let mut step = |name: &str, node: &Value| {
        let length = path.len();
        if length > 0 {
            path.push('.');
        }
        path.push_str(name);
        flatten(node, path, flat);
        path.truncate(length);
    };
    match node {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(name, node)| step(name, node))
        }
        Value::Array(list) if !list.is_empty() => {
            list.iter().enumerate().for_each(|(at, node)| step(&at.to_string(), node));
        }
        Value::String(text) => {
            flat.insert(path.clone(), text.clone());
        }
        Value::Object(_) | Value::Array(_) if path.is_empty() => {}
        leaf => {
            flat.insert(path.clone(), leaf.to_string());
        }
    }
}

fn is_enabled(status: &str) -> bool {
    status == "ENABLED"
}

pub(super) fn json<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<T, DirectoryError> {
    serde_json::from_slice(&answer.body).map_err(|error| not_json(answer, error))
}

/// The items of a page; one without an id is left out, and said so, rather than losing the page.
fn list<'a, T, U>(
    answer: &'a Answer,
    what: &str,
    facts: impl Fn(&T) -> Option<U>,
) -> Result<Vec<U>, DirectoryError>
where
    T: Deserialize<'a>,
{
    let items: Vec<T> = json(answer)?;
    let good: Vec<U> = items.iter().filter_map(facts).collect();
    if good.len() < items.len() {
        let id = answer.request_id();
        warn!(
            okta.request_id = id,
            "Left out {} {what} without an id (request {id})",
            items.len() - good.len()
        );
    }
    Ok(good)
}
