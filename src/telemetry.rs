//! Logs: for people on a terminal, JSON otherwise, always on stderr.
//!
//! **Invariant:** no level that somebody asks for lets a secret out. Libraries that print what they send are held at
//! a level at which they do not, after and regardless of the user's wishes.

use std::io::{self, IsTerminal, Write};

use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber, error};
use tracing_subscriber::filter::{EnvFilter, FilterExt, ParseError, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Environment;
use crate::plain::is_risky;

/// Libraries that can print a token, a request's headers or its body, and the level at which they cannot.
///
/// serenity prints an interaction's token at info; the websocket libraries print whole frames, the one that signs in
/// among them; the HTTP libraries print headers and bytes; sqlx prints statements and, on a slow connect, its options.
const HELD: [(&str, LevelFilter); 12] = [
    ("serenity", LevelFilter::ERROR),
    ("twilight", LevelFilter::WARN),
    ("tungstenite", LevelFilter::WARN),
    ("tokio_tungstenite", LevelFilter::WARN),
    ("tokio_websockets", LevelFilter::WARN),
    ("reqwest", LevelFilter::WARN),
    ("hyper", LevelFilter::WARN),
    ("hyper_util", LevelFilter::WARN),
    ("h2", LevelFilter::WARN),
    ("rustls", LevelFilter::WARN),
    ("sqlx", LevelFilter::WARN),
    ("axum", LevelFilter::WARN),
];

/// How logs look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One line for a person.
    Human {
        /// With colours.
        colour: bool,
    },
    /// One JSON object a line.
    Json,
}

/// `RUST_LOG` is not a list of levels.
#[derive(Debug, thiserror::Error)]
#[error("RUST_LOG is not a list of levels such as “info” or “warn,provost=debug”: {0}")]
pub struct NotLevels(ParseError);

/// Starts logging, at the levels of `RUST_LOG` or else at `level`. Panics are logged as well.
///
/// # Errors
///
/// [`NotLevels`].
pub fn init(environment: &Environment, level: &str) -> Result<(), NotLevels> {
    let format = if io::stderr().is_terminal() {
        Format::Human { colour: !environment.forbids_colour() }
    } else {
        Format::Json
    };
    let levels = EnvFilter::try_new(environment.log_levels().unwrap_or(level)).map_err(NotLevels)?;
    let layer = layer(format, levels, io::stderr);
    // A second start in one process (a test) keeps the first.
    if tracing_subscriber::registry().with(layer).try_init().is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            let said = panic.payload_as_str().unwrap_or("no message");
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            error!(panic.location = place, "A task panicked: {said}");
        }));
    }
    Ok(())
}

/// A layer that writes to `out`.
fn layer<S, W>(format: Format, levels: EnvFilter, out: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let levels = levels.and(filter_fn(lets_out_no_secret));
    let layer = tracing_subscriber::fmt::layer();
    match format {
        Format::Human { colour } => {
            layer.with_ansi(colour).with_writer(OneLine(out)).with_filter(levels).boxed()
        }
        Format::Json => layer.json().flatten_event(true).with_writer(out).with_filter(levels).boxed(),
    }
}

fn lets_out_no_secret(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let library = target.split("::").next().unwrap_or(target);
    let held = HELD.iter().find(|(name, _)| {
        library == *name || library.strip_prefix(name).is_some_and(|rest| rest.starts_with('_'))
    });
    held.is_none_or(|(_, most)| *metadata.level() <= *most)
}

/// Writes an event as one line, whatever its fields hold: a text from outside must not be able to forge a second
/// line, move the cursor or turn the reading direction round. (`tracing-subscriber` escapes escape sequences only;
/// its own colours pass.)
struct OneLine<W>(W);

struct LineWriter<W>(W);

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for OneLine<W> {
    type Writer = LineWriter<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        LineWriter(self.0.make_writer())
    }

    fn make_writer_for(&'w self, meta: &Metadata<'_>) -> Self::Writer {
        LineWriter(self.0.make_writer_for(meta))
    }
}

impl<W: Write> Write for LineWriter<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        // An event arrives in one piece that ends with its newline.
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let mut safe = String::with_capacity(line.len() + 1);
        for each in line.chars() {
            if is_risky(each) && each != '\u{1b}' {
                safe.extend(each.escape_default());
            } else {
                safe.push(each);
            }
        }
        safe.push('\n');
        self.0.write_all(safe.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    use tracing::{debug, info, warn};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if let Ok(mut kept) = self.0.lock() {
                kept.extend_from_slice(bytes);
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: Format, levels: &str, say: impl FnOnce()) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let layer = layer(format, EnvFilter::new(levels), move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), say);
        let bytes = kept.0.lock().map(|kept| kept.clone()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn no_level_makes_a_library_print_what_it_sends() {
        for levels in
            ["trace", "serenity::http=trace,tokio_tungstenite=trace,twilight_gateway=trace,h2=trace"]
        {
            let said = logged(Format::Json, levels, || {
                info!(target: "serenity::http::request", "CANARY");
                debug!(target: "tokio_tungstenite::compat", "CANARY");
                debug!(target: "twilight_gateway::shard", "CANARY");
                debug!(target: "h2::codec", "CANARY");
                warn!(target: "h2_like", "seen");
            });
            assert!(!said.contains("CANARY"), "{levels}: {said}");
        }
    }

    #[test]
    fn one_event_is_one_line_whatever_it_says() {
        for format in [Format::Human { colour: true }, Format::Human { colour: false }, Format::Json] {
            let said = logged(format, "info", || {
                info!(name = "Dana\nforged: line", "Hello \u{1b}[2J\u{202e}olleh\r\n{}", "second\nline");
            });
            assert_eq!(said.lines().count(), 1, "{format:?}: {said}");
            assert!(!said.contains("\u{1b}[2J"), "{format:?}: {said}");
            if format != Format::Json {
                assert!(!said.contains('\u{202e}'), "{said}");
            }
        }
    }
}
