//! The program: parse, run, say how it ended.

use std::process::ExitCode;

use clap::Parser;
use provost::cli::{self, Cli, Outcome};
use provost::config::Environment;
use provost::telemetry;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let environment = Environment::of_process();
    cli::report(&run(cli, &environment))
}

fn run(cli: Cli, environment: &Environment) -> anyhow::Result<Outcome> {
    telemetry::init(environment, cli.log_level())?;
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(cli::run(cli, environment));
    // A name that is being resolved would be waited for, longer than a supervisor is patient.
    runtime.shutdown_background();
    outcome
}
