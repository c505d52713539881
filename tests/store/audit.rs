//! The audit: whatever is done to it is found.

use anyhow::{Context, Result};
use domain::audit::{BEGINNING, Broken, Checked, Draft, Entry, verify};
use domain::ids::MemberId;
use domain::request::RequestNumber;
use domain::requests::{AuditQuery, AuditShown, Paused, Requests};
use jiff::SignedDuration;
use provost::store::{OpenError, Sql};
use sqlx::{AnyConnection, Executor};

use crate::postgres;
use crate::requests::{ADA, OLIVE, entry};
use crate::world::*;

/// Something that was done, different for every `n`.
fn deed(n: i64) -> Draft {
    Draft {
        what: format!("request.{n}"),
        member: (n % 3 > 0).then_some(if n % 3 == 1 { ADA } else { OLIVE }),
        person: (n % 2 > 0).then(|| format!("p{n}").parse().expect("a good id")),
        org: Some(acme()),
        app: Some(format!("app{}", n % 4).parse().expect("a good id")),
        request: (n % 5 > 0).then_some(RequestNumber(n % 5)),
        request_hash: format!("{n:064x}"),
        before: "off".to_owned(),
        after: "on".to_owned(),
        reason: format!("“{n}”, '; DROP TABLE audit; --"),
        okta_request: format!("req{n}"),
        event: format!("e{n}"),
        outcome: "done".to_owned(),
    }
}

async fn chain_of(world: &World, length: i64) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for n in 1..=length {
        let now = at("10:00:00") + SignedDuration::from_micros(n * 1500);
        entries.push(world.store.audit(deed(n), now).await?);
    }
    Ok(entries)
}

/// Reads the chain page by page to its end.
async fn whole(store: &Sql) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let page = store.chain(entries.last().map_or(i64::MIN, |last| last.number + 1)).await?;
        if page.is_empty() {
            return Ok(entries);
        }
        entries.extend(page);
    }
}

#[tokio::test]
async fn what_was_written_is_read_and_each_follows_on_the_one_before() -> Result<()> {
    let world = World::new().await?;
    let written = chain_of(&world, 30).await?;
    assert_eq!(written[0].previous, BEGINNING);

    let world = world.restarted().await?;
    assert_eq!(whole(&world.store).await?, written);
    assert_eq!(verify(written.clone(), None), Ok(30));
    let next = world.store.audit(deed(31), at("11:00:00")).await?;
    assert_eq!((next.number, &next.previous), (31, &written[29].hash));
    assert_eq!(world.store.chain(30).await?, [written[29].clone(), next]);
    assert_eq!(world.store.chain(32).await?, []);
    Ok(())
}

#[tokio::test]
async fn entries_are_found_newest_first_by_app_member_and_request() -> Result<()> {
    let world = World::new().await?;
    chain_of(&world, 12).await?;
    let all = AuditQuery::default();
    let app = Some("app1".parse()?);
    #[rustfmt::skip]
    let table = [
        (AuditQuery { limit: 3, ..all.clone() },                                   vec![12, 11, 10]),
        (AuditQuery { app: app.clone(), ..all.clone() },                           vec![9, 5, 1]),
        (AuditQuery { member: Some(ADA), ..all.clone() },                          vec![10, 7, 4, 1]),
        (AuditQuery { member: Some(OLIVE), ..all.clone() },                        vec![11, 8, 5, 2]),
        (AuditQuery { request: Some(RequestNumber(2)), ..all.clone() },            vec![12, 7, 2]),
        (AuditQuery { app, member: Some(ADA), ..all.clone() },                     vec![1]),
        (AuditQuery { member: Some(MemberId(99)), ..all.clone() },                 vec![]),
        (all,                                                                      (1..=12).rev().collect()),
    ];
    for (query, expected) in table {
        let found = world.store.entries(&query).await?;
        let numbers: Vec<_> = found.iter().map(|entry| entry.number).collect();
        assert_eq!(numbers, expected, "{query:?}");
    }
    Ok(())
}

#[tokio::test]
async fn many_at_once_make_one_chain() -> Result<()> {
    let world = World::new().await?;
    let writing = (0..100).map(|n| world.store.audit(deed(n), at("10:00:00")));
    let written = futures_util::future::join_all(writing).await;
    assert!(written.iter().all(Result::is_ok));
    assert_eq!(verify(whole(&world.store).await?, None), Ok(100));
    Ok(())
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as i64) % limit
    }
}

/// Something that somebody with the database could do to one or two entries, in SQL.
fn tampering(dice: &mut Dice, length: i64) -> String {
    const TEXTS: [&str; 12] = [
        "what",
        "person",
        "org",
        "app",
        "request_hash",
        "state_before",
        "state_after",
        "reason",
        "okta_request",
        "event",
        "outcome",
        "previous",
    ];
    const NUMBERS: [&str; 4] = ["at_ms", "member", "request", "number"];
    let one = 1 + dice.below(length);
    let inner = 1 + dice.below(length - 1);
    let text = TEXTS[dice.below(12) as usize];
    let number = NUMBERS[dice.below(4) as usize];
    match dice.below(8) {
        0 => format!("UPDATE audit SET {text} = 'edited' WHERE number = {one}"),
        1 => format!("UPDATE audit SET {text} = '' WHERE number = {one} AND {text} <> ''"),
        2 => format!("UPDATE audit SET {text} = '=(&\u{7})' WHERE number = {one}"),
        3 => format!("UPDATE audit SET {number} = COALESCE({number}, 0) + 1000 WHERE number = {one}"),
        4 => format!("UPDATE audit SET {number} = 'x' WHERE number = {one}")
            .replace("number = 'x'", "hash = 'x'"),
        5 => format!("DELETE FROM audit WHERE number = {inner}"),
        6 => format!(
            "UPDATE audit SET number = -1 WHERE number = {inner}; UPDATE audit SET number = {inner} WHERE number = \
             {inner} + 1; UPDATE audit SET number = {inner} + 1 WHERE number = -1"
        ),
        _ => format!(
            "INSERT INTO audit SELECT number - {length}, at_ms, what, member, person, org, app, request, \
             request_hash, state_before, state_after, reason, okta_request, event, outcome, previous, hash \
             FROM audit WHERE number = {one}"
        ),
    }
}

#[tokio::test]
async fn of_100_things_done_to_it_all_are_found() -> Result<()> {
    const LENGTH: i64 = 40;
    let world = World::new().await?;
    chain_of(&world, LENGTH).await?;
    let mut intruder = world.intruder().await?;
    intruder.execute("CREATE TABLE good AS SELECT * FROM audit").await?;
    let mut dice = Dice(1);
    let mut found = 0;
    for round in 0..100 {
        // One that happens to change nothing is none: another is tried.
        let tampering = loop {
            let tampering = tampering(&mut dice, LENGTH);
            let done = intruder.execute(sqlx::AssertSqlSafe(tampering.clone())).await;
            // A text in place of a number is for SQLite alone.
            if done.is_err() && postgres::server().is_some() {
                continue;
            }
            done?;
            if differs(&mut intruder).await? {
                break tampering;
            }
        };
        let verdict = match whole(&world.store).await {
            Ok(entries) => verify(entries, None).map_err(|broken| broken.to_string()),
            Err(error) => Err(format!("{:#}", error)),
        };
        let Err(words) = verdict else { anyhow::bail!("round {round}: not found: {tampering}") };
        assert!(words.contains("entry"), "{words}");
        found += 1;
        intruder.execute("DELETE FROM audit; INSERT INTO audit SELECT * FROM good").await?;
    }
    assert_eq!(found, 100);
    assert_eq!(verify(whole(&world.store).await?, None), Ok(LENGTH));
    Ok(())
}

async fn differs(intruder: &mut AnyConnection) -> Result<bool> {
    let differing = "SELECT COUNT(*) FROM (SELECT * FROM audit EXCEPT SELECT * FROM good) AS new \
                     UNION ALL SELECT COUNT(*) FROM (SELECT * FROM good EXCEPT SELECT * FROM audit) AS gone";
    let counts: Vec<i64> = sqlx::query_scalar(differing).fetch_all(intruder).await?;
    Ok(counts.iter().any(|count| *count > 0))
}

#[tokio::test]
async fn what_comes_before_an_unreadable_entry_is_still_read() -> Result<()> {
    let world = World::new().await?;
    let written = chain_of(&world, 5).await?;
    let mut intruder = world.intruder().await?;
    intruder.execute("UPDATE audit SET org = 'no org!' WHERE number = 3").await?;

    assert_eq!(world.store.chain(1).await?, written[..2]);
    let error = anyhow::Error::from(world.store.chain(3).await.err().context("it was read")?);
    assert!(format!("{error:#}").contains("audit entry 3"), "{error:#}");
    assert_eq!(world.store.chain(4).await?, written[3..]);
    Ok(())
}

#[tokio::test]
async fn a_cut_tail_is_found_with_an_anchor_only() -> Result<()> {
    let world = World::new().await?;
    let written = chain_of(&world, 20).await?;
    let mut intruder = world.intruder().await?;
    intruder.execute("DELETE FROM audit WHERE number > 15").await?;
    let noted = |n: usize| Some((n as i64, &written[n - 1].hash[..16]));

    let cut = whole(&world.store).await?;
    assert_eq!(verify(cut.clone(), None), Ok(15));
    assert_eq!(verify(cut.clone(), noted(15)), Ok(15));
    assert_eq!(verify(cut, noted(20)), Err(Broken::Cut(20)));

    // Grown anew past the cut.
    for n in 100..110 {
        world.store.audit(deed(n), at("12:00:00")).await?;
    }
    let anew = whole(&world.store).await?;
    assert_eq!(verify(anew.clone(), None), Ok(25));
    assert_eq!(verify(anew, noted(20)), Err(Broken::NotTheAnchor(20)));
    Ok(())
}

#[tokio::test]
async fn ten_thousand_entries_are_verified_page_by_page() -> Result<()> {
    let world = World::new().await?;
    let mut intruder = world.intruder().await?;
    // Written here, without the wait for the disk that each real one has.
    intruder.execute("PRAGMA synchronous = OFF").await?;
    intruder.execute("BEGIN").await?;
    let (mut number, mut last) = (0, BEGINNING.to_owned());
    for n in 1..=10_000 {
        let entry = Entry::following(
            (number, &last),
            Draft { what: format!("deed {n}"), ..Draft::default() },
            at("10:00:00"),
        );
        sqlx::query(
            "INSERT INTO audit (number, at_ms, what, request_hash, state_before, state_after, reason, okta_request, \
             event, outcome, previous, hash) VALUES ($1, $2, $3, '', '', '', '', '', '', '', $4, $5)",
        )
        .bind(entry.number)
        .bind(entry.at.as_millisecond())
        .bind(entry.draft.what.as_str())
        .bind(entry.previous.as_str())
        .bind(entry.hash.as_str())
        .execute(&mut intruder)
        .await?;
        (number, last) = (entry.number, entry.hash);
    }
    intruder.execute("COMMIT").await?;

    let mut checked = Checked::against(Some((10_000, &last[..16])));
    let mut pages = 0;
    loop {
        let page = world.store.chain(checked.last().0 + 1).await?;
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 1000);
        for entry in &page {
            checked.entry(entry)?;
        }
        pages += 1;
    }
    checked.end()?;
    assert_eq!((pages, checked.last()), (10, (10_000, last.as_str())));
    Ok(())
}

#[tokio::test]
async fn the_kill_switch_is_on_record_and_survives_a_restart() -> Result<()> {
    let world = World::new().await?;
    assert_eq!(world.store.paused().await?, None);
    let paused = Paused { by: OLIVE, since: at("10:00:00"), reason: "look ‘here’".to_owned() };
    let draft = |what| entry(what).context("a draft");
    world.store.pause(Some(paused.clone()), draft("pause")?, at("10:00:00")).await?;

    let world = world.restarted().await?;
    assert_eq!(world.store.paused().await?, Some(paused.clone()));
    let again = Paused { by: ADA, ..paused };
    world.store.pause(Some(again.clone()), draft("pause")?, at("10:01:00")).await?;
    assert_eq!(world.store.paused().await?, Some(again));
    world.store.pause(None, draft("resume")?, at("10:02:00")).await?;
    assert_eq!(world.store.paused().await?, None);
    let written = whole(&world.store).await?;
    let what: Vec<_> = written.iter().map(|entry| entry.draft.what.as_str()).collect();
    assert_eq!(what, ["pause", "pause", "resume"]);
    Ok(())
}

#[tokio::test]
async fn what_the_channel_has_shown_does_not_go_back() -> Result<()> {
    let world = World::new().await?;
    assert_eq!(world.store.audit_shown().await?, AuditShown::default());
    for (noted, shown) in [(3, 3), (2, 3), (7, 7)] {
        world.store.note_audit_shown(noted).await?;
        assert_eq!(world.store.audit_shown().await?.shown, shown);
    }
    world.store.note_audit_telling(9, at("10:00:00")).await?;
    let kept = AuditShown { shown: 7, telling: 9, attempted: Some(at("10:00:00")) };
    assert_eq!(world.restarted().await?.store.audit_shown().await?, kept);
    Ok(())
}

#[tokio::test]
async fn it_is_read_while_the_service_works_and_whoever_reads_cannot_write() -> Result<()> {
    let world = World::new().await?;
    let written = chain_of(&world, 3).await?;

    let reader = Sql::open_to_read(&world.url).await?;
    assert_eq!(whole(&reader).await?, written);
    assert!(reader.audit(deed(4), at("10:00:00")).await.is_err());
    world.store.audit(deed(4), at("10:00:00")).await?;
    assert_eq!(whole(&reader).await?.len(), 4, "what comes in meanwhile is seen");

    reader.close().await;
    world.store.audit(deed(5), at("10:00:00")).await?;
    assert_eq!(verify(whole(&world.store).await?, None), Ok(5));
    Ok(())
}

#[tokio::test]
async fn only_a_store_of_this_version_is_opened_to_read() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("provost.db");
    let url = format!("sqlite://{}", file.display());
    let refusal = async || Sql::open_to_read(&url).await.err().context("it was opened");

    assert!(matches!(refusal().await?, OpenError::Missing { .. }));
    assert!(!file.exists(), "nothing is made");
    std::fs::write(&file, "")?;
    assert!(matches!(refusal().await?, OpenError::NotUpToDate { .. }));
    std::fs::write(&file, "Remember the milk.\n".repeat(100))?;
    assert!(matches!(refusal().await?, OpenError::NotADatabase { .. }));
    std::fs::remove_file(&file)?;

    let world = World::new().await?;
    let url = format!("sqlite://{}", world.file().display());
    let refusal = async || Sql::open_to_read(&url).await.err().context("it was opened");
    let mut intruder = world.intruder().await?;
    let newest = "SELECT MAX(version) FROM _sqlx_migrations";
    intruder
        .execute(sqlx::AssertSqlSafe(format!("DELETE FROM _sqlx_migrations WHERE version = ({newest})")))
        .await?;
    assert!(matches!(refusal().await?, OpenError::NotUpToDate { .. }));
    intruder
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'of the future', 1, x'00', 0)",
        )
        .await?;
    assert!(matches!(refusal().await?, OpenError::Newer { .. }));
    Ok(())
}

#[test]
fn no_statement_changes_or_deletes_an_entry() -> Result<()> {
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store"))? {
        let path = file?.path();
        let text = std::fs::read_to_string(&path)?.to_lowercase();
        let words: Vec<_> =
            text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
        for words in words.windows(3) {
            let changes = matches!(
                words,
                ["update", "audit", _]
                    | ["replace", "into", "audit"]
                    | ["delete", "from", "audit"]
                    | ["drop" | "alter" | "truncate", "table", "audit"]
            );
            assert!(!changes, "{}: {words:?}", path.display());
        }
        if path.ends_with("audit.rs") {
            let inserts = text.split("insert into audit ").skip(1);
            for insert in inserts {
                let statement = insert.split(".bind").next().unwrap_or_default();
                assert!(!statement.contains("on conflict"), "{statement}");
            }
        }
    }
    Ok(())
}
