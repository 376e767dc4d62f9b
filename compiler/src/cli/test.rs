//! `kcc test`: runs scenarios.

mod report;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::{Args, ValueEnum};
use kcc::release::Release;
use kcc::scenario::{self, Kamailio, Options, Scenario, Stages, Verdict};

use super::version::Version;
use super::{Outcome, failed};
use report::{Format, Report};

/// Run scenarios: what a configuration does with messages
///
/// Each FILE is a scenario file; of a FOLDER all files that end in `.scenario` are run, those in
/// folders below it, too. Without any, the current folder. By default time and network are
/// simulated.
///
/// Exit code: 0 all passed, 1 some failed, 2 a file that cannot be read or understood.
#[derive(Args)]
pub struct Test {
    /// Scenario files, and folders of them
    #[arg(value_name = "FILE|FOLDER")]
    paths: Vec<PathBuf>,
    /// Play over loopback sockets in real time
    #[arg(long)]
    real: bool,
    /// Play with another server, too, and show where the answers differ
    #[arg(long, value_name = "SERVER")]
    against: Option<Against>,
    /// Play with another server alone
    #[arg(long, value_name = "SERVER", conflicts_with_all = ["real", "against"])]
    only: Option<Against>,
    #[command(flatten)]
    version: Version,
    /// Only scenarios whose file or name contains this
    #[arg(long, value_name = "TEXT")]
    filter: Vec<String>,
    /// What simulated networks do comes from this number
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// How many scenarios at a time [default: the number of cores]
    #[arg(short, long, value_name = "NUMBER")]
    jobs: Option<usize>,
    /// How results are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    output_format: Format,
    /// Write which lines and branches of the configurations ran, for lcov's tools
    #[arg(long, value_name = "FILE")]
    coverage: Option<PathBuf>,
    /// Show a table of how much of the configurations ran
    #[arg(long)]
    coverage_summary: bool,
    /// Name the scenarios and run none
    #[arg(long)]
    list: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Against {
    /// The Kamailio of this machine
    Kamailio,
}

impl Test {
    /// Runs the scenarios.
    pub fn run(self) -> Outcome {
        let scenarios = match self.scenarios() {
            Ok(scenarios) => scenarios,
            Err(outcome) => return outcome,
        };
        if self.list {
            for scenario in &scenarios {
                println!("{}:{}: {}", scenario.file, scenario.line, scenario.name);
            }
            return Outcome::Done;
        }
        let other = self.against.or(self.only);
        let kamailio = match other.map(|_| Kamailio::find()).transpose() {
            Ok(kamailio) => kamailio,
            Err(text) => return failed(text),
        };
        let mut report = Report::new(self.output_format);
        if let Some(kamailio) = &kamailio {
            report.note(&format!(
                "with {} ({})",
                kamailio.version,
                kamailio.path.display()
            ));
        }
        let against = kamailio.is_some();
        let installed = kamailio.as_ref().and_then(Kamailio::release);
        let release = self.version.given();
        let release = release.or_else(|| installed.and_then(Release::of_version));
        let options = Options {
            modules: kcc_stdlib::MODULES,
            stages: match (kamailio, self.real) {
                (None, false) => Stages::Simulated,
                (None, true) => Stages::Real,
                (Some(kamailio), _) if self.only.is_some() => Stages::KamailioAlone(kamailio),
                (Some(kamailio), false) => Stages::Kamailio(kamailio),
                (Some(kamailio), true) => Stages::RealAndKamailio(kamailio),
            },
            release,
            seed: self.seed,
            coverage: (self.coverage.is_some() || self.coverage_summary).then(Arc::default),
            threads: self.jobs.unwrap_or_else(|| {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                // With other processes most of the time is spent waiting.
                if against || self.real {
                    cores * 4
                } else {
                    cores
                }
            }),
        };
        let coverage = options.coverage.clone();
        let start = Instant::now();
        let outcomes = scenario::run(scenarios, &options, |outcome| report.each(outcome));
        if let Some(coverage) = &coverage {
            if self.coverage_summary {
                report.note(&format!("\n{}", coverage.summary().trim_end()));
            }
            if let Some(path) = &self.coverage
                && let Err(error) = std::fs::write(path, coverage.lcov())
            {
                return failed(format_args!("{}: {error}", path.display()));
            }
        }
        report.end(&outcomes, start.elapsed());
        let bad = outcomes
            .iter()
            .any(|outcome| matches!(outcome.verdict, Verdict::Failed(_)));
        if bad {
            Outcome::ConfigurationErrors
        } else {
            Outcome::Done
        }
    }

    fn scenarios(&self) -> Result<Vec<Scenario>, Outcome> {
        let mut files = Vec::new();
        let here = [PathBuf::from(".")];
        for path in if self.paths.is_empty() {
            &here[..]
        } else {
            &self.paths
        } {
            find(path, &mut files)
                .map_err(|error| failed(format_args!("{}: {error}", path.display())))?;
        }
        if files.is_empty() {
            return Err(failed("no scenario files (they end in .scenario)"));
        }
        let mut scenarios = Vec::new();
        let mut wrong = false;
        for file in files {
            let name = file.to_string_lossy();
            let name = name.strip_prefix("./").unwrap_or(&name);
            let text =
                std::fs::read(&file).map_err(|error| failed(format_args!("{name}: {error}")))?;
            match scenario::read(name, &String::from_utf8_lossy(&text)) {
                Ok(found) => scenarios.extend(found),
                Err(faults) => {
                    eprintln!("{faults}");
                    wrong = true;
                }
            }
        }
        if wrong {
            return Err(Outcome::Failed);
        }
        let wanted = |scenario: &Scenario| {
            self.filter.is_empty()
                || self
                    .filter
                    .iter()
                    .any(|text| scenario.name.contains(text) || scenario.file.contains(text))
        };
        scenarios.retain(wanted);
        if scenarios.is_empty() {
            return Err(failed("no scenario is left by --filter"));
        }
        Ok(scenarios)
    }
}

/// Adds `path`, or the scenario files below it, in order.
fn find(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !std::fs::metadata(path)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    entries.sort();
    for entry in entries {
        let hidden = entry
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        // A link is not followed: it may lead back.
        let kind = std::fs::symlink_metadata(&entry)?.file_type();
        if kind.is_dir() && !hidden && entry.file_name() != Some("target".as_ref()) {
            find(&entry, files)?;
        } else if kind.is_file() && entry.extension() == Some("scenario".as_ref()) {
            files.push(entry);
        }
    }
    Ok(())
}
