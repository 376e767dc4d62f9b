//! POSIX extended regular expressions, as the Kamailio language uses them: operators `=~`, `case /`
//! labels, and the arguments of many module functions.
//!
//! The dialect is that of the GNU C library's `regcomp` with `REG_EXTENDED` in the C locale: bytes,
//! leftmost match, longest among those, and the text ends at its first NUL. Expressions run as
//! automata in linear time; those with back-references are tried, with a bound on the steps.
//!
//! Invariant: no expression and no text takes unbounded memory or time.
//!
//! Deliberate differences from glibc: it lets `^` match after, and `$` before, a line feed in the
//! middle of a match even when it reads the text as one line, loses some matches where an anchor
//! or a group that is referred back to stands in a repeated group, can loop for ever over repeated
//! empty groups, and takes some word boundaries for none (`a*\B` in `ba`).

mod automaton;
mod backtrack;
mod bracket;
mod byteset;
#[cfg(test)]
mod posix;
mod recent;
pub mod subst;
mod syntax;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use automaton::Automaton;
use backtrack::Backtracker;
use corosensei::stack::DefaultStack;
pub use recent::recent;
use syntax::Syntax;

/// The longest expression, in bytes.
const LONGEST_PATTERN: usize = 256 * 1024;
/// The most atoms, intervals written out, of an expression that is matched by trying.
const MOST_TRIED_ATOMS: u32 = 10_000;

/// The stack that the deepest expression needs to be compiled, in bytes, and as much again.
const LARGE_STACK: usize = 512 * 1024;

/// How an expression is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Upper and lower case of ASCII letters are the same (`REG_ICASE`), as for `=~`.
    pub icase: bool,
}

/// Why an expression cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PatternError {
    /// The place in the expression, in bytes from its start.
    pub offset: usize,
    /// What is wrong there, as a clause without a full stop.
    pub message: String,
}

impl PatternError {
    fn new(offset: usize, message: impl Into<String>) -> PatternError {
        PatternError {
            offset,
            message: message.into(),
        }
    }
}

/// A compiled regular expression.
///
/// ```
/// use kcc_runtime::pattern::{Flags, Pattern};
/// let digits = Pattern::new(b"^sip:[0-9]+@", Flags::default()).unwrap();
/// assert!(digits.is_match(b"sip:200@example.com"));
/// ```
pub struct Pattern {
    source: Box<[u8]>,
    syntax: Syntax,
    groups: usize,
    edge_anchors: bool,
    word_anchors: bool,
    engine: Engine,
}

enum Engine {
    Automaton {
        automaton: Box<Automaton>,
        /// The same expression for a search in the middle of a text that must not see what is
        /// before; built when first needed.
        tried: OnceLock<Box<Backtracker>>,
        size: u32,
    },
    Tried(Box<Backtracker>),
}

impl Pattern {
    /// Compiles `pattern`, which ends at its first NUL.
    ///
    /// Refuses what `regcomp` refuses. Also refuses, unlike it, an expression that is nested deeper
    /// than 60, longer than 256 KiB, or that takes too much memory, such as `(x{1,30000}){1,30000}`.
    pub fn new(pattern: &[u8], flags: Flags) -> Result<Pattern, PatternError> {
        Pattern::compile(
            pattern,
            Syntax {
                icase: flags.icase,
                newline: false,
            },
        )
    }

    /// As [`new`](Self::new), but line by line (`REG_NEWLINE`): `^` and `$` also match around line
    /// feeds, and `.` and `[^…]` do not match one. So work substitution expressions without the
    /// flag `s`.
    pub fn line_by_line(pattern: &[u8], flags: Flags) -> Result<Pattern, PatternError> {
        Pattern::compile(
            pattern,
            Syntax {
                icase: flags.icase,
                newline: true,
            },
        )
    }

    fn compile(pattern: &[u8], syntax: Syntax) -> Result<Pattern, PatternError> {
        let source = until_nul(pattern);
        if source.len() > LONGEST_PATTERN {
            return Err(PatternError::new(
                LONGEST_PATTERN,
                "the expression is too long",
            ));
        }
        on_large_stack(|| Pattern::build(source, syntax)).unwrap_or_else(|| Err(no_memory()))
    }

    fn build(source: &[u8], syntax: Syntax) -> Result<Pattern, PatternError> {
        let expression = syntax::parse(source, syntax)?;
        let groups = expression.groups as usize;
        let engine = if expression.back_references {
            if expression.size > MOST_TRIED_ATOMS {
                return Err(no_memory());
            }
            Engine::Tried(Box::new(Backtracker::new(&expression.hir, groups, syntax)))
        } else {
            let automaton = Automaton::new(expression.hir, source.len(), syntax);
            Engine::Automaton {
                automaton: Box::new(automaton.ok_or_else(no_memory)?),
                tried: OnceLock::new(),
                size: expression.size,
            }
        };
        Ok(Pattern {
            source: source.into(),
            syntax,
            groups,
            edge_anchors: expression.edge_anchors,
            word_anchors: expression.word_anchors,
            engine,
        })
    }

    /// The expression that this was compiled from.
    pub fn source(&self) -> &[u8] {
        &self.source
    }

    /// How many pairs of parentheses the expression has.
    pub fn group_count(&self) -> usize {
        self.groups
    }

    /// Whether the expression matches somewhere in `text`. Does not allocate once each thread has
    /// searched before.
    ///
    /// With back-references, a search that takes more than a million steps gives false.
    pub fn is_match(&self, text: &[u8]) -> bool {
        let text = until_nul(text);
        match &self.engine {
            Engine::Automaton { automaton, .. } => automaton.is_match(text),
            Engine::Tried(tried) => tried.is_match(text),
        }
    }

    /// Searches `text`. Sets `groups[0]` to the leftmost-longest match and `groups[n]` to what the
    /// n-th pair of parentheses matched, `None` if it took no part. Elements without a group, and
    /// all if nothing matches, become `None`.
    ///
    /// Where parentheses can share the match in several ways, the first alternative that leads to
    /// the whole match wins; POSIX prefers the longest one.
    pub fn captures_into(&self, text: &[u8], groups: &mut [Option<Range<usize>>]) -> bool {
        let text = until_nul(text);
        match &self.engine {
            Engine::Automaton { automaton, .. } => automaton.search(text, 0, groups),
            Engine::Tried(tried) => tried.search(text, 0, false, groups).unwrap_or(false),
        }
    }

    /// As [`captures_into`](Self::captures_into) on `text[start..]`, where `^` does not match at
    /// `start` (`REG_NOTBOL`), and with the places counted in `text`. What is before `start` is not
    /// looked at: `\b` takes it for the edge of the text.
    pub fn captures_after(
        &self,
        text: &[u8],
        start: usize,
        groups: &mut [Option<Range<usize>>],
    ) -> bool {
        let text = until_nul(text);
        match &self.engine {
            Engine::Tried(tried) => tried.search(text, start, true, groups).unwrap_or(false),
            Engine::Automaton {
                automaton,
                tried,
                size,
            } => {
                if self.sees_before(text, start) && *size <= MOST_TRIED_ATOMS {
                    let build =
                        || Box::new(Backtracker::new(automaton.hir(), self.groups, self.syntax));
                    if let Some(tried) = built(tried, || on_large_stack(build))
                        && let Some(found) = tried.search(text, start, true, groups)
                    {
                        return found;
                    }
                }
                automaton.search(text, start, groups)
            }
        }
    }

    /// Whether an automaton that searches `text` from `start` on could match otherwise than one
    /// that knows nothing of what is before.
    fn sees_before(&self, text: &[u8], start: usize) -> bool {
        let Some(before) = start.checked_sub(1).and_then(|before| text.get(before)) else {
            return true;
        };
        self.edge_anchors
            || (self.word_anchors && (before.is_ascii_alphanumeric() || *before == b'_'))
            || (self.syntax.newline && *before == b'\n')
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "Pattern({:?}, {:?})",
            String::from_utf8_lossy(&self.source),
            self.syntax
        )
    }
}

fn no_memory() -> PatternError {
    PatternError::new(0, "the expression takes too much memory")
}

/// Runs what recurses over an expression: a script's own stack is too small for it. `None` if there
/// is no memory for the stack.
fn on_large_stack<R>(run: impl FnOnce() -> R) -> Option<R> {
    let stack = DefaultStack::new(LARGE_STACK).ok()?;
    Some(corosensei::on_stack(stack, run))
}

/// What `cell` holds, built first if need be; two threads may both build it.
fn built<T>(cell: &OnceLock<T>, build: impl FnOnce() -> Option<T>) -> Option<&T> {
    if cell.get().is_none() {
        let _ = cell.set(build()?);
    }
    cell.get()
}

fn until_nul(text: &[u8]) -> &[u8] {
    match memchr::memchr(0, text) {
        Some(end) => &text[..end],
        None => text,
    }
}
