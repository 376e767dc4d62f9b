//! What carries SIP messages: sockets, connections, datagrams (RFC 3261 §18).
//!
//! A worker owns one [`Network`] and gives each message that arrives to its [`Handler`]. The
//! real network is [`Wire`]; a simulated one implements the same trait, so that a whole server
//! runs in virtual time.
//!
//! Invariants: nothing here blocks; every queue and buffer has a limit and a counter for what
//! was refused; the sends of one worker leave a socket or connection in their order.

mod chunk;
mod connections;
mod counters;
mod interfaces;
mod kernel;
mod listen;
mod member;
mod memory;
mod myself;
mod pipe;
mod protocol;
mod socket;
mod stream;
mod tls;
mod udp;
mod wire;

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::sync::Arc;

use bytes::Bytes;

pub use counters::{Counter, Counters};
pub use listen::{
    Bound, ListenError, ListenOptions, ListenReason, ListenSpec, WorkerSockets, listen,
};
pub use memory::{Conditions, Listener, Memory, Port};
pub use myself::{Alias, Myself};
pub use pipe::Pipe;
pub use protocol::Protocol;
pub use socket::{Socket, SocketId};
pub use stream::websocket::{Farewell, Keepalive, Terms};
pub use tls::{Profile, ProfilePlace, Role, Security, Tls, TlsError, Versions};
pub use wire::{Options, Transport, Wire};

/// A connection's number, never used twice in the life of the process (`$conid`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub NonZeroU64);

/// One message off the network.
#[derive(Clone, Debug)]
pub struct Received {
    /// The bytes of one message. They share a chunk with their neighbours: who keeps them
    /// beyond the handling of the message copies them.
    pub data: Bytes,
    /// Who sent it.
    pub source: SocketAddr,
    /// The listen socket that it came to; for a connection that this side opened, the listen
    /// socket that stands for it.
    pub socket: SocketId,
    /// Its transport.
    pub protocol: Protocol,
    /// The connection that it came on.
    pub connection: Option<ConnectionId>,
}

/// Where a message is to go. Plain data, so that a transaction keeps one per branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    /// The transport to use.
    pub protocol: Protocol,
    /// The peer.
    pub address: SocketAddr,
    /// The listen socket to send from; `None` lets the network choose as [`Network::socket_for`] does.
    pub socket: Option<SocketId>,
    /// The connection to prefer; when it is gone, one to `address` is used or opened.
    pub connection: Option<ConnectionId>,
}

impl Destination {
    /// The way back to whoever sent `received` (RFC 3261 §18.2.2 with RFC 3581).
    pub fn back_to(received: &Received) -> Destination {
        Destination {
            protocol: received.protocol,
            address: received.source,
            socket: Some(received.socket),
            connection: received.connection,
        }
    }
}

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// No listen socket has this protocol and address family.
    #[error("no listen socket for this protocol and address family")]
    NoSocket,
    /// Larger than the transport carries (65,507 bytes over UDP).
    #[error("message too large for the transport")]
    TooLarge,
    /// The queue of the socket or connection is full.
    #[error("send queue full")]
    QueueFull,
    /// As many connections as `tcp_max_connections` allows are open.
    #[error("too many connections")]
    TooManyConnections,
    /// No connection, and none may be opened (`tcp_no_connect`, a WebSocket peer).
    #[error("no connection to the destination")]
    NotConnected,
    /// The connection could not be opened within `tcp_connect_timeout`.
    #[error("connection timed out")]
    ConnectTimeout,
    /// The connection ended before the message was written.
    #[error("connection closed")]
    Closed,
    /// The kernel refused; the number is `errno`.
    #[error("{}", std::io::Error::from_raw_os_error(*.0))]
    System(i32),
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The peer closed it.
    Peer,
    /// Nothing passed for `tcp_connection_lifetime`.
    Idle,
    /// A message was begun and not ended within `tcp_msg_read_timeout`.
    SlowMessage,
    /// The stream does not carry SIP, or a message larger than the limit.
    Malformed,
    /// Its write queue grew beyond `tcp_conn_wq_max`.
    WriteQueueFull,
    /// It could not be opened, or a read or write failed; the number is `errno`.
    System(i32),
    /// It could not be opened within `tcp_connect_timeout`.
    ConnectTimeout,
    /// A WebSocket was closed by a close frame of the peer.
    PeerFarewell,
    /// A WebSocket whose ping was not answered.
    Silent,
    /// The TLS handshake failed, or was not done within `tls_handshake_timeout`.
    Handshake,
    /// The server or the script closed it.
    Local,
}

/// A connection that ended.
#[derive(Clone, Copy, Debug)]
pub struct Closed {
    /// Which.
    pub connection: ConnectionId,
    /// Its transport.
    pub protocol: Protocol,
    /// The other side.
    pub peer: SocketAddr,
    /// The listen socket that it came to, or that stood for it.
    pub socket: SocketId,
    /// Whether it was ever open.
    pub established: bool,
    /// Bytes that were accepted for sending and not written.
    pub unsent: usize,
    /// Why.
    pub reason: CloseReason,
}

/// What a worker does with what arrives. Called on the worker's thread; must not block.
pub trait Handler {
    /// One message arrived.
    fn receive(&self, received: Received);

    /// A connection of this worker ended, or was never opened.
    fn closed(&self, _closed: Closed) {}

    /// A message that [`Network::send`] accepted was refused later by the kernel.
    fn unsent(&self, _to: &Destination, _error: SendError) {}
}

/// The network as one worker sees it.
pub trait Network {
    /// The table of listen sockets; `SocketId(n)` is the element `n`.
    fn sockets(&self) -> &[Socket];

    /// Sends one message. `Ok` means accepted: it leaves at the end of the batch or tick.
    ///
    /// # Errors
    /// What is known at once; what fails later goes to [`Handler::unsent`] or
    /// [`Handler::closed`].
    fn send(&self, to: &Destination, data: &[u8]) -> Result<(), SendError>;

    /// The listen socket to send from to `destination`: with `mhomed=1` the one that the
    /// kernel's route takes, else `received`, the socket that the message came to, if its
    /// protocol and family fit, else the first of the configuration that fits, those on
    /// loopback last.
    fn socket_for(
        &self,
        protocol: Protocol,
        destination: SocketAddr,
        received: Option<SocketId>,
    ) -> Option<SocketId>;

    /// The open connection to `peer`, if there is one.
    fn connection_to(&self, protocol: Protocol, peer: SocketAddr) -> Option<ConnectionId>;

    /// What TLS agreed on for the connection; `None` without TLS, before the handshake has ended,
    /// and when the connection is gone.
    fn security(&self, connection: ConnectionId) -> Option<Arc<Security>>;

    /// Makes messages to `port` of the connection's peer use this connection
    /// (`force_tcp_alias`, RFC 5923). False when the connection is gone.
    fn alias(&self, connection: ConnectionId, port: u16) -> bool;

    /// Ends a connection after what is queued on it was written. False when it is gone.
    fn close(&self, connection: ConnectionId) -> bool;

    /// Makes a connection of TCP or TLS one of WebSocket (RFC 6455 §4.2): what is sent and received
    /// after this are its messages. False when it is gone or is one.
    fn upgrade(&self, _connection: ConnectionId, _terms: Terms) -> bool {
        false
    }

    /// Closes a WebSocket (RFC 6455 §7): it ends when the peer has answered, or a few seconds later.
    /// False when it is gone, is none, or is being closed.
    fn close_websocket(&self, _connection: ConnectionId, _farewell: Farewell) -> bool {
        false
    }

    /// The socket with the number `id`.
    fn socket(&self, id: SocketId) -> Option<&Socket> {
        self.sockets().get(usize::from(id.0))
    }
}
