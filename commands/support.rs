//! The support bundle: a file ready to attach to a ticket with the app's support. It holds ids, times and reasons;
//! names and e-mail addresses are left out, since the app's support finds an account by what Okta calls it.

use std::fmt::Write;

use async_trait::async_trait;
use domain::audit::Entry;
use domain::diagnosis::Diagnosis;
use domain::event::{App, Person};
use domain::ids::OrgName;
use jiff::Timestamp;

use crate::chat::{Call, File, Message, Opening};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::spec::{From, Opt, OptKind, Role, Spec};
use crate::text::{escape, people, plain};
use crate::{Command, diagnose};

/// How many people a bundle lists.
const LISTED: usize = 200;

/// `Support bundle`.
pub struct Bundle;

#[async_trait]
impl Command for Bundle {
    fn spec(&self) -> Spec {
        Spec {
            name: "bundle",
            about: "Make a file for a ticket with the app's support.",
            role: Some(Role::Viewer),
            opening: Opening::Private,
            options: &[Opt { name: "app", about: "The app.", kind: OptKind::App, required: true }],
            from: From::ButtonOnly,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let (org, app) = desk.app(call.option("app").unwrap_or_default())?;
        let looked = diagnose::look(call, desk, &org, app).await?;
        Ok(Message {
            content: format!(
                "{}: a file to attach to a ticket with the app's support. {} in it, by their Okta ids; no names and no \
                 e-mail addresses.",
                escape(&looked.app.label, 200),
                people(looked.found.failing.len())
            ),
            files: vec![file(&org, &looked, desk.clock.now())],
            ..Message::default()
        })
    }
}

/// The bundle as a file.
pub fn file(org: &OrgName, looked: &diagnose::Looked, now: Timestamp) -> File {
    let diagnose::Looked { app, kind, found, tried, .. } = looked;
    File {
        name: format!("support-{}.txt", app.id),
        bytes: bundle(org, app, kind, (found, tried), now).into_bytes(),
    }
}

/// The bundle as plain text: what was found, and what was tried, newest first.
fn bundle(
    org: &OrgName,
    app: &App,
    kind: &str,
    (found, tried): (&Diagnosis, &[Entry]),
    now: Timestamp,
) -> String {
    let mut out = String::new();
    let setting = match found.deactivates_users {
        Some(true) => "on",
        Some(false) => "off",
        None => "could not be read",
    };
    let _ = writeln!(out, "Provisioning from Okta fails\n============================\n");
    let _ = writeln!(out, "Written             {now}");
    let _ = writeln!(out, "Okta org            {org}");
    let _ = writeln!(out, "App                 {} ({}, {})", plain(&app.label, 200), plain(kind, 60), app.id);
    let _ = writeln!(out, "Deactivate Users    {setting}");
    if let Some(change) = &found.changed {
        let word = if change.on { "turned on" } else { "turned off" };
        let _ = writeln!(out, "  last {word}       {} (event {})", change.at, change.event);
    }
    let _ = writeln!(out, "People failing      {}\n", found.failing.len());
    let _ = writeln!(
        out,
        "What Okta did: it pushed each account to the app's API. What the app answered, by person:\n"
    );
    for failing in found.failing.iter().take(LISTED) {
        let _ = writeln!(out, "Okta user {}", failing.person.id);
        let _ = writeln!(out, "  failing since {}, last {}", failing.first, failing.last);
        let _ = writeln!(
            out,
            "  reason  {}",
            failing
                .reason
                .as_deref()
                .map_or("none given".to_owned(), |r| plain(&without_names(r, &failing.person), 500))
        );
        let _ = writeln!(out, "  event   {}", failing.event);
    }
    if found.failing.len() > LISTED {
        let _ = writeln!(out, "… and {} more", found.failing.len() - LISTED);
    }
    let _ = writeln!(out, "\nWhat was tried, newest first:\n");
    if tried.is_empty() {
        let _ = writeln!(out, "nothing by Provost");
    }
    for entry in tried {
        let draft = &entry.draft;
        let request = draft.request.map_or(String::new(), |request| format!("  request {request}"));
        let _ =
            writeln!(out, "{}  {}{request}  {}", entry.at, plain(&draft.what, 60), plain(&draft.outcome, 60));
        for (what, id) in [("Okta's request id", &draft.okta_request), ("event", &draft.event)] {
            if !id.is_empty() {
                let _ = writeln!(out, "  {what}  {}", plain(id, 100));
            }
        }
    }
    out
}

/// A reason often repeats who it is about; the id stands above it.
fn without_names(reason: &str, person: &Person) -> String {
    let mut text = reason.to_owned();
    for known in [&person.login, &person.name].into_iter().flatten().filter(|known| !known.trim().is_empty())
    {
        text = text.replace(known.as_str(), "(person)");
    }
    // Okta's own grammar: “Automatic provisioning of user NAME to app APP failed: …”.
    if let Some((before, rest)) = text.split_once(" of user ")
        && let Some((_, after)) = rest.split_once(" to app ")
    {
        text = format!("{before} of user (person) to app {after}");
    }
    let word = |word: &str| if word.contains('@') { "(address)".to_owned() } else { word.to_owned() };
    text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_names_nobody() {
        let dana = Person {
            id: "00udana".parse().unwrap(),
            login: Some("dana@example.com".to_owned()),
            name: Some("Dana Reyes".to_owned()),
        };
        #[rustfmt::skip]
        let table = [
            ("Automatic provisioning of user Dana R. Reyes to app Slack failed: User account is inactive",
             "Automatic provisioning of user (person) to app Slack failed: User account is inactive"),
            ("Error while trying to push profile update for dana@example.com: Bad Request",
             "Error while trying to push profile update for (person): Bad Request"),
            ("Dana Reyes is inactive, ask other@example.com", "(person) is inactive, ask (address)"),
            ("Too many requests", "Too many requests"),
        ];
        for (reason, expected) in table {
            assert_eq!(without_names(reason, &dana), expected);
        }
    }
}
