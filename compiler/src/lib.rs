//! The compiler of kcc: configuration text in, native code out; and what stands on it: scenario
//! tests, the manual of names, data for editors.
//!
//! It prints nothing, and reads nothing but through the [`source::SourceLoader`] it is given; only
//! scenario runs open sockets and start processes.

pub mod catalogue;
pub mod codegen;
pub mod compile;
pub mod diagnostic;
pub mod editor;
pub mod explain;
pub mod ir;
pub mod preprocess;
pub mod release;
pub mod resolve;
pub mod scenario;
pub mod source;
pub mod syntax;
