//! `provost scan`: what fails in an org, before there is a bot.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use domain::cause::Rules;
use domain::facts::AppFacts;
use domain::ids::OrgName;
use domain::ports::Clock;
use jiff::SignedDuration;
use secrecy::SecretString;

use super::{ConfigFile, Outcome, UsageError};
use crate::clock::SystemClock;
use crate::config::{
    Config, DEFAULT_FILE, Environment, OktaConfig, duration, in_words, org_url, origin_of, reason, token,
    without_last_newline,
};
use crate::okta::wire::parse_log_entry;
use crate::okta::{Credentials, Okta};
use crate::plain::plain;
use crate::scan::report::{Report, State};
use crate::scan::tally::{Tally, Torn};
use crate::scan::{csv, entries, json, live, table};

/// Show which pushes fail: by app, cause and person
///
/// Reads an org (--since) or an export of its System Log (--from), and needs no Discord. With --url and --token-file
/// it needs no configuration file either; a token of a read-only administrator is enough. Nothing is written to Okta.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 nobody waits, 1 failures wait for somebody, 2 usage or configuration error."
)]
pub(super) struct Args {
    #[command(flatten)]
    file: ConfigFile,
    /// Which org of the configuration, where it has several
    #[arg(long, value_name = "NAME", conflicts_with_all = ["url", "from"])]
    org: Option<OrgName>,
    /// How far back to read the org's log, for example 24h or 7d; Okta keeps 90d
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = since)]
    since: Duration,
    /// Read an export instead: a JSON array, JSON lines, either packed with gzip; - is stdin
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// The org's address, to scan without a configuration file [env: PROVOST_URL]
    #[arg(long, value_name = "URL", conflicts_with_all = ["config", "from"])]
    url: Option<String>,
    /// The file with its API token [env: PROVOST_TOKEN_FILE]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "from"])]
    token_file: Option<PathBuf>,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// What a scan prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables for people
    Table,
    /// One JSON object with everything
    Json,
    /// A row for each person, app and cause
    Csv,
}

fn since(text: &str) -> Result<Duration, String> {
    match duration(text) {
        Ok(given) if given.is_zero() || given > Duration::from_hours(90 * 24) => {
            Err("write more than 0 and at most 90d: Okta keeps its log no longer".to_owned())
        }
        Ok(given) => Ok(given),
        Err(what) => Err(format!("{}; {}", what.wrong, what.right)),
    }
}

impl Args {
    pub(super) async fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let mut progress = Progress::new();
        let (source, rules, tally, apps) = match &self.from {
            Some(path) => {
                let rules = self.rules(environment)?;
                let tally = read_export(path, rules.clone(), &mut progress)?;
                let source =
                    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() };
                (source, rules, tally, None)
            }
            None => {
                let (org, rules) = self.org(environment)?;
                let source = format!("{}, the last {}", origin_of(&org.url), in_words(self.since));
                let (tally, apps) = self.read_org(&org, rules.clone(), &mut progress).await?;
                (source, rules, tally, apps)
            }
        };
        progress.done(&tally);

        let report = Report::of(tally, apps);
        let mut out = io::BufWriter::new(io::stdout().lock());
        match self.format {
            Format::Table => table::write(&report, &source, &rules, &mut out)?,
            Format::Json => json::write(&report, &source, &rules, &mut out)?,
            Format::Csv => csv::write(&report, &mut out)?,
        }
        out.flush()?;
        Ok(if report.count(State::Waiting) > 0 { Outcome::FoundSomething } else { Outcome::Done })
    }

    /// The rules for an export: those of a configuration that is named, else those that ship with Provost.
    fn rules(&self, environment: &Environment) -> anyhow::Result<Arc<Rules>> {
        Ok(match self.file.config {
            Some(_) => self.file.load(environment)?.alerts.rules,
            None => Arc::new(Rules::embedded()),
        })
    }

    /// The org to read, and the rules for it.
    fn org(&self, environment: &Environment) -> anyhow::Result<(OktaConfig, Arc<Rules>)> {
        let url = self.url.as_deref();
        let token_file = self.token_file.clone();
        // What is said on the command line counts before the environment does.
        let (url, token_file) = if url.is_some() || token_file.is_some() || self.file.config.is_none() {
            let from_environment = || environment.scan_token_file().map(PathBuf::from);
            (url.or_else(|| environment.scan_url()), token_file.or_else(from_environment))
        } else {
            (None, None)
        };
        match (url, token_file) {
            (Some(url), Some(file)) if self.org.is_none() => {
                Ok((unconfigured(url, &file)?, Arc::new(Rules::embedded())))
            }
            (Some(_), None) => {
                Err(UsageError("--url needs --token-file, the file with the org's API token".to_owned())
                    .into())
            }
            (None, Some(_)) => {
                Err(UsageError("--token-file needs --url, such as --url https://acme.okta.com".to_owned())
                    .into())
            }
            (None, None)
                if self.file.config.is_none()
                    && environment.config_path().is_none()
                    && !environment.configures()
                    && !Path::new(DEFAULT_FILE).exists() =>
            {
                let said = "there is no provost.toml here; name one with --config, scan an org with --url and \
                            --token-file, or an export with --from";
                Err(UsageError(said.to_owned()).into())
            }
            (Some(_), Some(_)) | (None, None) => {
                let config = self.file.load(environment)?;
                Ok((choose(&config, self.org.as_ref())?, config.alerts.rules))
            }
        }
    }

    async fn read_org(
        &self,
        org: &OktaConfig,
        rules: Arc<Rules>,
        progress: &mut Progress,
    ) -> anyhow::Result<(Tally, Option<Vec<AppFacts>>)> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let directory = Okta::new(org.settings(), clock.clone())?;
        let since = clock.now() - SignedDuration::try_from(self.since)?;
        let mut tally = Tally::new(rules);
        live::read(&directory, &*clock, since, &mut tally, |tally, waits| match waits {
            Some(why) => progress.say(why),
            None => progress.at(tally),
        })
        .await?;
        progress.say("reading the apps");
        // What the log says is worth having even where the apps cannot be read.
        match live::apps(&directory, &*clock, |why| progress.say(why)).await {
            Ok(apps) => Ok((tally, Some(apps))),
            Err(error) => {
                progress.keep(&format!(
                    "warning: the apps cannot be read, so none of what is shown is about \
                    their settings: {error}"
                ));
                Ok((tally, None))
            }
        }
    }
}

/// An org that no configuration knows.
fn unconfigured(url: &str, token_file: &Path) -> Result<OktaConfig, UsageError> {
    let url = org_url(url).map_err(|what| UsageError(format!("--url {}; {}", what.wrong, what.right)))?;
    let shown = token_file.display();
    let text = std::fs::read_to_string(token_file)
        .map_err(|error| UsageError(format!("--token-file {shown} cannot be read: {}", reason(&error))))?;
    let secret = without_last_newline(&text);
    if secret.is_empty() {
        return Err(UsageError(format!("--token-file {shown} is empty")));
    }
    self::token("SSWS")(secret)
        .map_err(|what| UsageError(format!("--token-file {shown} {}; {}", what.wrong, what.right)))?;
    Ok(OktaConfig::for_a_look(url, Credentials::Token(SecretString::from(secret))))
}

fn choose(config: &Config, named: Option<&OrgName>) -> Result<OktaConfig, UsageError> {
    let known = || config.orgs.keys().map(OrgName::as_str).collect::<Vec<_>>().join(", ");
    match (named, config.orgs.len()) {
        (Some(name), _) => config
            .orgs
            .get(name)
            .cloned()
            .ok_or_else(|| UsageError(format!("--org {name} is not configured; there are: {}", known()))),
        (None, 1) => config.orgs.values().next().cloned().ok_or_else(|| UsageError("no org".to_owned())),
        (None, _) => Err(UsageError(format!("there are several orgs; choose one with --org: {}", known()))),
    }
}

/// Reads an export of any size.
fn read_export(path: &Path, rules: Arc<Rules>, progress: &mut Progress) -> anyhow::Result<Tally> {
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let opened = File::open(path);
        Box::new(opened.map_err(|error| {
            UsageError(format!("--from {} cannot be read: {}", path.display(), reason(&error)))
        })?)
    };
    let mut tally = Tally::new(rules);
    entries::for_each(input, |line, entry| {
        let torn = |why: String| Torn { line: Some(line), why };
        match entry.map(parse_log_entry) {
            Ok(Ok(Some(event))) => tally.take(event),
            Ok(Ok(None)) => tally.skip(1),
            Ok(Err(unreadable)) => tally.torn(torn(unreadable.why)),
            Err(why) => tally.torn(torn(why.to_owned())),
        }
        progress.at(&tally);
    })?;
    if tally.is_all_torn() {
        let first = tally.first_torn();
        let line = first.and_then(|torn| torn.line).unwrap_or(1);
        let why = first.map(|torn| torn.why.as_str()).unwrap_or_default();
        let said = format!(
            "--from {} is no export of the System Log (line {line}: {why}); give the JSON of GET /api/v1/logs, \
             as an array or in lines",
            path.display()
        );
        return Err(UsageError(said).into());
    }
    Ok(tally)
}

/// How far it is, on stderr: on a terminal one line that is written over, otherwise a line now and then.
struct Progress {
    began: Instant,
    told: Instant,
    terminal: bool,
}

impl Progress {
    fn new() -> Self {
        let now = Instant::now();
        Self { began: now, told: now, terminal: io::stderr().is_terminal() }
    }

    fn at(&mut self, tally: &Tally) {
        let pause = Duration::from_millis(if self.terminal { 200 } else { 10_000 });
        if self.told.elapsed() >= pause {
            self.say(&format!("{} entries read", table::thousands(tally.entries())));
        }
    }

    fn say(&mut self, what: &str) {
        self.told = Instant::now();
        // Progress is not worth failing for.
        let _ = match self.terminal {
            true => write!(io::stderr(), "\r\x1b[K{}", plain(what)),
            false => writeln!(io::stderr(), "{}", plain(what)),
        };
    }

    fn done(&mut self, tally: &Tally) {
        let (entries, seconds) = (table::thousands(tally.entries()), self.began.elapsed().as_secs_f64());
        self.keep(&format!("{entries} entries read in {seconds:.1} s"));
    }

    /// Says something that is not written over.
    fn keep(&mut self, what: &str) {
        self.say(what);
        if self.terminal {
            let _ = writeln!(io::stderr());
        }
    }
}
