//! One item of a hash table: key and value in one piece of memory, and when it is over.

use kcc_runtime::value::Value;

/// What an item takes besides its key and its value: itself, its places in the shard's indices.
const OVERHEAD: usize = 192;

/// A key with its value.
#[derive(Debug)]
pub struct Item {
    /// Where it stands among the items of its table.
    pub position: Position,
    /// When it is over, in milliseconds since the server started; 0 is never.
    pub expires: u64,
    /// When its shard looks at it for that; 0 is never. At or before `expires`.
    pub due: u64,
    key_len: u32,
    /// The value, where it is an integer.
    int: Option<i64>,
    /// The key, then the value where it is a string.
    text: Vec<u8>,
}

/// Where an item stands among the others: by rank, then by age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// See [`rank`](super::rank::rank).
    pub rank: u32,
    /// A number that its shard gives once.
    pub number: u64,
}

impl Item {
    /// An item without value: null is none.
    pub fn new(position: Position, key: &[u8], value: Value<'_>) -> Item {
        let mut item = Item {
            position,
            expires: 0,
            due: 0,
            key_len: u32::try_from(key.len()).unwrap_or(u32::MAX),
            int: None,
            text: Vec::with_capacity(key.len() + text_of(value).len()),
        };
        item.text.extend_from_slice(key);
        item.set(value);
        item
    }

    /// The key.
    pub fn key(&self) -> &[u8] {
        &self.text[..self.key_len as usize]
    }

    /// The value.
    pub fn value(&self) -> Value<'_> {
        match self.int {
            Some(n) => Value::Int(n),
            None => Value::Str(&self.text[self.key_len as usize..]),
        }
    }

    /// Gives it another value; null counts as the empty string.
    pub fn set(&mut self, value: Value<'_>) {
        self.int = match value {
            Value::Int(n) => Some(n),
            _ => None,
        };
        self.text.truncate(self.key_len as usize);
        self.text.extend_from_slice(text_of(value));
        if self.text.capacity() > 2 * self.text.len() + 64 {
            self.text.shrink_to_fit();
        }
    }

    /// Whether its time is over at `now`.
    pub fn is_over(&self, now: u64) -> bool {
        self.expires != 0 && self.expires < now
    }

    /// The memory that it counts for, in bytes.
    pub fn size(&self) -> usize {
        OVERHEAD + self.text.len()
    }

    /// The memory that an item of `key` and `value` counts for, in bytes.
    pub fn size_of(key: &[u8], value: Value<'_>) -> usize {
        OVERHEAD + key.len() + text_of(value).len()
    }
}

fn text_of(value: Value<'_>) -> &[u8] {
    match value {
        Value::Str(text) => text,
        Value::Int(_) | Value::Null => b"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_any_kind_takes_the_place_of_another() {
        let position = Position { rank: 0, number: 0 };
        let long = [b'x'; 4096];
        let mut item = Item::new(position, b"key", Value::Str(&long));
        for value in [Value::Int(-1), Value::Str(b""), Value::Str(b"text")] {
            item.set(value);
            assert_eq!((item.key(), item.value()), (&b"key"[..], value));
            assert_eq!(item.size(), Item::size_of(b"key", value));
        }
        assert!(item.text.capacity() < 128);
    }
}
