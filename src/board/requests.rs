//! Shows requests, each as a card that is edited in place, and the audit, line by line in its own channel.

use commands::audit::line;
use commands::chat::{ChatError, Message, Place};
use commands::ladder::{self, Ladder};
use commands::request_card::{Around, Seen, card, footer};
use domain::ids::ChannelId;
use domain::incident::Incident;
use domain::request::{Action, Request, Stage};
use domain::requests::{AuditQuery, AuditShown, Remark, RemarkShowing, RequestQuery, RequestShowing};
use domain::store::{Query, StoreError, Which};
use jiff::Timestamp;
use tracing::info;

use super::{Board, Earlier, MAY_REPEAT, NONCE_LASTS, ShowError, Shown, nonce};

/// How many entries of the audit one message shows.
const ENTRIES: usize = 8;

impl Board {
    pub(super) async fn show_request(
        &self,
        org: &Shown,
        request: &Request,
        showing: Option<RequestShowing>,
    ) -> Result<Option<Timestamp>, ShowError> {
        let channel = showing.as_ref().map_or(org.channel, |showing| showing.channel);
        if let Some(until) = self.rests(channel).filter(|_| channel == org.channel) {
            return Ok(Some(until));
        }
        let now = self.clock.now();
        let known = self.memory.app(&request.frozen.org, &request.frozen.app.id);
        let paused = self.requests.paused().await?.is_some();
        let around = Around {
            console: org.console.as_ref(),
            policy: &self.policy,
            kind: known.as_ref().map_or("", |facts| facts.kind.as_str()),
            paused,
        };
        let mut message = card(request, &around, &self.seen(request).await?);
        let ladder = self.ladder(org, request).await?;
        ladder::climb(&mut message, request, &ladder);
        if let (true, Some(card)) = (ladder::names_people(request), &mut message.card) {
            let incidents = self.incidents_of(request).await?;
            card.fields.extend(ladder::left(request, &incidents));
            if let Some(whom) = ladder::whom(request, &incidents) {
                card.fields.insert(0, whom);
            }
        }
        let Some(mut showing) = showing else {
            let showing = RequestShowing {
                request: request.number,
                channel: org.channel,
                attempted: now,
                message: None,
                shown_at: None,
                revision: 0,
                let_go: false,
            };
            self.requests.note_request_showing(&showing).await?;
            return self.post_request(request, showing, &message, request.revision).await;
        };
        if showing.let_go {
            return self.tell_without_card(request, showing, paused, &ladder).await;
        }
        let Some(at) = showing.message else {
            if showing.revision > 0 {
                // It is posted anew, and has rung before.
                message.pings.clear();
            }
            if now.duration_since(showing.attempted) > NONCE_LASTS {
                match self.earlier(showing.channel, showing.attempted, &footer(request)).await? {
                    Earlier::Found(found) => {
                        (showing.message, showing.shown_at) = (Some(found), Some(now));
                        self.requests.note_request_showing(&showing).await?;
                        return Ok(Some(now));
                    }
                    Earlier::None => {}
                    Earlier::Unknown => message.content.push_str(MAY_REPEAT),
                }
            }
            // It may be the first message that comes back, which shows what was then: it is edited to the newest next.
            return self.post_request(request, showing, &message, 0).await;
        };
        let due = showing.shown_at.map_or(now, |at| at + self.edit_interval);
        if now < due {
            return Ok(Some(due));
        }
        message.pings.clear();
        match self.chat.edit(Place { channel: showing.channel, message: at }, &message).await {
            Ok(()) => (showing.shown_at, showing.revision) = (Some(now), request.revision),
            Err(ChatError::MessageGone) => showing.let_go = true,
            Err(ChatError::TooOld) => {
                // An edit of a message that old is refused: it is posted anew, at the bottom of the channel.
                (showing.attempted, showing.message, showing.shown_at) = (now, None, None);
                self.requests.note_request_showing(&showing).await?;
                return Ok(Some(now));
            }
            // Cards go to another channel by now: this one moves there.
            Err(ChatError::Forbidden { .. } | ChatError::NoAccess(_) | ChatError::ChannelGone(_))
                if channel != org.channel =>
            {
                (showing.channel, showing.attempted, showing.message) = (org.channel, now, None);
                self.requests.note_request_showing(&showing).await?;
                return Ok(Some(now));
            }
            Err(failure) => return Err(failure.into()),
        }
        // Told first: what a crash leaves untold is told again, and the nonce makes it the same message.
        self.say_once(request, showing.channel, paused, &ladder).await?;
        self.requests.note_request_showing(&showing).await?;
        Ok(None)
    }

    /// Its card was deleted, which somebody wanted; what is said once about it is said all the same.
    async fn tell_without_card(
        &self,
        request: &Request,
        mut showing: RequestShowing,
        paused: bool,
        ladder: &Ladder,
    ) -> Result<Option<Timestamp>, ShowError> {
        self.say_once(request, showing.channel, paused, ladder).await?;
        showing.revision = request.revision;
        self.requests.note_request_showing(&showing).await?;
        Ok(None)
    }

    /// What is said once in a message of its own: that it was decided, and how it ended.
    async fn say_once(
        &self,
        request: &Request,
        channel: ChannelId,
        paused: bool,
        ladder: &Ladder,
    ) -> Result<(), ShowError> {
        if let Some(decision) = commands::announcements::decision(request, paused) {
            self.remark(request, channel, Remark::Decision, decision).await?;
        }
        let ended = self.how_it_ended(request).await?;
        let settled = ended == Remark::Settled;
        if let Some(mut outcome) = commands::announcements::outcome(request, settled, self.policy.oncall) {
            outcome.rows = ladder::rows(request, ladder);
            self.remark(request, channel, ended, outcome).await?;
        }
        Ok(())
    }

    /// What the card shows that is not the request's own.
    async fn seen(&self, request: &Request) -> Result<Seen, ShowError> {
        // Where it cannot be told, the card asks for somebody on call; the approval itself is decided afresh.
        let widened = request.stage == Stage::Pending
            && self.policy.is_widened(&*self.roster, request.frozen.requester).await.unwrap_or(false);
        let review = match request.frozen.breakglass {
            true => self.requests.review(request.number).await?,
            false => None,
        };
        Ok(Seen { widened, review })
    }

    /// Its outcome; or, where that was said to be unclear and is not any more, what became of it.
    async fn how_it_ended(&self, request: &Request) -> Result<Remark, StoreError> {
        let known = request.stage.is_over() && !matches!(request.stage, Stage::Unclear { .. });
        if !request.comes_to_be_known() || !known {
            return Ok(Remark::Outcome);
        }
        let query = AuditQuery { request: Some(request.number), ..AuditQuery::default() };
        let entries = self.requests.entries(&query).await?;
        let was_unclear = entries.iter().any(|entry| entry.draft.what == "write.unclear");
        Ok(if was_unclear { Remark::Settled } else { Remark::Outcome })
    }

    async fn incidents_of(&self, request: &Request) -> Result<Vec<Incident>, StoreError> {
        let (org, app) = (request.frozen.org.clone(), request.frozen.app.id.clone());
        self.store.incidents(&Query { org: Some(org), app: Some(app), which: Which::All, limit: 0 }).await
    }

    /// What the buttons of a request's card hang on. Only an ended request has any that need looking up.
    async fn ladder(&self, org: &Shown, request: &Request) -> Result<Ladder, StoreError> {
        let mut ladder = Ladder::default();
        if ladder::is_not_enough(request) {
            let query = RequestQuery {
                org: Some(request.frozen.org.clone()),
                app: Some(request.frozen.app.id.clone()),
                limit: ladder::REMEMBERED,
                ..RequestQuery::default()
            };
            ladder.worked = ladder::worked(&self.requests.requests(&query).await?);
            ladder.reassigns =
                org.writes && ladder::is_any_by_name(request, &self.incidents_of(request).await?);
        }
        if request.frozen.action == Action::Reassign && request.stage.is_over() {
            ladder.keeps_profile = self.requests.kept_profile(request.number).await?.is_some();
        }
        Ok(ladder)
    }

    async fn post_request(
        &self,
        request: &Request,
        mut showing: RequestShowing,
        message: &Message,
        revision: i64,
    ) -> Result<Option<Timestamp>, ShowError> {
        let (number, channel) = (request.number.to_string(), showing.channel.to_string());
        let nonce = nonce(&["request", request.frozen.org.as_str(), &number, &request.hash.0, &channel]);
        match self.chat.post(showing.channel, message, &nonce).await {
            Ok(id) => {
                info!(message.id = %id, "Posted the card of {}", request.number);
                (showing.message, showing.revision) = (Some(id), revision);
                showing.shown_at = Some(self.clock.now());
            }
            Err(ChatError::MessageGone) => showing.let_go = true,
            Err(failure) => return Err(failure.into()),
        }
        if request.stage.is_over() && revision > 0 {
            // The card itself has pinged for the outcome.
            let told = RemarkShowing {
                request: request.number,
                remark: self.how_it_ended(request).await?,
                attempted: showing.attempted,
                message: showing.message,
            };
            self.requests.note_remark(&told).await?;
        }
        self.requests.note_request_showing(&showing).await?;
        Ok((revision == 0).then(|| self.clock.now()))
    }

    /// Shows the audit's new entries. Each line carries number and hash, so that a cut tail can be found later. Which
    /// entries a message holds is noted before it is posted: whatever is cut off, the same message is made again.
    pub(super) async fn show_audit(&self, channel: ChannelId) -> Result<Option<Timestamp>, ShowError> {
        if let Some(until) = self.rests(channel) {
            return Ok(Some(until));
        }
        let now = self.clock.now();
        let AuditShown { shown, telling, attempted } = self.requests.audit_shown().await?;
        let half_told = telling > shown;
        let mut entries = self.requests.chain(shown + 1).await?;
        entries.truncate(ENTRIES);
        if half_told {
            entries.retain(|entry| entry.number <= telling);
        }
        let Some(last) = entries.last().map(|entry| entry.number) else { return Ok(None) };
        if !half_told {
            self.requests.note_audit_telling(last, now).await?;
        }
        let lines: Vec<String> = entries.iter().map(line).collect();
        let mut message = Message::text(commands::text::fit(lines.join("\n"), 2_000));
        let earlier = match attempted.filter(|at| half_told && now.duration_since(*at) > NONCE_LASTS) {
            Some(attempted) => self.earlier(channel, attempted, &message.content).await?,
            None => Earlier::None,
        };
        if !matches!(earlier, Earlier::Found(_)) {
            if matches!(earlier, Earlier::Unknown) {
                message.content.push_str(MAY_REPEAT);
            }
            let nonce = nonce(&["audit", &(shown + 1).to_string(), &last.to_string(), &entries[0].hash]);
            match self.chat.post(channel, &message, &nonce).await {
                Ok(_) | Err(ChatError::MessageGone) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        self.requests.note_audit_shown(last).await?;
        let more = self.requests.entries(&AuditQuery { limit: 1, ..AuditQuery::default() }).await?;
        Ok(more.first().is_some_and(|newest| newest.number > last).then(|| self.clock.now()))
    }
}
