//! A HEP packet: what is read can be written, and is the same when it is read again.
#![no_main]

use kcc_sip::hep::Packet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(packet) = Packet::parse(data) else {
        return;
    };
    let mut out = Vec::new();
    if packet.write(&mut out) {
        assert_eq!(Packet::parse(&out), Some(packet));
    }
});
