//! What kind of address an address is (IANA's registries of special addresses).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The range of the first `bits`, and its name. The first that fits counts.
type Range<N> = (N, u32, &'static str);

const V4: &[Range<u32>] = &[
    (0xffff_ffff, 32, "BROADCAST"),
    (0xcb00_7100, 24, "TEST-NET"),
    (0xc633_6400, 24, "TEST-NET"),
    (0xc058_6300, 24, "6TO4-RELAY"),
    (0xc000_0200, 24, "TEST-NET"),
    (0xc000_0000, 24, "RESERVED"),
    (0xc0a8_0000, 16, "PRIVATE"),
    (0xa9fe_0000, 16, "LINK-LOCAL"),
    (0xc612_0000, 15, "RESERVED"),
    (0xac10_0000, 12, "PRIVATE"),
    (0x6440_0000, 10, "SHARED"),
    (0x7f00_0000, 8, "LOOPBACK"),
    (0x0a00_0000, 8, "PRIVATE"),
    (0x0000_0000, 8, "PRIVATE"),
    (0xf000_0000, 4, "RESERVED"),
    (0xe000_0000, 4, "MULTICAST"),
];

/// By the first 64 bits, but for those that need more.
const V6: &[Range<u64>] = &[
    (0x0100_0000_0000_0000, 64, "DISCARD"),
    (0x2001_0002_0000_0000, 48, "BMWG"),
    (0x2001_0000_0000_0000, 32, "TEREDO"),
    (0x2001_0db8_0000_0000, 32, "DOCUMENTATION"),
    (0x2001_0010_0000_0000, 28, "ORCHID"),
    (0x2002_0000_0000_0000, 16, "6TO4"),
    (0xfe80_0000_0000_0000, 10, "LINK-LOCAL-UNICAST"),
    (0xff00_0000_0000_0000, 8, "MULTICAST"),
    (0xfc00_0000_0000_0000, 7, "UNIQUE-LOCAL-UNICAST"),
    (0x2000_0000_0000_0000, 3, "GLOBAL-UNICAST"),
];

/// The name of the kind of `ip`.
pub fn kind(ip: IpAddr) -> &'static str {
    match ip {
        IpAddr::V4(ip) => kind_v4(ip),
        IpAddr::V6(ip) => kind_v6(ip),
    }
}

fn kind_v4(ip: Ipv4Addr) -> &'static str {
    let bits = ip.to_bits();
    let found = V4
        .iter()
        .find(|(range, len, _)| (bits ^ range) >> (32 - len) == 0);
    found.map_or("PUBLIC", |(_, _, name)| name)
}

fn kind_v6(ip: Ipv6Addr) -> &'static str {
    if ip.is_unspecified() {
        return "UNSPECIFIED";
    }
    if ip.is_loopback() {
        return "LOOPBACK";
    }
    if ip.to_ipv4_mapped().is_some() {
        return "IPV4MAP";
    }
    let bits = (ip.to_bits() >> 64) as u64;
    let found = V6
        .iter()
        .find(|(range, len, _)| (bits ^ range) >> (64 - len) == 0);
    found.map_or("RESERVED", |(_, _, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_those_of_kamailio_5_6() {
        for (ip, name) in [
            ("192.0.2.1", "TEST-NET"),
            ("10.0.0.1", "PRIVATE"),
            ("172.16.5.1", "PRIVATE"),
            ("172.32.0.1", "PUBLIC"),
            ("192.168.1.1", "PRIVATE"),
            ("127.0.0.1", "LOOPBACK"),
            ("169.254.1.1", "LINK-LOCAL"),
            ("224.0.0.1", "MULTICAST"),
            ("255.255.255.255", "BROADCAST"),
            ("0.0.0.0", "PRIVATE"),
            ("100.64.0.1", "SHARED"),
            ("192.0.0.1", "RESERVED"),
            ("198.18.0.1", "RESERVED"),
            ("198.51.100.7", "TEST-NET"),
            ("203.0.113.9", "TEST-NET"),
            ("192.88.99.1", "6TO4-RELAY"),
            ("240.0.0.1", "RESERVED"),
            ("8.8.8.8", "PUBLIC"),
            ("239.255.255.255", "MULTICAST"),
            ("2001:db8::1", "DOCUMENTATION"),
            ("::1", "LOOPBACK"),
            ("::", "UNSPECIFIED"),
            ("fe80::1", "LINK-LOCAL-UNICAST"),
            ("fc00::1", "UNIQUE-LOCAL-UNICAST"),
            ("fd00::1", "UNIQUE-LOCAL-UNICAST"),
            ("ff02::1", "MULTICAST"),
            ("2002::1", "6TO4"),
            ("2001::1", "TEREDO"),
            ("2001:10::1", "ORCHID"),
            ("2001:20::1", "GLOBAL-UNICAST"),
            ("64:ff9b::1", "RESERVED"),
            ("::ffff:192.0.2.1", "IPV4MAP"),
            ("::192.0.2.1", "RESERVED"),
            ("2400::1", "GLOBAL-UNICAST"),
            ("fec0::1", "RESERVED"),
            ("100::1", "DISCARD"),
            ("5f00::1", "RESERVED"),
            ("3ffe::1", "GLOBAL-UNICAST"),
            ("1:2:3:4:5:6:7:8", "RESERVED"),
        ] {
            assert_eq!(kind(ip.parse().unwrap()), name, "{ip}");
        }
    }
}
