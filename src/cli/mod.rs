//! The command line: one file a subcommand.
//!
//! To add one: write its file with an `Args` and its `run`, and add its lines to `Command` and to [`run`].

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Environment, Faults};
use crate::okta::OktaSetupError;
use crate::plain::plain;
use crate::telemetry::NotLevels;

mod audit;
mod completions;
mod config;
mod demo;
mod doctor;
mod run;
mod scan;

/// Finds Okta provisioning failures, tells the people who can mend them in Discord, and proves the cure.
#[derive(Debug, Parser)]
#[command(name = "provost", version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 it ran and found something wrong, 2 usage or configuration error.
Every key of provost.toml can be given as PROVOST_SECTION__KEY, every secret also as KEY_file.
RUST_LOG sets what is logged, for example RUST_LOG=warn,provost=debug.";

#[derive(Debug, Subcommand)]
enum Command {
    /// See the whole product with nothing to configure: a simulated org and a simulated Discord
    Demo(demo::Args),
    /// Run the service: watch Okta, post alerts, answer commands
    Run(run::Args),
    Scan(scan::Args),
    Doctor(doctor::Args),
    /// Check or print the record of who did what.
    Audit(audit::Args),
    /// Look at the configuration.
    Config(config::Args),
    /// Print a shell's completion script.
    Completions(completions::Args),
}

impl Cli {
    /// What is logged where `RUST_LOG` does not say: a service tells what it does, a tool only what went wrong.
    pub fn log_level(&self) -> &'static str {
        match self.command {
            Command::Run(_) => "info",
            // The demo breaks things on purpose; what that logs would stand in the middle of its story.
            Command::Demo(_) => "off",
            Command::Scan(_)
            | Command::Doctor(_)
            | Command::Audit(_)
            | Command::Config(_)
            | Command::Completions(_) => "warn",
        }
    }
}

/// How a subcommand ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// It ran and found something wrong.
    FoundSomething,
}

/// Runs the subcommand.
///
/// # Errors
///
/// Whatever stopped it; [`report`] knows what that means for the exit code.
pub async fn run(cli: Cli, environment: &Environment) -> anyhow::Result<Outcome> {
    match cli.command {
        Command::Demo(args) => args.run(environment).await,
        Command::Run(args) => args.run(environment).await,
        Command::Scan(args) => args.run(environment).await,
        Command::Doctor(args) => args.run(environment).await,
        Command::Audit(args) => args.run(environment).await,
        Command::Config(args) => args.run(environment),
        Command::Completions(args) => args.run(),
    }
}

/// `--config`, for every subcommand that reads the configuration.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ConfigFile {
    /// The configuration [default: PROVOST_CONFIG, else provost.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    /// Reads it, and tells its warnings on stderr.
    pub(crate) fn load(&self, environment: &Environment) -> Result<Config, Faults> {
        let config = Config::load(self.config.as_deref(), environment)?;
        for warning in &config.warnings {
            // Nobody is left to tell when stderr is closed.
            let _ = writeln!(io::stderr(), "warning: {warning}");
        }
        Ok(config)
    }
}

/// The command line itself was wrong in a way that its grammar cannot tell.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Says on stderr how it ended, if there is anything to say, and returns the exit code.
pub fn report(ended: &anyhow::Result<Outcome>) -> ExitCode {
    let failure = match ended {
        Ok(Outcome::Done) => return ExitCode::SUCCESS,
        Ok(Outcome::FoundSomething) => return ExitCode::from(1),
        Err(failure) => failure,
    };
    let mut stderr = io::stderr();
    if let Some(faults) = failure.downcast_ref::<Faults>() {
        // Its own words are safe and have lines of their own.
        let _ = writeln!(stderr, "provost: {faults}");
        return ExitCode::from(2);
    }
    // Whoever reads our output has seen enough, as `head` has.
    let closed = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    if failure.chain().any(closed) {
        return ExitCode::SUCCESS;
    }
    let chain: Vec<String> = failure.chain().map(|cause| plain(&cause.to_string()).into_owned()).collect();
    let _ = writeln!(stderr, "provost: {}", chain.join("\n  because: "));
    let usage = failure.is::<UsageError>() || failure.is::<NotLevels>() || failure.is::<OktaSetupError>();
    ExitCode::from(if usage { 2 } else { 1 })
}
