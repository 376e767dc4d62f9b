//! The resolver that each worker has: the order of lookups, and the limits on them.

mod records;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use hickory_resolver::config::{
    LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Hosts, TokioResolver};
use smallvec::{SmallVec, smallvec};

use super::order::{self, Service};
use super::{Candidate, Candidates, DnsError, Families, Settings, address};
use crate::transport::Protocol;

pub use records::{Naptr, Srv};

/// The longest host name (RFC 1035 §2.3.4), in bytes.
const LONGEST_NAME: usize = 253;
/// The most SRV records of a name that are used.
const MOST_SERVICES: usize = 8;
/// The most candidates of a host.
const MOST_CANDIDATES: usize = 16;
/// The most lookups under way.
const MOST_LOOKUPS: u32 = 1024;
/// The answers that are kept.
const CACHE_SIZE: u64 = 4096;

/// Looks up hosts.
///
/// Belongs to the runtime that it is first used on: lookups run as tasks there.
pub struct Resolver {
    /// `None` without a usable configuration: then there are only addresses and `/etc/hosts`.
    servers: Option<TokioResolver>,
    hosts: Arc<Hosts>,
    families: Families,
    srv_load_balancing: bool,
    limit: Duration,
    lookups: AtomicU32,
    random: AtomicU64,
}

impl Default for Resolver {
    fn default() -> Resolver {
        Resolver::new()
    }
}

impl Resolver {
    /// A resolver as the system is configured.
    pub fn new() -> Resolver {
        Resolver::with(&Settings::default())
    }

    /// A resolver that asks nobody: it knows addresses and `/etc/hosts`.
    pub fn without_servers() -> Resolver {
        let none = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
        Resolver::over(&Settings::default(), none, ResolverOpts::default())
    }

    /// A resolver with `settings`. Reads `/etc/resolv.conf` and `/etc/hosts`; what cannot be read
    /// is taken as empty.
    pub fn with(settings: &Settings) -> Resolver {
        let (mut config, options) = match hickory_resolver::system_conf::read_system_conf() {
            Ok(system) => system,
            Err(_) => {
                let none = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
                (none, ResolverOpts::default())
            }
        };
        if !settings.name_servers.is_empty() {
            let servers = settings.name_servers.iter().map(|address| {
                let mut server = NameServerConfig::udp_and_tcp(address.ip());
                for connection in &mut server.connections {
                    connection.port = address.port();
                }
                server
            });
            config = ResolverConfig::from_parts(
                config.domain().cloned(),
                config.search().to_vec(),
                servers.collect(),
            );
        }
        if !settings.search_list {
            let servers = config.name_servers().to_vec();
            config = ResolverConfig::from_parts(None, Vec::new(), servers);
        }
        Resolver::over(settings, config, options)
    }

    fn over(settings: &Settings, config: ResolverConfig, mut options: ResolverOpts) -> Resolver {
        let retry_time = settings.retry_time.unwrap_or(options.timeout);
        let system_tries = u32::try_from(options.attempts).unwrap_or(1);
        let tries = settings.tries.unwrap_or(system_tries).max(1);
        options.timeout = retry_time;
        options.attempts = tries as usize - 1;
        options.cache_size = CACHE_SIZE;
        options.use_hosts_file = ResolveHosts::Never;
        options.positive_min_ttl = settings.min_ttl.or(options.positive_min_ttl);
        options.positive_max_ttl = settings.max_ttl.or(options.positive_max_ttl);
        options.ip_strategy = match settings.families {
            Families::Ipv4ThenIpv6 => LookupIpStrategy::Ipv4thenIpv6,
            Families::Ipv4 => LookupIpStrategy::Ipv4Only,
            Families::Ipv6 => LookupIpStrategy::Ipv6Only,
        };
        let servers = (!config.name_servers().is_empty())
            .then(|| {
                let provider = TokioRuntimeProvider::default();
                let builder = TokioResolver::builder_with_config(config, provider);
                builder.with_options(options).build().ok()
            })
            .flatten();
        let seed = foldhash::fast::RandomState::default();
        Resolver {
            servers,
            hosts: Arc::new(Hosts::from_system().unwrap_or_default()),
            families: settings.families,
            srv_load_balancing: settings.srv_load_balancing,
            limit: retry_time.saturating_mul(tries),
            lookups: AtomicU32::new(0),
            random: AtomicU64::new(std::hash::BuildHasher::hash_one(&seed, 0u8)),
        }
    }

    /// How long one question may take, all its tries together (`dns_retr_time` × `dns_retr_no`). A
    /// host may take twice as long, because it can need several questions.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// The places to send to for `host`, best first and never none. `port` 0 counts as none.
    ///
    /// An address gives its answer without waiting and without allocation.
    pub async fn locate(
        &self,
        host: &[u8],
        port: Option<u16>,
        transport: Option<Protocol>,
    ) -> Result<Candidates, DnsError> {
        let transport = transport.unwrap_or(Protocol::Udp);
        let port = port.filter(|&port| port != 0);
        if let Some(ip) = address(host) {
            let port = port.unwrap_or(transport.default_port());
            return Ok(smallvec![Candidate {
                ip,
                port,
                transport
            }]);
        }
        let name = name(host)?;
        let _under_way = UnderWay::enter(&self.lookups)?;
        let mut found = Candidates::new();
        let search = self.search(&name, port, transport, &mut found);
        let outcome = tokio::time::timeout(self.limit.saturating_mul(2), search).await;
        if !found.is_empty() {
            return Ok(found);
        }
        Err(match outcome {
            Ok(Err(error)) => error,
            Ok(Ok(())) => DnsError::NotFound,
            Err(_) => DnsError::TimedOut,
        })
    }

    async fn search(
        &self,
        name: &Name,
        port: Option<u16>,
        transport: Protocol,
        found: &mut Candidates,
    ) -> Result<(), DnsError> {
        let local = self.local_addresses(name);
        if port.is_none()
            && local.is_empty()
            && let Some(prefix) = service_prefix(transport)
            && let Ok(services) = self.services(prefix, name).await
        {
            // A lone root as target says that there is no such service (RFC 2782).
            if matches!(services.as_slice(), [only] if only.target.is_root()) {
                return Err(DnsError::NotFound);
            }
            for service in services {
                if let Ok(ips) = self.addresses(&service.target).await {
                    add(found, &ips, service.port, transport);
                }
            }
            if !found.is_empty() {
                return Ok(());
            }
        }
        let ips = if local.is_empty() {
            self.addresses(name).await?
        } else {
            local
        };
        add(
            found,
            &ips,
            port.unwrap_or(transport.default_port()),
            transport,
        );
        Ok(())
    }

    /// The SRV records of `name`, in the order to use them.
    async fn services(&self, prefix: &str, name: &Name) -> Result<Vec<Service<Name>>, DnsError> {
        let servers = self.servers.as_ref().ok_or(DnsError::NotFound)?;
        let owner = Name::from_ascii(prefix)
            .and_then(|prefix| prefix.append_name(name))
            .map_err(|_| DnsError::BadName)?;
        let lookup = self.limited(servers.lookup(owner, RecordType::SRV)).await?;
        let records = lookup
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::SRV(srv) => Some(Service {
                    priority: srv.priority,
                    weight: srv.weight,
                    port: srv.port,
                    target: srv.target.clone(),
                }),
                _ => None,
            });
        let mut services: Vec<_> = records.collect();
        if self.srv_load_balancing {
            order::weighted(&mut services, |limit| self.random() % limit);
        } else {
            order::heaviest_first(&mut services);
        }
        services.truncate(MOST_SERVICES);
        if services.is_empty() {
            Err(DnsError::NotFound)
        } else {
            Ok(services)
        }
    }

    async fn addresses(&self, name: &Name) -> Result<SmallVec<[IpAddr; 4]>, DnsError> {
        let local = self.local_addresses(name);
        if !local.is_empty() {
            return Ok(local);
        }
        let servers = self.servers.as_ref().ok_or(DnsError::NotFound)?;
        let lookup = self.limited(servers.lookup_ip(name.clone())).await?;
        let ips: SmallVec<_> = lookup.iter().take(MOST_CANDIDATES).collect();
        if ips.is_empty() {
            Err(DnsError::NotFound)
        } else {
            Ok(ips)
        }
    }

    /// The addresses that `/etc/hosts` gives.
    fn local_addresses(&self, name: &Name) -> SmallVec<[IpAddr; 4]> {
        let types: &[_] = match self.families {
            Families::Ipv4ThenIpv6 => &[RecordType::A, RecordType::AAAA],
            Families::Ipv4 => &[RecordType::A],
            Families::Ipv6 => &[RecordType::AAAA],
        };
        let lookups = types.iter().filter_map(|kind| {
            self.hosts
                .lookup_static_host(&Query::query(name.clone(), *kind))
        });
        for lookup in lookups {
            let ips: SmallVec<[IpAddr; 4]> = lookup
                .answers()
                .iter()
                .filter_map(|record| record.data.ip_addr())
                .collect();
            if !ips.is_empty() {
                return ips;
            }
        }
        SmallVec::new()
    }

    /// Waits for an answer, but no longer than the limit.
    async fn limited<T>(
        &self,
        question: impl Future<Output = Result<T, NetError>>,
    ) -> Result<T, DnsError> {
        match tokio::time::timeout(self.limit, question).await {
            Err(_) | Ok(Err(NetError::Timeout)) => Err(DnsError::TimedOut),
            Ok(Err(error)) if error.is_no_records_found() => Err(DnsError::NotFound),
            Ok(Err(error)) => Err(DnsError::Failed(error.to_string())),
            Ok(Ok(answer)) => Ok(answer),
        }
    }

    /// The next number of a sequence that need not be secret (SplitMix64).
    fn random(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let state = self
            .random
            .fetch_add(STEP, Ordering::Relaxed)
            .wrapping_add(STEP);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

fn add(found: &mut Candidates, ips: &[IpAddr], port: u16, transport: Protocol) {
    let room = MOST_CANDIDATES.saturating_sub(found.len());
    found.extend(ips.iter().take(room).map(|&ip| Candidate {
        ip,
        port,
        transport,
    }));
}

/// What stands before a domain in the owner name of its SRV records; `None` for transports that
/// have none.
fn service_prefix(transport: Protocol) -> Option<&'static str> {
    match transport {
        Protocol::Udp => Some("_sip._udp"),
        Protocol::Tcp => Some("_sip._tcp"),
        Protocol::Tls => Some("_sips._tcp"),
        Protocol::Sctp => Some("_sip._sctp"),
        Protocol::Ws | Protocol::Wss => None,
    }
}

/// A host name as SIP has it (RFC 3261 §25.1), and `_`.
fn name(host: &[u8]) -> Result<Name, DnsError> {
    let allowed = |&byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if host.is_empty() || host.len() > LONGEST_NAME || !host.iter().all(allowed) {
        return Err(DnsError::BadName);
    }
    let text = std::str::from_utf8(host).map_err(|_| DnsError::BadName)?;
    Name::from_ascii(text).map_err(|_| DnsError::BadName)
}

/// Counts a lookup while it is under way.
struct UnderWay<'r>(&'r AtomicU32);

impl UnderWay<'_> {
    fn enter(count: &AtomicU32) -> Result<UnderWay<'_>, DnsError> {
        if count.fetch_add(1, Ordering::Relaxed) >= MOST_LOOKUPS {
            count.fetch_sub(1, Ordering::Relaxed);
            return Err(DnsError::Busy);
        }
        Ok(UnderWay(count))
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
