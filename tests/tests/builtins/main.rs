//! What the modules of the runtime declare: documented, with examples that run, and safe whatever
//! they are given. With `--coverage`: how much of Kamailio's modules is declared.

mod arguments;
mod coverage;
mod declared;
mod examples;
mod probe;
mod simulated;
mod watched;

use std::process::ExitCode;

use libtest_mimic::Arguments;

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--coverage") {
        print!("{}", coverage::table());
        return ExitCode::SUCCESS;
    }
    let trials = examples::trials().chain(arguments::trials()).collect();
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    match arguments::stayed_small() {
        true => conclusion.exit_code(),
        false => ExitCode::FAILURE,
    }
}
