//! Where a host is: addresses, ports and transports to send to (RFC 3263), without blocking.
//!
//! As with Kamailio's defaults there is no NAPTR lookup: a host without a port is looked up as SRV
//! for its transport, UDP if none is given, and then, as a host with a port, as A and, only without
//! an A record, AAAA. Addresses need no lookup. `/etc/hosts` comes first; it and `/etc/resolv.conf`
//! are read once, when a [`Resolver`] is made. Answers are kept as long as their TTL allows.
//!
//! Invariant: a lookup ends within twice [`Resolver::limit`], and the number of lookups under way
//! is bounded.

mod order;
mod resolver;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use smallvec::SmallVec;

pub use resolver::{Naptr, Resolver, Srv};

use crate::transport::Protocol;

/// Where to send, best first.
pub type Candidates = SmallVec<[Candidate; 4]>;

/// A place to send to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The address.
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
    /// The transport.
    pub transport: Protocol,
}

/// Why there is no place to send to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// The host is neither an address nor a possible name.
    #[error("this is no host name")]
    BadName,
    /// There is no such name, or it has no address.
    #[error("no address")]
    NotFound,
    /// No name server answered in time.
    #[error("no name server answered in time")]
    TimedOut,
    /// Too many lookups are under way.
    #[error("too many lookups are under way")]
    Busy,
    /// The name servers could not be asked, or gave no useful answer.
    #[error("name servers failed: {0}")]
    Failed(String),
}

/// The address families that are looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Families {
    /// A, and AAAA if there is no A record (`dns_try_ipv6=yes`, the default).
    #[default]
    Ipv4ThenIpv6,
    /// A alone (`dns_try_ipv6=no`).
    Ipv4,
    /// AAAA alone, for a server without IPv4 sockets.
    Ipv6,
}

/// How names are looked up. The default is Kamailio's.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long to wait for an answer before asking again (`dns_retr_time`); `None` takes the
    /// `timeout` of `/etc/resolv.conf`, which is 5 s unless set.
    pub retry_time: Option<Duration>,
    /// How often a question is sent (`dns_retr_no`); `None` takes the `attempts` of
    /// `/etc/resolv.conf`, which is 2 unless set.
    pub tries: Option<u32>,
    /// The address families.
    pub families: Families,
    /// Whether the search list of `/etc/resolv.conf` is used (`dns_use_search_list`).
    pub search_list: bool,
    /// Whether SRV records of equal priority are chosen at random by weight (RFC 2782); otherwise
    /// the heaviest comes first (`dns_srv_lb`).
    pub srv_load_balancing: bool,
    /// The shortest time that an answer is kept (`dns_cache_min_ttl`).
    pub min_ttl: Option<Duration>,
    /// The longest time that an answer is kept (`dns_cache_max_ttl`); at most a day.
    pub max_ttl: Option<Duration>,
    /// The name servers to ask in place of those of `/etc/resolv.conf`.
    pub name_servers: Vec<SocketAddr>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            retry_time: None,
            tries: None,
            families: Families::default(),
            search_list: true,
            srv_load_balancing: false,
            min_ttl: None,
            max_ttl: None,
            name_servers: Vec::new(),
        }
    }
}

/// The address that `host` is, if it is one: IPv4 in dotted form, IPv6 with or without brackets.
pub fn address(host: &[u8]) -> Option<IpAddr> {
    let inner = host
        .strip_prefix(b"[")
        .and_then(|host| host.strip_suffix(b"]"));
    if let Some(inner) = inner {
        return std::str::from_utf8(inner)
            .ok()?
            .parse::<Ipv6Addr>()
            .ok()
            .map(IpAddr::V6);
    }
    let text = std::str::from_utf8(host).ok()?;
    match text.parse::<Ipv4Addr>() {
        Ok(ip) => Some(IpAddr::V4(ip)),
        Err(_) if text.contains(':') => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        Err(_) => None,
    }
}
