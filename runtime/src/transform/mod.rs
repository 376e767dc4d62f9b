//! Transformations of a value, `$(name{class.operation,parameter})`, a file a class.
//!
//! **Invariant:** what a transformation gives lies in its input, in static data or in the run's
//! scratch memory. No input, of any length or content, makes one panic or grow without bound.

pub mod address;
pub mod alias;
pub mod line;
pub mod param;
pub mod string;
pub mod substitute;
#[cfg(test)]
mod tests;
pub mod uri;
pub mod value;

use std::borrow::Cow;

use crate::declare::{Arg, ArgKind, ConstantError, Index, Parse};
use crate::run::Run;
use crate::shim::Failed;
use crate::value::{Val, Value, parse_int, tag};

/// A whole number: digits with an optional sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal(i64);

impl Parse for Decimal {
    const NAME: &'static str = "decimal";
    const WHAT: &'static str = "a number";
    const BY_VALUE: bool = true;

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        match text.trim_ascii() {
            [] | [b'0', b'x' | b'X', ..] => None,
            digits => parse_int(digits),
        }
        .map(Decimal)
        .ok_or_else(|| ConstantError::new("a number is expected"))
    }
}

/// A numeric parameter: a literal, or a variable that must hold an integer; digits as text are none.
#[derive(Debug)]
pub struct Number(Option<i64>);

impl<'a> Arg<'a> for Number {
    const KIND: ArgKind = ArgKind::Parsed(Decimal::KIND);

    unsafe fn take(val: Val) -> Self {
        Number(match val.kind() {
            // SAFETY: the address of a constant of this type, alive while the program is.
            tag::CONSTANT => Some(unsafe { &*(val.data as *const Decimal) }.0),
            tag::INT => Some(val.data as i64),
            _ => None,
        })
    }
}

impl Number {
    /// The number; a variable that holds none is an error.
    fn get(self) -> Result<i64, Failed> {
        self.0.ok_or(Failed)
    }

    /// The element that it means among `len`: from 0, negative from the end.
    fn among(self, len: usize) -> Result<Option<usize>, Failed> {
        Ok(Index::At(self.get()?).among(len))
    }
}

/// A text parameter: literal, or a variable that must have a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'a>(Value<'a>);

impl<'a> Arg<'a> for Parameter<'a> {
    const KIND: ArgKind = ArgKind::Any;

    unsafe fn take(val: Val) -> Self {
        // SAFETY: the caller's promise.
        Parameter(unsafe { val.view() })
    }
}

impl<'a> Parameter<'a> {
    /// The text; a variable without a value is an error.
    fn get(self) -> Result<Cow<'a, [u8]>, Failed> {
        match self.0 {
            Value::Null => Err(Failed),
            value => Ok(value.text()),
        }
    }

    /// Its first character, where it has one.
    fn first(self) -> Result<Option<u8>, Failed> {
        Ok(self.get()?.first().copied())
    }
}

/// Scratch space that is filled from the front; it gives what was written.
struct Output<'a> {
    space: &'a mut [u8],
    len: usize,
}

/// Lets `write` write up to `room` bytes into the run's scratch memory. More than that is cut.
fn output(run: &mut Run, room: usize, write: impl FnOnce(&mut Output<'_>)) -> Val {
    let Some(space) = run.scratch.alloc(room) else {
        return Val::FAIL;
    };
    let mut output = Output { space, len: 0 };
    write(&mut output);
    let Output { space, len } = output;
    space.get(..len).map_or(Val::FAIL, Val::str)
}

/// As [`output`], for a conversion that can meet text it has no answer for.
fn try_output(
    run: &mut Run,
    room: usize,
    write: impl FnOnce(&mut Output<'_>) -> Option<()>,
) -> Result<Val, Failed> {
    let mut done = None;
    let val = output(run, room, |out| done = write(out));
    done.map(|()| val).ok_or(Failed)
}

impl Output<'_> {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.space.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    fn extend(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len()).min(self.space.len());
        if let Some(place) = self.space.get_mut(self.len..end) {
            place.copy_from_slice(&bytes[..place.len()]);
        }
        self.len = end;
    }

    /// Two hexadecimal digits.
    fn hex(&mut self, byte: u8) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.push(DIGITS[usize::from(byte >> 4)]);
        self.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// The value of a hexadecimal digit.
fn digit(c: u8) -> Option<u8> {
    char::from(c).to_digit(16).map(|n| n as u8)
}
