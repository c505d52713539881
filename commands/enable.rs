//! `/okta enable app: reason: [breakglass]`: asks for Deactivate Users to be turned on, by the API or by hand.

use async_trait::async_trait;
use domain::audit::Draft;
use domain::diagnosis::{people as count_people, read_app};
use domain::facts::{AppFacts, ProvisioningFeature};
use domain::ids::{AppId, OrgName};
use domain::request::{Action, Frozen, Method, NOT_BY_API, Stage};
use domain::requests::RequestQuery;
use domain::store::{Query, Which};

use crate::chat::{ButtonStyle, Call, CustomId, Dialog, Input, Message, Opening, Row};
use crate::confirmation::Price;
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::request_card::Around;
use crate::spec::{From, Opt, OptKind, Role, Spec};
use crate::text::escape;
use crate::{Command, alert, announcements, confirmation, reason};

/// The least and the most that a reason may hold.
pub const REASON: (u16, u16) = (10, 500);

/// The least that the reason of a break-glass must hold.
const BREAKGLASS_REASON: usize = 30;

/// Among so many of an app's newest requests the one before is looked for.
const OTHERS: u32 = 20;

/// `/okta enable app: reason: [breakglass]`.
pub struct Enable;

#[async_trait]
impl Command for Enable {
    fn spec(&self) -> Spec {
        Spec {
            name: "enable",
            about: "Ask for an app's Deactivate Users to be turned on.",
            role: Some(Role::Operator),
            opening: Opening::Private,
            options: &[
                Opt { name: "app", about: "The app.", kind: OptKind::App, required: true },
                Opt {
                    name: "reason",
                    about: "Why; the approver reads it.",
                    kind: OptKind::Text(REASON.0, REASON.1),
                    required: true,
                },
                Opt {
                    name: "breakglass",
                    about: "Act at once, without an approval; it is reviewed afterwards.",
                    kind: OptKind::Flag,
                    required: false,
                },
            ],
            from: From::Slash,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let (name, app) = desk.app(call.option("app").unwrap_or_default())?;
        let reason = reason(call)?;
        let org = desk.org(&name)?;
        let gate = desk.policy.gate(&app.id, Action::Enable, 0);
        let links = desk.links().await?;
        desk.policy.may_ask(&links, &name, &app.id, &call.caller, gate).map_err(CommandError::forbidden)?;
        let breakglass = call.option("breakglass") == Some("true");
        if breakglass {
            desk.policy.may_break_glass(&app.id, &call.caller).map_err(CommandError::forbidden)?;
            long_enough(&reason)?;
        }

        let directory = |source| CommandError::Directory { org: name.clone(), source };
        let (facts, feature) = read_app(&*org.directory, &app.id).await;
        let facts = facts.map_err(directory)?;
        if facts.deactivates_users() {
            return already_on(desk, &name, &facts).await;
        }
        let (method, by_hand_because) = match feature {
            Some(Ok(ProvisioningFeature::Readable { .. }))
                if refused_before(desk, &name, &app.id).await? =>
            {
                (Method::Guided, Some("Okta's API refused it the last time".to_owned()))
            }
            Some(Ok(ProvisioningFeature::Readable { .. })) if org.writes => (Method::Api, None),
            Some(Ok(ProvisioningFeature::ByHandOnly { why })) => (Method::Guided, Some(why)),
            Some(Ok(ProvisioningFeature::Readable { .. })) => {
                (Method::Guided, Some("it may not write to this org (writes = false)".to_owned()))
            }
            Some(Err(_)) | None => (Method::Guided, None),
        };
        let (widened, possible) = desk.who_could_approve(&app.id, &call.caller, gate).await;
        if possible == Some(false) && !breakglass {
            let entry = Draft {
                what: "refused.nobody_could_approve".to_owned(),
                member: Some(call.caller.id),
                org: Some(name),
                app: Some(app.id),
                outcome: "refused".to_owned(),
                ..Draft::default()
            };
            desk.requests.audit(entry, desk.clock.now()).await?;
            return Err(CommandError::Slip(nobody_could(gate.approvals)));
        }
        let assigned = count_people(&*org.directory, &app.id).await.ok().map(|(_, assigned)| assigned);
        let query =
            Query { org: Some(name.clone()), app: Some(app.id.clone()), which: Which::Open, limit: 1 };
        let incident = desk.store.incidents(&query).await?.first().map(|incident| incident.number);
        let frozen = Frozen {
            org: name.clone(),
            app: facts.app.clone(),
            action: Action::Enable,
            method,
            people: Vec::new(),
            before: facts.fingerprint(),
            gate,
            requester: call.caller.id,
            requester_person: links.person(&name, call.caller.id).cloned(),
            breakglass,
            assigned,
        };
        let request = desk.requests.open(frozen, reason, incident, desk.clock.now()).await?;
        let around =
            Around { console: org.console.as_ref(), policy: &desk.policy, kind: &facts.kind, paused: false };
        Ok(confirmation::message(&request, &Price { by_hand_because, widened }, &around))
    }
}

/// Whether Okta's API can be read but refused the write, when it was asked for last.
async fn refused_before(desk: &Desk, org: &OrgName, app: &AppId) -> Result<bool, CommandError> {
    let query = RequestQuery {
        org: Some(org.clone()),
        app: Some(app.clone()),
        confirmed: true,
        limit: OTHERS,
        ..RequestQuery::default()
    };
    let before = desk.requests.requests(&query).await?;
    let last = before.iter().find(|request| request.frozen.action == Action::Enable);
    Ok(last
        .is_some_and(|last| matches!(&last.stage, Stage::Failed { why, .. } if why.starts_with(NOT_BY_API))))
}

/// The reason that was typed.
///
/// # Errors
///
/// A refusal that says what is missing; Discord checks the length, but what comes back is not trusted.
pub fn reason(call: &Call) -> Result<String, CommandError> {
    reason::typed(call, "reason", "A reason", REASON, "the approver reads it, and so does the audit")
}

/// Whoever acts without an approval says at length why: it is all that the review has to go by.
fn long_enough(reason: &str) -> Result<(), CommandError> {
    match reason.chars().count() >= BREAKGLASS_REASON {
        true => Ok(()),
        false => Err(CommandError::Retype(format!(
            "To break the glass, say why in at least {BREAKGLASS_REASON} characters: every approver reads it, and one \
             of them reviews it. Nothing was asked for."
        ))),
    }
}

/// The dialog that asks for the reason, when a button began it.
pub fn ask(app: &str) -> Dialog {
    Dialog {
        submit: CustomId::new("enable", [app.to_owned()]),
        title: "Ask for Deactivate Users to be turned on".to_owned(),
        inputs: vec![Input {
            name: "reason".to_owned(),
            label: "Why?".to_owned(),
            placeholder: "The approver reads it, for example: rehires fail since Monday".to_owned(),
            value: String::new(),
            length: REASON,
            long: true,
        }],
    }
}

async fn already_on(desk: &Desk, org: &OrgName, facts: &AppFacts) -> Result<Message, CommandError> {
    let changes = desk.store.settings(org, &facts.app.id).await?;
    let since = changes.iter().find(|(_, change)| change.on).map_or_else(
        || " That was before Provost began to read the log; `/okta diagnose` looks back 90 days.".to_owned(),
        |(_, change)| format!(" {}.", announcements::setting(change)),
    );
    let content = format!(
        "Deactivate Users is on already for {}.{since} Nothing was asked for. If pushes still fail, push again.",
        escape(&facts.app.label, 200)
    );
    let app = format!("{org}/{}", facts.app.id);
    let retry = alert::button("Retry…", ButtonStyle::Primary, "retry", &app);
    Ok(Message { rows: vec![Row::Buttons(vec![retry])], ..Message::text(content) })
}

/// Nobody could approve it.
pub fn nobody_could(approvals: u32) -> String {
    let short = match approvals {
        1 => "This needs an approval by somebody else, and nobody else holds the role **approver** for this app."
            .to_owned(),
        n => format!(
            "This needs {n} approvals by other people, and fewer than {n} others hold the role **approver** for this \
             app."
        ),
    };
    format!("{short} Nothing was asked for. An admin gives the role in Provost's configuration.")
}
