//! Expected messages are what Kamailio 5.6.3 sends for the same edits, unless a test says why not.

use super::*;
use bytes::Bytes;
use kcc_sip::HeaderKind;
use kcc_sip::build::{NewVia, ViaStamp};
use kcc_sip::message::{Header, Message};

const REQUEST: &str = "MESSAGE sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP foo;branch=x, SIP/2.0/UDP z\r\n\
    From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nSubject: x\r\nX-T: t\r\nContent-Length: 5\r\n\r\nv=0\r\n";

const OWN: NewVia<'static> = NewVia {
    transport: b"UDP",
    host: b"h",
    port: Some(5060),
    branch: b"z9hG4bKa.b.0",
    instance: None,
    rport: false,
    extra: b"",
};

fn message(text: &str) -> Message {
    Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

fn named<'a>(m: &'a Message, name: &'a str) -> Header<'a> {
    m.headers_named(name.as_bytes()).next().unwrap()
}

fn outgoing<'a>(m: &'a Message, edits: &'a Edits) -> OutgoingRequest<'a> {
    OutgoingRequest {
        message: m,
        uri: None,
        via: Some(OWN),
        stamp: ViaStamp::default(),
        edits,
        branch_edits: None,
        stream: false,
    }
}

fn build(request: &OutgoingRequest<'_>) -> String {
    let mut out = Vec::new();
    assert!(Builder::new().request(request, &mut out));
    String::from_utf8(out).unwrap()
}

/// What is sent of [`REQUEST`] after `edit`.
fn sent(edit: impl FnOnce(&Message, &mut Edits)) -> String {
    let m = message(REQUEST);
    let mut edits = Edits::new();
    edit(&m, &mut edits);
    build(&outgoing(&m, &edits))
}

#[test]
fn without_edits_the_via_is_added_and_nothing_else_changes() {
    let expected = REQUEST.replace(
        "Via: SIP/2.0/UDP foo",
        "Via: SIP/2.0/UDP h:5060;branch=z9hG4bKa.b.0\r\nVia: SIP/2.0/UDP foo",
    );
    assert_eq!(sent(|_, _| ()), expected);
}

#[test]
fn header_fields_keep_the_order_in_which_they_were_added() {
    let got = sent(|m, e| {
        let subject = named(m, "subject");
        e.append_header(m, b"A1: 1\r\n").unwrap();
        e.append_header(m, b"A2: 2").unwrap();
        e.prepend_header(m, b"I1: 1\r\n").unwrap();
        e.prepend_header(m, b"I2: 2\r\n").unwrap();
        e.append_after(m, &subject, b"B1: 1\r\n").unwrap();
        e.append_after(m, &subject, b"B2: 2\r\n").unwrap();
        e.insert_before(m, &subject, b"C1: 1\r\n").unwrap();
        e.insert_before(m, &subject, b"C2: 2\r\n").unwrap();
    });
    assert_eq!(
        got,
        "MESSAGE sip:b@c SIP/2.0\r\nI1: 1\r\nI2: 2\r\nVia: SIP/2.0/UDP h:5060;branch=z9hG4bKa.b.0\r\n\
         Via: SIP/2.0/UDP foo;branch=x, SIP/2.0/UDP z\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\n\
         C1: 1\r\nC2: 2\r\nSubject: x\r\nB1: 1\r\nB2: 2\r\nX-T: t\r\nContent-Length: 5\r\n\
         A1: 1\r\nA2: 2\r\n\r\nv=0\r\n"
    );
}

#[test]
fn insertions_around_and_in_what_is_deleted_are_still_written() {
    let got = sent(|m, e| {
        let subject = named(m, "subject");
        e.remove_header(m, &subject).unwrap();
        e.remove_header(m, &subject).unwrap();
        e.insert_before(m, &subject, b"A: 1\r\n").unwrap();
        e.append_after(m, &subject, b"B: 1\r\n").unwrap();
        e.set_value(m, &subject, b"C: 1\r\n").unwrap();
    });
    assert!(
        got.contains("To: <sip:b@c>\r\nA: 1\r\nC: 1\r\nB: 1\r\nX-T"),
        "{got}"
    );
    let overlapping = sent(|m, e| {
        let at = m.offset_of(named(m, "subject").line).unwrap().start;
        e.replace(at + 2..at + 4, b"2").unwrap();
        e.replace(at + 3..at + 5, b"1").unwrap();
    });
    assert!(overlapping.contains("\r\nSu21ct: x\r\n"), "{overlapping}");
}

#[test]
fn branch_edits_come_after_the_shared_ones_and_before_the_own_via() {
    let m = message(REQUEST);
    let (mut shared, mut branch) = (Edits::new(), Edits::new());
    branch.prepend_header(&m, b"BI: 1\r\n").unwrap();
    branch.append_header(&m, b"BR: 1\r\n").unwrap();
    shared.append_header(&m, b"Z: 1\r\n").unwrap();
    shared.prepend_header(&m, b"Y: 1\r\n").unwrap();
    let mut request = outgoing(&m, &shared);
    request.branch_edits = Some(&branch);
    request.uri = Some(b"sip:new@host;x=1");
    let got = build(&request);
    assert!(
        got.starts_with("MESSAGE sip:new@host;x=1 SIP/2.0\r\nY: 1\r\nBI: 1\r\nVia: SIP/2.0/UDP h"),
        "{got}"
    );
    assert!(
        got.contains("Content-Length: 5\r\nZ: 1\r\nBR: 1\r\n\r\n"),
        "{got}"
    );
}

#[test]
fn the_previous_hop_is_noted_in_its_via() {
    let source = "127.0.0.1".parse().unwrap();
    for (via, force, expected) in [
        ("foo;branch=x", false, "foo;received=127.0.0.1;branch=x"),
        ("127.0.0.1;branch=x", false, "127.0.0.1;branch=x"),
        (
            "foo;branch=x",
            true,
            "foo;rport=7;received=127.0.0.1;branch=x",
        ),
        (
            "foo:1;branch=x;x=1;rport;y=2",
            false,
            "foo:1;received=127.0.0.1;branch=x;x=1;rport=7;y=2",
        ),
        (
            "foo;rport=9;received=9.9.9.9;branch=x",
            false,
            "foo;rport=7;received=127.0.0.1;branch=x",
        ),
    ] {
        let m = message(&REQUEST.replace("foo;branch=x", via));
        let edits = Edits::new();
        let mut request = outgoing(&m, &edits);
        request.stamp = ViaStamp::new(&m.top_via().unwrap(), source, 7, force);
        let got = build(&request);
        let field = format!("\r\nVia: SIP/2.0/UDP {expected}, SIP/2.0/UDP z\r\n");
        assert!(got.contains(&field), "{via}: {got}");
    }
}

#[test]
fn content_length_follows_the_body() {
    let body = |m: &Message| m.body_offset();
    let got = sent(|m, e| e.replace(body(m)..body(m) + 3, b"v=1234").unwrap());
    assert!(
        got.ends_with("Content-Length: 8\r\n\r\nv=1234\r\n"),
        "{got}"
    );
    let got = sent(|m, e| {
        e.replace(body(m)..body(m) + 3, b"v=1234").unwrap();
        e.set_body(m, b"x").unwrap();
    });
    assert!(got.ends_with("Content-Length: 1\r\n\r\nx"), "{got}");
    let got = sent(|m, e| e.set_body(m, b"").unwrap());
    assert!(got.ends_with("Content-Length: 0\r\n\r\n"), "{got}");
}

#[test]
fn datagrams_keep_a_wrong_or_missing_content_length_and_streams_do_not() {
    let edits = Edits::new();
    for (field, on_stream) in [
        ("Content-Length: 2\r\n", "Content-Length: 5\r\n\r\nv=0"),
        ("", "X-T: t\r\nContent-Length: 5\r\n\r\nv=0"),
    ] {
        let text = REQUEST.replace("Content-Length: 5\r\n", field);
        let m = message(&text);
        let mut request = outgoing(&m, &edits);
        let after_via = |s: &str| s[s.find("From:").unwrap()..].to_owned();
        assert_eq!(after_via(&build(&request)), after_via(&text));
        request.stream = true;
        assert!(build(&request).contains(on_stream));
    }
}

/// Kamailio writes the bare number in place of the removed header field when the body changes.
#[test]
fn a_removed_content_length_stays_away_from_datagrams() {
    let m = message(REQUEST);
    let mut edits = Edits::new();
    let length = m.header(HeaderKind::ContentLength).unwrap();
    edits.remove_header(&m, &length).unwrap();
    let mut request = outgoing(&m, &edits);
    assert!(build(&request).ends_with("X-T: t\r\n\r\nv=0\r\n"));
    request.stream = true;
    assert!(build(&request).ends_with("X-T: t\r\nContent-Length: 5\r\n\r\nv=0\r\n"));
    edits.set_body(&m, b"abc").unwrap();
    assert!(build(&outgoing(&m, &edits)).ends_with("X-T: t\r\n\r\nabc"));
}

#[test]
fn applying_edits_to_the_message_itself_adds_no_via() {
    let m = message(REQUEST);
    let mut edits = Edits::new();
    edits.append_header(&m, b"Z: 1\r\n").unwrap();
    let mut request = outgoing(&m, &edits);
    request.via = None;
    assert_eq!(
        build(&request),
        REQUEST.replace("Length: 5\r\n", "Length: 5\r\nZ: 1\r\n")
    );
}

#[test]
fn a_reply_loses_its_top_via() {
    for (vias, left) in [
        (
            "Via: SIP/2.0/UDP own\r\nVia: SIP/2.0/UDP a\r\n",
            "Via: SIP/2.0/UDP a\r\n",
        ),
        (
            "Via: SIP/2.0/UDP own ,\r\n SIP/2.0/UDP a, SIP/2.0/UDP b\r\n",
            "Via: SIP/2.0/UDP a, SIP/2.0/UDP b\r\n",
        ),
    ] {
        let text = format!("SIP/2.0 200 OK\r\n{vias}To: b\r\nContent-Length: 3\r\n\r\nv=0");
        let m = message(&text);
        let mut edits = Edits::new();
        edits.prepend_header(&m, b"R: 1\r\n").unwrap();
        edits.append_header(&m, b"S: 1\r\n").unwrap();
        edits.set_body(&m, b"v=00").unwrap();
        let mut out = Vec::new();
        let reply = OutgoingReply {
            message: &m,
            remove_top_via: true,
            edits: &edits,
            stream: false,
        };
        assert!(Builder::new().reply(&reply, &mut out));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!(
                "SIP/2.0 200 OK\r\nR: 1\r\n{left}To: b\r\nContent-Length: 4\r\nS: 1\r\n\r\nv=00"
            )
        );
    }
}

#[test]
fn own_replies_carry_what_the_script_added() {
    let m = message(REQUEST);
    let mut edits = Edits::new();
    edits.set_reply_body(b"a/b", b"gone").unwrap();
    edits.append_to_reply(b"R1: 1\r\n").unwrap();
    edits.set_reply_body(b"text/plain", b"hello").unwrap();
    edits.append_to_reply(b"R2: 2").unwrap();
    let mut out = Vec::new();
    OwnReply {
        request: &m,
        code: 200,
        reason: b"OK",
        to_tag: Some(b"t"),
        stamp: ViaStamp::default(),
        edits: &edits,
        server: b"Server: s\r\n",
    }
    .write(&mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP foo;branch=x, SIP/2.0/UDP z\r\nFrom: <sip:a@b>;tag=1\r\n\
         To: <sip:b@c>;tag=t\r\nR1: 1\r\nContent-Type: text/plain\r\nR2: 2\r\nServer: s\r\n\
         Content-Length: 5\r\n\r\nhello"
    );
}

#[test]
fn edits_are_bounded() {
    let m = message(REQUEST);
    let mut edits = Edits::new();
    let big = vec![b'a'; MAX_EDIT_BYTES / 2 + 1];
    edits.append_header(&m, &big).unwrap();
    assert_eq!(edits.append_header(&m, &big), Err(Full));
    edits.clear();
    for _ in 0..MAX_EDITS {
        edits.delete(0..1).unwrap();
    }
    assert_eq!(edits.delete(0..1), Err(Full));
}

/// Edits at any place, even outside the message, leave one that has its header's end.
#[test]
fn random_edits_leave_a_message() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    };
    let m = message(REQUEST);
    let source = "::1".parse().unwrap();
    let mut builder = Builder::new();
    let mut layers = [Edits::new(), Edits::new()];
    for _ in 0..20_000 {
        for edits in &mut layers {
            edits.clear();
            for _ in 0..random(5) {
                let start = random(REQUEST.len() + 10);
                let end = start + random(40);
                let text = [&b""[..], b"x", b"\r\n", b"A: 1\r\n"][random(4)];
                edits.replace(start..end, text).unwrap();
            }
        }
        let mut request = outgoing(&m, &layers[0]);
        request.branch_edits = Some(&layers[1]);
        request.stamp = ViaStamp::new(&m.top_via().unwrap(), source, 1, random(2) == 0);
        request.stream = random(2) == 0;
        let mut out = Vec::new();
        assert!(builder.request(&request, &mut out));
        assert!(memchr::memmem::find(&out, b"\n\r\n").is_some());
        assert!(out.starts_with(b"MESSAGE sip:b@c SIP/2.0\r\n"));
    }
}
