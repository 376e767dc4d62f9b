//! Events (RFC 6665): `Event` and `Subscription-State`.

use crate::params::Params;
use crate::token::{is_token_char, parse_u32, trim};

/// The value of an `Event` header field (RFC 6665 §8.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The package with its templates, `presence.winfo`.
    pub name: &'a [u8],
    /// What follows it.
    pub params: Params<'a>,
}

impl<'a> Event<'a> {
    /// Parses `presence.winfo;id=7`.
    pub fn parse(value: &'a [u8]) -> Option<Event<'a>> {
        let (name, params) = token_and_params(value)?;
        Some(Event { name, params })
    }

    /// The package, without templates.
    pub fn package(&self) -> &'a [u8] {
        self.name.split(|c| *c == b'.').next().unwrap_or_default()
    }

    /// The templates, from the outermost.
    pub fn templates(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.name.split(|c| *c == b'.').skip(1)
    }

    /// Which subscription of a dialog this is.
    pub fn id(&self) -> Option<&'a [u8]> {
        self.params.get(b"id")
    }

    /// True when both name the same subscription (RFC 6665 §8.2.1): the same event, byte by byte,
    /// and the same `id`.
    pub fn same_as(&self, other: &Event<'_>) -> bool {
        self.name == other.name && self.id() == other.id()
    }
}

/// The value of a `Subscription-State` header field (RFC 6665 §8.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriptionState<'a> {
    /// `active`, `pending`, `terminated`, or another.
    pub state: &'a [u8],
    /// What follows it.
    pub params: Params<'a>,
}

impl<'a> SubscriptionState<'a> {
    /// Parses `active;expires=3600`.
    pub fn parse(value: &'a [u8]) -> Option<SubscriptionState<'a>> {
        let (state, params) = token_and_params(value)?;
        Some(SubscriptionState { state, params })
    }

    /// Seconds that the subscription goes on.
    pub fn expires(&self) -> Option<u32> {
        parse_u32(self.params.get(b"expires")?)
    }

    /// Seconds after which to try again.
    pub fn retry_after(&self) -> Option<u32> {
        parse_u32(self.params.get(b"retry-after")?)
    }

    /// Why it ended.
    pub fn reason(&self) -> Option<&'a [u8]> {
        self.params.get(b"reason")
    }
}

/// A `token` and the parameters after it; `None` when something else follows the token.
pub(crate) fn token_and_params(value: &[u8]) -> Option<(&[u8], Params<'_>)> {
    let value = trim(value);
    let end = value
        .iter()
        .position(|c| !is_token_char(*c))
        .unwrap_or(value.len());
    let rest = trim(&value[end..]);
    let whole = rest.is_empty() || rest[0] == b';';
    (end > 0 && whole).then(|| (&value[..end], Params::new(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_templates_and_ids() {
        let event = Event::parse(b"presence.winfo.list ; id=7").unwrap();
        assert_eq!(event.package(), b"presence");
        assert!(event.templates().eq([&b"winfo"[..], b"list"]));
        assert_eq!(event.id(), Some(&b"7"[..]));
        assert!(!event.same_as(&Event::parse(b"presence.winfo.list").unwrap()));
        assert_eq!(Event::parse(b";id=7"), None);
        assert_eq!(Event::parse(b"a b"), None);
    }

    #[test]
    fn states() {
        let state = SubscriptionState::parse(b"terminated;reason=timeout;retry-after=5").unwrap();
        assert_eq!(state.state, b"terminated");
        assert_eq!(state.reason(), Some(&b"timeout"[..]));
        assert_eq!((state.retry_after(), state.expires()), (Some(5), None));
    }
}
