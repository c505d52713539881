//! Whom and what a log entry is about: its `target` list.

use std::fmt;

use domain::event::{App, Person};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::lenient::{Key, MayBeMissing, Text, missing_from, wanted};

wanted! {
    struct Target<'a> {
        id: Text<'a> = "id",
        kind: Text<'a> = "type",
        name: Text<'a> = "displayName",
        alternate: Text<'a> = "alternateId",
        change: Change = "changeDetails",
    }
}

impl Target<'_> {
    fn app(&self) -> Option<App> {
        let id = self.id.get()?.parse().ok()?;
        let label = self.name.get().or(self.alternate.get()).or(self.id.get())?;
        Some(App { id, label: label.to_owned() })
    }

    fn person(&self) -> Option<Person> {
        let id = self.id.get()?.parse().ok()?;
        Some(Person { id, login: self.alternate.owned(), name: self.name.owned() })
    }
}

/// The targets that we have a use for, found by their type: Okta promises nothing about their order.
#[derive(Debug, Default)]
pub(crate) struct Targets<'a> {
    app: Option<Target<'a>>,
    user: Option<Target<'a>>,
    app_user: Option<Target<'a>>,
    deactivate_users: Option<bool>,
}

impl MayBeMissing for Targets<'_> {
    fn is_missing(&self) -> bool {
        self.app.is_none()
            && self.user.is_none()
            && self.app_user.is_none()
            && self.deactivate_users.is_none()
    }
}

impl<'a> Targets<'a> {
    /// The app.
    pub(crate) fn app(&self) -> Option<App> {
        self.app.as_ref().and_then(Target::app)
    }

    /// The person: the Okta user, or else the app's own account, whose id Okta's API does not take.
    pub(crate) fn person(&self) -> Option<Person> {
        let of = |target: &Option<Target<'_>>| target.as_ref().and_then(Target::person);
        of(&self.user).or_else(|| of(&self.app_user))
    }

    /// What Deactivate Users was set to, if the entry tells of that.
    pub(crate) fn deactivate_users(&self) -> Option<bool> {
        self.deactivate_users
    }

    fn take(&mut self, target: Target<'a>) {
        self.deactivate_users = self.deactivate_users.or(target.change.0);
        let kind = target.kind.get().unwrap_or_default();
        let place = if kind.eq_ignore_ascii_case("AppInstance") {
            &mut self.app
        } else if kind.eq_ignore_ascii_case("User") {
            &mut self.user
        } else if kind.eq_ignore_ascii_case("AppUser") {
            &mut self.app_user
        } else {
            return;
        };
        place.get_or_insert(target);
    }
}

impl<'de> Deserialize<'de> for Targets<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Finding;
        impl<'de> Visitor<'de> for Finding {
            type Value = Targets<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of targets")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Targets<'de>, A::Error> {
                let mut targets = Targets::default();
                while let Some(target) = list.next_element()? {
                    targets.take(target);
                }
                Ok(targets)
            }

            missing_from!('de: bool number text null object);
        }
        deserializer.deserialize_any(Finding)
    }
}

/// What `changeDetails` says Deactivate Users was set to.
///
/// Source: Okta event types 2026.06.1, `AppOutboundProvisioningSettingsChangeDetailsEntry`. Where in `to` it stands
/// and how it is spelled is not documented, so any depth and both spellings are read.
#[derive(Debug, Default)]
struct Change(Option<bool>);

impl MayBeMissing for Change {
    fn is_missing(&self) -> bool {
        self.0.is_none()
    }
}

impl<'de> Deserialize<'de> for Change {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Finding;
        impl<'de> Visitor<'de> for Finding {
            type Value = Change;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("change details")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Change, A::Error> {
                let mut change = Change(None);
                while let Some(key) = map.next_key::<Key<'_>>()? {
                    if key.is("to") {
                        change = Change(map.next_value::<After>()?.0);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(change)
            }

            missing_from!('de: bool number text null list);
        }
        deserializer.deserialize_any(Finding)
    }
}

/// `deactivate_users`, at any depth of the settings after a change.
#[derive(Default)]
struct After(Option<bool>);

impl<'de> Deserialize<'de> for After {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Searching;
        impl<'de> Visitor<'de> for Searching {
            type Value = After;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("settings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<After, A::Error> {
                let mut found = None;
                while let Some(key) = map.next_key::<Key<'_>>()? {
                    if key.is_spelled("deactivateusers") {
                        found = found.or(switched(&map.next_value()?));
                    } else {
                        found = found.or(map.next_value::<After>()?.0);
                    }
                }
                Ok(After(found))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<After, A::Error> {
                let mut found = None;
                while let Some(each) = list.next_element::<After>()? {
                    found = found.or(each.0);
                }
                Ok(After(found))
            }

            missing_from!('de: bool number text null);
        }
        deserializer.deserialize_any(Searching)
    }
}

fn switched(word: &Text<'_>) -> Option<bool> {
    match word.get()?.to_ascii_lowercase().as_str() {
        "true" | "enabled" | "on" | "1" => Some(true),
        "false" | "disabled" | "off" | "0" => Some(false),
        _ => None,
    }
}
