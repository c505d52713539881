//! The kinds of value that several tables share: durations, ids, whole origins.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use domain::ids::{AppId, ChannelId, GuildId, MemberId, NotAnId, RoleId, UserId};
use url::{Host, Url};

use super::fault::{Wrong, quoted};

/// A duration such as `30s`, `10m`, `24h`, `7d`, `500ms` or `1h30m`.
pub fn duration(text: &str) -> Result<Duration, Wrong> {
    let wrong = || {
        Wrong::new(
            format!("{} is not a duration", quoted(text)),
            "write a number with its unit, such as \"30s\", \"10m\", \"24h\" or \"7d\"",
        )
    };
    let mut rest = text.trim();
    let mut sum = Duration::ZERO;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, unit) = rest.split_at(digits);
        let end = unit.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit.len());
        let (unit, after) = unit.split_at(end);
        let millis: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(millis));
        sum = part.and_then(|part| sum.checked_add(Duration::from_millis(part))).ok_or_else(wrong)?;
        rest = after.trim_start();
    }
    Ok(sum)
}

/// A duration within bounds, which are written as in the file.
pub(super) fn within(least: &'static str, most: &'static str) -> impl Fn(&str) -> Result<Duration, Wrong> {
    move |text| {
        let given = duration(text)?;
        let fits = duration(least).is_ok_and(|least| given >= least)
            && duration(most).is_ok_and(|most| given <= most);
        fits.then_some(given).ok_or_else(|| {
            Wrong::new(format!("is {}", quoted(text)), format!("write a duration from {least} to {most}"))
        })
    }
}

/// A duration as it is written in the file.
pub fn in_words(duration: Duration) -> String {
    let millis = duration.as_millis();
    let fits = |unit: u128| millis > 0 && millis.is_multiple_of(unit);
    match millis {
        _ if fits(86_400_000) && millis >= 172_800_000 => format!("{}d", millis / 86_400_000),
        _ if fits(3_600_000) => format!("{}h", millis / 3_600_000),
        _ if fits(60_000) => format!("{}m", millis / 60_000),
        _ if fits(1_000) || millis == 0 => format!("{}s", millis / 1_000),
        _ => format!("{millis}ms"),
    }
}

fn discord_id<T: FromStr<Err = NotAnId>>(text: &str, what: &str) -> Result<T, Wrong> {
    let wrong = || {
        Wrong::new(
            format!("{} is not a Discord id", quoted(text)),
            format!("write the {what}'s id, 17 to 20 digits, from “Copy ID” in Discord's developer mode"),
        )
    };
    let shaped = (17..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    shaped.then(|| text.parse().ok()).flatten().ok_or_else(wrong)
}

pub(super) fn guild_id(text: &str) -> Result<GuildId, Wrong> {
    discord_id(text, "server")
}

pub(super) fn channel_id(text: &str) -> Result<ChannelId, Wrong> {
    discord_id(text, "channel")
}

pub(super) fn role_id(text: &str) -> Result<RoleId, Wrong> {
    discord_id(text, "role")
}

pub(super) fn member_id(text: &str) -> Result<MemberId, Wrong> {
    discord_id(text, "member")
}

pub(super) fn app_id(text: &str) -> Result<AppId, Wrong> {
    let right = "write the app's id, such as 0oa1b2c3d4E5F6g7h8i9, from its page's address in the console";
    let wrong = || Wrong::new(format!("{} is not an Okta app id", quoted(text)), right);
    text.parse().ok().filter(|_| text.starts_with("0oa")).ok_or_else(wrong)
}

pub(super) fn user_id(text: &str) -> Result<UserId, Wrong> {
    let right =
        "write the person's id, such as 00u1b2c3d4E5F6g7h8i9; a login or an e-mail address can change hands";
    let wrong = || Wrong::new(format!("{} is not an Okta user id", quoted(text)), right);
    text.parse().ok().filter(|_| text.starts_with("00u")).ok_or_else(wrong)
}

/// An address to listen on; an empty text means that nothing listens.
pub(super) fn listen(text: &str) -> Result<Option<SocketAddr>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        let port = text.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).unwrap_or(9464);
        let all = text.starts_with(':') || text.starts_with('*');
        let right = if all {
            format!("write \"0.0.0.0:{port}\" for all interfaces")
        } else {
            format!("write an IP address and a port, such as \"127.0.0.1:{port}\", or \"\" for none")
        };
        Wrong::new(format!("{} is not an address to listen on", quoted(text)), right)
    })
}

/// The origin of a service: `https`, or `http` on loopback; no path, no query, no credentials.
pub fn origin(text: &str, example: &str) -> Result<Url, Wrong> {
    let write = |right: &str| format!("write {right}");
    let url = match Url::parse(text) {
        Ok(url) if url.has_host() => url,
        Ok(_) | Err(_) => {
            let bare = Url::parse(&format!("https://{text}")).ok();
            let bare =
                bare.filter(|url| !text.contains(':') && url.host_str().is_some_and(|h| h.contains('.')));
            let right = bare.map_or_else(|| example.to_owned(), |url| origin_of(&url));
            return Err(Wrong::new(format!("{} is not a URL", quoted(text)), write(&right)));
        }
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Wrong::new("holds a user name or a password", write(&origin_of(&url))));
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => {
            let mut secure = url.clone();
            // `http` to `https` is always allowed.
            let _ = secure.set_scheme("https");
            let right = format!("{}; http:// is accepted on loopback only", write(&origin_of(&secure)));
            return Err(Wrong::new("would send secrets in the clear", right));
        }
        other => return Err(Wrong::new(format!("has the scheme {other}"), write(example))),
    }
    if url.path() != "/" {
        return Err(Wrong::new(format!("has the path {}", quoted(url.path())), write(&origin_of(&url))));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Wrong::new("has something after its host", write(&origin_of(&url))));
    }
    Ok(url)
}

/// Scheme, host and port, as people write it.
pub fn origin_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Whether it cannot leave this machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let table = [
            ("30s", Some(30_000)),
            ("10m", Some(600_000)),
            ("24h", Some(86_400_000)),
            ("7d", Some(604_800_000)),
            ("250ms", Some(250)),
            ("1h30m", Some(5_400_000)),
            ("1h 30m", Some(5_400_000)),
            ("0s", Some(0)),
            ("", None),
            ("30", None),
            ("s", None),
            ("-5s", None),
            ("1.5h", None),
            ("10 minutes", None),
            ("99999999999999999999d", None),
        ];
        for (text, millis) in table {
            assert_eq!(duration(text).ok(), millis.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn a_duration_is_shown_as_it_would_be_written() {
        for text in ["30s", "10m", "24h", "7d", "250ms", "90s", "0s"] {
            assert_eq!(duration(text).map(in_words).as_deref(), Ok(text));
        }
    }

    #[test]
    fn http_is_for_loopback_only() {
        let table = [
            ("https://acme.okta.com", true),
            ("http://127.0.0.1:8080", true),
            ("http://127.3.2.1", true),
            ("http://localhost:1", true),
            ("http://[::1]:1", true),
            ("http://acme.okta.com", false),
            ("http://127.0.0.1.evil.example", false),
            ("http://localhost.evil.example", false),
            ("ftp://acme.okta.com", false),
        ];
        for (text, good) in table {
            assert_eq!(origin(text, "https://acme.okta.com").is_ok(), good, "{text}");
        }
    }
}
