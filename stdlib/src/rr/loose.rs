//! Loose routing (RFC 3261 §16.4, §16.12): what the Route header fields and the Request-URI say of
//! the way of a request, and following it.
//!
//! **Invariant:** the way is decided from the received message alone, before anything is changed;
//! what cannot be followed to its end changes nothing.

use kcc_runtime::message::{Edits, Full};
use kcc_runtime::run::{Run, Target};
use kcc_runtime::transport::{Protocol, Socket, SocketId};
use kcc_sip::uri::Scheme;
use kcc_sip::{Message, NameAddr, Uri};

use super::routes::{remove, routes};

/// Why a request is not routed by its Route header fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoWay {
    /// There are none.
    #[error("no Route")]
    NoRoute,
    /// A header field, or a URI in it, that cannot be read.
    #[error("malformed Route header field")]
    Malformed,
    /// Only routes of this server, and no target behind them.
    #[error("the Route header fields hold no target")]
    NoTarget,
}

/// The way of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Way<'a> {
    /// How many routes are taken off the front.
    pub first: usize,
    /// The last route is taken off: it became the Request-URI.
    pub last: bool,
    /// The new Request-URI.
    pub uri: Option<&'a [u8]>,
    /// The Request-URI so far goes to the end of the routes: the next hop is a strict router.
    pub keep_uri: bool,
    /// The next hop.
    pub next: Option<&'a [u8]>,
    /// The last route of this server, which names the side to send from.
    pub socket: Option<&'a [u8]>,
    /// Two routes of this server were one (RFC 5658): `socket` is the second.
    pub pair: bool,
    /// No route is left.
    pub alone: bool,
    /// A route of this server stood before the next hop.
    pub own: bool,
}

/// What decides on a way besides the message.
pub struct View<'a> {
    /// The Request-URI as it stands.
    pub uri: &'a [u8],
    /// Whether a URI is this server.
    pub own: &'a dyn Fn(&Uri<'_>) -> bool,
    /// Two routes of this server with `r2` are one.
    pub double: bool,
    /// The previous hop may be a strict router.
    pub strict: bool,
}

impl View<'_> {
    /// Whether the previous hop is a strict router: it put this server's URI, out of a dialog's
    /// route set, into the Request-URI.
    pub fn after_strict(&self, message: &Message) -> bool {
        self.strict
            && message.to_tag().is_some()
            && Uri::parse(self.uri).is_ok_and(|uri| (self.own)(&uri))
    }

    /// The way of `message`.
    ///
    /// # Errors
    /// There is none.
    pub fn way<'m>(&self, message: &'m Message) -> Result<Way<'m>, NoWay> {
        let mut list = routes(message);
        let mut next = || list.next().transpose().map_err(|_| NoWay::Malformed);
        let parse = |route: &NameAddr<'m>| Uri::parse(route.uri).map_err(|_| NoWay::Malformed);
        let mut way = Way::default();
        let mut top = next()?.ok_or(NoWay::NoRoute)?;
        let mut uri = parse(&top)?;
        let strict = self.after_strict(message);
        let own = (self.own)(&uri);
        let paired = self.double && own && uri.params.has(b"r2");
        if strict && paired {
            // The first of the pair is the Request-URI.
            way.first = 1;
            way.pair = true;
            way.socket = Some(top.uri);
            top = next()?.ok_or(NoWay::NoTarget)?;
            uri = parse(&top)?;
        } else if !strict && own {
            way.first = 1;
            way.own = true;
            way.socket = Some(top.uri);
            let mut after = next()?;
            if paired && let Some(second) = after {
                // What follows is the other side of this server, whatever it is called there.
                way.first = 2;
                way.pair = true;
                way.socket = Some(second.uri);
                after = next()?;
            }
            let Some(after) = after else {
                way.alone = true;
                return Ok(way);
            };
            top = after;
            uri = parse(&top)?;
        }
        if !uri.is_loose_router() {
            way.first += 1;
            way.uri = Some(top.uri);
            way.keep_uri = !strict;
            return Ok(way);
        }
        way.next = Some(top.uri);
        if strict {
            let last = routes(message).last().ok_or(NoWay::NoRoute)?;
            let last = last.map_err(|_| NoWay::Malformed)?;
            parse(&last)?;
            way.uri = Some(last.uri);
            way.last = true;
        }
        Ok(way)
    }
}

/// Whether `uri` is this server, at the port that it names or 5060, over any transport.
pub fn is_own(run: &Run, uri: &Uri<'_>) -> bool {
    !uri.host.is_empty()
        && matches!(uri.scheme, Scheme::Sip | Scheme::Sips)
        && run
            .worker()
            .server
            .myself
            .contains(uri.host, Some(uri.port.unwrap_or(5060)), None)
}

/// The socket that a Record-Route of this server names.
pub fn socket_of(sockets: &[Socket], uri: &Uri<'_>) -> Option<SocketId> {
    let protocol = match uri.transport() {
        Some(name) => Protocol::from_name(name)?,
        None if uri.scheme == Scheme::Sips => Protocol::Tls,
        None => Protocol::Udp,
    };
    let port = uri.port.unwrap_or(5060);
    let named = |socket: &&Socket| {
        let here = [&socket.host, &socket.address_text];
        socket.protocol == protocol
            && (socket.address.port() == port && here.iter().any(|host| same(host, uri.host))
                || socket
                    .advertised
                    .as_ref()
                    .is_some_and(|(host, told)| *told == port && same(host, uri.host)))
    };
    sockets.iter().find(named).map(|socket| socket.id)
}

fn same(host: &str, other: &[u8]) -> bool {
    host.as_bytes().eq_ignore_ascii_case(other)
}

/// Follows `way`: takes routes off `message` and sets Request-URI and next hop.
///
/// # Errors
/// There are too many edits.
pub fn follow(
    way: &Way<'_>,
    message: &Message,
    edits: &mut Edits,
    target: &mut Target,
) -> Result<(), Full> {
    remove(message, edits, way.first, way.last)?;
    if way.keep_uri {
        let uri = target.uri.get().unwrap_or(message.request_uri());
        let end = message.headers_end();
        edits.replace_with(end..end, |out| {
            out.extend_from_slice(b"Route: <");
            out.extend_from_slice(uri);
            out.extend_from_slice(b">\r\n");
        })?;
    }
    if let Some(uri) = way.uri {
        target.uri.set(uri);
    }
    if let Some(next) = way.next {
        target.dst_uri.set(next);
    }
    Ok(())
}
