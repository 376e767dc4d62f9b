//! Values of number and string literals (language reference §1.4, §1.5), and where each byte of a
//! string's value stands in the source.

use crate::source::Span;

/// A number literal that fits no 32-bit number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberValue {
    /// The value, cut to 32 bits.
    pub value: i32,
    /// True if a decimal or octal literal lost digits by the cut.
    pub cut: bool,
}

/// Value of `text`, letters and digits that start with a digit. `None` if it is no number.
pub fn number(text: &[u8]) -> Option<NumberValue> {
    let (digits, radix) = match text {
        [b'0'] => (text, 10),
        [b'0', b'x', hex @ ..] => (hex, 16),
        [b'0' | b'1', .., b'b'] => (&text[..text.len() - 1], 2),
        [b'0', octal @ ..] => (octal, 8),
        _ => (text, 10),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value: u32 = 0;
    let mut cut = false;
    for &byte in digits {
        let digit = (byte as char).to_digit(radix)?;
        cut |= u64::from(value) * u64::from(radix) + u64::from(digit) > i32::MAX as u64;
        value = value.wrapping_mul(radix).wrapping_add(digit);
    }
    Some(NumberValue {
        value: value as i32,
        cut: cut && matches!(radix, 8 | 10),
    })
}

/// Reads the escapes of a double-quoted string. `body` is the text between the quotes; its value is
/// added to `out`. `moved` is told each place where a byte of the value does not stand right after
/// the byte before it: (offset in `out`, offset in `body`).
pub fn unescape(body: &[u8], out: &mut Vec<u8>, mut moved: impl FnMut(usize, usize)) {
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &body[at..]) {
        out.extend_from_slice(&body[at..at + found]);
        at += found;
        let escape = &body[at + 1..];
        let (byte, length) = match escape {
            [b'n', ..] => (Some(b'\n'), 2),
            [b'r', ..] => (Some(b'\r'), 2),
            [b'a', ..] => (Some(7), 2),
            [b't', ..] => (Some(b'\t'), 2),
            [b'"', ..] => (Some(b'"'), 2),
            [b'\\', ..] => (Some(b'\\'), 2),
            [b'\n', ..] => (None, 2),
            [b'x', digits @ ..] => match radix_prefix(digits, 16, 2) {
                (value, count @ 1..) => (Some(value), 2 + count),
                _ => (Some(b'\\'), 1),
            },
            digits => match radix_prefix(digits, 8, 3) {
                (value, count @ 2..) => (Some(value), 1 + count),
                _ => (Some(b'\\'), 1),
            },
        };
        out.extend(byte);
        at += length;
        if length > 1 {
            moved(out.len(), at);
        }
    }
    out.extend_from_slice(&body[at..]);
}

/// Value and number of the leading digits of that radix, `most` at most, cut to a byte.
fn radix_prefix(text: &[u8], radix: u32, most: usize) -> (u8, usize) {
    let mut value: u32 = 0;
    let mut count = 0;
    for &byte in text.iter().take(most) {
        let Some(digit) = (byte as char).to_digit(radix) else {
            break;
        };
        value = value * radix + digit;
        count += 1;
    }
    (value as u8, count)
}

/// Length of the string literal at the start of `text`, with both quotes. `None` if it has no end.
pub fn literal_length(text: &[u8]) -> Option<usize> {
    let (&quote, rest) = text.split_first()?;
    if quote == b'\'' {
        return memchr::memchr(quote, rest).map(|at| at + 2);
    }
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', &rest[at..])?;
        if rest[at] == b'"' {
            return Some(at + 2);
        }
        at += 2;
        if at > rest.len() {
            return None;
        }
    }
}

/// Says where parts of a text stand in the source: of a string's value, a variable, a format.
#[derive(Clone, Debug)]
pub struct Locator {
    span: Span,
    kind: LocatorKind,
}

#[derive(Clone, Debug)]
enum LocatorKind {
    /// Every part stands somewhere in the span.
    Whole,
    /// Byte n stands at byte n of the span.
    Direct,
    /// From a value offset on, up to the next entry, bytes stand in a row at a span offset.
    Moved(Vec<(u32, u32)>),
}

impl Locator {
    /// For text that stands at `span` as it is.
    pub const fn direct(span: Span) -> Locator {
        Locator {
            span,
            kind: LocatorKind::Direct,
        }
    }

    /// For text that came from `span` in some way.
    pub const fn whole(span: Span) -> Locator {
        Locator {
            span,
            kind: LocatorKind::Whole,
        }
    }

    /// For the value of string literals whose source text, quotes included, is `literals`.
    pub fn of_literals(literals: &[u8], span: Span) -> Locator {
        let mut moves = Vec::new();
        let mut value = Vec::new();
        let mut at = 0;
        while let Some(length) = literals.get(at..).and_then(literal_length) {
            let body = at + 1;
            let end = at + length - 1;
            moves.push((value.len() as u32, body as u32));
            if literals[at] == b'\'' {
                value.extend_from_slice(&literals[body..end]);
            } else {
                unescape(&literals[body..end], &mut value, |offset, from| {
                    moves.push((offset as u32, (body + from) as u32));
                });
            }
            at += length;
            let blanks = &literals[at..];
            at += blanks
                .iter()
                .take_while(|byte| !matches!(byte, b'"' | b'\''))
                .count();
        }
        Locator {
            span,
            kind: LocatorKind::Moved(moves),
        }
    }

    /// Place of the bytes from `from` to `to` of the text.
    pub fn span(&self, from: usize, to: usize) -> Span {
        match &self.kind {
            LocatorKind::Whole => self.span,
            LocatorKind::Direct => self.span.sub(from, to),
            LocatorKind::Moved(moves) => {
                let start = Self::moved(moves, from);
                // The end is where the last byte ends, which is before an escape that follows.
                let end = match to.checked_sub(1) {
                    Some(last) if to > from => Self::moved(moves, last) + 1,
                    _ => start,
                };
                self.span.sub(start, end.max(start))
            }
        }
    }

    fn moved(moves: &[(u32, u32)], offset: usize) -> usize {
        let index = moves.partition_point(|&(value, _)| value as usize <= offset);
        match index.checked_sub(1).and_then(|index| moves.get(index)) {
            Some(&(value, place)) => place as usize + (offset - value as usize),
            None => offset,
        }
    }

    /// The locator of a part of this text.
    pub fn part(&self, from: usize, to: usize) -> Locator {
        let kind = match &self.kind {
            LocatorKind::Whole => LocatorKind::Whole,
            LocatorKind::Direct => LocatorKind::Direct,
            LocatorKind::Moved(moves) => {
                let base = Self::moved(moves, from);
                let mut inner = vec![(0, 0)];
                inner.extend(
                    moves
                        .iter()
                        .filter(|&&(value, _)| (value as usize) > from && (value as usize) < to)
                        .map(|&(value, place)| (value - from as u32, place - base as u32)),
                );
                LocatorKind::Moved(inner)
            }
        };
        Locator {
            span: self.span(from, to),
            kind,
        }
    }

    /// True when each byte of a part of the text has the same place in the part's span.
    pub fn is_direct(&self, from: usize, to: usize) -> bool {
        match &self.kind {
            LocatorKind::Whole => false,
            LocatorKind::Direct => true,
            LocatorKind::Moved(moves) => !moves
                .iter()
                .any(|&(value, _)| (value as usize) > from && (value as usize) < to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        unescape(body, &mut out, |_, _| ());
        out
    }

    #[test]
    fn numbers_are_cut_to_32_bits() {
        for (text, expected) in [
            ("0", 0),
            ("2147483648", -2147483648),
            ("4294967295", -1),
            ("4294967296", 0),
            ("0x10", 16),
            ("0xffffffff", -1),
            ("010", 8),
            ("101b", 5),
            ("1b", 1),
            ("0b", 0),
        ] {
            assert_eq!(
                number(text.as_bytes()).map(|n| n.value),
                Some(expected),
                "{text}"
            );
        }
        for text in ["08", "5k", "0b1", "0x", "12b"] {
            assert_eq!(number(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn escapes() {
        assert_eq!(value(br#"\x41\101\q\$\1\n\"\\"#), b"AA\\q\\$\\1\n\"\\");
        assert_eq!(value(b"a\\\nb\\xzz\\"), b"ab\\xzz\\");
    }

    #[test]
    fn places_in_a_value_are_places_in_the_source() {
        let raw = br#""a\tb" "cd""#;
        let locator = Locator::of_literals(raw, Span::new(100, 111));
        // The value is a TAB b c d.
        let place = |from, to| {
            let span = locator.span(from, to);
            (span.start, span.end)
        };
        assert_eq!(place(0, 1), (101, 102));
        assert_eq!(place(2, 3), (104, 105));
        assert_eq!(place(3, 5), (108, 110));
        assert_eq!(place(2, 5), (104, 110));
        let part = locator.part(2, 5);
        assert_eq!(part.span(1, 3), Span::new(108, 110));
    }
}
