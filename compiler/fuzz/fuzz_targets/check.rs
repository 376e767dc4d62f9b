//! The whole of `kcc check`, with all modules.
#![no_main]

use kcc::compile::{Input, check};
use kcc::resolve::Options;
use kcc_fuzz::{bounded, files, show};

libfuzzer_sys::fuzz_target!(|input: &[u8]| bounded(|| {
    let loader = files(input);
    let found = check(Input {
        loader: &loader,
        main: "main.cfg",
        defines: &[],
        modules: kcc_stdlib::MODULES,
        options: Options {
            allow_unsupported: true,
            ..Options::default()
        },
    });
    show(&found.diagnostics, &found.sources);
}));
