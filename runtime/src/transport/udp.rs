//! Datagrams in batches: received by `recvmmsg`, sent by `sendmmsg` (RFC 3261 §18.1.1, §18.2.1).
//!
//! What is sent while a batch is handled leaves at its end; what is sent otherwise leaves when
//! the worker's flush task runs, in the same tick. Invariants: one queue a worker, so messages
//! leave in the order of their sends; the queue has a limit; a message is given up only with a
//! counter and a call of [`Handler::unsent`](super::Handler::unsent).

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::Interest;
use tokio::sync::Notify;

use super::chunk::Chunk;
use super::kernel::{self, RECEIVE_BATCH, ReceiveSlab, SEND_BATCH};
use super::{
    Counter, Counters, Destination, Handler, Protocol, Received, SendError, SocketId, Transport,
};

/// The shortest datagram that can be SIP, as Kamailio has it.
pub(super) const SHORTEST: usize = 20;
/// The largest payload of a datagram over IPv4.
pub(super) const LARGEST: usize = 65_507;
/// Datagrams that may wait to be sent.
const QUEUE: usize = 4096;
/// Datagrams for which room for a whole batch need not be made.
const FEW: usize = 4;
/// Bytes that may wait to be sent.
const QUEUE_BYTES: usize = 4 << 20;
/// Pause after an error of the receive call that waiting cannot end.
const ERROR_PAUSE: Duration = Duration::from_millis(10);

/// The datagram side of one worker.
pub(super) struct Udp {
    ports: Vec<Port>,
    slab: RefCell<ReceiveSlab>,
    outbox: RefCell<Outbox>,
    /// Set while a batch is handled: it flushes at its end.
    in_batch: Cell<bool>,
    /// Set while the flush task is due to run.
    flush_due: Cell<bool>,
    flush_wake: Notify,
}

struct Port {
    id: SocketId,
    socket: Rc<UdpSocket>,
}

/// What waits to be sent: the bytes one after another, and where each goes.
#[derive(Default)]
struct Outbox {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Entries before it have left.
    head: usize,
}

#[derive(Clone, Copy)]
struct Entry {
    port: usize,
    to: SocketAddr,
    start: usize,
    end: usize,
}

impl Udp {
    pub(super) fn new(sockets: Vec<(SocketId, UdpSocket)>) -> Self {
        let port = |(id, socket)| Port {
            id,
            socket: Rc::new(socket),
        };
        Udp {
            ports: sockets.into_iter().map(port).collect(),
            slab: RefCell::new(ReceiveSlab::new()),
            outbox: RefCell::default(),
            in_batch: Cell::new(false),
            flush_due: Cell::new(false),
            flush_wake: Notify::new(),
        }
    }

    pub(super) fn ports(&self) -> usize {
        self.ports.len()
    }

    /// Queues a datagram.
    pub(super) fn send(
        &self,
        from: SocketId,
        to: SocketAddr,
        data: &[u8],
    ) -> Result<(), SendError> {
        let port = self.ports.iter().position(|port| port.id == from);
        let port = port.ok_or(SendError::NoSocket)?;
        if data.len() > LARGEST {
            return Err(SendError::TooLarge);
        }
        let mut outbox = self.outbox.borrow_mut();
        if outbox.entries.len() >= QUEUE || outbox.bytes.len() + data.len() > QUEUE_BYTES {
            return Err(SendError::QueueFull);
        }
        let start = outbox.bytes.len();
        outbox.bytes.extend_from_slice(data);
        outbox.entries.push(Entry {
            port,
            to,
            start,
            end: start + data.len(),
        });
        if !self.in_batch.get() && !self.flush_due.replace(true) {
            self.flush_wake.notify_one();
        }
        Ok(())
    }

    /// Runs `handle`; what it sends leaves together at its end.
    pub(super) fn batch(&self, counters: &Counters, handler: &dyn Handler, handle: impl FnOnce()) {
        /// Ends the batch also when a handler panics.
        struct End<'a>(&'a Udp);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.in_batch.set(false);
                self.0.flush_due.set(true);
                self.0.flush_wake.notify_one();
            }
        }
        if self.in_batch.replace(true) {
            return handle();
        }
        let end = End(self);
        handle();
        std::mem::forget(end);
        self.in_batch.set(false);
        if let Flushed::Blocked(_) = self.flush(counters, handler) {
            self.flush_due.set(true);
            self.flush_wake.notify_one();
        }
    }

    /// Hands the queue to the kernel until it is empty or a socket takes no more.
    pub(super) fn flush(&self, counters: &Counters, handler: &dyn Handler) -> Flushed {
        loop {
            match self.flush_run() {
                Run::Empty => return Flushed::All,
                Run::Sent(n) => counters.add(Counter::Sent, n as u64),
                Run::Blocked(port) => return Flushed::Blocked(port),
                Run::Failed(entry, error) => {
                    counters.count(Counter::SendErrors);
                    let to = Destination {
                        protocol: Protocol::Udp,
                        address: entry.to,
                        socket: self.ports.get(entry.port).map(|port| port.id),
                        connection: None,
                    };
                    let error = SendError::System(error.raw_os_error().unwrap_or(0));
                    handler.unsent(&to, error);
                }
            }
        }
    }

    /// Hands the next datagrams of one socket to the kernel.
    fn flush_run(&self) -> Run {
        let mut outbox = self.outbox.borrow_mut();
        let Outbox {
            bytes,
            entries,
            head,
        } = &mut *outbox;
        let waiting = entries.get(*head..).unwrap_or_default();
        let Some(&first) = waiting.first() else {
            entries.clear();
            bytes.clear();
            bytes.shrink_to(256 << 10);
            *head = 0;
            return Run::Empty;
        };
        let Some(port) = self.ports.get(first.port) else {
            *head += 1;
            return Run::Failed(first, io::Error::from_raw_os_error(libc::EBADF));
        };
        let few = waiting.len() <= FEW;
        let run = waiting
            .iter()
            .take(SEND_BATCH)
            .take_while(|entry| entry.port == first.port)
            .map(|entry| {
                (
                    entry.to,
                    bytes.get(entry.start..entry.end).unwrap_or_default(),
                )
            });
        let sent = if few {
            kernel::send_batch::<FEW>(port.socket.as_fd(), run)
        } else {
            kernel::send_batch::<SEND_BATCH>(port.socket.as_fd(), run)
        };
        match sent {
            Ok(n) => {
                *head += n.max(1);
                Run::Sent(n)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Run::Blocked(first.port),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Run::Sent(0),
            Err(error) => {
                *head += 1;
                Run::Failed(first, error)
            }
        }
    }

    /// Receives on one socket until the task is dropped.
    pub(super) async fn receive_task(
        self: Rc<Self>,
        port: usize,
        chunk: Rc<RefCell<Chunk>>,
        shared: Arc<Transport>,
        handler: Rc<dyn Handler>,
    ) -> io::Result<()> {
        let counters = shared.counters();
        let Some(port) = self.ports.get(port) else {
            return Ok(());
        };
        let fd = kernel::watch(Rc::clone(&port.socket), Interest::READABLE)?;
        loop {
            let mut ready = fd.readable().await?;
            match self.receive_batch(port, &chunk, counters, &*handler) {
                // Drained: the next datagram makes a new edge.
                Ok(n) if n < RECEIVE_BATCH => ready.clear_ready(),
                Ok(_) => {
                    drop(ready);
                    tokio::task::yield_now().await;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    drop(ready);
                    counters.count(Counter::ReceiveErrors);
                    if !from_network(&error) {
                        crate::error!("receiving on UDP socket {}: {error}", port.id.0);
                        tokio::time::sleep(ERROR_PAUSE).await;
                    }
                }
            }
        }
    }

    /// Receives one batch, gives it to `handler` and sends what that sent.
    fn receive_batch(
        &self,
        port: &Port,
        chunk: &RefCell<Chunk>,
        counters: &Counters,
        handler: &dyn Handler,
    ) -> io::Result<usize> {
        // The handler cannot come here again, so the slab is free.
        let mut slab = self.slab.borrow_mut();
        let n = slab.receive(port.socket.as_fd())?;
        self.batch(counters, handler, || {
            for (bytes, source) in (0..n).filter_map(|index| slab.datagram(index)) {
                if bytes.len() < SHORTEST || bytes.starts_with(&[0]) {
                    counters.count(Counter::DroppedShort);
                    continue;
                }
                counters.count(Counter::Received);
                let data = chunk.borrow_mut().copy(bytes);
                handler.receive(Received {
                    data,
                    source,
                    socket: port.id,
                    protocol: Protocol::Udp,
                    connection: None,
                });
            }
        });
        Ok(n)
    }

    /// Sends what was queued outside of batches, and what a full socket left behind.
    pub(super) async fn flush_task(
        self: Rc<Self>,
        shared: Arc<Transport>,
        handler: Rc<dyn Handler>,
    ) {
        let counters = shared.counters();
        loop {
            self.flush_wake.notified().await;
            while let Flushed::Blocked(port) = self.flush(counters, &*handler) {
                self.writable(port).await;
            }
            self.flush_due.set(false);
        }
    }

    /// Waits until a socket takes datagrams again. The socket is registered for it only now:
    /// a lasting registration would wake the worker after every send.
    async fn writable(&self, port: usize) {
        let Some(port) = self.ports.get(port) else {
            return;
        };
        let twin = port.socket.try_clone();
        let watched = twin.and_then(|twin| kernel::watch(Rc::new(twin), Interest::WRITABLE));
        let waited = match watched {
            Ok(fd) => fd.writable().await.map(drop),
            Err(error) => Err(error),
        };
        if waited.is_err() {
            tokio::time::sleep(ERROR_PAUSE).await;
        }
    }
}

/// How a flush ended.
pub(super) enum Flushed {
    /// Nothing waits.
    All,
    /// The socket with this index takes no more for now.
    Blocked(usize),
}

enum Run {
    Empty,
    Sent(usize),
    Blocked(usize),
    Failed(Entry, io::Error),
}

/// Whether a receive error is news of an earlier send (ICMP), used up by being read.
fn from_network(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::ECONNREFUSED
                | libc::EHOSTUNREACH
                | libc::ENETUNREACH
                | libc::EHOSTDOWN
                | libc::ENETDOWN
                | libc::EPROTO
                | libc::EMSGSIZE
        )
    )
}
