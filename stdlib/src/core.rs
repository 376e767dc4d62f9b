//! The core of the language: what needs no `loadmodule`.

/// Statements and variables of the core.
#[kcc_macros::module(name = "core", parts(kcc_runtime::variables::process::core::PART))]
pub mod exports {}
