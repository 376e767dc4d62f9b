//! Sets of bytes: what a bracket expression, `.` or a single character of a pattern accepts.
//!
//! Membership follows the C locale: classes hold ASCII only, and ranges go by byte value.

use regex_syntax::hir::{ClassBytes, ClassBytesRange, Hir};

/// A set of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(super) const EMPTY: ByteSet = ByteSet([0; 4]);

    pub(super) fn single(byte: u8) -> ByteSet {
        let mut set = ByteSet::EMPTY;
        set.insert(byte);
        set
    }

    /// The bytes for which `belongs` holds.
    pub(super) fn of(belongs: impl Fn(u8) -> bool) -> ByteSet {
        let mut set = ByteSet::EMPTY;
        for byte in 0..=u8::MAX {
            if belongs(byte) {
                set.insert(byte);
            }
        }
        set
    }

    /// A character class by its POSIX name (`alpha`, `xdigit`, …); `None` if there is none.
    pub(super) fn class(name: &[u8]) -> Option<ByteSet> {
        let belongs: fn(u8) -> bool = match name {
            b"alpha" => |b| b.is_ascii_alphabetic(),
            b"digit" => |b| b.is_ascii_digit(),
            b"alnum" => |b| b.is_ascii_alphanumeric(),
            b"upper" => |b| b.is_ascii_uppercase(),
            b"lower" => |b| b.is_ascii_lowercase(),
            b"space" => is_space,
            b"blank" => |b| b == b' ' || b == b'\t',
            b"punct" => |b| b.is_ascii_punctuation(),
            b"print" => |b| b.is_ascii_graphic() || b == b' ',
            b"graph" => |b| b.is_ascii_graphic(),
            b"cntrl" => |b| b.is_ascii_control(),
            b"xdigit" => |b| b.is_ascii_hexdigit(),
            _ => return None,
        };
        Some(ByteSet::of(belongs))
    }

    /// `\w`: letters, digits and `_`.
    pub(super) fn word() -> ByteSet {
        ByteSet::of(|b| b.is_ascii_alphanumeric() || b == b'_')
    }

    /// `\s`: the class `space`.
    pub(super) fn space() -> ByteSet {
        ByteSet::of(is_space)
    }

    pub(super) fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(super) fn remove(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] &= !(1 << (byte & 63));
    }

    pub(super) fn insert_range(&mut self, first: u8, last: u8) {
        for byte in first..=last {
            self.insert(byte);
        }
    }

    pub(super) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] & (1 << (byte & 63)) != 0
    }

    pub(super) fn union(&mut self, other: &ByteSet) {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
    }

    pub(super) fn complement(&self) -> ByteSet {
        ByteSet(self.0.map(|word| !word))
    }

    /// The bytes whose upper case is in this set: the C library compares a text in upper case
    /// when it ignores case.
    pub(super) fn ignoring_case(&self) -> ByteSet {
        ByteSet::of(|byte| self.contains(byte.to_ascii_uppercase()))
    }

    /// The expression that matches one byte of this set.
    pub(super) fn to_hir(self) -> Hir {
        let mut ranges = Vec::new();
        let mut first = None;
        for byte in 0..=u8::MAX {
            match (first, self.contains(byte)) {
                (None, true) => first = Some(byte),
                (Some(start), false) => {
                    ranges.push(ClassBytesRange::new(start, byte - 1));
                    first = None;
                }
                _ => {}
            }
        }
        if let Some(start) = first {
            ranges.push(ClassBytesRange::new(start, u8::MAX));
        }
        match ranges.as_slice() {
            [only] if only.start() == only.end() => Hir::literal([only.start()]),
            _ => Hir::class(regex_syntax::hir::Class::Bytes(ClassBytes::new(ranges))),
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
