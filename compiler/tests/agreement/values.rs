//! Values of the language, and what one kind is as another (semantics reference §1 and §2).

use std::fmt;

use kcc::ir::{Arithmetic, Comparison, Compat};
use kcc_runtime::value::IntRule;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// No value.
    Null,
    /// No value, because a variable or transformation failed: a format prints nothing for it.
    Failed,
    /// An integer.
    Int(i64),
    /// Bytes.
    Str(Vec<u8>),
}

/// In a report: `5`, `"five"`, `null`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null | Value::Failed => f.write_str("null"),
            Value::Int(n) => write!(f, "{n}"),
            Value::Str(text) => write!(f, "{:?}", String::from_utf8_lossy(text)),
        }
    }
}

impl Value {
    /// 1 or 0.
    pub fn truth(holds: bool) -> Value {
        Value::Int(i64::from(holds))
    }

    /// Whether there is a value.
    pub fn is_defined(&self) -> bool {
        matches!(self, Value::Int(_) | Value::Str(_))
    }

    /// As a string: an integer is decimal, nothing is empty.
    pub fn text(&self) -> Vec<u8> {
        match self {
            Value::Null | Value::Failed => Vec::new(),
            Value::Int(n) => n.to_string().into_bytes(),
            Value::Str(text) => text.clone(),
        }
    }

    /// As an integer: nothing is 0, and so is a string that is no number.
    pub fn int(&self, compat: Compat) -> i64 {
        match self {
            Value::Null | Value::Failed => 0,
            Value::Int(n) => cut(*n, compat),
            Value::Str(text) => number(text, compat).unwrap_or(0),
        }
    }
}

/// The integer that the whole of a string is; the empty string is 0.
///
/// It is `[+-]?[0-9]+` in the range of the version (4.2 wraps around), or since 4.4 `0x` and
/// hexadecimal digits, of which 32 bits count.
pub fn number(text: &[u8], compat: Compat) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    if text.is_empty() {
        return Some(0);
    }
    let hex = text.strip_prefix("0x").or(text.strip_prefix("0X"));
    if let (Some(digits), IntRule::Wide | IntRule::Narrow) = (hex, compat.int_rule) {
        let all = !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_hexdigit());
        let low = &digits[digits.len().saturating_sub(8)..];
        return all.then(|| cut(i64::from_str_radix(low, 16).unwrap(), compat));
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    match compat.int_rule {
        IntRule::Wide => text.parse().ok(),
        IntRule::Narrow => text.parse::<i32>().ok().map(i64::from),
        IntRule::Wrapping => {
            let digits = digits.bytes().map(|c| i32::from(c - b'0'));
            let n = digits.fold(0i32, |n, digit| n.wrapping_mul(10).wrapping_add(digit));
            let negative = text.starts_with('-');
            Some(i64::from(if negative { n.wrapping_neg() } else { n }))
        }
    }
}

/// An integer in the width of the version.
pub fn cut(n: i64, compat: Compat) -> i64 {
    if compat.narrow {
        i64::from(n as i32)
    } else {
        n
    }
}

/// The result of an operator; none where it divides by zero.
pub fn arithmetic(op: Arithmetic, l: i64, r: i64, compat: Compat) -> Option<i64> {
    let (wide_l, wide_r) = (i128::from(l), i128::from(r));
    let width = if compat.narrow { 32 } else { 64 };
    let count = wide_r.rem_euclid(width) as u32;
    let wide = match op {
        Arithmetic::Add => wide_l + wide_r,
        Arithmetic::Subtract => wide_l - wide_r,
        Arithmetic::Multiply => wide_l * wide_r,
        Arithmetic::Divide if r == 0 => return None,
        Arithmetic::Divide => wide_l / wide_r,
        Arithmetic::Modulo if r == 0 => return None,
        Arithmetic::Modulo => wide_l % wide_r,
        Arithmetic::And => wide_l & wide_r,
        Arithmetic::Or => wide_l | wide_r,
        Arithmetic::Xor => wide_l ^ wide_r,
        Arithmetic::ShiftLeft => wide_l << count,
        Arithmetic::ShiftRight => wide_l >> count,
    };
    Some(cut(wide as i64, compat))
}

/// Whether a comparison of integers holds.
pub fn compare(op: Comparison, l: i64, r: i64) -> bool {
    match op {
        Comparison::Equal => l == r,
        Comparison::NotEqual => l != r,
        Comparison::Less => l < r,
        Comparison::Greater => l > r,
        Comparison::LessEqual => l <= r,
        Comparison::GreaterEqual => l >= r,
    }
}
