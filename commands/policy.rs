//! Who may ask for, confirm and approve what. Fail-closed: a role nobody holds is nobody's, unknown is not allowed.

use std::collections::BTreeMap;

use domain::ids::{AppId, MemberId, OrgName, RoleId};
use domain::links::{Configured, Links};
use domain::ports::{Roster, RosterError};
use domain::request::{Action, Gate, Request};

use crate::access::{Access, Holder, in_words};
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
    /// The links of the configuration. Those made by command are in the store: [`Links`] has both.
    pub links: Configured,
}

/// Which rule forbids something, and who could do it: roles, no people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forbidden {
    /// It takes a role.
    Lacks {
        /// Which.
        role: Role,
        /// Who holds it, as [`Policy::who`] says it.
        held_by: String,
    },
    /// An approver must be on call.
    NotOnCall(RoleId),
    /// What needs an approval needs linked people.
    NotLinked,
}

impl Forbidden {
    /// The rule, to the one whom it stops.
    pub fn to_caller(&self) -> String {
        match self {
            Self::Lacks { role, held_by } => {
                format!("it takes the role **{}** for this app, held by {held_by}", role.word())
            }
            Self::NotOnCall(role) => format!("an approver must be on call (<@&{}>), and you are not", role.0),
            Self::NotLinked => {
                "what needs an approval needs people whose Okta account is known, and you are not \
                                linked to one; `/okta link` asks for it"
                    .to_owned()
            }
        }
    }

    /// What `whom` has lost, for a card and for the audit: no names, no markup.
    pub fn lost_by(&self, whom: &str) -> String {
        match self {
            Self::Lacks { role, .. } => format!("{whom} does not hold the role {} any more", role.word()),
            Self::NotOnCall(_) => format!("{whom} is not on call any more, and somebody else is"),
            Self::NotLinked => {
                format!("{whom} is not linked to an Okta person, which is required by now")
            }
        }
    }

    /// The rule in a word, for the audit.
    pub fn word(&self) -> String {
        match self {
            Self::Lacks { role, .. } => format!("role {}", role.word()),
            Self::NotOnCall(_) => "on call".to_owned(),
            Self::NotLinked => "link".to_owned(),
        }
    }
}

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

    /// Who holds a role for an app, in words: roles, and how many members by name, but not who they are.
    pub fn who(&self, app: &AppId, role: Role) -> String {
        in_words(self.holders(app, role))
    }

    /// Whether somebody holds a role for an app.
    ///
    /// # Errors
    ///
    /// The rule that forbids it.
    pub fn needs(&self, app: &AppId, caller: &Caller, role: Role) -> Result<(), Forbidden> {
        match self.holds(app, caller, role) {
            true => Ok(()),
            false => Err(Forbidden::Lacks { role, held_by: self.who(app, role) }),
        }
    }

    /// Whether somebody may ask for an action on an app.
    ///
    /// # Errors
    ///
    /// The rule that forbids it.
    pub fn may_ask(
        &self,
        links: &Links,
        org: &OrgName,
        app: &AppId,
        caller: &Caller,
        gate: Gate,
    ) -> Result<(), Forbidden> {
        self.needs(app, caller, Role::Operator)?;
        is_linked(links, org, caller.id, gate)
    }

    /// Whether somebody may confirm a request of theirs, as they are now: who acts without an approval needs the role
    /// for that as well.
    ///
    /// # Errors
    ///
    /// The rule that forbids it.
    pub fn may_have(&self, links: &Links, request: &Request, caller: &Caller) -> Result<(), Forbidden> {
        let frozen = &request.frozen;
        self.may_ask(links, &frozen.org, &frozen.app.id, caller, frozen.gate)?;
        if frozen.breakglass { self.may_break_glass(&frozen.app.id, caller) } else { Ok(()) }
    }

    /// Whether somebody may act first and be reviewed after.
    ///
    /// # Errors
    ///
    /// The rule that forbids it.
    pub fn may_break_glass(&self, app: &AppId, caller: &Caller) -> Result<(), Forbidden> {
        self.needs(app, caller, Role::Breakglass)
    }

    /// Whether somebody may approve a request, as they are now. `widened`: nobody else is on call.
    ///
    /// # Errors
    ///
    /// The rule that forbids it.
    pub fn may_approve(
        &self,
        links: &Links,
        request: &Request,
        caller: &Caller,
        widened: bool,
    ) -> Result<(), Forbidden> {
        let frozen = &request.frozen;
        self.needs(&frozen.app.id, caller, Role::Approver)?;
        if let Some(oncall) = self.oncall
            && !widened
            && !caller.roles.contains(&oncall)
        {
            return Err(Forbidden::NotOnCall(oncall));
        }
        is_linked(links, &frozen.org, caller.id, frozen.gate)
    }

    /// Whether somebody may review a request. It does not take to be on call: a review is given later.
    ///
    /// # Errors
    ///
    /// The rule that forbids it.
    pub fn may_review(&self, links: &Links, request: &Request, caller: &Caller) -> Result<(), Forbidden> {
        self.may_approve(links, request, caller, true)
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
    /// less the requester; and no more than are on call, where that is asked for. Who holds two of the roles counts
    /// twice: Discord tells numbers, not names.
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
        let widened = self.is_widened(roster, requester.id).await?;
        let oncall = self.oncall.filter(|_| !widened);
        for holder in self.holders(app, Role::Approver) {
            match holder {
                Holder::Role(id) => {
                    let held = counts.get(id).copied().unwrap_or(0);
                    others += held.saturating_sub(u64::from(requester.roles.contains(id)));
                }
                Holder::Member(id) if *id == requester.id => {}
                Holder::Member(id) => {
                    let roles = roster.roles(*id).await?;
                    let may = roles.is_some_and(|roles| oncall.is_none_or(|oncall| roles.contains(&oncall)));
                    others += u64::from(may);
                }
            }
        }
        if let Some(oncall) = oncall {
            let held = counts.get(&oncall).copied().unwrap_or(0);
            others = others.min(held.saturating_sub(u64::from(requester.roles.contains(&oncall))));
        }
        Ok(others >= u64::from(gate.approvals))
    }
}

fn is_linked(links: &Links, org: &OrgName, member: MemberId, gate: Gate) -> Result<(), Forbidden> {
    if links.required() && gate.approvals > 0 && links.person(org, member).is_none() {
        return Err(Forbidden::NotLinked);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::event::App;
    use domain::ids::UserId;
    use domain::links::Link;
    use domain::request::{Frozen, Method, RequestNumber};
    use jiff::{SignedDuration, Timestamp};

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
            links: Configured::default(),
        }
    }

    fn request(app: &str, approvals: u32, breakglass: bool) -> Request {
        let frozen = Frozen {
            org: "acme".parse().unwrap(),
            app: App { id: app.parse().unwrap(), label: "Slack".to_owned() },
            action: Action::Enable,
            method: Method::Api,
            people: Vec::new(),
            before: String::new(),
            gate: Gate { approvals, expires: SignedDuration::from_mins(60) },
            requester: MemberId(1),
            requester_person: None,
            breakglass,
            assigned: None,
        };
        Request::draft(RequestNumber(1), frozen, String::new(), None, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn who_may_ask_break_the_glass_approve_and_review() {
        const OPERATOR: u64 = 1;
        const APPROVER: u64 = 2;
        const ONCALL: u64 = 4;
        const GLASS: u64 = 5;
        let acme: OrgName = "acme".parse().unwrap();
        let ada: UserId = "ada".parse().unwrap();
        let linked = [Link { org: acme, member: MemberId(9), person: ada }];
        let mut policy = policy();
        policy.oncall = Some(RoleId(ONCALL));
        let list = |role: u64| vec![Holder::Role(RoleId(role))];
        policy.access = Access::new([
            (Role::Operator, list(OPERATOR)),
            (Role::Approver, list(APPROVER)),
            (Role::Breakglass, list(GLASS)),
        ]);
        let (none, one) = (Configured::default().with(&[]), Configured::default().with(&linked));
        let word =
            |allowed: Result<(), Forbidden>| allowed.map_err(|rule| rule.word()).err().unwrap_or_default();
        // Member 9 is linked; 8 is not.
        #[rustfmt::skip]
        let table: &[(&Links, u64, &[u64], [&str; 5])] = &[
            // links member roles                 asks             breaks the glass   approves         widened          reviews
            (&none, 8, &[],                     ["role operator", "role operator",   "role approver", "role approver", "role approver"]),
            (&none, 8, &[OPERATOR],             ["",              "role breakglass", "role approver", "role approver", "role approver"]),
            (&none, 8, &[GLASS],                ["role operator", "role operator",   "role approver", "role approver", "role approver"]),
            (&none, 8, &[OPERATOR, GLASS],      ["",              "",                "role approver", "role approver", "role approver"]),
            (&none, 8, &[APPROVER],             ["role operator", "role operator",   "on call",       "",              ""]),
            (&none, 8, &[APPROVER, ONCALL],     ["role operator", "role operator",   "",              "",              ""]),
            (&none, 8, &[ONCALL],               ["role operator", "role operator",   "role approver", "role approver", "role approver"]),
            (&one,  8, &[OPERATOR, GLASS],      ["link",          "link",            "role approver", "role approver", "role approver"]),
            (&one,  8, &[APPROVER, ONCALL],     ["role operator", "role operator",   "link",          "link",          "link"]),
            (&one,  9, &[OPERATOR, GLASS],      ["",              "",                "role approver", "role approver", "role approver"]),
            (&one,  9, &[APPROVER, ONCALL],     ["role operator", "role operator",   "",              "",              ""]),
        ];
        for (links, member, roles, expected) in table {
            let caller = Caller { id: MemberId(*member), roles: roles.iter().copied().map(RoleId).collect() };
            let (plain, glass) = (request("0oa1", 1, false), request("0oa1", 1, true));
            let seen = [
                word(policy.may_have(links, &plain, &caller)),
                word(policy.may_have(links, &glass, &caller)),
                word(policy.may_approve(links, &plain, &caller, false)),
                word(policy.may_approve(links, &plain, &caller, true)),
                word(policy.may_review(links, &glass, &caller)),
            ];
            assert_eq!(seen, *expected, "{member} {roles:?}");
        }
        // What needs no approval needs no link.
        let olive = Caller { id: MemberId(8), roles: vec![RoleId(OPERATOR)] };
        assert_eq!(policy.may_have(&one, &request("0oa1", 0, false), &olive), Ok(()));
    }

    #[test]
    fn a_refusal_names_who_could_as_roles() {
        let mut policy = policy();
        let holders = [Holder::Member(MemberId(7)), Holder::Role(RoleId(2)), Holder::Member(MemberId(6))];
        policy.access = Access::new([(Role::Approver, holders.to_vec())]);
        let app = "0oaother".parse().unwrap();
        assert_eq!(policy.who(&app, Role::Approver), "<@&2> or 2 members whom the configuration names");
        assert_eq!(policy.who(&app, Role::Operator), "nobody");
        let refused = policy.may_break_glass(&app, &Caller { id: MemberId(9), roles: vec![] });
        let words = "it takes the role **breakglass** for this app, held by nobody";
        assert_eq!(refused.map_err(|rule| rule.to_caller()), Err(words.to_owned()));
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
