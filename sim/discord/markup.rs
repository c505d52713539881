//! Discord's markup as people see it: escapes undone, mentions as names, links with their target.

/// The name behind a mention: its sigil ("@", "@&", "#") and id.
pub(super) type Names<'a> = &'a dyn Fn(&str, u64) -> Option<String>;

/// The text as it is shown. Emphasis is left out; code keeps its back-ticks; a point in time is always the same
/// words, so that a transcript of today is that of tomorrow.
pub(super) fn shown(text: &str, names: Names<'_>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (piece, used) = next(rest, c, names);
        out.push_str(&piece);
        rest = &rest[used..];
    }
    out
}

/// What the text begins with, as shown, and how many bytes of it that took.
fn next(rest: &str, c: char, names: Names<'_>) -> (String, usize) {
    if let Some(escaped) = rest.strip_prefix('\\').and_then(|rest| rest.chars().next())
        && escaped.is_ascii_punctuation()
    {
        return (escaped.to_string(), 1 + escaped.len_utf8());
    }
    for fence in ["```", "``", "`"] {
        if let Some(inside) = rest.strip_prefix(fence)
            && let Some(end) = inside.find(fence)
        {
            let whole = fence.len() * 2 + end;
            return (rest[..whole].to_owned(), whole);
        }
    }
    for mark in ["**", "__", "~~", "||"] {
        if rest.starts_with(mark) {
            return (String::new(), mark.len());
        }
    }
    if c == '<'
        && let Some(end) = rest.find('>')
        && let Some(shown) = tag(&rest[1..end], names)
    {
        return (shown, end + 1);
    }
    if c == '['
        && let Some(middle) = rest.find("](http")
        && !rest[..middle].contains('\n')
        && let Some(end) = rest[middle..].find(')')
    {
        let label = shown(&rest[1..middle], names);
        return (format!("{label} ({})", &rest[middle + 2..middle + end]), middle + end + 1);
    }
    (c.to_string(), c.len_utf8())
}

fn tag(inside: &str, names: Names<'_>) -> Option<String> {
    if let Some(time) = inside.strip_prefix("t:") {
        let (seconds, style) = time.split_once(':').unwrap_or((time, "f"));
        seconds.parse::<i64>().ok()?;
        return Some(if style == "R" { "(relative time)" } else { "(time)" }.to_owned());
    }
    if let Some(link) = inside.strip_prefix("http") {
        return Some(format!("http{link}"));
    }
    // A command mention: </okta diagnose:1>
    if let Some((command, id)) = inside.strip_prefix('/').and_then(|rest| rest.split_once(':')) {
        return id.parse::<u64>().ok().map(|_| format!("/{command}"));
    }
    for (sigil, prefix) in [("@&", "@&"), ("@", "@!"), ("@", "@"), ("#", "#")] {
        if let Some(id) = inside.strip_prefix(prefix).and_then(|id| id.parse().ok()) {
            let name = names(sigil, id).unwrap_or_else(|| "unknown".to_owned());
            return Some(format!("{}{name}", &sigil[..1]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_names_and_no_escapes() {
        let names = |sigil: &str, id: u64| {
            (id == 1).then(|| if sigil == "@&" { "on-call" } else { "Olive" }.to_owned())
        };
        #[rustfmt::skip]
        let table = [
            (r"a \*b\* \_c\_ \\",                "a *b* _c_ \\"),
            ("**bold** `c\\*de`",                "bold `c\\*de`"),
            ("<@1> <@&1> <@2>",                  "@Olive @on-call @unknown"),
            ("since <t:12:R>, at <t:12>",        "since (relative time), at (time)"),
            ("[the alert](https://a/b) <x> 1<2", "the alert (https://a/b) <x> 1<2"),
            (r"\<@1\> ✓",                        "<@1> ✓"),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text, &names), expected, "{text}");
        }
    }
}
