//! The program from outside: what it prints, and how it exits.

#[path = "cli/audit.rs"]
mod audit;

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
      provost.toml: cannot be read: No such file or directory; name the file with --config or PROVOST_CONFIG; README.md shows one to begin with
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

/// A System Log entry about a push.
fn entry(second: u64, person: &str, app: &str, transaction: &str, outcome: &str, reason: &str) -> String {
    serde_json::json!({
        "uuid": format!("{person}-{app}-{second}"),
        "published": format!("2026-11-20T10:{:02}:{:02}.000Z", second / 60 % 60, second % 60),
        "eventType": "application.provision.user.push",
        "outcome": { "result": outcome, "reason": reason },
        "transaction": { "type": "JOB", "id": transaction },
        "target": [
            { "type": "AppInstance", "id": format!("0oa{app}"), "displayName": app },
            { "type": "User", "id": format!("00u{person}"), "alternateId": format!("{person}@acme.example"), "displayName": person }
        ]
    })
    .to_string()
}

const INACTIVE: &str = "Automatic provisioning of user failed: User account is inactive";

/// Dana waits, Vic was healed, one entry is none of ours.
fn log() -> Vec<String> {
    vec![
        entry(1, "dana", "airbase", "t1", "FAILURE", INACTIVE),
        entry(2, "vic", "airbase", "t2", "FAILURE", INACTIVE),
        entry(3, "vic", "airbase", "t3", "SUCCESS", ""),
        r#"{"uuid":"x","published":"2026-11-20T10:00:04.000Z","eventType":"user.session.start"}"#.to_owned(),
    ]
}

/// What it said, with the time that it took left out.
fn untimed(said: &str) -> String {
    let line = |line: &str| match line.split_once(" entries read in ") {
        Some((entries, _)) => format!("{entries} entries read in …"),
        None => line.to_owned(),
    };
    said.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_export_is_summed_up_whatever_its_shape() -> Result<()> {
    let folder = TempDir::new()?;
    write(folder.path(), "array.json", &format!("[{}]", log().join(",")))?;
    write(folder.path(), "lines.json", &log().join("\n"))?;

    let said_of_array = untimed(&said(provost(folder.path(), "scan --from array.json")?)?);
    assert_snapshot!(said_of_array, @"
    array.json: 4 log entries
    3 provisioning events, 2026-11-20 10:00Z to 2026-11-20 10:00Z

    1 failed push waits for somebody. Healed since: 1.

    By app and cause
      APP      ID          CAUSE                       WAITING  OTHERS    FIRST       LAST
      airbase  0oaairbase  inactive-account (certain)        1  1 healed  2026-11-20  2026-11-20 10:00Z

    Who waits
      APP      PERSON             CAUSE             TIMES  FIRST       LAST               WHAT OKTA SAID
      airbase  dana@acme.example  inactive-account      1  2026-11-20  2026-11-20 10:00Z  Automatic provisioning of user failed: User account is inactive

    inactive-account: User account is inactive. The account still exists in the app but is inactive there. In spite of its name, Deactivate Users is also the setting that lets Okta activate an account again; while it is off for the app, Okta may not.
      https://support.okta.com/help/s/article/Airbase-Provisioning-Error-Automatic-provisioning-of-user-to-app-Airbase-failed-User-account-is-inactive
    --
    4 entries read in …
    exit code 1
    ");

    let said_of_lines = untimed(&said(provost(folder.path(), "scan --from lines.json")?)?);
    assert_eq!(said_of_lines.replace("lines.json", "array.json"), said_of_array);

    let mut piped = provost(folder.path(), "scan --from -")?;
    piped.write_stdin(log().join("\n"));
    assert_eq!(untimed(&said(piped)?).replace("stdin", "array.json"), said_of_array);
    Ok(())
}

#[test]
fn a_torn_line_costs_itself_and_is_named() -> Result<()> {
    let folder = TempDir::new()?;
    let mut lines = log();
    lines.insert(1, "{\"uuid\":\"torn\",\"publ".to_owned());
    write(folder.path(), "events.json", &lines.join("\n"))?;

    let said = said(provost(folder.path(), "scan --from events.json --format json")?)?;
    let (object, _) = said.split_once("--\n").unwrap_or_default();
    let object: serde_json::Value = serde_json::from_str(object)?;

    assert_eq!(object["unreadable"], 1);
    assert_eq!(object["unreadable_first"][0]["line"], 2);
    assert_eq!(object["counts"]["waiting"], 1);
    assert_eq!(object["entries"], 5);
    Ok(())
}

#[test]
fn a_scan_that_finds_nobody_waiting_exits_with_0() -> Result<()> {
    let folder = TempDir::new()?;
    write(folder.path(), "events.json", &log()[1..].join("\n"))?;

    let said = said(provost(folder.path(), "scan --from events.json --format csv")?)?;
    assert!(said.contains("vic@acme.example,vic,inactive-account,certain,healed,1"), "{said}");
    assert!(said.ends_with("exit code 0"), "{said}");
    Ok(())
}

#[test]
fn what_is_no_log_is_refused() -> Result<()> {
    let folder = TempDir::new()?;
    write(folder.path(), "events.csv", "actor.id,actor.type\n00u1,User\n")?;
    write(folder.path(), "token", "00OKTA-CANARY\n")?;

    let mut all = String::new();
    for arguments in [
        "scan --from nowhere.json",
        "scan --from events.csv",
        "scan --since 91d",
        "scan --since soon",
        "scan --url https://acme.okta.com",
        "scan --token-file token",
        "scan --url https://acme-admin.okta.com --token-file token",
        "scan --url https://acme.okta.com --token-file nowhere",
        "scan",
    ] {
        all.push_str(&format!(
            "$ provost {arguments}\n{}\n",
            untimed(&said(provost(folder.path(), arguments)?)?)
        ));
    }
    assert!(!all.contains("CANARY"));
    assert_snapshot!(all, @r#"
    $ provost scan --from nowhere.json
    --
    provost: --from nowhere.json cannot be read: No such file or directory
    exit code 2
    $ provost scan --from events.csv
    --
    provost: --from events.csv is no export of the System Log (line 1: expected value at line 1 column 1); give the JSON of GET /api/v1/logs, as an array or in lines
    exit code 2
    $ provost scan --since 91d
    --
    error: invalid value '91d' for '--since <DURATION>': write more than 0 and at most 90d: Okta keeps its log no longer

    For more information, try '--help'.
    exit code 2
    $ provost scan --since soon
    --
    error: invalid value 'soon' for '--since <DURATION>': “soon” is not a duration; write a number with its unit, such as "30s", "10m", "24h" or "7d"

    For more information, try '--help'.
    exit code 2
    $ provost scan --url https://acme.okta.com
    --
    provost: --url needs --token-file, the file with the org's API token
    exit code 2
    $ provost scan --token-file token
    --
    provost: --token-file needs --url, such as --url https://acme.okta.com
    exit code 2
    $ provost scan --url https://acme-admin.okta.com --token-file token
    --
    provost: --url is the Admin Console's address, not the org's; write https://acme.okta.com and leave console_url to be derived
    exit code 2
    $ provost scan --url https://acme.okta.com --token-file nowhere
    --
    provost: --token-file nowhere cannot be read: No such file or directory
    exit code 2
    $ provost scan
    --
    provost: there is no provost.toml here; name one with --config, scan an org with --url and --token-file, or an export with --from
    exit code 2
    "#);
    Ok(())
}

#[test]
fn one_of_several_orgs_must_be_chosen() -> Result<()> {
    let folder = TempDir::new()?;
    write(folder.path(), "provost.toml", GOOD)?;

    let several = said(provost(folder.path(), "scan")?)?;
    assert!(
        several.contains("choose one with --org: acme, lab") && several.ends_with("exit code 2"),
        "{several}"
    );
    let unknown = said(provost(folder.path(), "scan --org acmee")?)?;
    assert!(unknown.contains("there are: acme, lab") && unknown.ends_with("exit code 2"), "{unknown}");
    Ok(())
}

/// An org with one page of log and two apps, if those may be read.
async fn org(apps_are_readable: bool) -> Result<std::net::SocketAddr> {
    use axum::http::HeaderMap;
    use axum::response::IntoResponse;
    use axum::routing::get;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let logs = move |headers: HeaderMap| async move {
        let may = headers.get("authorization").is_some_and(|value| value == "SSWS 00OKTA-CANARY");
        if !may {
            return (axum::http::StatusCode::UNAUTHORIZED, "{}").into_response();
        }
        let next = format!("<http://{address}/api/v1/logs?after=1>; rel=\"next\"");
        ([("link", next), ("content-type", "application/json".to_owned())], format!("[{}]", log().join(",")))
            .into_response()
    };
    let apps = async move || {
        if !apps_are_readable {
            let said = r#"{"errorCode":"E0000006","errorSummary":"You do not have permission"}"#;
            return (axum::http::StatusCode::FORBIDDEN, said).into_response();
        }
        let app = |name: &str, features: &str| {
            format!(
                r#"{{"id":"0oa{name}","name":"{name}","label":"{name}","status":"ACTIVE","features":[{features}]}}"#
            )
        };
        let list = [
            app("airbase", r#""PUSH_NEW_USERS""#),
            app("slack", r#""PUSH_NEW_USERS","PUSH_USER_DEACTIVATION""#),
        ];
        ([("content-type", "application/json")], format!("[{}]", list.join(","))).into_response()
    };
    let routes = axum::Router::new().route("/api/v1/logs", get(logs)).route("/api/v1/apps", get(apps));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_org_is_scanned_with_nothing_but_its_url_and_a_token() -> Result<()> {
    let folder = TempDir::new()?;
    write(folder.path(), "token", "00OKTA-CANARY\n")?;
    let address = org(true).await?;
    let arguments = format!("scan --url http://{address} --token-file token");
    let mut by_environment = provost(folder.path(), "scan --since 24h")?;
    by_environment.env("PROVOST_URL", format!("http://{address}")).env("PROVOST_TOKEN_FILE", "token");
    by_environment.env("RUST_LOG", "trace");

    let by_arguments = said(provost(folder.path(), &arguments)?)?;
    let by_environment = said(by_environment)?;

    assert!(!by_environment.contains("CANARY"), "{by_environment}");
    assert!(
        by_environment.contains("airbase") && by_environment.ends_with("exit code 1"),
        "{by_environment}"
    );
    assert_snapshot!(untimed(&by_arguments).replace(&address.to_string(), "127.0.0.1"), @"
    http://127.0.0.1, the last 7d: 4 log entries
    3 provisioning events, 2026-11-20 10:00Z to 2026-11-20 10:00Z

    1 failed push waits for somebody. Healed since: 1.

    By app and cause
      APP      ID          CAUSE                       WAITING  OTHERS    FIRST       LAST               DEACTIVATE USERS
      airbase  0oaairbase  inactive-account (certain)        1  1 healed  2026-11-20  2026-11-20 10:00Z  off

    Who waits
      APP      PERSON             CAUSE             TIMES  FIRST       LAST               WHAT OKTA SAID
      airbase  dana@acme.example  inactive-account      1  2026-11-20  2026-11-20 10:00Z  Automatic provisioning of user failed: User account is inactive

    inactive-account: User account is inactive. The account still exists in the app but is inactive there. In spite of its name, Deactivate Users is also the setting that lets Okta activate an account again; while it is off for the app, Okta may not.
      https://support.okta.com/help/s/article/Airbase-Provisioning-Error-Automatic-provisioning-of-user-to-app-Airbase-failed-User-account-is-inactive

    Will fail next: pushed to, and Deactivate Users is off
      APP      ID          KIND
      airbase  0oaairbase  airbase
    --
    reading the apps
    4 entries read in …
    exit code 1
    ");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_worth_having_where_the_apps_cannot_be_read() -> Result<()> {
    let folder = TempDir::new()?;
    write(folder.path(), "token", "00OKTA-CANARY\n")?;
    let address = org(false).await?;

    let said = said(provost(folder.path(), &format!("scan --url http://{address} --token-file token"))?)?;
    assert!(said.contains("1 failed push waits for somebody"), "{said}");
    assert!(
        said.contains("warning: the apps cannot be read") && said.contains("You do not have permission"),
        "{said}"
    );
    assert!(!said.contains("Will fail next") && said.ends_with("exit code 1"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_named_and_never_shown() -> Result<()> {
    let folder = TempDir::new()?;
    write(folder.path(), "token", "00WRONG-CANARY\n")?;
    let address = org(true).await?;

    let said = said(provost(folder.path(), &format!("scan --url http://{address} --token-file token"))?)?;
    assert!(!said.contains("CANARY"), "{said}");
    assert_snapshot!(said.replace(&address.to_string(), "127.0.0.1"), @"
    --
    provost: Okta refuses the credentials: 401 Unauthorized (request unknown)
    exit code 1
    ");
    Ok(())
}
