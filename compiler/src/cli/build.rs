//! `kcc build`: makes a standalone executable of a configuration.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use kcc::{compile, resolve};

use super::config::{Config, shown};
use super::input::Input;
use super::{Outcome, failed};

/// Name of the runtime template, which lies beside `kcc`.
const TEMPLATE: &str = "kcc-standalone";

/// Make a standalone executable of a configuration
#[derive(Args)]
pub struct Build {
    #[command(flatten)]
    input: Input,
    /// The file to write
    #[arg(short, value_name = "OUT")]
    output: PathBuf,
    /// What to make
    #[arg(long, value_name = "WHAT", default_value = "executable")]
    emit: Emit,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Emit {
    /// A standalone executable
    Executable,
    /// A relocatable object file
    Obj,
}

impl Build {
    /// Writes the file.
    pub fn run(self) -> Outcome {
        match self.build() {
            Ok(()) => Outcome::Done,
            Err(outcome) => outcome,
        }
    }

    fn build(&self) -> Result<(), Outcome> {
        let config = Config::open(&self.input, resolve::Options::default())?;
        let directory = std::env::current_dir().map_err(failed)?;
        let directory = directory.to_string_lossy();
        let (bytes, mode) = match self.emit {
            Emit::Obj => (shown(compile::object(config.input(), &directory))?, 0o644),
            Emit::Executable => {
                let template = template()?;
                let made = compile::standalone(config.input(), &template, &directory);
                (shown(made)?, 0o755)
            }
        };
        write(&self.output, &bytes, mode)
            .map_err(|error| failed(format_args!("{}: {error}", self.output.display())))
    }
}

fn template() -> Result<Vec<u8>, Outcome> {
    let here = std::env::current_exe().map_err(failed)?;
    let path = here.with_file_name(TEMPLATE);
    fs::read(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => failed(format_args!(
            "{} is missing, the part of an executable that is not the configuration\n  \
             = help: make it with `{}` in kcc's source folder, or put it beside kcc",
            path.display(),
            make_template(&here)
        )),
        _ => failed(format_args!("{}: {error}", path.display())),
    })
}

/// The command that makes the template for the `kcc` at `here`.
fn make_template(here: &Path) -> &'static str {
    let debug = here
        .parent()
        .is_some_and(|folder| folder.ends_with("debug"));
    match debug {
        true => "cargo build --workspace",
        false => "cargo build --release --workspace",
    }
}

/// Writes beside the target and renames, so that a running executable can be replaced and a half
/// written one is never found.
fn write(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&temporary)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // What could not be written is of no use; where it cannot be removed either, so be it.
        let _ = fs::remove_file(&temporary);
    }
    written
}
