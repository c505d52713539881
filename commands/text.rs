//! Text from outside, made safe to show: no markdown, no mention, no link, no control or direction characters.
//!
//! Names and reasons come from Okta, where anybody may have typed them. [`escape`] is for places where Discord reads
//! markdown (content, a card's title, body and fields); [`plain`] for places where it does not (footers, labels,
//! choices, file and thread names).

use std::fmt::Write;

use jiff::Timestamp;
use unicode_segmentation::UnicodeSegmentation;

/// Marks on one letter beyond this many are dropped: they would climb over the lines above.
const MARKS_PER_LETTER: usize = 4;

/// Text from outside as text, escaped for markdown, at most `limit` UTF-16 units with an ellipsis if it was cut.
pub fn escape(text: &str, limit: usize) -> String {
    cut(&clean(text), limit, |before, shown, letter| {
        for c in letter.chars() {
            if is_markdown(c) || begins_a_list(before, c) {
                shown.push('\\');
            }
            shown.push(c);
        }
    })
}

/// Text from outside as text, for places without markdown, at most `limit` UTF-16 units.
pub fn plain(text: &str, limit: usize) -> String {
    cut(&clean(text), limit, |_, shown, letter| shown.push_str(letter))
}

/// The length that Discord counts.
pub fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A time as each reader's own clock shows it, with how long ago it was.
pub fn when(at: Timestamp) -> String {
    format!("<t:{0}:f> (<t:{0}:R>)", at.as_second())
}

/// How long ago a time was, or how long until it.
pub fn ago(at: Timestamp) -> String {
    format!("<t:{}:R>", at.as_second())
}

/// `1 person`, `2 people`.
pub fn people(count: usize) -> String {
    match count {
        1 => "1 person".to_owned(),
        _ => format!("{count} people"),
    }
}

/// What Discord reads as markdown, as a mention or, with the slash, as a link. Not more than that: a phone's
/// notification shows the backslashes.
fn is_markdown(c: char) -> bool {
    matches!(c, '\\' | '*' | '_' | '~' | '|' | '`' | '<' | '>' | '#' | '[' | ']' | '@' | '/')
}

/// `- `, `+ ` and `1. ` make a list at the beginning of a line.
fn begins_a_list(before: &str, c: char) -> bool {
    match c {
        '-' | '+' => before.is_empty(),
        '.' => !before.is_empty() && before.bytes().all(|b| b.is_ascii_digit()),
        _ => false,
    }
}

fn clean(text: &str) -> String {
    let mut marks = 0;
    let mut out = String::new();
    // Longer than any field: what lies beyond is never shown, so it is not worth looking at.
    for c in text.chars().take(8_192) {
        match c {
            c if is_space(c) => {
                marks = 0;
                if !out.ends_with(' ') && !out.is_empty() {
                    out.push(' ');
                }
            }
            c if is_hidden(c) => {}
            c if is_mark(c) => {
                marks += 1;
                if marks <= MARKS_PER_LETTER && !out.is_empty() {
                    out.push(c);
                }
            }
            c => {
                marks = 0;
                out.push(c);
            }
        }
    }
    out.truncate(out.trim_end().len());
    if out.is_empty() { "–".to_owned() } else { out }
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{2800}' || c == '\u{3164}' || c == '\u{115f}' || c == '\u{1160}'
}

/// Control and direction characters, and those nobody can see. Source: Unicode, general categories Cc and Cf and
/// the property Default_Ignorable_Code_Point.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{0600}'..='\u{0605}' | '\u{06dd}' | '\u{070f}' | '\u{08e2}'
            | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}')
}

/// Combining marks that pile up.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036f}' | '\u{0483}'..='\u{0489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

fn cut(text: &str, limit: usize, write: impl Fn(&str, &mut String, &str)) -> String {
    let mut out = String::new();
    let mut used = 0;
    for letter in text.graphemes(true) {
        let mut shown = String::new();
        write(&out, &mut shown, letter);
        if used + units(&shown) > limit {
            while used + 1 > limit {
                let Some(last) = out.pop() else { return out };
                used -= last.len_utf16();
            }
            // A cut must not leave a backslash that would escape the ellipsis.
            while out.ends_with('\\') {
                out.pop();
            }
            out.push('…');
            return out;
        }
        used += units(&shown);
        out.push_str(&shown);
    }
    out
}

/// A list of names: the first few, and how many more there are.
pub fn and_more(names: &[String], total: usize) -> String {
    let mut out = names.join(", ");
    if total > names.len() {
        let _ = write!(out, ", and {} more", total - names.len());
    }
    out
}

/// Our own text, already safe, shortened to a limit in UTF-16 units at the end of a line or a word.
pub fn fit(text: String, limit: usize) -> String {
    if units(&text) <= limit {
        return text;
    }
    let mut end = 0;
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.len_utf16();
        if used + 2 > limit {
            break;
        }
        if c.is_whitespace() {
            end = at;
        }
    }
    let whole = if end == 0 { plain(&text, limit) } else { format!("{} …", &text[..end]) };
    debug_assert!(units(&whole) <= limit);
    whole
}

/// A cell of a CSV file: quoted where needed, and never a formula for a spreadsheet.
pub fn csv_cell(text: &str) -> String {
    let text = if text.is_empty() { String::new() } else { plain(text, 4_096) };
    let defused = match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') => format!("'{text}"),
        _ => text,
    };
    if defused.contains([',', '"', '\n']) { format!("\"{}\"", defused.replace('"', "\"\"")) } else { defused }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_shown_as_text() {
        #[rustfmt::skip]
        let table = [
            ("Dana Reyes",                     "Dana Reyes"),
            ("@everyone",                      r"\@everyone"),
            ("<@&123>",                        r"\<\@&123\>"),
            ("[click](https://evil.example)",  r"\[click\](https:\/\/evil.example)"),
            ("**bold** _it_ ~~s~~ ||x||",      r"\*\*bold\*\* \_it\_ \~\~s\~\~ \|\|x\|\|"),
            ("# heading\n> quote\n- list",     r"\# heading \> quote - list"),
            ("`code` ```block```",             r"\`code\` \`\`\`block\`\`\`"),
            ("<t:1:R>",                        r"\<t:1:R\>"),
            ("a\u{202e}b\u{200b}c\u{7}d",      "abcd"),
            ("a\u{e0041}b",                    "ab"),
            ("- a list",                       r"\- a list"),
            ("1. a list",                      r"1\. a list"),
            ("   ",                            "–"),
            ("e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}", "e\u{301}\u{301}\u{301}\u{301}"),
            ("back\\slash",                    r"back\\slash"),
        ];
        for (given, expected) in table {
            assert_eq!(escape(given, 200), expected, "{given:?}");
        }
    }

    #[test]
    fn a_cut_falls_between_letters_and_within_the_limit() {
        for limit in 1..12 {
            for text in ["Zoë 👩‍👩‍👧‍👦 family", "**********", "a]b]c]d]e]f]g]", "👍👍👍👍👍👍"]
            {
                let cut = escape(text, limit);
                assert!(units(&cut) <= limit, "{text} cut to {limit} is {cut}");
                assert!(!cut.trim_end_matches('…').ends_with('\\') || cut.ends_with("\\\\"), "{cut}");
            }
        }
        assert_eq!(plain("abcdef", 4), "abc…");
    }

    #[test]
    fn a_spreadsheet_finds_no_formula() {
        #[rustfmt::skip]
        let table = [
            ("=1+1",      "'=1+1"),
            ("@SUM(A1)",  "'@SUM(A1)"),
            ("＝1+1",     "'＝1+1"),
            ("-2",        "'-2"),
            ("a,b",       "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("\t=1",      "'=1"),
            ("",          ""),
        ];
        for (given, expected) in table {
            assert_eq!(csv_cell(given), expected);
        }
    }
}
