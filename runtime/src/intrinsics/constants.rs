//! Kinds of constant that the language itself uses: patterns and networks.

use std::net::IpAddr;

use crate::declare::{ConstantError, ConstantKind, Parse};
use crate::pattern::{Flags, Pattern};

/// A pattern of `=~`: ignores case.
pub struct Icase(pub Pattern);

/// A pattern of `case /…/:`: minds case.
pub struct Case(pub Pattern);

impl Parse for Icase {
    const NAME: &'static str = "regex-icase";
    const WHAT: &'static str = "a regular expression";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        parse_pattern(text, true).map(Icase)
    }
}

impl Parse for Case {
    const NAME: &'static str = "regex-case";
    const WHAT: &'static str = "a regular expression";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        parse_pattern(text, false).map(Case)
    }
}

fn parse_pattern(text: &[u8], icase: bool) -> Result<Pattern, ConstantError> {
    Pattern::new(text, Flags { icase }).map_err(|error| ConstantError {
        offset: error.offset,
        message: error.message.to_string(),
    })
}

/// A network that an address is tested against: `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `2001:db8::1`.
#[derive(Debug)]
pub struct Network {
    /// As 128 bits, IPv4 in the low 32.
    base: u128,
    mask: u128,
    v4: bool,
}

fn bits(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), true),
        IpAddr::V6(v6) => (v6.to_bits(), false),
    }
}

/// An address as text, IPv6 with or without brackets.
pub(super) fn address(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?;
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(text).parse().ok()
}

impl Network {
    /// Whether `text` is an address in it.
    pub fn contains(&self, text: &[u8]) -> bool {
        address(text)
            .map(bits)
            .is_some_and(|(found, v4)| v4 == self.v4 && found & self.mask == self.base & self.mask)
    }
}

impl Parse for Network {
    const NAME: &'static str = "network";
    const WHAT: &'static str = "a network";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        let mut parts = text.splitn(2, |&byte| byte == b'/');
        let first = parts.next().unwrap_or(b"");
        let wrong = || ConstantError::new("this is no address");
        let (base, v4) = address(first).map(bits).ok_or_else(wrong)?;
        let width = if v4 { 32 } else { 128 };
        let all = u128::MAX >> (128 - width);
        let wrong = |message: &str| ConstantError {
            offset: first.len() + 1,
            message: message.to_owned(),
        };
        let mask = match parts.next() {
            None => all,
            Some(mask) => match (crate::value::parse_int(mask), address(mask).map(bits)) {
                (_, Some((mask, kind))) if kind == v4 => mask,
                (Some(len @ 0..=128), None) if len <= width => {
                    all.checked_shl((width - len) as u32).unwrap_or(0) & all
                }
                _ => return Err(wrong("this is no length or mask of such a network")),
            },
        };
        Ok(Network { base, mask, v4 })
    }
}

/// Kinds of constant that the language itself uses.
pub(crate) const CONSTANT_KINDS: [&ConstantKind; 3] = [Icase::KIND, Case::KIND, Network::KIND];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses_only() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.1.2.3", "11.0.0.0"),
            ("10.1.0.0/255.255.0.0", "10.1.9.9", "10.2.0.0"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("2001:db8::/32", "[2001:db8::1]", "2001:db9::1"),
            ("0.0.0.0/0", "1.2.3.4", "::1"),
        ] {
            let network = Network::parse(network.as_bytes()).unwrap();
            assert!(network.contains(inside.as_bytes()), "{network:?}");
            assert!(!network.contains(outside.as_bytes()), "{network:?}");
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0.0/::1", "x"] {
            assert!(Network::parse(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }
}
