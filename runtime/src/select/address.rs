//! Selects of header fields that hold addresses: From, To, Contact, Record-Route and their like.

use kcc_sip::header::HeaderKind;
use kcc_sip::{Message, NameAddr};

use super::uri::{Piece, UriPart, uri_part};
use super::{Path, Steps};
use crate::declare::ConstantError;
use crate::run::Run;
use crate::value::Val;

/// A part of the address in From, To, Refer-To, Remote-Party-ID or Record-Route.
#[derive(Debug)]
pub enum AddressPart {
    /// The whole header field.
    Whole,
    /// `uri` and its parts.
    Uri(UriPart),
    /// `tag`
    Tag,
    /// `name`, quotes included.
    Name,
    /// `params.name`
    Param(Box<[u8]>),
}

impl Path for AddressPart {
    const NAME: &'static str = "select-address";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        Ok(match steps.step()? {
            None => AddressPart::Whole,
            Some(step) if step.is("uri") => AddressPart::Uri(UriPart::read(steps)?),
            Some(step) if step.is("tag") => AddressPart::Tag,
            Some(step) if step.is("name") => AddressPart::Name,
            Some(step) if step.is("params") => AddressPart::Param(steps.name()?.into()),
            Some(_) => return Err(steps.unknown()),
        })
    }
}

/// A part of a Contact.
#[derive(Debug)]
pub enum ContactPart {
    /// The whole header field.
    Whole,
    /// `uri` and its parts.
    Uri(UriPart),
    /// `name`
    Name,
    /// A parameter.
    Param(Box<[u8]>),
}

impl Path for ContactPart {
    const NAME: &'static str = "select-contact";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        let Some(step) = steps.step()? else {
            return Ok(ContactPart::Whole);
        };
        for (word, param) in [
            ("q", "q"),
            ("expires", "expires"),
            ("methods", "methods"),
            ("received", "received"),
            ("instance", "+sip.instance"),
        ] {
            if step.is(word) {
                return Ok(ContactPart::Param(param.as_bytes().into()));
            }
        }
        Ok(match step {
            step if step.is("uri") => ContactPart::Uri(UriPart::read(steps)?),
            step if step.is("name") => ContactPart::Name,
            step if step.is("params") => ContactPart::Param(steps.name()?.into()),
            _ => return Err(steps.unknown()),
        })
    }
}

/// A part of a Record-Route.
#[derive(Debug)]
pub enum RecordRoutePart {
    /// The whole header field.
    Whole,
    /// `uri` and its parts.
    Uri(UriPart),
    /// `name`
    Name,
    /// `params.name`
    Param(Box<[u8]>),
}

impl Path for RecordRoutePart {
    const NAME: &'static str = "select-record-route";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        Ok(match steps.step()? {
            None => RecordRoutePart::Whole,
            Some(step) if step.is("uri") => RecordRoutePart::Uri(UriPart::read(steps)?),
            Some(step) if step.is("name") => RecordRoutePart::Name,
            Some(step) if step.is("params") => RecordRoutePart::Param(steps.name()?.into()),
            Some(_) => return Err(steps.unknown()),
        })
    }
}

/// `nameaddr` and what follows it: any text is looked at as an address.
#[derive(Debug)]
pub enum NameAddrPart {
    /// `name`
    Name,
    /// `uri` and its parts.
    Uri(UriPart),
    /// `params`
    Params,
    /// `params.name`
    Param(Box<[u8]>),
}

impl Path for NameAddrPart {
    const NAME: &'static str = "select-nameaddr";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        Ok(match steps.step()? {
            None => return Err(steps.incomplete()),
            Some(step) if step.is("name") => NameAddrPart::Name,
            Some(step) if step.is("uri") => NameAddrPart::Uri(UriPart::read(steps)?),
            Some(step) if step.is("params") => match steps.step()? {
                None => NameAddrPart::Params,
                Some(super::Step::Name(name)) => NameAddrPart::Param(super::dashed(name)),
                Some(super::Step::Index(_)) => return Err(steps.unknown()),
            },
            Some(_) => return Err(steps.unknown()),
        })
    }
}

/// `nameaddr` or `params`, which may follow a text that is not known to be an address.
#[derive(Debug)]
pub enum AnyPart {
    /// The text itself.
    Whole,
    /// `nameaddr`
    NameAddr(NameAddrPart),
    /// `params.name`: the text is a list of parameters.
    Param(Box<[u8]>),
}

impl Path for AnyPart {
    const NAME: &'static str = "select-any";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        Ok(match steps.step()? {
            None => AnyPart::Whole,
            Some(step) if step.is("nameaddr") => AnyPart::NameAddr(NameAddrPart::read(steps)?),
            Some(step) if step.is("params") => AnyPart::Param(super::dashed(steps.name()?)),
            Some(_) => return Err(steps.unknown()),
        })
    }
}

/// The part of `text`; see [`AnyPart`].
pub fn any_part<'a>(text: &'a [u8], part: &AnyPart) -> Option<Piece<'a>> {
    match part {
        AnyPart::Whole => Some(Piece::Part(text)),
        AnyPart::NameAddr(part) => name_addr_part(text, part),
        AnyPart::Param(name) => value_of(text, name),
    }
}

/// The part of the address in `text`, whatever follows the address.
pub fn name_addr_part<'a>(text: &'a [u8], part: &NameAddrPart) -> Option<Piece<'a>> {
    let open = kcc_sip::token::find_unquoted(text, 0, |byte| byte == b'<');
    let close = match open {
        Some(open) => Some(open + memchr::memchr(b'>', text.get(open..)?)?),
        None => None,
    };
    match part {
        NameAddrPart::Name => {
            let name = kcc_sip::token::trim_end(text.get(..open?)?);
            Some(Piece::Part(name))
        }
        NameAddrPart::Uri(part) => {
            let uri = match (open, close) {
                (Some(open), Some(close)) => text.get(open + 1..close)?,
                _ => text.split(|byte| *byte == b';').next()?,
            };
            uri_part(uri, part)
        }
        NameAddrPart::Params | NameAddrPart::Param(_) => {
            let after = close.unwrap_or(0);
            let semicolon = kcc_sip::token::find_unquoted(text, after, |byte| byte == b';')?;
            let params = text.get(semicolon + 1..)?;
            match part {
                NameAddrPart::Param(name) => value_of(params, name),
                _ if params.is_empty() => None,
                _ => Some(Piece::Part(params)),
            }
        }
    }
}

/// The value of a parameter of the list `text`, up to the next element of the header field; none
/// where it has none.
fn value_of<'a>(text: &'a [u8], name: &[u8]) -> Option<Piece<'a>> {
    let first = kcc_sip::token::list(text).next()?;
    let value = kcc_sip::params::Params::new(first).get(name)?;
    (!value.is_empty()).then_some(Piece::Part(value))
}

/// A part of the address in the first header field of the kind.
fn header_part<'a>(
    message: &'a Message,
    kind: HeaderKind,
    part: &AddressPart,
) -> Option<Piece<'a>> {
    let value = message.value(kind)?;
    if matches!(part, AddressPart::Whole) {
        return Some(Piece::Part(value));
    }
    let address = NameAddr::parse(value).ok()?;
    match part {
        AddressPart::Whole => Some(Piece::Part(value)),
        AddressPart::Uri(part) => uri_part(address.uri, part),
        AddressPart::Tag => Some(Piece::Part(address.tag().unwrap_or_default())),
        AddressPart::Name => Some(Piece::Part(address.display)),
        AddressPart::Param(name) => Some(Piece::Part(address.params.get(name)?)),
    }
}

fn read(run: &mut Run, kind: HeaderKind, part: &AddressPart) -> Option<Val> {
    header_part(&run.message, kind, part)?.value(&mut run.scratch, false)
}

/// A part of the last address in the first Contact header field, which Kamailio lists first.
fn contact_part<'a>(message: &'a Message, part: &ContactPart) -> Option<Piece<'a>> {
    let value = message.value(HeaderKind::Contact)?;
    if matches!(part, ContactPart::Whole) {
        return Some(Piece::Part(value));
    }
    let address = kcc_sip::name_addr::addresses(value).last()?.ok()?;
    match part {
        ContactPart::Whole => Some(Piece::Part(value)),
        ContactPart::Uri(part) => uri_part(address.uri, part),
        ContactPart::Name => Some(Piece::Part(address.display)),
        ContactPart::Param(name) => Some(Piece::Part(address.params.get(name)?)),
    }
}

/// A part of the first address in the first Record-Route header field.
fn record_route_part<'a>(message: &'a Message, part: &RecordRoutePart) -> Option<Piece<'a>> {
    let value = message.value(HeaderKind::RecordRoute)?;
    if matches!(part, RecordRoutePart::Whole) {
        return Some(Piece::Part(value));
    }
    let address = kcc_sip::name_addr::addresses(value).next()?.ok()?;
    match part {
        RecordRoutePart::Whole => Some(Piece::Part(value)),
        RecordRoutePart::Uri(part) => uri_part(address.uri, part),
        RecordRoutePart::Name => Some(Piece::Part(address.display)),
        // Kamailio gives empty text for a parameter that is not there.
        RecordRoutePart::Param(name) => {
            Some(Piece::Part(address.params.get(name).unwrap_or_default()))
        }
    }
}

/// Selects of addresses.
#[kcc_macros::part(module = "core")]
pub mod exports {
    use kcc_sip::header::HeaderKind;

    use super::{AddressPart, ContactPart, RecordRoutePart, contact_part, read, record_route_part};
    use crate::declare::Const;
    use crate::run::Run;
    use crate::select::Below;
    use crate::value::Val;

    /// From, and its parts: `uri` and the parts of that (see `@ruri`), `tag`, `name`, `params.name`.
    ///
    /// ```cfg
    /// if (@from.uri.host == "example.com") exit;
    /// ```
    #[pv(name = "@from", aliases("@f"))]
    fn from(run: &mut Run, part: Const<Below<AddressPart>>) -> Option<Val> {
        read(run, HeaderKind::From, &part.0)
    }

    /// To, and its parts, as of `@from`.
    ///
    /// ```cfg
    /// if (@to.tag == "") exit;
    /// ```
    #[pv(name = "@to", aliases("@t"))]
    fn to(run: &mut Run, part: Const<Below<AddressPart>>) -> Option<Val> {
        read(run, HeaderKind::To, &part.0)
    }

    /// Refer-To, and its parts, as of `@from`.
    #[pv(name = "@refer_to")]
    fn refer_to(run: &mut Run, part: Const<Below<AddressPart>>) -> Option<Val> {
        read(run, HeaderKind::ReferTo, &part.0)
    }

    /// Remote-Party-ID, and its parts, as of `@from`.
    #[pv(name = "@rpid", aliases("@remote_party_id"))]
    fn rpid(run: &mut Run, part: Const<Below<AddressPart>>) -> Option<Val> {
        read(run, HeaderKind::RemotePartyId, &part.0)
    }

    /// The first Contact header field; of the last address in it `uri` and the parts of that,
    /// `name`, `q`, `expires`, `methods`, `received`, `instance`, `params.name`.
    ///
    /// ```cfg
    /// if (@contact.expires == "0") exit;
    /// ```
    #[pv(name = "@contact", aliases("@m"))]
    fn contact(run: &mut Run, part: Const<Below<ContactPart>>) -> Option<Val> {
        contact_part(&run.message, &part.0)?.value(&mut run.scratch, false)
    }

    /// The first Record-Route header field; of the first address in it `uri` and the parts of that,
    /// `name`, `params.name`.
    #[pv(name = "@record_route", aliases("@rr"))]
    fn record_route(run: &mut Run, part: Const<Below<RecordRoutePart>>) -> Option<Val> {
        record_route_part(&run.message, &part.0)?.value(&mut run.scratch, false)
    }
}
