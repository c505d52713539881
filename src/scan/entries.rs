//! The entries of an export of the System Log, one at a time.
//!
//! Takes a JSON array, JSON lines, whole pages one after the other, each also compressed with gzip. However large
//! the export, no more than one entry is held. An entry that is torn costs itself: the rest goes on.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::read::MultiGzDecoder;

/// No entry of the System Log comes near this many bytes.
const MOST: usize = 4 * 1024 * 1024;

/// Hands each entry's text, or why it is none, to `each`, with the line on which it begins.
///
/// # Errors
///
/// If the input cannot be read, or is no good gzip.
pub fn for_each(mut input: impl Read, each: impl FnMut(u64, Result<&str, &str>)) -> io::Result<()> {
    let mut head = [0; 2];
    let had = read_up_to(&mut input, &mut head)?;
    let whole = Cursor::new(head).take(had as u64).chain(input);
    if head == [0x1f, 0x8b] {
        plain(BufReader::with_capacity(128 * 1024, MultiGzDecoder::new(whole)), each)
    } else {
        plain(BufReader::with_capacity(128 * 1024, whole), each)
    }
}

/// Fills as much of `head` as the input can; a pipe may hand over less than was asked for.
fn read_up_to(input: &mut impl Read, head: &mut [u8]) -> io::Result<usize> {
    let mut had = 0;
    while had < head.len() {
        match input.read(&mut head[had..])? {
            0 => break,
            more => had += more,
        }
    }
    Ok(had)
}

fn plain(mut input: impl BufRead, mut each: impl FnMut(u64, Result<&str, &str>)) -> io::Result<()> {
    let mut line = Vec::new();
    let mut number: u64 = 0;
    while next_line(&mut input, &mut line)? {
        number += 1;
        let text = trimmed(&line);
        match text {
            [] => {}
            // An array, or an entry that is spread over lines: from here on, braces tell where an entry ends.
            [b'[', ..] | [b'{'] => {
                let mut braces = Braces::starting(number);
                braces.feed(&line, &mut each);
                return braces.run(input, &mut each);
            }
            _ if line.len() > MOST => each(number, Err("is longer than any entry")),
            text => each(number, Ok(&String::from_utf8_lossy(text))),
        }
    }
    Ok(())
}

/// Reads a line with its end; of one that is too long, the beginning. `false` at the end of the input.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    input.by_ref().take(MOST as u64 + 1).read_until(b'\n', line)?;
    // An array may stand on one line of any length; it is told by its first character and fed on from here.
    if line.len() > MOST && trimmed(line).first() != Some(&b'[') {
        skip_line(input)?;
    }
    Ok(!line.is_empty())
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let (used, found) = {
            let buffer = input.fill_buf()?;
            match buffer.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), buffer.is_empty()),
            }
        };
        input.consume(used);
        if found {
            return Ok(());
        }
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii()
}

/// Finds entries by their braces, wherever the line ends are.
struct Braces {
    /// The entry so far.
    entry: Vec<u8>,
    /// The line that is being read, and the one on which the entry began.
    line: u64,
    began: u64,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The rest of a torn line is being passed over.
    lost: bool,
}

impl Braces {
    fn starting(line: u64) -> Self {
        let entry = Vec::new();
        Self { entry, line, began: line, depth: 0, in_string: false, escaped: false, lost: false }
    }

    fn run(
        mut self,
        mut input: impl BufRead,
        each: &mut impl FnMut(u64, Result<&str, &str>),
    ) -> io::Result<()> {
        loop {
            let used = {
                let buffer = input.fill_buf()?;
                self.feed(buffer, each);
                buffer.len()
            };
            if used == 0 {
                break;
            }
            input.consume(used);
        }
        if self.depth > 0 {
            self.salvage("the file ends within an entry", each);
        }
        Ok(())
    }

    fn feed(&mut self, bytes: &[u8], each: &mut impl FnMut(u64, Result<&str, &str>)) {
        for &byte in bytes {
            if self.depth > 0 {
                self.within(byte, each);
            } else {
                self.between(byte, each);
            }
            self.line += u64::from(byte == b'\n');
        }
    }

    /// Between entries there are commas, brackets and space; anything else is a torn line.
    fn between(&mut self, byte: u8, each: &mut impl FnMut(u64, Result<&str, &str>)) {
        match byte {
            b'\n' => self.lost = false,
            _ if self.lost => {}
            b'{' => {
                self.began = self.line;
                self.depth = 1;
                self.entry.push(byte);
            }
            b'[' | b']' | b',' | b' ' | b'\t' | b'\r' | 0xef | 0xbb | 0xbf => {}
            _ => {
                self.lost = true;
                each(self.line, Err("no entry begins here"));
            }
        }
    }

    fn within(&mut self, byte: u8, each: &mut impl FnMut(u64, Result<&str, &str>)) {
        if byte == b'\n' && self.in_string {
            // JSON has no line end within a text: this line was cut.
            self.salvage("the line ends within a text", each);
            return;
        }
        self.entry.push(byte);
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' => self.in_string = !self.in_string,
            _ if self.in_string => {}
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        if self.depth == 0 {
            each(self.began, Ok(&String::from_utf8_lossy(&self.entry)));
            self.entry.clear();
        } else if self.entry.len() > MOST {
            self.salvage("is longer than any entry", each);
            self.lost = true;
        }
    }

    /// A torn entry has swallowed what came after it; whole entries on lines of their own are still good.
    fn salvage(&mut self, why: &str, each: &mut impl FnMut(u64, Result<&str, &str>)) {
        let mut torn = None;
        for (line, text) in (self.began..).zip(self.entry.split(|byte| *byte == b'\n')) {
            let text = text.trim_ascii();
            let text = text.strip_suffix(b",").unwrap_or(text);
            if text.starts_with(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok() {
                each(line, Ok(&String::from_utf8_lossy(text)));
            } else if torn.is_none() {
                torn = Some(line);
            }
        }
        if let Some(line) = torn {
            each(line, Err(why));
        }
        self.entry.clear();
        (self.depth, self.in_string, self.escaped) = (0, false, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    use anyhow::Result;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    /// Gives a byte at a time, as the worst of pipes would.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let (Some((first, rest)), Some(place)) = (self.0.split_first(), buffer.first_mut()) else {
                return Ok(0);
            };
            *place = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn found(input: impl Read) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for_each(input, |line, entry| {
            found.push(match entry {
                Ok(text) => format!("{line} {}", text.split_whitespace().collect::<String>()),
                Err(why) => format!("{line} ! {why}"),
            });
        })?;
        Ok(found)
    }

    #[test]
    fn every_shape_of_an_export_is_read() -> Result<()> {
        let two = ["1 {\"a\":1}", "2 {\"b\":[2]}"];
        let long = format!("[{}]", ["{\"a\":1}"; 3].join(","));
        #[rustfmt::skip]
        let table: Vec<(&str, &str, Vec<&str>)> = vec![
            ("nothing", "", vec![]),
            ("an empty array", "[]\n", vec![]),
            ("lines", "{\"a\":1}\n{\"b\":[2]}\n", two.to_vec()),
            ("lines, Windows", "\u{feff}{\"a\":1}\r\n{\"b\":[2]}", two.to_vec()),
            ("blank lines", "\n\n{\"a\":1}\n\n", vec!["3 {\"a\":1}"]),
            ("an array on one line", &long, vec!["1 {\"a\":1}"; 3]),
            ("an array of lines", "[{\"a\":1},\n{\"b\":[2]}\n]\n", two.to_vec()),
            ("an array, pretty", "[\n  {\n    \"a\": 1\n  },\n  {\n    \"b\": [\n 2 ]\n  }\n]",
                vec!["2 {\"a\":1}", "5 {\"b\":[2]}"]),
            ("objects, pretty", "{\n \"a\": 1\n}\n{\n \"b\": 2\n}\n", vec!["1 {\"a\":1}", "4 {\"b\":2}"]),
            ("pages in a row", "[{\"a\":1}]\n[{\"b\":[2]}]\n", two.to_vec()),
            ("braces in a text", "[{\"a\":\"}]{\\\"[\"}]", vec!["1 {\"a\":\"}]{\\\"[\"}"]),
            ("a torn line", "{\"a\":1}\n{\"b\":\n{\"c\":3}\n", vec!["1 {\"a\":1}", "2 {\"b\":", "3 {\"c\":3}"]),
            ("a torn line in an array", "[\n{\"a\":\"x\n{\"b\":1},\n{\"c\":2}]",
                vec!["2 ! the line ends within a text", "3 {\"b\":1}", "4 {\"c\":2}"]),
            ("a cut array", "[\n{\"a\":1},\n{\"b\":", vec!["2 {\"a\":1}", "3 ! the file ends within an entry"]),
            ("a line cut between texts", "[\n{\"a\":{\n{\"b\":1},\n{\"c\":2}\n]",
                vec!["3 {\"b\":1}", "4 {\"c\":2}", "2 ! the file ends within an entry"]),
            ("no JSON", "[\nhello\n{\"a\":1}]", vec!["2 ! no entry begins here", "3 {\"a\":1}"]),
        ];
        for (case, text, expected) in table {
            assert_eq!(found(text.as_bytes())?, expected, "{case}");
            assert_eq!(found(Drip(text.as_bytes()))?, expected, "{case}, byte by byte");
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(text.as_bytes())?;
            assert_eq!(found(packed.finish()?.as_slice())?, expected, "{case}, packed");
        }
        Ok(())
    }

    proptest::proptest! {
        /// Whatever the bytes, nothing panics, and it does not matter in which pieces they come.
        #[test]
        fn any_bytes_are_read_the_same_in_any_pieces(text in r#"([\[\]{},:"\\\n ]|[a-c1]|\PC){0,60}"#) {
            let whole = found(text.as_bytes()).expect("memory can be read");
            let dripped = found(Drip(text.as_bytes())).expect("memory can be read");
            proptest::prop_assert_eq!(whole, dripped);
        }
    }

    #[test]
    fn an_entry_without_an_end_is_given_up_and_the_rest_goes_on() -> Result<()> {
        let endless = "x".repeat(MOST + 10);
        assert_eq!(
            found(format!("{{\"a\":\"{endless}\"}}\n{{\"b\":2}}\n").as_bytes())?,
            ["1 ! is longer than any entry", "2 {\"b\":2}"]
        );
        assert_eq!(
            found(format!("[\n{{\"a\":\"{endless}\"}},\n{{\"b\":2}}]").as_bytes())?,
            ["2 ! is longer than any entry", "3 {\"b\":2}"]
        );
        Ok(())
    }
}
