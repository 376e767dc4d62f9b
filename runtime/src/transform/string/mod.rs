//! The class `s`: strings of bytes. An integer as input is its decimal text.

pub mod change;
pub mod cut;
pub mod digest;
pub mod encode;
pub mod escape;
pub mod measure;

use crate::declare::{Arg, ArgKind, ConstantError, Parse, Parsed};
use crate::shim::Failed;
use crate::value::{Val, tag};

/// Literal text in which `\n`, `\r`, `\t` and `\\` are escapes; blanks before it do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escaped(Box<[u8]>);

impl Parse for Escaped {
    const NAME: &'static str = "s-escaped";
    const WHAT: &'static str = "text";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        Ok(Escaped(unescaped(text.trim_ascii_start()).into()))
    }
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let (byte, tail) = match (first, tail) {
            (b'\\', [b'n', tail @ ..]) => (b'\n', tail),
            (b'\\', [b'r', tail @ ..]) => (b'\r', tail),
            (b'\\', [b't', tail @ ..]) => (b'\t', tail),
            (b'\\', [b'\\', tail @ ..]) => (b'\\', tail),
            _ => (*first, tail),
        };
        out.push(byte);
        rest = tail;
    }
    out
}

/// One literal character, with the escapes of [`Escaped`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Separator(u8);

impl Parse for Separator {
    const NAME: &'static str = "s-separator";
    const WHAT: &'static str = "one character";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        match unescaped(text)[..] {
            [byte] => Ok(Separator(byte)),
            _ => Err(ConstantError::new("exactly one character is expected")),
        }
    }
}

/// How many bytes to take: no less than 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(usize);

impl Parse for Count {
    const NAME: &'static str = "s-count";
    const WHAT: &'static str = "a number of bytes";
    const BY_VALUE: bool = true;

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        let n = kcc_sip::token::parse_u32(text.trim_ascii());
        n.map(|n| Count(n as usize))
            .ok_or_else(|| ConstantError::new("a number, 0 or more, is expected"))
    }
}

/// A [`Count`], or a variable that must hold such an integer.
#[derive(Debug)]
pub struct Bytes(Option<usize>);

impl<'a> Arg<'a> for Bytes {
    const KIND: ArgKind = ArgKind::Parsed(Count::KIND);

    unsafe fn take(val: Val) -> Self {
        Bytes(match val.kind() {
            // SAFETY: the address of a constant of this type, alive while the program is.
            tag::CONSTANT => Some(unsafe { &*(val.data as *const Count) }.0),
            tag::INT => usize::try_from(val.data as i64).ok(),
            _ => None,
        })
    }
}

impl Bytes {
    /// The number; a variable that holds none is an error.
    fn get(self) -> Result<usize, Failed> {
        self.0.ok_or(Failed)
    }
}

/// The text of a parameter, whether literal or from a variable.
fn text<'a>(parameter: &'a Parsed<'_, Escaped>) -> &'a [u8] {
    match parameter {
        Parsed::Constant(escaped) => &escaped.0,
        Parsed::Text(text) => text,
    }
}
