//! From `listen` statements to bound sockets.
//!
//! Every worker gets its own socket for every address, by SO_REUSEPORT. The first socket of an
//! address is bound without it, so an address that any other process uses is an error here;
//! it joins the group afterwards. Invariant: either all sockets are bound or none is left.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs, UdpSocket};
use std::os::fd::AsFd;

use socket2::{Domain, SockAddr, Type};

use super::interfaces::{self, InterfaceAddress};
use super::kernel;
use super::{Protocol, Socket, SocketId};

/// One `listen` (or `-l`), as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenSpec {
    /// The protocol; `None` stands for UDP and, unless `disable_tcp`, TCP.
    pub protocol: Option<Protocol>,
    /// An address (IPv6 in brackets or not), an interface's name, a host name, or `*`.
    pub host: String,
    /// The port; `None` stands for `port` (`tls_port_no` for TLS). 0 takes any free port.
    pub port: Option<u16>,
    /// What `advertise` gives: host, and port if written.
    pub advertise: Option<(String, Option<u16>)>,
    /// What `name` gives.
    pub name: Option<String>,
    /// Whether the address may be absent from this machine (`virtual`).
    pub is_virtual: bool,
}

/// The core parameters that concern listening.
#[derive(Clone, Copy, Debug)]
pub struct ListenOptions {
    /// Threads that receive; each gets its own sockets. At least 1.
    pub workers: usize,
    /// `port`.
    pub port: u16,
    /// `tls_port_no`.
    pub tls_port: u16,
    /// False for `disable_tcp=yes`: TCP sockets are left out.
    pub tcp: bool,
    /// False where TLS is not enabled: TLS sockets are left out.
    pub tls: bool,
    /// `auto_bind_ipv6`: interfaces stand for their IPv6 addresses too (link-local ones not).
    pub auto_bind_ipv6: bool,
    /// Bytes asked for as the receive buffer of UDP sockets (`maxbuffer`).
    pub udp_receive_buffer: usize,
    /// Connections that may wait to be accepted (`tcp_listen_backlog`).
    pub tcp_backlog: i32,
}

impl Default for ListenOptions {
    fn default() -> Self {
        ListenOptions {
            workers: 1,
            port: 5060,
            tls_port: 5061,
            tcp: true,
            tls: false,
            auto_bind_ipv6: false,
            udp_receive_buffer: 256 << 10,
            tcp_backlog: 1024,
        }
    }
}

/// The bound sockets, to be handed to the workers.
#[derive(Debug)]
pub struct Bound {
    /// The table, in the order of the configuration: UDP before TCP for one specification.
    pub sockets: Vec<Socket>,
    /// One element a worker.
    pub workers: Vec<WorkerSockets>,
}

/// One worker's own sockets.
#[derive(Debug, Default)]
pub struct WorkerSockets {
    pub(super) udp: Vec<(SocketId, UdpSocket)>,
    pub(super) tcp: Vec<(SocketId, TcpListener)>,
}

/// A specification that could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {text}: {reason}")]
pub struct ListenError {
    /// The index of the specification; `None` when there was none and all interfaces were
    /// taken.
    pub spec: Option<usize>,
    /// What was to be bound: `udp:127.0.0.1:5060`.
    pub text: String,
    /// Why not.
    pub reason: ListenReason,
}

/// Why an address cannot be bound.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // the messages say it
pub enum ListenReason {
    #[error("the port is in use by another process")]
    InUse,
    #[error("no permission to bind to this port (below 1024 without privileges?)")]
    Denied,
    #[error("no interface of this machine has this address")]
    NoSuchAddress,
    #[error("neither an address, nor an interface, nor a host name that resolves")]
    UnknownHost,
    #[error("{0} is not supported yet")]
    Unsupported(Protocol),
    #[error("more than 65,535 sockets")]
    TooMany,
    #[error("{0}")]
    Other(io::Error),
}

impl From<io::Error> for ListenReason {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AddrInUse => ListenReason::InUse,
            io::ErrorKind::PermissionDenied => ListenReason::Denied,
            io::ErrorKind::AddrNotAvailable => ListenReason::NoSuchAddress,
            _ => ListenReason::Other(error),
        }
    }
}

/// Binds all that `specs` ask for; without any, UDP and TCP on every address of every
/// interface. A host name is resolved with the system's resolver, which may wait: not for a
/// worker. An address asked for twice is bound once.
///
/// # Errors
/// The first specification that cannot be bound.
pub fn listen(specs: &[ListenSpec], options: &ListenOptions) -> Result<Bound, ListenError> {
    let every = [ListenSpec {
        host: "*".into(),
        ..ListenSpec::default()
    }];
    let given = !specs.is_empty();
    let mut bound = Bound {
        sockets: Vec::new(),
        workers: Vec::new(),
    };
    bound
        .workers
        .resize_with(options.workers.max(1), WorkerSockets::default);
    for (index, spec) in if given { specs } else { &every }.iter().enumerate() {
        let fail = |protocol: Protocol, host: &dyn std::fmt::Display, reason| ListenError {
            spec: given.then_some(index),
            text: format!("{protocol}:{host}:{}", port_of(spec, protocol, options)),
            reason,
        };
        let protocols: &[Protocol] = match &spec.protocol {
            Some(protocol) => std::slice::from_ref(protocol),
            None => &[Protocol::Udp, Protocol::Tcp],
        };
        let addresses =
            resolve(spec, options).map_err(|reason| fail(protocols[0], &spec.host, reason))?;
        for &protocol in protocols {
            let left_out = match protocol {
                Protocol::Tcp => !options.tcp,
                Protocol::Tls => !options.tls,
                _ => false,
            };
            if left_out {
                continue;
            }
            for (address, host) in &addresses {
                let address = SocketAddr::new(*address, port_of(spec, protocol, options));
                bind(
                    &mut bound,
                    spec,
                    protocol,
                    address,
                    host.as_deref(),
                    options,
                )
                .map_err(|reason| match address.ip() {
                    IpAddr::V6(ip) => fail(protocol, &format_args!("[{ip}]"), reason),
                    IpAddr::V4(ip) => fail(protocol, &ip, reason),
                })?;
            }
        }
    }
    Ok(bound)
}

fn port_of(spec: &ListenSpec, protocol: Protocol, options: &ListenOptions) -> u16 {
    spec.port.unwrap_or(match protocol {
        Protocol::Tls | Protocol::Wss => options.tls_port,
        _ => options.port,
    })
}

/// The addresses that the host of `spec` stands for, each with the host's name if it has one.
fn resolve(
    spec: &ListenSpec,
    options: &ListenOptions,
) -> Result<Vec<(IpAddr, Option<String>)>, ListenReason> {
    let host = spec.host.trim();
    let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    if let Ok(address) = inner.unwrap_or(host).parse::<IpAddr>() {
        return Ok(vec![(address, None)]);
    }
    let all = interfaces::addresses()?;
    let wanted = |entry: &&InterfaceAddress| {
        let family = match entry.address {
            IpAddr::V4(_) => true,
            IpAddr::V6(v6) => options.auto_bind_ipv6 && !v6.is_unicast_link_local(),
        };
        family && (host == "*" || host == entry.interface)
    };
    let found: Vec<_> = all
        .iter()
        .filter(wanted)
        .map(|entry| (entry.address, None))
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    if host.is_empty() || host == "*" || all.iter().any(|entry| entry.interface == host) {
        return Err(ListenReason::NoSuchAddress);
    }
    let resolved: Vec<SocketAddr> = (host, 0)
        .to_socket_addrs()
        .map_err(|_| ListenReason::UnknownHost)?
        .collect();
    // One address, IPv4 before IPv6, as Kamailio takes it.
    resolved
        .iter()
        .find(|address| address.is_ipv4())
        .or(resolved.first())
        .map(|address| vec![(address.ip(), Some(host.to_owned()))])
        .ok_or(ListenReason::UnknownHost)
}

fn bind(
    bound: &mut Bound,
    spec: &ListenSpec,
    protocol: Protocol,
    mut address: SocketAddr,
    host: Option<&str>,
    options: &ListenOptions,
) -> Result<(), ListenReason> {
    let same = |s: &Socket| s.protocol == protocol && s.address == address;
    if bound.sockets.iter().any(same) {
        return Ok(());
    }
    let number = u16::try_from(bound.sockets.len()).map_err(|_| ListenReason::TooMany)?;
    let id = SocketId(number);
    for index in 0..bound.workers.len() {
        let place = Place {
            address,
            first: index == 0,
            shared: bound.workers.len() > 1,
            freebind: spec.is_virtual,
        };
        let worker = &mut bound.workers[index];
        match protocol {
            Protocol::Udp => {
                let socket = place.udp(options)?;
                address = socket.local_addr()?;
                worker.udp.push((id, socket));
            }
            Protocol::Tcp | Protocol::Tls => {
                let listener = place.tcp(options)?;
                address = listener.local_addr()?;
                worker.tcp.push((id, listener));
            }
            other => return Err(ListenReason::Unsupported(other)),
        }
    }
    if protocol == Protocol::Udp && bound.workers.len() > 1 {
        let (_, socket) = bound.workers[0].udp.last().ok_or(ListenReason::TooMany)?;
        if let Err(error) = kernel::spread(socket.as_fd(), bound.workers.len() as u32) {
            crate::warn!("one peer's datagrams all go to one worker: {error}");
        }
    }
    let mut socket = Socket::new(id, protocol, address, host);
    if let Some((host, port)) = &spec.advertise {
        socket = socket.advertise(host, *port);
    }
    socket.name = spec.name.as_deref().map(Into::into);
    socket.is_virtual = spec.is_virtual;
    bound.sockets.push(socket);
    Ok(())
}

/// One socket to be bound.
struct Place {
    address: SocketAddr,
    first: bool,
    shared: bool,
    freebind: bool,
}

impl Place {
    fn udp(&self, options: &ListenOptions) -> io::Result<UdpSocket> {
        let socket = self.open(Type::DGRAM)?;
        socket.set_recv_buffer_size(options.udp_receive_buffer)?;
        socket.bind(&SockAddr::from(self.address))?;
        self.join(&socket)?;
        Ok(socket.into())
    }

    fn tcp(&self, options: &ListenOptions) -> io::Result<TcpListener> {
        let socket = self.open(Type::STREAM)?;
        socket.set_reuse_address(true)?;
        socket.bind(&SockAddr::from(self.address))?;
        socket.listen(options.tcp_backlog)?;
        self.join(&socket)?;
        Ok(socket.into())
    }

    fn open(&self, kind: Type) -> io::Result<socket2::Socket> {
        let socket = socket2::Socket::new(Domain::for_address(self.address), kind, None)?;
        socket.set_nonblocking(true)?;
        if self.address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        if self.freebind {
            match self.address {
                SocketAddr::V4(_) => socket.set_freebind_v4(true)?,
                SocketAddr::V6(_) => socket.set_freebind_v6(true)?,
            }
        }
        if !self.first {
            socket.set_reuse_port(true)?;
        }
        Ok(socket)
    }

    /// Lets the further sockets of the same address join this one.
    fn join(&self, socket: &socket2::Socket) -> io::Result<()> {
        if self.first && self.shared {
            socket.set_reuse_port(true)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "listen_tests.rs"]
mod tests;
