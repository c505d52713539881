//! Shows every incident in its channel as it is: one message a chapter, edited in place; steps in its thread.
//!
//! The channel is a view of the store. Nothing is queued: after a crash, an outage or a rate limit the next pass shows
//! the newest state, and any number of changes collapse into one edit. Only a first post needs more, since a post
//! whose answer was lost may have been made: the attempt is noted before it is made, its nonce makes a repetition
//! within a minute the same post, and after that the channel's history is searched for it.

mod links;
mod remarks;
mod requests;

use std::collections::BTreeMap;
use std::sync::Arc;

use commands::alert::{Around, alert, footer, replaced, thread_name};
use commands::announcements;
use commands::chat::{Chat, ChatError, Message, Nonce, Place};
use commands::console::Console;
use commands::incidents::{is_of_chapter, of_chapter};
use commands::memory::Memory;
use commands::policy::Policy;
use dashmap::DashMap;
use domain::cause::Rules;
use domain::ids::{ChannelId, GuildId, IncidentNumber, MessageId, OrgName};
use domain::incident::Incident;
use domain::links::{LinkBook, ProposalNumber};
use domain::ports::{Clock, Roster};
use domain::request::{Request, RequestNumber};
use domain::requests::{RequestQuery, Requests};
use domain::store::{Kept, Showing, Store, Unshown, Untold};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tracing::{error, info, instrument, warn};

/// How long a repeated post is trusted to be the same post. Discord says “the past few minutes”, not how many.
const NONCE_LASTS: SignedDuration = SignedDuration::from_secs(60);

/// How long a channel that refuses us is left alone.
const LET_BE: SignedDuration = SignedDuration::from_mins(10);

/// Shows incidents and notices.
pub struct Board {
    /// What is remembered.
    pub store: Arc<dyn Store>,
    /// The chat.
    pub chat: Arc<dyn Chat>,
    /// The cause rules, for their words.
    pub rules: Arc<Rules>,
    /// Requests and the audit.
    pub requests: Arc<dyn Requests>,
    /// What apps are like, for links to their pages.
    pub memory: Arc<Memory>,
    /// Who is asked to approve.
    pub policy: Policy,
    /// The links made by command, and what was proposed.
    pub book: Arc<dyn LinkBook>,
    /// Who has which role now.
    pub roster: Arc<dyn Roster>,
    /// Each org as the board needs it.
    pub orgs: BTreeMap<OrgName, Shown>,
    /// Where requests are shown whose org is not configured any more.
    pub of_no_org: Shown,
    /// Where the audit is shown, if anywhere.
    pub audit_channel: Option<ChannelId>,
    /// Our server.
    pub guild: GuildId,
    /// How long a new incident waits, so that a burst becomes one card.
    pub group_wait: SignedDuration,
    /// A card is edited at most once in this time.
    pub edit_interval: SignedDuration,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Something may have changed.
    pub wake: Arc<Notify>,
    /// Channels and threads that are left alone, and until when.
    pub resting: DashMap<ChannelId, Timestamp>,
    /// What brought no answer, until when it is left alone, and how often in a row.
    pub put_off: DashMap<Item, (Timestamp, u32)>,
}

/// Something to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Item {
    /// An incident.
    Incident(IncidentNumber),
    /// A notice, by its number.
    Notice(i64),
    /// A request.
    Request(RequestNumber),
    /// That a request still waits.
    Reminder(RequestNumber),
    /// That somebody is unassigned and not assigned again.
    HalfDone(RequestNumber),
    /// A link that waits for an admin.
    Proposal(ProposalNumber),
    /// The audit.
    Audit,
}

/// So many things without an answer end a pass: Discord does not answer at all, and everything else would only wait
/// for it, too.
const HANGING: usize = 3;

/// A pass that has gone on for this long leaves the rest to the next one.
const LONG_ENOUGH: SignedDuration = SignedDuration::from_mins(2);

/// How a pass goes.
struct Going {
    began: Timestamp,
    due: Vec<Timestamp>,
    hanging: usize,
}

/// What is added to a post that may have been made before.
const MAY_REPEAT: &str = " (may repeat an earlier message)";

/// Whether something was posted before.
enum Earlier {
    /// It was: this is it.
    Found(MessageId),
    /// It was not.
    None,
    /// The history may not be read.
    Unknown,
}

/// An org, as the board needs it.
pub struct Shown {
    /// Where its alerts go.
    pub channel: ChannelId,
    /// Its Admin Console, if it is known.
    pub console: Option<Console>,
    /// Whether Provost may write to it.
    pub writes: bool,
}

impl Board {
    /// One pass. Answers when the next one is due, if something waits for a time.
    ///
    /// # Errors
    ///
    /// The store's, and Discord's refusal of the bot token. Anything else that Discord says is logged, and tried
    /// again when it is due.
    #[instrument(name = "board", skip_all)]
    pub async fn pass(&self) -> anyhow::Result<Option<Timestamp>> {
        let mut going = Going { began: self.clock.now(), due: Vec::new(), hanging: 0 };
        for unshown in self.store.unshown().await? {
            let Some(org) = self.orgs.get(&unshown.incident.org) else { continue };
            let item = Item::Incident(unshown.incident.number);
            self.take(&mut going, item, self.show(org.channel, &unshown)).await?;
        }
        for untold in self.store.untold().await? {
            let Some(org) = self.orgs.get(&untold.notice.org) else { continue };
            let item = Item::Notice(untold.notice.number);
            self.take(&mut going, item, self.tell(org.channel, &untold)).await?;
        }
        for (request, showing) in self.requests.unshown_requests().await? {
            // What became of a request is told also where its org is not configured any more.
            let org = self.orgs.get(&request.frozen.org).unwrap_or(&self.of_no_org);
            let item = Item::Request(request.number);
            self.take(&mut going, item, self.show_request(org, &request, showing)).await?;
        }
        for request in self.requests.unreminded().await? {
            let Some(org) = self.orgs.get(&request.frozen.org) else { continue };
            self.take(&mut going, Item::Reminder(request.number), self.remind(org, &request)).await?;
        }
        let open = RequestQuery { open: true, ..RequestQuery::default() };
        for request in self.requests.requests(&open).await?.iter().filter(|request| request.is_half_done()) {
            let org = self.orgs.get(&request.frozen.org).unwrap_or(&self.of_no_org);
            self.take(&mut going, Item::HalfDone(request.number), self.shout(org, request)).await?;
        }
        for (proposal, showing) in self.book.unshown_proposals().await? {
            let Some(org) = self.orgs.get(&proposal.org) else { continue };
            let channel = self.audit_channel.unwrap_or(org.channel);
            let item = Item::Proposal(proposal.number);
            self.take(&mut going, item, self.show_proposal(channel, &proposal, showing)).await?;
        }
        if let Some(channel) = self.audit_channel {
            self.take(&mut going, Item::Audit, self.show_audit(channel)).await?;
        }
        Ok(going.due.into_iter().min())
    }

    /// Why it cannot show everything, for those who look after the program.
    pub fn trouble(&self) -> Option<String> {
        let mut channels = self.orgs.values().map(|org| org.channel).chain(self.audit_channel);
        if channels.any(|channel| self.rests(channel).is_some()) {
            return Some("a channel is gone, or the bot may not write there; the log says which".to_owned());
        }
        let hangs = self.put_off.iter().any(|item| item.1 > 1);
        hangs.then(|| "Discord does not answer; the log says what".to_owned())
    }

    /// Shows one thing, unless it is to be left alone or the pass is to end.
    async fn take(
        &self,
        going: &mut Going,
        item: Item,
        show: impl Future<Output = Result<Option<Timestamp>, ShowError>>,
    ) -> anyhow::Result<()> {
        let now = self.clock.now();
        if going.hanging >= HANGING || now.duration_since(going.began) > LONG_ENOUGH {
            going.due.push(now + SignedDuration::from_secs(1));
            return Ok(());
        }
        let (until, times) = self.put_off.get(&item).map_or((now, 0), |put_off| *put_off);
        if now < until {
            going.due.push(until);
            return Ok(());
        }
        let shown = show.await;
        if let Err(ShowError::Chat(ChatError::Unreachable { .. })) = &shown {
            going.hanging += 1;
            let wait = SignedDuration::from_secs(5 << times.min(3));
            self.put_off.insert(item, (self.clock.now() + wait, times + 1));
            going.due.push(self.clock.now() + wait);
        } else {
            self.put_off.remove(&item);
        }
        going.due.extend(self.settle(shown)?);
        Ok(())
    }

    /// What a failure to show something means for the next pass.
    fn settle(&self, shown: Result<Option<Timestamp>, ShowError>) -> anyhow::Result<Option<Timestamp>> {
        let now = self.clock.now();
        match shown {
            Ok(due) => Ok(due),
            Err(ShowError::Store(failure)) => Err(failure.into()),
            Err(ShowError::Chat(failure @ ChatError::Unauthorized)) => Err(failure.into()),
            Err(ShowError::Chat(ChatError::RateLimited { until })) => Ok(Some(until)),
            Err(ShowError::Chat(
                ref failure @ (ChatError::Forbidden { channel, .. }
                | ChatError::NoAccess(channel)
                | ChatError::ChannelGone(channel)),
            )) => {
                let until = now + LET_BE;
                self.resting.insert(channel, until);
                error!(channel.id = %channel, error = failure as &dyn std::error::Error, "Alerts cannot be shown in channel {channel}; trying again at {until}");
                Ok(Some(until))
            }
            Err(ShowError::Chat(
                failure @ (ChatError::Unreachable { .. }
                | ChatError::Rejected { .. }
                | ChatError::TooOld
                | ChatError::MessageGone),
            )) => {
                warn!(
                    error = &failure as &dyn std::error::Error,
                    "Something could not be shown; trying again"
                );
                Ok(Some(now + SignedDuration::from_secs(5)))
            }
        }
    }

    #[instrument(skip_all, fields(incident = %unshown.incident.number))]
    async fn show(&self, channel: ChannelId, unshown: &Unshown) -> Result<Option<Timestamp>, ShowError> {
        let incident = &unshown.incident;
        let now = self.clock.now();
        let due = incident.opened + self.group_wait;
        let live = unshown.showings.iter().find(|showing| showing.chapter == incident.chapter);
        let (mut showing, due) = match live {
            None if now < due => return Ok(Some(due)),
            None if self.rests(channel).is_some() => return Ok(self.rests(channel)),
            None => {
                let told = unshown.showings.iter().map(|older| older.told).max().unwrap_or(0);
                let mut showing = unposted(incident, channel, told, now);
                self.store.note_showing(&showing).await?;
                let due = self.post(incident, &mut showing, "").await?;
                (showing, due)
            }
            Some(showing) => {
                let mut showing = showing.clone();
                if let Some(until) = self.rests(showing.channel).filter(|_| showing.channel == channel) {
                    return Ok(Some(until));
                }
                let shown = match (showing.state, showing.message) {
                    (Kept::Replaced | Kept::LetGo, _) => Ok(None),
                    (Kept::Live, None) => self.post_again(incident, &mut showing).await,
                    (Kept::Live, Some(message)) => self.edit(incident, &mut showing, message).await,
                };
                let due = match shown {
                    // Alerts go to another channel by now: this one moves there.
                    Err(ShowError::Chat(
                        ChatError::Forbidden { .. } | ChatError::NoAccess(_) | ChatError::ChannelGone(_),
                    )) if showing.channel != channel => {
                        showing = unposted(incident, channel, showing.told, now);
                        self.store.note_showing(&showing).await?;
                        Some(now)
                    }
                    shown => shown?,
                };
                (showing, due)
            }
        };
        for older in unshown.showings.iter().filter(|older| older.state == Kept::Replaced) {
            self.point_on(incident, older, &showing).await?;
        }
        let told = match showing.state {
            Kept::Live => self.tell_thread(incident, &mut showing, unshown.lines).await?,
            Kept::Replaced | Kept::LetGo => None,
        };
        Ok(due.into_iter().chain(told).min())
    }

    fn rests(&self, channel: ChannelId) -> Option<Timestamp> {
        let until = *self.resting.get(&channel)?;
        (self.clock.now() < until).then_some(until)
    }

    /// A post whose answer was never noted.
    async fn post_again(
        &self,
        incident: &Incident,
        showing: &mut Showing,
    ) -> Result<Option<Timestamp>, ShowError> {
        if self.clock.now().duration_since(showing.attempted) <= NONCE_LASTS {
            let due = self.post(incident, showing, "").await?;
            // It may be the first message that came back, which shows what was then: it is edited to the newest next.
            if showing.message.is_some() {
                showing.revision = 0;
                self.store.note_showing(showing).await?;
            }
            return Ok(due);
        }
        let footer = footer(incident, showing.chapter);
        match self.earlier(showing.channel, showing.attempted, &footer).await? {
            Earlier::Found(found) => {
                info!(message.id = %found, "Found the alert of {} that was posted before", incident.number);
                // Whatever revision it shows, it is edited to the newest next.
                self.note_posted(showing, found, 0).await
            }
            Earlier::None => self.post(incident, showing, "").await,
            Earlier::Unknown => self.post(incident, showing, MAY_REPEAT).await,
        }
    }

    /// Looks for a post whose answer was never noted. Where the history may not be read, nobody knows: then it is
    /// posted rather than lost, and says so.
    async fn earlier(&self, channel: ChannelId, from: Timestamp, footer: &str) -> Result<Earlier, ShowError> {
        match self.chat.find(channel, from, footer).await {
            Ok(Some(found)) => Ok(Earlier::Found(found)),
            Ok(None) => Ok(Earlier::None),
            Err(ChatError::Forbidden { .. }) => Ok(Earlier::Unknown),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn post(
        &self,
        incident: &Incident,
        showing: &mut Showing,
        tail: &str,
    ) -> Result<Option<Timestamp>, ShowError> {
        let mut message = self.alert(incident).await?;
        message.content.push_str(tail);
        let nonce = nonce(&[
            "alert",
            incident.org.as_str(),
            &incident.number.to_string(),
            &incident.opened.as_millisecond().to_string(),
            &showing.chapter.to_string(),
            &showing.channel.to_string(),
        ]);
        let mut posted = self.chat.post(showing.channel, &message, &nonce).await;
        if let Err(failure @ ChatError::Rejected { .. }) = &posted {
            // A plain alert is worth more than none.
            error!(
                error = failure as &dyn std::error::Error,
                "Discord refuses the card of {}", incident.number
            );
            let plain = Message { pings: message.pings.clone(), ..Message::text(message.content.clone()) };
            posted = self.chat.post(showing.channel, &plain, &nonce).await;
        }
        match posted {
            Ok(id) => {
                info!(message.id = %id, "Posted the alert of {}", incident.number);
                self.note_posted(showing, id, incident.revision).await
            }
            Err(ChatError::MessageGone) => self.let_go(showing).await,
            Err(failure) => Err(failure.into()),
        }
    }

    async fn note_posted(
        &self,
        showing: &mut Showing,
        message: MessageId,
        revision: i64,
    ) -> Result<Option<Timestamp>, ShowError> {
        let now = self.clock.now();
        (showing.message, showing.shown_at, showing.revision) = (Some(message), Some(now), revision);
        self.store.note_showing(showing).await?;
        // Lines, older chapters and anything newer are seen to by the next pass.
        Ok(Some(now))
    }

    async fn edit(
        &self,
        incident: &Incident,
        showing: &mut Showing,
        message: MessageId,
    ) -> Result<Option<Timestamp>, ShowError> {
        if showing.revision >= incident.revision {
            return Ok(None);
        }
        let now = self.clock.now();
        let due = showing.shown_at.map_or(now, |at| at + self.edit_interval);
        if now < due {
            return Ok(Some(due));
        }
        let mut card = self.alert(incident).await?;
        card.pings.clear();
        let place = Place { channel: showing.channel, message };
        match self.chat.edit(place, &card).await {
            Ok(()) => {
                (showing.shown_at, showing.revision) = (Some(now), incident.revision);
                self.store.note_showing(showing).await?;
                Ok(None)
            }
            Err(ChatError::MessageGone) => self.let_go(showing).await,
            Err(ChatError::TooOld) => {
                // An edit of a message that old is refused: it is posted anew, at the bottom of the channel.
                (showing.attempted, showing.message, showing.thread) = (now, None, None);
                self.store.note_showing(showing).await?;
                Ok(Some(now))
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// A person deleted the message: their wish counts, and the incident goes on without it.
    async fn let_go(&self, showing: &mut Showing) -> Result<Option<Timestamp>, ShowError> {
        info!("The alert of {} was deleted; it is not posted again", showing.incident);
        showing.state = Kept::LetGo;
        self.store.note_showing(showing).await?;
        Ok(None)
    }

    /// Lets an older chapter's message point to the newer one, once that stands.
    async fn point_on(&self, incident: &Incident, older: &Showing, newer: &Showing) -> Result<(), ShowError> {
        let mut older = older.clone();
        if older.message.is_none() {
            // Its post may have been made, though no answer came.
            let footer = footer(incident, older.chapter);
            older.message = match self.chat.find(older.channel, older.attempted, &footer).await {
                Err(ChatError::Forbidden { .. } | ChatError::NoAccess(_) | ChatError::ChannelGone(_)) => None,
                found => found?,
            };
        }
        if let (Some(message), Some(newer_message)) = (older.message, newer.message) {
            let address =
                format!("https://discord.com/channels/{}/{}/{newer_message}", self.guild, newer.channel);
            let place = Place { channel: older.channel, message };
            match self.chat.edit(place, &replaced(incident, older.chapter, &address)).await {
                Ok(())
                | Err(
                    ChatError::MessageGone
                    | ChatError::TooOld
                    | ChatError::NoAccess(_)
                    | ChatError::ChannelGone(_)
                    | ChatError::Forbidden { .. },
                ) => {}
                Err(failure) => return Err(failure.into()),
            }
        } else if older.message.is_some() && newer.state == Kept::Live {
            return Ok(());
        }
        older.state = Kept::LetGo;
        self.store.note_showing(&older).await?;
        Ok(())
    }

    /// Tells an alert's thread what is new. A thread that refuses us rests by itself: no alert waits for it.
    async fn tell_thread(
        &self,
        incident: &Incident,
        showing: &mut Showing,
        lines: i64,
    ) -> Result<Option<Timestamp>, ShowError> {
        let Some(message) = showing.message.filter(|_| lines > showing.told) else { return Ok(None) };
        // Source: Discord, "Start Thread from Message": the thread has the message's id.
        let thread = ChannelId(message.0);
        if let Some(until) = self.rests(thread) {
            return Ok(Some(until));
        }
        match self.tell_lines(incident, showing, message, lines).await {
            Ok(()) => Ok(None),
            Err(ShowError::Chat(
                failure @ (ChatError::Forbidden { .. } | ChatError::NoAccess(_) | ChatError::ChannelGone(_)),
            )) => {
                let until = self.clock.now() + LET_BE;
                self.resting.insert(thread, until);
                warn!(
                    channel.id = %showing.channel,
                    error = &failure as &dyn std::error::Error,
                    "The steps of {} cannot be told in its thread; trying again at {until}",
                    incident.number
                );
                Ok(Some(until))
            }
            Err(failure) => Err(failure),
        }
    }

    async fn tell_lines(
        &self,
        incident: &Incident,
        showing: &mut Showing,
        message: MessageId,
        lines: i64,
    ) -> Result<(), ShowError> {
        let place = Place { channel: showing.channel, message };
        let thread = match showing.thread {
            Some(thread) => thread,
            None => match self.chat.thread(place, &thread_name(incident)).await {
                Ok(thread) => thread,
                Err(ChatError::MessageGone) => {
                    self.let_go(showing).await?;
                    return Ok(());
                }
                Err(failure) => return Err(failure.into()),
            },
        };
        // What a crash left half-told is looked for, and told again in the same words if it is not there.
        let half_told = showing.telling > showing.told;
        if !half_told {
            showing.telling = lines;
        }
        showing.thread = Some(thread);
        self.store.note_showing(showing).await?;
        let (from, upto) = (showing.told, showing.telling);
        let mut said = self.store.lines(incident.number, from).await?;
        said.truncate(usize::try_from(upto - from).unwrap_or(0));
        let number = incident.number.to_string();
        let nonce = nonce(&["lines", incident.org.as_str(), &number, &from.to_string(), &upto.to_string()]);
        let footer = announcements::thread_footer(incident, from, upto);
        let mut message = announcements::thread(&said, &footer);
        let found = match half_told {
            true => self.chat.find(thread, showing.attempted, &footer).await,
            false => Ok(None),
        };
        match found {
            Ok(Some(_)) => {}
            Ok(None) => self.say(thread, &message, &nonce).await?,
            Err(ChatError::Forbidden { .. }) => {
                message.content.push_str(" (may repeat earlier lines)");
                self.say(thread, &message, &nonce).await?;
            }
            Err(failure) => return Err(failure.into()),
        }
        showing.told = upto;
        self.store.note_showing(showing).await?;
        Ok(())
    }

    /// Says lines in a thread, unless a person deleted them or the whole thread: their wish counts.
    async fn say(&self, thread: ChannelId, message: &Message, nonce: &Nonce) -> Result<(), ShowError> {
        match self.chat.post(thread, message, nonce).await {
            Ok(_) | Err(ChatError::MessageGone) => Ok(()),
            Err(ChatError::ChannelGone(_)) => {
                info!(thread.id = %thread, "A thread was deleted; its steps are not told any more");
                Ok(())
            }
            Err(failure) => Err(failure.into()),
        }
    }

    async fn tell(&self, channel: ChannelId, untold: &Untold) -> Result<Option<Timestamp>, ShowError> {
        if let Some(until) = self.rests(channel) {
            return Ok(Some(until));
        }
        let notice = &untold.notice;
        let now = self.clock.now();
        let mut message = announcements::notice(notice);
        if let Some(attempted) = untold.attempted.filter(|at| now.duration_since(*at) > NONCE_LASTS) {
            match self.earlier(channel, attempted, &announcements::notice_footer(notice)).await? {
                Earlier::Found(found) => {
                    self.store.note_told(notice.number, found).await?;
                    return Ok(None);
                }
                Earlier::None => {}
                Earlier::Unknown => message.content.push_str(MAY_REPEAT),
            }
        }
        self.store.note_telling(notice.number, now).await?;
        let (number, at) = (notice.number.to_string(), notice.at.as_millisecond().to_string());
        let nonce = nonce(&["notice", notice.org.as_str(), &number, &at]);
        let id = match self.chat.post(channel, &message, &nonce).await {
            Ok(id) => id,
            Err(ChatError::MessageGone) => MessageId(0),
            Err(failure) => return Err(failure.into()),
        };
        self.store.note_told(notice.number, id).await?;
        Ok(None)
    }

    async fn alert(&self, incident: &Incident) -> Result<Message, ShowError> {
        let org = self.orgs.get(&incident.org);
        let requests = self.requests.requests(&of_chapter(incident)).await?;
        let requests: Vec<Request> =
            requests.into_iter().filter(|request| is_of_chapter(request, incident)).collect();
        Ok(alert(
            incident,
            &Around {
                rules: &self.rules,
                oncall: self.policy.oncall,
                writes: org.is_some_and(|org| org.writes),
                requests: &requests,
            },
        ))
    }
}

fn unposted(incident: &Incident, channel: ChannelId, told: i64, now: Timestamp) -> Showing {
    Showing {
        incident: incident.number,
        chapter: incident.chapter,
        channel,
        attempted: now,
        message: None,
        shown_at: None,
        revision: 0,
        thread: None,
        told,
        telling: told,
        state: Kept::Live,
    }
}

/// Why something could not be shown.
#[derive(Debug, thiserror::Error)]
enum ShowError {
    #[error(transparent)]
    Chat(#[from] ChatError),
    #[error(transparent)]
    Store(#[from] domain::store::StoreError),
}

/// 25 characters that stand for what is posted, the same after a restart.
fn nonce(parts: &[&str]) -> Nonce {
    let digest = ring::digest::digest(&ring::digest::SHA256, parts.join("\u{1f}").as_bytes());
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Nonce(hex[..25].to_owned())
}
