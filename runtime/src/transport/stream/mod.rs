//! Streams: accepting, opening, reading and writing connections (RFC 3261 §18, RFC 5626 §3.5.1).
//!
//! Every worker has its own listener on each address and the kernel spreads connections over
//! them; a connection stays with the worker that accepted or opened it, one task each. An idle
//! connection holds no read buffer: bytes are read into the worker's chunk, and only the
//! beginning of an unfinished message is kept apart.
//!
//! Invariants: an unfinished message and an unfinished handshake are limited in size and time, a
//! silent connection in time, what waits to be written in size, the connections in number; each
//! limit has a counter.

mod task;
pub(super) mod websocket;

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsStream;

use self::task::{Task, failed};
use super::connections::Connection;
use super::tls::Security;
use super::wire::Wire;
use super::{CloseReason, Counter, Handler, Network, SocketId};

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
pub(super) fn accepted<S: AsyncRead + AsyncWrite + Unpin + 'static>(
    wire: &Rc<Wire>,
    socket: SocketId,
    stream: S,
    peer: SocketAddr,
    handler: &Rc<dyn Handler>,
) {
    let Some((protocol, local)) = wire.socket(socket).map(|s| (s.protocol, s.address)) else {
        return;
    };
    if protocol.secure() && wire.tls_for(protocol).is_none() {
        crate::error!("refusing a connection from {peer}: nothing makes it secure");
        return;
    }
    let Some(connection) = wire.connections().accepted((protocol, peer), socket) else {
        wire.counters().count(Counter::TcpRefused);
        crate::error!("refusing a connection from {peer}: tcp_max_connections reached");
        return;
    };
    wire.counters().count(Counter::TcpAccepted);
    let task = Task::new(wire, connection, handler);
    crate::local::spawn(async move {
        let (established, reason) = match task.wire.tls_for(protocol) {
            None => (true, task.carry(stream).await),
            Some(tls) => carry_secured(&task, tls.accept(stream, local)).await,
        };
        task.end(established, reason);
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
        let (established, reason) = match task.wire.memory().cloned() {
            None => carry_opened(&task, connect(peer, source)).await,
            Some(memory) => {
                let source = source.unwrap_or_else(|| task.own_address());
                let stream = async { Ok(memory.connect(source, peer).await?.1) };
                carry_opened(&task, stream).await
            }
        };
        task.end(established, reason);
    });
}

/// Carries the stream that `opening` gives, to its end; tells whether it was ever open, and why it
/// ended.
async fn carry_opened<S: AsyncRead + AsyncWrite + Unpin>(
    task: &Task,
    opening: impl Future<Output = io::Result<S>>,
) -> (bool, CloseReason) {
    let limit = task.wire.options().tcp_connect_timeout;
    let counters = task.wire.counters();
    match tokio::time::timeout(limit, opening).await {
        Ok(Ok(stream)) => {
            counters.count(Counter::TcpConnected);
            match task.wire.tls_for(task.connection.protocol()) {
                None => (true, task.carry(stream).await),
                Some(tls) => carry_secured(task, tls.connect(stream, task.connection.peer)).await,
            }
        }
        Ok(Err(error)) => {
            counters.count(Counter::TcpConnectFailed);
            (false, failed(&error))
        }
        Err(_) => {
            counters.count(Counter::TcpConnectTimeout);
            (false, CloseReason::ConnectTimeout)
        }
    }
}

/// Carries the stream that `handshake` makes, to its end; tells whether there was one.
async fn carry_secured<S: AsyncRead + AsyncWrite + Unpin>(
    task: &Task,
    handshake: impl Future<Output = io::Result<(TlsStream<S>, Security)>>,
) -> (bool, CloseReason) {
    let limit = task.wire.options().tls_handshake_timeout;
    let counters = task.wire.counters();
    let peer = task.connection.peer;
    match tokio::time::timeout(limit, handshake).await {
        Ok(Ok((stream, security))) => {
            counters.count(Counter::TlsHandshakes);
            task.connection.secured(security);
            (true, task.carry(stream).await)
        }
        Ok(Err(error)) => {
            counters.count(Counter::TlsFailed);
            crate::error!("TLS with {peer}: {error}");
            (false, CloseReason::Handshake)
        }
        Err(_) => {
            counters.count(Counter::TlsTimeout);
            crate::error!("TLS with {peer}: no handshake within {} s", limit.as_secs());
            (false, CloseReason::Handshake)
        }
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
