//! Session timers (RFC 4028): `Session-Expires` and `Min-SE`.

use crate::event::token_and_params;
use crate::params::Params;
use crate::token::parse_u32;

/// Who refreshes a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    /// The caller.
    Uac,
    /// The called.
    Uas,
}

/// The value of a `Session-Expires` or `Min-SE` header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires<'a> {
    /// Seconds.
    pub seconds: u32,
    /// What follows.
    pub params: Params<'a>,
}

impl<'a> SessionExpires<'a> {
    /// Parses `1800;refresher=uac`.
    pub fn parse(value: &'a [u8]) -> Option<SessionExpires<'a>> {
        let (seconds, params) = token_and_params(value)?;
        Some(SessionExpires {
            seconds: parse_u32(seconds)?,
            params,
        })
    }

    /// Who refreshes; `None` when it is left open.
    pub fn refresher(&self) -> Option<Refresher> {
        match self.params.get(b"refresher")? {
            r if r.eq_ignore_ascii_case(b"uac") => Some(Refresher::Uac),
            r if r.eq_ignore_ascii_case(b"uas") => Some(Refresher::Uas),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_refresher() {
        let value = SessionExpires::parse(b"4000 ;refresher=UAC").unwrap();
        assert_eq!(
            (value.seconds, value.refresher()),
            (4000, Some(Refresher::Uac))
        );
        assert_eq!(SessionExpires::parse(b"90").unwrap().refresher(), None);
        assert_eq!(SessionExpires::parse(b"soon"), None);
    }
}
