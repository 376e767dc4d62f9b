//! Substitution expressions: `/search/replacement/flags`, as in `#!subst`, `{re.subst,…}` and the
//! `subst*` functions of textops.
//!
//! The first character separates the parts and can be any but a backslash. In the search a backslash
//! before the separator stays, so the separator is then an ordinary character of the expression. In
//! the replacement `\0` to `\9` are the match and its groups, `\n \r \t \\` what they are in C, and a
//! backslash goes away before any other character. `$…` is a variable, which ends by its own rules
//! and so can hold the separator; `$$` is a dollar. Flags: `g` replaces all matches, `i` ignores
//! case, `s` reads the text as one line.
//!
//! After a match the search goes on as in a text of its own, in which `^` does not match unless the
//! match ended a line. An empty match is an error of the whole substitution.

use std::ops::Range;

use super::{Flags, Pattern, PatternError};

/// The match and its nine groups.
pub type Groups = [Option<Range<usize>>; 10];

/// A substitution expression that was read.
#[derive(Debug)]
pub struct Substitution {
    /// What is searched.
    pub pattern: Pattern,
    /// What is put in the place of a match.
    pub replacement: Vec<Piece>,
    /// Whether all matches are replaced, not just the first.
    pub global: bool,
}

/// A part of a replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text as it is.
    Text(Vec<u8>),
    /// What the n-th pair of parentheses matched, 0 to 9; 0 is the whole match. Nothing if it took
    /// no part or does not exist.
    Group(u8),
    /// A variable as it was written, with its `$`.
    Variable {
        /// The text of the variable.
        source: Vec<u8>,
        /// Its place in the substitution expression, in bytes.
        offset: usize,
    },
}

/// The expression matched no text, which replaces nothing and fails (Kamailio logs "Matched string
/// is empty").
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the expression matched an empty string")]
pub struct EmptyMatch;

impl Substitution {
    /// Reads a substitution expression. The offset of an error counts from the start of `source`.
    pub fn parse(source: &[u8]) -> Result<Substitution, PatternError> {
        let Some(&separator) = source.first() else {
            return Err(PatternError::new(
                0,
                "a substitution is written /search/replacement/",
            ));
        };
        if separator == b'\\' {
            return Err(PatternError::new(
                0,
                "a backslash cannot separate the parts",
            ));
        }
        let search_end = end_of_search(source, separator).ok_or_else(|| {
            PatternError::new(0, "nothing separates the search from the replacement")
        })?;
        let mut reader = Reader {
            source,
            separator,
            at: search_end + 1,
            pieces: Vec::new(),
        };
        reader.replacement()?;
        let (mut flags, mut global, mut one_line) = (Flags::default(), false, false);
        for (index, flag) in source[reader.at..].iter().enumerate() {
            match flag {
                b'g' => global = true,
                b'i' => flags.icase = true,
                b's' => one_line = true,
                other => {
                    return Err(PatternError::new(
                        reader.at + index,
                        format!("`{}` is not one of the flags g, i, s", other.escape_ascii()),
                    ));
                }
            }
        }
        let compile = if one_line {
            Pattern::new
        } else {
            Pattern::line_by_line
        };
        let pattern = compile(&source[1..search_end], flags).map_err(|error| PatternError {
            offset: error.offset + 1,
            ..error
        })?;
        Ok(Substitution {
            pattern,
            replacement: reader.pieces,
            global,
        })
    }

    /// Appends to `out` the parts of `text` that no match covers, and for each match what
    /// `replacement` appends, which gets the groups as places in `text`. Gives the number of matches:
    /// with 0, `out` holds all of `text`. On an error `out` holds a part of the result.
    pub fn replace(
        &self,
        text: &[u8],
        out: &mut Vec<u8>,
        mut replacement: impl FnMut(&Groups, &mut Vec<u8>),
    ) -> Result<usize, EmptyMatch> {
        let mut groups = Groups::default();
        let mut copied = 0;
        let mut count = 0;
        let mut found = self.pattern.captures_into(text, &mut groups);
        while found && let Some(span) = groups[0].clone() {
            if span.is_empty() {
                return Err(EmptyMatch);
            }
            out.extend_from_slice(&text[copied..span.start]);
            replacement(&groups, out);
            copied = span.end;
            count += 1;
            found = self.global && self.search_after(text, copied, &mut groups);
        }
        out.extend_from_slice(&text[copied..]);
        Ok(count)
    }

    /// Searches behind a match that ended at `start`.
    fn search_after(&self, text: &[u8], start: usize, groups: &mut Groups) -> bool {
        if !matches!(text[start - 1], b'\n' | b'\r') {
            return self.pattern.captures_after(text, start, groups);
        }
        let found = self.pattern.captures_into(&text[start..], groups);
        for group in groups.iter_mut().flatten() {
            *group = start + group.start..start + group.end;
        }
        found
    }
}

/// The place of the separator behind the search.
fn end_of_search(source: &[u8], separator: u8) -> Option<usize> {
    let mut at = 1;
    loop {
        match source.get(at)? {
            b'\\' => at += 2,
            byte if *byte == separator => return Some(at),
            _ => at += 1,
        }
    }
}

struct Reader<'s> {
    source: &'s [u8],
    separator: u8,
    at: usize,
    pieces: Vec<Piece>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    /// Reads up to the last separator, and that too.
    fn replacement(&mut self) -> Result<(), PatternError> {
        let start = self.at;
        loop {
            let Some(byte) = self.peek() else {
                return Err(PatternError::new(start, "nothing ends the replacement"));
            };
            self.at += 1;
            match byte {
                b'\\' => self.escape()?,
                b'$' => self.variable()?,
                byte if byte == self.separator => return Ok(()),
                byte => self.text(byte),
            }
        }
    }

    fn text(&mut self, byte: u8) {
        match self.pieces.last_mut() {
            Some(Piece::Text(text)) => text.push(byte),
            _ => self.pieces.push(Piece::Text(vec![byte])),
        }
    }

    fn escape(&mut self) -> Result<(), PatternError> {
        let Some(byte) = self.peek() else {
            return Err(PatternError::new(
                self.at - 1,
                "a `\\` cannot end the replacement",
            ));
        };
        self.at += 1;
        match byte {
            b'0'..=b'9' => self.pieces.push(Piece::Group(byte - b'0')),
            b'n' => self.text(b'\n'),
            b'r' => self.text(b'\r'),
            b't' => self.text(b'\t'),
            other => self.text(other),
        }
        Ok(())
    }

    /// A variable, behind its `$`: a name and perhaps something in parentheses, or all of it in
    /// parentheses.
    fn variable(&mut self) -> Result<(), PatternError> {
        let offset = self.at - 1;
        if self.peek() == Some(b'$') {
            self.at += 1;
            self.text(b'$');
            return Ok(());
        }
        while let Some(b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'?') = self.peek() {
            self.at += 1;
        }
        if self.peek() == Some(b'(') {
            let mut open = 0usize;
            loop {
                match self.peek() {
                    None => return Err(PatternError::new(offset, "this variable has no end")),
                    Some(b'(') => open += 1,
                    Some(b')') => open -= 1,
                    Some(_) => {}
                }
                self.at += 1;
                if open == 0 {
                    break;
                }
            }
        }
        if self.at == offset + 1 {
            return Err(PatternError::new(
                offset,
                "a variable's name must follow this `$`",
            ));
        }
        let source = self.source[offset..self.at].to_vec();
        self.pieces.push(Piece::Variable { source, offset });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The result with variables put in as they are written; `None` for an empty match.
    fn apply(source: &str, text: &str) -> Option<String> {
        let substitution = Substitution::parse(source.as_bytes()).unwrap();
        let mut out = Vec::new();
        let put = |groups: &Groups, out: &mut Vec<u8>| {
            for piece in &substitution.replacement {
                match piece {
                    Piece::Text(text) => out.extend_from_slice(text),
                    Piece::Group(n) => {
                        if let Some(span) = groups[usize::from(*n)].clone() {
                            out.extend_from_slice(&text.as_bytes()[span]);
                        }
                    }
                    Piece::Variable { source, .. } => out.extend_from_slice(source),
                }
            }
        };
        substitution.replace(text.as_bytes(), &mut out, put).ok()?;
        Some(String::from_utf8(out).unwrap())
    }

    /// As the real Kamailio's `{re.subst}` answers.
    #[test]
    fn replaces_as_kamailio_does() {
        for (source, text, expected) in [
            ("/b/X/", "abcb", "aXcb"),
            ("/b/X/g", "abcb", "aXcX"),
            ("/B/x/gi", "abc", "axc"),
            ("/(.)(.)/\\2\\1/", "abc", "bac"),
            ("/(x)?a/[\\1]/", "a", "[]"),
            ("/(b)/\\10/", "abc", "ab0c"),
            ("/b/\\2/", "abc", "ac"),
            ("/b/[\\0]&/", "abc", "a[b]&c"),
            ("/b/\\q\\/\\$x\\\\/", "abc", "aq/$x\\c"),
            ("/b/\\t\\r\\n/", "abc", "a\t\r\nc"),
            ("/b/$$x/", "abc", "a$xc"),
            (",b,$(rm{s.substr,0,1}),", "abc", "a$(rm{s.substr,0,1})c"),
            (
                "/b/$_s($rm-$(rm{s.len}))./",
                "abc",
                "a$_s($rm-$(rm{s.len})).c",
            ),
            ("!/!-!", "a/b", "a-b"),
            ("1b1x1", "abc", "axc"),
            ("+\\++p+", "a+b", "apb"),
            ("|x\\|y|Q|", "xx x|y", "xx Q"),
            ("/^a/Y/g", "abab", "Ybab"),
            ("/^a/Y/g", "a\nab", "Y\nYb"),
            ("/^a/Y/gs", "a\nab", "Y\nab"),
            ("/a\r|^b/Z/g", "a\rb", "ZZ"),
            ("/\\<a/Y/g", "aab", "YYb"),
            ("/a|\\`b/Z/g", "aab", "ZZZ"),
            ("/\\Bx/Q/g", "axyz", "aQyz"),
        ] {
            assert_eq!(
                apply(source, text).as_deref(),
                Some(expected),
                "{source} on {text}"
            );
        }
        assert_eq!(apply("/b*/x/g", "bac"), None);
    }

    #[test]
    fn errors_point_into_the_expression() {
        for (source, offset) in [
            ("", 0),
            ("\\b\\c\\", 0),
            ("/b", 0),
            ("/b/c", 3),
            ("/b/x/2", 5),
            ("/b(/x/", 2),
            ("/b/$/", 3),
            ("/b/$(rm/", 3),
        ] {
            assert_eq!(
                Substitution::parse(source.as_bytes()).unwrap_err().offset,
                offset,
                "{source}"
            );
        }
    }
}
