//! The real network over loopback: one worker under test, plain sockets as its peers.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::rc::Weak;

use super::*;
use crate::transport::{CloseReason, Closed, ListenOptions, ListenSpec, Received, listen};

/// Answers every message with itself, and tells what it saw.
struct Echo {
    wire: RefCell<Weak<Wire>>,
    seen: tokio::sync::mpsc::UnboundedSender<Seen>,
}

#[derive(Debug)]
enum Seen {
    Message(Received),
    Closed(Closed),
}

impl Handler for Echo {
    fn receive(&self, received: Received) {
        let wire = self.wire.borrow().upgrade().unwrap();
        wire.send(&Destination::back_to(&received), &received.data)
            .unwrap();
        let _ = self.seen.send(Seen::Message(received));
    }

    fn closed(&self, closed: Closed) {
        let _ = self.seen.send(Seen::Closed(closed));
    }
}

struct Server {
    wire: Rc<Wire>,
    seen: tokio::sync::mpsc::UnboundedReceiver<Seen>,
}

impl Server {
    fn address(&self, protocol: Protocol) -> SocketAddr {
        let find = |s: &&Socket| s.protocol == protocol;
        self.wire.sockets().iter().find(find).unwrap().address
    }

    fn count(&self, counter: Counter) -> u64 {
        self.wire.counters().get(counter)
    }

    async fn message(&mut self) -> Received {
        match self.seen.recv().await.unwrap() {
            Seen::Message(received) => received,
            Seen::Closed(closed) => panic!("{closed:?}"),
        }
    }

    async fn closed(&mut self) -> Closed {
        loop {
            if let Seen::Closed(closed) = self.seen.recv().await.unwrap() {
                return closed;
            }
        }
    }
}

/// Runs `test` on a worker with one UDP and one TCP socket. `peer` runs on a thread of its own.
fn serve<F: Future>(options: Options, test: impl FnOnce(Server) -> F) {
    let spec = ListenSpec {
        host: "127.0.0.1".into(),
        port: Some(0),
        ..ListenSpec::default()
    };
    let mut bound = listen(&[spec], &ListenOptions::default()).unwrap();
    let shared = Transport::new(bound.sockets, options, None);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async move {
        let wire = Wire::new(shared, bound.workers.remove(0));
        let (sender, seen) = tokio::sync::mpsc::unbounded_channel();
        let echo = Rc::new(Echo {
            wire: RefCell::new(Rc::downgrade(&wire)),
            seen: sender,
        });
        wire.start(echo);
        let limit = Duration::from_secs(20);
        let server = Server {
            wire: Rc::clone(&wire),
            seen,
        };
        tokio::time::timeout(limit, test(server))
            .await
            .expect("in time");
        wire.stop();
    });
}

fn peer<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> impl Future<Output = T> {
    let task = tokio::task::spawn_blocking(act);
    async move { task.await.unwrap() }
}

fn message(number: usize, body: usize) -> Vec<u8> {
    let body = "x".repeat(body);
    format!(
        "OPTIONS sip:a@b SIP/2.0\r\nCSeq: {number} OPTIONS\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[test]
fn datagrams_are_echoed_in_order_and_noise_is_dropped() {
    serve(Options::default(), |server| async move {
        let to = server.address(Protocol::Udp);
        let wrong = peer(move || {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let mut buffer = [0; 2000];
            let mut wrong = 0;
            for noise in [&b"\r\n\r\n"[..], &[0; 4], &[0; 100], b""] {
                socket.send_to(noise, to).unwrap();
            }
            for batch in 0..20 {
                for number in batch * 50..batch * 50 + 50 {
                    socket.send_to(&message(number, 100), to).unwrap();
                }
                for number in batch * 50..batch * 50 + 50 {
                    let n = socket.recv(&mut buffer).unwrap();
                    wrong += usize::from(buffer[..n] != message(number, 100));
                }
            }
            wrong
        })
        .await;
        assert_eq!(wrong, 0);
        assert_eq!(server.count(Counter::Received), 1000);
        assert_eq!(server.count(Counter::Sent), 1000);
        assert_eq!(server.count(Counter::DroppedShort), 4);
    });
}

#[test]
fn datagrams_sent_outside_a_batch_leave_in_their_order() {
    serve(Options::default(), |server| async move {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let to = destination(Protocol::Udp, socket.local_addr().unwrap());
        for number in 0..100 {
            server.wire.send(&to, &message(number, 0)).unwrap();
        }
        let too_large = server.wire.send(&to, &[b'x'; 65_508]);
        assert_eq!(too_large, Err(SendError::TooLarge));
        peer(move || {
            let mut buffer = [0; 2000];
            for number in 0..100 {
                let n = socket.recv(&mut buffer).unwrap();
                assert_eq!(buffer[..n], message(number, 0));
            }
        })
        .await;
    });
}

#[test]
fn a_stream_cut_anywhere_gives_the_same_messages_and_pings_are_answered() {
    serve(Options::default(), |mut server| async move {
        let to = server.address(Protocol::Tcp);
        let echoed = peer(move || {
            let mut stream = TcpStream::connect(to).unwrap();
            stream.set_nodelay(true).unwrap();
            let mut bytes = message(1, 10);
            bytes.extend_from_slice(b"\r\n\r\n");
            bytes.extend(message(2, 0));
            for piece in bytes.chunks(7) {
                stream.write_all(piece).unwrap();
            }
            // Two in one segment, and one larger than a read.
            stream
                .write_all(&[message(3, 5), message(4, 40_000)].concat())
                .unwrap();
            let mut expected = message(1, 10);
            expected.extend_from_slice(b"\r\n");
            expected.extend([message(2, 0), message(3, 5), message(4, 40_000)].concat());
            let mut echoed = vec![0; expected.len()];
            stream.read_exact(&mut echoed).unwrap();
            echoed == expected
        })
        .await;
        assert!(echoed);
        let ids: Vec<_> = [
            server.message().await,
            server.message().await,
            server.message().await,
            server.message().await,
        ]
        .iter()
        .map(|received| received.connection)
        .collect();
        assert!(ids[0].is_some() && ids.iter().all(|id| *id == ids[0]));
        let closed = server.closed().await;
        assert_eq!(closed.reason, CloseReason::Peer);
        assert_eq!(server.count(Counter::TcpPings), 1);
        assert_eq!(server.wire.connections().len(), 0);
    });
}

#[test]
fn messages_beyond_the_limit_and_streams_without_length_end_the_connection() {
    serve(Options::default(), |mut server| async move {
        let to = server.address(Protocol::Tcp);
        for (bytes, counter) in [
            (message(1, 70_000), Counter::TcpOversized),
            (vec![b'x'; 70_000], Counter::TcpOversized),
            (
                b"OPTIONS sip:a SIP/2.0\r\n\r\n".to_vec(),
                Counter::TcpMalformed,
            ),
        ] {
            let before = server.count(counter);
            peer(move || {
                let mut stream = TcpStream::connect(to).unwrap();
                let _ = stream.write_all(&bytes);
                // Ends when the server closes.
                let _ = stream.read(&mut [0; 1]);
            })
            .await;
            assert_eq!(server.closed().await.reason, CloseReason::Malformed);
            assert_eq!(server.count(counter), before + 1);
        }
    });
}

#[test]
fn a_connection_is_opened_on_demand_and_used_again() {
    serve(Options::default(), |mut server| async move {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = destination(Protocol::Tcp, listener.local_addr().unwrap());
        server.wire.send(&to, &message(1, 0)).unwrap();
        server.wire.send(&to, &message(2, 0)).unwrap();
        let mut stream = peer(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let expected = [message(1, 0), message(2, 0)].concat();
            let mut bytes = vec![0; expected.len()];
            stream.read_exact(&mut bytes).unwrap();
            assert_eq!(bytes, expected);
            // What comes back on it is received, and answered on it.
            stream.write_all(&message(3, 0)).unwrap();
            stream
                .read_exact(&mut bytes[..message(3, 0).len()])
                .unwrap();
            stream
        })
        .await;
        let id = server.message().await.connection.unwrap();
        assert_eq!(
            server.wire.connection_to(Protocol::Tcp, to.address),
            Some(id)
        );
        // An alias leads other ports of the peer to it.
        let other = SocketAddr::new(to.address.ip(), 5999);
        assert!(server.wire.alias(id, 5999));
        server
            .wire
            .send(&destination(Protocol::Tcp, other), &message(4, 0))
            .unwrap();
        assert!(server.wire.close(id));
        peer(move || {
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).unwrap();
            assert_eq!(rest, message(4, 0));
        })
        .await;
        assert_eq!(server.closed().await.reason, CloseReason::Local);
        assert_eq!(server.wire.connection_to(Protocol::Tcp, other), None);
        assert_eq!(server.count(Counter::TcpConnected), 1);
    });
}

#[test]
fn a_refused_connection_is_told_with_what_was_not_sent() {
    serve(Options::default(), |mut server| async move {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = destination(Protocol::Tcp, listener.local_addr().unwrap());
        drop(listener);
        server.wire.send(&to, &message(1, 0)).unwrap();
        let closed = server.closed().await;
        assert!(!closed.established);
        assert_eq!(closed.unsent, message(1, 0).len());
        assert_eq!(closed.reason, CloseReason::System(libc::ECONNREFUSED));
        assert_eq!(server.count(Counter::TcpConnectFailed), 1);
    });
}

#[test]
fn connections_beyond_the_limit_are_refused() {
    let options = Options {
        tcp_max_connections: 1,
        ..Options::default()
    };
    serve(options, |mut server| async move {
        let to = server.address(Protocol::Tcp);
        let first = peer(move || {
            let mut stream = TcpStream::connect(to).unwrap();
            stream.write_all(&message(1, 0)).unwrap();
            stream
        })
        .await;
        server.message().await;
        let end = peer(move || TcpStream::connect(to).unwrap().read(&mut [0; 1])).await;
        assert!(matches!(end, Ok(0) | Err(_)));
        assert_eq!(server.count(Counter::TcpRefused), 1);
        let other = destination(Protocol::Tcp, "127.0.0.1:9".parse().unwrap());
        let refused = server.wire.send(&other, &message(2, 0));
        assert_eq!(refused, Err(SendError::TooManyConnections));
        drop(first);
    });
}

#[test]
fn silent_and_slow_connections_end_and_a_peer_that_does_not_read_is_cut() {
    let options = Options {
        tcp_connection_lifetime: Duration::from_millis(300),
        tcp_msg_read_timeout: Duration::from_millis(100),
        ..Options::default()
    };
    serve(options, |mut server| async move {
        let to = server.address(Protocol::Tcp);
        let silent = peer(move || TcpStream::connect(to).unwrap()).await;
        assert_eq!(server.closed().await.reason, CloseReason::Idle);
        let slow = peer(move || {
            let mut stream = TcpStream::connect(to).unwrap();
            stream.write_all(b"OPTIONS sip:a").unwrap();
            stream
        })
        .await;
        assert_eq!(server.closed().await.reason, CloseReason::SlowMessage);
        let deaf = peer(move || {
            let mut stream = TcpStream::connect(to).unwrap();
            stream.write_all(&message(1, 0)).unwrap();
            stream
        })
        .await;
        let received = server.message().await;
        let to = Destination::back_to(&received);
        // More than the kernel buffers and the queue hold together.
        while server.wire.send(&to, &message(2, 60_000)).is_ok() {
            tokio::task::yield_now().await;
        }
        assert_eq!(server.closed().await.reason, CloseReason::WriteQueueFull);
        drop((silent, slow, deaf));
    });
}

#[test]
fn one_peers_datagrams_spread_over_the_workers_and_each_sends_on_all_connections() {
    let spec = ListenSpec {
        host: "127.0.0.1".into(),
        port: Some(0),
        ..ListenSpec::default()
    };
    let options = ListenOptions {
        workers: 2,
        ..ListenOptions::default()
    };
    let bound = listen(&[spec], &options).unwrap();
    let shared = Transport::new(bound.sockets, Options::default(), None);
    let [udp, tcp] = [0, 1].map(|n: usize| shared.sockets()[n].address);
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let (stop, _) = tokio::sync::broadcast::channel::<()>(1);
    let mut threads = Vec::new();
    for (worker, sockets) in bound.workers.into_iter().enumerate() {
        let (shared, sender, mut stop) = (Arc::clone(&shared), sender.clone(), stop.subscribe());
        threads.push(std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            tokio::task::LocalSet::new().block_on(&runtime, async move {
                let wire = Wire::new(shared, sockets);
                let weak = Rc::downgrade(&wire);
                wire.start(Rc::new(Relay {
                    worker,
                    wire: weak,
                    seen: sender,
                }));
                let _ = stop.recv().await;
                wire.stop();
            });
        }));
    }
    let mut stream = TcpStream::connect(tcp).unwrap();
    stream.write_all(&message(0, 0)).unwrap();
    let (_, first) = seen.blocking_recv().unwrap();
    let connection = first.connection.unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut share = [0; 2];
    let mut echo = vec![0; message(0, 0).len()];
    for _ in 0..200 {
        // The body names the connection; whichever worker gets it, it arrives there.
        let body = connection.0.to_string();
        socket
            .send_to(
                format!("MESSAGE sip:relay SIP/2.0\r\n\r\n{body}").as_bytes(),
                udp,
            )
            .unwrap();
        stream.read_exact(&mut echo).unwrap();
        assert_eq!(echo, message(0, 0));
        share[seen.blocking_recv().unwrap().0] += 1;
    }
    assert!(share.iter().all(|n| *n > 50), "{share:?}");
    stop.send(()).unwrap();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(shared.connections(), 0);
}

/// Sends a message on the connection that a datagram names.
struct Relay {
    worker: usize,
    wire: Weak<Wire>,
    seen: tokio::sync::mpsc::UnboundedSender<(usize, Received)>,
}

impl Handler for Relay {
    fn receive(&self, received: Received) {
        if received.protocol == Protocol::Udp {
            let text = std::str::from_utf8(&received.data).unwrap();
            let id = text.rsplit('\n').next().unwrap().parse().unwrap();
            let to = Destination {
                connection: Some(ConnectionId(id)),
                ..destination(Protocol::Tcp, received.source)
            };
            let wire = self.wire.upgrade().unwrap();
            wire.send(&to, &message(0, 0)).unwrap();
        }
        let _ = self.seen.send((self.worker, received));
    }
}

fn destination(protocol: Protocol, address: SocketAddr) -> Destination {
    Destination {
        protocol,
        address,
        socket: None,
        connection: None,
    }
}
