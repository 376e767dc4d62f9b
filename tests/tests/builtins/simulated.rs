//! A configuration in the simulator, between a caller and a callee who answers as told.
//!
//! Invariant: nothing waits in real time, and nothing is sent over a real network.

use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kcc::codegen::jit::Tools;
use kcc::compile::{Failure, Input, jit};
use kcc::diagnostic::render_text;
use kcc::resolve;
use kcc::source::MemoryLoader;
use kcc_runtime::declare::Module;
use kcc_runtime::log::{Capture, Level};
use kcc_runtime::program::Program;
use kcc_runtime::sim::{self, World};
use kcc_runtime::transport::{Memory, Port};

/// Where the server listens when the configuration does not say.
pub const SERVER: SocketAddr = at(5060);
/// The caller.
pub const CALLER: SocketAddr = at(5070);
/// The callee.
pub const CALLEE: SocketAddr = at(5080);

/// Longer than any timer of a transaction or a registration made here.
const THE_END: Duration = Duration::from_secs(600);

const fn at(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Compiles a configuration to memory.
///
/// # Errors
/// What is wrong with it, as shown to people.
pub fn compile(text: &str, modules: &[&'static Module]) -> Result<Program, String> {
    let loader = MemoryLoader::with("test.cfg", text);
    let input = Input {
        loader: &loader,
        main: "test.cfg",
        defines: &[],
        modules,
        options: resolve::Options::default(),
    };
    match jit(input, &Tools::default()) {
        Ok((program, _)) => Ok(program),
        Err(Failure::Configuration(found)) => {
            Err(render_text(&found.diagnostics, &found.sources, false))
        }
        Err(Failure::Codegen(error, _)) => Err(format!("internal error: {error}")),
    }
}

/// Answers each request but ACK with one status.
struct Callee {
    memory: Rc<Memory>,
    /// Status and reason; nothing is answered without.
    answer: Option<&'static str>,
}

impl Port for Callee {
    fn datagram(&self, source: SocketAddr, data: Bytes) {
        if let Some(answer) = self.answer
            && let Some(reply) = reply(&data, answer)
        {
            self.memory.send(CALLEE, source, &reply);
        }
    }
}

/// Throws away what it gets.
struct Deaf;

impl Port for Deaf {
    fn datagram(&self, _: SocketAddr, _: Bytes) {}
}

/// A reply to a request, with what RFC 3261 §8.2.6.2 wants copied; none to ACK and to replies.
fn reply(request: &[u8], answer: &str) -> Option<Vec<u8>> {
    if request.starts_with(b"SIP/2.0") || request.starts_with(b"ACK ") {
        return None;
    }
    let mut out = format!("SIP/2.0 {answer}\r\n").into_bytes();
    for line in request.split(|byte| *byte == b'\n').skip(1) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        let name = name.trim_ascii().to_ascii_lowercase();
        let copied: [&[u8]; 10] = [
            b"via",
            b"v",
            b"from",
            b"f",
            b"to",
            b"t",
            b"call-id",
            b"i",
            b"cseq",
            b"record-route",
        ];
        if !copied.contains(&&*name) {
            continue;
        }
        out.extend_from_slice(line);
        let is_to = name == b"to" || name == b"t";
        if is_to && !line.windows(5).any(|part| part == b";tag=") {
            out.extend_from_slice(b";tag=callee");
        }
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(
        b"Contact: <sip:bob@127.0.0.1:5080>\r\nServer: callee\r\nContent-Length: 0\r\n\r\n",
    );
    Some(out)
}

/// A server that is being played with.
pub struct Played {
    world: World,
    capture: Capture,
}

impl Played {
    /// Sends a message of the caller's, and lets everybody work until they wait.
    pub async fn send(&self, message: &[u8]) {
        self.world.memory.send(CALLER, SERVER, message);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    /// Lets all timers run out.
    pub async fn end(&self) {
        tokio::time::sleep(THE_END).await;
    }

    /// Transactions that live.
    pub fn transactions(&self) -> usize {
        self.world.transactions()
    }

    /// Lines of the log since the last call.
    ///
    /// # Errors
    /// One of them tells of an internal error.
    pub fn log(&self) -> Result<String, String> {
        let lines = String::from_utf8_lossy(&self.capture.take()).into_owned();
        let broken = |line: &&str| line.contains("internal error") || line.contains("panicked");
        match lines.lines().find(broken) {
            Some(line) => Err(line.to_owned()),
            None => Ok(lines),
        }
    }
}

/// Runs `program` while `body` plays; the callee answers everything with `answer`.
///
/// # Errors
/// The server does not start; what `body` finds.
pub fn play<F: Future<Output = Result<(), String>>>(
    program: Program,
    answer: Option<&'static str>,
    body: impl FnOnce(Played) -> F,
) -> Result<(), String> {
    let capture = Capture::start(Level::Dbg as i32);
    let outcome = sim::run(Arc::new(program), &sim::Options::default(), |world| {
        let memory = world.memory.clone();
        memory.bind(
            CALLEE,
            Rc::new(Callee {
                memory: memory.clone(),
                answer,
            }),
        );
        memory.bind(CALLER, Rc::new(Deaf));
        body(Played { world, capture })
    });
    outcome.unwrap_or_else(|error| Err(error.to_string()))
}

/// Messages that a phone sends: `number` makes branch and Call-ID their own.
pub mod message {
    /// Enough for the way to the callee, and not for one in circles.
    const MAX_FORWARDS: u8 = 3;

    /// A session description, with addresses and directions that builtins look for.
    const SDP: &str = "v=0\r\no=alice 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n\
        t=0 0\r\nm=audio 4000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n";

    fn request(
        number: usize,
        method: &str,
        uri: &str,
        to_tag: &str,
        rest: &str,
        body: &str,
    ) -> String {
        format!(
            "{method} {uri} SIP/2.0\r\n\
             Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK{number};rport\r\n\
             Max-Forwards: {MAX_FORWARDS}\r\n\
             From: \"Alice\" <sip:alice@example.com>;tag=a{number}\r\n\
             To: <sip:bob@example.com>{to_tag}\r\n\
             Call-ID: {number}@127.0.0.1\r\n\
             CSeq: 1 {method}\r\n\
             Contact: <sip:alice@127.0.0.1:5070>\r\n\
             User-Agent: friendly-scanner\r\n\
             Subject: a call\r\n\
             X-Account: 7\r\n\
             {rest}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// An INVITE for the callee, with a session description.
    pub fn invite(number: usize) -> String {
        let rest = "Supported: path\r\nPrivacy: id\r\nContent-Type: application/sdp\r\n";
        let uri = "sip:bob@127.0.0.1:5080;transport=udp";
        request(number, "INVITE", uri, "", rest, SDP)
    }

    /// A CANCEL of the INVITE with the same number.
    pub fn cancel(number: usize) -> String {
        request(
            number,
            "CANCEL",
            "sip:bob@127.0.0.1:5080;transport=udp",
            "",
            "",
            "",
        )
    }

    /// A BYE within a dialog, by way of this server.
    pub fn bye(number: usize) -> String {
        let route = "Route: <sip:127.0.0.1:5060;lr;ftag=a;nat=yes>\r\n";
        request(
            number,
            "BYE",
            "sip:bob@127.0.0.1:5080",
            ";tag=callee",
            route,
            "",
        )
    }

    /// A REGISTER with credentials.
    pub fn register(number: usize) -> String {
        let rest = "Expires: 60\r\nAuthorization: Digest username=\"alice\", \
            realm=\"example.com\", nonce=\"n\", uri=\"sip:example.com\", response=\"00\"\r\n";
        request(number, "REGISTER", "sip:example.com", "", rest, "")
    }

    /// A request whose header fields are there and hold nothing sensible.
    pub fn odd(number: usize) -> String {
        let rest = "Contact: *, <sip:\r\nRoute: <>,,;lr\r\nExpires: -1\r\nSubject:\r\n\
            Supported: ,,\r\nContent-Type: ;;\r\nAuthorization: Digest =,,\r\n\
            Diversion: \"\r\n x\r\nDate: 99\r\nP-Asserted-Identity: <\r\nRAck: a\r\n";
        request(
            number,
            "SUBSCRIBE",
            "sip:;@127.0.0.1:5080;=;x?=",
            ";tag=",
            rest,
            "\0",
        )
    }

    /// A MESSAGE whose body is `body`.
    pub fn text(number: usize, body: &str) -> String {
        let rest = "Content-Type: text/plain\r\n";
        request(number, "MESSAGE", "sip:bob@127.0.0.1:5080", "", rest, body)
    }
}
