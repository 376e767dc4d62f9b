//! The Via header field (RFC 3261 §20.42, RFC 3581 `rport`, RFC 5923 `alias`).
//!
//! A message keeps the ranges of its top Via ([`ViaSpans`]); [`Via`] is the view of them over
//! the buffer. Invariant: all spans lie within the buffer they were parsed from.

use crate::error::{ParseError, ParseErrorKind};
use crate::params::Params;
use crate::span::Span;
use crate::token::{find_unquoted, is_lws, is_token_char, parse_port};

/// The ranges of one Via value within a buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ViaSpans {
    raw: Span,
    protocol: Span,
    transport: Span,
    host: Span,
    port_text: Span,
    params: Span,
    branch: Span,
    received: Span,
    rport: Span,
    rport_value: Span,
    instance: Span,
    alias: bool,
}

/// One Via value.
#[derive(Clone, Copy, Debug)]
pub struct Via<'a> {
    buf: &'a [u8],
    spans: ViaSpans,
}

impl ViaSpans {
    /// Parses the Via value that begins at `start` and ends at a comma or at `end`. Returns it
    /// with the offset where the next value of the same header field begins (`end` when there is
    /// none).
    pub fn parse(buf: &[u8], start: usize, end: usize) -> Result<(ViaSpans, usize), ParseError> {
        let s = buf.get(..end).unwrap_or(buf);
        let end = s.len();
        let bad = |at: usize| ParseError::new(ParseErrorKind::BadVia, at);
        let skip = |mut i: usize| {
            while s.get(i).is_some_and(|c| is_lws(*c)) {
                i += 1;
            }
            i
        };
        let token = |mut i: usize| {
            while s.get(i).is_some_and(|c| is_token_char(*c)) {
                i += 1;
            }
            i
        };
        let slash = |i: usize| {
            let i = skip(i);
            if s.get(i) == Some(&b'/') {
                Ok(skip(i + 1))
            } else {
                Err(bad(i))
            }
        };
        let mut via = ViaSpans::default();

        let at = skip(start);
        let name_end = token(at);
        let version = slash(name_end)?;
        let version_end = token(version);
        let transport = slash(version_end)?;
        let transport_end = token(transport);
        if name_end == at || version_end == version || transport_end == transport {
            return Err(bad(at));
        }
        via.protocol = Span::new(at, version_end);
        via.transport = Span::new(transport, transport_end);

        let host = skip(transport_end);
        if host == transport_end {
            return Err(bad(host));
        }
        let host_end = if s.get(host) == Some(&b'[') {
            match memchr::memchr(b']', &s[host..]) {
                Some(n) => host + n + 1,
                None => return Err(bad(host)),
            }
        } else {
            let mut i = host;
            while s
                .get(i)
                .is_some_and(|c| !matches!(c, b':' | b';' | b',') && !is_lws(*c))
            {
                i += 1;
            }
            i
        };
        if host_end == host {
            return Err(bad(host));
        }
        via.host = Span::new(host, host_end);

        let mut at = skip(host_end);
        let mut value_end = host_end;
        if s.get(at) == Some(&b':') {
            let port = skip(at + 1);
            let mut port_end = port;
            while s.get(port_end).is_some_and(u8::is_ascii_digit) {
                port_end += 1;
            }
            if parse_port(&s[port..port_end]).is_none() {
                return Err(bad(port));
            }
            via.port_text = Span::new(port, port_end);
            value_end = port_end;
            at = skip(port_end);
        }
        let params = at;
        match s.get(at) {
            Some(b';') => {
                loop {
                    let param_end =
                        find_unquoted(s, at + 1, |c| matches!(c, b';' | b',')).ok_or(bad(at))?;
                    // Kamailio refuses empty parameters.
                    value_end = via.take_param(s, at + 1, param_end).ok_or(bad(at))?;
                    at = param_end;
                    if s.get(at) != Some(&b';') {
                        break;
                    }
                }
                via.params = Span::new(params, value_end.max(params));
            }
            Some(b',') | None => via.params = Span::new(value_end, value_end),
            Some(_) => return Err(bad(at)),
        }
        via.raw = Span::new(via.protocol.start as usize, value_end);
        let next = if at < end { skip(at + 1) } else { end };
        Ok((via, next))
    }

    /// Notes the parameter in `start..end` when it is one that routing needs; returns where it
    /// ends without trailing white space, or `None` when it is empty.
    fn take_param(&mut self, s: &[u8], start: usize, end: usize) -> Option<usize> {
        let mut start = start;
        let mut end = end;
        while start < end && is_lws(s[start]) {
            start += 1;
        }
        while end > start && is_lws(s[end - 1]) {
            end -= 1;
        }
        if start == end {
            return None;
        }
        let text = &s[start..end];
        let (name, value) = match memchr::memchr(b'=', text) {
            Some(eq) => {
                let mut name = &text[..eq];
                while let [rest @ .., last] = name {
                    if !is_lws(*last) {
                        break;
                    }
                    name = rest;
                }
                let mut from = start + eq + 1;
                while from < end && is_lws(s[from]) {
                    from += 1;
                }
                (name, Span::new(from, end))
            }
            None => (text, Span::new(end, end)),
        };
        let first_wins = |slot: &mut Span| {
            if *slot == Span::default() {
                *slot = value;
            }
        };
        match (name.len(), name[..].first().map_or(0, |c| c | 0x20)) {
            (6, b'b') if name.eq_ignore_ascii_case(b"branch") => first_wins(&mut self.branch),
            (8, b'r') if name.eq_ignore_ascii_case(b"received") => first_wins(&mut self.received),
            (5, b'r') if self.rport == Span::default() && name.eq_ignore_ascii_case(b"rport") => {
                self.rport = Span::new(start, end);
                self.rport_value = value;
            }
            (1, b'i') => first_wins(&mut self.instance),
            (5, b'a') if name.eq_ignore_ascii_case(b"alias") => self.alias = true,
            _ => {}
        }
        Some(end)
    }

    /// The view of these ranges over `buf`, the buffer they were parsed from.
    #[inline]
    pub fn view(self, buf: &[u8]) -> Via<'_> {
        Via { buf, spans: self }
    }
}

impl<'a> Via<'a> {
    /// Parses `value` as one Via; what follows a comma is left out.
    pub fn parse(value: &'a [u8]) -> Result<Via<'a>, ParseError> {
        let (spans, _) = ViaSpans::parse(value, 0, value.len())?;
        Ok(spans.view(value))
    }

    fn some(&self, span: Span) -> Option<&'a [u8]> {
        (span != Span::default()).then(|| span.of(self.buf))
    }

    /// The whole value, from the protocol to the last parameter.
    #[inline]
    pub fn raw(&self) -> &'a [u8] {
        self.spans.raw.of(self.buf)
    }

    /// Protocol and version, `SIP/2.0`.
    #[inline]
    pub fn protocol(&self) -> &'a [u8] {
        self.spans.protocol.of(self.buf)
    }

    /// The transport as it stands, `UDP`.
    #[inline]
    pub fn transport(&self) -> &'a [u8] {
        self.spans.transport.of(self.buf)
    }

    /// The sent-by host; an IPv6 reference with its brackets.
    #[inline]
    pub fn host(&self) -> &'a [u8] {
        self.spans.host.of(self.buf)
    }

    /// The sent-by port, when there is one.
    #[inline]
    pub fn port(&self) -> Option<u16> {
        parse_port(self.spans.port_text.of(self.buf))
    }

    /// Host and port as they stand, `host:port`.
    #[inline]
    pub fn sent_by(&self) -> &'a [u8] {
        let end = self.spans.host.end.max(self.spans.port_text.end);
        Span {
            start: self.spans.host.start,
            end,
        }
        .of(self.buf)
    }

    /// All parameters.
    #[inline]
    pub fn params(&self) -> Params<'a> {
        Params::new(self.spans.params.of(self.buf))
    }

    /// The `branch` value.
    #[inline]
    pub fn branch(&self) -> Option<&'a [u8]> {
        self.some(self.spans.branch)
    }

    /// The `received` value.
    #[inline]
    pub fn received(&self) -> Option<&'a [u8]> {
        self.some(self.spans.received)
    }

    /// True when there is an `rport` parameter, with or without value.
    #[inline]
    pub fn has_rport(&self) -> bool {
        self.spans.rport != Span::default()
    }

    /// The whole `rport` parameter without the `;`.
    #[inline]
    pub fn rport_param(&self) -> Option<&'a [u8]> {
        self.some(self.spans.rport)
    }

    /// The `rport` value as a port; `None` when absent, empty or not a port.
    #[inline]
    pub fn rport(&self) -> Option<u16> {
        parse_port(self.spans.rport_value.of(self.buf))
    }

    /// The `i` value: the connection that a Kamailio-style proxy received the request on.
    #[inline]
    pub fn instance(&self) -> Option<&'a [u8]> {
        self.some(self.spans.instance)
    }

    /// True when there is an `alias` parameter (RFC 5923).
    #[inline]
    pub fn has_alias(&self) -> bool {
        self.spans.alias
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts() {
        let v = Via::parse(
            b" SIP / 2.0 / UDP  first.example.com : 4000;ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1;rport;i=7",
        )
        .unwrap();
        assert_eq!(v.transport(), b"UDP");
        assert_eq!(v.host(), b"first.example.com");
        assert_eq!(v.port(), Some(4000));
        assert_eq!(v.branch(), Some(&b"z9hG4bKa7c6a8dlze.1"[..]));
        assert!(v.has_rport() && v.rport().is_none());
        assert_eq!(v.rport_param(), Some(&b"rport"[..]));
        assert_eq!(v.instance(), Some(&b"7"[..]));
        assert_eq!(v.params().get(b"ttl"), Some(&b"16"[..]));
        assert_eq!(v.received(), None);
    }

    #[test]
    fn lists_are_taken_one_by_one() {
        let text = b"SIP/2.0/UDP [2001:db8::9:1];received=[::1];branch=a , SIP/2.0/TCP h:5060";
        let (first, next) = ViaSpans::parse(text, 0, text.len()).unwrap();
        let first = first.view(text);
        assert_eq!(first.host(), b"[2001:db8::9:1]");
        assert_eq!(first.received(), Some(&b"[::1]"[..]));
        assert_eq!(
            first.raw(),
            &b"SIP/2.0/UDP [2001:db8::9:1];received=[::1];branch=a"[..]
        );
        let (second, end) = ViaSpans::parse(text, next, text.len()).unwrap();
        assert_eq!(second.view(text).sent_by(), b"h:5060");
        assert_eq!(second.view(text).raw(), b"SIP/2.0/TCP h:5060");
        assert_eq!(end, text.len());
    }

    #[test]
    fn malformed() {
        for bad in [
            &b""[..],
            b"SIP/2.0",
            b"SIP/2.0/UDP",
            b"SIP/2.0/UDP ",
            b"SIP/2.0/UDP ;branch=1",
            b"SIP/2.0/UDP [::1",
            b"SIP/2.0/UDP h:",
            b"SIP/2.0/UDP h:65536",
            b"SIP/2.0/UDP h x",
            b"//UDP h",
        ] {
            assert!(Via::parse(bad).is_err(), "{:?}", bad.escape_ascii());
        }
    }
}
