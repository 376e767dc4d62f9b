//! Byte ranges inside a message buffer.
//!
//! Invariant: a span made by a parser of this crate lies within the buffer that was parsed.

use std::ops::Range;

/// A half-open byte range, 32 bits wide: no message is larger than [`crate::MAX_MESSAGE`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// A span from `start` up to, not including, `end`. Offsets above `u32::MAX` are clamped.
    #[inline]
    pub fn new(start: usize, end: usize) -> Span {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span {
            start: clamp(start),
            end: clamp(end),
        }
    }

    /// The bytes of `buf` in this span; empty when the span does not fit into `buf`.
    #[inline]
    pub fn of(self, buf: &[u8]) -> &[u8] {
        buf.get(self.range()).unwrap_or_default()
    }

    /// The same range with `usize` ends.
    #[inline]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Length in bytes.
    #[inline]
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    /// True when there is no byte in it.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }
}

/// Where `part` lies inside `whole`, when it is a subslice of it.
#[inline]
pub fn offset_in(whole: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    let end = start.checked_add(part.len())?;
    (end <= whole.len()).then_some(start..end)
}
