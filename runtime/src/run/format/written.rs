//! A variable as a format says it, taken apart: `$name`, `$name(inner)`,
//! `$(name(inner)[index]{class.operation,parameter})`.

use super::FormatError;

/// A variable, all parts as they are written.
pub(super) struct Written<'t> {
    pub name: &'t [u8],
    pub inner: Option<&'t [u8]>,
    pub index: Option<&'t [u8]>,
    pub transformations: Vec<Transformation<'t>>,
}

/// `{class.operation,parameters}`.
pub(super) struct Transformation<'t> {
    pub class: &'t [u8],
    pub name: &'t [u8],
    /// What stands after the first comma; none without one.
    pub parameters: Option<&'t [u8]>,
}

/// Most transformations of one variable.
const MOST: usize = 32;

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
}

/// The variable at the `$` that `text` begins with, and how many bytes it takes.
pub(super) fn variable(text: &[u8]) -> Result<(Written<'_>, usize), FormatError> {
    let mut reader = Reader { text, at: 1 };
    let enclosed = reader.take(b'(');
    let name = reader.run(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'?'));
    if name.is_empty() {
        return Err(FormatError::syntax(text));
    }
    let mut written = Written {
        name,
        inner: None,
        index: None,
        transformations: Vec::new(),
    };
    if reader.peek() == Some(b'(') {
        written.inner = Some(reader.enclosed(b'(', b')')?);
    }
    if enclosed {
        if reader.peek() == Some(b'[') {
            written.index = Some(reader.enclosed(b'[', b']')?);
        }
        while reader.peek() == Some(b'{') {
            if written.transformations.len() >= MOST {
                return Err(FormatError::syntax(text));
            }
            let own = reader.enclosed(b'{', b'}')?;
            written.transformations.push(transformation(own)?);
            reader.run(|c| c.is_ascii_whitespace());
        }
        if !reader.take(b')') {
            return Err(FormatError::syntax(text));
        }
    }
    Ok((written, reader.at))
}

/// The variable that `text` is, if it is exactly one.
pub(super) fn whole(text: &[u8]) -> Option<Written<'_>> {
    if text.first() != Some(&b'$') {
        return None;
    }
    let (written, len) = variable(text).ok()?;
    (len == text.len()).then_some(written)
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn run(&mut self, belongs: impl Fn(u8) -> bool) -> &'t [u8] {
        let from = self.at;
        while self.peek().is_some_and(&belongs) {
            self.at += 1;
        }
        &self.text[from..self.at]
    }

    /// At `open`: what stands up to the `close` that belongs to it.
    fn enclosed(&mut self, open: u8, close: u8) -> Result<&'t [u8], FormatError> {
        let from = self.at + 1;
        let mut depth = 0usize;
        while let Some(byte) = self.peek() {
            self.at += 1;
            if byte == open {
                depth += 1;
            } else if byte == close {
                depth -= 1;
                if depth == 0 {
                    return Ok(&self.text[from..self.at - 1]);
                }
            }
        }
        Err(FormatError::syntax(self.text))
    }
}

fn transformation(text: &[u8]) -> Result<Transformation<'_>, FormatError> {
    let word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    let mut reader = Reader { text, at: 0 };
    let class = reader.run(word);
    if class.is_empty() || !reader.take(b'.') {
        return Err(FormatError::syntax(text));
    }
    let name = reader.run(|c| word(c) || matches!(c, b'.' | b'-'));
    reader.run(|c| c.is_ascii_whitespace());
    let parameters = match reader.peek() {
        None => None,
        Some(b',') => text.get(reader.at + 1..),
        Some(_) => return Err(FormatError::syntax(text)),
    };
    if name.is_empty() {
        return Err(FormatError::syntax(text));
    }
    Ok(Transformation {
        class,
        name,
        parameters,
    })
}

/// Parameters of a transformation: `text` at its commas, at most `most` parts, of which the last takes
/// the rest. Commas in variables do not count; blanks before a parameter do not either.
pub(super) fn split(text: &[u8], most: usize) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let (mut from, mut depth) = (0, 0usize);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'(' | b'{' => depth += 1,
            b')' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 && parts.len() + 1 < most => {
                parts.push(text[from..at].trim_ascii_start());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[from..].trim_ascii_start());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_are_found() {
        let text = b"$(avp($var(n))[$var(i)]{s.substr,1,$(var(m){s.len})} {s.len}) rest";
        let (it, len) = variable(text).unwrap();
        assert_eq!(&text[len..], b" rest");
        assert_eq!((it.name, it.inner), (&b"avp"[..], Some(&b"$var(n)"[..])));
        assert_eq!(it.index, Some(&b"$var(i)"[..]));
        assert_eq!(it.transformations.len(), 2);
        let parameters = it.transformations[0].parameters.unwrap();
        assert_eq!(split(parameters, 2), [&b"1"[..], b"$(var(m){s.len})"]);
        assert_eq!(split(b"1,,", 2), [&b"1"[..], b","]);
        assert_eq!(variable(b"$ruri.user@").unwrap().1, 10);
    }

    #[test]
    fn malformed_variables_are_refused() {
        for text in [
            "$",
            "$( x)",
            "$(x",
            "$x(y",
            "$(x[1)",
            "$(x{s})",
            "$(x{s.len)",
            "$(x{s.a b})",
        ] {
            assert!(variable(text.as_bytes()).is_err(), "{text}");
        }
        let nested = "$(a(".repeat(20_000);
        assert!(variable(nested.as_bytes()).is_err());
    }
}
