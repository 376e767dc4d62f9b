//! Texts `[proto:]host[:port]`: the transformations `{sock.…}`, and whom a message came from.

use std::net::{IpAddr, SocketAddr};

use kcc_runtime::transport::Protocol;
use kcc_sip::token::parse_port;

/// The parts of `[proto:]host[:port]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// The transport.
    pub protocol: Option<Protocol>,
    /// The host, an IPv6 address in brackets.
    pub host: &'a [u8],
    /// The port.
    pub port: Option<u16>,
}

impl<'a> Address<'a> {
    /// Takes `text` apart; `None` where it is not of this form.
    pub fn parse(text: &'a [u8]) -> Option<Address<'a>> {
        let colon = memchr::memchr(b':', text);
        let named = colon.and_then(|at| Some((Protocol::from_name(text.get(..at)?)?, at + 1)));
        let rest = text.get(named.map_or(0, |(_, at)| at)..)?;
        let end = match rest.first()? {
            b'[' => memchr::memchr(b']', rest)? + 1,
            _ => memchr::memchr(b':', rest).unwrap_or(rest.len()),
        };
        let (host, after) = rest.split_at_checked(end)?;
        let port = match after {
            [] => None,
            [b':', port @ ..] => Some(parse_port(port)?),
            _ => return None,
        };
        (!host.is_empty()).then_some(Address {
            protocol: named.map(|(protocol, _)| protocol),
            host,
            port,
        })
    }

    fn literal(&self) -> Option<SocketAddr> {
        let inner = self.host.strip_prefix(b"[");
        let inner = inner.and_then(|host| host.strip_suffix(b"]"));
        let text = std::str::from_utf8(inner.unwrap_or(self.host)).ok()?;
        let ip: IpAddr = text.parse().ok()?;
        Some(SocketAddr::new(ip, self.port.unwrap_or(0)))
    }
}

/// `{sock.…}` and `set_source_address`.
#[kcc_macros::part(module = "corex")]
pub mod exports {
    use std::io::Write;

    use kcc_runtime::declare::Text;
    use kcc_runtime::run::Run;
    use kcc_runtime::value::Val;

    use super::Address;

    fn nothing() -> Val {
        Val::str(b"")
    }

    /// The host of a socket `[proto:]host[:port]`; empty where the input is none.
    ///
    /// ```cfg
    /// xlog("$(Ras{sock.host})\n");
    /// ```
    #[transformation("sock.host")]
    fn host(run: &mut Run, input: Text) -> Val {
        Address::parse(input).map_or_else(nothing, |address| run.text(address.host))
    }

    /// The port of a socket `[proto:]host[:port]`; empty where it has none.
    ///
    /// ```cfg
    /// xlog("$(Ras{sock.port})\n");
    /// ```
    #[transformation("sock.port")]
    fn port(run: &mut Run, input: Text) -> Val {
        match Address::parse(input).and_then(|address| address.port) {
            Some(port) => run.text(port.to_string().as_bytes()),
            None => nothing(),
        }
    }

    /// The transport of a socket `[proto:]host[:port]`, in lower case; empty where it has none.
    ///
    /// ```cfg
    /// xlog("$(Ras{sock.proto})\n");
    /// ```
    #[transformation("sock.proto")]
    fn proto(_run: &mut Run, input: Text) -> Val {
        let protocol = Address::parse(input).and_then(|address| address.protocol);
        protocol.map_or_else(nothing, |protocol| Val::str(protocol.name().as_bytes()))
    }

    /// A socket `[proto:]host[:port]` as SIP URI: `sip:host:port;transport=proto`; empty where the
    /// input is none.
    ///
    /// ```cfg
    /// $du = $(Ras{sock.touri});
    /// ```
    #[transformation("sock.touri")]
    fn touri(run: &mut Run, input: Text) -> Val {
        let Some(address) = Address::parse(input) else {
            return nothing();
        };
        let size = address.host.len() + 32;
        let Some(space) = run.scratch.alloc(size) else {
            return nothing();
        };
        let mut rest = &mut space[..];
        // It has room for all of it.
        let _ = rest.write_all(b"sip:");
        let _ = rest.write_all(address.host);
        if let Some(port) = address.port {
            let _ = write!(rest, ":{port}");
        }
        if let Some(protocol) = address.protocol {
            let _ = write!(rest, ";transport={protocol}");
        }
        let left = rest.len();
        space.get(..size - left).map_or_else(nothing, Val::str)
    }

    /// Takes `address`, `[proto:]host[:port]` with an IP address, as that of the message's sender:
    /// `$si` and `$sp` (0 where no port is given). The transport stays. Answers go there.
    ///
    /// ```cfg
    /// set_source_address("192.0.2.7:5080");
    /// ```
    #[function(routes = "any")]
    fn set_source_address(run: &mut Run, address: Text) -> Result<bool, &'static str> {
        let parsed = Address::parse(address).and_then(|address| address.literal());
        run.source.address = parsed.ok_or("this is no IP address with a port")?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_address() {
        let parts = |text: &'static str| {
            Address::parse(text.as_bytes()).map(|a| (a.protocol, a.host, a.port))
        };
        let udp = Some(Protocol::Udp);
        assert_eq!(parts("127.0.0.1"), Some((None, &b"127.0.0.1"[..], None)));
        assert_eq!(
            parts("udp:[::1]:5061"),
            Some((udp, &b"[::1]"[..], Some(5061)))
        );
        assert_eq!(
            parts("udp:host.example"),
            Some((udp, &b"host.example"[..], None))
        );
        for bad in ["", "tls::", "udp:", "a:b", "a:1:2", "[::1", "[::1]x"] {
            assert_eq!(parts(bad), None, "{bad}");
        }
    }
}
