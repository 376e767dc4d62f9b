//! The grammar of POSIX extended regular expressions as the GNU C library reads them with
//! `REG_EXTENDED`.
//!
//! Beyond POSIX: `\w \W \s \S \b \B \< \> \` \'` and back-references; any other escaped character
//! is itself, so `\d` is the letter d. `^` and `$` are anchors wherever they stand, and a
//! repetition with nothing before it, also after an anchor, is an error, as is a malformed
//! interval. An alternative can be empty. A `)` without its `(` is an ordinary character.
//!
//! Invariant: the depth and the number of parts of the expression are bounded, so what walks it
//! needs a bounded stack.

use regex_syntax::hir::{Capture, Hir, Look, Repetition};

use super::byteset::ByteSet;
use super::{PatternError, bracket};

/// How deep parentheses and stacked repetitions go.
const DEEPEST: usize = 60;
/// The largest number in an interval (`RE_DUP_MAX`).
const LARGEST_INTERVAL: u32 = 0x7fff;

/// A back-reference to group n stands in an expression as an empty group with this number plus n.
pub(super) const FIRST_BACK_REFERENCE: u32 = u32::MAX - 9;

/// What changes the reading of an expression.
#[derive(Clone, Copy, Debug)]
pub(super) struct Syntax {
    pub(super) icase: bool,
    pub(super) newline: bool,
}

/// An expression that was read.
#[derive(Debug)]
pub(super) struct Expression {
    /// The expression. `^` is `Start`, and ``\\` `` is `StartLF`, which in a text read as one line is
    /// the same for automata; read line by line it is the other way round.
    pub(super) hir: Hir,
    /// The number of pairs of parentheses.
    pub(super) groups: u32,
    /// Whether there is a back-reference, which no automaton can follow.
    pub(super) back_references: bool,
    /// Whether there is a ``\\` ``.
    pub(super) edge_anchors: bool,
    /// Whether there is a `\b`, `\B`, `\<` or `\>`.
    pub(super) word_anchors: bool,
    /// How many atoms there are when intervals are written out; saturates.
    pub(super) size: u32,
}

/// Reads `pattern`, which holds no NUL.
pub(super) fn parse(pattern: &[u8], syntax: Syntax) -> Result<Expression, PatternError> {
    let mut parser = Parser {
        pattern,
        at: 0,
        syntax,
        groups: 0,
        closed: [false; 10],
        back_references: false,
        edge_anchors: false,
        word_anchors: false,
    };
    let (hir, size) = parser.alternatives(0)?;
    Ok(Expression {
        hir,
        groups: parser.groups,
        back_references: parser.back_references,
        edge_anchors: parser.edge_anchors,
        word_anchors: parser.word_anchors,
        size,
    })
}

struct Parser<'p> {
    pattern: &'p [u8],
    at: usize,
    syntax: Syntax,
    groups: u32,
    closed: [bool; 10],
    back_references: bool,
    edge_anchors: bool,
    word_anchors: bool,
}

/// A part of the expression: whether it can be repeated, itself, and its size.
struct Atom {
    repeatable: bool,
    hir: Hir,
    size: u32,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    fn alternatives(&mut self, depth: usize) -> Result<(Hir, u32), PatternError> {
        let mut branches = Vec::new();
        let mut size = 0u32;
        // A back-reference cannot name a group of another branch.
        let closed_before = self.closed;
        let mut closed = self.closed;
        loop {
            self.closed = closed_before;
            let (branch, more) = self.branch(depth)?;
            for (all, one) in closed.iter_mut().zip(self.closed) {
                *all |= one;
            }
            size = size.saturating_add(more).saturating_add(1);
            branches.push(branch);
            if !self.eat(b'|') {
                self.closed = closed;
                return Ok((Hir::alternation(branches), size));
            }
        }
    }

    fn branch(&mut self, depth: usize) -> Result<(Hir, u32), PatternError> {
        let mut parts = Vec::new();
        let mut size = 0u32;
        while let Some(byte) = self.peek()
            && byte != b'|'
            && !(byte == b')' && depth > 0)
        {
            let start = self.at;
            let mut atom = self.atom(depth)?;
            if atom.repeatable {
                self.repetitions(start, depth, &mut atom)?;
            }
            size = size.saturating_add(atom.size);
            parts.push(atom.hir);
        }
        Ok((Hir::concat(parts), size))
    }

    fn atom(&mut self, depth: usize) -> Result<Atom, PatternError> {
        let start = self.at;
        let byte = self.pattern[start];
        self.at += 1;
        let set = match byte {
            b'(' => return self.group(start, depth),
            b'*' | b'+' | b'?' | b'{' => {
                return Err(PatternError::new(start, "there is nothing here to repeat"));
            }
            b'[' => {
                let (set, end) = bracket::parse(self.pattern, start, self.syntax)?;
                self.at = end;
                self.folded(set)
            }
            b'.' => {
                let mut set = ByteSet::EMPTY.complement();
                if self.syntax.newline {
                    set.remove(b'\n');
                }
                set
            }
            b'^' if self.syntax.newline => return Ok(anchor(Look::StartLF)),
            b'^' => return Ok(anchor(Look::Start)),
            b'$' if self.syntax.newline => return Ok(anchor(Look::EndLF)),
            b'$' => return Ok(anchor(Look::End)),
            b'\\' => return self.escape(start),
            byte if self.syntax.icase => self.folded(ByteSet::single(byte.to_ascii_uppercase())),
            byte => ByteSet::single(byte),
        };
        Ok(one_of(set))
    }

    fn folded(&self, set: ByteSet) -> ByteSet {
        if self.syntax.icase {
            set.ignoring_case()
        } else {
            set
        }
    }

    fn group(&mut self, open: usize, depth: usize) -> Result<Atom, PatternError> {
        if depth >= DEEPEST {
            return Err(PatternError::new(open, "the expression is nested too deep"));
        }
        self.groups += 1;
        let index = self.groups;
        let (sub, size) = self.alternatives(depth + 1)?;
        if !self.eat(b')') {
            return Err(PatternError::new(open, "this `(` has no matching `)`"));
        }
        if let Some(closed) = self.closed.get_mut(index as usize) {
            *closed = true;
        }
        let hir = Hir::capture(Capture {
            index,
            name: None,
            sub: Box::new(sub),
        });
        Ok(Atom {
            repeatable: true,
            hir,
            size: size.saturating_add(2),
        })
    }

    fn escape(&mut self, start: usize) -> Result<Atom, PatternError> {
        let Some(byte) = self.peek() else {
            return Err(PatternError::new(start, "a `\\` cannot end the expression"));
        };
        self.at += 1;
        let set = match byte {
            b'w' => ByteSet::word(),
            b'W' => ByteSet::word().complement(),
            b's' => ByteSet::space(),
            b'S' => ByteSet::space().complement(),
            b'b' => return Ok(self.word_anchor(Look::WordAscii)),
            b'B' => return Ok(self.word_anchor(Look::WordAsciiNegate)),
            b'<' => return Ok(self.word_anchor(Look::WordStartAscii)),
            b'>' => return Ok(self.word_anchor(Look::WordEndAscii)),
            b'`' => {
                self.edge_anchors = true;
                let look = if self.syntax.newline {
                    Look::Start
                } else {
                    Look::StartLF
                };
                return Ok(anchor(look));
            }
            b'\'' => return Ok(anchor(Look::End)),
            b'1'..=b'9' => {
                if !self.closed[usize::from(byte - b'0')] {
                    return Err(PatternError::new(
                        start,
                        "this back-reference names a group that does not end before it",
                    ));
                }
                self.back_references = true;
                let index = FIRST_BACK_REFERENCE + u32::from(byte - b'0');
                let sub = Box::new(Hir::empty());
                let hir = Hir::capture(Capture {
                    index,
                    name: None,
                    sub,
                });
                return Ok(Atom {
                    repeatable: true,
                    hir,
                    size: 1,
                });
            }
            byte => ByteSet::single(byte),
        };
        Ok(one_of(self.folded(set)))
    }

    fn word_anchor(&mut self, look: Look) -> Atom {
        self.word_anchors = true;
        anchor(look)
    }

    /// The repetition signs after an atom.
    fn repetitions(
        &mut self,
        start: usize,
        depth: usize,
        atom: &mut Atom,
    ) -> Result<(), PatternError> {
        let mut stacked = depth;
        let mut last = None;
        while let Some(byte @ (b'*' | b'+' | b'?' | b'{')) = self.peek() {
            let at = self.at;
            self.at += 1;
            let (min, max) = match byte {
                b'*' => (0, None),
                b'+' => (1, None),
                b'?' => (0, Some(1)),
                _ => self.interval(at)?,
            };
            // `a**` is `a*`: a repeated sign changes nothing.
            if byte != b'{' && last.replace(byte) == Some(byte) {
                continue;
            }
            stacked += 1;
            if stacked > DEEPEST {
                return Err(PatternError::new(
                    start,
                    "there are too many repetitions in a row",
                ));
            }
            let sub = std::mem::replace(&mut atom.hir, Hir::empty());
            if max == Some(0) {
                atom.size = 1;
                continue;
            }
            atom.size = atom
                .size
                .saturating_mul(max.unwrap_or(min).max(1))
                .saturating_add(1);
            atom.hir = Hir::repetition(Repetition {
                min,
                max,
                greedy: true,
                sub: Box::new(sub),
            });
        }
        Ok(())
    }

    /// The inside of an interval: `{n}`, `{n,}`, `{n,m}`, `{,m}` or `{,}`.
    fn interval(&mut self, open: usize) -> Result<(u32, Option<u32>), PatternError> {
        let invalid = || PatternError::new(open, "an interval is written {n}, {n,}, {n,m} or {,m}");
        let low = self.number();
        let (min, max) = if self.eat(b',') {
            let high = self.number();
            (low.unwrap_or(0), high)
        } else {
            let low = low.ok_or_else(invalid)?;
            (low, Some(low))
        };
        if !self.eat(b'}') {
            return Err(invalid());
        }
        if max.is_some_and(|max| min > max) {
            return Err(PatternError::new(
                open,
                "the interval ends before it begins",
            ));
        }
        if max.unwrap_or(min) > LARGEST_INTERVAL {
            return Err(PatternError::new(
                open,
                format!("an interval can go up to {LARGEST_INTERVAL}"),
            ));
        }
        Ok((min, max))
    }

    fn number(&mut self) -> Option<u32> {
        let mut value = None;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            self.at += 1;
            let more = value.unwrap_or(0u32).saturating_mul(10);
            value = Some(more.saturating_add(u32::from(digit - b'0')));
        }
        value
    }
}

fn anchor(look: Look) -> Atom {
    Atom {
        repeatable: false,
        hir: Hir::look(look),
        size: 1,
    }
}

fn one_of(set: ByteSet) -> Atom {
    Atom {
        repeatable: true,
        hir: set.to_hir(),
        size: 1,
    }
}
