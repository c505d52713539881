//! `provost demo`: the product with nothing to configure.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::run::told_to_stop;
use super::{Outcome, UsageError};
use crate::config::{DEFAULT_FILE, Environment};
use crate::demo::stage::Stage;
use crate::demo::web::{self, Key};
use crate::demo::{World, script};

/// Where the page is if nothing is said and nobody else is there.
const PORT: u16 = 8737;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Play the whole story without a browser, and print it as a transcript
    #[arg(long, conflicts_with_all = ["listen", "no_open"])]
    script: bool,
    /// Where to serve the page; loopback only [default: 127.0.0.1:8737, or a free port]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Do not open a browser
    #[arg(long)]
    no_open: bool,
    /// Draws the ids of apps and people, so that two runs are alike
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
}

impl Args {
    /// Plays the story, which checks itself; or serves the page until Ctrl-C.
    pub(crate) async fn run(self, environment: &Environment) -> anyhow::Result<Outcome> {
        if self.script {
            script::play(self.seed).await?;
            return Ok(Outcome::Done);
        }
        is_far_from_anything_real(environment)?;
        let listener = self.listener().await?;
        let world = World::starts_audited(self.seed).await?;
        let served = self.serves(listener, &world).await;
        let ended = world.ends().await;
        served?;
        ended?;
        Ok(Outcome::Done)
    }

    async fn listener(&self) -> anyhow::Result<TcpListener> {
        match self.listen {
            Some(address) if !address.ip().is_loopback() => Err(UsageError(format!(
                "--listen {address} could be reached from other machines; the demo listens on loopback only, such as \
                 127.0.0.1:0"
            ))
            .into()),
            Some(address) => web::listen(address).await,
            None => match web::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT))).await {
                Ok(listener) => Ok(listener),
                Err(_) => web::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await,
            },
        }
    }

    async fn serves(&self, listener: TcpListener, world: &World) -> anyhow::Result<()> {
        let key = Key::new(listener.local_addr()?)?;
        let url = key.url();
        let stop = CancellationToken::new();
        let told = stop.clone();
        tokio::spawn(async move {
            told_to_stop().await;
            told.cancel();
        });
        // Nobody may be there to read it.
        let _ = writeln!(
            io::stdout(),
            "The demo is ready. Open this address in a browser on this machine:\n\n  {url}\n\nCtrl-C ends it; \
             nothing is left behind."
        );
        if !self.no_open {
            open(&url);
        }
        web::serve(listener, Stage::set(world), key, stop).await
    }
}

/// The demo breaks things on purpose. It could not reach a real org or server; whoever has one configured here should
/// not have to believe that.
fn is_far_from_anything_real(environment: &Environment) -> Result<(), UsageError> {
    let found = if environment.configures() {
        "variables named PROVOST_…__… configure a real Provost"
    } else if environment.config_path().is_some() {
        "PROVOST_CONFIG names the configuration of a real Provost"
    } else if Path::new(DEFAULT_FILE).exists() {
        "this folder holds the provost.toml of a real Provost"
    } else {
        return Ok(());
    };
    Err(UsageError(format!(
        "{found}, and the demo does not start beside one; run it in another folder, without these variables (env -i \
         PATH=\"$PATH\" provost demo)"
    )))
}

/// Opens a browser, if there is one; the address was printed anyway.
fn open(url: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let opened = std::process::Command::new(program)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    drop(opened);
}
