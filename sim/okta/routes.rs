//! Which path is answered by what, and which scope it takes.

use super::event::Entity;
use super::exchange::{Answer, Call};
use super::faults::forbidden;
use super::world::World;

/// Who asks, and what they may do.
#[derive(Debug, Clone)]
pub(super) enum Asks {
    /// An API token: everything its maker may, which is everything.
    Token(Entity),
    /// A service app with an access token for these scopes.
    Client { id: String, scopes: Vec<String> },
    /// The token endpoint settles by itself who asks.
    Nobody,
}

impl Asks {
    pub(super) fn entity(&self) -> Entity {
        match self {
            Self::Token(entity) => entity.clone(),
            Self::Client { id, .. } => Entity {
                id: id.clone(),
                kind: "PublicClientApp",
                alternate_id: id.clone(),
                name: id.clone(),
                changes: None,
                token: None,
            },
            Self::Nobody => super::pushing::system(),
        }
    }

    fn needs(&self, scope: &str) -> Result<(), Answer> {
        match self {
            Self::Token(_) => Ok(()),
            Self::Client { scopes, .. } if scopes.iter().any(|known| known == scope) => Ok(()),
            Self::Client { .. } | Self::Nobody => Err(forbidden(scope)),
        }
    }
}

impl World {
    /// Answers a call. Both arms are answers; an error is one that was given early.
    pub(super) fn route(&mut self, call: &Call, asks: &Asks) -> Result<Answer, Answer> {
        if call.path == "/oauth2/v1/token" {
            return if call.method == "POST" {
                self.grants_token(call)
            } else {
                Err(Answer::method_not_allowed())
            };
        }
        let Some(below) = call.path.strip_prefix("/api/v1/") else { return Err(Answer::nowhere()) };
        let parts: Vec<_> = below.split('/').map(decoded).collect();
        let parts: Vec<_> = parts.iter().map(|part| &**part).collect();
        let reads_apps = || asks.needs("okta.apps.read");
        let manages_apps = || asks.needs("okta.apps.manage");
        match (&*call.method, &*parts) {
            ("GET", ["logs"]) => asks.needs("okta.logs.read").and_then(|()| self.get_logs(call)),
            ("GET", ["org"]) => asks.needs("okta.orgs.read").map(|()| self.get_org()),
            ("GET", ["users", user]) => {
                asks.needs("okta.users.read").and_then(|()| self.get_user(user, asks))
            }
            ("GET", ["apps"]) => reads_apps().and_then(|()| self.get_apps(call)),
            ("GET", ["apps", app]) => reads_apps().and_then(|()| self.get_app(app)),
            ("GET", ["apps", app, "features"]) => reads_apps().and_then(|()| self.get_features(app)),
            ("GET", ["apps", app, "features", name]) => {
                reads_apps().and_then(|()| self.get_feature(app, name))
            }
            ("PUT", ["apps", app, "features", name]) => {
                manages_apps().and_then(|()| self.put_feature(app, name, call, asks))
            }
            ("GET", ["apps", app, "connections", "default"]) => {
                reads_apps().and_then(|()| self.get_connection(app))
            }
            ("GET", ["apps", app, "users"]) => reads_apps().and_then(|()| self.get_app_users(app, call)),
            ("POST", ["apps", app, "users"]) => {
                manages_apps().and_then(|()| self.post_app_users(app, call, asks))
            }
            ("GET", ["apps", app, "users", user]) => {
                reads_apps().and_then(|()| self.get_app_user(app, user, call))
            }
            ("POST", ["apps", app, "users", user]) => {
                manages_apps().and_then(|()| self.post_app_user(app, user, call, asks))
            }
            ("DELETE", ["apps", app, "users", user]) => {
                manages_apps().and_then(|()| self.delete_app_user(app, user, asks))
            }
            ("GET", ["apps", app, "groups", group]) => {
                reads_apps().and_then(|()| self.get_app_group(app, group, call))
            }
            (
                _,
                ["logs" | "org" | "apps"]
                | ["users" | "apps", _]
                | ["apps", _, "features" | "users"]
                | ["apps", _, "features" | "users" | "groups", _]
                | ["apps", _, "connections", "default"],
            ) => Err(Answer::method_not_allowed()),
            _ => Err(Answer::nowhere()),
        }
    }
}

/// A path's part with its percent signs undone, as Okta takes logins.
pub(super) fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match (first, hex.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (other, _) => {
                bytes.push(*other);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn a_login_in_a_path_is_decoded() {
        assert_eq!(decoded("dana%40example.com"), "dana@example.com");
        assert_eq!(decoded("100%"), "100%");
    }
}
