//! The compiler as a whole: from the name of a configuration to findings, a program in memory, an
//! object file or an executable.
//!
//! Reads nothing but through the [`SourceLoader`] and prints nothing.

#![expect(
    clippy::result_large_err,
    reason = "there is one result for each compilation"
)]

use std::sync::Mutex;

use kcc_runtime::declare::Module;
use kcc_runtime::program::Program;

use crate::codegen::jit::{Tools, Unloaded};
use crate::codegen::{CodegenFailure, aot, jit as memory};
use crate::diagnostic::Diagnostics;
use crate::ir;
use crate::resolve::{Options, resolve};
use crate::source::{SourceLoader, SourceMap};
use crate::syntax::{Parsed, parse_as};

/// Address space for the passes that follow the nesting of expressions, in bytes. Pages are taken
/// when touched.
const STACK: usize = 256 * 1024 * 1024;

/// What is compiled.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// Reads files.
    pub loader: &'a dyn SourceLoader,
    /// The main file's name; `-` is standard input.
    pub main: &'a str,
    /// Defines of the command line, in order.
    pub defines: &'a [(String, Option<String>)],
    /// Every module of the runtime.
    pub modules: &'a [&'static Module],
    /// How it is checked.
    pub options: Options,
}

/// What was found, and the texts that the places point into.
#[derive(Debug)]
pub struct Findings {
    /// Errors, warnings and notes.
    pub diagnostics: Diagnostics,
    /// The texts.
    pub sources: SourceMap,
}

/// Why there is no code.
#[derive(Debug)]
pub enum Failure {
    /// The configuration has errors.
    Configuration(Findings),
    /// There is no code for a configuration without errors.
    Codegen(CodegenFailure, Findings),
}

/// What a compilation gives: its output, and warnings.
pub type Compiled<T> = Result<(T, Findings), Failure>;

/// Finds all mistakes.
pub fn check(input: Input<'_>) -> Findings {
    match compile(input, |_| Ok(())) {
        Ok(((), findings)) => findings,
        Err(Failure::Configuration(findings) | Failure::Codegen(_, findings)) => findings,
    }
}

/// Compiles to memory and loads the program.
pub fn jit(input: Input<'_>, tools: &Tools) -> Compiled<Program> {
    compile(input, |program| {
        Ok(memory::compile(program, input.modules, tools)?.load(input.modules)?)
    })
}

/// Compiles to memory; the caller may change the manifest before it loads the program.
pub fn in_memory(input: Input<'_>, tools: &Tools) -> Compiled<Unloaded> {
    compile(input, |program| {
        memory::compile(program, input.modules, tools)
    })
}

/// Compiles to a relocatable object file. `directory` is what relative file names are relative to,
/// for debuggers.
pub fn object(input: Input<'_>, directory: &str) -> Compiled<Vec<u8>> {
    compile(input, |program| aot::object(&program, directory))
}

/// Compiles to an executable: `template` is the runtime without a program.
pub fn standalone(input: Input<'_>, template: &[u8], directory: &str) -> Compiled<Vec<u8>> {
    compile(input, |program| {
        aot::standalone(&program, template, directory)
    })
}

/// The typed program as text.
pub fn program_text(input: Input<'_>) -> Compiled<String> {
    compile(input, |program| Ok(program.to_string()))
}

/// Checks, then makes code where there are no errors.
fn compile<T: Send>(
    input: Input<'_>,
    generate: impl FnOnce(ir::Program) -> Result<T, CodegenFailure> + Send,
) -> Compiled<T> {
    let release = input.options.release;
    let parsed = parse_as(release, input.loader, input.main, input.defines);
    let modules = input.modules;
    let options = Options {
        after_errors: parsed.diagnostics.has_errors(),
        ..input.options
    };
    let (output, diagnostics) = on_deep_stack(|| {
        let (program, found) = resolve(&parsed.file, &parsed.sources, modules, options);
        let mut diagnostics = parsed.diagnostics.clone();
        diagnostics.append(found);
        if diagnostics.has_errors() {
            return (None, diagnostics);
        }
        let program = with_defines(program, &parsed);
        (Some(generate(program)), diagnostics)
    });
    let findings = Findings {
        diagnostics,
        sources: parsed.sources,
    };
    match output {
        None => Err(Failure::Configuration(findings)),
        Some(Ok(output)) => Ok((output, findings)),
        Some(Err(failure)) => Err(Failure::Codegen(failure, findings)),
    }
}

/// Adds what `$def` reads.
fn with_defines(mut program: ir::Program, parsed: &Parsed) -> ir::Program {
    let mut names: Vec<&[u8]> = parsed.defines.names().collect();
    names.sort_unstable();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    program.manifest.defines = names
        .into_iter()
        .map(|name| {
            let value = parsed.defines.value(name, &parsed.sources);
            (text(name), value.as_deref().map(text))
        })
        .collect();
    program
}

/// Runs `f` on a thread with room for deep recursion; where none can be started, on this one.
fn on_deep_stack<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    let f = Mutex::new(Some(f));
    let run = || {
        let f = f
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .take();
        f.map(|f| f())
    };
    let on_thread = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(STACK)
            .name("compiler".to_owned());
        match thread.spawn_scoped(scope, run) {
            Ok(handle) => handle
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(_) => None,
        }
    });
    match on_thread.or_else(run) {
        Some(result) => result,
        None => unreachable!("the closure runs once: on the thread, or here without one"),
    }
}
