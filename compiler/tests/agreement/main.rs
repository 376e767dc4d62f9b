//! Compiled code and an interpreter of the typed program do the same, on programs by chance.
//!
//! The interpreter is written from the language reference and shares nothing with the code
//! generator but the typed program. A program that shows a difference is made as small as it gets and
//! printed with its seed. `KCC_SEED=N` begins with another seed, `KCC_PROGRAMS=N` runs another
//! number of programs, `KCC_SHOW_REFUSED=N` prints so many of those that the checker refuses.

mod builtins;
mod draw;
mod evaluate;
mod expressions;
mod generate;
mod interpreter;
mod outcome;
mod values;
mod witness;

use std::sync::atomic::{AtomicUsize, Ordering};

use draw::Draw;
use interpreter::Interpreter;
use kcc::codegen::jit::{self, Tools};
use kcc::diagnostic::render_text;
use kcc::release::Release;
use kcc::resolve::{Options, resolve};
use kcc::source::MemoryLoader;
use kcc::syntax::parse;
use kcc_runtime::declare::Module;

/// Programs of one run of the test.
const PROGRAMS: usize = 10_000;
/// Messages that each of them gets.
const MESSAGES: usize = 2;

/// What became of a program.
enum Verdict {
    /// Both did the same.
    Same,
    /// It took too long to be run.
    TooLong,
    /// The checker did not accept it: what it said.
    Refused(String),
    /// They differ: how.
    Differ(String),
}

fn modules() -> Vec<&'static Module> {
    let wanted = ["core", "pv", "textops", "siputils"];
    let all = kcc_stdlib::MODULES.iter().copied();
    let mut modules: Vec<_> = all.filter(|module| wanted.contains(&module.name)).collect();
    modules.push(&witness::declared::MODULE);
    modules
}

/// Runs a configuration both ways.
fn verdict(text: &str, release: Release) -> Verdict {
    let loader = MemoryLoader::with("test.cfg", text);
    let parsed = parse(&loader, "test.cfg", &[]);
    let modules = modules();
    let options = Options {
        release,
        ..Options::default()
    };
    let (program, found) = resolve(&parsed.file, &parsed.sources, &modules, options);
    let mut diagnostics = parsed.diagnostics.clone();
    diagnostics.append(found);
    if diagnostics.has_errors() {
        return Verdict::Refused(render_text(&diagnostics, &parsed.sources, false));
    }
    let mut interpreter = Interpreter::new(&program, generate::MAX_DEPTH);
    let mut expected = Vec::new();
    for _ in 0..MESSAGES {
        match interpreter.run() {
            Some(outcome) => expected.push(outcome),
            None => return Verdict::TooLong,
        }
    }
    let shown = program.to_string();
    let code = jit::compile(program, &modules, &Tools::default()).expect("there is code");
    let found = outcome::run(code.load(&modules).expect("it loads"), MESSAGES);
    if found == expected {
        return Verdict::Same;
    }
    let differ = expected.iter().zip(&found).find(|(a, b)| a != b);
    Verdict::Differ(match differ {
        Some((expected, found)) => {
            format!("{}\n{shown}", expected.differences(found))
        }
        None => "another number of messages".to_owned(),
    })
}

/// The text of a program and the rules that it runs by.
fn program(draw: &mut Draw) -> (String, Release) {
    let release = draw.one(&[Release::V6_1, Release::V5_6, Release::V4_2]);
    (generate::program(draw), release)
}

fn number(name: &str, default: usize) -> usize {
    match std::env::var(name) {
        Ok(text) => text.parse().expect("it is a number"),
        Err(_) => default,
    }
}

/// Says how a program differs, after making it small.
fn report(seed: usize, tape: Vec<u32>) -> String {
    let differs = |tape: &[u32]| {
        let (text, release) = program(&mut Draw::again(tape.to_vec()));
        matches!(verdict(&text, release), Verdict::Differ(_))
    };
    let small = draw::shrink(tape, 3000, differs);
    let (text, release) = program(&mut Draw::again(small));
    let Verdict::Differ(how) = verdict(&text, release) else {
        return format!("seed {seed} differs once only:\n{text}");
    };
    format!("seed {seed} differs, by the rules of {release}:\n{text}\n{how}")
}

#[test]
fn compiled_code_does_what_the_interpreter_does() {
    let first = number("KCC_SEED", 1) * 1_000_000;
    let programs = number("KCC_PROGRAMS", PROGRAMS);
    let [next, same, refused, too_long] = [(); 4].map(|()| AtomicUsize::new(0));
    let work = || {
        while same.load(Ordering::Relaxed) < programs {
            let seed = first + next.fetch_add(1, Ordering::Relaxed);
            let mut draw = Draw::from_seed(seed as u64);
            let (text, release) = program(&mut draw);
            match verdict(&text, release) {
                Verdict::Same => drop(same.fetch_add(1, Ordering::Relaxed)),
                Verdict::TooLong => drop(too_long.fetch_add(1, Ordering::Relaxed)),
                Verdict::Refused(why) => {
                    let before = refused.fetch_add(1, Ordering::Relaxed);
                    if before < number("KCC_SHOW_REFUSED", 0) {
                        println!("{why}\n{text}");
                    }
                    if before > programs / 10 {
                        return Some("too many programs are refused".to_owned());
                    }
                }
                Verdict::Differ(_) => return Some(report(seed, draw.tape)),
            }
        }
        None
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let found: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ends = workers
            .into_iter()
            .map(|worker| worker.join().expect("it ends"));
        ends.flatten().collect()
    });
    assert!(found.is_empty(), "{}", found.join("\n\n"));
    let [same, refused, too_long] = [same, refused, too_long].map(AtomicUsize::into_inner);
    println!("{same} programs agree, {refused} were refused, {too_long} took too long");
    assert!(too_long < programs / 4, "{too_long} programs took too long");
}
