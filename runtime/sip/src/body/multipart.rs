//! Multipart bodies (RFC 2046 §5.1): preamble, parts, epilogue, all as subslices of the body.
//!
//! A delimiter is a line that starts with two dashes and the boundary, followed by white space
//! only, or by two dashes and anything at the end of the last part. The line break before it is
//! the delimiter's. Lines may end in LF alone. Reading is linear in the size of the body.

use super::content::{Disposition, MediaType};
use crate::header::HeaderKind;
use crate::token::trim;
use std::ops::Range;

/// A multipart body and its boundary.
#[derive(Clone, Copy, Debug)]
pub struct Multipart<'a> {
    body: &'a [u8],
    boundary: &'a [u8],
}

/// One part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Header fields and body, between the delimiters.
    pub raw: &'a [u8],
    /// The header fields, with the line end of the last one; may be empty.
    pub head: &'a [u8],
    /// The body.
    pub body: &'a [u8],
}

/// A delimiter: the line break before it, the dashes, the boundary, its line end.
#[derive(Clone, Debug)]
struct Delimiter {
    range: Range<usize>,
    last: bool,
}

impl<'a> Multipart<'a> {
    /// The body of a message of this type; `None` for one that is not multipart or names no
    /// boundary.
    pub fn new(body: &'a [u8], kind: &MediaType<'a>) -> Option<Multipart<'a>> {
        kind.boundary().map(|boundary| Multipart { body, boundary })
    }

    /// The boundary.
    pub fn boundary(&self) -> &'a [u8] {
        self.boundary
    }

    /// What stands before the first delimiter; all of the body where there is none.
    pub fn preamble(&self) -> &'a [u8] {
        match self.delimiter(0) {
            Some(first) => &self.body[..first.range.start],
            None => self.body,
        }
    }

    /// The parts in order. A last one without delimiter after it goes to the end of the body.
    pub fn parts(&self) -> Parts<'a> {
        Parts {
            of: *self,
            delimiter: self.delimiter(0),
        }
    }

    /// Where the last delimiter starts, with the line break before it: where a part is added.
    /// `None` when it is lacking.
    pub fn end(&self) -> Option<usize> {
        self.last().map(|d| d.range.start)
    }

    /// What stands after the last delimiter; `None` when that is lacking.
    pub fn epilogue(&self) -> Option<&'a [u8]> {
        self.last().map(|d| &self.body[d.range.end..])
    }

    fn last(&self) -> Option<Delimiter> {
        let mut next = self.delimiter(0);
        while let Some(found) = next {
            if found.last {
                return Some(found);
            }
            next = self.delimiter(found.range.end);
        }
        None
    }

    /// The first delimiter at or after `from`, which is the start of a line.
    fn delimiter(&self, from: usize) -> Option<Delimiter> {
        let mut at = from;
        loop {
            let line = self.body.get(at..).filter(|l| !l.is_empty())?;
            let end = memchr::memchr(b'\n', line).map_or(line.len(), |n| n + 1);
            if let Some(last) = self.delimits(&line[..end]) {
                let before = &self.body[from..at];
                let cut = match before {
                    [.., b'\r', b'\n'] => 2,
                    [.., b'\n'] => 1,
                    _ => 0,
                };
                return Some(Delimiter {
                    range: at - cut..at + end,
                    last,
                });
            }
            at += end;
        }
    }

    /// Whether `line` is a delimiter, and the last one.
    fn delimits(&self, line: &[u8]) -> Option<bool> {
        let rest = line.strip_prefix(b"--")?.strip_prefix(self.boundary)?;
        if rest.starts_with(b"--") {
            return Some(true);
        }
        trim(rest).is_empty().then_some(false)
    }
}

/// See [`Multipart::parts`].
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    of: Multipart<'a>,
    delimiter: Option<Delimiter>,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let before = self.delimiter.take().filter(|d| !d.last)?;
        let start = before.range.end;
        self.delimiter = self.of.delimiter(start);
        let end = match &self.delimiter {
            Some(after) => after.range.start.max(start),
            None => self.of.body.len(),
        };
        Some(Part::split(&self.of.body[start..end]))
    }
}

impl<'a> Part<'a> {
    /// Splits a part at its first empty line.
    fn split(raw: &'a [u8]) -> Part<'a> {
        let mut at = 0;
        loop {
            let line = &raw[at..];
            let end = memchr::memchr(b'\n', line).map_or(line.len(), |n| n + 1);
            let empty = matches!(&line[..end], b"\r\n" | b"\n");
            if empty || line.is_empty() {
                return Part {
                    raw,
                    head: &raw[..at],
                    body: &raw[at + end..],
                };
            }
            at += end;
        }
    }

    /// The header fields: names and trimmed values, which may be folded.
    pub fn headers(&self) -> PartHeaders<'a> {
        PartHeaders { rest: self.head }
    }

    /// The value of the first header field of this kind.
    pub fn value(&self, kind: HeaderKind) -> Option<&'a [u8]> {
        self.headers()
            .find(|(name, _)| HeaderKind::parse(name) == kind)
            .map(|(_, value)| value)
    }

    /// The type; `None` where it is lacking (then it is `text/plain`, RFC 2046 §5.1) or malformed.
    pub fn content_type(&self) -> Option<MediaType<'a>> {
        MediaType::parse(self.value(HeaderKind::ContentType)?)
    }

    /// The disposition.
    pub fn disposition(&self) -> Option<Disposition<'a>> {
        Disposition::parse(self.value(HeaderKind::ContentDisposition)?)
    }

    /// The parts of this part, when it is multipart itself.
    pub fn nested(&self) -> Option<Multipart<'a>> {
        Multipart::new(self.body, &self.content_type()?)
    }
}

/// See [`Part::headers`].
#[derive(Clone, Debug)]
pub struct PartHeaders<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for PartHeaders<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        while !self.rest.is_empty() {
            let mut end = 0;
            loop {
                end += memchr::memchr(b'\n', &self.rest[end..])
                    .map_or(self.rest.len() - end, |n| n + 1);
                if !matches!(self.rest.get(end), Some(b' ' | b'\t')) {
                    break;
                }
            }
            let line = &self.rest[..end];
            self.rest = &self.rest[end..];
            if let Some(colon) = memchr::memchr(b':', line) {
                return Some((trim(&line[..colon]), trim(&line[colon + 1..])));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(body: &'a [u8], kind: &'a [u8]) -> Multipart<'a> {
        Multipart::new(body, &MediaType::parse(kind).unwrap()).unwrap()
    }

    #[test]
    fn the_example_of_the_rfc() {
        // RFC 2046 §5.1.1.
        let body = b"This is the preamble.\r\n\r\n--simple boundary\r\n\r\n\
            This is implicitly typed plain US-ASCII text.\r\n\
            It does NOT end with a linebreak.\r\n--simple boundary\r\n\
            Content-type: text/plain; charset=us-ascii\r\n\r\n\
            This is explicitly typed plain US-ASCII text.\r\n\
            It DOES end with a linebreak.\r\n\r\n--simple boundary--\r\n\r\nThe epilogue.\r\n";
        let m = read(body, b"multipart/mixed; boundary=\"simple boundary\"");
        assert_eq!(m.preamble(), b"This is the preamble.\r\n");
        let parts: Vec<_> = m.parts().collect();
        assert_eq!(parts.len(), 2);
        assert!(parts[0].body.ends_with(b"NOT end with a linebreak."));
        assert!(parts[0].head.is_empty() && parts[0].content_type().is_none());
        assert!(parts[1].body.ends_with(b"DOES end with a linebreak.\r\n"));
        assert!(parts[1].content_type().unwrap().is(b"text/plain"));
        assert_eq!(m.epilogue(), Some(&b"\r\nThe epilogue.\r\n"[..]));
        assert!(body[m.end().unwrap()..].starts_with(b"\r\n--simple boundary--"));
    }

    #[test]
    fn nesting_lf_and_no_last_delimiter() {
        let body = b"--a\nContent-Type: multipart/mixed;\n boundary=ab\nX: 1\n\n--ab\n\n1\n--ab--\n--a \nc: text/x\n\n2\n";
        let m = read(body, b"multipart/mixed;boundary=a");
        let parts: Vec<_> = m.parts().collect();
        assert_eq!(parts.len(), 2);
        let inner: Vec<_> = parts[0].nested().unwrap().parts().collect();
        assert_eq!(inner.len(), 1);
        assert_eq!(inner[0].body, b"1");
        assert_eq!(parts[0].headers().count(), 2);
        assert_eq!((parts[1].body, m.end()), (&b"2\n"[..], None));
        assert!(parts[1].content_type().unwrap().is(b"text/x"));
    }

    #[test]
    fn empty_and_adjacent_delimiters() {
        let kind = b"multipart/mixed;boundary=x";
        assert_eq!(read(b"", kind).parts().count(), 0);
        assert_eq!(read(b"--x--", kind).parts().count(), 0);
        assert_eq!(read(b"--x\r\n--x\r\n--x--", kind).parts().count(), 2);
        assert_eq!(read(b"--xy\r\n", kind).parts().count(), 0);
    }
}
