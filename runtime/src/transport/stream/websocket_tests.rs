use std::cell::RefCell;
use std::net::TcpStream;
use std::rc::{Rc, Weak};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::*;
use crate::transport::{
    Closed, Destination, Handler, ListenOptions, ListenSpec, Network, Options, Protocol, Received,
    Transport, Wire, listen,
};

/// Upgrades a connection when HTTP comes on it, and answers every message with itself.
struct Echo {
    wire: RefCell<Weak<Wire>>,
    terms: Terms,
    closed: UnboundedSender<Closed>,
}

impl Handler for Echo {
    fn receive(&self, received: Received) {
        let wire = self.wire.borrow().upgrade().unwrap();
        let back = Destination::back_to(&received);
        let connection = received.connection.unwrap();
        if received.data.starts_with(b"GET ") {
            assert_eq!(received.protocol, Protocol::Tcp);
            wire.send(&back, b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
                .unwrap();
            assert!(wire.upgrade(connection, self.terms.clone()));
            assert!(!wire.upgrade(connection, self.terms.clone()));
            return;
        }
        assert_eq!(received.protocol, Protocol::Ws);
        let found = wire.connection_to(Protocol::Ws, received.source);
        assert_eq!(found, Some(connection));
        if received.data.starts_with(b"BYE") {
            let farewell = Farewell {
                code: 4000,
                reason: "bye".into(),
            };
            assert!(wire.close_websocket(connection, farewell));
            return;
        }
        wire.send(&back, &received.data).unwrap();
    }

    fn closed(&self, closed: Closed) {
        let _ = self.closed.send(closed);
    }
}

/// Runs `client` on a thread of its own with a WebSocket to a worker; the answer is why that ended,
/// and the worker's counters.
fn with_client(
    terms: Terms,
    client: impl FnOnce(TcpStream) + Send + 'static,
) -> (CloseReason, std::sync::Arc<Transport>) {
    let spec = ListenSpec {
        protocol: Some(Protocol::Tcp),
        host: "127.0.0.1".into(),
        port: Some(0),
        ..ListenSpec::default()
    };
    let mut bound = listen(&[spec], &ListenOptions::default()).unwrap();
    let address = bound.sockets[0].address;
    let options = Options {
        tcp_accept_no_cl: true,
        ..Options::default()
    };
    let shared = Transport::new(bound.sockets, options, None);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let transport = shared.clone();
    tokio::task::LocalSet::new().block_on(&runtime, async move {
        let wire = Wire::new(shared, bound.workers.remove(0));
        let (sender, mut closed): (_, UnboundedReceiver<Closed>) = unbounded_channel();
        wire.start(Rc::new(Echo {
            wire: RefCell::new(Rc::downgrade(&wire)),
            terms,
            closed: sender,
        }));
        let thread = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(10)))
                .unwrap();
            stream
                .write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                .unwrap();
            let mut answer = [0; 36];
            stream.read_exact(&mut answer).unwrap();
            assert!(answer.starts_with(b"HTTP/1.1 101"));
            client(stream);
        });
        let limit = Duration::from_secs(20);
        let ended = tokio::time::timeout(limit, closed.recv()).await.unwrap();
        thread.await.unwrap();
        wire.stop();
        (ended.unwrap().reason, transport)
    })
}

fn socket(stream: TcpStream) -> tungstenite::WebSocket<TcpStream> {
    tungstenite::WebSocket::from_raw_socket(stream, Role::Client, None)
}

/// All that the server sends until it ends the connection.
fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    all
}

#[test]
fn messages_pings_and_the_end_as_a_client_wants_them() {
    let (reason, transport) = with_client(Terms::default(), |stream| {
        let mut socket = socket(stream);
        let long = "x".repeat(60_000);
        for message in [
            Message::text("OPTIONS"),
            Message::text(long),
            Message::binary(vec![255, 0, 1]),
        ] {
            socket.send(message.clone()).unwrap();
            assert_eq!(socket.read().unwrap(), message);
        }
        socket.send(Message::Ping("hi".into())).unwrap();
        assert_eq!(socket.read().unwrap(), Message::Pong("hi".into()));
        socket.send(Message::text("\r\n\r\n")).unwrap();
        assert_eq!(socket.read().unwrap(), Message::text("\r\n"));
        socket.close(None).unwrap();
        assert!(matches!(socket.read(), Ok(Message::Close(_))));
        assert!(matches!(socket.read(), Err(Error::ConnectionClosed)));
    });
    assert_eq!(reason, CloseReason::PeerFarewell);
    for (counter, want) in [
        (Counter::WsHandshakes, 1),
        (Counter::WsSent, 3),
        (Counter::WsRemotelyClosed, 1),
        (Counter::WsFailed, 0),
    ] {
        assert_eq!(transport.counters().get(counter), want, "{counter:?}");
    }
}

#[test]
fn the_server_closes_and_the_client_answers() {
    let (reason, _) = with_client(Terms::default(), |stream| {
        let mut socket = socket(stream);
        socket.send(Message::text("BYE")).unwrap();
        let Ok(Message::Close(Some(frame))) = socket.read() else {
            panic!("no close frame");
        };
        assert_eq!(
            (u16::from(frame.code), frame.reason.as_str()),
            (4000, "bye")
        );
        assert!(matches!(socket.read(), Err(Error::ConnectionClosed)));
    });
    assert_eq!(reason, CloseReason::Local);
}

#[test]
fn what_is_no_frame_or_too_much_ends_the_connection_with_a_status() {
    let masked = [0x89, 0x80, 1, 2, 3, 4];
    for (bytes, status, counter) in [
        // Not masked; a reserved bit; an unknown opcode.
        (vec![0x81, 1, b'a'], 1002, Counter::WsMalformed),
        (vec![0xc1, 0x80, 1, 2, 3, 4], 1002, Counter::WsMalformed),
        (vec![0x83, 0x80, 1, 2, 3, 4], 1008, Counter::WsMalformed),
        // Text that is none.
        (
            vec![0x81, 0x81, 0, 0, 0, 0, 0xff],
            1007,
            Counter::WsMalformed,
        ),
        // 70,000 bytes are announced.
        (
            vec![0x82, 0xff, 0, 0, 0, 0, 0, 1, 0x11, 0x70, 1, 2, 3, 4],
            1009,
            Counter::WsOversized,
        ),
        (masked.repeat(101), 1008, Counter::WsFlooded),
    ] {
        let shown = bytes.get(..8.min(bytes.len())).unwrap().to_vec();
        let (reason, transport) = with_client(Terms::default(), move |mut stream| {
            stream.write_all(&bytes).unwrap();
            let all = rest(stream);
            let at = all.iter().position(|byte| *byte == 0x88).unwrap();
            let code = u16::from_be_bytes([all[at + 2], all[at + 3]]);
            assert_eq!(code, status);
        });
        assert_eq!(reason, CloseReason::Malformed, "{shown:x?}");
        assert_eq!(transport.counters().get(counter), 1, "{shown:x?}");
        assert_eq!(transport.counters().get(Counter::WsFailed), 1);
    }
}

#[test]
fn a_peer_that_answers_no_ping_is_let_go() {
    let terms = Terms {
        keepalive: Some(Keepalive {
            ping: true,
            after: Duration::from_millis(50),
            data: Arc::from(&b"there?"[..]),
        }),
    };
    let (reason, transport) = with_client(terms, |stream| {
        assert_eq!(rest(stream), b"\x89\x06there?");
    });
    assert_eq!(reason, CloseReason::Silent);
    assert_eq!(transport.counters().get(Counter::WsSilent), 1);
}

#[test]
fn frame_headers_say_text_or_binary_and_the_length() {
    let mut out = [0; LONGEST_HEAD];
    for (data, want) in [
        (&b"\r\n"[..], &[0x81, 2][..]),
        (b"\xff\xfe", &[0x82, 2]),
        (&[b'a'; 200], &[0x81, 126, 0, 200]),
        (&[b'a'; 70_000], &[0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]),
    ] {
        let len = head(data, &mut out);
        assert_eq!(&out[..len], want);
    }
}

#[test]
fn a_long_reason_is_cut_between_characters() {
    let farewell = Farewell {
        code: 4000,
        reason: "ä".repeat(100),
    };
    assert_eq!(farewell.frame().reason.as_str().len(), 122);
}
