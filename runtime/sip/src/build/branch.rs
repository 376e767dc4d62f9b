//! Branch parameters (RFC 3261 §8.1.1.7) and To tags (§19.3).

use super::write_hex;
use std::hash::Hasher;

/// What every RFC 3261 branch begins with.
pub const MAGIC_COOKIE: &[u8] = b"z9hG4bK";

/// A branch that this server makes: `z9hG4bK`, slot, `.`, key, `.`, branch number, all
/// hexadecimal. A reply's branch leads back to its transaction without a search by text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Branch {
    /// Where the transaction is found.
    pub slot: u32,
    /// What makes the transaction unique.
    pub key: u64,
    /// The branch of the transaction, from 0.
    pub index: u16,
}

impl Branch {
    /// Appends the branch to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(MAGIC_COOKIE);
        write_hex(out, u64::from(self.slot));
        out.push(b'.');
        write_hex(out, self.key);
        out.push(b'.');
        write_hex(out, u64::from(self.index));
    }

    /// The branch that `text` is, when it has the form that [`Branch::write`] gives.
    pub fn parse(text: &[u8]) -> Option<Branch> {
        let rest = text.strip_prefix(MAGIC_COOKIE)?;
        let mut parts = rest.split(|c| *c == b'.').map(parse_hex);
        let (slot, key, index) = (parts.next()??, parts.next()??, parts.next()??);
        if parts.next().is_some() {
            return None;
        }
        Some(Branch {
            slot: u32::try_from(slot).ok()?,
            key,
            index: u16::try_from(index).ok()?,
        })
    }
}

/// The hexadecimal number that `s` is; lower case without leading zeros, as it is written.
fn parse_hex(s: &[u8]) -> Option<u64> {
    if s.is_empty() || s.len() > 16 || (s.len() > 1 && s[0] == b'0') {
        return None;
    }
    s.iter().try_fold(0u64, |n, c| {
        let digit = match c {
            b'0'..=b'9' => c - b'0',
            b'a'..=b'f' => c - b'a' + 10,
            _ => return None,
        };
        Some(n << 4 | u64::from(digit))
    })
}

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
    fn a_branch_reads_back() {
        let branch = Branch {
            slot: 0xffff,
            key: u64::MAX,
            index: 0,
        };
        let mut out = Vec::new();
        branch.write(&mut out);
        assert_eq!(out, b"z9hG4bKffff.ffffffffffffffff.0");
        assert_eq!(Branch::parse(&out), Some(branch));
        for bad in [
            &b""[..],
            b"z9hG4bK",
            b"z9hG4bK1.2",
            b"z9hG4bK1.2.3.4",
            b"z9hG4bK01.2.3",
            b"z9hG4bK1.2.10000",
            b"z9hG4bK100000000.2.3",
            b"z9hG4bKA.2.3",
        ] {
            assert_eq!(Branch::parse(bad), None, "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn a_tag_depends_on_key_and_parts() {
        let tag = ToTag::new([1, 2], &[b"a", b"bc"]);
        assert_eq!(tag, ToTag::new([1, 2], &[b"a", b"bc"]));
        assert_ne!(tag, ToTag::new([1, 2], &[b"ab", b"c"]));
        assert_ne!(tag, ToTag::new([1, 3], &[b"a", b"bc"]));
        assert!(crate::token::is_token(tag.as_bytes()));
    }
}
