//! The preprocessor and the lexer.
#![no_main]

use kcc::preprocess::preprocess;
use kcc_fuzz::{bounded, files, show};

libfuzzer_sys::fuzz_target!(|input: &[u8]| bounded(|| {
    let read = preprocess(&files(input), "main.cfg", &[]);
    for token in &read.tokens.list {
        read.sources.text(token.span);
    }
    show(&read.diagnostics, &read.sources);
}));
