//! Secrets: given as they are, or as a file that holds one (`KEY_file`: Docker and Kubernetes secrets).
//!
//! **Invariant:** no fault and no warning repeats what a secret key held.

use std::fs;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::fault::{Place, Wrong, quoted};
use super::section::Section;
use super::tree::{Node, Value};

impl Section<'_> {
    /// Whether the secret is there, in either way of giving it.
    pub(super) fn has_secret(&self, key: &str) -> bool {
        self.has(key) || self.has(&format!("{key}_file"))
    }

    /// The secret, from `key` or from the file that `key_file` names. `check` sees it without its last newline.
    pub(super) fn secret(
        &mut self,
        key: &str,
        check: impl FnOnce(&str) -> Result<(), Wrong>,
    ) -> Option<SecretString> {
        let file_key = format!("{key}_file");
        let (inline, file) = (self.take(key), self.take(&file_key));
        if let (Some(inline), Some(file)) = (&inline, &file) {
            let wrong = format!("is given, and {file_key} as well ({})", file.at);
            self.fault(inline.at.clone(), key, Wrong::new(wrong, "keep one of the two"));
            return None;
        }
        let (key, at, text) = match (inline, file) {
            (Some(Node { at, value: Value::Text(text) }), _) => {
                self.warn_if_everybody_reads_it(key, &at);
                (key, at, text)
            }
            (Some(Node { at, value }), _) => {
                let wrong = format!("is {}", value.kind());
                self.fault(at, key, Wrong::new(wrong, "write a text in quotes"));
                return None;
            }
            (None, Some(node)) => {
                let at = node.at.clone();
                (file_key.as_str(), at, self.secret_from_file(&file_key, node)?)
            }
            (None, None) => return None,
        };
        let checked = if text.trim().is_empty() {
            Err(Wrong::new("is empty", "put the secret there"))
        } else {
            check(&text)
        };
        checked.map_err(|what| self.fault(at, key, what)).ok()?;
        Some(SecretString::from(text))
    }

    fn secret_from_file(&self, key: &str, Node { at, value }: Node) -> Option<String> {
        let Value::Text(path) = value else {
            let wrong = format!("is {}", value.kind());
            self.fault(at, key, Wrong::new(wrong, "write the file's path in quotes"));
            return None;
        };
        let path = beside(&at, &path);
        let shown = path.display();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                let wrong = format!("{shown} cannot be read: {}", reason(&error));
                self.fault(at, key, Wrong::new(wrong, "name a file that this user may read"));
                return None;
            }
        };
        let text = without_last_newline(&text);
        if text.trim().is_empty() {
            let wrong = format!("{shown} is empty");
            self.fault(at, key, Wrong::new(wrong, "put the secret there, and nothing else"));
            return None;
        }
        if let Some(mode) = read_by_everybody(&path) {
            let wrong = format!("{shown} can be read by everybody on this machine (mode {mode:04o})");
            self.notes.warn(at, self.key(key), Wrong::new(wrong, "chmod 600 it"));
        }
        Some(text.to_owned())
    }

    fn warn_if_everybody_reads_it(&self, key: &str, at: &Place) {
        let Place::Line(file, _) = at else { return };
        if let Some(mode) = read_by_everybody(file) {
            let wrong = format!("stands in a file that everybody on this machine can read (mode {mode:04o})");
            let right =
                format!("chmod 600 the file, or move the secret to one of its own: {key}_file = \"…\"");
            self.notes.warn(at.clone(), self.key(key), Wrong::new(wrong, right));
        }
    }
}

/// A path as it is meant: relative to the file that names it; from a variable, to the working directory.
pub(super) fn beside(at: &Place, path: &str) -> PathBuf {
    match at {
        Place::Line(file, _) | Place::File(file) => file.parent().unwrap_or(Path::new("")).join(path),
        Place::Variable(_) => PathBuf::from(path),
    }
}

/// An I/O error without its number.
pub(crate) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// The text of a secret's file: editors and `echo` end it with a newline that is not part of the secret.
pub(crate) fn without_last_newline(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

#[cfg(unix)]
fn read_by_everybody(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o004 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn read_by_everybody(_: &Path) -> Option<u32> {
    None
}

/// A token that goes into a header: one word, without the scheme that some people copy along.
pub(crate) fn token(scheme: &'static str) -> impl Fn(&str) -> Result<(), Wrong> {
    move |text| {
        if text.starts_with(&format!("{scheme} ")) {
            let wrong = format!("begins with {}", quoted(scheme));
            return Err(Wrong::new(wrong, "leave that word out: it is added when the token is sent"));
        }
        if text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(());
        }
        Err(Wrong::new("holds a space, a line break or a character no token has", "write the token alone"))
    }
}

/// A private key in PEM, not encrypted, or a JWK. What is inside is for the org's client to say.
pub(super) fn private_key(text: &str) -> Result<(), Wrong> {
    let text = text.trim_start();
    let label = text.strip_prefix("-----BEGIN ").and_then(|rest| rest.split_once("-----"));
    match label.map(|(label, _)| label) {
        Some("ENCRYPTED PRIVATE KEY") => {
            Err(Wrong::new("is an encrypted key", "decrypt it: openssl pkcs8 -in KEY -out okta.pem"))
        }
        Some(label) if label.ends_with("PRIVATE KEY") => Ok(()),
        Some(label) => {
            let wrong = format!("is a {}", label.to_lowercase());
            Err(Wrong::new(wrong, "give the private key in PEM (-----BEGIN PRIVATE KEY-----)"))
        }
        None if text.starts_with('{') => Ok(()),
        None => Err(Wrong::new(
            "is not a key in PEM",
            "give the file with -----BEGIN PRIVATE KEY-----, or the JWK",
        )),
    }
}
