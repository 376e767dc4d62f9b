//! The pass over a message that finds its first line, header fields and body.

use super::{CSeqSpans, Entry, Message, Start};
use crate::cseq::CSeq;
use crate::error::{ParseError, ParseErrorKind};
use crate::header::HeaderKind;
use crate::method::Method;
use crate::name_addr::NameAddr;
use crate::span::{Span, offset_in};
use crate::token::{is_lws, is_token_char, parse_u32, trim};
use crate::via::ViaSpans;

/// What a message has once: where it has two, whoever reads the other one reads another message.
const SINGLE: [HeaderKind; 6] = [
    HeaderKind::From,
    HeaderKind::To,
    HeaderKind::CallId,
    HeaderKind::CSeq,
    HeaderKind::MaxForwards,
    HeaderKind::ContentLength,
];

impl Message {
    /// Indexes `self.buf`, of which nothing is known yet.
    pub(super) fn index(&mut self) -> Result<(), ParseError> {
        let buf: &[u8] = &self.buf;
        if buf.len() > crate::MAX_MESSAGE {
            return Err(ParseError::new(ParseErrorKind::TooLarge, 0));
        }
        let begin = buf
            .iter()
            .position(|c| !matches!(c, b'\r' | b'\n'))
            .ok_or(ParseError::new(ParseErrorKind::Empty, 0))?;
        let (start, mut at) = parse_start(buf, begin)?;
        self.start = start;
        let truncated = ParseError::new(ParseErrorKind::Truncated, buf.len());
        loop {
            match buf.get(at..) {
                Some([b'\r', b'\n', ..]) => {
                    self.headers_end = at as u32;
                    self.body = (at + 2) as u32;
                    break;
                }
                Some([b'\n', ..]) => {
                    self.headers_end = at as u32;
                    self.body = (at + 1) as u32;
                    break;
                }
                None | Some([]) => return Err(truncated),
                _ => {}
            }
            let entry = parse_header(buf, at)?;
            at = entry.line.end as usize;
            let index = u16::try_from(self.headers.len())
                .ok()
                .filter(|n| *n < u16::MAX)
                .ok_or(ParseError::new(ParseErrorKind::TooManyHeaders, at))?;
            let first = self.first.get_mut(entry.kind as usize);
            if first.as_ref().is_some_and(|first| **first != u16::MAX)
                && SINGLE.contains(&entry.kind)
                && self.start.is_sip(buf)
            {
                let at = entry.line.start as usize;
                return Err(ParseError::new(ParseErrorKind::DuplicateHeader, at));
            }
            if let Some(first) = first
                && *first == u16::MAX
            {
                *first = index;
                match entry.kind {
                    HeaderKind::ContentLength => {
                        let n = parse_u32(entry.value.of(buf)).ok_or(ParseError::new(
                            ParseErrorKind::BadContentLength,
                            entry.value.start as usize,
                        ))?;
                        self.content_length = Some(n);
                    }
                    HeaderKind::CSeq => {
                        self.cseq = CSeq::parse(entry.value.of(buf)).map(|c| CSeqSpans {
                            number: c.number,
                            method: c.method,
                            name: Span::new(
                                entry.value.end as usize - c.method_name.len(),
                                entry.value.end as usize,
                            ),
                        });
                    }
                    HeaderKind::Via if self.start.is_sip(buf) => {
                        let range = entry.value.range();
                        self.via = Some(ViaSpans::parse(buf, range.start, range.end)?.0);
                    }
                    HeaderKind::To if self.start.is_sip(buf) => {
                        // Whoever reads a message needs its tag.
                        NameAddr::parse(entry.value.of(buf)).map_err(|error| {
                            let at = entry.value.start + error.offset;
                            ParseError::new(error.kind, at as usize)
                        })?;
                    }
                    _ => {}
                }
            }
            self.headers.push(entry);
        }
        Ok(())
    }
}

impl Start {
    pub(super) fn is_sip(&self, buf: &[u8]) -> bool {
        let (Start::Request { version, .. } | Start::Status { version, .. }) = self;
        version
            .of(buf)
            .get(..4)
            .is_some_and(|v| v.eq_ignore_ascii_case(b"SIP/"))
    }
}

/// Parses the first line at `begin`; returns it with the offset of the next line.
fn parse_start(buf: &[u8], begin: usize) -> Result<(Start, usize), ParseError> {
    let bad = |at: usize| ParseError::new(ParseErrorKind::BadStartLine, at);
    let newline = memchr::memchr(b'\n', &buf[begin..]).ok_or(bad(begin))? + begin;
    let mut end = newline;
    if end > begin && buf[end - 1] == b'\r' {
        end -= 1;
    }
    // Blanks at the end are not part of a request line, and are of a reason phrase.
    let is_reply = buf[begin..end]
        .get(..4)
        .is_some_and(|v| v.eq_ignore_ascii_case(b"SIP/"));
    while !is_reply && end > begin && buf[end - 1] == b' ' {
        end -= 1;
    }
    let line = &buf[begin..end];
    let space = memchr::memchr(b' ', line).ok_or(bad(begin))?;
    let first = &line[..space];
    let start = if is_version(first) {
        let code = line.get(space + 1..space + 4).ok_or(bad(begin + space))?;
        let code_start = begin + space + 1;
        let number = parse_u32(code)
            .and_then(|n| u16::try_from(n).ok())
            .filter(|n| *n >= 100)
            .ok_or(bad(code_start))?;
        let mut reason = code_start + 3;
        match line.get(space + 4) {
            None => {}
            Some(b' ') => reason += 1,
            Some(_) => return Err(bad(reason)),
        }
        Start::Status {
            version: Span::new(begin, begin + space),
            code: number,
            code_text: Span::new(code_start, code_start + 3),
            reason: Span::new(reason, end),
        }
    } else {
        let last = memchr::memrchr(b' ', line).unwrap_or(space);
        let version = &line[last + 1..];
        let uri = trim(line.get(space + 1..last).unwrap_or_default());
        if !is_version(version)
            || uri.is_empty()
            || uri.iter().any(|c| is_lws(*c))
            || !crate::token::is_token(first)
        {
            return Err(bad(begin));
        }
        let uri = offset_in(buf, uri).unwrap_or(0..0);
        Start::Request {
            method: Method::parse(first),
            name: Span::new(begin, begin + space),
            uri: Span::new(uri.start, uri.end),
            version: Span::new(begin + last + 1, end),
        }
    };
    Ok((start, newline + 1))
}

/// `SIP/2.0`, or an HTTP version.
fn is_version(s: &[u8]) -> bool {
    s.eq_ignore_ascii_case(b"SIP/2.0") || (s.len() == 8 && s[..7].eq_ignore_ascii_case(b"HTTP/1."))
}

/// Parses the header field that begins at `at`, with its folded lines.
fn parse_header(buf: &[u8], at: usize) -> Result<Entry, ParseError> {
    let bad = |at: usize| ParseError::new(ParseErrorKind::BadHeader, at);
    let mut name_end = at;
    while buf.get(name_end).is_some_and(|c| is_token_char(*c)) {
        name_end += 1;
    }
    let mut colon = name_end;
    while matches!(buf.get(colon), Some(b' ' | b'\t')) {
        colon += 1;
    }
    if name_end == at || buf.get(colon) != Some(&b':') {
        return Err(bad(colon));
    }
    let mut line_end = colon + 1;
    loop {
        let Some(n) = buf
            .get(line_end..)
            .and_then(|rest| memchr::memchr(b'\n', rest))
        else {
            return Err(ParseError::new(ParseErrorKind::Truncated, buf.len()));
        };
        line_end += n + 1;
        if !matches!(buf.get(line_end), Some(b' ' | b'\t')) {
            break;
        }
    }
    let mut start = colon + 1;
    let mut end = line_end;
    while end > start && is_lws(buf[end - 1]) {
        end -= 1;
    }
    while start < end && is_lws(buf[start]) {
        start += 1;
    }
    Ok(Entry {
        kind: HeaderKind::parse(&buf[at..name_end]),
        line: Span::new(at, line_end),
        name_end: name_end as u32,
        value: Span::new(start, end),
    })
}
