//! Where things are in Okta's Admin Console.
//!
//! The paths are the console's own and no documented interface: a link that has moved still opens the console, and
//! the clicks are always written out beside it.

use domain::ids::AppId;

/// The root of an org's Admin Console, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Console(pub String);

impl Console {
    /// An app's Provisioning > To App page.
    pub fn to_app(&self, kind: &str, app: &AppId) -> String {
        self.instance(kind, app, "tab-user-management/create-n-update")
    }

    /// An app's Assignments page.
    pub fn assignments(&self, kind: &str, app: &AppId) -> String {
        self.instance(kind, app, "tab-assignments")
    }

    fn instance(&self, kind: &str, app: &AppId, tab: &str) -> String {
        // A kind is letters, digits and underscores in Okta's catalogue; anything else must not steer the link.
        let kind: String =
            kind.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == '-').collect();
        if kind.is_empty() {
            return format!("{}/admin/apps/active", self.0);
        }
        format!("{}/admin/app/{kind}/instance/{app}/#{tab}", self.0)
    }

    /// Dashboard > Tasks.
    pub fn tasks(&self) -> String {
        format!("{}/admin/tasks", self.0)
    }
}

/// The clicks that turn Deactivate Users on, in words.
pub const TURN_ON: &str =
    "Applications > the app > Provisioning > To App > Edit > tick **Deactivate Users** > Save";

/// The clicks that retry failed pushes, in words.
pub const RETRY: &str = "Dashboard > Tasks > tick the failed assignments > **Retry Selected**";

/// The clicks that take an app away from one person and give it back, in words.
pub const REASSIGN: &str = "Applications > the app > Assignments > People > the × of the person > OK; then Assign > \
     Assign to People > the person > Save and Go Back > Done";

/// The clicks that assign one person again, in words.
pub const ASSIGN: &str =
    "Applications > the app > Assignments > Assign > Assign to People > the person > Save and Go Back";

/// What unassigning costs, in plain words. It stands wherever a reassignment is proposed.
pub const UNASSIGNS: &str = "Unassigning deletes the app's profile of the person at Okta. While Deactivate Users is on, it \
     also **deactivates the account in the app**: whoever works in it is thrown out until the new assignment has \
     activated it again.";

/// What turning the setting on costs, in plain words. It stands wherever turning it on is proposed.
pub const PRICE: &str = "The price: from then on, people who are unassigned from the app are deactivated in it. \
     It is not retroactive.";
