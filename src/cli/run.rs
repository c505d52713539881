//! `provost run`: the service.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{ConfigFile, Outcome};
use crate::app::App;
use crate::clock::SystemClock;
use crate::config::Environment;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigFile,
}

impl Args {
    /// Runs until SIGTERM or SIGINT.
    pub(crate) async fn run(self, environment: &Environment) -> anyhow::Result<Outcome> {
        let config = self.config.load(environment)?;
        let app = App::build(&config, Arc::new(SystemClock)).await?;
        let stop = CancellationToken::new();
        let listening = stop.clone();
        tokio::spawn(async move {
            told_to_stop().await;
            listening.cancel();
        });
        app.run(stop).await?;
        info!("Stopped");
        Ok(Outcome::Done)
    }
}

/// Waits for SIGTERM, as a supervisor sends it, or SIGINT, as Ctrl-C does.
pub(crate) async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupted = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => tokio::select! {
            _ = interrupted => {}
            _ = terminated.recv() => {}
        },
        Err(_) => {
            let _ = interrupted.await;
        }
    }
}
