//! What `claim`, `snooze`, `close` and `fixed` have in common: finding the incident, the right to act on it, and doing
//! it with its audit entry.

use domain::audit::Draft;
use domain::ids::IncidentNumber;
use domain::incident::{Change, Ending, Incident, Stage};
use domain::store::Query;

use crate::chat::Call;
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::spec::{Opt, OptKind, Role};
use crate::text::{ago, and_more, escape, people};

/// The option that names an incident.
pub const INCIDENT: Opt =
    Opt { name: "incident", about: "The incident.", kind: OptKind::Incident, required: true };

/// The incident that the caller named.
///
/// # Errors
///
/// A slip that lists the open ones, where there is no such incident.
pub async fn find(call: &Call, desk: &Desk) -> Result<Incident, CommandError> {
    let typed = call.option("incident").unwrap_or_default();
    let found = match typed.trim().parse::<IncidentNumber>() {
        Ok(number) => desk.store.incident(number).await?,
        Err(_) => None,
    };
    found.ok_or_else(|| {
        let open = desk.memory.open();
        let named: Vec<String> = open
            .iter()
            .take(5)
            .map(|incident| format!("{} ({})", incident.number, escape(&incident.app.label, 60)))
            .collect();
        let open = match named.is_empty() {
            true => "No incident is open.".to_owned(),
            false => format!("Open now: {}.", and_more(&named, open.len())),
        };
        CommandError::Slip(format!("There is no incident “{}”. {open}", escape(typed, 40)))
    })
}

/// The incident that the caller named, if they are an operator of its app.
///
/// # Errors
///
/// As [`find`], and a refusal that names the rule.
pub async fn find_to_act(call: &Call, desk: &Desk) -> Result<Incident, CommandError> {
    let incident = find(call, desk).await?;
    desk.policy.needs(&incident.app.id, &call.caller, Role::Operator).map_err(CommandError::forbidden)?;
    Ok(incident)
}

/// Whether the caller may act on an incident.
pub fn is_operator(call: &Call, desk: &Desk, incident: &Incident) -> bool {
    desk.policy.holds(&incident.app.id, &call.caller, Role::Operator)
}

/// Lets the caller do something to an incident, together with its audit entry; `None` if it changes nothing by now.
pub async fn change(
    call: &Call,
    desk: &Desk,
    incident: &Incident,
    change: Change,
    what: &str,
    reason: &str,
) -> Result<Option<Incident>, CommandError> {
    let entry = Draft {
        what: what.to_owned(),
        member: Some(call.caller.id),
        person: desk.links().await?.person(&incident.org, call.caller.id).cloned(),
        reason: reason.to_owned(),
        outcome: "done".to_owned(),
        ..Draft::default()
    };
    let changed = desk.store.change_by_hand(incident.number, change, entry, desk.clock.now()).await?;
    if changed.is_some() {
        desk.memory.keep_open(desk.store.incidents(&Query::default()).await?);
        (desk.bell)();
    }
    Ok(changed)
}

/// Number and app, as answers name an incident.
pub fn name(incident: &Incident) -> String {
    format!("{} ({})", incident.number, escape(&incident.app.label, 120))
}

/// Nothing can be done to it any more.
pub fn is_over(incident: &Incident) -> Option<CommandError> {
    let Stage::Over { how, at } = &incident.stage else { return None };
    let how = match how {
        Ending::Fixed => "it was fixed",
        Ending::Ended => "nothing is left to provision",
        Ending::Closed => "it was closed by hand",
    };
    Some(CommandError::Slip(format!("{} is over: {how} {}. Nothing was done.", name(incident), ago(*at))))
}

/// It changed between the look and the deed.
pub fn changed_meanwhile(incident: &Incident) -> CommandError {
    CommandError::Slip(format!(
        "{} has changed in this moment, and nothing was done. Its alert shows how it stands; try again.",
        name(incident)
    ))
}

/// How many people are failing, in words.
pub fn failing(incident: &Incident) -> String {
    people(incident.failing().count())
}
