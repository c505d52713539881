//! `provost demo`: the product with nothing to configure.

use super::Outcome;
use crate::demo::script;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Play the whole story without a browser, and print it as a transcript
    #[arg(long, required = true)]
    script: bool,
    /// Draws the ids of apps and people, so that two runs are alike
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
}

impl Args {
    /// Plays the story; it checks itself, and says what did not come as it should.
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        script::play(self.seed).await?;
        Ok(Outcome::Done)
    }
}
