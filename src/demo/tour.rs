//! The tour: one line at a time says what to try next, and goes on by itself when it was done.
//!
//! Whether something was done is read from the world alone, so it does not matter who did it, or where.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

use super::stage::Stage;

/// The line that is shown now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Which one it is; the first is 1. One more than `of` when all is done.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// What to try next.
    pub text: &'static str,
    /// Who one had best be for it: a name of the cast.
    pub who: Option<&'static str>,
    /// On which side of the page it is: `chat` or `okta`.
    pub side: &'static str,
}

struct Step {
    text: &'static str,
    who: Option<&'static str>,
    side: &'static str,
    done: fn(&Facts) -> bool,
}

const OKTA: &str = "okta";
const CHAT: &str = "chat";

/// In this order. A step that was done before its turn is passed over.
const STEPS: &[Step] = &[
    Step {
        text: "Dana Reyes left last year and is back today. In Okta, under **People**, assign **Slack** to her.",
        who: None,
        side: OKTA,
        done: |facts| facts.anybody_failed,
    },
    Step {
        text: "Okta could not provision her, and tells nobody: look under **Tasks**. But Provost has posted an \
               alert. Press **Diagnose** on it.",
        who: Some("Vic"),
        side: CHAT,
        done: |facts| facts.used("diagnose"),
    },
    Step {
        text: "Only you see that answer. Vic may look, and no more. As **Olive**, press **Enable Deactivate Users…** \
               on the alert, say why, and confirm.",
        who: Some("Olive"),
        side: CHAT,
        done: |facts| facts.says("WAITING FOR APPROVAL") || facts.says_of_request("IN PROGRESS", "R1"),
    },
    Step {
        text: "Nothing happens before somebody on call agrees. Be **Ada**, read the card, and press **Approve**.",
        who: Some("Ada"),
        side: CHAT,
        done: |facts| facts.approved && facts.slack_is_on && facts.says_of_request("FIXED", "R"),
    },
    Step {
        text: "Provost has turned on that one setting by Okta's API, and Okta's log proves it. But Okta does not push \
               Dana again by itself. As **Olive**, press **Retry…**, choose her, and confirm.",
        who: Some("Olive"),
        side: CHAT,
        done: |facts| facts.somebody_recovered,
    },
    Step {
        text: "Mended, and proven. Most apps cannot be changed by API. Under **Break something**, let somebody come \
               back to **Airbase**.",
        who: None,
        side: OKTA,
        done: |facts| facts.airbase_failed || facts.airbase_is_on,
    },
    Step {
        text: "As **Olive**, press **Guide me…** on Airbase's alert, say why, and confirm. That asks for it; a person \
               will do the clicks.",
        who: Some("Olive"),
        side: CHAT,
        done: |facts| {
            ["WAITING FOR APPROVAL", "IN PROGRESS"].iter().any(|state| facts.says_of_app(state, "Airbase"))
                || facts.airbase_is_on
        },
    },
    Step {
        text: "Be **Abe**, who is on call too, and press **Approve**. The card then shows the clicks.",
        who: Some("Abe"),
        side: CHAT,
        done: |facts| facts.says_of_app("IN PROGRESS", "Airbase") || facts.airbase_is_on,
    },
    Step {
        text: "Do the clicks: in Okta, under **Apps**, tick **Deactivate Users** for Airbase; here one tick is enough. \
               Nobody has to report back; Provost sees it in the log, done there by Jo Ortiz.",
        who: None,
        side: OKTA,
        done: |facts| facts.airbase_is_on,
    },
    Step {
        text: "Now the first day of a term: under **Break something**, choose **Figma**, and press **A storm of 200**. \
               It is one card, not two hundred messages.",
        who: None,
        side: OKTA,
        done: |facts| facts.failed_at_once >= 100,
    },
    Step {
        text: "And who has no role? Be the **Stranger**, and type **/okta tasks**.",
        who: Some("Stranger"),
        side: CHAT,
        done: |facts| facts.stranger_tried,
    },
];

/// What the tour knows of the world. Most of it stays true once it was.
#[derive(Debug, Default)]
struct Facts {
    used: BTreeSet<String>,
    texts: Vec<String>,
    anybody_failed: bool,
    approved: bool,
    slack_is_on: bool,
    somebody_recovered: bool,
    airbase_failed: bool,
    airbase_is_on: bool,
    failed_at_once: usize,
    stranger_tried: bool,
}

impl Facts {
    /// Whether anybody used that command or button.
    fn used(&self, verb: &str) -> bool {
        self.used.contains(verb)
    }

    /// Whether a card in the channel has that state.
    fn says(&self, state: &str) -> bool {
        self.texts.iter().any(|text| text.contains(state))
    }

    fn says_of_request(&self, state: &str, number: &str) -> bool {
        self.texts.iter().any(|text| text.contains(state) && text.contains(&format!(" · {number}")))
    }

    fn says_of_app(&self, state: &str, app: &str) -> bool {
        self.texts.iter().any(|text| text.contains(state) && text.contains(&format!(" · {app} · ")))
    }
}

/// How far the tour is.
#[derive(Default)]
pub struct Tour(Mutex<(usize, Facts)>);

impl Tour {
    /// Takes note that somebody did something in the chat; whether that was new.
    pub fn hears(&self, stage: &Stage, who: u64, interaction: u64) -> bool {
        let event = stage.discord.answer(interaction).event();
        let Some(verb) = verb(&event) else { return false };
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A stranger who tries has not seen what the step is about.
        if stage.cast.last().is_some_and(|part| part.member == who) {
            return !std::mem::replace(&mut state.1.stranger_tried, true);
        }
        state.1.used.insert(verb)
    }

    /// Looks at the world, and goes on if a step was done.
    pub fn line(&self, stage: &Stage) -> Line {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, facts) = &mut *state;
        look(facts, stage);
        while STEPS.get(*at).is_some_and(|step| (step.done)(facts)) {
            *at += 1;
        }
        let step = STEPS.get(*at);
        Line {
            number: *at + 1,
            of: STEPS.len(),
            text: step.map_or(
                "That was the tour. Try the rest: **/okta audit**, an outage, time wound forward, a setting turned \
                 off again, the 200 pushed again in waves.",
                |step| step.text,
            ),
            who: step.and_then(|step| step.who),
            side: step.map_or(CHAT, |step| step.side),
        }
    }

    /// Begins again; what was done counts as done no more.
    pub fn begins_again(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Default::default();
    }
}

fn look(facts: &mut Facts, stage: &Stage) {
    let tasks = stage.okta.tasks();
    let on = |label: &str| stage.okta.app_id(label).is_some_and(|app| stage.okta.deactivates_users(&app));
    facts.anybody_failed |= !tasks.is_empty();
    facts.slack_is_on |= on("Slack");
    facts.airbase_is_on |= on("Airbase");
    facts.airbase_failed |= tasks.iter().any(|task| task.label == "Airbase");
    facts.failed_at_once = facts.failed_at_once.max(tasks.len());
    facts.texts = stage.discord.messages(stage.channel).into_iter().map(|message| message.content).collect();
    let decided = |text: &String| text.contains(" · R") && !text.contains("WAITING");
    facts.approved |= facts.texts.iter().any(decided);
    let proven = |text: &String| text.contains("FIXED") && text.contains("provisioned");
    facts.somebody_recovered |= facts.texts.iter().any(proven);
}

/// What somebody did: the name of the subcommand, of the message's command, or the verb of a button.
fn verb(event: &Value) -> Option<String> {
    let data = &event["data"];
    let text = match event["type"].as_u64()? {
        2 if data["type"] == 3 => "diagnose",
        2 => data.pointer("/options/0/name")?.as_str()?,
        3 | 5 => data["custom_id"].as_str()?.split(':').nth(1)?,
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_deed_is_known_by_its_verb() {
        #[rustfmt::skip]
        let table = [
            (json!({ "type": 2, "data": { "type": 1, "options": [{ "name": "diagnose", "options": [] }] } }), Some("diagnose")),
            (json!({ "type": 2, "data": { "type": 3, "name": "Diagnose with Okta" } }),                       Some("diagnose")),
            (json!({ "type": 3, "data": { "custom_id": "v1:approve:R1:0123" } }),                             Some("approve")),
            (json!({ "type": 4, "data": { "type": 1, "options": [{ "name": "diagnose" }] } }),                None),
        ];
        for (event, expected) in table {
            assert_eq!(verb(&event).as_deref(), expected, "{event}");
        }
    }
}
