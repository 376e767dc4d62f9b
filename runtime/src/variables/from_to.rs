//! From and To (RFC 3261 §20.20, §20.39) and their parts.
//!
//! Reads show the received message; an assignment is an edit that is seen when the message is sent.

use kcc_sip::header::HeaderKind;
use kcc_sip::{Message, NameAddr};

use super::{Refused, some};
use crate::run::Run;
use crate::value::Value;

/// The part of an address that an assignment replaces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Uri,
    User,
    Host,
    Display,
}

fn address(message: &Message, kind: HeaderKind) -> Option<NameAddr<'_>> {
    NameAddr::parse(message.value(kind)?).ok()
}

fn user(message: &Message, kind: HeaderKind) -> &[u8] {
    let uri = address(message, kind).and_then(|address| address.parse_uri().ok());
    uri.map_or(&[], |uri| uri.user_or_empty())
}

fn host(message: &Message, kind: HeaderKind) -> Option<&[u8]> {
    some(address(message, kind)?.parse_uri().ok()?.host)
}

/// Makes the edit that gives the part of the header field `kind` the value.
fn assign(run: &mut Run, kind: HeaderKind, part: Part, value: Value<'_>) -> Result<(), Refused> {
    let text = match value {
        Value::Null | Value::Str([]) if matches!(part, Part::User | Part::Display) => &[],
        Value::Null => return Err(Refused::Null),
        Value::Int(_) => return Err(Refused::NotText),
        Value::Str(text) => text,
    };
    let (message, edits) = run.edit();
    let address = address(message, kind).ok_or(Refused::NoHeader)?;
    let range = |part: &[u8]| message.offset_of(part).ok_or(Refused::NoHeader);
    let old = range(address.uri)?;
    match part {
        Part::Uri => edits.replace(old, text)?,
        Part::Host => {
            let uri = address.parse_uri().map_err(|_| Refused::BadUri)?;
            edits.replace(range(uri.host)?, text)?;
        }
        Part::User => {
            let uri = address.parse_uri().map_err(|_| Refused::BadUri)?;
            let host = range(uri.host)?.start;
            match uri.user {
                // The user goes with all that is before the host: the password and the `@`.
                Some(user) if text.is_empty() => edits.delete(range(user)?.start..host)?,
                Some(user) => edits.replace(range(user)?, text)?,
                None if text.is_empty() => {}
                None => edits.replace_with(host..host, |out| {
                    out.extend_from_slice(text);
                    out.push(b'@');
                })?,
            }
        }
        Part::Display if !address.display.is_empty() => {
            let mut name = range(address.display)?;
            if text.is_empty() {
                // With the blank and up to the bracket.
                name.end = old.start.saturating_sub(1).max(name.end);
            }
            edits.replace(name, text)?;
        }
        Part::Display if text.is_empty() => {}
        Part::Display => {
            let at = range(address.raw)?.start;
            edits.replace_with(at..at, |out| {
                out.extend_from_slice(text);
                out.push(b' ');
                if !address.bracketed {
                    out.push(b'<');
                }
            })?;
            if !address.bracketed {
                edits.insert(old.end, b">")?;
            }
        }
    }
    Ok(())
}

/// Variables of From and To.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use kcc_sip::header::HeaderKind::{From, To};

    use crate::run::Run;
    use crate::value::Value;
    use crate::variables::{Refused, some};

    use super::{Part, address, assign, host, user};

    /// The URI of From; null where the header is missing or malformed.
    ///
    /// An assignment is an edit: seen when the message is sent, not by `$fu`.
    ///
    /// ```cfg
    /// $fu = "sip:anonymous@anonymous.invalid";
    /// ```
    #[pv(name = "fu", aliases("from"))]
    fn fu(run: &mut Run) -> Option<&[u8]> {
        Some(address(&run.message, From)?.uri)
    }

    #[pv_write("fu")]
    fn set_fu(run: &mut Run, value: Value) -> Result<(), Refused> {
        assign(run, From, Part::Uri, value)
    }

    /// The user part of the From URI; null where there is none. Assigning null removes it.
    #[pv(name = "fU", aliases("from.user"))]
    fn from_user(run: &mut Run) -> Option<&[u8]> {
        some(user(&run.message, From))
    }

    #[pv_write("fU")]
    fn set_from_user(run: &mut Run, value: Value) -> Result<(), Refused> {
        assign(run, From, Part::User, value)
    }

    /// The host of the From URI. An assignment is an edit.
    #[pv(name = "fd", aliases("from.domain"))]
    fn fd(run: &mut Run) -> Option<&[u8]> {
        host(&run.message, From)
    }

    #[pv_write("fd")]
    fn set_fd(run: &mut Run, value: Value) -> Result<(), Refused> {
        assign(run, From, Part::Host, value)
    }

    /// The display name of From as written, quotes included; null where there is none.
    ///
    /// An assignment is an edit; the text is written as it is, so it brings its own quotes. Null
    /// removes the name.
    ///
    /// ```cfg
    /// $fn = "\"Reception\"";
    /// ```
    #[pv(name = "fn")]
    fn from_name(run: &mut Run) -> Option<&[u8]> {
        some(address(&run.message, From)?.display)
    }

    #[pv_write("fn")]
    fn set_from_name(run: &mut Run, value: Value) -> Result<(), Refused> {
        assign(run, From, Part::Display, value)
    }

    /// The From tag; null where there is none.
    #[pv(name = "ft")]
    fn ft(run: &mut Run) -> Option<&[u8]> {
        run.message.from_tag()
    }

    /// Length of the user part of From in bytes.
    #[pv(name = "fUl")]
    fn from_user_length(run: &mut Run) -> i64 {
        user(&run.message, From).len() as i64
    }

    /// Length of the From URI in bytes.
    #[pv(name = "ful")]
    fn ful(run: &mut Run) -> i64 {
        address(&run.message, From).map_or(0, |address| address.uri.len() as i64)
    }

    /// The URI of To; null where the header is missing or malformed. An assignment is an edit.
    #[pv(name = "tu", aliases("to"))]
    fn tu(run: &mut Run) -> Option<&[u8]> {
        Some(address(&run.message, To)?.uri)
    }

    #[pv_write("tu")]
    fn set_tu(run: &mut Run, value: Value) -> Result<(), Refused> {
        assign(run, To, Part::Uri, value)
    }

    /// The user part of the To URI; null where there is none. Assigning null removes it.
    #[pv(name = "tU", aliases("to.user"))]
    fn to_user(run: &mut Run) -> Option<&[u8]> {
        some(user(&run.message, To))
    }

    #[pv_write("tU")]
    fn set_to_user(run: &mut Run, value: Value) -> Result<(), Refused> {
        assign(run, To, Part::User, value)
    }

    /// The host of the To URI. An assignment is an edit.
    #[pv(name = "td", aliases("to.domain"))]
    fn td(run: &mut Run) -> Option<&[u8]> {
        host(&run.message, To)
    }

    #[pv_write("td")]
    fn set_td(run: &mut Run, value: Value) -> Result<(), Refused> {
        assign(run, To, Part::Host, value)
    }

    /// The display name of To: as `$fn`.
    #[pv(name = "tn")]
    fn tn(run: &mut Run) -> Option<&[u8]> {
        some(address(&run.message, To)?.display)
    }

    #[pv_write("tn")]
    fn set_tn(run: &mut Run, value: Value) -> Result<(), Refused> {
        assign(run, To, Part::Display, value)
    }

    /// The To tag; null where there is none.
    #[pv(name = "tt")]
    fn tt(run: &mut Run) -> Option<&[u8]> {
        run.message.to_tag()
    }

    /// Length of the user part of To in bytes. Assigning sets the user, as on Kamailio.
    #[pv(name = "tUl")]
    fn to_user_length(run: &mut Run) -> i64 {
        user(&run.message, To).len() as i64
    }

    #[pv_write("tUl")]
    fn set_to_user_length(run: &mut Run, value: Value) -> Result<(), Refused> {
        assign(run, To, Part::User, value)
    }

    /// 1 where To has a tag, else 0.
    #[pv(name = "tts")]
    fn tts(run: &mut Run) -> i64 {
        i64::from(run.head.has_totag)
    }
}
