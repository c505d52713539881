//! Keeps the gateway's session in the store, so that it outlives the process.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tracing::warn;

use crate::discord::session::{Session, SessionStore};
use domain::ports::Clock;

use crate::store::{GatewaySession, Sql};

/// The store, as the gateway needs it.
pub struct Kept(pub Arc<Sql>, pub Arc<dyn Clock>);

#[async_trait]
impl SessionStore for Kept {
    async fn load(&self) -> Option<Session> {
        match self.0.gateway_session().await {
            Ok(kept) => kept.map(|kept| Session {
                id: kept.session,
                sequence: kept.sequence,
                resume_url: kept.resume_url,
            }),
            Err(failure) => {
                warn!(error = &failure as &dyn std::error::Error, "The gateway session cannot be read");
                None
            }
        }
    }

    async fn save(&self, session: Session) {
        let kept = GatewaySession {
            session: session.id,
            resume_url: session.resume_url,
            sequence: session.sequence,
            saved: self.1.now(),
        };
        if let Err(failure) = self.0.save_gateway_session(&kept).await {
            warn!(error = &failure as &dyn std::error::Error, "The gateway session cannot be kept");
        }
    }

    async fn forget(&self) {
        if let Err(failure) = self.0.forget_gateway_session().await {
            warn!(error = &failure as &dyn std::error::Error, "The gateway session cannot be forgotten");
        }
    }

    async fn identifies_since(&self, from: Timestamp) -> u32 {
        self.0.identifies_since(from).await.unwrap_or_else(|failure| {
            warn!(error = &failure as &dyn std::error::Error, "The count of sign-ins cannot be read");
            u32::MAX
        })
    }

    async fn note_identify(&self, at: Timestamp) {
        if let Err(failure) = self.0.note_identify(at).await {
            warn!(error = &failure as &dyn std::error::Error, "A sign-in cannot be counted");
        }
    }
}
