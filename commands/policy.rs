//! Who may ask for, confirm and approve what. Fail-closed: a role nobody holds is nobody's, unknown is not allowed.

use std::collections::BTreeMap;

use domain::ids::{AppId, MemberId, OrgName, RoleId, UserId};
use domain::ports::{Roster, RosterError};
use domain::request::{Action, Gate, Request};

use crate::access::{Access, Holder};
use crate::chat::Caller;
use crate::spec::Role;

/// Whom each action needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gates {
    /// Turning Deactivate Users on.
    pub enable: Gate,
    /// Pushing a few people again.
    pub retry: Gate,
    /// Pushing more than `bulk_over`.
    pub bulk: Gate,
    /// From how many people on a retry is a bulk.
    pub bulk_over: usize,
    /// Unassigning and assigning.
    pub reassign: Gate,
}

/// What is particular to one app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppPolicy {
    /// Roles that are held by others for this app.
    pub access: BTreeMap<Role, Vec<Holder>>,
    /// Whom each action needs.
    pub gates: Gates,
}

/// The rules of `[roles]`, `[policy]` and `[links]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Who may do what.
    pub access: Access,
    /// Whom each action needs.
    pub gates: Gates,
    /// What is particular to single apps.
    pub apps: BTreeMap<AppId, AppPolicy>,
    /// Who is on call: an approver needs this role, too.
    pub oncall: Option<RoleId>,
    /// Which member is which person, by org.
    pub links: BTreeMap<(OrgName, MemberId), UserId>,
    /// Whether an action that needs approval needs linked people.
    pub links_required: bool,
}

/// Why somebody may not do something, in words that name the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forbidden(pub String);

impl Policy {
    /// Whom an action needs for an app.
    pub fn gate(&self, app: &AppId, action: Action, people: usize) -> Gate {
        let gates = self.apps.get(app).map_or(&self.gates, |policy| &policy.gates);
        match action {
            Action::Enable => gates.enable,
            Action::Retry if people > gates.bulk_over => gates.bulk,
            Action::Retry => gates.retry,
            Action::Reassign => gates.reassign,
            // Nothing is written, so nobody has to approve it.
            Action::Fixed => Gate { approvals: 0, expires: gates.retry.expires },
        }
    }

    /// Who holds a role for an app.
    pub fn holders(&self, app: &AppId, role: Role) -> &[Holder] {
        let own = self.apps.get(app).and_then(|policy| policy.access.get(&role));
        own.map_or_else(|| self.access.holders(role), Vec::as_slice)
    }

    /// Whether somebody holds a role for an app.
    pub fn holds(&self, app: &AppId, caller: &Caller, role: Role) -> bool {
        self.holders(app, role).iter().any(|holder| match holder {
            Holder::Role(id) => caller.roles.contains(id),
            Holder::Member(id) => caller.id == *id,
        })
    }

    /// Whether somebody asks for or approves remediations of at least one app by that app's own list.
    pub fn holds_for_an_app(&self, caller: &Caller, role: Role) -> bool {
        matches!(role, Role::Operator | Role::Approver)
            && self
                .apps
                .iter()
                .any(|(app, policy)| policy.access.contains_key(&role) && self.holds(app, caller, role))
    }

    /// The person that a member is linked to.
    pub fn person(&self, org: &OrgName, member: MemberId) -> Option<&UserId> {
        self.links.get(&(org.clone(), member))
    }

    /// Whether somebody may ask for an action on an app.
    ///
    /// # Errors
    ///
    /// The rule that forbids it.
    pub fn may_ask(&self, org: &OrgName, app: &AppId, caller: &Caller, gate: Gate) -> Result<(), Forbidden> {
        if !self.holds(app, caller, Role::Operator) {
            return Err(Forbidden("it takes the role **operator** for this app".to_owned()));
        }
        self.is_linked(org, caller.id, gate, "you are")
    }

    /// Whether somebody may approve a request, as they are now. `widened`: nobody else is on call.
    ///
    /// # Errors
    ///
    /// The rule that forbids it.
    pub fn may_approve(&self, request: &Request, caller: &Caller, widened: bool) -> Result<(), Forbidden> {
        let frozen = &request.frozen;
        if !self.holds(&frozen.app.id, caller, Role::Approver) {
            return Err(Forbidden("it takes the role **approver** for this app".to_owned()));
        }
        if let Some(oncall) = self.oncall
            && !widened
            && !caller.roles.contains(&oncall)
        {
            return Err(Forbidden(format!("an approver must be on call (<@&{oncall}>), and you are not")));
        }
        self.is_linked(&frozen.org, caller.id, frozen.gate, "you are")
    }

    fn is_linked(&self, org: &OrgName, member: MemberId, gate: Gate, who: &str) -> Result<(), Forbidden> {
        if self.links_required && gate.approvals > 0 && self.person(org, member).is_none() {
            return Err(Forbidden(format!(
                "what needs an approval needs people whose Okta account is known, and {who} not linked to one; an \
                 admin does that in `[links]` of Provost's configuration"
            )));
        }
        Ok(())
    }

    /// Whether nobody but the requester holds the on-call role, so that any approver may.
    ///
    /// # Errors
    ///
    /// If Discord cannot be asked: then nobody knows.
    pub async fn is_widened(&self, roster: &dyn Roster, requester: MemberId) -> Result<bool, RosterError> {
        let Some(oncall) = self.oncall else { return Ok(false) };
        let held = roster.counts().await?.get(&oncall).copied().unwrap_or(0);
        let own = roster.roles(requester).await?.is_some_and(|roles| roles.contains(&oncall));
        Ok(held <= u64::from(own))
    }

    /// Whether enough others could approve an action: `member:` entries are asked for, `role:` entries are counted,
    /// less the requester.
    ///
    /// # Errors
    ///
    /// If Discord cannot be asked. Unknown is not zero: the caller goes on then, and the approval decides.
    pub async fn could_be_approved(
        &self,
        roster: &dyn Roster,
        app: &AppId,
        requester: &Caller,
        gate: Gate,
    ) -> Result<bool, RosterError> {
        let mut others: u64 = 0;
        let counts = roster.counts().await?;
        for holder in self.holders(app, Role::Approver) {
            match holder {
                Holder::Role(id) => {
                    let held = counts.get(id).copied().unwrap_or(0);
                    others += held.saturating_sub(u64::from(requester.roles.contains(id)));
                }
                Holder::Member(id) if *id == requester.id => {}
                Holder::Member(id) => others += u64::from(roster.roles(*id).await?.is_some()),
            }
        }
        Ok(others >= u64::from(gate.approvals))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    fn policy() -> Policy {
        let gate = Gate { approvals: 1, expires: SignedDuration::from_mins(60) };
        let gates = Gates { enable: gate, retry: gate, bulk: gate, bulk_over: 10, reassign: gate };
        let list = |role: u64| vec![Holder::Role(RoleId(role))];
        Policy {
            access: Access::new([(Role::Operator, list(1)), (Role::Approver, list(2))]),
            gates,
            apps: BTreeMap::from([(
                "0oapayroll".parse().unwrap(),
                AppPolicy { access: BTreeMap::from([(Role::Approver, list(3))]), gates },
            )]),
            oncall: None,
            links: BTreeMap::new(),
            links_required: false,
        }
    }

    #[test]
    fn an_apps_own_list_replaces_the_general_one_for_that_app_alone() {
        let policy = policy();
        let (payroll, other) = ("0oapayroll".parse().unwrap(), "0oaother".parse().unwrap());
        let caller = |role: u64| Caller { id: MemberId(9), roles: vec![RoleId(role)] };
        #[rustfmt::skip]
        let table = [
            // role  app        approves  let in
            (2,      &payroll,  false,    false),
            (3,      &payroll,  true,     true),
            (2,      &other,    true,     false),
            (3,      &other,    false,    true),
            (1,      &payroll,  false,    false),
        ];
        for (role, app, approves, let_in) in table {
            assert_eq!(policy.holds(app, &caller(role), Role::Approver), approves, "{role} {app}");
            assert_eq!(policy.holds_for_an_app(&caller(role), Role::Approver), let_in, "{role} {app}");
        }
    }
}
