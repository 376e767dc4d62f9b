//! The runtime template of standalone executables: every module, no compiler. `kcc build` copies it
//! and adds a program.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    kcc_runtime::command::main(kcc_stdlib::MODULES)
}
