//! `/api/v1/apps/{id}/features`: for the few kinds of app that have it.
//!
//! Source: Okta's OpenAPI document, tag "Application Features". What an app of another kind answers is not
//! documented; here it is 404.

use serde_json::{Value, json};

use super::FeatureWrites;
use super::exchange::{Answer, Call};
use super::routes::Asks;
use super::world::{App, Capabilities, Provisioning, World};

const NAME: &str = "USER_PROVISIONING";

impl World {
    pub(super) fn get_features(&self, app: &str) -> Result<Answer, Answer> {
        let app = self.featured_app(app)?;
        Ok(Answer::json(200, &json!([self.feature_json(app)])))
    }

    pub(super) fn get_feature(&self, app: &str, name: &str) -> Result<Answer, Answer> {
        // For one feature the document has no 400, though it has one for the list.
        let app = self.featured_app(app).map_err(|error| match error.status {
            400 => error.spoilt(),
            _ => error,
        })?;
        named(name)?;
        Ok(Answer::json(200, &self.feature_json(app)))
    }

    /// Takes a part of the capabilities and leaves the rest as it is, unless the app was told to be odd.
    pub(super) fn put_feature(
        &mut self,
        app: &str,
        name: &str,
        call: &Call,
        asks: &Asks,
    ) -> Result<Answer, Answer> {
        let known = self.featured_app(app)?;
        let (before, writes) = (known.capabilities, known.feature_writes);
        named(name)?;
        let body = call.json()?;
        let after = match writes {
            FeatureWrites::Merge => merged(before, &body)?,
            FeatureWrites::Replace => merged(Capabilities::NONE, &body)?,
            FeatureWrites::Ignore => merged(before, &body).map(|_| before)?,
        };
        self.set_capabilities(app, after, asks.entity());
        let app = self.featured_app(app)?;
        Ok(Answer::json(200, &self.feature_json(app)))
    }

    fn featured_app(&self, id: &str) -> Result<&App, Answer> {
        let app = self.known_app(id)?;
        if !app.has_feature_api() || app.provisioning == Provisioning::Unsupported {
            return Err(Answer::not_found(NAME, "ApplicationFeature"));
        }
        if app.provisioning == Provisioning::Off {
            let cause = "Provisioning is not enabled for the app instance.";
            return Err(Answer::error(400, "E0000001", "Api validation failed: feature", &[cause]));
        }
        Ok(app)
    }

    fn feature_json(&self, app: &App) -> Value {
        let on = app.capabilities;
        json!({
            "name": NAME,
            "status": "ENABLED",
            "description": "User provisioning settings from Okta to a downstream application",
            "capabilities": {
                "create": { "lifecycleCreate": { "status": status(on.create) } },
                "update": {
                    "profile": { "status": status(on.profile) },
                    "lifecycleDeactivate": { "status": status(on.deactivate) },
                    "password": {
                        "status": status(on.password),
                        "seed": if on.password_from_okta { "OKTA" } else { "RANDOM" },
                        "change": if on.password_changes { "CHANGE" } else { "KEEP_EXISTING" },
                    },
                },
            },
            "_links": {
                "self": {
                    "href": format!("{}/api/v1/apps/{}/features/{NAME}", self.url, app.id),
                    "hints": { "allow": ["GET", "PUT"] },
                },
            },
        })
    }
}

fn named(name: &str) -> Result<(), Answer> {
    if name == NAME { Ok(()) } else { Err(Answer::not_found(name, "ApplicationFeature")) }
}

fn status(on: bool) -> &'static str {
    if on { "ENABLED" } else { "DISABLED" }
}

fn merged(mut of: Capabilities, body: &Value) -> Result<Capabilities, Answer> {
    let known = |key: &String| key == "create" || key == "update";
    if !body.as_object().is_some_and(|body| body.keys().all(known)) {
        let cause = "The body must hold capabilities.";
        return Err(Answer::error(400, "E0000001", "Api validation failed: capabilities", &[cause]));
    }
    let values = [
        ("/create/lifecycleCreate/status", ["DISABLED", "ENABLED"], &mut of.create),
        ("/update/profile/status", ["DISABLED", "ENABLED"], &mut of.profile),
        ("/update/lifecycleDeactivate/status", ["DISABLED", "ENABLED"], &mut of.deactivate),
        ("/update/password/status", ["DISABLED", "ENABLED"], &mut of.password),
        ("/update/password/seed", ["RANDOM", "OKTA"], &mut of.password_from_okta),
        ("/update/password/change", ["KEEP_EXISTING", "CHANGE"], &mut of.password_changes),
    ];
    for (pointer, [off, on], capability) in values {
        let Some(value) = body.pointer(pointer) else { continue };
        *capability = match value.as_str() {
            Some(text) if text == on => true,
            Some(text) if text == off => false,
            _ => return Err(Answer::invalid("capabilities", &format!("{pointer} must be {off} or {on}."))),
        };
    }
    Ok(of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::okta::DeactivateUsers;

    #[test]
    fn a_partial_update_leaves_everything_else() {
        let before = Capabilities::with(DeactivateUsers::Off);
        let body = json!({ "update": { "lifecycleDeactivate": { "status": "ENABLED" } } });
        let after = merged(before, &body).unwrap();
        assert_eq!(after, Capabilities { deactivate: true, ..before });
        assert!(merged(before, &json!({ "capabilities": body })).is_err());
    }
}
