//! To tags of answers that this server makes (RFC 3261 §19.3).

use std::hash::Hasher;

/// A To tag: the same for the same server key and parts, so that a stateless reply to a
/// retransmission carries the same tag, and the ACK to it is known (RFC 3261 §8.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ToTag([u8; 32]);

impl ToTag {
    /// The tag for `parts` (the top Via's branch and the Call-ID, say) under the server's secret
    /// `key`.
    pub fn new(key: [u64; 2], parts: &[&[u8]]) -> ToTag {
        let mut tag = [0; 32];
        for (half, key) in tag.chunks_exact_mut(16).zip(key) {
            let mut hasher = std::hash::DefaultHasher::new();
            hasher.write_u64(key);
            for part in parts {
                hasher.write_usize(part.len());
                hasher.write(part);
            }
            let n = hasher.finish();
            for (i, digit) in half.iter_mut().enumerate() {
                *digit = b"0123456789abcdef"[(n >> (4 * i)) as usize & 15];
            }
        }
        ToTag(tag)
    }

    /// The text of the tag.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_depends_on_key_and_parts() {
        let tag = ToTag::new([1, 2], &[b"a", b"bc"]);
        assert_eq!(tag, ToTag::new([1, 2], &[b"a", b"bc"]));
        assert_ne!(tag, ToTag::new([1, 2], &[b"ab", b"c"]));
        assert_ne!(tag, ToTag::new([1, 3], &[b"a", b"bc"]));
        assert!(crate::token::is_token(tag.as_bytes()));
    }
}
