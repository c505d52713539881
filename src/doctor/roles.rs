//! Are the roles and members of the configuration in the server, and could anybody read, ask and approve?

use std::collections::{BTreeMap, BTreeSet};

use commands::chat::ChatError;
use commands::spec::Role;
use domain::ids::{AppId, MemberId, RoleId};
use futures_util::future::join_all;

use super::channels::Server;
use super::discord::Doctor;
use super::{Check, Part, counted};
use crate::config::{Gates, Holder};
use crate::discord::wire::Member;

pub(super) async fn examine(doctor: &Doctor<'_>, server: &Server) -> Vec<Check> {
    let named = named(doctor);
    let members: BTreeSet<MemberId> = named.keys().filter_map(member).collect();
    let asked = members.iter().map(|id| async {
        let found = doctor.rest.member(doctor.discord.guild_id, *id).await;
        (*id, found)
    });
    let members: BTreeMap<_, _> = join_all(asked).await.into_iter().collect();
    let people = People { server, members };

    let mut checks = people.absent(&named);
    if checks.is_empty() && !named.is_empty() {
        let said = format!("Every role and member of the configuration is in {}.", server.guild.name);
        checks.push(Check::ok(Part::Discord, "roles", said));
    }
    checks.push(people.readers(doctor));
    checks.extend(people.approvers(doctor, None));
    for app in doctor.config.policy.apps.keys() {
        checks.extend(people.approvers(doctor, Some(app)));
    }
    checks
}

fn member(holder: &Holder) -> Option<MemberId> {
    match holder {
        Holder::Role(_) => None,
        Holder::Member(id) => Some(*id),
    }
}

/// Everybody who is named, and by which keys.
fn named(doctor: &Doctor<'_>) -> BTreeMap<Holder, Vec<String>> {
    let config = doctor.config;
    let general = config.roles.0.iter().map(|(role, holders)| (format!("roles.{}", role.word()), holders));
    let of_apps = config.policy.apps.iter().flat_map(|(app, policy)| {
        let key = move |role: &Role| format!("policy.app {app} {}", role.word());
        policy.roles.0.iter().map(move |(role, holders)| (key(role), holders))
    });
    let mut named: BTreeMap<Holder, Vec<String>> = BTreeMap::new();
    for (key, holders) in general.chain(of_apps) {
        for holder in holders {
            named.entry(*holder).or_default().push(key.clone());
        }
    }
    named
}

/// How many people hold a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HowMany {
    /// At most so many: whoever holds two of the listed roles is counted twice.
    AtMost(u64),
    /// Discord did not tell, and unknown is not nobody.
    Unknown,
}

struct People<'a> {
    server: &'a Server,
    members: BTreeMap<MemberId, Result<Option<Member>, ChatError>>,
}

impl People<'_> {
    /// Who is named and is not there.
    fn absent(&self, named: &BTreeMap<Holder, Vec<String>>) -> Vec<Check> {
        let mut checks = Vec::new();
        for (holder, keys) in named {
            let keys = keys.join(", ");
            let (what, whence) = match holder {
                Holder::Role(id) if !self.has(*id) => (format!("role {id}"), "“Copy Role ID”"),
                Holder::Member(id) if matches!(self.members.get(id), Some(Ok(None))) => {
                    (format!("member {id}"), "“Copy User ID”")
                }
                Holder::Role(_) | Holder::Member(_) => continue,
            };
            let said = format!("{keys} names {what}, which is not in {}.", self.server.guild.name);
            let mend = format!("Copy the id again ({whence} in Discord), or take it out of {keys}.");
            checks.push(Check::failed(Part::Discord, "roles", said, mend));
        }
        checks
    }

    fn has(&self, role: RoleId) -> bool {
        self.server.roles.iter().any(|known| known.id == role)
    }

    fn count(&self, holders: &[Holder]) -> HowMany {
        let roles: BTreeSet<RoleId> =
            holders.iter().filter_map(role).filter(|role| self.has(*role)).collect();
        let mut many = 0;
        for role in &roles {
            match self.server.counts.as_ref().and_then(|counts| counts.get(role)) {
                Some(count) => many += count,
                None => return HowMany::Unknown,
            }
        }
        for id in holders.iter().filter_map(member).collect::<BTreeSet<_>>() {
            match self.members.get(&id) {
                // Counted with a role already.
                Some(Ok(Some(member))) if member.roles.iter().any(|role| roles.contains(role)) => {}
                Some(Ok(Some(_))) => many += 1,
                Some(Ok(None)) => {}
                Some(Err(_)) | None => return HowMany::Unknown,
            }
        }
        HowMany::AtMost(many)
    }

    fn readers(&self, doctor: &Doctor<'_>) -> Check {
        match self.count(doctor.config.roles.holders(Role::Viewer)) {
            HowMany::AtMost(0) => {
                let said = "Nobody holds viewer, so nobody may ask Provost anything.";
                let mend = "List a role that somebody holds, for example roles.viewer = [\"role:ID\"].";
                Check::failed(Part::Discord, "viewers", said, mend)
            }
            HowMany::AtMost(many) => {
                let said = format!("Up to {} may read.", counted(many, "member", "members"));
                Check::ok(Part::Discord, "viewers", said)
            }
            HowMany::Unknown => unknown("viewers", "may read"),
        }
    }

    /// Whether what needs approvals could get them. `app`: one that differs from the rest.
    fn approvers(&self, doctor: &Doctor<'_>, app: Option<&AppId>) -> Option<Check> {
        let config = doctor.config;
        let gates = app.map_or(&config.policy.gates, |app| config.policy.gates(app));
        let (needs, most) = needs(gates);
        if most == 0 {
            return None;
        }
        let check = app.map_or_else(|| "approvers".to_owned(), |app| format!("approvers of {app}"));
        let key = match app {
            Some(app) if config.policy.apps[app].roles.0.contains_key(&Role::Approver) => {
                format!("approver in [[policy.app]] {app}")
            }
            Some(_) | None => "roles.approver".to_owned(),
        };
        let many = match self.count(config.holders(Role::Approver, app)) {
            HowMany::AtMost(many) => many,
            HowMany::Unknown => return Some(unknown(check, "may approve")),
        };
        let short: Vec<String> = needs
            .iter()
            .filter(|(_, needed)| *needed > many)
            .map(|(what, needed)| format!("{what} needs {needed}"))
            .collect();
        let who = if many == 0 {
            "Nobody".to_owned()
        } else {
            format!("At most {}", counted(many, "member", "members"))
        };
        if !short.is_empty() {
            let said = format!("{who} may approve, and {}.", short.join(", "));
            let mend = format!(
                "Give more people a role that is listed in {key}, or lower the approvals in [policy]."
            );
            // Without writes nobody is kept from anything: people act by hand.
            let writes = config.orgs.values().any(|org| org.writes);
            let make = if writes { Check::failed } else { Check::warning };
            return Some(make(Part::Discord, check, said, mend));
        }
        if many == most {
            let said = format!("{who} may approve; where one of them asks, too few are left for {most}.");
            let mend = format!(
                "Give one more person a role that is listed in {key}: nobody approves their own request."
            );
            return Some(Check::warning(Part::Discord, check, said, mend));
        }
        Some(Check::ok(Part::Discord, check, format!("{who} may approve.")))
    }
}

fn role(holder: &Holder) -> Option<RoleId> {
    match holder {
        Holder::Role(id) => Some(*id),
        Holder::Member(_) => None,
    }
}

/// What needs approvals and how many, and the most of those.
fn needs(gates: &Gates) -> ([(String, u64); 4], u64) {
    let bulk = format!("a retry of more than {} people", gates.retry.bulk_over);
    let needs = [
        ("enable".to_owned(), gates.enable.approvals),
        ("a retry".to_owned(), gates.retry.few.approvals),
        (bulk, gates.retry.bulk.approvals),
        ("reassign".to_owned(), gates.reassign.approvals),
    ]
    .map(|(what, needed)| (what, needed as u64));
    let most = needs.iter().map(|(_, needed)| *needed).max().unwrap_or(0);
    (needs, most)
}

fn unknown(check: impl Into<String>, may: &str) -> Check {
    let said = format!("Discord did not tell how many {may}.");
    Check::warning(Part::Discord, check, said, "Try again; if it stays, ask Discord's status page.")
}
