//! The settings under Provisioning > To App: what changing them changes, and what it logs.

use serde_json::{Value, json};

use super::event::Entity;
use super::world::{Capabilities, World};

impl World {
    /// Puts an app's capabilities, as the console or the API does. Nothing is logged if nothing changes.
    pub(super) fn set_capabilities(&mut self, app: &str, after: Capabilities, by: Entity) {
        let now = self.now();
        let app = self.app_named(app);
        let before = std::mem::replace(&mut app.capabilities, after);
        if before == after {
            return;
        }
        app.updated = now;
        let id = app.id.clone();
        let target =
            Entity { changes: Some(Box::new((details(before), details(after)))), ..self.app_entity(&id) };
        // Source: Okta's support article on the log query for this setting.
        let message = match (before.deactivate, after.deactivate) {
            (false, true) => Some("Deprovisioning unassigned users"),
            (true, false) => Some("Stop deprovisioning unassigned users"),
            (false, false) | (true, true) => None,
        };
        let debug = message.map(|message| ("customMessage", message.to_owned())).into_iter().collect();
        self.log_done("application.lifecycle.update", by, vec![target], debug);
    }

    pub(super) fn set_deactivation(&mut self, app: &str, on: bool, by: Entity) {
        let capabilities = Capabilities { deactivate: on, ..self.app_named(app).capabilities };
        self.set_capabilities(app, capabilities, by);
    }
}

/// Named as in Okta's `AppOutboundProvisioningSettingsChangeDetailsEntry`.
fn details(of: Capabilities) -> Value {
    json!({
        "create_users": of.create,
        "update_user_attributes": of.profile,
        "deactivate_users": of.deactivate,
        "sync_password": of.password,
    })
}
