//! Messages as RFC 3261 shows them, and malformed ones.

use super::*;
use crate::error::ParseErrorKind;
use bytes::Bytes;

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

#[test]
fn blanks_end_a_request_line_and_belong_to_a_reason_phrase() {
    let m = parse(b"OPTIONS sip:a SIP/2.0  \r\n\r\n").unwrap();
    assert_eq!(m.first_line(), b"OPTIONS sip:a SIP/2.0");
    let m = parse(b"SIP/2.0 200 OK  \r\n\r\n").unwrap();
    assert_eq!(m.status_line().unwrap().reason, b"OK  ");
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
        (
            b"OPTIONS sip:a SIP/2.0\r\nv: SIP/2.0/UDP a;;b\r\n\r\n",
            BadVia,
        ),
        (
            b"OPTIONS sip:a SIP/2.0\r\nv: SIP/2.0/UDP a;\r\n\r\n",
            BadVia,
        ),
        (
            b"OPTIONS sip:a SIP/2.0\r\nl: 0\r\nContent-Length: 0\r\n\r\n",
            DuplicateHeader,
        ),
        (
            b"OPTIONS sip:a SIP/2.0\r\nCSeq: 1 A\r\nCSeq: 1 A\r\n\r\n",
            DuplicateHeader,
        ),
        (b"OPTIONS sip:a SIP/2.0\r\nTo: \r\n\r\n", BadAddress),
        (
            b"OPTIONS sip:a SIP/2.0\r\nTo: \"b <sip:b>\r\n\r\n",
            BadAddress,
        ),
    ] {
        assert_eq!(
            parse(text).unwrap_err().kind,
            kind,
            "{}",
            text.escape_ascii()
        );
    }
}

#[test]
fn a_broken_message_shows_what_stands_before_the_fault() {
    for (text, method, headers) in [
        (
            "INFO sip:a@b SIP/2.0\r\nA: 1\r\nVia: x\r\nB: 2\r\n\r\nbody",
            "INFO",
            1,
        ),
        ("INFO sip:a@b SIP/2.0\r\nno colon\r\n\r\n", "INFO", 0),
        ("INFO sip:a@b SIP/2.0\r\nA: 1\r\n", "INFO", 1),
        ("garbage\r\n\r\n", "", 0),
        ("", "", 0),
        (
            "INFO sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\n",
            "INFO",
            1,
        ),
    ] {
        let mut message = Message::empty();
        message.parse_prefix(Bytes::from_static(text.as_bytes()));
        assert_eq!(message.bytes().as_ref(), text.as_bytes());
        assert_eq!(
            message
                .request_line()
                .map_or(&b""[..], |line| line.method_name),
            method.as_bytes()
        );
        assert_eq!(message.headers().count(), headers, "{text}");
        assert!(message.headers_start() <= message.headers_end());
        assert!(message.headers_end() <= message.body_offset());
        for kind in [HeaderKind::Via, HeaderKind::CSeq, HeaderKind::To] {
            assert!(message.header(kind).is_none() || headers > 0);
        }
        let _ = (
            message.top_via().is_some(),
            message.vias().count(),
            message.payload(),
        );
    }
}
