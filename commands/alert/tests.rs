use super::*;
use domain::cause::CauseId;
use domain::event::{App, Person};
use domain::facts::Scope;
use domain::ids::MemberId;
use domain::incident::{Change, Findings, Proof};
use domain::request::{Action, Frozen, Gate, Method, RequestNumber};
use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn dana() -> Person {
    Person {
        id: "00udana".parse().unwrap(),
        login: Some("dana@example.com".to_owned()),
        name: Some("Dana *Reyes*".to_owned()),
    }
}

fn open(cause: &str) -> Incident {
    let app = App { id: "0oaairbase".parse().unwrap(), label: "Airbase".to_owned() };
    let number = domain::ids::IncidentNumber(214);
    let new = Incident::new(number, "acme".parse().unwrap(), app, CauseId::from(cause), at(0), false);
    let findings = Findings {
        at: at(1),
        deactivates_users: Some(false),
        mode: Mode::Guided,
        kind: "airbase".to_owned(),
        missing: Vec::new(),
    };
    let assigned = vec![(dana().id, Scope::Group)];
    after(after(new, failed(0)), Change::Found { findings, assigned })
}

fn failed(second: i64) -> Change {
    Change::Failed {
        person: dana(),
        at: at(second),
        event: "6f2c".parse().unwrap(),
        transaction: Some("t1".to_owned()),
        reason: Some("User account is inactive".to_owned()),
        confidence: Confidence::Certain,
        quiet: false,
    }
}

fn worked() -> Change {
    let proof = Proof { event: "7a3d".parse().unwrap(), at: at(60), strength: Strength::Account };
    Change::Worked { person: dana().id, transaction: Some("t2".to_owned()), proof }
}

fn gone() -> Change {
    Change::Gone { person: dana().id, why: EndedBecause::Unassigned, at: at(60) }
}

fn after(incident: Incident, change: Change) -> Incident {
    incident.after(change, at(1)).unwrap().0
}

const OLIVE: MemberId = MemberId(7);

fn claimed() -> Change {
    Change::Claimed { by: OLIVE, from: None }
}

fn snoozed() -> Change {
    Change::Snoozed { by: OLIVE, until: at(3_600) }
}

fn closed() -> Change {
    Change::Closed { by: OLIVE, reason: "the app is **retired**".to_owned() }
}

fn woken(incident: Incident) -> Incident {
    incident.after(Change::TimePassed, at(3_600)).unwrap().0
}

fn of_eli(change: Change) -> Change {
    match change {
        Change::Failed { person, at, event, transaction, reason, confidence, quiet } => {
            let person = Person { id: "00ueli".parse().unwrap(), ..person };
            Change::Failed { person, at, event, transaction, reason, confidence, quiet }
        }
        other => other,
    }
}

fn asked(stage: Asked) -> Request {
    let frozen = Frozen {
        org: "acme".parse().unwrap(),
        app: App { id: "0oaairbase".parse().unwrap(), label: "Airbase".to_owned() },
        action: Action::Enable,
        method: Method::Guided,
        people: Vec::new(),
        before: String::new(),
        gate: Gate { approvals: 1, expires: SignedDuration::from_mins(60) },
        requester: OLIVE,
        requester_person: None,
        breakglass: false,
        assigned: None,
    };
    Request { stage, ..Request::draft(RequestNumber(1), frozen, "because".to_owned(), None, at(2)) }
}

fn shown(incident: &Incident, requests: &[Request]) -> Message {
    let rules = Rules::embedded();
    let around = Around { rules: &rules, oncall: Some(RoleId(9)), writes: false, requests };
    alert(incident, &around)
}

#[test]
fn each_state_is_a_sign_and_a_word_first() {
    let why = || "no".to_owned();
    #[rustfmt::skip]
    let table = [
        (open("inactive-account"), vec![],
         "[!] ACTION NEEDED · Airbase · 1 person cannot be provisioned <@&9>"),
        (open("self-healing"), vec![],
         "[i] HEALING ITSELF · Airbase · 1 person waiting for Okta's own retry <@&9>"),
        (open("inactive-account"), vec![asked(Asked::Pending)],
         "[?] WAITING FOR APPROVAL · Airbase · 1 person cannot be provisioned <@&9>"),
        (open("inactive-account"), vec![asked(Asked::Verifying { since: at(3) })],
         "[~] IN PROGRESS · Airbase · 1 person cannot be provisioned <@&9>"),
        (open("inactive-account"), vec![asked(Asked::Failed { at: at(3), why: why() })],
         "[x] FIX FAILED · Airbase · 1 person cannot be provisioned <@&9>"),
        (open("inactive-account"), vec![asked(Asked::Denied { by: MemberId(1), at: at(3), why: why() })],
         "[!] ACTION NEEDED · Airbase · 1 person cannot be provisioned <@&9>"),
        (after(open("inactive-account"), worked()), vec![],
         "[✓] FIXED · Airbase · 1 person provisioned"),
        (after(open("inactive-account"), gone()), vec![],
         "[=] ENDED · Airbase · 1 person, nothing left to provision"),
        (after(after(open("inactive-account"), worked()), failed(3_600)), vec![],
         "[!] ACTION NEEDED · Airbase · 1 person cannot be provisioned again <@&9>"),
        (after(open("inactive-account"), claimed()), vec![],
         "[!] ACTION NEEDED · Airbase · 1 person cannot be provisioned <@&9>"),
        (after(open("inactive-account"), snoozed()), vec![asked(Asked::Pending)],
         "[z] SNOOZED · Airbase · 1 person cannot be provisioned · until <t:1700003600:f> (<t:1700003600:R>)"),
        (woken(after(open("inactive-account"), snoozed())), vec![],
         "[!] ACTION NEEDED · Airbase · 1 person cannot be provisioned · the snooze is over <@&9>"),
        (after(after(open("inactive-account"), snoozed()), of_eli(failed(60))), vec![],
         "[!] ACTION NEEDED · Airbase · 2 people cannot be provisioned · somebody new while it was snoozed <@&9>"),
        (after(open("inactive-account"), closed()), vec![],
         "[=] CLOSED BY HAND · Airbase · 1 person without proof"),
    ];
    for (incident, requests, expected) in table {
        assert_eq!(shown(&incident, &requests).content, expected);
    }
}

#[test]
fn an_open_alert_says_who_what_since_when_why_and_what_to_do() {
    let message = shown(&open("inactive-account"), &[]);
    let card = message.card.unwrap();
    let fields: Vec<String> =
        card.fields.iter().map(|field| format!("{}: {}", field.name, field.value)).collect();
    let Row::Buttons(buttons) = &message.rows[0] else { panic!("no buttons") };
    let labels: Vec<&str> = buttons.iter().map(|button| button.label.as_str()).collect();
    assert_snapshot!(format!("{}\n{}\n{}\n{labels:?}", card.title, fields.join("\n"), card.footer), @r#"
    Airbase · #214
    Who: Dana \*Reyes\* (dana\@example.com) · assigned by a group
    Impact: No working account in Airbase since <t:1700000000:f> (<t:1700000000:R>)
    Cause: **User account is inactive** (certain)
    The account still exists in the app but is inactive there. In spite of its name, Deactivate Users is also the setting that lets Okta activate an account again; while it is off for the app, Okta may not.
    Deactivate Users is **off** for this app.
    Fix: **If the setting should be on:** Applications > the app > Provisioning > To App > Edit > tick **Deactivate Users** > Save. Then Dashboard > Tasks > tick the failed assignments > **Retry Selected**. By hand only: Okta's API has no such setting for this app.
    The price: from then on, people who are unassigned from the app are deactivated in it. It is not retroactive.
    **If it should stay off:** activate the account in the app, or delete it there, then retry.
    Evidence: “User account is inactive”
    event 6f2c
    Who has it: Nobody yet.
    Status: Open · 1 still failing · first <t:1700000000:R> · last <t:1700000000:R> · 1 failed push
    Provost · acme · #214
    ["Diagnose", "Guide me…", "Retry…", "Claim", "More…"]
    "#);
}

#[test]
fn an_alert_says_who_has_it_and_offers_what_makes_sense() {
    let until = "<t:1700003600:f> (<t:1700003600:R>)";
    let had = "<@7>, since <t:1700000001:R>";
    let snoozed_line = format!("Snoozed by <@7> until {until}. Somebody new wakes it at once.");
    #[rustfmt::skip]
    let table = [
        (open("inactive-account"), Some("Nobody yet.".to_owned()), Some("Claim")),
        (after(open("inactive-account"), claimed()), Some(had.to_owned()), Some("Take over")),
        (after(after(open("inactive-account"), claimed()), snoozed()),
         Some(format!("{had}\n{snoozed_line}")), Some("Take over")),
        (after(open("inactive-account"), snoozed()), Some(format!("Nobody yet.\n{snoozed_line}")), Some("Claim")),
        (after(open("inactive-account"), closed()),
         Some(r"Closed by <@7>: the app is \*\*retired\*\*".to_owned()), None),
        (after(after(open("inactive-account"), claimed()), worked()), Some(had.to_owned()), None),
        (after(open("inactive-account"), worked()), None, None),
    ];
    for (incident, expected, button) in table {
        let message = shown(&incident, &[]);
        let fields = message.card.unwrap().fields;
        let field = fields.into_iter().find(|field| field.name == "Who has it");
        assert_eq!(field.map(|field| field.value), expected);
        let buttons = match message.rows.first() {
            Some(Row::Buttons(buttons)) => buttons.clone(),
            _ => Vec::new(),
        };
        assert_eq!(buttons.len(), if button.is_some() { 5 } else { 0 });
        assert_eq!(buttons.get(3).map(|button| button.label.as_str()), button);
    }
}
