//! Memory for received bytes: large chunks that messages are split off and that are used again
//! when all messages of a chunk are gone.
//!
//! Invariant: no allocation per message as long as messages are dropped soon after they were
//! handled. A message that is kept keeps its whole chunk, which is why keepers copy.

use bytes::{Bytes, BytesMut};

/// Size of a chunk in bytes.
pub(super) const CHUNK: usize = 64 << 10;

/// The chunk that is being filled.
pub(super) struct Chunk(BytesMut);

impl Chunk {
    pub(super) fn new() -> Self {
        Chunk(BytesMut::with_capacity(CHUNK))
    }

    /// The message `bytes` as a piece of the chunk.
    pub(super) fn copy(&mut self, bytes: &[u8]) -> Bytes {
        self.with_room(bytes.len()).extend_from_slice(bytes);
        self.0.split().freeze()
    }

    /// The chunk, empty and with room for `room` bytes. What is written to it is to be taken
    /// with [`BytesMut::split`].
    pub(super) fn with_room(&mut self, room: usize) -> &mut BytesMut {
        if self.0.capacity() < room {
            self.0.reserve(room.max(CHUNK));
        }
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_used_again_when_its_messages_are_gone() {
        let mut chunk = Chunk::new();
        let start = chunk.copy(&[1; 1000]).as_ptr();
        let mut seen = 0;
        for _ in 0..1000 {
            seen += usize::from(chunk.copy(&[1; 1000]).as_ptr() == start);
        }
        assert!(seen >= 10, "used again {seen} times");
    }

    #[test]
    fn a_kept_message_stays_as_it_was() {
        let mut chunk = Chunk::new();
        let kept = chunk.copy(b"kept");
        for _ in 0..1000 {
            chunk.copy(&[0; 1000]);
        }
        assert_eq!(&kept[..], b"kept");
    }
}
