//! The machine that code is made for: this one, with frame pointers and unwind tables.

use cranelift::codegen::isa::OwnedTargetIsa;
use cranelift::codegen::settings::{self, Configurable};

use super::CodegenFailure;

/// The code generator for this machine. `position_independent` is for object files.
pub fn isa(position_independent: bool) -> Result<OwnedTargetIsa, CodegenFailure> {
    with_effort(position_independent, "speed", "backtracking")
}

/// The same with little effort, for functions so large that effort has no end.
pub fn hasty_isa(position_independent: bool) -> Result<OwnedTargetIsa, CodegenFailure> {
    with_effort(position_independent, "none", "single_pass")
}

fn with_effort(
    position_independent: bool,
    opt_level: &str,
    regalloc: &str,
) -> Result<OwnedTargetIsa, CodegenFailure> {
    let fail = |error: &dyn std::fmt::Display| CodegenFailure::Target(error.to_string());
    let mut flags = settings::builder();
    let on_off = |on: bool| if on { "true" } else { "false" };
    for (name, value) in [
        ("opt_level", opt_level),
        ("regalloc_algorithm", regalloc),
        ("preserve_frame_pointers", "true"),
        ("unwind_info", "true"),
        ("enable_verifier", on_off(cfg!(debug_assertions))),
        ("is_pic", on_off(position_independent)),
        ("use_colocated_libcalls", "false"),
        // Frames larger than a page touch every page of them, so that none jumps a guard page.
        ("enable_probestack", "true"),
        ("probestack_strategy", "inline"),
    ] {
        flags.set(name, value).map_err(|error| fail(&error))?;
    }
    // Executables run on machines other than the one that builds: only what every machine has.
    let builder = if position_independent {
        cranelift_native::builder_with_options(false)
    } else {
        cranelift_native::builder()
    };
    builder
        .map_err(|error| fail(&error))?
        .finish(settings::Flags::new(flags))
        .map_err(|error| fail(&error))
}
