//! `name-addr` and `addr-spec` with header parameters (RFC 3261 §20.10, §25.1): the values of
//! From, To, Contact, Route, Record-Route, P-Asserted-Identity and their like.

use crate::error::{ParseError, ParseErrorKind};
use crate::params::Params;
use crate::token::{List, find_outside, list, skip_quoted, trim, unquote};
use crate::uri::Uri;

/// One address with its header parameters. All parts are subslices of the parsed text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// The whole value, trimmed.
    pub raw: &'a [u8],
    /// The display name as it stands, with its quotes; empty when there is none.
    pub display: &'a [u8],
    /// The URI without angle brackets.
    pub uri: &'a [u8],
    /// The header's parameters (after the `>`).
    pub params: Params<'a>,
    /// True when the URI stands in angle brackets.
    pub bracketed: bool,
}

impl<'a> NameAddr<'a> {
    /// Parses `value` as one address. Without angle brackets everything from the first `;` on is
    /// a header parameter (RFC 3261 §20.10).
    pub fn parse(value: &'a [u8]) -> Result<NameAddr<'a>, ParseError> {
        let raw = trim(value);
        let bad = |at| Err(ParseError::new(ParseErrorKind::BadAddress, at));
        let open = match raw.first() {
            None => return bad(0),
            Some(b'"') => match skip_quoted(raw, 0) {
                Some(after) => match memchr::memchr(b'<', &raw[after..]) {
                    Some(n) if trim(&raw[after..after + n]).is_empty() => Some(after + n),
                    _ => return bad(after),
                },
                None => return bad(0),
            },
            Some(_) => {
                let stop = memchr::memchr3(b'<', b';', b'"', raw).unwrap_or(raw.len());
                match raw.get(stop) {
                    Some(b'<') => Some(stop),
                    Some(b'"') => return bad(stop),
                    _ => None,
                }
            }
        };
        let Some(open) = open else {
            let end = memchr::memchr(b';', raw).unwrap_or(raw.len());
            let uri = trim(&raw[..end]);
            if uri.is_empty() {
                return bad(0);
            }
            return Ok(NameAddr {
                raw,
                display: &raw[..0],
                uri,
                params: Params::new(&raw[end..]),
                bracketed: false,
            });
        };
        let Some(len) = memchr::memchr(b'>', &raw[open..]) else {
            return bad(open);
        };
        let close = open + len;
        let rest = trim(&raw[close + 1..]);
        if !rest.is_empty() && rest[0] != b';' {
            return bad(close + 1);
        }
        Ok(NameAddr {
            raw,
            display: trim(&raw[..open]),
            uri: trim(&raw[open + 1..close]),
            params: Params::new(rest),
            bracketed: true,
        })
    }

    /// The display name without its quotes; escapes stay.
    pub fn display_unquoted(&self) -> &'a [u8] {
        unquote(self.display)
    }

    /// The `tag` parameter, when it has a value.
    #[inline]
    pub fn tag(&self) -> Option<&'a [u8]> {
        self.params.get(b"tag").filter(|t| !t.is_empty())
    }

    /// The URI, parsed.
    pub fn parse_uri(&self) -> Result<Uri<'a>, ParseError> {
        Uri::parse(self.uri)
    }
}

/// Iterates over a comma-separated list of addresses (Route, Record-Route, Path, …).
pub fn addresses(value: &[u8]) -> NameAddrs<'_> {
    NameAddrs { list: list(value) }
}

/// See [`addresses`].
#[derive(Clone, Debug)]
pub struct NameAddrs<'a> {
    list: List<'a>,
}

impl<'a> Iterator for NameAddrs<'a> {
    type Item = Result<NameAddr<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.list.next().map(NameAddr::parse)
    }
}

/// One value of a Contact header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact<'a> {
    /// `*`: all bindings (RFC 3261 §10.2.2).
    Star,
    /// An address.
    Address(NameAddr<'a>),
}

/// Iterates over the values of a Contact header field.
pub fn contacts(value: &[u8]) -> Contacts<'_> {
    Contacts { list: list(value) }
}

/// See [`contacts`].
#[derive(Clone, Debug)]
pub struct Contacts<'a> {
    list: List<'a>,
}

impl<'a> Iterator for Contacts<'a> {
    type Item = Result<Contact<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.list.next()?;
        let end = find_outside(item, 0, b";");
        if trim(&item[..end]) == b"*" {
            return Some(Ok(Contact::Star));
        }
        Some(NameAddr::parse(item).map(Contact::Address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_rfc_3261() {
        let a =
            NameAddr::parse(b"\"A. G. \\\"Bell\\\" <x>\" <sip:agb@bell-telephone.com> ;tag=a48s")
                .unwrap();
        assert_eq!(a.display_unquoted(), b"A. G. \\\"Bell\\\" <x>");
        assert_eq!(a.uri, b"sip:agb@bell-telephone.com");
        assert_eq!(a.tag(), Some(&b"a48s"[..]));
        let b = NameAddr::parse(b"sip:+12125551212@server.phone2net.com;tag=887s").unwrap();
        assert_eq!(b.uri, b"sip:+12125551212@server.phone2net.com");
        assert_eq!(b.tag(), Some(&b"887s"[..]));
        assert!(!b.bracketed);
        let c = NameAddr::parse(b"Anonymous <sip:c8oqz84zk7z@privacy.org;user=phone>").unwrap();
        assert_eq!(c.display, b"Anonymous");
        assert_eq!(c.tag(), None);
    }

    #[test]
    fn lists_and_star() {
        let v = b"\"Mr. Watson, esq\" <sip:watson@worcester.bell-telephone.com>;q=0.7; expires=3600,\r\n <mailto:watson@bell-telephone.com> ;q=0.1";
        let all: Vec<_> = contacts(v).collect::<Result<_, _>>().unwrap();
        assert_eq!(all.len(), 2);
        let Contact::Address(first) = all[0] else {
            panic!()
        };
        assert_eq!(first.params.get(b"expires"), Some(&b"3600"[..]));
        assert_eq!(contacts(b" * ").next(), Some(Ok(Contact::Star)));
        assert_eq!(addresses(b"<sip:a;lr>,<sip:b;lr>").count(), 2);
    }

    #[test]
    fn malformed() {
        for bad in [
            &b""[..],
            b"<sip:a",
            b"\"open <sip:a>",
            b"\"x\" sip:a",
            b"<sip:a> x",
            b";tag=1",
        ] {
            assert!(NameAddr::parse(bad).is_err(), "{:?}", bad.escape_ascii());
        }
    }
}
