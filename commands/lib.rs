//! What is said: the commands of `/okta`, the alert, the notices, the words for errors.
//!
//! **Invariant:** no I/O and no platform. A command has no side effect but through [`desk::Desk`], and says nothing
//! but its return value (and a first draft of it).
//!
//! To add a command: a new file with its `spec`, `run`, words and test, and its two lines below. Registration at
//! Discord, `/okta help`, the role check and the first answer to an interaction all read its [`Spec`].

pub mod access;
pub mod alert;
pub mod announcements;
mod approvals;
pub mod audit;
mod by_hand;
pub mod chat;
mod claim;
mod close;
mod confirmation;
pub mod console;
pub mod desk;
mod diagnose;
mod diagnose_message;
mod enable;
pub mod errors;
mod fixed;
mod help;
pub mod incidents;
pub mod ladder;
mod link;
pub mod link_card;
mod meant;
pub mod memory;
mod more;
mod owner_text;
mod pause;
pub mod policy;
mod reason;
mod reassign;
mod refused;
pub mod request_card;
mod retry;
pub mod retype;
mod review;
mod snooze;
pub mod spec;
mod standing;
mod status;
mod steps;
mod support;
mod tasks;
pub mod text;
pub mod throttle;
mod whoami;

use async_trait::async_trait;
use domain::audit::Draft;

use crate::chat::{Call, Caller, Choice, Dialog, First, Front, Message, Opening};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::policy::Policy;
use crate::spec::{From, OptKind, Spec};

/// One command.
#[async_trait]
pub trait Command: Send + Sync {
    /// What it is.
    fn spec(&self) -> Spec;

    /// Its answer.
    ///
    /// # Errors
    ///
    /// [`CommandError`], which [`errors::words`] turns into what the caller reads.
    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError>;
}

/// Every command, in the order of `/okta help`.
pub const ALL: &[&dyn Command] = &[
    &diagnose::Diagnose,
    &incidents::Incidents,
    &tasks::Tasks,
    &enable::Enable,
    &retry::Retry,
    &reassign::Reassign,
    &fixed::Fixed,
    &claim::Claim,
    &snooze::Snooze,
    &close::Close,
    &approvals::Approvals,
    &review::Review,
    &audit::Audit,
    &status::Status,
    &pause::Pause,
    &pause::Resume,
    &link::Link,
    &link::Unlink,
    &diagnose_message::DiagnoseMessage,
    &whoami::Whoami,
    &help::Help,
    &steps::Confirm,
    &steps::Cancel,
    &steps::Approve,
    &steps::Deny,
    &steps::Withdraw,
    &link::ConfirmLink,
    &link::RejectLink,
    &retry::Tick,
    &retry::Page,
    &retry::Selected,
    &retry::All,
    &ladder::Outcomes,
    &ladder::ByHand,
    &ladder::Whom,
    &reassign::Typed,
    &reassign::Profile,
    &reassign::Erase,
    &claim::TakeOver,
    &more::More,
    &support::Bundle,
    &owner_text::OwnerText,
    &retype::Edited,
];

/// The buttons that ask in a dialog first, with the command that the dialog submits.
const ASKS: &[(&str, &str)] = &[
    ("enable-ask", "enable"),
    ("deny-ask", "deny"),
    ("snooze-ask", "snooze"),
    ("close-ask", "close"),
    ("fixed-ask", "fixed"),
    ("reassign-ask", "reassign"),
    ("typed-ask", "typed"),
    ("edited-ask", retype::VERB),
];

/// The dialog that asks for what a command needs beside a button's arguments.
fn dialog(verb: &str, args: &[String]) -> Option<Dialog> {
    let first = args.first().map_or("", String::as_str);
    Some(match verb {
        "enable" => enable::ask(first),
        "deny" => steps::ask_why(args),
        "snooze" => snooze::ask(first),
        "close" => close::ask(first),
        "pause" => pause::ask(),
        "fixed" => fixed::ask(first),
        "reassign" => reassign::ask(args),
        "typed" => reassign::ask_label(args),
        _ => return None,
    })
}

/// The specs of all commands, and of the buttons that ask in a dialog first.
pub fn specs() -> Vec<Spec> {
    let asks = ASKS.iter().filter_map(|&(ask, asked)| {
        let spec = find(asked)?.spec();
        Some(Spec { name: ask, opening: Opening::Dialog, from: From::ButtonOnly, ..spec })
    });
    ALL.iter().map(|command| command.spec()).chain(asks).collect()
}

/// Whether a caller may use a command. What takes the role for one app only is let in here; the command itself
/// checks it for the app.
pub fn may(policy: &Policy, caller: &Caller, spec: &Spec) -> bool {
    spec.role.is_none_or(|role| policy.access.holds(caller, role) || policy.holds_for_an_app(caller, role))
}

fn find(verb: &str) -> Option<&'static dyn Command> {
    ALL.iter().copied().find(|command| command.spec().name == verb)
}

impl Desk {
    /// Whether a caller may do this, and how it is answered first.
    fn allowed(&self, caller: &Caller, verb: &str, args: &[String]) -> First {
        // A button that asks first: its dialog's submission is the command.
        if let Some(asked) = verb.strip_suffix("-ask") {
            return match (self.allowed(caller, asked, args), dialog(asked, args)) {
                (First::Refuse(refusal), _) => First::Refuse(refusal),
                (_, Some(dialog)) => First::Ask(dialog),
                _ if asked == retype::VERB => retype::open(self, caller, args),
                (open, None) => open,
            };
        }
        let Some(spec) = find(verb).map(Command::spec) else {
            return First::Refuse(Message::text(
                "This button is from another version of Provost and does nothing any more. `/okta help` shows what \
                 you may do.",
            ));
        };
        if may(&self.policy, caller, &spec) {
            return First::Open(spec.opening);
        }
        let Some(role) = spec.role else { return First::Refuse(Message::text("You may not use this.")) };
        let who = match self.policy.access.is_empty() {
            true => "which nobody holds yet: `[roles]` in Provost's configuration is empty".to_owned(),
            false => format!(
                "held by {}; an admin gives it in `[roles]` of Provost's configuration",
                self.policy.access.who(role)
            ),
        };
        First::Refuse(Message::text(format!(
            "You may not use this: it takes the role **{}**, {who}. `/okta whoami` shows your roles.",
            role.word()
        )))
    }
}

#[async_trait]
impl Front for Desk {
    fn first(&self, caller: &Caller, verb: &str, args: &[String]) -> First {
        if let Err(until) = self.throttle.count(caller.id, self.clock.now()) {
            return First::Refuse(Message::text(format!(
                "That is a lot at once; nothing was done. Try again {}.",
                text::ago(until)
            )));
        }
        self.allowed(caller, verb, args)
    }

    fn suggest(&self, caller: &Caller, verb: &str, option: &str, typed: &str) -> Vec<Choice> {
        let Some(spec) = find(verb).map(Command::spec).filter(|spec| may(&self.policy, caller, spec)) else {
            return Vec::new();
        };
        match spec.options.iter().find(|each| each.name == option).map(|option| option.kind) {
            Some(OptKind::App) => self.memory.suggest_apps(typed),
            Some(OptKind::Person) => self.memory.suggest_people(typed),
            Some(OptKind::Incident) => self.memory.suggest_incidents(typed),
            Some(OptKind::Time) => snooze::suggest(typed),
            Some(OptKind::OneOf(_) | OptKind::Text(..) | OptKind::Flag | OptKind::Member) | None => {
                Vec::new()
            }
        }
    }

    async fn run(&self, call: Call) -> Message {
        // Checked again: what was allowed when the interaction was opened is decided here, where it counts.
        let call = match retype::resolve(self, call) {
            Ok(call) => call,
            Err(gone) => return errors::words(&gone, &self.reference()),
        };
        let Some(command) = find(&call.verb) else { return Message::text("There is no such command.") };
        if let First::Refuse(refusal) = self.allowed(&call.caller, &call.verb, &[]) {
            let args: Vec<String> = call.option("request").map(str::to_owned).into_iter().collect();
            self.turned_away(&call.caller, Some(&call.verb), &args).await;
            return refusal;
        }
        match command.run(&call, self).await {
            Ok(message) => message,
            Err(CommandError::Retype(why)) => match dialog(&call.verb, &[]) {
                Some(dialog) => retype::offer(self, &call, why, &dialog),
                None => Message::text(why),
            },
            Err(failure) => errors::words(&failure, &self.reference()),
        }
    }

    async fn turned_away(&self, caller: &Caller, verb: Option<&str>, args: &[String]) {
        // A flood is refused, but not written down: the record is for people to read.
        if self.throttle.count(caller.id, self.clock.now()).is_err() {
            return;
        }
        let spec = verb.and_then(|verb| find(verb.strip_suffix("-ask").unwrap_or(verb))).map(Command::spec);
        let entry = match spec {
            Some(spec) if spec.from == From::ButtonOnly => {
                let about_a_request = spec.options.first().is_some_and(|option| option.name == "request");
                let number = args.first().filter(|_| about_a_request).and_then(|number| number.parse().ok());
                Draft { request: number, ..steps::refusal_entry(caller.id, spec.name, "role") }
            }
            // Whoever types a command that is not for them has tried nothing that could be decided.
            Some(_) => return,
            None => steps::refusal_entry(caller.id, "forged", "a button that is none of ours"),
        };
        if let Err(failure) = self.requests.audit(entry, self.clock.now()).await {
            tracing::error!(
                error = &failure as &dyn std::error::Error,
                "A refusal could not be written down; it was refused all the same"
            );
        }
    }
}
