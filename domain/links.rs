//! Links: which Discord member is which Okta person, and how one comes about.
//!
//! A link is set in the configuration, or proposed by a member and confirmed by an admin who is somebody else.
//! [`Proposal::after`] is the only place where a proposal's stage changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::audit::{Draft as AuditDraft, digest};
use crate::ids::{ChannelId, MemberId, MessageId, NotAnId, OrgName, UserId};
use crate::store::StoreError;

/// How long a proposal may wait for an admin.
pub const LASTS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// One member is one person of an org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The org.
    pub org: OrgName,
    /// The member.
    pub member: MemberId,
    /// The person.
    pub person: UserId,
}

/// The links of the configuration: they win, and no command changes them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Configured {
    /// Which member is which person, by org; unique both ways.
    pub links: BTreeMap<(OrgName, MemberId), UserId>,
    /// Whether what needs an approval needs linked people; absent, it does as soon as one link exists.
    pub require: Option<bool>,
}

impl Configured {
    /// All links: those of the configuration, and of the stored ones those that contradict none of them.
    pub fn with(&self, stored: &[Link]) -> Links {
        let taken: BTreeSet<_> = self.links.iter().map(|((org, _), person)| (org, person)).collect();
        let mut of = self.links.clone();
        for Link { org, member, person } in stored {
            if !taken.contains(&(org, person)) {
                of.entry((org.clone(), *member)).or_insert_with(|| person.clone());
            }
        }
        let exists = !self.links.is_empty() || !stored.is_empty();
        Links { of, required: self.require.unwrap_or(exists) }
    }

    /// The person that the configuration links a member to.
    pub fn person(&self, org: &OrgName, member: MemberId) -> Option<&UserId> {
        self.links.get(&(org.clone(), member))
    }

    /// The member that the configuration links a person to.
    pub fn member(&self, org: &OrgName, person: &UserId) -> Option<MemberId> {
        let is = |((of, _), known): &(&(OrgName, MemberId), &UserId)| of == org && *known == person;
        self.links.iter().find(is).map(|((_, member), _)| *member)
    }
}

/// All links as they are now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Links {
    of: BTreeMap<(OrgName, MemberId), UserId>,
    required: bool,
}

impl Links {
    /// The person that a member is linked to.
    pub fn person(&self, org: &OrgName, member: MemberId) -> Option<&UserId> {
        self.of.get(&(org.clone(), member))
    }

    /// Whether what needs an approval needs linked people.
    pub fn required(&self) -> bool {
        self.required
    }
}

/// The member that a person is linked to already, if that is somebody else.
pub fn taken_by(links: &[Link], wanted: &Link) -> Option<MemberId> {
    let same = |link: &&Link| link.org == wanted.org && link.person == wanted.person;
    links.iter().find(same).map(|link| link.member).filter(|member| *member != wanted.member)
}

/// A proposal's short number, shown as `L3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProposalNumber(pub i64);

impl fmt::Display for ProposalNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "L{}", self.0)
    }
}

impl FromStr for ProposalNumber {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        match text.strip_prefix(['L', 'l']).unwrap_or(text).parse() {
            Ok(number) if number > 0 => Ok(Self(number)),
            _ => Err(NotAnId {
                given: text.chars().take(64).collect(),
                expected: "a proposed link's number such as L3",
            }),
        }
    }
}

/// A member says which person they are; an admin is to confirm it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its short number.
    pub number: ProposalNumber,
    /// The org.
    pub org: OrgName,
    /// Who asked.
    pub member: MemberId,
    /// The login that they say is theirs. From outside, and not looked up before an admin confirms.
    pub login: String,
    /// When they asked, by our clock.
    pub asked: Timestamp,
    /// Where it stands.
    pub stage: ProposalStage,
    /// Counts up with every change; a card that shows an older one is out of date.
    pub revision: i64,
}

/// Where a proposal stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProposalStage {
    /// Waits for an admin.
    Open,
    /// An admin confirmed it: the link is made.
    Confirmed {
        /// Who.
        by: MemberId,
        /// When.
        at: Timestamp,
        /// The person whose login it is.
        person: UserId,
    },
    /// An admin said no.
    Rejected {
        /// Who.
        by: MemberId,
        /// When.
        at: Timestamp,
    },
}

impl ProposalStage {
    /// The word in the audit.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Confirmed { .. } => "confirmed",
            Self::Rejected { .. } => "rejected",
        }
    }
}

/// Something that happens to a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProposalEvent {
    /// The member asks again, perhaps with another login.
    Asked {
        /// The login.
        login: String,
    },
    /// An admin confirms it.
    Confirmed {
        /// Who.
        by: MemberId,
        /// The person whose login it is, as Okta says.
        person: UserId,
        /// What the button carried.
        hash: String,
    },
    /// An admin says no.
    Rejected {
        /// Who.
        by: MemberId,
        /// What the button carried.
        hash: String,
    },
}

/// Why something cannot happen to a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkRefusal {
    /// It is decided already: this is how it stands.
    NotNow(ProposalStage),
    /// Nobody confirms their own link.
    OwnLink,
    /// It was asked for too long ago.
    Late,
    /// The button carries another hash: another login was asked for since.
    OtherHash,
    /// The person is linked to another member already.
    Taken(MemberId),
}

impl Proposal {
    /// A new proposal.
    pub fn new(
        number: ProposalNumber,
        org: OrgName,
        member: MemberId,
        login: String,
        asked: Timestamp,
    ) -> Self {
        Self { number, org, member, login, asked, stage: ProposalStage::Open, revision: 1 }
    }

    /// What its buttons carry: 16 digits of a hash over what an admin reads.
    pub fn hash(&self) -> String {
        let (number, member) = (self.number.to_string(), self.member.to_string());
        let mut hash = digest(&["provost link v1", &number, self.org.as_str(), &member, &self.login]);
        hash.truncate(16);
        hash
    }

    /// Whether somebody may decide it with a button that carries `hash`.
    ///
    /// # Errors
    ///
    /// [`LinkRefusal`], which says how it stands.
    pub fn may_decide(&self, by: MemberId, hash: &str, now: Timestamp) -> Result<(), LinkRefusal> {
        if self.stage != ProposalStage::Open {
            return Err(LinkRefusal::NotNow(self.stage.clone()));
        }
        if by == self.member {
            return Err(LinkRefusal::OwnLink);
        }
        if hash != self.hash() {
            return Err(LinkRefusal::OtherHash);
        }
        if self.is_late(now) {
            return Err(LinkRefusal::Late);
        }
        Ok(())
    }

    fn is_late(&self, now: Timestamp) -> bool {
        now - self.asked >= LASTS
    }

    /// The proposal after `event`, or why that cannot happen to it. Asking for the same once more changes nothing: the
    /// revision stays.
    ///
    /// # Errors
    ///
    /// [`LinkRefusal`], which says how it stands.
    pub fn after(&self, event: ProposalEvent, now: Timestamp) -> Result<Self, LinkRefusal> {
        let mut next = self.clone();
        match event {
            ProposalEvent::Asked { .. } if self.stage != ProposalStage::Open => {
                return Err(LinkRefusal::NotNow(self.stage.clone()));
            }
            ProposalEvent::Asked { login } if login == self.login && !self.is_late(now) => return Ok(next),
            ProposalEvent::Asked { login } => (next.login, next.asked) = (login, now),
            ProposalEvent::Confirmed { by, person, hash } => {
                self.may_decide(by, &hash, now)?;
                next.stage = ProposalStage::Confirmed { by, at: now, person };
            }
            ProposalEvent::Rejected { by, hash } => {
                self.may_decide(by, &hash, now)?;
                next.stage = ProposalStage::Rejected { by, at: now };
            }
        }
        next.revision += 1;
        Ok(next)
    }
}

/// How a proposal's card stands in the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalShowing {
    /// The proposal.
    pub proposal: ProposalNumber,
    /// The channel.
    pub channel: ChannelId,
    /// When the first attempt to post it was noted, before it was made; by our clock.
    pub attempted: Timestamp,
    /// Its message, once Discord answered.
    pub message: Option<MessageId>,
    /// The proposal's revision that it shows.
    pub revision: i64,
    /// A person deleted it: nothing more is done to it.
    pub let_go: bool,
}

/// The links made by command, as a port. Every call is one transaction; what it returns `Ok` for is on disk.
#[async_trait]
pub trait LinkBook: Send + Sync {
    /// All of them. Whoever cannot read them must refuse: unknown is not linked.
    async fn links(&self) -> Result<Vec<Link>, StoreError>;

    /// Stores what a member asks for, in place of what they asked for before if that is still open. Writes the entry
    /// unless it changes nothing.
    async fn propose(
        &self,
        org: &OrgName,
        member: MemberId,
        login: String,
        entry: AuditDraft,
        now: Timestamp,
    ) -> Result<Proposal, StoreError>;

    /// One proposal.
    async fn proposal(&self, number: ProposalNumber) -> Result<Option<Proposal>, StoreError>;

    /// Lets an admin decide, and writes the audit entry with it: both or neither. A confirmed proposal is a link, in
    /// place of the one that the member had. A refusal writes the entry `refused` instead. `None`: there is no such
    /// proposal.
    async fn decide(
        &self,
        number: ProposalNumber,
        event: ProposalEvent,
        entry: AuditDraft,
        refused: AuditDraft,
        now: Timestamp,
    ) -> Result<Option<Result<Proposal, LinkRefusal>>, StoreError>;

    /// Removes a link, with its audit entry; `None` if there is none.
    async fn unlink(
        &self,
        org: &OrgName,
        member: MemberId,
        entry: AuditDraft,
        now: Timestamp,
    ) -> Result<Option<Link>, StoreError>;

    /// Proposals whose card does not show them as they are, with their card, oldest first.
    async fn unshown_proposals(&self) -> Result<Vec<(Proposal, Option<ProposalShowing>)>, StoreError>;

    /// Notes how a proposal's card stands; before a first post, with `message: None`.
    async fn note_proposal_showing(&self, showing: &ProposalShowing) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLIVE: MemberId = MemberId(1);
    const ROOT: MemberId = MemberId(2);

    fn org(name: &str) -> OrgName {
        name.parse().expect("a good name")
    }

    fn user(id: &str) -> UserId {
        id.parse().expect("a good id")
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("a good time")
    }

    fn link(of: &str, member: u64, person: &str) -> Link {
        Link { org: org(of), member: MemberId(member), person: user(person) }
    }

    #[test]
    fn the_configuration_wins_and_one_link_is_enough_to_require_them() {
        let configured = |require, links: &[Link]| Configured {
            links: links.iter().map(|each| ((each.org.clone(), each.member), each.person.clone())).collect(),
            require,
        };
        let ada = link("acme", 1, "ada");
        #[rustfmt::skip]
        let table = [
            // configured     require      stored                        member 1        member 2     required
            (vec![],           None,        vec![],                       None,           None,        false),
            (vec![],           Some(true),  vec![],                       None,           None,        true),
            (vec![],           None,        vec![ada.clone()],            Some("ada"),    None,        true),
            (vec![ada.clone()], None,       vec![],                       Some("ada"),    None,        true),
            (vec![ada.clone()], Some(false), vec![],                      Some("ada"),    None,        false),
            (vec![ada.clone()], None,       vec![link("acme", 1, "eve")], Some("ada"),    None,        true),
            (vec![ada.clone()], None,       vec![link("acme", 2, "ada")], Some("ada"),    None,        true),
            (vec![ada.clone()], None,       vec![link("acme", 2, "eve")], Some("ada"),    Some("eve"), true),
            (vec![],           None,        vec![link("lab", 1, "ada")],  None,           None,        true),
        ];
        for (of_configuration, require, stored, one, two, required) in table {
            let links = configured(require, &of_configuration).with(&stored);
            let case = format!("{of_configuration:?} {require:?} {stored:?}");
            assert_eq!(links.person(&org("acme"), MemberId(1)).map(UserId::as_str), one, "{case}");
            assert_eq!(links.person(&org("acme"), MemberId(2)).map(UserId::as_str), two, "{case}");
            assert_eq!(links.required(), required, "{case}");
        }
        let configured = configured(None, std::slice::from_ref(&ada));
        assert_eq!(configured.member(&org("acme"), &user("ada")), Some(MemberId(1)));
        assert_eq!(configured.member(&org("lab"), &user("ada")), None);
    }

    #[test]
    fn a_person_is_one_member_of_an_org() {
        let known = [link("acme", 1, "ada"), link("lab", 3, "eve")];
        #[rustfmt::skip]
        let table = [
            (link("acme", 2, "ada"), Some(MemberId(1))),
            (link("acme", 1, "ada"), None),
            (link("acme", 2, "eve"), None),
            (link("lab",  2, "eve"), Some(MemberId(3))),
        ];
        for (wanted, expected) in table {
            assert_eq!(taken_by(&known, &wanted), expected, "{wanted:?}");
        }
    }

    #[test]
    fn every_stage_and_every_event_of_a_proposal() {
        let open =
            Proposal::new(ProposalNumber(3), org("acme"), OLIVE, "olive@example.com".to_owned(), at(0));
        let person = user("olive");
        let confirmed = ProposalStage::Confirmed { by: ROOT, at: at(1), person: person.clone() };
        let rejected = ProposalStage::Rejected { by: ROOT, at: at(1) };
        let in_stage = |stage: &ProposalStage| Proposal { stage: stage.clone(), ..open.clone() };
        let confirms =
            |by, hash: &str| ProposalEvent::Confirmed { by, person: person.clone(), hash: hash.to_owned() };
        let rejects = |by, hash: &str| ProposalEvent::Rejected { by, hash: hash.to_owned() };
        let asks = |login: &str| ProposalEvent::Asked { login: login.to_owned() };
        let hash = open.hash();
        let week = LASTS.as_secs();
        let decided = |stage: &ProposalStage| Err(LinkRefusal::NotNow(stage.clone()));
        let (late, own) = (Err(LinkRefusal::Late), Err(LinkRefusal::OwnLink));
        let other = || Err(LinkRefusal::OtherHash);
        #[rustfmt::skip]
        let table = [
            (open.clone(),         confirms(ROOT, &hash),                1,        Ok((2, "confirmed"))),
            (open.clone(),         rejects(ROOT, &hash),                 1,        Ok((2, "rejected"))),
            (open.clone(),         confirms(OLIVE, &hash),               1,        own.clone()),
            (open.clone(),         rejects(OLIVE, &hash),                1,        own),
            (open.clone(),         confirms(ROOT, "0123456789abcdef"),   1,        other()),
            (open.clone(),         confirms(ROOT, ""),                   1,        other()),
            (open.clone(),         confirms(ROOT, &hash),                week - 1, Ok((2, "confirmed"))),
            (open.clone(),         confirms(ROOT, &hash),                week,     late.clone()),
            (open.clone(),         rejects(ROOT, &hash),                 week,     late),
            (open.clone(),         asks("olive@example.com"),            1,        Ok((1, "open"))),
            (open.clone(),         asks("olive@example.com"),            week,     Ok((2, "open"))),
            (open.clone(),         asks("ada@example.com"),              1,        Ok((2, "open"))),
            (in_stage(&confirmed), confirms(ROOT, &hash),                2,        decided(&confirmed)),
            (in_stage(&confirmed), rejects(ROOT, &hash),                 2,        decided(&confirmed)),
            (in_stage(&confirmed), asks("ada@example.com"),              2,        decided(&confirmed)),
            (in_stage(&rejected),  confirms(ROOT, &hash),                2,        decided(&rejected)),
            (in_stage(&rejected),  rejects(ROOT, &hash),                 2,        decided(&rejected)),
            (in_stage(&rejected),  asks("ada@example.com"),              2,        decided(&rejected)),
        ];
        for (before, event, now, expected) in table {
            let after = before.after(event.clone(), at(now));
            let seen = after.map(|after| (after.revision, after.stage.word()));
            assert_eq!(seen, expected, "{} {event:?} at {now}", before.stage.word());
        }
        let other = open.after(asks("ada@example.com"), at(1)).expect("it is open");
        assert_ne!(other.hash(), hash, "a button for the other login is worth nothing any more");
    }
}
