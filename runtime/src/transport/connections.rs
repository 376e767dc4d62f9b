//! The connections of all workers in one table, so that any worker sends on any of them.
//!
//! A connection's task lives on the worker that accepted or opened it; others append to its
//! queue and wake it. Invariants: the table's lock and a queue's lock are held for a few
//! instructions and never together; the number of connections and the bytes that wait on each
//! are limited.

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::sync::{Arc, OnceLock};

use bytes::BytesMut;
use parking_lot::Mutex;
use smallvec::SmallVec;
use tokio::sync::Notify;

use super::stream::websocket::{self, Farewell, Terms};
use super::{ConnectionId, Protocol, Security, SendError, SocketId};

/// Bytes that may wait while the peer still reads; `tcp_conn_wq_max` holds once it does not.
const BURST: usize = 1 << 20;
/// Bytes of a queue's memory that a connection keeps.
const KEPT: usize = 16 << 10;
/// Aliases that one connection may have, beside its own address.
const MAX_ALIASES: usize = 12;

type Map<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;
type Peer = (Protocol, SocketAddr);

/// The table.
pub(super) struct Connections {
    table: Mutex<Table>,
    limit: usize,
    queue_limit: usize,
}

struct Table {
    last: u64,
    by_id: Map<ConnectionId, Arc<Connection>>,
    by_peer: Map<Peer, Arc<Connection>>,
}

/// One connection, open or being opened.
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    /// What it was opened as.
    opened: Protocol,
    pub(super) peer: SocketAddr,
    pub(super) socket: SocketId,
    /// Wakes its task: the queue got bytes, or it is to be closed.
    pub(super) wake: Notify,
    queue_limit: usize,
    queue: Mutex<Queue>,
    security: OnceLock<Arc<Security>>,
    /// Set when it has become one of WebSocket.
    websocket: OnceLock<Terms>,
    /// Locked only under the table's lock.
    aliases: Mutex<SmallVec<[SocketAddr; 1]>>,
}

#[derive(Default)]
struct Queue {
    bytes: BytesMut,
    /// Bytes that the task took and has not written yet.
    in_flight: usize,
    /// Set while the peer takes no bytes, at first until the connection is open.
    stalled: bool,
    /// No more bytes are accepted; the task ends when all are written.
    closing: bool,
    /// No more messages are accepted; a WebSocket is to be closed with this.
    farewell: Option<Farewell>,
    /// More came than fits: the task ends at once.
    overflowed: bool,
}

/// What the task of a connection finds in its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// The bytes to be written, maybe none.
    Bytes,
    /// None, and none will come: close.
    Close,
    /// The queue overflowed: close at once.
    Overflowed,
}

impl Connections {
    /// An empty table for `limit` connections, on each of which `queue_limit` bytes may wait.
    pub(super) fn new(limit: usize, queue_limit: usize) -> Self {
        Connections {
            table: Mutex::new(Table {
                last: 0,
                by_id: Map::default(),
                by_peer: Map::default(),
            }),
            limit,
            queue_limit,
        }
    }

    /// Enters a connection that was accepted; `None` when the table is full.
    pub(super) fn accepted(&self, peer: Peer, socket: SocketId) -> Option<Arc<Connection>> {
        let mut table = self.table.lock();
        if table.by_id.len() >= self.limit {
            return None;
        }
        // Before the handshake has ended nothing can be written.
        Some(self.enter(&mut table, peer, socket, peer.0.secure()))
    }

    /// The connection to `peer`, or a new one that the caller has to open.
    pub(super) fn to_peer(
        &self,
        peer: Peer,
        socket: SocketId,
    ) -> Result<(Arc<Connection>, bool), SendError> {
        let mut table = self.table.lock();
        if let Some(connection) = table.by_peer.get(&peer) {
            return Ok((Arc::clone(connection), false));
        }
        if table.by_id.len() >= self.limit {
            return Err(SendError::TooManyConnections);
        }
        Ok((self.enter(&mut table, peer, socket, true), true))
    }

    fn enter(
        &self,
        table: &mut Table,
        peer: Peer,
        socket: SocketId,
        stalled: bool,
    ) -> Arc<Connection> {
        table.last += 1;
        let connection = Arc::new(Connection {
            // `last` counts up from 1; it would take centuries to wrap.
            id: ConnectionId(NonZeroU64::new(table.last).unwrap_or(NonZeroU64::MAX)),
            opened: peer.0,
            peer: peer.1,
            socket,
            wake: Notify::new(),
            queue_limit: self.queue_limit,
            queue: Mutex::new(Queue {
                stalled,
                ..Queue::default()
            }),
            security: OnceLock::new(),
            websocket: OnceLock::new(),
            aliases: Mutex::default(),
        });
        table.by_id.insert(connection.id, Arc::clone(&connection));
        table.by_peer.insert(peer, Arc::clone(&connection));
        connection
    }

    /// The connection with this number.
    pub(super) fn get(&self, id: ConnectionId) -> Option<Arc<Connection>> {
        self.table.lock().by_id.get(&id).cloned()
    }

    /// The connection that leads to `peer`.
    pub(super) fn find(&self, peer: Peer) -> Option<Arc<Connection>> {
        self.table.lock().by_peer.get(&peer).cloned()
    }

    /// How many there are, those being opened included.
    pub(super) fn len(&self) -> usize {
        self.table.lock().by_id.len()
    }

    /// Makes the connection the one for `port` of its peer, in place of any other.
    pub(super) fn alias(&self, id: ConnectionId, port: u16) -> bool {
        let mut table = self.table.lock();
        let Some(connection) = table.by_id.get(&id).cloned() else {
            return false;
        };
        let address = SocketAddr::new(connection.peer.ip(), port);
        let mut aliases = connection.aliases.lock();
        if address != connection.peer && !aliases.contains(&address) {
            if aliases.len() >= MAX_ALIASES {
                return false;
            }
            aliases.push(address);
        }
        table
            .by_peer
            .insert((connection.protocol(), address), Arc::clone(&connection));
        drop(aliases);
        true
    }

    /// Makes a connection one of WebSocket, for what is sent and received from now on. False when
    /// it is gone, or one already.
    pub(super) fn upgrade(&self, id: ConnectionId, terms: Terms) -> bool {
        let mut table = self.table.lock();
        let Some(connection) = table.by_id.get(&id).cloned() else {
            return false;
        };
        if connection.protocol().over_http() == connection.protocol() {
            return false;
        }
        table.forget_peer(&connection);
        if connection.websocket.set(terms).is_err() {
            return false;
        }
        let peer = (connection.protocol(), connection.peer);
        table.by_peer.insert(peer, Arc::clone(&connection));
        drop(table);
        connection.wake.notify_one();
        true
    }

    /// Begins to close a WebSocket; no message is accepted for it any more. False when it is gone,
    /// is none, or is being closed.
    pub(super) fn close_websocket(&self, id: ConnectionId, farewell: Farewell) -> bool {
        let Some(connection) = self.get(id) else {
            return false;
        };
        if connection.websocket().is_none() {
            return false;
        }
        self.table.lock().forget_peer(&connection);
        {
            let mut queue = connection.queue.lock();
            if queue.closing || queue.farewell.is_some() {
                return false;
            }
            queue.farewell = Some(farewell);
        }
        connection.wake.notify_one();
        true
    }

    /// Ends a connection once its queue is written; nothing new is led to it. False when it is
    /// gone.
    pub(super) fn close(&self, id: ConnectionId) -> bool {
        let Some(connection) = self.get(id) else {
            return false;
        };
        self.table.lock().forget_peer(&connection);
        connection.queue.lock().closing = true;
        connection.wake.notify_one();
        true
    }

    /// Takes a connection out whose task has ended.
    pub(super) fn remove(&self, connection: &Connection) {
        let mut table = self.table.lock();
        table.by_id.remove(&connection.id);
        table.forget_peer(connection);
    }
}

impl Table {
    fn forget_peer(&mut self, connection: &Connection) {
        let aliases = connection.aliases.lock();
        for address in aliases.iter().chain([&connection.peer]) {
            let peer = (connection.protocol(), *address);
            let own = |other: &Arc<Connection>| other.id == connection.id;
            if self.by_peer.get(&peer).is_some_and(own) {
                self.by_peer.remove(&peer);
            }
        }
    }
}

impl Connection {
    /// For the task: keeps what the handshake agreed on.
    pub(super) fn secured(&self, security: Security) {
        // There is one handshake a connection.
        let _ = self.security.set(Arc::new(security));
    }

    /// What the handshake agreed on.
    pub(super) fn security(&self) -> Option<Arc<Security>> {
        self.security.get().cloned()
    }

    /// Its transport now.
    pub(super) fn protocol(&self) -> Protocol {
        match self.websocket.get() {
            None => self.opened,
            Some(_) => self.opened.over_http(),
        }
    }

    /// What was agreed on when it became one of WebSocket.
    pub(super) fn websocket(&self) -> Option<&Terms> {
        self.websocket.get()
    }

    /// For the task: how a WebSocket is to be closed.
    pub(super) fn farewell(&self) -> Option<Farewell> {
        self.queue.lock().farewell.clone()
    }

    /// Queues one message. With `SendError::QueueFull` the connection ends.
    pub(super) fn send(&self, data: &[u8]) -> Result<(), SendError> {
        if self.websocket.get().is_none() {
            return self.queue(&[], data, false);
        }
        let mut head = [0; websocket::LONGEST_HEAD];
        let len = websocket::head(data, &mut head);
        self.queue(head.get(..len).unwrap_or_default(), data, false)
    }

    /// For the task: queues bytes that are frames already, while the WebSocket is being closed, too.
    pub(super) fn send_frames(&self, bytes: &[u8]) -> Result<(), SendError> {
        self.queue(&[], bytes, true)
    }

    fn queue(&self, head: &[u8], data: &[u8], last_words: bool) -> Result<(), SendError> {
        let mut queue = self.queue.lock();
        let refused = queue.farewell.is_some() && !last_words;
        if queue.closing || queue.overflowed || refused {
            return Err(SendError::Closed);
        }
        let waiting = queue.bytes.len() + queue.in_flight;
        let limit = if queue.stalled {
            self.queue_limit
        } else {
            self.queue_limit.max(BURST)
        };
        // One message fits always.
        if waiting > 0 && waiting + head.len() + data.len() > limit {
            queue.overflowed = true;
            drop(queue);
            self.wake.notify_one();
            return Err(SendError::QueueFull);
        }
        let wake = queue.bytes.is_empty();
        queue.bytes.extend_from_slice(head);
        queue.bytes.extend_from_slice(data);
        drop(queue);
        if wake {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// For the task: tells what of `out` is still unwritten and whether the peer takes no more,
    /// and when all is written exchanges `out` for what has come meanwhile.
    pub(super) fn take(&self, out: &mut BytesMut, stalled: bool) -> Taken {
        let mut queue = self.queue.lock();
        queue.stalled = stalled;
        if queue.overflowed {
            return Taken::Overflowed;
        }
        if out.is_empty() && !queue.bytes.is_empty() {
            std::mem::swap(out, &mut queue.bytes);
            if queue.bytes.capacity() > KEPT {
                queue.bytes = BytesMut::new();
            }
        }
        queue.in_flight = out.len();
        if queue.closing && out.is_empty() {
            return Taken::Close;
        }
        Taken::Bytes
    }

    /// For the task at its end: accepts nothing any more. The answer is how many bytes waited.
    pub(super) fn shut(&self) -> usize {
        let mut queue = self.queue.lock();
        queue.closing = true;
        let bytes = std::mem::take(&mut queue.bytes);
        bytes.len() + std::mem::take(&mut queue.in_flight)
    }
}
