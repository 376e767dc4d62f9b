//! Records that scripts ask for by name.

use std::net::IpAddr;

use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use super::super::{DnsError, address};
use super::{MOST_CANDIDATES, Resolver, UnderWay, name};

/// An SRV record (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    /// The lowest comes first.
    pub priority: u16,
    /// Share among those of one priority.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host, without the last dot.
    pub target: String,
}

/// A NAPTR record (RFC 3403 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naptr {
    /// The lowest comes first.
    pub order: u16,
    /// Which comes first among those of one order.
    pub preference: u16,
    /// Flags.
    pub flags: Box<[u8]>,
    /// Services.
    pub services: Box<[u8]>,
    /// The substitution expression.
    pub expression: Box<[u8]>,
    /// The next name to ask for, without the last dot.
    pub replacement: String,
}

/// The name without the last dot.
fn text(name: &Name) -> String {
    let text = name.to_ascii();
    text.strip_suffix('.').map(str::to_owned).unwrap_or(text)
}

impl Resolver {
    /// The addresses of `host` in both families, IPv4 first, at most 16. An address is its own answer.
    ///
    /// # Errors
    /// There is none; see [`DnsError`].
    pub async fn all_addresses(&self, host: &[u8]) -> Result<Vec<IpAddr>, DnsError> {
        if let Some(ip) = address(host) {
            return Ok(vec![ip]);
        }
        let name = name(host)?;
        let mut found = Vec::new();
        for kind in [RecordType::A, RecordType::AAAA] {
            let local = self
                .hosts
                .lookup_static_host(&Query::query(name.clone(), kind));
            let answers = local.iter().flat_map(|lookup| lookup.answers());
            found.extend(answers.filter_map(|record| record.data.ip_addr()));
        }
        if found.is_empty() {
            for kind in [RecordType::A, RecordType::AAAA] {
                match self.records(&name, kind, |data| data.ip_addr()).await {
                    Ok(ips) => found.extend(ips),
                    Err(DnsError::NotFound) => {}
                    Err(error) if kind == RecordType::A => return Err(error),
                    Err(_) => {}
                }
            }
        }
        found.truncate(MOST_CANDIDATES);
        match found.is_empty() {
            true => Err(DnsError::NotFound),
            false => Ok(found),
        }
    }

    /// The SRV records of `service`, such as `_sip._udp.example.com`, by priority and then the heaviest
    /// first.
    ///
    /// # Errors
    /// See [`DnsError`].
    pub async fn srv(&self, service: &[u8]) -> Result<Vec<Srv>, DnsError> {
        let take = |data: &RData| match data {
            RData::SRV(srv) => Some(Srv {
                priority: srv.priority,
                weight: srv.weight,
                port: srv.port,
                target: text(&srv.target),
            }),
            _ => None,
        };
        let mut found = self.records(&name(service)?, RecordType::SRV, take).await?;
        found.sort_by_key(|srv| (srv.priority, u16::MAX - srv.weight));
        Ok(found)
    }

    /// The NAPTR records of `domain`, by order and preference.
    ///
    /// # Errors
    /// See [`DnsError`].
    pub async fn naptr(&self, domain: &[u8]) -> Result<Vec<Naptr>, DnsError> {
        let take = |data: &RData| match data {
            RData::NAPTR(naptr) => Some(Naptr {
                order: naptr.order,
                preference: naptr.preference,
                flags: naptr.flags.clone(),
                services: naptr.services.clone(),
                expression: naptr.regexp.clone(),
                replacement: text(&naptr.replacement),
            }),
            _ => None,
        };
        let mut found = self
            .records(&name(domain)?, RecordType::NAPTR, take)
            .await?;
        found.sort_by_key(|naptr| (naptr.order, naptr.preference));
        Ok(found)
    }

    /// The names of `ip`.
    ///
    /// # Errors
    /// See [`DnsError`].
    pub async fn names(&self, ip: IpAddr) -> Result<Vec<String>, DnsError> {
        let take = |data: &RData| match data {
            RData::PTR(ptr) => Some(text(&ptr.0)),
            _ => None,
        };
        self.records(&Name::from(ip), RecordType::PTR, take).await
    }

    /// What `take` makes of the records of `name`; at most 64.
    async fn records<T>(
        &self,
        name: &Name,
        kind: RecordType,
        take: impl Fn(&RData) -> Option<T>,
    ) -> Result<Vec<T>, DnsError> {
        const MOST: usize = 64;
        let servers = self.servers.as_ref().ok_or(DnsError::NotFound)?;
        let _under_way = UnderWay::enter(&self.lookups)?;
        let lookup = self.limited(servers.lookup(name.clone(), kind)).await?;
        let records = lookup.answers().iter();
        let found = records.filter_map(|record| take(&record.data)).take(MOST);
        Ok(found.collect())
    }
}
