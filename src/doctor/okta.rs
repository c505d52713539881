//! Can an org be signed in to and read, soon enough, with the scopes that the configuration wants?

use std::sync::Arc;
use std::time::Duration;

use domain::facts::LogFrom;
use domain::ports::{Clock, Directory, DirectoryError};
use futures_util::future::{join, join_all};
use jiff::SignedDuration;

use super::{Check, Part, counted, sentence};
use crate::config::{OktaConfig, in_words, origin_of};
use crate::okta::limits::{Bucket, allowance};
use crate::okta::{Credentials, Okta, READ_SCOPES, SignedIn, Timeouts, WRITE_SCOPE};

/// Somebody waits for this, so less than the watcher's patience.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    headers: Duration::from_secs(10),
    log_headers: Duration::from_secs(20),
    whole: Duration::from_secs(25),
};

/// With clocks further apart than this, Okta may refuse what we sign, and times in alerts mislead.
const CLOCKS_AGREE_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// An org under examination.
struct Org<'a> {
    config: &'a OktaConfig,
    okta: Okta,
    clock: Arc<dyn Clock>,
}

pub(super) async fn examine(config: &OktaConfig, clock: Arc<dyn Clock>) -> Vec<Check> {
    let okta = match Okta::with_timeouts(config.settings(), clock.clone(), TIMEOUTS) {
        Ok(okta) => okta,
        Err(error) => {
            let mend = "Correct the key that is named, in provost.toml or the file that it points to.";
            let part = Part::Okta(config.name.clone());
            return vec![Check::failed(part, "settings", sentence(&error.to_string()), mend)];
        }
    };
    Org { config, okta, clock }.examine().await
}

impl Org<'_> {
    async fn examine(&self) -> Vec<Check> {
        let signed_in = self.okta.me().await;
        let (sign_in, goes_on) = self.sign_in(&signed_in);
        let mut checks = vec![sign_in];
        // A missing scope is told by name; what cannot be reached or does not know us answers nothing else either.
        if goes_on || matches!(signed_in, Err(DirectoryError::Forbidden { .. })) {
            checks.extend(self.scopes().await);
        }
        if goes_on {
            let (log, (apps, people)) = join(self.log(), self.apps()).await;
            checks.extend([Some(log), Some(apps), people].into_iter().flatten());
            checks.push(self.room());
        }
        checks.extend(self.clocks());
        checks
    }

    fn part(&self) -> Part {
        Part::Okta(self.config.name.clone())
    }

    /// The check, and whether there is more to ask.
    fn sign_in(&self, signed_in: &Result<SignedIn, DirectoryError>) -> (Check, bool) {
        let origin = origin_of(&self.config.url);
        match signed_in {
            Ok(SignedIn::As { login }) => {
                let said = format!("{origin} knows the token as {login}'s.");
                (Check::ok(self.part(), "sign-in", said), true)
            }
            Ok(SignedIn::ServiceApp { .. }) => {
                let said = format!("{origin} knows the service app and its key.");
                (Check::ok(self.part(), "sign-in", said), true)
            }
            Err(DirectoryError::Forbidden { .. }) if self.is_service_app() => {
                let said =
                    format!("{origin} knows the service app, but does not grant it all that it needs.");
                let mend = "Grant it the scopes that are named below; nothing else can be tried before.";
                (Check::failed(self.part(), "sign-in", said, mend), false)
            }
            Err(error) => (self.refused("sign-in", error), false),
        }
    }

    fn is_service_app(&self) -> bool {
        matches!(self.config.credentials, Credentials::ServiceApp { .. })
    }

    /// Whether the scopes fit what the configuration wants to do. An API token has none.
    async fn scopes(&self) -> Vec<Check> {
        let writes = self.config.writes;
        if !self.is_service_app() {
            if !writes {
                return Vec::new();
            }
            let said =
                "An API token may do what its owner may; whether it may write is known when it writes.";
            return vec![Check::ok(self.part(), "scopes", said)];
        }
        let known = READ_SCOPES.into_iter().chain([WRITE_SCOPE]);
        let asked = known.map(|scope| async move { (scope, self.okta.would_grant(scope).await) });
        let mut missing = Vec::new();
        let mut checks = Vec::new();
        let mut may_write = false;
        for (scope, granted) in join_all(asked).await {
            match granted {
                Ok(Some(true) | None) => may_write |= scope == WRITE_SCOPE,
                Ok(Some(false)) if scope == WRITE_SCOPE && !writes => {}
                Ok(Some(false)) => missing.push(scope),
                Err(error) => {
                    checks.push(self.refused("scopes", &error));
                    return checks;
                }
            }
        }
        let name = &self.config.name;
        if !missing.is_empty() {
            let said = format!("The service app is not granted {}.", missing.join(", "));
            let mut mend =
                "Grant it on the app's page in the Admin Console, under Okta API Scopes.".to_owned();
            if missing.contains(&WRITE_SCOPE) {
                mend = format!("{mend} Or set okta.{name}.writes = false: then everything is guided.");
            }
            checks.push(Check::failed(self.part(), "scopes", said, mend));
        } else if may_write && !writes {
            let said =
                format!("The service app is granted {WRITE_SCOPE}, and writes = false needs no such scope.");
            let mend = format!(
                "Revoke it on the app's page, under Okta API Scopes; or set okta.{name}.writes = true if Provost is \
                 to write."
            );
            checks.push(Check::warning(self.part(), "scopes", said, mend));
        } else {
            let what = if writes { "to read and write" } else { "to read, and no more" };
            checks.push(Check::ok(
                self.part(),
                "scopes",
                format!("The service app's scopes are right {what}."),
            ));
        }
        checks
    }

    async fn log(&self) -> Check {
        let since =
            self.clock.now() + self.okta.clock_skew().unwrap_or_default() - SignedDuration::from_mins(5);
        match self.okta.log(&LogFrom::Since(since)).await {
            Ok(_) => Check::ok(self.part(), "log", "The System Log can be read."),
            Err(error) => self.refused("log", &error),
        }
    }

    /// The apps, and the people of the first of them.
    async fn apps(&self) -> (Check, Option<Check>) {
        let apps = match self.okta.apps(None).await {
            Ok(page) => page,
            Err(error) => return (self.refused("apps", &error), None),
        };
        let Some(first) = apps.items.first() else {
            let mend =
                "If the org has apps, give the token's owner or the service app a role that covers them.";
            let said = "No active app can be seen.";
            return (Check::warning(self.part(), "apps", said, mend), None);
        };
        let more = if apps.next.is_some() { " or more" } else { "" };
        let many = counted(apps.items.len() as u64, "active app", "active apps");
        let seen = Check::ok(self.part(), "apps", format!("{many}{more} can be read."));
        let people = match self.okta.app_users(&first.app.id, None).await {
            Ok(_) => Check::ok(self.part(), "people", "The people assigned to an app can be read."),
            Err(error) => self.refused("people", &error),
        };
        (seen, Some(people))
    }

    /// Whether the rate limit lets us look as often as we are to.
    fn room(&self) -> Check {
        let (name, share) = (&self.config.name, self.config.rate_limit_share);
        let limits = self.okta.rate_limits();
        if let Some(tight) = limits.iter().find(|limit| limit.remaining <= limit.limit / 10) {
            let said = format!(
                "Of {} requests a minute to {}, {} are left.",
                tight.limit,
                tight.bucket.paths(),
                tight.remaining
            );
            let mend = "See in the Admin Console under Reports > Rate Limits who uses them; Provost waits for its turn.";
            return Check::warning(self.part(), "rate limit", said, mend);
        }
        let Some(log) = limits.iter().find(|limit| limit.bucket == Bucket::Logs) else {
            return Check::ok(self.part(), "rate limit", "Okta tells no rate limit for the log.");
        };
        let ours = allowance(log.limit, share);
        let said = format!("The log may be read {} times a minute, {ours} of them by Provost.", log.limit);
        // A look is at least one request.
        let wanted = 60.0 / self.config.poll_interval.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "limits are small")]
        if wanted > ours as f64 {
            let every = in_words(self.config.poll_interval);
            let said = format!("{said} Looking every {every} takes more.");
            let mend = format!(
                "Set okta.{name}.poll_interval to {}s or more, or raise okta.{name}.rate_limit_share.",
                60_u64.div_ceil(ours)
            );
            return Check::warning(self.part(), "rate limit", said, mend);
        }
        Check::ok(self.part(), "rate limit", said)
    }

    fn clocks(&self) -> Option<Check> {
        let ahead = self.okta.clock_skew()?;
        if ahead.abs() <= CLOCKS_AGREE_WITHIN {
            return Some(Check::ok(self.part(), "clock", "This machine's clock agrees with Okta's."));
        }
        let way = if ahead.is_positive() { "behind" } else { "ahead of" };
        let said = format!("This machine's clock is {} s {way} Okta's.", ahead.abs().as_secs());
        let mend = "Have this machine set its clock by NTP, for example with systemd-timesyncd or chrony.";
        Some(Check::failed(self.part(), "clock", said, mend))
    }

    fn refused(&self, check: &str, error: &DirectoryError) -> Check {
        let said = sentence(&error.to_string());
        let mend = self.mend(error);
        match error {
            // It works; only not now.
            DirectoryError::RateLimited { .. } => Check::warning(self.part(), check, said, mend),
            DirectoryError::Gone { .. }
            | DirectoryError::CursorRefused { .. }
            | DirectoryError::Unauthorized { .. }
            | DirectoryError::Forbidden { .. }
            | DirectoryError::Refused { .. }
            | DirectoryError::Unreachable { .. }
            | DirectoryError::BadAnswer { .. } => Check::failed(self.part(), check, said, mend),
        }
    }

    fn mend(&self, error: &DirectoryError) -> String {
        let (name, service_app) = (&self.config.name, self.is_service_app());
        match error {
            DirectoryError::Unauthorized { .. } if service_app => format!(
                "Compare okta.{name}.client_id and key_id with the app's page in the Admin Console: the app must be \
                 active, and hold the public half of the private key."
            ),
            DirectoryError::Unauthorized { .. } => format!(
                "Make a new token in the Admin Console under Security > API > Tokens, and put it where \
                 okta.{name}.api_token_file points."
            ),
            DirectoryError::Forbidden { missing, .. } if service_app => {
                format!("Give the service app {missing}, on its page under Okta API Scopes or Admin Roles.")
            }
            DirectoryError::Forbidden { missing, .. } => {
                format!("Give the administrator who made the token {missing}, or use the token of one who has it.")
            }
            DirectoryError::RateLimited { .. } => {
                "Try again after that; if it stays, see in the Admin Console under Reports > Rate Limits who else asks."
                    .to_owned()
            }
            DirectoryError::Unreachable { .. } => format!(
                "Check okta.{name}.url, and whether this machine may reach {} (DNS, proxy, firewall).",
                origin_of(&self.config.url)
            ),
            DirectoryError::Refused { code, .. } if code.starts_with('3') => {
                format!("Set okta.{name}.url to the org's own address, such as https://acme.okta.com.")
            }
            DirectoryError::Refused { .. }
            | DirectoryError::Gone { .. }
            | DirectoryError::CursorRefused { .. }
            | DirectoryError::BadAnswer { .. } => format!(
                "Check that okta.{name}.url is an Okta org's address and that no proxy answers in its place; \
                 otherwise ask Okta's support, with the request id."
            ),
        }
    }
}
