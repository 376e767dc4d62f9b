//! Lines, indentation and blocks of a scenario file; words of a line.

use std::time::Duration;

use crate::scenario::Fault;

/// A line that says something, with the block that follows it.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: u32,
    /// Whether it begins with white space.
    pub indented: bool,
    /// The text without white space around it, and without `<<<`.
    pub text: &'a str,
    /// The block that `<<<` opens.
    pub block: Option<Block<'a>>,
}

/// The lines between `<<<` and `>>>`.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    /// The number of its first line.
    pub first: u32,
    /// Its lines as they are.
    pub lines: Vec<&'a str>,
}

impl Block<'_> {
    /// The lines without the indentation that they share.
    pub fn outdented(&self) -> Vec<&str> {
        let indent = |line: &&str| line.len() - line.trim_start().len();
        let filled = self.lines.iter().filter(|line| !line.trim().is_empty());
        let shared = filled.map(indent).min().unwrap_or(0);
        self.lines
            .iter()
            .map(|line| line.get(shared..).unwrap_or(""))
            .collect()
    }

    /// The text of a message: lines end with CRLF.
    pub fn message(&self) -> String {
        self.outdented()
            .iter()
            .map(|line| format!("{line}\r\n"))
            .collect()
    }
}

/// Splits a file into lines that say something. Lines that begin with `#` are comments.
pub fn lines(text: &str) -> Result<Vec<Line<'_>>, Fault> {
    let mut found = Vec::new();
    let mut all = (1u32..).zip(text.lines());
    while let Some((number, whole)) = all.next() {
        let text = whole.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let indented = whole.starts_with([' ', '\t']);
        let Some(opening) = text.strip_suffix("<<<") else {
            found.push(Line {
                number,
                indented,
                text,
                block: None,
            });
            continue;
        };
        let mut block = Block {
            first: number + 1,
            lines: Vec::new(),
        };
        loop {
            match all.next() {
                Some((_, line)) if line.trim() == ">>>" => break,
                Some((_, line)) => block.lines.push(line),
                None => return Err(Fault::new(number, "`<<<` is not closed by a line `>>>`")),
            }
        }
        found.push(Line {
            number,
            indented,
            text: opening.trim_end(),
            block: Some(block),
        });
    }
    Ok(found)
}

/// The words of a line, one after the other. A word in double quotes may hold spaces.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    /// The line's number.
    pub line: u32,
    rest: &'a str,
}

impl<'a> Words<'a> {
    /// The words of `text`.
    pub fn new(line: u32, text: &'a str) -> Words<'a> {
        Words {
            line,
            rest: text.trim(),
        }
    }

    /// What is left.
    pub fn rest(&self) -> &'a str {
        self.rest
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next word; it stays.
    pub fn peek(&self) -> Option<&'a str> {
        let mut copy = *self;
        copy.word()
    }

    /// The next word.
    pub fn word(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let end = if self.rest.starts_with('"') {
            quoted_end(self.rest).unwrap_or(self.rest.len())
        } else {
            self.rest
                .find(char::is_whitespace)
                .unwrap_or(self.rest.len())
        };
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        Some(word)
    }

    /// Takes the next word where it is `word`.
    pub fn take(&mut self, word: &str) -> bool {
        let mut copy = *self;
        let taken = copy.word() == Some(word);
        if taken {
            *self = copy;
        }
        taken
    }

    /// The next word, which has to be there.
    pub fn need(&mut self, what: &str) -> Result<&'a str, Fault> {
        self.word()
            .ok_or_else(|| Fault::new(self.line, format!("{what} is missing")))
    }

    /// Nothing may be left.
    pub fn end(&self) -> Result<(), Fault> {
        match self.peek() {
            None => Ok(()),
            Some(word) => Err(Fault::new(
                self.line,
                format!("`{word}` is not understood here"),
            )),
        }
    }

    /// A duration: `500ms`, `2s`, `1.5s`, `3min`.
    pub fn duration(&mut self) -> Result<Duration, Fault> {
        let word = self.need("a duration (such as 500ms or 2s)")?;
        duration(word).ok_or_else(|| {
            Fault::new(
                self.line,
                format!("`{word}` is no duration (such as 500ms, 2s or 3min)"),
            )
        })
    }

    /// A duration, or two with `..` between them.
    pub fn durations(&mut self) -> Result<(Duration, Duration), Fault> {
        let word = self.peek().unwrap_or_default();
        if let Some((least, most)) = word.split_once("..")
            && let (Some(least), Some(most)) = (duration(least), duration(most))
        {
            self.word();
            return Ok((least, most));
        }
        Ok((Duration::ZERO, self.duration()?))
    }

    /// A number.
    pub fn number(&mut self) -> Result<u64, Fault> {
        let word = self.need("a number")?;
        word.parse()
            .map_err(|_| Fault::new(self.line, format!("`{word}` is no number")))
    }
}

fn duration(word: &str) -> Option<Duration> {
    let digits = word.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = word.split_at(digits);
    let factor = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * factor).ok()
}

/// Where the quoted string at the beginning of `text` ends.
fn quoted_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The bytes that a word in double quotes stands for: `\n`, `\r`, `\t`, `\0`, `\\`, `\"`, `\xNN`.
pub fn unquote(line: u32, word: &str) -> Result<Vec<u8>, Fault> {
    let inner = word
        .strip_prefix('"')
        .and_then(|word| word.strip_suffix('"'))
        .ok_or_else(|| {
            Fault::new(
                line,
                format!("text in double quotes is wanted, not `{word}`"),
            )
        })?;
    let mut out = Vec::new();
    let mut bytes = inner.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'n') => out.push(b'\n'),
            Some(b'r') => out.push(b'\r'),
            Some(b't') => out.push(b'\t'),
            Some(b'0') => out.push(0),
            Some(b'x') => {
                let digits = [bytes.next(), bytes.next()]
                    .map(|digit| digit.and_then(|digit| char::from(digit).to_digit(16)));
                let [Some(high), Some(low)] = digits else {
                    return Err(Fault::new(line, "`\\x` wants two hexadecimal digits"));
                };
                out.push((high * 16 + low) as u8);
            }
            Some(other) => out.push(other),
            None => out.push(b'\\'),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_keep_their_lines_and_lose_shared_indentation() {
        let text = "# c\nalice sends raw <<<\n    A: b\n\n      c\n    >>>\n  X: 1\n";
        let lines = lines(text).unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!(
            (lines[0].number, lines[0].text, lines[0].indented),
            (2, "alice sends raw", false)
        );
        assert_eq!(
            lines[0].block.as_ref().unwrap().message(),
            "A: b\r\n\r\n  c\r\n"
        );
        assert_eq!(
            (lines[1].number, lines[1].text, lines[1].indented),
            (7, "X: 1", true)
        );
        assert_eq!(super::lines("a <<<\nb").unwrap_err().line, 1);
    }

    #[test]
    fn words_durations_and_quotes() {
        let mut words = Words::new(1, r#"a "b \" c" 1.5s 100ms..2s"#);
        assert_eq!(words.word(), Some("a"));
        assert_eq!(words.word(), Some(r#""b \" c""#));
        assert_eq!(words.duration().unwrap(), Duration::from_millis(1500));
        let window = (Duration::from_millis(100), Duration::from_secs(2));
        assert_eq!(words.durations().unwrap(), window);
        assert!(words.end().is_ok() && words.duration().is_err());
        assert_eq!(unquote(1, r#""a\r\n\x00\"""#).unwrap(), b"a\r\n\0\"");
    }
}
