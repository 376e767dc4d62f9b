//! The command line: one file a command.
//!
//! Exit codes: 0 done, 1 errors in the configuration, 2 wrong usage or something outside of the
//! configuration (a file that cannot be read, a port in use).

mod build;
mod check;
mod config;
mod explain;
mod export;
mod input;
mod kamailio;
mod run;
mod test;
mod version;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Compiles the Kamailio routing language to native code, and is the SIP server that runs it.
#[derive(Parser)]
#[command(name = "kcc", version, max_term_width = 100)]
struct Kcc {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Find the mistakes in a configuration
    Check(check::Check),
    /// Compile a configuration and serve
    Run(run::Run),
    /// Make a standalone executable of a configuration
    Build(build::Build),
    /// Run scenarios: what a configuration does with messages
    Test(test::Test),
    /// Show the manual of a function, parameter, variable, transformation or module
    Explain(explain::Explain),
    /// Write data for editors
    #[command(subcommand)]
    Export(export::Export),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// The configuration has errors, which were shown.
    ConfigurationErrors,
    /// Wrong usage or environment, which was shown.
    Failed,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(match outcome {
            Outcome::Done => 0,
            Outcome::ConfigurationErrors => 1,
            Outcome::Failed => 2,
        })
    }
}

/// Runs the command that the process was started with. Under the name `kamailio` the options are
/// Kamailio's own.
pub fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let name = args.next().unwrap_or_default();
    let name = Path::new(&name)
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    if matches!(name, "kamailio" | "ser" | "openser") {
        return kamailio::main(args.collect());
    }
    let outcome = match Kcc::parse().command {
        Command::Run(run) => return run.run(),
        Command::Check(check) => check.run(),
        Command::Build(build) => build.run(),
        Command::Test(test) => test.run(),
        Command::Explain(explain) => explain.run(),
        Command::Export(export) => export.run(),
    };
    outcome.into()
}

/// Shows what stopped a command that is not the configuration's fault.
pub(crate) fn failed(message: impl std::fmt::Display) -> Outcome {
    eprintln!("error: {message}");
    Outcome::Failed
}
