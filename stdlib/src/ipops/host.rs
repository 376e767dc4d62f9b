//! `$HN`: this host's own name.

use std::net::{IpAddr, ToSocketAddrs};

use kcc_runtime::declare::{ConstantError, Parse};

/// What is known of this host since the start.
#[derive(Debug, Default)]
pub struct Host {
    /// The whole name, as the kernel has it.
    pub full: Box<str>,
    /// Its address, where its name has one.
    pub ip: Option<IpAddr>,
}

impl Host {
    /// Asks the kernel, and the system's resolver for the address. It may wait: for the start only.
    pub fn of_system() -> Host {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let full: Box<str> = name.trim_end().into();
        let found = (&*full, 0).to_socket_addrs();
        let ip = found.ok().and_then(|mut found| found.next());
        Host {
            full,
            ip: ip.map(|address| address.ip()),
        }
    }

    /// What stands before the first dot, and after it.
    pub fn parts(&self) -> (&str, &str) {
        self.full.split_once('.').unwrap_or((&self.full, ""))
    }
}

/// What `$HN` tells of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The name without the domain.
    Name,
    /// The whole name.
    Full,
    /// The domain.
    Domain,
    /// The address.
    Ip,
}

impl Parse for Part {
    const NAME: &'static str = "host-part";
    const WHAT: &'static str = "a part of the host's name";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        match text {
            b"n" => Ok(Part::Name),
            b"f" => Ok(Part::Full),
            b"d" => Ok(Part::Domain),
            b"i" => Ok(Part::Ip),
            _ => Err(ConstantError::new("`n`, `f`, `d` or `i` is expected")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_at_the_first_dot() {
        let host = |full: &str| Host {
            full: full.into(),
            ip: None,
        };
        assert_eq!(host("sip1.example.com").parts(), ("sip1", "example.com"));
        assert_eq!(host("vm").parts(), ("vm", ""));
    }
}
