//! The real network as one worker sees it: its own sockets, and the connections of all.

use std::cell::RefCell;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::chunk::Chunk;
use super::connections::Connections;
use super::memory::Memory;
use super::udp::{Flushed, Udp};
use super::{
    ConnectionId, Counter, Counters, Destination, Farewell, Handler, Network, Protocol, Security,
    SendError, Socket, SocketId, Terms, Tls, WorkerSockets, member, stream,
};

/// The core parameters that concern sending and connections.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// `mhomed`: the kernel's route chooses the sending socket.
    pub mhomed: bool,
    /// `tcp_rd_buf_size`: bytes read at a time.
    pub tcp_rd_buf_size: usize,
    /// The largest message on a stream, in bytes.
    pub tcp_max_message: usize,
    /// `tcp_connection_lifetime`: time without traffic after which a connection ends.
    pub tcp_connection_lifetime: Duration,
    /// `tcp_msg_read_timeout`: time that one message may take from its first byte to its last.
    pub tcp_msg_read_timeout: Duration,
    /// `tcp_connect_timeout`.
    pub tcp_connect_timeout: Duration,
    /// `tls_handshake_timeout`: time that a TLS handshake may take.
    pub tls_handshake_timeout: Duration,
    /// `tcp_conn_wq_max`: bytes that may wait for a peer that does not read.
    pub tcp_conn_wq_max: usize,
    /// `tcp_max_connections`: connections of all workers together.
    pub tcp_max_connections: usize,
    /// `tcp_accept_no_cl`: a message without Content-Length has no body.
    pub tcp_accept_no_cl: bool,
    /// `tcp_crlf_ping`: answer keepalives.
    pub tcp_crlf_ping: bool,
    /// `tcp_no_connect`: open no connections from this side.
    pub tcp_no_connect: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            mhomed: false,
            tcp_rd_buf_size: 16_384,
            tcp_max_message: 65_535,
            tcp_connection_lifetime: Duration::from_secs(120),
            tcp_msg_read_timeout: Duration::from_secs(20),
            tcp_connect_timeout: Duration::from_secs(10),
            tls_handshake_timeout: Duration::from_secs(10),
            tcp_conn_wq_max: 32 << 10,
            tcp_max_connections: 2048,
            tcp_accept_no_cl: false,
            tcp_crlf_ping: true,
            tcp_no_connect: false,
        }
    }
}

/// What the workers of one server share.
pub struct Transport {
    sockets: Vec<Socket>,
    options: Options,
    counters: Counters,
    connections: Connections,
    tls: Option<Arc<Tls>>,
}

impl Transport {
    /// A transport over `sockets`, the table of [`Bound`](super::Bound). Without `tls` the sockets
    /// of TLS accept nothing and no connection with TLS is opened.
    pub fn new(sockets: Vec<Socket>, options: Options, tls: Option<Arc<Tls>>) -> Arc<Transport> {
        Arc::new(Transport {
            tls,
            sockets,
            options,
            counters: Counters::default(),
            connections: Connections::new(options.tcp_max_connections, options.tcp_conn_wq_max),
        })
    }

    /// The table of listen sockets.
    pub fn sockets(&self) -> &[Socket] {
        &self.sockets
    }

    /// What was counted so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many connections are open or being opened.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }
}

/// One worker's network. Everything here runs on the worker's thread.
pub struct Wire {
    shared: Arc<Transport>,
    udp: Rc<Udp>,
    chunk: Rc<RefCell<Chunk>>,
    listeners: RefCell<Vec<(SocketId, std::net::TcpListener)>>,
    /// Set from start to stop.
    handler: RefCell<Option<Rc<dyn Handler>>>,
    tasks: RefCell<Vec<JoinHandle<()>>>,
    /// The network in memory that takes the kernel's place.
    memory: Option<Rc<Memory>>,
    this: std::rc::Weak<Wire>,
}

impl Wire {
    /// The network of the worker that owns `sockets`. Nothing is received before
    /// [`Wire::start`].
    pub fn new(shared: Arc<Transport>, sockets: WorkerSockets) -> Rc<Wire> {
        Wire::over(None, shared, sockets)
    }

    /// The same over a network in memory: the sockets of `shared` are addresses on it.
    pub fn simulated(shared: Arc<Transport>, memory: Rc<Memory>) -> Rc<Wire> {
        Wire::over(Some(memory), shared, WorkerSockets::default())
    }

    fn over(
        memory: Option<Rc<Memory>>,
        shared: Arc<Transport>,
        sockets: WorkerSockets,
    ) -> Rc<Wire> {
        Rc::new_cyclic(|this| Wire {
            shared,
            udp: Rc::new(Udp::new(sockets.udp)),
            chunk: Rc::new(RefCell::new(Chunk::new())),
            listeners: RefCell::new(sockets.tcp),
            handler: RefCell::default(),
            tasks: RefCell::default(),
            memory,
            this: this.clone(),
        })
    }

    /// Begins to receive. To be called once, inside the worker's `LocalSet`.
    pub fn start(self: &Rc<Self>, handler: Rc<dyn Handler>) {
        *self.handler.borrow_mut() = Some(Rc::clone(&handler));
        if let Some(memory) = &self.memory {
            return member::join(memory, self, &handler);
        }
        let mut tasks = self.tasks.borrow_mut();
        for port in 0..self.udp.ports() {
            let udp = Rc::clone(&self.udp);
            let (chunk, shared) = (Rc::clone(&self.chunk), Arc::clone(&self.shared));
            let handler = Rc::clone(&handler);
            tasks.push(crate::local::spawn(async move {
                report(udp.receive_task(port, chunk, shared, handler).await);
            }));
        }
        for (socket, listener) in self.listeners.take() {
            let (wire, handler) = (Rc::clone(self), Rc::clone(&handler));
            tasks.push(crate::local::spawn(async move {
                report(stream::accept_task(wire, socket, listener, handler).await);
            }));
        }
        let flush = Rc::clone(&self.udp).flush_task(Arc::clone(&self.shared), handler);
        tasks.push(crate::local::spawn(flush));
    }

    /// Ends receiving and hands what waits on UDP to the kernel. Connections end when the
    /// `LocalSet` is dropped.
    pub fn stop(&self) {
        for task in self.tasks.take() {
            task.abort();
        }
        let handler = self.handler.take();
        if let Some(handler) = handler
            && let Flushed::Blocked(_) = self.udp.flush(&self.shared.counters, &*handler)
        {
            crate::warn!("datagrams were left unsent at the end");
        }
    }

    /// Runs `handle`; the datagrams that it sends leave together at its end.
    pub fn batch(&self, handler: &dyn Handler, handle: impl FnOnce()) {
        self.udp.batch(&self.shared.counters, handler, handle);
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    pub(super) fn connections(&self) -> &Connections {
        &self.shared.connections
    }

    pub(super) fn options(&self) -> &Options {
        &self.shared.options
    }

    /// What makes streams of `protocol` secure.
    pub(super) fn tls_for(&self, protocol: Protocol) -> Option<&Tls> {
        self.shared.tls.as_deref().filter(|_| protocol.secure())
    }

    pub(super) fn memory(&self) -> Option<&Rc<Memory>> {
        self.memory.as_ref()
    }

    pub(super) fn chunk(&self) -> &RefCell<Chunk> {
        &self.chunk
    }

    fn send_on_connection(&self, to: &Destination, data: &[u8]) -> Result<(), SendError> {
        let preferred = to.connection.and_then(|id| self.connections().get(id));
        if let Some(connection) = preferred {
            match connection.send(data) {
                Err(SendError::Closed) => {}
                result => return result,
            }
        }
        let peer = (to.protocol, to.address);
        if let Some(connection) = self.connections().find(peer) {
            return connection.send(data);
        }
        let handler = self.handler.borrow().clone();
        let handler = handler.ok_or(SendError::NotConnected)?;
        let this = self.this.upgrade().ok_or(SendError::NotConnected)?;
        let possible = match to.protocol {
            Protocol::Tcp => true,
            Protocol::Tls => self.tls_for(to.protocol).is_some(),
            _ => false,
        };
        if !possible || self.options().tcp_no_connect {
            return Err(SendError::NotConnected);
        }
        let socket = self.sending_socket(to)?;
        let (connection, new) = self.connections().to_peer(peer, socket)?;
        if new {
            // The script's choice of a socket is a choice of the address to come from.
            let source = to.socket.and_then(|_| self.socket(socket));
            let source = source.map(|socket| SocketAddr::new(socket.address.ip(), 0));
            stream::open(&this, Arc::clone(&connection), source, &handler);
        }
        connection.send(data)
    }

    fn sending_socket(&self, to: &Destination) -> Result<SocketId, SendError> {
        let given = to.socket.and_then(|id| self.socket(id));
        match given {
            Some(socket) if fits(socket, to.protocol, to.address) => Ok(socket.id),
            _ => self
                .socket_for(to.protocol, to.address, None)
                .ok_or(SendError::NoSocket),
        }
    }
}

impl Network for Wire {
    fn sockets(&self) -> &[Socket] {
        &self.shared.sockets
    }

    fn send(&self, to: &Destination, data: &[u8]) -> Result<(), SendError> {
        let result = match to.protocol {
            Protocol::Udp => self
                .sending_socket(to)
                .and_then(|socket| match &self.memory {
                    None => self.udp.send(socket, to.address, data),
                    Some(memory) => member::send(memory, self, socket, to.address, data),
                }),
            _ => self.send_on_connection(to, data),
        };
        match result {
            // Datagrams are counted when the kernel took them.
            Ok(()) if to.protocol != Protocol::Udp => {
                self.counters().count(Counter::Sent);
                if matches!(to.protocol, Protocol::Ws | Protocol::Wss) {
                    self.counters().count(Counter::WsSent);
                }
            }
            Ok(()) => {}
            Err(SendError::QueueFull) => self.counters().count(Counter::SendQueueFull),
            Err(SendError::TooManyConnections) => self.counters().count(Counter::TcpRefused),
            Err(_) => self.counters().count(Counter::SendErrors),
        }
        result
    }

    fn socket_for(
        &self,
        protocol: Protocol,
        destination: SocketAddr,
        received: Option<SocketId>,
    ) -> Option<SocketId> {
        let fitting = || {
            let sockets = self.shared.sockets.iter();
            sockets.filter(move |socket| fits(socket, protocol, destination))
        };
        if self.options().mhomed
            && self.memory.is_none()
            && let Ok(local) = route(destination)
            && let Some(socket) = fitting().find(|socket| socket.address.ip() == local.ip())
        {
            return Some(socket.id);
        }
        received
            .and_then(|id| fitting().find(|socket| socket.id == id))
            .or_else(|| fitting().find(|socket| !socket.address.ip().is_loopback()))
            .or_else(|| fitting().next())
            .map(|socket| socket.id)
    }

    fn connection_to(&self, protocol: Protocol, peer: SocketAddr) -> Option<ConnectionId> {
        let connection = self.connections().find((protocol, peer))?;
        Some(connection.id)
    }

    fn security(&self, connection: ConnectionId) -> Option<Arc<Security>> {
        self.connections().get(connection)?.security()
    }

    fn alias(&self, connection: ConnectionId, port: u16) -> bool {
        self.connections().alias(connection, port)
    }

    fn close(&self, connection: ConnectionId) -> bool {
        self.connections().close(connection)
    }

    fn upgrade(&self, connection: ConnectionId, terms: Terms) -> bool {
        let upgraded = self.connections().upgrade(connection, terms);
        if upgraded {
            self.counters().count(Counter::WsHandshakes);
        }
        upgraded
    }

    fn close_websocket(&self, connection: ConnectionId, farewell: Farewell) -> bool {
        self.connections().close_websocket(connection, farewell)
    }
}

fn fits(socket: &Socket, protocol: Protocol, destination: SocketAddr) -> bool {
    let same_family = socket.address.is_ipv4() == destination.is_ipv4();
    socket.protocol == protocol.carrier() && same_family
}

/// The local address that the kernel's route to `destination` starts from. No packet is sent.
fn route(destination: SocketAddr) -> io::Result<SocketAddr> {
    let any: SocketAddr = match destination {
        SocketAddr::V4(_) => (std::net::Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(destination)?;
    socket.local_addr()
}

fn report(result: io::Result<()>) {
    if let Err(error) = result {
        crate::error!("a socket cannot be served: {error}");
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
