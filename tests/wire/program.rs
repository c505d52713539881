//! Provost as the real binary, in a process of its own.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::world::{World, until};

/// A running binary; killed when dropped.
pub struct Program {
    child: Child,
    said: PathBuf,
}

impl Program {
    /// Starts it on the world's configuration.
    pub fn start(world: &World, levels: &str) -> Result<Self> {
        let number = std::fs::read_dir(world.folder.path())?.count();
        let said = world.folder.path().join(format!("said-{number}.log"));
        let out = File::create(&said)?;
        let child = Command::new(env!("CARGO_BIN_EXE_provost"))
            .args(["run", "--config"])
            .arg(world.configuration())
            .env("RUST_LOG", levels)
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()?;
        Ok(Self { child, said })
    }

    /// Ends it at once, in the middle of whatever it does.
    pub fn dies(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Sends SIGTERM, and waits; with how long that took.
    pub async fn stops(mut self) -> Result<(ExitStatus, Duration)> {
        let start = Instant::now();
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        ensure!(told.success(), "the process is gone already");
        Ok((self.ends().await?, start.elapsed()))
    }

    /// Waits until it ends by itself.
    pub async fn ends(&mut self) -> Result<ExitStatus> {
        let mut status = None;
        until("the process has ended", || {
            status = self.child.try_wait().ok().flatten();
            status.is_some()
        })
        .await?;
        status.context("the process has no status")
    }

    /// Everything it wrote to its standard output and error.
    pub fn said(&self) -> String {
        std::fs::read(&self.said).map_or(String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Gets a page of its HTTP server: the status and the body.
    pub async fn page(&self, path: &str) -> Result<(u16, String)> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        until("it serves /healthz", || self.address().is_some()).await?;
        let address = self.address().context("it serves nothing")?;
        let answer = reqwest::get(format!("{address}{path}")).await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    fn address(&self) -> Option<String> {
        let said = self.said();
        let at = said.find("Serving /healthz")?;
        let rest = &said[at + said[at..].find("http://")?..];
        Some(rest.split(|c: char| c == '"' || c.is_whitespace()).next()?.to_owned())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
