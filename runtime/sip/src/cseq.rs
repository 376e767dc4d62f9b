//! The CSeq header field (RFC 3261 §20.16).

use crate::method::Method;
use crate::token::{is_lws, parse_u32, trim};

/// A parsed CSeq.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// The sequence number.
    pub number: u32,
    /// The method.
    pub method: Method,
    /// The method's name as it stands in the message.
    pub method_name: &'a [u8],
}

impl<'a> CSeq<'a> {
    /// Parses a CSeq value: number, white space, method. `None` when it is not that, or when the
    /// number is over 32 bits.
    pub fn parse(value: &'a [u8]) -> Option<CSeq<'a>> {
        let value = trim(value);
        let gap = value.iter().position(|c| is_lws(*c))?;
        let number = parse_u32(&value[..gap])?;
        let method_name = trim(&value[gap..]);
        if method_name.is_empty() || method_name.iter().any(|c| is_lws(*c)) {
            return None;
        }
        Some(CSeq {
            number,
            method: Method::parse(method_name),
            method_name,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_method() {
        let c = CSeq::parse(b"0009 \r\n INVITE ").unwrap();
        assert_eq!((c.number, c.method), (9, Method::Invite));
        for bad in [
            &b"INVITE"[..],
            b"x INVITE",
            b"4294967296 INVITE",
            b"1",
            b"1 A B",
        ] {
            assert_eq!(CSeq::parse(bad), None);
        }
    }
}
