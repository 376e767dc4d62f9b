//! Where a request goes next, and where a reply goes back (RFC 3261 §16.6, §18.2.2, RFC 3581).

use std::net::{IpAddr, SocketAddr};

use kcc_sip::uri::Scheme;
use kcc_sip::{Message, Uri};

use crate::dns::DnsError;
use crate::run::{Run, Source, Target};
use crate::transport::{Destination, Protocol, Socket};

/// The host that a request is to be sent to, not yet resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextHop {
    /// Host name or address.
    pub host: Vec<u8>,
    /// Port, where one is given.
    pub port: Option<u16>,
    /// Transport, where one is given.
    pub protocol: Option<Protocol>,
}

/// Why there is no destination.
#[derive(Debug, thiserror::Error)]
pub enum NextHopError {
    /// The URI cannot be parsed or is of a scheme that is not routed by host.
    #[error("{0:?} is no SIP URI to send to")]
    BadUri(String),
    /// The host has no address.
    #[error("{host}: {error}")]
    Unresolved {
        /// The host.
        host: String,
        /// Why.
        error: DnsError,
    },
    /// No socket of the protocol and address family.
    #[error("no listen socket to send to {0}:{1} from")]
    NoSocket(Protocol, SocketAddr),
}

impl NextHopError {
    /// The code of `t_relay()` and `forward()`.
    pub fn code(&self) -> i64 {
        match self {
            NextHopError::BadUri(_) | NextHopError::Unresolved { .. } => -478,
            NextHopError::NoSocket(..) => -7,
        }
    }
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

impl NextHop {
    /// The next hop that `uri` names. An unknown transport counts as none.
    ///
    /// # Errors
    /// The URI is malformed or of another scheme.
    pub fn of(uri: &[u8]) -> Result<NextHop, NextHopError> {
        let parsed = Uri::parse(uri).map_err(|_| NextHopError::BadUri(shown(uri)))?;
        if !matches!(parsed.scheme, Scheme::Sip | Scheme::Sips) || parsed.host.is_empty() {
            return Err(NextHopError::BadUri(shown(uri)));
        }
        let protocol = match parsed.transport() {
            Some(name) => Protocol::from_name(name),
            None if parsed.scheme == Scheme::Sips => Some(Protocol::Tls),
            None => None,
        };
        let host = parsed.maddr().unwrap_or(parsed.host);
        Ok(NextHop {
            host: host.to_vec(),
            port: parsed.port,
            protocol,
        })
    }
}

impl Run {
    /// The destination of a request that goes to `hop` for `target`.
    ///
    /// # Errors
    /// The host has no address, or there is no socket to send from.
    pub async fn locate(
        &self,
        hop: &NextHop,
        forced: Option<crate::transport::SocketId>,
    ) -> Result<Destination, NextHopError> {
        let worker = self.worker();
        let found = worker
            .resolver
            .locate(&hop.host, hop.port, hop.protocol)
            .await;
        let candidates = found.map_err(|error| NextHopError::Unresolved {
            host: shown(&hop.host),
            error,
        })?;
        let sockets = worker.network.sockets();
        let reachable = |ip: IpAddr| {
            let same = |socket: &Socket| socket.address.is_ipv4() == ip.is_ipv4();
            sockets.iter().any(same)
        };
        let candidate = candidates.iter().find(|candidate| reachable(candidate.ip));
        let candidate = candidate.ok_or_else(|| NextHopError::Unresolved {
            host: shown(&hop.host),
            error: DnsError::NotFound,
        })?;
        let address = SocketAddr::new(candidate.ip, candidate.port);
        // `transport=ws` names secure WebSocket, too (RFC 7118 §5.2.4).
        let open = |protocol| worker.network.connection_to(protocol, address).is_some();
        let protocol = match candidate.transport {
            Protocol::Ws if !open(Protocol::Ws) && open(Protocol::Wss) => Protocol::Wss,
            other => other,
        };
        let socket = forced
            .filter(|id| {
                worker
                    .network
                    .socket(*id)
                    .is_some_and(|socket| socket.protocol == protocol.carrier())
            })
            .or_else(|| {
                worker
                    .network
                    .socket_for(protocol, address, Some(self.source.socket))
            })
            .ok_or(NextHopError::NoSocket(protocol, address))?;
        Ok(Destination {
            protocol,
            address,
            socket: Some(socket),
            connection: None,
        })
    }
}

/// The URI that decides where `target` goes.
pub fn routing_uri<'a>(target: &'a Target, message: &'a Message) -> &'a [u8] {
    let uri = target.dst_uri.get().or_else(|| target.uri.get());
    uri.unwrap_or_else(|| message.request_uri())
}

/// Where a reply to `request`, which came from `source`, goes: back to the address it came from; on UDP to the
/// port in its top Via, or to the source port where `rport` or `force_rport` says so.
pub fn reply_destination(request: &Message, source: &Source, force_rport: bool) -> Destination {
    let mut address = source.address;
    if source.protocol == Protocol::Udp
        && let Some(via) = request.top_via()
        && !force_rport
        && !via.has_rport()
    {
        address.set_port(via.port().unwrap_or(Protocol::Udp.default_port()));
    }
    Destination {
        protocol: source.protocol,
        address,
        socket: Some(source.socket),
        connection: source.connection,
    }
}
