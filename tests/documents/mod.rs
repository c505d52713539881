//! Whether what was asked and answered agrees with the official documents of Okta and Discord.
//!
//! A simulator is only worth what it is held against. Both services publish an OpenAPI document; every exchange that
//! the tests have with a simulator is checked against it, in both directions, so that neither the product nor the
//! simulator can drift away from the real service without a test saying so.
//!
//! A test calls [`hold`] with the ledgers of its simulators. Where the documents are absent it says so and passes;
//! with `PROVOST_REQUIRE=documents`, as in CI, that is a failure.

mod complaint;
pub mod exceptions;
mod fields;
mod openapi;
pub mod schema;
mod shape;
pub mod shelf;

use std::io::Write as _;
use std::sync::OnceLock;

use openapi::{Document, Service};
use serde_json::Value;
use sim::ledger::Exchange;

/// How many complaints a failing test prints.
const SHOWN: usize = 20;

/// Both services' documents.
pub struct Documents {
    okta: Service,
    discord: Service,
}

impl Documents {
    /// The documents, read once a process; `None` where they are absent.
    pub fn load() -> Option<&'static Self> {
        static DOCUMENTS: OnceLock<Option<Documents>> = OnceLock::new();
        DOCUMENTS.get_or_init(Self::read).as_ref()
    }

    fn read() -> Option<Self> {
        let reference = shelf::reference()?;
        let yaml = |name: &str| shelf::yaml(&reference.join("okta-spec").join(name));
        let document = |root: Value, error| Document { root, error };
        let mut management = yaml("management-oneOfInheritance-noExamples.yaml");
        exceptions::correct(&mut management);
        Some(Self {
            okta: Service::new(
                "",
                vec![document(management, "Error"), document(yaml("oauth-minimal.yaml"), "OAuthError")],
            ),
            discord: Service::new(
                "/api/v10",
                vec![document(shelf::json(&reference.join("discord-spec/openapi.json")), "ErrorResponse")],
            ),
        })
    }

    /// Okta's documents: the management API and the OAuth token endpoint.
    pub fn okta(&self) -> &Service {
        &self.okta
    }

    /// Discord's document, version 10.
    pub fn discord(&self) -> &Service {
        &self.discord
    }
}

/// The documents, or a visible word that `test` was skipped.
///
/// # Panics
///
/// If they are absent although `PROVOST_REQUIRE` names them.
#[expect(clippy::disallowed_methods, reason = "tests are configured by the environment")]
pub fn documents_or_skip(test: &str) -> Option<&'static Documents> {
    let documents = Documents::load();
    if documents.is_none() {
        let required = std::env::var_os("PROVOST_REQUIRE").unwrap_or_default();
        let required = required.to_string_lossy().split([',', ' ']).any(|word| word == "documents");
        assert!(
            !required,
            "{test}: ../shared/reference is not there, and PROVOST_REQUIRE names the documents"
        );
        // Written past the test harness, which keeps what a passing test prints to itself.
        let _ = writeln!(std::io::stderr(), "skipped: {test}: ../shared/reference is not there");
    }
    documents
}

/// Holds everything that was asked and answered against the documents.
///
/// # Panics
///
/// If they disagree anywhere; the message lists where.
pub fn hold(okta: &[Exchange], discord: &[Exchange]) {
    let Some(documents) = documents_or_skip("the check against the documents") else { return };
    let of_okta = okta.iter().flat_map(|exchange| documents.okta().complaints(exchange));
    let of_discord = discord.iter().flat_map(|exchange| documents.discord().complaints(exchange));
    let mut complaints: Vec<String> = Vec::new();
    for complaint in of_okta.chain(of_discord) {
        if !complaints.contains(&complaint) {
            complaints.push(complaint);
        }
    }
    let shown = complaints.iter().take(SHOWN).map(|complaint| format!("\n  {complaint}")).collect::<String>();
    let more = complaints.len().saturating_sub(SHOWN);
    assert!(
        complaints.is_empty(),
        "{} complaints about {} exchanges:{shown}{}",
        complaints.len(),
        okta.len() + discord.len(),
        if more > 0 { format!("\n  and {more} more") } else { String::new() },
    );
}
