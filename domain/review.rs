//! The review of a break-glass request: it acted first, so an approver looks at it afterwards.
//!
//! A review is no stage of the request: it is kept beside it, and changes nothing that was done.

use jiff::Timestamp;

use crate::ids::{MemberId, UserId};
use crate::request::{Request, RequestNumber, Stage};

/// What an approver says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It could not wait for an approval.
    Justified,
    /// It could have.
    NotJustified,
}

impl Verdict {
    /// The word in commands, in messages and in the audit.
    pub fn word(self) -> &'static str {
        match self {
            Self::Justified => "justified",
            Self::NotJustified => "not justified",
        }
    }
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Of which request.
    pub request: RequestNumber,
    /// By whom.
    pub by: MemberId,
    /// The person that member is linked to.
    pub person: Option<UserId>,
    /// What they say.
    pub verdict: Verdict,
    /// Why, in their words; may be empty. From outside.
    pub reason: String,
    /// When, by our clock.
    pub at: Timestamp,
}

/// Why a request cannot be reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReviewRefusal {
    /// It was approved, or needed no approval: nothing is open.
    NotBreakGlass,
    /// Nothing has been done for it yet, or nothing ever was.
    NothingDone,
    /// The requester does not review it, nor does the same person by another member.
    OwnRequest,
    /// It has its review.
    Done(Box<Review>),
}

/// Whether a request acted without an approval, so that it needs a review.
pub fn is_due(request: &Request) -> bool {
    request.frozen.breakglass
        && match request.stage {
            Stage::Executing { .. }
            | Stage::Verifying { .. }
            | Stage::Succeeded { .. }
            | Stage::Failed { .. }
            | Stage::Partly { .. }
            | Stage::Unclear { .. } => true,
            Stage::Draft
            | Stage::Pending
            | Stage::Approved
            | Stage::Denied { .. }
            | Stage::Expired { .. }
            | Stage::Cancelled { .. }
            | Stage::Superseded { .. } => false,
        }
}

/// Whether a member may review a request, as far as the request itself can tell. `done` is the review that it has.
///
/// # Errors
///
/// [`ReviewRefusal`]: which rule forbids it.
pub fn may_review(
    request: &Request,
    done: Option<&Review>,
    by: MemberId,
    person: Option<&UserId>,
) -> Result<(), ReviewRefusal> {
    if !request.frozen.breakglass {
        return Err(ReviewRefusal::NotBreakGlass);
    }
    let same_person = person.is_some() && person == request.frozen.requester_person.as_ref();
    if by == request.frozen.requester || same_person {
        return Err(ReviewRefusal::OwnRequest);
    }
    if !is_due(request) {
        return Err(ReviewRefusal::NothingDone);
    }
    match done {
        Some(review) => Err(ReviewRefusal::Done(Box::new(review.clone()))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::App;
    use crate::request::{Action, Frozen, Gate, Method};
    use jiff::SignedDuration;

    const OLIVE: MemberId = MemberId(1);
    const ADA: MemberId = MemberId(2);

    fn user(id: &str) -> UserId {
        id.parse().expect("a good id")
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("a good time")
    }

    fn request(breakglass: bool, stage: Stage) -> Request {
        let frozen = Frozen {
            org: "acme".parse().expect("a good name"),
            app: App { id: "0oa1".parse().expect("a good id"), label: "Slack".to_owned() },
            action: Action::Enable,
            method: Method::Api,
            people: Vec::new(),
            before: "ACTIVE".to_owned(),
            gate: Gate { approvals: 1, expires: SignedDuration::from_hours(1) },
            requester: OLIVE,
            requester_person: Some(user("olive")),
            breakglass,
            assigned: None,
        };
        let draft = Request::draft(RequestNumber(7), frozen, "nobody is awake".to_owned(), None, at(0));
        Request { stage, ..draft }
    }

    #[test]
    fn it_is_due_once_something_may_have_been_done() {
        let why = String::new;
        #[rustfmt::skip]
        let table = [
            (Stage::Draft,                                          false),
            (Stage::Pending,                                        false),
            (Stage::Approved,                                       false),
            (Stage::Executing { since: at(1) },                     true),
            (Stage::Verifying { since: at(1) },                     true),
            (Stage::Succeeded { at: at(1), by: None },                        true),
            (Stage::Failed { at: at(1), why: why() },               true),
            (Stage::Partly { at: at(1), why: why() },               true),
            (Stage::Denied { by: ADA, at: at(1), why: why() },      false),
            (Stage::Expired { at: at(1) },                          false),
            (Stage::Cancelled { by: OLIVE, at: at(1) },             false),
            (Stage::Superseded { at: at(1), why: why() },           false),
            (Stage::Unclear { at: at(1), why: why() },              true),
        ];
        for (stage, due) in table {
            let word = stage.word();
            assert_eq!(is_due(&request(true, stage.clone())), due, "{word}");
            assert!(!is_due(&request(false, stage)), "{word}, and approved");
        }
    }

    #[test]
    fn who_may_review_and_once() {
        use ReviewRefusal as R;
        let done = Stage::Succeeded { at: at(1), by: None };
        let review = Review {
            request: RequestNumber(7),
            by: ADA,
            person: None,
            verdict: Verdict::Justified,
            reason: String::new(),
            at: at(2),
        };
        #[rustfmt::skip]
        let table = [
            (request(true, done.clone()),    None,          ADA,   None,                Ok(())),
            (request(true, done.clone()),    None,          ADA,   Some(user("ada")),   Ok(())),
            (request(true, done.clone()),    None,          ADA,   Some(user("olive")), Err(R::OwnRequest)),
            (request(true, done.clone()),    None,          OLIVE, None,                Err(R::OwnRequest)),
            (request(true, done.clone()),    Some(&review), OLIVE, None,                Err(R::OwnRequest)),
            (request(true, done.clone()),    Some(&review), ADA,   None,                Err(R::Done(Box::new(review.clone())))),
            (request(true, Stage::Approved), None,          ADA,   None,                Err(R::NothingDone)),
            (request(false, done),           None,          ADA,   None,                Err(R::NotBreakGlass)),
        ];
        for (request, given, by, person, expected) in table {
            assert_eq!(may_review(&request, given, by, person.as_ref()), expected, "{request:?} {by}");
        }
    }
}
