//! `[okta.NAME]`: one org each.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::ids::{ChannelId, OrgName};
use url::Url;

use super::fault::{Wrong, did_you_mean, quoted};
use super::secret::{private_key, token};
use super::section::Section;
use super::tree::{Node, Value};
use super::values::{channel_id, origin, origin_of, within};
use crate::okta::{Credentials, OktaSettings};

/// One Okta org.
#[derive(Debug, Clone)]
pub struct OktaConfig {
    /// Its short name: what people type.
    pub name: OrgName,
    /// Its origin, for example `https://acme.okta.com/`.
    pub url: Url,
    /// How we sign in.
    pub credentials: Credentials,
    /// How long to wait between two looks at its log.
    pub poll_interval: Duration,
    /// How far back the first look goes.
    pub lookback: Duration,
    /// The part of each rate-limit bucket that we may spend: above 0, at most 1.
    pub rate_limit_share: f64,
    /// Whether anything is written to Okta; otherwise everything is guided.
    pub writes: bool,
    /// The Admin Console's origin: as configured, else derived from `url`; `None` where it cannot be told.
    pub console_url: Option<Url>,
    /// Where its alerts go, if not where all the others do.
    pub alert_channel_id: Option<ChannelId>,
}

impl OktaConfig {
    /// What an org's client needs to know of it.
    pub fn settings(&self) -> OktaSettings {
        OktaSettings {
            org: self.name.clone(),
            url: self.url.clone(),
            credentials: self.credentials.clone(),
            rate_limit_share: self.rate_limit_share,
            writes: self.writes,
        }
    }

    /// An org that no file describes, for reading only.
    pub fn for_a_look(url: Url, credentials: Credentials) -> Self {
        Self {
            name: "org".parse().expect("a good name"),
            console_url: console_of(&url),
            url,
            credentials,
            poll_interval: POLL_INTERVAL,
            lookback: LOOKBACK,
            rate_limit_share: RATE_LIMIT_SHARE,
            writes: false,
            alert_channel_id: None,
        }
    }
}

const POLL_INTERVAL: Duration = Duration::from_secs(30);
const LOOKBACK: Duration = Duration::from_hours(24);
const RATE_LIMIT_SHARE: f64 = 0.4;

const EXAMPLE: &str = "https://acme.okta.com";

/// Okta's own domains. Source: Okta "Configure a custom domain", "Okta domains"; okta-sdk-golang's URL checks.
const OKTA_DOMAINS: [&str; 6] =
    ["okta.com", "oktapreview.com", "okta-emea.com", "okta-gov.com", "okta.mil", "okta-miltest.com"];

/// All orgs. None of them may send its alerts to the channel of the record.
pub(super) fn read_all(mut section: Section<'_>, audit: Option<ChannelId>) -> BTreeMap<OrgName, OktaConfig> {
    let mut orgs = BTreeMap::new();
    let names = section.names();
    if names.is_empty() {
        let right = "add one: [okta.acme] with url = \"https://acme.okta.com\" and a credential";
        section.notes.fault(section.at.clone(), "okta", Wrong::new("names no org", right));
    }
    for name in names {
        let at = section.place(&name);
        let Ok(org) = name.parse::<OrgName>() else {
            let right = "write an org's short name: letters, digits, - and _, at most 32";
            section.fault(at, &name, Wrong::new("is not a name that people can type", right));
            section.take(&name);
            continue;
        };
        let Some(Node { at, value }) = section.take(&name) else { continue };
        if !matches!(value, Value::Table(_)) {
            let right = format!("put it under an org's name: [okta.acme] {name} = …");
            section.fault(at, &name, Wrong::new("belongs to no org", right));
            continue;
        }
        let table = section.table_of(&name, at.clone(), value);
        let inner = Section::new(section.key(&name), at, table, section.notes);
        if let Some(config) = read(org.clone(), inner, &orgs, audit) {
            orgs.insert(org, config);
        }
    }
    orgs
}

fn read(
    name: OrgName,
    mut section: Section<'_>,
    others: &BTreeMap<OrgName, OktaConfig>,
    audit: Option<ChannelId>,
) -> Option<OktaConfig> {
    let url_at = section.place("url");
    let url = section.required("url", &format!("write url = \"{EXAMPLE}\""), org_url);
    if let Some(twin) = others.values().find(|other| Some(&other.url) == url.as_ref()) {
        let wrong = format!("is the org that [okta.{}] names as well", twin.name);
        section.fault(url_at, "url", Wrong::new(wrong, "give each org one table"));
    }
    let credentials = credentials(&mut section);
    let poll_interval = section.parsed("poll_interval", within("100ms", "1h"));
    let lookback = section.parsed("lookback", |text| {
        within("0s", "90d")(text).map_err(|wrong| match super::values::duration(text) {
            Ok(_) => Wrong::new(wrong.wrong, "write at most 90d: Okta keeps its log no longer"),
            Err(_) => wrong,
        })
    });
    let share = section.number("rate_limit_share").and_then(|(share, at)| {
        let fits = share > 0.0 && share <= 1.0;
        if !fits {
            let right = "write a part above 0 and up to 1, such as 0.4";
            section.fault(at, "rate_limit_share", Wrong::new(format!("is {share}"), right));
        }
        fits.then_some(share)
    });
    let writes = section.flag("writes");
    let console_at = section.place("console_url");
    let console = section.parsed("console_url", |text| origin(text, "https://acme-admin.okta.com"));
    if let (Some(console), Some(url)) = (&console, &url)
        && console == url
    {
        let right = console_of(url).map_or_else(
            || "write the Admin Console's own address".to_owned(),
            |admin| format!("leave it out: {} is derived from url", origin_of(&admin)),
        );
        section.fault(console_at, "console_url", Wrong::new("is the org's own URL", right));
    }
    let alert_channel_id = section.parsed("alert_channel_id", |text| {
        let channel = channel_id(text)?;
        let right = "give the record a channel of its own, or leave the key out";
        let taken = || Wrong::new("is the channel of discord.audit_channel_id", right);
        (Some(channel) != audit).then_some(channel).ok_or_else(taken)
    });
    section.finish();

    let url = url?;
    Some(OktaConfig {
        console_url: console.or_else(|| console_of(&url)),
        name,
        url,
        credentials: credentials?,
        poll_interval: poll_interval.unwrap_or(POLL_INTERVAL),
        lookback: lookback.unwrap_or(LOOKBACK),
        rate_limit_share: share.unwrap_or(RATE_LIMIT_SHARE),
        writes: writes.unwrap_or(false),
        alert_channel_id,
    })
}

fn credentials(section: &mut Section<'_>) -> Option<Credentials> {
    let given_token = section.has_secret("api_token");
    let given_key =
        ["client_id", "key_id"].iter().any(|key| section.has(key)) || section.has_secret("private_key");
    let (client_at, section_at) = (section.place("client_id"), section.at.clone());

    let api_token = section.secret("api_token", token("SSWS"));
    let client_id = section.parsed("client_id", word);
    let key_id = section.parsed("key_id", word);
    let has_private_key = section.has_secret("private_key");
    let key = section.secret("private_key", private_key);

    match (given_token, given_key) {
        (true, true) => {
            let wrong = "is given together with api_token";
            let right = "keep one of the two: an API token, or client_id and private_key";
            section.fault(client_at, "client_id", Wrong::new(wrong, right));
            None
        }
        (true, false) => api_token.map(Credentials::Token),
        (false, true) => {
            if client_id.is_none() && client_at == section_at {
                let right = "write the service app's client id (0oa…) beside its key";
                section.fault(section_at.clone(), "client_id", Wrong::new("is missing", right));
            }
            if !has_private_key {
                let right = "write private_key_file = \"/run/secrets/okta.pem\"";
                section.fault(section_at, "private_key_file", Wrong::new("is missing", right));
            }
            Some(Credentials::ServiceApp { client_id: client_id?, key: key?, key_id })
        }
        (false, false) => {
            let right = "write api_token_file = \"…\", or client_id and private_key_file";
            section.fault(section_at, "api_token_file", Wrong::new("is missing", right));
            None
        }
    }
}

fn word(text: &str) -> Result<String, Wrong> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !text.is_empty() && text.len() <= 128 && text.chars().all(good) {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(format!("{} is not an id", quoted(text)), "copy it from the app's page in the console"))
}

/// An org's own origin; its Admin Console's is told apart.
pub fn org_url(text: &str) -> Result<Url, Wrong> {
    let url = origin(text, EXAMPLE)?;
    let host = url.host_str().unwrap_or_default();
    for domain in OKTA_DOMAINS {
        let Some(sub) = host.strip_suffix(domain).and_then(|sub| sub.strip_suffix('.')) else { continue };
        if let Some(org) = sub.strip_suffix("-admin") {
            let right = format!("write https://{org}.{domain} and leave console_url to be derived");
            return Err(Wrong::new("is the Admin Console's address, not the org's", right));
        }
    }
    if let Some(near) = host.rsplit_once('.').and_then(|_| misspelt(host)) {
        return Err(Wrong::new(format!("{} is not an Okta domain", quoted(host)), near));
    }
    Ok(url)
}

/// A host one letter away from Okta's own: a token must not be sent to whoever owns it.
fn misspelt(host: &str) -> Option<String> {
    let labels: Vec<&str> = host.split('.').collect();
    let [.., second, top] = labels.as_slice() else { return None };
    let registered = format!("{second}.{top}");
    let known = OKTA_DOMAINS.contains(&registered.as_str());
    let close = OKTA_DOMAINS.iter().any(|domain| strsim::osa_distance(domain, &registered) == 1);
    (!known && close).then(|| did_you_mean(&registered, OKTA_DOMAINS.into_iter())).flatten()
}

/// The Admin Console of an org on one of Okta's own domains.
pub fn console_of(url: &Url) -> Option<Url> {
    let host = url.host_str()?;
    let (sub, domain) = host.split_once('.')?;
    if url.port().is_some() || !OKTA_DOMAINS.contains(&domain) {
        return None;
    }
    Url::parse(&format!("https://{sub}-admin.{domain}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_console_is_derived_on_oktas_own_domains_only() {
        let table = [
            ("https://acme.okta.com", Some("https://acme-admin.okta.com/")),
            ("https://acme.oktapreview.com", Some("https://acme-admin.oktapreview.com/")),
            ("https://acme.okta-emea.com", Some("https://acme-admin.okta-emea.com/")),
            ("https://agency.okta-gov.com", Some("https://agency-admin.okta-gov.com/")),
            ("https://unit.okta.mil", Some("https://unit-admin.okta.mil/")),
            ("https://login.acme.example", None),
            ("http://127.0.0.1:8080", None),
            ("https://a.b.okta.com", None),
        ];
        for (url, console) in table {
            let url = Url::parse(url).expect("a URL");
            assert_eq!(console_of(&url).as_ref().map(Url::as_str), console, "{url}");
        }
    }
}
