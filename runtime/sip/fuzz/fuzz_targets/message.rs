//! A whole message: every accessor answers, every range lies in it, what is built from it parses.
#![no_main]

use bytes::Bytes;
use kcc_sip::build::{Reply, ViaStamp, ack_for_negative, cancel};
use kcc_sip::{Contact, HeaderKind, Message};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(m) = Message::parse(Bytes::copy_from_slice(data)) else {
        return;
    };
    for header in m.headers() {
        assert!(m.offset_of(header.line).is_some() && m.offset_of(header.value).is_some());
        assert!(header.is_named(header.name));
    }
    for via in m.vias() {
        assert!(m.offset_of(via.raw()).is_some());
        let _ = (via.port(), via.rport(), via.params().iter().count());
    }
    for contact in m.contacts().flatten() {
        if let Contact::Address(address) = contact {
            assert!(m.offset_of(address.raw).is_some());
            let _ = address.parse_uri();
        }
    }
    let _ = (m.from_tag(), m.to_tag(), m.cseq(), m.body_length());
    let _ = (
        m.routes().count(),
        m.record_routes().count(),
        m.paths().count(),
    );
    let _ = (m.date(), m.rack(), m.privacy(), m.session_expires());
    for auth in m.auth(HeaderKind::Authorization) {
        let _ = (auth.user_and_domain(), auth.nonce_count(), auth.algorithm());
    }
    m.identities().for_each(|i| _ = (i.parts(), i.info()));
    m.reasons().for_each(|r| _ = (r.cause(), r.text()));
    let _ = m.sdp().map(|sdp| sdp.media().count());

    let mut out = Vec::new();
    let mut reply = Reply::new(&m, 486, b"Busy Here");
    if let Some(via) = m.top_via() {
        reply.stamp = ViaStamp::new(&via, [192, 0, 2, 1].into(), 5060, true);
    }
    reply.write(&mut out);
    if let Some(via) = m.top_via().filter(|_| m.is_sip()) {
        let parsed = Message::parse(Bytes::from(out.clone())).expect("a reply parses");
        assert_eq!(parsed.top_via().expect("it has the Via").host(), via.host());
    }
    out.clear();
    cancel(&m, b"", &mut out);
    ack_for_negative(&m, &m, b"", &mut out);
});
