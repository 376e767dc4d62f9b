//! Code in memory: what `kcc run` executes.

use std::collections::HashMap;
use std::sync::Arc;

use cranelift::jit::{JITBuilder, JITModule};
use cranelift::module::default_libcall_names;
use kcc_runtime::abi::RouteFn;
use kcc_runtime::declare::Module as Builtins;
use kcc_runtime::intrinsics::{INTRINSICS, SHIMS};
use kcc_runtime::program::{LoadError, Manifest, Program};

use super::coverage::Counts;
use super::debuginfo::{self, Function, Sources};
use super::jitdebug::{Registration, write_perf_map};
use super::{CodegenFailure, lower, target, unit::Unit};
use crate::ir;

/// Which tools are told about the code.
#[derive(Clone, Debug, Default)]
pub struct Tools {
    /// gdb: costs a copy of the debugging information.
    pub debugger: bool,
    /// Counters of what runs: see [`Unloaded::coverage`].
    pub coverage: bool,
    /// perf: writes `/tmp/perf-PID.map`.
    pub profiler: bool,
    /// What relative file names are relative to.
    pub directory: String,
}

/// A program that is compiled and not loaded yet.
pub struct Unloaded {
    /// All but the code; may be changed before it is loaded.
    pub manifest: Manifest,
    /// What ran, where that is counted.
    pub coverage: Option<Arc<Counts>>,
    entries: Vec<RouteFn>,
    code: Code,
}

impl Unloaded {
    /// Loads it. `available` is every module of the runtime.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(self, available: &[&'static Builtins]) -> Result<Program, LoadError> {
        Program::load(self.manifest, self.entries, Box::new(self.code), available)
    }
}

/// Compiles a program. `available` is every module of the runtime.
pub fn compile(
    program: ir::Program,
    available: &[&'static Builtins],
    tools: &Tools,
) -> Result<Unloaded, CodegenFailure> {
    if program.incomplete {
        return Err(CodegenFailure::Incomplete);
    }
    let mut builder = JITBuilder::with_isa(target::isa(false)?, default_libcall_names());
    let symbols = symbols(available);
    builder.symbol_lookup_fn(Box::new(move |name| {
        symbols.get(name).map(|address| address.0)
    }));
    let mut code = Code {
        module: Some(JITModule::new(builder)),
        registration: None,
        coverage: None,
    };
    let module = code.module.as_mut().ok_or(CodegenFailure::Incomplete)?;
    let mut unit = Unit::new(module, &program)?;
    if tools.coverage {
        unit.coverage = Some(Counts::new(program.manifest.places.len()));
    }
    let coverage = unit.coverage.clone();
    let functions = lower::lower(&mut unit)?;
    unit.finish()?;
    module.finalize_definitions()?;
    let placed: Vec<(*const u8, Function)> = functions
        .into_iter()
        .map(|(id, function)| (module.get_finalized_function(id), function))
        .collect();
    let entries = placed
        .iter()
        .map(|(address, _)| {
            // SAFETY: the address is that of a finished function with the signature of `RouteFn`.
            unsafe { std::mem::transmute::<*const u8, RouteFn>(*address) }
        })
        .collect();
    if !placed.is_empty() {
        use cranelift::module::Module as _;
        let sources = Sources {
            directory: tools.directory.clone(),
            files: program.manifest.files.clone(),
        };
        let debug = debuginfo::absolute(module.isa(), &placed, &sources)?;
        // SAFETY: the code is finished and stays mapped until `code` is dropped, which drops the
        // registration first.
        let registration = unsafe { Registration::new(&placed, debug, tools.debugger) }?;
        code.registration = Some(registration);
    }
    if tools.profiler {
        // Without the map the profiler shows addresses; nothing else depends on it.
        let _ = write_perf_map(&placed);
    }
    code.coverage.clone_from(&coverage);
    Ok(Unloaded {
        manifest: program.manifest,
        coverage,
        entries,
        code,
    })
}

/// An address that may go to another thread.
struct Address(*const u8);

// SAFETY: the address of a function of this executable.
unsafe impl Send for Address {}

/// Every function that compiled code may name.
fn symbols(available: &[&'static Builtins]) -> HashMap<&'static str, Address> {
    let own = INTRINSICS
        .iter()
        .map(|entry| (entry.name, entry.address.cast()));
    let shims = SHIMS.iter().copied();
    let builtins = available.iter().flat_map(|module| module.symbols());
    let shims = shims
        .chain(builtins)
        .map(|(name, shim)| (name, shim as *const u8));
    own.chain(shims)
        .map(|(name, address)| (name, Address(address)))
        .collect()
}

/// The memory of the code. Dropping it frees the memory, so nothing may run the code any more:
/// the program that owns it sees to that.
struct Code {
    registration: Option<Registration>,
    module: Option<JITModule>,
    /// The code has its address.
    coverage: Option<Arc<Counts>>,
}

// SAFETY: finished code is only read; the module is touched again by `drop` alone.
unsafe impl Send for Code {}
// SAFETY: as above.
unsafe impl Sync for Code {}

impl Drop for Code {
    fn drop(&mut self) {
        self.registration = None;
        if let Some(module) = self.module.take() {
            // SAFETY: the program that owned the entries is gone, and with it every caller.
            unsafe { module.free_memory() }
        }
    }
}
