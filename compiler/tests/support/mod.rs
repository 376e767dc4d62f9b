//! Modules for tests, and a run of a configuration with them.

#![allow(dead_code)]

pub mod modules;

use std::collections::HashMap;
use std::sync::Arc;

use kcc::codegen::jit::Tools;
use kcc::compile::{self, Failure, Findings, Input};
use kcc::diagnostic::render_text;
use kcc::resolve::Options;
use kcc::source::{LoadError, SourceLoader};
use kcc_runtime::abi::Pair;
use kcc_runtime::declare::Routes;
use kcc_runtime::program::Program;
use kcc_runtime::run::Run;

/// One file in memory.
pub struct One(pub String);

impl SourceLoader for One {
    fn load(&self, path: &str, _limit: usize) -> Result<Vec<u8>, LoadError> {
        match path {
            "test.cfg" => Ok(self.0.clone().into_bytes()),
            _ => Err(LoadError::NotFound),
        }
    }

    fn environment(&self, _name: &str) -> Option<Vec<u8>> {
        None
    }
}

/// The modules that tests load.
pub const LOAD: &str = "loadmodule \"probe.so\"\nloadmodule \"textops.so\"\n";

/// The input for a configuration.
pub fn with_input<T>(text: &str, options: Options, f: impl FnOnce(Input<'_>) -> T) -> T {
    let loader = One(text.to_owned());
    f(Input {
        loader: &loader,
        main: "test.cfg",
        defines: &[],
        modules: modules::ALL,
        options,
    })
}

/// Compiles a configuration; the error is what a person sees.
pub fn compile(text: &str) -> Result<Program, String> {
    compile_with(text, Options::default())
}

pub fn compile_with(text: &str, options: Options) -> Result<Program, String> {
    with_input(text, options, |input| {
        match compile::jit(input, &Tools::default()) {
            Ok((program, _)) => Ok(program),
            Err(Failure::Configuration(findings)) => Err(show(&findings)),
            Err(Failure::Codegen(failure, _)) => panic!("{failure}"),
        }
    })
}

/// Findings as a person sees them.
pub fn show(findings: &Findings) -> String {
    render_text(&findings.diagnostics, &findings.sources, false)
}

/// What a run did.
#[derive(Debug)]
pub struct Outcome {
    /// What `L(…)` was given.
    pub lines: Vec<String>,
    /// How the script ended.
    pub pair: Pair,
}

/// Runs `request_route` once.
pub fn run(program: Program) -> Outcome {
    run_all(program, 1).remove(0)
}

/// Runs `request_route` several times with the same variables.
pub fn run_all(program: Program, times: usize) -> Vec<Outcome> {
    let route = program.routes().request.expect("there is a request_route");
    let mut run = Run::new(Arc::new(program), None);
    (0..times)
        .map(|_| {
            modules::STATE.with_borrow_mut(|state| state.clear());
            run.reset();
            run.head.method = 1;
            run.head.has_totag = 1;
            let pair = run.enter(Routes::REQUEST, route);
            let lines = modules::STATE.with_borrow_mut(|state| std::mem::take(&mut state.lines));
            Outcome { lines, pair }
        })
        .collect()
}

/// Compiles and runs; the lines that were printed.
pub fn lines(text: &str) -> Vec<String> {
    match compile(&format!("{LOAD}{text}")) {
        Ok(program) => run(program).lines,
        Err(error) => panic!("{error}"),
    }
}

/// State of the test modules on this thread.
#[derive(Default)]
pub struct State {
    pub lines: Vec<String>,
    pub avps: HashMap<Vec<u8>, Vec<kcc_runtime::value::Owned>>,
    pub user: Vec<u8>,
}

impl State {
    pub fn clear(&mut self) {
        *self = State {
            user: b"bob".to_vec(),
            ..State::default()
        };
    }
}
