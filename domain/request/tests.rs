//! The whole life of a request, as tables.

use std::collections::BTreeSet;

use super::*;
use crate::cause::Strength;
use crate::event::Actor;
use crate::facts::Assigned;
use crate::incident::Proof;

const OLIVE: MemberId = MemberId(1);
const ADA: MemberId = MemberId(2);
const VIC: MemberId = MemberId(3);

/// The request was made at 0 and may wait an hour.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("a good time")
}

fn user(id: &str) -> UserId {
    id.parse().expect("a good id")
}

fn frozen() -> Frozen {
    Frozen {
        org: "acme".parse().expect("a good name"),
        app: App { id: "0oa1".parse().expect("a good id"), label: "Slack".to_owned() },
        action: Action::Retry,
        method: Method::Api,
        people: vec![user("dana"), user("eli"), user("fay")],
        before: "ACTIVE PUSH_NEW_USERS".to_owned(),
        gate: Gate { approvals: 1, expires: SignedDuration::from_hours(1) },
        requester: OLIVE,
        requester_person: Some(user("olive")),
        breakglass: false,
        assigned: None,
    }
}

/// Olive's request for three people, in a stage.
fn request(stage: Stage) -> Request {
    let draft = Request::draft(RequestNumber(17), frozen(), "they are back".to_owned(), None, at(0));
    Request { stage, ..draft }
}

fn stages() -> [Stage; 13] {
    let (at, by, why) = (at(0), ADA, String::new);
    [
        Stage::Draft,
        Stage::Pending,
        Stage::Approved,
        Stage::Executing { since: at },
        Stage::Verifying { since: at },
        Stage::Succeeded { at, by: None },
        Stage::Failed { at, why: why() },
        Stage::Partly { at, why: why() },
        Stage::Denied { by, at, why: why() },
        Stage::Expired { at },
        Stage::Cancelled { by, at },
        Stage::Superseded { at, why: why() },
        Stage::Unclear { at, why: why() },
    ]
}

/// Every event, by who may cause it, to exactly this request.
fn events() -> [(&'static str, RequestEvent); 14] {
    use RequestEvent as E;
    let (why, hash) = (String::new, request(Stage::Pending).hash.short().to_owned());
    let outcome = Outcome::Pushing { since: at(1) };
    let chosen = E::Chosen { by: OLIVE, people: vec![user("dana")], gate: frozen().gate };
    [
        ("choose", chosen),
        ("confirm", E::Confirmed { by: OLIVE, hash: hash.clone() }),
        ("approve", E::Approved { by: ADA, person: Some(user("ada")), hash }),
        ("deny", E::Denied { by: ADA, why: why() }),
        ("withdraw", E::Withdrawn { by: OLIVE }),
        ("time", E::TimePassed),
        ("change", E::Changed { why: why() }),
        ("begin", E::Begun),
        ("put-off", E::PutOff { why: why() }),
        ("done", E::Done),
        ("person", E::Person { person: user("dana"), outcome }),
        ("refuse", E::Refused { why: why() }),
        ("lose", E::Lost { why: why() }),
        ("prove", E::Proven { by: None }),
    ]
}

/// What becomes of a request, in a word: `=` nothing, `-` it cannot happen now.
fn word(before: &Request, after: &Result<Request, Refusal>) -> &'static str {
    match after {
        Ok(after) if after == before => "=",
        Ok(after) => {
            assert_eq!(after.revision, before.revision + 1, "every change counts up");
            after.stage.word()
        }
        Err(Refusal::NotNow(stage)) => {
            assert_eq!(*stage, before.stage, "the refusal says how it stands");
            "-"
        }
        Err(Refusal::NotYours) => "not-yours",
        Err(Refusal::OwnRequest) => "own",
        Err(Refusal::Twice) => "twice",
        Err(Refusal::Late) => "late",
        Err(Refusal::OtherHash) => "other-hash",
        Err(Refusal::Paused) => unreachable!("the request itself knows of no pause"),
    }
}

/// Every stage against every event at a time, as a table.
fn lifecycle(now: Timestamp) -> Vec<Vec<&'static str>> {
    let head = std::iter::once("").chain(events().map(|(name, _)| name)).collect();
    let row = |stage: Stage| {
        let before = request(stage);
        let cell = |(_, event)| word(&before, &before.after(event, now));
        std::iter::once(before.stage.word()).chain(events().map(cell)).collect()
    };
    std::iter::once(head).chain(stages().map(row)).collect()
}

fn table(text: &str) -> Vec<Vec<&str>> {
    let mut rows: Vec<Vec<_>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    rows[0].insert(0, "");
    rows
}

#[test]
fn every_event_in_every_stage() {
    let expected = table(
        "           choose confirm approve  deny   withdraw  time change     begin     put-off  done      person    refuse lose    prove
        draft      draft  pending -        -      cancelled =    superseded -         -        -         -         -      -       -
        pending    -      -       approved denied cancelled =    superseded -         -        -         -         -      -       -
        approved   -      -       -        -      cancelled =    superseded executing -        -         -         failed -       -
        executing  -      -       -        -      -         =    -          -         approved verifying executing failed unclear succeeded
        verifying  -      -       -        -      -         =    -          -         -        -         verifying failed unclear succeeded
        succeeded  -      -       -        -      -         =    -          -         -        -         -         -      -       -
        failed     -      -       -        -      -         =    -          -         -        -         -         -      -       -
        partly     -      -       -        -      -         =    -          -         -        -         -         -      -       -
        denied     -      -       -        -      -         =    -          -         -        -         -         -      -       -
        expired    -      -       -        -      -         =    -          -         -        -         -         -      -       -
        cancelled  -      -       -        -      -         =    -          -         -        -         -         -      -       -
        superseded -      -       -        -      -         =    -          -         -        -         -         -      -       -
        unclear    -      -       -        -      -         =    -          -         -        -         -         -      -       -",
    );
    assert_eq!(lifecycle(at(3599)), expected);
}

#[test]
fn every_event_in_every_stage_once_its_time_is_over() {
    let expected = table(
        "           choose confirm approve deny withdraw  time    change     begin put-off  done      person    refuse lose    prove
        draft      draft  expired -       -    cancelled expired superseded -     -        -         -         -      -       -
        pending    -      -       late    late cancelled expired superseded -     -        -         -         -      -       -
        approved   -      -       -       -    cancelled expired superseded late  -        -         -         failed -       -
        executing  -      -       -       -    -         =       -          -     approved verifying executing failed unclear succeeded
        verifying  -      -       -       -    -         =       -          -     -        -         verifying failed unclear succeeded
        succeeded  -      -       -       -    -         =       -          -     -        -         -         -      -       -
        failed     -      -       -       -    -         =       -          -     -        -         -         -      -       -
        partly     -      -       -       -    -         =       -          -     -        -         -         -      -       -
        denied     -      -       -       -    -         =       -          -     -        -         -         -      -       -
        expired    -      -       -       -    -         =       -          -     -        -         -         -      -       -
        cancelled  -      -       -       -    -         =       -          -     -        -         -         -      -       -
        superseded -      -       -       -    -         =       -          -     -        -         -         -      -       -
        unclear    -      -       -       -    -         =       -          -     -        -         -         -      -       -",
    );
    assert_eq!(lifecycle(at(3600)), expected);
}

#[test]
fn who_may_and_what_it_needs() {
    use RequestEvent as E;
    let approves = |by, hash: &str| E::Approved { by, person: None, hash: hash.to_owned() };
    let good = request(Stage::Draft).hash;
    let confirms = |by, request: &Request| E::Confirmed { by, hash: request.hash.short().to_owned() };
    let edited = |stage| {
        let mut request = request(stage);
        request.frozen.people.pop();
        request
    };
    let gate = |approvals, breakglass| {
        let frozen = Frozen { gate: Gate { approvals, ..frozen().gate }, breakglass, ..frozen() };
        Request::draft(RequestNumber(1), frozen, String::new(), None, at(0))
    };
    let two = Request { stage: Stage::Pending, ..gate(2, false) };
    let unclear = |action| {
        let mut request = request(Stage::Unclear { at: at(0), why: String::new() });
        request.frozen.action = action;
        request
    };
    let executing = Stage::Executing { since: at(0) };
    let proof = Proof { event: "e1".parse().expect("a good id"), at: at(1), strength: Strength::Account };
    let mut one_proven = request(executing.clone());
    one_proven.outcomes.insert(user("dana"), Outcome::Proven(proof));
    let (why, pushed) = (String::new, Outcome::Pushed { at: at(1) });
    #[rustfmt::skip]
    let rows = [
        ("somebody else confirms",      request(Stage::Draft),    confirms(ADA, &request(Stage::Draft)),  "not-yours"),
        ("no approval is wanted",       gate(0, false),           confirms(OLIVE, &gate(0, false)),       "approved"),
        ("it acts first",               gate(2, true),            confirms(OLIVE, &gate(2, true)),        "approved"),
        ("others were ticked since",    request(Stage::Draft),    confirms(OLIVE, &gate(0, false)),       "other-hash"),
        ("edited before it is confirmed", edited(Stage::Draft),   confirms(OLIVE, &request(Stage::Draft)), "other-hash"),
        ("the requester approves",      request(Stage::Pending),  approves(OLIVE, good.short()),          "own"),
        ("the requester denies",        request(Stage::Pending),  E::Denied { by: OLIVE, why: why() },    "own"),
        ("an older button",             request(Stage::Pending),  approves(ADA, "0123456789abcdef"),      "other-hash"),
        ("half a button",               request(Stage::Pending),  approves(ADA, &good.short()[..8]),      "other-hash"),
        ("no hash",                     request(Stage::Pending),  approves(ADA, ""),                      "other-hash"),
        ("edited before the approval",  edited(Stage::Pending),   approves(ADA, good.short()),            "other-hash"),
        ("edited before it begins",     edited(Stage::Approved),  E::Begun,                               "other-hash"),
        ("the first of two",            two.clone(),              approves(ADA, two.hash.short()),        "pending"),
        ("somebody else withdraws",     request(Stage::Pending),  E::Withdrawn { by: ADA },               "not-yours"),
        ("somebody it is not about",    request(executing),       E::Person { person: user("gus"), outcome: pushed }, "-"),
        ("refused, one is proven",      one_proven,               E::Refused { why: why() },              "partly"),
        ("unclear, then seen",          unclear(Action::Enable),  E::Proven { by: None },                 "succeeded"),
        ("unclear, then seen undone",   unclear(Action::Enable),  E::Refused { why: why() },              "failed"),
        ("unclear for good",            unclear(Action::Reassign), E::Proven { by: None },                "-"),
    ];
    for (case, before, event, expected) in rows {
        assert_eq!(word(&before, &before.after(event, at(1))), expected, "{case}");
    }
}

#[test]
fn two_approvals_are_of_two_people() {
    #[rustfmt::skip]
    let rows = [
        // who approved       who approves now       may they
        ((ADA, Some("ada")), (VIC,   Some("vic")),   Ok(())),
        ((ADA, None),        (VIC,   None),          Ok(())),
        ((ADA, Some("ada")), (VIC,   None),          Ok(())),
        ((ADA, Some("ada")), (ADA,   Some("ada")),   Err(Refusal::Twice)),
        ((ADA, None),        (ADA,   Some("ada")),   Err(Refusal::Twice)),
        ((ADA, Some("ada")), (VIC,   Some("ada")),   Err(Refusal::Twice)),
        ((ADA, Some("ada")), (OLIVE, None),          Err(Refusal::OwnRequest)),
        ((ADA, Some("ada")), (VIC,   Some("olive")), Err(Refusal::OwnRequest)),
    ];
    for ((first, theirs), (second, other), expected) in rows {
        let approvals = vec![Approval { by: first, person: theirs.map(user), at: at(0) }];
        let request = Request { approvals, ..request(Stage::Pending) };
        let person = other.map(user);
        assert_eq!(
            request.may_approve(second, person.as_ref()),
            expected,
            "{first} {theirs:?} {second} {other:?}"
        );
    }
}

#[test]
fn the_confirmation_starts_the_clock_again() -> Result<(), Refusal> {
    let draft = request(Stage::Draft);
    let hash = draft.hash.short().to_owned();
    let confirmed = draft.after(RequestEvent::Confirmed { by: OLIVE, hash }, at(1800))?;
    assert_eq!(confirmed.deadline, at(1800 + 3600));
    Ok(())
}

#[test]
fn the_sums_are_always_the_number_of_people() {
    let people = ["dana", "eli", "fay", "gus"];
    // A small generator of our own: any sequence will do, as long as it is the same one every time.
    let mut seed: u64 = 1;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut request = request(Stage::Executing { since: at(0) });
    for _ in 0..2000 {
        let proof = Proof { event: "e1".parse().expect("a good id"), at: at(1), strength: Strength::Account };
        let outcome = match random(7) {
            0 => Outcome::Waiting,
            1 => Outcome::Pushing { since: at(1) },
            2 => Outcome::Pushed { at: at(1) },
            3 => Outcome::Proven(proof),
            4 => Outcome::Failed { why: "again".to_owned() },
            5 => Outcome::Unclear { at: at(1) },
            _ => Outcome::Skipped,
        };
        let person = user(people[random(people.len())]);
        if let Ok(next) = request.after(RequestEvent::Person { person, outcome }, at(1)) {
            request = next;
        }
        let Sums { proven, failed, not_begun, waited_for, unclear } = request.sums();
        assert_eq!(proven + failed + not_begun + waited_for + unclear, 3);
    }
}

#[test]
fn whatever_a_request_is_about_changes_its_hash() {
    let same = frozen();
    let gate = |approvals, expires| Gate { approvals, expires: SignedDuration::from_millis(expires) };
    let hour = 3_600_000;
    let label = |label: &str| App { label: label.to_owned(), ..frozen().app };
    let id = |id: &str| App { id: id.parse().expect("a good id"), ..frozen().app };
    #[rustfmt::skip]
    let all = [
        frozen(),
        Frozen { org: "lab".parse().expect("a good name"), ..frozen() },
        Frozen { app: id("0oa2"), ..frozen() },
        Frozen { app: label("Slack (old)"), ..frozen() },
        Frozen { action: Action::Reassign, ..frozen() },
        Frozen { action: Action::Enable, ..frozen() },
        Frozen { action: Action::Fixed, ..frozen() },
        Frozen { method: Method::Guided, ..frozen() },
        Frozen { people: vec![], ..frozen() },
        Frozen { people: vec![user("dana"), user("eli")], ..frozen() },
        Frozen { people: vec![user("dana"), user("elifay")], ..frozen() },
        Frozen { before: "ACTIVE".to_owned(), ..frozen() },
        Frozen { gate: gate(0, hour), ..frozen() },
        Frozen { gate: gate(2, hour), ..frozen() },
        Frozen { gate: gate(1, hour + 1), ..frozen() },
        Frozen { requester: ADA, ..frozen() },
        Frozen { requester_person: None, ..frozen() },
        Frozen { requester_person: Some(user("ada")), ..frozen() },
        Frozen { breakglass: true, ..frozen() },
        Frozen { assigned: Some(Assigned { by_person: 3, by_group: 40, more: false }), ..frozen() },
        Frozen { assigned: Some(Assigned { by_person: 3, by_group: 40, more: true }), ..frozen() },
    ];
    // Taken apart, so that a field that is added leads here.
    let Frozen {
        org: _,
        app: App { id: _, label: _ },
        action: _,
        method: _,
        people: _,
        before: _,
        gate: Gate { approvals: _, expires: _ },
        requester: _,
        requester_person: _,
        breakglass: _,
        assigned: None | Some(Assigned { by_person: _, by_group: _, more: _ }),
    } = &same;
    let hashes: BTreeSet<_> = all.iter().map(|frozen| frozen.hash().0).collect();
    assert_eq!(hashes.len(), all.len());
    assert_eq!(same.hash(), frozen().hash());
}

#[test]
fn how_people_were_picked_does_not_change_the_hash() {
    let picked = Frozen { people: ["fay", "dana", "eli", "dana"].map(user).to_vec(), ..frozen() };
    let draft = Request::draft(RequestNumber(1), picked, String::new(), None, at(0));
    assert_eq!(draft.hash, request(Stage::Draft).hash);
    assert_eq!(draft.outcomes.len(), 3);
}

#[test]
fn what_becomes_of_one_person_goes_one_way() {
    let (since, why) = (at(1), String::new);
    let proof = Proof { event: "e1".parse().expect("a good id"), at: at(1), strength: Strength::Account };
    let outcomes = [
        ("waiting", Outcome::Waiting),
        ("pushing", Outcome::Pushing { since }),
        ("pushed", Outcome::Pushed { at: since }),
        ("unclear", Outcome::Unclear { at: since }),
        ("unassigning", Outcome::Unassigning { since }),
        ("unassigned", Outcome::Unassigned { at: since }),
        ("assigning", Outcome::Assigning { since }),
        ("proven", Outcome::Proven(proof)),
        ("failed", Outcome::Failed { why: why() }),
        ("skipped", Outcome::Skipped),
    ];
    #[rustfmt::skip]
    let expected = [
        // from          may become
        ("waiting",      "waiting pushing pushed unassigning proven failed skipped"),
        ("pushing",      "waiting pushed unclear proven failed skipped"),
        ("pushed",       "pushed unclear proven failed skipped"),
        ("unclear",      "proven failed skipped"),
        ("unassigning",  "waiting pushed unassigned proven failed skipped"),
        ("unassigned",   "pushed assigning proven failed skipped"),
        ("assigning",    "pushed unassigned proven failed skipped"),
        ("proven",       ""),
        ("failed",       ""),
        ("skipped",      ""),
    ];
    for ((from, before), (_, expected)) in outcomes.iter().zip(expected) {
        let mut request = request(Stage::Executing { since: at(0) });
        request.outcomes.insert(user("dana"), before.clone());
        let becomes = |(name, outcome): &(&'static str, Outcome)| {
            let event = RequestEvent::Person { person: user("dana"), outcome: outcome.clone() };
            request.after(event, at(1)).is_ok().then_some(*name)
        };
        let found: Vec<_> = outcomes.iter().filter_map(becomes).collect();
        assert_eq!(found.join(" "), expected, "{from}");
    }
}

#[test]
fn what_was_begun_for_somebody_is_not_put_off_as_a_whole() {
    let mut request = request(Stage::Executing { since: at(0) });
    request.outcomes.insert(user("dana"), Outcome::Pushing { since: at(1) });
    let put_off = request.after(RequestEvent::PutOff { why: String::new() }, at(1));
    assert_eq!(word(&request, &put_off), "-");
}

#[test]
fn who_did_it_is_compared_by_linked_person() {
    let actor = |id: Option<&str>| Actor { id: id.map(str::to_owned), ..Actor::default() };
    #[rustfmt::skip]
    let table = [
        // who did it                    whom the requester is linked to   was it another
        (Some(actor(Some("olive"))),     Some("olive"),                    Some(false)),
        (Some(actor(Some("jo"))),        Some("olive"),                    Some(true)),
        (Some(actor(Some("jo"))),        None,                             None),
        (Some(actor(None)),              Some("olive"),                    None),
        (None,                           Some("olive"),                    None),
    ];
    for (by, linked, expected) in table {
        let mut request = request(Stage::Succeeded { at: at(1), by: by.clone() });
        request.frozen.requester_person = linked.map(user);
        assert_eq!(request.was_done_by_another(), expected, "{by:?} {linked:?}");
    }
}
