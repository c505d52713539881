//! `[links]`: which member is which person.

use std::collections::BTreeMap;

use domain::ids::{MemberId, OrgName, UserId};

use super::fault::{Wrong, did_you_mean};
use super::section::Section;
use super::values::{member_id, user_id};

/// Links that need no confirmation, because an administrator of this machine set them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// Whether what needs an approval needs linked people; absent, it does as soon as one link exists.
    pub require: Option<bool>,
    /// Member to person, by org; unique both ways.
    pub orgs: BTreeMap<OrgName, BTreeMap<MemberId, UserId>>,
}

pub(super) fn read<'o>(mut section: Section<'_>, orgs: impl Iterator<Item = &'o OrgName> + Clone) -> Links {
    let require = section.flag("require");
    let mut links = Links { require, orgs: BTreeMap::new() };
    for name in section.names() {
        let known = orgs.clone().find(|org| org.as_str() == name).cloned();
        let at = section.place(&name);
        let Some(org) = known else {
            let near = did_you_mean(&name, orgs.clone().map(OrgName::as_str).chain(["require"]));
            let right = near.unwrap_or_else(|| "name an org that has an [okta.NAME] table".to_owned());
            section.fault(at, &name, Wrong::new("is no org of this configuration", right));
            section.take(&name);
            continue;
        };
        let inner = section.section(&name);
        links.orgs.insert(org, read_org(inner));
    }
    section.finish();
    links
}

fn read_org(mut section: Section<'_>) -> BTreeMap<MemberId, UserId> {
    let mut links: BTreeMap<MemberId, UserId> = BTreeMap::new();
    for key in section.names() {
        let at = section.place(&key);
        let person = section.parsed(&key, user_id);
        let member = member_id(&key).map_err(|what| section.fault(at.clone(), &key, what)).ok();
        let (Some(member), Some(person)) = (member, person) else { continue };
        if let Some((other, _)) = links.iter().find(|(_, linked)| **linked == person) {
            let wrong = format!("links {person}, who is linked to {other} already");
            section.fault(at, &key, Wrong::new(wrong, "link each person to one member"));
            continue;
        }
        links.insert(member, person);
    }
    section.finish();
    links
}
