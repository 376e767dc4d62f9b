//! The classes `nameaddr` and `tobody`: an address as in From, To and Contact (RFC 3261 §20.10).

use kcc_sip::NameAddr;

use crate::shim::Failed;

/// An address as `nameaddr` sees it: what is before `<`, what is inside, and the length of both.
struct Loose<'a> {
    name: &'a [u8],
    uri: &'a [u8],
    len: usize,
}

/// Takes `input` apart without looking at the URI; text without `<` is a URI as a whole.
fn loose(input: &[u8]) -> Result<Loose<'_>, Failed> {
    if input.is_empty() {
        return Err(Failed);
    }
    let open = kcc_sip::token::find_unquoted(input, 0, |c| c == b'<').ok_or(Failed)?;
    if open == input.len() {
        return Ok(Loose {
            name: &input[..0],
            uri: input,
            len: input.len(),
        });
    }
    let close = open + memchr::memchr(b'>', &input[open..]).ok_or(Failed)?;
    Ok(Loose {
        name: &input[..open],
        uri: &input[open + 1..close],
        len: close + 1,
    })
}

/// An address as `tobody` sees it: its URI must be one.
fn strict(input: &[u8]) -> Result<NameAddr<'_>, Failed> {
    let address = NameAddr::parse(input).map_err(|_| Failed)?;
    address.parse_uri().map_err(|_| Failed)?;
    Ok(address)
}

/// The classes `nameaddr` and `tobody`.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::Text;
    use crate::run::Run;
    use crate::shim::Failed;
    use crate::value::Val;

    use super::{loose, strict};

    /// The display name, with its quotes and the blank after it.
    #[transformation("nameaddr.name")]
    fn name(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        Ok(Val::str(loose(input)?.name))
    }

    /// The URI without angle brackets; text without brackets is given as it is.
    ///
    /// ```cfg
    /// $var(contact) = $(ct{nameaddr.uri});
    /// ```
    #[transformation("nameaddr.uri")]
    fn uri(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        Ok(Val::str(loose(input)?.uri))
    }

    /// The length of display name and URI, in bytes, without the parameters after them.
    #[transformation("nameaddr.len")]
    fn len(_run: &mut Run, input: Text) -> Result<i64, Failed> {
        Ok(loose(input)?.len as i64)
    }

    /// The URI of a From or To value; other text is an error.
    #[transformation("tobody.uri")]
    fn to_uri(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        Ok(Val::str(strict(input)?.uri))
    }

    /// The tag; empty where there is none.
    #[transformation("tobody.tag")]
    fn to_tag(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        Ok(Val::str(strict(input)?.tag().unwrap_or_default()))
    }

    /// The user part of the URI.
    #[transformation("tobody.user")]
    fn to_user(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        let uri = strict(input)?.parse_uri().map_err(|_| Failed)?;
        Ok(Val::str(uri.user_or_empty()))
    }

    /// The host of the URI.
    #[transformation("tobody.host")]
    fn to_host(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        let uri = strict(input)?.parse_uri().map_err(|_| Failed)?;
        Ok(Val::str(uri.host))
    }

    /// The display name with its quotes.
    #[transformation("tobody.display")]
    fn to_display(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        Ok(Val::str(strict(input)?.display))
    }

    /// The parameters after the URI.
    #[transformation("tobody.params")]
    fn to_params(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        let raw = strict(input)?.params.raw();
        Ok(Val::str(raw.strip_prefix(b";").unwrap_or(raw)))
    }
}
