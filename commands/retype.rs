//! What somebody typed and the server refused. It is kept for a while, so that `Edit reason…` opens the dialog again
//! with it: a button carries a hundred characters, which is too few for a reason.
//!
//! It is kept in memory alone. After a restart it is gone, and that is said.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use domain::ids::MemberId;
use jiff::{SignedDuration, Timestamp};

use crate::Command;
use crate::chat::{Button, ButtonStyle, Call, Caller, CustomId, Dialog, First, Message, Opening, Press, Row};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::spec::{From, Opt, OptKind, Spec};

/// How long it is kept.
const KEPT: SignedDuration = SignedDuration::from_mins(30);

/// How many are kept; the oldest go first.
const MOST: usize = 500;

/// So many characters of one text are kept: as many as a dialog takes.
const LONGEST: usize = 4_000;

/// The verb of the dialog that opens again.
pub const VERB: &str = "edited";

/// What is said when it is not kept any more.
pub const GONE: &str = "What you typed is not kept any more: it is kept for 30 minutes, and not over a restart of \
     Provost. Nothing was done. Run the command again.";

/// What somebody typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The command that refused it.
    pub verb: String,
    /// Everything that was typed for it, by option name.
    pub options: Vec<(String, String)>,
    id: String,
    member: MemberId,
    until: Timestamp,
}

/// What was typed and refused lately.
#[derive(Default)]
pub struct Typed(Mutex<(u64, VecDeque<Kept>)>);

impl Typed {
    /// Keeps what was typed; the id leads to it.
    pub fn keep(&self, call: &Call, now: Timestamp) -> String {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (counted, kept) = &mut *guard;
        *counted += 1;
        // The time is in it, so that a button from before a restart does not lead to somebody else's text.
        let id = format!("{:x}-{counted:x}", now.as_millisecond());
        let options = call.options.iter().map(|(name, text)| (name.clone(), cut(text))).collect();
        kept.retain(|each| each.until > now);
        if kept.len() >= MOST {
            kept.pop_front();
        }
        let (verb, member) = (call.verb.clone(), call.caller.id);
        kept.push_back(Kept { verb, options, id: id.clone(), member, until: now + KEPT });
        id
    }

    /// What somebody typed, if it is still kept and is theirs.
    pub fn find(&self, id: &str, caller: &Caller, now: Timestamp) -> Option<Kept> {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guard.1.iter().find(|kept| kept.id == id && kept.member == caller.id && kept.until > now).cloned()
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

impl Kept {
    /// The dialog again, with what was typed in it.
    pub fn dialog(&self, mut dialog: Dialog) -> Dialog {
        dialog.submit = CustomId::new(VERB, [self.id.clone()]);
        for input in &mut dialog.inputs {
            let typed = self.options.iter().find(|(name, _)| *name == input.name);
            input.value = typed.map_or(String::new(), |(_, text)| text.clone());
        }
        dialog
    }

    /// The call as it was, with what has been typed anew.
    fn again(self, call: &Call) -> Call {
        let anew: Vec<_> = call.options.iter().filter(|(name, _)| name != ID.name).cloned().collect();
        let mut options = self.options;
        options.retain(|(name, _)| !anew.iter().any(|(given, _)| given == name));
        options.extend(anew);
        Call { verb: self.verb, options, ..call.clone() }
    }
}

/// The refusal, with the button that opens the dialog again.
pub fn offer(desk: &Desk, call: &Call, why: String, dialog: &Dialog) -> Message {
    let is_reason = dialog.inputs.iter().any(|input| matches!(input.name.as_str(), "reason" | "why"));
    let label = if is_reason { "Edit reason…" } else { "Edit…" };
    let id = desk.typed.keep(call, desk.clock.now());
    let button = Button {
        label: label.to_owned(),
        style: ButtonStyle::Primary,
        press: Press::Verb(CustomId::new("edited-ask", [id])),
    };
    Message { content: why, rows: vec![Row::Buttons(vec![button])], ..Message::default() }
}

/// The first answer to the button: the dialog of the command that refused, if the caller may still use it.
pub fn open(desk: &Desk, caller: &Caller, args: &[String]) -> First {
    let id = args.first().map_or("", String::as_str);
    let Some(kept) = desk.typed.find(id, caller, desk.clock.now()) else {
        return First::Refuse(Message::text(GONE));
    };
    match (desk.allowed(caller, &kept.verb, &[]), crate::dialog(&kept.verb, &[])) {
        (First::Refuse(refusal), _) => First::Refuse(refusal),
        (_, Some(dialog)) => First::Ask(kept.dialog(dialog)),
        (_, None) => First::Refuse(Message::text(GONE)),
    }
}

/// The call that an edited dialog stands for; every other call is itself.
///
/// # Errors
///
/// A slip, where what was typed is not kept any more.
pub fn resolve(desk: &Desk, call: Call) -> Result<Call, CommandError> {
    if call.verb != VERB {
        return Ok(call);
    }
    let id = call.option(ID.name).unwrap_or_default();
    match desk.typed.find(id, &call.caller, desk.clock.now()) {
        Some(kept) => Ok(kept.again(&call)),
        None => Err(CommandError::Slip(GONE.to_owned())),
    }
}

const ID: Opt =
    Opt { name: "typed", about: "Which text is edited.", kind: OptKind::Text(1, 40), required: true };

/// The dialog that was opened again. What it stands for is looked up before anything runs.
pub struct Edited;

#[async_trait]
impl Command for Edited {
    fn spec(&self) -> Spec {
        Spec {
            name: VERB,
            about: "Edit what you typed.",
            role: None,
            opening: Opening::Private,
            options: &[ID],
            from: From::ButtonOnly,
        }
    }

    async fn run(&self, _: &Call, _: &Desk) -> Result<Message, CommandError> {
        Err(CommandError::Slip(GONE.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn call(member: u64, options: &[(&str, &str)]) -> Call {
        Call {
            caller: Caller { id: MemberId(member), roles: Vec::new() },
            verb: "enable".to_owned(),
            options: options.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
            quoted: None,
            draft: Arc::new(|_| {}),
        }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + minute * 60).unwrap()
    }

    #[test]
    fn it_is_kept_for_its_author_and_for_half_an_hour() {
        let typed = Typed::default();
        let olive = call(1, &[("app", "acme/0oa1"), ("reason", "too short")]);
        let id = typed.keep(&olive, at(0));
        let of = |member: u64, id: &str, minute| typed.find(id, &call(member, &[]).caller, at(minute));

        assert_eq!(of(1, &id, 29).map(|kept| kept.options), Some(olive.options));
        assert_eq!(of(2, &id, 29), None, "it is another's");
        assert_eq!(of(1, "0-1", 29), None, "of another run of the program");
        assert_eq!(of(1, &id, 30), None);
    }

    #[test]
    fn no_more_than_so_many_are_kept_and_none_of_any_length() {
        let typed = Typed::default();
        let long = "x".repeat(9_000);
        let first = typed.keep(&call(1, &[("reason", &long)]), at(0));
        let kept = typed.find(&first, &call(1, &[]).caller, at(0)).unwrap();
        assert_eq!(kept.options[0].1.len(), LONGEST);
        for _ in 0..MOST {
            typed.keep(&call(1, &[]), at(1));
        }
        assert_eq!(typed.find(&first, &call(1, &[]).caller, at(1)), None);
        assert_eq!(typed.0.lock().unwrap().1.len(), MOST);
    }

    #[test]
    fn what_is_typed_anew_replaces_what_was_and_the_rest_stays() {
        let typed = Typed::default();
        let id = typed.keep(&call(1, &[("app", "Slack: the old one"), ("reason", "short")]), at(0));
        let kept = typed.find(&id, &call(1, &[]).caller, at(1)).unwrap();
        let again = kept.again(&call(1, &[("typed", &id), ("reason", "rehires fail")]));
        assert_eq!(again.verb, "enable");
        assert_eq!(again.option("app"), Some("Slack: the old one"));
        assert_eq!(again.all("reason").collect::<Vec<_>>(), ["rehires fail"]);
        assert_eq!(again.option("typed"), None);
    }
}
