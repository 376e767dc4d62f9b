//! Parameter lists `;name=value;flag;name="quoted"` of headers and URIs (RFC 3261 §25.1
//! `generic-param`, `uri-parameter`).

use crate::span::offset_in;
use crate::token::{find_unquoted, trim, unquote};
use std::ops::Range;

/// A parameter list, as it stands in the message, from its first `;` or after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params<'a> {
    raw: &'a [u8],
}

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// The whole of it, `name=value`, without the `;`, trimmed.
    pub raw: &'a [u8],
    /// The name, trimmed.
    pub name: &'a [u8],
    /// The value with its quotes, trimmed; `None` when there is no `=`.
    pub value: Option<&'a [u8]>,
}

impl<'a> Params<'a> {
    /// The list in `raw`.
    #[inline]
    pub fn new(raw: &'a [u8]) -> Params<'a> {
        Params { raw }
    }

    /// The text of the list.
    #[inline]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// True when there is no parameter.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// All parameters in order; empty ones (`;;`) are left out.
    #[inline]
    pub fn iter(&self) -> ParamIter<'a> {
        ParamIter { rest: self.raw }
    }

    /// The first parameter called `name`, case-insensitively.
    pub fn find(&self, name: &[u8]) -> Option<Param<'a>> {
        self.iter().find(|p| p.name.eq_ignore_ascii_case(name))
    }

    /// The value of the first parameter called `name` without quotes; empty when it has none.
    pub fn get(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.find(name).map(|p| p.unquoted())
    }

    /// True when there is a parameter called `name`.
    pub fn has(&self, name: &[u8]) -> bool {
        self.find(name).is_some()
    }

    /// Byte range of `param` within `whole`, with the `;` before it: what to delete to remove it.
    pub fn range_with_semicolon(whole: &[u8], param: &Param<'_>) -> Option<Range<usize>> {
        let range = offset_in(whole, param.raw)?;
        let before = whole.get(..range.start)?;
        let start = before.iter().rposition(|c| *c == b';')?;
        Some(start..range.end)
    }
}

impl<'a> Param<'a> {
    /// The value without quotes; empty when there is none.
    pub fn unquoted(&self) -> &'a [u8] {
        unquote(self.value.unwrap_or_default())
    }
}

/// See [`Params::iter`].
#[derive(Clone, Debug)]
pub struct ParamIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for ParamIter<'a> {
    type Item = Param<'a>;

    fn next(&mut self) -> Option<Param<'a>> {
        while !self.rest.is_empty() {
            let end = find_unquoted(self.rest, 0, |c| c == b';').unwrap_or(self.rest.len());
            let raw = trim(&self.rest[..end]);
            self.rest = self.rest.get(end + 1..).unwrap_or_default();
            if raw.is_empty() {
                continue;
            }
            return Some(match memchr::memchr(b'=', raw) {
                Some(eq) => Param {
                    raw,
                    name: trim(&raw[..eq]),
                    value: Some(trim(&raw[eq + 1..])),
                },
                None => Param {
                    raw,
                    name: raw,
                    value: None,
                },
            });
        }
        None
    }
}

impl<'a> IntoIterator for Params<'a> {
    type Item = Param<'a>;
    type IntoIter = ParamIter<'a>;

    fn into_iter(self) -> ParamIter<'a> {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_flags_and_quotes() {
        let text = b";lr; a = \"x;y\" ;;tag=1";
        let p = Params::new(text);
        let names: Vec<_> = p.iter().map(|p| p.name).collect();
        assert_eq!(names, [&b"lr"[..], b"a", b"tag"]);
        assert_eq!(p.get(b"A"), Some(&b"x;y"[..]));
        assert_eq!(p.get(b"lr"), Some(&b""[..]));
        assert_eq!(p.get(b"none"), None);
        let tag = p.find(b"tag").unwrap();
        let range = Params::range_with_semicolon(text, &tag).unwrap();
        assert_eq!(&text[range], b";tag=1");
    }
}
