//! The configuration: `provost.toml` and the environment, read once into what is meant.
//!
//! Every fault is found in one go, with its place, its key, what is wrong and what would be right. Every key can be
//! given as `PROVOST_SECTION__KEY`, every secret also as `KEY_file`.
//!
//! **Invariant:** nothing here shows a secret: not a fault, not a warning, not `Debug`.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use commands::spec::Role;
use domain::ids::{AppId, OrgName};

mod alerts;
mod discord;
mod environment;
mod fault;
mod links;
mod okta;
mod policy;
mod roles;
mod secret;
mod section;
mod store;
mod tree;
mod values;

#[cfg(test)]
mod tests;

pub use alerts::Alerts;
pub use discord::DiscordConfig;
pub use environment::Environment;
pub use fault::{Fault, Faults, Place, Wrong};
pub use links::Links;
pub use okta::{OktaConfig, console_of, org_url};
pub use policy::{AppPolicy, Gate, Gates, Policy, RetryGate};
pub use roles::{Holder, Roles};
pub use store::{StoreConfig, StoreKind};
pub use values::{duration, in_words, origin_of};

pub(crate) use secret::{reason, token, without_last_newline};

use fault::Notes;
use section::Section;
use tree::Table;

/// The file that is read where none is named.
pub const DEFAULT_FILE: &str = "provost.toml";

/// What is meant.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it came from; `None` where the environment alone said everything.
    pub file: Option<PathBuf>,
    /// The orgs, by name; at least one.
    pub orgs: BTreeMap<OrgName, OktaConfig>,
    /// Where what we know is kept.
    pub store: StoreConfig,
    /// Who may do what.
    pub roles: Roles,
    /// Which member is which person.
    pub links: Links,
    /// What a remediation needs.
    pub policy: Policy,
    /// What opens an alert, and the cause rules.
    pub alerts: Alerts,
    /// Where `/healthz`, `/readyz` and `/metrics` are served, if anywhere.
    pub listen: Option<SocketAddr>,
    /// What is allowed but worth a second look, in the order of the file.
    pub warnings: Vec<Fault>,
    discord: Result<DiscordConfig, Faults>,
}

impl Config {
    /// Reads the file that `named` or `PROVOST_CONFIG` names, else `provost.toml` if it is there, and lays the
    /// environment over it.
    ///
    /// # Errors
    ///
    /// [`Faults`]: all of them.
    pub fn load(named: Option<&Path>, environment: &Environment) -> Result<Self, Faults> {
        let notes = Notes::default();
        let named = named.map(Path::to_owned).or_else(|| environment.config_path().map(PathBuf::from));
        let explicit = named.is_some();
        let file = named.unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
        let (file, text) = match fs::read_to_string(&file) {
            Ok(text) => (Some(file), text),
            Err(error)
                if error.kind() == std::io::ErrorKind::NotFound && !explicit && environment.configures() =>
            {
                (None, String::new())
            }
            Err(error) => {
                let wrong = format!("cannot be read: {}", secret::reason(&error));
                let right =
                    "name the file with --config or PROVOST_CONFIG; README.md shows one to begin with";
                let what = Wrong::new(wrong, right);
                return Err(Faults(vec![Fault { at: Place::File(file), key: String::new(), what }]));
            }
        };
        let shown = file.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
        let Some(mut table) = tree::parse(&text, &shown, &notes) else {
            return Err(Faults(notes.into_parts().0));
        };
        tree::overlay(&mut table, environment, &notes);
        read(table, file, shown, notes)
    }

    /// The Discord server, for whoever needs one.
    ///
    /// # Errors
    ///
    /// [`Faults`]: the keys that are missing.
    pub fn discord(&self) -> Result<&DiscordConfig, Faults> {
        self.discord.as_ref().map_err(Clone::clone)
    }

    /// Who holds `role` for `app`: the app's own list where it has one.
    pub fn holders(&self, role: Role, app: Option<&AppId>) -> &[Holder] {
        app.and_then(|app| self.policy.apps.get(app))
            .and_then(|policy| policy.roles.0.get(&role))
            .map_or_else(|| self.roles.holders(role), Vec::as_slice)
    }
}

fn read(table: Table, file: Option<PathBuf>, shown: PathBuf, notes: Notes) -> Result<Config, Faults> {
    let mut root = Section::new("", Place::File(shown), table, &notes);
    let discord = root.section("discord");
    let has_discord = !discord.is_empty();
    let discord = discord::read(discord);
    let guild = discord.as_ref().ok().map(|discord| discord.guild_id);
    let audit = discord.as_ref().ok().and_then(|discord| discord.audit_channel_id);
    let orgs = okta::read_all(root.section("okta"), audit);
    let store = store::read(root.section("store"));
    let mut roles_section = root.section("roles");
    let roles_at = roles_section.at.clone();
    let roles = roles::read(&mut roles_section, guild);
    roles_section.finish();
    let links = links::read(root.section("links"), orgs.keys());
    let policy = policy::read(root.section("policy"), guild);
    let alerts = alerts::read(root.section("alerts"));
    let mut http = root.section("http");
    let listen = http.parsed("listen", values::listen);
    http.finish();
    root.finish();

    let listen = listen.unwrap_or_else(|| Some(SocketAddr::from(([127, 0, 0, 1], 9464))));
    warn_of_nobody(&notes, &roles_at, &roles, &policy, &orgs);
    let (mut faults, warnings) = notes.into_parts();
    if !faults.is_empty() {
        if let (true, Err(missing)) = (has_discord, discord) {
            faults.extend(missing.0);
        }
        faults.sort_by(|a, b| a.at.cmp(&b.at));
        return Err(Faults(faults));
    }
    Ok(Config { file, orgs, store, roles, links, policy, alerts, listen, warnings, discord })
}

/// What nobody could do although the configuration says that it can be done.
fn warn_of_nobody(
    notes: &Notes,
    at: &Place,
    roles: &Roles,
    policy: &Policy,
    orgs: &BTreeMap<OrgName, OktaConfig>,
) {
    if roles.is_empty() {
        let right = "list who may, for example viewer = [\"role:ID\"]";
        let wrong = "is empty: nobody may do anything but /okta help and /okta whoami";
        notes.warn(at.clone(), "roles", Wrong::new(wrong, right));
        return;
    }
    let wants_approval = policy.gates.enable.approvals > 0 || policy.gates.reassign.approvals > 0;
    let writes = orgs.values().any(|org| org.writes);
    if wants_approval && writes && roles.holders(Role::Approver).is_empty() {
        let wrong = "is empty: what needs an approval will be refused";
        notes.warn(at.clone(), "roles.approver", Wrong::new(wrong, "list who may approve"));
    }
    if policy.gates.reassign.approvals == 0 && writes {
        let wrong = "is 0: one person alone may unassign and assign somebody, which cannot be undone";
        notes.warn(at.clone(), "policy.reassign.approvals", Wrong::new(wrong, "2 is the default"));
    }
}
