//! The main function of a standalone executable.

use std::collections::HashMap;
use std::process::ExitCode;

use crate::abi::RouteFn;
use crate::command::{Options, apply, options, serve};
use crate::declare::Module;
use crate::image;
use crate::intrinsics::address;
use crate::program::{Manifest, Program};

const USAGE: &str = "\
Options: those of Kamailio that concern serving, among them
  -l [proto:]address[:port]   listen there, too
  -n NUMBER                   workers
  -P FILE                     write the process id
  -u USER, -g GROUP           whom to run as
  -B                          go to the background
  -h, -v                      this text, the version
";

/// Runs the program that was added to this executable; `modules` is every module it may use.
pub fn main(modules: &[&'static Module]) -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let background = args.iter().any(|arg| arg == "-B");
    let args: Vec<String> = args.into_iter().filter(|arg| arg != "-B").collect();
    let options = match options::parse(&args) {
        Ok(options) => options,
        Err(error) => return fail(&error),
    };
    if options.help {
        print!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    if options.version {
        println!("version: kcc {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    match load(&options, modules) {
        Ok(program) => serve::run(program, &options, background),
        Err(error) => fail(&error),
    }
}

fn fail(error: &str) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(2)
}

fn load(options: &Options, modules: &[&'static Module]) -> Result<Program, String> {
    let unused = [
        ("-A", !options.defines.is_empty()),
        ("-f", options.file.is_some()),
        ("--loadmodule", !options.modules.is_empty()),
    ];
    if let Some((option, _)) = unused.iter().find(|(_, given)| *given) {
        return Err(format!(
            "`{option}`: the configuration was compiled into this executable"
        ));
    }
    let image = image::find().ok_or("this executable holds no program: make one with kcc build")?;
    let symbols: HashMap<&str, *const ()> = modules
        .iter()
        .flat_map(|module| module.symbols())
        .map(|(name, shim)| (name, shim as *const ()))
        .collect();
    let find = |name: &str| symbols.get(name).copied().or_else(|| address(name));
    let loaded = image.load(&find).map_err(|error| error.to_string())?;
    let mut manifest: Manifest = postcard::from_bytes(loaded.manifest)
        .map_err(|error| format!("the program cannot be read: {error}"))?;
    apply(options, &mut manifest, modules)?;
    let entry = |address: &*const ()| {
        // SAFETY: the linker wrote the addresses of route functions, all of this type.
        unsafe { std::mem::transmute::<*const (), RouteFn>(*address) }
    };
    let entries = loaded.entries.iter().map(entry).collect();
    Program::load(manifest, entries, Box::new(()), modules).map_err(|error| error.to_string())
}
