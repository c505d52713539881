//! Interactions: answered first, then read and run, each in a task of its own that cannot take the program down.
//!
//! What counts is the first answer, for which Discord waits three seconds: it needs only who calls for what, and
//! [`Front::first`], which decides from memory. Nothing else is done before it.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use commands::chat::{Call, Dialog, Draft, First, Front, Message, Opening};
use commands::spec::Spec;
use dashmap::DashMap;
use domain::ids::GuildId;
use futures_util::FutureExt;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, debug, error, info_span, warn};

use super::outbound;
use super::payload::{self, AUTOCOMPLETE, Foreign, Knock};
use super::replies::{Address, Unshown};
use super::rest::Rest;

/// Discord may deliver an interaction again for as long as its token lives: fifteen minutes.
const REMEMBERED: Duration = Duration::from_secs(20 * 60);
/// How often the remembered ones are looked through.
const SWEEP_EVERY: u64 = 256;
/// At the end, commands under way may finish for so long.
const LAST_WORDS: Duration = Duration::from_secs(8);

const UNREADABLE: &str = "I could not read what Discord sent for this, so nothing was done. Type the command \
     instead, for example `/okta help`; if that fails too, Provost is older than what Discord sends, and needs an update.";
const ELSEWHERE: &str = "Provost works in the server it was set up for, and in no other and not in direct messages. Nothing was done.";
const NOBODY: &str = "Discord did not say which member of the server did this, so nothing was done. Commands are for people only.";
const UNKNOWN: &str = "This button is not one of ours, or of a version that is gone. Nothing was done. Type the \
     command instead: `/okta help` lists what you may use.";
const NO_DIALOG: &str = "Something is wrong inside Provost: the form for this could not be opened. Nothing was done. \
     Type the command instead: `/okta help` lists what you may use.";
const PANICKED: &str = "Something went wrong inside Provost, and this was not finished. What was already stored is \
     kept; look at the incident's card before you try again. Reference: ";

/// The inbound side of one server.
pub struct Inbound {
    rest: Arc<Rest>,
    front: Arc<dyn Front>,
    guild: GuildId,
    specs: Vec<Spec>,
    seen: DashMap<u64, Instant>,
    since_sweep: AtomicU64,
}

impl Inbound {
    /// Answers the interactions of one server with the commands behind `front`.
    pub fn new(rest: Arc<Rest>, front: Arc<dyn Front>, guild: GuildId, specs: &[Spec]) -> Self {
        let (specs, since_sweep) = (specs.to_vec(), AtomicU64::new(0));
        Self { rest, front, guild, specs, seen: DashMap::new(), since_sweep }
    }

    /// Answers what comes, until `stop`; then what is under way may finish within eight seconds.
    pub async fn serve(
        self: Arc<Self>,
        mut interactions: mpsc::Receiver<Box<RawValue>>,
        stop: CancellationToken,
    ) {
        let tasks = TaskTracker::new();
        loop {
            let raw = tokio::select! {
                () = stop.cancelled() => break,
                raw = interactions.recv() => raw,
            };
            let Some(raw) = raw else { break };
            let inbound = Arc::clone(&self);
            tasks.spawn(async move { inbound.answer(&raw).await });
        }
        tasks.close();
        if timeout(LAST_WORDS, tasks.wait()).await.is_err() {
            warn!("{} commands were still under way at the end", tasks.len());
        }
    }

    /// Answers one interaction. Never fails and never panics: what went wrong is told to the caller.
    pub async fn answer(&self, raw: &RawValue) {
        let Some((to, kind)) = payload::address(raw) else {
            error!("An interaction has no id or no token; it cannot be answered");
            return;
        };
        if !self.is_new(to.interaction) {
            debug!(interaction.id = to.interaction, "Discord delivered an interaction again");
            return;
        }
        let span = info_span!("interaction", interaction.id = to.interaction, verb = tracing::field::Empty);
        let opened = OnceLock::new();
        let answer = AssertUnwindSafe(self.handle(&to, kind, raw, &opened)).catch_unwind();
        async {
            let shown = match answer.await {
                Ok(shown) => shown,
                Err(panic) => self.apologise(&to, kind, &opened, &text_of(&*panic)).await,
            };
            match shown {
                Ok(()) => {}
                Err(Unshown::Over) => debug!("The interaction is over; its answer is seen by nobody"),
                Err(Unshown::Failed(why)) => warn!("An interaction could not be answered: {why}"),
            }
        }
        .instrument(span)
        .await;
    }

    async fn handle(
        &self,
        to: &Address,
        kind: u8,
        raw: &RawValue,
        opened: &OnceLock<Opening>,
    ) -> Result<(), Unshown> {
        let knock = match payload::knock(raw, kind, self.guild, &self.specs) {
            Ok(knock) => knock,
            Err(_) if kind == AUTOCOMPLETE => return self.rest.suggest(to, &[]).await,
            Err(foreign) => {
                let told = self.rest.refuse(to, &Message::text(words(&foreign))).await;
                if let Foreign::Forged(caller) = &foreign {
                    self.front.turned_away(caller, None, &[]).await;
                }
                return told;
            }
        };
        if kind == AUTOCOMPLETE {
            let choices = knock
                .typed()
                .map(|(option, typed)| self.front.suggest(&knock.caller, &knock.verb, &option, &typed));
            return self.rest.suggest(to, &choices.unwrap_or_default()).await;
        }
        let opening = match self.front.first(&knock.caller, &knock.verb, &knock.args) {
            First::Refuse(message) => {
                let told = self.rest.refuse(to, &message).await;
                self.front.turned_away(&knock.caller, Some(&knock.verb), &knock.args).await;
                return told;
            }
            First::Ask(dialog) => return self.ask(to, &knock, &dialog).await,
            First::Open(Opening::Dialog) => {
                error!(verb = knock.verb, "A command opens with a dialog and has none");
                return self.rest.refuse(to, &Message::text(NO_DIALOG)).await;
            }
            // Where there is no message to change, Discord would refuse to change it.
            First::Open(Opening::Update) if !knock.on_a_message => Opening::Private,
            First::Open(opening) => opening,
        };
        // Without this answer the caller reads “interaction failed”, and another process may be answering instead;
        // so nothing is run.
        self.rest.open(to, opening).await?;
        let _ = opened.set(opening);
        tracing::Span::current().record("verb", &knock.verb);
        self.run(to, opening, knock).await
    }

    /// Opens a dialog; nothing is run until it is submitted.
    async fn ask(&self, to: &Address, knock: &Knock<'_>, dialog: &Dialog) -> Result<(), Unshown> {
        tracing::Span::current().record("verb", &knock.verb);
        if knock.is_a_submission() {
            error!(verb = knock.verb, "A dialog was to answer a dialog, which Discord does not allow");
        } else if let Some(modal) = outbound::dialog(dialog) {
            return self.rest.ask_in_dialog(to, modal).await;
        } else {
            error!(verb = knock.verb, "A dialog has no usable id or no usable input");
        }
        self.rest.refuse(to, &Message::text(NO_DIALOG)).await
    }

    /// Runs the command and shows its answer. A draft under way is finished before the answer is sent, so that it
    /// never overtakes it; drafts that were not yet sent then are dropped.
    async fn run(&self, to: &Address, opening: Opening, knock: Knock<'_>) -> Result<(), Unshown> {
        let (drafts, mut drafted) = watch::channel(None::<Message>);
        let draft: Draft = Arc::new(move |message| {
            drafts.send_replace(Some(message));
        });
        let call: Call = match knock.call(draft) {
            Ok(call) => call,
            Err(foreign) => return self.say(to, opening, &Message::text(words(&foreign))).await,
        };
        let done = CancellationToken::new();
        let running = async {
            let answer = AssertUnwindSafe(self.front.run(call)).catch_unwind().await;
            done.cancel();
            answer
        };
        let drafting = async {
            loop {
                tokio::select! {
                    biased;
                    () = done.cancelled() => return,
                    changed = drafted.changed() => if changed.is_err() { return },
                }
                let Some(message) = drafted.borrow_and_update().clone() else { continue };
                if let Err(Unshown::Failed(why)) = self.rest.replace(to, &message).await {
                    debug!("A draft could not be shown: {why}");
                }
            }
        };
        match tokio::join!(running, drafting).0 {
            Ok(answer) => self.rest.replace(to, &answer).await,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// Says something that is not the command's answer: where a card would be replaced by it, beside the card.
    async fn say(&self, to: &Address, opening: Opening, message: &Message) -> Result<(), Unshown> {
        match opening {
            // No dialog is ever an opening here, and a message beside it is seen in any case.
            Opening::Update | Opening::Dialog => self.rest.follow_up(to, message).await,
            Opening::Private => self.rest.replace(to, message).await,
        }
    }

    async fn apologise(
        &self,
        to: &Address,
        kind: u8,
        opened: &OnceLock<Opening>,
        panic: &str,
    ) -> Result<(), Unshown> {
        error!(panic = to.token.scrub(panic), "A command panicked; the program goes on");
        let sorry = Message::text(format!("{PANICKED}{}", to.interaction));
        match opened.get() {
            Some(opening) => self.say(to, *opening, &sorry).await,
            None if kind == AUTOCOMPLETE => self.rest.suggest(to, &[]).await,
            None => self.rest.refuse(to, &sorry).await,
        }
    }

    fn is_new(&self, interaction: u64) -> bool {
        if self.since_sweep.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.seen.retain(|_, at| at.elapsed() < REMEMBERED);
        }
        self.seen.insert(interaction, Instant::now()).is_none()
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}

fn words(foreign: &Foreign) -> &'static str {
    match foreign {
        Foreign::Unreadable => UNREADABLE,
        Foreign::Elsewhere => ELSEWHERE,
        Foreign::Nobody => NOBODY,
        Foreign::Unknown | Foreign::Forged(_) => UNKNOWN,
    }
}
