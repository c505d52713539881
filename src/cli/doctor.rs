//! `provost doctor`: does the configuration work, tried for real?

use std::io::{self, Write};
use std::sync::Arc;

use clap::ValueEnum;

use super::{ConfigFile, Outcome};
use crate::clock::SystemClock;
use crate::config::Environment;
use crate::doctor::{self, show};

/// Try the configuration for real: Okta, Discord, the store
///
/// Signs in to every org and to Discord, and looks at what is needed to watch, to alert and to answer. It reads only:
/// nothing is changed in Okta or Discord, and no store is made.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 nothing has to be mended, 1 something has to, 2 usage or configuration error."
)]
pub(super) struct Args {
    #[command(flatten)]
    file: ConfigFile,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A list for people
    Table,
    /// One JSON object
    Json,
}

impl Args {
    pub(super) async fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let config = self.file.load(environment)?;
        let report = doctor::examine(&config, Arc::new(SystemClock)).await;
        let text = match self.format {
            Format::Table => show::list(&report),
            Format::Json => show::json(&report),
        };
        io::stdout().write_all(text.as_bytes())?;
        Ok(if report.is_ok() { Outcome::Done } else { Outcome::FoundSomething })
    }
}
