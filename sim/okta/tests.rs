//! Stories over HTTP, by a client small enough to see every byte.

use anyhow::Context as _;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Okta, Settings};

mod failing;
mod faulty;
mod reading_the_log;
mod routes;
mod signing_in;

/// An answer as it came over the wire.
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    fn link(&self, rel: &str) -> Option<String> {
        let end = format!(">; rel=\"{rel}\"");
        let links = self.headers.iter().filter(|(name, _)| name == "link");
        links.filter_map(|(_, value)| value.strip_prefix('<')?.strip_suffix(&end)).map(str::to_owned).next()
    }
}

async fn org() -> anyhow::Result<Okta> {
    Okta::start(Settings::default()).await
}

fn ssws() -> String {
    format!("SSWS {}", Settings::default().api_token)
}

/// A request with the org's API token. `target` may be a whole URL.
async fn ask(okta: &Okta, method: &str, target: &str, body: &str) -> anyhow::Result<Reply> {
    let authorization = ssws();
    ask_with(okta, method, target, &[("authorization", &authorization)], body).await
}

async fn get(okta: &Okta, target: &str) -> anyhow::Result<Reply> {
    ask(okta, "GET", target, "").await
}

async fn ask_with(
    okta: &Okta,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> anyhow::Result<Reply> {
    let url = okta.url();
    let target = target.strip_prefix(&url).unwrap_or(target);
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await?;
    let mut request = format!("{method} {target} HTTP/1.1\r\nhost: okta\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    parse(&bytes).context("the answer is not whole")
}

fn parse(bytes: &[u8]) -> Option<Reply> {
    let split = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..split]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let rest = &bytes[split + 4..];
    let value = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value);
    let body = match value("content-length") {
        Some(length) => rest.get(..length.parse().ok()?)?.to_vec(),
        None if value("transfer-encoding") == Some("chunked") => unchunk(rest)?,
        None => rest.to_vec(),
    };
    Some(Reply { status, headers, body })
}

/// `None` if the last chunk is missing, which is what a cut body looks like.
fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 4 + size..)?;
    }
}
