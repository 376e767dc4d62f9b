//! Scenario tests: what a configuration does with messages, told in a file that plays against a
//! server in virtual time, against one on loopback sockets, or against Kamailio.
//!
//! A file is read ([`read()`]), each scenario is given addresses ([`plan`]), a stage is chosen
//! (`stage`) and the steps are played on it (`play`).

mod agent;
mod check;
mod compare;
mod compose;
mod coverage;
mod digest;
mod journal;
mod ladder;
mod model;
mod plan;
mod play;
mod read;
mod resend;
mod run;
mod stage;
mod template;

use std::fmt;

pub use coverage::Coverage;
pub use model::{Scenario, Setup};
pub use play::Failure;
pub use read::read;
pub use run::{Failed, Options, Outcome, Stages, Verdict, run};
pub use stage::Kamailio;

/// Something wrong in a scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line.
    pub line: u32,
    /// What is wrong.
    pub text: String,
}

impl Fault {
    /// What is wrong on a line.
    pub fn new(line: u32, text: impl Into<String>) -> Fault {
        Fault {
            line,
            text: text.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// All that is wrong in a scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The file.
    pub file: String,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.faults.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:{}: {fault}", self.file, fault.line)?;
        }
        Ok(())
    }
}
