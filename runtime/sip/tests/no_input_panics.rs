//! Whatever arrives, every accessor and every builder answers without a panic, and all ranges
//! stay within the message.

use bytes::Bytes;
use kcc_sip::build::{Reply, ViaStamp, ack_for_negative, cancel};
use kcc_sip::framing::{Frame, Limits, Scan, frame};
use kcc_sip::{Contact, HeaderKind, Message, NameAddr, Params, Uri, Via, contacts, token};
use std::net::IpAddr;

const SEEDS: [&[u8]; 4] = [
    b"INVITE sip:bob;x=1:pw@[::1]:5060;transport=tcp;lr?a=b&c=%41 SIP/2.0\r\n\
      Via: SIP/2.0/UDP pc33.atlanta.com:5060;branch=z9hG4bK776;rport=1;received=1.2.3.4;i=2;alias, SIP / 2.0 / TCP b\r\n\
      v : SIP/2.0/UDP c\r\nMax-Forwards: 70\r\nTo: \"B, \\\"x\" <sip:bob@biloxi.com;a=\"b\">;x=\"y;z\"\r\n\
      f: Alice <sip:alice@atlanta.com>;tag=1928301774\r\nCall-ID: a84b4c76e66710\r\nCSeq: 314159 INVITE\r\n\
      Route: <sip:a;lr>, <sip:b;lr>\r\nRecord-Route: <sip:c;lr>\r\n folded\r\nm: *, sip:a;q=1\r\nl: 3\r\n\r\nabc",
    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1.2.3\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:b>;tag=2\r\n\
      CSeq: 1 INVITE\r\nCall-ID: x\r\nContent-Length: 0\r\n\r\n",
    b"NOTIFY sip:a SIP/2.0\r\nVia: SIP/2.0/TLS a\r\nDate: Sat, 13 Nov 2010 23:29:00 GMT\r\nRAck: 1 2 INVITE\r\n\
      o: a.b;id=1\r\nSubscription-State: active;expires=1\r\nPrivacy: id;none\r\nx: 90;refresher=uas\r\n\
      Authorization: Digest username=\"a@b\", realm=\"c\", nc=00000001, qop=auth\r\n\
      Identity: a.b.c;info=<d>;alg=ES256\r\nReason: Q.850;cause=16;text=\"x\"\r\nDiversion: <sip:a>;reason=\"x\"\r\n\
      Refer-To: <sip:a?b=c>\r\nContent-Disposition: signal;handling=optional\r\n\
      Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\npre\r\n--b\r\nContent-Type: multipart/mixed;\r\n boundary=i\r\n\r\n\
      --i\r\n\r\nx\r\n--i--\r\n--b\r\nc: application/sdp\r\n\r\nv=0\r\no=a 1 2 IN IP4 1.2.3.4\r\nc=IN IP4 1.2.3.4/1\r\n\
      m=audio 1/2 RTP/AVP 0 8\r\na=sendonly\r\na=x:y\r\n--b--\r\nend",
    b"GET /a HTTP/1.1\r\nHost: b\r\nUpgrade: websocket\r\n\r\n",
];

struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below.max(1)
    }

    fn mutate(&mut self, text: &mut Vec<u8>) {
        const SPECIAL: &[u8] = b"\r\n :;,<>\"\\[]@/=?%*.&0\0\xff\ta";
        for _ in 0..=self.next(6) {
            let at = self.next(text.len());
            let until = (at + self.next(12)).min(text.len());
            match self.next(5) {
                0 => text.truncate(at),
                1 => drop(text.drain(at..until)),
                2 => text.insert(at, SPECIAL[self.next(SPECIAL.len())]),
                3 => {
                    let part = text[at..until].to_vec();
                    let to = self.next(text.len());
                    text.splice(to..to, part);
                }
                _ => {
                    if let Some(c) = text.get_mut(at) {
                        *c = SPECIAL[self.next(SPECIAL.len())];
                    }
                }
            }
        }
    }
}

fn read_text(text: &[u8]) {
    if let Ok(uri) = Uri::parse(text) {
        let _ = (
            uri.same_as(&uri),
            uri.ttl(),
            uri.port_or_default(),
            uri.header_fields().count(),
        );
    }
    if let Ok(via) = Via::parse(text) {
        let _ = (
            via.raw(),
            via.sent_by(),
            via.rport(),
            via.params().iter().count(),
        );
    }
    if let Ok(address) = NameAddr::parse(text) {
        let _ = (
            address.tag(),
            address.display_unquoted(),
            address.parse_uri(),
        );
    }
    let _ = (Params::new(text).iter().count(), token::unfold(text));
    for contact in contacts(text) {
        if let Ok(Contact::Address(a)) = contact {
            assert!(a.raw.len() <= text.len());
        }
    }
}

fn read_extensions(m: &Message) {
    let _ = (m.expires(), m.min_expires(), m.min_se(), m.rseq());
    let _ = (m.rack(), m.date(), m.privacy(), m.refer_to());
    let _ = m.session_expires().map(|s| s.refresher());
    let _ = m.event().map(|e| (e.same_as(&e), e.templates().count()));
    let _ = m.subscription_state().map(|s| (s.expires(), s.reason()));
    let _ = m.content_disposition().map(|d| d.is_required());
    let _ = (m.paths().count(), m.diversions().count());
    m.identities().for_each(|i| _ = (i.parts(), i.info()));
    m.reasons().for_each(|r| _ = (r.cause(), r.text()));
    for a in m.auth(HeaderKind::Authorization) {
        let _ = (a.user_and_domain(), a.nonce_count(), a.qops().count());
        let _ = (a.algorithm(), a.iter().count());
    }
    let mut levels = 0;
    let mut inside = m.multipart();
    while let Some(parts) = inside.filter(|_| levels < 8) {
        let _ = (parts.preamble(), parts.epilogue(), parts.end());
        for part in parts.parts() {
            assert!(m.offset_of(part.head).is_some() && m.offset_of(part.body).is_some());
            let _ = (part.disposition(), part.headers().count());
        }
        inside = parts.parts().find_map(|part| part.nested());
        levels += 1;
    }
    if let Some(sdp) = m.sdp() {
        let _ = (sdp.origin(), sdp.session().connection());
        for section in sdp.media() {
            let _ = (section.media(), sdp.connection_of(&section));
            let _ = (sdp.direction_of(&section), section.attributes().count());
        }
    }
}

fn read(m: &Message) {
    for h in m.headers() {
        assert!(m.offset_of(h.line).is_some() && m.offset_of(h.value).is_some());
        assert!(h.is_named(h.name));
        assert!(m.headers_named(h.name).any(|x| x.index == h.index));
        read_text(h.value);
    }
    read_text(m.request_uri());
    for v in m.vias() {
        for part in [
            v.raw(),
            v.protocol(),
            v.host(),
            v.sent_by(),
            v.params().raw(),
        ] {
            assert!(m.offset_of(part).is_some());
        }
    }
    let _ = (
        m.first_line(),
        m.body(),
        m.body_length(),
        m.method_name(),
        m.max_forwards(),
    );
    let _ = (
        m.routes().count(),
        m.record_routes().count(),
        m.contacts().count(),
    );
    assert!(m.headers_start() <= m.headers_end() && m.headers_end() <= m.bytes().len());

    read_extensions(m);

    let mut out = Vec::new();
    let mut reply = Reply::new(m, 200, b"OK");
    reply.to_tag = Some(b"t");
    if let Some(via) = m.top_via() {
        reply.stamp = ViaStamp::new(&via, IpAddr::from([127, 0, 0, 1]), 5060, true);
    }
    reply.write(&mut out);
    if let Some(via) = m.top_via().filter(|_| m.is_sip()) {
        let parsed = Message::parse(Bytes::from(out.clone())).expect("a reply parses");
        let top = parsed.top_via().expect("a reply has the request's Via");
        assert_eq!(top.host(), via.host());
        assert_eq!(top.rport(), Some(5060), "{}", m.bytes().escape_ascii());
    }
    out.clear();
    cancel(m, b"", &mut out);
    ack_for_negative(m, m, b"", &mut out);
}

#[test]
fn mutated_messages() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut m = Message::empty();
    let mut parsed = 0;
    for round in 0..60_000 {
        let mut text = SEEDS[round % SEEDS.len()].to_vec();
        random.mutate(&mut text);
        let _ = frame(&text, &mut Scan::default(), &Limits::default());
        read_text(&text);
        if m.parse_into(Bytes::from(text)).is_ok() {
            parsed += 1;
            read(&m);
        }
    }
    assert!(
        parsed > 5_000,
        "only {parsed} of the mutated messages parsed"
    );
}

#[test]
fn framing_does_not_depend_on_how_the_bytes_come() {
    let mut random = Random(88_172_645_463_325_252);
    for round in 0..5_000 {
        let mut text = SEEDS[round % 2].to_vec();
        random.mutate(&mut text);
        let limits = Limits {
            header: 400,
            message: 600,
            accept_no_content_length: false,
        };
        let mut scan = Scan::default();
        let mut step = Frame::Incomplete;
        let mut seen = 0;
        while step == Frame::Incomplete && seen < text.len() {
            seen = (seen + 1 + random.next(40)).min(text.len());
            step = frame(&text[..seen], &mut scan, &limits);
        }
        let whole = frame(&text[..seen], &mut Scan::default(), &limits);
        assert_eq!(step, whole, "{}", text.escape_ascii());
    }
}

#[test]
fn an_address_is_found_in_the_first_of_each_kind() {
    let m = Message::parse(Bytes::from_static(SEEDS[0])).unwrap();
    read(&m);
    assert_eq!(m.header(HeaderKind::Via).unwrap().index, 0);
    assert_eq!(m.to().unwrap().params.get(b"x"), Some(&b"y;z"[..]));
}
