//! Addresses as text, and subnets.

use std::net::{IpAddr, Ipv6Addr};

use kcc_runtime::dns;

/// How an address is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `192.0.2.1`.
    V4,
    /// `2001:db8::1`.
    V6,
    /// `[2001:db8::1]`.
    V6Reference,
}

/// The address that `text` is, and how it is written.
pub fn parse(text: &[u8]) -> Option<(IpAddr, Form)> {
    let ip = dns::address(text)?;
    let form = match ip {
        IpAddr::V4(_) => Form::V4,
        IpAddr::V6(_) if text.first() == Some(&b'[') => Form::V6Reference,
        IpAddr::V6(_) => Form::V6,
    };
    Some((ip, form))
}

/// The address that `text` is, brackets not allowed.
pub fn pure(text: &[u8]) -> Option<IpAddr> {
    let (ip, form) = parse(text)?;
    (form != Form::V6Reference).then_some(ip)
}

/// Whether `ip` lies in one of the subnets of `list`, which commas part. What is no subnet is passed
/// over.
pub fn in_subnets(ip: IpAddr, list: &[u8]) -> bool {
    list.split(|c| *c == b',')
        .any(|subnet| in_subnet(ip, subnet.trim_ascii()) == Some(true))
}

/// Whether `ip` lies in `subnet`; `None` where that is none. Bits after the mask have no meaning.
fn in_subnet(ip: IpAddr, subnet: &[u8]) -> Option<bool> {
    let slash = subnet.iter().position(|c| *c == b'/');
    let (base, mask) = subnet.split_at(slash.unwrap_or(subnet.len()));
    let base = pure(base)?;
    let most = if base.is_ipv4() { 32 } else { 128 };
    let bits: u32 = match mask.strip_prefix(b"/") {
        None => most,
        Some(mask) => std::str::from_utf8(mask).ok()?.parse().ok()?,
    };
    if bits > most {
        return None;
    }
    if base.is_ipv4() != ip.is_ipv4() {
        return Some(false);
    }
    let differ = wide(base) ^ wide(ip);
    Some(differ.checked_shr(most - bits).unwrap_or(0) == 0)
}

/// All bits of an address.
fn wide(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => Ipv6Addr::to_bits(ip),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_kamailio_5_6_reads_them() {
        for (text, form) in [
            ("192.0.2.1", Some(Form::V4)),
            ("2001:db8::1", Some(Form::V6)),
            ("FE80::A", Some(Form::V6)),
            ("[2001:db8::1]", Some(Form::V6Reference)),
            ("::ffff:192.0.2.1", Some(Form::V6)),
            ("::1:2:3:4:5:6:7", Some(Form::V6)),
            ("1:2:3:4:5:6:7:8", Some(Form::V6)),
            ("fe80::1%eth0", None),
            ("192.0.2", None),
            ("192.0.2.256", None),
            ("192.0.2.1.5", None),
            ("01.2.3.4", None),
            ("192.0.2.01", None),
            (" 192.0.2.1", None),
            ("192.0.2.1 ", None),
            ("", None),
            ("abc", None),
            ("12345", None),
            ("[192.0.2.1]", None),
            ("[2001:db8::1", None),
            ("2001:db8::1]", None),
            ("2001:db8:::1", None),
            ("1:2:3:4:5:6:7:8:9", None),
            ("1:2:3:4:5:6:7", None),
            ("12345::", None),
            ("g::1", None),
            ("192.0.2.1:5060", None),
        ] {
            let found = parse(text.as_bytes()).map(|(_, form)| form);
            assert_eq!(found, form, "{text}");
        }
    }

    #[test]
    fn subnets_are_read_as_kamailio_5_6_reads_them() {
        for (ip, list, inside) in [
            ("192.0.2.1", "192.0.2.0/24", true),
            ("192.0.3.1", "192.0.2.0/24", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.1/32", true),
            ("192.0.2.1", "0.0.0.0/0", true),
            ("192.0.2.1", "192.0.2.0/33", false),
            ("192.0.2.1", "192.0.2.0/-1", false),
            ("192.0.2.1", "192.0.2.5/24", true),
            ("192.0.2.1", "192.0.2.0/024", true),
            ("192.0.2.1", "192.0.2.0/24/8", false),
            ("2001:db8::5", "2001:db8::/32", true),
            ("2001:db9::5", "2001:db8::/32", false),
            ("2001:db8::5", "[2001:db8::]/32", false),
            ("2001:db8::5", "::/0", true),
            ("192.0.2.1", "::/0", false),
            ("2001:db8::5", "0.0.0.0/0", false),
            ("2001:db8::5", "2001:db8::/129", false),
            ("2001:db8::8001", "2001:db8::8000/113", true),
            ("192.0.2.1", "10.0.0.0/8, 192.0.2.0/24", true),
            ("192.0.2.1", "10.0.0.0/8,172.16.0.0/12", false),
            ("192.0.2.1", "bad,192.0.2.0/24", true),
            ("192.0.2.1", ",192.0.2.0/24", true),
            ("192.0.2.1", "10.0.0.0/8;192.0.2.0/24", false),
            ("192.0.2.1", "", false),
        ] {
            let found = in_subnets(ip.parse().unwrap(), list.as_bytes());
            assert_eq!(found, inside, "{ip} in {list}");
        }
    }
}
