//! Where a request goes next: `$du` and its parts, `$nh`, and the socket to send from (`$fs`).

use kcc_sip::{Uri, Via};

use super::key::keys;
use super::some;
use crate::run::Run;
use crate::transport::{Protocol, Socket, SocketId};
use crate::value::Val;

keys! {
    /// What `$nh(…)` tells of the next hop.
    HopKey("next-hop-key", "a key of $nh") {
        /// The whole URI.
        Uri = "u",
        /// The user part.
        User = "U",
        /// The host.
        Host = "d",
        /// The port.
        Port = "p",
        /// The transport.
        Transport = "P",
        /// The family of a literal address.
        Family = "i",
    }
}

/// The family of a host that is an address: 4 or 6; 0 for a name.
fn family(host: &[u8]) -> i64 {
    if host.starts_with(b"[") {
        return 6;
    }
    let address = std::str::from_utf8(host)
        .ok()
        .and_then(|host| host.parse().ok());
    match address {
        Some(std::net::IpAddr::V4(_)) => 4,
        Some(std::net::IpAddr::V6(_)) => 6,
        None => 0,
    }
}

/// The next hop of a reply: where the Via below the top one points.
pub(super) fn reply_hop(run: &mut Run, key: HopKey) -> Option<Val> {
    let via = run.message.vias().nth(1)?;
    let host = via.received().and_then(some).unwrap_or_else(|| via.host());
    let port = reply_port(&via);
    let protocol = Protocol::from_name(via.transport());
    match key {
        HopKey::Uri => {
            let name = protocol.map_or("udp", Protocol::name);
            let size = host.len() + 64;
            let space = run.scratch.alloc(size)?;
            let mut rest = &mut space[..];
            use std::io::Write;
            rest.write_all(b"sip:").ok()?;
            rest.write_all(host).ok()?;
            write!(rest, ":{port};transport={name}").ok()?;
            let len = size - rest.len();
            Some(Val::str(space.get(..len)?))
        }
        HopKey::User => None,
        HopKey::Host => Some(Val::str(host)),
        HopKey::Port => Some(Val::int(port)),
        HopKey::Transport => Some(Val::str(protocol.map_or("udp", Protocol::name).as_bytes())),
        HopKey::Family => Some(Val::int(family(host))),
    }
}

/// The port that replies to `via` go to: its `rport`, its port, or the transport's default.
pub(super) fn reply_port(via: &Via<'_>) -> i64 {
    let default = || Protocol::from_name(via.transport()).map_or(5060, Protocol::default_port);
    i64::from(via.rport().or(via.port()).unwrap_or_else(default))
}

/// The listen socket that `text` names: `[proto:]host[:port]`, the host by name or address.
pub fn socket_called(run: &Run, text: &[u8]) -> Option<SocketId> {
    let sockets = run.try_worker()?.network.sockets();
    if let Some(exact) = sockets.iter().find(|socket| socket.text.as_bytes() == text) {
        return Some(exact.id);
    }
    let (protocol, rest) = match memchr::memchr(b':', text) {
        Some(colon) => match Protocol::from_name(&text[..colon]) {
            Some(protocol) => (Some(protocol), &text[colon + 1..]),
            None => (None, text),
        },
        None => (None, text),
    };
    let (host, port) = split_port(rest)?;
    let fits = |socket: &&Socket| {
        protocol.is_none_or(|protocol| protocol == socket.protocol)
            && port.is_none_or(|port| port == socket.address.port())
            && (socket.host.as_bytes().eq_ignore_ascii_case(host)
                || socket.address_text.as_bytes().eq_ignore_ascii_case(host))
    };
    sockets.iter().find(fits).map(|socket| socket.id)
}

/// Host and port of `host[:port]`; `None` where the port is none.
fn split_port(text: &[u8]) -> Option<(&[u8], Option<u16>)> {
    let after = match text.first() {
        Some(b'[') => memchr::memchr(b']', text)? + 1,
        _ => memchr::memchr(b':', text).unwrap_or(text.len()),
    };
    match &text[after..] {
        [] => Some((text, None)),
        [b':', port @ ..] => Some((&text[..after], Some(kcc_sip::token::parse_port(port)?))),
        _ => None,
    }
}

fn forced(run: &Run) -> Option<&Socket> {
    run.try_worker()?.network.socket(run.target.socket?)
}

/// A part of `$du`; `None` where it is unset or cannot be parsed.
fn destination(run: &Run) -> Option<Uri<'_>> {
    Uri::parse(run.target.dst_uri.get()?).ok()
}

/// Variables of the next hop.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use kcc_sip::Uri;

    use crate::declare::Const;
    use crate::run::Run;
    use crate::value::{Val, Value};
    use crate::variables::{Refused, request_uri, some};

    use super::{HopKey, destination, forced, socket_called};

    /// The next hop, where it is not the Request-URI: a SIP URI.
    ///
    /// Null where unset. Assigning text sets it, unchecked; null or "" unsets it.
    ///
    /// ```cfg
    /// $du = "sip:192.0.2.7:5070;transport=tcp";
    /// ```
    #[pv(name = "du", aliases("duri"))]
    fn du(run: &mut Run) -> Option<Val> {
        Some(run.scratch.copy(run.target.dst_uri.get()?))
    }

    #[pv_write("du")]
    fn set_du(run: &mut Run, value: Value) -> Result<(), Refused> {
        match value {
            Value::Null | Value::Str([]) => run.target.dst_uri.clear(),
            Value::Str(text) => run.target.dst_uri.set(text),
            Value::Int(_) => return Err(Refused::NotText),
        }
        Ok(())
    }

    /// The host of `$du`; null where that is unset.
    #[pv(name = "dd")]
    fn dd(run: &mut Run) -> Option<Val> {
        let uri = Uri::parse(run.target.dst_uri.get()?).ok()?;
        Some(run.scratch.copy(some(uri.host)?))
    }

    /// The port of `$du`: as `$rp`; null where `$du` is unset.
    #[pv(name = "dp")]
    fn dp(run: &mut Run) -> Option<Val> {
        let n = request_uri::port(&destination(run)?);
        Some(request_uri::port_text(run, n))
    }

    #[pv_int("dp")]
    fn dp_number(run: &mut Run) -> Option<i64> {
        destination(run).map(|uri| request_uri::port(&uri))
    }

    /// The transport of `$du`: as `$rP`; null where `$du` is unset.
    #[pv(name = "dP")]
    fn dp_transport(run: &mut Run) -> Option<Val> {
        let uri = Uri::parse(run.target.dst_uri.get()?).ok()?;
        Some(run.scratch.copy(request_uri::transport(&uri)))
    }

    #[pv_int("dP")]
    fn dp_transport_number(run: &mut Run) -> Option<i64> {
        destination(run).map(|uri| request_uri::transport_number(&uri))
    }

    /// The next hop: `$du`, else the Request-URI; in replies where the second Via points.
    ///
    /// Keys: `u` the URI, `U` its user (null in replies), `d` its host, `p` its port, `P` its
    /// transport (`UDP` where the URI names none), `i` the family of a host that is an address: 4 or 6, 0 for a name.
    ///
    /// ```cfg
    /// if ($nh(d) == "192.0.2.7") exit;
    /// ```
    #[pv(name = "nh")]
    fn nh(run: &mut Run, key: Const<HopKey>) -> Option<Val> {
        if !run.message.is_request() {
            return super::reply_hop(run, *key);
        }
        let uri = Uri::parse(run.next_hop()).ok()?;
        let number = match *key {
            HopKey::Uri => return Some(copy_hop(run, |uri| Some(uri.raw))),
            HopKey::User => {
                return some(uri.user_or_empty())
                    .is_some()
                    .then(|| copy_hop(run, |uri| uri.user));
            }
            HopKey::Host => {
                return some(uri.host)
                    .is_some()
                    .then(|| copy_hop(run, |uri| Some(uri.host)));
            }
            HopKey::Transport => {
                return Some(copy_hop(run, |uri| Some(request_uri::transport(uri))));
            }
            HopKey::Port => {
                let n = request_uri::port(&uri);
                return Some(request_uri::port_text(run, n));
            }
            HopKey::Family => super::family(uri.host),
        };
        Some(Val::int(number))
    }

    fn copy_hop(run: &mut Run, part: impl for<'a> FnOnce(&Uri<'a>) -> Option<&'a [u8]>) -> Val {
        let target = &run.target;
        let hop = target.dst_uri.get().or_else(|| target.uri.get());
        let hop = hop.unwrap_or_else(|| run.message.request_uri());
        match Uri::parse(hop).ok().and_then(|uri| part(&uri)) {
            Some(text) => run.scratch.copy(text),
            None => Val::NULL,
        }
    }

    /// The socket to send from, `proto:host:port`; null where none is forced.
    ///
    /// Assigning a listen socket's name in this form forces it; `proto` and port may be left out.
    /// Another text leaves it as it was, with a warning. Null lets the server choose again.
    ///
    /// ```cfg
    /// $fs = "udp:192.0.2.1:5060";
    /// ```
    #[pv(name = "fs")]
    fn fs(run: &mut Run) -> Option<Val> {
        Some(Val::str(forced(run)?.text.as_bytes()))
    }

    #[pv_write("fs")]
    fn set_fs(run: &mut Run, value: Value) -> Result<(), Refused> {
        match value {
            Value::Null => run.target.socket = None,
            Value::Int(_) => return Err(Refused::NotText),
            Value::Str(text) => match socket_called(run, text) {
                Some(socket) => run.target.socket = Some(socket),
                None => run.warn(&Refused::NoSocket),
            },
        }
        Ok(())
    }

    /// The name of the socket to send from (`name` of its `listen`); null where none is forced.
    ///
    /// Assigning a name forces that socket; null lets the server choose again.
    #[pv(name = "fsn")]
    fn fsn(run: &mut Run) -> Option<Val> {
        Some(Val::str(forced(run)?.name.as_ref()?.as_bytes()))
    }

    #[pv_write("fsn")]
    fn set_fsn(run: &mut Run, value: Value) -> Result<(), Refused> {
        let name = match value {
            Value::Null => {
                run.target.socket = None;
                return Ok(());
            }
            Value::Int(_) => return Err(Refused::NotText),
            Value::Str(name) => name,
        };
        let named = run.try_worker().and_then(|worker| {
            let mut sockets = worker.network.sockets().iter();
            sockets.find(|socket| socket.name.as_ref().is_some_and(|n| n.as_bytes() == name))
        });
        match named.map(|socket| socket.id) {
            Some(socket) => run.target.socket = Some(socket),
            None => run.warn(&Refused::NoSocket),
        }
        Ok(())
    }

    /// The port of the socket to send from; 0 where none is forced.
    #[pv(name = "fsp")]
    fn fsp(run: &mut Run) -> i64 {
        forced(run).map_or(0, |socket| i64::from(socket.address.port()))
    }
}
