//! A stream: the same messages come out, however the bytes are cut.
#![no_main]

use kcc_sip::framing::{Frame, Limits, Scan, frame};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits {
    header: 4096,
    message: 4096,
    accept_no_content_length: true,
};

/// Lengths of what comes out when `step` bytes come at a time.
fn lengths(data: &[u8], step: usize) -> Vec<usize> {
    let (mut out, mut scan, mut from, mut to) = (Vec::new(), Scan::default(), 0, 0);
    loop {
        match frame(&data[from..to], &mut scan, &LIMITS) {
            Frame::Incomplete if to == data.len() => return out,
            Frame::Incomplete => to = (to + step).min(data.len()),
            Frame::Message { len } => {
                assert!(len > 0 && from + len <= to);
                out.push(len);
                from += len;
            }
            // How many keepalives come at once depends on the cut.
            Frame::Ping(len) | Frame::Pong(len) => {
                assert!(len > 0 && from + len <= to);
                from += len;
            }
            Frame::Invalid(_) => return out,
        }
        if from == to && to == data.len() {
            return out;
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let whole = lengths(data, data.len().max(1));
    for step in [1, 7] {
        assert_eq!(lengths(data, step), whole);
    }
});
