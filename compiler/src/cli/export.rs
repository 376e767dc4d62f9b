//! `kcc export`: data for editors.

use std::path::PathBuf;

use clap::Subcommand;
use kcc::editor::vim::{Supported, dictionaries};
use kcc_runtime::settings::Settings;

use super::{Outcome, failed};

/// Write data for editors
#[derive(Subcommand)]
pub enum Export {
    /// Write the completion dictionaries of the Vim plugin
    Vim {
        /// Folder to write them to; it is made where it is missing
        #[arg(short, value_name = "DIR")]
        output: PathBuf,
    },
}

impl Export {
    /// Writes the files.
    pub fn run(self) -> Outcome {
        let Export::Vim { output } = self;
        let core = kcc_stdlib::MODULES
            .iter()
            .filter(|module| module.name == "core");
        let core_functions: Vec<&str> = core
            .flat_map(|module| module.functions())
            .map(|function| function.name)
            .chain(["break", "drop", "exit", "return", "route"])
            .collect();
        let events: Vec<&str> = kcc_stdlib::MODULES
            .iter()
            .flat_map(|module| module.events())
            .map(|event| event.name)
            .collect();
        let supported = Supported {
            modules: kcc_stdlib::MODULES,
            globals: Settings::NAMES,
            core_functions: &core_functions,
            event_routes: &events,
        };
        if let Err(error) = std::fs::create_dir_all(&output) {
            return failed(format_args!("{}: {error}", output.display()));
        }
        for (name, text) in dictionaries(supported) {
            let path = output.join(name);
            if let Err(error) = std::fs::write(&path, text) {
                return failed(format_args!("{}: {error}", path.display()));
            }
        }
        Outcome::Done
    }
}
