//! The order of a hash table's items: that in which Kamailio stores them, and so in which a script
//! meets them. Slots come one after the other, in a slot the items by their hash.
//!
//! **Invariant:** the hash is that of Kamailio's core, letter case left out; where an item is found
//! never depends on it alone, for whoever sends messages can choose keys of one hash.

/// The hash of `key`: Kamailio's `core_case_hash`.
fn hash(key: &[u8]) -> u32 {
    let mut hash = 0u32;
    for chunk in key.chunks(4) {
        let word = chunk.iter().fold(0u32, |word, byte| {
            // C's `char` has a sign.
            let signed = byte.to_ascii_lowercase() as i8;
            (word << 8).wrapping_add(signed as u32)
        });
        hash = hash.wrapping_add(word ^ (word >> 3));
    }
    let upper = (hash >> 13).wrapping_add(hash >> 23);
    hash.wrapping_add(hash >> 11).wrapping_add(upper)
}

/// Where `key` stands among the items of a table of 2 to the power of `bits` slots: its slot in the
/// upper `bits`, the rest of its hash below. `bits` is 1 to 31.
pub fn rank(key: &[u8], bits: u32) -> u32 {
    hash(key).rotate_right(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_kamailio() {
        for (key, expected) in [
            ("k", 102),
            ("K", 102),
            (" k ", 2_386_931),
            ("abcd", 1_834_959_896),
            ("abcdefg", 1_841_897_292),
            ("kä", 6_794_015),
            ("äöü", 3_138_727_421),
        ] {
            assert_eq!(hash(key.as_bytes()), expected, "{key}");
        }
    }

    #[test]
    fn slots_come_one_after_the_other() {
        assert_eq!(rank(b"k", 4), (6 << 28) | 6);
        assert_eq!(rank(b" k ", 4) >> 28, 3);
    }
}
