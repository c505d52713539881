//! The tour: one line at a time says what to try next, and goes on by itself when it was done.
//!
//! Whether something was done is read from the world alone, so it does not matter who did it, or where. A step that
//! leads to a card is done when the channel has that card, so that the next line never speaks of what is not there.

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
    /// Where on the page it is done: the first of these that is there.
    pub spots: &'static [Spot],
}

/// A button or a field of the page, as people find it: by the words on it, and those around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Spot {
    /// The channel (`chat`), the line in which one types there (`line`), or a tab of the Okta side.
    pub at: &'static str,
    /// What its message or card says.
    pub near: &'static str,
    /// What it is called, or how that begins.
    pub label: &'static str,
}

const fn on(at: &'static str, near: &'static str, label: &'static str) -> Spot {
    Spot { at, near, label }
}

struct Step {
    text: &'static str,
    who: Option<&'static str>,
    spots: &'static [Spot],
    done: fn(&Facts) -> bool,
}

/// In this order. A step that was done before its turn is passed over.
const STEPS: &[Step] = &[
    Step {
        text: "Dana Reyes left last year and is back today. In Okta, under **People**, assign **Slack** to her.",
        who: None,
        spots: &[on("people", "Dana Reyes", "Assign Slack")],
        done: |facts| facts.has_card("Slack"),
    },
    Step {
        text: "Okta could not provision her, and tells nobody: it stands under **Tasks**, for whoever looks. But \
               Provost has posted an alert. Press **Diagnose** on it.",
        who: Some("Vic"),
        spots: &[on("chat", "Slack", "Diagnose")],
        done: |facts| facts.used("diagnose"),
    },
    Step {
        text: "With **Deactivate Users** off, Okta neither closes accounts in Slack nor opens them again. A viewer \
               cannot change that: as **Olive**, press **Enable Deactivate Users…** on the alert, say why, and confirm.",
        who: Some("Olive"),
        spots: &[
            on("chat", "Slack: please confirm", "Enable Deactivate Users"),
            on("chat", "Slack", "Enable Deactivate Users…"),
        ],
        done: |facts| {
            facts.says("WAITING FOR APPROVAL", "Slack")
                || facts.says("IN PROGRESS", "Slack")
                || facts.slack_is_on
        },
    },
    Step {
        text: "Nothing happens before an approver on call agrees. Be **Ada**, read the card, and press **Approve**.",
        who: Some("Ada"),
        spots: &[on("chat", "Slack", "Approve")],
        done: |facts| {
            let open = facts.says("WAITING FOR APPROVAL", "Slack") || facts.says("IN PROGRESS", "Slack");
            facts.slack_is_on && !open
        },
    },
    Step {
        text: "Provost has turned on that one setting by Okta's API, and Okta's log proves it. But Okta does not push \
               Dana again by itself, and she still fails. As **Olive**, press **Retry…**, **Retry all 1**, and confirm.",
        who: Some("Olive"),
        spots: &[
            on("chat", "Slack: please confirm", "Retry"),
            on("chat", "Slack: whom to push again", "Retry all"),
            on("chat", "Slack", "Retry…"),
        ],
        done: |facts| facts.is_settled("Slack"),
    },
    Step {
        text: "**Dana is back:** her alert is green, **Tasks** is empty, and Okta's **Log** has the success that proves \
               it. Most apps cannot be changed by API: in Okta, under **Break something**, choose **Airbase** and press \
               **Somebody comes back**.",
        who: None,
        spots: &[on("break", "assigned to Airbase again", "Somebody comes back"), on("break", "", "App")],
        done: |facts| facts.has_card("Airbase") || facts.airbase_is_on,
    },
    Step {
        text: "As **Olive**, press **Guide me…** on Airbase's alert, say why, and confirm. That asks for it; a person \
               will do the clicks.",
        who: Some("Olive"),
        spots: &[
            on("chat", "Airbase: please confirm", "Enable Deactivate Users"),
            on("chat", "Airbase", "Guide me…"),
        ],
        done: |facts| {
            facts.says("WAITING FOR APPROVAL", "Airbase")
                || facts.says("IN PROGRESS", "Airbase")
                || facts.airbase_is_on
        },
    },
    Step {
        text: "Be **Abe**, the other approver on call, and press **Approve**. The card then shows the clicks.",
        who: Some("Abe"),
        spots: &[on("chat", "Airbase", "Approve")],
        done: |facts| facts.says("IN PROGRESS", "Airbase") || facts.airbase_is_on,
    },
    Step {
        text: "Do the clicks. In Okta, under **Apps**, at Airbase: **Edit**, tick **Deactivate Users**, **Save**. You \
               need not tell anybody; Provost sees it in Okta's log, and who did it.",
        who: None,
        spots: &[
            on("apps", "Airbase", "Save"),
            on("apps", "Airbase", "Deactivate Users"),
            on("apps", "Airbase", "Edit"),
        ],
        done: |facts| facts.airbase_is_on,
    },
    Step {
        text: "The setting is on, and Provost knows by itself. But the push that failed still waits, as Dana's did: as \
               **Olive**, press **Retry…** for Airbase, **Retry all 1**, and confirm.",
        who: Some("Olive"),
        spots: &[
            on("chat", "Airbase: please confirm", "Retry"),
            on("chat", "Airbase: whom to push again", "Retry all"),
            on("chat", "Airbase", "Retry…"),
        ],
        done: |facts| facts.is_settled("Airbase"),
    },
    Step {
        text: "Airbase is healed as well. Now the first day of a term: in Okta, under **Break something**, choose **Figma**, and press \
               **A storm of 200**.",
        who: None,
        spots: &[on("break", "such people to Figma", "A storm of 200"), on("break", "", "App")],
        done: |facts| facts.has_card_of_a_crowd(),
    },
    Step {
        text: "One card tells of all 200, instead of two hundred messages. As **Olive**, press **Claim** on it, so that \
               the others see who has it.",
        who: Some("Olive"),
        spots: &[on("chat", "Figma", "Claim")],
        done: |facts| facts.used("claim"),
    },
    Step {
        text: "And who has no role? Be the **Stranger**, and type **/okta tasks**.",
        who: Some("Stranger"),
        spots: &[on("line", "", "")],
        done: |facts| facts.stranger_tried,
    },
];

/// When all is done.
const OVER: &str = "That was the tour: you broke it, healed it and saw it proven, by API and by hand. Try the rest: **/okta audit**, as Root; an outage, time wound forward, a \
                    setting turned off again, the 200 pushed again in waves. Whoever ends the program and starts it \
                    again has a new world.";

/// Who may do all that is left.
const OVER_WHO: &str = "Root";

/// So many people are a crowd.
const CROWD: usize = 100;

/// What the tour knows of the world.
#[derive(Debug, Default)]
struct Facts {
    /// What anybody did, and what was ever so: it stays true.
    used: BTreeSet<String>,
    stranger_tried: bool,
    slack_is_on: bool,
    airbase_is_on: bool,
    /// What the channel's messages say now.
    texts: Vec<String>,
    /// The apps to which somebody's push fails now.
    failing: BTreeSet<String>,
}

impl Facts {
    /// Whether anybody used that command or button.
    fn used(&self, verb: &str) -> bool {
        self.used.contains(verb)
    }

    fn cards<'a>(&'a self, app: &str) -> impl Iterator<Item = &'a String> {
        let named = format!(" · {app} · ");
        self.texts.iter().filter(move |text| text.contains(&named))
    }

    /// Whether the channel has a card about that app.
    fn has_card(&self, app: &str) -> bool {
        self.cards(app).next().is_some()
    }

    /// Whether a card about that app has that state.
    fn says(&self, state: &str, app: &str) -> bool {
        self.cards(app).any(|text| text.contains(state))
    }

    /// Whether nobody's push to that app fails any more, and the channel says so.
    fn is_settled(&self, app: &str) -> bool {
        let open = self.says("ACTION NEEDED", app) || self.says("IN PROGRESS", app);
        !open && !self.failing.contains(app)
    }

    /// Whether one card tells of very many people: `[!] ACTION NEEDED · Figma · 200 people …`.
    fn has_card_of_a_crowd(&self) -> bool {
        let people = |text: &String| text.split(" · ").nth(2)?.split(' ').next()?.parse::<usize>().ok();
        self.texts.iter().filter_map(people).any(|people| people >= CROWD)
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
        let (number, of) = (*at + 1, STEPS.len());
        match STEPS.get(*at) {
            Some(Step { text, who, spots, .. }) => Line { number, of, text, who: *who, spots },
            None => Line { number, of, text: OVER, who: Some(OVER_WHO), spots: &[] },
        }
    }
}

fn look(facts: &mut Facts, stage: &Stage) {
    let on = |label: &str| stage.okta.app_id(label).is_some_and(|app| stage.okta.deactivates_users(&app));
    facts.slack_is_on |= on("Slack");
    facts.airbase_is_on |= on("Airbase");
    facts.failing = stage.okta.tasks().into_iter().map(|task| task.label).collect();
    facts.texts = stage.discord.messages(stage.channel).into_iter().map(|message| message.content).collect();
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

    #[test]
    fn a_card_tells_how_far_it_is() {
        let facts = |texts: &[&str], failing: &[&str]| Facts {
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
            failing: failing.iter().map(|label| (*label).to_owned()).collect(),
            ..Facts::default()
        };
        let one = "[!] ACTION NEEDED · Slack · 1 person cannot be provisioned <@&9>";
        let fixed = "[✓] FIXED · Slack · 1 person provisioned";
        let asked = "[?] WAITING FOR APPROVAL · Slack · R1 turn Deactivate Users on";
        let all = "[!] ACTION NEEDED · Figma · 200 people cannot be provisioned <@&9>";
        #[rustfmt::skip]
        let table = [
            // texts, failing,                  a card of Slack, settled, a crowd
            (facts(&[], &["Slack"]),            false,           false,   false),
            (facts(&[one], &["Slack"]),         true,            false,   false),
            (facts(&[one], &[]),                true,            false,   false),
            (facts(&[fixed], &[]),              true,            true,    false),
            (facts(&[fixed], &["Slack"]),       true,            false,   false),
            (facts(&[asked], &["Slack"]),       true,            false,   false),
            (facts(&[fixed, all], &["Figma"]),  true,            true,    true),
        ];
        for (facts, card, settled, crowd) in table {
            let found = (facts.has_card("Slack"), facts.is_settled("Slack"), facts.has_card_of_a_crowd());
            assert_eq!(found, (card, settled, crowd), "{facts:?}");
        }
    }
}
