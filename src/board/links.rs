//! Shows proposed links, each as a card that is edited in place: in the audit channel, or where the org's alerts go.

use commands::chat::{ChatError, Message, Place};
use commands::link_card::{card, footer};
use domain::ids::ChannelId;
use domain::links::{Proposal, ProposalShowing};
use jiff::Timestamp;
use tracing::info;

use super::{Board, Earlier, MAY_REPEAT, NONCE_LASTS, ShowError, nonce};

impl Board {
    pub(super) async fn show_proposal(
        &self,
        channel: ChannelId,
        proposal: &Proposal,
        showing: Option<ProposalShowing>,
    ) -> Result<Option<Timestamp>, ShowError> {
        let stands = showing.as_ref().map_or(channel, |showing| showing.channel);
        if let Some(until) = self.rests(stands).filter(|_| stands == channel) {
            return Ok(Some(until));
        }
        let now = self.clock.now();
        let mut message = card(proposal);
        let Some(mut showing) = showing else {
            let showing = ProposalShowing {
                proposal: proposal.number,
                channel,
                attempted: now,
                message: None,
                revision: 0,
                let_go: false,
            };
            self.book.note_proposal_showing(&showing).await?;
            return self.post_proposal(proposal, showing, &message, proposal.revision).await;
        };
        let Some(at) = showing.message else {
            if now.duration_since(showing.attempted) > NONCE_LASTS {
                let earlier = match self.earlier(stands, showing.attempted, &footer(proposal)).await {
                    Err(ShowError::Chat(ChatError::NoAccess(_) | ChatError::ChannelGone(_)))
                        if stands != channel =>
                    {
                        return self.move_proposal(showing, channel).await;
                    }
                    earlier => earlier?,
                };
                match earlier {
                    Earlier::Found(found) => {
                        showing.message = Some(found);
                        self.book.note_proposal_showing(&showing).await?;
                        return Ok(Some(now));
                    }
                    Earlier::None => {}
                    Earlier::Unknown => message.content.push_str(MAY_REPEAT),
                }
            }
            // The nonce may answer with the first attempt's message, which shows an older state: it is edited next.
            return self.post_proposal(proposal, showing, &message, 0).await;
        };
        match self.chat.edit(Place { channel: stands, message: at }, &message).await {
            Ok(()) => showing.revision = proposal.revision,
            Err(ChatError::MessageGone | ChatError::TooOld) => showing.let_go = true,
            Err(ChatError::Forbidden { .. } | ChatError::NoAccess(_) | ChatError::ChannelGone(_))
                if stands != channel =>
            {
                return self.move_proposal(showing, channel).await;
            }
            Err(failure) => return Err(failure.into()),
        }
        self.book.note_proposal_showing(&showing).await?;
        Ok(None)
    }

    /// Proposals go to another channel by now, and where this one stands nothing can be done: it moves there.
    async fn move_proposal(
        &self,
        showing: ProposalShowing,
        channel: ChannelId,
    ) -> Result<Option<Timestamp>, ShowError> {
        let now = self.clock.now();
        let moved = ProposalShowing { channel, attempted: now, message: None, revision: 0, ..showing };
        self.book.note_proposal_showing(&moved).await?;
        Ok(Some(now))
    }

    async fn post_proposal(
        &self,
        proposal: &Proposal,
        mut showing: ProposalShowing,
        message: &Message,
        revision: i64,
    ) -> Result<Option<Timestamp>, ShowError> {
        let (number, asked) = (proposal.number.to_string(), proposal.asked.as_millisecond().to_string());
        let channel = showing.channel.to_string();
        let nonce = nonce(&["link", proposal.org.as_str(), &number, &asked, &channel]);
        match self.chat.post(showing.channel, message, &nonce).await {
            Ok(id) => {
                info!(message.id = %id, "Posted the card of {}", proposal.number);
                (showing.message, showing.revision) = (Some(id), revision);
            }
            Err(ChatError::MessageGone) => showing.let_go = true,
            Err(failure) => return Err(failure.into()),
        }
        self.book.note_proposal_showing(&showing).await?;
        Ok((revision == 0).then(|| self.clock.now()))
    }
}
