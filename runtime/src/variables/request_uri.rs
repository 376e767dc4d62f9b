//! The Request-URI (RFC 3261 §8.1.1.1): as it stands now (`$ru` and its parts) and as it was
//! received (`$ou` and its parts). All are null in replies.

use kcc_sip::Uri;
use kcc_sip::uri::Scheme;

use super::some;
use crate::run::Run;
use crate::transport::Protocol;
use crate::value::Val;

/// A part of the Request-URI in hand; `None` in replies and where the URI cannot be parsed.
fn current(run: &mut Run, part: impl FnOnce(&Uri<'_>) -> Option<Val>) -> Option<Val> {
    if !run.message.is_request() {
        return None;
    }
    part(&Uri::parse(run.uri()).ok()?)
}

/// A text within the Request-URI in hand, copied where a script can rewrite it.
fn current_text(
    run: &mut Run,
    part: impl for<'a> FnOnce(&Uri<'a>) -> Option<&'a [u8]>,
) -> Option<Val> {
    if !run.message.is_request() {
        return None;
    }
    match run.target.uri.get() {
        Some(uri) => part(&Uri::parse(uri).ok()?).map(|text| run.scratch.copy(text)),
        None => part(&Uri::parse(run.message.request_uri()).ok()?).map(Val::str),
    }
}

fn received(run: &Run) -> Option<Uri<'_>> {
    if !run.message.is_request() {
        return None;
    }
    Uri::parse(run.message.request_uri()).ok()
}

/// The port that a URI means: the one written, else 5061 where it names TLS, else 5060.
pub(super) fn port(uri: &Uri<'_>) -> i64 {
    let secure = || protocol(uri) == Some(Protocol::Tls);
    i64::from(uri.port.unwrap_or(if secure() { 5061 } else { 5060 }))
}

/// The port as text.
pub(super) fn port_text(run: &mut Run, n: i64) -> Val {
    match n {
        5060 => Val::str(b"5060"),
        5061 => Val::str(b"5061"),
        n => super::written::<20>(run, format_args!("{n}")),
    }
}

/// The `transport` parameter as written, `UDP` where there is none.
pub(super) fn transport<'a>(uri: &Uri<'a>) -> &'a [u8] {
    uri.transport().and_then(some).unwrap_or(b"UDP")
}

fn protocol(uri: &Uri<'_>) -> Option<Protocol> {
    Protocol::from_name(transport(uri))
}

/// Kamailio's number of the transport, 0 where it is unknown.
pub(super) fn transport_number(uri: &Uri<'_>) -> i64 {
    protocol(uri).map_or(0, |protocol| protocol as i64)
}

fn scheme_number(scheme: Scheme) -> i64 {
    match scheme {
        Scheme::Sip => 1,
        Scheme::Sips => 2,
        Scheme::Tel => 3,
        Scheme::Tels => 4,
        Scheme::Urn => 5,
    }
}

/// Variables of the Request-URI.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::run::Run;
    use crate::value::{Val, Value};
    use crate::variables::rewrite::UriChange;
    use crate::variables::{Refused, some};

    use super::{current, current_text, received};

    /// The Request-URI as it stands.
    ///
    /// Null in replies and where it cannot be parsed. Assigning text replaces it, unchecked.
    ///
    /// ```cfg
    /// $ru = "sip:200@example.com";
    /// ```
    #[pv(name = "ru", aliases("ruri"))]
    fn ru(run: &mut Run) -> Option<Val> {
        current_text(run, |uri| Some(uri.raw))
    }

    #[pv_write("ru")]
    fn set_ru(run: &mut Run, value: Value) -> Result<(), Refused> {
        match value {
            Value::Str(text) => run.set_uri(text),
            Value::Null => Err(Refused::Null),
            Value::Int(_) => Err(Refused::NotText),
        }
    }

    /// The user part of the Request-URI.
    ///
    /// Null in replies and where there is none. Assigning null or "" removes it together with a
    /// password; assigning something else keeps the password.
    ///
    /// ```cfg
    /// $rU = "200";
    /// ```
    #[pv(name = "rU", aliases("ruri.user"))]
    fn user(run: &mut Run) -> Option<Val> {
        current_text(run, |uri| uri.user.and_then(some))
    }

    #[pv_write("rU")]
    fn set_user(run: &mut Run, value: Value) -> Result<(), Refused> {
        let user = match value {
            Value::Null => &[],
            Value::Int(_) => return Err(Refused::NotText),
            Value::Str(user) => user,
        };
        run.rewrite_uri(UriChange::User(user))
    }

    /// The host of the Request-URI; an IPv6 address with its brackets.
    ///
    /// Null in replies and for `tel:`. Assigning keeps the port.
    ///
    /// ```cfg
    /// $rd = "example.com";
    /// ```
    #[pv(name = "rd", aliases("ruri.domain"))]
    fn host(run: &mut Run) -> Option<Val> {
        current_text(run, |uri| some(uri.host))
    }

    #[pv_write("rd")]
    fn set_host(run: &mut Run, value: Value) -> Result<(), Refused> {
        match value {
            Value::Str([]) | Value::Null => Err(Refused::Null),
            Value::Str(host) => run.rewrite_uri(UriChange::Host(host)),
            Value::Int(_) => Err(Refused::NotText),
        }
    }

    /// The port of the Request-URI, 1 to 65535.
    ///
    /// Text, and an integer in arithmetic. Where the URI has none: 5061 with `transport=tls`, else
    /// 5060. Null in replies. Assigning takes a number or digits; null removes the port.
    ///
    /// ```cfg
    /// $rp = 5080;
    /// ```
    #[pv(name = "rp")]
    fn port(run: &mut Run) -> Option<Val> {
        let n = current(run, |uri| Some(Val::int(super::port(uri))))?;
        Some(super::port_text(run, n.data as i64))
    }

    #[pv_int("rp")]
    fn port_number(run: &mut Run) -> Option<Val> {
        current(run, |uri| Some(Val::int(super::port(uri))))
    }

    #[pv_write("rp")]
    fn set_port(run: &mut Run, value: Value) -> Result<(), Refused> {
        let port = match value {
            Value::Null | Value::Str([]) => None,
            value => {
                let n = value.int().ok_or(Refused::NotPort)?;
                Some(u16::try_from(n).map_err(|_| Refused::NotPort)?)
            }
        };
        run.rewrite_uri(UriChange::Port(port))
    }

    /// The transport of the Request-URI as its parameter says, `UDP` where it says none.
    ///
    /// Text, and in arithmetic Kamailio's number: UDP 1, TCP 2, TLS 3, SCTP 4, WS 5, WSS 6, another
    /// 0. Null in replies.
    #[pv(name = "rP")]
    fn transport(run: &mut Run) -> Option<Val> {
        current_text(run, |uri| Some(super::transport(uri)))
    }

    #[pv_int("rP")]
    fn transport_number(run: &mut Run) -> Option<Val> {
        current(run, |uri| Some(Val::int(super::transport_number(uri))))
    }

    /// The scheme of the Request-URI: `sip`, `sips`, `tel`, `tels` or `urn`.
    ///
    /// In arithmetic 1 to 5, in this order. Null in replies.
    #[pv(name = "rz")]
    fn scheme(run: &mut Run) -> Option<Val> {
        current(run, |uri| Some(Val::str(uri.scheme.as_str().as_bytes())))
    }

    #[pv_int("rz")]
    fn scheme_number(run: &mut Run) -> Option<Val> {
        current(run, |uri| Some(Val::int(super::scheme_number(uri.scheme))))
    }

    /// Length of the user part of the Request-URI in bytes; null in replies.
    #[pv(name = "rUl")]
    fn user_length(run: &mut Run) -> Option<Val> {
        current(run, |uri| Some(Val::int(uri.user_or_empty().len() as i64)))
    }

    /// Length of the Request-URI in bytes; null in replies.
    #[pv(name = "rul")]
    fn length(run: &mut Run) -> Option<Val> {
        current(run, |uri| Some(Val::int(uri.raw.len() as i64)))
    }

    /// The Request-URI as received; null in replies.
    #[pv(name = "ou", aliases("ouri"))]
    fn ou(run: &mut Run) -> Option<&[u8]> {
        run.message.is_request().then(|| run.message.request_uri())
    }

    /// The user part of the received Request-URI; null where there is none.
    #[pv(name = "oU")]
    fn received_user(run: &mut Run) -> Option<&[u8]> {
        received(run)?.user.and_then(some)
    }

    /// The host of the received Request-URI.
    #[pv(name = "od")]
    fn received_host(run: &mut Run) -> Option<&[u8]> {
        some(received(run)?.host)
    }

    /// The port of the received Request-URI: as `$rp`.
    #[pv(name = "op")]
    fn received_port(run: &mut Run) -> Option<Val> {
        let n = super::port(&received(run)?);
        Some(super::port_text(run, n))
    }

    #[pv_int("op")]
    fn received_port_number(run: &mut Run) -> Option<i64> {
        received(run).map(|uri| super::port(&uri))
    }

    /// The transport of the received Request-URI: as `$rP`.
    #[pv(name = "oP")]
    fn received_transport(run: &mut Run) -> Option<&[u8]> {
        received(run).map(|uri| super::transport(&uri))
    }

    #[pv_int("oP")]
    fn received_transport_number(run: &mut Run) -> Option<i64> {
        received(run).map(|uri| super::transport_number(&uri))
    }

    /// Length of the user part of the received Request-URI in bytes.
    #[pv(name = "oUl")]
    fn received_user_length(run: &mut Run) -> Option<i64> {
        received(run).map(|uri| uri.user_or_empty().len() as i64)
    }
}
