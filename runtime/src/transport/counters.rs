//! What the transports count. Read by statistics and RPC; never reset by the transports.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// One kind of event that the transports count.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Counter { $($(#[doc = $doc])+ $variant,)+ }

        impl Counter {
            /// All kinds, in the order of their numbers.
            pub const ALL: &'static [Counter] = &[$(Counter::$variant,)+];

            /// The name under which statistics show it.
            pub const fn name(self) -> &'static str {
                match self { $(Counter::$variant => $name,)+ }
            }
        }
    };
}

counters! {
    /// Messages given to the handler.
    Received = "received",
    /// Datagrams too short to be SIP: keepalives and noise.
    DroppedShort = "dropped_short",
    /// Messages that the parser refused; counted by the caller.
    ParseErrors = "parse_errors",
    /// Requests refused for having passed too many servers; counted by the caller.
    TooManyHops = "too_many_hops",
    /// Receive calls that failed, ICMP errors among them.
    ReceiveErrors = "receive_errors",
    /// Messages handed to the kernel.
    Sent = "sent",
    /// Messages that the kernel refused.
    SendErrors = "send_errors",
    /// Messages refused since the send queue of a socket was full.
    SendQueueFull = "send_queue_full",
    /// Connections accepted.
    TcpAccepted = "tcp_accepted",
    /// Connections opened from this side.
    TcpConnected = "tcp_connected",
    /// Connections that ended.
    TcpClosed = "tcp_closed",
    /// Connections refused, `tcp_max_connections` being reached.
    TcpRefused = "tcp_refused",
    /// Attempts to open a connection that failed.
    TcpConnectFailed = "tcp_connect_failed",
    /// Attempts to open a connection that took longer than `tcp_connect_timeout`.
    TcpConnectTimeout = "tcp_connect_timeout",
    /// Connections ended after `tcp_connection_lifetime` without traffic, half-open ones too.
    TcpIdle = "tcp_idle",
    /// Connections ended for a message that was begun and not ended in time.
    TcpSlow = "tcp_slow",
    /// Connections ended for bytes that are not SIP.
    TcpMalformed = "tcp_malformed",
    /// Connections ended for a message beyond the size limit.
    TcpOversized = "tcp_oversized",
    /// Connections ended since the peer did not read what was sent.
    TcpWriteQueueFull = "tcp_write_queue_full",
    /// Failed accepts, among them too many open files.
    TcpAcceptErrors = "tcp_accept_errors",
    /// Keepalives answered on connections (RFC 5626 §3.5.1).
    TcpPings = "tcp_pings",
    /// TLS handshakes that succeeded.
    TlsHandshakes = "tls_handshakes",
    /// TLS handshakes that failed.
    TlsFailed = "tls_failed",
    /// TLS handshakes that took longer than `tls_handshake_timeout`.
    TlsTimeout = "tls_timeout",
    /// Connections that became WebSockets.
    WsHandshakes = "ws_successful_handshakes",
    /// Handshakes of WebSocket that were refused; counted by the caller.
    WsHandshakesFailed = "ws_failed_handshakes",
    /// Messages and control frames received on WebSockets.
    WsReceived = "ws_received_frames",
    /// Messages sent on WebSockets.
    WsSent = "ws_transmitted_frames",
    /// WebSockets that ended.
    WsClosed = "ws_closed_connections",
    /// WebSockets that ended without closing properly.
    WsFailed = "ws_failed_connections",
    /// WebSockets that this side closed.
    WsLocallyClosed = "ws_local_closed_connections",
    /// WebSockets that the peer closed.
    WsRemotelyClosed = "ws_remote_closed_connections",
    /// WebSockets ended for frames that are none, or text that is none.
    WsMalformed = "ws_malformed",
    /// WebSockets ended for a message beyond the size limit.
    WsOversized = "ws_oversized",
    /// WebSockets ended for too many control frames.
    WsFlooded = "ws_flooded",
    /// WebSockets ended since a ping was not answered.
    WsSilent = "ws_silent",
}

/// The counters of one server, shared by its workers.
#[derive(Debug)]
pub struct Counters([AtomicU64; Counter::ALL.len()]);

impl Default for Counters {
    fn default() -> Self {
        Counters([const { AtomicU64::new(0) }; Counter::ALL.len()])
    }
}

impl Counters {
    /// Adds one.
    pub fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Adds `n`.
    pub fn add(&self, counter: Counter, n: u64) {
        if n > 0 {
            self.0[counter as usize].fetch_add(n, Relaxed);
        }
    }

    /// The value now.
    pub fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize].load(Relaxed)
    }
}
