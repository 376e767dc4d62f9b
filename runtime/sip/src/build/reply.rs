//! Replies to a received request (RFC 3261 §8.2.6).

use super::via::Place;
use super::{ViaStamp, write_content_length, write_number};
use crate::header::HeaderKind;
use crate::message::{Header, Message};
use crate::name_addr::NameAddr;

/// A body with its type.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    /// The value of Content-Type; empty when the reply's other header fields hold one.
    pub content_type: &'a [u8],
    /// The bytes.
    pub bytes: &'a [u8],
}

/// What a reply is made of. The header fields that a reply takes over (Via, Record-Route where it
/// belongs, From, To, Call-ID, CSeq) come in the request's order, as Kamailio 5.6 sends them.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// The request that is answered.
    pub request: &'a Message,
    /// The status code.
    pub code: u16,
    /// The reason phrase; line ends in it are left out.
    pub reason: &'a [u8],
    /// The tag to add to To when it has none.
    pub to_tag: Option<&'a [u8]>,
    /// `received` and `rport` of the top Via.
    pub stamp: ViaStamp,
    /// More header fields, whole lines with their line ends.
    pub extra: &'a [u8],
    /// More header fields after `extra`, whole lines (Server, say).
    pub more: &'a [u8],
    /// The body.
    pub body: Option<Body<'a>>,
}

impl<'a> Reply<'a> {
    /// A reply to `request` without tag, extra header fields and body.
    pub fn new(request: &'a Message, code: u16, reason: &'a [u8]) -> Reply<'a> {
        Reply {
            request,
            code,
            reason,
            to_tag: None,
            stamp: ViaStamp::default(),
            extra: b"",
            more: b"",
            body: None,
        }
    }

    /// True when the reply takes over Record-Route (RFC 3261 §12.1.1): replies 180 to 299, to
    /// whatever method, as Kamailio 5.6 does.
    fn keeps_record_route(&self) -> bool {
        (180..300).contains(&self.code)
    }

    /// Appends the whole reply to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"SIP/2.0 ");
        write_number(out, u64::from(self.code));
        out.push(b' ');
        out.extend(self.reason.iter().filter(|c| !matches!(c, b'\r' | b'\n')));
        out.extend_from_slice(b"\r\n");
        let mut top = true;
        let mut from = false;
        let mut to = false;
        for header in self.request.headers() {
            match header.kind {
                HeaderKind::Via if top => {
                    top = false;
                    self.write_top_via(&header, out);
                }
                HeaderKind::Via => write_field(&header, out),
                HeaderKind::RecordRoute if self.keeps_record_route() => write_field(&header, out),
                HeaderKind::From if !from => {
                    from = true;
                    write_field(&header, out);
                }
                HeaderKind::To if !to => {
                    to = true;
                    self.write_to(&header, out);
                }
                HeaderKind::CallId | HeaderKind::CSeq => write_field(&header, out),
                _ => {}
            }
        }
        out.extend_from_slice(self.extra);
        if let Some(body) = self.body.filter(|b| !b.content_type.is_empty()) {
            out.extend_from_slice(b"Content-Type: ");
            out.extend_from_slice(body.content_type);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(self.more);
        let body = self.body.map_or(&[][..], |b| b.bytes);
        write_content_length(out, body.len());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(body);
    }

    fn write_top_via(&self, header: &Header<'_>, out: &mut Vec<u8>) {
        let via = self.request.top_via();
        let place = via.and_then(|via| Some((via, self.offset_in_line(header, via.raw())?)));
        let (Some((via, at)), false) = (place, self.stamp.is_empty()) else {
            return write_field(header, out);
        };
        let line = without_line_end(header.line);
        out.extend_from_slice(&line[..at]);
        self.stamp.write(&via, Place::AtEnd, out);
        out.extend_from_slice(line.get(at + via.raw().len()..).unwrap_or_default());
        out.extend_from_slice(b"\r\n");
    }

    fn offset_in_line(&self, header: &Header<'_>, part: &[u8]) -> Option<usize> {
        crate::span::offset_in(without_line_end(header.line), part).map(|r| r.start)
    }

    fn write_to(&self, header: &Header<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(without_line_end(header.line));
        if let Some(tag) = self.to_tag
            && NameAddr::parse(header.value).is_ok_and(|a| a.tag().is_none())
        {
            out.extend_from_slice(b";tag=");
            out.extend_from_slice(tag);
        }
        out.extend_from_slice(b"\r\n");
    }
}

fn without_line_end(line: &[u8]) -> &[u8] {
    crate::token::trim_end(line)
}

/// Appends the field with a proper line end.
pub(super) fn write_field(header: &Header<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(without_line_end(header.line));
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    /// The expected order is that of Kamailio 5.6.3's `sl_send_reply`.
    #[test]
    fn a_reply_takes_over_what_it_must() {
        let request = Message::parse(Bytes::from_static(
            b"INVITE sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP foo;rport;branch=x, SIP/2.0/UDP z\r\n\
              v: SIP/2.0/UDP last\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: i\r\n\
              CSeq: 1 INVITE\r\nRecord-Route: <sip:r;lr>\r\nSubject: s\r\n\r\n",
        ))
        .unwrap();
        let mut reply = Reply::new(&request, 486, b"Busy");
        reply.to_tag = Some(b"tt");
        reply.stamp.rport = Some(7);
        reply.extra = b"X: 1\r\n";
        let mut out = Vec::new();
        reply.write(&mut out);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "SIP/2.0 486 Busy\r\nVia: SIP/2.0/UDP foo;rport=7;branch=x, SIP/2.0/UDP z\r\n\
             v: SIP/2.0/UDP last\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>;tag=tt\r\n\
             Call-ID: i\r\nCSeq: 1 INVITE\r\nX: 1\r\nContent-Length: 0\r\n\r\n"
        );
        out.clear();
        reply.code = 200;
        reply.write(&mut out);
        assert!(memchr::memmem::find(&out, b"\r\nRecord-Route: <sip:r;lr>\r\n").is_some());
    }
}
