//! `kcc check`: finds the mistakes in a configuration.

use clap::{Args, ValueEnum};
use kcc::compile;
use kcc::diagnostic::{Severity, render_json};
use kcc::resolve::Options;

use super::Outcome;
use super::config::{Config, show};
use super::input::Input;

/// Find the mistakes in a configuration
#[derive(Args)]
pub struct Check {
    #[command(flatten)]
    input: Input,
    /// Report what Kamailio has and kcc has not yet as warnings
    #[arg(long)]
    allow_unsupported: bool,
    /// Fail on warnings, too
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    /// How findings are shown
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    output_format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    Warnings,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Check {
    /// The command as Kamailio's `-c` asks for it.
    pub fn plain(input: Input) -> Check {
        Check {
            input,
            allow_unsupported: false,
            deny: None,
            output_format: Format::Text,
        }
    }

    /// Shows the findings.
    pub fn run(self) -> Outcome {
        let options = Options {
            allow_unsupported: self.allow_unsupported,
            ..Options::default()
        };
        let config = match Config::open(&self.input, options) {
            Ok(config) => config,
            Err(outcome) => return outcome,
        };
        let findings = compile::check(config.input());
        match self.output_format {
            Format::Text => show(&findings),
            Format::Json => print!("{}", render_json(&findings.diagnostics, &findings.sources)),
        }
        let worst = match self.deny {
            Some(Deny::Warnings) => Severity::Warning,
            None => Severity::Error,
        };
        if findings
            .diagnostics
            .iter()
            .any(|finding| finding.severity >= worst)
        {
            Outcome::ConfigurationErrors
        } else {
            Outcome::Done
        }
    }
}
