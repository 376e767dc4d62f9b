//! The compiler.

pub mod catalogue;
pub mod codegen;
pub mod compile;
pub mod editor;
pub mod explain;
pub mod diagnostic;
pub mod ir;
pub mod preprocess;
pub mod resolve;
pub mod scenario;
pub mod source;
pub mod syntax;
