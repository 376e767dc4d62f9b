//! `@ruri`, `@dst_uri`, `@next_hop`, and the parts of every URI that a select leads to.

use kcc_sip::Uri;
use kcc_sip::uri::Scheme;

use super::{Path, Steps, dashed};
use crate::arena::Arena;
use crate::declare::ConstantError;
use crate::transport::Protocol;
use crate::value::Val;

/// A part of a URI.
#[derive(Debug)]
pub enum UriPart {
    /// The URI itself.
    Whole,
    /// `type`: the scheme.
    Type,
    /// `user`
    User,
    /// `rn_user`: the parameter `rn` (RFC 4694), else the user.
    RoutingNumber,
    /// `pwd`
    Password,
    /// `host`
    Host,
    /// `port`, as written.
    Port,
    /// `hostport`, with the scheme's default port where none is written.
    HostPort,
    /// `transport`
    Transport,
    /// `params`
    Params,
    /// `params.name`
    Param(Box<[u8]>),
}

impl Path for UriPart {
    const NAME: &'static str = "select-uri";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        let Some(step) = steps.step()? else {
            return Ok(UriPart::Whole);
        };
        for (word, part) in [
            ("type", UriPart::Type),
            ("user", UriPart::User),
            ("rn_user", UriPart::RoutingNumber),
            ("pwd", UriPart::Password),
            ("host", UriPart::Host),
            ("port", UriPart::Port),
            ("hostport", UriPart::HostPort),
            ("transport", UriPart::Transport),
        ] {
            if step.is(word) {
                return Ok(part);
            }
        }
        if !step.is("params") {
            return Err(steps.unknown());
        }
        Ok(match steps.step()? {
            None => UriPart::Params,
            // All `_` are `-` here, the first byte's too.
            Some(super::Step::Name(name)) => {
                let mut name = dashed(name);
                if let Some(first @ b'_') = name.first_mut() {
                    *first = b'-';
                }
                UriPart::Param(name)
            }
            Some(super::Step::Index(_)) => return Err(steps.unknown()),
        })
    }
}

/// Where the text of a value comes from.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'a> {
    /// A part of the text that was looked into.
    Part(&'a [u8]),
    /// Fixed text.
    Fixed(&'static str),
    /// A host, and a port that it does not name.
    HostAndPort(&'a [u8], &'static str),
    /// A telephone number, to be shown without its separators.
    Number(&'a [u8]),
}

impl Piece<'_> {
    /// The value. `copied`: the text that was looked into can be rewritten.
    pub fn value(self, scratch: &mut Arena, copied: bool) -> Option<Val> {
        Some(match self {
            Piece::Part(text) if copied => scratch.copy(text),
            Piece::Part(text) => Val::str(text),
            Piece::Fixed(text) => Val::str(text.as_bytes()),
            Piece::HostAndPort(host, port) => {
                let space = scratch.alloc(host.len() + port.len())?;
                let (start, end) = space.split_at_mut(host.len());
                start.copy_from_slice(host);
                end.copy_from_slice(port.as_bytes());
                Val::str(space)
            }
            Piece::Number(digits) => {
                let space = scratch.alloc(digits.len())?;
                let mut len = 0;
                for digit in digits
                    .iter()
                    .filter(|c| !matches!(c, b'-' | b'.' | b'(' | b')'))
                {
                    space[len] = *digit;
                    len += 1;
                }
                Val::str(space.get(..len)?)
            }
        })
    }
}

/// The part `part` of the URI `text`. A part that is not written is empty; a missing parameter, one
/// without a value and all parts of what is no URI are none.
pub fn uri_part<'a>(text: &'a [u8], part: &UriPart) -> Option<Piece<'a>> {
    if matches!(part, UriPart::Whole) {
        return Some(Piece::Part(text));
    }
    let uri = Uri::parse(text).ok()?;
    let phone = matches!(uri.scheme, Scheme::Tel | Scheme::Tels);
    let user = |uri: &Uri<'a>| match phone {
        true => Piece::Number(uri.user_or_empty()),
        false => Piece::Part(uri.user_or_empty()),
    };
    let secure = matches!(uri.scheme, Scheme::Sips | Scheme::Tels);
    let raw = uri.params.raw();
    Some(match part {
        UriPart::Whole => Piece::Part(text),
        UriPart::Type => Piece::Fixed(uri.scheme.as_str()),
        UriPart::User => user(&uri),
        UriPart::RoutingNumber => match uri.params.find(b"rn") {
            Some(param) => Piece::Number(param.unquoted()),
            None => user(&uri),
        },
        UriPart::Password => Piece::Part(uri.password.unwrap_or_default()),
        UriPart::Host => Piece::Part(uri.host),
        UriPart::Port => Piece::Part(written_port(&uri).unwrap_or_default()),
        UriPart::HostPort => match written_port(&uri) {
            _ if uri.host.is_empty() => return None,
            Some(port) => {
                let range = kcc_sip::span::offset_in(text, uri.host)?;
                Piece::Part(text.get(range.start..range.end + 1 + port.len())?)
            }
            None => Piece::HostAndPort(uri.host, if secure { ":5061" } else { ":5060" }),
        },
        UriPart::Transport => match uri.transport() {
            Some(name) if !secure => Piece::Fixed(Protocol::from_name(name)?.name()),
            _ => Piece::Fixed(if secure { "tls" } else { "udp" }),
        },
        UriPart::Params => Piece::Part(raw.strip_prefix(b";").unwrap_or(raw)),
        UriPart::Param(name) => {
            let value = uri.params.get(name)?;
            Piece::Part((!value.is_empty()).then_some(value)?)
        }
    })
}

/// The digits of the port, where one is written.
fn written_port<'a>(uri: &Uri<'a>) -> Option<&'a [u8]> {
    uri.port?;
    let host = kcc_sip::span::offset_in(uri.raw, uri.host)?;
    let rest = uri.raw.get(host.end..)?.strip_prefix(b":")?;
    let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    rest.get(..len)
}

/// `@next_hop` and what follows it.
#[derive(Debug)]
pub enum Hop {
    /// A part of the URI.
    Uri(UriPart),
    /// `src_ip`: the address of the socket to send from.
    SourceAddress,
}

impl Path for Hop {
    const NAME: &'static str = "select-next-hop";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        let before = *steps;
        if steps.step()?.is_some_and(|step| step.is("src_ip")) {
            return Ok(Hop::SourceAddress);
        }
        *steps = before;
        UriPart::read(steps).map(Hop::Uri)
    }
}

/// Selects of the Request-URI and the next hop.
#[kcc_macros::part(module = "core")]
pub mod exports {
    use kcc_sip::Uri;

    use super::{Hop, UriPart, uri_part};
    use crate::declare::Const;
    use crate::run::Run;
    use crate::select::Below;
    use crate::value::Val;

    /// The Request-URI as it stands, and its parts; null in replies.
    ///
    /// Parts: `type`, `user`, `rn_user`, `pwd`, `host`, `port` as written, `hostport`, `transport`,
    /// `params`, `params.name`.
    ///
    /// ```cfg
    /// if (@ruri.params.user == "phone") exit;
    /// ```
    #[pv(name = "@ruri", aliases("@request_uri"))]
    fn ruri(run: &mut Run, part: Const<Below<UriPart>>) -> Option<Val> {
        if !run.message.is_request() {
            return None;
        }
        match run.target.uri.get() {
            Some(uri) => {
                Uri::parse(uri).ok()?;
                uri_part(uri, &part.0)?.value(&mut run.scratch, true)
            }
            None => {
                let uri = run.message.request_uri();
                Uri::parse(uri).ok()?;
                uri_part(uri, &part.0)?.value(&mut run.scratch, false)
            }
        }
    }

    /// The next hop `$du` and its parts, as of `@ruri`; empty where it is not set.
    #[pv(name = "@dst_uri")]
    fn dst_uri(run: &mut Run, part: Const<Below<UriPart>>) -> Option<Val> {
        if !run.message.is_request() {
            return None;
        }
        let uri = run.target.dst_uri.get().unwrap_or_default();
        uri_part(uri, &part.0)?.value(&mut run.scratch, true)
    }

    /// Where the request goes: `$du`, else the Request-URI; its parts as of `@ruri`. `src_ip` is the
    /// address of the socket that is forced; null without one.
    ///
    /// ```cfg
    /// if (@next_hop.host == "192.0.2.1") exit;
    /// ```
    #[pv(name = "@next_hop")]
    fn next_hop(run: &mut Run, part: Const<Below<Hop>>) -> Option<Val> {
        if !run.message.is_request() {
            return None;
        }
        let part = match &part.0 {
            Hop::Uri(part) => part,
            Hop::SourceAddress => {
                let socket = run.try_worker()?.network.socket(run.target.socket?)?;
                return Some(Val::str(socket.address_text.as_bytes()));
            }
        };
        let rewritten = run.target.dst_uri.get().or_else(|| run.target.uri.get());
        match rewritten {
            Some(uri) => uri_part(uri, part)?.value(&mut run.scratch, true),
            None => uri_part(run.message.request_uri(), part)?.value(&mut run.scratch, false),
        }
    }
}
