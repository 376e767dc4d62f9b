//! Digest authentication as it stands in a message (RFC 3261 §22, RFC 7616, RFC 8760):
//! credentials and challenges. Computing and checking are for those who know secrets.

use crate::token::{List, is_lws, list, trim, trim_start, unquote};

/// The parameters of credentials or of a challenge: `name=value`, separated by commas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthParams<'a> {
    /// The scheme, `Digest` as a rule.
    pub scheme: &'a [u8],
    raw: &'a [u8],
}

impl<'a> AuthParams<'a> {
    /// Parses the value of an Authorization, Proxy-Authorization, WWW-Authenticate,
    /// Proxy-Authenticate or Authentication-Info header field; the last has no scheme.
    pub fn parse(value: &'a [u8]) -> Option<AuthParams<'a>> {
        let value = trim(value);
        let end = value
            .iter()
            .position(|c| is_lws(*c) || matches!(c, b'=' | b'"' | b','))
            .unwrap_or(value.len());
        let rest = trim_start(&value[end..]);
        let (scheme, raw) = match rest.first() {
            Some(b'=') => (&value[..0], value),
            _ => (&value[..end], rest),
        };
        (!value.is_empty()).then_some(AuthParams { scheme, raw })
    }

    /// True for the scheme `Digest`.
    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(b"Digest")
    }

    /// All parameters in order, values as they stand.
    pub fn iter(&self) -> AuthParamIter<'a> {
        AuthParamIter {
            list: list(self.raw),
        }
    }

    /// The first parameter called `name`, without quotes; its escapes stay.
    pub fn get(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| unquote(value))
    }

    /// The user, with a domain where one is given.
    pub fn username(&self) -> Option<&'a [u8]> {
        self.get(b"username")
    }

    /// The protection space.
    pub fn realm(&self) -> Option<&'a [u8]> {
        self.get(b"realm")
    }

    /// The server's nonce.
    pub fn nonce(&self) -> Option<&'a [u8]> {
        self.get(b"nonce")
    }

    /// The URI that the response was computed over.
    pub fn uri(&self) -> Option<&'a [u8]> {
        self.get(b"uri")
    }

    /// The response, in hexadecimal digits.
    pub fn response(&self) -> Option<&'a [u8]> {
        self.get(b"response")
    }

    /// The client's nonce.
    pub fn cnonce(&self) -> Option<&'a [u8]> {
        self.get(b"cnonce")
    }

    /// What the server wants back unchanged.
    pub fn opaque(&self) -> Option<&'a [u8]> {
        self.get(b"opaque")
    }

    /// How often the client has used the nonce.
    pub fn nonce_count(&self) -> Option<u32> {
        let digits = std::str::from_utf8(self.get(b"nc")?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    }

    /// The quality of protection of credentials.
    pub fn qop(&self) -> Option<Qop> {
        self.get(b"qop").map(Qop::parse)
    }

    /// The qualities of protection that a challenge offers.
    pub fn qops(&self) -> impl Iterator<Item = Qop> + use<'a> {
        list(self.get(b"qop").unwrap_or_default()).map(Qop::parse)
    }

    /// The algorithm; MD5 where none is given (RFC 3261 §22.4).
    pub fn algorithm(&self) -> Algorithm {
        self.get(b"algorithm")
            .map_or(Algorithm::Md5, Algorithm::parse)
    }

    /// True for a challenge that says that only the nonce was wrong.
    pub fn is_stale(&self) -> bool {
        self.get(b"stale")
            .is_some_and(|v| v.eq_ignore_ascii_case(b"true"))
    }

    /// The user of [`username`](AuthParams::username) without the domain, and the domain.
    pub fn user_and_domain(&self) -> Option<(&'a [u8], &'a [u8])> {
        let name = self.username()?;
        let name = match name.split_first_chunk::<4>() {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"sip:") => rest,
            _ => name,
        };
        Some(match memchr::memchr(b'@', name) {
            Some(at) => (&name[..at], &name[at + 1..]),
            None => (name, &name[..0]),
        })
    }
}

/// See [`AuthParams::iter`].
#[derive(Clone, Debug)]
pub struct AuthParamIter<'a> {
    list: List<'a>,
}

impl<'a> Iterator for AuthParamIter<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let item = self.list.next()?;
        Some(match memchr::memchr(b'=', item) {
            Some(eq) => (trim(&item[..eq]), trim(&item[eq + 1..])),
            None => (item, &item[..0]),
        })
    }
}

/// A hash for digests (RFC 7616 §3.3, RFC 8760).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `MD5`.
    Md5,
    /// `MD5-sess`.
    Md5Sess,
    /// `SHA-256`.
    Sha256,
    /// `SHA-256-sess`.
    Sha256Sess,
    /// `SHA-512-256`.
    Sha512,
    /// `SHA-512-256-sess`.
    Sha512Sess,
    /// Another one, AKA among them.
    Other,
}

impl Algorithm {
    /// The algorithm called `name`, in any case.
    pub fn parse(name: &[u8]) -> Algorithm {
        [
            Algorithm::Md5,
            Algorithm::Md5Sess,
            Algorithm::Sha256,
            Algorithm::Sha256Sess,
            Algorithm::Sha512,
            Algorithm::Sha512Sess,
        ]
        .into_iter()
        .find(|a| a.as_str().as_bytes().eq_ignore_ascii_case(name))
        .unwrap_or(Algorithm::Other)
    }

    /// Its name; empty for [`Algorithm::Other`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Md5Sess => "MD5-sess",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha256Sess => "SHA-256-sess",
            Algorithm::Sha512 => "SHA-512-256",
            Algorithm::Sha512Sess => "SHA-512-256-sess",
            Algorithm::Other => "",
        }
    }
}

/// A quality of protection (RFC 7616 §3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qop {
    /// `auth`.
    Auth,
    /// `auth-int`: the body, too.
    AuthInt,
    /// Another one.
    Other,
}

impl Qop {
    /// The quality called `name`, in any case.
    pub fn parse(name: &[u8]) -> Qop {
        match name {
            n if n.eq_ignore_ascii_case(b"auth") => Qop::Auth,
            n if n.eq_ignore_ascii_case(b"auth-int") => Qop::AuthInt,
            _ => Qop::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_the_rfc() {
        // RFC 3261 §22.4, folded.
        let text = b"Digest username=\"bob\",\r\n realm=\"biloxi.com\",\r\n \
            nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"sip:bob@biloxi.com\", qop=auth, \
            nc=0000000A, cnonce=\"0a4f113b\", response=\"6629fae49393a05397450978507c4ef1\", \
            opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let a = AuthParams::parse(text).unwrap();
        assert!(a.is_digest());
        assert_eq!(a.username(), Some(&b"bob"[..]));
        assert_eq!(a.realm(), Some(&b"biloxi.com"[..]));
        assert_eq!(a.uri(), Some(&b"sip:bob@biloxi.com"[..]));
        assert_eq!((a.qop(), a.nonce_count()), (Some(Qop::Auth), Some(10)));
        assert_eq!(a.response().map(<[u8]>::len), Some(32));
        assert_eq!(a.algorithm(), Algorithm::Md5);
        assert_eq!(a.iter().count(), 9);
    }

    #[test]
    fn challenges() {
        let text = b"digest realm=\"a, \\\"b\\\"\", qop=\"auth,auth-int\", stale=TRUE, \
            algorithm=SHA-512-256-sess";
        let a = AuthParams::parse(text).unwrap();
        assert_eq!(a.realm(), Some(&b"a, \\\"b\\\""[..]));
        assert!(a.qops().eq([Qop::Auth, Qop::AuthInt]));
        assert!(a.is_stale());
        assert_eq!(a.algorithm(), Algorithm::Sha512Sess);
    }

    #[test]
    fn users_domains_and_no_scheme() {
        let user = |text| AuthParams::parse(text).unwrap().user_and_domain();
        assert_eq!(
            user(b"Digest username=\"sip:a@b\""),
            Some((&b"a"[..], &b"b"[..]))
        );
        assert_eq!(user(b"Digest username=\"a\""), Some((&b"a"[..], &b""[..])));
        let info = AuthParams::parse(b"nextnonce=\"x\", nc=1").unwrap();
        assert_eq!(info.scheme, b"");
        assert_eq!(info.get(b"nextnonce"), Some(&b"x"[..]));
        assert_eq!(AuthParams::parse(b" "), None);
        assert_eq!(AuthParams::parse(b"Basic abc=").unwrap().scheme, b"Basic");
    }
}
