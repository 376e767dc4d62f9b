//! Running scenarios: which stages, how many at a time, within which time.

mod one;
mod pool;

use std::sync::Arc;
use std::time::Duration;

use kcc_runtime::declare::Module;

use super::coverage::Coverage;
use super::model::Scenario;
use super::play::Failure;
use super::stage::{Kamailio, remove_certificate_files};
use crate::release::Release;

/// How scenarios are run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Every module of the runtime.
    pub modules: &'static [&'static Module],
    /// Where they are played.
    pub stages: Stages,
    /// By whose rules configurations are compiled; where it is not said, those of the newest release
    /// or of the ones that a scenario names.
    pub release: Option<Release>,
    /// The seed of what networks do, in place of the scenarios' own.
    pub seed: Option<u64>,
    /// How many at a time.
    pub threads: usize,
    /// Where it is counted what simulated runs execute, if that is wanted.
    pub coverage: Option<Arc<Coverage>>,
}

/// Where scenarios are played.
#[derive(Clone, Debug)]
pub enum Stages {
    /// In virtual time on a network in memory.
    Simulated,
    /// Over loopback sockets in real time.
    Real,
    /// In virtual time, and then with Kamailio over loopback sockets.
    Kamailio(Kamailio),
    /// With Kamailio alone over loopback sockets.
    KamailioAlone(Kamailio),
    /// Over loopback sockets, and then with Kamailio.
    RealAndKamailio(Kamailio),
}

/// How a scenario ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The scenario's file.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// Its name.
    pub name: String,
    /// The result.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
}

/// The result of a scenario.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// As told.
    Passed,
    /// As told, and Kamailio differs for the reason that is given.
    Differs(String),
    /// Otherwise, as the scenario says: kcc does not do it yet.
    Pending(String),
    /// Not played, and why.
    Skipped(String),
    /// Otherwise.
    Failed(Box<Failed>),
}

/// What is known of a scenario that failed.
#[derive(Clone, Debug)]
pub struct Failed {
    /// Which server it was: `kcc`, `kamailio 5.6.3 (…)`.
    pub server: String,
    /// What went wrong.
    pub failure: Failure,
    /// The messages.
    pub ladder: String,
    /// The seed, where the network did something.
    pub seed: Option<u64>,
}

/// Runs all `scenarios`; `each` is told of each one that ends.
pub fn run(
    scenarios: Vec<Scenario>,
    options: &Options,
    each: impl FnMut(&Outcome),
) -> Vec<Outcome> {
    let outcomes = pool::run(scenarios, options, each);
    remove_certificate_files();
    outcomes
}
