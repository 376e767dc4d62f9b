//! Code in memory, and what the tools know of it.

mod program;

use cranelift::jit::{JITBuilder, JITModule};
use cranelift::module::default_libcall_names;
use kcc::codegen::debuginfo;
use kcc::codegen::jitdebug::{Registration, write_perf_map};

/// Keeps the memory: it is freed after the registration is dropped.
fn load() -> (JITModule, Vec<(*const u8, debuginfo::Function)>) {
    let isa = program::isa(false);
    let mut builder = JITBuilder::with_isa(isa, default_libcall_names());
    builder.symbol_lookup_fn(Box::new(|name| {
        program::resolve(name).map(<*const ()>::cast)
    }));
    let mut module = JITModule::new(builder);
    let functions = program::build(&mut module, false);
    module.finalize_definitions().unwrap();
    let functions = functions
        .into_iter()
        .map(|(id, function)| (module.get_finalized_function(id), function))
        .collect();
    (module, functions)
}

#[test]
fn a_backtrace_goes_through_registered_code() {
    let (module, functions) = load();
    let sources = program::sources();
    let isa = program::isa(false);
    let debug = debuginfo::absolute(&*isa, &functions, &sources).unwrap();
    // SAFETY: the module is freed after the registration is dropped.
    let registration = unsafe { Registration::new(&functions, debug, true) }.unwrap();
    // SAFETY: the first function is `route[MAIN]`, which takes and returns an integer.
    let main: extern "C" fn(i64) -> i64 = unsafe { std::mem::transmute(functions[0].0) };
    assert_eq!(main(5), program::expected(5));
    let seen = program::SEEN.lock().unwrap().clone();
    let test = "a_backtrace_goes_through_registered_code";
    assert!(seen.contains(test), "{test} is not in:\n{seen}");

    drop(registration);
    // SAFETY: nothing runs or refers to the code any more.
    unsafe { module.free_memory() };
}

#[test]
fn registrations_come_and_go_in_any_order() {
    let loaded: Vec<_> = (0..8).map(|_| load()).collect();
    let isa = program::isa(false);
    let mut registrations: Vec<_> = loaded
        .iter()
        .map(|(_, functions)| {
            let debug = debuginfo::absolute(&*isa, functions, &program::sources()).unwrap();
            // SAFETY: the modules live to the end of the test.
            unsafe { Registration::new(functions, debug, true) }.unwrap()
        })
        .collect();
    for index in [3, 0, 4, 4, 1] {
        registrations.remove(index);
    }
    drop(registrations);
}

#[test]
fn the_perf_map_names_routes() {
    let (_module, functions) = load();
    write_perf_map(&functions).unwrap();
    let path = format!("/tmp/perf-{}.map", std::process::id());
    let map = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let line = format!(
        "{:x} {:x} route[MAIN]\n",
        functions[0].0.addr(),
        functions[0].1.len
    );
    assert!(map.contains(&line), "{line} is not in:\n{map}");
}
