//! Kamailio's `websocket`: SIP over WebSocket and secure WebSocket (RFC 7118).

mod handshake;

use std::num::NonZeroU64;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use kcc_runtime::engine::events;
use kcc_runtime::init::{Init, OnWebSocketClosed};
use kcc_runtime::proxy::HttpReply;
use kcc_runtime::run::{Run, Source};
use kcc_runtime::shim::Verdict;
use kcc_runtime::transport::{Closed, ConnectionId, Counter, Farewell, Keepalive, Terms};
use kcc_runtime::worker::Worker;

use exports::{CLOSED, Params};
use handshake::{Handshake, handshake, origin};

/// The bit of `sub_protocols` for SIP.
const SIP: i64 = 1;
/// The statuses of close frames (RFC 6455 §7.4.2).
const STATUSES: std::ops::RangeInclusive<i64> = 1000..=4999;

fn set_up(init: &mut Init) -> Result<(), String> {
    let params: &Params = init.program.params();
    let range = |name: &str, value: i64, most: i64| match (0..=most).contains(&value) {
        true => Ok(()),
        false => Err(format!("{name}: 0 to {most} is expected")),
    };
    range("keepalive_mechanism", params.keepalive_mechanism, 2)?;
    range(
        "keepalive_timeout",
        params.keepalive_timeout,
        i64::from(u32::MAX),
    )?;
    range("cors_mode", params.cors_mode, 2)?;
    range("sub_protocols", params.sub_protocols, 3)?;
    let after = u64::try_from(params.keepalive_timeout).unwrap_or(0);
    let keepalive = (params.keepalive_mechanism > 0).then(|| Keepalive {
        ping: params.keepalive_mechanism == 1,
        after: Duration::from_secs(after.max(1)),
        data: Arc::from(params.ping_application_data.as_deref().unwrap_or(b"kcc")),
    });
    init.shared.provide(Terms { keepalive });
    init.shared.provide(OnWebSocketClosed(closed));
    Ok(())
}

/// Raises the event; the peer and the connection are those of the WebSocket.
fn closed(worker: &Rc<Worker>, closed: &Closed) {
    let Some(route) = worker.server.program.event(&CLOSED) else {
        return;
    };
    let source = Source {
        address: closed.peer,
        socket: closed.socket,
        protocol: closed.protocol.carrier(),
        connection: Some(closed.connection),
    };
    events::raise(worker, route, move |run| run.source = source);
}

/// Answers the handshake in hand.
fn shake_hands(run: &mut Run) -> Verdict {
    let worker = run.worker().clone();
    let Some(connection) = run.source.connection else {
        run.report(&"a WebSocket needs a connection");
        return Verdict::FALSE;
    };
    let program = run.program.clone();
    let params: &Params = program.params();
    let answer = handshake(&run.message, params.sub_protocols & SIP != 0);
    let mut headers = Vec::new();
    let (code, reason): (u16, &[u8]) = match &answer {
        Handshake::Granted(accept) => {
            let allowed = match params.cors_mode {
                1 => Some(&b"*"[..]),
                2 => origin(&run.message),
                _ => None,
            };
            if let Some(allowed) = allowed {
                field(&mut headers, b"Access-Control-Allow-Origin", allowed);
            }
            field(&mut headers, b"Sec-WebSocket-Protocol", b"sip");
            field(&mut headers, b"Upgrade", b"websocket");
            field(&mut headers, b"Connection", b"upgrade");
            field(&mut headers, b"Sec-WebSocket-Accept", accept.as_bytes());
            (101, b"Switching Protocols")
        }
        Handshake::Bad(why) => {
            run.warn(&format_args!(
                "no WebSocket for {}: {why}",
                run.source.address
            ));
            field(&mut headers, b"Sec-WebSocket-Protocol", b"sip");
            field(&mut headers, b"Sec-WebSocket-Version", b"13");
            (400, b"Bad Request")
        }
        Handshake::Version => {
            field(&mut headers, b"Sec-WebSocket-Version", b"13");
            (426, b"Upgrade Required")
        }
    };
    let granted = code == 101;
    let sent = run.reply_http(&HttpReply {
        headers: &headers,
        close: !granted,
        ..HttpReply::new(code, reason)
    });
    if granted && sent {
        let terms = worker.server.shared.get::<Terms>().cloned();
        if worker
            .network
            .upgrade(connection, terms.unwrap_or_default())
        {
            return Verdict::TRUE;
        }
    }
    let counters = worker.server.transport.counters();
    counters.count(Counter::WsHandshakesFailed);
    // As Kamailio: the script ends.
    Verdict::Code(0)
}

fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend(value.iter().filter(|c| !matches!(c, b'\r' | b'\n')));
    out.extend_from_slice(b"\r\n");
}

/// Closes the WebSocket `connection`, or that of the message in hand.
fn close(run: &mut Run, code: i64, reason: &[u8], connection: Option<i64>) -> Verdict {
    if !STATUSES.contains(&code) {
        run.report(&format_args!(
            "{code} is no status of a close frame (1000 to 4999)"
        ));
        return Verdict::FALSE;
    }
    let connection = match connection {
        None => run.source.connection,
        Some(id) => u64::try_from(id)
            .ok()
            .and_then(NonZeroU64::new)
            .map(ConnectionId),
    };
    let farewell = Farewell {
        code: u16::try_from(code).unwrap_or(1000),
        reason: String::from_utf8_lossy(reason).into_owned(),
    };
    let network = &run.worker().network;
    let closes = connection.is_some_and(|id| network.close_websocket(id, farewell));
    if !closes {
        run.warn(&"there is no WebSocket to close");
    }
    closes.into()
}

/// SIP over WebSocket and secure WebSocket (RFC 7118): browsers as phones.
///
/// An HTTP request on a connection of TCP or TLS comes to `event_route[xhttp:request]` (module
/// `xhttp`), where `ws_handle_handshake()` makes a WebSocket of the connection. From then on each of
/// its messages is one of SIP, with the transport `ws` or `wss`. Requests to such a client go over
/// the connection that it opened: to the address it came from, with `;transport=ws`.
///
/// A message has at most 65,535 bytes; of control and empty frames a peer may send 100 a second.
/// The sub-protocol `msrp` is refused: there is no module for it.
///
/// ```cfg
/// tcp_accept_no_cl=yes
/// loadmodule "xhttp.so"
/// request_route {
///     exit;
/// }
/// event_route[xhttp:request] {
///     if ($hdr(Upgrade) =~ "websocket") {
///         ws_handle_handshake();
///         exit;
///     }
///     xhttp_reply("404", "Not Found", "", "");
/// }
/// ```
#[kcc_macros::module(name = "websocket")]
pub mod exports {
    use kcc_runtime::declare::{Event, Int, Text};
    use kcc_runtime::init::Init;
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;

    /// Parameters of `websocket`.
    #[params]
    pub struct Params {
        /// Who may use WebSockets from a page of another origin: 0 says nothing of it, 1 says
        /// `Access-Control-Allow-Origin: *`, 2 names the origin that asks.
        #[param(default = 0)]
        pub cors_mode: i64,
        /// Nothing: each connection is looked at when its own time has come.
        #[param(default = 1)]
        pub keepalive_interval: i64,
        /// What keeps silent connections alive: 0 nothing, 1 pings, which the client has to answer,
        /// 2 pongs.
        #[param(default = 1)]
        pub keepalive_mechanism: i64,
        /// Nothing: there are no processes for it.
        #[param(default = 1)]
        pub keepalive_processes: i64,
        /// Seconds of silence after which a ping or pong is sent, and in which a ping is answered.
        /// `tcp_connection_lifetime` has to be longer.
        #[param(default = 180)]
        pub keepalive_timeout: i64,
        /// What pings and pongs carry, at most 125 bytes.
        #[param]
        pub ping_application_data: Option<Vec<u8>>,
        /// Nothing: a closed connection is gone at once.
        #[param(default = 5)]
        pub rm_delay_interval: i64,
        /// Sub-protocols: 1 is SIP, 2 would be MSRP, which is not served.
        #[param(default = 3)]
        pub sub_protocols: i64,
        /// Nothing: there is no timer that is shared.
        #[param(default = 1)]
        pub timer_interval: i64,
        /// Nothing: it is about a list of another program.
        #[param(default = 0)]
        pub verbose_list: i64,
    }

    #[init]
    fn init(init: &mut Init) -> Result<(), String> {
        super::set_up(init)
    }

    /// A WebSocket has ended, whoever closed it. `$si`, `$sp` and `$ws_conid` tell which; the other
    /// variables are those of a faked OPTIONS request.
    ///
    /// ```cfg
    /// request_route {
    ///     exit;
    /// }
    /// event_route[websocket:closed] {
    ///     xlog("L_INFO", "WebSocket $ws_conid from $si:$sp has ended\n");
    /// }
    /// ```
    #[event("websocket:closed")]
    pub static CLOSED: Event = Event::new();

    /// Answers the HTTP request in hand that asks for a WebSocket (RFC 6455 §4.2), and makes one of
    /// its connection.
    ///
    /// True when it is one now. Otherwise it was answered with 400 or 426, its connection ends, and
    /// so does the script.
    ///
    /// ```cfg
    /// request_route {
    ///     exit;
    /// }
    /// event_route[xhttp:request] {
    ///     ws_handle_handshake();
    /// }
    /// ```
    #[function(routes = "any")]
    fn ws_handle_handshake(run: &mut Run) -> Verdict {
        super::shake_hands(run)
    }

    /// Closes the WebSocket that the message came on, with status 1000. -1 where there is none.
    ///
    /// ```cfg
    /// ws_close();
    /// ```
    #[function(routes = "any", name = "ws_close")]
    fn ws_close(run: &mut Run) -> Verdict {
        super::close(run, 1000, b"Normal closure", None)
    }

    /// Closes the WebSocket that the message came on, with `status` (1000 to 4999) and `reason` (at
    /// most 123 bytes). -1 where there is none.
    ///
    /// ```cfg
    /// ws_close("4000", "go away");
    /// ```
    #[function(routes = "any", name = "ws_close")]
    fn ws_close_with(run: &mut Run, status: Int, reason: Text) -> Verdict {
        super::close(run, status, reason, None)
    }

    /// As with two arguments, of the WebSocket with the number `connection` (`$ws_conid`).
    ///
    /// ```cfg
    /// ws_close("4000", "go away", "$var(conid)");
    /// ```
    #[function(routes = "any", name = "ws_close")]
    fn ws_close_other(run: &mut Run, status: Int, reason: Text, connection: Int) -> Verdict {
        super::close(run, status, reason, Some(connection))
    }

    /// Number of the connection that the message came on, or that has ended.
    ///
    /// ```cfg
    /// xlog("$ws_conid\n");
    /// ```
    #[pv(name = "ws_conid")]
    fn ws_conid(run: &mut Run) -> Option<i64> {
        let connection = run.source.connection?;
        i64::try_from(connection.0.get()).ok()
    }
}
