//! Text from outside, made safe for a terminal and a log line.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` with every character that could move a cursor, turn the reading direction round or hide something
/// written out as `\u{…}`. What is left fills exactly one line.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_risky) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for each in text.chars() {
        if is_risky(each) {
            // Writing to a String cannot fail.
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(each));
        } else {
            safe.push(each);
        }
    }
    Cow::Owned(safe)
}

/// [`plain`], cut to at most `most` characters with an ellipsis for what is missing.
pub fn short(text: &str, most: usize) -> String {
    let safe = plain(text);
    if safe.chars().count() <= most {
        return safe.into_owned();
    }
    let kept: String = safe.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// Whether a character does something other than being seen.
pub fn is_risky(each: char) -> bool {
    each.is_control()
        || matches!(each,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_fool_a_terminal_is_written_out() {
        let table = [
            ("Dana Müller", "Dana Müller"),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("two\nlines\r", "two\\u{a}lines\\u{d}"),
            ("\u{202e}nimda", "\\u{202e}nimda"),
            ("a\u{200b}b\u{e0041}", "a\\u{200b}b\\u{e0041}"),
            ("\u{9b}31m", "\\u{9b}31m"),
        ];
        for (given, shown) in table {
            assert_eq!(plain(given), shown, "{given:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_where_it_says_so() {
        assert_eq!(short("0123456789", 5), "0123…");
        assert_eq!(short("01234", 5), "01234");
    }
}
