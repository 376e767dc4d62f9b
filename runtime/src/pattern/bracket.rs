//! Bracket expressions: `[abc]`, `[^a-z]`, `[[:digit:].]`, `[[=a=][.-.]]`.
//!
//! A backslash is an ordinary character here. `]` is one directly after `[` or `[^`, `-` at either
//! end. Equivalence classes and collating elements hold exactly one character, as in the C locale.

use super::PatternError;
use super::byteset::ByteSet;
use super::syntax::Syntax;

/// The longest name inside `[: :]`, `[= =]` and `[. .]`.
const LONGEST_NAME: usize = 31;

enum Element {
    /// One character, which can begin or end a range.
    Char(u8),
    /// A class, which cannot.
    Class(ByteSet),
}

/// Reads a bracket expression. `open` is the place of its `[`. Gives the set before case is
/// ignored, and the place after the closing `]`.
pub(super) fn parse(
    pattern: &[u8],
    open: usize,
    syntax: Syntax,
) -> Result<(ByteSet, usize), PatternError> {
    let mut reader = Reader {
        pattern,
        at: open + 1,
        open,
        syntax,
    };
    let negated = reader.peek() == Some(b'^');
    if negated {
        reader.at += 1;
    }
    let mut set = ByteSet::EMPTY;
    let mut first = true;
    loop {
        if reader.peek() == Some(b']') && !first {
            reader.at += 1;
            break;
        }
        reader.item(first, &mut set)?;
        first = false;
    }
    if negated {
        set = set.complement();
        if syntax.newline {
            set.remove(b'\n');
        }
    }
    Ok((set, reader.at))
}

struct Reader<'p> {
    pattern: &'p [u8],
    at: usize,
    open: usize,
    syntax: Syntax,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    fn unclosed(&self) -> PatternError {
        PatternError::new(self.open, "this `[` has no matching `]`")
    }

    /// The character at `at` as comparisons see it.
    fn folded(&self, byte: u8) -> u8 {
        if self.syntax.icase {
            byte.to_ascii_uppercase()
        } else {
            byte
        }
    }

    /// One element, range or class.
    fn item(&mut self, first: bool, set: &mut ByteSet) -> Result<(), PatternError> {
        let start_at = self.at;
        let start = match self.element(first)? {
            Element::Char(byte) => byte,
            Element::Class(class) => {
                set.union(&class);
                return Ok(());
            }
        };
        if self.peek() != Some(b'-') {
            set.insert(start);
            return Ok(());
        }
        match self.pattern.get(self.at + 1) {
            None => return Err(self.unclosed()),
            Some(b']') => {
                set.insert(start);
                return Ok(());
            }
            Some(_) => self.at += 1,
        }
        match self.element(true)? {
            Element::Char(end) if start <= end => set.insert_range(start, end),
            Element::Char(_) => {
                return Err(PatternError::new(
                    start_at,
                    "the range ends before it begins",
                ));
            }
            Element::Class(_) => {
                return Err(PatternError::new(start_at, "a class cannot end a range"));
            }
        }
        Ok(())
    }

    fn element(&mut self, hyphen_allowed: bool) -> Result<Element, PatternError> {
        let start = self.at;
        let byte = self.peek().ok_or_else(|| self.unclosed())?;
        if byte == b'['
            && let Some(kind @ (b':' | b'=' | b'.')) = self.pattern.get(start + 1).copied()
        {
            return self.named(kind);
        }
        self.at += 1;
        if byte == b'-' && !hyphen_allowed && self.peek() != Some(b']') {
            return Err(match self.peek() {
                None => self.unclosed(),
                Some(_) => PatternError::new(start, "a `-` between characters must be in a range"),
            });
        }
        Ok(Element::Char(self.folded(byte)))
    }

    /// `[:name:]`, `[=c=]` or `[.c.]`.
    fn named(&mut self, kind: u8) -> Result<Element, PatternError> {
        let start = self.at;
        let name_at = start + 2;
        let rest = self.pattern.get(name_at..).unwrap_or_default();
        let length = rest
            .windows(2)
            .take(LONGEST_NAME + 1)
            .position(|pair| pair == [kind, b']'])
            .ok_or_else(|| {
                PatternError::new(
                    start,
                    format!("this `[{0}` has no matching `{0}]`", kind as char),
                )
            })?;
        let name = &rest[..length];
        self.at = name_at + length + 2;
        if kind != b':' {
            let [only] = name else {
                return Err(PatternError::new(
                    start,
                    "only a single character can stand here",
                ));
            };
            let byte = self.folded(*only);
            return Ok(match kind {
                b'.' => Element::Char(byte),
                _ => Element::Class(ByteSet::single(byte)),
            });
        }
        let name = match name {
            b"upper" | b"lower" if self.syntax.icase => b"alpha",
            name => name,
        };
        ByteSet::class(name).map(Element::Class).ok_or_else(|| {
            let name = String::from_utf8_lossy(name);
            PatternError::new(start, format!("there is no character class `{name}`"))
        })
    }
}
