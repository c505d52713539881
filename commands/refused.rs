//! Why a step of a request was refused, to the one who pressed.

use domain::request::{Refusal, Request, Stage};

use crate::text::{ago, when};

/// Why a step was refused, to the one who pressed.
pub fn refused(request: &Request, refusal: &Refusal) -> String {
    let number = request.number;
    match refusal {
        Refusal::NotNow(stage) => format!("{number} {}", as_it_stands(stage)),
        Refusal::Paused => format!("{number} waits: all writes to Okta are stopped (`/okta pause`)."),
        Refusal::NotYours => {
            format!("Only <@{}>, who asked for {number}, may do that.", request.frozen.requester)
        }
        Refusal::OwnRequest => {
            format!("You cannot decide about {number}: it is your own request. Somebody else has to.")
        }
        Refusal::Twice => format!("You have approved {number} already. It needs somebody else as well."),
        Refusal::Late => format!("{number} has expired. Ask again if it is still needed."),
        Refusal::OtherHash => {
            format!("This button belongs to another version of {number}. Use the buttons of its newest card.")
        }
    }
}

fn as_it_stands(stage: &Stage) -> String {
    match stage {
        Stage::Draft => "is not confirmed yet.".to_owned(),
        Stage::Pending => "waits for approval already; its card shows how it goes on.".to_owned(),
        Stage::Approved => "is approved already; its card shows how it goes on.".to_owned(),
        Stage::Executing { .. } | Stage::Verifying { .. } => {
            "is under way already; its card shows how it goes on.".to_owned()
        }
        Stage::Succeeded { at, .. } => format!("is over: it was proven {}.", ago(*at)),
        Stage::Failed { at, .. } => format!("is over: it failed {}. Its card says why.", ago(*at)),
        Stage::Partly { at, .. } => {
            format!("is over: it ended {}, proven for some people only. Its card says why.", ago(*at))
        }
        Stage::Denied { by, at, .. } => format!("is over: <@{by}> denied it {}.", ago(*at)),
        Stage::Expired { at } => format!("is over: it expired {}.", ago(*at)),
        Stage::Cancelled { by, at } => format!("is over: <@{by}> withdrew it {}.", ago(*at)),
        Stage::Superseded { at, .. } => format!("is over: it became void {}. Its card says why.", ago(*at)),
        Stage::Unclear { at, .. } => {
            format!("is over: what became of it is unclear since {}. Its card says what is known.", when(*at))
        }
    }
}
