//! `provost audit`, beside a store that is in use.

use anyhow::{Context, Result};
use domain::audit::{Draft, Entry};
use domain::ids::MemberId;
use domain::request::RequestNumber;
use domain::requests::Requests;
use insta::assert_snapshot;
use provost::store::Sql;
use sqlx::{Connection, Executor, SqliteConnection};
use tempfile::TempDir;

use super::{GOOD, provost, said, write};

/// A folder with a configuration and a store, which is open, as the service has it.
struct Service {
    folder: TempDir,
    store: Sql,
    entries: Vec<Entry>,
}

impl Service {
    async fn with(entries: i64) -> Result<Self> {
        let folder = TempDir::new()?;
        write(folder.path(), "provost.toml", GOOD)?;
        let store = Sql::open(&Self::url(&folder)).await?;
        let mut service = Self { folder, store, entries: Vec::new() };
        for n in 1..=entries {
            let draft = Draft {
                what: "request.approved".to_owned(),
                member: Some(MemberId(1_100_000_000_000_000_077)),
                app: Some("0oa1slack".parse()?),
                request: Some(RequestNumber(n)),
                reason: "=cmd|' /C calc'!A0 \u{202e}x".to_owned(),
                ..Draft::default()
            };
            let at = "2026-11-24T10:00:00.125Z".parse()?;
            service.entries.push(service.store.audit(draft, at).await?);
        }
        Ok(service)
    }

    fn url(folder: &TempDir) -> String {
        format!("sqlite://{}/provost.db", folder.path().display())
    }

    /// What a command says, without the warning about the configuration.
    fn says(&self, arguments: &str) -> Result<String> {
        let said = said(provost(self.folder.path(), arguments)?)?;
        Ok(said.lines().filter(|line| !line.starts_with("warning: ")).collect::<Vec<_>>().join("\n"))
    }

    async fn somebody_runs(&self, sql: &'static str) -> Result<()> {
        let mut intruder = SqliteConnection::connect(&Self::url(&self.folder)).await?;
        intruder.execute(sql).await?;
        Ok(intruder.close().await?)
    }
}

#[tokio::test]
async fn a_whole_audit_is_whole_while_the_service_runs() -> Result<()> {
    let service = Service::with(1205).await?;
    let last = service.entries.last().context("there are some")?;

    let plain = service.says("audit verify")?;
    assert_snapshot!(plain.replace(&last.hash, "HASH"), @"
    1,205 entries are whole; the last is 1205:HASH
    Without an anchor it cannot be seen whether the last entries were cut off, or the whole chain was
    computed anew. Give --anchor N:HASH with a line of the audit channel to see that too.
    --
    exit code 0
    ");

    let anchored = service.says(&format!("audit verify --anchor 1205:{}", &last.hash[..16]))?;
    assert_snapshot!(anchored.replace(&last.hash, "HASH"), @"
    1,205 entries are whole; the last is 1205:HASH
    Entry 1205 is the one that was noted elsewhere.
    --
    exit code 0
    ");

    service.store.audit(Draft::default(), last.at).await?;
    assert!(service.says("audit verify")?.contains("1,206 entries"), "the service went on");
    Ok(())
}

#[tokio::test]
async fn what_is_not_whole_is_named() -> Result<()> {
    let mut all = String::new();
    for sql in [
        "UPDATE audit SET reason = 'because' WHERE number = 3",
        "UPDATE audit SET app = 'no app!' WHERE number = 3",
        "DELETE FROM audit WHERE number = 3",
        "UPDATE audit SET number = 0 WHERE number = 5",
        "DELETE FROM audit WHERE number > 3",
        "DELETE FROM audit",
    ] {
        let service = Service::with(5).await?;
        let anchor = format!("5:{}", service.entries[4].hash);
        service.somebody_runs(sql).await?;
        for arguments in ["audit verify".to_owned(), format!("audit verify --anchor {anchor}")] {
            let said = service.says(&arguments)?;
            let named = service.entries.iter().fold(format!("$ {arguments}\n{said}\n"), |said, entry| {
                said.replace(&entry.hash, &format!("HASH{}", entry.number))
            });
            all.push_str(&named);
        }
    }
    assert_snapshot!(all, @"
    $ audit verify
    2 entries are whole; the last is 2:HASH2
    The audit is not whole: entry 3 was edited: its hash is not that of what it holds.
    --
    exit code 1
    $ audit verify --anchor 5:HASH5
    2 entries are whole; the last is 2:HASH2
    The audit is not whole: entry 3 was edited: its hash is not that of what it holds.
    --
    exit code 1
    $ audit verify
    2 entries are whole; the last is 2:HASH2
    --
    provost: the database failed
      because: audit entry 3 was edited: the database holds “no app!” is not an Okta app id such as 0oa1b2c3d4E5F6g7h8i9 where it should hold an identifier
    exit code 1
    $ audit verify --anchor 5:HASH5
    2 entries are whole; the last is 2:HASH2
    --
    provost: the database failed
      because: audit entry 3 was edited: the database holds “no app!” is not an Okta app id such as 0oa1b2c3d4E5F6g7h8i9 where it should hold an identifier
    exit code 1
    $ audit verify
    2 entries are whole; the last is 2:HASH2
    The audit is not whole: entry 4 does not follow on the one before it: an entry was removed, added or moved.
    --
    exit code 1
    $ audit verify --anchor 5:HASH5
    2 entries are whole; the last is 2:HASH2
    The audit is not whole: entry 4 does not follow on the one before it: an entry was removed, added or moved.
    --
    exit code 1
    $ audit verify
    0 entries are whole.
    The audit is not whole: entry 0 does not follow on the one before it: an entry was removed, added or moved.
    --
    exit code 1
    $ audit verify --anchor 5:HASH5
    0 entries are whole.
    The audit is not whole: entry 0 does not follow on the one before it: an entry was removed, added or moved.
    --
    exit code 1
    $ audit verify
    3 entries are whole; the last is 3:HASH3
    Without an anchor it cannot be seen whether the last entries were cut off, or the whole chain was
    computed anew. Give --anchor N:HASH with a line of the audit channel to see that too.
    --
    exit code 0
    $ audit verify --anchor 5:HASH5
    3 entries are whole; the last is 3:HASH3
    The audit is not whole: the chain ends before entry 5, which was noted elsewhere: its tail was cut off.
    --
    exit code 1
    $ audit verify
    0 entries are whole.
    Without an anchor it cannot be seen whether the last entries were cut off, or the whole chain was
    computed anew. Give --anchor N:HASH with a line of the audit channel to see that too.
    --
    exit code 0
    $ audit verify --anchor 5:HASH5
    0 entries are whole.
    The audit is not whole: the chain ends before entry 5, which was noted elsewhere: its tail was cut off.
    --
    exit code 1
    ");
    Ok(())
}

#[tokio::test]
async fn an_anchor_needs_enough_of_the_hash() -> Result<()> {
    let service = Service::with(1).await?;
    assert_snapshot!(service.says("audit verify --anchor 1:0123456789")?, @"
    --
    error: invalid value '1:0123456789' for '--anchor <N:HASH>': write the number, a colon, and at least the first 16 of the 64 digits of the hash, as the audit channel shows them, for example 214:9f86d081884c7d65

    For more information, try '--help'.
    exit code 2
    ");
    Ok(())
}

#[tokio::test]
async fn the_export_is_lines_of_json_or_a_table_without_formulas() -> Result<()> {
    let service = Service::with(3).await?;

    let json = service.says("audit export --from 2")?;
    let lines: Vec<serde_json::Value> =
        json.lines().take(2).map(serde_json::from_str).collect::<Result<_, _>>()?;
    for (line, entry) in lines.iter().zip(&service.entries[1..]) {
        assert_eq!(line["number"], entry.number);
        assert_eq!(line["at"], "2026-11-24T10:00:00.125Z");
        assert_eq!(line["member"], "1100000000000000077");
        assert_eq!(line["request"], entry.draft.request.context("it has one")?.to_string());
        assert_eq!(line["reason"], entry.draft.reason, "as it was written, so that its hash can be computed");
        assert_eq!(line["person"], serde_json::Value::Null);
        assert_eq!(
            (&line["previous"], &line["hash"]),
            (&entry.previous.as_str().into(), &entry.hash.as_str().into())
        );
    }
    assert!(json.ends_with("--\nexit code 0"), "{json}");

    let csv = service.says("audit export --format csv --from 3")?;
    let csv = csv.replace(&service.entries[1].hash, "HASH2").replace(&service.entries[2].hash, "HASH3");
    assert_snapshot!(csv, @r#"
    number,at,what,member,person,org,app,request,request_hash,before,after,reason,okta_request,event,outcome,previous,hash
    3,2026-11-24T10:00:00.125Z,request.approved,1100000000000000077,,,0oa1slack,R3,,,,"'=cmd|' /C calc'!A0 \u{202e}x",,,,HASH2,HASH3
    --
    exit code 0
    "#);
    Ok(())
}

#[tokio::test]
async fn a_chain_longer_than_a_page_is_exported_whole() -> Result<()> {
    let service = Service::with(1001).await?;
    assert_eq!(service.says("audit export")?.lines().filter(|line| line.starts_with('{')).count(), 1001);
    assert_eq!(service.says("audit export --from 2000")?, "--\nexit code 0");
    Ok(())
}

#[test]
fn without_a_store_there_is_nothing_to_verify() -> Result<()> {
    let folder = TempDir::new()?;
    write(folder.path(), "provost.toml", GOOD)?;
    let said = said(provost(folder.path(), "audit verify")?)?;
    assert!(said.contains("provost.db does not exist") && said.ends_with("exit code 2"), "{said}");
    assert!(!folder.path().join("provost.db").exists(), "nothing is made");
    Ok(())
}
