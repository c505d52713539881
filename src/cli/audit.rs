//! `provost audit`: is the record whole, and the record itself.
//!
//! Both read the store page by page while the service is running, and write nothing.

use std::io::{self, Write};
use std::str::FromStr;

use clap::{Subcommand, ValueEnum};
use domain::audit::{Checked, Entry};
use domain::requests::Requests;
use secrecy::ExposeSecret;
use serde::Serialize;

use super::{ConfigFile, Outcome, UsageError};
use crate::config::{Config, Environment};
use crate::plain::plain;
use crate::scan::csv::quoted;
use crate::scan::table::thousands;
use crate::store::{OpenError, Sql};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Verify(Verify),
    Export(Export),
}

/// Check that no entry of the audit was edited, removed, added or moved
///
/// Each entry holds the hash of the one before. That alone cannot show that the last entries were cut off, or that
/// the whole chain was computed anew: give --anchor with a number and hash from the audit channel for that.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 whole, 1 not whole, 2 usage or configuration error.")]
struct Verify {
    #[command(flatten)]
    config: ConfigFile,
    /// An entry's number and hash, noted elsewhere; of the hash at least the first 16 digits
    #[arg(long, value_name = "N:HASH")]
    anchor: Option<Anchor>,
}

/// Print the audit, oldest entry first
#[derive(Debug, clap::Args)]
struct Export {
    #[command(flatten)]
    config: ConfigFile,
    /// What to print: json is one object a line
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// The number of the first entry to print
    #[arg(long, value_name = "N", default_value_t = 1)]
    from: i64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Json,
    Csv,
}

/// An entry that was noted elsewhere.
#[derive(Debug, Clone)]
struct Anchor {
    number: i64,
    hash: String,
}

/// Of a hash, fewer digits prove nothing: a chain could be computed until they agree.
const SHORTEST: usize = 16;

impl FromStr for Anchor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let right = || {
            format!(
                "write the number, a colon, and at least the first {SHORTEST} of the 64 digits of the hash, as the \
                 audit channel shows them, for example 214:9f86d081884c7d65"
            )
        };
        let (number, hash) = text.split_once(':').ok_or_else(right)?;
        let number = number.parse().ok().filter(|number| *number > 0).ok_or_else(right)?;
        let is_hash = (SHORTEST..=64).contains(&hash.len()) && hash.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_hash {
            return Err(right());
        }
        Ok(Self { number, hash: hash.to_ascii_lowercase() })
    }
}

impl Args {
    pub(super) async fn run(self, environment: &Environment) -> anyhow::Result<Outcome> {
        match self.what {
            What::Verify(verify) => {
                let store = open(&verify.config.load(environment)?).await?;
                let outcome = verify.run(&store, &mut io::stdout()).await;
                store.close().await;
                outcome
            }
            What::Export(export) => {
                let store = open(&export.config.load(environment)?).await?;
                let outcome = export.run(&store, &mut io::BufWriter::new(io::stdout())).await;
                store.close().await;
                outcome
            }
        }
    }
}

/// Opens the store beside the service.
async fn open(config: &Config) -> anyhow::Result<Sql> {
    match Sql::open_to_read(config.store.url.expose_secret()).await {
        Ok(store) => Ok(store),
        // Nothing was looked at: that is not the same as something wrong with it.
        Err(
            error @ (OpenError::Url { .. }
            | OpenError::NoFolder { .. }
            | OpenError::Missing { .. }
            | OpenError::NotUpToDate { .. }
            | OpenError::Newer { .. }),
        ) => Err(UsageError(error.to_string()).into()),
        Err(error) => Err(error.into()),
    }
}

impl Verify {
    async fn run(&self, store: &Sql, out: &mut impl Write) -> anyhow::Result<Outcome> {
        let anchor = self.anchor.as_ref();
        let mut checked = Checked::against(anchor.map(|anchor| (anchor.number, anchor.hash.as_str())));
        // From below 1: an entry put before the first is one that does not belong there.
        let mut from = i64::MIN;
        let broken = loop {
            let page = match store.chain(from).await {
                Ok(page) => page,
                Err(error) => {
                    tell_last(&checked, out)?;
                    return Err(error.into());
                }
            };
            if page.is_empty() {
                break checked.end().err();
            }
            if let Some(broken) = page.iter().find_map(|entry| checked.entry(entry).err()) {
                break Some(broken);
            }
            from = checked.last().0 + 1;
        };
        tell_last(&checked, out)?;
        if let Some(broken) = broken {
            writeln!(out, "The audit is not whole: {broken}.")?;
            return Ok(Outcome::FoundSomething);
        }
        match anchor {
            Some(anchor) => writeln!(out, "Entry {} is the one that was noted elsewhere.", anchor.number)?,
            None => writeln!(
                out,
                "Without an anchor it cannot be seen whether the last entries were cut off, or the whole chain was\n\
                 computed anew. Give --anchor N:HASH with a line of the audit channel to see that too."
            )?,
        }
        Ok(Outcome::Done)
    }
}

/// How far the chain is whole.
fn tell_last(checked: &Checked<'_>, out: &mut impl Write) -> io::Result<()> {
    match checked.last() {
        (0, _) => writeln!(out, "0 entries are whole."),
        (1, hash) => writeln!(out, "1 entry is whole; it is 1:{hash}"),
        (number, hash) => {
            let many = thousands(number.unsigned_abs());
            writeln!(out, "{many} entries are whole; the last is {number}:{hash}")
        }
    }
}

impl Export {
    async fn run(&self, store: &Sql, out: &mut impl Write) -> anyhow::Result<Outcome> {
        let mut from = self.from;
        if let Format::Csv = self.format {
            write!(out, "{}\r\n", HEAD.join(","))?;
        }
        loop {
            let page = store.chain(from).await?;
            let Some(last) = page.last() else {
                break;
            };
            for entry in &page {
                match self.format {
                    Format::Json => writeln!(out, "{}", serde_json::to_string(&Line::of(entry))?)?,
                    Format::Csv => write!(out, "{}\r\n", Line::of(entry).cells().join(","))?,
                }
            }
            let Some(next) = last.number.checked_add(1) else {
                break;
            };
            from = next;
        }
        out.flush()?;
        Ok(Outcome::Done)
    }
}

/// An entry as it leaves the program. Discord's ids are texts: as numbers, most readers would round them.
#[derive(Serialize)]
struct Line<'a> {
    number: i64,
    at: String,
    what: &'a str,
    member: Option<String>,
    person: Option<&'a str>,
    org: Option<&'a str>,
    app: Option<&'a str>,
    request: Option<String>,
    request_hash: &'a str,
    before: &'a str,
    after: &'a str,
    reason: &'a str,
    okta_request: &'a str,
    event: &'a str,
    outcome: &'a str,
    previous: &'a str,
    hash: &'a str,
}

const HEAD: [&str; 17] = [
    "number",
    "at",
    "what",
    "member",
    "person",
    "org",
    "app",
    "request",
    "request_hash",
    "before",
    "after",
    "reason",
    "okta_request",
    "event",
    "outcome",
    "previous",
    "hash",
];

impl<'a> Line<'a> {
    fn of(entry: &'a Entry) -> Self {
        let draft = &entry.draft;
        Self {
            number: entry.number,
            at: entry.at.to_string(),
            what: &draft.what,
            member: draft.member.map(|member| member.to_string()),
            person: draft.person.as_ref().map(|person| person.as_str()),
            org: draft.org.as_ref().map(|org| org.as_str()),
            app: draft.app.as_ref().map(|app| app.as_str()),
            request: draft.request.map(|request| request.to_string()),
            request_hash: &draft.request_hash,
            before: &draft.before,
            after: &draft.after,
            reason: &draft.reason,
            okta_request: &draft.okta_request,
            event: &draft.event,
            outcome: &draft.outcome,
            previous: &entry.previous,
            hash: &entry.hash,
        }
    }

    /// The cells of a row: no spreadsheet takes one for a formula, and what cannot be seen is written out.
    fn cells(&self) -> [String; 17] {
        [
            &self.number.to_string(),
            self.at.as_str(),
            self.what,
            self.member.as_deref().unwrap_or_default(),
            self.person.unwrap_or_default(),
            self.org.unwrap_or_default(),
            self.app.unwrap_or_default(),
            self.request.as_deref().unwrap_or_default(),
            self.request_hash,
            self.before,
            self.after,
            self.reason,
            self.okta_request,
            self.event,
            self.outcome,
            self.previous,
            self.hash,
        ]
        .map(|cell| quoted(&plain(cell)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_a_number_and_enough_of_a_hash() {
        let hash = "0123456789abcdef".repeat(4);
        let long = format!("7:{hash}0");
        let (whole, upper) = (format!("7:{hash}"), format!("7:{}", hash[..16].to_uppercase()));
        for good in [whole.as_str(), upper.as_str(), "1:0123456789abcdef"] {
            let anchor: Anchor = good.parse().expect(good);
            assert!(hash.starts_with(&anchor.hash), "{good}");
        }
        for bad in
            ["", "7", ":", "7:", "7:0123456789abcde", "x:0123456789abcdef", "0:0123456789abcdef", &long]
        {
            assert!(bad.parse::<Anchor>().is_err(), "{bad}");
        }
        for bad in ["-7:0123456789abcdef", "7:0123456789abcdeg", "7:é123456789abcdef"] {
            assert!(bad.parse::<Anchor>().is_err(), "{bad}");
        }
    }
}
