//! From a command's input to findings or a program, with the findings shown.

use std::io::IsTerminal;

use kcc::compile::{self, Compiled, Failure, Findings};
use kcc::diagnostic::render_text;
use kcc::preprocess::MAX_SOURCE_BYTES;
use kcc::resolve::Options;
use kcc::source::SourceLoader;

use super::input::{Disk, Input};
use super::{Outcome, failed};

/// What a command was given, read and ready to be compiled.
pub struct Config {
    path: String,
    defines: Vec<(String, Option<String>)>,
    disk: Disk,
    options: Options,
}

impl Config {
    /// Reads the main file, so that one that cannot be read is no error of the configuration. The
    /// release is the input's, whatever `options` say.
    pub fn open(input: &Input, options: Options) -> Result<Config, Outcome> {
        let config = Config {
            path: input.path(),
            defines: input.defines(),
            disk: Disk::default(),
            options: Options {
                release: input.release(),
                ..options
            },
        };
        match config.disk.load(&config.path, MAX_SOURCE_BYTES) {
            Ok(_) => Ok(config),
            Err(error) => Err(failed(format_args!("{}: {error}", config.name()))),
        }
    }

    fn name(&self) -> &str {
        if self.path == "-" {
            "standard input"
        } else {
            &self.path
        }
    }

    /// What the library takes.
    pub fn input(&self) -> compile::Input<'_> {
        compile::Input {
            loader: &self.disk,
            main: &self.path,
            defines: &self.defines,
            modules: kcc_stdlib::MODULES,
            options: self.options,
        }
    }
}

/// Shows findings on standard error.
pub fn show(findings: &Findings) {
    let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    eprint!(
        "{}",
        render_text(&findings.diagnostics, &findings.sources, color)
    );
}

/// The output of a compilation, its findings shown; or how the command ends.
pub fn shown<T>(compiled: Compiled<T>) -> Result<T, Outcome> {
    match compiled {
        Ok((output, findings)) => {
            show(&findings);
            Ok(output)
        }
        Err(Failure::Configuration(findings)) => {
            show(&findings);
            Err(Outcome::ConfigurationErrors)
        }
        Err(Failure::Codegen(failure, findings)) => {
            show(&findings);
            Err(failed(failure))
        }
    }
}
