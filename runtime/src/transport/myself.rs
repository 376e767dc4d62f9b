//! Which hosts are this server: the keyword `myself`.
//!
//! A name or address belongs to a listen socket (its host as written, its address, what it
//! advertises), to an `alias`, or is found by reverse lookup of a socket's address in the
//! hosts file. Kamailio asks DNS for the latter too, which may hold up the start for seconds.

use std::cmp::Ordering;
use std::net::{IpAddr, Ipv6Addr};

use super::{Protocol, Socket};

/// A name that is this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The host name or address.
    pub host: Box<str>,
    /// The port that it holds for; `None` for any.
    pub port: Option<u16>,
    /// The protocol that it holds for; `None` for any.
    pub protocol: Option<Protocol>,
}

/// The set of names that are this server.
#[derive(Clone, Debug, Default)]
pub struct Myself {
    /// Sorted by host without regard to case; addresses are here in their shortest form.
    names: Vec<Alias>,
}

impl Myself {
    /// The names of `sockets` and `aliases`. `hosts` is the text of the hosts file when
    /// `auto_aliases` is on.
    pub fn new(sockets: &[Socket], aliases: &[Alias], hosts: Option<&str>) -> Myself {
        let mut names = Vec::new();
        for alias in aliases {
            names.push(Alias {
                host: plain(&alias.host).into(),
                ..alias.clone()
            });
        }
        for socket in sockets {
            let mut add = |host: &str, port| {
                names.push(Alias {
                    host: plain(host).into(),
                    port: Some(port),
                    protocol: Some(socket.protocol),
                });
            };
            let port = socket.address.port();
            add(&socket.host, port);
            add(&socket.address.ip().to_string(), port);
            if let Some((host, port)) = &socket.advertised {
                add(host, *port);
            }
            for name in names_in(hosts.unwrap_or_default(), socket.address.ip()) {
                add(name, port);
            }
        }
        names.sort_by(|a, b| compare(a.host.as_bytes(), b.host.as_bytes()));
        names.dedup();
        Myself { names }
    }

    /// Whether `host` is this server at `port` over `protocol`. `None` matches any; a URI
    /// without a port stands for its protocol's default port, which the caller gives.
    pub fn contains(&self, host: &[u8], port: Option<u16>, protocol: Option<Protocol>) -> bool {
        let inner = host.strip_prefix(b"[").and_then(|h| h.strip_suffix(b"]"));
        let host = inner.unwrap_or(host);
        if self.lookup(host, port, protocol) {
            return true;
        }
        // The same IPv6 address can be written in many ways.
        if !host.contains(&b':') {
            return false;
        }
        let address = std::str::from_utf8(host).ok();
        match address.and_then(|text| text.parse::<Ipv6Addr>().ok()) {
            Some(address) => self.contains_address(IpAddr::V6(address), port, protocol),
            None => false,
        }
    }

    /// Whether `address` is this server at `port` over `protocol` (`src_ip==myself`).
    pub fn contains_address(
        &self,
        address: IpAddr,
        port: Option<u16>,
        protocol: Option<Protocol>,
    ) -> bool {
        use std::io::Write;
        let mut text = [0u8; 48];
        let mut rest = &mut text[..];
        if write!(rest, "{address}").is_err() {
            return false;
        }
        let left = rest.len();
        let written = text.len() - left;
        text.get(..written)
            .is_some_and(|text| self.lookup(text, port, protocol))
    }

    /// All names, sorted by host.
    pub fn names(&self) -> &[Alias] {
        &self.names
    }

    fn lookup(&self, host: &[u8], port: Option<u16>, protocol: Option<Protocol>) -> bool {
        let first = self
            .names
            .partition_point(|name| compare(name.host.as_bytes(), host) == Ordering::Less);
        self.names
            .iter()
            .skip(first)
            .take_while(|name| name.host.as_bytes().eq_ignore_ascii_case(host))
            .any(|name| agree(name.port, port) && agree(name.protocol, protocol))
    }
}

fn agree<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

fn plain(host: &str) -> &str {
    let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    inner.unwrap_or(host)
}

fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let lower = u8::to_ascii_lowercase;
    a.iter().map(lower).cmp(b.iter().map(lower))
}

/// The names that the text of a hosts file gives to `address`.
fn names_in(hosts: &str, address: IpAddr) -> impl Iterator<Item = &str> {
    hosts
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .filter_map(move |line| {
            let mut words = line.split_ascii_whitespace();
            let first: IpAddr = words.next()?.parse().ok()?;
            (first == address).then_some(words)
        })
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::SocketId;

    fn myself() -> Myself {
        let v4 = Socket::new(
            SocketId(0),
            Protocol::Udp,
            "192.0.2.1:5060".parse().unwrap(),
            None,
        )
        .advertise("Edge.example.com", Some(5070));
        let v6 = Socket::new(
            SocketId(1),
            Protocol::Tcp,
            "[2001:db8::1]:5062".parse().unwrap(),
            None,
        );
        let alias = |host: &str, port| Alias {
            host: host.into(),
            port,
            protocol: None,
        };
        let aliases = [alias("foo.com", None), alias("bar.com", Some(5080))];
        let hosts = "# none\n192.0.2.1 sip.local sip # two\n";
        Myself::new(&[v4, v6], &aliases, Some(hosts))
    }

    #[test]
    fn names_match_without_case_and_by_port() {
        let myself = myself();
        let is = |host: &str, port: u16| myself.contains(host.as_bytes(), Some(port), None);
        assert!(is("192.0.2.1", 5060) && !is("192.0.2.1", 5061));
        assert!(is("edge.EXAMPLE.com", 5070) && !is("edge.example.com", 5060));
        assert!(is("FOO.com", 7777) && is("bar.com", 5080) && !is("bar.com", 5060));
        assert!(is("sip", 5060) && is("sip.local", 5060) && !is("two", 5060));
        assert!(!is("foo.co", 7777) && !is("", 5060));
        assert!(myself.contains(b"bar.com", None, None));
    }

    #[test]
    fn ipv6_matches_in_any_form_and_protocol_counts() {
        let myself = myself();
        for form in ["[2001:db8::1]", "2001:DB8::1", "[2001:0db8:0:0:0:0:0:1]"] {
            assert!(myself.contains(form.as_bytes(), Some(5062), Some(Protocol::Tcp)));
            assert!(!myself.contains(form.as_bytes(), Some(5062), Some(Protocol::Udp)));
        }
        assert!(myself.contains_address("192.0.2.1".parse().unwrap(), None, None));
        assert!(!myself.contains_address("192.0.2.2".parse().unwrap(), None, None));
    }
}
