//! From the typed program to native code.
//!
//! [`lower`] makes a Cranelift function of each route block, the same for code in memory
//! ([`jit`]) and for object files ([`aot`]).

pub mod aot;
pub mod coverage;
pub mod debuginfo;
pub mod jit;
pub mod jitdebug;
pub mod link;
mod lower;
mod target;
mod unit;

use cranelift::codegen::CodegenError;
use cranelift::module::ModuleError;

/// Why there is no code for a program that the checker accepted.
#[derive(Debug, thiserror::Error)]
pub enum CodegenFailure {
    /// Parts of the configuration were accepted though they are not supported.
    #[error("the configuration uses what is not supported")]
    Incomplete,
    /// There is no code generator for this machine.
    #[error("no code can be made for this machine: {0}")]
    Target(String),
    /// A fault of the compiler.
    #[error("internal error of the code generator: {0}")]
    Module(#[from] Box<ModuleError>),
    /// Debugging information.
    #[error(transparent)]
    DebugInfo(#[from] debuginfo::DebugInfoError),
    /// Unwind tables.
    #[error(transparent)]
    Unwind(#[from] kcc_runtime::unwind::UnwindError),
    /// The object file cannot be written.
    #[error("the object file cannot be written: {0}")]
    Object(#[from] object::write::Error),
    /// The manifest cannot be written.
    #[error("the manifest cannot be written: {0}")]
    Manifest(#[from] postcard::Error),
    /// The linker refused.
    #[error(transparent)]
    Link(#[from] link::LinkError),
    /// The runtime refused the program.
    #[error(transparent)]
    Load(#[from] kcc_runtime::program::LoadError),
}

impl From<ModuleError> for CodegenFailure {
    fn from(error: ModuleError) -> Self {
        CodegenFailure::Module(Box::new(error))
    }
}

impl From<CodegenError> for CodegenFailure {
    fn from(error: CodegenError) -> Self {
        ModuleError::from(error).into()
    }
}
