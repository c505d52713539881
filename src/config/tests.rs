//! The configuration as people get it wrong, and as they get it right.

use std::fs;

use anyhow::Result;
use insta::assert_snapshot;
use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::*;
use crate::okta::Credentials;

/// A folder with a good configuration and its secrets.
const GOOD: &str = r#"
[discord]
token_file = "discord_token"
guild_id = "1100000000000000001"
alert_channel_id = "1100000000000000002"

[okta.acme]
url = "https://acme.okta.com"
api_token_file = "okta_token"
"#;

fn folder(config: &str) -> Result<TempDir> {
    let folder = TempDir::new()?;
    for (name, text) in [
        ("provost.toml", config),
        ("discord_token", "DISCORD-CANARY\n"),
        ("okta_token", "00OKTA-CANARY\r\n"),
        ("okta.pem", "-----BEGIN PRIVATE KEY-----\nPEM-CANARY\n-----END PRIVATE KEY-----\n"),
        (
            "locked.pem",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nPEM-CANARY\n-----END ENCRYPTED PRIVATE KEY-----\n",
        ),
        ("public.pem", "-----BEGIN PUBLIC KEY-----\nPEM-CANARY\n-----END PUBLIC KEY-----\n"),
        ("empty", "\n"),
        ("two_words", "DISCORD CANARY\n"),
        ("rules.toml", "[[cause]]\nid = 7\n"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, text)?;
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    }
    Ok(folder)
}

fn load(folder: &TempDir, environment: &[(&str, &str)]) -> Result<Config, Faults> {
    let pairs = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(Some(&folder.path().join("provost.toml")), &pairs.collect())
}

/// What people read, with the folder's name left out.
fn complaints(config: &str, environment: &[(&str, &str)]) -> Result<String> {
    let folder = folder(config)?;
    let said = match load(&folder, environment).and_then(|config| config.discord().map(drop)) {
        Ok(()) => "good".to_owned(),
        Err(faults) => faults.0.iter().map(|fault| format!("{fault}\n")).collect(),
    };
    Ok(said.replace(&format!("{}/", folder.path().display()), ""))
}

/// What is wrong with it, the file, the environment.
type Case = (&'static str, String, Vec<(&'static str, &'static str)>);

#[test]
fn what_is_wrong_is_said_with_its_place_its_key_and_what_would_be_right() -> Result<()> {
    let org = |line: &str| format!("{GOOD}{line}\n");
    let instead = |old: &str, new: &str| GOOD.replace(old, new);
    let url = |url: &str| instead("https://acme.okta.com", url);
    let token = "api_token_file = \"okta_token\"";
    let token_file = "token_file = \"discord_token\"";

    #[rustfmt::skip]
    let table: Vec<Case> = vec![
        ("nothing at all", String::new(), vec![]),
        ("torn grammar", "[okta.acme\nurl = 1 2\n".to_owned(), vec![]),
        ("a key twice", org("writes = true\nwrites = false"), vec![]),
        ("an unknown table", org("[okra.acme]"), vec![]),
        ("a misspelt key", org("poll_intervall = \"30s\""), vec![]),
        ("a key from elsewhere", org("listen = \"\""), vec![]),
        ("a key of an org without its org", format!("{GOOD}[okta]\nurl = \"https://acme.okta.com\"\n"), vec![]),
        ("an org name with a space", org("[okta.\"a b\"]"), vec![]),
        ("no scheme", url("acme.okta.com"), vec![]),
        ("http", url("http://acme.okta.com"), vec![]),
        ("the console for the org", url("https://acme-admin.okta.com"), vec![]),
        ("a path", url("https://acme.okta.com/oauth2/default"), vec![]),
        ("a password in the URL", url("https://root:URL-CANARY@acme.okta.com"), vec![]),
        ("a domain one letter off", url("https://acme.0kta.com"), vec![]),
        ("one org twice", org("[okta.other]\nurl = \"https://acme.okta.com\"\napi_token_file = \"okta_token\""), vec![]),
        ("the org for the console", org("console_url = \"https://acme.okta.com\""), vec![]),
        ("no credential", instead(token, ""), vec![]),
        ("two credentials", org("client_id = \"0oa1\"\nprivate_key_file = \"okta.pem\""), vec![]),
        ("a client without its key", instead(token, "client_id = \"0oa1\""), vec![]),
        ("a public key", instead(token, "client_id = \"0oa1\"\nprivate_key_file = \"public.pem\""), vec![]),
        ("a key without its client", instead(token, "private_key_file = \"okta.pem\""), vec![]),
        ("an encrypted key", instead(token, "client_id = \"0oa1\"\nprivate_key_file = \"locked.pem\""), vec![]),
        ("a secret in both ways", instead(token_file, &format!("{token_file}\ntoken = \"X\"")), vec![]),
        ("a secret's file is missing", instead("discord_token", "nowhere"), vec![]),
        ("a secret's file is empty", instead("discord_token", "empty"), vec![]),
        ("a secret of two words", instead("discord_token", "two_words"), vec![]),
        ("a scheme before the token", instead(token, "api_token = \"SSWS 00OKTA-CANARY\""), vec![]),
        ("an interval without a unit", org("poll_interval = 30"), vec![]),
        ("an interval too short", org("poll_interval = \"1ms\""), vec![]),
        ("a lookback beyond the log", org("lookback = \"120d\""), vec![]),
        ("the whole bucket and more", org("rate_limit_share = 1.5"), vec![]),
        ("nothing of the bucket", org("rate_limit_share = 0"), vec![]),
        ("a word for a flag", org("writes = \"yes\""), vec![]),
        ("a channel by name", instead("\"1100000000000000002\"", "\"#alerts\""), vec![]),
        ("a token for an id", instead("\"1100000000000000002\"", "\"MTEw-A-TOKEN-THAT-WENT-ASTRAY-CANARY-0123456789\""), vec![]),
        ("one channel for both", instead("[okta.acme]", "audit_channel_id = \"1100000000000000002\"\n[okta.acme]"), vec![]),
        ("an org's alerts in the record", format!("{}alert_channel_id = \"1100000000000000003\"\n",
            instead("[okta.acme]", "audit_channel_id = \"1100000000000000003\"\n[okta.acme]")), vec![]),
        ("no server", instead("guild_id = \"1100000000000000001\"", ""), vec![]),
        ("a mistyped store", org("[store]\nurl = \"mysql://root:DB-CANARY@db/provost\""), vec![]),
        ("an id without its kind", org("[roles]\nviewer = [\"1100000000000000009\"]"), vec![]),
        ("a user for a member", org("[roles]\nviewer = [\"user:1100000000000000009\"]"), vec![]),
        ("everyone", org("[roles]\noperator = [\"role:1100000000000000001\"]"), vec![]),
        ("a text for a list", org("[roles]\nviewer = \"role:1100000000000000009\""), vec![]),
        ("an unknown role", org("[roles]\nviewers = []"), vec![]),
        ("a link to a login", org("[links.acme]\n\"1100000000000000077\" = \"dana@acme.example\""), vec![]),
        ("a person linked twice", org("[links.acme]\n\"1100000000000000077\" = \"00u1\"\n\"1100000000000000078\" = \"00u1\""), vec![]),
        ("a link in an unknown org", org("[links.acmee]\n\"1100000000000000077\" = \"00u1\""), vec![]),
        ("too many approvals", org("[policy.enable]\napprovals = 9"), vec![]),
        ("a request that never stands", org("[policy.reassign]\nexpires = \"0s\""), vec![]),
        ("fewer for more", org("[policy.retry]\napprovals = 2\nbulk_approvals = 1"), vec![]),
        ("an app without its id", org("[[policy.app]]\nenable = { approvals = 2 }"), vec![]),
        ("an app twice", org("[[policy.app]]\nid = \"0oa1\"\n[[policy.app]]\nid = \"0oa1\""), vec![]),
        ("a person for an app", org("[[policy.app]]\nid = \"00u1\""), vec![]),
        ("an unknown cause", org("[alerts]\ncauses = [\"inactive-acount\"]"), vec![]),
        ("rules that are no rules", org("[alerts]\nrules_file = \"rules.toml\""), vec![]),
        ("a port alone", org("[http]\nlisten = \":9464\""), vec![]),
        ("a host name to listen on", org("[http]\nlisten = \"localhost:9464\""), vec![]),
        ("a misspelt variable", GOOD.to_owned(), vec![("PROVOST_DISCORD__GILD_ID", "1100000000000000001")]),
        ("an empty variable", GOOD.to_owned(), vec![("PROVOST_DISCORD__GUILD_ID", "")]),
        ("one key by two variables", GOOD.to_owned(), vec![
            ("PROVOST_HTTP__LISTEN", ""), ("PROVOST_http__listen", "")]),
        ("a variable below a value", GOOD.to_owned(), vec![("PROVOST_OKTA__ACME__URL__HOST", "x")]),
        ("everything at once", "[discord]\nguild_id = 1\n[okta.acme]\nurl = \"acme\"\nwrite = true\n".to_owned(), vec![
            ("PROVOST_STORE__URL", "provost.db")]),
    ];
    let mut said = String::new();
    for (case, config, environment) in &table {
        said.push_str(&format!("# {case}\n{}\n", complaints(config, environment)?));
    }
    assert!(!said.contains("CANARY"), "a secret is shown:\n{said}");
    assert_snapshot!(said, @r#"
    # nothing at all
    provost.toml: okta: names no org; add one: [okta.acme] with url = "https://acme.okta.com" and a credential

    # torn grammar
    provost.toml:1: unclosed table, expected `]`; see https://toml.io for the grammar

    # a key twice
    provost.toml:11: “writes” is given a second time; see https://toml.io for the grammar

    # an unknown table
    provost.toml:10: okra: is an unknown key; did you mean “okta”?

    # a misspelt key
    provost.toml:10: okta.acme.poll_intervall: is an unknown key; did you mean “poll_interval”?

    # a key from elsewhere
    provost.toml:10: okta.acme.listen: is an unknown key; it belongs to [http]

    # a key of an org without its org
    provost.toml:11: okta.url: belongs to no org; put it under an org's name: [okta.acme] url = …

    # an org name with a space
    provost.toml:10: okta.a b: is not a name that people can type; write an org's short name: letters, digits, - and _, at most 32

    # no scheme
    provost.toml:8: okta.acme.url: “acme.okta.com” is not a URL; write https://acme.okta.com

    # http
    provost.toml:8: okta.acme.url: would send secrets in the clear; write https://acme.okta.com; http:// is accepted on loopback only

    # the console for the org
    provost.toml:8: okta.acme.url: is the Admin Console's address, not the org's; write https://acme.okta.com and leave console_url to be derived

    # a path
    provost.toml:8: okta.acme.url: has the path “/oauth2/default”; write https://acme.okta.com

    # a password in the URL
    provost.toml:8: okta.acme.url: holds a user name or a password; write https://acme.okta.com

    # a domain one letter off
    provost.toml:8: okta.acme.url: “acme.0kta.com” is not an Okta domain; did you mean “okta.com”?

    # one org twice
    provost.toml:11: okta.other.url: is the org that [okta.acme] names as well; give each org one table

    # the org for the console
    provost.toml:10: okta.acme.console_url: is the org's own URL; leave it out: https://acme-admin.okta.com is derived from url

    # no credential
    provost.toml:7: okta.acme.api_token_file: is missing; write api_token_file = "…", or client_id and private_key_file

    # two credentials
    provost.toml:10: okta.acme.client_id: is given together with api_token; keep one of the two: an API token, or client_id and private_key

    # a client without its key
    provost.toml:7: okta.acme.private_key_file: is missing; write private_key_file = "/run/secrets/okta.pem"

    # a public key
    provost.toml:10: okta.acme.private_key_file: is a public key; give the private key in PEM (-----BEGIN PRIVATE KEY-----)

    # a key without its client
    provost.toml:7: okta.acme.client_id: is missing; write the service app's client id (0oa…) beside its key

    # an encrypted key
    provost.toml:10: okta.acme.private_key_file: is an encrypted key; decrypt it: openssl pkcs8 -in KEY -out okta.pem

    # a secret in both ways
    provost.toml:4: discord.token: is given, and token_file as well (provost.toml:3); keep one of the two

    # a secret's file is missing
    provost.toml:3: discord.token_file: nowhere cannot be read: No such file or directory; name a file that this user may read

    # a secret's file is empty
    provost.toml:3: discord.token_file: empty is empty; put the secret there, and nothing else

    # a secret of two words
    provost.toml:3: discord.token_file: holds a space, a line break or a character no token has; write the token alone

    # a scheme before the token
    provost.toml:9: okta.acme.api_token: begins with “SSWS”; leave that word out: it is added when the token is sent

    # an interval without a unit
    provost.toml:10: okta.acme.poll_interval: “30” is not a duration; write a number with its unit, such as "30s", "10m", "24h" or "7d"

    # an interval too short
    provost.toml:10: okta.acme.poll_interval: is “1ms”; write a duration from 100ms to 1h

    # a lookback beyond the log
    provost.toml:10: okta.acme.lookback: is “120d”; write at most 90d: Okta keeps its log no longer

    # the whole bucket and more
    provost.toml:10: okta.acme.rate_limit_share: is 1.5; write a part above 0 and up to 1, such as 0.4

    # nothing of the bucket
    provost.toml:10: okta.acme.rate_limit_share: is 0; write a part above 0 and up to 1, such as 0.4

    # a word for a flag
    provost.toml:10: okta.acme.writes: is “yes”; write true or false

    # a channel by name
    provost.toml:5: discord.alert_channel_id: “#alerts” is not a Discord id; write the channel's id, 17 to 20 digits, from “Copy ID” in Discord's developer mode

    # a token for an id
    provost.toml:5: discord.alert_channel_id: a text of 47 characters is not a Discord id; write the channel's id, 17 to 20 digits, from “Copy ID” in Discord's developer mode

    # one channel for both
    provost.toml:7: discord.audit_channel_id: is the channel for alerts; give the record a channel of its own, or leave the key out

    # an org's alerts in the record
    provost.toml:11: okta.acme.alert_channel_id: is the channel of discord.audit_channel_id; give the record a channel of its own, or leave the key out

    # no server
    provost.toml:2: discord.guild_id: is missing; write the server's id, from “Copy Server ID” in Discord

    # a mistyped store
    provost.toml:11: store.url: has the scheme mysql; write sqlite://provost.db, or postgres://…

    # an id without its kind
    provost.toml:11: roles.viewer: “1100000000000000009” does not say what it is; write "role:1100000000000000009" or "member:1100000000000000009"

    # a user for a member
    provost.toml:11: roles.viewer: “user:1100000000000000009” has an unknown kind; write "member:1100000000000000009": a user is a person in Okta

    # everyone
    provost.toml:11: roles.operator: “role:1100000000000000001” is the server's @everyone; name a role: Discord never lists @everyone among a member's roles

    # a text for a list
    provost.toml:11: roles.viewer: is “role:1100000000000000009”; write a list: ["…", "…"]

    # an unknown role
    provost.toml:11: roles.viewers: is an unknown key; did you mean “viewer”?

    # a link to a login
    provost.toml:11: links.acme.1100000000000000077: “dana@acme.example” is not an Okta user id; write the person's id, such as 00u1b2c3d4E5F6g7h8i9; a login or an e-mail address can change hands

    # a person linked twice
    provost.toml:12: links.acme.1100000000000000078: links 00u1, who is linked to 1100000000000000077 already; link each person to one member

    # a link in an unknown org
    provost.toml:10: links.acmee: is no org of this configuration; did you mean “acme”?

    # too many approvals
    provost.toml:11: policy.enable.approvals: is 9; write a whole number from 0 to 5

    # a request that never stands
    provost.toml:11: policy.reassign.expires: is “0s”; write a duration from 1s to 7d

    # fewer for more
    provost.toml:12: policy.retry.bulk_approvals: asks fewer people for many pushes (1) than for few (2); write 2 or more

    # an app without its id
    provost.toml:10: policy.app.id: is missing; write the app's id: id = "0oa…"

    # an app twice
    provost.toml:12: policy.app: has 0oa1 a second time; give each app one [[policy.app]]

    # a person for an app
    provost.toml:11: policy.app.id: “00u1” is not an Okta app id; write the app's id, such as 0oa1b2c3d4E5F6g7h8i9, from its page's address in the console

    # an unknown cause
    provost.toml:11: alerts.causes: “inactive-acount” is no cause of the rules; did you mean “inactive-account”?

    # rules that are no rules
    provost.toml:11: alerts.rules_file: rules.toml:2: invalid type: integer `7`, expected a string; start from the rules that ship with Provost (domain/causes.toml)

    # a port alone
    provost.toml:11: http.listen: “:9464” is not an address to listen on; write "0.0.0.0:9464" for all interfaces

    # a host name to listen on
    provost.toml:11: http.listen: “localhost:9464” is not an address to listen on; write an IP address and a port, such as "127.0.0.1:9464", or "" for none

    # a misspelt variable
    environment variable PROVOST_DISCORD__GILD_ID: discord.gild_id: is an unknown key; did you mean “guild_id”?

    # an empty variable
    environment variable PROVOST_DISCORD__GUILD_ID: discord.guild_id: an empty text is not a Discord id; write the server's id, 17 to 20 digits, from “Copy ID” in Discord's developer mode

    # one key by two variables
    environment variable PROVOST_http__listen: sets the same key as PROVOST_HTTP__LISTEN; unset one of them

    # a variable below a value
    environment variable PROVOST_OKTA__ACME__URL__HOST: goes below “url”, which is a text at provost.toml:8; set it in the file

    # everything at once
    provost.toml:1: discord.token_file: is missing; write token_file = "…", or set PROVOST_DISCORD__TOKEN
    provost.toml:1: discord.alert_channel_id: is missing; write the id of the channel for alerts
    provost.toml:2: discord.guild_id: “1” is not a Discord id; write the server's id, 17 to 20 digits, from “Copy ID” in Discord's developer mode
    provost.toml:3: okta.acme.api_token_file: is missing; write api_token_file = "…", or client_id and private_key_file
    provost.toml:4: okta.acme.url: “acme” is not a URL; write https://acme.okta.com
    provost.toml:5: okta.acme.write: is an unknown key; did you mean “writes”?
    environment variable PROVOST_STORE__URL: store.url: has no scheme; write sqlite://provost.db, or postgres://…
    "#);
    Ok(())
}

#[test]
fn every_key_of_the_documentation_is_understood() -> Result<()> {
    let folder = folder(
        r#"
        [discord]
        token_file = "discord_token"
        guild_id = "1100000000000000001"
        alert_channel_id = 1100000000000000002
        audit_channel_id = "1100000000000000003"
        oncall_role_id = "1100000000000000004"
        api_url = "https://discord.com"

        [okta.acme]
        url = "https://acme.okta.com"
        api_token_file = "okta_token"
        poll_interval = "30s"
        lookback = "24h"
        rate_limit_share = 0.4
        writes = true
        console_url = "https://console.acme.example"
        alert_channel_id = "1100000000000000005"

        [okta.lab]
        url = "https://lab.oktapreview.com"
        client_id = "0oa1b2c3d4E5F6g7h8i9"
        private_key_file = "okta.pem"
        key_id = "k1"

        [store]
        url = "postgres://provost:DB-CANARY@db/provost"

        [roles]
        viewer = ["role:1100000000000000006"]
        operator = ["role:1100000000000000007", "member:1100000000000000008"]
        approver = ["role:1100000000000000009"]
        admin = []
        breakglass = []

        [links]
        require = true
        [links.acme]
        "1100000000000000077" = "00u1"

        [policy.enable]
        approvals = 1
        expires = "60m"
        [policy.retry]
        approvals = 0
        bulk_over = 10
        bulk_approvals = 1
        [policy.reassign]
        approvals = 2
        expires = "30m"
        [[policy.app]]
        id = "0oa9"
        approver = ["role:1100000000000000010"]
        enable = { approvals = 2 }

        [alerts]
        causes = ["inactive-account"]
        group_wait = "20s"
        edit_interval = "5s"
        verify_within = "10m"

        [http]
        listen = "127.0.0.1:9464"
        "#,
    )?;
    let config = load(&folder, &[])?;
    let app: AppId = "0oa9".parse()?;

    assert_eq!(config.discord()?.token.expose_secret(), "DISCORD-CANARY");
    assert_eq!(config.policy.gates(&app).enable.approvals, 2);
    assert_eq!(config.policy.gates(&app).reassign, config.policy.gates.reassign);
    assert_eq!(config.holders(Role::Approver, Some(&app)).len(), 1);
    assert_ne!(config.holders(Role::Approver, Some(&app)), config.holders(Role::Approver, None));
    assert_eq!(config.holders(Role::Operator, Some(&app)), config.holders(Role::Operator, None));
    assert_eq!(config.warnings, []);
    let shown = format!("{config:?} {config:#?}");
    assert!(!shown.contains("CANARY"), "a secret is shown:\n{shown}");

    let consoles: Vec<_> =
        config.orgs.values().map(|org| org.console_url.as_ref().map(origin_of).unwrap_or_default()).collect();
    assert_eq!(consoles, ["https://console.acme.example", "https://lab-admin.oktapreview.com"]);
    let ways: Vec<_> =
        config.orgs.values().map(|org| matches!(org.credentials, Credentials::ServiceApp { .. })).collect();
    assert_eq!(ways, [false, true]);
    Ok(())
}

#[test]
fn a_variable_wins_over_the_file() -> Result<()> {
    let folder = folder(GOOD)?;
    let config = load(
        &folder,
        &[
            ("PROVOST_DISCORD__TOKEN", "FROM-THE-ENVIRONMENT"),
            ("PROVOST_OKTA__ACME__POLL_INTERVAL", "2m"),
            ("PROVOST_OKTA__ACME__WRITES", "true"),
            ("PROVOST_OKTA__ACME__RATE_LIMIT_SHARE", "0.25"),
            ("PROVOST_ROLES__VIEWER", "role:1100000000000000006, member:1100000000000000007"),
            ("PROVOST_LINKS__ACME__1100000000000000077", "00uCaseKept"),
            ("PROVOST_HTTP__LISTEN", ""),
            ("PROVOST_SERVICE_HOST", "10.0.0.1"),
            ("PROVOST_CONFIG", "elsewhere.toml"),
        ],
    )?;
    let acme = &config.orgs[&"acme".parse()?];

    assert_eq!(config.discord()?.token.expose_secret(), "FROM-THE-ENVIRONMENT");
    assert_eq!(in_words(acme.poll_interval), "2m");
    assert!(acme.writes);
    assert_eq!(acme.rate_limit_share, 0.25);
    assert_eq!(config.roles.holders(Role::Viewer).len(), 2);
    assert_eq!(
        config.links.orgs[&"acme".parse()?].values().next().map(|person| person.as_str()),
        Some("00uCaseKept")
    );
    assert_eq!(config.listen, None);
    Ok(())
}

#[test]
fn an_org_with_a_dash_can_be_named_by_a_variable() -> Result<()> {
    let folder = folder(&GOOD.replace("okta.acme", "okta.Acme-EU"))?;
    let config = load(&folder, &[("PROVOST_OKTA__ACME_EU__LOOKBACK", "7d")])?;

    assert_eq!(in_words(config.orgs[&"Acme-EU".parse()?].lookback), "7d");
    Ok(())
}

#[test]
fn a_scan_needs_an_org_and_no_more() -> Result<()> {
    let folder = folder("[okta.acme]\nurl = \"https://acme.okta.com\"\napi_token_file = \"okta_token\"\n")?;
    let config = load(&folder, &[])?;

    assert!(matches!(
        &config.orgs[&"acme".parse()?].credentials,
        Credentials::Token(token) if token.expose_secret() == "00OKTA-CANARY"
    ));
    assert_eq!(config.discord().map(drop).map_err(|missing| missing.0.len()), Err(3));
    assert_eq!(in_words(config.orgs[&"acme".parse()?].poll_interval), "30s");
    Ok(())
}

#[test]
fn nothing_configured_means_that_nobody_may_do_anything() -> Result<()> {
    let folder = folder(GOOD)?;
    let config = load(&folder, &[])?;

    for role in Role::ALL {
        assert_eq!(config.holders(role, None), []);
    }
    let warned: String =
        config.warnings.iter().map(|warning| format!("{}: {}\n", warning.key, warning.what.wrong)).collect();
    assert_snapshot!(warned, @"roles: is empty: nobody may do anything but /okta help and /okta whoami");
    Ok(())
}

#[test]
#[cfg(unix)]
fn a_secret_that_everybody_can_read_is_warned_of() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder(&GOOD.replace("api_token_file = \"okta_token\"", "api_token = \"00OKTA-CANARY\""))?;
    for name in ["discord_token", "provost.toml"] {
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o644))?;
    }
    let config = load(&folder, &[("PROVOST_ROLES__ADMIN", "member:1100000000000000007")])?;

    let warned: String = config.warnings.iter().map(|warning| format!("{warning}\n")).collect();
    assert!(!warned.contains("CANARY"));
    assert_snapshot!(warned.replace(&format!("{}/", folder.path().display()), ""), @r#"
    provost.toml:3: discord.token_file: discord_token can be read by everybody on this machine (mode 0644); chmod 600 it
    provost.toml:9: okta.acme.api_token: stands in a file that everybody on this machine can read (mode 0644); chmod 600 the file, or move the secret to one of its own: api_token_file = "…"
    "#);
    Ok(())
}

#[test]
fn the_environment_does_not_show_itself() {
    let environment: Environment =
        [("PROVOST_DISCORD__TOKEN".to_owned(), "CANARY".to_owned())].into_iter().collect();

    assert!(!format!("{environment:?}").contains("CANARY"));
}
