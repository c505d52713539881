//! What a log amounts to, told as short stories about one log.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::Mutex;

use anyhow::Result;
use async_trait::async_trait;
use domain::assignment::{Assignment, SavedProfile};
use domain::cause::Rules;
use domain::event::{Actor, App, Event, EventKind, Outcome, Person};
use domain::facts::{
    AppFacts, AppUser, Connection, LogFrom, LogPage, OktaUser, Page, ProvisioningFeature, Unreadable,
};
use domain::ids::{AppId, GroupId, UserId};
use domain::ports::{Clock, Directory, DirectoryError, Written};
use jiff::{SignedDuration, Timestamp};

use super::report::{Report, State};
use super::tally::Tally;
use super::{csv, json, live, table};

/// One event: `second verb person app transaction [reason]`, for example `10 push- dana slack t1 it said no`.
fn event(line: &str) -> Result<Event> {
    let mut words = line.splitn(6, ' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let (second, verb, person, app, transaction, reason) = (word(), word(), word(), word(), word(), word());
    let second: i64 = second.parse()?;
    let (event_type, outcome) = match verb.as_str() {
        "push+" => ("application.provision.user.push", Outcome::Success),
        "push-" => ("application.provision.user.push", Outcome::Failure),
        "profile+" => ("application.provision.user.push_profile", Outcome::Success),
        "profile-" => ("application.provision.user.push_profile", Outcome::Failure),
        "sync-" => ("application.provision.user.sync", Outcome::Failure),
        "import+" => ("application.provision.user.import_profile", Outcome::Success),
        "unassign" => ("application.user_membership.remove", Outcome::Success),
        "on" | "off" => ("application.lifecycle.update", Outcome::Success),
        other => anyhow::bail!("no verb {other}"),
    };
    let message = match verb.as_str() {
        "on" => Some("Deprovisioning unassigned users".to_owned()),
        "off" => Some("Stop deprovisioning unassigned users".to_owned()),
        _ => None,
    };
    Ok(Event {
        id: format!("{verb}-{person}-{app}-{second}").replace('+', "-ok").parse()?,
        published: Timestamp::from_second(1_790_000_000 + second)?,
        kind: EventKind::of(event_type),
        event_type: event_type.to_owned(),
        legacy_type: None,
        outcome,
        reason: Some(reason).filter(|reason| !reason.is_empty()),
        message: None,
        transaction: Some(transaction).filter(|id| !id.is_empty() && id != "-"),
        app: Some(App { id: format!("0oa{app}").parse()?, label: app.to_uppercase() }),
        person: Some(Person {
            id: format!("00u{person}").parse()?,
            login: Some(format!("{person}@acme.example")),
            name: None,
        }),
        actor: Actor { name: Some("Ada".to_owned()), ..Actor::default() },
        custom_message: message,
        deactivate_users: None,
    })
}

fn facts(app: &str, features: &[&str]) -> Result<AppFacts> {
    Ok(AppFacts {
        app: App { id: format!("0oa{app}").parse()?, label: app.to_uppercase() },
        kind: app.to_owned(),
        active: true,
        features: features.iter().map(|feature| (*feature).to_owned()).collect(),
    })
}

fn report(log: &[&str], apps: Option<Vec<AppFacts>>) -> Result<Report> {
    let mut tally = Tally::new(Arc::new(Rules::embedded()));
    for line in log {
        tally.take(event(line)?);
    }
    Ok(Report::of(tally, apps))
}

/// The failures in short: `person app cause state times`.
fn told(report: &Report) -> Vec<String> {
    let told = |failure: &super::report::Failure| {
        let person = failure.person.id.as_str().trim_start_matches("00u");
        let app = failure.app.id.as_str().trim_start_matches("0oa");
        format!("{person} {app} {} {} {}", failure.reason.word(), failure.state.word(), failure.times)
    };
    let mut told: Vec<String> = report.failures.iter().map(told).collect();
    told.sort();
    told
}

const INACTIVE: &str = "Automatic provisioning of user failed: User account is inactive";

#[test]
fn every_log_is_told_the_same_forwards_and_backwards() -> Result<()> {
    let inactive = |line: &str| format!("{line} {INACTIVE}");
    #[rustfmt::skip]
    let table: Vec<(&str, Vec<String>, Vec<&str>)> = vec![
        ("a failure waits", vec![inactive("1 push- dana slack t1")],
            vec!["dana slack inactive-account waiting 1"]),
        ("one job is one failure, however many events it logs",
            vec![inactive("1 push- dana slack t1"), inactive("2 profile- dana slack t1"), "3 sync- dana slack t1".into()],
            vec!["dana slack inactive-account waiting 1"]),
        ("a later success of another job heals it",
            vec![inactive("1 push- dana slack t1"), "9 push+ dana slack t2".into()],
            vec!["dana slack inactive-account healed 1"]),
        ("a success of the same job does not",
            vec![inactive("1 push- dana slack t1"), "2 profile+ dana slack t1".into()],
            vec!["dana slack inactive-account waiting 1"]),
        ("nor does an earlier one", vec!["1 push+ dana slack t0".into(), inactive("2 push- dana slack t1")],
            vec!["dana slack inactive-account waiting 1"]),
        ("nor an import", vec![inactive("1 push- dana slack t1"), "2 import+ dana slack t2".into()],
            vec!["dana slack inactive-account waiting 1"]),
        ("nor somebody else's", vec![inactive("1 push- dana slack t1"), "2 push+ vic slack t2".into()],
            vec!["dana slack inactive-account waiting 1"]),
        ("the job's own success after another's hides nothing",
            vec![inactive("1 push- dana slack t1"), "2 push+ dana slack t2".into(), "3 profile+ dana slack t1".into()],
            vec!["dana slack inactive-account healed 1"]),
        ("failing again after a success waits again",
            vec![inactive("1 push- dana slack t1"), "2 push+ dana slack t2".into(), inactive("3 push- dana slack t3")],
            vec!["dana slack inactive-account waiting 2"]),
        ("unassigning ends it", vec![inactive("1 push- dana slack t1"), "5 unassign dana slack t4".into()],
            vec!["dana slack inactive-account ended 1"]),
        ("assigning again makes it wait again",
            vec!["1 unassign dana slack t0".into(), inactive("5 push- dana slack t1")],
            vec!["dana slack inactive-account waiting 1"]),
        ("a rate limit heals itself", vec!["1 push- dana slack t1 429 Too Many Requests".into()],
            vec!["dana slack self-healing healing 1"]),
        ("a reason that no rule knows", vec!["1 push- dana slack t1 the moon is full".into()],
            vec!["dana slack other waiting 1"]),
        ("no reason at all", vec!["1 sync- dana slack t1".into(), "5 sync- dana slack t1".into()],
            vec!["dana slack unexplained waiting 1"]),
        ("no reason, but within a minute of one", vec![inactive("1 push- dana slack t1"), "50 sync- dana slack -".into()],
            vec!["dana slack inactive-account waiting 1"]),
        ("no reason, and long after", vec![inactive("1 push- dana slack t1"), "500 sync- dana slack t2".into()],
            vec!["dana slack inactive-account waiting 1", "dana slack unexplained waiting 1"]),
    ];
    for (case, log, expected) in &table {
        let mut log: Vec<&str> = log.iter().map(String::as_str).collect();
        assert_eq!(told(&report(&log, None)?), *expected, "{case}");
        log.reverse();
        assert_eq!(told(&report(&log, None)?), *expected, "{case}, the latest first");
    }
    Ok(())
}

#[test]
fn a_failure_without_a_reason_is_possibly_ours_where_the_setting_is_off() -> Result<()> {
    let apps = vec![facts("slack", &["PUSH_NEW_USERS"])?];
    let report = report(&["1 sync- dana slack t1"], Some(apps))?;

    assert_eq!(told(&report), ["dana slack inactive-account waiting 1"]);
    assert_eq!(report.groups[0].confidence.map(|confidence| confidence.word()), Some("possible"));
    Ok(())
}

#[test]
fn the_apps_that_will_fail_next_push_and_do_not_deactivate() -> Result<()> {
    let apps = vec![
        facts("airbase", &["PUSH_NEW_USERS"])?,
        facts("slack", &["PUSH_NEW_USERS", "PUSH_USER_DEACTIVATION"])?,
        facts("bookmark", &[])?,
        AppFacts { active: false, ..facts("old", &["PUSH_NEW_USERS"])? },
    ];
    let report = report(&[], Some(apps))?;

    let next: Vec<&str> = report.fail_next.iter().flatten().map(|facts| facts.kind.as_str()).collect();
    assert_eq!(next, ["airbase"]);
    Ok(())
}

#[test]
fn a_report_reads_well_and_shows_no_trick() -> Result<()> {
    let apps = vec![
        facts("airbase", &["PUSH_NEW_USERS"])?,
        facts("slack", &["PUSH_NEW_USERS", "PUSH_USER_DEACTIVATION"])?,
    ];
    let inactive = format!("100 push- dana airbase t1 {INACTIVE}");
    let vic = format!("7000 push- vic airbase t2 {INACTIVE}");
    let log = [
        "1 off - airbase t0",
        &inactive,
        &vic,
        "7100 push+ vic airbase t9",
        "7200 push- eve slack t5 =cmd()\u{202e}\u{1b}[2J\nnot found, or so",
        "7300 push- eve zoom t6 the moon is full",
    ];
    let report = report(&log, Some(apps))?;

    let rules = Rules::embedded();
    let mut shown = Vec::new();
    table::write(&report, "https://acme.okta.com, the last 7d", &rules, &mut shown)?;
    let shown = String::from_utf8(shown)?;
    insta::assert_snapshot!(shown, @r"
    https://acme.okta.com, the last 7d: 6 log entries
    6 provisioning events, 2026-09-21 14:13Z to 2026-09-21 16:15Z

    3 failed pushes wait for somebody. Healed since: 1.

    By app and cause
      APP      ID          CAUSE                       WAITING  OTHERS    FIRST       LAST               DEACTIVATE USERS
      AIRBASE  0oaairbase  inactive-account (certain)        1  1 healed  2026-09-21  2026-09-21 16:10Z  off since 2026-09-21 14:13Z by Ada
      ZOOM     0oazoom     other (likely)                    1            2026-09-21  2026-09-21 16:15Z
      SLACK    0oaslack    not-found (likely)                1            2026-09-21  2026-09-21 16:13Z  on

    Who waits
      APP      PERSON             CAUSE             TIMES  FIRST       LAST               WHAT OKTA SAID
      AIRBASE  dana@acme.example  inactive-account      1  2026-09-21  2026-09-21 14:15Z  Automatic provisioning of user failed: User account is inactive
      SLACK    eve@acme.example   not-found             1  2026-09-21  2026-09-21 16:13Z  =cmd()\u{202e}\u{1b}[2J\u{a}not found, or so
      ZOOM     eve@acme.example   other                 1  2026-09-21  2026-09-21 16:15Z  the moon is full

    inactive-account: User account is inactive. The account still exists in the app but is inactive there. In spite of its name, Deactivate Users is also the setting that lets Okta activate an account again; while it is off for the app, Okta may not.
      https://support.okta.com/help/s/article/Airbase-Provisioning-Error-Automatic-provisioning-of-user-to-app-Airbase-failed-User-account-is-inactive

    other: Another provisioning error. No rule knows this reason. The raw reason is shown as Okta logged it.
      https://help.okta.com/en/prod/Content/Topics/Provisioning/LCM-Prov/troubleshooting.htm

    not-found: The app does not know the account. Okta pushed to an account that the app no longer has. Assigning the person anew creates or matches it.
      https://support.okta.com/help/s/article/matching-user-not-found-provisioning-error-to-downstream-applications

    Will fail next: pushed to, and Deactivate Users is off
      APP      ID          KIND
      AIRBASE  0oaairbase  airbase

    Not recognised
      FAILURES  REASON THAT NO RULE KNOWS
             1  the moon is full
    ");
    assert!(!shown.contains(['\u{202e}', '\u{1b}']));

    let mut rows = Vec::new();
    csv::write(&report, &mut rows)?;
    insta::assert_snapshot!(String::from_utf8(rows)?.replace(['\r', '\u{1b}', '\u{202e}'], ""), @r#"
    app_id,app,person_id,login,name,cause,confidence,state,times,first,last,reason,event_id
    0oaairbase,AIRBASE,00udana,dana@acme.example,,inactive-account,certain,waiting,1,2026-09-21T14:15:00Z,2026-09-21T14:15:00Z,Automatic provisioning of user failed: User account is inactive,push--dana-airbase-100
    0oaslack,SLACK,00ueve,eve@acme.example,,not-found,likely,waiting,1,2026-09-21T16:13:20Z,2026-09-21T16:13:20Z,"'=cmd()[2J
    not found, or so",push--eve-slack-7200
    0oazoom,ZOOM,00ueve,eve@acme.example,,other,likely,waiting,1,2026-09-21T16:15:00Z,2026-09-21T16:15:00Z,the moon is full,push--eve-zoom-7300
    0oaairbase,AIRBASE,00uvic,vic@acme.example,,inactive-account,certain,healed,1,2026-09-21T16:10:00Z,2026-09-21T16:10:00Z,Automatic provisioning of user failed: User account is inactive,push--vic-airbase-7000
    "#);

    let mut object = Vec::new();
    json::write(&report, "here", &rules, &mut object)?;
    let object: serde_json::Value = serde_json::from_slice(&object)?;
    assert_eq!(object["counts"], serde_json::json!({ "waiting": 3, "healing": 0, "healed": 1, "ended": 0 }));
    assert_eq!(object["fail_next"][0]["label"], "AIRBASE");
    assert_eq!(object["groups"][0]["deactivate_users_changed"]["by"], "Ada");
    Ok(())
}

/// An org that gives its pages in turn, an answer a call.
struct Scripted(Mutex<VecDeque<Result<LogPage, DirectoryError>>>);

struct Midnight;

impl Clock for Midnight {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

#[async_trait]
impl Directory for Scripted {
    fn clock_ahead(&self) -> Option<SignedDuration> {
        None
    }

    async fn log(&self, _: &LogFrom) -> Result<LogPage, DirectoryError> {
        let next = self.0.lock().ok().and_then(|mut pages| pages.pop_front());
        next.unwrap_or_else(|| Err(DirectoryError::BadAnswer { why: "nothing is left".to_owned() }))
    }

    async fn app_log(
        &self,
        _: &AppId,
        _: Timestamp,
        _: Timestamp,
        _: Option<&str>,
    ) -> Result<LogPage, DirectoryError> {
        self.log(&LogFrom::Since(Timestamp::UNIX_EPOCH)).await
    }

    async fn app(&self, _: &AppId) -> Result<AppFacts, DirectoryError> {
        Err(DirectoryError::Gone { what: "it".to_owned() })
    }

    async fn apps(&self, after: Option<&str>) -> Result<Page<AppFacts>, DirectoryError> {
        let next = after.is_none().then(|| "more".to_owned());
        let facts = facts(if after.is_none() { "a" } else { "b" }, &[]);
        facts
            .map(|facts| Page { items: vec![facts], next })
            .map_err(|error| DirectoryError::BadAnswer { why: error.to_string() })
    }

    async fn provisioning_feature(&self, _: &AppId) -> Result<ProvisioningFeature, DirectoryError> {
        Err(DirectoryError::Gone { what: "it".to_owned() })
    }

    async fn connection(&self, _: &AppId) -> Result<Connection, DirectoryError> {
        Err(DirectoryError::Gone { what: "it".to_owned() })
    }

    async fn app_users(&self, _: &AppId, _: Option<&str>) -> Result<Page<AppUser>, DirectoryError> {
        Err(DirectoryError::Gone { what: "it".to_owned() })
    }

    async fn app_user(&self, _: &AppId, _: &UserId) -> Result<AppUser, DirectoryError> {
        Err(DirectoryError::Gone { what: "it".to_owned() })
    }

    async fn user(&self, _: &str) -> Result<OktaUser, DirectoryError> {
        Err(DirectoryError::Gone { what: "it".to_owned() })
    }

    async fn capabilities(&self, _: &AppId) -> Result<BTreeMap<String, String>, DirectoryError> {
        Err(DirectoryError::Gone { what: "it".to_owned() })
    }

    async fn enable(&self, _: &AppId) -> Result<Written, DirectoryError> {
        Err(DirectoryError::Gone { what: "it".to_owned() })
    }

    async fn push(&self, _: &AppId, _: &UserId) -> Result<Written, DirectoryError> {
        Err(DirectoryError::Gone { what: "it".to_owned() })
    }

    async fn assignment(&self, _: &AppId, _: &UserId) -> Result<Assignment, DirectoryError> {
        Err(DirectoryError::Gone { what: "it".to_owned() })
    }

    async fn group_name(&self, _: &AppId, _: &GroupId) -> Result<String, DirectoryError> {
        Err(DirectoryError::Gone { what: "it".to_owned() })
    }

    async fn unassign(&self, _: &AppId, _: &UserId) -> Result<Written, DirectoryError> {
        Err(DirectoryError::Gone { what: "it".to_owned() })
    }

    async fn assign(
        &self,
        _: &AppId,
        _: &UserId,
        _: Option<&SavedProfile>,
    ) -> Result<Written, DirectoryError> {
        Err(DirectoryError::Gone { what: "it".to_owned() })
    }
}

#[tokio::test]
async fn an_org_is_read_to_the_end_and_waited_for() -> Result<()> {
    let page = |lines: &[&str], held: usize| -> Result<LogPage> {
        Ok(LogPage {
            events: lines.iter().map(|line| event(line)).collect::<Result<_>>()?,
            unreadable: vec![Unreadable { id: "e1".to_owned(), why: "no date".to_owned() }],
            held,
            next: Some("next".to_owned()),
            answered: None,
        })
    };
    let full = page(&["1 push- dana slack t1 no"], 1000)?;
    let last = page(&["2 push- vic slack t2 no"], 7)?;
    let until = Timestamp::UNIX_EPOCH + SignedDuration::from_millis(1);
    let org = Scripted(Mutex::new(VecDeque::from([
        Ok(full),
        Err(DirectoryError::RateLimited { until }),
        Ok(last),
    ])));
    let mut tally = Tally::new(Arc::new(Rules::embedded()));
    let mut waits = Vec::new();

    live::read(&org, &Midnight, Timestamp::UNIX_EPOCH, &mut tally, |_, why| {
        waits.extend(why.map(str::to_owned));
    })
    .await?;
    let apps = live::apps(&org, &Midnight, |_| {}).await?;

    assert_eq!(waits, ["Okta's rate limit is used up; going on in 1s"]);
    assert_eq!(apps.len(), 2);
    let report = Report::of(tally, Some(apps));
    assert_eq!((report.entries, report.events, report.torn), (1007, 2, 2));
    assert_eq!(report.count(State::Waiting), 2);
    Ok(())
}
