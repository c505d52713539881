//! `provost completions SHELL`.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::{Cli, Outcome};

/// Prints a completion script on stdout.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// For which shell
    shell: Shell,
}

impl Args {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        // `generate` panics when its writer fails, so it gets one that cannot.
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "provost", &mut script);
        io::stdout().write_all(&script)?;
        Ok(Outcome::Done)
    }
}
