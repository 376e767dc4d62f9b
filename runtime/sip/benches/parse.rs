//! What parsing costs: a 1,000-byte INVITE as a proxy needs it, with its addresses, and a reply
//! written to it. `cargo bench -p kcc-sip`.

use bytes::Bytes;
use kcc_sip::build::Reply;
use kcc_sip::{Message, Uri};
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: u32 = 200_000;

fn invite() -> Bytes {
    let mut text = "INVITE sip:bob@biloxi.example.com;transport=udp SIP/2.0\r\n\
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
        Content-Type: application/sdp\r\n\
        Content-Length: 000\r\n\r\n\
        v=0\r\no=alice 2890844526 2890844526 IN IP4 pc33.atlanta.example.com\r\ns=-\r\n"
        .to_owned();
    while text.len() < 1000 {
        text.push_str("a=x\r\n");
    }
    Bytes::from(text.into_bytes())
}

fn measure(name: &str, mut f: impl FnMut()) {
    let best = (0..5)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..ROUNDS {
                f();
            }
            start.elapsed() / ROUNDS
        })
        .min()
        .unwrap_or_default();
    println!("{name}: {} ns", best.as_nanos());
}

fn main() {
    let buf = invite();
    let mut m = Message::empty();
    measure("parse a 1,000-byte INVITE", || {
        m.parse_into(black_box(buf.clone())).expect("it parses");
        black_box(m.top_via());
    });
    measure(
        "and read R-URI, From, To, tags, Contact, Record-Route",
        || {
            m.parse_into(black_box(buf.clone())).expect("it parses");
            black_box((
                Uri::parse(m.request_uri()).is_ok(),
                m.from_tag(),
                m.to_tag(),
            ));
            black_box((m.contacts().count(), m.record_routes().count()));
        },
    );
    let mut out = Vec::new();
    measure("write a reply", || {
        out.clear();
        let mut reply = Reply::new(&m, 200, b"OK");
        reply.to_tag = Some(b"a6a1c5f60faecf035a1ae5b6e96e979a");
        reply.write(&mut out);
        black_box(&out);
    });
}
