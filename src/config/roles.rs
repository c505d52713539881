//! `[roles]`: who may do what; and the same keys in `[[policy.app]]`.

use std::collections::BTreeMap;

use commands::spec::Role;
use domain::ids::GuildId;

use super::fault::{Wrong, quoted};
use super::section::Section;
use super::values::{member_id, role_id};

pub use commands::access::Holder;

/// The holders of each role. A role without holders is held by nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles(pub BTreeMap<Role, Vec<Holder>>);

impl Roles {
    /// Who holds `role`.
    pub fn holders(&self, role: Role) -> &[Holder] {
        self.0.get(&role).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether nobody may do anything but ask for help.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(Vec::is_empty)
    }
}

/// Reads a list for each role that is there. With an empty `[roles]`, only `help` and `whoami` are left to people.
pub(super) fn read(section: &mut Section<'_>, guild: Option<GuildId>) -> Roles {
    let each = |role: Role| Some((role, section.list(role.word(), |text| holder(text, guild))?));
    Roles(Role::ALL.into_iter().filter_map(each).collect())
}

fn holder(text: &str, guild: Option<GuildId>) -> Result<Holder, Wrong> {
    let right = "write \"role:ID\" or \"member:ID\"";
    match text.split_once(':') {
        Some(("role", id)) => {
            let role = role_id(id)?;
            if guild.is_some_and(|guild| guild.0 == role.0) {
                let right = "name a role: Discord never lists @everyone among a member's roles";
                return Err(Wrong::new(format!("{} is the server's @everyone", quoted(text)), right));
            }
            Ok(Holder::Role(role))
        }
        Some(("member", id)) => Ok(Holder::Member(member_id(id)?)),
        Some(("user", id)) if member_id(id).is_ok() => {
            let right = format!("write \"member:{id}\": a user is a person in Okta");
            Err(Wrong::new(format!("{} has an unknown kind", quoted(text)), right))
        }
        None if role_id(text).is_ok() => {
            let right = format!("write \"role:{text}\" or \"member:{text}\"");
            Err(Wrong::new(format!("{} does not say what it is", quoted(text)), right))
        }
        Some(_) | None => Err(Wrong::new(format!("{} is neither role nor member", quoted(text)), right)),
    }
}
