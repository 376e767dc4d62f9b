//! A URI or an address: what is parsed equals itself, and is written as it was read.
#![no_main]

use kcc_sip::{NameAddr, Params, Uri, Via, addresses, token};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(uri) = Uri::parse(data) {
        assert!(uri.same_as(&uri));
        let _ = (
            uri.ttl(),
            uri.port_or_default(),
            uri.header_fields().count(),
        );
    }
    if let Ok(via) = Via::parse(data) {
        let _ = (via.sent_by(), via.rport(), via.received());
    }
    if let Ok(address) = NameAddr::parse(data) {
        assert!(address.raw.len() <= data.len());
        let _ = (address.tag(), address.parse_uri());
    }
    assert!(addresses(data).count() <= data.len());
    assert!(Params::new(data).iter().count() <= data.len());
    assert!(token::unfold(data).len() <= data.len());
});
