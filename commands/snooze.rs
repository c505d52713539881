//! `/okta snooze incident: for:`: hides an incident for a time. It pings nobody then, until somebody new fails or the
//! time is over.

use async_trait::async_trait;
use domain::incident::{Change, LONGEST_SNOOZE, SHORTEST_SNOOZE};
use jiff::SignedDuration;

use crate::chat::{Call, Choice, CustomId, Dialog, Input, Message, Opening};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::spec::{From, Opt, OptKind, Role, Spec};
use crate::text::{escape, when};
use crate::{Command, by_hand};

/// What is suggested while somebody types.
const COMMON: [(&str, &str); 7] = [
    ("30m", "30 minutes"),
    ("1h", "1 hour"),
    ("4h", "4 hours"),
    ("8h", "8 hours"),
    ("1d", "1 day"),
    ("2d", "2 days"),
    ("7d", "7 days"),
];

/// `/okta snooze incident: for:`.
pub struct Snooze;

#[async_trait]
impl Command for Snooze {
    fn spec(&self) -> Spec {
        Spec {
            name: "snooze",
            about: "Hide an incident for a time. Somebody new wakes it at once.",
            role: Some(Role::Operator),
            opening: Opening::Private,
            options: &[
                by_hand::INCIDENT,
                Opt {
                    name: "for",
                    about: "For how long, for example 30m, 4h or 2d.",
                    kind: OptKind::Time,
                    required: true,
                },
            ],
            from: From::Slash,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let incident = by_hand::find_to_act(call, desk).await?;
        if let Some(over) = by_hand::is_over(&incident) {
            return Err(over);
        }
        let time = time(call.option("for").unwrap_or_default())?;
        let until = desk.clock.now() + time;
        let change = Change::Snoozed { by: call.caller.id, until };
        if by_hand::change(call, desk, &incident, change, "incident.snoozed", "").await?.is_none() {
            return Err(by_hand::changed_meanwhile(&incident));
        }
        Ok(Message::text(format!(
            "{} is snoozed until {}. More failures of the same people ping nobody; somebody new wakes it at once. If \
             somebody is still failing when the time is over, a new alert pings the people on call. To wake it \
             sooner, snooze it again for less.",
            by_hand::name(&incident),
            when(until)
        )))
    }
}

/// The dialog that asks for how long, when a button began it.
pub fn ask(incident: &str) -> Dialog {
    Dialog {
        submit: CustomId::new("snooze", [incident.to_owned()]),
        title: "Snooze this incident".to_owned(),
        inputs: vec![Input {
            name: "for".to_owned(),
            label: "For how long?".to_owned(),
            placeholder: "For example 30m, 4h or 2d".to_owned(),
            value: String::new(),
            length: (2, 10),
            long: false,
        }],
    }
}

/// The common times that fit what was typed; the typed one first, if it is good.
pub fn suggest(typed: &str) -> Vec<Choice> {
    let typed = typed.trim().to_lowercase();
    let choice =
        |value: &str, label: &str| Choice { label: label.to_owned(), value: value.to_owned(), chosen: false };
    let fits = |(value, label): &&(&str, &str)| value.starts_with(&typed) || label.contains(&typed);
    let mut found: Vec<Choice> =
        COMMON.iter().filter(fits).map(|(value, label)| choice(value, label)).collect();
    if time(&typed).is_ok() && !found.iter().any(|found| found.value == typed) {
        found.insert(0, choice(&typed, &typed));
    }
    found
}

/// A time as people type it: a number and m, h or d.
fn time(typed: &str) -> Result<SignedDuration, CommandError> {
    let typed = typed.trim().to_lowercase();
    let number = typed.trim_end_matches(|c: char| !c.is_ascii_digit());
    let minutes = match typed[number.len()..].trim() {
        "m" | "min" => 1,
        "h" => 60,
        "d" => 24 * 60,
        _ => 0,
    };
    let minutes = number.parse::<i64>().ok().and_then(|number| number.checked_mul(minutes)).unwrap_or(0);
    let range = SHORTEST_SNOOZE.as_mins()..=LONGEST_SNOOZE.as_mins();
    if range.contains(&minutes) {
        return Ok(SignedDuration::from_mins(minutes));
    }
    Err(CommandError::Retype(format!(
        "“{}” is no time to snooze for. Give a number and m, h or d, for example 30m, 4h or 2d: at least 5 minutes, at \
         most 14 days. Nothing was done.",
        escape(&typed, 40)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_type_them() {
        #[rustfmt::skip]
        let table = [
            ("30m",    Some(30)),
            ("4h",     Some(240)),
            ("2d",     Some(2_880)),
            (" 2 D ",  Some(2_880)),
            ("90min",  Some(90)),
            ("5m",     Some(5)),
            ("4m",     None),
            ("14d",    Some(20_160)),
            ("15d",    None),
            ("0h",     None),
            ("-1h",    None),
            ("4",      None),
            ("h",      None),
            ("",       None),
            ("1h30m",  None),
            ("soon",   None),
            ("99999999999999999999d", None),
            ("9223372036854775807d", None),
            ("４h",    None),
        ];
        for (typed, expected) in table {
            assert_eq!(time(typed).ok().map(|time| time.as_mins()), expected, "{typed:?}");
        }
    }

    #[test]
    fn common_times_are_suggested_and_a_good_one_that_was_typed_comes_first() {
        let table: [(&str, &[&str]); 5] = [
            ("", &["30m", "1h", "4h", "8h", "1d", "2d", "7d"]),
            ("4", &["4h"]),
            ("3h", &["3h"]),
            ("day", &["1d", "2d", "7d"]),
            ("soon", &[]),
        ];
        for (typed, expected) in table {
            let found: Vec<String> = suggest(typed).into_iter().map(|choice| choice.value).collect();
            assert_eq!(found, expected, "{typed:?}");
        }
    }
}
