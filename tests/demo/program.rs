//! The program: what it prints, what it refuses, what it leaves behind.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// A command that sees none of our environment but the path, and keeps its temporary files in `folder`.
fn demo(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provost"));
    command.arg("demo").env_clear().env("TMPDIR", folder).current_dir(folder);
    command
}

fn ends(mut child: Child) -> Result<Option<i32>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code());
        }
        if begun.elapsed() > Duration::from_secs(20) {
            child.kill()?;
            anyhow::bail!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn it_prints_one_address_and_leaves_nothing_behind() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for signal in ["-INT", "-TERM"] {
        let mut child = demo(folder.path())
            .args(["--no-open", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()?;
        let said = BufReader::new(child.stdout.take().context("stdout")?);
        let url = said.lines().map_while(Result::ok).find(|line| line.contains("http://"));
        let url = url.context("no address was printed")?;
        ensure!(url.contains("http://127.0.0.1:") && url.contains("/#"), "{url}");
        let there = std::fs::read_dir(folder.path())?.count();
        ensure!(there == 1, "{there} things in the temporary folder");
        Command::new("kill").args([signal, &child.id().to_string()]).status()?;
        assert_eq!(ends(child)?, Some(0), "{signal}");
        assert_eq!(std::fs::read_dir(folder.path())?.count(), 0, "{signal}: something was left behind");
    }
    Ok(())
}

#[test]
fn it_does_not_start_where_others_or_a_real_org_could_be_reached() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let refused = |command: &mut Command, words: &str| -> Result<()> {
        let output = command.stdin(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{said}");
        Ok(())
    };
    refused(demo(folder.path()).args(["--no-open", "--listen", "0.0.0.0:0"]), "loopback only")?;
    refused(demo(folder.path()).args(["--no-open", "--listen", "192.0.2.1:80"]), "loopback only")?;
    refused(demo(folder.path()).arg("--no-open").env("PROVOST_DISCORD__TOKEN", "x"), "PROVOST_…__…")?;
    refused(demo(folder.path()).arg("--no-open").env("PROVOST_CONFIG", "there.toml"), "PROVOST_CONFIG")?;
    refused(demo(folder.path()).args(["--script", "--no-open"]), "cannot be used with")?;
    std::fs::write(folder.path().join("provost.toml"), "")?;
    refused(demo(folder.path()).arg("--no-open"), "provost.toml")?;
    Ok(())
}
