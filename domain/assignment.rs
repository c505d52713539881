//! What a person's assignment to an app holds, and what of it must be put back after it was taken away.

use std::collections::BTreeMap;
use std::fmt;

use crate::audit::digest;
use crate::facts::{AppFacts, AppUser, Scope};
use crate::ids::{GroupId, UserId};

/// One person's assignment, as Okta has it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The app user.
    pub user: AppUser,
    /// What would be lost with it.
    pub profile: SavedProfile,
    /// The group that gives the app to the person, where one does and Okta says which.
    pub group: Option<GroupId>,
}

/// An app's state and how a person is assigned to it, as one text, to tell whether it changed since.
pub fn state(app: &AppFacts, person: &UserId, assignment: Option<&Assignment>) -> String {
    let how = match assignment.map(|assignment| assignment.user.scope) {
        Some(Scope::Person) => "assigned by name",
        Some(Scope::Group) => "assigned by a group",
        None => "not assigned",
    };
    format!("{}; {person} {how}", app.fingerprint())
}

/// The app's own profile of a person, and their name in the app. Personal data: it is kept where it can be erased, and
/// neither a log nor the audit holds more of it than its hash.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SavedProfile {
    /// Every attribute that has a value, with the value as JSON.
    pub attributes: BTreeMap<String, String>,
    /// The name in the app. Okta makes it anew from the app's template; it is not written back.
    pub user_name: Option<String>,
}

impl SavedProfile {
    /// Its SHA-256, in hexadecimal.
    pub fn sha256(&self) -> String {
        let mut parts = vec!["provost profile v1", self.user_name.as_deref().unwrap_or_default()];
        parts.extend(self.attributes.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]));
        digest(&parts)
    }

    /// What of it `now` does not hold: the names of attributes, never their values.
    pub fn lost_in(&self, now: &Self) -> Vec<String> {
        let lost = |(name, value): &(&String, &String)| now.attributes.get(*name) != Some(*value);
        let mut names: Vec<String> =
            self.attributes.iter().filter(lost).map(|(name, _)| name.clone()).collect();
        if self.user_name.is_some() && self.user_name != now.user_name {
            names.push("the name in the app".to_owned());
        }
        names
    }
}

/// No value of it.
impl fmt::Debug for SavedProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SavedProfile").field(&self.sha256()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(attributes: &[(&str, &str)], user_name: Option<&str>) -> SavedProfile {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        SavedProfile {
            attributes: attributes.iter().map(owned).collect(),
            user_name: user_name.map(str::to_owned),
        }
    }

    #[test]
    fn what_is_not_there_again_is_named_and_what_is_new_is_not() {
        let saved = profile(&[("role", r#""admin""#), ("seats", "3")], Some("dana@example.com"));
        #[rustfmt::skip]
        let table = [
            (profile(&[("role", r#""admin""#), ("seats", "3")], Some("dana@example.com")),                vec![]),
            (profile(&[("role", r#""admin""#), ("seats", "3"), ("x", "1")], Some("dana@example.com")),    vec![]),
            (profile(&[("role", r#""user""#)], Some("dana@example.com")),                                vec!["role", "seats"]),
            (profile(&[("role", r#""admin""#), ("seats", "3")], Some("dana")),                            vec!["the name in the app"]),
            (profile(&[], None),                                              vec!["role", "seats", "the name in the app"]),
        ];
        for (now, expected) in table {
            assert_eq!(saved.lost_in(&now), expected, "{:?}", now.attributes);
        }
    }

    #[test]
    fn nothing_of_it_is_in_debug_output_and_each_has_a_hash_of_its_own() {
        let saved = profile(&[("role", r#""admin""#)], Some("dana@example.com"));
        assert!(!format!("{saved:?}").contains("dana") && !format!("{saved:?}").contains("admin"));
        let others = [
            profile(&[("role", r#""user""#)], Some("dana@example.com")),
            profile(&[("role", r#""admin""#)], None),
            profile(&[], Some("dana@example.com")),
        ];
        assert!(others.iter().all(|other| other.sha256() != saved.sha256()));
    }
}
