//! The transports that the language can name, with Kamailio's numbers.

use std::fmt;

/// A transport protocol. The numbers are Kamailio's (`$prid`, `urialias`, module tables).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Protocol {
    /// UDP (RFC 3261 §18).
    Udp = 1,
    /// TCP (RFC 3261 §18).
    Tcp = 2,
    /// TLS over TCP (RFC 3261 §26.2).
    Tls = 3,
    /// SCTP (RFC 4168).
    Sctp = 4,
    /// WebSocket (RFC 7118).
    Ws = 5,
    /// Secure WebSocket (RFC 7118).
    Wss = 6,
}

impl Protocol {
    /// All of them, by number.
    pub const ALL: [Protocol; 6] = [
        Protocol::Udp,
        Protocol::Tcp,
        Protocol::Tls,
        Protocol::Sctp,
        Protocol::Ws,
        Protocol::Wss,
    ];

    /// The protocol with Kamailio's number `number`; `None` outside 1 to 6.
    pub fn from_number(number: u8) -> Option<Protocol> {
        Self::ALL.into_iter().find(|p| *p as u8 == number)
    }

    /// The protocol called `name`, in any case: what `listen`, `;transport=` and Via name.
    pub fn from_name(name: &[u8]) -> Option<Protocol> {
        Self::ALL
            .into_iter()
            .find(|p| p.name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// The name in lower case, as in `;transport=` and `listen`.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::Udp => "udp",
            Protocol::Tcp => "tcp",
            Protocol::Tls => "tls",
            Protocol::Sctp => "sctp",
            Protocol::Ws => "ws",
            Protocol::Wss => "wss",
        }
    }

    /// The name in upper case, as in Via (RFC 3261 §20.42).
    pub const fn via_name(self) -> &'static str {
        match self {
            Protocol::Udp => "UDP",
            Protocol::Tcp => "TCP",
            Protocol::Tls => "TLS",
            Protocol::Sctp => "SCTP",
            Protocol::Ws => "WS",
            Protocol::Wss => "WSS",
        }
    }

    /// Whether the transport delivers or tells (RFC 3261 §17): no retransmission by SIP.
    pub const fn reliable(self) -> bool {
        !matches!(self, Protocol::Udp)
    }

    /// The transport below: TCP of WebSocket, TLS of secure WebSocket, else the same. Listen sockets
    /// have it.
    pub const fn carrier(self) -> Protocol {
        match self {
            Protocol::Ws => Protocol::Tcp,
            Protocol::Wss => Protocol::Tls,
            other => other,
        }
    }

    /// What a connection becomes by a WebSocket handshake: WebSocket of TCP, secure WebSocket of
    /// TLS, else the same.
    pub const fn over_http(self) -> Protocol {
        match self {
            Protocol::Tcp => Protocol::Ws,
            Protocol::Tls => Protocol::Wss,
            other => other,
        }
    }

    /// Whether messages travel on connections, which a [`ConnectionId`](super::ConnectionId) names.
    pub const fn connected(self) -> bool {
        !matches!(self, Protocol::Udp | Protocol::Sctp)
    }

    /// Whether the transport is encrypted (`sips:` may use it).
    pub const fn secure(self) -> bool {
        matches!(self, Protocol::Tls | Protocol::Wss)
    }

    /// The SIP port when none is written: 5061 for TLS, 80 and 443 for WebSockets
    /// (RFC 7118 §5.2.3), else 5060.
    pub const fn default_port(self) -> u16 {
        match self {
            Protocol::Tls => 5061,
            Protocol::Ws => 80,
            Protocol::Wss => 443,
            Protocol::Udp | Protocol::Tcp | Protocol::Sctp => 5060,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
