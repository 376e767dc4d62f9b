//! A received message (RFC 3261 §7): its bytes and an index into them.
//!
//! One pass over the header lines finds names, kinds and values. The first line, the top Via,
//! CSeq and Content-Length are parsed at once, since every message needs them; the rest when
//! asked for. Invariant: every accessor returns a subslice of [`Message::bytes`].

use crate::cseq::CSeq;
use crate::error::{ParseError, ParseErrorKind};
use crate::header::HeaderKind;
use crate::method::Method;
use crate::name_addr::{Contact, Contacts, NameAddr, NameAddrs, addresses, contacts};
use crate::span::{Span, offset_in};
use crate::token::{is_lws, is_token_char, parse_u32, trim};
use crate::via::{Via, ViaSpans};
use bytes::Bytes;
use std::ops::Range;

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

/// How the body compares with Content-Length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// There is no Content-Length: the body is all that came.
    Undeclared,
    /// As many bytes came as declared.
    Exact,
    /// More bytes came than declared: that many. Kamailio forwards them all on UDP.
    Excess(usize),
    /// Fewer bytes came than declared: that many are missing. Kamailio's core forwards such a
    /// datagram; its `sanity` module answers 400.
    Missing(usize),
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
        self.headers.clear();
        self.first = [u16::MAX; HeaderKind::COUNT];
        self.content_length = None;
        self.via = None;
        self.cseq = None;
        self.buf = buf;
        let result = self.index();
        if result.is_err() {
            self.headers.clear();
            self.first = [u16::MAX; HeaderKind::COUNT];
            self.buf = Bytes::new();
            self.start = Message::empty().start;
            self.content_length = None;
            self.via = None;
            self.cseq = None;
            self.headers_end = 0;
            self.body = 0;
        }
        result
    }

    fn index(&mut self) -> Result<(), ParseError> {
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
            if let Some(first) = self.first.get_mut(entry.kind as usize)
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
                    _ => {}
                }
            }
            self.headers.push(entry);
        }
        Ok(())
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

    /// The top Via; parsed with the message.
    #[inline]
    pub fn top_via(&self) -> Option<Via<'_>> {
        self.via.map(|v| v.view(&self.buf))
    }

    /// All Via values in order, over all Via header fields; ends at the first malformed one.
    pub fn vias(&self) -> impl Iterator<Item = Via<'_>> {
        self.headers_of(HeaderKind::Via).flat_map(move |h| {
            let range = self.offset_of(h.value).unwrap_or(0..0);
            let mut at = range.start;
            std::iter::from_fn(move || {
                if at >= range.end {
                    return None;
                }
                match ViaSpans::parse(&self.buf, at, range.end) {
                    Ok((via, next)) => {
                        at = next;
                        Some(via.view(&self.buf))
                    }
                    Err(_) => {
                        at = range.end;
                        None
                    }
                }
            })
        })
    }

    /// CSeq; `None` when it is missing or malformed.
    #[inline]
    pub fn cseq(&self) -> Option<CSeq<'_>> {
        self.cseq.map(|c| CSeq {
            number: c.number,
            method: c.method,
            method_name: c.name.of(&self.buf),
        })
    }

    /// The Call-ID.
    #[inline]
    pub fn call_id(&self) -> Option<&[u8]> {
        self.value(HeaderKind::CallId)
    }

    fn address(&self, kind: HeaderKind) -> Option<NameAddr<'_>> {
        NameAddr::parse(self.value(kind)?).ok()
    }

    /// The From address; `None` when missing or malformed.
    pub fn from(&self) -> Option<NameAddr<'_>> {
        self.address(HeaderKind::From)
    }

    /// The To address; `None` when missing or malformed.
    pub fn to(&self) -> Option<NameAddr<'_>> {
        self.address(HeaderKind::To)
    }

    /// The From tag.
    pub fn from_tag(&self) -> Option<&[u8]> {
        self.from().and_then(|a| a.tag())
    }

    /// The To tag: present in requests within a dialog.
    pub fn to_tag(&self) -> Option<&[u8]> {
        self.to().and_then(|a| a.tag())
    }

    /// All Contact values, over all Contact header fields.
    pub fn contacts(&self) -> impl Iterator<Item = Result<Contact<'_>, ParseError>> {
        self.headers_of(HeaderKind::Contact)
            .flat_map(|h| -> Contacts<'_> { contacts(h.value) })
    }

    fn all_addresses(
        &self,
        kind: HeaderKind,
    ) -> impl Iterator<Item = Result<NameAddr<'_>, ParseError>> {
        self.headers_of(kind)
            .flat_map(|h| -> NameAddrs<'_> { addresses(h.value) })
    }

    /// All Route values in order.
    pub fn routes(&self) -> impl Iterator<Item = Result<NameAddr<'_>, ParseError>> {
        self.all_addresses(HeaderKind::Route)
    }

    /// All Record-Route values in order.
    pub fn record_routes(&self) -> impl Iterator<Item = Result<NameAddr<'_>, ParseError>> {
        self.all_addresses(HeaderKind::RecordRoute)
    }

    /// Max-Forwards; `None` when missing or not a number.
    pub fn max_forwards(&self) -> Option<u32> {
        self.value(HeaderKind::MaxForwards).and_then(parse_u32)
    }

    /// Content-Length as declared, in bytes.
    #[inline]
    pub fn content_length(&self) -> Option<u32> {
        self.content_length
    }

    /// The body: what follows the header, cut to Content-Length when more came (RFC 3261 §18.3).
    pub fn body(&self) -> &[u8] {
        let all = self.payload();
        match self.content_length {
            Some(n) => all.get(..n as usize).unwrap_or(all),
            None => all,
        }
    }

    /// All that follows the header, whatever Content-Length says.
    #[inline]
    pub fn payload(&self) -> &[u8] {
        self.buf.get(self.body as usize..).unwrap_or_default()
    }

    /// How the body compares with Content-Length.
    pub fn body_length(&self) -> BodyLength {
        let came = self.payload().len();
        match self.content_length.map(|n| n as usize) {
            None => BodyLength::Undeclared,
            Some(n) if n == came => BodyLength::Exact,
            Some(n) if n < came => BodyLength::Excess(came - n),
            Some(n) => BodyLength::Missing(n - came),
        }
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

impl Start {
    fn is_sip(&self, buf: &[u8]) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &[u8] = b"INVITE sip:bob@biloxi.com SIP/2.0\r\n\
        Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds, SIP/2.0/TCP b\r\n\
        v : SIP/2.0/UDP c\r\n\
        Max-Forwards: 70\r\n\
        To: Bob <sip:bob@biloxi.com>\r\n\
        f: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n\
        Call-ID: a84b4c76e66710@pc33.atlanta.com\r\n\
        CSeq: 314159 INVITE\r\n\
        Subject: one\r\n\t two\r\n\
        X-A: 1\r\nx-a: 2\r\n\
        Route: <sip:a;lr>, <sip:b;lr>\r\nRoute: <sip:c;lr>\r\n\
        m: <sip:alice@pc33.atlanta.com>\r\n\
        Content-Length: 3\r\n\r\nabcdef";

    fn parse(text: &[u8]) -> Result<Message, ParseError> {
        Message::parse(Bytes::copy_from_slice(text))
    }

    #[test]
    fn a_request_and_its_parts() {
        let m = parse(INVITE).unwrap();
        assert_eq!(m.method(), Method::Invite);
        assert_eq!(m.request_uri(), b"sip:bob@biloxi.com");
        assert_eq!(m.first_line(), b"INVITE sip:bob@biloxi.com SIP/2.0");
        let branch = m.top_via().unwrap().branch().unwrap();
        assert_eq!(branch, b"z9hG4bK776asdhds");
        assert_eq!(&INVITE[m.offset_of(branch).unwrap()], branch);
        let hosts: Vec<_> = m.vias().map(|v| v.host()).collect();
        assert_eq!(hosts, [&b"pc33.atlanta.com"[..], b"b", b"c"]);
        assert_eq!(m.cseq().unwrap().number, 314_159);
        assert_eq!(m.cseq().unwrap().method_name, b"INVITE");
        assert_eq!(m.from_tag(), Some(&b"1928301774"[..]));
        assert_eq!((m.to_tag(), m.max_forwards()), (None, Some(70)));
        assert_eq!(m.routes().count(), 3);
        assert_eq!(m.contacts().count(), 1);
        assert_eq!(m.value(HeaderKind::Subject), Some(&b"one\r\n\t two"[..]));
        assert_eq!(m.headers_named(b"X-A").count(), 2);
        assert_eq!(m.headers_named(b"contact").count(), 1);
        assert_eq!(m.headers_named(b"V").next_back().unwrap().index, 1);
        assert_eq!(m.body(), b"abc");
        assert_eq!(m.payload(), b"abcdef");
        assert_eq!(m.body_length(), BodyLength::Excess(3));
        assert_eq!(&INVITE[m.headers_end()..m.body_offset()], b"\r\n");
    }

    #[test]
    fn a_reply() {
        let m = parse(b"\r\n\r\nSIP/2.0 183\r\nCSeq: 1 BYE\nContent-Length: 5\n\nab").unwrap();
        let line = m.status_line().unwrap();
        assert_eq!((line.code, line.reason), (183, &b""[..]));
        assert_eq!(m.method(), Method::Bye);
        assert_eq!(m.body_length(), BodyLength::Missing(3));
        assert_eq!(m.body(), b"ab");
        let m = parse(b"SIP/2.0 486 Busy Here\r\n\r\n").unwrap();
        assert_eq!(m.status_line().unwrap().reason, b"Busy Here");
        assert_eq!(m.first_line(), b"SIP/2.0 486 Busy Here");
    }

    #[test]
    fn a_reused_message_forgets_the_last_one() {
        let mut m = parse(INVITE).unwrap();
        let kept = m.detach();
        m.parse_into(Bytes::from_static(b"OPTIONS sip:a SIP/2.0\r\n\r\n"))
            .unwrap();
        assert!(m.top_via().is_none() && !m.has(HeaderKind::From) && m.cseq().is_none());
        assert!(m.parse_into(Bytes::from_static(b"x")).is_err());
        assert_eq!((m.bytes().len(), m.header_count()), (0, 0));
        assert_eq!(kept.bytes(), INVITE);
    }

    #[test]
    fn http_has_no_sip_via() {
        let m = parse(b"GET /RPC HTTP/1.1\r\nVia: 1.1 proxy\r\nHost: h\r\n\r\n").unwrap();
        assert!(!m.is_sip() && m.top_via().is_none());
        assert_eq!(m.method(), Method::Get);
    }

    /// Kamailio 5.6 drops each of these.
    #[test]
    fn malformed() {
        use ParseErrorKind::*;
        for (text, kind) in [
            (&b""[..], Empty),
            (b"\r\n\r\n", Empty),
            (b"OPTIONS sip:a SIP/2.0", BadStartLine),
            (b"OPTIONS sip:a\r\n\r\n", BadStartLine),
            (b"OPTIONS sip:a b SIP/2.0\r\n\r\n", BadStartLine),
            (b"OPTIONS  SIP/2.0\r\n\r\n", BadStartLine),
            (b"SIP/2.0 20 OK\r\n\r\n", BadStartLine),
            (b"SIP/2.0 2000 OK\r\n\r\n", BadStartLine),
            (b"OPTIONS sip:a SIP/2.0\r\nBad\r\n\r\n", BadHeader),
            (b"OPTIONS sip:a SIP/2.0\r\nBad name: x\r\n\r\n", BadHeader),
            (b"OPTIONS sip:a SIP/2.0\r\n: x\r\n\r\n", BadHeader),
            (b"OPTIONS sip:a SIP/2.0\r\nA: x\r\n", Truncated),
            (b"OPTIONS sip:a SIP/2.0\r\nA: x", Truncated),
            (b"OPTIONS sip:a SIP/2.0\r\nl: x\r\n\r\n", BadContentLength),
            (b"OPTIONS sip:a SIP/2.0\r\nv: x\r\n\r\n", BadVia),
        ] {
            assert_eq!(
                parse(text).unwrap_err().kind,
                kind,
                "{}",
                text.escape_ascii()
            );
        }
    }
}
