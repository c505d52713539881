//! What else a page of the log leaves behind: the position after it, entries that could not be handled, and changes
//! of the setting.

use std::collections::{BTreeSet, HashMap};

use domain::event::{Actor, App};
use domain::ids::{AppId, OrgName};
use domain::incident::SettingChange;
use domain::store::Position;
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Error};

use super::batch::{Value, insert, select};
use super::rows::{Columns, ms};

/// Where reading the org's log stands.
pub(super) async fn position(conn: &mut AnyConnection, org: &OrgName) -> Result<Option<Position>, Error> {
    let row = sqlx::query("SELECT * FROM log_position WHERE org = $1")
        .bind(org.as_str())
        .fetch_optional(conn)
        .await?;
    let position = |row: AnyRow| {
        Ok(Position {
            next: row.maybe_text("next")?,
            filter: row.text("filter")?,
            last_event: row.maybe_time("last_event_ms")?,
            looked_back: row.flag("looked_back")?,
            caught_up: row.maybe_time("caught_up_ms")?,
        })
    };
    row.map(position).transpose()
}

/// Moves the position.
pub(super) async fn move_to(
    conn: &mut AnyConnection,
    org: &OrgName,
    position: &Position,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO log_position (org, next, filter, last_event_ms, looked_back, caught_up_ms) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (org) DO UPDATE SET next = excluded.next, \
         filter = excluded.filter, last_event_ms = excluded.last_event_ms, \
         looked_back = excluded.looked_back, caught_up_ms = excluded.caught_up_ms",
    )
    .bind(org.as_str())
    .bind(position.next.as_deref())
    .bind(position.filter.as_str())
    .bind(position.last_event.map(ms))
    .bind(i64::from(position.looked_back))
    .bind(position.caught_up.map(ms))
    .execute(conn)
    .await?;
    Ok(())
}

/// An entry that could not be understood or handled: its id and why.
pub(super) type Unhandled<'a> = (&'a str, &'a str);

/// Adds entries that could not be understood or handled; says how many were not known.
pub(super) async fn add_unhandled(
    conn: &mut AnyConnection,
    org: &OrgName,
    entries: &[Unhandled<'_>],
    now: Timestamp,
) -> Result<u64, Error> {
    let columns = "INSERT INTO unhandled (org, id, why, at_ms)";
    insert(conn, columns, 4, "ON CONFLICT (org, id) DO NOTHING", entries, |query, (id, why)| {
        query.bind(org.as_str()).bind(*id).bind(*why).bind(ms(now))
    })
    .await
}

/// How many entries could not be understood or handled since a time; they have no time by Okta's clock, so it is
/// compared with ours.
pub(super) async fn unhandled(
    conn: &mut AnyConnection,
    org: &OrgName,
    since: Timestamp,
) -> Result<u64, Error> {
    let row = sqlx::query("SELECT COUNT(*) AS entries FROM unhandled WHERE org = $1 AND at_ms >= $2")
        .bind(org.as_str())
        .bind(ms(since))
        .fetch_one(conn)
        .await?;
    Ok(row.count("entries")?.into())
}

/// Forgets entries that were added before a time by our clock.
pub(super) async fn forget_unhandled(conn: &mut AnyConnection, before: Timestamp) -> Result<u64, Error> {
    let gone = sqlx::query("DELETE FROM unhandled WHERE at_ms < $1").bind(ms(before)).execute(conn).await?;
    Ok(gone.rows_affected())
}

/// Adds changes of the setting.
pub(super) async fn add_settings(
    conn: &mut AnyConnection,
    org: &OrgName,
    changes: &[(App, SettingChange)],
) -> Result<(), Error> {
    insert(
        conn,
        "INSERT INTO setting_change (org, event, app, app_label, turned_on, at_ms, actor_id, actor_name, \
         actor_kind)",
        9,
        "ON CONFLICT (org, event) DO NOTHING",
        changes,
        |query, (app, change)| {
            query
                .bind(org.as_str())
                .bind(change.event.as_str())
                .bind(app.id.as_str())
                .bind(app.label.as_str())
                .bind(i64::from(change.on))
                .bind(ms(change.at))
                .bind(change.by.id.as_deref())
                .bind(change.by.name.as_deref())
                .bind(change.by.kind.as_deref())
        },
    )
    .await?;
    Ok(())
}

/// The known changes of an app's setting, newest first, at most 20.
pub(super) async fn settings(
    conn: &mut AnyConnection,
    org: &OrgName,
    app: &AppId,
) -> Result<Vec<(App, SettingChange)>, Error> {
    let rows = sqlx::query(
        "SELECT * FROM setting_change WHERE org = $1 AND app = $2 ORDER BY at_ms DESC, event LIMIT 20",
    )
    .bind(org.as_str())
    .bind(app.as_str())
    .fetch_all(conn)
    .await?;
    let change = |row: &AnyRow| {
        let app = App { id: row.id("app")?, label: row.text("app_label")? };
        let by = Actor {
            id: row.maybe_text("actor_id")?,
            name: row.maybe_text("actor_name")?,
            kind: row.maybe_text("actor_kind")?,
        };
        let (on, at, event) = (row.flag("turned_on")?, row.time("at_ms")?, row.id("event")?);
        Ok((app, SettingChange { on, at, by, event }))
    };
    rows.iter().map(change).collect()
}

/// When the setting of each app last changed.
pub(super) async fn latest_settings(
    conn: &mut AnyConnection,
    org: &OrgName,
    apps: &BTreeSet<&AppId>,
) -> Result<HashMap<AppId, Timestamp>, Error> {
    let keys: Vec<_> = apps.iter().map(|app| Value::Text(app.as_str())).collect();
    let latest = select(
        conn,
        "SELECT app, MAX(at_ms) AS latest_ms FROM setting_change WHERE org = $1 AND app IN",
        "GROUP BY app",
        &[Value::Text(org.as_str())],
        &keys,
        |row| Ok((row.id("app")?, row.time("latest_ms")?)),
    )
    .await?;
    Ok(latest.into_iter().collect())
}
