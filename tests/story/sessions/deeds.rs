//! What people do about the harder things: the last rung, breaking the glass, links, roles, and what is done by hand.
//!
//! Each may be refused: then it is refused, and nothing is done.

use anyhow::{Context, Result};

use super::steps::Session;
use crate::reassigning::types_label;
use crate::world::World;

/// Whoever is linked, or may be.
const LINKED: [&str; 5] = ["Olive", "Oscar", "Ada", "Abe", "Gina"];

/// What somebody may lose, and get again.
const ROLES: [(&str, &str); 6] = [
    ("Olive", "operator"),
    ("Ada", "approver"),
    ("Ada", "oncall"),
    ("Abe", "approver"),
    ("Abe", "oncall"),
    ("Gina", "breakglass"),
];

impl Session {
    /// Somebody asks for somebody who is failing to be reassigned, types the label, and two approve, or only one.
    pub(super) async fn reassigns(&mut self, world: &World) {
        let mut tasks: Vec<_> = world.okta.tasks().into_iter().map(|task| (task.user, task.app)).collect();
        // Mostly where Provost writes it.
        let slack = self.apps.iter().find(|(_, label)| label == "Slack").map(|(id, _)| id.clone());
        if self.dice.below(3) > 0 && tasks.iter().any(|(_, app)| Some(app) == slack.as_ref()) {
            tasks.retain(|(_, app)| Some(app) == slack.as_ref());
        }
        if tasks.is_empty() {
            return;
        }
        let (person, app) = self.dice.one(&tasks);
        let Some(label) = self.apps.iter().find(|(id, _)| *id == app).map(|(_, label)| label.clone()) else {
            return;
        };
        if world.okta.is_assigned(&person, &app) {
            let value = format!("role {}", self.dice.below(1_000));
            world.okta.fills_in(&person, &app, "role", &value);
            self.filled.insert((person.clone(), app.clone()), value);
            if self.dice.below(3) == 0 {
                // A mapped attribute that somebody overrode: a new assignment may not set it, so not all comes back.
                world.okta.fills_in(&person, &app, "displayName", "Somebody Else");
            }
        }
        let who = self.dice.one(&["Olive", "Oscar", "Abe"]);
        let named = format!("acme/{app}");
        let options = [("app", named.as_str()), ("person", &person), ("reason", "neither retry was enough")];
        let confirmation = world.says(who, "reassign", &options).await;
        let _ = types_label(world, who, &confirmation, &label).await;
        let _ = world.app.board.pass().await;
        for approver in self.dice.one(&[&["Ada", "Abe"][..], &["Abe", "Ada"], &["Ada"], &["Olive", "Abe"]]) {
            if let Some(button) = world.button("Approve") {
                world.acts(approver, &button, &[]).await;
            }
        }
        self.perhaps_changes_roles(world);
    }

    /// Several are pushed again at an app where that helps, and Okta refuses one of them: it works for some only.
    pub(super) async fn retries_in_part(&mut self, world: &World) {
        let Some((app, _)) = self.apps.iter().find(|(_, label)| label == "Slack").cloned() else { return };
        let some = self.some_people();
        for person in &some {
            if !world.okta.is_assigned(person, &app) {
                world.okta.left_inactive(person, &app);
            }
            world.okta.assigns(person, &app);
            self.unassigned.remove(&(person.clone(), app.clone()));
        }
        world.okta.tick();
        let _ = world.looks().await;
        world.okta.enables_in_console(&app, "Jo Ortiz");
        let failing = world.okta.tasks().into_iter().filter(|task| task.app == app).map(|task| task.user);
        let Some(last) = failing.max() else { return };
        let list = world.says("Oscar", "retry", &[("app", &format!("acme/{app}"))]).await;
        let Ok(confirmation) = world.presses("Oscar", &list, "Retry all").await else { return };
        let _ = world.presses("Oscar", &confirmation, "Retry").await;
        let push = format!("POST /api/v1/apps/{app}/users/{last}");
        world.okta.faults().next(1, &push, sim::okta::Fault::Status(400));
    }

    /// Somebody says that it was done in the app, or closes the incident.
    pub(super) async fn done_otherwise(&mut self, world: &World) {
        let who = self.dice.one(&["Olive", "Oscar"]);
        let Some(number) = self.some_incident(world).await else { return };
        match self.dice.below(3) {
            0 => {
                let options = [("incident", number.as_str()), ("reason", "the app is retired next week")];
                world.says(who, "close", &options).await;
            }
            _ => {
                let how = self.dice.one(&["activated there", "deleted there"]);
                world.says(who, "fixed", &[("incident", &number), ("how", how)]).await;
            }
        }
    }

    /// Gina breaks the glass, or somebody reviews that she did.
    pub(super) async fn breaks_the_glass(&mut self, world: &World, app: &str) {
        let app = format!("acme/{app}");
        let why = "payroll closes in ten minutes and nobody on call answers";
        let options = [("app", app.as_str()), ("reason", why), ("breakglass", "true")];
        let confirmation = world.says("Gina", "enable", &options).await;
        let _ = world.presses("Gina", &confirmation, "Break the glass").await;
        self.perhaps_changes_roles(world);
    }

    pub(super) async fn reviews(&mut self, world: &World) {
        let Ok(open) = world.app.desk.requests.unreviewed().await else { return };
        let Some(request) = open.first() else { return };
        let who = self.dice.one(&["Ada", "Abe", "Gina", "Olive"]);
        let verdict = self.dice.one(&["justified", "not justified"]);
        world.says(who, "review", &[("request", &request.number.to_string()), ("verdict", verdict)]).await;
    }

    /// In half of the sessions everybody is linked from the beginning. In the others the first link makes links
    /// required, so that little is allowed from then on.
    pub(super) async fn links_everybody(&mut self, world: &World) -> Result<()> {
        if self.dice.below(2) == 0 {
            return Ok(());
        }
        for who in LINKED {
            world.says(who, "link", &[("login", &format!("{}@example.com", who.to_lowercase()))]).await;
            world.app.board.pass().await?;
            let confirm = world.button("Confirm").with_context(|| format!("nobody can confirm {who}"))?;
            world.acts("Root", &confirm, &[]).await;
        }
        Ok(())
    }

    /// Somebody asks for their link and an admin decides, or an admin takes one away.
    pub(super) async fn links(&mut self, world: &World) {
        let who = self.dice.one(&LINKED);
        if self.dice.below(8) == 0 {
            world.says("Root", "unlink", &[("member", &world.member(who).to_string())]).await;
            return;
        }
        let login = format!("{}@example.com", who.to_lowercase());
        world.says(who, "link", &[("login", &login)]).await;
        let _ = world.app.board.pass().await;
        let label = self.dice.one(&["Confirm", "Confirm", "Confirm", "Reject"]);
        if let Some(button) = world.button(label) {
            let admin = self.dice.one(&["Root", "Rita"]);
            world.acts(admin, &button, &[]).await;
        }
    }

    /// Between a click and what it leads to, somebody may lose a role: what was allowed a moment ago is not any more.
    pub(super) fn perhaps_changes_roles(&mut self, world: &World) {
        if self.dice.below(6) == 0 {
            self.changes_roles(world);
        }
    }

    /// Somebody loses a role, or gets it again.
    pub(super) fn changes_roles(&mut self, world: &World) {
        // Up to two are lost at a time, so that it also happens that nobody is on call.
        let back = self.lost.len() > 1 || self.dice.below(2) == 0;
        match self.lost.pop_if(|_| back) {
            Some((name, role)) => world.gets(name, role),
            None => {
                let (name, role) = self.dice.one(&ROLES);
                world.loses(name, role);
                self.lost.push((name, role));
            }
        }
    }
}
