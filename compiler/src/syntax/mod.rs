//! From text to syntax tree: tokens, the grammar, variables and format strings.

pub mod ast;
