//! What a person's assignment held before a request took it away. Personal data: it can be erased, and is.

use domain::assignment::SavedProfile;
use domain::audit::Draft;
use domain::ids::UserId;
use domain::request::RequestNumber;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, Error};

use super::json::Stored;
use super::rows::{Columns, ms};
use super::{audit, requests};

#[derive(Serialize, Deserialize)]
pub(super) struct ProfileForm {
    attributes: std::collections::BTreeMap<String, String>,
    user_name: Option<String>,
}

impl Stored for SavedProfile {
    type Form = ProfileForm;

    fn form(&self) -> ProfileForm {
        ProfileForm { attributes: self.attributes.clone(), user_name: self.user_name.clone() }
    }

    fn of(form: ProfileForm) -> Result<Self, Error> {
        Ok(Self { attributes: form.attributes, user_name: form.user_name })
    }
}

/// Keeps what a request is about to take away.
pub(super) async fn keep(
    conn: &mut AnyConnection,
    number: RequestNumber,
    person: &UserId,
    profile: &SavedProfile,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO saved_profile (request, person, profile, saved_ms) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (request) DO UPDATE SET person = excluded.person, profile = excluded.profile, \
         saved_ms = excluded.saved_ms",
    )
    .bind(number.0)
    .bind(person.as_str())
    .bind(profile.json())
    .bind(ms(now))
    .execute(conn)
    .await?;
    Ok(())
}

/// What a request keeps, and of whom.
pub(super) async fn kept(
    conn: &mut AnyConnection,
    number: RequestNumber,
) -> Result<Option<(UserId, SavedProfile)>, Error> {
    let row = sqlx::query("SELECT person, profile FROM saved_profile WHERE request = $1")
        .bind(number.0)
        .fetch_optional(conn)
        .await?;
    row.map(|row| Ok((row.id("person")?, SavedProfile::from_json(row.get_as("profile")?)?))).transpose()
}

/// Erases what a request keeps, with the audit entry; `false` if it keeps nothing.
pub(super) async fn erase(
    conn: &mut AnyConnection,
    number: RequestNumber,
    mut entry: Draft,
    now: Timestamp,
) -> Result<bool, Error> {
    let Some((_, profile)) = kept(conn, number).await? else { return Ok(false) };
    sqlx::query("DELETE FROM saved_profile WHERE request = $1").bind(number.0).execute(&mut *conn).await?;
    entry.before = format!("profile sha256 {}", profile.sha256());
    if let Some(request) = requests::one(conn, number).await? {
        entry = requests::about(&request, entry, "erased");
    }
    audit::append(conn, entry, now).await?;
    Ok(true)
}

/// Erases what was kept before a time by requests that are over, each with its audit entry.
pub(super) async fn erase_old(
    conn: &mut AnyConnection,
    before: Timestamp,
    now: Timestamp,
) -> Result<u64, Error> {
    let rows = sqlx::query(
        "SELECT saved_profile.request AS number FROM saved_profile \
         JOIN request ON request.number = saved_profile.request \
         WHERE saved_profile.saved_ms < $1 AND request.ended = 1 ORDER BY saved_profile.request",
    )
    .bind(ms(before))
    .fetch_all(&mut *conn)
    .await?;
    let mut erased = 0;
    for row in rows {
        let entry = Draft { what: "profile.erased".to_owned(), ..Draft::default() };
        erased += u64::from(erase(conn, RequestNumber(row.number("number")?), entry, now).await?);
    }
    Ok(erased)
}
