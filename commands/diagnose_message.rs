//! “Diagnose with Okta”, from the menu of any message that quotes the error or names an app.

use async_trait::async_trait;
use domain::event::App;
use domain::ids::OrgName;

use crate::chat::{Button, ButtonStyle, Call, CustomId, Message, Opening, Press, Row};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::spec::{From, Role, Spec};
use crate::text::plain;
use crate::{Command, diagnose};

/// “Diagnose with Okta”.
pub struct DiagnoseMessage;

#[async_trait]
impl Command for DiagnoseMessage {
    fn spec(&self) -> Spec {
        Spec {
            name: "Diagnose with Okta",
            about: "Diagnose the app that a message names.",
            role: Some(Role::Viewer),
            opening: Opening::Private,
            options: &[],
            from: From::MessageMenu,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let mut found = named(call.quoted.as_deref().unwrap_or_default(), desk.memory.all_apps());
        match found.len() {
            0 => Err(CommandError::Slip(
                "That message names no app that Provost knows. Use `/okta diagnose` and pick one from the list."
                    .to_owned(),
            )),
            1 => {
                let (org, app) = found.remove(0);
                diagnose::answer(call, desk, org, app).await
            }
            _ => Ok(Message {
                content: "That message names more than one app. Which one?".to_owned(),
                rows: vec![Row::Buttons(found.iter().take(5).map(button).collect())],
                ..Message::default()
            }),
        }
    }
}

fn button((org, app): &(OrgName, App)) -> Button {
    Button {
        label: format!("{} …{}", plain(&app.label, 70), app.id.tail()),
        style: ButtonStyle::Secondary,
        press: Press::Verb(CustomId::new("diagnose", [format!("{org}/{}", app.id)])),
    }
}

/// The apps that a text names, by id or by label; a label within a longer one that also stands there does not count
/// (“Slack” in “Slack Enterprise”), nor one inside a word.
fn named(text: &str, apps: Vec<(OrgName, App)>) -> Vec<(OrgName, App)> {
    // A quoted alert has its markdown escaped.
    let mut rest = text.replace('\\', "").to_lowercase();
    let mut found: Vec<(OrgName, App)> = Vec::new();
    let by_id: Vec<_> = apps.iter().filter(|(_, app)| text.contains(app.id.as_str())).cloned().collect();
    if !by_id.is_empty() {
        return by_id;
    }
    let mut labels: Vec<String> = apps.iter().map(|(_, app)| app.label.trim().to_lowercase()).collect();
    labels.sort_by_key(|label| std::cmp::Reverse(label.len()));
    labels.dedup();
    for label in labels.iter().filter(|label| !label.is_empty()) {
        if take_word(&mut rest, label) {
            found.extend(apps.iter().filter(|(_, app)| app.label.trim().to_lowercase() == *label).cloned());
        }
    }
    found
}

/// Whether `label` stands in `text` as whole words; takes it out, so that a shorter label does not match in it.
fn take_word(text: &mut String, label: &str) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let places: Vec<usize> = text.match_indices(label).map(|(at, _)| at).collect();
    let mut taken = false;
    for at in places.into_iter().rev() {
        let before = text[..at].chars().next_back();
        let after = text[at + label.len()..].chars().next();
        if !is_word(before) && !is_word(after) {
            text.replace_range(at..at + label.len(), &"\u{0}".repeat(label.len()));
            taken = true;
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_found_in_what_people_write() {
        let app = |id: &str, label: &str| {
            ("acme".parse().unwrap(), App { id: id.parse().unwrap(), label: label.to_owned() })
        };
        let apps = vec![
            app("0oa1", "Slack"),
            app("0oa2", "Slack Enterprise"),
            app("0oa3", "Airbase"),
            app("0oa4", "Airbase"),
        ];
        #[rustfmt::skip]
        let table: [(&str, &[&str]); 7] = [
            ("Automatic provisioning of user d@x to app Slack failed: User account is inactive", &["0oa1"]),
            ("slack enterprise is broken",       &["0oa2"]),
            ("Slackers of the world",            &[]),
            ("Airbase!",                         &["0oa3", "0oa4"]),
            ("see 0oa4",                         &["0oa4"]),
            ("Slack and Airbase",                &["0oa3", "0oa4", "0oa1"]),
            ("",                                 &[]),
        ];
        for (text, expected) in table {
            let found: Vec<String> =
                named(text, apps.clone()).iter().map(|(_, app)| app.id.to_string()).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
