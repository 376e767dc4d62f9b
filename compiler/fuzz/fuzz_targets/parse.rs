//! From text to the syntax tree, errors and recovery included.
#![no_main]

use kcc::syntax::parse;
use kcc_fuzz::{bounded, files, show};

libfuzzer_sys::fuzz_target!(|input: &[u8]| bounded(|| {
    let parsed = parse(&files(input), "main.cfg", &[]);
    show(&parsed.diagnostics, &parsed.sources);
}));
