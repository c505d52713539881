//! `/api/v1/apps/{id}/users` and `/api/v1/users/{id}`: who is assigned, and who they are.

use serde_json::{Map, Value, json};

use super::exchange::{Answer, Call};
use super::pushing::Why;
use super::routes::Asks;
use super::time::iso;
use super::world::{Pair, User, World};

impl World {
    pub(super) fn get_app_users(&self, app: &str, call: &Call) -> Result<Answer, Answer> {
        self.known_app(app)?;
        let limit = call.limit(50, 1, 500)?;
        let embeds = call.param("expand").as_deref() == Some("user");
        let q = call.param("q").unwrap_or_default().to_lowercase();
        let after = call.param("after").unwrap_or_default();
        let starts_with_q =
            |value: &Value| value.as_str().is_some_and(|text| text.to_lowercase().starts_with(&q));
        let mut found: Vec<_> = self
            .assignments
            .iter()
            .filter(|((of, user), _)| of == app && *user > after)
            .filter(|(_, known)| q.is_empty() || known.profile.values().any(starts_with_q))
            .map(|(pair, _)| pair)
            .take(limit + 1)
            .collect();
        let more = found.len() > limit;
        found.truncate(limit);
        let body: Vec<_> = found.iter().map(|pair| self.embedding(pair, embeds)).collect();
        let last = found.last().filter(|_| more).map(|(_, user)| &**user);
        Ok(self.page(call, &Value::Array(body), last))
    }

    pub(super) fn get_app_user(&self, app: &str, user: &str, call: &Call) -> Result<Answer, Answer> {
        let pair = self.known_pair(app, user)?;
        let embeds = call.param("expand").as_deref() == Some("user");
        Ok(Answer::json(200, &self.embedding(&pair, embeds)))
    }

    pub(super) fn post_app_users(&mut self, app: &str, call: &Call, asks: &Asks) -> Result<Answer, Answer> {
        self.known_app(app)?;
        let body = call.json()?;
        let Some(user) = body["id"].as_str() else {
            return Err(Answer::invalid("id", "The field cannot be left blank"));
        };
        let user = self.known_user(user)?;
        if user.status == "DEPROVISIONED" {
            return Err(Answer::invalid("id", "The user is deactivated."));
        }
        let pair = (app.to_owned(), user.id.clone());
        let profile = body["profile"].as_object().cloned().unwrap_or_default();
        refuse_mapped(&profile, &user.app_profile())?;
        self.assign(&pair, None, asks.entity());
        if let Some(known) = self.assignments.get_mut(&pair) {
            known.profile.extend(profile);
        }
        Ok(Answer::json(200, &self.app_user_json(&pair)))
    }

    /// Writes the profile, and has it pushed. The answer shows that Okta is about to, not what comes of it.
    pub(super) fn post_app_user(
        &mut self,
        app: &str,
        user: &str,
        call: &Call,
        asks: &Asks,
    ) -> Result<Answer, Answer> {
        let pair = self.known_pair(app, user)?;
        let body = call.json()?;
        let keys: Vec<_> = body.as_object().into_iter().flat_map(Map::keys).collect();
        // Okta has failed like this on a whole app user sent back to it.
        if keys.iter().any(|key| !["profile", "credentials"].contains(&&***key)) {
            return Err(Answer::error(500, "E0000009", "Internal Server Error", &[]));
        }
        let profile = body["profile"].as_object().cloned().unwrap_or_default();
        let known = &self.assignments[&pair].profile;
        refuse_mapped(&profile, known)?;
        let now = self.now();
        if let Some(known) = self.assignments.get_mut(&pair) {
            known.profile.extend(profile);
            known.updated = now;
            if known.sync_state != "DISABLED" {
                known.sync_state = "SYNCING";
            }
        }
        let answer = Answer::json(200, &self.app_user_json(&pair));
        self.request_push(&pair, Why::ProfileWritten, asks.entity());
        Ok(answer)
    }

    /// One of the groups that bring the app to somebody.
    pub(super) fn get_app_group(&self, app: &str, group: &str, call: &Call) -> Result<Answer, Answer> {
        self.known_app(app)?;
        let brings = |((of, _), known): (&Pair, &super::world::Assignment)| {
            of == app && known.group.as_deref() == Some(group)
        };
        if !self.assignments.iter().any(brings) {
            return Err(Answer::not_found(group, "ApplicationGroupAssignment"));
        }
        let this = format!("{}/api/v1/apps/{app}", self.url);
        let link = |path: String| json!({ "href": path });
        let mut json = json!({
            "id": group,
            "lastUpdated": iso(self.now()),
            "priority": 0,
            "profile": {},
            "_links": {
                "self": link(format!("{this}/groups/{group}")),
                "app": link(this.clone()),
                "group": link(format!("{}/api/v1/groups/{group}", self.url)),
            },
        });
        if call.param("expand").as_deref() == Some("group") {
            json["_embedded"] =
                json!({ "group": { "id": group, "profile": { "name": group, "description": null } } });
        }
        Ok(Answer::json(200, &json))
    }

    pub(super) fn delete_app_user(&mut self, app: &str, user: &str, asks: &Asks) -> Result<Answer, Answer> {
        let pair = self.known_pair(app, user)?;
        self.unassign(&pair, asks.entity());
        Ok(Answer::empty(204))
    }

    pub(super) fn get_user(&self, user: &str, asks: &Asks) -> Result<Answer, Answer> {
        let user = match (user, asks) {
            ("me", Asks::Token(maker)) => self.known_user(&maker.id)?,
            _ => self.known_user(user)?,
        };
        Ok(Answer::json(200, &self.user_json(user)))
    }

    fn known_user(&self, user: &str) -> Result<&User, Answer> {
        self.find_user(user).ok_or_else(|| Answer::not_found(user, "User"))
    }

    fn known_pair(&self, app: &str, user: &str) -> Result<Pair, Answer> {
        self.known_app(app)?;
        let pair = (app.to_owned(), user.to_owned());
        if self.assignments.contains_key(&pair) { Ok(pair) } else { Err(Answer::not_found(user, "AppUser")) }
    }

    fn embedding(&self, pair: &Pair, embeds: bool) -> Value {
        let mut json = self.app_user_json(pair);
        if let Some(user) = self.find_user(&pair.1).filter(|_| embeds) {
            json["_embedded"] = json!({ "user": self.user_json(user) });
        }
        json
    }

    /// The app user, which must exist.
    pub(super) fn app_user_json(&self, pair: &Pair) -> Value {
        let (app, user) = pair;
        let known = &self.assignments[pair];
        let login = self.find_user(user).map(|user| &*user.login);
        let mut json = json!({
            "id": user,
            "externalId": known.external_id,
            "created": iso(known.created),
            "lastUpdated": iso(known.updated),
            "scope": if known.group.is_some() { "GROUP" } else { "USER" },
            "status": known.status,
            "statusChanged": iso(known.status_changed),
            "passwordChanged": null,
            "syncState": known.sync_state,
            "credentials": { "userName": login },
            "profile": known.profile,
            "_links": {
                "app": { "href": format!("{}/api/v1/apps/{app}", self.url) },
                "user": { "href": format!("{}/api/v1/users/{user}", self.url) },
            },
        });
        if let Some(last_sync) = known.last_sync {
            json["lastSync"] = json!(iso(last_sync));
        }
        if let Some(group) = &known.group {
            json["_links"]["group"] = json!({ "href": format!("{}/api/v1/groups/{group}", self.url) });
        }
        json
    }

    fn user_json(&self, user: &User) -> Value {
        json!({
            "id": user.id,
            "status": user.status,
            "created": iso(user.created),
            "activated": iso(user.created),
            "statusChanged": iso(user.status_changed),
            "lastLogin": null,
            "lastUpdated": iso(user.status_changed),
            "passwordChanged": null,
            "type": { "id": "otyexample0000000000" },
            "profile": {
                "firstName": user.first,
                "lastName": user.last,
                "displayName": user.name(),
                "login": user.login,
                "email": user.login,
                "secondEmail": null,
                "mobilePhone": null,
            },
            "credentials": { "provider": { "type": "OKTA", "name": "OKTA" } },
            "_links": { "self": { "href": format!("{}/api/v1/users/{}", self.url, user.id) } },
        })
    }
}

/// An attribute that the app's mapping fills may not be given another value.
///
/// Source: Okta's OpenAPI document, `assignUserToApplication` and the error of `updateApplicationUser`.
fn refuse_mapped(profile: &Map<String, Value>, mapped: &Map<String, Value>) -> Result<(), Answer> {
    let changed = profile.iter().find(|(key, value)| mapped.get(*key).is_some_and(|known| known != *value));
    let Some((key, _)) = changed else { return Ok(()) };
    let summary = format!(
        "Cannot modify the {key} attribute because it has a field mapping and profile push is enabled."
    );
    Err(Answer::error(403, "E0000075", &summary, &[]))
}
