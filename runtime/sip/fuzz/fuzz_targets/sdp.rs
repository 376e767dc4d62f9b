//! A session description: lines and sections cover no more than it.
#![no_main]

use kcc_sip::Sdp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(sdp) = Sdp::parse(data) else {
        return;
    };
    let _ = (sdp.origin(), sdp.session().connection());
    let mut length = sdp.session().raw.len();
    for section in sdp.media() {
        length += section.raw.len();
        let _ = section.media().map(|media| media.formats().count());
        let _ = (sdp.connection_of(&section), sdp.direction_of(&section));
        assert!(section.attributes().count() <= section.lines().count());
    }
    assert_eq!(length, data.len());
});
