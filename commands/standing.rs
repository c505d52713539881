//! Where a request stands, in words: the one field of its card that is different in every stage.

use domain::cause::Strength;
use domain::incident::Proof;
use domain::request::{Action, Method, Outcome, Request, SETTLED_WITHIN, STATE_AS_PROOF, Stage};

use crate::console;
use crate::request_card::{Around, Seen, asked};
use crate::text::{ago, escape, fit, people, when};

/// Where proof rests on Okta's own word alone: Provost reads Okta, not the app.
pub const UNSEEN: &str = "Okta reports success; not seen in the app. Provost does not look into the \
     app itself: ask the person whether they can sign in there.";

/// What a setting that was turned on does not do by itself.
const NEXT: &str =
    "**Deactivate Users is on. Nobody is pushed again by that:** press Retry… for whoever still fails.\n";

/// Whether the request has turned the setting on. The people who fail still do.
pub(crate) fn is_on(request: &Request) -> bool {
    request.frozen.action == Action::Enable && matches!(request.stage, Stage::Succeeded { .. })
}

pub(crate) fn standing(request: &Request, around: &Around<'_>, seen: &Seen) -> String {
    let approved = approved_by(request);
    let paused = if around.paused {
        "\nAll writes are stopped (`/okta pause`); it goes on after `/okta resume`."
    } else {
        ""
    };
    let text = match &request.stage {
        Stage::Draft => "Not confirmed yet.".to_owned(),
        Stage::Pending => format!(
            "{}\nApprovals so far: {} of {}. Expires {}.{paused}",
            asked(request, around.policy, seen.widened),
            request.approvals.len(),
            request.frozen.gate.approvals,
            ago(request.deadline)
        ),
        Stage::Approved => format!("{approved}\nWaits to be done.{paused}"),
        Stage::Executing { .. } if request.is_half_done() => {
            let how = match request.is_unassigned() {
                Some(true) => "Unassigned from the app, and not assigned again yet.",
                Some(false) | None => "Being unassigned from the app; Okta has not said yet that it did it.",
            };
            format!(
                "{approved}\n**{how}** Provost goes on until the person is assigned again, also after a restart. What the \
                 assignment held is kept.{paused}"
            )
        }
        Stage::Executing { since } => format!(
            "{approved}\nBeing done; begun {}. If Okta's answer is lost, Provost reads what Okta has, and does not write \
             again.{paused}",
            ago(*since)
        ),
        Stage::Verifying { .. } if request.frozen.action == Action::Fixed => format!(
            "{approved}\nWaits for the proof: a later success of each of them in Okta's log.\n**Okta may never push \
             again by itself.** Press Retry… if nobody has pushed again yet."
        ),
        Stage::Verifying { since } => match (request.frozen.method, request.frozen.action) {
            (Method::Guided, Action::Enable) => format!(
                "{approved}\n**To do, in Okta's console:** {}.\nProvost sees the change by itself; nobody has to \
                 come back here.",
                console::TURN_ON
            ),
            (Method::Guided, Action::Retry | Action::Fixed) => format!(
                "{approved}\n**To do, in Okta's console:** {}.\nProvost sees the pushes by itself.",
                console::RETRY
            ),
            (Method::Guided, Action::Reassign) => format!(
                "{approved}\n**To do, in Okta's console:** write down what the person's assignment holds; then {}.\n\
                 Provost sees the new push by itself.",
                console::REASSIGN
            ),
            (Method::Api, _) => {
                format!("{approved}\nDone {}; waiting for Okta's own record of it.", ago(*since))
            }
        },
        Stage::Succeeded { at, .. } => {
            let next = if is_on(request) { NEXT } else { "" };
            format!("{next}{approved}\n{}Proven {}.{}", done_by(request), when(*at), proof(request))
        }
        Stage::Failed { at, why } => format!("{approved}\nFailed {}: {}", when(*at), escape(why, 500)),
        Stage::Partly { at, why } => {
            format!("{approved}\nEnded {}: {}{}", when(*at), escape(why, 500), proof(request))
        }
        Stage::Denied { by, at, why } => format!("Denied by <@{by}> {}: {}", when(*at), escape(why, 500)),
        Stage::Expired { at } if is_approved(request) => format!(
            "{approved}\nIt could not be begun in time; expired {}. Nothing was changed. Ask again if it is still \
             needed.",
            when(*at)
        ),
        Stage::Expired { at } => {
            format!("Not approved in time; expired {}. Ask again if it is still needed.", when(*at))
        }
        Stage::Cancelled { by, at } => format!("Withdrawn by <@{by}> {}.", when(*at)),
        Stage::Superseded { at, why } => {
            format!("Void since {}: {}. This request changed nothing.", when(*at), escape(why, 500))
        }
        Stage::Unclear { at, why } => {
            let next = match request.comes_to_be_known() {
                true => format!(
                    "Provost goes on asking Okta until {}, and says what became of it. If it has not said so by then, look \
                     in Okta's console",
                    when(*at + SETTLED_WITHIN)
                ),
                false => {
                    "Look in Okta's console how it stands, then ask again if it is still needed".to_owned()
                }
            };
            format!("{approved}\nUnclear since {}: {}. {next}.", when(*at), escape(why, 500))
        }
    };
    fit(text, 1_024)
}

/// Who made the change in the console, and whether that was somebody else than the one who asked.
fn done_by(request: &Request) -> String {
    let Stage::Succeeded { by: Some(actor), .. } = &request.stage else { return String::new() };
    let name = actor.name.as_deref().or(actor.id.as_deref()).unwrap_or("somebody the log does not name");
    let another = match request.was_done_by_another() {
        Some(true) => format!(", who is not the person that <@{}> is linked to", request.frozen.requester),
        Some(false) | None => String::new(),
    };
    match request.frozen.method {
        Method::Guided => format!("Done by {}{another}. ", escape(name, 80)),
        // Where the answer was lost it may be anybody.
        Method::Api => format!(
            "Okta's log names {}: for Provost's own writes, the account that it signs in with. ",
            escape(name, 80)
        ),
    }
}

/// What proves it for its people, and how much that proves.
fn proof(request: &Request) -> String {
    let proofs: Vec<&Proof> = request
        .outcomes
        .values()
        .filter_map(|outcome| match outcome {
            Outcome::Proven(proof) => Some(proof),
            _ => None,
        })
        .collect();
    let Some(newest) = proofs.iter().max_by_key(|proof| proof.at) else { return String::new() };
    let event = match newest.event.as_str() {
        STATE_AS_PROOF => "Proof: the assignment's own state in Okta; no event was seen".to_owned(),
        event => format!("Proof: success event {}", escape(event, 80)),
    };
    let more = match proofs.len() {
        1 => String::new(),
        n => format!(", and {} more", n - 1),
    };
    let weak = proofs.iter().filter(|proof| proof.strength == Strength::ProfileOnly).count();
    let how_much = match weak {
        0 => String::new(),
        n if n == proofs.len() => format!("\n{UNSEEN}"),
        n => format!("\nFor {}: {UNSEEN}", people(n)),
    };
    format!("\n{event}{more}.{how_much}")
}

/// Whether it has all the approvals that it needs.
pub(crate) fn is_approved(request: &Request) -> bool {
    request.approvals.len() >= request.frozen.gate.approvals as usize
}

fn approved_by(request: &Request) -> String {
    match request.approvals.as_slice() {
        [] if request.frozen.breakglass => "**Break-glass**: nobody approved it beforehand.".to_owned(),
        [] => "No approval is needed.".to_owned(),
        approvals => {
            let names: Vec<String> =
                approvals.iter().map(|each| format!("<@{}> {}", each.by, when(each.at))).collect();
            format!("Approved by {}.", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::event::{Actor, App};
    use domain::ids::MemberId;
    use domain::request::{Frozen, Gate, RequestNumber};
    use jiff::SignedDuration;
    use jiff::Timestamp;

    fn done(method: Method, by: Option<&str>, linked: Option<&str>) -> Request {
        let frozen = Frozen {
            org: "acme".parse().unwrap(),
            app: App { id: "0oa1".parse().unwrap(), label: "Airbase".to_owned() },
            action: Action::Enable,
            method,
            people: Vec::new(),
            before: String::new(),
            gate: Gate { approvals: 1, expires: SignedDuration::from_hours(1) },
            requester: MemberId(7),
            requester_person: linked.map(|id| id.parse().unwrap()),
            breakglass: false,
            assigned: None,
        };
        let at = Timestamp::UNIX_EPOCH;
        let draft = Request::draft(RequestNumber(1), frozen, String::new(), None, at);
        let actor = |id: &str| Actor { id: Some(id.to_owned()), name: Some("@Jo".to_owned()), kind: None };
        Request { stage: Stage::Succeeded { at, by: by.map(actor) }, ..draft }
    }

    #[test]
    fn who_did_it_is_said_and_whether_that_was_somebody_else() {
        #[rustfmt::skip]
        let table = [
            (done(Method::Guided, Some("00ujo"), Some("00ujo")),    r"Done by \@Jo. "),
            (done(Method::Guided, Some("00ujo"), None),             r"Done by \@Jo. "),
            (done(Method::Guided, Some("00ujo"), Some("00uolive")), r"Done by \@Jo, who is not the person that <@7> is linked to. "),
            (done(Method::Guided, None,          Some("00uolive")), ""),
            (done(Method::Api,    Some("0oaus"), Some("00uolive")), r"Okta's log names \@Jo: for Provost's own writes, the account that it signs in with. "),
        ];
        for (request, expected) in table {
            assert_eq!(done_by(&request), expected, "{:?}", request.stage);
        }
    }
}
