//! What a command works with: the store, the orgs, the memory, the roles. A command has no other way to the world.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use dashmap::DashMap;
use domain::cause::Rules;
use domain::event::App;
use domain::ids::{AppId, ChannelId, GuildId, OrgName};
use domain::links::{LinkBook, Links};
use domain::ports::{Clock, Directory, Roster};
use domain::request::Gate;
use domain::requests::Requests;
use domain::store::{Showing, Store, StoreError};
use jiff::Timestamp;

use crate::chat::Caller;
use crate::console::Console;
use crate::errors::CommandError;
use crate::memory::Memory;
use crate::policy::Policy;
use crate::retype::Typed;
use crate::text::{escape, plain};
use crate::throttle::Throttle;

/// What a command works with.
pub struct Desk {
    /// What is remembered.
    pub store: Arc<dyn Store>,
    /// The orgs, by name.
    pub orgs: BTreeMap<OrgName, Org>,
    /// What is answered from memory.
    pub memory: Arc<Memory>,
    /// The cause rules.
    pub rules: Arc<Rules>,
    /// Requests and the audit.
    pub requests: Arc<dyn Requests>,
    /// The links made by command.
    pub book: Arc<dyn LinkBook>,
    /// Who has which role now.
    pub roster: Arc<dyn Roster>,
    /// Who may ask for, confirm and approve what.
    pub policy: Policy,
    /// Says that something is to be shown or done.
    pub bell: Arc<dyn Fn() + Send + Sync>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Our Discord server.
    pub guild: GuildId,
    /// How the watchers and the gateway are doing, kept by them.
    pub pulse: Arc<Pulse>,
    /// Keeps one member from flooding everybody else.
    pub throttle: Throttle,
    /// What was typed and refused lately, for the button that opens the dialog again.
    pub typed: Typed,
    /// The program's version.
    pub version: &'static str,
}

/// One org.
pub struct Org {
    /// Its API.
    pub directory: Arc<dyn Directory>,
    /// Its Admin Console, if it is known.
    pub console: Option<Console>,
    /// Where its alerts go.
    pub channel: ChannelId,
    /// Whether Provost may write to it.
    pub writes: bool,
}

/// How the watchers and the gateway are doing.
#[derive(Default)]
pub struct Pulse {
    /// Orgs whose log cannot be read now: since when, and why. From outside.
    pub blind: DashMap<OrgName, (Timestamp, String)>,
    /// Whether the gateway is connected, and since when it is so.
    pub gateway: std::sync::RwLock<Option<(bool, Timestamp)>>,
}

impl Desk {
    /// The org and app that an option names: `org/0oa…` as suggested, an id, or an exact label.
    ///
    /// # Errors
    ///
    /// A slip that lists the candidates, where there are several, or what comes near, where there is none.
    pub fn app(&self, typed: &str) -> Result<(OrgName, App), CommandError> {
        if let Some((org, id)) = typed.split_once('/')
            && let (Ok(org), Ok(id)) = (OrgName::from_str(org), AppId::from_str(id))
            && self.orgs.contains_key(&org)
        {
            let known = self.memory.find(&id).into_iter().find(|(of, _)| *of == org);
            return Ok(known.unwrap_or_else(|| (org, App { label: id.to_string(), id })));
        }
        let mut found = self.memory.labelled(typed);
        if found.is_empty()
            && let Ok(id) = AppId::from_str(typed)
        {
            found = self.memory.find(&id);
        }
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => Err(CommandError::Slip(self.no_such_app(typed))),
            _ => Err(CommandError::Slip(format!(
                "“{}” is the label of {} apps: {}. Pick one from the list that appears while you type.",
                escape(typed, 60),
                found.len(),
                candidates(&found)
            ))),
        }
    }

    fn no_such_app(&self, typed: &str) -> String {
        let typed_low = typed.trim().to_lowercase();
        let near: Vec<_> = self
            .memory
            .all_apps()
            .into_iter()
            .filter(|(_, app)| app.label.to_lowercase().contains(&typed_low))
            .collect();
        let typed = escape(typed, 60);
        match near.is_empty() {
            true => format!(
                "No app is called “{typed}”. Pick one from the list that appears while you type, or give its id \
                 (0oa…)."
            ),
            false => format!("No app is called “{typed}”. Did you mean {}?", candidates(&near)),
        }
    }

    /// Whether nobody else is on call, and whether enough others could approve; `None` if that cannot be told now.
    pub async fn who_could_approve(&self, app: &AppId, caller: &Caller, gate: Gate) -> (bool, Option<bool>) {
        let widened = self.policy.is_widened(&*self.roster, caller.id).await.unwrap_or(false);
        let possible = self.policy.could_be_approved(&*self.roster, app, caller, gate).await;
        (widened, possible.ok())
    }

    /// All links as they are now, those of the configuration and those made by command.
    ///
    /// # Errors
    ///
    /// The store's. Whoever asks must refuse then: unknown is not linked.
    pub async fn links(&self) -> Result<Links, StoreError> {
        Ok(self.policy.links.with(&self.book.links().await?))
    }

    /// The org that somebody means: the one they typed, or the only one.
    ///
    /// # Errors
    ///
    /// A slip that lists the orgs.
    pub fn org_meant(&self, typed: Option<&str>) -> Result<OrgName, CommandError> {
        let mut orgs = self.orgs.keys();
        let meant = match (typed, orgs.next(), orgs.next()) {
            (None, only, None) => only,
            (None, ..) => None,
            (Some(typed), ..) => self.orgs.keys().find(|org| org.as_str() == typed.trim()),
        };
        meant.cloned().ok_or_else(|| {
            let known: Vec<&str> = self.orgs.keys().map(OrgName::as_str).collect();
            CommandError::Slip(format!("Which org? Give one of these as `org`: {}.", known.join(", ")))
        })
    }

    /// The org of that name.
    pub fn org(&self, name: &OrgName) -> Result<&Org, CommandError> {
        self.orgs.get(name).ok_or_else(|| {
            CommandError::Slip(format!(
                "Org {} is not in Provost's configuration any more.",
                plain(name.as_str(), 40)
            ))
        })
    }

    /// The address of a message of ours.
    pub fn address(&self, showing: &Showing) -> Option<String> {
        let message = showing.message?;
        Some(format!("https://discord.com/channels/{}/{}/{message}", self.guild, showing.channel))
    }

    /// A short text that is in an answer and in the log, so that one can be found by the other.
    pub fn reference(&self) -> String {
        format!("{:08x}", self.clock.now().as_millisecond() & 0xffff_ffff)
    }
}

fn candidates(apps: &[(OrgName, App)]) -> String {
    let shown: Vec<String> = apps
        .iter()
        .take(5)
        .map(|(org, app)| format!("{} (…{}, {org})", escape(&app.label, 60), app.id.tail()))
        .collect();
    crate::text::and_more(&shown, apps.len())
}
