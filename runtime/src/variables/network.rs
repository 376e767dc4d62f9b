//! Where the message came from.

use std::net::{IpAddr, SocketAddr};

use super::key::keys;
use super::written;
use crate::run::Run;
use crate::transport::Protocol;
use crate::value::Val;

keys! {
    /// What `$af(…)` tells of the address family.
    FamilyKey("af-key", "a key of $af") {
        /// The system's number.
        Id = "id",
        /// `IPv4` or `IPv6`.
        Name = "name",
    }
}

keys! {
    /// What `$K(…)` is the number of.
    ConstantKey("k-key", "a key of $K") {
        /// The address family of IPv4.
        V4 = "IPv4" | "INET" | "IP4",
        /// The address family of IPv6.
        V6 = "IPv6" | "INET6" | "IP6",
        /// UDP.
        Udp = "UDP",
        /// TCP.
        Tcp = "TCP",
        /// TLS.
        Tls = "TLS",
        /// SCTP.
        Sctp = "SCTP",
        /// WebSocket.
        Ws = "WS",
        /// Secure WebSocket.
        Wss = "WSS",
    }
}

/// `sip:host:port`, with `;transport=` where `full` or the transport is not UDP.
pub(super) fn socket_uri(
    run: &mut Run,
    protocol: Protocol,
    address: SocketAddr,
    full: bool,
) -> Val {
    if full || protocol != Protocol::Udp {
        written::<128>(run, format_args!("sip:{address};transport={protocol}"))
    } else {
        written::<128>(run, format_args!("sip:{address}"))
    }
}

pub(super) fn family(address: SocketAddr) -> i64 {
    match address {
        SocketAddr::V4(_) => i64::from(libc::AF_INET),
        SocketAddr::V6(_) => i64::from(libc::AF_INET6),
    }
}

/// An address in text: an IPv6 address in brackets where `brackets`.
pub(super) fn address_text(run: &mut Run, address: IpAddr, brackets: bool) -> Val {
    match address {
        IpAddr::V6(v6) if brackets => written::<64>(run, format_args!("[{v6}]")),
        address => written::<64>(run, format_args!("{address}")),
    }
}

/// Variables of the sender.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::Const;
    use crate::run::Run;
    use crate::transport::Protocol;
    use crate::value::Val;
    use crate::variables::written;

    use super::{ConstantKey, FamilyKey, address_text, family, socket_uri};

    /// The source address.
    ///
    /// ```cfg
    /// if ($si == "192.0.2.7") exit;
    /// ```
    #[pv(name = "si", aliases("src_ip"))]
    fn si(run: &mut Run) -> Val {
        address_text(run, run.source.address.ip(), false)
    }

    /// The source address, an IPv6 address in brackets.
    #[pv(name = "siz")]
    fn siz(run: &mut Run) -> Val {
        address_text(run, run.source.address.ip(), true)
    }

    /// The source port.
    #[pv(name = "sp")]
    fn sp(run: &mut Run) -> i64 {
        i64::from(run.source.address.port())
    }

    /// The source as `sip:address:port`, with `;transport=` where it is not UDP.
    #[pv(name = "su")]
    fn su(run: &mut Run) -> Val {
        let source = run.source;
        socket_uri(run, source.protocol, source.address, false)
    }

    /// The source as `sip:address:port;transport=proto`.
    #[pv(name = "sut")]
    fn sut(run: &mut Run) -> Val {
        let source = run.source;
        socket_uri(run, source.protocol, source.address, true)
    }

    /// The source as `proto:address:port`.
    #[pv(name = "sas")]
    fn sas(run: &mut Run) -> Val {
        let source = run.source;
        written::<128>(run, format_args!("{}:{}", source.protocol, source.address))
    }

    /// The transport that the message came by: `udp`, `tcp`, `tls`, `sctp`, `ws` or `wss`.
    ///
    /// In arithmetic 1 to 6, in this order.
    #[pv(name = "proto", aliases("pr"))]
    fn proto(run: &mut Run) -> &'static str {
        run.source.protocol.name()
    }

    #[pv_int("proto")]
    fn proto_number(run: &mut Run) -> i64 {
        run.source.protocol as i64
    }

    /// The transport that the message came by, as a number: UDP 1, TCP 2, TLS 3, SCTP 4, WS 5, WSS 6.
    #[pv(name = "prid")]
    fn prid(run: &mut Run) -> i64 {
        run.source.protocol as i64
    }

    /// The address family that the message came by: `id` the system's number, `name` `IPv4` or
    /// `IPv6`.
    #[pv(name = "af")]
    fn af(run: &mut Run, key: Const<FamilyKey>) -> Val {
        let address = run.source.address;
        match *key {
            FamilyKey::Id => Val::int(family(address)),
            FamilyKey::Name if address.is_ipv4() => Val::str(b"IPv4"),
            FamilyKey::Name => Val::str(b"IPv6"),
        }
    }

    /// The id of the connection that the message came on; null on UDP.
    #[pv(name = "conid")]
    fn conid(run: &mut Run) -> Option<i64> {
        run.source
            .connection
            .map(|connection| connection.0.get() as i64)
    }

    /// The number of an address family (`IPv4`, `IPv6`) or transport (`UDP`, `TCP`, `TLS`, `SCTP`,
    /// `WS`, `WSS`), to compare `$af(id)` and `$prid` with.
    ///
    /// ```cfg
    /// if ($prid == $K(TCP)) exit;
    /// ```
    #[pv(name = "K")]
    fn constant(_run: &mut Run, key: Const<ConstantKey>) -> i64 {
        let protocol = match *key {
            ConstantKey::V4 => return i64::from(libc::AF_INET),
            ConstantKey::V6 => return i64::from(libc::AF_INET6),
            ConstantKey::Udp => Protocol::Udp,
            ConstantKey::Tcp => Protocol::Tcp,
            ConstantKey::Tls => Protocol::Tls,
            ConstantKey::Sctp => Protocol::Sctp,
            ConstantKey::Ws => Protocol::Ws,
            ConstantKey::Wss => Protocol::Wss,
        };
        protocol as i64
    }
}
