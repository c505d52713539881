//! Who may do what: the roles of the configuration against the roles a caller holds.
//!
//! Fail-closed: a role that nobody is given is nobody's.

use std::collections::BTreeMap;

use domain::ids::{MemberId, RoleId};

use crate::chat::Caller;
use crate::spec::Role;

/// Who holds one of our roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// Everybody with a Discord role.
    Role(RoleId),
    /// One member.
    Member(MemberId),
}

/// Who holds which of our roles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access(BTreeMap<Role, Vec<Holder>>);

impl Access {
    /// From the configuration's table `[roles]`.
    pub fn new(holders: impl IntoIterator<Item = (Role, Vec<Holder>)>) -> Self {
        Self(holders.into_iter().collect())
    }

    /// Whether the caller holds a role.
    pub fn holds(&self, caller: &Caller, role: Role) -> bool {
        self.holders(role).iter().any(|holder| match holder {
            Holder::Role(id) => caller.roles.contains(id),
            Holder::Member(id) => caller.id == *id,
        })
    }

    /// Who holds a role.
    pub fn holders(&self, role: Role) -> &[Holder] {
        self.0.get(&role).map_or(&[], Vec::as_slice)
    }

    /// Who holds a role, in words: roles, and how many members by name, but not who they are.
    pub fn who(&self, role: Role) -> String {
        in_words(self.holders(role))
    }

    /// Our roles that the caller holds.
    pub fn of(&self, caller: &Caller) -> Vec<Role> {
        Role::ALL.into_iter().filter(|role| self.holds(caller, *role)).collect()
    }

    /// Whether anybody may do anything but ask for help.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(Vec::is_empty)
    }
}

/// Holders in words: roles, and how many members by name, but not who they are.
pub fn in_words(holders: &[Holder]) -> String {
    let mut who: Vec<String> = holders
        .iter()
        .filter_map(|holder| match holder {
            Holder::Role(id) => Some(format!("<@&{id}>")),
            Holder::Member(_) => None,
        })
        .collect();
    match holders.len() - who.len() {
        0 => {}
        1 => who.push("1 member whom the configuration names".to_owned()),
        n => who.push(format!("{n} members whom the configuration names")),
    }
    if who.is_empty() { "nobody".to_owned() } else { who.join(" or ") }
}
