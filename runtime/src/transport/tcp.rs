//! Streams: accepting, opening, reading and writing connections (RFC 3261 §18, RFC 5626 §3.5.1).
//!
//! Every worker has its own listener on each address and the kernel spreads connections over
//! them; a connection stays with the worker that accepted or opened it, one task each. An idle
//! connection holds no read buffer: bytes are read into the worker's chunk, and only the
//! beginning of an unfinished message is kept apart.
//!
//! Invariants: an unfinished message is limited in size and time, a silent connection in time,
//! what waits to be written in size, the connections in number; each limit has a counter.

use std::future::{Future, poll_fn};
use std::net::{SocketAddr, TcpListener};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{io, mem};

use bytes::{Buf, BytesMut};
use kcc_sip::framing::{self, Frame, Invalid, Limits, Scan};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::coop::has_budget_remaining;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, Sleep};

use super::connections::{Connection, Taken};
use super::wire::Wire;
use super::{CloseReason, Closed, Counter, Handler, Network, Protocol, Received, SocketId};

/// Pause after an accept that failed, for want of file descriptors as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections until the task is dropped.
pub(super) async fn accept_task(
    wire: Rc<Wire>,
    socket: SocketId,
    listener: TcpListener,
    handler: Rc<dyn Handler>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                send_at_once(&stream);
                accepted(&wire, socket, stream, peer, &handler);
            }
            Err(error) => {
                wire.counters().count(Counter::TcpAcceptErrors);
                crate::error!("accepting on socket {}: {error}", socket.0);
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Carries a connection that `peer` opened to `socket`.
pub(super) fn accepted(
    wire: &Rc<Wire>,
    socket: SocketId,
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    peer: SocketAddr,
    handler: &Rc<dyn Handler>,
) {
    let Some(connection) = wire.connections().accepted((Protocol::Tcp, peer), socket) else {
        wire.counters().count(Counter::TcpRefused);
        crate::error!("refusing a connection from {peer}: tcp_max_connections reached");
        return;
    };
    wire.counters().count(Counter::TcpAccepted);
    let task = Task::new(wire, connection, handler);
    crate::local::spawn(async move {
        let reason = task.carry(stream).await;
        task.end(true, reason);
    });
}

/// Opens `connection`, from the address `source` if given, and carries it.
pub(super) fn open(
    wire: &Rc<Wire>,
    connection: Arc<Connection>,
    source: Option<SocketAddr>,
    handler: &Rc<dyn Handler>,
) {
    let task = Task::new(wire, connection, handler);
    crate::local::spawn(async move {
        let peer = task.connection.peer;
        let limit = task.wire.options().tcp_connect_timeout;
        let opened = match task.wire.memory().cloned() {
            None => carry_opened(&task, tokio::time::timeout(limit, connect(peer, source))).await,
            Some(memory) => {
                let source = source.unwrap_or_else(|| task.own_address());
                let stream = async { Ok(memory.connect(source, peer).await?.1) };
                carry_opened(&task, tokio::time::timeout(limit, stream)).await
            }
        };
        let (counter, reason) = match opened {
            Ok(reason) => return task.end(true, reason),
            Err(Some(error)) => (Counter::TcpConnectFailed, failed(&error)),
            Err(None) => (Counter::TcpConnectTimeout, CloseReason::ConnectTimeout),
        };
        task.wire.counters().count(counter);
        task.end(false, reason);
    });
}

/// Carries the stream that `opening` gives, to its end. An error is why it was not opened, none
/// a timeout.
async fn carry_opened<S: AsyncRead + AsyncWrite + Unpin>(
    task: &Task,
    opening: impl Future<Output = Result<io::Result<S>, Elapsed>>,
) -> Result<CloseReason, Option<io::Error>> {
    match opening.await {
        Ok(Ok(stream)) => {
            task.wire.counters().count(Counter::TcpConnected);
            Ok(task.carry(stream).await)
        }
        Ok(Err(error)) => Err(Some(error)),
        Err(_) => Err(None),
    }
}

/// Without it a reply waits for the peer's delayed acknowledgement.
fn send_at_once(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
}

async fn connect(peer: SocketAddr, source: Option<SocketAddr>) -> io::Result<TcpStream> {
    let socket = match peer {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if let Some(source) = source {
        socket.bind(source)?;
    }
    let stream = socket.connect(peer).await?;
    send_at_once(&stream);
    Ok(stream)
}

fn failed(error: &io::Error) -> CloseReason {
    CloseReason::System(error.raw_os_error().unwrap_or(0))
}

/// One connection's task. Dropped before its end, when the worker stops, it still leaves the
/// table.
struct Task {
    wire: Rc<Wire>,
    connection: Arc<Connection>,
    handler: Rc<dyn Handler>,
}

enum Event {
    Read(BytesMut),
    Wrote(usize),
    Woken,
    Timer,
    Ended(CloseReason),
}

/// The reading side: what is known of the message that is coming in.
#[derive(Default)]
struct Incoming {
    partial: BytesMut,
    scan: Scan,
    since: Option<Instant>,
}

impl Task {
    fn new(wire: &Rc<Wire>, connection: Arc<Connection>, handler: &Rc<dyn Handler>) -> Self {
        Task {
            wire: Rc::clone(wire),
            connection,
            handler: Rc::clone(handler),
        }
    }

    /// The address that this side's listen socket has, with any port.
    fn own_address(&self) -> SocketAddr {
        let socket = self.wire.socket(self.connection.socket);
        let own = socket.map_or(self.connection.peer, |socket| socket.address);
        SocketAddr::new(own.ip(), 0)
    }

    fn end(self, established: bool, reason: CloseReason) {
        self.wire.connections().remove(&self.connection);
        let unsent = self.connection.shut();
        let counters = self.wire.counters();
        counters.count(Counter::TcpClosed);
        match reason {
            CloseReason::Idle => counters.count(Counter::TcpIdle),
            CloseReason::SlowMessage => counters.count(Counter::TcpSlow),
            CloseReason::WriteQueueFull => counters.count(Counter::TcpWriteQueueFull),
            _ => {}
        }
        self.handler.closed(Closed {
            connection: self.connection.id,
            protocol: self.connection.protocol,
            peer: self.connection.peer,
            established,
            unsent,
            reason,
        });
    }

    /// Reads and writes until the connection ends.
    async fn carry<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: S) -> CloseReason {
        let lifetime = self.wire.options().tcp_connection_lifetime;
        let read_limit = self.wire.options().tcp_msg_read_timeout;
        let mut active = Instant::now();
        let mut timer = pin!(tokio::time::sleep(lifetime.min(read_limit)));
        let mut incoming = Incoming::default();
        let mut out = BytesMut::new();
        let mut stalled = false;
        loop {
            match self.connection.take(&mut out, stalled) {
                Taken::Bytes => {}
                Taken::Close => return CloseReason::Local,
                Taken::Overflowed => return CloseReason::WriteQueueFull,
            }
            let event = {
                let mut woken = pin!(self.connection.wake.notified());
                poll_fn(|cx| {
                    self.poll(cx, &mut stream, &incoming, &out, &mut stalled, &mut timer)
                        .map_or_else(
                            || woken.as_mut().poll(cx).map(|()| Event::Woken),
                            Poll::Ready,
                        )
                })
                .await
            };
            match event {
                Event::Read(bytes) => {
                    active = Instant::now();
                    if let Err(reason) = self.take_in(&mut incoming, bytes, active) {
                        return reason;
                    }
                }
                Event::Wrote(n) => {
                    active = Instant::now();
                    out.advance(n.min(out.len()));
                }
                Event::Woken => {}
                Event::Timer => {
                    let now = Instant::now();
                    if now >= active + lifetime {
                        return CloseReason::Idle;
                    }
                    if incoming
                        .since
                        .is_some_and(|since| now >= since + read_limit)
                    {
                        return CloseReason::SlowMessage;
                    }
                    let slow = incoming.since.map_or(now, |since| since) + read_limit;
                    timer.as_mut().reset(slow.min(active + lifetime));
                }
                Event::Ended(reason) => return reason,
            }
        }
    }

    /// What the stream or the timer has to say now.
    fn poll<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        cx: &mut Context<'_>,
        stream: &mut S,
        incoming: &Incoming,
        out: &BytesMut,
        stalled: &mut bool,
        timer: &mut Pin<&mut Sleep>,
    ) -> Option<Event> {
        if !out.is_empty() {
            match Pin::new(&mut *stream).poll_write(cx, out) {
                Poll::Ready(Ok(n)) => {
                    *stalled = false;
                    return Some(Event::Wrote(n));
                }
                Poll::Ready(Err(error)) => return Some(Event::Ended(failed(&error))),
                // The task has used up its turn, which says nothing of the peer.
                Poll::Pending if !has_budget_remaining() => {}
                // Told to the queue at once: it may fill while this task sleeps.
                Poll::Pending if !mem::replace(stalled, true) => return Some(Event::Woken),
                Poll::Pending => {}
            }
        }
        let mut chunk = self.wire.chunk().borrow_mut();
        // Never more than what an unfinished message may still take.
        let limit = self.wire.options().tcp_rd_buf_size.max(1);
        let room = limit.max(incoming.partial.len().min(super::chunk::CHUNK / 2));
        let buffer = chunk.with_room(room);
        let read = pin!(AsyncReadExt::take(&mut *stream, room as u64).read_buf(buffer)).poll(cx);
        match read {
            Poll::Ready(Ok(0)) => return Some(Event::Ended(CloseReason::Peer)),
            Poll::Ready(Ok(_)) => return Some(Event::Read(buffer.split())),
            Poll::Ready(Err(error)) => return Some(Event::Ended(failed(&error))),
            Poll::Pending => {}
        }
        timer.as_mut().poll(cx).is_ready().then_some(Event::Timer)
    }

    /// Gives the messages in `bytes`, after what is left from before, to the handler.
    fn take_in(
        &self,
        incoming: &mut Incoming,
        bytes: BytesMut,
        now: Instant,
    ) -> Result<(), CloseReason> {
        let mut bytes = if incoming.partial.is_empty() {
            bytes
        } else {
            incoming.partial.extend_from_slice(&bytes);
            mem::take(&mut incoming.partial)
        };
        let mut result = Ok(());
        self.wire.batch(&*self.handler, || {
            result = self.take_messages(&mut incoming.scan, &mut bytes, &mut incoming.since);
        });
        if !bytes.is_empty() {
            // Kept apart, so that a slow sender does not hold a whole chunk.
            incoming.partial = match incoming.since {
                Some(_) => bytes,
                None => BytesMut::from(&bytes[..]),
            };
            incoming.since.get_or_insert(now);
        }
        result
    }

    fn take_messages(
        &self,
        scan: &mut Scan,
        bytes: &mut BytesMut,
        since: &mut Option<Instant>,
    ) -> Result<(), CloseReason> {
        let options = self.wire.options();
        let counters = self.wire.counters();
        let limits = Limits {
            header: options.tcp_max_message,
            message: options.tcp_max_message,
            accept_no_content_length: options.tcp_accept_no_cl,
        };
        while !bytes.is_empty() {
            match framing::frame(bytes, scan, &limits) {
                Frame::Incomplete => break,
                Frame::Ping(n) => {
                    bytes.advance(n.min(bytes.len()));
                    counters.count(Counter::TcpPings);
                    if options.tcp_crlf_ping && self.connection.send(b"\r\n").is_err() {
                        return Err(CloseReason::WriteQueueFull);
                    }
                }
                Frame::Pong(n) => bytes.advance(n.min(bytes.len())),
                Frame::Message { len } => {
                    let data = bytes.split_to(len.min(bytes.len())).freeze();
                    counters.count(Counter::Received);
                    self.handler.receive(Received {
                        data,
                        source: self.connection.peer,
                        socket: self.connection.socket,
                        protocol: self.connection.protocol,
                        connection: Some(self.connection.id),
                    });
                }
                Frame::Invalid(invalid) => {
                    let oversized =
                        matches!(invalid, Invalid::HeaderTooLong | Invalid::MessageTooLong);
                    counters.count(if oversized {
                        Counter::TcpOversized
                    } else {
                        Counter::TcpMalformed
                    });
                    let peer = self.connection.peer;
                    crate::error!("closing the connection from {peer}: {invalid}");
                    return Err(CloseReason::Malformed);
                }
            }
            *since = None;
        }
        Ok(())
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.connection.shut();
        self.wire.connections().remove(&self.connection);
    }
}
