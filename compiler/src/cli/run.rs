//! `kcc run`: compiles a configuration and serves.

use std::process::ExitCode;

use clap::Args;
use kcc::codegen::jit::Tools;
use kcc::{compile, resolve};
use kcc_runtime::command::{self, Options};

use super::config::{Config, shown};
use super::input::Input;
use super::{Outcome, failed};

/// Compile a configuration and serve
#[derive(Args)]
pub struct Run {
    #[command(flatten)]
    input: Input,
    /// Listen there, too, before what the configuration says
    #[arg(short, long, value_name = "[PROTO:]ADDRESS[:PORT]")]
    listen: Vec<String>,
    /// Worker threads, whatever the configuration says
    #[arg(short = 'n', long, value_name = "NUMBER")]
    workers: Option<i64>,
    /// Least level of log lines, -5 to 3, whatever the configuration says
    #[arg(long, value_name = "LEVEL", allow_negative_numbers = true)]
    debug: Option<i64>,
    /// Write the process id to this file
    #[arg(short = 'P', long, value_name = "FILE")]
    pid_file: Option<String>,
}

impl Run {
    /// Serves until a signal.
    pub fn run(self) -> ExitCode {
        let options = Options {
            listen: self.listen,
            children: self.workers,
            debug: self.debug,
            pid_file: self.pid_file,
            ..Options::default()
        };
        serve(&self.input, &options, false)
    }
}

/// Compiles `input` and serves it as `options` say.
pub fn serve(input: &Input, options: &Options, background: bool) -> ExitCode {
    match compile_with(input, options) {
        Ok(program) => command::run(program, options, background),
        Err(outcome) => outcome.into(),
    }
}

fn compile_with(
    input: &Input,
    options: &Options,
) -> Result<kcc_runtime::program::Program, Outcome> {
    let config = Config::open(input, resolve::Options::default())?;
    let mut compiled = shown(compile::in_memory(config.input(), &Tools::default()))?;
    command::apply(options, &mut compiled.manifest, kcc_stdlib::MODULES).map_err(failed)?;
    compiled.load(kcc_stdlib::MODULES).map_err(failed)
}
