//! Okta users, found by the login that somebody typed.

use domain::event::Person;
use domain::facts::OktaUser;
use domain::ports::DirectoryError;

use super::apps::json;
use super::client::{Call, Client};
use super::lenient::{Text, wanted};
use super::transport::not_json;

wanted! {
    struct WireUser<'a> {
        id: Text<'a> = "id",
        status: Text<'a> = "status",
        profile: Profile<'a> = "profile",
    }
    struct Profile<'a> {
        login: Text<'a> = "login",
        name: Text<'a> = "displayName",
    }
}

impl Client {
    /// Source: `GET /api/v1/users/{id}`, scope `okta.users.read`; takes an id, a login or a short name. No error quotes
    /// the login.
    pub(crate) async fn user(&self, login: &str) -> Result<OktaUser, DirectoryError> {
        let what = "a user with that login";
        let mut url = self.at("/api/v1/users", &[]);
        // What a path would understand by itself is no login, and none is asked for.
        let is_a_step = matches!(login, "" | "." | "..");
        match url.path_segments_mut() {
            Ok(mut path) if !is_a_step => {
                path.push(login);
            }
            Ok(_) | Err(()) => return Err(DirectoryError::Gone { what: what.to_owned() }),
        }
        let call = Call { url, template: "/api/v1/users/{id}", what };
        let answer = self.get(&call).await.map_err(|trouble| trouble.into_error(what))?;
        let user = json::<WireUser<'_>>(&answer)?;
        let id = user.id.get().and_then(|id| id.parse().ok());
        let id = id.ok_or_else(|| not_json(&answer, "it is a user without an id"))?;
        let Profile { login, name } = &user.profile;
        Ok(OktaUser {
            person: Person { id, login: login.owned(), name: name.owned() },
            status: user.status.owned().unwrap_or_default(),
        })
    }
}
