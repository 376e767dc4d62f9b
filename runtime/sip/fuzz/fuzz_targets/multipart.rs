//! A multipart body: its parts follow one another inside of it.
#![no_main]

use kcc_sip::span::offset_in;
use kcc_sip::{MediaType, Multipart};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // The first line is the type, the rest the body.
    let split = data.iter().position(|c| *c == b'\n').unwrap_or(data.len());
    let (kind, body) = (&data[..split], data.get(split + 1..).unwrap_or_default());
    let Some(kind) = MediaType::parse(kind) else {
        return;
    };
    let Some(parts) = Multipart::new(body, &kind) else {
        return;
    };
    let mut end = parts.preamble().len();
    for part in parts.parts() {
        let range = offset_in(body, part.raw).expect("a part lies in the body");
        assert!(range.start >= end || part.raw.is_empty());
        end = range.end.max(end);
        let _ = (
            part.headers().count(),
            part.disposition(),
            part.content_type(),
        );
        let _ = part.nested().map(|inner| inner.parts().count());
    }
    let _ = (parts.epilogue(), parts.end());
});
