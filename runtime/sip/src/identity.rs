//! `Identity` (RFC 8224 §4): a signed statement about who is calling.

use crate::params::Params;
use crate::token::trim;

/// The value of an `Identity` header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The token: header, payload and signature in base64url, joined by dots; the first two are
    /// empty in the compact form.
    pub token: &'a [u8],
    /// What follows it.
    pub params: Params<'a>,
}

impl<'a> Identity<'a> {
    /// Parses `eyJ…;info=<https://…>;alg=ES256;ppt=shaken`. Quotes around the token, of RFC 4474,
    /// are left out.
    pub fn parse(value: &'a [u8]) -> Option<Identity<'a>> {
        let value = trim(value);
        let end = memchr::memchr(b';', value).unwrap_or(value.len());
        let token = crate::token::unquote(trim(&value[..end]));
        (!token.is_empty()).then(|| Identity {
            token,
            params: Params::new(&value[end..]),
        })
    }

    /// Header, payload and signature, when the token has the three parts.
    pub fn parts(&self) -> Option<[&'a [u8]; 3]> {
        let mut parts = self.token.split(|c| *c == b'.');
        let three = [parts.next()?, parts.next()?, parts.next()?];
        parts.next().is_none().then_some(three)
    }

    /// Where the certificate is, without the angle brackets.
    pub fn info(&self) -> Option<&'a [u8]> {
        let info = self.params.get(b"info")?;
        Some(match info {
            [b'<', inner @ .., b'>'] => inner,
            _ => info,
        })
    }

    /// The algorithm.
    pub fn alg(&self) -> Option<&'a [u8]> {
        self.params.get(b"alg")
    }

    /// The kind of statement, `shaken` as a rule.
    pub fn ppt(&self) -> Option<&'a [u8]> {
        self.params.get(b"ppt")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_and_compact() {
        let value = b"eyJh.eyJk.c2ln ; info=<https://biloxi.example.org/biloxi.cer>;alg=ES256;ppt=\"shaken\"";
        let identity = Identity::parse(value).unwrap();
        assert_eq!(identity.parts(), Some([&b"eyJh"[..], b"eyJk", b"c2ln"]));
        assert_eq!(
            identity.info(),
            Some(&b"https://biloxi.example.org/biloxi.cer"[..])
        );
        assert_eq!(identity.ppt(), Some(&b"shaken"[..]));
        let compact = Identity::parse(b"..c2ln;info=<x>").unwrap();
        assert_eq!(compact.parts(), Some([&b""[..], b"", b"c2ln"]));
        assert_eq!(Identity::parse(b"a.b").unwrap().parts(), None);
        assert_eq!(Identity::parse(b";info=<x>"), None);
    }
}
