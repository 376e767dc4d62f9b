//! The syntax tree of a configuration (language reference part 3).
//!
//! The tree says what was written, not what it means: names are not looked up, argument counts and
//! types are not checked. Every node has the [`Span`] of its text.
//!
//! Invariants: no path from a file-level statement down has more than [`MAX_DEPTH`] expressions and
//! statements, so that recursive passes and the tree's own drop are safe; `else if` chains and
//! parentheses add no depth. Where the source had an error, an `Error` node stands; an error was
//! reported for it and later passes stay silent about it.

mod expression;
mod item;
mod statement;
mod variable;

pub use expression::*;
pub use item::*;
pub use statement::*;
pub use variable::*;

use crate::source::Span;

/// Deepest nesting of statements and expressions together. Braces and parentheses are limited to 256
/// levels each before that.
pub const MAX_DEPTH: u16 = 1000;

/// A configuration: its file-level statements in order, includes and conditionals resolved.
#[derive(Debug, Default)]
pub struct File {
    /// The file-level statements.
    pub items: Vec<Item>,
}

/// A name as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The text. Names written as strings may hold any character.
    pub text: Box<str>,
    /// Its place.
    pub span: Span,
}

/// A string literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Str {
    /// The bytes it stands for: escapes resolved, adjacent literals merged, `#!subst` rules applied.
    pub value: Box<[u8]>,
    /// From the first quote to the last.
    pub span: Span,
    /// True when reading the text at `span` again gives `value`, so that a place in the value has a
    /// place in the source; false after a `#!subst` or a merge across a define.
    pub exact: bool,
}

impl Str {
    /// The value as text, bytes that are not UTF-8 replaced.
    pub fn lossy(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.value)
    }
}

/// A number literal, 32 bits as in every Kamailio version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// The value after the 32-bit cut; words such as `yes` and `inet` have theirs.
    pub value: i32,
    /// Its place, with the minus sign if there is one.
    pub span: Span,
}
