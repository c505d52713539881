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
        if let Some(until) = self.rests(channel) {
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
                match self.earlier(showing.channel, showing.attempted, &footer(proposal)).await? {
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
        match self.chat.edit(Place { channel: showing.channel, message: at }, &message).await {
            Ok(()) => showing.revision = proposal.revision,
            Err(ChatError::MessageGone | ChatError::TooOld) => showing.let_go = true,
            Err(failure) => return Err(failure.into()),
        }
        self.book.note_proposal_showing(&showing).await?;
        Ok(None)
    }

    async fn post_proposal(
        &self,
        proposal: &Proposal,
        mut showing: ProposalShowing,
        message: &Message,
        revision: i64,
    ) -> Result<Option<Timestamp>, ShowError> {
        let (number, asked) = (proposal.number.to_string(), proposal.asked.as_millisecond().to_string());
        let nonce = nonce(&["link", proposal.org.as_str(), &number, &asked]);
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
