//! The task of one connection: what it reads becomes messages, what is queued is written.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{io, mem};

use bytes::{Buf, Bytes, BytesMut};
use kcc_sip::framing::{self, Frame, Invalid, Limits, Scan};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::coop::has_budget_remaining;
use tokio::time::{Instant, Sleep};

use super::super::chunk::CHUNK;
use super::super::connections::{Connection, Taken};
use super::super::wire::Wire;
use super::super::{CloseReason, Closed, Counter, Handler, Network, Received};
use super::websocket::{self, WebSocket};

/// Time that telling the peer of the end may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why a connection ends for which reading, writing or opening failed.
pub(super) fn failed(error: &io::Error) -> CloseReason {
    match error.kind() {
        // TLS without a proper end.
        io::ErrorKind::UnexpectedEof => CloseReason::Peer,
        _ => CloseReason::System(error.raw_os_error().unwrap_or(0)),
    }
}

/// One connection's task. Dropped before its end, when the worker stops, it still leaves the
/// table.
pub(super) struct Task {
    pub(super) wire: Rc<Wire>,
    pub(super) connection: Arc<Connection>,
    handler: Rc<dyn Handler>,
}

enum Event {
    Read(BytesMut),
    Wrote,
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
    /// Reads what comes, once the connection is one of WebSocket.
    websocket: Option<Box<WebSocket>>,
}

/// The writing side.
struct Outgoing {
    bytes: BytesMut,
    /// What was written has left the stream's own buffers.
    flushed: bool,
    /// The peer takes nothing for now.
    stalled: bool,
}

impl Outgoing {
    /// Writes, or has the stream write what it keeps; `None` where nothing is to be done or the
    /// stream takes nothing.
    fn poll<S: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
    ) -> Option<Event> {
        let step = if !self.bytes.is_empty() {
            Pin::new(stream).poll_write(cx, &self.bytes).map_ok(|n| {
                self.bytes.advance(n.min(self.bytes.len()));
                self.flushed = false;
                n > 0
            })
        } else if !self.flushed {
            Pin::new(stream).poll_flush(cx).map_ok(|()| {
                self.flushed = true;
                true
            })
        } else {
            return None;
        };
        match step {
            Poll::Ready(Ok(true)) => {
                self.stalled = false;
                Some(Event::Wrote)
            }
            Poll::Ready(Ok(false)) => Some(Event::Ended(CloseReason::Peer)),
            Poll::Ready(Err(error)) => Some(Event::Ended(failed(&error))),
            // The task has used up its turn, which says nothing of the peer.
            Poll::Pending if !has_budget_remaining() => None,
            // Told to the queue at once: it may fill while this task sleeps.
            Poll::Pending if !mem::replace(&mut self.stalled, true) => Some(Event::Woken),
            Poll::Pending => None,
        }
    }
}

impl Task {
    pub(super) fn new(
        wire: &Rc<Wire>,
        connection: Arc<Connection>,
        handler: &Rc<dyn Handler>,
    ) -> Self {
        Task {
            wire: Rc::clone(wire),
            connection,
            handler: Rc::clone(handler),
        }
    }

    /// The address that this side's listen socket has, with any port.
    pub(super) fn own_address(&self) -> SocketAddr {
        let socket = self.wire.socket(self.connection.socket);
        let own = socket.map_or(self.connection.peer, |socket| socket.address);
        SocketAddr::new(own.ip(), 0)
    }

    pub(super) fn end(self, established: bool, reason: CloseReason) {
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
        if self.connection.websocket().is_some() {
            counters.count(Counter::WsClosed);
            counters.count(match reason {
                CloseReason::Local => Counter::WsLocallyClosed,
                CloseReason::PeerFarewell => Counter::WsRemotelyClosed,
                _ => Counter::WsFailed,
            });
        }
        self.handler.closed(Closed {
            connection: self.connection.id,
            protocol: self.connection.protocol(),
            peer: self.connection.peer,
            socket: self.connection.socket,
            established,
            unsent,
            reason,
        });
    }

    /// Reads and writes until the connection ends.
    pub(super) async fn carry<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut stream: S,
    ) -> CloseReason {
        let lifetime = self.wire.options().tcp_connection_lifetime;
        let read_limit = self.wire.options().tcp_msg_read_timeout;
        let mut active = Instant::now();
        let mut timer = pin!(tokio::time::sleep(lifetime.min(read_limit)));
        let mut incoming = Incoming::default();
        let mut out = Outgoing {
            bytes: BytesMut::new(),
            flushed: true,
            stalled: false,
        };
        // Why it ends, once what is queued is written.
        let mut ending = None;
        loop {
            if self.connection.websocket().is_some() {
                let now = Instant::now();
                let largest = self.wire.options().tcp_max_message;
                let websocket = incoming
                    .websocket
                    .get_or_insert_with(|| WebSocket::new(largest, now));
                if websocket.closing.is_none()
                    && let Some(farewell) = self.connection.farewell()
                {
                    websocket.begin_farewell(&farewell, &self.connection, now);
                }
                timer
                    .as_mut()
                    .reset(self.due(&incoming, active, lifetime, read_limit));
            }
            match self.connection.take(&mut out.bytes, out.stalled) {
                Taken::Bytes => {}
                Taken::Close => {
                    // What fails now concerns nobody.
                    let _ = tokio::time::timeout(FAREWELL, stream.shutdown()).await;
                    return ending.unwrap_or(CloseReason::Local);
                }
                Taken::Overflowed => return CloseReason::WriteQueueFull,
            }
            let event = {
                let mut woken = pin!(self.connection.wake.notified());
                poll_fn(|cx| {
                    self.poll(cx, &mut stream, &incoming, &mut out, &mut timer)
                        .map_or_else(
                            || woken.as_mut().poll(cx).map(|()| Event::Woken),
                            Poll::Ready,
                        )
                })
                .await
            };
            match event {
                // What comes after the end is not looked at.
                Event::Read(_) if ending.is_some() => {}
                Event::Read(bytes) => {
                    active = Instant::now();
                    if let Err(reason) = self.take_in(&mut incoming, bytes, active) {
                        let Some(websocket) = &mut incoming.websocket else {
                            return reason;
                        };
                        if reason == CloseReason::WriteQueueFull {
                            return reason;
                        }
                        // The close frame goes out before.
                        ending = Some(reason);
                        websocket.closing.get_or_insert(active);
                        self.wire.connections().close(self.connection.id);
                    }
                }
                Event::Wrote => active = Instant::now(),
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
                    if let Some(websocket) = &mut incoming.websocket {
                        let over = |begun: Instant| now >= begun + websocket::FAREWELL;
                        if websocket.closing.is_some_and(over) {
                            return ending.unwrap_or(CloseReason::Local);
                        }
                        let keepalive = self.connection.websocket().and_then(|terms| {
                            let wanted = terms.keepalive.as_ref();
                            wanted.filter(|wanted| ending.is_none() && now >= active + wanted.after)
                        });
                        if let Some(keepalive) = keepalive {
                            // Silence is counted from here on.
                            active = now;
                            let counters = self.wire.counters();
                            if let Err(reason) =
                                websocket.keep_alive(keepalive, &self.connection, counters)
                            {
                                return reason;
                            }
                        }
                    }
                    timer
                        .as_mut()
                        .reset(self.due(&incoming, active, lifetime, read_limit));
                }
                Event::Ended(reason) => return ending.unwrap_or(reason),
            }
        }
    }

    /// When the next limit of time is reached.
    fn due(
        &self,
        incoming: &Incoming,
        active: Instant,
        lifetime: Duration,
        read_limit: Duration,
    ) -> Instant {
        let slow = incoming.since.unwrap_or_else(Instant::now) + read_limit;
        let mut due = slow.min(active + lifetime);
        if let Some(terms) = self.connection.websocket() {
            if let Some(keepalive) = &terms.keepalive {
                due = due.min(active + keepalive.after);
            }
            let closing = incoming.websocket.as_ref().and_then(|ws| ws.closing);
            if let Some(begun) = closing {
                due = due.min(begun + websocket::FAREWELL);
            }
        }
        due
    }

    /// What the stream or the timer has to say now.
    fn poll<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        cx: &mut Context<'_>,
        stream: &mut S,
        incoming: &Incoming,
        out: &mut Outgoing,
        timer: &mut Pin<&mut Sleep>,
    ) -> Option<Event> {
        if let Some(event) = out.poll(cx, stream) {
            return Some(event);
        }
        let mut chunk = self.wire.chunk().borrow_mut();
        // Never more than what an unfinished message may still take.
        let limit = self.wire.options().tcp_rd_buf_size.max(1);
        let room = limit.max(incoming.partial.len().min(CHUNK / 2));
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
            if incoming.websocket.is_none() {
                result = self.take_messages(&mut incoming.scan, &mut bytes, &mut incoming.since);
            }
            // What came after a handshake in the same read is of the WebSocket, too.
            if result.is_ok() && self.connection.websocket().is_some() && !bytes.is_empty() {
                result = self.take_frames(incoming, &mut bytes, now);
            }
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

    fn take_frames(
        &self,
        incoming: &mut Incoming,
        bytes: &mut BytesMut,
        now: Instant,
    ) -> Result<(), CloseReason> {
        let counters = self.wire.counters();
        let largest = self.wire.options().tcp_max_message;
        let websocket = incoming
            .websocket
            .get_or_insert_with(|| WebSocket::new(largest, now));
        let before = websocket.frames;
        let result = loop {
            match websocket.next(bytes, &self.connection, counters, now) {
                Ok(None) => break Ok(()),
                Ok(Some(data)) => self.give(data),
                Err(reason) => break Err(reason),
            }
        };
        // After an error nothing more is read.
        bytes.clear();
        match websocket.frames == before {
            true => _ = incoming.since.get_or_insert(now),
            false => incoming.since = None,
        }
        result
    }

    fn give(&self, data: Bytes) {
        self.wire.counters().count(Counter::Received);
        self.handler.receive(Received {
            data,
            source: self.connection.peer,
            socket: self.connection.socket,
            protocol: self.connection.protocol(),
            connection: Some(self.connection.id),
        });
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
                    self.give(data);
                    if self.connection.websocket().is_some() {
                        *since = None;
                        return Ok(());
                    }
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
