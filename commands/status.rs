//! `/okta status`: how far the log has been read, what is open, and whether anything is in the way.

use async_trait::async_trait;
use domain::ids::OrgName;
use domain::request::Stage;
use domain::requests::RequestQuery;
use domain::store::{Query, Which};
use jiff::SignedDuration;

use crate::Command;
use crate::chat::{Call, Card, Field, Message, Opening, Tone};
use crate::desk::{Desk, Org};
use crate::errors::CommandError;
use crate::spec::{From, Role, Spec};
use crate::text::{ago, escape, when};

/// `/okta status`.
pub struct Status;

#[async_trait]
impl Command for Status {
    fn spec(&self) -> Spec {
        Spec {
            name: "status",
            about: "Show how far the log has been read, what is open, and what is in the way.",
            role: Some(Role::Viewer),
            opening: Opening::Private,
            options: &[],
            from: From::Slash,
        }
    }

    async fn run(&self, _: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let mut fields = Vec::new();
        for (name, org) in &desk.orgs {
            let value = org_lines(desk, name, org).await?.join("\n");
            fields.push(Field { name: format!("Org {}", escape(name.as_str(), 40)), value });
        }
        fields.push(Field { name: "Discord".to_owned(), value: gateway(desk) });
        fields.push(Field { name: "Requests".to_owned(), value: requests(desk).await? });
        let blind = desk.pulse.blind.len();
        Ok(Message {
            content: match blind {
                0 => "Provost is watching.".to_owned(),
                _ => format!("Provost is blind for {blind} of {} orgs.", desk.orgs.len()),
            },
            card: Some(Card {
                tone: if blind == 0 { Tone::Good } else { Tone::Alarm },
                title: "Status".to_owned(),
                body: String::new(),
                fields,
                footer: format!("Provost {}", desk.version),
            }),
            ..Message::default()
        })
    }
}

async fn org_lines(desk: &Desk, name: &OrgName, org: &Org) -> Result<Vec<String>, CommandError> {
    let now = desk.clock.now();
    let mut lines = Vec::new();
    if let Some(blind) = desk.pulse.blind.get(name) {
        let (since, why) = blind.value();
        lines.push(format!("**Blind** since {}: {}", when(*since), escape(why, 200)));
    }
    match desk.store.position(name).await? {
        None => lines.push("The log has not been read yet.".to_owned()),
        Some(position) => {
            match position.caught_up {
                Some(at) => lines.push(format!("Log read to its end {}", ago(at))),
                None => lines.push("Log: still catching up".to_owned()),
            }
            if let Some(last) = position.last_event {
                lines.push(format!("Last event {}", when(last)));
            }
        }
    }
    let query = Query { org: Some(name.clone()), which: Which::Open, ..Query::default() };
    let open = desk.store.incidents(&query).await?;
    let failing: usize = open.iter().map(|incident| incident.failing().count()).sum();
    lines.push(format!("Open incidents: {}, people failing: {failing}", open.len()));
    let tally = desk.store.tally(name, now - SignedDuration::from_hours(24)).await?;
    let causes: Vec<String> =
        tally.causes.iter().map(|(cause, count)| format!("{} {count}", cause.as_str())).collect();
    let causes = if causes.is_empty() { "none".to_owned() } else { causes.join(", ") };
    lines.push(format!("Failure events in 24 h by cause: {causes}"));
    if tally.unhandled > 0 {
        lines.push(format!("Entries that could not be understood in 24 h: {}", tally.unhandled));
    }
    lines.push(match org.writes {
        true => "Writes to Okta: allowed".to_owned(),
        false => "Writes to Okta: off (`writes = false`), everything is guided".to_owned(),
    });
    Ok(lines)
}

async fn requests(desk: &Desk) -> Result<String, CommandError> {
    let query = RequestQuery { open: true, ..RequestQuery::default() };
    let open = desk.requests.requests(&query).await?;
    let pending = open.iter().filter(|request| request.stage == Stage::Pending).count();
    let paused = match desk.requests.paused().await? {
        Some(paused) => format!(
            "**All writes to Okta are stopped** by <@{}> since {}: {}",
            paused.by,
            when(paused.since),
            escape(&paused.reason, 200)
        ),
        None => "Writes are not stopped".to_owned(),
    };
    Ok(format!("Waiting for approval: {pending}\n{paused}"))
}

fn gateway(desk: &Desk) -> String {
    let state = *desk.pulse.gateway.read().unwrap_or_else(std::sync::PoisonError::into_inner);
    match state {
        Some((true, since)) => format!("Gateway connected since {}", when(since)),
        Some((false, since)) => format!("Gateway down since {}; alerts go on without it", when(since)),
        None => "Gateway not connected yet".to_owned(),
    }
}
