//! `RAck` (RFC 3262 §7.2): which provisional reply a PRACK acknowledges.

use crate::cseq::CSeq;
use crate::token::{is_lws, parse_u32, trim, trim_start};

/// A parsed RAck value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RAck<'a> {
    /// The RSeq of the reply, 1 to 2³²−1.
    pub rseq: u32,
    /// The CSeq of the reply.
    pub cseq: CSeq<'a>,
}

impl<'a> RAck<'a> {
    /// Parses `776656 1 INVITE`.
    pub fn parse(value: &'a [u8]) -> Option<RAck<'a>> {
        let value = trim(value);
        let end = value.iter().position(|c| is_lws(*c))?;
        Some(RAck {
            rseq: parse_u32(&value[..end]).filter(|n| *n > 0)?,
            cseq: CSeq::parse(trim_start(&value[end..]))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Method;

    #[test]
    fn three_words() {
        let rack = RAck::parse(b" 776656  1 INVITE").unwrap();
        assert_eq!((rack.rseq, rack.cseq.number), (776_656, 1));
        assert_eq!(rack.cseq.method, Method::Invite);
        for bad in [&b""[..], b"1", b"1 INVITE", b"0 1 INVITE", b"x 1 INVITE"] {
            assert_eq!(RAck::parse(bad), None);
        }
    }
}
