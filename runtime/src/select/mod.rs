//! Selects: `@from.uri.user` and `$sel(from.uri.user)`, a file a family (semantics reference §9).
//!
//! A select is declared as a pseudo-variable whose name starts with `@`: the first name of the path,
//! in lower case. What follows it is the variable's inner name, a constant that is parsed once, when
//! the program is loaded. So a module declares its selects as it declares its variables, and an
//! evaluation is one call of the family's reader.
//!
//! **Invariant:** a value is text or null; nothing of a path is parsed when a message is there.

pub mod address;
pub mod config;
pub mod credentials;
pub mod message;
pub mod network;
pub mod server;
pub mod uri;
pub mod via;

use crate::declare::{ConstantError, Parse};

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// `.name` or `["name"]`.
    Name(&'a [u8]),
    /// `[n]`.
    Index(i64),
}

impl<'a> Step<'a> {
    /// The name, in any case, is `word`.
    pub fn is(self, word: &str) -> bool {
        matches!(self, Step::Name(name) if name.eq_ignore_ascii_case(word.as_bytes()))
    }
}

/// The steps of a path after its first name.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a> {
    text: &'a [u8],
    /// Where the next step starts.
    at: usize,
    /// Where the last step started.
    last: usize,
}

impl<'a> Steps<'a> {
    /// The steps of `text`: `.name`, `[n]`, `["name"]`, one after the other.
    pub fn new(text: &'a [u8]) -> Steps<'a> {
        Steps {
            text,
            at: 0,
            last: 0,
        }
    }

    /// The next step and where the one after it starts.
    fn look(&self) -> Result<Option<(Step<'a>, usize)>, ConstantError> {
        let wrong = |at, message: &str| {
            Err(ConstantError {
                offset: at,
                message: message.into(),
            })
        };
        let rest = self.text.get(self.at..).unwrap_or_default();
        match rest {
            [] => Ok(None),
            [b'.', rest @ ..] => {
                let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                let len = rest.iter().take_while(|byte| word(byte)).count();
                match rest.first() {
                    Some(first) if first.is_ascii_alphabetic() || *first == b'_' => {
                        Ok(Some((Step::Name(&rest[..len]), self.at + 1 + len)))
                    }
                    _ => wrong(self.at + 1, "a name is expected"),
                }
            }
            [b'[', quote @ (b'"' | b'\''), key @ ..] => {
                let end = memchr::memchr(*quote, key).filter(|end| key.get(end + 1) == Some(&b']'));
                match end {
                    Some(end) => Ok(Some((Step::Name(&key[..end]), self.at + end + 4))),
                    None => wrong(self.at, "the brackets do not end"),
                }
            }
            [b'[', rest @ ..] => {
                let Some(end) = memchr::memchr(b']', rest) else {
                    return wrong(self.at, "the brackets do not end");
                };
                let number = std::str::from_utf8(&rest[..end]).ok();
                match number.and_then(|number| number.parse::<i32>().ok()) {
                    Some(n) => Ok(Some((Step::Index(n.into()), self.at + end + 2))),
                    None => wrong(self.at + 1, "a number or a string in quotes is expected"),
                }
            }
            _ => wrong(self.at, "this is no step of a select"),
        }
    }

    /// Takes the next step; `None` at the end.
    ///
    /// # Errors
    /// The text there is no step.
    pub fn step(&mut self) -> Result<Option<Step<'a>>, ConstantError> {
        let Some((step, next)) = self.look()? else {
            return Ok(None);
        };
        (self.last, self.at) = (self.at, next);
        Ok(Some(step))
    }

    /// Takes the next step, which must be a name.
    ///
    /// # Errors
    /// There is none, or an index.
    pub fn name(&mut self) -> Result<&'a [u8], ConstantError> {
        match self.step()? {
            Some(Step::Name(name)) => Ok(name),
            Some(Step::Index(_)) => Err(self.unknown()),
            None => Err(self.incomplete()),
        }
    }

    /// Takes an index, if one is next.
    ///
    /// # Errors
    /// The text there is no step.
    pub fn index(&mut self) -> Result<Option<i64>, ConstantError> {
        match self.look()? {
            Some((Step::Index(n), next)) => {
                (self.last, self.at) = (self.at, next);
                Ok(Some(n))
            }
            _ => Ok(None),
        }
    }

    /// The path goes on where it has an end.
    ///
    /// # Errors
    /// There is one more step.
    pub fn end(&mut self) -> Result<(), ConstantError> {
        match self.step()? {
            None => Ok(()),
            Some(_) => Err(self.unknown()),
        }
    }

    /// The last step is none that is known.
    pub fn unknown(&self) -> ConstantError {
        let named = self.text.get(self.last) == Some(&b'.');
        ConstantError {
            offset: self.last + usize::from(named),
            message: "there is no such part".into(),
        }
    }

    /// The path ends too early.
    pub fn incomplete(&self) -> ConstantError {
        ConstantError {
            offset: self.text.len().saturating_sub(1),
            message: "the path goes no further, and this is no value".into(),
        }
    }
}

/// What follows the first name of a select.
pub trait Path: Sized + Send + Sync + 'static {
    /// Unique name of the type.
    const NAME: &'static str;

    /// Reads steps as far as it knows them.
    ///
    /// # Errors
    /// A step that is not known.
    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError>;
}

/// A path that was read to its end.
#[derive(Debug)]
pub struct Below<T>(pub T);

impl<T: Path> Parse for Below<T> {
    const NAME: &'static str = T::NAME;
    const WHAT: &'static str = "a select";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        let mut steps = Steps::new(text);
        let path = T::read(&mut steps)?;
        steps.end()?;
        Ok(Below(path))
    }
}

/// Nothing follows the first name.
#[derive(Debug)]
pub struct End;

impl Path for End {
    const NAME: &'static str = "select-end";

    fn read(_: &mut Steps<'_>) -> Result<Self, ConstantError> {
        Ok(End)
    }
}

/// `name` with `-` in the place of `_`, as header and parameter names are written in a path; the
/// first byte stays.
pub fn dashed(name: &[u8]) -> Box<[u8]> {
    let dash = |(at, byte): (usize, &u8)| match byte {
        b'_' if at > 0 => b'-',
        byte => *byte,
    };
    name.iter().enumerate().map(dash).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_names_and_numbers() {
        let mut steps = Steps::new(b".a_1[-2][\"k.]\"].b");
        for step in [
            Step::Name(b"a_1"),
            Step::Index(-2),
            Step::Name(b"k.]"),
            Step::Name(b"b"),
        ] {
            assert_eq!(steps.step(), Ok(Some(step)));
        }
        assert_eq!(steps.step(), Ok(None));
        for (text, at) in [
            (".", 1),
            ("x", 0),
            (".a[", 2),
            (".a[x]", 3),
            (".a[\"x]", 2),
            (".a..b", 3),
            (".a[99999999999]", 3),
        ] {
            let mut steps = Steps::new(text.as_bytes());
            let error = loop {
                match steps.step() {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("{text} is a path"),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.offset, at, "{text}");
        }
    }

    #[test]
    fn what_is_no_part_is_told_with_its_place() {
        for (text, at) in [(".x", 1), (".user.x", 6), (".params[1]", 7), ("[1]", 0)] {
            let error = Below::<uri::UriPart>::parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.offset, at, "{text}");
        }
        assert!(Below::<uri::UriPart>::parse(b".PARAMS.x").is_ok());
        assert_eq!(&*dashed(b"_a_b"), b"_a-b");
    }
}
