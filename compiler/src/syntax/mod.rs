//! From text to syntax tree: tokens, the grammar, variables and format strings.

pub mod ast;
mod builder;
mod explain;
pub mod format;
pub mod lexer;
pub mod literal;
mod load_time;
mod parse;
mod precedence;
pub mod pvar;
mod recover;
pub mod token;

pub use parse::{Parsed, parse, parse_as};
