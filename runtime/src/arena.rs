//! Scratch memory of one run: a bump allocator for the temporaries of expressions.
//!
//! **Invariant:** what was allocated stays in place until [`Arena::reset`] to a mark taken before,
//! or [`Arena::clear`]; chunks never move. Compiled code resets at the end of a loop round and the
//! run clears at its end, so a script that loops does not grow.

use crate::value::Val;

/// The first chunk's size in bytes; later ones double up to [`LARGEST`].
const FIRST: usize = 16 * 1024;
const LARGEST: usize = 1024 * 1024;

/// The most that one run may hold at once, in bytes. Beyond it [`Arena::alloc`] fails.
pub const LIMIT: usize = 64 * 1024 * 1024;

/// A bump allocator over chunks that are kept and used again.
#[derive(Default)]
pub struct Arena {
    chunks: Vec<Box<[u8]>>,
    /// Index of the chunk in use.
    current: usize,
    /// Bytes taken of it.
    used: usize,
}

/// A point to go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    chunk: u32,
    used: u32,
}

impl Mark {
    /// The mark in one word, for compiled code.
    pub fn to_bits(self) -> u64 {
        (u64::from(self.chunk) << 32) | u64::from(self.used)
    }

    /// The mark of [`Mark::to_bits`].
    pub fn from_bits(bits: u64) -> Mark {
        Mark {
            chunk: (bits >> 32) as u32,
            used: bits as u32,
        }
    }
}

impl Arena {
    /// Where the next allocation goes.
    pub fn mark(&self) -> Mark {
        Mark {
            chunk: self.current as u32,
            used: self.used as u32,
        }
    }

    /// Gives back all that was allocated since `mark`.
    pub fn reset(&mut self, mark: Mark) {
        let (chunk, used) = (mark.chunk as usize, mark.used as usize);
        if (chunk, used) < (self.current, self.used) {
            (self.current, self.used) = (chunk, used);
        }
    }

    /// Gives everything back; keeps the first chunk only.
    pub fn clear(&mut self) {
        self.chunks.truncate(1);
        (self.current, self.used) = (0, 0);
    }

    /// Space for `len` bytes, zeroed or holding older bytes; `None` beyond [`LIMIT`].
    pub fn alloc(&mut self, len: usize) -> Option<&mut [u8]> {
        while self
            .chunks
            .get(self.current)
            .is_none_or(|chunk| chunk.len() - self.used < len)
        {
            if self.current + 1 < self.chunks.len() {
                self.current += 1;
                self.used = 0;
                continue;
            }
            let held: usize = self.chunks.iter().map(|chunk| chunk.len()).sum();
            let size = (FIRST << self.chunks.len().min(6)).min(LARGEST).max(len);
            if held + size > LIMIT {
                return None;
            }
            self.chunks.push(vec![0; size].into_boxed_slice());
            self.current = self.chunks.len() - 1;
            self.used = 0;
        }
        let start = self.used;
        self.used += len;
        Some(&mut self.chunks[self.current][start..start + len])
    }

    /// A copy of `text` as a string value, or [`Val::FAIL`] beyond [`LIMIT`].
    pub fn copy(&mut self, text: &[u8]) -> Val {
        match self.alloc(text.len()) {
            Some(space) => {
                space.copy_from_slice(text);
                Val::str(space)
            }
            None => Val::FAIL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    #[test]
    fn what_was_allocated_stays_while_chunks_are_added() {
        let mut arena = Arena::default();
        let texts: Vec<Val> = (0..5000u32)
            .map(|n| arena.copy(n.to_string().as_bytes()))
            .collect();
        for (n, text) in texts.iter().enumerate() {
            // SAFETY: the arena is alive and was not reset.
            assert_eq!(unsafe { text.view() }, Value::Str(n.to_string().as_bytes()));
        }
    }

    #[test]
    fn a_reset_gives_the_same_space_again() {
        let mut arena = Arena::default();
        arena.copy(b"kept");
        let mark = arena.mark();
        let first = arena.alloc(40_000).unwrap().as_ptr();
        arena.reset(Mark::from_bits(mark.to_bits()));
        assert_eq!(arena.alloc(40_000).unwrap().as_ptr(), first);
    }

    #[test]
    fn a_run_cannot_grow_beyond_the_limit() {
        let mut arena = Arena::default();
        assert!(arena.alloc(LIMIT + 1).is_none());
        let mut total = 0;
        while arena.alloc(1 << 20).is_some() {
            total += 1 << 20;
            assert!(total <= LIMIT);
        }
    }
}
