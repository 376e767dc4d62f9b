//! Rewriting the Request-URI: `rewritehost` and its like. They take effect at once and do not check
//! what they are given.

use kcc_macros::part;
use kcc_sip::Uri;
use kcc_sip::params::Params;
use kcc_sip::uri::Scheme;

use crate::run::{Local, Run};

/// The Request-URI cannot be rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Fixed {
    /// A reply has none.
    #[error("a reply has no Request-URI")]
    Reply,
    /// It is malformed.
    #[error("the Request-URI cannot be parsed")]
    Malformed,
    /// A `tel:` URI has no port.
    #[error("a tel: URI has no port")]
    NoPort,
}

/// A URI taken apart, all parts as text.
struct Parts<'a> {
    /// The statement's argument.
    text: &'a [u8],
    /// The URI as it was.
    raw: &'a [u8],
    scheme: Scheme,
    /// Before the user: `prefix`.
    prefix: &'a [u8],
    user: &'a [u8],
    password: Option<&'a [u8]>,
    host: &'a [u8],
    /// In place of the port in the URI.
    port: Option<&'a [u8]>,
    /// Parameters with their semicolons.
    params: &'a [u8],
    /// Leave out the `transport` among them.
    any_transport: bool,
    /// One more, with its semicolon.
    last: &'a [u8],
    headers: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(uri: &Uri<'a>, text: &'a [u8]) -> Parts<'a> {
        Parts {
            text,
            raw: uri.raw,
            scheme: uri.scheme,
            prefix: b"",
            user: uri.user_or_empty(),
            password: uri.password,
            host: uri.host,
            port: uri.port.map(|_| port_text(uri)),
            params: uri.params.raw(),
            any_transport: false,
            last: b"",
            headers: uri.headers,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let user = !self.prefix.is_empty() || !self.user.is_empty();
        out.extend_from_slice(self.scheme.as_str().as_bytes());
        out.push(b':');
        if user {
            out.extend_from_slice(self.prefix);
            out.extend_from_slice(self.user);
            if let Some(password) = self.password {
                out.push(b':');
                out.extend_from_slice(password);
            }
            match self.scheme {
                Scheme::Tel | Scheme::Tels => {}
                Scheme::Urn => out.push(b':'),
                Scheme::Sip | Scheme::Sips => out.push(b'@'),
            }
        }
        out.extend_from_slice(self.host);
        if let Some(port) = self.port.filter(|port| !port.is_empty()) {
            out.push(b':');
            out.extend_from_slice(port);
        }
        if self.any_transport {
            for param in Params::new(self.params).iter() {
                if !param.name.eq_ignore_ascii_case(b"transport")
                    && let Some(range) = Params::range_with_semicolon(self.params, &param)
                {
                    out.extend_from_slice(self.params.get(range).unwrap_or_default());
                }
            }
        } else {
            out.extend_from_slice(self.params);
        }
        out.extend_from_slice(self.last);
        if !self.headers.is_empty() {
            out.push(b'?');
            out.extend_from_slice(self.headers);
        }
    }
}

/// The port of a URI that has one, as it stands.
fn port_text<'a>(uri: &Uri<'a>) -> &'a [u8] {
    let Some(host) = kcc_sip::span::offset_in(uri.raw, uri.host) else {
        return b"";
    };
    let rest = uri.raw.get(host.end + 1..).unwrap_or_default();
    let end = rest
        .iter()
        .position(|c| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    &rest[..end]
}

/// Puts what `change` makes of the Request-URI's parts in its place; `text` is the statement's
/// argument.
fn rewrite(
    run: &mut Run,
    text: &[u8],
    change: impl for<'a> FnOnce(Parts<'a>) -> Result<Parts<'a>, Fixed>,
) -> Result<bool, Fixed> {
    if !run.message.is_request() {
        return Err(Fixed::Reply);
    }
    let mut written = std::mem::take(&mut run.locals.get::<Space>().0);
    written.clear();
    let uri = run.parsed_uri().ok_or(Fixed::Malformed);
    let changed = uri
        .and_then(|uri| change(Parts::of(&uri, text)))
        .map(|parts| parts.write(&mut written));
    if changed.is_ok() {
        run.target.uri.set(&written);
    }
    run.locals.get::<Space>().0 = written;
    changed.map(|()| true)
}

/// The buffer that a URI is written into, kept for the next time.
#[derive(Default)]
struct Space(Vec<u8>);

impl Local for Space {
    fn reset(&mut self) {}
}

/// Gives the URI another host. A number to call becomes the user of a SIP URI, as it stands.
fn move_to(parts: Parts<'_>) -> Parts<'_> {
    let (scheme, number) = match parts.scheme {
        Scheme::Tel => (Scheme::Sip, b"tel:".len()),
        Scheme::Tels => (Scheme::Sips, b"tels:".len()),
        _ => {
            return Parts {
                host: parts.text,
                ..parts
            };
        }
    };
    Parts {
        scheme,
        user: parts.raw.get(number..).unwrap_or_default(),
        host: parts.text,
        params: b"",
        last: b";user=phone",
        ..parts
    }
}

/// `rewriteuri` and its like.
#[part(module = "core")]
pub mod exports {
    use super::{Fixed, Parts, Scheme, move_to, rewrite};
    use crate::declare::{Int, Raw};
    use crate::run::Run;
    use crate::shim::Verdict;

    /// Puts `uri` in the place of the Request-URI, unchecked.
    ///
    /// ```cfg
    /// rewriteuri("sip:attendant@example.com");
    /// ```
    #[function(
        routes = "request|failure|onreply|branch|error|local|branch_failure|event",
        aliases("seturi")
    )]
    fn rewriteuri(run: &mut Run, uri: Raw) -> Result<bool, Fixed> {
        if !run.message.is_request() {
            return Err(Fixed::Reply);
        }
        run.target.uri.set(uri.0);
        Ok(true)
    }

    /// Puts the Request-URI back to what was received.
    ///
    /// ```cfg
    /// revert_uri();
    /// ```
    #[function(routes = "request|failure|onreply|branch|error|local|branch_failure|event")]
    fn revert_uri(run: &mut Run) -> Verdict {
        run.target.uri.clear();
        Verdict::TRUE
    }

    /// Sets the host of the Request-URI; its port stays. A `tel:` URI becomes a `sip:` one with
    /// `user=phone`.
    ///
    /// ```cfg
    /// rewritehost("example.com");
    /// ```
    #[function(
        routes = "request|failure|onreply|branch|error|local|branch_failure|event",
        aliases("sethost", "seth")
    )]
    fn rewritehost(run: &mut Run, host: Raw) -> Result<bool, Fixed> {
        rewrite(run, host.0, |parts| Ok(move_to(parts)))
    }

    /// Sets the host and port of the Request-URI; without a port in `hostport` there is none.
    ///
    /// ```cfg
    /// rewritehostport("example.com:5070");
    /// ```
    #[function(
        routes = "request|failure|onreply|branch|error|local|branch_failure|event",
        aliases("sethostport", "sethp")
    )]
    fn rewritehostport(run: &mut Run, hostport: Raw) -> Result<bool, Fixed> {
        rewrite(run, hostport.0, |parts| {
            Ok(Parts {
                port: None,
                ..move_to(parts)
            })
        })
    }

    /// Sets the host, port and transport of the Request-URI: `host:port;transport=tcp`. What is
    /// left out of the three is removed.
    ///
    /// ```cfg
    /// rewritehostporttrans("example.com:5070;transport=tcp");
    /// ```
    #[function(
        routes = "request|failure|onreply|branch|error|local|branch_failure|event",
        aliases("sethostporttrans", "sethpt")
    )]
    fn rewritehostporttrans(run: &mut Run, text: Raw) -> Result<bool, Fixed> {
        rewrite(run, text.0, |parts| {
            Ok(Parts {
                port: None,
                any_transport: true,
                ..move_to(parts)
            })
        })
    }

    /// Sets the port of the Request-URI; empty text removes it. A `tel:` URI has none: -1.
    ///
    /// ```cfg
    /// rewriteport("5070");
    /// ```
    #[function(
        routes = "request|failure|onreply|branch|error|local|branch_failure|event",
        aliases("setport", "setp")
    )]
    fn rewriteport(run: &mut Run, port: Raw) -> Result<bool, Fixed> {
        rewrite(run, port.0, |parts| {
            if matches!(parts.scheme, Scheme::Tel | Scheme::Tels) {
                return Err(Fixed::NoPort);
            }
            Ok(Parts {
                port: Some(parts.text),
                ..parts
            })
        })
    }

    /// Sets the user of the Request-URI; the password stays. Empty text removes both.
    ///
    /// ```cfg
    /// rewriteuser("alice");
    /// ```
    #[function(
        routes = "request|failure|onreply|branch|error|local|branch_failure|event",
        aliases("setuser", "setu")
    )]
    fn rewriteuser(run: &mut Run, user: Raw) -> Result<bool, Fixed> {
        rewrite(run, user.0, |parts| {
            Ok(Parts {
                user: parts.text,
                ..parts
            })
        })
    }

    /// Sets user and password of the Request-URI: `user` or `user:password`.
    ///
    /// ```cfg
    /// rewriteuserpass("alice:secret");
    /// ```
    #[function(
        routes = "request|failure|onreply|branch|error|local|branch_failure|event",
        aliases("setuserpass", "setup")
    )]
    fn rewriteuserpass(run: &mut Run, text: Raw) -> Result<bool, Fixed> {
        rewrite(run, text.0, |parts| {
            Ok(Parts {
                user: parts.text,
                password: None,
                ..parts
            })
        })
    }

    /// Puts `digits` in front of the user of the Request-URI.
    ///
    /// ```cfg
    /// prefix("0049");
    /// ```
    #[function(routes = "request|failure|onreply|branch|error|local|branch_failure|event")]
    fn prefix(run: &mut Run, digits: Raw) -> Result<bool, Fixed> {
        rewrite(run, digits.0, |parts| {
            Ok(Parts {
                prefix: parts.text,
                ..parts
            })
        })
    }

    /// Takes `count` characters off the front of the user of the Request-URI; more than there are
    /// remove the user.
    ///
    /// ```cfg
    /// strip(2);
    /// ```
    #[function(routes = "request|failure|onreply|branch|error|local|branch_failure|event")]
    fn strip(run: &mut Run, count: Int) -> Result<bool, Fixed> {
        let count = usize::try_from(count).unwrap_or(0);
        rewrite(run, b"", |parts| {
            Ok(Parts {
                user: parts.user.get(count..).unwrap_or_default(),
                ..parts
            })
        })
    }

    /// Takes `count` characters off the end of the user of the Request-URI; more than there are
    /// remove the user.
    ///
    /// ```cfg
    /// strip_tail(2);
    /// ```
    #[function(routes = "request|failure|onreply|branch|error|local|branch_failure|event")]
    fn strip_tail(run: &mut Run, count: Int) -> Result<bool, Fixed> {
        let count = usize::try_from(count).unwrap_or(0);
        rewrite(run, b"", |parts| {
            let left = parts.user.len().saturating_sub(count);
            Ok(Parts {
                user: &parts.user[..left],
                ..parts
            })
        })
    }

    /// Adds `user=phone` to the parameters of the Request-URI. A `tel:` URI stays as it is.
    ///
    /// ```cfg
    /// userphone();
    /// ```
    #[function(routes = "request|failure|onreply|branch|error|local|branch_failure|event")]
    fn userphone(run: &mut Run) -> Result<bool, Fixed> {
        rewrite(run, b"", |parts| {
            let last: &[u8] = match parts.scheme {
                Scheme::Sip | Scheme::Sips => b";user=phone",
                _ => b"",
            };
            Ok(Parts { last, ..parts })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::program::{Manifest, Program};
    use crate::run::Source;
    use crate::value::Val;

    fn run(uri: &str) -> Box<Run> {
        let program = Program::load(Manifest::default(), vec![], Box::new(()), &[]).unwrap();
        let mut run = Run::new(Arc::new(program), None);
        let text = format!(
            "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nCSeq: 1 INVITE\r\n\r\n"
        );
        let message = kcc_sip::Message::parse(bytes::Bytes::from(text)).unwrap();
        run.set_message(message, Source::default());
        run
    }

    /// The Request-URI and code after the statement `name` with `arg`.
    fn after(uri: &str, name: &str, arg: &str) -> (String, i64) {
        let mut run = run(uri);
        let decl = exports::PART
            .functions
            .iter()
            .find(|f| f.is_named(name))
            .unwrap();
        let arg = match decl.args.first().map(|arg| arg.kind) {
            Some(crate::declare::ArgKind::Int) => Val::int(arg.parse().unwrap()),
            _ => Val::str(arg.as_bytes()),
        };
        let code = crate::abi::Pair::from((decl.shim)(&mut *run, &raw const arg)).value;
        (String::from_utf8(run.uri().to_vec()).unwrap(), code)
    }

    #[test]
    fn parts_of_the_request_uri_change_as_in_kamailio() {
        const FULL: &str = "sip:bob:pw@127.0.0.1:5099;transport=udp;lr?h1=v1";
        const IPV6: &str = "sips:a;x=1:p@[::1]:5;transport=tcp;a?b";
        for (uri, name, arg, result) in [
            (
                FULL,
                "rewritehost",
                "h",
                "sip:bob:pw@h:5099;transport=udp;lr?h1=v1",
            ),
            (
                FULL,
                "sethp",
                "h:1",
                "sip:bob:pw@h:1;transport=udp;lr?h1=v1",
            ),
            (
                FULL,
                "sethpt",
                "h:1;transport=tcp",
                "sip:bob:pw@h:1;transport=tcp;lr?h1=v1",
            ),
            (
                FULL,
                "setport",
                "7",
                "sip:bob:pw@127.0.0.1:7;transport=udp;lr?h1=v1",
            ),
            (
                FULL,
                "setp",
                "",
                "sip:bob:pw@127.0.0.1;transport=udp;lr?h1=v1",
            ),
            (
                FULL,
                "setport",
                "abc",
                "sip:bob:pw@127.0.0.1:abc;transport=udp;lr?h1=v1",
            ),
            (
                FULL,
                "rewriteuser",
                "u",
                "sip:u:pw@127.0.0.1:5099;transport=udp;lr?h1=v1",
            ),
            (
                FULL,
                "setuser",
                "",
                "sip:127.0.0.1:5099;transport=udp;lr?h1=v1",
            ),
            (
                FULL,
                "setuserpass",
                "u:p",
                "sip:u:p@127.0.0.1:5099;transport=udp;lr?h1=v1",
            ),
            (
                FULL,
                "setuserpass",
                "u",
                "sip:u@127.0.0.1:5099;transport=udp;lr?h1=v1",
            ),
            (
                FULL,
                "prefix",
                "9",
                "sip:9bob:pw@127.0.0.1:5099;transport=udp;lr?h1=v1",
            ),
            (
                FULL,
                "strip",
                "1",
                "sip:ob:pw@127.0.0.1:5099;transport=udp;lr?h1=v1",
            ),
            (
                FULL,
                "strip",
                "3",
                "sip:127.0.0.1:5099;transport=udp;lr?h1=v1",
            ),
            (
                FULL,
                "strip",
                "99",
                "sip:127.0.0.1:5099;transport=udp;lr?h1=v1",
            ),
            (
                FULL,
                "strip_tail",
                "1",
                "sip:bo:pw@127.0.0.1:5099;transport=udp;lr?h1=v1",
            ),
            (
                FULL,
                "userphone",
                "",
                "sip:bob:pw@127.0.0.1:5099;transport=udp;lr;user=phone?h1=v1",
            ),
            (FULL, "seturi", "x y", "x y"),
            (FULL, "revert_uri", "", FULL),
            ("sip:h:5", "prefix", "9", "sip:9@h:5"),
            ("sip:h:5", "strip", "1", "sip:h:5"),
            ("sip:h:5", "rewriteuser", "u", "sip:u@h:5"),
            (
                "sip:h:5",
                "sethpt",
                "x;transport=tcp",
                "sip:x;transport=tcp",
            ),
            ("tel:123;a=b", "prefix", "9", "tel:9123;a=b"),
            ("tel:123;a=b", "strip_tail", "1", "tel:12;a=b"),
            ("tel:123;a=b", "userphone", "", "tel:123;a=b"),
            (
                "tel:123;a=b",
                "rewritehost",
                "h",
                "sip:123;a=b@h;user=phone",
            ),
            ("tel:123;a=b", "sethp", "h:1", "sip:123;a=b@h:1;user=phone"),
            (
                IPV6,
                "prefix",
                "9",
                "sips:9a;x=1:p@[::1]:5;transport=tcp;a?b",
            ),
            (IPV6, "sethpt", "h", "sips:a;x=1:p@h;a?b"),
            (
                IPV6,
                "sethpt",
                "h;transport=udp;q=1",
                "sips:a;x=1:p@h;transport=udp;q=1;a?b",
            ),
        ] {
            assert_eq!(
                after(uri, name, arg),
                (result.to_owned(), 1),
                "{name}({arg:?}) on {uri}"
            );
        }
        assert_eq!(after("tel:1", "setport", "7"), ("tel:1".to_owned(), -1));
    }

    #[test]
    fn a_uri_that_cannot_be_parsed_stays() {
        let mut run = run("sip:a@b");
        run.target.uri.set(b"sip:a@b:abc");
        assert_eq!(
            rewrite(&mut run, b"x", |parts| Ok(move_to(parts))),
            Err(Fixed::Malformed)
        );
        assert_eq!(run.uri(), b"sip:a@b:abc");
    }
}
