//! Header fields that have a variable of their own.

use kcc_sip::NameAddr;
use kcc_sip::header::HeaderKind;

use super::key::keys;
use super::some;
use crate::run::Run;

keys! {
    /// Which expiry `$expires(…)` means.
    ExpiresKey("expires-key", "a key of $expires") {
        /// The least.
        Min = "min",
        /// The greatest.
        Max = "max",
    }
}

/// The URI of the first value of the address header `kind`.
fn uri(run: &Run, kind: HeaderKind) -> Option<&[u8]> {
    some(
        NameAddr::parse(kcc_sip::token::list(run.message.value(kind)?).next()?)
            .ok()?
            .uri,
    )
}

/// A parameter of the first Diversion value (RFC 5806).
fn diversion<'a>(run: &'a Run, name: &[u8]) -> Option<&'a [u8]> {
    let value = run.message.value(HeaderKind::Diversion)?;
    let first = NameAddr::parse(kcc_sip::token::list(value).next()?).ok()?;
    first.params.get(name).and_then(some)
}

/// Address number `index` among all values of the address header `kind`.
fn listed(run: &Run, kind: HeaderKind, index: crate::declare::Index) -> Option<NameAddr<'_>> {
    let values = || {
        run.message
            .headers_of(kind)
            .flat_map(|h| kcc_sip::token::list(h.value))
    };
    NameAddr::parse(values().nth(index.among(values().count())?)?).ok()
}

/// Variables of single header fields.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use kcc_sip::header::HeaderKind;
    use kcc_sip::name_addr::Contact;
    use kcc_sip::token::parse_u32;

    use crate::declare::{Const, Index};
    use crate::run::Run;
    use crate::variables::some;

    use super::{ExpiresKey, diversion, listed, uri};

    /// The Call-ID; null where there is none.
    #[pv(name = "ci")]
    fn ci(run: &mut Run) -> Option<&[u8]> {
        run.message.call_id()
    }

    /// The number of CSeq, as text; null where there is none.
    #[pv(name = "cs")]
    fn cs(run: &mut Run) -> Option<&[u8]> {
        let value = run.message.value(HeaderKind::CSeq)?;
        some(value.split(|c| !c.is_ascii_digit()).next()?)
    }

    /// The whole value of CSeq; null where there is none.
    #[pv(name = "csb")]
    fn csb(run: &mut Run) -> Option<&[u8]> {
        run.message.value(HeaderKind::CSeq)
    }

    /// The value of the first Contact header field; null where there is none.
    #[pv(name = "ct")]
    fn ct(run: &mut Run) -> Option<&[u8]> {
        run.message.value(HeaderKind::Contact)
    }

    /// 1 where Contact is `*`, else 0; null where there is none.
    #[pv(name = "cts")]
    fn cts(run: &mut Run) -> Option<i64> {
        Some(i64::from(run.message.value(HeaderKind::Contact)? == b"*"))
    }

    /// The URI of the first Contact; null where there is none or it is `*`.
    #[pv(name = "ctu")]
    fn ctu(run: &mut Run) -> Option<&[u8]> {
        match run.message.contacts().next()?.ok()? {
            Contact::Address(address) => Some(address.uri),
            Contact::Star => None,
        }
    }

    /// The Content-Type; null where there is none.
    #[pv(name = "cT")]
    fn content_type(run: &mut Run) -> Option<&[u8]> {
        run.message.value(HeaderKind::ContentType)
    }

    /// The Content-Length in bytes; null where there is none.
    #[pv(name = "cl")]
    fn cl(run: &mut Run) -> Option<i64> {
        run.message.content_length().map(i64::from)
    }

    /// The User-Agent; null where there is none.
    #[pv(name = "ua")]
    fn ua(run: &mut Run) -> Option<&[u8]> {
        run.message.value(HeaderKind::UserAgent)
    }

    /// The URI of Remote-Party-ID; null where there is none.
    #[pv(name = "re")]
    fn re(run: &mut Run) -> Option<&[u8]> {
        uri(run, HeaderKind::RemotePartyId)
    }

    /// The URI of Refer-To; null where there is none.
    #[pv(name = "rt")]
    fn rt(run: &mut Run) -> Option<&[u8]> {
        uri(run, HeaderKind::ReferTo)
    }

    /// The URI of the first Diversion (RFC 5806); null where there is none.
    #[pv(name = "di")]
    fn di(run: &mut Run) -> Option<&[u8]> {
        uri(run, HeaderKind::Diversion)
    }

    /// The parameter `reason` of the first Diversion; null where there is none.
    #[pv(name = "dir")]
    fn dir(run: &mut Run) -> Option<&[u8]> {
        diversion(run, b"reason")
    }

    /// The parameter `privacy` of the first Diversion; null where there is none.
    #[pv(name = "dip")]
    fn dip(run: &mut Run) -> Option<&[u8]> {
        diversion(run, b"privacy")
    }

    /// The parameter `counter` of the first Diversion; null where there is none.
    #[pv(name = "dic")]
    fn dic(run: &mut Run) -> Option<&[u8]> {
        diversion(run, b"counter")
    }

    /// A URI of P-Asserted-Identity (RFC 3325), by default the first; null where there is none.
    #[pv(name = "ai")]
    fn ai(run: &mut Run, index: Index) -> Option<&[u8]> {
        some(listed(run, HeaderKind::PAssertedIdentity, index)?.uri)
    }

    /// A URI of P-Preferred-Identity (RFC 3325), by default the first; null where there is none.
    #[pv(name = "pu")]
    fn pu(run: &mut Run, index: Index) -> Option<&[u8]> {
        some(listed(run, HeaderKind::PPreferredIdentity, index)?.uri)
    }

    /// The user part of a URI of P-Preferred-Identity; null where there is none.
    #[pv(name = "pU")]
    fn preferred_user(run: &mut Run, index: Index) -> Option<&[u8]> {
        let address = listed(run, HeaderKind::PPreferredIdentity, index)?;
        some(address.parse_uri().ok()?.user_or_empty())
    }

    /// The host of a URI of P-Preferred-Identity; null where there is none.
    #[pv(name = "pd")]
    fn pd(run: &mut Run, index: Index) -> Option<&[u8]> {
        let address = listed(run, HeaderKind::PPreferredIdentity, index)?;
        some(address.parse_uri().ok()?.host)
    }

    /// The display name of a value of P-Preferred-Identity; null where there is none.
    #[pv(name = "pn")]
    fn pn(run: &mut Run, index: Index) -> Option<&[u8]> {
        some(listed(run, HeaderKind::PPreferredIdentity, index)?.display)
    }

    /// The least (`min`) or greatest (`max`) expiry in seconds, over the `expires` parameters of all
    /// contacts, and the Expires header for contacts without one; null where there is none.
    #[pv(name = "expires")]
    fn expires(run: &mut Run, key: Const<ExpiresKey>) -> Option<i64> {
        let header = run.message.value(HeaderKind::Expires).and_then(parse_u32);
        let of = |contact| match contact {
            Ok(Contact::Address(address)) => address
                .params
                .get(b"expires")
                .and_then(parse_u32)
                .or(header),
            _ => header,
        };
        let all = run.message.contacts().filter_map(of);
        let found = match *key {
            ExpiresKey::Min => all.min(),
            ExpiresKey::Max => all.max(),
        };
        found.or(header).map(i64::from)
    }
}
