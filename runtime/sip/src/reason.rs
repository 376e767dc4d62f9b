//! `Reason` (RFC 3326): why a request is sent or a call ended.

use crate::event::token_and_params;
use crate::params::Params;
use crate::token::{List, list, parse_u32};

/// One value of a `Reason` header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    /// `SIP`, `Q.850` or another.
    pub protocol: &'a [u8],
    /// What follows it.
    pub params: Params<'a>,
}

impl<'a> Reason<'a> {
    /// Parses `Q.850;cause=16;text="Terminated"`.
    pub fn parse(value: &'a [u8]) -> Option<Reason<'a>> {
        let (protocol, params) = token_and_params(value)?;
        Some(Reason { protocol, params })
    }

    /// The cause, in the protocol's numbers.
    pub fn cause(&self) -> Option<u32> {
        parse_u32(self.params.get(b"cause")?)
    }

    /// The text for people, without quotes; escapes stay.
    pub fn text(&self) -> Option<&'a [u8]> {
        self.params.get(b"text")
    }
}

/// Iterates over the values of a `Reason` header field; malformed ones are left out.
pub fn reasons(value: &[u8]) -> Reasons<'_> {
    Reasons { list: list(value) }
}

/// See [`reasons`].
#[derive(Clone, Debug)]
pub struct Reasons<'a> {
    list: List<'a>,
}

impl<'a> Iterator for Reasons<'a> {
    type Item = Reason<'a>;

    fn next(&mut self) -> Option<Reason<'a>> {
        self.list.find_map(Reason::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_reasons() {
        let value = b"SIP ;cause=580 ;text=\"Precondition, failure\", ;, Q.850;cause=16";
        let all: Vec<_> = reasons(value).collect();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].protocol, all[0].cause()), (&b"SIP"[..], Some(580)));
        assert_eq!(all[0].text(), Some(&b"Precondition, failure"[..]));
        assert_eq!((all[1].protocol, all[1].cause()), (&b"Q.850"[..], Some(16)));
    }
}
