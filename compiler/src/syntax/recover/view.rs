//! The tokens with the repairs in them.

use crate::syntax::token::{Kind, Token};

/// Tokens put in place of others: those from `from` to the one before `to`.
#[derive(Debug)]
pub struct Patch {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) kinds: Vec<Kind>,
}

/// The tokens as the parser sees them.
pub struct View<'a> {
    tokens: &'a [Token],
    patches: &'a [Patch],
    /// Next token, next patch, and next kind inside that patch.
    at: usize,
    patch: usize,
    inside: usize,
}

impl<'a> View<'a> {
    /// The tokens from `start` on. No patch reaches over `start`.
    pub fn new(tokens: &'a [Token], patches: &'a [Patch], start: usize) -> View<'a> {
        View {
            tokens,
            patches,
            at: start,
            patch: patches.partition_point(|patch| patch.from < start),
            inside: 0,
        }
    }
}

impl Iterator for View<'_> {
    type Item = (u32, Kind, u32);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(patch) = self.patches.get(self.patch).filter(|p| p.from <= self.at) {
            if let Some(&kind) = patch.kinds.get(self.inside) {
                self.inside += 1;
                return Some((patch.from as u32, kind, patch.to as u32));
            }
            self.at = patch.to;
            self.patch += 1;
            self.inside = 0;
        }
        let token = self.tokens.get(self.at)?;
        let index = self.at as u32;
        self.at += 1;
        Some((index, token.kind, index + 1))
    }
}
