//! Placeholder until the resolver lands: numeric hosts only.
use crate::transport::Protocol;
use std::net::IpAddr;
/// Where to send.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Address.
    pub ip: IpAddr,
    /// Port.
    pub port: u16,
    /// Transport.
    pub transport: Protocol,
}
/// Failure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// No address.
    #[error("no address")]
    NotFound,
}
/// Resolver.
#[derive(Default)]
pub struct Resolver;
impl Resolver {
    /// A resolver.
    pub fn new() -> Resolver {
        Resolver
    }
    /// Locates.
    pub async fn locate(
        &self,
        host: &[u8],
        port: Option<u16>,
        transport: Option<Protocol>,
    ) -> Result<smallvec::SmallVec<[Candidate; 4]>, DnsError> {
        let text = std::str::from_utf8(host).map_err(|_| DnsError::NotFound)?;
        let ip = text
            .trim_matches(['[', ']'])
            .parse()
            .map_err(|_| DnsError::NotFound)?;
        let transport = transport.unwrap_or(Protocol::Udp);
        let port = port.unwrap_or(transport.default_port());
        Ok(smallvec::smallvec![Candidate {
            ip,
            port,
            transport
        }])
    }
}
