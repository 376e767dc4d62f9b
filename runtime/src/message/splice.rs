//! Writing a range of a message with several layers of edits applied.
//!
//! **Invariant:** every byte of the range is looked at once; at one offset the edits of a lower
//! layer come first.

use std::ops::Range;

use super::edits::{Edit, Edits};

/// Layers of edits, lowest first: the message's, the branch's, those of the builder.
#[derive(Clone, Copy)]
pub(super) struct Layers<'a>(pub(super) [&'a Edits; 3]);

impl<'a> Layers<'a> {
    /// The edits that begin in `range`, in the order of writing. An edit that begins before or
    /// after is left out.
    fn within(self, range: Range<usize>) -> impl Iterator<Item = (&'a Edits, &'a Edit)> {
        let mut lists = self.0.map(|edits| {
            let list = edits.list();
            let from = list.partition_point(|e| (e.offset as usize) < range.start);
            let to = list.partition_point(|e| (e.offset as usize) < range.end);
            (edits, list.get(from..to).unwrap_or_default())
        });
        std::iter::from_fn(move || {
            let (edits, list) = lists
                .iter_mut()
                .filter(|(_, list)| !list.is_empty())
                .min_by_key(|(_, list)| list.first().map(|e| e.offset))?;
            let (first, rest) = list.split_first()?;
            *list = rest;
            Some((*edits, first))
        })
    }

    /// True when an edit begins in `range`.
    pub(super) fn any_within(self, range: Range<usize>) -> bool {
        self.within(range).next().is_some()
    }

    /// True when an edit deletes the byte at `offset`.
    pub(super) fn deletes(self, offset: usize) -> bool {
        self.0.iter().any(|e| e.deletes(offset))
    }

    /// Calls `put` with the pieces of `range` of `buf` as edited. Edits that begin in
    /// `range.start..until` count; what they delete ends with `range` at the latest.
    fn pieces(self, buf: &[u8], range: Range<usize>, until: usize, mut put: impl FnMut(&[u8])) {
        let end = range.end.min(buf.len());
        let mut at = range.start;
        for (edits, edit) in self.within(range.start..until) {
            let offset = (edit.offset as usize).min(end);
            if offset > at {
                put(buf.get(at..offset).unwrap_or_default());
                at = offset;
            }
            put(edits.text(edit));
            at = at.max((offset + edit.delete as usize).min(end));
        }
        put(buf.get(at..end).unwrap_or_default());
    }

    /// Appends `range` of `buf` as edited to `out`; for `until` see [`len`](Layers::len).
    pub(super) fn write(self, buf: &[u8], range: Range<usize>, until: usize, out: &mut Vec<u8>) {
        self.pieces(buf, range, until, |piece| out.extend_from_slice(piece));
    }

    /// The length of `range` of `buf` as edited. Edits that begin in `range.start..until` count.
    pub(super) fn len(self, buf: &[u8], range: Range<usize>, until: usize) -> usize {
        let mut len = 0;
        self.pieces(buf, range, until, |piece| len += piece.len());
        len
    }
}
