//! What is said once about a request, in a message of its own: an edit of its card pings nobody.

use commands::announcements::{half_done, remark_footer, reminder};
use commands::chat::{ChatError, Message};
use domain::ids::{ChannelId, MessageId};
use domain::request::{Request, Stage};
use domain::requests::{Remark, RemarkShowing};
use jiff::{SignedDuration, Timestamp};

use super::{Board, Earlier, MAY_REPEAT, NONCE_LASTS, ShowError, Shown, nonce};

/// What is half done for no longer than this is about to be done, and pings nobody.
const SOON: SignedDuration = SignedDuration::from_secs(60);

impl Board {
    /// Says something about a request, unless it was said. The attempt is noted before it is made; what a crash leaves in
    /// between is the same post by its nonce for a minute, and is looked for after that.
    pub(super) async fn remark(
        &self,
        request: &Request,
        channel: ChannelId,
        remark: Remark,
        mut message: Message,
    ) -> Result<(), ShowError> {
        let now = self.clock.now();
        let known = self.requests.remark(request.number, remark).await?;
        let attempted = known.as_ref().map(|known| known.attempted);
        if known.is_some_and(|known| known.message.is_some()) {
            return Ok(());
        }
        let mut showing = RemarkShowing {
            request: request.number,
            remark,
            attempted: attempted.unwrap_or(now),
            message: None,
        };
        let footer = remark_footer(request, remark);
        match attempted {
            None => self.requests.note_remark(&showing).await?,
            Some(attempted) if now.duration_since(attempted) > NONCE_LASTS => {
                match self.earlier(channel, attempted, &footer).await? {
                    Earlier::Found(found) => {
                        showing.message = Some(found);
                        return Ok(self.requests.note_remark(&showing).await?);
                    }
                    Earlier::None => {}
                    Earlier::Unknown => message.content.push_str(MAY_REPEAT),
                }
            }
            Some(_) => {}
        }
        message.content.push_str(&format!("\n-# {footer}"));
        let number = request.number.to_string();
        let nonce = nonce(&[remark.word(), request.frozen.org.as_str(), &number, &request.hash.0]);
        let posted = match self.chat.post(channel, &message, &nonce).await {
            Ok(id) => id,
            // A person deleted it: it was said.
            Err(ChatError::MessageGone) => MessageId(0),
            Err(failure) => return Err(failure.into()),
        };
        showing.message = Some(posted);
        Ok(self.requests.note_remark(&showing).await?)
    }

    /// Shouts about somebody who is unassigned and not assigned again, when that lasts.
    pub(super) async fn shout(&self, org: &Shown, request: &Request) -> Result<Option<Timestamp>, ShowError> {
        let Stage::Executing { since } = request.stage else { return Ok(None) };
        let due = since + SOON;
        if self.clock.now() < due {
            return Ok(Some(due));
        }
        if let Some(until) = self.rests(org.channel) {
            return Ok(Some(until));
        }
        let paused = self.requests.paused().await?.is_some();
        let message = half_done(request, paused, self.policy.oncall);
        self.remark(request, org.channel, Remark::HalfDone, message).await?;
        Ok(None)
    }

    /// Asks the people on call once more, when half of a request's time is over and nobody has decided.
    pub(super) async fn remind(
        &self,
        org: &Shown,
        request: &Request,
    ) -> Result<Option<Timestamp>, ShowError> {
        let Some(oncall) = self.policy.oncall else { return Ok(None) };
        let now = self.clock.now();
        let half = request.deadline - request.frozen.gate.expires / 2;
        if now < half {
            return Ok(Some(half));
        }
        if now >= request.deadline {
            return Ok(None);
        }
        if let Some(until) = self.rests(org.channel) {
            return Ok(Some(until));
        }
        let showing = self.requests.request_showing(request.number).await?;
        // Before its card stands there is nothing to remind of; the card pings by itself.
        let Some(showing) = showing.filter(|showing| showing.message.is_some() || showing.let_go) else {
            return Ok(None);
        };
        // Where alerts go now, wherever the card was posted: there it is seen.
        let is_there = !showing.let_go && showing.channel == org.channel;
        let card = showing.message.filter(|_| is_there).map(|message| {
            format!("https://discord.com/channels/{}/{}/{message}", self.guild, showing.channel)
        });
        let message = reminder(request, oncall, card.as_deref());
        self.remark(request, org.channel, Remark::Reminder, message).await?;
        Ok(None)
    }
}
