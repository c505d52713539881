//! What the requester is shown, and confirms, before anything is asked of anybody.

use domain::request::{Action, Method, Request};

use crate::chat::{ButtonStyle, Card, Message, Row, Tone};
use crate::console;
use crate::policy::Policy;
use crate::request_card::{Around, BY_API, asked, assigned, button, change, field};
use crate::spec::Role;
use crate::text::escape;

/// What the confirmation shows beside the request.
pub struct Price {
    /// Why only a person can do it, in Okta's words or ours. From outside.
    pub by_hand_because: Option<String>,
    /// Nobody else is on call, so any approver may.
    pub widened: bool,
}

/// What Provost does where a person does the work.
const SEEN: &str = "Provost shows the clicks, sees by itself that it was done, and goes on.";

/// The private card that the requester confirms.
pub fn message(request: &Request, price: &Price, around: &Around<'_>) -> Message {
    let frozen = &request.frozen;
    let at_once = frozen.gate.approvals == 0 || frozen.breakglass;
    let how = match (frozen.method, &price.by_hand_because) {
        (Method::Api, _) if at_once => BY_API.to_owned(),
        (Method::Api, _) => {
            format!("The button below asks for it; nothing is changed before it is approved. Then {BY_API}")
        }
        (Method::Guided, Some(why)) => format!(
            "The button below asks for it. Then a person does it in Okta's console, not Provost: {}. {SEEN}",
            escape(why.trim_end_matches('.'), 200)
        ),
        (Method::Guided, None) => {
            format!("The button below asks for it. Then a person does it in Okta's console. {SEEN}")
        }
    };
    let mut fields = vec![field("Change", change(request)), field("How", how)];
    if frozen.action == Action::Enable {
        fields.push(field("Assigned now", assigned(request)));
        fields.push(field("The price", console::PRICE.trim_start_matches("The price: ").to_owned()));
    }
    match frozen.breakglass {
        true => fields.push(field("Break-glass", breaking(request, around.policy))),
        false => fields.push(field("Approval", asked(request, around.policy, price.widened))),
    }
    let (act, style, verb) = match frozen.action {
        _ if frozen.breakglass => ("Break the glass", ButtonStyle::Danger, "confirm"),
        Action::Enable => ("Enable Deactivate Users", ButtonStyle::Primary, "confirm"),
        Action::Retry => ("Retry", ButtonStyle::Primary, "confirm"),
        Action::Reassign => ("Reassign…", ButtonStyle::Danger, "typed-ask"),
        Action::Fixed => ("Done in the app", ButtonStyle::Primary, "confirm"),
    };
    Message {
        content: format!("{}: please confirm.", escape(&frozen.app.label, 200)),
        card: Some(Card {
            tone: Tone::Waiting,
            title: format!("{} · {}", escape(&frozen.app.label, 150), request.number),
            body: String::new(),
            fields,
            footer: format!("{} · {} · {}", frozen.org, frozen.app.id, request.hash.short()),
        }),
        rows: vec![Row::Buttons(vec![
            button(act, style, verb, request),
            button("Cancel", ButtonStyle::Secondary, "cancel", request),
        ])],
        ..Message::default()
    }
}

/// What breaking the glass means, to the one who is about to.
fn breaking(request: &Request, policy: &Policy) -> String {
    let approvers = policy.who(&request.frozen.app.id, Role::Approver);
    let begins = match request.frozen.method {
        Method::Api => "It is done as soon as you confirm.",
        Method::Guided => "A person may do it as soon as you confirm.",
    };
    format!(
        "**Nobody approves this. {begins}** The people on call and every approver \
         ({approvers}) are told at once, with your reason, and one of them reviews it afterwards, for all to see. Use it \
         only for what cannot wait for an approval."
    )
}
