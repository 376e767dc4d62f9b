//! The class `s`: strings of bytes. An integer as input is its decimal text.

pub mod change;
pub mod cut;
pub mod digest;
pub mod encode;
pub mod escape;
pub mod measure;

use crate::declare::{ConstantError, Parse, Parsed};

/// Literal text in which `\n`, `\r`, `\t` and `\\` are written as on the left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escaped(Box<[u8]>);

impl Parse for Escaped {
    const NAME: &'static str = "s-escaped";
    const WHAT: &'static str = "text";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
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
        Ok(Escaped(out.into()))
    }
}

/// One literal character, with the escapes of [`Escaped`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Separator(u8);

impl Parse for Separator {
    const NAME: &'static str = "s-separator";
    const WHAT: &'static str = "one character";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        match *Escaped::parse(text)?.0 {
            [byte] => Ok(Separator(byte)),
            _ => Err(ConstantError::new("exactly one character is expected")),
        }
    }
}

/// The text of a parameter, whether literal or from a variable.
fn text<'a>(parameter: &'a Parsed<'_, Escaped>) -> &'a [u8] {
    match parameter {
        Parsed::Constant(escaped) => &escaped.0,
        Parsed::Text(text) => text,
    }
}
