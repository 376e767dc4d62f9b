//! The connections of one endpoint.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use kcc_runtime::transport::Protocol;
use kcc_sip::framing::{Frame, Limits, Scan, frame};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::layers::{self, Client};
use super::{Arrival, Inbox};

/// How long the server may take to answer a close frame.
const FAREWELL: Duration = Duration::from_secs(2);

/// The connections of endpoint `who`.
pub struct Streams {
    who: usize,
    protocol: Protocol,
    inbox: Rc<Inbox>,
    last: Cell<u64>,
    open: RefCell<BTreeMap<u64, Open>>,
    /// Local addresses of connections that this side opened, in order.
    locals: RefCell<Vec<SocketAddr>>,
}

struct Open {
    peer: SocketAddr,
    out: UnboundedSender<Vec<u8>>,
}

impl Streams {
    /// No connections yet.
    pub fn new(who: usize, protocol: Protocol, inbox: Rc<Inbox>) -> Rc<Streams> {
        Rc::new(Streams {
            who,
            protocol,
            inbox,
            last: Cell::new(0),
            open: RefCell::default(),
            locals: RefCell::default(),
        })
    }

    /// Local addresses of the connections that this side opened, in order.
    pub fn locals(&self) -> Vec<SocketAddr> {
        self.locals.borrow().clone()
    }

    /// Carries a connection that `peer` opened.
    pub fn accepted<S>(self: &Rc<Self>, peer: SocketAddr, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let (number, out) = self.enter(peer);
        kcc_runtime::local::spawn(self.clone().begin(number, peer, stream, out, false));
    }

    /// Sends on `connection`, else on one to `to`, else on one that `open` opens.
    pub fn send<S, F>(
        self: &Rc<Self>,
        to: SocketAddr,
        connection: Option<u64>,
        data: &[u8],
        open: impl FnOnce() -> F,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
        F: Future<Output = io::Result<(SocketAddr, S)>> + 'static,
    {
        let found = {
            let table = self.open.borrow();
            let given = connection.and_then(|number| table.get(&number));
            let given = given.or_else(|| table.values().find(|open| open.peer == to));
            given.map(|open| open.out.clone())
        };
        // A connection that ends just now loses what is sent: the server hears nothing.
        match found {
            Some(out) => drop(out.send(data.to_vec())),
            None => drop(self.connect(to, open).send(data.to_vec())),
        }
    }

    /// Opens a connection.
    pub fn connect<S, F>(
        self: &Rc<Self>,
        to: SocketAddr,
        open: impl FnOnce() -> F,
    ) -> UnboundedSender<Vec<u8>>
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
        F: Future<Output = io::Result<(SocketAddr, S)>> + 'static,
    {
        let (number, waiting) = self.enter(to);
        let out = self.open.borrow().get(&number).map(|open| open.out.clone());
        let (this, opening) = (self.clone(), open());
        kcc_runtime::local::spawn(async move {
            match opening.await {
                Ok((local, stream)) => {
                    this.locals.borrow_mut().push(local);
                    this.begin(number, to, stream, waiting, true).await;
                }
                Err(_) => this.ended(number, to),
            }
        });
        out.unwrap_or_else(|| unbounded_channel().0)
    }

    /// Closes all.
    pub fn close(&self) {
        self.open.borrow_mut().clear();
    }

    fn enter(&self, peer: SocketAddr) -> (u64, UnboundedReceiver<Vec<u8>>) {
        let number = self.last.get() + 1;
        self.last.set(number);
        let (out, waiting) = unbounded_channel();
        self.open.borrow_mut().insert(number, Open { peer, out });
        (number, waiting)
    }

    fn ended(&self, number: u64, peer: SocketAddr) {
        self.open.borrow_mut().remove(&number);
        self.arrival(number, peer, None);
    }

    fn arrival(&self, number: u64, source: SocketAddr, data: Option<bytes::Bytes>) {
        self.inbox.push(Arrival {
            who: self.who,
            source,
            connection: Some(number),
            data,
        });
    }

    /// Carries a connection with what the endpoint's transport has above TCP.
    async fn begin<S: AsyncRead + AsyncWrite + Unpin + 'static>(
        self: Rc<Self>,
        number: u64,
        peer: SocketAddr,
        stream: S,
        waiting: UnboundedReceiver<Vec<u8>>,
        opened: bool,
    ) {
        if !self.protocol.secure() {
            return self.speak(number, peer, stream, waiting, opened).await;
        }
        match layers::secure(stream, opened).await {
            Ok(stream) => self.speak(number, peer, stream, waiting, opened).await,
            Err(_) => self.ended(number, peer),
        }
    }

    async fn speak<S: AsyncRead + AsyncWrite + Unpin + 'static>(
        self: Rc<Self>,
        number: u64,
        peer: SocketAddr,
        mut stream: S,
        waiting: UnboundedReceiver<Vec<u8>>,
        opened: bool,
    ) {
        if !opened || !matches!(self.protocol, Protocol::Ws | Protocol::Wss) {
            return self.carry(number, peer, stream, waiting).await;
        }
        match Client::open(&mut stream).await {
            Ok(client) => {
                self.carry_frames(number, peer, stream, waiting, client)
                    .await;
            }
            Err(answer) => {
                if !answer.is_empty() {
                    self.arrival(number, peer, Some(answer.freeze()));
                }
                self.ended(number, peer);
            }
        }
    }

    async fn carry_frames<S: AsyncRead + AsyncWrite + Unpin + 'static>(
        self: Rc<Self>,
        number: u64,
        peer: SocketAddr,
        stream: S,
        mut waiting: UnboundedReceiver<Vec<u8>>,
        mut client: Client,
    ) {
        let (mut read, mut write) = tokio::io::split(stream);
        loop {
            let Ok(received) = client.next() else { break };
            if let Some(data) = received {
                self.arrival(number, peer, Some(data));
                continue;
            }
            let output = client.output();
            if write.write_all(&output).await.is_err() || write.flush().await.is_err() {
                break;
            }
            tokio::select! {
                biased;
                out = waiting.recv() => match out {
                    Some(out) => client.send(out),
                    None => {
                        client.close();
                        let output = client.output();
                        let _ = write.write_all(&output).await;
                        let _ = write.flush().await;
                        // The server answers, and ends the connection.
                        let mut rest = Vec::new();
                        let end = read.read_to_end(&mut rest);
                        let _ = tokio::time::timeout(FAREWELL, end).await;
                        return;
                    }
                },
                got = read.read_buf(client.input()) => {
                    if !matches!(got, Ok(1..)) {
                        break;
                    }
                }
            }
        }
        self.ended(number, peer);
    }

    async fn carry<S: AsyncRead + AsyncWrite + 'static>(
        self: Rc<Self>,
        number: u64,
        peer: SocketAddr,
        stream: S,
        mut waiting: UnboundedReceiver<Vec<u8>>,
    ) {
        let (mut read, mut write) = tokio::io::split(stream);
        let mut bytes = BytesMut::new();
        let mut scan = Scan::default();
        loop {
            tokio::select! {
                biased;
                out = waiting.recv() => {
                    let Some(out) = out else {
                        // Closed by this side.
                        drop(write.shutdown().await);
                        return;
                    };
                    if write.write_all(&out).await.is_err() || write.flush().await.is_err() {
                        break;
                    }
                }
                got = read.read_buf(&mut bytes) => {
                    if !matches!(got, Ok(1..)) || !self.take_in(number, peer, &mut bytes, &mut scan) {
                        break;
                    }
                }
            }
        }
        self.ended(number, peer);
    }

    /// Hands over whole messages; false where the stream is none of SIP.
    fn take_in(
        &self,
        number: u64,
        peer: SocketAddr,
        bytes: &mut BytesMut,
        scan: &mut Scan,
    ) -> bool {
        while !bytes.is_empty() {
            match frame(bytes, scan, &Limits::default()) {
                // The answer to a keepalive (RFC 5626 §3.5.1).
                Frame::Incomplete if bytes[..] == b"\r\n"[..] => {
                    let data = bytes.split().freeze();
                    *scan = Scan::default();
                    self.arrival(number, peer, Some(data));
                }
                Frame::Incomplete => return true,
                Frame::Ping(n) | Frame::Pong(n) => {
                    let data = bytes.split_to(n.min(bytes.len())).freeze();
                    self.arrival(number, peer, Some(data));
                }
                Frame::Message { len } => {
                    let data = bytes.split_to(len.min(bytes.len())).freeze();
                    self.arrival(number, peer, Some(data));
                }
                Frame::Invalid(_) => {
                    self.arrival(number, peer, Some(bytes.copy_to_bytes(bytes.len())));
                    return false;
                }
            }
        }
        true
    }
}
