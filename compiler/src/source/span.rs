//! Places in the configuration.

/// A range of source text, and the macro expansion through which its tokens were read.
///
/// Positions count bytes in the space shared by all texts of one [`SourceMap`](super::SourceMap).
/// For a token that came out of a `#!define`, the range is in the value of the define and
/// `expansion` leads to the place where the name was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// Position of the first byte.
    pub start: u32,
    /// Position after the last byte; at least `start`.
    pub end: u32,
    /// The expansion the text was read through, [`ExpansionId::NONE`] for text read directly.
    pub expansion: ExpansionId,
}

impl Span {
    /// The span of text that was read directly.
    pub const fn new(start: u32, end: u32) -> Span {
        Span {
            start,
            end,
            expansion: ExpansionId::NONE,
        }
    }

    /// Length in bytes.
    pub const fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    /// True when the span holds no text.
    pub const fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// The empty span right after this one.
    pub const fn after(self) -> Span {
        Span {
            start: self.end,
            end: self.end,
            expansion: self.expansion,
        }
    }

    /// The part of this span from byte `from` to byte `to` of it, cut to its ends.
    pub fn sub(self, from: usize, to: usize) -> Span {
        let at = |offset: usize| self.start.saturating_add(offset.min(self.len()) as u32);
        Span {
            start: at(from),
            end: at(to.max(from)),
            expansion: self.expansion,
        }
    }
}

/// Number of a macro expansion in its [`SourceMap`](super::SourceMap).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExpansionId(pub(super) u32);

impl ExpansionId {
    /// No expansion: the text stands in the file as it was read.
    pub const NONE: ExpansionId = ExpansionId(0);

    /// True for text that came out of a define.
    pub const fn is_some(self) -> bool {
        self.0 != 0
    }
}
