//! `/okta diagnose app:`: what is wrong with an app's provisioning, on what evidence, and what can be done.

use async_trait::async_trait;
use domain::audit::Entry;
use domain::diagnosis::{Diagnosis, Verdict, diagnose, gather};
use domain::event::App;
use domain::facts::Connection;
use domain::ids::{IncidentNumber, OrgName};
use domain::incident::{Incident, Mode};
use domain::ports::DirectoryError;
use domain::requests::AuditQuery;
use domain::store::{Query, Which};

use crate::chat::{Button, ButtonStyle, Call, Card, CustomId, Field, Message, Opening, Press, Row, Tone};
use crate::console::{self, Console};
use crate::desk::{Desk, Org};
use crate::errors::CommandError;
use crate::spec::{From, Opt, OptKind, Role, Spec};
use crate::text::{ago, escape, fit, people, when};
use crate::{Command, alert, announcements, support};

/// How many people an answer names; the rest is in `/okta tasks`.
const NAMED: usize = 8;

/// How much of what was tried a support bundle tells.
const TRIED: u32 = 200;

/// `/okta diagnose app:`.
pub struct Diagnose;

#[async_trait]
impl Command for Diagnose {
    fn spec(&self) -> Spec {
        Spec {
            name: "diagnose",
            about: "Say what is wrong with an app's provisioning, and what can be done.",
            role: Some(Role::Viewer),
            opening: Opening::Private,
            options: &[Opt { name: "app", about: "The app.", kind: OptKind::App, required: true }],
            from: From::Slash,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let (name, app) = desk.app(call.option("app").unwrap_or_default())?;
        answer(call, desk, name, app).await
    }
}

/// The answer for an app, whoever asked and however: first what is known without Okta, then the whole.
///
/// # Errors
///
/// `Directory` where Okta knows no such app; everything else that could not be had is named in the answer.
pub async fn answer(call: &Call, desk: &Desk, name: OrgName, app: App) -> Result<Message, CommandError> {
    let looked = look(call, desk, &name, app).await?;
    Ok(message(desk, desk.org(&name)?, &name, &looked))
}

/// What was found about an app.
pub struct Looked {
    /// The app, by the label that it has now.
    pub app: App,
    /// Its kind in Okta's catalogue; empty if it could not be read.
    pub kind: String,
    /// The diagnosis.
    pub found: Diagnosis,
    /// What was tried about it, newest first.
    pub tried: Vec<Entry>,
    /// The open incident of the app, if there is one.
    pub incident: Option<IncidentNumber>,
}

/// Looks at an app, and shows what is known without Okta meanwhile.
///
/// # Errors
///
/// As [`answer`].
pub async fn look(call: &Call, desk: &Desk, name: &OrgName, app: App) -> Result<Looked, CommandError> {
    let org = desk.org(name)?;
    let query = Query { org: Some(name.clone()), app: Some(app.id.clone()), which: Which::Open, limit: 0 };
    let known = desk.store.incidents(&query).await?;
    let incident = known.first().map(|incident| incident.number);
    (call.draft)(first_facts(desk, name, &app, &known));

    let changes = desk.store.settings(name, &app.id).await?;
    let changes = changes.into_iter().map(|(_, change)| change).collect();
    let now = desk.clock.now();
    let evidence = gather(&*org.directory, name, &app.id, &desk.rules, now, known, changes).await;
    if let Ok(facts) = &evidence.app {
        desk.memory.keep_app(name, facts.clone());
    } else if evidence.history.is_ok() && evidence.users.is_err() && is_gone(&evidence.app, &app) {
        let source = DirectoryError::Gone { what: format!("app {}", app.id) };
        return Err(CommandError::Directory { org: name.clone(), source });
    }
    let label = evidence.app.as_ref().map_or(app.label.clone(), |facts| facts.app.label.clone());
    let kind = evidence.app.as_ref().map_or(String::new(), |facts| facts.kind.clone());
    let found = diagnose(&evidence);
    let query = AuditQuery { app: Some(app.id.clone()), limit: TRIED, ..AuditQuery::default() };
    let tried = desk.requests.entries(&query).await?;
    Ok(Looked { app: App { label, id: app.id }, kind, found, tried, incident })
}

fn is_gone(facts: &Result<domain::facts::AppFacts, String>, app: &App) -> bool {
    let gone = DirectoryError::Gone { what: format!("app {}", app.id) }.to_string();
    facts.as_ref().err() == Some(&gone)
}

/// What is known at once, from memory: it stands while Okta is being asked.
fn first_facts(desk: &Desk, org: &OrgName, app: &App, known: &[Incident]) -> Message {
    let failing: usize = known.iter().map(|incident| incident.failing().count()).sum();
    let mut lines = vec![match failing {
        0 => "No open alert.".to_owned(),
        _ => format!("{} failing, by Provost's own record.", people(failing)),
    }];
    if let Some(facts) = desk.memory.app(org, &app.id) {
        let word = if facts.deactivates_users() { "on" } else { "off" };
        lines.push(format!("Deactivate Users was **{word}** when the app was last read."));
    }
    lines.push("Asking Okta for the rest…".to_owned());
    Message {
        content: format!("Diagnosing {} …", escape(&app.label, 200)),
        card: Some(Card {
            title: escape(&app.label, 200),
            body: lines.join("\n"),
            footer: format!("{org} · {}", app.id),
            ..Card::default()
        }),
        ..Message::default()
    }
}

fn message(desk: &Desk, org: &Org, name: &OrgName, looked: &Looked) -> Message {
    let Looked { app, kind, found, .. } = looked;
    let label = escape(&app.label, 150);
    let mut fields = vec![field("What can be done", offered(desk, org.writes, found))];
    fields.push(field("Deactivate Users", setting(found)));
    if !found.failing.is_empty() {
        fields.push(field("Failing now", failing(found)));
    }
    fields.push(field("Assigned", assigned(found)));
    fields.push(field("Log", log(desk, found)));
    if !found.missing.is_empty() {
        let missing: Vec<String> =
            found.missing.iter().map(|missing| format!("- {}", escape(missing, 200))).collect();
        fields.push(field("Could not be had", fit(missing.join("\n"), 1_024)));
    }
    let files = match found.verdict {
        Some(Verdict::OnAndStillFailing) => vec![support::file(name, looked, desk.clock.now())],
        _ => Vec::new(),
    };
    Message {
        content: format!("{label}: {}", headline(found)),
        card: Some(Card {
            tone: tone(found),
            title: escape(&app.label, 200),
            body: explanation(desk, found),
            fields,
            footer: format!("{name} · {} · {}", if kind.is_empty() { "app" } else { kind }, app.id),
        }),
        rows: buttons(org, name, looked),
        files,
        pings: Vec::new(),
    }
}

fn field(name: &str, value: String) -> Field {
    Field { name: name.to_owned(), value }
}

/// The verdict in a few words.
fn headline(found: &Diagnosis) -> String {
    let failing = people(found.failing.len());
    match &found.verdict {
        None => "no verdict yet, a fact that decides it could not be had".to_owned(),
        Some(Verdict::SettingIsOff) => format!("the setting is off, {failing} failing"),
        Some(Verdict::AlreadyOn) => "Deactivate Users is already on, retry".to_owned(),
        Some(Verdict::OnAndStillFailing) => format!("on, and still failing: {failing}"),
        Some(Verdict::HealingItself) => format!("healing itself, {failing} waiting"),
        Some(Verdict::AnotherCause(_)) => format!("another cause, {failing} failing"),
        Some(Verdict::PersonIsInactive) => "the person is inactive in Okta".to_owned(),
        Some(Verdict::NoProvisioning) => "provisioning is off or unsupported".to_owned(),
        Some(Verdict::NothingIsFailing) => "nothing is failing".to_owned(),
    }
}

fn tone(found: &Diagnosis) -> Tone {
    match &found.verdict {
        Some(Verdict::SettingIsOff | Verdict::OnAndStillFailing | Verdict::AnotherCause(_)) => Tone::Alarm,
        Some(Verdict::AlreadyOn | Verdict::HealingItself) | None => Tone::Waiting,
        Some(Verdict::NothingIsFailing) => Tone::Good,
        Some(Verdict::PersonIsInactive | Verdict::NoProvisioning) => Tone::Quiet,
    }
}

fn explanation(desk: &Desk, found: &Diagnosis) -> String {
    let text = match &found.verdict {
        None => "Provost does not guess. What is missing is named below; ask again once it can be read.".to_owned(),
        Some(Verdict::SettingIsOff) => {
            "The accounts still exist in the app but are inactive there, and Okta may not activate them again while \
             Deactivate Users is off."
                .to_owned()
        }
        Some(Verdict::AlreadyOn) => {
            "Deactivate Users was turned on after the last failure. Okta does not push again by itself: retry."
                .to_owned()
        }
        Some(Verdict::OnAndStillFailing) => {
            "Deactivate Users is on, and pushes failed after that. It is not the setting: the fault is on the app's \
             side."
                .to_owned()
        }
        Some(Verdict::HealingItself) => {
            "The app was busy. Okta tries again by itself, up to ten times; retrying by hand makes it worse."
                .to_owned()
        }
        Some(Verdict::AnotherCause(cause)) => {
            let cause = desk.rules.cause(cause);
            format!("**{}**\n{}", cause.title, cause.explanation)
        }
        Some(Verdict::PersonIsInactive) => {
            "Everybody whose push fails is not active in Okta. Okta pushes nobody who is not active, so there is \
             nothing to retry."
                .to_owned()
        }
        Some(Verdict::NoProvisioning) => {
            "Okta does not provision people to this app: provisioning is off, the app is inactive, or it does not \
             support it."
                .to_owned()
        }
        Some(Verdict::NothingIsFailing) => {
            "No push to this app is failing in the time that the log covers.".to_owned()
        }
    };
    fit(text, 4_096)
}

fn offered(desk: &Desk, writes: bool, found: &Diagnosis) -> String {
    let by_hand = console::RETRY;
    let retry = match writes {
        true => format!("push again with `/okta retry`, or by hand: {by_hand}"),
        false => format!("retry by hand: {by_hand}"),
    };
    let text = match &found.verdict {
        None => "Ask again in a minute. Until then: Dashboard > Tasks in Okta shows who fails.".to_owned(),
        Some(Verdict::SettingIsOff) => format!(
            "**If the setting should be on:** ask for it with `/okta enable`, or by hand: {}. Then {retry}.\n{}{}\n**If it should stay off:** activate the \
             account in the app, or delete it there, then retry.",
            console::TURN_ON,
            console::PRICE,
            match found.assigned {
                Some(assigned) => format!(" Assigned now: {}.", total(assigned)),
                None => String::new(),
            }
        ),
        Some(Verdict::AlreadyOn) => format!("Now {retry}."),
        Some(Verdict::OnAndStillFailing) => {
            format!(
                "Look at the account in the app, then {retry}. If it fails again, contact the app's support: the file \
                 below is ready to attach to a ticket."
            )
        }
        Some(Verdict::HealingItself) => "Wait. Okta looks at a rescheduled job again after five minutes, then after \
             ever longer pauses; Provost follows it in the log."
            .to_owned(),
        Some(Verdict::AnotherCause(cause)) => {
            format!("See [the vendor's article]({}).", desk.rules.cause(cause).link)
        }
        Some(Verdict::PersonIsInactive) => {
            "Activate the person in Okta first, if they should have the app at all.".to_owned()
        }
        Some(Verdict::NoProvisioning) => {
            "Nothing, as long as people are given their accounts in the app by hand. Otherwise: Provisioning > \
             Integration."
                .to_owned()
        }
        Some(Verdict::NothingIsFailing) => match found.deactivates_users {
            Some(false) => format!(
                "Nothing now. Deactivate Users is off, so the next person who comes back will fail. {}",
                console::PRICE
            ),
            Some(true) | None => "Nothing.".to_owned(),
        },
    };
    fit(text, 1_024)
}

fn setting(found: &Diagnosis) -> String {
    let word = match found.deactivates_users {
        Some(true) => "**On.**",
        Some(false) => "**Off.**",
        None => "Could not be read.",
    };
    let changed = match &found.changed {
        Some(change) => format!("{}.", announcements::setting(change)),
        None if found.since.is_some() => {
            "The log does not tell who changed it; that was longer ago.".to_owned()
        }
        None => String::new(),
    };
    let mode = match (found.mode, &found.by_hand_because) {
        (Mode::Api, _) => "It can be changed by Okta's API.".to_owned(),
        (Mode::Guided, Some(why)) => {
            format!("It can be changed by hand only; Okta's API says: {}.", escape(why, 200))
        }
        (Mode::Guided, None) => {
            "It can be changed by hand only: Okta's API has no setting for this kind of app.".to_owned()
        }
    };
    let connection = match found.connection {
        Some(Connection::Enabled) => "The connection to the app is enabled.",
        Some(Connection::Disabled) => "The connection to the app is **disabled**.",
        Some(Connection::Unknown) => "Okta does not tell how it is connected to the app.",
        None => "",
    };
    let parts = [word.to_owned(), changed, mode, connection.to_owned()];
    fit(parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" "), 1_024)
}

fn failing(found: &Diagnosis) -> String {
    let lines: Vec<String> = found
        .failing
        .iter()
        .take(NAMED)
        .map(|failing| {
            let person = &failing.person;
            let name = person.name.as_deref().or(person.login.as_deref()).unwrap_or(person.id.as_str());
            let mut line = format!("{} · since {}", escape(name, 60), ago(failing.first));
            if let Some(scope) = failing.assigned {
                line.push_str(match scope {
                    domain::facts::Scope::Group => " · by a group",
                    domain::facts::Scope::Person => " · by name",
                });
            }
            if let Some(state) = &failing.state {
                line.push_str(&format!(" · {}", escape(state, 40)));
            }
            if failing.active == Some(false) {
                line.push_str(" · **not active in Okta**");
            }
            line
        })
        .collect();
    let mut text = lines.join("\n");
    if found.failing.len() > NAMED {
        text.push_str(&format!("\nand {} more", found.failing.len() - NAMED));
    }
    if let Some(newest) = found.failing.first() {
        let reason = newest
            .reason
            .as_deref()
            .map_or("no reason given".to_owned(), |r| format!("“{}”", escape(r, 240)));
        text.push_str(&format!("\nLast: {reason}, event {}", escape(newest.event.as_str(), 80)));
    }
    fit(text, 1_024)
}

fn total(assigned: domain::facts::Assigned) -> String {
    match assigned.more {
        true => "more than 2,000 people".to_owned(),
        false => people(assigned.by_person + assigned.by_group),
    }
}

fn assigned(found: &Diagnosis) -> String {
    match found.assigned {
        None => "Could not be read.".to_owned(),
        Some(assigned) => {
            let of = if assigned.more { " of the first 2,000" } else { "" };
            format!("{}: {} by name, {} by group{of}", total(assigned), assigned.by_person, assigned.by_group)
        }
    }
}

fn log(desk: &Desk, found: &Diagnosis) -> String {
    let Some(since) = found.since else {
        return "Could not be read; who fails is from Provost's own record.".to_owned();
    };
    let causes: Vec<String> = found
        .causes
        .iter()
        .map(|(cause, count)| format!("{}: {}", desk.rules.cause(cause).title, people(*count)))
        .collect();
    let what = if causes.is_empty() { "no failure".to_owned() } else { causes.join("; ") };
    let how_far = if found.complete { "90 days" } else { "as far as three pages reach" };
    fit(format!("Since {} ({how_far}): {what}.", when(since)), 1_024)
}

fn buttons(org: &Org, name: &OrgName, looked: &Looked) -> Vec<Row> {
    let Looked { app, kind, found, incident, .. } = looked;
    let mut row = Vec::new();
    if !found.failing.is_empty() {
        row.push(Button {
            label: "Whose push is failing".to_owned(),
            style: ButtonStyle::Primary,
            press: Press::Verb(CustomId::new("tasks", [format!("{name}/{}", app.id)])),
        });
    }
    let app_arg = format!("{name}/{}", app.id);
    let verb = |label: &str, verb: &str| Button {
        label: label.to_owned(),
        style: ButtonStyle::Secondary,
        press: Press::Verb(CustomId::new(verb, [app_arg.clone()])),
    };
    match &found.verdict {
        Some(Verdict::SettingIsOff) if org.writes && found.mode == Mode::Api => {
            row.push(verb("Enable Deactivate Users…", "enable-ask"));
        }
        Some(Verdict::SettingIsOff) => row.push(verb("Guide me…", "enable-ask")),
        Some(Verdict::AlreadyOn | Verdict::OnAndStillFailing) => row.push(verb("Retry…", "retry")),
        Some(
            Verdict::HealingItself
            | Verdict::AnotherCause(_)
            | Verdict::PersonIsInactive
            | Verdict::NoProvisioning
            | Verdict::NothingIsFailing,
        )
        | None => {}
    }
    if let (Some(Verdict::SettingIsOff), Some(incident)) = (&found.verdict, incident) {
        let number = incident.0.to_string();
        row.push(alert::button("Done in the app…", ButtonStyle::Secondary, "fixed", &number));
    }
    if let Some(console) = &org.console {
        row.extend(links(console, app, kind, found));
    }
    if row.is_empty() { Vec::new() } else { vec![Row::Buttons(row)] }
}

fn links(console: &Console, app: &App, kind: &str, found: &Diagnosis) -> Vec<Button> {
    let provisioning = alert::link("Open Provisioning", console.to_app(kind, &app.id));
    let tasks = alert::link("Open Tasks", console.tasks());
    match &found.verdict {
        Some(Verdict::HealingItself | Verdict::PersonIsInactive) => Vec::new(),
        Some(Verdict::NothingIsFailing | Verdict::NoProvisioning) => vec![provisioning],
        Some(Verdict::AlreadyOn) => vec![tasks],
        Some(Verdict::SettingIsOff | Verdict::OnAndStillFailing | Verdict::AnotherCause(_)) | None => {
            vec![provisioning, tasks]
        }
    }
}
