//! The macros make of a Rust module what the compiler, the manual and the run time need.

use std::sync::Arc;

use kcc_macros::{module, part};
use kcc_runtime::abi::{Pair, Place, status};
use kcc_runtime::declare::{ArgKind, ParamType, Parse, Routes};
use kcc_runtime::program::{Manifest, ParamSetting, Program, Setting};
use kcc_runtime::run::Run;
use kcc_runtime::value::{Val, tag};

#[part(module = "sample")]
mod more {
    use kcc_runtime::declare::Text;
    use kcc_runtime::run::Run;
    use kcc_runtime::value::{Val, Value};

    /// The text in upper case.
    #[transformation("s.shout")]
    fn shout(run: &mut Run, input: Text) -> Val {
        run.text(&input.to_ascii_uppercase())
    }

    /// What was stored.
    #[pv(name = "kept", aliases("held"))]
    fn kept(run: &mut Run) -> i64 {
        run.head.rc
    }

    #[pv_write("kept")]
    fn keep(run: &mut Run, value: Value) -> Result<(), &'static str> {
        run.head.rc = value.int().ok_or("not a number")?;
        Ok(())
    }
}

/// A module for this test.
#[module(name = "sample", parts(super::more::PART))]
mod exports {
    use kcc_runtime::declare::{Const, ConstantError, Int, Parse, Place, Text};
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;
    use kcc_runtime::value::Value;

    /// Parameters.
    #[params]
    pub struct Params {
        /// How long, in milliseconds.
        #[param(default = 500)]
        pub wait: i64,
        /// A name.
        #[param(name = "label", default = "none")]
        pub name: Vec<u8>,
    }

    pub struct Word(pub usize);

    impl Parse for Word {
        const NAME: &'static str = "sample-word";
        const WHAT: &'static str = "a word";

        fn parse(text: &[u8]) -> Result<Self, ConstantError> {
            match text {
                [] => Err(ConstantError::new("it is empty")),
                _ => Ok(Word(text.len())),
            }
        }
    }

    /// Whether `text` is as long as the constant says.
    ///
    /// More.
    #[function(routes = "request|failure")]
    fn as_long(_run: &mut Run, text: Text, word: Const<Word>, more: Option<Int>) -> bool {
        text.len() == word.0 + more.unwrap_or(0) as usize
    }

    /// Waits, then answers.
    #[function(routes = "any", name = "later")]
    async fn wait_a_moment(_run: &mut Run, code: Int) -> Verdict {
        tokio::task::yield_now().await;
        Verdict::Code(code)
    }

    /// Panics.
    #[function(routes = "any")]
    fn breaks(_run: &mut Run) -> Verdict {
        panic!("on purpose")
    }

    /// Writes 7.
    #[function(routes = "any")]
    fn seven(run: &mut Run, target: Place) -> bool {
        run.write(target, Value::Int(7))
    }
}

static MODULES: &[&kcc_runtime::declare::Module] = &[&exports::MODULE];

fn load(manifest: Manifest) -> Result<Program, kcc_runtime::program::LoadError> {
    Program::load(manifest, Vec::new(), Box::new(()), MODULES)
}

fn call(run: &mut Run, symbol: &str, args: &[Val]) -> Pair {
    let (_, shim) = exports::MODULE
        .symbols()
        .find(|(name, _)| *name == symbol)
        .unwrap();
    shim(run, args.as_ptr()).into()
}

fn run() -> Box<Run> {
    Run::new(Arc::new(load(Manifest::default()).unwrap()), None)
}

#[test]
fn a_declaration_says_what_the_function_takes() {
    let decl = exports::MODULE
        .functions()
        .find(|f| f.name == "as_long")
        .unwrap();
    assert_eq!(decl.arity(), (2, 3));
    assert_eq!(decl.routes, Routes(Routes::REQUEST.0 | Routes::FAILURE.0));
    assert!(decl.doc.starts_with("Whether `text` is as long"));
    assert!(matches!(decl.args[0].kind, ArgKind::Text));
    assert!(matches!(decl.args[1].kind, ArgKind::Constant(kind) if kind.name == "sample-word"));
    assert!(matches!(decl.args[2].kind, ArgKind::Int));
    assert_eq!(decl.args.map_names(), ["text", "word", "more"]);
    assert!(
        exports::MODULE
            .functions()
            .find(|f| f.name == "later")
            .unwrap()
            .suspends
    );
}

trait Names {
    fn map_names(&self) -> Vec<&'static str>;
}

impl Names for [kcc_runtime::declare::ArgDecl] {
    fn map_names(&self) -> Vec<&'static str> {
        self.iter().map(|arg| arg.name).collect()
    }
}

#[test]
fn a_shim_hands_the_arguments_over() {
    let constant = (exports::Word::KIND.parse)(b"four").unwrap();
    let word = Val {
        tag: tag::CONSTANT,
        data: constant.address() as u64,
    };
    let mut run = run();
    let args = [Val::str(b"abcd"), word, Val::NULL];
    assert_eq!(
        call(&mut run, "sample.as_long/3", &args),
        Pair {
            status: 0,
            value: 1
        }
    );
    let args = [Val::str(b"abcd"), word, Val::int(1)];
    assert_eq!(
        call(&mut run, "sample.as_long/3", &args),
        Pair {
            status: 0,
            value: -1
        }
    );
}

#[test]
fn a_panic_stops_the_run_and_nothing_else() {
    let mut run = run();
    assert_eq!(call(&mut run, "sample.breaks/0", &[]).status, status::ERROR);
    assert!(run.failed);
    let args = [Val::str(b""), Val::NULL, Val::NULL];
    assert_eq!(
        call(&mut run, "sample.as_long/3", &args).status,
        status::ERROR
    );
}

#[test]
fn a_variable_is_an_argument_that_can_be_assigned() {
    let pv = exports::MODULE.pvs().find(|pv| pv.name == "kept").unwrap();
    let place = Place {
        read: Some(pv.read),
        write: pv.write.map(|(_, shim)| shim),
        read_int: None,
        len: 0,
        args: [Val::NULL; 4],
    };
    let mut run = run();
    let arg = Val {
        tag: tag::PLACE,
        data: (&raw const place) as u64,
    };
    assert_eq!(call(&mut run, "sample.seven/1", &[arg]).value, 1);
    assert_eq!(
        Val::from((pv.read)(&mut *run, std::ptr::null())),
        Val::int(7)
    );
}

#[test]
fn a_function_that_waits_suspends_its_fiber() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let stacks = kcc_runtime::fiber::Stacks::default();
        let suspended = stacks.run(|link| {
            let mut run = run();
            run.set_link(link);
            assert_eq!(call(&mut run, "sample.later/1", &[Val::int(-3)]).value, -3);
            assert_eq!(
                call(&mut run, "sample.later/1", &[Val::int(0)]).status,
                status::EXIT
            );
        });
        suspended.unwrap().expect("it waits").finish(&stacks).await;
    });
}

#[test]
fn parameters_have_defaults_types_and_values() {
    let params = exports::MODULE.params.unwrap().list;
    assert_eq!(
        (params[0].name, params[0].ty, params[0].default),
        ("wait", ParamType::Int, "500")
    );
    assert_eq!((params[1].name, params[1].ty), ("label", ParamType::Str));
    let set = |name: &str, value| Manifest {
        params: vec![ParamSetting {
            module: "sample".into(),
            name: name.into(),
            value,
            place: (0, 3),
        }],
        files: vec!["k.cfg".into()],
        ..Manifest::default()
    };
    let program = load(set("wait", Setting::Int(9))).unwrap();
    assert_eq!(program.params::<exports::Params>().wait, 9);
    assert_eq!(program.params::<exports::Params>().name, b"none");
    let error = load(set("wait", Setting::Str(b"x".to_vec())))
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        "k.cfg:3: modparam sample.wait: a number is expected"
    );
}

#[test]
fn a_transformation_takes_the_value_before_it() {
    let mut run = run();
    let decl = exports::MODULE.transformations().next().unwrap();
    assert_eq!((decl.class, decl.name), ("s", "shout"));
    let result = Val::from((decl.shim)(&mut *run, [Val::str(b"ab")].as_ptr()));
    // SAFETY: the scratch memory of the run is alive.
    let result = unsafe { result.view() };
    assert_eq!(result, kcc_runtime::value::Value::Str(b"AB"));
}
