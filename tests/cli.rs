//! The program from outside: what it prints, and how it exits.

use std::fs;
use std::path::Path;

use anyhow::Result;
use assert_cmd::Command;
use insta::assert_snapshot;
use tempfile::TempDir;

/// The program in a folder, with nothing of this machine's environment.
fn provost(folder: &Path, arguments: &str) -> Result<Command> {
    let mut command = Command::cargo_bin("provost")?;
    command.current_dir(folder).env_clear().args(arguments.split_whitespace());
    Ok(command)
}

/// What it said on stdout, then on stderr, then its exit code.
fn said(mut command: Command) -> Result<String> {
    let output = command.output()?;
    let code = output.status.code().unwrap_or(-1);
    let (out, err) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    Ok(format!("{out}--\n{err}exit code {code}"))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, text)?;
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(())
}

const GOOD: &str = r#"
[discord]
token = "DISCORD-CANARY"
guild_id = "1100000000000000001"
alert_channel_id = "1100000000000000002"
audit_channel_id = "1100000000000000003"

[okta.acme]
url = "https://acme.okta.com"
api_token = "OKTA-CANARY"
writes = true

[okta.lab]
url = "https://login.lab.example"
api_token = "OKTA-CANARY"
alert_channel_id = "1100000000000000005"

[roles]
viewer = ["role:1100000000000000006"]
operator = ["role:1100000000000000007", "member:1100000000000000008"]
"#;

#[test]
fn a_good_configuration_is_summed_up() -> Result<()> {
    let folder = TempDir::new()?;
    write(folder.path(), "provost.toml", GOOD)?;

    assert_snapshot!(said(provost(folder.path(), "config check")?)?, @"
    provost.toml is good
    org       acme https://acme.okta.com (API token, every 30s, 40% of the rate limit, writes)
              console https://acme-admin.okta.com
    org       lab https://login.lab.example (API token, every 30s, 40% of the rate limit, guided only)
              console unknown: links to the Admin Console are left out; set console_url
              its alerts go to channel 1100000000000000005
    discord   server 1100000000000000001, alerts in channel 1100000000000000002
              audit in channel 1100000000000000003
    roles     viewer     1 role
              operator   1 role, 1 member
              approver   nobody
              admin      nobody
              breakglass nobody
    store     SQLite
    alerts    inactive-account
    http      on 127.0.0.1:9464
    --
    warning: provost.toml:18: roles.approver: is empty: what needs an approval will be refused; list who may approve
    exit code 0
    ");
    Ok(())
}

#[test]
fn faults_are_listed_and_exit_with_2() -> Result<()> {
    let folder = TempDir::new()?;
    write(
        folder.path(),
        "mine.toml",
        "[okta.acme]\nurl = \"https://acme-admin.okta.com\"\napi_tokn = \"x\"\n",
    )?;

    assert_snapshot!(said(provost(folder.path(), "config check --config mine.toml")?)?, @r#"
    --
    provost: the configuration has 3 faults:
      mine.toml:1: okta.acme.api_token_file: is missing; write api_token_file = "…", or client_id and private_key_file
      mine.toml:2: okta.acme.url: is the Admin Console's address, not the org's; write https://acme.okta.com and leave console_url to be derived
      mine.toml:3: okta.acme.api_tokn: is an unknown key; did you mean “api_token”?
    exit code 2
    "#);
    Ok(())
}

#[test]
fn without_a_configuration_it_says_where_one_could_be() -> Result<()> {
    let folder = TempDir::new()?;

    assert_snapshot!(said(provost(folder.path(), "config check")?)?, @"
    --
    provost: the configuration has a fault:
      provost.toml: cannot be read: No such file or directory; name the file with --config or PROVOST_CONFIG, or write one with “provost init”
    exit code 2
    ");
    Ok(())
}

#[test]
fn the_environment_alone_is_enough() -> Result<()> {
    let folder = TempDir::new()?;
    write(folder.path(), "token", "OKTA-CANARY\n")?;
    let mut command = provost(folder.path(), "config check")?;
    command
        .env("PROVOST_DISCORD__TOKEN", "DISCORD-CANARY")
        .env("PROVOST_DISCORD__GUILD_ID", "1100000000000000001")
        .env("PROVOST_DISCORD__ALERT_CHANNEL_ID", "1100000000000000002")
        .env("PROVOST_OKTA__ACME__URL", "https://acme.okta.com")
        .env("PROVOST_OKTA__ACME__API_TOKEN_FILE", "token")
        .env("PROVOST_ROLES__ADMIN", "member:1100000000000000008");

    let said = said(command)?;
    assert!(said.contains("provost.toml is good") && said.ends_with("--\nexit code 0"), "{said}");
    assert!(!said.contains("CANARY"), "{said}");
    Ok(())
}

#[test]
fn levels_that_are_none_are_a_usage_error() -> Result<()> {
    let folder = TempDir::new()?;
    let mut command = provost(folder.path(), "config check")?;
    command.env("RUST_LOG", "provost=loud");

    assert_snapshot!(said(command)?, @r#"
    --
    provost: RUST_LOG is not a list of levels such as “info” or “warn,provost=debug”: error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5
    exit code 2
    "#);
    Ok(())
}

#[test]
fn completions_are_made_for_each_shell() -> Result<()> {
    let folder = TempDir::new()?;
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let said = said(provost(folder.path(), &format!("completions {shell}"))?)?;
        assert!(said.contains("config") && said.ends_with("exit code 0"), "{shell}: {said}");
    }
    Ok(())
}

#[test]
fn an_unknown_subcommand_is_a_usage_error() -> Result<()> {
    let folder = TempDir::new()?;
    let said = said(provost(folder.path(), "scann")?)?;
    assert!(said.contains("unrecognized subcommand") && said.ends_with("exit code 2"), "{said}");
    Ok(())
}
