//! A received message (RFC 3261 §7): its bytes and an index into them.
//!
//! One pass over the header lines finds names, kinds and values. The first line, the top Via,
//! CSeq and Content-Length are parsed at once, since every message needs them; the rest when
//! asked for. Invariant: every accessor returns a subslice of [`Message::bytes`].

mod access;
mod extensions;
mod index;

use crate::error::ParseError;
use crate::header::HeaderKind;
use crate::method::Method;
use crate::span::{Span, offset_in};
use crate::via::ViaSpans;
use bytes::Bytes;
use std::ops::Range;

pub use access::BodyLength;

/// A parsed message. `Send` and `Sync`; a clone shares the buffer and copies the index.
#[derive(Clone, Debug)]
pub struct Message {
    buf: Bytes,
    start: Start,
    headers: Vec<Entry>,
    first: [u16; HeaderKind::COUNT],
    /// Offset of the empty line that ends the header.
    headers_end: u32,
    /// Offset after that line.
    body: u32,
    content_length: Option<u32>,
    via: Option<ViaSpans>,
    cseq: Option<CSeqSpans>,
}

#[derive(Clone, Copy, Debug)]
enum Start {
    Request {
        method: Method,
        name: Span,
        uri: Span,
        version: Span,
    },
    Status {
        version: Span,
        code: u16,
        code_text: Span,
        reason: Span,
    },
}

#[derive(Clone, Copy, Debug)]
struct CSeqSpans {
    number: u32,
    method: Method,
    name: Span,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    kind: HeaderKind,
    line: Span,
    name_end: u32,
    value: Span,
}

/// The first line of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLine<'a> {
    /// The method.
    pub method: Method,
    /// Its name as it stands.
    pub method_name: &'a [u8],
    /// The Request-URI.
    pub uri: &'a [u8],
    /// `SIP/2.0`, or `HTTP/1.1`.
    pub version: &'a [u8],
}

/// The first line of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusLine<'a> {
    /// `SIP/2.0`.
    pub version: &'a [u8],
    /// The status code, 100 to 999.
    pub code: u16,
    /// Its three digits.
    pub code_text: &'a [u8],
    /// The reason phrase; may be empty.
    pub reason: &'a [u8],
}

/// One header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Its position among all header fields of the message, from 0.
    pub index: usize,
    /// The kind; [`HeaderKind::Other`] for names without one.
    pub kind: HeaderKind,
    /// The name as it stands.
    pub name: &'a [u8],
    /// The value, trimmed; may hold folded lines (see [`crate::token::unfold`]).
    pub value: &'a [u8],
    /// The whole field from the name to its line end, included.
    pub line: &'a [u8],
}

impl Header<'_> {
    /// True when the field is called `name`, in any case, long or compact.
    pub fn is_named(&self, name: &[u8]) -> bool {
        match HeaderKind::parse(name) {
            HeaderKind::Other => self.name.eq_ignore_ascii_case(name),
            kind => self.kind == kind,
        }
    }
}

impl Message {
    /// Parses one whole message. Line ends before it are left out; header lines may end in LF
    /// alone.
    pub fn parse(buf: Bytes) -> Result<Message, ParseError> {
        let mut message = Message::empty();
        message.parse_into(buf)?;
        Ok(message)
    }

    /// A message without anything, to [`parse_into`](Message::parse_into).
    pub fn empty() -> Message {
        Message {
            buf: Bytes::new(),
            start: Start::Status {
                version: Span::default(),
                code: 0,
                code_text: Span::default(),
                reason: Span::default(),
            },
            headers: Vec::new(),
            first: [u16::MAX; HeaderKind::COUNT],
            headers_end: 0,
            body: 0,
            content_length: None,
            via: None,
            cseq: None,
        }
    }

    /// Parses `buf` in place of what this message was; allocates nothing once its index has
    /// grown to the usual number of header fields. After an error the message is empty.
    pub fn parse_into(&mut self, buf: Bytes) -> Result<(), ParseError> {
        self.clear();
        self.buf = buf;
        let result = self.index();
        if result.is_err() {
            self.clear();
        }
        result
    }

    /// Parses as much of `buf` as can be, in place of what this message was: to show a message that
    /// [`parse_into`](Message::parse_into) refuses. It has the bytes, and the first line and header
    /// fields before the fault; it has no body.
    pub fn parse_prefix(&mut self, buf: Bytes) {
        self.clear();
        self.buf = buf;
        if self.index().is_ok() {
            return;
        }
        let known = self.headers.len();
        for first in &mut self.first {
            if usize::from(*first) >= known {
                *first = u16::MAX;
            }
        }
        let all = u32::try_from(self.buf.len()).unwrap_or(u32::MAX);
        let line = self.offset_of(self.first_line()).unwrap_or(0..0);
        let end = self
            .headers
            .last()
            .map_or(line.end as u32, |last| last.line.end);
        (self.headers_end, self.body) = (end, all);
    }

    /// Makes the message empty: lets go of its bytes, and keeps the room of its index.
    pub fn clear(&mut self) {
        let mut headers = std::mem::take(&mut self.headers);
        headers.clear();
        *self = Message {
            headers,
            ..Message::empty()
        };
    }

    /// A copy with a buffer of its own of exactly the message's size: to keep when the received
    /// buffer is larger or shared.
    pub fn detach(&self) -> Message {
        Message {
            buf: Bytes::copy_from_slice(&self.buf),
            headers: self.headers.as_slice().to_vec(),
            ..self.clone()
        }
    }

    /// The whole buffer as it was given.
    #[inline]
    pub fn bytes(&self) -> &Bytes {
        &self.buf
    }

    /// Where `part` lies in the buffer, when it is a subslice of it.
    #[inline]
    pub fn offset_of(&self, part: &[u8]) -> Option<Range<usize>> {
        offset_in(&self.buf, part)
    }

    /// True for a request.
    #[inline]
    pub fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    /// True when the version is SIP's, not HTTP's.
    pub fn is_sip(&self) -> bool {
        self.start.is_sip(&self.buf)
    }

    /// The first line of a request.
    pub fn request_line(&self) -> Option<RequestLine<'_>> {
        match self.start {
            Start::Request {
                method,
                name,
                uri,
                version,
            } => Some(RequestLine {
                method,
                method_name: name.of(&self.buf),
                uri: uri.of(&self.buf),
                version: version.of(&self.buf),
            }),
            Start::Status { .. } => None,
        }
    }

    /// The first line of a reply.
    pub fn status_line(&self) -> Option<StatusLine<'_>> {
        match self.start {
            Start::Status {
                version,
                code,
                code_text,
                reason,
            } => Some(StatusLine {
                version: version.of(&self.buf),
                code,
                code_text: code_text.of(&self.buf),
                reason: reason.of(&self.buf),
            }),
            Start::Request { .. } => None,
        }
    }

    /// The method of a request; of a reply, that of its CSeq ([`Method::Other`] without one).
    #[inline]
    pub fn method(&self) -> Method {
        match self.start {
            Start::Request { method, .. } => method,
            Start::Status { .. } => self.cseq.map_or(Method::Other, |c| c.method),
        }
    }

    /// The method's name as it stands, in the first line or for a reply in CSeq.
    pub fn method_name(&self) -> &[u8] {
        match self.start {
            Start::Request { name, .. } => name.of(&self.buf),
            Start::Status { .. } => self.cseq.map_or(&[], |c| c.name.of(&self.buf)),
        }
    }

    /// The Request-URI; empty for a reply.
    #[inline]
    pub fn request_uri(&self) -> &[u8] {
        match self.start {
            Start::Request { uri, .. } => uri.of(&self.buf),
            Start::Status { .. } => &[],
        }
    }

    /// The status code; 0 for a request.
    #[inline]
    pub fn status(&self) -> u16 {
        match self.start {
            Start::Status { code, .. } => code,
            Start::Request { .. } => 0,
        }
    }

    /// The first line as it stands, without its line end.
    pub fn first_line(&self) -> &[u8] {
        let (start, end) = match self.start {
            Start::Request { name, version, .. } => (name.start, version.end),
            Start::Status {
                version, reason, ..
            } => (version.start, reason.end),
        };
        Span { start, end }.of(&self.buf)
    }

    fn view(&self, index: usize, entry: &Entry) -> Header<'_> {
        let name = Span {
            start: entry.line.start,
            end: entry.name_end,
        };
        Header {
            index,
            kind: entry.kind,
            name: name.of(&self.buf),
            value: entry.value.of(&self.buf),
            line: entry.line.of(&self.buf),
        }
    }

    /// How many header fields there are.
    #[inline]
    pub fn header_count(&self) -> usize {
        self.headers.len()
    }

    /// The header field at `index`, counted from 0.
    pub fn header_at(&self, index: usize) -> Option<Header<'_>> {
        self.headers.get(index).map(|e| self.view(index, e))
    }

    /// All header fields in order.
    pub fn headers(&self) -> impl DoubleEndedIterator<Item = Header<'_>> + Clone {
        self.headers
            .iter()
            .enumerate()
            .map(|(i, e)| self.view(i, e))
    }

    /// The first header field of `kind`; constant time. Not for [`HeaderKind::Other`].
    #[inline]
    pub fn header(&self, kind: HeaderKind) -> Option<Header<'_>> {
        let index = *self.first.get(kind as usize)? as usize;
        self.header_at(index)
    }

    /// The value of the first header field of `kind`.
    #[inline]
    pub fn value(&self, kind: HeaderKind) -> Option<&[u8]> {
        let index = *self.first.get(kind as usize)? as usize;
        self.headers.get(index).map(|e| e.value.of(&self.buf))
    }

    /// True when there is a header field of `kind`.
    #[inline]
    pub fn has(&self, kind: HeaderKind) -> bool {
        self.first
            .get(kind as usize)
            .is_some_and(|i| *i != u16::MAX)
    }

    /// All header fields of `kind` in order.
    pub fn headers_of(
        &self,
        kind: HeaderKind,
    ) -> impl DoubleEndedIterator<Item = Header<'_>> + Clone {
        let from = match self.first.get(kind as usize) {
            Some(&first) => (first as usize).min(self.headers.len()),
            None => 0,
        };
        self.headers[from..]
            .iter()
            .enumerate()
            .filter(move |(_, e)| e.kind == kind)
            .map(move |(i, e)| self.view(from + i, e))
    }

    /// All header fields called `name`, in any case; the compact name finds the long one and the
    /// other way round.
    pub fn headers_named<'a>(
        &'a self,
        name: &'a [u8],
    ) -> impl DoubleEndedIterator<Item = Header<'a>> + Clone {
        let kind = HeaderKind::parse(name);
        self.headers_of(kind)
            .filter(move |h| kind != HeaderKind::Other || h.name.eq_ignore_ascii_case(name))
    }

    /// Offset of the first header field.
    pub fn headers_start(&self) -> usize {
        self.headers
            .first()
            .map_or(self.headers_end, |h| h.line.start) as usize
    }

    /// Offset of the empty line that ends the header: where a header field is appended.
    #[inline]
    pub fn headers_end(&self) -> usize {
        self.headers_end as usize
    }

    /// Offset of the body.
    #[inline]
    pub fn body_offset(&self) -> usize {
        self.body as usize
    }
}

impl Default for Message {
    fn default() -> Message {
        Message::empty()
    }
}

#[cfg(test)]
mod tests;
