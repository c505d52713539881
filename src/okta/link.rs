//! Where the next page is, and whether it is still the org that we were told to trust.
//!
//! **Invariant:** no request is built, and so no token is sent, before its address has passed [`Org::own`].

use reqwest::header::{HeaderMap, LINK};
use url::Url;

/// Longer than any address that Okta gives.
const LONGEST: usize = 8_192;

/// Why an address is not followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Foreign {
    #[error("it leads to {0}, which is not the configured org")]
    Host(String),
    #[error("it leads to another path of the org")]
    Path,
    #[error("it is no address that Okta would give")]
    Malformed,
}

/// The org's own scheme, host and port.
#[derive(Debug, Clone)]
pub(crate) struct Org(Url);

impl Org {
    /// `url` has been checked to be nothing but a scheme, a host and perhaps a port.
    pub(crate) fn new(url: Url) -> Self {
        Self(url)
    }

    /// The org's own address, without a path.
    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// The address of `path` at the org.
    pub(crate) fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        url
    }

    /// `address`, if it is on the org's own scheme, host and port, and continues `path`, which is below `/api/v1/`.
    ///
    /// Okta's next links lead to the path of the request that they continue. Any other is refused, even at the org: there
    /// is no good reason for it, and some endpoints act on a GET.
    pub(crate) fn own(&self, address: &str, path: &str) -> Result<Url, Foreign> {
        // A URL parser drops tabs and line ends and turns backslashes: what passes must not need that.
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
        if address.len() > LONGEST || !address.bytes().all(plain) {
            return Err(Foreign::Malformed);
        }
        let url = Url::parse(address).map_err(|_| Foreign::Malformed)?;
        let Some(host) = url.host_str() else { return Err(Foreign::Malformed) };
        let origin = |url: &Url| (url.scheme().to_owned(), url.port_or_known_default());
        if self.0.host_str() != Some(host) || origin(&self.0) != origin(&url) {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            return Err(Foreign::Host(format!("{}://{host}{port}", url.scheme())));
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(Foreign::Malformed);
        }
        if url.path() != path || !path.starts_with("/api/v1/") {
            return Err(Foreign::Path);
        }
        Ok(url)
    }
}

/// The address of the page after this one: the first `rel="next"` of all `Link` lines, in whatever order they come.
///
/// Source: RFC 8288; Okta's System Log documentation: "a next link is always present" in a polling request.
pub(crate) fn next(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(LINK).iter();
    lines.filter_map(|line| std::str::from_utf8(line.as_bytes()).ok()).find_map(next_of)
}

fn next_of(line: &str) -> Option<String> {
    let mut rest = line;
    loop {
        let (_, after) = rest.split_once('<')?;
        let (target, after) = after.split_once('>')?;
        let (parameters, after) = until_comma(after);
        if parameters.iter().any(|parameter| is_next(parameter)) {
            return Some(target.trim().to_owned());
        }
        rest = after;
    }
}

/// The parameters of one link, and what comes after its comma. A quoted text may hold both `;` and `,`.
fn until_comma(text: &str) -> (Vec<&str>, &str) {
    let mut parameters = Vec::new();
    let (mut begun, mut quoted, mut escaped) = (0, false, false);
    for (at, sign) in text.char_indices() {
        match sign {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                parameters.push(&text[begun..at]);
                begun = at + 1;
            }
            ',' if !quoted => {
                parameters.push(&text[begun..at]);
                return (parameters, &text[at + 1..]);
            }
            _ => {}
        }
    }
    parameters.push(&text[begun..]);
    (parameters, "")
}

fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let relations = value.trim().trim_matches('"');
    name.trim().eq_ignore_ascii_case("rel")
        && relations.split_ascii_whitespace().any(|each| each.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGS: &str = "/api/v1/logs";

    fn org() -> Org {
        Org::new("https://acme.okta.com/".parse().unwrap())
    }

    #[test]
    fn an_address_of_the_same_list_at_the_same_org_is_followed() {
        for address in [
            "https://acme.okta.com/api/v1/logs?after=1592620709654_1&limit=1000",
            "https://acme.okta.com:443/api/v1/logs?after=a%2Cb&filter=eventType+sw+%22x%22",
            "HTTPS://ACME.okta.com/api/v1/logs?after=a",
            "https://acme.okta.com/api/v1/logs",
        ] {
            assert!(org().own(address, LOGS).is_ok(), "{address}");
        }
    }

    #[test]
    fn no_hostile_address_is_followed() {
        let long = format!("https://acme.okta.com/api/v1/logs?after={}", "a".repeat(64 * 1024));
        let hostile = [
            "",
            " ",
            "/api/v1/logs?after=a",
            "//evil.tld/api/v1/logs",
            "\\\\evil.tld\\api\\v1\\logs",
            "https:\\\\acme.okta.com\\api\\v1\\logs",
            "https://acme.okta.com\\@evil.tld/api/v1/logs",
            "https://evil.tld/api/v1/logs?after=a",
            "https://acme.okta.com.evil.tld/api/v1/logs",
            "https://evil-acme.okta.com/api/v1/logs",
            "https://acme.okta.com@evil.tld/api/v1/logs",
            "https://user@acme.okta.com/api/v1/logs",
            "https://user:word@acme.okta.com/api/v1/logs",
            "https://acme.okta.com:8443/api/v1/logs",
            "https://acme.okta.com./api/v1/logs",
            "http://acme.okta.com/api/v1/logs",
            "http://acme.okta.com:443/api/v1/logs",
            "ftp://acme.okta.com/api/v1/logs",
            "javascript:alert(1)",
            "data:text/plain,https://acme.okta.com/api/v1/logs",
            "file:///api/v1/logs",
            "https://acme.okta.com/api/v1/logs/../users",
            "https://acme.okta.com/api/v1/logs/%2e%2e/users",
            "https://acme.okta.com/api/v1/../../oauth2/v1/token",
            "https://acme.okta.com/api/v1/logs/..%2fusers",
            "https://acme.okta.com/api/v1/users/me",
            "https://acme.okta.com/login/signout",
            "https://acme.okta.com/api/v1/logs#@evil.tld",
            "https://acme.okta.com/api/v1/logs\r\nHost: evil.tld",
            "https://acme.ok\tta.com/api/v1/logs",
            "https://acme.okta.com/api/v1/logs?after=\u{202e}",
            "https://аcme.okta.com/api/v1/logs",
            "https://[::1]/api/v1/logs",
            &long,
        ];
        for address in hostile {
            assert!(org().own(address, LOGS).is_err(), "{}", &address[..address.len().min(80)]);
        }
    }

    #[test]
    fn a_foreign_host_is_named_without_what_follows_it() {
        let refused = org().own("https://user:word@evil.tld:99/api/v1/logs?secret=1", LOGS).unwrap_err();

        assert_eq!(refused, Foreign::Host("https://evil.tld:99".to_owned()));
    }

    #[test]
    fn the_next_link_is_found_among_several_in_any_order_and_on_any_line() {
        #[rustfmt::skip]
        let table: &[(&[&str], Option<&str>)] = &[
            (&[r#"<https://a/1>; rel="self""#, r#"<https://a/2>; rel="next""#],       Some("https://a/2")),
            (&[r#"<https://a/2>; rel="next", <https://a/1>; rel="self""#],            Some("https://a/2")),
            (&[r#"<https://a/1>;rel=self,<https://a/2>;rel=next"#],                   Some("https://a/2")),
            (&[r#"<https://a/2?x=1,2;3>; title="a, b; rel=\"self"; REL="Next""#],     Some("https://a/2?x=1,2;3")),
            (&[r#"<https://a/2>; rel="prev next""#],                                  Some("https://a/2")),
            (&[r#"<https://a/1>; rel="self""#],                                       None),
            (&[r#"<https://a/1>; rel="nextish""#],                                    None),
            (&["<https://a/1"],                                                       None),
            (&["rel=next"],                                                           None),
            (&[],                                                                     None),
        ];
        for (lines, expected) in table {
            let mut headers = HeaderMap::new();
            for line in *lines {
                headers.append(LINK, line.parse().unwrap());
            }
            assert_eq!(next(&headers).as_deref(), *expected, "{lines:?}");
        }
    }
}
