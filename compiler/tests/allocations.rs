//! How often a message allocates memory on its way through a configuration, once pools and tables
//! have grown. The numbers are bounds: a change that lowers one writes the new number here.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kcc::codegen::jit::Tools;
use kcc::compile::{Input, jit};
use kcc::source::MemoryLoader;
use kcc_runtime::server::{Server, WallClock};
use kcc_runtime::sim::sockets;
use kcc_runtime::transport::{
    ConnectionId, Destination, Handler, Network, Protocol, Received, Security, SendError, Socket,
    SocketId,
};
use kcc_runtime::worker::Worker;

thread_local! {
    static COUNTING: Cell<bool> = const { Cell::new(false) };
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    if COUNTING.get() {
        COUNT.set(COUNT.get() + 1);
    }
}

// SAFETY: it is the system's allocator, but for numbers that it counts without allocating.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A network that notes what is sent.
struct Notes {
    sockets: Vec<Socket>,
    sent: RefCell<Vec<(SocketAddr, Vec<u8>)>>,
}

impl Network for Notes {
    fn sockets(&self) -> &[Socket] {
        &self.sockets
    }

    fn send(&self, to: &Destination, data: &[u8]) -> Result<(), SendError> {
        let counting = COUNTING.replace(false);
        self.sent.borrow_mut().push((to.address, data.to_vec()));
        COUNTING.set(counting);
        Ok(())
    }

    fn socket_for(
        &self,
        protocol: Protocol,
        _: SocketAddr,
        _: Option<SocketId>,
    ) -> Option<SocketId> {
        let socket = self.sockets.iter().find(|s| s.protocol == protocol);
        socket.map(|socket| socket.id)
    }

    fn connection_to(&self, _: Protocol, _: SocketAddr) -> Option<ConnectionId> {
        None
    }

    fn security(&self, _: ConnectionId) -> Option<Arc<Security>> {
        None
    }

    fn alias(&self, _: ConnectionId, _: u16) -> bool {
        false
    }

    fn close(&self, _: ConnectionId) -> bool {
        false
    }
}

/// A worker, and what allocates while it handles messages.
struct Bench {
    network: Rc<Notes>,
    handler: Rc<dyn Handler>,
}

const CALLEE: &str = "127.0.0.1:5070";

impl Bench {
    /// Hands `message` in, as from `CALLEE`. What was sent then, and how often it allocated.
    fn hand(&self, message: String) -> (Vec<String>, u64) {
        let received = Received {
            data: Bytes::from(message.into_bytes()),
            source: CALLEE.parse().unwrap(),
            socket: SocketId(0),
            protocol: Protocol::Udp,
            connection: None,
        };
        // A `Bytes` made of a `Vec` allocates when it is cloned first; those of the network do not.
        drop(received.data.clone());
        COUNT.set(0);
        COUNTING.set(true);
        self.handler.receive(received);
        COUNTING.set(false);
        let sent = self.network.sent.take();
        let text = |(_, data)| String::from_utf8(data).unwrap();
        (sent.into_iter().map(text).collect(), COUNT.get())
    }
}

/// Runs `body` with a worker of the configuration, 200 times to warm up, and then again after all
/// its transactions have ended. The allocations of the last time.
fn measure(configuration: &str, body: impl Fn(&Bench, usize) -> u64) -> u64 {
    let path = format!(
        "{}/../tests/benches/{configuration}",
        env!("CARGO_MANIFEST_DIR")
    );
    let input = Input {
        loader: &MemoryLoader::with(&path, std::fs::read(&path).unwrap()),
        main: &path,
        defines: &[],
        modules: kcc_stdlib::MODULES,
        options: kcc::resolve::Options::default(),
    };
    let (program, _) = jit(input, &Tools::default()).unwrap();
    let program = Arc::new(program);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let sockets = sockets(&program).unwrap();
        let server = Server::over(program.clone(), sockets.clone(), WallClock::Runtime).unwrap();
        let network = Rc::new(Notes {
            sockets,
            sent: RefCell::default(),
        });
        let worker = Worker::new(server, 1, network.clone());
        let timers = worker.start_timers();
        let bench = Bench {
            network,
            handler: worker.handler(),
        };
        for number in 0..200 {
            body(&bench, number);
        }
        tokio::time::sleep(Duration::from_secs(600)).await;
        let count = body(&bench, 200);
        timers.abort();
        count
    })
}

fn request(line: &str, number: usize, kind: &str, to_tag: &str, cseq: &str, route: &str) -> String {
    let body = "v=0\r\n";
    format!(
        "{line} SIP/2.0\r\nVia: SIP/2.0/UDP {CALLEE};branch=z9hG4bK{kind}{number};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@{CALLEE}>;tag=f{number}\r\nTo: <sip:b@127.0.0.1>{to_tag}\r\n\
         Call-ID: {number}@a\r\nCSeq: {cseq}\r\n{route}Contact: <sip:a@{CALLEE}>\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn reply(request: &str, status: &str, tag: &str) -> String {
    let mut reply = format!("SIP/2.0 {status}\r\n");
    for line in request.lines() {
        let name = line.split(':').next().unwrap_or_default();
        if ["Via", "Record-Route", "From", "To", "Call-ID", "CSeq"].contains(&name) {
            reply += line;
            reply += if name == "To" { tag } else { "" };
            reply += "\r\n";
        }
    }
    reply + "Contact: <sip:b@127.0.0.1:5070>\r\nContent-Length: 0\r\n\r\n"
}

#[test]
fn options_allocate_nothing() {
    let count = measure("options.cfg", |bench, number| {
        let line = "OPTIONS sip:127.0.0.1";
        let (sent, count) = bench.hand(request(line, number, "o", "", "1 OPTIONS", ""));
        assert!(sent[0].starts_with("SIP/2.0 200 "), "{}", sent[0]);
        count
    });
    assert_eq!(count, 0);
}

/// Allocations of each message of a call, in the order in which they come to the proxy.
const CALL: [u64; 6] = [14, 2, 2, 1, 12, 2];

#[test]
fn a_call_allocates_what_its_transactions_keep() {
    let counts = RefCell::new([0; 6]);
    measure("call.cfg", |bench, number| {
        let invite = request("INVITE sip:b@127.0.0.1", number, "i", "", "1 INVITE", "");
        let (sent, of_invite) = bench.hand(invite);
        assert!(sent[0].starts_with("SIP/2.0 100 ") && sent[1].starts_with("INVITE "));
        let forwarded = &sent[1];
        let tag = ";tag=u";
        let (sent, of_ringing) = bench.hand(reply(forwarded, "180 Ringing", tag));
        assert!(sent[0].starts_with("SIP/2.0 180 "));
        let (sent, of_ok) = bench.hand(reply(forwarded, "200 OK", tag));
        assert!(sent[0].starts_with("SIP/2.0 200 "));
        let route = forwarded
            .lines()
            .find_map(|line| line.strip_prefix("Record-"))
            .map(|route| format!("{route}\r\n"))
            .unwrap();
        let line = |method| format!("{method} sip:b@{CALLEE}");
        let ack = request(&line("ACK"), number, "a", tag, "1 ACK", &route);
        let (sent, of_ack) = bench.hand(ack);
        assert!(sent[0].starts_with("ACK ") && !sent[0].contains("\r\nRoute"));
        let bye = request(&line("BYE"), number, "b", tag, "2 BYE", &route);
        let (sent, of_bye) = bench.hand(bye);
        assert!(sent[0].starts_with("BYE "));
        let (sent, of_end) = bench.hand(reply(&sent[0], "200 OK", ""));
        assert!(sent[0].starts_with("SIP/2.0 200 "));
        counts.replace([of_invite, of_ringing, of_ok, of_ack, of_bye, of_end]);
        0
    });
    assert_eq!(counts.into_inner(), CALL);
}
