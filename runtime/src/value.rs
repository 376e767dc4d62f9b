//! The value that compiled code and the runtime pass to one another.
//!
//! A value of the language is null, an integer or a string of bytes
//! (Kamailio's undefined value and null are one here). [`Val`] is its 16-byte form, passed in two registers;
//! [`Value`] is what Rust code works with.
//!
//! **Invariant:** the bytes that a `Val` points to stay in place until the statement that made it
//! ends. They lie in the program's constants, in the received message, or in the run's
//! scratch memory; never in a buffer that a builtin may rewrite.

use std::borrow::Cow;

/// The kinds of a [`Val`], in the low byte of its tag.
pub mod tag {
    /// No value.
    pub const NULL: u64 = 0;
    /// A 64-bit signed integer in `data`.
    pub const INT: u64 = 1;
    /// A string: its address in `data`, its length in the upper half of the tag.
    pub const STR: u64 = 2;
    /// The evaluation failed: the expression around it is given up.
    pub const FAIL: u64 = 3;
    /// The run is over (a panic was contained): nothing more is executed.
    pub const STOP: u64 = 4;
    /// The address of a parsed constant in `data`.
    pub const CONSTANT: u64 = 5;
    /// The address of a [`crate::abi::Place`] in `data`.
    pub const PLACE: u64 = 6;
    /// The low byte holds the kind.
    pub const MASK: u64 = 0xff;
    /// The length of a string stands from this bit on.
    pub const LEN_SHIFT: u32 = 32;
}

/// A value as compiled code holds it: two machine words.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Val {
    /// Kind and, for a string, length. See [`tag`].
    pub tag: u64,
    /// The integer or the address.
    pub data: u64,
}

impl Val {
    /// Null.
    pub const NULL: Val = Val {
        tag: tag::NULL,
        data: 0,
    };
    /// A failed evaluation.
    pub const FAIL: Val = Val {
        tag: tag::FAIL,
        data: 0,
    };
    /// The run is over.
    pub const STOP: Val = Val {
        tag: tag::STOP,
        data: 0,
    };

    /// An integer.
    pub const fn int(n: i64) -> Val {
        Val {
            tag: tag::INT,
            data: n as u64,
        }
    }

    /// A string, by address. The caller keeps the invariant of this module. A string of more
    /// than 4 GiB is cut.
    pub fn str(text: &[u8]) -> Val {
        let len = text.len().min(u32::MAX as usize) as u64;
        Val {
            tag: tag::STR | (len << tag::LEN_SHIFT),
            data: text.as_ptr() as u64,
        }
    }

    /// The kind: one of [`tag`].
    pub const fn kind(self) -> u64 {
        self.tag & tag::MASK
    }

    /// The value, for Rust code.
    ///
    /// # Safety
    /// A string's address and length must be those of live bytes for `'a`: true for each value that
    /// compiled code hands to a builtin, for the length of that call.
    pub unsafe fn view<'a>(self) -> Value<'a> {
        match self.kind() {
            tag::INT => Value::Int(self.data as i64),
            tag::STR => {
                let len = (self.tag >> tag::LEN_SHIFT) as usize;
                // SAFETY: the caller's promise.
                Value::Str(unsafe { std::slice::from_raw_parts(self.data as *const u8, len) })
            }
            _ => Value::Null,
        }
    }
}

impl From<Value<'_>> for Val {
    fn from(value: Value<'_>) -> Val {
        match value {
            Value::Null => Val::NULL,
            Value::Int(n) => Val::int(n),
            Value::Str(text) => Val::str(text),
        }
    }
}

/// A value of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// No value: prints `<null>`, counts as 0 and as the empty string.
    Null,
    /// An integer.
    Int(i64),
    /// A string of bytes.
    Str(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The value as text: null is empty, an integer decimal.
    pub fn text(self) -> Cow<'a, [u8]> {
        match self {
            Value::Null => Cow::Borrowed(b""),
            Value::Int(n) => Cow::Owned(n.to_string().into_bytes()),
            Value::Str(text) => Cow::Borrowed(text),
        }
    }

    /// The value as an integer, by the language's rule for strings ([`parse_int`]); `None` where
    /// that rule has no answer.
    pub fn int(self) -> Option<i64> {
        match self {
            Value::Null => Some(0),
            Value::Int(n) => Some(n),
            Value::Str(text) => parse_int(text),
        }
    }
}

/// What a string is as an integer: the whole of it `[+-]?[0-9]+` in range, or `0x` and hexadecimal
/// digits, of which the last 32 bits count; the empty string is 0; anything else is `None` (Kamailio
/// 6: 0 with a warning).
pub fn parse_int(text: &[u8]) -> Option<i64> {
    parse_int_by(text, IntRule::Wide)
}

/// By which rule a string becomes an integer: Kamailio's versions differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IntRule {
    /// 64 bits (since 5.7).
    #[default]
    Wide,
    /// 32 bits; what is out of range is no number (5.6).
    Narrow,
    /// 32 bits that wrap around, and no hexadecimal digits (4.2).
    Wrapping,
}

/// What a string is as an integer by `rule`; see [`parse_int`].
pub fn parse_int_by(text: &[u8], rule: IntRule) -> Option<i64> {
    let digits = match text {
        [] => return Some(0),
        [b'0', b'x' | b'X', hex @ ..] if !hex.is_empty() && rule != IntRule::Wrapping => {
            let n = hex
                .iter()
                .try_fold(0u32, |n, c| Some((n << 4) | (*c as char).to_digit(16)?))?;
            return Some(match rule {
                IntRule::Wide => i64::from(n),
                IntRule::Narrow | IntRule::Wrapping => i64::from(n as i32),
            });
        }
        [b'+' | b'-', digits @ ..] => digits,
        digits => digits,
    };
    if digits.is_empty() {
        return None;
    }
    let negative = text[0] == b'-';
    let mut n = 0i64;
    for c in digits {
        let digit = i64::from((*c as char).to_digit(10)?);
        let digit = if negative { -digit } else { digit };
        n = match rule {
            IntRule::Wrapping => i64::from((n * 10 + digit) as i32),
            IntRule::Wide | IntRule::Narrow => n.checked_mul(10)?.checked_add(digit)?,
        };
    }
    match rule {
        IntRule::Narrow => i32::try_from(n).ok().map(i64::from),
        IntRule::Wide | IntRule::Wrapping => Some(n),
    }
}

/// A value that owns its bytes, for state that outlives a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Owned {
    /// An integer.
    Int(i64),
    /// A string.
    Str(Box<[u8]>),
}

impl Owned {
    /// The value, borrowed.
    pub fn as_value(&self) -> Value<'_> {
        match self {
            Owned::Int(n) => Value::Int(*n),
            Owned::Str(text) => Value::Str(text),
        }
    }

    /// An owned copy; `None` for null.
    pub fn copy(value: Value<'_>) -> Option<Owned> {
        match value {
            Value::Null => None,
            Value::Int(n) => Some(Owned::Int(n)),
            Value::Str(text) => Some(Owned::Str(text.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_become_integers_as_the_language_says() {
        for (text, n) in [
            ("", Some(0)),
            ("7", Some(7)),
            ("007", Some(7)),
            ("-12", Some(-12)),
            ("+3", Some(3)),
            ("0x1f", Some(31)),
            ("0X1F", Some(31)),
            ("12abc", None),
            (" 1", None),
            ("1e3", None),
            ("-", None),
            ("0x", None),
            ("99999999999", Some(99999999999)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("0xffffffff", Some(4_294_967_295)),
            ("0xfffffffff", Some(4_294_967_295)),
        ] {
            assert_eq!(parse_int(text.as_bytes()), n, "{text:?}");
        }
    }

    #[test]
    fn older_versions_have_other_integers() {
        for (text, narrow, wrapping) in [
            ("0x1f", Some(31), None),
            ("0xffffffff", Some(-1), None),
            ("2147483647", Some(2_147_483_647), Some(2_147_483_647)),
            ("2147483648", None, Some(-2_147_483_648)),
            ("-2147483648", Some(-2_147_483_648), Some(-2_147_483_648)),
            ("99999999999", None, Some(1_215_752_191)),
            ("-99999999999", None, Some(-1_215_752_191)),
            ("99999999999999999999999", None, Some(-159_383_553)),
            ("12abc", None, None),
        ] {
            let by = |rule| parse_int_by(text.as_bytes(), rule);
            assert_eq!(
                (by(IntRule::Narrow), by(IntRule::Wrapping)),
                (narrow, wrapping),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_value_survives_the_two_words() {
        for value in [
            Value::Null,
            Value::Int(-5),
            Value::Str(b"abc"),
            Value::Str(b""),
        ] {
            // SAFETY: the bytes are static.
            assert_eq!(unsafe { Val::from(value).view() }, value);
        }
    }
}
