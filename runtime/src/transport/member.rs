//! A worker as a member of the network in memory: its listen sockets are addresses there.

use std::net::SocketAddr;
use std::rc::{Rc, Weak};

use bytes::Bytes;

use super::memory::{Listener, Memory, Port};
use super::pipe::Pipe;
use super::udp::{LARGEST, SHORTEST};
use super::wire::Wire;
use super::{Counter, Handler, Network, Protocol, Received, SendError, SocketId, stream};

/// Puts the worker's sockets on the network; what arrives goes to `handler`.
pub(super) fn join(memory: &Memory, wire: &Rc<Wire>, handler: &Rc<dyn Handler>) {
    for socket in wire.sockets() {
        let seat = Rc::new(Seat {
            wire: Rc::downgrade(wire),
            handler: handler.clone(),
            socket: socket.id,
        });
        match socket.protocol {
            Protocol::Udp => memory.bind(socket.address, seat),
            _ => memory.listen(socket.address, seat),
        }
    }
}

/// Sends a datagram from `socket`.
pub(super) fn send(
    memory: &Memory,
    wire: &Wire,
    socket: SocketId,
    to: SocketAddr,
    data: &[u8],
) -> Result<(), SendError> {
    let socket = wire.socket(socket).ok_or(SendError::NoSocket)?;
    if data.len() > LARGEST {
        return Err(SendError::TooLarge);
    }
    memory.send(socket.address, to, data);
    wire.counters().count(Counter::Sent);
    Ok(())
}

struct Seat {
    wire: Weak<Wire>,
    handler: Rc<dyn Handler>,
    socket: SocketId,
}

impl Port for Seat {
    fn datagram(&self, source: SocketAddr, data: Bytes) {
        let Some(wire) = self.wire.upgrade() else {
            return;
        };
        if data.len() < SHORTEST || data.starts_with(&[0]) {
            return wire.counters().count(Counter::DroppedShort);
        }
        wire.counters().count(Counter::Received);
        self.handler.receive(Received {
            data,
            source,
            socket: self.socket,
            protocol: Protocol::Udp,
            connection: None,
        });
    }
}

impl Listener for Seat {
    fn accept(&self, peer: SocketAddr, pipe: Pipe) {
        if let Some(wire) = self.wire.upgrade() {
            stream::accepted(&wire, self.socket, pipe, peer, &self.handler);
        }
    }
}
