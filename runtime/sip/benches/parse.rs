//! What parsing costs: a 1,000-byte INVITE as a proxy needs it, and everything that is in it, beside
//! a plain search for line ends as the floor; a reply written to it; SDP and a multipart body.
//! `cargo bench -p kcc-sip`.

use bytes::Bytes;
use divan::{Bencher, black_box};
use kcc_sip::build::Reply;
use kcc_sip::{Contact, HeaderKind, Message, Multipart, Sdp, Uri};

fn main() {
    divan::main();
}

const SDP: &str = "v=0\r\no=alice 2890844526 2890844526 IN IP4 pc33.atlanta.example.com\r\ns=-\r\n\
    c=IN IP4 192.0.2.4\r\nt=0 0\r\nm=audio 49172 RTP/AVP 0 8 97\r\na=rtpmap:97 iLBC/8000\r\n\
    a=sendrecv\r\nm=video 51372 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\n";

/// An INVITE of 1,000 bytes, as a second proxy gets it.
fn invite() -> Bytes {
    let head = "INVITE sip:bob@biloxi.example.com;transport=udp SIP/2.0\r\n\
        Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKnashds8;rport\r\n\
        Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK776asdhds;received=192.0.2.1\r\n\
        Max-Forwards: 69\r\n\
        Record-Route: <sip:192.0.2.4;lr;ftag=1928301774>\r\n\
        To: Bob <sip:bob@biloxi.example.com>\r\n\
        From: Alice <sip:alice@atlanta.example.com>;tag=1928301774\r\n\
        Call-ID: a84b4c76e66710@pc33.atlanta.example.com\r\n\
        CSeq: 314159 INVITE\r\n\
        Contact: <sip:alice@pc33.atlanta.example.com:5060;transport=udp>\r\n\
        User-Agent: Example Phone 1.0\r\n\
        Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY\r\n\
        Supported: replaces, timer\r\n\
        Content-Type: application/sdp\r\n";
    let rest = 1000 - head.len() - "Content-Length: 000\r\n\r\n".len();
    let mut body = SDP.to_owned();
    while body.len() + 5 <= rest {
        body.push_str("a=x\r\n");
    }
    body.push_str(&"\r\n\r\n"[..rest - body.len()]);
    let text = format!("{head}Content-Length: {:03}\r\n\r\n{body}", body.len());
    assert_eq!(text.len(), 1000);
    Bytes::from(text)
}

#[divan::bench]
fn floor_line_ends_by_memchr(bencher: Bencher) {
    let buf = invite();
    bencher.bench_local(|| memchr::memchr_iter(b'\n', black_box(&buf)).count());
}

/// What a proxy needs of every message: first line, header fields by kind, top Via, CSeq, To, length.
#[divan::bench]
fn invite_as_a_proxy_needs_it(bencher: Bencher) {
    let buf = invite();
    let mut m = Message::empty();
    bencher.bench_local(|| {
        m.parse_into(black_box(buf.clone())).expect("it parses");
        black_box((m.top_via(), m.cseq(), m.method()));
    });
}

/// And what it routes by: R-URI, tags, Contact, Record-Route.
#[divan::bench]
fn invite_with_addresses(bencher: Bencher) {
    let buf = invite();
    let mut m = Message::empty();
    bencher.bench_local(|| {
        m.parse_into(black_box(buf.clone())).expect("it parses");
        let uri = Uri::parse(m.request_uri()).is_ok();
        black_box((uri, m.from_tag(), m.to_tag(), m.max_forwards()));
        black_box((m.contacts().count(), m.record_routes().count()));
    });
}

/// Every typed access that the message has something for, URIs and SDP included.
#[divan::bench]
fn the_whole_invite(bencher: Bencher) {
    let buf = invite();
    let mut m = Message::empty();
    bencher.bench_local(|| {
        m.parse_into(black_box(buf.clone())).expect("it parses");
        black_box(Uri::parse(m.request_uri()).is_ok());
        for via in m.vias() {
            black_box((via.host(), via.port(), via.branch(), via.received()));
        }
        for address in [m.from(), m.to()].into_iter().flatten() {
            black_box((address.display_unquoted(), address.tag()));
            black_box(address.parse_uri().is_ok());
        }
        for route in m.record_routes().flatten() {
            black_box(route.parse_uri().is_ok_and(|uri| uri.is_loose_router()));
        }
        for contact in m.contacts() {
            if let Ok(Contact::Address(address)) = contact {
                black_box(address.parse_uri().is_ok());
            }
        }
        black_box((m.call_id(), m.cseq(), m.max_forwards(), m.content_type()));
        black_box(m.tokens(HeaderKind::Allow).count());
        black_box(m.tokens(HeaderKind::Supported).count());
        let sdp = m.sdp().expect("it has SDP");
        black_box((sdp.origin(), sdp.session().connection()));
        for media in sdp.media() {
            black_box((media.media(), media.attributes().count()));
        }
    });
}

#[divan::bench]
fn a_reply_to_it(bencher: Bencher) {
    let m = Message::parse(invite()).expect("it parses");
    let mut out = Vec::new();
    bencher.bench_local(|| {
        out.clear();
        let mut reply = Reply::new(&m, 200, b"OK");
        reply.to_tag = Some(b"a6a1c5f60faecf035a1ae5b6e96e979a");
        reply.write(&mut out);
        black_box(&out);
    });
}

#[divan::bench]
fn sdp_alone(bencher: Bencher) {
    bencher.bench_local(|| {
        let sdp = Sdp::parse(black_box(SDP.as_bytes())).expect("it is SDP");
        sdp.media().filter(|media| media.media().is_some()).count()
    });
}

#[divan::bench]
fn a_multipart_body(bencher: Bencher) {
    let body = format!(
        "--b\r\nContent-Type: application/sdp\r\n\r\n{SDP}\r\n--b\r\nContent-Type: application/isup\r\n\r\n{}\r\n--b--\r\n",
        "x".repeat(200)
    );
    let text = format!(
        "INVITE sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nContent-Type: multipart/mixed;boundary=b\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let m = Message::parse(Bytes::from(text)).expect("it parses");
    let kind = m.content_type().expect("it has a type");
    bencher.bench_local(|| {
        let parts = Multipart::new(black_box(m.body()), &kind).expect("it is multipart");
        parts
            .parts()
            .filter(|part| part.content_type().is_some())
            .count()
    });
}
