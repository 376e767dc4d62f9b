//! `Content-Type` and `Content-Disposition` (RFC 3261 §20.15, §20.11).

use crate::event::token_and_params;
use crate::params::Params;
use crate::token::{is_token, trim};

/// The value of a `Content-Type` header field, or one of `Accept`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaType<'a> {
    /// `application`, `multipart`, …
    pub kind: &'a [u8],
    /// `sdp`, `mixed`, …
    pub subtype: &'a [u8],
    /// What follows.
    pub params: Params<'a>,
}

impl<'a> MediaType<'a> {
    /// Parses `multipart/mixed;boundary="x"`.
    pub fn parse(value: &'a [u8]) -> Option<MediaType<'a>> {
        let value = trim(value);
        let end = memchr::memchr(b';', value).unwrap_or(value.len());
        let slash = memchr::memchr(b'/', &value[..end])?;
        let (kind, subtype) = (trim(&value[..slash]), trim(&value[slash + 1..end]));
        (is_token(kind) && is_token(subtype)).then(|| MediaType {
            kind,
            subtype,
            params: Params::new(&value[end..]),
        })
    }

    /// True for the type `name`, as `application/sdp`, in any case.
    pub fn is(&self, name: &[u8]) -> bool {
        let mut halves = name.splitn(2, |c| *c == b'/');
        halves
            .next()
            .is_some_and(|k| k.eq_ignore_ascii_case(self.kind))
            && halves
                .next()
                .is_some_and(|s| s.eq_ignore_ascii_case(self.subtype))
    }

    /// True for `application/sdp`.
    pub fn is_sdp(&self) -> bool {
        self.is(b"application/sdp")
    }

    /// The boundary between the parts of a multipart body: 1 to 70 bytes (RFC 2046 §5.1.1).
    pub fn boundary(&self) -> Option<&'a [u8]> {
        if !self.kind.eq_ignore_ascii_case(b"multipart") {
            return None;
        }
        self.params
            .get(b"boundary")
            .filter(|b| (1..=70).contains(&b.len()))
    }
}

/// The value of a `Content-Disposition` header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disposition<'a> {
    /// `session`, `render`, `signal`, …
    pub kind: &'a [u8],
    /// What follows it.
    pub params: Params<'a>,
}

impl<'a> Disposition<'a> {
    /// Parses `signal;handling=required`.
    pub fn parse(value: &'a [u8]) -> Option<Disposition<'a>> {
        let (kind, params) = token_and_params(value)?;
        Some(Disposition { kind, params })
    }

    /// True when a receiver that does not know the body must refuse it; the default (RFC 3261
    /// §20.11).
    pub fn is_required(&self) -> bool {
        self.params
            .get(b"handling")
            .is_none_or(|h| !h.eq_ignore_ascii_case(b"optional"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_boundaries() {
        let t = MediaType::parse(b"Multipart / Mixed ;boundary=\"a b\"").unwrap();
        assert!(t.is(b"multipart/mixed") && !t.is_sdp());
        assert_eq!(t.boundary(), Some(&b"a b"[..]));
        assert_eq!(
            MediaType::parse(b"text/plain;boundary=x")
                .unwrap()
                .boundary(),
            None
        );
        for bad in [&b""[..], b"text", b"/x", b"a b/c"] {
            assert_eq!(MediaType::parse(bad), None);
        }
    }

    #[test]
    fn dispositions() {
        let d = Disposition::parse(b"signal;handling=required").unwrap();
        assert_eq!((d.kind, d.is_required()), (&b"signal"[..], true));
        assert!(
            !Disposition::parse(b"render; handling=Optional")
                .unwrap()
                .is_required()
        );
    }
}
