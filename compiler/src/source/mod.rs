//! The texts of a configuration: files, define values given on the command line or taken from the
//! environment, and where each token came from.
//!
//! All texts share one position space: a [`Span`] is a range of positions plus the macro expansion
//! that its tokens came through. Invariant: a text is never removed or changed once added, so a
//! span stays valid as long as its [`SourceMap`].

mod loader;
mod map;
mod span;

pub use loader::{LoadError, MemoryLoader, SourceLoader};
pub use map::{Expansion, FileId, Place, SourceFile, SourceMap, TextOrigin};
pub use span::{ExpansionId, Span};
