//! `/okta audit [app] [member] [request]`: the record, as a list and as a file.

use async_trait::async_trait;
use domain::audit::Entry;
use domain::ids::MemberId;
use domain::request::RequestNumber;
use domain::requests::AuditQuery;

use crate::Command;
use crate::chat::{Call, Card, File, Message, Opening, Tone};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::spec::{From, Opt, OptKind, Role, Spec};
use crate::text::{ago, csv_cell, escape, fit};

/// How many entries an answer shows.
const SHOWN: usize = 12;

/// How many the file holds at most; `provost audit export` has them all.
const IN_FILE: u32 = 5_000;

/// `/okta audit [app] [member] [request]`.
pub struct Audit;

#[async_trait]
impl Command for Audit {
    fn spec(&self) -> Spec {
        Spec {
            name: "audit",
            about: "Show the record of who did what.",
            role: Some(Role::Viewer),
            opening: Opening::Private,
            options: &[
                Opt { name: "app", about: "Of this app only.", kind: OptKind::App, required: false },
                Opt { name: "member", about: "Of this member only.", kind: OptKind::Member, required: false },
                Opt {
                    name: "request",
                    about: "Of this request only.",
                    kind: OptKind::Text(1, 20),
                    required: false,
                },
            ],
            from: From::Slash,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let app = call.option("app").map(|typed| desk.app(typed)).transpose()?;
        let slip =
            |error: domain::ids::NotAnId| CommandError::Slip(format!("{}.", escape(&error.to_string(), 200)));
        let member = call.option("member").map(str::parse::<MemberId>).transpose().map_err(slip)?;
        let request = call.option("request").map(str::parse::<RequestNumber>).transpose().map_err(slip)?;
        let query = AuditQuery { app: app.map(|(_, app)| app.id), member, request, limit: IN_FILE };
        let entries = desk.requests.entries(&query).await?;
        if entries.is_empty() {
            return Ok(Message::text("The audit holds nothing that matches."));
        }
        let lines: Vec<String> = entries.iter().take(SHOWN).map(line).collect();
        Ok(Message {
            content: headline(entries.len()),
            card: Some(Card {
                tone: Tone::Quiet,
                title: "Audit".to_owned(),
                body: fit(lines.join("\n"), 4_096),
                fields: Vec::new(),
                footer: "Each entry carries the hash of the one before; provost audit verify checks them."
                    .to_owned(),
            }),
            files: vec![File { name: "audit.csv".to_owned(), bytes: csv(&entries).into_bytes() }],
            ..Message::default()
        })
    }
}

fn headline(found: usize) -> String {
    match found {
        1 => "1 entry.".to_owned(),
        n if n >= IN_FILE as usize => format!(
            "The {n} newest entries, newest first. `provost audit export`, beside the service, prints them all."
        ),
        n => format!("{n} entries, newest first."),
    }
}

/// One entry as people read it; the audit channel shows the same.
pub fn line(entry: &Entry) -> String {
    let draft = &entry.draft;
    let who = draft.member.map_or("Provost".to_owned(), |member| format!("<@{member}>"));
    let request = draft.request.map_or(String::new(), |request| format!(" · {request}"));
    let app = draft.app.as_ref().map_or(String::new(), |app| format!(" · {app}"));
    format!(
        "#{} `{}` {} · **{}**{request}{app} · {who} · {}",
        entry.number,
        &entry.hash[..16],
        ago(entry.at),
        escape(&draft.what, 60),
        escape(&draft.outcome, 60)
    )
}

fn csv(entries: &[Entry]) -> String {
    let mut out =
        "number,at,what,member,person,org,app,request,reason,before,after,okta_request,event,outcome,hash\n"
            .to_owned();
    let text = |of: Option<String>| of.unwrap_or_default();
    for entry in entries {
        let draft = &entry.draft;
        let cells = [
            entry.number.to_string(),
            entry.at.to_string(),
            draft.what.clone(),
            text(draft.member.map(|id| id.to_string())),
            text(draft.person.as_ref().map(ToString::to_string)),
            text(draft.org.as_ref().map(ToString::to_string)),
            text(draft.app.as_ref().map(ToString::to_string)),
            text(draft.request.map(|id| id.to_string())),
            draft.reason.clone(),
            draft.before.clone(),
            draft.after.clone(),
            draft.okta_request.clone(),
            draft.event.clone(),
            draft.outcome.clone(),
            entry.hash.clone(),
        ];
        out.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
        out.push('\n');
    }
    out
}
