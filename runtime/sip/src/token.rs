//! Scanning primitives for the grammar of RFC 3261 §25.1.
//!
//! Invariant: every function takes a slice and returns a subslice or an offset within it; none
//! can go out of bounds.

/// True for the characters of `token` (RFC 3261 §25.1).
#[inline]
pub const fn is_token_char(c: u8) -> bool {
    TOKEN[c as usize]
}

const TOKEN: [bool; 256] = {
    let mut t = [false; 256];
    let mut i = 0;
    while i < 256 {
        let c = i as u8;
        t[i] = c.is_ascii_alphanumeric()
            || matches!(
                c,
                b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
            );
        i += 1;
    }
    t
};

/// True when `s` is a non-empty `token`.
pub fn is_token(s: &[u8]) -> bool {
    !s.is_empty() && s.iter().all(|c| is_token_char(*c))
}

/// True for the characters of linear white space: space, tab, CR, LF.
#[inline]
pub const fn is_lws(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\r' | b'\n')
}

/// `s` without white space at its start.
#[inline]
pub fn trim_start(s: &[u8]) -> &[u8] {
    let n = s.iter().take_while(|c| is_lws(**c)).count();
    s.get(n..).unwrap_or_default()
}

/// `s` without white space at its end.
#[inline]
pub fn trim_end(s: &[u8]) -> &[u8] {
    let n = s.iter().rev().take_while(|c| is_lws(**c)).count();
    s.get(..s.len() - n).unwrap_or_default()
}

/// `s` without white space at both ends.
#[inline]
pub fn trim(s: &[u8]) -> &[u8] {
    trim_end(trim_start(s))
}

/// The unsigned decimal number that `s` is, the whole of it. `None` for anything but digits, and
/// when it does not fit.
#[inline]
pub fn parse_u32(s: &[u8]) -> Option<u32> {
    if s.is_empty() || s.len() > 10 {
        return None;
    }
    let mut n: u64 = 0;
    for c in s {
        if !c.is_ascii_digit() {
            return None;
        }
        n = n * 10 + u64::from(c - b'0');
    }
    u32::try_from(n).ok()
}

/// The port that `s` is, 0 to 65535.
#[inline]
pub fn parse_port(s: &[u8]) -> Option<u16> {
    parse_u32(s).and_then(|n| u16::try_from(n).ok())
}

/// Offset after the quoted string that starts at `at` (where the opening quote is), or `None`
/// when it is not closed. A backslash takes the next character with it (RFC 3261 §25.1
/// `quoted-pair`).
pub fn skip_quoted(s: &[u8], at: usize) -> Option<usize> {
    let mut i = at + 1;
    loop {
        let step = memchr::memchr2(b'"', b'\\', s.get(i..)?)?;
        i += step;
        if s[i] == b'"' {
            return Some(i + 1);
        }
        i += 2;
    }
}

/// Offset of the first byte from `at` on that `stop` holds for and that stands outside quoted
/// strings; the length of `s` when there is none. `None` when a quoted string is not closed.
#[inline]
pub fn find_unquoted(s: &[u8], at: usize, stop: impl Fn(u8) -> bool) -> Option<usize> {
    let mut i = at;
    while let Some(&c) = s.get(i) {
        if stop(c) {
            return Some(i);
        }
        i = if c == b'"' { skip_quoted(s, i)? } else { i + 1 };
    }
    Some(s.len())
}

/// Offset of the first byte from `at` on that is one of `stops` and stands outside quoted
/// strings and outside `<…>`; the length of `s` when there is none. An unclosed quote or bracket
/// runs to the end.
pub fn find_outside(s: &[u8], at: usize, stops: &[u8]) -> usize {
    let mut i = at;
    while let Some(&c) = s.get(i) {
        if stops.contains(&c) {
            return i;
        }
        i = match c {
            b'"' => match skip_quoted(s, i) {
                Some(next) => next,
                None => return s.len(),
            },
            b'<' => match memchr::memchr(b'>', &s[i..]) {
                Some(n) => i + n + 1,
                None => return s.len(),
            },
            _ => i + 1,
        };
    }
    s.len()
}

/// The text without its surrounding quotes, when it has them. Escapes stay as they are.
pub fn unquote(s: &[u8]) -> &[u8] {
    match s {
        [b'"', inner @ .., b'"'] => inner,
        _ => s,
    }
}

/// Iterates over the elements of a comma-separated list, trimmed; commas in quoted strings and
/// in `<…>` do not separate; empty elements are left out.
pub fn list(s: &[u8]) -> List<'_> {
    List { rest: s }
}

/// See [`list`].
#[derive(Clone, Debug)]
pub struct List<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for List<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let end = find_outside(self.rest, 0, b",");
            let item = trim(&self.rest[..end]);
            self.rest = self.rest.get(end + 1..).unwrap_or_default();
            if !item.is_empty() {
                return Some(item);
            }
        }
        None
    }
}

/// `value` with each folded line break (RFC 3261 §7.3.1) written as one space. Borrows when
/// there is none.
pub fn unfold(value: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if memchr::memchr2(b'\r', b'\n', value).is_none() {
        return value.into();
    }
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr::memchr2(b'\r', b'\n', rest) {
        out.extend_from_slice(trim_end(&rest[..at]));
        rest = trim_start(&rest[at..]);
        out.push(b' ');
    }
    out.extend_from_slice(rest);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_bounded() {
        assert_eq!(parse_u32(b"4294967295"), Some(u32::MAX));
        assert_eq!(parse_u32(b"4294967296"), None);
        assert_eq!(parse_u32(b"00000000001"), None);
        assert_eq!(parse_u32(b""), None);
        assert_eq!(parse_u32(b"1a"), None);
        assert_eq!(parse_port(b"65536"), None);
    }

    #[test]
    fn commas_inside_quotes_and_brackets_do_not_separate() {
        let items: Vec<_> = list(b"\"a, \\\"b\" <sip:x?a=1,2>;q=1 ,, c").collect();
        assert_eq!(items, [&b"\"a, \\\"b\" <sip:x?a=1,2>;q=1"[..], b"c"]);
        assert_eq!(list(b"\"open, x").count(), 1);
        assert_eq!(list(b"\"\\").count(), 1);
    }

    #[test]
    fn folding_becomes_a_space() {
        assert_eq!(&*unfold(b"a \r\n\t b\r\n c"), b"a b c");
        assert_eq!(&*unfold(b"a b"), b"a b");
    }
}
