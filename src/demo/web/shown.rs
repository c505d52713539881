//! What the page shows, as JSON: each part for the eyes of one person.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use sim::discord::MessageView;
use sim::okta::{AccountState, AppView};

use super::Site;
use super::deeds::{Id, Refused};
use crate::demo::CONSOLE;
use crate::demo::stage::{CONSOLE_ADMIN, Stage};

/// The page shows no more of the log.
const LOG_LINES: usize = 100;

/// The server as this person sees it.
pub(super) fn world(stage: &Stage, who: u64) -> Value {
    let discord = &stage.discord;
    json!({
        "me": who.to_string(),
        "cast": stage.cast,
        "channel": stage.channel.to_string(),
        "bot": discord.application_id().to_string(),
        "guild": discord.guild_id().to_string(),
        "places": discord.places_for(who),
        "members": discord.members(),
        "roles": discord.roles(),
        "commands": discord.commands(),
        "console": CONSOLE,
    })
}

/// What is broken.
pub(super) fn state(stage: &Stage) -> Value {
    json!({
        "bot_is_there": stage.discord.has_bot(),
        "okta_is_down": stage.okta_is_down(),
        "discord_is_down": stage.discord_is_down(),
    })
}

/// How far the world's clock is ahead of the real one, in seconds.
pub(super) fn clock(stage: &Stage) -> Value {
    json!({ "ahead": stage.ahead().as_secs() })
}

/// The messages this person sees, by id.
pub(super) fn all_messages(stage: &Stage, who: u64) -> BTreeSet<u64> {
    let places = stage.discord.places_for(who);
    places.iter().flat_map(|place| stage.discord.messages_for(who, place.id)).map(|it| it.id).collect()
}

/// A message as Discord writes it down, and what only Discord's own client knows of it.
pub(super) fn message(stage: &Stage, message: &MessageView) -> Value {
    let rings: Vec<String> = stage.discord.rung_by(message.id).iter().map(u64::to_string).collect();
    json!({
        "json": message.json,
        "thread": message.thread.map(|id| id.to_string()),
        "only_for": message.only_for.map(|id| id.to_string()),
        "thinking": message.thinking,
        "rings": rings,
    })
}

/// The org, as its administrator sees it.
pub(super) fn org(stage: &Stage) -> Value {
    let okta = &stage.okta;
    let (apps, people) = (okta.app_views(), okta.person_views());
    // The first is the administrator, about whom there is nothing to do.
    let people = people.iter().skip(1).map(|it| {
        json!({
            "id": it.id, "login": it.login, "name": it.name, "active": it.status == "ACTIVE",
            "left_behind": left_behind(stage, &apps, &it.id),
        })
    });
    let tasks = okta.tasks().into_iter().map(|it| {
        json!({
            "app": it.app, "label": it.label, "person": it.user, "login": it.login, "reason": it.reason,
            "since": it.since.as_second(), "attempts": it.attempts,
        })
    });
    json!({
        "admin": CONSOLE_ADMIN,
        "apps": apps.iter().map(app).collect::<Vec<_>>(),
        "people": people.collect::<Vec<_>>(),
        "tasks": tasks.collect::<Vec<_>>(),
        "log": okta.log_from(okta.logged().saturating_sub(LOG_LINES)).iter().rev().map(entry).collect::<Vec<_>>(),
    })
}

fn app(app: &AppView) -> Value {
    let assigned = app.assigned.iter().map(|it| {
        json!({
            "person": it.user, "group": it.group, "failing": it.sync_state == "ERROR",
            "account": account(it.account),
        })
    });
    json!({
        "id": app.id, "label": app.label, "kind": app.kind, "provisions": app.provisions,
        "deactivates": app.deactivates_users, "api": app.has_feature_api,
        "assigned": assigned.collect::<Vec<_>>(),
    })
}

/// The accounts that somebody has in apps that are not assigned to them: app and state.
fn left_behind(stage: &Stage, apps: &[AppView], person: &str) -> Vec<(String, &'static str)> {
    let unassigned = apps.iter().filter(|app| !app.assigned.iter().any(|it| it.user == person));
    unassigned
        .map(|app| (app.id.clone(), stage.okta.account_state(person, &app.id)))
        .filter(|(_, state)| *state != AccountState::None)
        .map(|(app, state)| (app, account(state)))
        .collect()
}

fn account(state: AccountState) -> &'static str {
    match state {
        AccountState::None => "none",
        AccountState::Active => "active",
        AccountState::Inactive => "inactive",
    }
}

/// A line of the System Log.
fn entry(event: &Value) -> Value {
    let targets = event["target"].as_array().into_iter().flatten();
    let targets: Vec<&Value> =
        targets.filter(|it| it["type"] != "AppUser").map(|it| &it["displayName"]).collect();
    json!({
        "id": event["uuid"],
        "at": event["published"],
        "type": event["eventType"],
        "words": event["displayMessage"],
        "result": event["outcome"]["result"],
        "reason": event["outcome"]["reason"],
        "detail": event["debugContext"]["debugData"]["customMessage"],
        "actor": event["actor"]["displayName"],
        "targets": targets,
    })
}

#[derive(Debug, Deserialize)]
pub(super) struct AskedFile {
    who: String,
    message: Id,
    number: usize,
}

/// A file of a message, if this person sees the message.
pub(super) async fn file(
    State(site): State<Arc<Site>>,
    Query(AskedFile { who, message, number }): Query<AskedFile>,
) -> Result<Response, Refused> {
    let who = site.stage.part(&who).context("nobody on this page is that")?;
    let message = site.stage.discord.message_for(who, message.0).context("there is no such message")?;
    let file = message.files.get(number).context("there is no such file")?;
    let text = file.text.clone().context("that file is no text")?;
    // Whatever it is, the page shows it as text.
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}
