//! Digest credentials of a request (RFC 3261 §22.4, RFC 7616): Proxy-Authorization, or else
//! Authorization.

use kcc_sip::header::HeaderKind;
use kcc_sip::token::{list, trim_start, unquote};
use kcc_sip::{Method, NameAddr};

use super::some;
use crate::run::{Local, Run};

/// The credentials that an authentication module accepted on this message.
#[derive(Debug, Default)]
pub struct Accepted {
    /// Set once credentials were accepted.
    pub is_set: bool,
    /// The user name, without the part after `@`.
    pub user: Vec<u8>,
    /// The realm.
    pub realm: Vec<u8>,
}

impl Local for Accepted {
    fn reset(&mut self) {
        self.is_set = false;
        self.user.clear();
        self.realm.clear();
    }
}

/// A field of the credentials without its quotes; `None` in ACK and CANCEL.
fn field<'a>(run: &'a Run, name: &[u8]) -> Option<&'a [u8]> {
    let message = &run.message;
    if !message.is_request() || matches!(message.method(), Method::Ack | Method::Cancel) {
        return None;
    }
    let digest = |kind| {
        let mut values = message.headers_of(kind).map(|header| header.value);
        values.find_map(|value| {
            let (scheme, rest) = value.split_at_checked(6)?;
            scheme
                .eq_ignore_ascii_case(b"Digest")
                .then_some(trim_start(rest))
        })
    };
    let value =
        digest(HeaderKind::ProxyAuthorization).or_else(|| digest(HeaderKind::Authorization))?;
    list(value).find_map(|field| {
        let eq = memchr::memchr(b'=', field)?;
        let (other, text) = (field[..eq].trim_ascii(), field[eq + 1..].trim_ascii());
        other.eq_ignore_ascii_case(name).then(|| unquote(text))
    })
}

/// The parts of the user name before and after the `@`.
fn split(name: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'@', name) {
        Some(at) => (&name[..at], Some(&name[at + 1..])),
        None => (name, None),
    }
}

fn from(run: &Run) -> Option<kcc_sip::Uri<'_>> {
    let address: NameAddr<'_> = run.message.from()?;
    address.parse_uri().ok()
}

/// Variables of digest credentials.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::run::Run;
    use crate::value::Val;

    use super::{Accepted, field, from, some, split};

    /// The whole user name of the digest credentials; null without them, and in ACK and CANCEL.
    #[pv(name = "aU")]
    fn whole_user(run: &mut Run) -> Option<&[u8]> {
        field(run, b"username").and_then(some)
    }

    /// The user name of the digest credentials up to an `@`.
    ///
    /// ```cfg
    /// if ($au != $fU) exit;
    /// ```
    #[pv(name = "au")]
    fn user(run: &mut Run) -> Option<&[u8]> {
        some(split(field(run, b"username")?).0)
    }

    /// What follows the `@` in the user name of the digest credentials; null where there is none.
    #[pv(name = "ad")]
    fn domain(run: &mut Run) -> Option<&[u8]> {
        split(field(run, b"username")?).1.and_then(some)
    }

    /// The realm of the digest credentials.
    #[pv(name = "ar")]
    fn realm(run: &mut Run) -> Option<&[u8]> {
        field(run, b"realm").and_then(some)
    }

    /// The URI of the digest credentials.
    #[pv(name = "adu")]
    fn uri(run: &mut Run) -> Option<&[u8]> {
        field(run, b"uri").and_then(some)
    }

    /// The algorithm of the digest credentials.
    #[pv(name = "aa")]
    fn algorithm(run: &mut Run) -> Option<&[u8]> {
        field(run, b"algorithm").and_then(some)
    }

    /// The nonce of the digest credentials.
    #[pv(name = "adn")]
    fn nonce(run: &mut Run) -> Option<&[u8]> {
        field(run, b"nonce").and_then(some)
    }

    /// The cnonce of the digest credentials.
    #[pv(name = "adc")]
    fn cnonce(run: &mut Run) -> Option<&[u8]> {
        field(run, b"cnonce").and_then(some)
    }

    /// The response of the digest credentials.
    #[pv(name = "adr")]
    fn response(run: &mut Run) -> Option<&[u8]> {
        field(run, b"response").and_then(some)
    }

    /// The opaque text of the digest credentials.
    #[pv(name = "ado")]
    fn opaque(run: &mut Run) -> Option<&[u8]> {
        field(run, b"opaque").and_then(some)
    }

    /// `user@realm` of credentials that an authentication module accepted, else `user@host` of From.
    #[pv(name = "Au")]
    fn account(run: &mut Run) -> Option<Val> {
        let accepted = run
            .locals
            .peek::<Accepted>()
            .filter(|accepted| accepted.is_set);
        let (user, domain) = match accepted {
            Some(accepted) => (&accepted.user[..], &accepted.realm[..]),
            None => {
                let uri = kcc_sip::NameAddr::parse(run.message.value(kcc_sip::HeaderKind::From)?);
                let uri = uri.ok()?.parse_uri().ok()?;
                (uri.user_or_empty(), uri.host)
            }
        };
        let (split, len) = (user.len(), user.len() + 1 + domain.len());
        if user.is_empty() {
            return some(domain).map(|domain| run.scratch.copy(domain));
        }
        let space = run.scratch.alloc(len)?;
        space[..split].copy_from_slice(user);
        space[split] = b'@';
        space[split + 1..].copy_from_slice(domain);
        Some(Val::str(space))
    }

    /// The user of credentials that an authentication module accepted, else the user part of From.
    #[pv(name = "AU")]
    fn account_user(run: &mut Run) -> Option<Val> {
        if let Some(accepted) = run
            .locals
            .peek::<Accepted>()
            .filter(|accepted| accepted.is_set)
        {
            return Some(run.scratch.copy(&accepted.user));
        }
        from(run)?.user.and_then(some).map(Val::str)
    }
}
