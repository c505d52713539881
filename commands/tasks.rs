//! `/okta tasks [app] [person]`: whose push is failing: who, where, since when, the last reason, the state; the whole
//! list as a file. What Dashboard > Tasks shows in Okta, for provisioning alone and without opening it.

use async_trait::async_trait;
use domain::cause::CauseId;
use domain::facts::Scope;
use domain::incident::{Failure, Incident};
use domain::request::{Request, Stage};
use domain::requests::RequestQuery;
use domain::store::{Query, Which};

use crate::Command;
use crate::chat::{Call, Card, Field, File, Message, Opening, Tone};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::spec::{From, Opt, OptKind, Role, Spec};
use crate::text::{ago, csv_cell, escape, fit, people};

/// How many people an answer shows; the file holds them all.
const SHOWN: usize = 10;

/// `/okta tasks [app] [person]`.
pub struct Tasks;

#[async_trait]
impl Command for Tasks {
    fn spec(&self) -> Spec {
        Spec {
            name: "tasks",
            about: "List whose push is failing: who, where, since when, and why.",
            role: Some(Role::Viewer),
            opening: Opening::Private,
            options: &[
                Opt { name: "app", about: "Of this app only.", kind: OptKind::App, required: false },
                Opt { name: "person", about: "Of this person only.", kind: OptKind::Person, required: false },
            ],
            from: From::Slash,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let app = call.option("app").map(|typed| desk.app(typed)).transpose()?;
        let person = call.option("person").map(str::to_lowercase);
        let query = Query {
            org: app.as_ref().map(|(org, _)| org.clone()),
            app: app.as_ref().map(|(_, app)| app.id.clone()),
            which: Which::Open,
            limit: 0,
        };
        let open = desk.store.incidents(&query).await?;
        let mut rows: Vec<(&Incident, &Failure)> = open
            .iter()
            .flat_map(|incident| incident.failing().map(move |failure| (incident, failure)))
            .filter(|(_, failure)| person.as_deref().is_none_or(|wanted| is(failure, wanted)))
            .collect();
        rows.sort_by_key(|(_, failure)| std::cmp::Reverse(failure.last));
        let asked = RequestQuery { open: true, ..RequestQuery::default() };
        let asked = desk.requests.requests(&asked).await?;
        if rows.is_empty() {
            return Ok(Message::text(nothing(app.map(|(_, app)| app.label), call.option("person"))));
        }
        let fields =
            rows.iter().take(SHOWN).map(|(incident, failure)| row(desk, incident, failure, &asked)).collect();
        let more = match rows.len() > SHOWN {
            true => format!("The {SHOWN} latest of {}. The file holds them all.", rows.len()),
            false => String::new(),
        };
        Ok(Message {
            content: format!("{} failing", people(rows.len())),
            card: Some(Card {
                tone: Tone::Alarm,
                title: "Failing pushes".to_owned(),
                body: more,
                fields,
                footer: String::new(),
            }),
            files: vec![File {
                name: "failing-pushes.csv".to_owned(),
                bytes: csv(&rows, &asked).into_bytes(),
            }],
            ..Message::default()
        })
    }
}

/// Whether a failure is of the person that was named: by id as suggested, or by login or name as typed.
fn is(failure: &Failure, wanted: &str) -> bool {
    let person = &failure.person;
    let texts = [Some(person.id.as_str()), person.login.as_deref(), person.name.as_deref()];
    texts.into_iter().flatten().any(|text| text.to_lowercase() == wanted)
}

fn nothing(app: Option<String>, person: Option<&str>) -> String {
    let of = match (app, person) {
        (Some(app), Some(person)) => format!(" of {} to {}", escape(person, 60), escape(&app, 60)),
        (Some(app), None) => format!(" to {}", escape(&app, 60)),
        (None, Some(person)) => format!(" of {}", escape(person, 60)),
        (None, None) => String::new(),
    };
    format!(
        "No push{of} is failing, as far as Provost has read the log. `/okta status` shows how far that is."
    )
}

/// How it stands with one person.
fn state(incident: &Incident, failure: &Failure, asked: &[Request]) -> String {
    let about = |request: &&Request| {
        let frozen = &request.frozen;
        let people = &frozen.people;
        (&frozen.org, &frozen.app.id) == (&incident.org, &incident.app.id)
            && request.stage != Stage::Draft
            && (people.is_empty() || people.contains(&failure.person.id))
    };
    match asked.iter().find(about) {
        Some(request) if request.stage == Stage::Pending => format!("{} waits for approval", request.number),
        Some(request) => format!("{} in progress", request.number),
        None if incident.cause == CauseId::self_healing() => "healing itself".to_owned(),
        None => "failing".to_owned(),
    }
}

fn row(desk: &Desk, incident: &Incident, failure: &Failure, asked: &[Request]) -> Field {
    let person = &failure.person;
    let name = person.name.as_deref().or(person.login.as_deref()).unwrap_or(person.id.as_str());
    let how = match failure.assigned {
        Some(Scope::Group) => " · by a group",
        Some(Scope::Person) => " · by name",
        None => "",
    };
    let reason = match &failure.reason {
        Some(reason) => format!("“{}”", escape(reason, 300)),
        None => "Okta gave no reason".to_owned(),
    };
    let cause = &desk.rules.cause(&incident.cause).title;
    let value = format!(
        "{} · {} · {} · since {}, last {}, {}×{how}\n{cause}: {reason}",
        escape(&incident.app.label, 80),
        incident.number,
        state(incident, failure, asked),
        ago(failure.first),
        ago(failure.last),
        failure.times,
    );
    Field { name: escape(name, 100), value: fit(value, 1_024) }
}

fn csv(rows: &[(&Incident, &Failure)], asked: &[Request]) -> String {
    let mut out =
        "incident,org,app,app_id,person,login,person_id,cause,first,last,failed_pushes,assigned,state,event_id,reason\n"
            .to_owned();
    for (incident, failure) in rows {
        let person = &failure.person;
        let assigned = match failure.assigned {
            Some(Scope::Group) => "group",
            Some(Scope::Person) => "person",
            None => "",
        };
        let cells = [
            incident.number.0.to_string(),
            incident.org.to_string(),
            incident.app.label.clone(),
            incident.app.id.to_string(),
            person.name.clone().unwrap_or_default(),
            person.login.clone().unwrap_or_default(),
            person.id.to_string(),
            incident.cause.to_string(),
            failure.first.to_string(),
            failure.last.to_string(),
            failure.times.to_string(),
            assigned.to_owned(),
            state(incident, failure, asked),
            failure.event.to_string(),
            failure.reason.clone().unwrap_or_default(),
        ];
        out.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
        out.push('\n');
    }
    out
}
