//! What editors get from the compiler.

pub mod vim;
