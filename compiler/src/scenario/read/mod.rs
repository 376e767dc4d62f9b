//! Reading a scenario file.
//!
//! A line that begins at the margin is a statement; indented lines belong to the statement
//! above. What stands before the first `scenario` is set up for every scenario of the file.

mod lines;
mod setup;
mod step;
#[cfg(test)]
mod tests;
mod traffic;

use std::path::Path;

use super::model::{Scenario, Setup};
use super::{Fault, Faults};
use lines::{Line, Words};

pub use lines::unquote;

/// Reads the scenarios of the file `name` with the text `text`.
///
/// # Errors
/// Every statement that is not understood.
pub fn read(name: &str, text: &str) -> Result<Vec<Scenario>, Faults> {
    let mut reader = Reader {
        file: name,
        shared: Setup::default(),
        scenarios: Vec::new(),
        faults: Vec::new(),
    };
    match lines::lines(text) {
        Ok(lines) => reader.file(&lines),
        Err(fault) => reader.faults.push(fault),
    }
    if reader.scenarios.is_empty() && reader.faults.is_empty() {
        reader
            .faults
            .push(Fault::new(1, "no scenario in this file"));
    }
    if reader.faults.is_empty() {
        Ok(reader.scenarios)
    } else {
        Err(Faults {
            file: name.to_owned(),
            faults: reader.faults,
        })
    }
}

struct Reader<'a> {
    file: &'a str,
    shared: Setup,
    scenarios: Vec<Scenario>,
    faults: Vec<Fault>,
}

/// A statement with the lines that belong to it.
struct Statement<'a> {
    line: &'a Line<'a>,
    children: &'a [Line<'a>],
}

impl Reader<'_> {
    fn file<'a>(&mut self, lines: &'a [Line<'a>]) {
        let mut rest = lines;
        while let Some((line, after)) = rest.split_first() {
            if line.indented {
                self.fault(
                    line.number,
                    "an indented line belongs to a statement above it",
                );
                rest = after;
                continue;
            }
            let count = after.iter().take_while(|line| line.indented).count();
            let (children, after) = after.split_at(count);
            rest = after;
            let statement = Statement { line, children };
            if let Err(fault) = self.statement(&statement, &mut rest) {
                self.faults.push(fault);
            }
        }
        for scenario in &self.scenarios {
            let same = self
                .scenarios
                .iter()
                .find(|other| other.name == scenario.name && other.line < scenario.line);
            if let Some(other) = same {
                let text = format!("a scenario of this name stands on line {}", other.line);
                self.faults.push(Fault::new(scenario.line, text));
            }
        }
    }

    fn statement<'a>(
        &mut self,
        statement: &Statement<'a>,
        rest: &mut &'a [Line<'a>],
    ) -> Result<(), Fault> {
        let line = statement.line;
        let mut words = Words::new(line.number, line.text);
        if words.take("scenario") {
            return self.begin(line.number, words.rest(), statement);
        }
        let in_steps = self
            .scenarios
            .last()
            .is_some_and(|scenario| !scenario.steps.is_empty());
        if setup::is_setup(words, in_steps) {
            let setup = match self.scenarios.last_mut() {
                Some(scenario) if !scenario.steps.is_empty() => {
                    let text = "this is set up before the first step";
                    return Err(Fault::new(line.number, text));
                }
                Some(scenario) => &mut scenario.setup,
                None => &mut self.shared,
            };
            return setup::read(words, statement, setup);
        }
        // A file without `scenario` is one scenario with the file's name.
        if self.scenarios.is_empty() {
            let stem = Path::new(self.file).file_stem().unwrap_or_default();
            self.scenarios.push(Scenario {
                file: self.file.to_owned(),
                line: line.number,
                name: stem.to_string_lossy().into_owned(),
                setup: std::mem::take(&mut self.shared),
                steps: Vec::new(),
            });
        }
        let Some(scenario) = self.scenarios.last_mut() else {
            return Ok(());
        };
        let step = step::read(words, statement, rest, &scenario.setup)?;
        scenario.steps.push(step);
        Ok(())
    }

    fn begin(&mut self, line: u32, name: &str, statement: &Statement<'_>) -> Result<(), Fault> {
        if name.is_empty() {
            return Err(Fault::new(
                line,
                "a scenario has a name: `scenario What it shows`",
            ));
        }
        statement.alone()?;
        self.scenarios.push(Scenario {
            file: self.file.to_owned(),
            line,
            name: name.to_owned(),
            setup: self.shared.clone(),
            steps: Vec::new(),
        });
        Ok(())
    }

    fn fault(&mut self, line: u32, text: &str) {
        self.faults.push(Fault::new(line, text));
    }
}

impl Statement<'_> {
    /// No indented lines and no block may follow.
    fn alone(&self) -> Result<(), Fault> {
        if let Some(child) = self.children.first() {
            return Err(Fault::new(
                child.number,
                "nothing may be indented under this statement",
            ));
        }
        self.no_block()
    }

    fn no_block(&self) -> Result<(), Fault> {
        match &self.line.block {
            Some(_) => Err(Fault::new(self.line.number, "no block is taken here")),
            None => Ok(()),
        }
    }
}
