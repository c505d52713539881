//! Who has which role now: asked of Discord each time, because what a payload said a minute ago may be over.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use commands::chat::ChatError;
use domain::ids::{GuildId, MemberId, RoleId};
use domain::ports::{Roster, RosterError};
use jiff::Timestamp;

use super::rest::Rest;
use super::wire::Member;

/// The members of one server.
pub struct GuildRoster {
    rest: Arc<Rest>,
    guild: GuildId,
}

impl GuildRoster {
    /// The members of `guild`, asked for through `rest`.
    pub fn new(rest: Arc<Rest>, guild: GuildId) -> Self {
        Self { rest, guild }
    }
}

#[async_trait]
impl Roster for GuildRoster {
    /// Somebody who is timed out counts as not there: a server that silences a member does not let them decide.
    async fn roles(&self, member: MemberId) -> Result<Option<Vec<RoleId>>, RosterError> {
        let Some(member) = self.rest.member(self.guild, member).await.map_err(unread)? else {
            return Ok(None);
        };
        Ok((!is_timed_out(&member, self.rest.now())?).then_some(member.roles))
    }

    async fn counts(&self) -> Result<HashMap<RoleId, u64>, RosterError> {
        self.rest.role_member_counts(self.guild).await.map_err(unread)
    }
}

/// Source: Discord, Guild Member Object, `communication_disabled_until`: null or in the past for everybody who is not.
fn is_timed_out(member: &Member, now: Timestamp) -> Result<bool, RosterError> {
    let Some(until) = &member.communication_disabled_until else { return Ok(false) };
    match until.parse::<Timestamp>() {
        Ok(until) => Ok(until > now),
        Err(_) => Err(RosterError { why: "the end of a member's time-out is not a time".to_owned() }),
    }
}

fn unread(error: ChatError) -> RosterError {
    RosterError { why: error.to_string() }
}
