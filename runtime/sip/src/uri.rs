//! SIP, SIPS, tel and URN URIs (RFC 3261 §19.1, RFC 3966, RFC 5031).
//!
//! Invariant: every part is a subslice of the parsed text; nothing is decoded unless asked for.

use crate::error::{ParseError, ParseErrorKind};
use crate::params::Params;
use crate::token::parse_port;
use std::fmt;

/// The scheme of a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:` (RFC 3966)
    Tel,
    /// `tels:`
    Tels,
    /// `urn:` (RFC 5031)
    Urn,
}

impl Scheme {
    /// The name without the colon.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scheme::Sip => "sip",
            Scheme::Sips => "sips",
            Scheme::Tel => "tel",
            Scheme::Tels => "tels",
            Scheme::Urn => "urn",
        }
    }

    fn parse(text: &[u8]) -> Option<Scheme> {
        [
            Scheme::Sip,
            Scheme::Sips,
            Scheme::Tel,
            Scheme::Tels,
            Scheme::Urn,
        ]
        .into_iter()
        .find(|s| s.as_str().as_bytes().eq_ignore_ascii_case(text))
    }
}

/// A parsed URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'a> {
    /// The whole text.
    pub raw: &'a [u8],
    /// The scheme.
    pub scheme: Scheme,
    /// The user part as it stands (with the parameters in it, when there are any); for `tel` the
    /// number; for `urn` its namespace (`service`). `None` when there is no `@`.
    pub user: Option<&'a [u8]>,
    /// The password, when there is one.
    pub password: Option<&'a [u8]>,
    /// The host, an IPv6 reference with its brackets; for `urn` what follows the namespace; empty
    /// for `tel`.
    pub host: &'a [u8],
    /// The port, when there is one.
    pub port: Option<u16>,
    /// The parameters, from the first `;`.
    pub params: Params<'a>,
    /// The headers, after the `?`.
    pub headers: &'a [u8],
}

impl<'a> Uri<'a> {
    /// Parses the whole of `text` as a URI.
    pub fn parse(text: &'a [u8]) -> Result<Uri<'a>, ParseError> {
        let bad = |at: usize| ParseError::new(ParseErrorKind::BadUri, at);
        let colon = memchr::memchr(b':', text.get(..5).unwrap_or(text)).ok_or(bad(0))?;
        let scheme = Scheme::parse(&text[..colon]).ok_or(bad(0))?;
        if let Some(at) = text
            .iter()
            .position(|c| *c <= b' ' || matches!(c, b'<' | b'>' | 0x7f))
        {
            return Err(bad(at));
        }
        let mut uri = Uri {
            raw: text,
            scheme,
            user: None,
            password: None,
            host: &text[..0],
            port: None,
            params: Params::default(),
            headers: &text[..0],
        };
        let start = colon + 1;
        if matches!(scheme, Scheme::Tel | Scheme::Tels | Scheme::Urn) {
            let end = text[start..]
                .iter()
                .position(|c| *c == b';')
                .map_or(text.len(), |n| start + n);
            if end == start {
                return Err(bad(start));
            }
            uri.params = Params::new(&text[end..]);
            let rest = &text[start..end];
            match (scheme, memchr::memchr(b':', rest)) {
                (Scheme::Urn, Some(n)) => {
                    uri.user = Some(&rest[..n]);
                    uri.host = &rest[n + 1..];
                }
                (Scheme::Urn, None) => return Err(bad(end)),
                _ => uri.user = Some(rest),
            }
            return Ok(uri);
        }

        let mut host = start;
        if let Some(n) = memchr::memchr(b'@', &text[start..]) {
            let userinfo = &text[start..start + n];
            host = start + n + 1;
            if n == 0 {
                return Err(bad(start));
            }
            if let Some(second) = memchr::memchr(b'@', &text[host..]) {
                return Err(bad(host + second));
            }
            match memchr::memchr(b':', userinfo) {
                Some(c) => {
                    uri.user = Some(&userinfo[..c]);
                    uri.password = Some(&userinfo[c + 1..]);
                }
                None => uri.user = Some(userinfo),
            }
        }
        let host_end = if text.get(host) == Some(&b'[') {
            host + memchr::memchr(b']', &text[host..]).ok_or(bad(host))? + 1
        } else {
            memchr::memchr3(b':', b';', b'?', &text[host..]).map_or(text.len(), |n| host + n)
        };
        if host_end == host {
            return Err(bad(host));
        }
        uri.host = &text[host..host_end];
        let mut at = host_end;
        if text.get(at) == Some(&b':') {
            let end = memchr::memchr2(b';', b'?', &text[at..]).map_or(text.len(), |n| at + n);
            let port = &text[at + 1..end];
            if !port.is_empty() {
                uri.port = Some(parse_port(port).ok_or(bad(at + 1))?);
            }
            at = end;
        }
        if text.get(at) == Some(&b';') {
            let end = memchr::memchr(b'?', &text[at..]).map_or(text.len(), |n| at + n);
            uri.params = Params::new(&text[at..end]);
            at = end;
        }
        match text.get(at) {
            Some(b'?') => uri.headers = &text[at + 1..],
            Some(_) => return Err(bad(at)),
            None => {}
        }
        Ok(uri)
    }

    /// The user, empty when there is none.
    #[inline]
    pub fn user_or_empty(&self) -> &'a [u8] {
        self.user.unwrap_or_default()
    }

    /// The value of parameter `name` (case-insensitive); empty when it has none.
    #[inline]
    pub fn param(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.params.get(name)
    }

    /// The `transport` parameter's value.
    pub fn transport(&self) -> Option<&'a [u8]> {
        self.param(b"transport")
    }

    /// True when there is an `lr` parameter: a loose router (RFC 3261 §19.1.1).
    pub fn is_loose_router(&self) -> bool {
        self.params.has(b"lr")
    }

    /// The `maddr` parameter's value.
    pub fn maddr(&self) -> Option<&'a [u8]> {
        self.param(b"maddr")
    }

    /// The `ttl` parameter, 0 to 255.
    pub fn ttl(&self) -> Option<u8> {
        crate::token::parse_u32(self.param(b"ttl")?).and_then(|n| u8::try_from(n).ok())
    }

    /// True for `user=phone`.
    pub fn is_phone(&self) -> bool {
        self.param(b"user")
            .is_some_and(|v| v.eq_ignore_ascii_case(b"phone"))
    }

    /// True when there is an `ob` parameter (RFC 5626).
    pub fn is_outbound(&self) -> bool {
        self.params.has(b"ob")
    }

    /// The `gr` parameter's value (RFC 5627).
    pub fn gruu(&self) -> Option<&'a [u8]> {
        self.param(b"gr")
    }

    /// The port, or the default of the scheme and transport: 5061 for `sips` and TLS, else 5060.
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or_else(|| {
            let tls = self
                .transport()
                .is_some_and(|t| t.eq_ignore_ascii_case(b"tls"));
            if self.scheme == Scheme::Sips || tls {
                5061
            } else {
                5060
            }
        })
    }

    /// Iterates over `name=value` of the headers part.
    pub fn header_fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.headers
            .split(|c| *c == b'&')
            .filter(|h| !h.is_empty())
            .map(|h| match memchr::memchr(b'=', h) {
                Some(eq) => (&h[..eq], &h[eq + 1..]),
                None => (h, &h[..0]),
            })
    }

    /// Equality of RFC 3261 §19.1.4 (for `tel` and `urn`: user and host alike, parameters too). What
    /// is written alike is the same; else a URI with more than 64 parameters or header fields is the
    /// same as no other, so that comparing takes no longer than reading.
    pub fn same_as(&self, other: &Uri<'_>) -> bool {
        if self.raw == other.raw {
            return true;
        }
        let comparable = |uri: &Uri<'_>| {
            uri.params.iter().nth(MOST_COMPARED).is_none()
                && uri.header_fields().nth(MOST_COMPARED).is_none()
        };
        comparable(self)
            && comparable(other)
            && self.scheme == other.scheme
            && same_text(self.user, other.user, false)
            && same_text(self.password, other.password, false)
            && same_text(Some(self.host), Some(other.host), true)
            && self.port == other.port
            && params_agree(&self.params, &other.params)
            && params_agree(&other.params, &self.params)
            && headers_agree(self, other)
            && headers_agree(other, self)
    }
}

/// Parameters, and header fields, of a URI that is compared.
const MOST_COMPARED: usize = 64;

/// Parameters that must be in both URIs or in none (RFC 3261 §19.1.4).
const STRICT: [&[u8]; 6] = [
    b"user",
    b"ttl",
    b"method",
    b"maddr",
    b"transport",
    b"phone-context",
];

fn params_agree(a: &Params<'_>, b: &Params<'_>) -> bool {
    a.iter().all(|p| match b.find(p.name) {
        Some(q) => same_text(Some(p.unquoted()), Some(q.unquoted()), true),
        None => !STRICT.iter().any(|s| s.eq_ignore_ascii_case(p.name)),
    })
}

fn headers_agree(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    a.header_fields().all(|(name, value)| {
        b.header_fields().any(|(n, v)| {
            same_text(Some(name), Some(n), true) && same_text(Some(value), Some(v), false)
        })
    })
}

fn same_text(a: Option<&[u8]>, b: Option<&[u8]>, ignore_case: bool) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => {
            if ignore_case {
                let lower = |c: u8| c.to_ascii_lowercase();
                unescape(a).map(lower).eq(unescape(b).map(lower))
            } else {
                unescape(a).eq(unescape(b))
            }
        }
        _ => false,
    }
}

/// The bytes of `text` with `%hh` escapes decoded; a `%` that is no escape stands for itself.
pub fn unescape(text: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let mut i = 0;
    std::iter::from_fn(move || {
        let c = *text.get(i)?;
        i += 1;
        if c == b'%'
            && let (Some(h), Some(l)) = (hex(text.get(i)), hex(text.get(i + 1)))
        {
            i += 2;
            return Some(h * 16 + l);
        }
        Some(c)
    })
}

fn hex(c: Option<&u8>) -> Option<u8> {
    char::from(*c?)
        .to_digit(16)
        .and_then(|d| u8::try_from(d).ok())
}

impl fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.raw))
    }
}

/// A URI put together from parts.
#[derive(Clone, Copy, Debug)]
pub struct UriParts<'a> {
    /// The scheme.
    pub scheme: Scheme,
    /// The user, when there is one; already escaped.
    pub user: Option<&'a [u8]>,
    /// The password, when there is one.
    pub password: Option<&'a [u8]>,
    /// The host.
    pub host: &'a [u8],
    /// The port, when there is one.
    pub port: Option<u16>,
    /// Parameters with their leading `;`, or empty.
    pub params: &'a [u8],
    /// Headers without the `?`, or empty.
    pub headers: &'a [u8],
}

impl<'a> From<Uri<'a>> for UriParts<'a> {
    fn from(uri: Uri<'a>) -> UriParts<'a> {
        UriParts {
            scheme: uri.scheme,
            user: uri.user,
            password: uri.password,
            host: uri.host,
            port: uri.port,
            params: uri.params.raw(),
            headers: uri.headers,
        }
    }
}

impl UriParts<'_> {
    /// Appends the URI to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.scheme.as_str().as_bytes());
        out.push(b':');
        if let Some(user) = self.user {
            out.extend_from_slice(user);
            if let Some(password) = self.password {
                out.push(b':');
                out.extend_from_slice(password);
            }
            match self.scheme {
                Scheme::Sip | Scheme::Sips => out.push(b'@'),
                Scheme::Urn => out.push(b':'),
                Scheme::Tel | Scheme::Tels => {}
            }
        }
        out.extend_from_slice(self.host);
        if let Some(port) = self.port {
            out.push(b':');
            crate::build::write_number(out, u64::from(port));
        }
        out.extend_from_slice(self.params);
        if !self.headers.is_empty() {
            out.push(b'?');
            out.extend_from_slice(self.headers);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(s: &str) -> Uri<'_> {
        Uri::parse(s.as_bytes()).unwrap_or_else(|e| panic!("{s}: {e}"))
    }

    #[test]
    fn parts() {
        let u = uri(
            "sip:alice;day=tuesday:secretword@[2001:db8::1]:5070;transport=tcp;lr;user=phone?to=x&priority=urgent",
        );
        assert_eq!(u.user, Some(&b"alice;day=tuesday"[..]));
        assert_eq!(u.password, Some(&b"secretword"[..]));
        assert_eq!(u.host, b"[2001:db8::1]");
        assert_eq!(u.port, Some(5070));
        assert_eq!(u.transport(), Some(&b"tcp"[..]));
        assert!(u.is_loose_router() && u.is_phone());
        assert_eq!(u.header_fields().count(), 2);
        let mut out = Vec::new();
        UriParts::from(u).write(&mut out);
        assert_eq!(out, u.raw);
        let t = uri("tel:+358-555-1234567;postd=pp22");
        assert_eq!(t.user, Some(&b"+358-555-1234567"[..]));
        assert_eq!(t.param(b"postd"), Some(&b"pp22"[..]));
        let urn = uri("urn:service:sos.fire");
        assert_eq!(
            (urn.user, urn.host),
            (Some(&b"service"[..]), &b"sos.fire"[..])
        );
        assert_eq!(uri("sips:h").port_or_default(), 5061);
    }

    #[test]
    fn malformed() {
        for bad in [
            "",
            "sip",
            "sip:",
            "http://x",
            "sip:a@",
            "sip:a@[::1",
            "sip:a@h:99999",
            "sip:a@h:x",
            "sip:a b@h",
            "sip:a@[::1]x",
            "tel:",
            "urn:",
            "sip:a@;lr",
            "sip:@h",
            "sip:a@h?to=b@c",
            "urn:x",
        ] {
            assert!(Uri::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn comparing_is_bounded_and_a_uri_is_the_same_as_itself() {
        let twice = Uri::parse(b"sip:a@b;x=1;x=2").unwrap();
        assert!(twice.same_as(&twice));
        let many = |first: &str| format!("sip:a@b{first}{}", ";x=1".repeat(20_000)).into_bytes();
        let (one, other) = (many(";y"), many(";z"));
        let (one, other) = (Uri::parse(&one).unwrap(), Uri::parse(&other).unwrap());
        assert!(one.same_as(&one) && !one.same_as(&other));
    }

    #[test]
    fn equality_examples_of_rfc_3261_19_1_4() {
        let same = [
            (
                "sip:%61lice@atlanta.com;transport=TCP",
                "sip:alice@AtLanTa.CoM;Transport=tcp",
            ),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            (
                "sip:carol@chicago.com;newparam=5",
                "sip:carol@chicago.com;security=on",
            ),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
        ];
        let different = [
            (
                "SIP:ALICE@AtLanTa.CoM;Transport=udp",
                "sip:alice@AtLanTa.CoM;Transport=UDP",
            ),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            (
                "sip:bob@biloxi.com",
                "sip:bob@biloxi.com:6000;transport=tcp",
            ),
            (
                "sip:carol@chicago.com",
                "sip:carol@chicago.com?Subject=next%20meeting",
            ),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            (
                "sip:carol@chicago.com;security=on",
                "sip:carol@chicago.com;security=off",
            ),
        ];
        for (a, b) in same {
            assert!(uri(a).same_as(&uri(b)), "{a} {b}");
        }
        for (a, b) in different {
            assert!(!uri(a).same_as(&uri(b)), "{a} {b}");
        }
    }
}
