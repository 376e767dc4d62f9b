//! Requests derived from an INVITE as it was sent: CANCEL (RFC 3261 §9.1) and the ACK for a
//! negative final reply (§17.1.1.3). Header fields come in the order of the INVITE, as Kamailio
//! 5.6 sends them.

use super::reply::write_field;
use crate::header::HeaderKind;
use crate::message::{Header, Message};

/// What a derived request carries where the INVITE has no count (RFC 3261 §8.1.1.6).
const MAX_FORWARDS: &[u8] = b"Max-Forwards: 70\r\n";

/// Appends the CANCEL for `invite`, which is the request as it was sent on its branch: the same
/// Request-URI, top Via, Route, From, To, Call-ID and CSeq number. `extra` holds more header
/// fields, whole lines (a Reason, say). False when `invite` is no request or lacks one of them.
pub fn cancel(invite: &Message, extra: &[u8], out: &mut Vec<u8>) -> bool {
    derive(invite, b"CANCEL", None, extra, out)
}

/// Appends the ACK for the negative final reply `reply` to `invite`, which is the request as it
/// was sent: like [`cancel`], but To is the reply's. False when a needed header field is missing.
pub fn ack_for_negative(
    invite: &Message,
    reply: &Message,
    extra: &[u8],
    out: &mut Vec<u8>,
) -> bool {
    derive(invite, b"ACK", Some(reply), extra, out)
}

fn derive(
    invite: &Message,
    method: &[u8],
    reply: Option<&Message>,
    extra: &[u8],
    out: &mut Vec<u8>,
) -> bool {
    let start = out.len();
    let written = write(invite, method, reply, extra, out);
    if written.is_none() {
        out.truncate(start);
    }
    written.is_some()
}

fn write(
    invite: &Message,
    method: &[u8],
    reply: Option<&Message>,
    extra: &[u8],
    out: &mut Vec<u8>,
) -> Option<()> {
    let line = invite.request_line()?;
    let via = invite.top_via()?;
    let cseq = invite.cseq()?;
    let to = reply
        .and_then(|r| r.header(HeaderKind::To))
        .or(invite.header(HeaderKind::To))?;
    invite.header(HeaderKind::From)?;
    invite.header(HeaderKind::CallId)?;
    out.extend_from_slice(method);
    out.push(b' ');
    out.extend_from_slice(line.uri);
    out.extend_from_slice(b" SIP/2.0\r\nVia: ");
    out.extend_from_slice(via.raw());
    out.extend_from_slice(b"\r\n");
    let is_first = |header: &Header<'_>| {
        invite
            .header(header.kind)
            .is_some_and(|first| first.index == header.index)
    };
    for header in invite.headers() {
        match header.kind {
            HeaderKind::Route => write_field(&header, out),
            HeaderKind::From | HeaderKind::CallId if is_first(&header) => write_field(&header, out),
            HeaderKind::To if is_first(&header) => write_field(&to, out),
            HeaderKind::CSeq if is_first(&header) => {
                out.extend_from_slice(b"CSeq: ");
                super::write_number(out, u64::from(cseq.number));
                out.push(b' ');
                out.extend_from_slice(method);
                out.extend_from_slice(b"\r\n");
            }
            HeaderKind::MaxForwards if is_first(&header) => write_field(&header, out),
            _ => {}
        }
    }
    if !invite.has(HeaderKind::MaxForwards) {
        out.extend_from_slice(MAX_FORWARDS);
    }
    super::write_content_length(out, 0);
    out.extend_from_slice(extra);
    out.extend_from_slice(b"\r\n");
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    /// The example of RFC 3261 §17.1.1.3, with two Route fields added.
    #[test]
    fn ack_and_cancel_follow_the_invite() {
        let invite = Message::parse(Bytes::from_static(
            b"INVITE sip:bob@biloxi.com SIP/2.0\r\n\
              Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKkjshdyff\r\nVia: SIP/2.0/UDP below\r\n\
              To: Bob <sip:bob@biloxi.com>\r\nFrom: Alice <sip:alice@atlanta.com>;tag=88sja8x\r\n\
              Max-Forwards: 9\r\nCall-ID: 987asjd97y7atg\r\nCSeq: 986759 INVITE\r\n\
              Route: <sip:a;lr>\r\nRoute: <sip:b;lr>\r\n\r\n",
        ))
        .unwrap();
        let reply = Message::parse(Bytes::from_static(
            b"SIP/2.0 486 Busy\r\nTo: Bob <sip:bob@biloxi.com>;tag=99\r\n\r\n",
        ))
        .unwrap();
        let mut out = Vec::new();
        assert!(ack_for_negative(&invite, &reply, b"", &mut out));
        assert_eq!(
            String::from_utf8_lossy(&out),
            "ACK sip:bob@biloxi.com SIP/2.0\r\n\
             Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKkjshdyff\r\n\
             To: Bob <sip:bob@biloxi.com>;tag=99\r\n\
             From: Alice <sip:alice@atlanta.com>;tag=88sja8x\r\nMax-Forwards: 9\r\n\
             Call-ID: 987asjd97y7atg\r\nCSeq: 986759 ACK\r\n\
             Route: <sip:a;lr>\r\nRoute: <sip:b;lr>\r\nContent-Length: 0\r\n\r\n"
        );
        out.clear();
        assert!(cancel(&invite, b"Reason: SIP\r\n", &mut out));
        let cancel = Message::parse(Bytes::from(out)).unwrap();
        assert_eq!(cancel.method_name(), b"CANCEL");
        assert_eq!(cancel.cseq().unwrap().method_name, b"CANCEL");
        assert_eq!(cancel.to_tag(), None);
        assert_eq!(cancel.value(HeaderKind::Reason), Some(&b"SIP"[..]));
    }

    #[test]
    fn nothing_is_left_behind_when_a_field_is_missing() {
        let invite = Message::parse(Bytes::from_static(
            b"INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nCSeq: 1 INVITE\r\nTo: b\r\n\r\n",
        ))
        .unwrap();
        let mut out = b"before".to_vec();
        assert!(!cancel(&invite, b"", &mut out));
        assert_eq!(out, b"before");
    }
}
