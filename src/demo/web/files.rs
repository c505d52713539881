//! The page's files, as they stand in `sim/web`. They are in the binary, so that it needs nothing beside it.

use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

macro_rules! files {
    ($($kind:ident $path:literal),* $(,)?) => {
        &[$(($path, $kind, include_str!(concat!("../../../sim/web/", $path)))),*]
    };
}

/// Path, type, content.
const FILES: &[(&str, &str, &str)] = files![
    HTML "index.html",
    CSS "css/base.css",
    CSS "css/chat.css",
    CSS "css/dialog.css",
    CSS "css/message.css",
    CSS "css/okta.css",
    JS "js/answers.js",
    JS "js/api.js",
    JS "js/arrivals.js",
    JS "js/channel.js",
    JS "js/components.js",
    JS "js/composer.js",
    JS "js/dialog.js",
    JS "js/dom.js",
    JS "js/embed.js",
    JS "js/health.js",
    JS "js/intro.js",
    JS "js/looking.js",
    JS "js/main.js",
    JS "js/markdown.js",
    JS "js/message.js",
    JS "js/more.js",
    JS "js/news.js",
    JS "js/okta.js",
    JS "js/okta/apps.js",
    JS "js/okta/breaking.js",
    JS "js/okta/does.js",
    JS "js/okta/log.js",
    JS "js/okta/people.js",
    JS "js/okta/tasks.js",
    JS "js/people.js",
    JS "js/select.js",
    JS "js/sides.js",
    JS "js/slash.js",
    JS "js/spots.js",
    JS "js/state.js",
    JS "js/time.js",
    JS "js/toast.js",
    JS "js/tour.js",
];

/// Answers with a file.
pub(super) async fn file(uri: Uri) -> Response {
    let path = match uri.path().trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    match FILES.iter().find(|(name, ..)| *name == path) {
        Some((_, kind, text)) => ([(header::CONTENT_TYPE, *kind)], *text).into_response(),
        None => (StatusCode::NOT_FOUND, "there is no such file").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// All files below a folder, by their path from `root`.
    fn below(root: &Path, folder: &Path, found: &mut Vec<String>) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                below(root, &path, found)?;
            } else if let Ok(path) = path.strip_prefix(root) {
                found.push(path.to_string_lossy().into_owned());
            }
        }
        Ok(())
    }

    #[test]
    fn every_file_of_the_page_is_served() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sim/web");
        let mut there = Vec::new();
        below(&root, &root, &mut there).unwrap();
        there.sort();
        let mut served: Vec<&str> = FILES.iter().map(|(path, ..)| *path).collect();
        served.sort_unstable();
        assert_eq!(served, there);
    }
}
